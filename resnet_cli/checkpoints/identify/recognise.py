"""Which network a file's tensors are: the spec, what else it may be, and every tensor that differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice, zip_longest
from math import prod
from typing import NamedTuple

from resnet_cli.checkpoints.container.read import Checkpoint, TensorInfo, read
from resnet_cli.checkpoints.identify.differences import (
    Difference,
    between,
    in_words,
    sure_of,
)
from resnet_cli.checkpoints.identify.infer import (
    UNLISTED,
    Shapes,
    blocks,
    infer,
    is_folded,
    number_of_classes,
    sized_by_tensors,
)
from resnet_cli.checkpoints.identify.known import same, undescribed
from resnet_cli.checkpoints.identify.metadata import Said, said
from resnet_cli.checkpoints.identify.naming import Naming, find_state_dict, to_torchvision
from resnet_cli.checkpoints.identify.schemes import HEADS
from resnet_cli.checkpoints.identify.settling import NO_OTHER, Readings, readings
from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.fields import differences as fields_apart
from resnet_cli.designs.names import typed
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError, printable
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.trace import Row, state_dict, trace

NORMS = ("bn1.weight", "layer1.0.bn1.weight", "stem.1.weight", "features.1.weight")
"""The first norms of networks."""
COUNTER = "num_batches_tracked"
"""Torch's counter of batches: absent before 0.4.1 and from frozen norms, and no matter to anyone."""
LEAST_SHARE = 0.5
"""How much of the smaller one, file or network, has to be in the other for it to be the nearest."""
MOST_OTHERS = 3
"""So many of the networks that a file's could be as well are named in a sentence."""
NOTHING = Said()


class Traced:
    """Networks' rows and tensors, each told once, whatever the network is called."""

    def __init__(self) -> None:
        self._rows: dict[zoo.Spec, list[Row]] = {}
        self._tensors: dict[zoo.Spec, Shapes] = {}

    def rows(self, spec: zoo.Spec) -> list[Row]:
        """Its layers."""
        spec = zoo.changed(spec, name=UNLISTED, family="own")
        if spec not in self._rows:
            self._rows[spec] = trace(spec.net(), spec.input_shape)
        return self._rows[spec]

    def tensors(self, spec: zoo.Spec) -> Shapes:
        """Its state dict."""
        spec = zoo.changed(spec, name=UNLISTED, family="own")
        if spec not in self._tensors:
            self._tensors[spec] = state_dict(self.rows(spec))
        return self._tensors[spec]


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

    def differences(self, spec: zoo.Spec, traced: Traced | None = None) -> list[Difference]:
        """To the network with its batch norm stored as the file stores it."""
        return between(self.shapes, self.stored(spec, traced or Traced()))

    def stored(self, spec: zoo.Spec, traced: Traced) -> Shapes:
        """The network's tensors with its batch norm stored as the file stores it."""
        return stored(traced.tensors(spec), self.norm)


class Candidate(NamedTuple):
    """A network of a file's tensors, as MODEL is typed, with its MACs and what it has otherwise than the taken one.

    ``spec`` is None where nobody has described it.
    """

    network: str
    macs: int
    differs: str
    spec: zoo.Spec | None = None


class Recognised(NamedTuple):
    """What is known of a file's network.

    ``spec`` is a described network where one has these tensors (with the file's classes and input
    channels), and ``rows`` are its layers. ``candidates`` are all that have them, the taken one first; where
    there are several, nothing settles which, unless ``by`` says what does. ``sure`` is "exact" where every tensor is the
    network's, "backbone exact" where the classifier is another or missing or the file has more than
    the network, else "nearest". ``words`` sum up the differences, ``notes`` say what was not believed.
    """

    spec: zoo.Spec
    rows: list[Row]
    candidates: list[Candidate]
    by: str
    sure: str
    cannot_tell: list[str]
    differences: list[Difference]
    words: list[str]
    notes: list[str]

    @property
    def fits(self) -> bool:
        """Whether the tensors are the network's, at least all but its classifier's."""
        return self.sure != "nearest"

    @property
    def settled(self) -> bool:
        """Whether it is known which network it is, and not only which ones it may be."""
        return self.fits and bool(self.by)

    @property
    def network(self) -> str:
        """As MODEL is typed."""
        return self.candidates[0].network

    @property
    def told(self) -> str:
        """In a sentence, which network it is or is taken for, and what else it could be."""
        if not self.fits and self.by:
            return f"does not fit {self.network}"
        if not self.fits:
            return f"none that is known here; the nearest is {self.network}"
        if self.settled:
            return f"{self.network}: {self.by}"
        taken, *others = self.candidates
        if not others:
            return f"taken as {taken.network}; what leaves no tensor could be otherwise"
        could = [
            f"{other.network}, {_more(other.macs - taken.macs)}" for other in others[:MOST_OTHERS]
        ]
        more = len(others) - MOST_OTHERS
        could += [f"{more} more"] if more > 0 else []
        return f"taken as {taken.network}; could also be {'; or '.join(could)}"


def _more(macs: int) -> str:
    return f"by {abs(macs):,} {'more' if macs > 0 else 'fewer'} MACs" if macs else "of as many MACs"


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


def recognise(file: Named, said: Said = NOTHING, given: zoo.Spec | None = None) -> Recognised:
    """The network that has these tensors, or is nearest to having them; ``given`` is the one that somebody says it is.

    Raises `UserError` (exit 1) for tensors that are not nearly those of any network.
    """
    traced = Traced()
    if given is not None:
        spec: zoo.Spec | None = _with_ends(given, file.shapes)
    else:
        spec = infer(file.shapes) if file.naming.scheme else None
    differences = file.differences(spec, traced) if spec else []
    if file.naming.scheme and not given and (not spec or sure_of(differences) == "nearest"):
        spec = _nearest(file, spec)
        differences = file.differences(spec, traced) if spec else []
    if not spec:
        names = ", ".join(printable(name, 60) for name in islice(file.tensors, 4))
        more = ", ..." if len(file.tensors) > 4 else ""
        raise UserError(
            f"no residual network that is known here: tensors {names}{more}, {len(file.tensors):,} in all",
            "its tensors: resnet-cli identify FILE --keys '*'; the networks: resnet-cli list",
            1,
        )
    sure = sure_of(differences)
    if given is not None:
        read = Readings([spec], "as typed behind --as")
    elif sure == "nearest":
        read = Readings([spec])
    else:
        read = _readings(file, spec, said, traced)
    taken, rows = read.specs[0], traced.rows(read.specs[0])
    if getattr(taken, "head", "") == "none":  # and no classifier is missing
        differences = file.differences(taken, traced)
        sure = sure_of(differences)
    others = [] if read.by not in ("", NO_OTHER) else [*_undescribed(read.specs, traced)]
    candidates = [
        Candidate(
            typed(other),
            _sum(traced.rows(other), _macs),
            ", ".join(fields_apart(taken, other)),
            other,
        )
        for other in read.specs
    ]
    if others:
        read = read._replace(by="")
    return Recognised(
        taken, rows, candidates + others, read.by, sure, _cannot_tell(read, file), differences,
        in_words(differences), _notes(read, said),
    )  # fmt: skip


def _notes(read: Readings, said: Said) -> list[str]:
    """What was not believed, and what decided where nothing proves anything."""
    hinted = said.hint and not read.by and len(read.specs) > 1 and same(said.hint, read.specs[0])
    hint = f"the file is called as {typed(read.specs[0])} is: a hint, which proves nothing"
    return [*([read.problem] if read.problem else []), *([hint] if hinted else [])]


def _readings(file: Named, spec: zoo.Spec, said: Said, traced: Traced) -> Readings:
    """What the file's network may be, each with as many classes and input channels as the file has."""
    classes = number_of_classes(file.shapes)
    sized = sized_by_tensors(spec)

    def ended(other: zoo.Spec, classes: int, size: tuple[int, int]) -> zoo.Spec:
        return zoo.changed(
            other, num_classes=classes, in_channels=spec.in_channels, input_size=size
        )

    def fits(other: zoo.Spec) -> bool:
        size = spec.input_size if sized else other.input_size
        return tensors(ended(other, spec.num_classes, size)) == own

    def tensors(of: zoo.Spec) -> Shapes:
        """But for a classifier that the file has not."""
        whole = file.stored(of, traced)
        return {n: s for n, s in whole.items() if classes or n.rpartition(".")[0] not in HEADS}

    own = tensors(spec)
    read = readings(spec, file.naming, file.tensors, file.norm, said, fits)
    usual = read.specs[0]
    ends = classes or usual.num_classes, spec.input_size if sized else usual.input_size
    return read._replace(specs=[ended(other, *ends) for other in read.specs])


def _undescribed(specs: Iterable[zoo.Spec], traced: Traced) -> Iterator[Candidate]:
    """Networks of other libraries that cannot be described here, with as many parameters as one of these."""
    for spec in specs:
        for row in undescribed(spec):
            rows = traced.rows(zoo.find(spec.name))  # of as many classes as the library's
            if row.params == _sum(rows, _parameters):
                macs = _sum(traced.rows(spec), _macs) + row.macs - _sum(rows, _macs)
                yield Candidate(row.model, macs, row.differs)


def _sum(rows: Iterable[Row], count: Callable[[Row], int]) -> int:
    """The count of all rows, made once for a layer that stands in several blocks and reads the same."""
    counts: dict[tuple[object, ...], int] = {}
    total = 0
    for row in rows:
        key = (id(row.layer), row.inputs)
        if key not in counts:
            counts[key] = count(row)
        total += counts[key]
    return total


def _macs(row: Row) -> int:
    return row.macs


def _parameters(row: Row) -> int:
    return sum(map(prod, row.layer.parameters().values()))


def _shape(name: str, shape: Shape) -> Shape:
    """A classifier written as a convolution (timm) has the same weights as a linear layer.

    The factors of a ConvNeXt's channels come as (c, 1, 1) and (1, 1, 1, c) too.
    """
    if len(shape) == 4 and name.removesuffix(".weight") in HEADS:
        return (shape[0], prod(shape[1:]))
    path = name.rpartition(".")[0]
    if path.endswith((".layer_scale", ".block.5")) and max(shape, default=0) == prod(shape):
        return (prod(shape),)
    return shape


def _norm(shapes: Shapes) -> str:
    if is_folded(shapes):
        return "folded"
    if any(name.endswith(".running_mean") for name in shapes):
        return "whole"
    return "no statistics" if any(norm in shapes for norm in NORMS) else "none"


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
    traced = Traced()
    for spec in ([inferred] if inferred else []) + sorted(zoo.NETWORKS, key=least):
        if least(spec) >= fewest:
            continue
        spec = _with_ends(spec, file.shapes)
        network = file.stored(spec, traced)
        equal = sum(file.shapes.get(name) == shape for name, shape in network.items())
        different = len(network.keys() | file.shapes.keys()) - equal
        if different < fewest:
            fewest, best = different, spec
            share = equal / min(len(network), len(file.shapes))
    return best if share >= LEAST_SHARE else None


def _with_ends(spec: zoo.Spec, shapes: Shapes) -> zoo.Spec:
    """The network with as many classes and input channels as the file has, where it can."""
    stems = (
        shapes.get(f"{stem}.weight", ())
        for stem in ("conv1", "conv1.0", "stem.0", "features.0", "features.0.0")
    )
    in_channels = next((stem[1] for stem in stems if len(stem) == 4), None)
    with suppress(UserError):
        spec = zoo.changed(spec, in_channels=in_channels)
    with suppress(UserError):
        spec = zoo.changed(spec, num_classes=number_of_classes(shapes))
    return spec


def _cannot_tell(read: Readings, file: Named) -> list[str]:
    """A clause for everything that the tensors leave open, and what was taken for it."""
    spec, clauses = read.specs[0], []
    if isinstance(spec, ResNet):
        every = [other for other in read.specs if isinstance(other, ResNet)]
        if len({other.style for other in every}) > 1:
            clauses.append(
                "whether a bottleneck strides in its first 1×1 (v1) or in its 3×3 (v1.5): "
                f"{spec.style} is taken"
            )
        if len({other.shortcut for other in every}) > 1:
            taken = "a plain network" if spec.shortcut == "none" else f"option {spec.shortcut}"
            clauses.append(
                "whether there are shortcuts, as those of option A hold no tensors: "
                f"{taken} is taken"
            )
        if read.by in ("", NO_OTHER):
            clauses.append(
                "what leaves no tensor: pools, paddings, dilation, activations, and where a norm stands beside a pool: "
                "those of the network named are taken"
            )
        if file.norm == "folded":
            clauses.append(
                "whether the convolutions had biases before batch norm was folded into them"
            )
    if isinstance(spec, ConvNeXt):
        clauses.append(
            f"the ε of its layer norms, and how its GELU is computed: {spec.norm_eps:g} and the error function are taken"
        )
    if file.norm == "no statistics":
        clauses.append(
            f"which norm it is, as no running statistics are there: {getattr(spec, 'norm', 'batch')} norm is taken"
        )
    if number_of_classes(file.shapes) is None:
        clauses.append(f"the number of classes: {spec.num_classes} is taken")
    if spec.name == UNLISTED:
        height, width = spec.input_size
        clauses.append(f"the input size: {height}×{width} is taken")
    return clauses


class File(NamedTuple):
    """A weight file: how it is stored, its tensors by our names, and what is said of its network in words."""

    checkpoint: Checkpoint
    named: Named
    said: Said

    def recognised(self, given: zoo.Spec | None = None) -> Recognised:
        """As `recognise`."""
        return recognise(self.named, self.said, given)


def of_file(path: str) -> File:
    """What a weight file holds. Raises `UserError` (exit 1) for one that cannot be read or holds no tensors by name."""
    checkpoint = read(path)
    content = named(checkpoint.content)
    return File(checkpoint, content, said(path, checkpoint.content, content.naming.scheme))
