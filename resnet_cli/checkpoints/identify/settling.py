"""What tensors leave open: which networks that are known here have the same, and what settles which of them it is.

Names that one network alone has settle it, and words in or beside the file. Where nothing does, the usual one
is taken, and the others are named with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from resnet_cli.checkpoints.container.contents import TensorInfo
from resnet_cli.checkpoints.identify.infer import UNLISTED
from resnet_cli.checkpoints.identify.known import OF_THE_DATA, alike, same
from resnet_cli.checkpoints.identify.metadata import Said
from resnet_cli.checkpoints.identify.naming import Naming
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError

NO_OTHER = "no other network that is known here has these tensors"
Values = Mapping[str, Any]

USUAL: tuple[tuple[str, Values, Values], ...] = (
    # names of the tensors ("" for any), what else they are, and what is then usual
    ("Caffe", {"block": "bottleneck"}, {"style": "v1"}),
    ("detectron2", {"block": "bottleneck"}, {"style": "v1"}),
    ("legacy SENets", {"block": "bottleneck", "groups": 1}, {"style": "v1"}),
    ("CIFAR ResNets", {"shortcut": "A"}, {"shortcut": "A-split"}),  # akamaster's
    ("timm's CLIP ResNets", {"head": "pool"}, {"head": "none"}),  # unless there is a classifier
    ("", {"shortcut": "A"}, {"shortcut": "A"}),
    ("", {"block": "bottleneck"}, {"style": "v1.5"}),
)
"""Which value a field has most often where no tensor tells; of the other fields it is the default."""
USUAL_WITHOUT_STATISTICS = {"norm": "group"}
"""A norm that keeps none."""
NAMES: tuple[tuple[str, Values, Values], ...] = (
    # names of the tensors, what else they are, and what every such network has
    ("legacy SENets", {}, {"stem_pool": "ceil"}),
    ("Hugging Face", {}, {"stem_pool": "usual", "antialias": "none"}),
    ("CIFAR ResNets", {}, {"stem_pool": "usual", "antialias": "none"}),
    ("detectron2", {}, {"antialias": "none"}),
    ("Caffe", {}, {"antialias": "none"}),
    ("OpenAI's CLIP", {}, {"antialias": "average", "head": "attention"}),
    ("timm's CLIP ResNets", {}, {"antialias": "average"}),
    ("timm's CLIP ResNets", {"head": "attention"}, {"head": "attention-all"}),
)
"""What tensors leave open and their names tell."""
ALONE = ("Wide ResNets", "Wide ResNets of width 1")
"""Names of one network alone, whatever its depth and width."""
SEGMENTATION: Values = {
    "output_stride": 8,
    "style": "v1.5",
    "stem_pool": "usual",
    "antialias": "none",
}
"""What torchvision's FCN and DeepLab have."""


class Readings(NamedTuple):
    """The networks that a file's may be, the taken one first. ``by`` says why it is that one, "" where nothing does."""

    specs: list[zoo.Spec]
    by: str = ""
    problem: str = ""


def readings(
    spec: zoo.Spec, naming: Naming, tensors: Mapping[str, TensorInfo], norm: str, said: Said,
    fits: Callable[[zoo.Spec], bool],
) -> Readings:  # fmt: skip
    """Every network that may be the one whose tensors a file has, of which ``spec`` was told.

    ``fits`` is whether the file's tensors are a network's.
    """
    dilated = _is_segmentation(naming, tensors)
    bound = {
        **_of_the_names(spec, naming.scheme),
        **(SEGMENTATION if dilated else {}),
        **said.fields,
    }
    usual = _usual(spec, naming.scheme, norm)
    listed = [other for other in alike(spec) if fits(other)]
    known = listed or _of_own(spec, usual)
    specs = _bound(known, bound)
    if not specs:
        return Readings(known, problem="what is said of its network cannot be described here")
    if len(spec.stages) == 4 and getattr(spec, "stem", "") == "3x3" and "stem_pool" not in bound:
        specs += _changed(specs, {"stem_pool": "max"})  # torchvision's, with another first layer
    hint = said.hint
    called = [other for other in specs if hint and same(other, hint)]
    specs.sort(
        key=lambda other: (
            other not in called,
            "norm" in usual and getattr(other, "norm", "batch") != usual["norm"],
            _unusual(other, usual),
        )
    )
    problem = said.problem
    if said.spec:
        named = [other for other in specs if same(other, said.spec)]
        if named:
            return Readings(named, f"{said.by} says so")
        problem = f"{said.by} names {said.spec.name}, whose tensors these are not"
    if len(specs) > 1:
        return Readings(specs, problem=problem)
    return Readings(specs, _settled_by(listed, specs, naming, dilated, said), problem)


def _settled_by(
    listed: list[zoo.Spec], specs: list[zoo.Spec], naming: Naming, dilated: bool, said: Said
) -> str:
    """What settles the one network that there is."""
    if said.fields:
        return f"{said.by} says so"
    if dilated:
        return "torchvision's segmentation networks alone have such a head"
    if naming.scheme in ALONE:
        return "Wide ResNets alone have such names"
    if specs[0] in listed and len(listed) > 1:
        return f"no other network has these tensors by these names ({naming.scheme})"
    if specs[0] in listed:
        return NO_OTHER
    return ""


def _of_own(spec: zoo.Spec, usual: Values) -> list[zoo.Spec]:
    """A network that nobody listed, as it would usually be; a bottleneck's stride may be in either place."""
    taken = _with(spec, {key: value for key, value in usual.items() if key != "norm"}) or spec
    if getattr(spec, "block", "") != "bottleneck":
        return [taken]
    return [taken, *_changed([taken], {"style": "v1" if usual.get("style") == "v1.5" else "v1.5"})]


def _bound(specs: list[zoo.Spec], bound: Values) -> list[zoo.Spec]:
    """Those that have these values; where none has them, all of them changed so, as far as that can be described."""
    made = [(spec, _with(spec, bound)) for spec in specs]
    kept = [spec for spec, other in made if other is spec]
    return kept or _each_once(other for _, other in made if other is not None)


def _changed(specs: Iterable[zoo.Spec], values: Values) -> list[zoo.Spec]:
    """Those that compute something else with these values, with them, each once."""
    made = ((spec, _with(spec, values)) for spec in specs)
    return _each_once(other for spec, other in made if other is not None and other is not spec)


def _with(spec: zoo.Spec, values: Values) -> zoo.Spec | None:
    """The network with these values for the fields that it has, itself where it computes the same; None where there is none."""
    known = {key: value for key, value in values.items() if key in spec.__dataclass_fields__}
    try:
        other = zoo.changed(spec, **known, name=UNLISTED, family="own")
    except UserError:
        return None
    return spec if same(spec, other) else other


def _each_once(specs: Iterable[zoo.Spec]) -> list[zoo.Spec]:
    found: list[zoo.Spec] = []
    for spec in specs:
        if not any(same(spec, before) for before in found):
            found.append(spec)
    return found


def _usual(spec: zoo.Spec, scheme: str, norm: str) -> dict[str, Any]:
    usual: dict[str, Any] = USUAL_WITHOUT_STATISTICS if norm == "no statistics" else {}
    for names, of, values in USUAL:
        if names in ("", scheme) and _is(spec, of):
            usual = {**values, **usual}
    return usual


def _of_the_names(spec: zoo.Spec, scheme: str) -> dict[str, Any]:
    bound: dict[str, Any] = {}
    for names, of, values in NAMES:
        if names == scheme and _is(spec, of):
            bound |= values
    return bound


def _is(spec: zoo.Spec, values: Values) -> bool:
    return all(getattr(spec, key, None) == value for key, value in values.items())


def _unusual(spec: zoo.Spec, usual: Values) -> int:
    """How many of the fields that tensors leave open have another value than usual."""
    return sum(
        getattr(spec, key) != usual.get(key, field.default)
        for key, field in spec.__dataclass_fields__.items()
        if key in usual or (field.metadata.get("in_tensors") is False and key not in OF_THE_DATA)
    )


def _is_segmentation(naming: Naming, tensors: Mapping[str, TensorInfo]) -> bool:
    """Whether beside a backbone there is the last convolution of torchvision's FCN or DeepLab."""
    outer, backbone, rest = naming.prefix.rpartition("backbone.")
    head = tensors.get(f"{outer}classifier.4.weight")
    return bool(backbone) and not rest and head is not None and len(head.shape) == 4
