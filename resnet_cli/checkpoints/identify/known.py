"""Networks that are known here, beside one that tensors told: those alike in all that tensors tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any

from resnet_cli.designs import names, zoo
from resnet_cli.designs.fields import numbers
from resnet_cli.designs.resnet import ResNet
from resnet_cli.errors import UserError
from resnet_cli.layers.tree import Sequence
from resnet_cli.published.names import LibraryName
from resnet_cli.published.names import names as library_names

OF_THE_DATA = ("in_channels", "num_classes", "input_size")
"""The fields that do not tell one architecture from another."""
SEEN_LATER = ("se_multiple", "norm")
"""Fields of which some values are the same tensors; the tensors themselves are compared behind."""

FAMILIES = ("plain", "resnet", "preact-resnet")
"""What a depth of 6n + 2 or 9n + 2 may stand behind."""


def alike(spec: zoo.Spec) -> list[zoo.Spec]:
    """The described networks with the same value of every field that tensors tell, each once.

    Those of the list come first, then those of a formula (WRN-D-K, 6n + 2, 9n + 2), then other libraries'.
    """
    seen = told(spec)
    found: list[zoo.Spec] = []
    listed = (other for other in zoo.NETWORKS if other.stages == spec.stages)
    for other in (*listed, *_by_formula(spec), *_of_libraries(spec)):
        if told(other) == seen and not any(same(other, before) for before in found):
            found.append(other)
    return found


def undescribed(nearest: zoo.Spec) -> Iterator[LibraryName]:
    """Libraries' networks that cannot be described here, and of which this one is the nearest."""
    return (row for row in library_names() if row.differs and row.network == nearest.name)


def same(one: zoo.Spec, other: zoo.Spec) -> bool:
    """Whether two networks compute the same, up to the numbers of classes and of input channels."""
    if type(one) is not type(other):
        return False
    apart = [key for key in told_apart(type(one)) if getattr(one, key) != getattr(other, key)]  # type: ignore[arg-type]
    if not apart:
        return True
    return _tree(one) == _tree(other)


@lru_cache(64)
def _tree(spec: zoo.Spec) -> Sequence:
    """Its layers, with a classifier for as many classes as all others here."""
    return zoo.changed(spec, in_channels=3, num_classes=1000).net()


def most_alike(spec: zoo.Spec) -> zoo.Spec:
    """The listed network with the fewest fields of another value, of the same block where one is."""
    seen = told(spec)

    def unlike(other: zoo.Spec) -> tuple[bool, bool, int]:
        fields = told(other)
        plain = getattr(spec, "shortcut", "") == "none", getattr(other, "shortcut", "") == "none"
        return (
            fields.get("block") != seen.get("block"),
            plain[0] != plain[1],
            sum(fields[key] != value for key, value in seen.items()),
        )

    return min((other for other in zoo.NETWORKS if type(other) is type(spec)), key=unlike)


def told(spec: zoo.Spec) -> dict[str, object]:
    """What tensors tell of a network but for its two ends."""
    values: dict[str, object] = {key: getattr(spec, key) for key in _in_tensors(type(spec))}  # type: ignore[arg-type]
    if isinstance(spec, ResNet):
        head = "pool" if spec.head == "none" else spec.head.partition("-")[0]
        values |= {"head": head, "stem_pool": spec.stem_pool == "conv"}
        if spec.shortcut not in ("B", "C"):  # nothing is projected
            values |= {"shortcut": None, "projection_norm": None, "projection_pool": None}
    return {"": type(spec), **values}


@cache
def _in_tensors(kind: Any) -> tuple[str, ...]:
    return tuple(
        key
        for key, field in kind.__dataclass_fields__.items()
        if field.metadata.get("in_tensors") and key not in (*OF_THE_DATA, *SEEN_LATER)
    )


@cache
def told_apart(kind: Any) -> tuple[str, ...]:
    """The fields that tell one architecture from another."""
    left_out = ("name", "family", *OF_THE_DATA)
    return tuple(key for key in kind.__dataclass_fields__ if key not in left_out)


def _by_formula(spec: zoo.Spec) -> Iterator[zoo.Spec]:
    if isinstance(spec, ResNet) and len(spec.stages) == 3 and len(set(spec.stages)) == 1:
        n = spec.stages[0]
        depth = 6 * n + 2 if spec.block == "basic" else 9 * n + 2
        wide = f"wrn-{6 * n + 4}-{spec.width // 16}"
        for name in (*(f"{family}{depth}" for family in FAMILIES), wide):
            with suppress(UserError):
                yield zoo.find(name)


def _of_libraries(spec: zoo.Spec) -> Iterator[zoo.Spec]:
    """Those of other libraries that have as many blocks."""
    for row in library_names():
        if not row.differs and _stages(row) == spec.stages:
            yield names.spec_of(row)


def _stages(row: LibraryName) -> tuple[int, ...]:
    """The blocks in each stage, without putting the whole network together."""
    for change in row.changes.split(","):
        key, _, text = change.partition("=")
        if key == "stages":
            return tuple(numbers(text) or ())
    return zoo.find(row.network).stages
