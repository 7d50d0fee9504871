"""The fields of specs that are not the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from resnet_cli.designs.fields import inline
from resnet_cli.networks import Network, distinct
from resnet_cli.tables import Column, Table

NAMES = ("name", "family")


def fields(networks: Sequence[Network]) -> list[dict[str, Any]]:
    """JSON's fields: each that differs, with every network's value; None where it has no such field.

    What only names a network is none of them. Nothing where a network has no spec.
    """
    specs = [asdict(network.spec) for network in networks if network.spec]
    if len(specs) < len(networks):
        return []
    names = distinct(networks)
    lines = []
    for field in dict.fromkeys(key for spec in specs for key in spec if key not in NAMES):
        values = [spec.get(field) for spec in specs]
        if any(value != values[0] for value in values):
            each = zip(names, values, strict=True)
            own = [{"name": name, "value": value} for name, value in each]
            lines.append({"field": field, "networks": own})
    return lines


def table(lines: Sequence[dict[str, Any]], names: Sequence[str]) -> Table:
    """Two networks' `fields` as a table."""
    a, b = names
    columns = (Column("field", "field"), Column("a", a), Column("b", b))
    body = [
        (line["field"].replace("_", " "), *(_typed(line["field"], cell["value"]) for cell in line["networks"]))
        for line in lines
    ]  # fmt: skip
    return Table("fields", "Fields that differ", columns, body)


def _typed(field: str, value: object) -> str | None:
    """A value as it is typed behind a name: stages=3-4-6-3."""
    return None if value is None else inline(field, value).partition("=")[2]
