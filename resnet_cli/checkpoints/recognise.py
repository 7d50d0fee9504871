"""Which network a file's tensors are: the spec, how sure that is, and every tensor that differs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from math import prod
from typing import NamedTuple

from resnet_cli.architecture import zoo
from resnet_cli.architecture.layers import Shape
from resnet_cli.architecture.resnet import ResNet
from resnet_cli.checkpoints.differences import Difference, between, in_words, sure_of
from resnet_cli.checkpoints.infer import (
    Shapes,
    infer,
    is_folded,
    listed,
    number_of_classes,
)
from resnet_cli.checkpoints.naming import Naming, to_torchvision
from resnet_cli.checkpoints.read import Tensor
from resnet_cli.checkpoints.schemes import HEADS
from resnet_cli.errors import UserError
from resnet_cli.trace import state_dict, trace

COUNTER = "num_batches_tracked"
"""Torch's counter of batches: absent before 0.4.1 and from frozen norms, and no matter to anyone."""
LEAST_SHARE = 0.5
"""How much of the smaller one, file or network, has to be in the other for it to be the nearest."""
STRIDE_IN_1X1 = ("Caffe", "detectron2", "legacy SENets")
"""The schemes of networks that stride in a bottleneck's first 1×1; the others do so in its 3×3."""


class Recognised(NamedTuple):
    """What is known of a file's network.

    ``spec`` is a listed network where one has these tensors (with the file's classes and input
    channels); ``fits`` are the names of all that do. ``sure`` is "exact" where every tensor is the
    network's, "backbone exact" where the classifier is another or missing or the file has more than
    the network, else "nearest".
    ``norm`` is how batch norm is stored: "whole", "no statistics", "folded" or "none"; the
    differences are to the network stored like that, and leave counters of batches out. ``words``
    sum up the differences.
    """

    spec: zoo.Spec
    fits: list[str]
    sure: str
    norm: str
    naming: Naming
    cannot_tell: list[str]
    differences: list[Difference]
    words: list[str]


def recognise(tensors: dict[str, Tensor]) -> Recognised:
    """The residual network or VGG that has these tensors, or is nearest to having them.

    Raises `UserError` (exit 1) for tensors that are not nearly those of any network.
    """
    naming = to_torchvision(tensors)
    if not naming.scheme:
        raise _no_network(tensors)
    shapes = {
        ours: _shape(ours, tensors[theirs].shape)
        for theirs, ours in naming.names.items()
        if not ours.endswith(COUNTER)
    }
    norm = _norm(shapes)
    inferred = infer(shapes)
    spec, fits = _listed(inferred, naming.scheme) if inferred else (None, [])
    sure, differences = "nearest", []
    if spec:
        differences = between(shapes, _stored(spec, norm))
        sure = sure_of(differences)
    if not spec or sure == "nearest":
        spec = _nearest(shapes, norm, spec)
        if spec is None:
            raise _no_network(tensors)
        fits = [other.name for other in listed(spec)]
        differences = between(shapes, _stored(spec, norm))
    return Recognised(
        spec, fits, sure, norm, naming, _cannot_tell(spec, fits, norm, shapes), differences,
        in_words(differences),
    )  # fmt: skip


def _shape(name: str, shape: Shape) -> Shape:
    """A classifier written as a convolution (timm) has the same weights as a linear layer."""
    if len(shape) == 4 and name.removesuffix(".weight") in HEADS:
        return (shape[0], prod(shape[1:]))
    return shape


def _norm(shapes: Shapes) -> str:
    if is_folded(shapes):
        return "folded"
    if any(name.endswith(".running_mean") for name in shapes):
        return "whole"
    return "no statistics" if "bn1.weight" in shapes or "features.1.weight" in shapes else "none"


def _listed(spec: zoo.Spec, scheme: str) -> tuple[zoo.Spec, list[str]]:
    """The likeliest network of the listed ones with the same tensors, and the names of all.

    Of two that differ in the stride's place alone, the likelier is the way of the scheme's library.
    """
    style = "v1" if scheme in STRIDE_IN_1X1 else "v1.5"
    fits = listed(spec)
    if not fits:
        return replace(spec, style=style) if isinstance(spec, ResNet) else spec, []

    def unlikely(other: zoo.Spec) -> tuple[bool, bool]:
        if not isinstance(other, ResNet):
            return (False, False)
        return (other.shortcut == "none", other.style != style)

    likeliest = min(fits, key=unlikely)
    given = {"num_classes": spec.num_classes, "in_channels": spec.in_channels}
    return zoo.changed(likeliest, **given), [other.name for other in fits]


def _stored(spec: zoo.Spec, norm: str) -> Shapes:
    """The network's tensors without counters, and with its batch norm as the file stores it."""
    whole = state_dict(trace(spec.net(), spec.input_shape))
    if norm == "no statistics":
        left_out = {COUNTER, "running_mean", "running_var"}
        return {n: shape for n, shape in whole.items() if n.rpartition(".")[2] not in left_out}
    if norm != "folded":
        return {n: shape for n, shape in whole.items() if not n.endswith(COUNTER)}
    folded: Shapes = {}
    for name, shape in whole.items():
        path, _, tensor = name.rpartition(".")
        if f"{path}.running_mean" in whole:
            continue
        folded[name] = shape
        if tensor == "weight":
            folded[f"{path}.bias"] = shape[:1]
    return folded


def _nearest(shapes: Shapes, norm: str, inferred: zoo.Spec | None) -> zoo.Spec | None:
    """The network with the fewest differences, the inferred one before the listed ones.

    None when they share too little.
    """
    best: tuple[int, float, zoo.Spec | None] = (1 << 62, 0.0, None)
    for spec in ([inferred] if inferred else []) + list(zoo.NETWORKS):
        spec = _with_ends(spec, shapes)
        network = _stored(spec, norm)
        equal = sum(shapes.get(name) == shape for name, shape in network.items())
        different = len(network) + len(shapes) - 2 * equal
        if different < best[0]:
            best = (different, equal / min(len(network), len(shapes)), spec)
    return best[2] if best[1] >= LEAST_SHARE else None


def _with_ends(spec: zoo.Spec, shapes: Shapes) -> zoo.Spec:
    """The network with as many classes and input channels as the file has, where it can."""
    stems = (shapes.get(f"{stem}.weight", ()) for stem in ("conv1", "conv1.0", "features.0"))
    in_channels = next((stem[1] for stem in stems if len(stem) == 4), None)
    with suppress(UserError):
        spec = zoo.changed(spec, num_classes=number_of_classes(shapes), in_channels=in_channels)
    return spec


def _no_network(tensors: dict[str, Tensor]) -> UserError:
    names = ", ".join(repr(name[:60]) for name in list(tensors)[:4])
    return UserError(
        f"no residual network that is known here: its {len(tensors):,} tensors are {names}, ...",
        "residual networks and VGGs are known: resnet-cli list",
        1,
    )


def _cannot_tell(spec: zoo.Spec, fits: list[str], norm: str, shapes: Shapes) -> list[str]:
    """A sentence for everything that the tensors leave open, and what was taken for it."""
    said = []
    if isinstance(spec, ResNet):
        if spec.block == "bottleneck":
            said.append(
                "whether a bottleneck strides in its first 1×1 (v1) or in its 3×3 (v1.5): "
                f"{spec.style} is taken"
            )
        if spec.shortcut in ("A", "none"):
            taken = "option A" if spec.shortcut == "A" else "a plain network"
            said.append(
                "whether there are shortcuts, as those of option A hold no tensors: "
                f"{taken} is taken"
            )
        if norm == "folded":
            said.append(
                "whether the convolutions had biases before batch norm was folded into them"
            )
    if norm == "no statistics":
        said.append("which norm it is, as no running statistics are there: batch norm is taken")
    if number_of_classes(shapes) is None:
        said.append(f"the number of classes: {spec.num_classes} is taken")
    if not fits:
        height, width = spec.input_size
        said.append(f"the input size: {height}×{width} is taken")
    return said
