"""report(): all that is known of networks on one page."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from resnet_cli import __version__, runs
from resnet_cli.analyses import curves, levels, plot, published
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.diagram import diagram
from resnet_cli.analyses.elsewhere import elsewhere
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
from resnet_cli.errors import UserError, printable
from resnet_cli.models import load
from resnet_cli.networks import Network
from resnet_cli.recipes import in_words
from resnet_cli.render.charts.chart_style import STYLES
from resnet_cli.render.report.page import COMPARISON, Chapter, Level, Section, page
from resnet_cli.runs import Training
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

    A folder of `resnet_cli.train` among ``models`` has its errors and curves there.
    ``exact`` writes every digit; ``typed`` is the command that is named at the foot.
    """
    within("number of networks", len(models), MOST)
    folders = [model for model in models if isinstance(model, str) and runs.is_training(model)]
    networks: list[Network] = []
    for model in models:
        if model in folders:
            continue
        networks.append(load(model))
        if sum(len(network.rows) for network in networks) > MOST_ROWS:
            raise UserError(
                f"the networks have over {MOST_ROWS:,} layers, too many for a page",
                "give fewer or shallower ones; resnet-cli summary takes any",
            )
    chapters = [_network(f"n{at}", network) for at, network in enumerate(networks, start=1)]
    if len(networks) > 1:
        chapters.insert(0, _comparison(networks))
    chapters[:0] = [
        _training(f"t{at}", runs.read(folder)) for at, folder in enumerate(folders, start=1)
    ]
    made = f"Made by resnet-cli {__version__}{': ' if typed else ''}{typed}."
    return Report(page(chapters, f"{made} Nothing on this page is loaded from elsewhere.", exact))


def _training(key: str, training: Training) -> Chapter:
    from resnet_cli.answers.train import answer

    said, record = answer(training), training.record
    names = [network.name for network in record.networks]
    begun = any(run.curve for run in training.runs)
    charts = _drawable(curves.chart(training, names)) if begun else []
    sections = [
        Section("errors", "Errors", tables=said.tables, notes=said.notes),
        *(
            [Section("curves", "Along the training", charts=charts, notes=charts[0].notes)]
            if charts
            else []
        ),
    ]
    return Chapter(
        key, f"Training on {record.data.name}", in_words(record.recipe), None, None, sections
    )


def _network(key: str, network: Network) -> Chapter:
    architecture = _architecture(network)
    sections, left_out = [architecture], []
    for section in (_cost, _published, _memory, _receptive_field, _features, _depth, _ledger):
        try:
            sections += section(network)
        except UserError as reason:  # this network has no such thing
            left_out.append(f"{section.__name__[1:].replace('_', ' ')}: {reason.what}")
    if left_out:
        sections.append(Section("left-out", "Not on this page", notes=left_out))
    stages, said = architecture.levels[0].drawing, elsewhere([network])
    sections[1:] = [
        section._replace(notes=[note for note in section.notes if note not in said])
        for section in sections[1:]
    ]
    return Chapter(key, network.name, _subtitle(network), _facts(network), stages, sections)


def _subtitle(network: Network) -> str:
    """The family; of what has no spec where it comes from."""
    source = network.origin.source
    return network.family or (f"from {printable(source)}" if source else network.origin.kind)


def _facts(network: Network) -> Table:
    total = counts.totals(network.rows)
    counted = total["layers"] is not None
    columns = [
        Column("params", "parameters", "count"),
        Column("macs", "MACs", "count"),
        Column("layers", "layers", "exact" if counted else "text"),
        Column("weights", "weights in fp32", "bytes"),
        Column("input", "input" if len(network.inputs) == 1 else "inputs"),
    ]
    weights = total["params"] * PRECISIONS["fp32"].weight
    layers = total["layers"] if counted else "not counted"
    values = (total["params"], total["macs"], layers, weights, network.size)
    if network.uncounted:
        columns = [c._replace(title=f"{c.title}, at least") for c in columns[:4]] + columns[4:]
    return Table("facts", "", columns, [values])


def _architecture(network: Network) -> Section:
    blocks = any(row.block for row in network.rows)
    papers = levels.usual(network) == "stage"
    shown = [
        *([] if papers else ["module"]),
        *(["stage"] if any(row.stage for row in network.rows) else []),
        *(["block"] if blocks else []),
        *(["layer"] if _is_readable(network) else []),
    ]
    answers = {level: summary(network, level) for level in shown}
    views = []
    for level, said in answers.items():
        table = _called(said, "rows", f"{network.title} by {level}")
        views.append(Level(level, diagram([network], level), _costs_first(table)))
    notes = [note for note in answers[shown[0]].notes if not note.startswith("depth: ")]
    notes += [note for note in views[0].drawing.notes if note not in notes]
    if not _is_readable(network):
        notes.append(f"the {len(network.rows):,} layers have no table and no chart here")
    return Section("architecture", "Architecture", levels=views, notes=notes)


def _is_readable(network: Network) -> bool:
    return len(network.rows) <= MOST_LAYERS


def _cost(network: Network) -> list[Section]:
    said = flops(network)
    tables = [
        _called(said, "rows", f"Cost by {levels.usual(network)}"),
        _called(said, "operators", "Cost by operator"),
    ]
    charts = _drawable(plot.cost([network], "macs"))
    return [Section("cost", "Cost", tables=tables, charts=charts, notes=said.notes)]


def _published(network: Network) -> list[Section]:
    said = summary(network)
    if not said.envelope["published"]:
        return []
    title = "What papers print, and whether our number has their digits"
    tables = published.tables(said.envelope["published"], every=True)
    tables = [table._replace(title=title) for table in tables]
    return [Section("published", "Published figures", tables=tables)]


def _memory(network: Network) -> list[Section]:
    """Of a spec's network for several batches, of another for its inputs as they are given."""
    said = memory(network, batch=1 if network.spec else None)
    batch = "a batch of 1" if network.spec else network.asked
    tables = [_called(said, "rows", f"Memory by {levels.usual(network)}, {batch}")]
    if network.spec:
        tables.insert(0, memory_analysis.by_batch(network.rows, BATCHES))
    charts = _drawable(plot.memory(network, network.batch)) if _is_readable(network) else []
    return [Section("memory", "Memory", tables=tables, charts=charts, notes=said.notes)]


def _receptive_field(network: Network) -> list[Section]:
    said = receptive_field(network)
    tables = [_called(said, "rows", f"Receptive field by {levels.usual(network)}")]
    charts = _drawable(plot.receptive_field([network])) if _is_readable(network) else []
    return [
        Section(
            "receptive-field", "Receptive field", tables=tables, charts=charts, notes=said.notes
        )
    ]


def _features(network: Network) -> list[Section]:
    said, snippets = features(network), code(network)
    notes = [note for note in said.notes if note not in "\n".join(snippets).split("\n")]
    tables = [_called(said, "rows", "Feature maps for detection and segmentation")]
    return [Section("features", "Features", tables=tables, notes=notes, code=snippets)]


def _depth(network: Network) -> list[Section]:
    if counts.depth(network.rows) is None:
        raise UserError("papers count layers one behind another", "see its modules")
    said = explain("depth", network)
    tables = [_called(said, "rows", f"How the depth of {network.name} is counted")]
    return [Section("depth", "Depth", tables=tables, notes=said.notes)]


def _ledger(network: Network) -> list[Section]:
    said = flops(network, reconcile=True)
    tables = [_called(said, "rows", "From our MACs to what each tool and paper prints")]
    return [Section("conventions", "Conventions", tables=tables, notes=said.notes)]


def _comparison(networks: list[Network]) -> Chapter:
    said = compare(*networks)
    papers = all(network.spec for network in networks)
    drawing = diagram(networks, "stage" if papers else None)
    tables = [table._replace(title=table.title or OVERALL[table.key])
              for table in said.tables if table.key in OVERALL]  # fmt: skip
    by_stage = [table for table in said.tables if table.key not in OVERALL]
    readable = all(map(_is_readable, networks))
    fields: list[Chart] = []
    if readable:
        with suppress(UserError):  # of one of them nothing is known
            fields = _drawable(plot.receptive_field(networks))
    costs = [plot.cost(networks, "params")]
    if plot.comparable(networks):
        costs.insert(0, plot.cost(networks, "macs"))
    sections = [
        Section(
            "networks", "Side by side", (), drawing, tables, fields, [*said.notes, *drawing.notes]
        ),
        Section(
            "stages",
            "By stage" if papers else "By module",
            tables=by_stage,
            charts=_drawable(*costs),
        ),
    ]
    return Chapter(COMPARISON, "Comparison", "", None, drawing, sections)


def _costs_first(table: Table) -> Table:
    """With parameters and MACs beside the name, where a narrow screen shows them."""
    costs = ("times", "params", "macs", "share")
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
        if sum(not series.thin for series in chart.series) <= len(STYLES)
        and all(series.points for series in chart.series)
    ]


def _called(said: View, key: str, title: str) -> Table:
    """The answer's table of that key, with a title of its own."""
    return next(table for table in said.tables if table.key == key)._replace(title=title)
