"""Errors that papers print of networks, side by side where one table prints several of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnet_cli.analyses import published
from resnet_cli.analyses.compare.networks import change
from resnet_cli.designs import zoo
from resnet_cli.networks import Network, distinct
from resnet_cli.published import ERRORS, Figure, changes, figures
from resnet_cli.tables import Column, Table


def errors(networks: Sequence[Network]) -> list[dict[str, Any]]:
    """JSON's errors, in per cent: a line for each column of a paper's table that has one of the networks.

    Only errors of one table and setting stand in one line, those of most networks first; a network that it
    does not print is None there. Of one that it prints several times, as with shortcuts A and B, it is
    the network itself, or else the first, which ``source`` then names.
    """
    each = [_by_column(network) for network in networks]
    names, lines = distinct(networks), []
    columns = dict.fromkeys(column for by_column in each for column in by_column)
    for column in sorted(columns, key=lambda column: sum(column not in known for known in each)):
        own = [by_column.get(column, (None, None)) for by_column in each]
        first = own[0][1]
        cells = [
            {"name": name, "printed": value, **_change(first, value), "source": figure and figure.where()}
            for name, (figure, value) in zip(names, own, strict=True)
        ]  # fmt: skip
        lines.append({"quantity": column[0], "networks": cells})
    return lines


def _by_column(network: Network) -> dict[tuple[str, ...], tuple[Figure, float]]:
    """The network's errors and their per cents by quantity, paper, table and setting."""
    spec = network.spec
    if spec is None:
        return {}
    by_column: dict[tuple[str, ...], tuple[Figure, float]] = {}
    for figure in sorted(published.of(spec, figures()), key=lambda f: not _is_of(f, spec)):
        if (error := figure.error()) is not None:
            quantity, number = error
            column = (quantity, figure.source, figure.table, figure.setting)
            by_column.setdefault(column, (figure, number))
    return by_column


def _is_of(figure: Figure, spec: zoo.Spec) -> bool:
    """Whether it is printed of just this network, and not of a variant with its name."""
    return all(
        getattr(spec, key, None) == value for key, value in changes(figure.overrides).items()
    )


def _change(first: float | None, value: float | None) -> dict[str, Any]:
    """As `change`, with no more digits than are printed; an error that is not printed is not zero."""
    if first is None or value is None:
        return change(None, None)
    changes = change(first, value)
    return changes | {"delta": round(changes["delta"], 2)}


def shared(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are printed of several of the networks; all of them where none is."""
    several = [
        line for line in lines if sum(cell["printed"] is not None for cell in line["networks"]) > 1
    ]
    return several or [*lines]


def table(lines: Sequence[dict[str, Any]], names: Sequence[str]) -> Table:
    """The networks' `errors` as a table, of two with the change."""
    columns = [Column("quantity", "error"), *(Column(name, name, "percent") for name in names)]
    if len(names) == 2:
        columns += [Column("delta", "Δ", "+percent"), Column("ratio", "ratio", "times")]
    columns.append(Column("source", "source"))
    body = []
    for line in lines:
        cells = line["networks"]
        change_of_two = [cells[1]["delta"], cells[1]["ratio"]] if len(names) == 2 else []
        sources = dict.fromkeys(cell["source"] for cell in cells if cell["source"])
        printed = [cell["printed"] for cell in cells]
        body.append(
            (f"{ERRORS[line['quantity']]} error", *printed, *change_of_two, "; ".join(sources))
        )
    return Table("errors", "Published errors", columns, body)
