"""Errors that papers print of networks, side by side where one table prints several of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from resnet_cli.analyses import published
from resnet_cli.analyses.compare.networks import change
from resnet_cli.analyses.published import ERRORS
from resnet_cli.designs import zoo
from resnet_cli.networks import Network, distinct
from resnet_cli.published import Figure, figures
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
        own = [by_column.get(column) for by_column in each]
        values = [float(figure.printed) if figure else None for figure in own]
        cells = [
            {"name": name, "printed": value, **_change(values[0], value), "source": figure and figure.where()}
            for name, value, figure in zip(names, values, own, strict=True)
        ]  # fmt: skip
        lines.append({"quantity": column[0], "networks": cells})
    return lines


def _by_column(network: Network) -> dict[tuple[str, ...], Figure]:
    """The network's errors by quantity, paper, table and setting."""
    spec = network.spec
    if spec is None:
        return {}
    printed = published.counted(spec, filter(_is_error, figures()))
    by_column: dict[tuple[str, ...], Figure] = {}
    for figure in sorted((figure for figure, _ in printed), key=lambda f: not _is_of(f, spec)):
        column = (figure.quantity, figure.source, figure.table, figure.setting)
        by_column.setdefault(column, figure)
    return by_column


def _is_error(figure: Figure) -> bool:
    """Whether it is an error as a number; one entry of a paper's table is the word "fail"."""
    with suppress(ValueError):
        return figure.quantity in ERRORS and float(figure.printed) >= 0
    return False


def _is_of(figure: Figure, spec: zoo.Spec) -> bool:
    """Whether it is printed of just this network, and not of a variant with its name."""
    return all(getattr(spec, key, None) == value for key, value in figure.changes().items())


def _change(first: float | None, value: float | None) -> dict[str, Any]:
    """As `change`, with no more digits than are printed; an error that is not printed is not zero."""
    if first is None or value is None:
        return change(None, None)
    changes = change(first, value)
    return changes | {"delta": round(changes["delta"], 2)}


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
