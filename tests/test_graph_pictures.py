"""Diagrams, plots and pages of networks without a spec: boxes by module and what they read, bounded and whole."""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import graph_files
import pytest
from program import run

import resnet_cli
from resnet_cli.analyses import plot
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.diagram import diagram
from resnet_cli.analyses.wiring import LANES, Shortcut, wired
from resnet_cli.commands import output
from resnet_cli.drawings import Arc, Box, Unit
from resnet_cli.errors import UserError
from resnet_cli.layers.convolution import Conv2d, Linear
from resnet_cli.layers.merging import ADDITION
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.models import load
from resnet_cli.networks import Input, Network, Origin
from resnet_cli.render.drawings import terminal_diagram
from resnet_cli.render.drawings.dot import dot
from resnet_cli.render.drawings.graph import graph
from resnet_cli.render.drawings.layout import place
from resnet_cli.render.drawings.mermaid import mermaid
from resnet_cli.render.drawings.svg import svg
from resnet_cli.trace import Place, Row

LEVELS = ("module", "stage", "block", "layer", "1", "99")
SHAPE = (4, 8, 8)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Three residual blocks alike, attention over their map, a skip past it, and an operation nobody counts."""
    return load(graph_files.small(tmp_path_factory.mktemp("graphs")))


def net(reads, shape=SHAPE):
    """Convolutions, of tokens linear layers, and additions where more is read: each a module of its own."""
    tokens = len(shape) == 2
    rows = [
        Row(f"m{at}", Place((), "", "", None, "main"),
            ADDITION if len(read) > 1 else Linear(f"m{at}", 8, 8) if tokens else Conv2d(f"m{at}", 4, 4, 3, padding=1),
            tuple(read), (shape,) * len(read), shape)
        for at, read in enumerate(reads)
    ]  # fmt: skip
    return Network("own", rows, (Input("input", (1, *shape)),), Origin("module"))


def hidden():
    """A network whose first operation nobody has described."""
    chain = net([[-1], [0], [1]])
    first = chain.rows[0]._replace(layer=Uncounted("m0", "fft", "no rule describes it", SHAPE))
    return chain._replace(rows=[first, *chain.rows[1:]])


def column(network, level=None, fold=None):
    return diagram([network], level, fold).columns[0]


def named(column):
    return [box.lines[0] for box in column.boxes]


def boxes(column):
    """All of a column, those on arcs and skips too."""
    on = [box for unit in column.units for arc in unit.arcs for box in arc.boxes]
    return [*column.boxes, *on, *(box for skip in column.skips for box in skip.boxes)]


def read(column):
    """Which boxes each reads, by the places in the chain: wires, arcs and skips."""
    found = {(at - 1, at) for at, box in enumerate(column.boxes) if at and box.follows}
    found |= {(skip.source, target) for skip in column.skips for target in skip.targets}
    first = 0
    for unit in column.units:
        found |= {(first + arc.start - 1, first + arc.end - arc.joins) for arc in unit.arcs}
        first += len(unit.boxes)
    return found


def test_a_box_is_a_line_of_summary(small):
    """Modules by default, in summary's order, with its output sizes; rows that no input reaches have no box."""
    lines = [row["module"] for row in resnet_cli.summary(small).data()["rows"]]
    drawn = column(small)
    assert drawn.boxes[0].lines == ("image", "3×16×16")
    assert named(drawn)[1:] == [line for line in lines if line != "positions"]
    assert {box.kind for box in drawn.boxes[1:]} == {"module"}
    assert drawn.boxes[1].lines == ("stem.0", "3×3, 8, stride 2; batch norm; ReLU", "8×8×8")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("fold", [None, False])
def test_boxes_add_up_to_the_network(small, level, fold):
    """Parameters and MACs of all boxes, with what no input reaches and what stands on shortcuts."""
    total = counts.totals(small.rows)
    for key in ("params", "macs"):
        drawn = boxes(column(small, level, fold))
        assert sum(getattr(box, key) for box in drawn) == total[key]


def test_blocks_alike_are_one_unit_with_their_shortcut(small):
    """Three residual blocks: ×3 around their layers, with an identity from before the first to the addition."""
    unit = next(unit for unit in column(small).units if unit.times > 1)
    assert unit.times == 3
    assert [box.lines[0] for box in unit.boxes] == [
        "layer1.0.conv1", "layer1.0.conv2", "layer1.0.add",
    ]  # fmt: skip
    assert [(arc.start, arc.end, arc.kind) for arc in unit.arcs] == [(0, 2, "identity")]
    folded = next(u for u in column(small, "block", True).units if u.times > 1)
    assert (folded.times, len(folded.boxes)) == (3, 2)
    assert [(a.start, a.end, a.joins) for a in folded.arcs] == [(0, 2, True)]


def test_a_skip_past_a_stage_leads_to_what_reads_it(small):
    """The concatenation reads the upsampled map before it, and the blocks' output from far above."""
    drawn = column(small)
    at = named(drawn).index("cat")
    sources = {drawn.boxes[a].lines[0] for a, b in read(drawn) if b == at}
    assert sources == {"up", "layer1.0.add"}


def test_what_is_not_counted_is_said_on_its_box_and_above(small):
    """At every level that shows it, and in the caption of every format."""
    assert "not counted: fft_fft2" in " ".join(
        line for b in column(small).boxes for line in b.lines
    )
    assert "fft_fft2, not counted" in [
        line for b in column(small, "block").boxes for line in b.lines
    ]
    drawing = diagram([small])
    assert "at least" in svg(drawing) and "at least" in terminal_diagram.render(drawing, 80)


def test_a_box_never_reads_one_that_stands_behind_it():
    """One name's rows with others between them are two boxes: the second reads what stands between."""
    chain = net([[-1], [0], [1]])
    rows = [chain.rows[0]._replace(path="a.x"), chain.rows[1]._replace(path="b.x"),
            chain.rows[2]._replace(path="a.y")]  # fmt: skip
    drawn = column(chain._replace(rows=rows), "1")
    assert len(drawn.boxes) == 4 and read(drawn) == {(0, 1), (1, 2), (2, 3)}


def test_parallel_modules_have_no_wire_between_them():
    """Two convolutions of one map and their sum: no wire from the one to the other, a skip around each."""
    drawn = column(net([[-1], [0], [0], [1, 2]]), fold=False)
    assert [box.follows for box in drawn.boxes] == [True, True, True, False, True]
    assert read(drawn) == {(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)}


def test_further_skips_than_there_are_lanes_are_said_in_words():
    """Of seven that overlap the shortest four have lanes; the others are named where they are read, and edges of DOT."""
    n = 7
    down = [[-1], *([at] for at in range(n))]
    up = [[n, n - 1], *([n + at, n - 1 - at] for at in range(1, n))]
    drawn = column(net([*down, *up]), fold=False)
    assert drawn.lanes == LANES
    assert sum(skip.lane is None for skip in drawn.skips) == n - LANES
    words = [line for box in drawn.boxes for line in box.far]
    assert words == ["from m2", "from m1", "from m0"]
    _, edges = graph(drawn, 0, layered=False)
    assert len(edges) == len(read(drawn)) == (2 * n + 1) + n


def test_arcs_of_a_unit_never_cross():
    """Two that overlap and neither holds the other: one is an arc, the other a skip outside."""
    box = Box(("x",), "module", "", (), (), (), (), (), (), 0, 0)
    reads = [{}, {0: ""}, {1: ""}, {2: "", 0: "skip"}, {3: "", 1: "skip"}]
    units, skips = wired([Unit((box,)), Unit((box,) * 4)], reads)
    assert [(arc.start, arc.end) for arc in units[1].arcs] == [(0, 2)]
    assert [(skip.source, skip.targets) for skip in skips] == [(1, (4,))]
    past, _ = wired([Unit((box,)), Unit((box,) * 4)], reads, [Shortcut(0, 4, "identity")])
    assert Arc(0, 4, "identity", (), True) in past[1].arcs


def test_skips_stand_outside_of_everything(small):
    """In pixels: no part of a skip's way along the column is on a box, an arc or a frame."""
    for level in ("module", "block"):
        page = place(diagram([small], level))
        skips = [s for s in page.shortcuts if s.arc.end == 0]
        assert skips
        right = max(
            *(p.at.x + p.at.width for p in page.boxes), *(f.x + f.width for f in page.frames),
            *(x for s in page.shortcuts if s not in skips for x, _ in s.way), 0,
        )  # fmt: skip
        assert all(skip.way[1][0] > right for skip in skips)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_shows_names_sizes_and_skips(small, level, width):
    """No line is wider; every module's name and size are there, broken at dots alone."""
    text = terminal_diagram.render(diagram([small], level), width)
    assert max(map(len, text.splitlines())) <= width
    if level == "module":
        joined = re.sub(r"\s*│[^\n]*\n[^│\n]*│\s+", "", text)
        for box in column(small).boxes:
            assert box.lines[0] in text or box.lines[0].rpartition(".")[2] in joined + text
        assert text.count("◄") == 3


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("direction", ["down", "right"])
def test_every_format_has_every_box(small, level, direction):
    """Valid XML with unique ids; each edge of Mermaid and DOT joins nodes that are there."""
    drawing = diagram([small], level, direction=direction)
    root = ElementTree.fromstring(svg(drawing))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    groups, edges = graph(drawing.columns[0], 0, level == "layer")
    nodes = {node.id for group in groups for node in group.nodes}
    assert {end for edge in edges for end in edge[:2]} <= nodes
    assert len(nodes) >= len(drawing.columns[0].boxes)
    for text in (mermaid(drawing), dot(drawing)):
        assert all(node in text for node in nodes)


def test_a_paper_s_network_beside_another_is_drawn_by_modules(small):
    """The usual level of both is then one; alone the paper's keeps its figure."""
    both = diagram([load("resnet18"), small])
    assert (both.level, diagram([load("resnet18")]).level) == ("module", "block")
    assert [{box.kind for box in each.boxes[1:]} for each in both.columns] == [{"module"}] * 2
    assert not both.has_rows


def test_a_graph_of_maps_has_the_rows_of_the_paper_s_figure(small):
    """At level block a graph of convolutions alone stands in rows of one output size, as its spec would."""
    rows = load("resnet18").rows
    exported = Network("exported", rows, (Input("x", (1, 3, 224, 224)),), Origin("pt2"))
    drawing = diagram([load("resnet18"), exported], "block")
    spec, other = (Counter(box.size for box in column.boxes) for column in drawing.columns)
    assert spec == other and drawing.has_rows
    assert not diagram([small], "block").has_rows  # tokens are no map


def test_more_boxes_than_a_picture_takes_are_refused(monkeypatch):
    """With what to type; by modules they are drawn."""
    monkeypatch.setattr("resnet_cli.analyses.diagram.MOST", 300)
    long = net([[at - 1] for at in range(300)])
    with pytest.raises(UserError, match="301 boxes are too many") as error:
        diagram([long], "layer", fold=False)
    assert "--level module" in error.value.hint
    assert len(column(long).boxes) == 2


def test_a_level_that_is_not_there_is_said():
    """No stage: modules, with a note in the terminal."""
    drawing = diagram([net([[-1], [0]])], "stage")
    assert drawing.notes == ("own has no stages: a box for each module instead",)
    assert drawing.notes[0] in terminal_diagram.render(drawing, None)


@pytest.mark.parametrize("format", output.FORMATS)
def test_every_format_says_what_is_not_counted(small, format):
    """A key of JSON, a column of CSV, a note where people read."""
    text = output.render(resnet_cli.summary(small), format, exact=False, to_file=True)
    assert (
        "uncounted" in text
        if format in ("json", "csv")
        else re.search("not counted: fft.{1,9}fft2", text)
    )


def test_strict_fails_where_anything_is_not_counted(tmp_path):
    """The answer is there all the same, and the exit status is 1."""
    path = graph_files.small(tmp_path)
    out, _ = run("flops", path, "--strict", "-f", "plain", code=1)
    assert out == run("flops", path, "-f", "plain")[0]


# plots


def test_stages_stand_by_number_beside_others(small):
    """Of one alone they have their names; beside another stem, stages and head are series of both."""
    alone = plot.cost([small], "macs")
    assert [series.name for series in alone.series] == ["stem", "layer1", "head"]
    both = plot.cost([small, load("resnet18")], "params")
    assert [s.name for s in both.series] == ["stem", *(f"stage {n}" for n in (1, 2, 3, 4)), "head"]
    sums = Counter()
    for series in both.series:
        for point in series.points:
            sums[point.label] += point.x
    totals = [counts.totals(network.rows)["params"] for network in (small, load("resnet18"))]
    assert [*sums.values()] == totals


def test_many_parts_of_a_bar_are_told_apart():
    """Of twenty modules the seven largest have a series each, the others one together."""
    chain = net([[at - 1] for at in range(20)])
    rows = [row._replace(path="abcdefghijklmnopqrst"[at]) for at, row in enumerate(chain.rows)]
    chart = plot.cost([chain._replace(rows=rows)], "macs")
    assert [series.name for series in chart.series][-1] == "13 others"
    assert len(chart.series) == plot.SERIES


def test_a_batch_of_one_compares_with_a_paper_s_input(small):
    """1×3×16×16 is no 3×224×224, and 1×3×224×224 is one."""
    with pytest.raises(UserError, match="MACs don't compare"):
        plot.cost([small, load("resnet18")], "macs")
    same = load("resnet18").changed(input_size=(16, 16))
    assert len(plot.cost([small, same], "macs").series[0].points) == 2


def test_a_field_that_nobody_knows_is_one_line():
    """Behind an operation without readings no convolution's field is known."""
    with pytest.raises(UserError, match="what a neuron of own sees is not known"):
        plot.receptive_field([hidden()])


def test_a_field_of_tokens_is_in_places():
    """A sequence has a length and no pixels."""
    assert plot.receptive_field([net([[-1], [0]], shape=(7, 8))]).y.unit == "places"


# pages


def headings(page):
    return re.findall(r"<h[23]>(.*?)</h", page)


def test_a_page_has_a_section_for_all_that_is_known(small):
    """Modules first; no section is empty, and what there is not is named with its reason."""
    page = resnet_cli.report(small).html
    assert headings(page)[:4] == ["Architecture", "Cost", "Memory", "Receptive field"]
    values = re.findall(r'name="n1-architecture-level" value="(\w+)"', page)
    assert values == ["module", "stage", "block", "layer"]
    assert "not counted: fft_fft2" in page and "parameters, at least" in page
    assert "Not on this page" in page
    assert 'data-module="layer1.0.conv1"' in page


def test_a_page_says_what_it_has_not():
    """No receptive field is known: the page says why, and has the rest."""
    page = resnet_cli.report(hidden()).html
    assert "Receptive field</h2>" not in page and "receptive field: what a neuron of own" in page
    assert {"Architecture", "Cost", "Memory"} <= set(headings(page))


def test_a_paper_s_network_and_another_share_a_page(small):
    """A comparison, then a chapter each; without a depth the fact says so."""
    page = resnet_cli.report("resnet18", small).html
    assert [name for name in headings(page) if "." in name or name == "resnet18"] == [
        "resnet18", "small.pt2",
    ]  # fmt: skip
    assert "By module" in headings(page)
    assert "<dt>layers, at least</dt><dd>not counted</dd>" in page


def test_a_name_in_a_file_is_a_name_on_the_page(small):
    """A module called as style sheets end does not end one."""
    hostile = 'a"]} </style><script>alert(1)</script>'
    rows = [row._replace(place=row.place._replace(stage=hostile)) for row in small.rows]
    page = resnet_cli.report(small._replace(rows=rows)).html
    assert page.count("<script>") == 1 and page.count("</style>") == 1


def test_what_small_json_holds_is_beside_it():
    """The file is torch's own, of the module in small.py."""
    document = json.loads((Path(__file__).parent / "data/graphs/small.json").read_text())
    assert document["torch_version"].startswith("2.")
