"""A network counted by another tool's rule, and what then is said of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from resnet_cli.analyses.cost import conventions
from resnet_cli.designs.limits import one_of
from resnet_cli.networks import Network
from resnet_cli.published.conventions import Convention
from resnet_cli.published.conventions import conventions as known
from resnet_cli.tables import Table


class Recounted(NamedTuple):
    """Each row's count by a rule, the rule as notes, and what JSON says of it."""

    rule: Convention
    counts: list[int]
    notes: list[str]
    envelope: dict[str, Any]

    def named(self, table: Table) -> Table:
        """A table of these counts, named as the tool names them."""
        return conventions.named(self.rule, table)


def recounted(network: Network, name: str) -> Recounted:
    """Raises `UserError` for a convention that is not known, or not for this network."""
    one_of("convention", name, tuple(known()))
    rule = known()[name]
    conventions.check(conventions.unknown(rule, network), rule)
    counts = conventions.recounted(rule, network.rows)
    total = sum(counts)
    said = f"{conventions.in_words(rule, network.rows)}; for {network.asked}"
    notes = [said, *filter(None, [rule.remark])]
    if network.more > 1:
        notes.append(f"batch of {network.batch:,}: {total * network.batch:,} {rule.unit}")
    envelope = {
        "name": name, "tool": rule.tool, "version": rule.version, "unit": rule.unit, "total": total,
    }  # fmt: skip
    return Recounted(rule, counts, notes, envelope)
