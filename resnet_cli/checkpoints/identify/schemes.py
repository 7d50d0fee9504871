"""How libraries name the tensors of residual networks and VGGs, one table for each library."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple


class Scheme(NamedTuple):
    """How a library names the tensors of a residual network.

    ``signs`` are tensors of the first blocks: what stands before them in a file is its prefix.
    ``needs`` tells schemes apart whose blocks are named alike: one of these has to be there.
    ``paths`` are pairs of the library's path and ours. Upper-case placeholders are numbers: S a
    stage, B a block, N a layer, I an index. Lower-case ones are Caffe's letters: a, b, b2 is 0, 1,
    2. ``shift`` is what has to be added to a number of theirs. Other paths are taken as they are.
    """

    name: str
    signs: tuple[str, ...]
    paths: dict[str, str]
    shift: dict[str, int] = {}  # noqa: RUF012  (never changed)
    needs: tuple[str, ...] = ()

    def translator(self) -> Callable[[str], str]:
        """Their path -> ours, each path matched once."""
        patterns = [(_compiled(theirs), ours) for theirs, ours in self.paths.items()]

        @cache
        def ours_for(path: str) -> str:
            for pattern, ours in patterns:
                if match := pattern.fullmatch(path):
                    numbers = {
                        key: _number(text) + self.shift.get(key, 0)
                        for key, text in match.groupdict().items()
                    }
                    return ours.format(**numbers)
            return path

        return ours_for


PLACEHOLDERS = {key: f"(?P<{key}>[0-9]{{1,6}})" for key in "SBNI"} | {
    key: f"(?P<{key}>[a-z][0-9]{{0,6}})" for key in "bn"
}


def _compiled(path: str) -> re.Pattern[str]:
    pattern = re.escape(path)
    for key, number in PLACEHOLDERS.items():
        pattern = pattern.replace(rf"\{{{key}\}}", number)
    return re.compile(pattern)


def _number(text: str) -> int:
    """12, or Caffe's block: a, b, c is 0, 1, 2, and so is a, b1, b2."""
    return int(text) if text.isdigit() else int(text[1:] or ord(text) - ord("a"))


BLOCKS = ("layer1.0.conv2.weight", *(f"layer{stage}.0.conv1.weight" for stage in (1, 2, 3, 4)))
STAGES = ("stages.0.blocks.0.conv1.weight", "stages.1.blocks.0.conv1.weight")
PREACT = {
    "stages.{S}.blocks.{B}.conv{N}": "layer{S}.{B}.conv{N}",
    "stages.{S}.blocks.{B}.norm{N}": "layer{S}.{B}.bn{N}",
    "head.fc": "fc",
}
REGNET = {
    **{f"conv{number}.conv": f"f.{part}.0" for number, part in ((1, "a"), (2, "b"), (3, "c"))},
    **{f"conv{number}.bn": f"f.{part}.1" for number, part in ((1, "a"), (2, "b"), (3, "c"))},
    "se.fc{N}": "f.se.fc{N}",
    "downsample.conv": "proj.0",
    "downsample.bn": "proj.1",
}
HUGGING_FACE_REGNET = {
    # behind the gate of a Y block the last convolution is the fourth
    f"{theirs}.{kind}": f"{ours}.{index}"
    for theirs, ours in (
        ("layer.0", "f.a"), ("layer.1", "f.b"), ("layer.2", "f.c"), ("layer.3", "f.c"), ("shortcut", "proj"),
    )
    for index, kind in enumerate(("convolution", "normalization"))
} | {"layer.2.attention.0": "f.se.fc1", "layer.2.attention.2": "f.se.fc2"}  # fmt: skip

SCHEMES = (
    Scheme("timm's pre-activation ResNets-D", STAGES, PREACT | {
        "stem.conv1": "conv1.0",
        "stem.norm1": "conv1.1",
        "stem.conv2": "conv1.3",
        "stem.norm2": "conv1.4",
        "stem.conv3": "conv1.6",
        "stages.{S}.blocks.{B}.downsample.conv": "layer{S}.{B}.downsample.1",  # behind a pool
    }, shift={"S": 1}, needs=("stem.conv3.weight",)),
    Scheme("timm's pre-activation ResNets", STAGES, PREACT | {
        "stem.conv": "conv1",
        "stages.{S}.blocks.{B}.downsample.conv": "layer{S}.{B}.downsample.0",
    }, shift={"S": 1}),
    Scheme("torchvision's RegNets", ("trunk_output.block1.block1-0.f.a.0.weight", "trunk_output.block2.block2-0.f.a.0.weight"), {
        f"trunk_output.block{{S}}.block{{I}}-{{B}}.{path}": f"trunk_output.block{{S}}.{{B}}.{path}"
        for path in ("f.a.{N}", "f.b.{N}", "f.c.{N}", "f.se.fc{N}", "proj.{N}")
    }),
    Scheme("timm's RegNets", ("s1.b1.conv1.conv.weight", "s2.b1.conv1.conv.weight"), {
        "stem.conv": "stem.0",
        "stem.bn": "stem.1",
        "head.fc": "fc",
        **{
            f"s{{S}}.b{{B}}.{theirs}": f"trunk_output.block{{S}}.{{B}}.{ours}"
            for theirs, ours in REGNET.items()
        },
    }, shift={"B": -1}),
    Scheme("Hugging Face's RegNets", (
        "regnet.encoder.stages.0.layers.0.layer.0.convolution.weight",
        "regnet.encoder.stages.1.layers.0.layer.0.convolution.weight",
    ), {
        "regnet.embedder.embedder.convolution": "stem.0",
        "regnet.embedder.embedder.normalization": "stem.1",
        "classifier.1": "fc",
        **{
            f"regnet.encoder.stages.{{S}}.layers.{{B}}.{theirs}": f"trunk_output.block{{S}}.{{B}}.{ours}"
            for theirs, ours in HUGGING_FACE_REGNET.items()
        },
    }, shift={"S": 1}),
    Scheme("RegNets by number", ("trunk_output.block1.0.f.a.0.weight", "trunk_output.block2.0.f.a.0.weight"), {}),
    Scheme("Hugging Face", ("encoder.stages.0.layers.0.layer.0.convolution.weight",
                            "encoder.stages.1.layers.0.layer.0.convolution.weight"), {
        "embedder.embedder.convolution": "conv1",
        "embedder.embedder.normalization": "bn1",
        "encoder.stages.{S}.layers.{B}.layer.{N}.convolution": "layer{S}.{B}.conv{N}",
        "encoder.stages.{S}.layers.{B}.layer.{N}.normalization": "layer{S}.{B}.bn{N}",
        "encoder.stages.{S}.layers.{B}.shortcut.convolution": "layer{S}.{B}.downsample.0",
        "encoder.stages.{S}.layers.{B}.shortcut.normalization": "layer{S}.{B}.downsample.1",
        "classifier.1": "fc",
    }, shift={"S": 1, "N": 1}),
    Scheme("detectron2", ("res2.0.conv1.weight", "res3.0.conv1.weight"), {
        "stem.conv1": "conv1",
        "stem.conv1.norm": "bn1",
        "res{S}.{B}.conv{N}": "layer{S}.{B}.conv{N}",
        "res{S}.{B}.conv{N}.norm": "layer{S}.{B}.bn{N}",
        "res{S}.{B}.shortcut": "layer{S}.{B}.downsample.0",
        "res{S}.{B}.shortcut.norm": "layer{S}.{B}.downsample.1",
        "linear": "fc",
    }, shift={"S": -1}),
    Scheme("Caffe", ("res2a_branch2a.weight", "res3a_branch2a.weight"), {
        "bn_conv1": "bn1",
        "scale_conv1": "bn1",
        "res{S}{b}_branch2{n}": "layer{S}.{b}.conv{n}",
        "bn{S}{b}_branch2{n}": "layer{S}.{b}.bn{n}",
        "scale{S}{b}_branch2{n}": "layer{S}.{b}.bn{n}",
        "res{S}{b}_branch1": "layer{S}.{b}.downsample.0",
        "bn{S}{b}_branch1": "layer{S}.{b}.downsample.1",
        "scale{S}{b}_branch1": "layer{S}.{b}.downsample.1",
        "fc{I}": "fc",  # fc1000
    }, shift={"S": -1, "n": 1}),
    Scheme("Wide ResNets", ("block1.layer.0.conv1.weight", "block2.layer.0.conv1.weight"), {
        "bn1": "norm",  # the last norm; the first one stands in the first block
        "block1.layer.0.bn1": "bn1",
        "block{S}.layer.{B}.convShortcut": "layer{S}.{B}.downsample.0",
        "block{S}.layer.{B}.conv{N}": "layer{S}.{B}.conv{N}",
        "block{S}.layer.{B}.bn{N}": "layer{S}.{B}.bn{N}",
    }),
    Scheme("legacy SENets", BLOCKS, {
        "layer0.conv1": "conv1",
        "layer0.bn1": "bn1",
        "layer{S}.{B}.se_module.fc{N}": "layer{S}.{B}.se.fc{N}",
        "last_linear": "fc",
    }, needs=("layer0.conv1.weight", "last_linear.weight")),
    Scheme("CIFAR ResNets", BLOCKS, {
        "layer{S}.{B}.shortcut.{I}": "layer{S}.{B}.downsample.{I}",
        "linear": "fc",
    }, needs=("linear.weight", "layer2.0.shortcut.0.weight")),
    Scheme("torchvision", BLOCKS, {"head.fc": "fc"}),  # beside a backbone
    Scheme("torchvision's children in a row", ("4.0.conv1.weight", "5.0.conv1.weight"), {
        "0": "conv1",
        "1": "bn1",
        "{S}.{B}.conv{N}": "layer{S}.{B}.conv{N}",
        "{S}.{B}.bn{N}": "layer{S}.{B}.bn{N}",
        "{S}.{B}.downsample.{I}": "layer{S}.{B}.downsample.{I}",
        "9": "fc",
    }, shift={"S": -3}),
    Scheme("timm's VGGs", ("features.0.weight",), {
        "pre_logits.fc1": "classifier.0",
        "pre_logits.fc2": "classifier.3",
        "head.fc": "classifier.6",
    }, needs=("pre_logits.fc1.weight",)),
    Scheme("torchvision's VGGs", ("features.0.weight",), {}),
)  # fmt: skip
UNKNOWN = Scheme("", (), {})
HEADS = ("fc", "classifier.0", "classifier.3", "classifier.6")
"""Our paths of classifiers, which may stand beside a prefix: backbone.conv1, but fc."""
