"""Diagrams: the papers' figures by hand, counts over the whole zoo, and what a browser draws."""

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from io import BytesIO
from itertools import chain

import graph_files
import pytest
from browser import browser, show
from listed import ZOO, rows_of
from program import assert_not_loaded, run

from resnet_cli.analyses.compare import blocks as compare
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.diagram import DIRECTIONS, diagram
from resnet_cli.answers.diagram import CHANNELS, SIZE
from resnet_cli.commands.diagram import command
from resnet_cli.errors import UserError
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.models import load
from resnet_cli.render.drawings import layout, terminal_diagram
from resnet_cli.render.drawings.dot import dot, quoted
from resnet_cli.render.drawings.graph import graph
from resnet_cli.render.drawings.mermaid import mermaid
from resnet_cli.render.drawings.svg import svg

SVG = "{http://www.w3.org/2000/svg}"
LEVELS = ("stage", "block", "layer")
HOSTILE = "</text><script>alert(1)</script>&lt;'`]#\\\"]; a -> b﷽﷽漢字\\"
FAMILIES = (
    "resnet18", "plain18", "resnet50-v1.5", "vgg11_bn", "preact-resnet50", "resnext50_32x4d",
    "se-resnet18", "resnet18-d", "resnet20", "wrn-16-8", "preact-resnet164",
)  # fmt: skip


def drawn(*names, **options):
    return diagram([load(name) for name in names], **options)


def units(*names, level):
    blocks = [compare.block_network(n, CHANNELS[compare.BLOCKS[n]["block"]], SIZE) for n in names]
    return diagram(blocks, level, units=True)


def texts(boxed):
    """What is written on the boxes of a column or unit."""
    return [" ".join(box.lines) for box in boxed.boxes]


def arcs(column):
    """How many shortcuts of each kind, the folded ones as often as they stand for one."""
    found = Counter()
    for unit in column.units:
        found.update({arc.kind: 0 for arc in unit.arcs})
        for arc in unit.arcs:
            found[arc.kind] += unit.times
    return found


def test_figure_3():
    """VGG-19, the plain and the residual network, box by box as He et al. 2015 print them."""
    vgg, plain, residual = drawn("vgg19", "plain34", "resnet34").columns
    three = [[f"3×3 conv, {c}, /2", *[f"3×3 conv, {c}"] * (2 * n - 1)]
             for c, n in ((128, 4), (256, 6), (512, 3))]  # fmt: skip
    middle = ["image", "7×7 conv, 64, /2", "pool, /2", *["3×3 conv, 64"] * 6, *chain(*three)]
    assert texts(plain) == texts(residual) == [*middle, "avg pool", "fc 1000"]
    assert texts(vgg) == [
        "image", *["3×3 conv, 64"] * 2, "pool, /2", *["3×3 conv, 128"] * 2,
        "pool, /2", *["3×3 conv, 256"] * 4, "pool, /2", *["3×3 conv, 512"] * 4,
        "pool, /2", *["3×3 conv, 512"] * 4, "pool, /2", "fc 4096", "fc 4096", "fc 1000",
    ]  # fmt: skip
    assert arcs(vgg) == arcs(plain) == {}
    assert arcs(residual) == {"identity": 13, "projection": 3}


def test_figure_3_has_a_row_an_output_size():
    """224 to 7 and 1; the pooling that ends a size stands in the row it puts out."""
    drawing = drawn("vgg19", "plain34", "resnet34")
    assert drawing.sizes == [(n, n) for n in (224, 112, 56, 28, 14, 7, 1)]
    rows = [Counter(box.size[0] for box in column.boxes) for column in drawing.columns]
    assert [row[112] for row in rows] == [3, 1, 1]
    assert [row[56] for row in rows] == [5, 7, 7]
    assert [row[1] for row in rows] == [3, 2, 2]


def test_figure_5():
    """A basic block at 64 channels and a bottleneck at 256, with their ReLUs and additions."""
    basic, bottleneck = units("basic", "bottleneck", level="block").columns
    assert texts(basic) == ["64-d", "3×3, 64", "3×3, 64", "+"]
    assert texts(bottleneck) == ["256-d", "1×1, 64", "3×3, 64", "1×1, 256", "+"]
    assert [box.below for box in bottleneck.boxes] == ["", "relu", "relu", "", "relu"]
    assert [(a.start, a.end, a.kind) for a in basic.units[1].arcs] == [(0, 2, "identity")]


def test_the_original_and_the_new_unit():
    """The order of weight, BN, ReLU and addition in He et al. 2016, Fig. 1 (a) and (b)."""
    new, original = units("preact-basic", "basic", level="layer").columns
    weight = "weight, 3×3, 64"
    assert texts(original)[1:] == [weight, "BN", "ReLU", weight, "BN", "addition", "ReLU"]
    assert texts(new)[1:] == ["BN", "ReLU", weight, "BN", "ReLU", weight, "addition"]
    assert [(arc.start, arc.end) for arc in original.units[1].arcs] == [(0, 5)]
    assert [(arc.start, arc.end) for arc in new.units[1].arcs] == [(0, 6)]


@ZOO
@pytest.mark.parametrize("fold", [True, False])
def test_boxes_and_arcs_add_up_to_the_network(spec, fold):
    """Parameters and MACs of all boxes, those on arcs too, are the network's, at every level."""
    rows = rows_of(spec)
    total = counts.totals(rows)
    for level in LEVELS:
        params = macs = 0
        for unit in diagram([load(spec)], level, fold).columns[0].units:
            for box in (*unit.boxes, *(box for arc in unit.arcs for box in arc.boxes)):
                params += unit.times * box.params
                macs += unit.times * box.macs
        assert (params, macs) == (total["params"], total["macs"])


@ZOO
@pytest.mark.parametrize("fold", [True, False])
def test_arcs_are_the_traces_shortcuts(spec, fold):
    """As many projections and zero paddings as the trace has, an identity at each other addition."""
    rows = rows_of(spec)
    kinds = Counter((row.role, row.layer.operator) for row in rows)
    expected = {
        "projection": kinds["shortcut", "convolution"],
        "zero padding": kinds["shortcut", "zero padding"],
        "scale": kinds["main", "scale"],
    }
    joins = sum(row.layer.join for row in rows)
    expected["identity"] = joins - expected["projection"] - expected["zero padding"]
    for level in ("block", "layer"):
        found = arcs(diagram([load(spec)], level, fold).columns[0])
        gates = {"scale"} if level == "block" else set()  # one box there
        assert found == {k: n for k, n in expected.items() if n and k not in gates}


@ZOO
def test_every_layer_has_a_box_at_layer_level(spec):
    """The chain and what stands on arcs are the rows of the trace; each path is somewhere."""
    rows = rows_of(spec)
    for level in LEVELS:
        column = diagram([load(spec)], level, False).columns[0]
        boxes = [*column.boxes[1:], *(b for u in column.units for a in u.arcs for b in a.boxes)]
        assert {path for box in boxes for path in box.paths} == {row.path for row in rows}
    assert len(diagram([load(spec)], "layer", False).columns[0].boxes) - 1 == sum(
        row.role != "shortcut" for row in rows
    )


@ZOO
def test_folding_keeps_every_layer(spec):
    """Folded or not: the same boxes, counted as often as they stand for one, and the same paths."""
    whole, folded = (diagram([load(spec)], "block", fold).columns[0] for fold in (False, True))
    unfolded = [line for unit in folded.units for line in texts(unit) * unit.times]
    assert unfolded == texts(whole)
    assert sorted(p for b in whole.boxes for p in b.paths) == sorted(
        p for b in folded.boxes for p in b.paths
    )


def test_long_networks_are_folded_unless_asked():
    """37 boxes of ResNet-34 stay, ResNet-50's 53 are folded, and both can be had otherwise."""
    assert not drawn("resnet34").folded
    assert drawn("resnet50").folded
    assert len(drawn("resnet50", fold=False).columns[0].boxes) == 53
    assert [unit.times for unit in drawn("resnet1202").columns[0].units if unit.times > 1] == [
        200, 199, 199,
    ]  # fmt: skip


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_rows_of_equal_output_size_line_up(direction):
    """The first box of each size begins at the same place in every column that has one."""
    page = layout.place(drawn("vgg19", "plain34", "resnet34", direction=direction))
    for row in range(7):
        firsts = {}
        for placed in page.boxes:
            if placed.row == row:
                at = placed.at.y if direction == "down" else placed.at.x
                firsts[placed.column] = min(at, firsts.get(placed.column, at))
        assert len(set(firsts.values())) == 1


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", ["se-resnet18", "se-resnet50", "preact-resnet18"])
def test_arcs_beside_the_same_boxes_have_a_lane_each(name, direction):
    """What a gate scales runs within its block's shortcut: a lane is 12 pixels at least."""
    drawing = drawn(name, level="layer", direction=direction)
    main, across = (1, 0) if direction == "down" else (0, 1)
    ways = [shortcut.way for shortcut in layout.place(drawing).shortcuts]
    gates = sum(arc.kind == "scale" for unit in drawing.columns[0].units for arc in unit.arcs)
    together = 0
    for at, one in enumerate(ways):
        for other in ways[at + 1 :]:
            if min(one[2][main], other[2][main]) > max(one[1][main], other[1][main]):
                assert abs(one[1][across] - other[1][across]) >= layout.LANE == 12
                together += 1
    assert together == gates


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["resnet50", "vgg16", "se-resnet18", "resnet1202"])
def test_structure_of_the_svg(name, level):
    """Valid XML; a box, a title with shape, parameters and MACs, and data for each; unique ids."""
    drawing = drawn(name, level=level)
    root = ElementTree.fromstring(svg(drawing))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert root.find(f"{SVG}desc").text
    boxes = [g for g in root.iter(f"{SVG}g") if (g.get("class") or "").startswith("box ")]
    on_arcs = sum(len(a.boxes) for c in drawing.columns for u in c.units for a in u.arcs)
    assert len(boxes) == len(drawing.columns[0].boxes) + (on_arcs if level == "layer" else 0)
    assert "input" in boxes[0].get("class")
    for box in boxes[1:]:
        said = box.find(f"{SVG}title").text
        assert re.search(r"output \d+", said) and re.search(r"[\d,]+ params, [\d,]+ MACs$", said)
        assert box.get("data-path") and box.get("data-stage") and box.get("data-label")
    curves = [p for p in root.iter(f"{SVG}path") if p.get("class") == "arc"]
    assert sum(int(p.get("data-times")) for p in curves) == arcs(drawing.columns[0]).total()
    for curve in curves:
        assert {curve.get("data-from"), curve.get("data-to")} <= set(ids)
        dotted = curve.get("data-kind") in ("projection", "zero padding")
        assert (curve.get("stroke-dasharray") == "2 3") == dotted


def test_boxes_of_each_stage_of_resnet50():
    """1, 1 + 3·3, 3·4, 3·6, 3·3 and 2 boxes in conv1, conv2_x to conv5_x and fc."""
    root = ElementTree.fromstring(svg(drawn("resnet50", fold=False)))
    stages = Counter(g.get("data-stage") for g in root.iter(f"{SVG}g") if g.get("data-stage"))
    assert stages == {
        "conv1": 1,
        "conv2_x": 10,
        "conv3_x": 12,
        "conv4_x": 18,
        "conv5_x": 9,
        "fc": 2,
    }


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", FAMILIES)
def test_graphs_have_every_node_once_and_balanced_brackets(name, level):
    """Each edge of Mermaid and DOT joins two nodes that are there, and what opens is closed."""
    drawing = drawn(name, level=level)
    dotted = arcs_drawn = 0
    for number, column in enumerate(drawing.columns):
        groups, edges = graph(column, number, level == "layer")
        nodes = [node.id for group in groups for node in group.nodes]
        assert len(nodes) == len(set(nodes))
        assert {end for edge in edges for end in edge[:2]} <= set(nodes)
        arcs_drawn += sum(bool(edge.kind) for edge in edges)
        dotted += sum(edge.kind in ("projection", "zero padding") for edge in edges)
    flow = mermaid(drawing)
    assert flow.startswith("flowchart TB\n")
    assert flow.count("subgraph ") == flow.count("\n  end") + flow.count("\n    end")
    assert flow.count("-.->") == dotted
    assert flow.count('"') % 2 == 0
    graphviz = dot(drawing)
    assert bare(graphviz).count("{") == bare(graphviz).count("}")
    assert graphviz.count("style=dotted") == dotted


def test_a_string_of_dot_has_no_signs_of_its_own():
    r"""A backslash is doubled, or \N would be the node's name; so are quotes and entities kept from meaning more."""
    assert quoted("\\N") == r'"\\N"'
    assert quoted('a "b" & c\\') == r'"a \"b\" &amp; c\\"'
    assert quoted("two\nlines") == r'"two\nlines"'


def bare(text):
    """DOT without its strings."""
    return re.sub(r'"(\\.|[^"\\])*"', '""', text)


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz' dot")
@pytest.mark.parametrize("level", LEVELS)
def test_graphviz_draws_it(level):
    """dot takes the text without a word and draws every node."""
    drawing = drawn("resnet18", "se-resnet18", level=level, fold=True)
    done = subprocess.run(
        ["dot", "-Tsvg"], input=dot(drawing).encode(), capture_output=True, check=True
    )
    assert done.stderr == b""
    boxes = [b for c in drawing.columns for b in c.boxes]
    on = [b for c in drawing.columns for u in c.units for a in u.arcs for b in a.boxes]
    assert done.stdout.count(b'class="node"') == len(boxes) + (len(on) if level == "layer" else 0)


def test_a_name_from_a_file_is_escaped_everywhere():
    """Signs that end a string, a tag or a node stand as text in SVG, Mermaid and DOT."""
    drawing = diagram([load("resnet18")._replace(name=HOSTILE)])
    root = ElementTree.fromstring(svg(drawing))
    assert HOSTILE in [text.text for text in root.iter(f"{SVG}text")]
    assert not list(root.iter(f"{SVG}script"))
    title = mermaid(drawing).splitlines()[1]
    written = re.fullmatch(r'  subgraph c0\["([\w ,./+=#;-]*)"\]', title)[1]
    assert re.sub(r"#(\d+);", lambda code: chr(int(code[1])), written) == HOSTILE
    assert "script" not in bare(dot(drawing)) and bare(dot(drawing)).endswith("}\n")


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz' dot")
def test_graphviz_reads_a_strange_name_as_it_is():
    """The title of dot's picture is the name, sign by sign."""
    text = dot(diagram([load("resnet18")._replace(name=HOSTILE)]))
    done = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, check=True)
    drawn_texts = [text.text for text in ElementTree.fromstring(done.stdout).iter(f"{SVG}text")]
    assert HOSTILE in drawn_texts


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_terminal_is_not_overrun(width, level):
    """No line is wider than the terminal, and every box is there, whatever the network."""
    for name in FAMILIES:
        drawing = drawn(name, "resnet18", level=level)
        text = terminal_diagram.render(drawing, width)
        assert max(map(len, text.splitlines())) <= width
        if level != "stage":
            for column in drawing.columns:
                for line, times in Counter(texts(column)).items():
                    assert text.count(line) >= times


def test_the_terminal_shows_figure_3_side_by_side():
    """Rows line up in signs too: the sizes at the left, arcs solid and dotted."""
    out, err = run("diagram", "vgg19", "plain34", "resnet34", COLUMNS="100")
    assert err == ""
    first = next(line for line in out.splitlines() if line.startswith("28×28"))
    assert first.startswith("28×28    │ pool, /2      │ ")
    assert first.endswith("   │ 3×3 conv, 128, /2 │        │ 3×3 conv, 128, /2 │┈┈╮")
    assert (out.count("──╮"), out.count("┈┈╮")) == (13, 3)


def test_to_the_right_it_is_a_sentence():
    """--direction right in the terminal writes one network a paragraph."""
    out, _ = run("diagram", "resnet18", "--direction", "right", "--fold", COLUMNS="9999")
    assert "pool, /2 -> [3×3 conv, 64 -> 3×3 conv, 64] + identity ×2 -> [3×3 conv, 128, /2" in out


@pytest.mark.parametrize("suffix", ["svg", "mmd", "dot"])
def test_files_appear_whole(tmp_path, suffix):
    """-o writes one file and says nothing."""
    file = tmp_path / f"x.{suffix}"
    assert run("diagram", "resnet50", "-o", str(file)) == ("", "")
    assert "3×3 conv, 512" in file.read_text()
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_png_is_twice_as_large(tmp_path):
    """The PNG has two pixels for each of the SVG's, and the same at every run."""
    pytest.importorskip("resvg_py", reason="needs resvg_py")
    pytest.importorskip("matplotlib", reason="needs matplotlib's fonts")
    from resnet_cli.render.drawings.png import png

    drawing = drawn("resnet50")
    page, data = layout.place(drawing), png(drawing, "light")
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    size = (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    assert size == (2 * page.width, 2 * page.height)
    assert data == png(drawing, "light")
    assert data != png(drawing, "dark")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_png_is_opaque_to_its_last_pixels(direction):
    """Pages are whole pixels: the last row and column have the background's colour, as the first have."""
    pytest.importorskip("resvg_py", reason="needs resvg_py")
    image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    from resnet_cli.render.drawings.png import png

    for names in (["resnet50"], ["vgg16", "resnet20"], ["se-resnet18"]):
        painted = image.open(BytesIO(png(drawn(*names, direction=direction), "dark")))
        right, bottom = painted.width - 1, painted.height - 1
        edges = [painted.getpixel((right, y)) for y in range(bottom + 1)]
        edges += [painted.getpixel((x, bottom)) for x in range(right + 1)]
        assert set(edges) == {painted.getpixel((0, 0))} == {(0x14, 0x18, 0x1F, 255)}


@pytest.fixture(scope="module")
def pdf_of():
    """Writes PDFs, where matplotlib is there."""
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    from resnet_cli.render.drawings.pdf import pdf

    return pdf


def test_a_pdf_is_as_large_as_the_svg(pdf_of):
    """A CSS pixel is 0.75 points; fonts are embedded, and every run gives the same bytes."""
    drawing = drawn("resnet50")
    page, data = layout.place(drawing), pdf_of(drawing, "light")
    sides = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", data).groups()
    assert [*map(float, sides)] == [0.75 * page.width, 0.75 * page.height]
    assert data.count(b"/FontFile2") == 2  # regular and bold
    assert data == pdf_of(drawing, "light") != pdf_of(drawing, "paper")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler's pdftotext")
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_texts_of_a_pdf_are_the_svgs(pdf_of, direction, tmp_path):
    """All that stands in the SVG can be selected, as often as it stands there."""
    drawing = drawn("se-resnet18", "vgg11", level="stage", direction=direction)
    file = tmp_path / "x.pdf"
    file.write_bytes(pdf_of(drawing, "paper"))
    said = subprocess.run(["pdftotext", "-raw", file, "-"], capture_output=True, check=True).stdout
    written = ElementTree.fromstring(svg(drawing)).iter(f"{SVG}text")
    words = Counter(word for text in written for word in text.text.split())
    assert Counter(said.decode().split()) == words


def test_a_pdf_that_no_reader_takes_is_refused(pdf_of):
    """A page of more than 200 inches, with what to type instead."""
    with pytest.raises(UserError, match="200 that readers take") as error:
        pdf_of(drawn("resnet1202", fold=False), "light")
    assert "--fold" in error.value.hint and error.value.code == 1


def test_a_caption_says_at_least_where_something_is_not_counted():
    """Above the column and in the description, as in every table's note."""
    network = load("resnet20")
    hidden = network.rows[5]._replace(layer=Uncounted("x", "fft", "nobody described it"))
    drawing = diagram([network._replace(rows=[*network.rows[:5], hidden, *network.rows[6:]])])
    text = layout.caption(drawing.columns[0])
    assert re.fullmatch(r"at least [\d.]+K params, at least [\d.]+M MACs", text)
    assert text in svg(drawing) and text in terminal_diagram.render(drawing, None)
    assert re.search(r"<desc.*: at least [\d,]+ parameters, at least [\d,]+ MACs\.", svg(drawing))
    assert "least" not in svg(drawn("resnet20"))


@pytest.mark.parametrize("words", [("-o", "-"), ("-f", "svg"), ("-f", "dot", "-o", "-")])
def test_a_dash_is_stdout(words, capsys):
    """`-o -` writes the format that is named, or the drawing in signs; so does -f without a file."""
    command(
        names=["basic"],
        **dict(
            zip(map({"-o": "target", "-f": "format"}.get, words[::2]), words[1::2], strict=True)
        ),
    )
    begins = {"svg": "<svg ", "dot": "digraph "}.get(words[1], "       basic\n")
    assert capsys.readouterr().out.startswith(begins)


def test_a_format_wins_over_a_suffix(tmp_path):
    """And .txt is the drawing in signs."""
    command(names=["basic"], target=str(tmp_path / "x.png"), format="mmd")
    assert (tmp_path / "x.png").read_text().startswith("flowchart TB")
    command(names=["basic"], target=str(tmp_path / "x.txt"))
    assert "│ 3×3, 64 │" in (tmp_path / "x.txt").read_text()


@pytest.mark.parametrize("format", ["png", "pdf"])
def test_a_terminal_gets_no_bytes(format, monkeypatch):
    """A picture without a file is refused there, and what to type is said."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(UserError, match="nothing to read in a terminal") as error:
        command(names=["basic"], target="-", format=format)
    assert f"-o FILE.{format}" in error.value.hint


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("resent50",), 2, "did you mean 'resnet50'"),
        (("resnet50", "-o", "x.jpg"), 2, ".svg, .png, .pdf, .mmd, .dot"),
        (("resnet50", "-f", "jpg"), 2, "text, svg, png, pdf, mmd, dot"),
        (("resnet50", "-o", "/no/such/folder/x.svg"), 1, "cannot write"),
        (("resnet50", "-o", "{}/folder.svg"), 1, "is a directory"),
        (("resnet50", "--level", "blocks"), 2, "'block'"),
        (("resnet50", "--direction", "up"), 2, "down, right"),
        (("resnet50", "--theme", "red"), 2, "light, dark, paper"),
        (("basic", "resnet50"), 2, "is a block"),
        (("resnet50",) * 17, 2, "16 at most"),
        (("{}/long.toml", "--no-fold"), 2, "--level stage"),
        ((), 2, "Missing argument"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_message(tmp_path, words, code, said):
    """An error and a hint, the right exit status, and nothing written."""
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "long.toml").write_text('base = "resnet18"\nstages = [5000, 5000, 5000, 1]\n')
    out, err = run("diagram", *(word.format(tmp_path) for word in words), code=code)
    assert out == ""
    assert said in err
    assert err.startswith("error: ") and len(err.splitlines()) <= 2
    assert len([*tmp_path.iterdir()]) == 2


def test_svg_needs_neither_torch_nor_an_extra(tmp_path):
    """Nothing beyond the program's own dependencies is loaded for an SVG."""
    words = ("diagram", "resnet50", "-o", str(tmp_path / "x.svg"))
    assert_not_loaded("torch", "numpy", "matplotlib", "resvg_py", "rich", by=words)


MEASURE = """([font, direction]) => {
    const svg = document.querySelector("svg"), down = direction == "down", wrong = [];
    if (font) svg.setAttribute("font-family", font);
    const rect = (e) => e.getBoundingClientRect(), name = (e) => e.id || e.textContent;
    const apart = (a, b) => a.right <= b.left + .5 || b.right <= a.left + .5
                         || a.bottom <= b.top + .5 || b.bottom <= a.top + .5;
    const within = (a, b, by = .5) => a.left >= b.left - by && a.right <= b.right + by
                                   && a.top >= b.top - by && a.bottom <= b.bottom + by;
    const page = rect(svg);
    for (const e of svg.querySelectorAll("text, rect, path"))
        if (!within(rect(e), page)) wrong.push("outside: " + name(e));
    const groups = [...svg.querySelectorAll("g.box")];
    const boxes = groups.map(g => ({id: g.id, at: rect(g.querySelector("rect"))}));
    for (const g of groups)
        for (const text of g.querySelectorAll("text"))
            if (!within(rect(text), rect(g.querySelector("rect")))) wrong.push("text: " + name(text));
    const things = [...boxes, ...[...svg.querySelectorAll(".words text")].map(
        t => ({id: t.textContent, at: rect(t)}))].sort((a, b) => a.at.top - b.at.top);
    things.forEach((a, at) => {
        for (const b of things.slice(at + 1)) {
            if (b.at.top > a.at.bottom) break;
            if (!apart(a.at, b.at)) wrong.push("overlap: " + a.id + " and " + b.id);
        }
    });
    for (const rule of svg.querySelectorAll(".rules path"))
        for (const b of boxes)
            if (!apart(rect(rule), b.at)) wrong.push("rule across " + b.id);
    const frames = [...svg.querySelectorAll(".frames rect")].map(rect);
    for (const frame of frames)
        for (const thing of [...things, ...frames.filter(f => f != frame).map(f => ({id: "frame", at: f}))])
            if (!apart(frame, thing.at) && !within(thing.at, frame)) wrong.push("frame: " + thing.id);
    const by = Object.fromEntries(boxes.map(b => [b.id, b.at])), near = (a, b) => Math.abs(a - b) < 1;
    for (const arc of svg.querySelectorAll("path.arc")) {
        const long = arc.getTotalLength(), from = by[arc.dataset.from], to = by[arc.dataset.to];
        const point = (at) => { const p = arc.getPointAtLength(at);
                                return {x: p.x + page.left, y: p.y + page.top}; };
        const first = point(0), last = point(long), id = arc.dataset.from + " to " + arc.dataset.to;
        const main = (p) => down ? p.y : p.x, cross = (p) => down ? p.x : p.y;
        const begin = (r) => down ? r.top : r.left, end = (r) => down ? r.bottom : r.right;
        const middle = (r) => down ? (r.left + r.right) / 2 : (r.top + r.bottom) / 2;
        const aside = near(cross(first), down ? from.right : from.top);
        const after = near(cross(first), middle(from)) && main(first) >= end(from);
        if (!after && !(aside && main(first) < end(from))) wrong.push("start: " + id);
        const edge = down ? to.right : to.top;
        const into = near(cross(last), edge) && main(last) > begin(to) && main(last) < end(to);
        const before = near(cross(last), middle(to)) && main(last) < begin(to) && main(last) > end(from);
        if (!into && !before) wrong.push("end: " + id);
        for (let at = 2; at < long - 2; at += 5) {
            const p = point(at);
            for (const b of boxes)
                if (!b.id.includes(".side") && p.x > b.at.left && p.x < b.at.right
                    && p.y > b.at.top && p.y < b.at.bottom) { wrong.push(id + " across " + b.id); at = long; }
        }
    }
    return wrong;
}"""


@pytest.fixture(scope="module")
def page():
    with browser() as chromium:
        yield chromium.new_page()


def wrong(page, drawing, font="DejaVu Sans", theme="light"):
    """What overlaps, is cut or ends nowhere, in the widest of the usual fonts."""
    show(page, svg(drawing, theme))
    return page.evaluate(MEASURE, [font, drawing.direction])


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_overlaps_and_nothing_is_cut(page, name, level, direction):
    """In a browser: texts in boxes, boxes apart, arcs from wire to box or wire, all on the page."""
    for fold in (True, False):
        assert wrong(page, drawn(name, level=level, fold=fold, direction=direction)) == []


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("theme", ["light", "dark", "paper"])
def test_columns_stay_apart(page, theme, direction):
    """Networks of different sizes and units side by side, in each theme's own font."""
    beside = drawn("vgg19", "resnet34", "se-resnet50", "resnet20", direction=direction, fold=False)
    assert wrong(page, beside, None, theme) == []
    for level in ("block", "layer"):
        blocks = units(*compare.BLOCKS, level=level)._replace(direction=direction)
        assert wrong(page, blocks, None, theme) == []


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        ("resnet50", {"shortcut": "C", "projection_pool": True, "style": "v1.5", "preact": True}),
        ("resnet18", {"projection_pool": True, "preact": True, "width": 1024, "num_classes": 7}),
        ("resnet110", {"shortcut": "gate"}),
        ("resnet110", {"shortcut": "exclusive-gate"}),
        ("resnet20", {"shortcut": "dropout", "shortcut_scale": 0.5, "body_scale": 0.5}),
        ("resnet50-d", {"input_size": (1, 1), "se_reduction": 4}),
        ("resnet34", {"input_size": (96, 500)}),
        ("vgg16_bn", {"input_size": (300, 64)}),
    ],
)
def test_uncommon_networks_are_drawn_as_well(page, base, changes):
    """Gates, scaled and dropped shortcuts, pools before projections, odd and tiny inputs."""
    network = load(base).changed(**changes)
    for level in LEVELS:
        for direction in DIRECTIONS:
            assert wrong(page, diagram([network], level, True, direction)) == []


@pytest.mark.parametrize("name", ["resnet152", "resnet1202"])
def test_the_longest_networks_stay_readable(page, name):
    """ResNet-152's 155 boxes and ResNet-1202 folded: nothing overlaps, text at its full size."""
    drawing = drawn(name, fold=name == "resnet1202")
    assert wrong(page, drawing) == []
    assert page.evaluate("document.querySelector('.box text').getBoundingClientRect().height") > 10


@pytest.mark.parametrize("level", [*LEVELS, "module", "99"])
def test_a_network_without_a_spec_is_drawn_as_well(page, tmp_path, level):
    """Skips, names of forty letters, sizes beside wires, several side by side: nothing overlaps or leaves its box."""
    networks = [load(graph_files.small(tmp_path)), load(graph_files.doubled(tmp_path / "x.onnx"))]
    for direction in DIRECTIONS:
        for fold in (None, False):
            assert wrong(page, diagram(networks, level, fold, direction)) == []


def test_a_strange_name_stays_on_the_page(page):
    """A name of the widest letters there are, markup among them, neither leaves nor becomes any."""
    drawing = diagram([load("resnet18")._replace(name=HOSTILE * 3)])
    assert wrong(page, drawing) == []
    assert page.evaluate("document.querySelectorAll('script').length") == 0


def test_texts_can_be_selected(page):
    """What is on the boxes is text to a browser, in reading order."""
    show(page, svg(drawn("resnet18")))
    said = page.evaluate("document.querySelector('.boxes').textContent")
    assert "3×3 conv, 128, /2" in said
