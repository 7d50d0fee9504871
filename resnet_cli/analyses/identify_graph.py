"""Which listed network a graph of operations computes: an equal sequence of layers, or the nearest and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from math import prod
from typing import Any, NamedTuple, TypeAlias

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.notation import several
from resnet_cli.designs import zoo
from resnet_cli.designs.names import typed
from resnet_cli.errors import UserError, printable
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.networks import Network
from resnet_cli.published.names import LIBRARIES, names
from resnet_cli.tables import Column, Stack, Table
from resnet_cli.trace import INPUT, Row, state_dict, trace

ROLES = ("main", "shortcut", "gate")
Sign: TypeAlias = tuple[object, ...]
LIKE = 0.5
"""Of so many of its layers a network must be like a listed one, for that to be called the nearest."""
MOST_WORDS = 4


class Matched(NamedTuple):
    """The listed networks that compute the same; else the ``nearest``, if any is near, and its rows."""

    equal: list[zoo.Spec]
    nearest: zoo.Spec | None
    rows: list[Row]


def signs(rows: Sequence[Row]) -> dict[str, list[Sign]]:
    """What is computed on the main path, on shortcuts and in gates, layer by layer.

    Norms, which may be folded into convolutions, are left out, and so is what only gives numbers
    another shape, and a pool of all that there is.
    """
    computed: dict[str, list[Sign]] = {role: [] for role in ROLES}
    by_row: list[Sign | None] = []
    for row in rows:
        sign = _sign(row)
        if sign and row.layer.join:
            sign = (*sign, _begins(rows, row, by_row))
        by_row.append(sign)
        if sign:
            computed[_role(row)].append(sign)
    return computed


def _role(row: Row) -> str:
    """Its role; of branches side by side a graph does not say which one is the first."""
    return "main" if row.role == "branch" else row.role


def _sign(row: Row) -> Sign | None:
    layer = row.layer
    if row.macs:
        return _of_product(row)
    if layer.join:
        return ("addition", layer.operator, layer.constant)
    if layer.activation:
        return ("activation", layer.operator)
    if layer.in_figure and prod(row.output[1:]) > 1:
        return ("pool", layer.operator, row.output, _numbers(row))
    return None


def _begins(rows: Sequence[Row], join: Row, signs: Sequence[Sign | None]) -> object:
    """What a shortcut begins behind: an activation, or where it stands in the block, an addition."""
    at = join.reads[0]
    while at >= 0 and (rows[at].role == "shortcut" or signs[at] is None):
        at = rows[at].reads[0] if rows[at].reads else INPUT
    sign = signs[at] if at >= 0 else None
    return sign[0] if sign else "input"


def _of_product(row: Row) -> Sign:
    """Weight, input, output and window; a 1×1 of one place is a linear layer."""
    calculated: Shape = getattr(row.layer, "weight", ())  # as standardised ones are
    weight = row.layer.parameters().get("weight", calculated)
    if prod(row.output[1:]) == 1 and prod(weight[2:]) == 1:
        return ("product", weight[:2], row.output[:1])
    return ("product", weight, row.input, row.output, _numbers(row))


def _numbers(row: Row) -> tuple[str, ...]:
    return tuple(size.numbers for size in row.layer.sizes(row.input))


def matched(network: Network) -> Matched:
    """The listed networks at the file's own input and classes, beside it."""
    own, joins = signs(network.rows), sum(row.layer.join for row in network.rows)
    equal: list[tuple[zoo.Spec, int]] = []
    far: list[tuple[int, zoo.Spec, list[Row]]] = []
    specs = [spec for spec in map(_for(network), zoo.NETWORKS) if spec is not None]
    for spec in sorted(
        specs, key=lambda spec: _blocks(spec) != joins
    ):  # those that may be equal first
        if equal and _blocks(spec) != joins:
            break
        try:
            rows = trace(spec.net(), spec.input_shape)
        except UserError:  # an input that is too small for it
            continue
        theirs = signs(rows)
        if theirs == own:
            equal.append((spec, sum(counts.parameters_of(rows))))
        far.append((_distance(own, theirs), spec, rows))
    if equal or not far:
        params = sum(
            counts.parameters_of(network.rows)
        )  # which tell whether a convolution has a bias
        exact = [spec for spec, own in equal if own == params]
        return Matched(exact or [spec for spec, _ in equal], None, [])
    distance, spec, rows = min(far, key=lambda each: each[0])
    near = distance <= LIKE * 2 * sum(map(len, own.values()))
    return Matched([], spec if near else None, rows if near else [])


def _blocks(spec: zoo.Spec) -> int:
    """How many additions it has."""
    plain = spec.family.startswith("VGG") or getattr(spec, "shortcut", "none") == "none"
    return 0 if plain else sum(spec.stages)


def _for(network: Network) -> Any:
    """A spec with the network's input and classes, None where it does not take them."""
    shape = network.inputs[0].shape[1:]
    last = next((row for row in reversed(network.rows) if row.macs), None)
    classes = last.output[0] if last and len(last.output) == 1 else 1000

    def changed(spec: zoo.Spec) -> zoo.Spec | None:
        if len(network.inputs) != 1 or len(shape) != 3:
            return None
        try:
            return zoo.changed(
                spec, in_channels=shape[0], input_size=shape[1:], num_classes=classes
            )
        except UserError:
            return None

    return changed


def _distance(one: dict[str, list[Sign]], other: dict[str, list[Sign]]) -> int:
    """How many layers of either the other has not."""
    of, to = (Counter((r, s) for r, signs in each.items() for s in signs) for each in (one, other))
    return (of - to).total() + (to - of).total()


# in words


def differences(network: Network, rows: Sequence[Row]) -> list[str]:
    """What the nearest has otherwise: layers by kind, and the first that differ."""
    words = []
    ours, theirs = signs(network.rows), signs(rows)
    for role in ROLES:
        own, other = (Counter(str(sign[0]) for sign in each[role]) for each in (ours, theirs))
        where = "" if role == "main" else f" of {role}s"
        words += [
            f"{several(own[kind], kind)}{where} for {other[kind]:,}"
            for kind in {**own, **other}
            if own[kind] != other[kind]
        ]
    for role in ROLES:
        mine, other_rows = (
            [row for row in each if row.macs and _role(row) == role]
            for each in (network.rows, rows)
        )
        for one, two in zip_longest(mine, other_rows):
            if one is None or two is None or _of_product(one) != _of_product(two):
                words.append(f"{_described(one)}, where it has {_described(two)}")
                break
    return words[:MOST_WORDS] or ["the order of its layers, or what they read"]


def _described(row: Row | None) -> str:
    if row is None:
        return "nothing more"
    weight = row.layer.parameters().get("weight", ())
    shape = f" of {'×'.join(map(str, weight))}" if weight else ""
    window = row.layer.window
    stride = f", stride {window[1]}," if window and window[1] > 1 else ""
    return f"{printable(row.path, 80)}: {row.layer.operator}{shape}{stride} to {'×'.join(map(str, row.output))}"


def libraries(spec: zoo.Spec) -> list[str]:
    """What torchvision and timm call the same network, of as many classes."""
    return [
        row.model
        for row in names()
        if row.library in LIBRARIES and row.ours == spec.name and not row.differs
    ]


def same_names(network: Network, spec: zoo.Spec) -> bool:
    """Whether the file's tensors are called as those of the listed network are, as far as it has them."""
    held = state_dict(network.rows)
    return bool(held) and held.keys() <= state_dict(trace(spec.net(), spec.input_shape)).keys()


def norms(rows: Sequence[Row]) -> int:
    """How many layers keep statistics."""
    return sum(any(row.layer.buffers().values()) and row.macs == 0 for row in rows)


PROPERTIES = (Column("property", "property"), Column("value", "value", "mixed"))


def facts(network: Network, of: Matched) -> dict[str, Any]:
    """JSON's fields beside the envelope: the network and how sure that is, then what is in the graph."""
    spec = of.equal[0] if of.equal else of.nearest
    sure = "exact" if of.equal else "nearest" if of.nearest else "none"
    listed = None if spec is None else trace(spec.net(), spec.input_shape)
    return {
        "network": typed(of.equal[0]) if of.equal else None,
        "fits": bool(of.equal),
        "settled": bool(of.equal),
        "by": "its operations are the network's" if of.equal else None,
        "candidates": [
            {"network": typed(each), "macs": counts.macs(network.rows), "differs": ""}
            for each in of.equal
        ],
        "like": spec.name if spec else None,
        "sure": sure,
        "params": {
            "file": sum(counts.parameters_of(network.rows)),
            "network": None if listed is None else sum(counts.parameters_of(listed)),
        },
        "format": network.origin.kind,
        "origin": network.origin._asdict(),
        "inputs": [each._asdict() | {"shape": list(each.shape)} for each in network.inputs],
        "operators": dict(Counter(row.layer.operator for row in network.rows).most_common()),
        "blocks": sum(row.layer.join for row in network.rows),
        "total": counts.totals(network.rows),
        "uncounted": network.uncounted,
    }


def description(network: Network, fields: dict[str, Any], of: Matched) -> Table:
    """One row for each of the `facts`: which network, then what is in the graph."""
    name: str | Stack = "none is near"
    if of.equal:
        called = [fields["network"], *libraries(of.equal[0])]
        name = Stack((called[0], f"({', '.join(called[1:])})")) if called[1:] else called[0]
    elif of.nearest:
        name = of.nearest.name
    operators = [f"{operator} ×{times}" for operator, times in fields["operators"].items()]
    rows: list[tuple[str, object]] = [
        ("computes the same as" if of.equal else "nearest network", name),
        ("and as", ", ".join(each["network"] for each in fields["candidates"][1:])),
        ("tensor names", _called(network, of)),
        ("params in the file", fields["params"]["file"]),
        ("params of the network", fields["params"]["network"] or ""),
        ("MACs", fields["total"]["macs"]),
        ("residual blocks", fields["blocks"]),
        ("operators", Stack((*operators[:8], *(["…"] if operators[8:] else [])))),
        ("inputs", network.size),
        ("written by", network.origin.version or ""),
        ("format", network.origin.kind),
    ]
    return Table("rows", "", PROPERTIES, [row for row in rows if row[1] != ""])


def _called(network: Network, of: Matched) -> str:
    if not of.equal:
        return ""
    return (
        "those of the network" if same_names(network, of.equal[0]) else "others than the network's"
    )
