"""A spec as a stand-alone PyTorch file: the classes of that one network and nothing else.

The file is put together from pieces of text, the innermost module first; the spec's fields choose
the pieces, and one that a network does not have is "". Modules are created in the order of the
trace, so that the state dict's keys are its paths in its order.
"""

from __future__ import annotations

import builtins
import re
from keyword import iskeyword
from math import gcd, prod
from textwrap import indent

from resnet_cli.designs import zoo
from resnet_cli.designs.blocks import EXPANSION
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError
from resnet_cli.render.vgg_source import vgg_pieces
from resnet_cli.trace import trace


def pytorch_source(spec: zoo.Spec) -> str:
    """The text of a Python file that needs torch alone and builds exactly this network.

    Raises `UserError` when the input is too small to reach the end, and (exit 1) for scaled, gated
    and dropped shortcuts, which nobody uses.
    """
    if isinstance(spec, ResNet) and not _has_source(spec):
        raise UserError(
            f"no PyTorch source for {spec.name}: its shortcuts are scaled, gated or dropped",
            "save it as .pt2 or .onnx",
            1,
        )
    pieces = vgg_pieces(spec) if isinstance(spec, VGG) else _resnet_pieces(spec)
    head = f"{_docstring(spec)}\n\nfrom torch import Tensor, nn"
    return "\n\n\n".join([head, *filter(None, pieces), _constructor(spec)]) + "\n"


def _has_source(spec: ResNet) -> bool:
    scales = (spec.shortcut_scale, spec.body_scale)
    return spec.shortcut in ("A", "B", "C", "none") and scales == (1, 1)


def identifier(name: str) -> str:
    """The name as a Python function may be called: resnet50_v1_5 for resnet50-v1.5."""
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40]
    taken = iskeyword(word) or hasattr(builtins, word) or word == "nn"
    return word if word.isidentifier() and not taken else f"net_{word}".strip("_")


def _docstring(spec: zoo.Spec) -> str:
    rows = trace(spec.net(), spec.input_shape)
    parameters = sum(prod(shape) for row in rows for shape in row.layer.parameters().values())
    macs = sum(row.macs for row in rows)
    size = "x".join(map(str, spec.input_shape))
    # A name may come from anyone's file: it must neither end the string nor leave its line.
    name = "".join(c if c.isprintable() and c not in '"\\' else "?" for c in spec.name[:40])
    arguments = f" {name} -o {identifier(name)}.py" if zoo.is_listed(spec) else ""
    return f'''"""The network {name}.

{parameters:,} parameters; {macs:,} multiply-accumulates (MACs) for a {size} input.
Written by `resnet-cli build{arguments}`.
"""'''


def _constructor(spec: zoo.Spec) -> str:
    network = "VGG" if isinstance(spec, VGG) else _network_name(spec)
    return f'''def {identifier(spec.name)}(num_classes: int = {spec.num_classes}) -> {network}:
    """The network with its initial weights."""
    return {network}(num_classes)'''


def _resnet_pieces(spec: ResNet) -> list[str]:
    return [
        ZERO_PADDING if spec.shortcut == "A" else "",
        _squeeze_excitation(spec.se_reduction) if spec.se_reduction else "",
        _block(spec),
        _stage(spec),
        _network(spec),
    ]


def _inside(*pieces: str) -> str:
    """The pieces that are there as the lines of a method."""
    return indent("\n".join(filter(None, pieces)), 8 * " ")


ZERO_PADDING = '''class ZeroPadding(nn.Module):
    """Shortcut A: every stride-th pixel, zeros for the new channels (He et al. 2015)."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = new_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.new_channels))'''


def _squeeze_excitation(reduction: int) -> str:
    return f'''class SqueezeExcitation(nn.Module):
    """Scales every channel by a gate made from the means of all (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // {reduction}, 1)
        self.fc2 = nn.Conv2d(channels // {reduction}, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.fc1(x.mean((2, 3), keepdim=True)).relu()
        return x * self.fc2(gate).sigmoid()'''


def _block(spec: ResNet) -> str:
    # In place, the first block's ReLU would overwrite what the stem's keeps for its gradient.
    relu = "nn.ReLU()" if spec.preact else "nn.ReLU(inplace=True)"
    forward = _activating_first(spec) if spec.preact else _activating_last(spec)
    return f'''class {_block_name(spec)}(nn.Module):
    """{_block_doc(spec)}"""

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
{_inside(*_body(spec), _shortcut(spec), f"self.relu = {relu}")}

    def forward(self, x: Tensor) -> Tensor:
{_inside(*forward)}'''


def _block_name(spec: ResNet) -> str:
    return "BasicBlock" if spec.block == "basic" else "Bottleneck"


def _block_doc(spec: ResNet) -> str:
    grouped = f" in {spec.groups} groups" if spec.groups > 1 else ""
    bottleneck = f"1x1 reduce, 3x3{grouped}, 1x1 restore"
    body = "Two 3x3 convolutions" if spec.block == "basic" else bottleneck
    return f"{body}, each after its norm and ReLU." if spec.preact else f"{body}."


def _out(spec: ResNet) -> str:
    """The channels that leave a block."""
    return "width" if spec.block == "basic" else f"{EXPANSION[spec.block]} * width"


def _middle(spec: ResNet) -> str:
    """The channels of a bottleneck's 3x3: width · base width · groups / 64, in lowest terms."""
    factor = spec.base_width * spec.groups
    common = gcd(factor, 64)
    times = "" if factor == common else f"{factor // common} * "
    over = "" if common == 64 else f" // {64 // common}"
    return f"{times}width{over}"


def _bias(spec: ResNet) -> str:
    return "" if spec.conv_bias else ", bias=False"


def _convolutions(spec: ResNet) -> list[tuple[str, str, str]]:
    """Channels in, channels out and the other arguments of each convolution of the body."""
    if spec.block == "basic":
        return [("channels", "width", "3, stride, padding=1"), ("width", "width", "3, padding=1")]
    middle = "width" if _middle(spec) == "width" else "middle"
    first, second = (", stride", "") if spec.style == "v1" else ("", ", stride")
    groups = f", groups={spec.groups}" if spec.groups > 1 else ""
    return [
        ("channels", middle, f"1{first}"),
        (middle, middle, f"3{second}, padding=1{groups}"),
        (middle, _out(spec), "1"),
    ]


def _body(spec: ResNet) -> list[str]:
    lines = [] if _middle(spec) == "width" else [f"middle = {_middle(spec)}"]
    for number, (channels, out, rest) in enumerate(_convolutions(spec), start=1):
        convolution = f"self.conv{number} = nn.Conv2d({channels}, {out}, {rest}{_bias(spec)})"
        norm = f"self.bn{number} = nn.BatchNorm2d({channels if spec.preact else out})"
        lines += [norm, convolution] if spec.preact else [convolution, norm]
    return [*lines, f"self.se = SqueezeExcitation({_out(spec)})" if spec.se_reduction else ""]


def _shortcut(spec: ResNet) -> str:
    """Creates ``downsample``, the name by which state dicts know a shortcut."""
    if spec.shortcut == "none":
        return ""
    projection = f"self.downsample = {_projection(spec)}"
    if spec.shortcut == "C":
        return projection
    identity = " = None" if spec.preact else ": nn.Module = nn.Identity()"
    return f"""self.downsample{identity}
if stride != 1 or channels != {_out(spec)}:
{indent(projection, 4 * " ")}"""


def _projection(spec: ResNet) -> str:
    out, stride = _out(spec), "" if spec.projection_pool else ", stride"
    if spec.shortcut == "A":
        return f"ZeroPadding({out} - channels, stride)"
    layers = [f"nn.Conv2d(channels, {out}, 1{stride}{_bias(spec)})"]
    if spec.projection_pool:
        layers.insert(0, "nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False)")
    if spec.projection_norm:
        layers.append(f"nn.BatchNorm2d({out})")
    return "\n".join(["nn.Sequential(", *(f"    {layer}," for layer in layers), ")"])


def _activating_last(spec: ResNet) -> list[str]:
    last = len(_convolutions(spec))
    return [
        "out = self.relu(self.bn1(self.conv1(x)))",
        *(f"out = self.relu(self.bn{n}(self.conv{n}(out)))" for n in range(2, last)),
        f"out = self.bn{last}(self.conv{last}(out))",
        "out = self.se(out)" if spec.se_reduction else "",
        f"return self.relu({'out' if spec.shortcut == 'none' else 'out + self.downsample(x)'})",
    ]


def _activating_first(spec: ResNet) -> list[str]:
    """A projection reads the activated input, an identity the input itself (He et al. 2016)."""
    shortcut = "shortcut = x if self.downsample is None else self.downsample(out)"
    if spec.shortcut == "C":
        shortcut = "shortcut = self.downsample(out)"
    last = len(_convolutions(spec))
    return [
        "out = self.relu(self.bn1(x))",
        "" if spec.shortcut == "none" else shortcut,
        "out = self.conv1(out)",
        *(f"out = self.conv{n}(self.relu(self.bn{n}(out)))" for n in range(2, last + 1)),
        "out = self.se(out)" if spec.se_reduction else "",
        "return out" if spec.shortcut == "none" else "return out + shortcut",
    ]


def _stage(spec: ResNet) -> str:
    block = _block_name(spec)
    return f'''def _stage(channels: int, width: int, blocks: int, stride: int = 1) -> nn.Sequential:
    """Blocks of one width; the first takes the channels of the stage before, and the stride."""
    first = {block}(channels, width, stride)
    rest = [{block}({_out(spec)}, width) for _ in range(blocks - 1)]
    return nn.Sequential(first, *rest)'''


def _network_name(spec: ResNet) -> str:
    return "PlainNet" if spec.shortcut == "none" else "ResNet"


def _network(spec: ResNet) -> str:
    pool = spec.stem != "3x3"
    stem = "self.relu(self.bn1(self.conv1(x)))"
    channels = spec.width * EXPANSION[spec.block] * 2 ** (len(spec.stages) - 1)
    layers = [
        _stem(spec),
        f"self.bn1 = nn.BatchNorm2d({spec.stem_width})",
        "self.relu = nn.ReLU(inplace=True)",
        "self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)" if pool else "",
        *_stages(spec),
        f"self.norm = nn.BatchNorm2d({channels})" if spec.preact else "",
        "self.avgpool = nn.AdaptiveAvgPool2d(1)",
        f"self.fc = nn.Linear({channels}, num_classes)",
        _initial_weights(spec),
    ]
    forward = [
        f"x = self.maxpool({stem})" if pool else f"x = {stem}",
        *(f"x = self.layer{number}(x)" for number in range(1, len(spec.stages) + 1)),
        "x = self.relu(self.norm(x))" if spec.preact else "",
        "return self.fc(self.avgpool(x).flatten(1))",
    ]
    return f'''class {_network_name(spec)}(nn.Module):
    """A stem, {len(spec.stages)} stages of blocks and a classifier."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
{_inside(*layers)}

    def forward(self, x: Tensor) -> Tensor:
{_inside(*forward)}'''


def _stem(spec: ResNet) -> str:
    inputs, width, bias = spec.in_channels, spec.stem_width, _bias(spec)
    if spec.stem != "deep":
        window = "7, stride=2, padding=3" if spec.stem == "7x7" else "3, padding=1"
        return f"self.conv1 = nn.Conv2d({inputs}, {width}, {window}{bias})"
    half = width // 2
    return f"""self.conv1 = nn.Sequential(
    nn.Conv2d({inputs}, {half}, 3, stride=2, padding=1{bias}),
    nn.BatchNorm2d({half}),
    nn.ReLU(inplace=True),
    nn.Conv2d({half}, {half}, 3, padding=1{bias}),
    nn.BatchNorm2d({half}),
    nn.ReLU(inplace=True),
    nn.Conv2d({half}, {width}, 3, padding=1{bias}),
)"""


def _stages(spec: ResNet) -> list[str]:
    lines, channels = [], spec.stem_width
    for index, blocks in enumerate(spec.stages):
        width, stride = spec.width * 2**index, ", stride=2" if index else ""
        stage = f"_stage({channels}, {width}, blocks={blocks}{stride})"
        lines.append(f"self.layer{index + 1} = {stage}")
        channels = width * EXPANSION[spec.block]
    if spec.preact:
        lines.insert(1, "self.layer1[0].bn1 = nn.Identity()  # the stem's bn1 stands before it")
    return lines


def _initial_weights(spec: ResNet) -> str:
    """He et al.'s; torch itself starts a batch norm at 1 and 0."""
    bias = ""
    if spec.conv_bias:
        bias = "        nn.init.zeros_(module.bias)\n"
    elif spec.se_reduction:
        bias = "        if module.bias is not None:\n            nn.init.zeros_(module.bias)\n"
    return f"""
for module in self.modules():
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
{bias}nn.init.normal_(self.fc.weight, std=0.01)
nn.init.zeros_(self.fc.bias)"""
