"""The page that report writes: what a person sees and can do there, read and in headless Chromium."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.resources import files
from io import BytesIO
from itertools import combinations, groupby, pairwise, product

import pytest
from browser import browser, show
from listed import FAMILIES
from program import run

from resnet_cli import plot
from resnet_cli.commands.report import command as report
from resnet_cli.designs import zoo
from resnet_cli.models import load
from resnet_cli.render.charts import svg_chart
from resnet_cli.render.report.page import POLICY
from resnet_cli.render.tables import html
from resnet_cli.render.themes import THEMES
from resnet_cli.tables import Answer, Column, Stack, Table

VOID = {"meta", "input", "img"}
NETWORKS = {
    "one": ["resnet50"],
    "two": ["resnet50", "resnet50-v1.5"],
    "three": ["resnet18", "vgg16", "se-resnet50"],
    "six": [
        "resnet18",
        "resnet50",
        "vgg16",
        "resnext50_32x4d",
        "wide_resnet50_2",
        "preact-resnet200",
    ],
}
WIDTHS = (1280, 800, 390)
SCREENS = (390, 768, 1280, 1920)
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<!--"
LEVELS = ("stage", "block", "layer")


class Element:
    """An element of a page with its attributes, its children and the text right in it."""

    def __init__(self, name, attributes, parent):
        self.name, self.attributes, self.parent = name, attributes, parent
        self.children, self.text = [], ""

    def all(self, *names):
        for child in self.children:
            if not names or child.name in names:
                yield child
            yield from child.all(*names)

    def words(self):
        return self.text + "".join(child.words() for child in self.children)


class Reader(HTMLParser):
    """Builds the tree of a page, and complains where an element is closed that is not open."""

    def __init__(self, text):
        super().__init__()
        self.root = self.at = Element("", {}, None)
        self.feed(text)
        assert self.at is self.root, f"{self.at.name} is not closed"

    def handle_starttag(self, name, attributes):
        assert len(dict(attributes)) == len(attributes), f"an attribute twice in {name}"
        new = Element(name, dict(attributes), self.at)
        self.at.children.append(new)
        if name not in VOID:
            self.at = new

    def handle_startendtag(self, name, attributes):
        self.at.children.append(Element(name, dict(attributes), self.at))

    def handle_endtag(self, name):
        assert self.at.name == name, f"</{name}> closes {self.at.name}"
        self.at = self.at.parent

    def handle_data(self, data):
        self.at.text += data


def written(tmp_path, *names, **options):
    target = tmp_path / "report.html"
    report(names=list(names), target=str(target), **options)
    return target


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Files of a report each for one network, two, three and six."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for key, names in NETWORKS.items():
        made[key] = folder / f"{key}.html"
        report(names=names, target=str(made[key]))
    return made


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


@pytest.fixture
def opened(chromium, pages):
    """Opens a page; at the end its console is empty, and it has asked for nothing but itself."""
    contexts, said, asked = [], [], []

    def open_page(key="one", width=1280, **options):
        contexts.append(chromium.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(pages[key].as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert all(url.startswith("file://") and url.endswith(".html") for url in asked), asked


def column(page, table, number):
    return page.locator(f"{table} tbody tr > :nth-child({number})").all_text_contents()


# What stands in the page


@pytest.mark.parametrize("key", ["one", "three"])
def test_ids_are_unique_and_links_lead_somewhere(pages, key):
    """Every id stands once, and every link and label of the page names one of them."""
    elements = list(Reader(pages[key].read_text()).root.all())
    ids = [e.attributes["id"] for e in elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    for element in elements:
        for name in ("aria-labelledby", "aria-describedby", "data-from", "for"):
            assert set(element.attributes.get(name, "").split()) <= set(ids)
        if element.name == "a":
            assert element.attributes["href"].removeprefix("#") in ids


@pytest.mark.parametrize("key", ["one", "three"])
def test_headings_are_in_order(pages, key):
    """One h1, the first; none is more than one deeper than the one before."""
    found = Reader(pages[key].read_text()).root.all("h1", "h2", "h3", "h4")
    ranks = [int(element.name[1]) for element in found]
    assert ranks[0] == 1 and ranks.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(ranks))


@pytest.mark.parametrize("key", ["one", "three"])
def test_tables_have_captions_and_scopes(pages, key):
    """Each table says what it is, each head what it heads; every row has a cell for each column."""
    tables = list(Reader(pages[key].read_text()).root.all("table"))
    assert len(tables) >= 12
    for table in tables:
        assert next(table.all("caption")).words().strip()
        rows = list(table.all("tr"))
        heads = list(rows[0].all("th"))
        assert all(head.attributes["scope"] == "col" and head.words() for head in heads)
        for row in rows[1:]:
            assert len(row.children) == len(heads)
            assert row.children[0].attributes["scope"] == "row"


@pytest.mark.parametrize("key", ["one", "three"])
def test_drawings_and_controls_have_names(pages, key):
    """A drawing has a title and a description, a box a title, a radio button a label, a pane a name."""
    root = Reader(pages[key].read_text()).root
    for drawing in root.all("svg"):
        assert [child.name for child in drawing.children[:2]] == ["title", "desc"]
    for group in root.all("g"):
        if "box" in group.attributes.get("class", "").split():
            assert group.children[0].name == "title" and group.children[0].words()
    for button in root.all("input"):
        assert button.parent.name == "label" and button.parent.words().strip()
    for element in root.all():
        if element.attributes.get("class") == "pane":
            assert element.attributes["aria-label"]


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "preact-resnet164", "se-resnext50_32x4d"])
def test_every_number_of_summary_is_in_the_page(tmp_path, name):
    """Whatever summary --json says at each level stands there with every digit, in its own row."""
    root = Reader(written(tmp_path, name).read_text()).root
    tables = list(root.all("table"))
    for level in [e.attributes["value"] for e in root.all("input")]:
        (table,) = (t for t in tables if f") by {level}" in next(t.all("caption")).words())
        answer = json.loads(run("summary", name, "--level", level, "--json")[0])
        rows = list(next(table.all("tbody")).all("tr"))
        assert len(rows) == len(answer["rows"])
        for row, raw in zip(rows, answer["rows"], strict=True):
            shown = [cell.attributes.get("title", cell.words()) for cell in row.children]
            for value in raw.values():
                if value is not None:
                    text = "×".join(map(str, value)) if isinstance(value, list) else value
                    assert (f"{text:,}" if isinstance(text, int) else text) in shown
        total = [c.attributes.get("title", c.words()) for c in next(table.all("tfoot")).all("td")]
        assert {f"{answer['total'][key]:,}" for key in ("params", "macs")} <= set(total)


def test_what_the_other_commands_say_is_in_the_page(pages):
    """Published figures, memory, receptive field, features, depth and ledger, as the commands have them."""
    text = Reader(pages["one"].read_text()).root.words()
    shown = text + " ".join(re.findall('title="([^"]*)"', pages["one"].read_text()))
    for words in (["flops"], ["receptive-field"], ["features"], ["explain", "depth"], ["memory"]):
        answer = json.loads(run(*words, "resnet50", "--json")[0])
        for row in answer["rows"]:
            for value in row.values():
                if isinstance(value, int):
                    assert f"{value:,}" in shown, (words, value)
    for ledger in json.loads(run("flops", "resnet50", "--reconcile", "--json")[0])["ledgers"]:
        assert all(f"{term['count']:,} {term['term']}" in text for term in ledger["terms"])
    for figure in json.loads(run("summary", "resnet50", "--json")[0])["published"]:
        assert figure["printed"].split()[0] in text and figure["source"] in text


def test_memory_at_several_batch_sizes(pages):
    """The peak of each batch is what memory --batch says."""
    tables = Reader(pages["one"].read_text()).root.all("table")
    (table,) = (t for t in tables if "Memory by batch" in next(t.all("caption")).words())
    rows = list(next(table.all("tbody")).all("tr"))
    assert len(rows) >= 3
    for row in rows:
        batch, *_, training, inference = row.children
        said = json.loads(run("memory", "resnet50", "--batch", batch.words(), "--json")[0])["bytes"]
        assert training.attributes["title"] == f"{said['training']:,} bytes"
        assert inference.attributes["title"] == f"{said['inference']:,} bytes"


def test_several_networks_are_compared_and_each_has_its_chapter(pages):
    """The comparison of compare comes first, with a drawing of all, then a chapter a network."""
    root = Reader(pages["three"].read_text()).root
    articles = list(root.all("article"))
    names = ["resnet18", "vgg16", "se-resnet50"]
    assert [next(a.all("h2")).words() for a in articles] == ["Comparison", *names]
    raw = json.loads(run("compare", "resnet18", "vgg16", "se-resnet50", "--json")[0])
    markup = pages["three"].read_text()
    digits = " ".join(re.findall('title="([^"]*)"', markup))
    assert all(f"{row['macs']:,}" in digits for row in raw["rows"])
    text = articles[0].words()
    for row in raw["rows"]:  # memory and receptive field with all their digits
        assert f"{row['memory']:,} bytes" in digits and f">{row['receptive_field']:,}<" in markup
    cells = [cell.words() for cell in articles[0].all("td")]
    for line in raw["errors"]:  # what a table prints of one network alone is in its chapter
        printed = [cell for cell in line["networks"] if cell["printed"] is not None]
        for cell in printed:
            assert len(printed) == 1 or f"{cell['printed']:g}%" in cells
            assert cell["source"] in (text if len(printed) > 1 else root.words())
    drawings = [svg for svg in articles[0].all("svg") if svg.attributes["class"] == "diagram"]
    assert [next(svg.all("title")).words() for svg in drawings] == names
    heights = {svg.attributes["height"] for svg in drawings}
    assert len(heights) == 1  # the rows are those of all


def test_exact_shows_every_digit(tmp_path):
    """With --exact the texts have the digits that titles have without."""
    text = Reader(written(tmp_path, "resnet50", exact=True).read_text()).root.words()
    assert "25,557,032" in text and "25.56M" not in text.split("resnet50 (ResNet)")[-1]


LAST = {spec.family: spec for spec in zoo.NETWORKS}.values()
"""The largest of each family."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(spec.name, marks=() if spec in FAMILIES else pytest.mark.slow)
        for spec in dict.fromkeys((*FAMILIES, *LAST))
    ],
)
def test_every_stage_of_every_network_has_its_box_and_row(tmp_path, name):
    """A row of each table is marked by a box of the drawing, in two networks per family; without blocks no level shows them."""
    root = Reader(written(tmp_path, name).read_text()).root
    levels = [e.attributes["value"] for e in root.all("input")]
    has_blocks = any(row.block for row in load(name).rows)
    assert levels == [level for level in LEVELS if level != "block" or has_blocks]
    keys = dict(zip(LEVELS, ("data-stage", "data-label", "data-path"), strict=True))
    for level in levels:
        key = keys[level]
        (view,) = (e for e in root.all("div") if e.attributes.get("data-level") == level)
        things = [e for e in next(view.all("svg")).all("g", "path") if key in e.attributes]
        boxes = {value for e in things for value in e.attributes[key].split()}
        rows = {e.attributes[key] for e in view.all("tr") if key in e.attributes}
        assert rows and rows <= boxes, (level, rows - boxes)


def test_a_page_is_small(tmp_path):
    """Under 1 MB for resnet152 with every layer, and under half of it for resnet50."""
    assert written(tmp_path, "resnet152").stat().st_size < 1_000_000
    assert written(tmp_path, "resnet50").stat().st_size < 500_000


def test_a_page_is_the_same_every_time(tmp_path):
    """Two reports of one network are equal, byte by byte."""
    assert written(tmp_path, "resnet18").read_bytes() == written(tmp_path, "resnet18").read_bytes()


def test_a_network_too_long_to_read_has_no_layer_table(tmp_path, monkeypatch):
    """Above a limit the page leaves the layers out, and says how many there are."""
    monkeypatch.setattr("resnet_cli.answers.report.MOST_LAYERS", 100)
    root = Reader(written(tmp_path, "resnet50").read_text()).root
    assert [e.attributes["value"] for e in root.all("input")] == ["stage", "block"]
    assert "the 175 layers have no table and no chart" in root.words()
    charts = [svg for svg in root.all("svg") if svg.attributes["class"] == "chart"]
    assert [next(chart.all("title")).words() for chart in charts] == ["Cost by stage"]


def test_a_dash_is_stdout(tmp_path, capsys):
    """The page that a file would hold."""
    report(names=["resnet18"], target="-")
    assert capsys.readouterr().out == written(tmp_path, "resnet18").read_text()


def test_names_from_a_file_are_text(tmp_path):
    """A name that is HTML stands there as it is typed, and makes no element."""
    own = tmp_path / "own.toml"
    own.write_text(
        f"base = 'resnet18'\nname = {json.dumps(HOSTILE)}\nfamily = {json.dumps(HOSTILE)}\n"
    )
    for names in ([str(own)], [str(own), "resnet18"]):
        root = Reader(written(tmp_path, *names).read_text()).root
        assert not list(root.all("img")) and len(list(root.all("script"))) == 1
        assert HOSTILE in next(root.all("h1")).words()
        assert not any(name.startswith("on") for e in root.all() for name in e.attributes)


def test_paths_of_files_are_text(tmp_path):
    """The footer has the command as it was typed, whatever the file is called."""
    own = tmp_path / "<img src=x onerror=alert(1)>.toml"
    own.write_text("base = 'resnet18'\nname = 'mine'\n")
    root = Reader(written(tmp_path, str(own)).read_text()).root
    assert not list(root.all("img")) and str(own) in next(root.all("footer")).words()


def test_the_page_may_load_nothing():
    """The policy that a browser holds it to has no place to load from."""
    assert POLICY.startswith("default-src 'none'")
    assert "http" not in POLICY and "*" not in POLICY


def test_the_format_html_is_a_page_with_every_table():
    """`-f html` writes the same table elements, with what is counted below them."""
    root = Reader(run("flops", "resnet50", "-f", "html")[0]).root
    assert len(list(root.all("table"))) == 3
    assert "multiply-accumulates" in next(root.all("body")).words()


def test_cells_are_escaped_and_shortened_numbers_keep_their_digits():
    """Text of any kind of column is text; a title has the digits that K, M and G leave out."""
    columns = (Column("a", "<a>"), Column("b", "b", "count"), Column("c", "c", "mixed"))
    table = Table("rows", HOSTILE, columns, [(HOSTILE, 1_234_567, Stack((HOSTILE, "x")))])
    root = Reader(html.render(Answer({"command": "x"}, [table], [HOSTILE]), False)).root
    assert not list(root.all("img"))
    assert next(root.all("caption")).words() == HOSTILE
    cells = list(next(root.all("tbody")).all("td"))
    assert (cells[0].words(), cells[0].attributes["title"]) == ("1.235M", "1,234,567")
    assert cells[1].words() == f"{HOSTILE}\nx"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("resnet50",), 2, "report resnet50 -o report.html"),
        (("resnet50", "-o", "report.pdf"), 2, ".html"),
        (("resnet50", "-o", "report"), 2, ".html"),
        (("resnet50", "-o", "/no/such/folder/report.html"), 1, "cannot write"),
        (("resent50", "-o", "report.html"), 2, "did you mean 'resnet50'"),
        (("basic", "-o", "report.html"), 2, "no network named"),
        (("resnet50", *["resnet18"] * 20, "-o", "report.html"), 2, "out of range"),
        (("-o", "report.html"), 2, "Missing argument"),
    ],
)
def test_bad_input_is_one_clear_message(tmp_path, monkeypatch, words, code, said):
    """An error line, the right exit status, and no file."""
    monkeypatch.chdir(tmp_path)
    out, err = run("report", *words, code=code)
    assert out == "" and said in err and err.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_written_over(tmp_path):
    """A directory called report.html stays one."""
    (tmp_path / "report.html").mkdir()
    _, err = run("report", "resnet50", "-o", str(tmp_path / "report.html"), code=1)
    assert "is a directory" in err
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_report_loads_neither_torch_nor_an_extra():
    """It needs the standard library, Typer and itself alone; not even rich."""
    code = (
        "import sys; from resnet_cli.commands.report import command\n"
        "import tempfile, os; folder = tempfile.mkdtemp()\n"
        "command(names=['resnet50'], target=os.path.join(folder, 'x.html'))\n"
        "heavy = {'torch', 'numpy', 'matplotlib', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_stand_out(theme):
    """Every text has a contrast of at least 4.5 with what is behind it (WCAG 2.2, 1.4.3)."""
    style = files("resnet_cli.render.report").joinpath("report.css").read_text()
    rules = style.split("@media screen")[1 if theme == "dark" else 0]
    own = dict(re.findall(r"--(\w+): (#\w+)", rules.split("}")[0]))
    colours = THEMES[theme]
    fills = [fill for fill, _ in colours.rows]
    pairs = [
        (colours.text, back)
        for back in (colours.background, own["wash"], own["mark"], own["bar"], *fills)
    ]
    pairs += [(text, colours.background) for text in (colours.faint, own["accent"])]
    for text, back in pairs:
        assert contrast(text, back) >= 4.5, (text, back)


def test_a_colour_of_the_diagram_has_one_variable():
    """The page swaps colours of the light theme for variables, so no two of them may be equal."""
    light = THEMES["light"]
    colours = [c for key, c in light._asdict().items() if key not in ("rows", "font")]
    colours += [colour for row in light.rows for colour in row]
    assert len(colours) == len(set(colours))
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)


@pytest.mark.parametrize("key", ["one", "three"])
def test_the_drawings_have_the_pages_colours(pages, key):
    """Every colour in a drawing is a variable, so that none stays light in dark mode."""
    for drawing in re.findall("<svg.*?</svg>", pages[key].read_text(), re.DOTALL):
        assert set(re.findall('(?:fill|stroke)="(.*?)"', drawing)) - {"none"} and "#" not in drawing


def contrast(one, other):
    """The contrast ratio of two colours (WCAG 2.2)."""

    def luminance(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


# What a person can do with it


def test_pointing_at_a_box_marks_its_rows_and_back(opened):
    """A stage's box marks its row in every table; a row marks its boxes."""
    page = opened()
    page.locator("g.box[data-stage=conv3_x]").first.hover()
    marked = page.locator("tr.marked").evaluate_all("rows => rows.map(row => row.dataset.stage)")
    assert marked.count("conv3_x") >= 4
    page.locator("#n1-cost tr[data-stage=conv5_x]").hover()
    boxes = page.locator("[data-level=stage] g.box.marked")
    assert boxes.evaluate_all("boxes => boxes.map(box => box.dataset.stage)") == ["conv5_x"]
    page.locator("h1").hover()
    assert page.locator(".marked").count() == 0


@pytest.mark.parametrize(
    ("level", "box", "row"),
    [
        ("block", "[data-label=conv4_1]", "tr[data-label=conv4_1]"),
        ("layer", '[data-path="layer2.0.conv1"]', 'tr[data-path="layer2.0.conv1"]'),
        ("layer", '[data-path="layer3.0.downsample.0"]', 'tr[data-path="layer3.0.downsample.0"]'),
    ],
)
def test_marking_at_the_other_levels(opened, level, box, row):
    """A convolution's box marks its block or layer, and the row marks the box."""
    page = opened()
    page.get_by_label(level, exact=True).check()
    page.locator(f"[data-level={level}] g.box{box}").first.hover()
    assert "marked" in page.locator(row).get_attribute("class")
    page.locator("h2").first.hover()
    page.locator(row).hover()
    assert page.locator(f"[data-level={level}] g.box{box}.marked").count() >= 1


def test_a_chapter_marks_only_its_own(opened):
    """Equal names of two networks are two things."""
    page = opened("three")
    page.locator("#n1 [data-level=stage] g.box[data-stage=conv3_x]").hover()
    assert page.locator("#n1 .marked").count() >= 4
    assert page.locator(".marked").count() == page.locator("#n1 .marked").count()


def test_the_other_pane_scrolls_to_what_is_marked(opened):
    """A box far down the drawing brings its row into view, without moving the page."""
    page = opened()
    page.get_by_label("layer", exact=True).check()
    box = page.locator('[data-level=layer] g.box[data-path~="layer4.2.conv3"]')
    box.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    box.hover()
    view = page.locator("[data-level=layer] .pane").nth(1).bounding_box()
    row = page.locator("[data-level=layer] tr.marked").first.bounding_box()
    assert view["y"] <= row["y"] and row["y"] + row["height"] <= view["y"] + view["height"]
    assert page.evaluate("scrollY") == before


def test_tables_sort_by_click_and_key(opened):
    """A head sorts up, down and back; it says so, and the total stays below."""
    page = opened()
    table = "[data-level=stage] table"
    head = page.locator(f"{table} thead th").filter(has_text="MACs")
    original = column(page, table, 1)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, table, 1) == ["fc", "conv1", "conv2_x", "conv5_x", "conv3_x", "conv4_x"]
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, table, 1)[0] == "conv4_x"
    assert page.locator(f"{table} tfoot th").text_content() == "total"
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "none"
    assert column(page, table, 1) == original


def test_sorting_by_bytes_shapes_and_names(opened):
    """KiB and MiB sort by their bytes, shapes by their elements, names as one counts."""
    page = opened()
    memory = "#n1-memory .pane:last-of-type table"
    page.locator(f"{memory} thead button").filter(has_text="live").click()
    order = column(page, memory, 1)
    assert order[:2] == ["fc", "input"] and order[-1] == "conv2_x"
    stages = "[data-level=stage] table"
    page.locator(f"{stages} thead button").filter(has_text="output").click()
    assert column(page, stages, 1)[:2] == ["fc", "conv5_x"]
    page.get_by_label("layer", exact=True).check()
    layers = "[data-level=layer] table"
    head = page.locator(f"{layers} thead button")
    at = head.all_text_contents().index("kernel") + 1
    head.filter(has_text="kernel").click()
    kernels = column(page, layers, at)
    assert kernels == sorted(kernels, key=lambda text: (text == "", text))


def test_the_keyboard_walks_over_boxes_and_rows(opened):
    """A drawing and a table are one stop each; arrows go on, and what has the focus is marked."""
    page = opened()
    boxes = page.locator("[data-level=stage] g.box[tabindex]")
    assert boxes.evaluate_all("b => b.map(e => e.tabIndex)") == [0] + [-1] * 5
    boxes.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.stage") == "conv3_x"
    assert page.locator("[data-level=stage] tr.marked th").text_content() == "conv3_x"
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.dataset.stage") == "fc"
    page.locator("[data-level=stage] tr[data-stage=conv1]").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.stage") == "conv2_x"
    assert page.evaluate("document.activeElement.tagName") == "TR"


@pytest.mark.parametrize("script", [True, False])
def test_the_level_switch(opened, script):
    """One level is shown, and another after a choice by mouse or arrow key, also without a script."""
    page = opened(java_script_enabled=script)
    view = page.locator(".level:visible")
    assert view.get_attribute("data-level") == "stage"
    page.get_by_text("layer", exact=True).first.click()
    assert view.get_attribute("data-level") == "layer"
    page.keyboard.press("ArrowLeft")
    assert view.get_attribute("data-level") == "block"
    assert view.locator("svg").is_visible() and view.locator("table").is_visible()


def test_without_a_script_everything_is_there(opened):
    """The same text, apart from nothing: no button without a function, no empty place."""
    still, live = opened(java_script_enabled=False), opened()
    assert still.locator("main").inner_text() == live.locator("main").inner_text()
    assert still.locator("button").count() == 0
    assert still.locator("tbody").count() == still.locator("table").count() >= 12


@pytest.mark.parametrize("key", ["one", "three"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(opened, key, width):
    """The page is as wide as the window; no text leaves its cell, box or pane."""
    page = opened(key, width)
    for level in LEVELS:
        for choice in page.get_by_label(level, exact=True).all():
            choice.check()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERFLOWING) == []


OVERFLOWING = """() => {
  const found = [];
  const range = document.createRange();
  const shown = (element) => element.getClientRects().length;
  for (const element of document.querySelectorAll("th, td, dt, dd, li, p, h1, h2, h3, caption, label")) {
    if (!shown(element) || !element.textContent) continue;
    range.selectNodeContents(element);
    const [text, box] = [range.getBoundingClientRect(), element.getBoundingClientRect()];
    if (text.right > box.right + 1 || text.left < box.left - 1 || text.bottom > box.bottom + 1)
      found.push(element.textContent);
  }
  for (const box of document.querySelectorAll("g.box")) {
    if (!shown(box)) continue;
    const outer = box.querySelector("rect").getBoundingClientRect();
    for (const text of box.querySelectorAll("text")) {
      const inner = text.getBoundingClientRect();
      if (inner.left < outer.left - 1 || inner.right > outer.right + 1) found.push(text.textContent);
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def on_screens(chromium, pages):
    """What a script finds in a page, by width, where it finds anything; each page is opened once."""
    opened = {}

    def measure(key, script):
        if key not in opened:
            opened[key] = chromium.new_page()
            opened[key].goto(pages[key].as_uri())
        answers = {}
        for width in SCREENS:
            opened[key].set_viewport_size({"width": width, "height": 900})
            answers[width] = opened[key].evaluate(script)
        return {width: answer for width, answer in answers.items() if answer}

    yield measure
    for page in opened.values():
        page.close()


@pytest.mark.parametrize("key", NETWORKS)
def test_no_column_is_off_screen_without_a_cue(on_screens, key):
    """On every screen what is wider than its place scrolls, in a pane whose edge is shaded while there is more."""
    assert on_screens(key, OFF_SCREEN) == {}
    beyond = "Math.max(document.documentElement.scrollWidth - innerWidth, 0)"
    assert on_screens(key, beyond) == {}


OFF_SCREEN = """() => [...document.querySelectorAll("table, svg, pre, dl, ul, h1, h2, h3, fieldset")].filter((part) => {
  const { left, right, width } = part.getBoundingClientRect();
  if (!width || (left >= 0 && right <= innerWidth)) return false;
  const pane = part.closest(".pane"), style = pane && getComputedStyle(pane);
  return !pane || style.overflowX != "auto" || pane.getBoundingClientRect().right > innerWidth
    || style.backgroundAttachment != "local, scroll" || !style.backgroundImage.includes("linear-gradient");
}).map((part) => part.textContent.slice(0, 80))"""


def test_the_shade_goes_when_the_last_column_is_seen(opened):
    """At the right edge of a table on a phone: darker than the page before it is scrolled, and not after."""
    image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    page = opened("one", 390)
    pane = page.locator("[data-level=stage] div.pane")

    def lightness():
        painted = image.open(BytesIO(pane.screenshot())).convert("L")
        return sorted(painted.getpixel((painted.width - 2, y)) for y in range(painted.height))[5]

    before = lightness()
    pane.evaluate("pane => pane.scrollLeft = 10000")
    assert before < 200 and lightness() > 220


def test_params_and_macs_are_seen_on_a_phone(opened):
    """The columns of parameters and MACs of every network's stages end within 390 pixels."""
    page = opened("three", 390)
    for head in ("params", "MACs"):
        heads = page.locator("[data-level=stage] thead th").filter(has_text=head)
        ends = heads.evaluate_all("heads => heads.map(e => e.getBoundingClientRect().right)")
        assert len(ends) == 3 and max(ends) < 390


@pytest.mark.parametrize("key", NETWORKS)
def test_no_third_of_the_width_is_empty(on_screens, key):
    """In every section tables, drawings, charts and notes leave no gap of a third of the screen, nor its sides."""
    assert on_screens(key, EMPTY) == {}


EMPTY = """() => [...document.querySelectorAll("section, article > header:has(dl)")].filter((section) => {
  const range = document.createRange();
  const parts = [...section.querySelectorAll("table, svg, pre, .notes li, dl > div")].map((part) => {
    range.selectNodeContents(part);
    return (part.matches("li, dl > div") ? range : part).getBoundingClientRect();
  }).filter((part) => part.width).sort((a, b) => a.left - b.left);
  let [end, gap] = [0, 0];
  for (const { left, right } of parts) [gap, end] = [Math.max(gap, left - end), Math.max(end, right)];
  return Math.max(gap, innerWidth - end) > innerWidth / 3;
}).map((section) => section.id)"""


@pytest.mark.parametrize("key", ["two", "three", "six"])
def test_drawings_side_by_side_are_whole_and_readable(on_screens, key):
    """On large screens every network's drawing is on the page, at one scale, those of a line at one height."""
    answers = on_screens(key, SIDE_BY_SIDE)
    for width in (1280, 1920):
        places = answers[width]
        assert len(places) == len(NETWORKS[key])
        for _, left, right, _, hidden in places:
            assert left >= 0 and right <= width and hidden == 0
        scales = [scale for *_, scale, _ in places]
        assert max(scales) - min(scales) < 0.01 and max(scales) <= 1
        assert 11 * min(scales) >= 8.5  # pixels of the texts on boxes
        assert len({round(top) for top, *_ in places}) == -(-len(places) // 4)


SIDE_BY_SIDE = """() => [...document.querySelectorAll(".abreast svg")].map((drawing) => {
  const { top, left, right, width } = drawing.getBoundingClientRect(), pane = drawing.closest(".pane");
  return [top, left, right, width / drawing.width.baseVal.value, pane.scrollWidth - pane.clientWidth];
})"""


def test_charts_have_the_numbers_of_plot(pages):
    """Bars say what plot cost has for each stage, and the lines of memory have a place for every layer."""
    drawings = [
        e
        for e in Reader(pages["one"].read_text()).root.all("svg")
        if e.attributes["class"] == "chart"
    ]
    cost, memory, field = drawings
    told = [title.words() for bar in cost.all("rect") for title in bar.all("title")]
    for series in plot("cost", "resnet50").data()["series"]:
        assert f"resnet50, {series['name']}: {series['points'][0]['x']:,} MACs" in told
    ways = [e.attributes["d"] for e in memory.all("path") if "--series" in e.attributes["stroke"]]
    assert [way.count("L") + 1 for way in ways if "h" not in way] == [
        len(load("resnet50").rows)
    ] * 3
    (series,) = plot("receptive-field", "resnet50").data()["series"]
    (way,) = (e.attributes["d"] for e in field.all("path") if "--series" in e.attributes["stroke"])
    assert way.count("L") + 1 == len(series["points"])


def test_long_lines_keep_their_peaks():
    """Of 100,000 layers a line has four places for each pixel across at most, the highest and lowest among them."""
    places = [(at * 480 / 100_000, float(at * 7919 % 1000)) for at in range(100_000)]
    thinned = [*svg_chart._thinned(places)]
    assert len(thinned) <= 4 * 481
    for whole, kept in zip(by_pixel(places), by_pixel(thinned), strict=True):
        assert (min(whole), max(whole)) == (min(kept), max(kept))
        assert (whole[0], whole[-1]) == (kept[0], kept[-1])


def by_pixel(places):
    """Heights by the pixel across that they are in, from left to right."""
    return [
        [height for _, height in group]
        for _, group in groupby(places, key=lambda place: round(place[0]))
    ]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("cost", ["resnet18", "x" * 90, "resnet50"]),
        ("memory", ["vgg19"]),
        ("memory", ["preact-resnet200"]),
        ("receptive-field", ["vgg16", "resnet18", "y" * 90, "resnet152", "resnext50_32x4d"]),
        ("paths", ["resnet110", "resnet18"]),
    ],
)
def test_no_text_of_a_chart_meets_another(chromium, kind, names):
    """In the widest usual font all texts lie on the picture and apart."""
    networks = [load("resnet34")._replace(name=n) if len(n) > 80 else load(n) for n in names]
    page = chromium.new_page()
    show(
        page,
        svg_chart.svg(plot(kind, *networks).chart, "x").replace(
            "<svg ", "<svg font-family='DejaVu Sans' ", 1
        ),
    )
    boxes = page.locator("text").evaluate_all(
        "all => all.map(e => [e.textContent, e.getBoundingClientRect()]).map(([t, r]) => [t, r.left, r.top, r.right, r.bottom])"
    )
    view = page.locator("svg").bounding_box()
    page.close()
    for text, left, top, right, bottom in boxes:
        assert (
            left >= 0 and top >= -1 and right <= view["width"] + 1 and bottom <= view["height"] + 1
        ), text
    for (one, a, b, c, d), (other, e, f, g, h) in combinations(boxes, 2):
        assert c <= e + 1 or g <= a + 1 or d <= f + 3 or h <= b + 3, (one, other)


def test_dark_mode_follows_the_system(opened):
    """The page and the boxes have the dark theme's colours, and print has the light ones."""
    page = opened(color_scheme="dark")
    fill = "getComputedStyle(document.querySelector('g.stage.row1 rect')).fill"
    back = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(back) == rgb(THEMES["dark"].background)
    assert page.evaluate(fill) == rgb(THEMES["dark"].rows[1][0])
    page.emulate_media(media="print")
    assert page.evaluate(back) == rgb(THEMES["light"].background)
    assert page.evaluate(fill) == rgb(THEMES["light"].rows[1][0])


def rgb(colour):
    """#102030 as a browser says it."""
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


@pytest.mark.parametrize(
    ("key", "level"),
    [
        ("one", "stage"),
        *(
            pytest.param(*page, marks=pytest.mark.slow)
            for page in (
                ("one", "block"),
                ("one", "layer"),
                *product(["three"], LEVELS),
                ("six", "stage"),
            )
        ),
    ],
)
def test_a_print_on_a4_cuts_nothing(opened, key, level):
    """Within the margins of A4 every table and drawing fits; switch and contents are left out."""
    page = opened(key, round((210 - 2 * 14) / 25.4 * 96))
    for choice in page.get_by_label(level, exact=True).all():
        choice.check()
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert page.evaluate(OVERFLOWING) == []
    assert page.locator("nav:visible, fieldset:visible").count() == 0
    wide = "e => e.filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.textContent)"
    assert page.locator("table:visible, svg:visible").evaluate_all(wide) == []
    pdf = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", pdf)
    assert boxes and all(round(float(w)) in (595, 596) and round(float(h)) == 842 for w, h in boxes)


def test_a_page_with_hostile_names_runs_nothing_of_theirs(chromium, tmp_path):
    """No dialog, no element and no error comes of names that are HTML."""
    own = tmp_path / "own.toml"
    own.write_text(
        f"base = 'resnet18'\nname = {json.dumps(HOSTILE)}\nfamily = {json.dumps(HOSTILE)}\n"
    )
    page, happened = chromium.new_page(), []
    page.on("dialog", lambda dialog: happened.append(dialog.message))
    page.on("console", lambda message: happened.append(message.text))
    page.on("pageerror", lambda error: happened.append(str(error)))
    page.goto(written(tmp_path, str(own), "resnet18").as_uri())
    page.locator("g.box[data-stage=conv3_x]").first.hover()
    assert page.locator("tr.marked").count() >= 1
    assert page.locator("img").count() == 0 and happened == []
    assert HOSTILE in page.locator("h1").text_content()
    page.close()
