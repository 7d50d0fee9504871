"""How libraries name the tensors of residual networks, ConvNeXts and VGGs, one table for each library."""

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
    ``tensors`` are whole names, or what stands behind a path, where that is another word here.
    """

    name: str
    signs: tuple[str, ...]
    paths: dict[str, str]
    shift: dict[str, int] = {}  # noqa: RUF012  (never changed)
    needs: tuple[str, ...] = ()
    tensors: dict[str, str] = {}  # noqa: RUF012  (never changed)

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
LEGACY = {"layer{S}.{B}.se_module.fc{N}": "layer{S}.{B}.se.fc{N}", "last_linear": "fc"}
REGNET = {
    **{f"conv{number}.conv": f"f.{part}.0" for number, part in ((1, "a"), (2, "b"), (3, "c"))},
    **{f"conv{number}.bn": f"f.{part}.1" for number, part in ((1, "a"), (2, "b"), (3, "c"))},
    "se.fc{N}": "f.se.fc{N}",
    "downsample.conv": "proj.0",
    "downsample.bn": "proj.1",
}
CLIP_STEM = {
    "conv1": "conv1.0", "bn1": "conv1.1", "conv2": "conv1.3", "bn2": "conv1.4", "conv3": "conv1.6", "bn3": "bn1",
}  # fmt: skip
ATTENTION = {
    f"attnpool.{part}_proj.{kind}": f"attnpool.{part}_proj_{kind}"
    for part in "kqvc" for kind in ("weight", "bias")
}  # fmt: skip
WIDE = {
    "bn1": "norm",  # the last norm
    "block{S}.layer.{B}.convShortcut": "layer{S}.{B}.downsample.0",
    "block{S}.layer.{B}.conv{N}": "layer{S}.{B}.conv{N}",
}
HUGGING_FACE_REGNET = {
    # behind the gate of a Y block the last convolution is the fourth
    f"{theirs}.{kind}": f"{ours}.{index}"
    for theirs, ours in (
        ("layer.0", "f.a"), ("layer.1", "f.b"), ("layer.2", "f.c"), ("layer.3", "f.c"), ("shortcut", "proj"),
    )
    for index, kind in enumerate(("convolution", "normalization"))
} | {"layer.2.attention.0": "f.se.fc1", "layer.2.attention.2": "f.se.fc2"}  # fmt: skip


def _hugging_face_regnet(prefix: str) -> dict[str, str]:
    """The paths of a RegNet behind a prefix, which stands before all but the classifier."""
    return {
        f"{prefix}embedder.embedder.convolution": "stem.0",
        f"{prefix}embedder.embedder.normalization": "stem.1",
        "classifier.1": "fc",
        **{
            f"{prefix}encoder.stages.{{S}}.layers.{{B}}.{theirs}": f"trunk_output.block{{S}}.{{B}}.{ours}"
            for theirs, ours in HUGGING_FACE_REGNET.items()
        },
    }


def _convnext(stage: str, block: str, halved: str, layers: dict[str, str]) -> dict[str, str]:
    """The paths of a ConvNeXt's stages: their blocks are our features 1, 3, 5 and 7, between them a norm and a 2×2.

    ``block`` and ``halved`` stand behind the ``stage``, in which S is its number from 0.
    """
    paths = {}
    for number in range(4):
        theirs, ours = stage.replace("S", str(number)), f"features.{2 * number + 1}.{{B}}"
        paths[f"{theirs}{block}"] = ours
        paths |= {f"{theirs}{block}.{layer}": f"{ours}.block.{at}" for layer, at in layers.items()}
        paths[f"{halved.replace('S', str(number))}"] = f"features.{2 * number}.{{I}}"
    return paths


TIMM_CONVNEXT = {"stem.{I}": "features.0.{I}", "head.norm": "classifier.0", "norm_pre": "norm"}
TIMM_CONVNEXT_V1 = TIMM_CONVNEXT | _convnext(
    "stages.S", ".blocks.{B}", "stages.S.downsample.{I}",
    {"conv_dw": "0", "norm": "2", "mlp.fc1": "3", "mlp.fc2": "5"},
)  # fmt: skip
TIMM_CONVNEXT_V2 = TIMM_CONVNEXT | _convnext(
    "stages.S", ".blocks.{B}", "stages.S.downsample.{I}",
    {"conv_dw": "0", "norm": "2", "mlp.fc1": "3", "mlp.grn": "5", "mlp.fc2": "6"},
)  # fmt: skip
AUTHORS_CONVNEXT = {"norm": "classifier.0", "head": "classifier.2"}
HUGGING_FACE_CONVNEXT = {
    "embeddings.patch_embeddings": "features.0.0",
    "embeddings.layernorm": "features.0.1",
    "layernorm": "classifier.0",
    "classifier": "classifier.2",
}
AUTHORS_BLOCKS = ("stages.0.0.dwconv.weight", "stages.1.0.dwconv.weight")
HUGGING_FACE_BLOCKS = (
    "encoder.stages.0.layers.0.dwconv.weight", "encoder.stages.1.layers.0.dwconv.weight",
)  # fmt: skip
HUGGING_FACE_STAGES = (
    "encoder.stages.0.layers.0.layer.0.convolution.weight", "encoder.stages.1.layers.0.layer.0.convolution.weight",
)  # fmt: skip
CONVNEXT_BLOCKS = ("stages.0.blocks.0.conv_dw.weight", "stages.1.blocks.0.conv_dw.weight")

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
    Scheme("timm's pre-activation RegNets", ("s1.b1.conv1.weight", "s2.b1.conv1.weight"), {
        "stem": "stem.0",
        "head.fc": "fc",
        **{
            f"s{{S}}.b{{B}}.{theirs}": f"trunk_output.block{{S}}.{{B}}.{ours}"
            for theirs, ours in (
                ("norm1", "norm"), ("conv1", "f.a.0"), ("norm2", "f.b.0"), ("conv2", "f.b.2"),
                ("norm3", "f.c.0"), ("conv3", "f.c.2"), ("se.fc{N}", "f.se.fc{N}"),
                ("downsample", "proj.0"), ("downsample.{I}", "proj.{I}"),
            )
        },
    }, shift={"B": -1}),
    Scheme("Hugging Face's RegNets", (
        "regnet.encoder.stages.0.layers.0.layer.0.convolution.weight",
        "regnet.encoder.stages.1.layers.0.layer.0.convolution.weight",
    ), _hugging_face_regnet("regnet."), shift={"S": 1}),
    Scheme("Hugging Face's RegNets Y alone", HUGGING_FACE_STAGES, _hugging_face_regnet(""), shift={"S": 1},
           needs=("encoder.stages.0.layers.0.layer.2.attention.0.weight",)),
    Scheme("RegNets by number", ("trunk_output.block1.0.f.a.0.weight", "trunk_output.block2.0.f.a.0.weight"), {}),
    Scheme("Hugging Face's BiTs", ("encoder.stages.0.layers.0.conv1.weight", "encoder.stages.1.layers.0.conv1.weight"), {
        "embedder.convolution": "conv1",
        "encoder.stages.{S}.layers.{B}.conv{N}": "layer{S}.{B}.conv{N}",
        "encoder.stages.{S}.layers.{B}.norm{N}": "layer{S}.{B}.bn{N}",
        "encoder.stages.{S}.layers.{B}.downsample.conv": "layer{S}.{B}.downsample.0",
        "classifier.1": "fc",
    }, shift={"S": 1}),
    Scheme("Hugging Face", HUGGING_FACE_STAGES, {
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
    Scheme("Wide ResNets", ("block1.layer.0.conv1.weight", "block2.layer.0.conv1.weight"), WIDE | {
        "block1.layer.0.bn1": "bn1",  # before the shortcut, which projects
        "block{S}.layer.{B}.bn{N}": "layer{S}.{B}.bn{N}",
    }, needs=("block1.layer.0.convShortcut.weight",)),
    Scheme("Wide ResNets of width 1", ("block1.layer.0.conv1.weight", "block2.layer.0.conv1.weight"), WIDE | {
        "block{S}.layer.{B}.bn{N}": "layer{S}.{B}.bn{N}",
    }),
    Scheme("OpenAI's CLIP", ("attnpool.positional_embedding",), {
        **CLIP_STEM,
        "layer{S}.{B}.downsample.{I}": "layer{S}.{B}.downsample.{I}",  # their pool is the −1st
    }, shift={"I": 1}, needs=("conv3.weight",), tensors=ATTENTION),
    Scheme("timm's CLIP ResNets", ("stages.0.0.conv1_1x1.conv.weight", "stages.1.0.conv1_1x1.conv.weight"), {
        **{
            f"stem.conv{number}.{kind}": CLIP_STEM[f"{short}{number}"]
            for number in (1, 2, 3) for kind, short in (("conv", "conv"), ("bn", "bn"))
        },
        **{
            f"stages.{{S}}.{{B}}.conv{number}_{size}.{kind}": f"layer{{S}}.{{B}}.{kind}{number}"
            for number, size in ((1, "1x1"), (2, "kxk"), (3, "1x1")) for kind in ("conv", "bn")
        },
        "stages.{S}.{B}.shortcut.conv.conv": "layer{S}.{B}.downsample.1",
        "stages.{S}.{B}.shortcut.conv.bn": "layer{S}.{B}.downsample.2",
        "head.norm": "neck.norm",
        "head.pre_logits.fc": "neck.fc",
        "head.fc": "fc",
    }, shift={"S": 1}, needs=("stem.conv3.conv.weight",),
        tensors={"head.pos_embed": "attnpool.positional_embedding"} | {
            f"head.{theirs}.{kind}": f"attnpool.{part}_proj_{kind}"
            for theirs, part in (("k", "k"), ("q", "q"), ("v", "v"), ("proj", "c"))
            for kind in ("weight", "bias")
        }),
    Scheme("SENet-154", BLOCKS, LEGACY | {
        "layer0.conv1": "conv1.0",
        "layer0.bn1": "conv1.1",
        "layer0.conv2": "conv1.3",
        "layer0.bn2": "conv1.4",
        "layer0.conv3": "conv1.6",
        "layer0.bn3": "bn1",
    }, needs=("layer0.conv3.weight",)),
    Scheme("legacy SENets", BLOCKS, LEGACY | {
        "layer0.conv1": "conv1",
        "layer0.bn1": "bn1",
    }, needs=("layer0.conv1.weight", "last_linear.weight")),
    Scheme("Res2Nets", BLOCKS, {
        "layer{S}.{B}.convs.{I}": "layer{S}.{B}.conv2.{I}.0",
        "layer{S}.{B}.bns.{I}": "layer{S}.{B}.conv2.{I}.1",
    }, needs=("layer1.0.convs.0.weight",)),
    Scheme("SKNets", ("layer1.0.conv1.conv.weight", "layer1.0.conv1.paths.0.conv.weight"), {}),
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
    Scheme("timm's ConvNeXts V2", CONVNEXT_BLOCKS, TIMM_CONVNEXT_V2 | {"head.fc": "classifier.2"},
           needs=("stages.0.blocks.0.mlp.grn.weight",)),
    Scheme("timm's ConvNeXts with a layer before the classifier", CONVNEXT_BLOCKS, TIMM_CONVNEXT_V1 | {
        "head.pre_logits.fc": "classifier.2",
        "head.fc": "classifier.4",
    }, needs=("head.pre_logits.fc.weight",), tensors={"gamma": "layer_scale.weight"}),
    Scheme("timm's ConvNeXts", CONVNEXT_BLOCKS, TIMM_CONVNEXT_V1 | {"head.fc": "classifier.2"},
           tensors={"gamma": "layer_scale.weight"}),
    Scheme("the authors' ConvNeXts V2", AUTHORS_BLOCKS, AUTHORS_CONVNEXT | _convnext(
        "stages.S", ".{B}", "downsample_layers.S.{I}",
        {"dwconv": "0", "norm": "2", "pwconv1": "3", "grn": "5", "pwconv2": "6"},
    ), needs=("stages.0.0.grn.gamma",), tensors={"gamma": "weight", "beta": "bias"}),
    Scheme("the authors' ConvNeXts", AUTHORS_BLOCKS, AUTHORS_CONVNEXT | _convnext(
        "stages.S", ".{B}", "downsample_layers.S.{I}",
        {"dwconv": "0", "norm": "2", "pwconv1": "3", "pwconv2": "5"},
    ), tensors={"gamma": "layer_scale.weight"}),
    Scheme("Hugging Face's ConvNeXts V2", HUGGING_FACE_BLOCKS, HUGGING_FACE_CONVNEXT | _convnext(
        "encoder.stages.S", ".layers.{B}", "encoder.stages.S.downsampling_layer.{I}",
        {"dwconv": "0", "layernorm": "2", "pwconv1": "3", "grn": "5", "pwconv2": "6"},
    ), needs=("encoder.stages.0.layers.0.grn.weight",)),
    Scheme("Hugging Face's ConvNeXts", HUGGING_FACE_BLOCKS, HUGGING_FACE_CONVNEXT | _convnext(
        "encoder.stages.S", ".layers.{B}", "encoder.stages.S.downsampling_layer.{I}",
        {"dwconv": "0", "layernorm": "2", "pwconv1": "3", "pwconv2": "5"},
    ), tensors={"layer_scale_parameter": "layer_scale.weight"}),
    Scheme("torchvision's ConvNeXts", ("features.1.0.block.0.weight", "features.3.0.block.0.weight"), {},
           tensors={"layer_scale": "layer_scale.weight"}),
    Scheme("timm's VGGs", ("features.0.weight",), {
        "pre_logits.fc1": "classifier.0",
        "pre_logits.fc2": "classifier.3",
        "head.fc": "classifier.6",
    }, needs=("pre_logits.fc1.weight",)),
    Scheme("torchvision's VGGs", ("features.0.weight",), {}),
)  # fmt: skip
UNKNOWN = Scheme("", (), {})
HEADS = (
    "fc", "attnpool", "classifier.0", "classifier.2", "classifier.3", "classifier.4", "classifier.6",
)  # fmt: skip
"""Our paths of classifiers, which may stand beside a prefix: backbone.conv1, but fc."""
