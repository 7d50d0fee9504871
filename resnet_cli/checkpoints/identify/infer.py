"""From the shapes of tensors to a spec: depth, widths, stem, shortcuts and the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import count, pairwise, takewhile
from math import isqrt

from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.iresnet import IResNet
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Shape

Shapes = dict[str, Shape]
UNLISTED = "unlisted"
BLOCK = re.compile(r"(?:layer|trunk_output\.block)([0-9]{1,6})\.([0-9]{1,6})\.")
CONVNEXT_BLOCK = re.compile(r"features\.([1357])\.([0-9]{1,6})\.block\.0\.")
FIRST = ("conv1", "conv1.conv", "conv1.paths.0.conv")
"""The paths of a block's first convolution."""
MOST_TRIED = 1000
SELECTED = re.compile(r"layer1\.0\.conv[12]\.paths\.[0-9]{1,3}\.conv\.weight")
CONVOLUTION = re.compile(r"features\.([0-9]{1,6})\.weight")


def infer(shapes: Shapes) -> zoo.Spec | None:
    """The network whose tensors have these names and shapes; None when there can be none.

    Only the tensors that tell something are looked at, so the network's other ones may differ.
    """
    try:
        if "features.0.weight" in shapes:
            return _vgg(shapes)
        if "features.1.0.block.0.weight" in shapes:
            return _convnext(shapes)
        if "layer1.0.prelu.weight" in shapes:
            return _iresnet(shapes)
        return (
            _regnet(shapes) if "trunk_output.block1.0.f.a.0.weight" in shapes else _resnet(shapes)
        )
    except (KeyError, ValueError, IndexError, ZeroDivisionError, UserError):
        return None  # a tensor that is missing, of another rank, empty, or over the limits


def number_of_classes(shapes: Shapes) -> int | None:
    """The outputs of the classifier, None where there is none."""
    for name in (
        "fc.weight",
        "attnpool.c_proj_weight",
        *(f"classifier.{at}.weight" for at in (6, 4, 2)),
    ):
        if len(shapes.get(name, ())) == 2:
            return shapes[name][0]
    return None


def blocks(names: Iterable[str]) -> tuple[int, ...]:
    """The number of blocks in each stage, up to the first stage that has none."""
    names = [*names]
    pairs = {match.groups() for name in names if (match := BLOCK.match(name))}
    lengths = Counter(int(stage) for stage, _ in pairs)
    lengths.update((int(stage) + 1) // 2 for stage, _ in _of_convnext(names))
    return tuple(lengths[stage] for stage in takewhile(lengths.__contains__, count(1)))


def _of_convnext(names: Iterable[str]) -> set[tuple[str, ...]]:
    return {match.groups() for name in names if (match := CONVNEXT_BLOCK.match(name))}


def is_folded(shapes: Shapes) -> bool:
    """Whether the batch norm of a residual network was folded into the convolutions' biases."""
    if "stem.0.bias" in shapes:  # a RegNet's
        return "stem.1.weight" not in shapes
    norms = ("bn1.weight", "layer1.0.bn1.weight", "layer1.0.bn2.weight")
    last = ("conv2", "conv3", "conv2.conv", "conv3.conv")
    biased = any(f"layer1.0.{path}.bias" in shapes for path in last)
    return biased and not any(norm in shapes for norm in norms)


def sized_by_tensors(spec: zoo.Spec) -> bool:
    """Whether weights are of an input size: positions of an attention pool, a map that is flattened."""
    return isinstance(spec, IResNet) or getattr(spec, "head", "").startswith("attention")


def _resnet(shapes: Shapes) -> ResNet:
    stages = blocks(shapes)
    stem, stem_width, in_channels = _stem(shapes)
    bottleneck = any(
        f"layer{stage}.0.conv3.{path}" in shapes
        for stage in (1, 2, 3, 4)
        for path in ("weight", "conv.weight")
    )
    last = f"conv{3 if bottleneck else 2}"
    outs = [
        (shapes.get(f"{path}.weight") or shapes[f"{path}.conv.weight"])[0]
        for path in (f"layer{stage}.0.{last}" for stage in range(1, len(stages) + 1))
    ]
    out = outs[0]
    folded = is_folded(shapes)
    fields: dict[str, object] = _shortcut(shapes, stages, changes=stem_width != out)
    width = out // 4 if bottleneck else out
    fields |= _of_parts(shapes, len(stages), stem_width, width)
    preact = "body" not in fields and _is_preact(shapes)
    if bottleneck and "body" not in fields:
        middle, per_group, _, _ = shapes["layer1.0.conv2.weight"]
        narrow, *_ = shapes["layer1.0.conv1.weight"]
        groups = fields["groups"] = narrow // per_group
        fields["reduce_first"] = middle // narrow
        fields["base_width"] = middle // groups * 64 // width
    if outs != [out * 2**at for at in range(len(outs))]:
        fields["widths"] = tuple(each // 4 if bottleneck else each for each in outs)
    if "layer1.0.se.fc1.weight" in shapes:
        squeezed, channels, *_ = shapes[f"layer{len(stages)}.0.se.fc1.weight"]
        least = shapes["layer1.0.se.fc1.weight"][0]
        reduction = channels // squeezed
        fields["se_reduction"] = reduction
        fields["se_multiple"] = 1 if out // reduction == least else least
    if "layer1.0.se.conv.weight" in shapes:
        fields["eca"] = True
    if "maxpool.0.weight" in shapes:
        fields["stem_pool"] = "conv"
    if folded:
        fields["projection_norm"] = True
    return ResNet(
        UNLISTED, "own", "bottleneck" if bottleneck else "basic", stages,
        stem=stem, stem_width=stem_width, width=width, preact=preact,
        preact_stem="bn1.weight" in shapes or not preact,
        **_of_preact(shapes, preact, end=f"layer1.0.{last}.bias"),  # type: ignore[arg-type]
        conv_bias=not folded and any(f"layer1.0.{path}.bias" in shapes for path in FIRST),
        num_classes=number_of_classes(shapes) or 1000, in_channels=in_channels,
        **{"input_size": (32, 32) if stem == "3x3" else (224, 224), **_head(shapes), **fields},  # type: ignore[arg-type]
    )  # fmt: skip


def _head(shapes: Shapes) -> dict[str, object]:
    """The kind of head, and the input size that an attention pool's positions are for: 32 pixels a place."""
    if "attnpool.positional_embedding" in shapes:
        size = _sides(shapes["attnpool.positional_embedding"][0] - 1, 32)
        return {"head": "attention", "input_size": size}
    return {"head": "mlp"} if "neck.fc.weight" in shapes else {}


def _of_preact(shapes: Shapes, preact: bool, end: str) -> dict[str, object]:
    """Where norms stand twice or not at all, and whether the last convolutions alone have a bias."""
    return {
        "preact_twice": preact and "bn1.weight" in shapes and "layer1.0.bn1.weight" in shapes,
        "last_norm": not preact or "norm.weight" in shapes,
        "end_bias": end in shapes and "layer1.0.conv1.bias" not in shapes,
    }


def _of_parts(shapes: Shapes, stages: int, stem: int, width: int) -> dict[str, object]:
    """The fields of a body whose 3×3 is several side by side; nothing for another.

    Of selective kernels that could take their parts of the channels, or all of them in as many groups,
    the first are meant.
    """
    one = "layer1.0.conv2"
    if f"{one}.0.0.weight" in shapes:
        middle, per_group, _, _ = shapes[f"{one}.0.0.weight"]
        parts, groups = shapes["layer1.0.conv1.weight"][0] // middle, middle // per_group
        fields: dict[str, object] = {"body": "res2net"}
    elif f"{one}.conv.weight" in shapes and f"{one}.fc1.weight" in shapes:
        wide, per_group, _, _ = shapes[f"{one}.conv.weight"]
        middle = shapes["layer1.0.conv1.weight"][0]
        parts = wide // middle
        groups = middle // per_group // parts
        fields = {"body": "resnest", "split_pool": "behind"}
        fields |= _gate(shapes, stages, "conv2.fc1", wide)
    elif paths := [name for name in shapes if SELECTED.fullmatch(name)]:
        kernels = paths[0].split(".")[2]
        middle, per_group, _, _ = shapes[paths[0]]
        inputs = shapes["layer1.0.conv1.conv.weight"][0] if kernels == "conv2" else stem
        parts = len(paths)
        groups = inputs // per_group
        split = groups == parts or middle * 64 % (groups * width) > 0
        groups //= parts if split else 1
        fields = {"body": "sk", "split_input": split}
        fields |= _gate(shapes, stages, f"{kernels}.attn.fc_reduce", middle)
    else:
        return {}
    base = middle // groups * 64 // width
    return fields | {"splits": parts, "groups": groups, "base_width": base}


def _gate(shapes: Shapes, stages: int, path: str, wide: int) -> dict[str, object]:
    """By how much a selection's gate reduces, and its least channels, of ``wide`` in the first stage."""
    gates = [shapes[f"layer{stage}.0.{path}.weight"][0] for stage in range(1, stages + 1)]
    least, last, widest = gates[0], gates[-1], wide << stages - 1
    most = widest // last
    for reduction in (*range(most, max(widest // (last + 1), most - MOST_TRIED), -1), most + 1):
        if gates == [max((wide << at) // reduction, least) for at in range(stages)]:
            free = wide // reduction == least  # it may be less
            return {"split_reduction": reduction, "split_least": min(least, 32) if free else least}
    raise ValueError("no reduction leaves as many channels")


def _is_preact(shapes: Shapes) -> bool:
    """Whether norms stand before the convolutions: as wide as what goes in, and one at the end."""
    after, before = shapes["layer2.0.conv1.weight"][:2]
    return "norm.weight" in shapes or shapes.get("layer2.0.bn1.weight") == (before,) != (after,)


def _stem(shapes: Shapes) -> tuple[str, int, int]:
    """The kind of stem, its channels, and the input's."""
    if "conv1.0.weight" in shapes:
        first, in_channels, *_ = shapes["conv1.0.weight"]
        kind = "deep" if first == shapes["conv1.3.weight"][0] else "tiered"
        return kind, shapes["conv1.6.weight"][0], in_channels
    width, in_channels, kernel, _ = shapes["conv1.weight"]
    return "7x7" if kernel == 7 else "3x3", width, in_channels


def _shortcut(shapes: Shapes, stages: tuple[int, ...], changes: bool) -> dict[str, object]:
    """Shortcut, norm and pool of the projections; ``changes`` for the first block's channels.

    Without any projection it is option A: a plain network has no other tensors.
    """
    sides = [
        f"layer{stage}.{block}.downsample"
        for stage in range(1, len(stages) + 1)
        for block in (0, 1)
    ]
    # behind a pool the convolution is the second of three
    kinds = [
        (at, i) for at in sides for i in (0, 1) if len(shapes.get(f"{at}.{i}.weight", ())) == 4
    ]
    if not kinds:
        return {"shortcut": "A"}
    at, index = kinds[0]
    projected = {at for at, _ in kinds}
    where_nothing_changes = {at for at in sides if at.endswith(".1.downsample")}
    if not changes:
        where_nothing_changes.add("layer1.0.downsample")
    strided = shapes.get(f"layer2.0.downsample.{index}.weight", shapes[f"{at}.{index}.weight"])
    return {
        "shortcut": "C" if projected & where_nothing_changes else "B",
        "projection_kernel": strided[2],
        "projection_norm": f"{at}.{index + 1}.weight" in shapes,
        "projection_pool": index == 1,
    }


def _regnet(shapes: Shapes) -> RegNet:
    stages = blocks(shapes)
    firsts = [f"trunk_output.block{stage}.0.f" for stage in range(1, len(stages) + 1)]
    widths = tuple(shapes[f"{first}.a.0.weight"][0] for first in firsts)
    stem_width, in_channels, _, _ = shapes["stem.0.weight"]
    channels, widest = max(zip((stem_width, *widths), firsts, strict=False))
    squeezed = shapes.get(f"{widest}.se.fc1.weight")
    preact = "trunk_output.block1.0.norm.weight" in shapes
    behind_pool = shapes.get("trunk_output.block1.0.proj.1.weight", ())  # else it is a norm's
    return RegNet(
        UNLISTED, "own", stages, widths,
        group_width=max(shapes[f"{first}.b.{2 * preact}.weight"][1] for first in firsts),
        se_reduction=round(channels / squeezed[0]) if squeezed else 0,
        stem_width=stem_width, preact=preact, projection_pool=len(behind_pool) == 4,
        num_classes=number_of_classes(shapes) or 1000, in_channels=in_channels,
    )  # fmt: skip


def _convnext(shapes: Shapes) -> ConvNeXt:
    stages = blocks(shapes)
    blocks_of = "features.{}.0.block.{}.weight"
    depthwise = [shapes[blocks_of.format(2 * at + 1, 0)] for at in range(len(stages))]
    stem_width, in_channels, stem_kernel, _ = shapes["features.0.0.weight"]
    return ConvNeXt(
        UNLISTED, "own", stages, tuple(shape[0] for shape in depthwise),
        layer_scale="features.1.0.layer_scale.weight" in shapes,
        response_norm=blocks_of.format(1, 6) in shapes,
        conv_mlp=len(shapes[blocks_of.format(1, 3)]) == 4,
        kernel=depthwise[0][2],
        overlap_width=stem_width if stem_kernel == 3 else 0,
        head_norm_first="norm.weight" in shapes,
        head_width=shapes["classifier.2.weight"][0] if "classifier.4.weight" in shapes else 0,
        num_classes=number_of_classes(shapes) or 1000, in_channels=in_channels,
    )  # fmt: skip


def _iresnet(shapes: Shapes) -> IResNet:
    stages = blocks(shapes)
    width, in_channels, _, _ = shapes["conv1.weight"]
    size = (112, 112)
    if "fc.weight" in shapes:  # of every place of the last map
        size = _sides(shapes["fc.weight"][1] // (width * 2 ** (len(stages) - 1)), 16)
    return IResNet(
        UNLISTED, "own", stages, width, number_of_classes(shapes) or 512, in_channels, size
    )


def _sides(places: int, stride: int) -> tuple[int, int]:
    """The input's sides of which a map has so many places, the square where there is one."""
    side = isqrt(places)
    height, width = (side, side) if side**2 == places else (1, places)
    return (stride * height, stride * width)


def _vgg(shapes: Shapes) -> VGG:
    indices = sorted(
        int(m[1])
        for name, shape in shapes.items()
        if len(shape) == 4 and (m := CONVOLUTION.fullmatch(name))
    )
    batch_norm = "features.1.weight" in shapes
    usual = 3 if batch_norm else 2  # from a convolution to the next, unless a pooling is between
    stages = [1]
    for before, after in pairwise(indices):
        if after - before == usual:
            stages[-1] += 1
        else:
            stages.append(1)
    width, in_channels, _, _ = shapes["features.0.weight"]
    return VGG(
        UNLISTED, "own", tuple(stages), batch_norm, width,
        number_of_classes(shapes) or 1000, in_channels,
    )  # fmt: skip
