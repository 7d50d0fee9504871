"""Names that people type: those of the list, of other libraries, of a formula, and depths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from resnet_cli.designs import zoo
from resnet_cli.designs.fields import from_text, inline
from resnet_cli.errors import UserError, did_you_mean, folded
from resnet_cli.published.names import LIBRARIES, LibraryName
from resnet_cli.published.names import names as every_name

DIGITS = 30


def find(name: str) -> zoo.Spec:
    """The network that somebody calls so, whatever its case, hyphens and underscores.

    In this order: a listed name; a library's (timm:resnet26, microsoft/resnet-50; without its prefix
    where one network alone is called so; timm's tag .a1_in1k is ignored); a depth; a formula.
    Raises `UserError` with the closest names, or what keeps a library's network from being described.
    """
    listed = zoo.BY_NAME.get(folded(name))
    if listed is not None:
        return listed
    if library_of(name):
        return spec_of(in_library(name))
    if name.isascii() and name.isdecimal() and len(name) <= DIGITS:
        return by_depth(int(name))
    rows = [*_called(name, every_name())] or [*_called(_untagged(name), _names_of("timm"))]
    if rows:
        return _one(name, rows)
    spec = zoo.by_formula(name)
    if spec is None:
        libraries = {folded(row.name): row.name for row in every_name()}
        raise zoo.unknown(
            name, {**libraries, **{folded(each): each for each in zoo.names()}}.values()
        )
    return spec


@cache
def described(name: str) -> zoo.Spec | None:
    """The network of a name that is known to exist; None for a library's that cannot be described here."""
    library = library_of(name)
    if library is None:
        return zoo.find(name)
    row = _in_libraries().get((library, folded(name[len(library) + 1 :])))
    return None if row is None or row.differs else spec_of(row)


@cache
def _in_libraries() -> dict[tuple[str, str], LibraryName]:
    return {(row.library, folded(row.name)): row for row in every_name()}


def by_depth(depth: int) -> zoo.Spec:
    """The residual network that is called so: resnet50 for 50, whoever calls it so.

    Raises `UserError` with He et al.'s formulas and the nearest depths that exist.
    """
    name = f"resnet{depth}"
    listed = zoo.BY_NAME.get(name)
    if listed is not None:
        return listed
    rows = [*_called(name, every_name())] if depth > 0 else []
    return _one(name, rows) if rows else zoo.of_formula(depth)


def is_repository(name: str) -> bool:
    """Whether it is a name of Hugging Face's hub, which looks like a path: microsoft/resnet-50."""
    return "/" in name and (library_of(name) is not None or any(_called(name, every_name())))


def library_of(name: str) -> str | None:
    """The library that stands before a colon (timm:resnet50), or as the hub writes it (timm/resnet50)."""
    return next((each for each in LIBRARIES if name.startswith((f"{each}:", f"{each}/"))), None)


def in_library(name: str) -> LibraryName:
    """The network that the library before the colon calls so. Raises `UserError` for one that is not here."""
    library = library_of(name) or ""
    rest = name[len(library) + 1 :]
    rows = [*_called(rest, _names_of(library))] or [*_called(_untagged(rest), _names_of(library))]
    if rows:
        return rows[0]
    raise UserError(
        f"{rest[:80]!r} of {library} is none of the networks that are described here",
        did_you_mean(rest, [row.name for row in _names_of(library)])
        or "all names: resnet-cli list",
    )


def spec_of(row: LibraryName) -> zoo.Spec:
    """The network that a library calls so, named as it is typed where no listed one is the same.

    Raises `UserError` where it cannot be described, with the nearest that can.
    """
    if row.differs:
        size = f"{row.params:,} parameters" + (f" and {row.macs:,} MACs" if row.macs else "")
        raise UserError(
            f"{row.name} of {row.library} ({size}) cannot be described here: {row.differs}",
            f"the nearest is {row.ours}",
        )
    spec = zoo.find(row.network)
    if not row.changes:
        return spec
    texts = dict(change.split("=") for change in row.changes.split(","))
    return replace(spec, **from_text(texts, spec), name=row.model)  # type: ignore[arg-type]


def typed(spec: zoo.Spec) -> str:
    """How a network is typed as MODEL: its name where that is all, else with what is changed of it or of another.

    resnet50, timm:resnetaa50, resnet20:num_classes=7; resnet50-d:stages=2-2-2-2 for one without a name.
    """
    named = _of_name(spec.name)
    if named is not None and type(named) is type(spec):
        changes = _changes(named, spec)
        if not changes:
            return spec.name
        if not library_of(spec.name):
            return f"{spec.name}:{changes}"

    def unlike(other: zoo.Spec) -> tuple[bool, int]:
        plain = [getattr(each, "shortcut", "") == "none" for each in (spec, other)]
        return plain[0] != plain[1], _changes(other, spec).count("=")

    base = min((each for each in zoo.NETWORKS if type(each) is type(spec)), key=unlike)
    changes = _changes(base, spec)
    return f"{base.name}:{changes}" if changes else base.name


def _of_name(name: str) -> zoo.Spec | None:
    try:
        return find(name)
    except UserError:
        return None


def _changes(base: zoo.Spec, spec: zoo.Spec) -> str:
    """What MODEL takes behind its colon to make one network of another."""
    return ",".join(
        inline(key, getattr(spec, key))
        for key in spec.__dataclass_fields__
        if key not in ("name", "family") and getattr(spec, key) != getattr(base, key)
    )


def _names_of(library: str) -> Iterator[LibraryName]:
    return (row for row in every_name() if row.library == library)


def _called(name: str, rows: Iterable[LibraryName]) -> Iterator[LibraryName]:
    wanted = folded(name)
    return (row for row in rows if folded(row.name) == wanted)


def _untagged(name: str) -> str:
    """timm's name without the tag of its weights: resnet50 of resnet50.a1_in1k."""
    return name.partition(".")[0]


def _one(name: str, rows: list[LibraryName]) -> zoo.Spec:
    """The one network of these names. Raises `UserError` where they are different networks."""
    if len({(row.network, row.changes, row.differs) for row in rows}) > 1:
        raise UserError(
            f"{name[:80]!r} names different networks",
            "; ".join(f"{row.model}, of {row.library}, has {row.macs:,} MACs" for row in rows),
        )
    return spec_of(rows[0])
