"""Networks side by side: what each holds, costs and sees, and how far that is from the first's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.field.receptive_field import features
from resnet_cli.analyses.memory.memory import Settings, memory
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.networks import Network, distinct
from resnet_cli.tables import ByteCount, Column, Table

QUANTITIES = (
    Column("params", "params", "count"),
    Column("macs", "MACs", "count"),
    Column("flops", "FLOPs", "count"),
    Column("layers", "layers", "exact"),
    Column("weights", "weights", "bytes"),
    Column("memory", "training memory", "bytes"),
    Column("activations", "activations", "count"),
    Column("receptive_field", "receptive field", "exact"),
)
LONGEST_TITLE = 20
SETTINGS = Settings()
NOTE = (
    f"weights: in {SETTINGS.dtype}; training memory: the peak of a step on one input, optimiser "
    f"{SETTINGS.optimizer}, {SETTINGS.dtype}; activations: elements that convolutions and matrix products put out; "
    "receptive field: pixels across, of the last stage before the classifier"
)


def quantities(network: Network) -> dict[str, int | None]:
    """Each of the QUANTITIES, weights and memory in bytes; the field is None where it is not known."""
    rows = network.rows
    total = counts.totals(rows)
    return {
        **{key: total[key] for key in ("params", "macs", "flops", "layers")},
        "weights": total["params"] * PRECISIONS[SETTINGS.dtype].weight,
        "memory": memory(rows, SETTINGS).training.of(1),
        "activations": sum(counts.activations_of(rows)),
        "receptive_field": _field(network),
    }


def _field(network: Network) -> int | None:
    if all(row.part == "head" for row in network.rows):
        return None
    return features(network.rows)[1].size or None


def change(first: float | None, value: float | None) -> dict[str, Any]:
    """``delta`` and ``ratio`` to the first; no ratio to nothing, neither where both are not there."""
    if first is None and value is None:
        return {"delta": None, "ratio": None}
    return {
        "delta": (value or 0) - (first or 0),
        "ratio": value / first if value is not None and first else None,
    }


def titles(networks: Sequence[Network]) -> list[str]:
    """What columns are called: as the networks, or of two with long names A and B."""
    names = distinct(networks)
    short = len(names) > 2 or max(map(len, names)) <= LONGEST_TITLE
    return names if short else ["A", "B"]


def rows(networks: Sequence[Network]) -> list[dict[str, Any]]:
    """JSON's rows: each network's quantities, with the change of each from the first network's."""
    each = [quantities(network) for network in networks]
    lines = []
    for name, network, own in zip(distinct(networks), networks, each, strict=True):
        line: dict[str, Any] = {"name": name, "source": network.origin.source}
        for key, value in own.items():
            line[key] = value
            # a field that is not known has not shrunk to nothing
            known = value is not None and each[0][key] is not None
            changes = change(each[0][key], value) if known else change(None, None)
            line |= {f"{what}_{key}": number for what, number in changes.items()}
        lines.append(line)
    return lines


def side_by_side(lines: Sequence[dict[str, Any]]) -> list[Table]:
    """Several networks' `rows` as two tables: what they cost with its change, and what else there is."""
    costs, others = [Column("name", "name")], [Column("name", "name")]
    for quantity in QUANTITIES:
        if quantity.key in ("params", "macs"):
            delta = Column(f"delta_{quantity.key}", "Δ", "+count")
            costs += [quantity, delta, Column(f"ratio_{quantity.key}", "ratio", "times")]
        elif quantity.key == "layers":
            costs.append(quantity)
        else:
            others.append(quantity)
    return [
        Table("rows", title, columns, [[line[c.key] for c in columns] for line in lines])
        for title, columns in (("", costs), ("Memory and field", others))
    ]


def totals(lines: Sequence[dict[str, Any]], names: Sequence[str], changed: bool) -> Table:
    """Two networks' `rows` as a table: a row for each quantity, or for those alone that are ``changed``."""
    a, b = lines
    columns = (
        Column("quantity", "quantity"), Column("a", names[0], "amount"), Column("b", names[1], "amount"),
        Column("delta", "Δ", "+amount"), Column("ratio", "ratio", "times"),
    )  # fmt: skip
    body = [
        (
            title,
            *(_of(value, kind) for value in (a[key], b[key], b[f"delta_{key}"])),
            b[f"ratio_{key}"],
        )
        for key, title, kind, _ in QUANTITIES
        if not changed or a[key] != b[key]
    ]
    return Table("rows", "Totals", columns, body)


def _of(value: int | None, kind: str) -> int | None:
    return ByteCount(value) if value is not None and kind == "bytes" else value
