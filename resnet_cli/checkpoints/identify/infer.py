"""From the shapes of tensors to a spec: depth, widths, stem, shortcuts and the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import count, pairwise, takewhile

from resnet_cli.designs import zoo
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Shape

Shapes = dict[str, Shape]
UNLISTED = "unlisted"
BLOCK = re.compile(r"(?:layer|trunk_output\.block)([0-9]{1,6})\.([0-9]{1,6})\.")
CONVOLUTION = re.compile(r"features\.([0-9]{1,6})\.weight")


def infer(shapes: Shapes) -> zoo.Spec | None:
    """The network whose tensors have these names and shapes; None when there can be none.

    Only the tensors that tell something are looked at, so the network's other ones may differ.
    """
    try:
        if "features.0.weight" in shapes:
            return _vgg(shapes)
        return (
            _regnet(shapes) if "trunk_output.block1.0.f.a.0.weight" in shapes else _resnet(shapes)
        )
    except (KeyError, ValueError, IndexError, ZeroDivisionError, UserError):
        return None  # a tensor that is missing, of another rank, empty, or over the limits


def number_of_classes(shapes: Shapes) -> int | None:
    """The outputs of the classifier, None where there is none."""
    for name in ("fc.weight", "classifier.6.weight"):
        if len(shapes.get(name, ())) == 2:
            return shapes[name][0]
    return None


def blocks(names: Iterable[str]) -> tuple[int, ...]:
    """The number of blocks in each stage, up to the first stage that has none."""
    pairs = {match.groups() for name in names if (match := BLOCK.match(name))}
    lengths = Counter(int(stage) for stage, _ in pairs)
    return tuple(lengths[stage] for stage in takewhile(lengths.__contains__, count(1)))


def is_folded(shapes: Shapes) -> bool:
    """Whether the batch norm of a residual network was folded into the convolutions' biases."""
    if "stem.0.bias" in shapes:  # a RegNet's
        return "stem.1.weight" not in shapes
    norms = ("bn1.weight", "layer1.0.bn1.weight", "layer1.0.bn2.weight")
    return "layer1.0.conv2.bias" in shapes and not any(norm in shapes for norm in norms)


def listed(spec: zoo.Spec) -> list[zoo.Spec]:
    """The listed networks with the same tensors, up to input channels and classes.

    Those that a formula names (WRN-D-K, 6n + 2, 9n + 2) count as listed.
    """
    known = {other.name: other for other in (*zoo.NETWORKS, *_by_formula(spec))}
    seen = _traces(spec)
    return [other for other in known.values() if _traces(other) == seen]


def most_alike(spec: zoo.Spec) -> zoo.Spec:
    """The listed network with the fewest fields of another value, of the same block where one is."""
    seen = _traces(spec)

    def unlike(other: zoo.Spec) -> tuple[bool, int]:
        fields = _traces(other)
        return (fields[0] != seen[0], sum(a != b for a, b in zip(fields, seen, strict=True)))

    return min((other for other in zoo.NETWORKS if type(other) is type(spec)), key=unlike)


def _traces(spec: zoo.Spec) -> tuple[object, ...]:
    """What tensors tell of a network but for its two ends, the block (or the stages) first."""
    if not isinstance(spec, ResNet):
        return (type(spec), *(getattr(spec, field) for field in TOLD[type(spec).__name__]))
    projects = spec.shortcut in ("B", "C")
    beside = {"shortcut": projects and spec.shortcut, "projection_norm": projects and spec.projection_norm,
              "projection_pool": projects and spec.projection_pool}  # fmt: skip
    return tuple(beside.get(field, getattr(spec, field)) for field in TOLD["ResNet"])


def _told(kind: type[ResNet | RegNet | VGG]) -> tuple[str, ...]:
    """The fields of which a network's weights tell the value, without input channels and classes."""
    return tuple(
        name
        for name, of in kind.__dataclass_fields__.items()
        if of.metadata.get("in_tensors") and name not in ("in_channels", "num_classes")
    )


TOLD = {kind.__name__: _told(kind) for kind in (ResNet, RegNet, VGG)}


def _by_formula(spec: zoo.Spec) -> Iterator[zoo.Spec]:
    if isinstance(spec, ResNet) and len(spec.stages) == 3 and len(set(spec.stages)) == 1:
        n = spec.stages[0]
        with suppress(UserError):
            yield zoo.find(f"resnet{6 * n + 2 if spec.block == 'basic' else 9 * n + 2}")
        with suppress(UserError):
            yield zoo.find(f"wrn-{6 * n + 4}-{spec.width // 16}")


def _resnet(shapes: Shapes) -> ResNet:
    stages = blocks(shapes)
    stem, stem_width, in_channels = _stem(shapes)
    bottleneck = any(f"layer{stage}.0.conv3.weight" in shapes for stage in (1, 2, 3, 4))
    out = shapes[f"layer1.0.conv{3 if bottleneck else 2}.weight"][0]
    folded = is_folded(shapes)
    fields: dict[str, object] = _shortcut(shapes, stages, changes=stem_width != out)
    width = out
    if bottleneck:
        width = out // 4
        middle, per_group, _, _ = shapes["layer1.0.conv2.weight"]
        fields["groups"] = middle // per_group
        fields["base_width"] = per_group * 64 // width
    if "layer1.0.se.fc1.weight" in shapes:
        squeezed, channels, *_ = shapes[f"layer{len(stages)}.0.se.fc1.weight"]
        least = shapes["layer1.0.se.fc1.weight"][0]
        reduction = channels // squeezed
        fields["se_reduction"] = reduction
        fields["se_multiple"] = 1 if out // reduction == least else least
    if folded:
        fields["projection_norm"] = True
    return ResNet(
        UNLISTED, "own", "bottleneck" if bottleneck else "basic", stages,
        stem=stem, stem_width=stem_width, width=width, preact=_is_preact(shapes),
        preact_stem="bn1.weight" in shapes or not _is_preact(shapes),
        conv_bias="layer1.0.conv1.bias" in shapes and not folded,
        num_classes=number_of_classes(shapes) or 1000, in_channels=in_channels,
        input_size=(32, 32) if stem == "3x3" else (224, 224),
        **fields,  # type: ignore[arg-type]
    )  # fmt: skip


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
    return {
        "shortcut": "C" if projected & where_nothing_changes else "B",
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
    return RegNet(
        UNLISTED, "own", stages, widths,
        group_width=max(shapes[f"{first}.b.0.weight"][1] for first in firsts),
        se_reduction=round(channels / squeezed[0]) if squeezed else 0,
        stem_width=stem_width, num_classes=number_of_classes(shapes) or 1000,
        in_channels=in_channels,
    )  # fmt: skip


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
