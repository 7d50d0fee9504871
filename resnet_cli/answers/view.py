"""What answers are: raw values that show as HTML or SVG in a notebook and as text elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from resnet_cli import networks
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.elsewhere import elsewhere
from resnet_cli.analyses.notation import several
from resnet_cli.designs import zoo
from resnet_cli.errors import folded, printable
from resnet_cli.render.tables import numbers
from resnet_cli.tables import Answer, Table

Model: TypeAlias = str | int | zoo.Spec | networks.Network
"""A name, a depth, a TOML or weight file, a spec, or a network."""


class View(Answer):
    """An answer: ``tables`` of raw values, ``notes`` on what they count."""

    __slots__ = ()

    def data(self) -> dict[str, Any]:
        """What ``--json`` prints (docs/json.md)."""
        import json

        from resnet_cli.render.tables.data import as_json

        document: dict[str, Any] = json.loads(as_json(self))
        return document

    def __repr__(self) -> str:
        from resnet_cli.render.tables import plain

        return plain.render(self, exact=False)

    def _repr_html_(self) -> str:
        from resnet_cli.render.tables import html

        return html.fragment(self, exact=False)


def about(
    network: networks.Network,
    command: str,
    tables: Sequence[Table],
    notes: Iterable[str],
    total: dict[str, Any] | None = None,
    **more: Any,
) -> View:
    """An answer about one network: its first table is called as the network is.

    JSON has what is the same for every question about a network, then ``more``.
    """
    total = counts.totals(network.rows) if total is None else total
    batch = {key: total[key] * network.more for key in ("macs", "flops") if key in total}
    envelope: dict[str, Any] = {
        "command": command,
        "model": network.name,
        "spec": asdict(network.spec) if network.spec else None,
        "input": list(network.input) if network.spec else None,
        "inputs": [each._asdict() | {"shape": list(each.shape)} for each in network.inputs],
        "origin": network.origin._asdict(),
        "batch": network.batch,
        "rows": [],
        "total": total,
        **({"batch_total": batch} if network.more > 1 else {}),
        "published": _published(network),
        "uncounted": network.uncounted,
        **unsettled([network]),
    }
    first, *others = tables
    titled = first if first.title else first._replace(title=network.title)
    return View(
        envelope | more,
        [titled, *others],
        [*uncounted([network]), *notes, *elsewhere([network]), *map(printable, network.notes)],
    )


def _published(network: networks.Network) -> list[dict[str, Any]]:
    if network.spec is None:
        return []
    from resnet_cli.analyses import published
    from resnet_cli.published import figures

    return published.of_network(network.spec, figures(), network.rows)


def beside(
    given: Sequence[networks.Network],
    command: str,
    tables: Sequence[Table],
    notes: Iterable[str],
    **more: Any,
) -> View:
    """An answer about several networks side by side."""
    left_out = [
        {"network": name, **each}
        for name, network in zip(networks.distinct(given), given, strict=True)
        for each in network.uncounted
    ]
    envelope = {"command": command, "rows": [], **more, "uncounted": left_out, **unsettled(given)}
    own = [
        f"{name}: {printable(note)}"
        for name, network in zip(networks.distinct(given), given, strict=True)
        for note in network.notes
    ]
    return View(envelope, tables, [*uncounted(given), *notes, *elsewhere(given), *own])


def unsettled(given: Iterable[networks.Network]) -> dict[str, bool]:
    """JSON's key where a weight file was taken for one of several networks that have its tensors."""
    return {"settled": False} if any(network.open for network in given) else {}


def uncounted(given: Sequence[networks.Network]) -> list[str]:
    """A note for each operation that nobody has described, for every format that people read."""
    return [
        f"not counted{f' in {name}' if len(given) > 1 else ''}: {each['operator']} "
        f"({several(each['times'], 'time')}): {each['reason']}; totals are at least what is shown"
        for name, network in zip(networks.distinct(given), given, strict=True)
        for each in network.uncounted
    ]


def short_and_exact(number: int) -> str:
    """A large number as a note has it: shortened, and then every digit."""
    short, exact = numbers.count(number, exact=False), f"{number:,}"
    return short if short == exact else f"{short} ({exact})"


def cost_notes(network: networks.Network, macs: int | None = None) -> list[str]:
    """Notes on what MACs count, and what a batch of inputs costs: so many ``macs`` each, or all of them."""
    notes = [
        f"MACs: multiply-accumulates of {counts.multiplied(network.rows)} layers, the papers' FLOPs; "
        f"for {network.asked}"
    ]
    if network.more > 1:
        each = counts.macs(network.rows) if macs is None else macs
        notes.append(f"batch of {network.batch:,}: {short_and_exact(each * network.more)} MACs")
    how = dict.fromkeys(row.layer.how for row in network.rows if row.layer.how)
    return [*notes, *how]


def whose(title: str, network: networks.Network) -> str:
    """What a title stands for, where it does not say so itself."""
    name, source = network.name, network.origin.source
    words = [] if title.startswith(name) else [printable(name)]
    if source is not None and folded(source) != folded(name):
        words.append(f"from {printable(source)}")
    return f"{title}: {', '.join(words)}" if words else ""
