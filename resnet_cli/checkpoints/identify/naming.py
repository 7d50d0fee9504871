"""Names in weight files: where a file keeps its tensors, and which of ours each one is.

Our names are those of the trace, which are torchvision's: ``layer1.0.conv1.weight``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple, TypeVar

from resnet_cli.checkpoints.identify.schemes import HEADS, SCHEMES, UNKNOWN, Scheme
from resnet_cli.designs.limits import BLOCKS
from resnet_cli.errors import UserError

Kind = TypeVar("Kind")
WRAPPERS = (
    "state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "params",
    "weights", "backbone", "student", "teacher", "ema", "model_ema", "state_dict_ema", "ema_state_dict",
)  # fmt: skip
"""What state dicts are called inside files, the first being preferred among equally large ones."""
TRAINING = ("optim", "scheduler", "lr_sched", "callbacks", "loops", "scaler", "exp_avg", "momentum")
"""What the keys begin with under which a training run keeps tensors that are no weights."""
OF_TOOLS = ("total_ops", "total_params")
"""Tensors that thop leaves in every module that it has counted."""
DEEPEST = 5
LONGEST_NAME = 500
MOST_TENSORS = 32 * BLOCKS
"""More than the longest network that can be described has."""


def find_state_dict(content: object, kind: type[Kind]) -> tuple[str, dict[str, Kind]]:
    """The mapping with the most tensors by name, and where it stands, as in "model.state_dict".

    ``kind`` is the class of what counts as a tensor: `read`'s or torch's.
    Raises `UserError` (exit 1) when there is none.
    """
    best: tuple[int, int] = (0, 0)
    place: tuple[str, ...] = ()
    tensors: dict[str, Kind] = {}
    for path, mapping in _mappings(content):
        named = {
            name: value
            for name, value in mapping.items()
            if isinstance(name, str) and isinstance(value, kind)
        }
        known = WRAPPERS.index(path[-1]) if path and path[-1] in WRAPPERS else len(WRAPPERS)
        if named and (len(named), -known) > best:
            best, place, tensors = (len(named), -known), path, named
    if not tensors:
        raise UserError(
            f"the file holds no tensors by name: {_top(content)}",
            "save those of the network: torch.save(net.state_dict(), 'net.pth')",
            1,
        )
    return ".".join(place), tensors


def _mappings(content: object) -> Iterator[tuple[tuple[str, ...], dict[object, object]]]:
    """Every dictionary down to a depth, once, outer ones first, but for those of the training."""
    seen: set[int] = set()
    level: list[tuple[tuple[str, ...], object]] = [((), content)]
    for _ in range(DEEPEST):
        below: list[tuple[tuple[str, ...], object]] = []
        for path, value in level:
            inside = _inside(value)
            if inside is None or id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, dict):
                if "param_groups" in value:  # an optimizer
                    continue
                yield path, value
            below += [
                ((*path, _key(key)), part)
                for key, part in inside
                if _inside(part) is not None and not _key(key).lower().startswith(TRAINING)
            ]
        level = below


def _inside(value: object) -> Iterable[tuple[object, object]] | None:
    """The keys and values of a container; None for a leaf, which every named tuple is."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if type(value) in (list, tuple) else None  # type: ignore[arg-type]


def _key(key: object) -> str:
    """A key as text: a number of a million digits would be too slow to write."""
    if isinstance(key, str):
        return key[:LONGEST_NAME]
    return str(key) if isinstance(key, int) and abs(key) < 1 << 63 else type(key).__name__


def _top(content: object) -> str:
    if not isinstance(content, dict):
        return f"it is a {type(content).__name__.lower()[:40]}"
    keys = [repr(_key(key)[:40]) for key in islice(content, 8)]
    more = f" and {len(content) - 8:,} more" if len(content) > 8 else ""
    return f"its top level has {', '.join(keys) or 'nothing'}{more}"


class Naming(NamedTuple):
    """How a file names its tensors: ``names`` is file's name -> ours, ``beside`` are the others.

    ``scheme`` is empty where no block of a network was found by name.
    """

    scheme: str
    prefix: str
    names: dict[str, str]
    beside: list[str]


def to_torchvision(names: Iterable[str]) -> Naming:
    """Our name for each of a file's names, whatever library wrote them and below what prefix."""
    names = list(names)
    if len(names) > MOST_TENSORS:
        return Naming("", "", {}, names)
    scheme, prefix = _recognised(names)
    ours_for = scheme.translator()
    parts = prefix.split(".")[:-1][:DEEPEST]
    outer = ["".join(f"{part}." for part in parts[:end]) for end in range(len(parts) + 1)]
    theirs: dict[str, str] = {}
    for name in names:
        if name.rpartition(".")[2] in OF_TOOLS:
            continue
        if name.startswith(prefix):
            theirs.setdefault(_renamed(name[len(prefix) :], ours_for, scheme.tensors), name)
            continue
        for parent in outer:
            head = _renamed(name.removeprefix(parent), ours_for, scheme.tensors)
            if head.rpartition(".")[0] in HEADS:
                theirs.setdefault(head, name)
    mapping = {name: ours for ours, name in theirs.items()}
    return Naming(scheme.name, prefix, mapping, [name for name in names if name not in mapping])


def _renamed(name: str, ours_for: Callable[[str], str], tensors: Mapping[str, str]) -> str:
    if name in tensors:
        return tensors[name]
    path, dot, tensor = name.rpartition(".")
    return ours_for(path) + dot + tensors.get(tensor, tensor)


def _recognised(names: list[str]) -> tuple[Scheme, str]:
    """The first scheme that has a sign among the names, and what stands before that sign."""
    signs = tuple({sign for scheme in SCHEMES for sign in scheme.signs})
    candidates = [name for name in names if name.endswith(signs) and len(name) <= LONGEST_NAME]
    known = set(names)
    for scheme in SCHEMES:
        for name in candidates:
            prefix = next((name.removesuffix(s) for s in scheme.signs if name.endswith(s)), "?")
            if prefix and not prefix.endswith("."):
                continue
            if not scheme.needs or any(n in known or prefix + n in known for n in scheme.needs):
                return scheme, prefix
    return UNKNOWN, ""
