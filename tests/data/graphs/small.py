"""What small.json holds: residual blocks alike, a skip past a stage, long names, positions, an operation nobody counts.

Written anew, as torch 2.13 exports it, by `python tests/data/graphs/small.py`.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x):
        return x + self.conv2(torch.relu(self.bn1(self.conv1(x))))


class MultiHeadAttentionOverAllPositions(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.query_key_value_projection = nn.Linear(channels, 3 * channels)
        self.output_projection_of_all_heads = nn.Linear(channels, channels)

    def forward(self, x):
        q, k, v = self.query_key_value_projection(x).unflatten(2, (3, 2, -1)).permute(2, 0, 3, 1, 4)
        heads = functional.scaled_dot_product_attention(q, k, v)
        return x + self.output_projection_of_all_heads(heads.transpose(1, 2).flatten(2))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.layer1 = nn.Sequential(Residual(8), Residual(8), Residual(8))
        self.down = nn.Conv2d(8, 16, 3, 2, 1)
        self.positions = nn.Parameter(torch.zeros(1, 16, 16))
        self.attention_over_the_coarsest_of_all_maps = MultiHeadAttentionOverAllPositions(16)
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.join = nn.Conv2d(16, 8, 3, padding=1)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        wide = self.layer1(self.stem(x))
        tokens = self.down(wide).flatten(2).transpose(1, 2) + self.positions
        tokens = self.attention_over_the_coarsest_of_all_maps(tokens)
        deep = self.up(tokens.transpose(1, 2).unflatten(2, (4, 4)))
        both = self.join(torch.cat([wide, deep], 1))
        spectrum = torch.fft.fft2(both).abs()
        return self.head((both * spectrum).mean((2, 3)))


def described():
    """The program as the file has it, without where each line of it stands in Python."""
    program = torch.export.export(
        Small().to("meta").eval(), (torch.zeros(1, 3, 16, 16, device="meta"),)
    )
    path = Path(sys.argv[0]).with_suffix(".pt2")
    torch.export.save(program, path)
    import zipfile

    with zipfile.ZipFile(path) as file:
        name = next(name for name in file.namelist() if name.endswith("models/model.json"))
        document = json.loads(file.read(name))
    path.unlink()
    for node in document["graph_module"]["graph"]["nodes"]:
        node["metadata"] = {"nn_module_stack": node["metadata"].get("nn_module_stack", "")}
    document["graph_module"]["module_call_graph"] = []
    for tensor in document["graph_module"]["graph"]["tensor_values"].values():
        for key in ("requires_grad", "device", "storage_offset", "layout"):
            del tensor[key]
    return document


if __name__ == "__main__":
    text = json.dumps(described(), separators=(",", ":"))
    Path(__file__).with_suffix(".json").write_text(text + "\n")
