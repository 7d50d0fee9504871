"""resnet-cli report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from resnet_cli import __version__, models
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.diagram import diagram
from resnet_cli.analyses.memory import memory as memory_analysis
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.commands import (
    compare,
    explain,
    features,
    flops,
    memory,
    output,
    receptive_field,
    summary,
)
from resnet_cli.commands.options import Network, complete
from resnet_cli.designs.limits import within
from resnet_cli.errors import UserError, printable, typed
from resnet_cli.render.report.page import Chapter, Level, Section, page
from resnet_cli.tables import Column, Table
from resnet_cli.trace import trace

SUFFIXES = (".html", ".htm")
LEVELS = ("stage", "block", "layer")
MOST = 20
BATCHES = (1, 8, 32, 128, 256)
MOST_LAYERS = 20_000
"""Longer tables are nothing to read, and more than a browser takes; resnet1202 has 4,208 layers."""
MOST_ROWS = 100_000
"""Of all networks together: ten seconds of work and a page of 7 MB."""


def command(
    names: Annotated[
        list[str],
        typer.Argument(metavar="MODEL…", help="Names or TOML files.", autocompletion=complete),
    ],
    target: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="The page: FILE.html.")
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Every digit: no K, M, G.")] = False,
) -> None:
    """All that is known of a network, or of several side by side, as one page to hand to somebody."""
    within("number of networks", len(names), MOST)
    example = typed("report", names[0], "-o", "report.html")
    if target is None:
        raise UserError("no file named for the page", f"type {example}")
    if Path(target).suffix.lower() not in SUFFIXES:
        raise UserError(
            f"{target!r} is no page: its name ends in none of {', '.join(SUFFIXES)}",
            f"type {example}",
        )
    networks = _traced(names)
    chapters = [_network(f"n{at}", network) for at, network in enumerate(networks, start=1)]
    if len(networks) > 1:
        chapters.insert(0, _comparison(names, networks))
    line = typed("report", *names)
    origin = f"Made by resnet-cli {__version__}: {printable(line, len(line))}. Nothing on this page is loaded from elsewhere."
    output.send(page(chapters, origin, exact), target)


def _traced(names: Sequence[str]) -> list[Network]:
    """The networks. Raises `UserError` once they are more than a page of seconds holds."""
    networks: list[Network] = []
    rows = 0
    for spec in map(models.load, names):
        networks.append(Network(spec, spec, trace(spec.net(), spec.input_shape), 1))
        rows += len(networks[-1].rows)
        if rows > MOST_ROWS:
            raise UserError(
                f"the networks have over {MOST_ROWS:,} layers, too many for a page",
                "give fewer or shallower ones; resnet-cli summary takes any",
            )
    return networks


def _network(key: str, network: Network) -> Chapter:
    total = counts.totals(network.rows)
    columns = (
        Column("params", "parameters", "count"),
        Column("macs", "MACs", "count"),
        Column("layers", "layers", "exact"),
        Column("weights", "weights in fp32", "bytes"),
        Column("input", "input", "shape"),
    )
    weights = total["params"] * PRECISIONS["fp32"].weight
    values = (total["params"], total["macs"], total["layers"], weights, network.spec.input_shape)
    facts = Table("facts", "", columns, [values])
    architecture = _architecture(network)
    sections = [architecture, _cost(network), *_published(network), _memory(network),
                _receptive_field(network), _features(network), _depth(network), _ledger(network)]  # fmt: skip
    stages = architecture.levels[0].drawing
    return Chapter(key, network.spec.name, network.spec.family, facts, stages, sections)


def _architecture(network: Network) -> Section:
    many = len(network.rows) > MOST_LAYERS
    shown = LEVELS[:-1] if many else LEVELS
    answers = {level: summary.command.answer(network, level=level) for level in shown}
    levels = [
        Level(
            level,
            diagram([(network.spec.name, network.rows)], level),
            _called(said.tables[0], f"{network.title()} by {level}"),
        )
        for level, said in answers.items()
    ]
    # the first note is the depth, which has a section of its own
    notes = [*answers["stage"].notes[1:]]
    if many:
        notes.append(f"the {len(network.rows):,} layers have no table of their own here")
    return Section("architecture", "Architecture", levels=levels, notes=notes)


def _cost(network: Network) -> Section:
    said = flops.command.answer(network)
    stages, operators = said.tables[:2]
    tables = [_called(stages, "Cost by stage"), _called(operators, "Cost by operator")]
    return Section("cost", "Cost", tables=tables, notes=said.notes)


def _published(network: Network) -> list[Section]:
    tables = summary.command.answer(network).tables[1:]
    if not tables:
        return []
    tables = [_called(tables[0], "What papers print, and whether our number has their digits")]
    return [Section("published", "Published figures", tables=tables)]


def _memory(network: Network) -> Section:
    said = memory.command.answer(network)
    tables = [
        memory_analysis.by_batch(network.rows, BATCHES),
        _called(said.tables[0], "Memory by stage, a batch of 1"),
    ]
    return Section("memory", "Memory", tables=tables, notes=said.notes[1:])


def _receptive_field(network: Network) -> Section:
    said = receptive_field.command.answer(network)
    tables = [_called(said.tables[0], "Receptive field by stage")]
    return Section("receptive-field", "Receptive field", tables=tables, notes=said.notes)


def _features(network: Network) -> Section:
    said = features.command.answer(network)
    code = [note for note in said.notes if note.startswith(("from ", "import "))]
    notes = [note for note in said.notes if note not in code]
    tables = [_called(said.tables[0], "Feature maps for detection and segmentation")]
    return Section("features", "Features", tables=tables, notes=notes, code=code)


def _depth(network: Network) -> Section:
    said = explain.command.answer(network, what="depth")
    tables = [_called(said.tables[0], f"How the depth of {network.spec.name} is counted")]
    return Section("depth", "Depth", tables=tables, notes=said.notes)


def _ledger(network: Network) -> Section:
    said = flops.command.answer(network, reconcile=True)
    tables = [_called(said.tables[0], "From our MACs to what each tool and paper prints")]
    return Section("conventions", "Conventions", tables=tables, notes=said.notes)


def _comparison(names: Sequence[str], networks: Sequence[Network]) -> Chapter:
    said = compare.command.answer(names)
    totals, stages = said.tables
    drawing = diagram([(network.spec.name, network.rows) for network in networks], "stage")
    side_by_side = _called(totals, "Networks, with ratios to the first")
    sections = [
        Section("networks", "Side by side", drawing, tables=[side_by_side], notes=said.notes),
        Section(
            "stages", "By stage", tables=[_called(stages, "Parameters and MACs of each stage")]
        ),
    ]
    return Chapter("comparison", "Comparison", "", None, drawing, sections)


def _called(table: Table, title: str) -> Table:
    return table._replace(title=title)
