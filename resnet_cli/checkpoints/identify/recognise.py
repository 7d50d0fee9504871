"""Which network a file's tensors are: the spec, how sure that is, and every tensor that differs."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice, zip_longest
from math import prod
from typing import NamedTuple

from resnet_cli.checkpoints.container.read import TensorInfo
from resnet_cli.checkpoints.identify.differences import (
    Difference,
    between,
    in_words,
    sure_of,
)
from resnet_cli.checkpoints.identify.infer import (
    Shapes,
    blocks,
    infer,
    is_folded,
    listed,
    number_of_classes,
)
from resnet_cli.checkpoints.identify.naming import Naming, find_state_dict, to_torchvision
from resnet_cli.checkpoints.identify.schemes import HEADS
from resnet_cli.designs import zoo
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError, printable
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.trace import state_dict, trace

NORMS = ("bn1.weight", "layer1.0.bn1.weight", "stem.1.weight", "features.1.weight")
"""The first norms of networks."""
COUNTER = "num_batches_tracked"
"""Torch's counter of batches: absent before 0.4.1 and from frozen norms, and no matter to anyone."""
LEAST_SHARE = 0.5
"""How much of the smaller one, file or network, has to be in the other for it to be the nearest."""
STRIDE_IN_1X1 = ("Caffe", "detectron2", "legacy SENets")
"""The schemes of networks that stride in a bottleneck's first 1×1; the others do so in its 3×3."""


class Named(NamedTuple):
    """A file's tensors, and their shapes by our names, without counters of batches.

    ``wrapper`` is where they stand in the file, as in "model.state_dict". ``norm`` is how batch norm
    is stored: "whole", "no statistics", "folded" (into the convolutions) or "none".
    """

    wrapper: str
    tensors: dict[str, TensorInfo]
    naming: Naming
    shapes: Shapes
    norm: str

    def differences(self, spec: zoo.Spec) -> list[Difference]:
        """To the network with its batch norm stored as the file stores it."""
        return between(self.shapes, _stored(spec, self.norm))


class Recognised(NamedTuple):
    """What is known of a file's network.

    ``spec`` is a listed network where one has these tensors (with the file's classes and input
    channels); ``fits`` are the names of all that do. ``sure`` is "exact" where every tensor is the
    network's, "backbone exact" where the classifier is another or missing or the file has more than
    the network, else "nearest". ``words`` sum up the differences.
    """

    spec: zoo.Spec
    fits: list[str]
    sure: str
    cannot_tell: list[str]
    differences: list[Difference]
    words: list[str]


def named(content: object) -> Named:
    """The tensors of what `read` found in a file, by our names as far as they have any.

    Raises `UserError` (exit 1) when there are none.
    """
    wrapper, tensors = find_state_dict(content, TensorInfo)
    naming = to_torchvision(tensors)
    shapes = {
        ours: _shape(ours, tensors[theirs].shape)
        for theirs, ours in naming.names.items()
        if not ours.endswith(COUNTER)
    }
    return Named(wrapper, tensors, naming, shapes, _norm(shapes))


def recognise(file: Named) -> Recognised:
    """The residual network or VGG that has these tensors, or is nearest to having them.

    Raises `UserError` (exit 1) for tensors that are not nearly those of any network.
    """
    spec = infer(file.shapes) if file.naming.scheme else None
    differences = file.differences(spec) if spec else []
    if file.naming.scheme and (not spec or sure_of(differences) == "nearest"):
        spec = _nearest(file, spec)
        differences = file.differences(spec) if spec else []
    if not spec:
        names = ", ".join(printable(name, 60) for name in islice(file.tensors, 4))
        more = ", ..." if len(file.tensors) > 4 else ""
        raise UserError(
            f"no residual network that is known here: tensors {names}{more}, {len(file.tensors):,} in all",
            "its tensors: resnet-cli identify FILE --keys '*'; the networks: resnet-cli list",
            1,
        )
    spec, fits = _listed(spec, file.naming.scheme)
    return Recognised(
        spec, fits, sure_of(differences), _cannot_tell(spec, fits, file), differences,
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
    return "no statistics" if any(norm in shapes for norm in NORMS) else "none"


def _listed(spec: zoo.Spec, scheme: str) -> tuple[zoo.Spec, list[str]]:
    """The likeliest network of the listed ones with the same tensors, and the names of all.

    Of two that differ in the stride's place alone, the likelier is the way of the scheme's library.
    """
    style = "v1" if scheme in STRIDE_IN_1X1 else "v1.5"

    def unlikely(other: zoo.Spec) -> tuple[bool, bool]:
        if not isinstance(other, ResNet):
            return (False, False)
        return (other.shortcut == "none", other.style != style)

    fits = listed(spec)
    if fits:
        ends = {"num_classes": spec.num_classes, "in_channels": spec.in_channels}
        spec = zoo.changed(min(fits, key=unlikely), **ends)
    elif isinstance(spec, ResNet) and spec.block == "bottleneck":  # no other block has a choice
        spec = zoo.changed(spec, style=style)
    return spec, [other.name for other in fits]


def _stored(spec: zoo.Spec, norm: str) -> Shapes:
    return stored(state_dict(trace(spec.net(), spec.input_shape)), norm)


def stored(whole: Shapes, norm: str) -> Shapes:
    """A network's tensors without counters, and with its batch norm as a file stores it."""
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


def _nearest(file: Named, inferred: zoo.Spec | None) -> zoo.Spec | None:
    """The network with the fewest differences, the inferred one before the listed ones.

    None when they share too little. Every block that only one of the two has is a difference at
    least: a network of too many or too few is not looked at.
    """
    stages = blocks(file.shapes)

    def least(spec: zoo.Spec) -> int:
        lengths = () if isinstance(spec, VGG) else spec.stages
        return sum(abs(a - b) for a, b in zip_longest(lengths, stages, fillvalue=0))

    fewest, share, best = 1 << 62, 0.0, None
    for spec in ([inferred] if inferred else []) + sorted(zoo.NETWORKS, key=least):
        if least(spec) >= fewest:
            continue
        spec = _with_ends(spec, file.shapes)
        network = _stored(spec, file.norm)
        equal = sum(file.shapes.get(name) == shape for name, shape in network.items())
        different = len(network.keys() | file.shapes.keys()) - equal
        if different < fewest:
            fewest, best = different, spec
            share = equal / min(len(network), len(file.shapes))
    return best if share >= LEAST_SHARE else None


def _with_ends(spec: zoo.Spec, shapes: Shapes) -> zoo.Spec:
    """The network with as many classes and input channels as the file has, where it can."""
    stems = (
        shapes.get(f"{stem}.weight", ()) for stem in ("conv1", "conv1.0", "stem.0", "features.0")
    )
    in_channels = next((stem[1] for stem in stems if len(stem) == 4), None)
    with suppress(UserError):
        spec = zoo.changed(spec, in_channels=in_channels)
    with suppress(UserError):
        spec = zoo.changed(spec, num_classes=number_of_classes(shapes))
    return spec


def _cannot_tell(spec: zoo.Spec, fits: list[str], file: Named) -> list[str]:
    """A clause for everything that the tensors leave open, and what was taken for it."""
    clauses = []
    if isinstance(spec, ResNet):
        if spec.block == "bottleneck":
            clauses.append(
                "whether a bottleneck strides in its first 1×1 (v1) or in its 3×3 (v1.5): "
                f"{spec.style} is taken"
            )
        if spec.shortcut in ("A", "A-split", "none"):
            taken = "a plain network" if spec.shortcut == "none" else f"option {spec.shortcut}"
            clauses.append(
                "whether there are shortcuts, as those of option A hold no tensors: "
                f"{taken} is taken"
            )
        clauses.append(
            "what leaves no tensor: pools, paddings, dilation, activations, and where a norm stands beside a pool: "
            "those of the network named are taken"
        )
        if file.norm == "folded":
            clauses.append(
                "whether the convolutions had biases before batch norm was folded into them"
            )
    if file.norm == "no statistics":
        clauses.append("which norm it is, as no running statistics are there: batch norm is taken")
    if number_of_classes(file.shapes) is None:
        clauses.append(f"the number of classes: {spec.num_classes} is taken")
    if not fits:
        height, width = spec.input_size
        clauses.append(f"the input size: {height}×{width} is taken")
    return clauses
