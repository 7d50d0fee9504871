"""Graphs given with several inputs at once: rows of one where all leads with the batch, else of all, exact either way."""

import warnings

import numpy as np
import pytest
import torch
from graph_files import initialiser, model, saved
from onnx import helper
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from resnet_cli import models
from resnet_cli.analyses.cost.counts import totals
from resnet_cli.analyses.memory.memory import Settings, memory
from resnet_cli.graphs.read import read
from resnet_cli.graphs.rows import batch_of, cut
from resnet_cli.inputs import Given, Typed


class Frames(nn.Module):
    """Frames of a film, put beside the inputs of a batch for a while; norms of channels and of inputs."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.groups, self.pool, self.last = (
            nn.GroupNorm(2, 8),
            nn.AdaptiveAvgPool2d(1),
            nn.Linear(8, 5),
        )

    def forward(self, x):
        batch, time = x.shape[:2]
        y = self.groups(self.norm(self.conv(x.flatten(0, 1))).relu())
        return self.last(self.pool(y).flatten(1).view(batch, time, -1).mean(1))


class Windows(nn.Module):
    """Attention in windows, which stand beside the inputs of a batch."""

    def __init__(self):
        super().__init__()
        self.embed, self.qkv = nn.Conv2d(3, 8, 2, 2), nn.Linear(8, 24)

    def forward(self, x):
        y = self.embed(x).unflatten(3, (2, 4)).unflatten(2, (2, 4)).permute(0, 2, 4, 3, 5, 1)
        q, k, v = self.qkv(y.reshape(-1, 16, 8)).chunk(3, -1)
        return ((q @ k.transpose(1, 2)).softmax(-1) @ v).view(len(x), -1, 8)


class Steps(nn.Module):
    """A recurrent layer; the steps of time come first, or second."""

    def __init__(self, batch_first):
        super().__init__()
        self.lstm = nn.LSTM(8, 6, 2, batch_first=batch_first, bidirectional=True)

    def forward(self, x):
        return self.lstm(x)[0]


CASES = {  # a module, and the shape of a batch
    "frames": (Frames, lambda n: (n, 5, 3, 8, 8)),
    "windows": (Windows, lambda n: (n, 3, 16, 16)),
    "time second": (lambda: Steps(True), lambda n: (n, 7, 8)),
    "time first": (lambda: Steps(False), lambda n: (7, n, 8)),
    "heads": (lambda: nn.TransformerEncoderLayer(16, 4, 32), lambda n: (9, n, 16)),
    "plain": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten()), lambda n: (n, 3, 8, 8)),
}  # fmt: skip
WHOLE = ("time second", "plain")  # all leads with the batch


def exported(module, shape, path):
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, (torch.zeros(shape, device="meta"),))
        torch.export.save(program, path)
    return models.load(str(path))


def kept(network):
    """Bytes saved of each row, and how many of them are of the batch as a whole."""
    found = memory(network.rows, Settings())
    rows = [part.of(network.batch) for part in found.saved.rows]
    return rows, sum(part.once for part in found.saved.rows)


@pytest.mark.parametrize(
    "case",
    [pytest.param(name, marks=() if name == "frames" else pytest.mark.slow) for name in CASES],
)
def test_three_inputs_are_three_times_one(case, tmp_path):
    """MACs as torch's flop counter has them, parameters once, bytes saved three times those of one."""
    make, shape = CASES[case]
    with torch.device("meta"):
        module = make().eval()
    one, three = (exported(module, shape(n), tmp_path / f"{n}.pt2") for n in (1, 3))
    assert three.batch == (3 if case in WHOLE else 1) == cut(read(str(tmp_path / "3.pt2")))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(shape(3), device="meta"))
    sums = totals(three.rows)
    assert 2 * sums["macs"] == counter.get_total_flops()
    assert sums["params"] == sum(p.numel() for p in module.parameters())
    (of_one, once), (of_three, still) = kept(one), kept(three)
    assert sum(of_three) - still == 3 * (sum(of_one) - once) and still == once
    assert not three.uncounted


def test_an_onnx_with_any_batch(tmp_path):
    """Its windows are a batch of their own: rows are of all inputs, exact for as many as are given."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w"], ["c"], strides=[2, 2]), node("Reshape", ["c", "s"], ["r"]),
        node("MatMul", ["r", "v"], ["m"]), node("Relu", ["m"], ["y"]),
    ]  # fmt: skip
    weights = [initialiser("w", np.ones((8, 3, 2, 2))), initialiser("s", [-1, 8, 16], "int64"),
               initialiser("v", np.ones((16, 5)))]  # fmt: skip
    path = saved(model(nodes, {"x": ["n", 3, 8, 8]}, {"y": None}, weights), tmp_path / "a.onnx")
    for n in (1, 4):
        network = models.load(path, Given((Typed("x", (n, 3, 8, 8)),)))
        assert totals(network.rows)["macs"] == n * (8 * 16 * 12 + 8 * 5 * 16)


def test_time_is_no_batch(tmp_path):
    """All that a recurrent layer gives out leads with its steps, which are one input's."""
    one = model(
        [helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=6)], {"x": [7, 1, 5]}, {"y": [7, 1, 1, 6]},
        [initialiser("w", np.ones((1, 24, 5))), initialiser("r", np.ones((1, 24, 6)))],
    )  # fmt: skip
    assert batch_of(read(saved(one, tmp_path / "a.onnx"))) is None
