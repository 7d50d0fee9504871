"""report(): all that is known of networks on one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from resnet_cli import __version__
from resnet_cli.analyses import plot, published
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.diagram import diagram
from resnet_cli.analyses.memory import memory as memory_analysis
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.answers.compare import compare
from resnet_cli.answers.explain import explain
from resnet_cli.answers.features import code, features
from resnet_cli.answers.flops import flops
from resnet_cli.answers.memory import memory
from resnet_cli.answers.receptive_field import receptive_field
from resnet_cli.answers.summary import summary
from resnet_cli.answers.view import Model, View
from resnet_cli.charts import Chart
from resnet_cli.designs.limits import within
from resnet_cli.errors import UserError
from resnet_cli.networks import Network, load
from resnet_cli.render.charts.chart_style import STYLES
from resnet_cli.render.report.page import Chapter, Level, Section, page
from resnet_cli.tables import Column, Table

OVERALL = {
    "fields": "Fields of the specs that differ",
    "rows": "Networks, with what changes from the first",
    "errors": "Published errors",
}
"""Tables of a comparison that are of whole networks, with titles where they have none; the others are of parts."""
MOST = 20
BATCHES = (1, 8, 32, 128, 256)
MOST_ROWS = 100_000
"""Of all networks together: ten seconds of work and a page of 7 MB."""
MOST_LAYERS = 20_000
"""Longer tables are nothing to read, and more than a browser takes; resnet1202 has 4,208 layers."""


class Report(NamedTuple):
    """A page that stands alone: ``html`` is its text, which can be written to a file."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def report(*models: Model, exact: bool = False, typed: str = "") -> Report:
    """A network, or several side by side, as one page: architecture, cost, figures, memory, fields and more.

    ``exact`` writes every digit; ``typed`` is the command that is named at the foot.
    """
    within("number of networks", len(models), MOST)
    networks: list[Network] = []
    for model in models:
        networks.append(load(model))
        if sum(len(network.rows) for network in networks) > MOST_ROWS:
            raise UserError(
                f"the networks have over {MOST_ROWS:,} layers, too many for a page",
                "give fewer or shallower ones; resnet-cli summary takes any",
            )
    chapters = [_network(f"n{at}", network) for at, network in enumerate(networks, start=1)]
    if len(networks) > 1:
        chapters.insert(0, _comparison(networks))
    made = f"Made by resnet-cli {__version__}{': ' if typed else ''}{typed}."
    return Report(page(chapters, f"{made} Nothing on this page is loaded from elsewhere.", exact))


def _network(key: str, network: Network) -> Chapter:
    total = counts.totals(network.rows)
    columns = [
        Column("params", "parameters", "count"),
        Column("macs", "MACs", "count"),
        Column("layers", "layers", "exact"),
        Column("weights", "weights in fp32", "bytes"),
        Column("input", "input", "shape"),
    ]
    weights = total["params"] * PRECISIONS["fp32"].weight
    values = (total["params"], total["macs"], total["layers"], weights, network.input)
    if network.uncounted:
        columns = [c._replace(title=f"{c.title}, at least") for c in columns[:4]] + columns[4:]
    facts = Table("facts", "", columns, [values])
    architecture = _architecture(network)
    sections = [architecture, _cost(network), *_published(network), _memory(network),
                _receptive_field(network), _features(network), _depth(network), _ledger(network)]  # fmt: skip
    stages = architecture.levels[0].drawing
    return Chapter(key, network.name, network.family, facts, stages, sections)


def _architecture(network: Network) -> Section:
    blocks = any(row.block for row in network.rows)
    shown = ["stage", *(["block"] if blocks else []), *(["layer"] if _is_readable(network) else [])]
    answers = {level: summary(network, level) for level in shown}
    levels = []
    for level, said in answers.items():
        table = _called(said, "rows", f"{network.title} by {level}")
        levels.append(Level(level, diagram([network], level), _costs_first(table)))
    notes = [note for note in answers["stage"].notes if not note.startswith("depth: ")]
    if not _is_readable(network):
        notes.append(f"the {len(network.rows):,} layers have no table and no chart here")
    return Section("architecture", "Architecture", levels=levels, notes=notes)


def _is_readable(network: Network) -> bool:
    return len(network.rows) <= MOST_LAYERS


def _cost(network: Network) -> Section:
    said = flops(network)
    tables = [
        _called(said, "rows", "Cost by stage"),
        _called(said, "operators", "Cost by operator"),
    ]
    charts = _drawable(plot.cost([network], "macs"))
    return Section("cost", "Cost", tables=tables, charts=charts, notes=said.notes)


def _published(network: Network) -> list[Section]:
    said = summary(network)
    if not said.envelope["published"]:
        return []
    title = "What papers print, and whether our number has their digits"
    tables = published.tables(said.envelope["published"], every=True)
    tables = [table._replace(title=title) for table in tables]
    return [Section("published", "Published figures", tables=tables)]


def _memory(network: Network) -> Section:
    said = memory(network, batch=1)
    tables = [
        memory_analysis.by_batch(network.rows, BATCHES),
        _called(said, "rows", "Memory by stage, a batch of 1"),
    ]
    charts = _drawable(plot.memory(network, 1)) if _is_readable(network) else []
    return Section("memory", "Memory", tables=tables, charts=charts, notes=said.notes)


def _receptive_field(network: Network) -> Section:
    said = receptive_field(network)
    tables = [_called(said, "rows", "Receptive field by stage")]
    charts = _drawable(plot.receptive_field([network])) if _is_readable(network) else []
    return Section(
        "receptive-field", "Receptive field", tables=tables, charts=charts, notes=said.notes
    )


def _features(network: Network) -> Section:
    said, snippets = features(network), code(network)
    notes = [note for note in said.notes if note not in "\n".join(snippets).split("\n")]
    tables = [_called(said, "rows", "Feature maps for detection and segmentation")]
    return Section("features", "Features", tables=tables, notes=notes, code=snippets)


def _depth(network: Network) -> Section:
    said = explain("depth", network)
    tables = [_called(said, "rows", f"How the depth of {network.name} is counted")]
    return Section("depth", "Depth", tables=tables, notes=said.notes)


def _ledger(network: Network) -> Section:
    said = flops(network, reconcile=True)
    tables = [_called(said, "rows", "From our MACs to what each tool and paper prints")]
    return Section("conventions", "Conventions", tables=tables, notes=said.notes)


def _comparison(networks: list[Network]) -> Chapter:
    said = compare(*networks)
    drawing = diagram(networks, "stage")
    tables = [table._replace(title=table.title or OVERALL[table.key])
              for table in said.tables if table.key in OVERALL]  # fmt: skip
    by_stage = [table for table in said.tables if table.key not in OVERALL]
    readable = all(map(_is_readable, networks))
    fields = _drawable(plot.receptive_field(networks)) if readable else []
    costs = [plot.cost(networks, "params")]
    if len({network.size for network in networks}) == 1:
        costs.insert(0, plot.cost(networks, "macs"))
    sections = [
        Section("networks", "Side by side", (), drawing, tables, fields, said.notes),
        Section("stages", "By stage", tables=by_stage, charts=_drawable(*costs)),
    ]
    return Chapter("comparison", "Comparison", "", None, drawing, sections)


def _costs_first(table: Table) -> Table:
    """With parameters and MACs beside the name, where a narrow screen shows them."""
    costs = ("params", "macs", "share")
    order = sorted(range(1, len(table.columns)), key=lambda at: table.columns[at].key not in costs)

    def arranged(cells: Sequence[Any]) -> list[Any]:
        return [cells[0], *(cells[at] for at in order)]

    rows, total = map(arranged, table.rows), table.total and arranged(table.total)
    return table._replace(columns=arranged(table.columns), rows=[*rows], total=total)


def _drawable(*charts: Chart) -> list[Chart]:
    """Those with a point at all, and no more series than can be told apart."""
    return [
        chart
        for chart in charts
        if len(chart.series) <= len(STYLES) and all(series.points for series in chart.series)
    ]


def _called(said: View, key: str, title: str) -> Table:
    """The answer's table of that key, with a title of its own."""
    return next(table for table in said.tables if table.key == key)._replace(title=title)
