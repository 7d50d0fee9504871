"""plot: the numbers of a chart are those of the analyses, and what is drawn can be read."""

import json
import random
import re
import xml.etree.ElementTree as ElementTree
from io import BytesIO
from itertools import combinations, pairwise
from math import comb, hypot

import pytest
from listed import rows_of
from program import run

import resnet_cli
from resnet_cli.analyses import plot
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.field import receptive_field
from resnet_cli.analyses.field.paths import lengths
from resnet_cli.analyses.gradient import Measured, blocks
from resnet_cli.analyses.memory.memory import Settings, by_level
from resnet_cli.analyses.memory.memory import memory as needed
from resnet_cli.analyses.published import described
from resnet_cli.analyses.tradeoff import SETTINGS, front, published, tradeoff
from resnet_cli.answers import needs
from resnet_cli.charts import Axis, Chart, Point, Series
from resnet_cli.commands import plot as command
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.published import figures
from resnet_cli.render.charts import chart_data, terminal_chart
from resnet_cli.render.charts.chart_style import STYLES
from resnet_cli.render.charts.placement import Extent, place
from resnet_cli.render.charts.scale import Scale, scales
from resnet_cli.render.themes import THEMES


def traced(*names):
    return [load(name) for name in names]


def a_gradient():
    """Made up: two networks, three seeds."""
    made = []
    for network in traced("resnet20", "plain56"):
        n = 9 if network.name == "resnet20" else 27
        norms = [[(seed + 2) * 10 ** (-at / 5) for at in range(n)] for seed in range(3)]
        made.append(Measured(network.name, network, norms, blocks(network.rows)))
    return plot.gradient(made, 3, 8)


LONG = [load("resnet50")._replace(name="x" * 80), load("resnet18")._replace(name="_y $\\frac$")]
CHARTS = {
    "cost": plot.cost(traced("vgg19", "plain34", "resnet34", "resnet152", "resnext101_32x8d"), "macs"),
    "params": plot.cost(traced("resnet50", "resnet110"), "params"),
    "many": plot.cost([s for s in traced(*zoo.names()) if s[1][0].input[1] == 224][:24], "macs"),
    "memory": plot.memory(load("resnet50"), 32),
    "memory of a plain network": plot.memory(load("vgg11"), 1),
    "receptive-field": plot.receptive_field(traced("vgg16", "resnet18", "resnet50", "resnet152", "resnet110")),
    "gradient": a_gradient(),
    "paths": plot.paths(traced("resnet18", "resnet50", "resnet101", "resnet152", "resnet110", "resnet164",
                               "se-resnet50", "preact-resnet1001")),
    "long names": plot.receptive_field(LONG),
    **{f"tradeoff {data} {crops} {of}": tradeoff(setting, figures(), of)
       for (data, crops), setting in SETTINGS.items() for of in ("macs", "params")},
}  # fmt: skip
TRADEOFFS = [name for name in CHARTS if name.startswith("tradeoff")]
every_chart = pytest.mark.parametrize("name", CHARTS)


# the numbers


@pytest.mark.parametrize("of", ["macs", "params"])
def test_cost_adds_up_to_the_total(of):
    """The stages of every network sum to its MACs or parameters."""
    for network in traced(*zoo.names()):
        bars = [point for series in plot.cost([network], of).series for point in series.points]
        assert sum(bar.x for bar in bars) == counts.totals(network.rows)[of]


def test_stages_of_one_number_are_one_series():
    """VGG's conv1_x and a ResNet's conv1 share a colour, and fc comes last."""
    names = [series.name for series in plot.cost(traced("resnet50", "vgg16"), "macs").series]
    assert names == ["conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "fc"]


def test_macs_of_different_inputs_are_not_compared():
    """ImageNet's and CIFAR's networks share a chart of parameters, and none of MACs."""
    both = traced("resnet50", "resnet20")
    with pytest.raises(UserError, match="3×224×224"):
        plot.cost(both, "macs")
    assert plot.cost(both, "params").y.categories == ["resnet50", "resnet20"]


def test_receptive_fields_end_at_those_of_the_features():
    """The last layer of every network sees what `receptive-field` says of its last stage."""
    for network in traced(*zoo.names()):
        rows = network.rows
        points = plot.receptive_field([network]).series[0].points
        linear = sum(counts.is_counted(row) and row.stage == "fc" for row in rows)
        assert len(points) == counts.totals(rows)["layers"] - linear
        if not network.name.startswith("vgg"):  # a pool follows there
            assert points[-1].y == receptive_field.features(rows)[1].size
    assert [p.y for p in plot.receptive_field(traced("vgg16")).series[0].points][-1] == 196


def test_paths_are_binomial():
    """resnet50's 2^16 paths: C(16, k) of them through k blocks of three layers."""
    points = plot.paths(traced("resnet50")).series[0].points
    assert points == [Point(2 + 3 * k, comb(16, k) / 2**16) for k in range(17)]


def test_shares_of_all_paths_sum_to_one():
    """Also where their number is larger than a float holds (resnet1202: 2^600)."""
    for network in traced("resnet18", "preact-resnet164", "resnet1202", "se-resnet50"):
        rows = network.rows
        points = plot.paths([network]).series[0].points
        assert sum(p.y for p in points) == pytest.approx(1)
        assert [p.x for p in points] == [length.layers for length in lengths(rows)]


@pytest.mark.parametrize("batch", [1, 32])
@pytest.mark.parametrize(
    "name", ["resnet50", "vgg16", "se-resnet50", "resnet110", "preact-resnet18"]
)
def test_memory_peaks_where_memory_says(name, batch):
    """The lines' maxima are the command's totals without what is there always."""
    network = load(name)
    rows = network.rows
    needs = needed(rows, Settings())
    _, total = by_level(needs, batch)
    chart = plot.memory(network, batch)
    backward, saved, inference = ([p.y for p in series.points] for series in chart.series)
    assert max(inference) == total["live"] == total["inference"] - needs.resident
    assert saved[-1] == total["saved"]
    assert max(backward) == total["training"] - needs.training.always.of(batch)
    assert chart.bands[0].start == 0.5
    assert chart.bands[-1].end == len(rows) + 0.5


def test_gradient_has_median_and_spread():
    """Of seeds' norms 2, 3 and 4 times a tenth: the middle, the least and the largest."""
    first = a_gradient().series[0].points[5]
    assert (first.x, first.label) == (6, "conv3_3")
    assert [first.low, first.y, first.high] == pytest.approx([0.2, 0.3, 0.4])


def test_a_gradient_that_vanishes_is_said():
    """Norms of 0 have no logarithm: left out, and an error where no other is left."""
    network = load("resnet20")
    places = blocks(network.rows)
    some = plot.gradient([Measured("resnet20", network, [[0.0] * 4 + [1.0] * 5], places)], 1, 8)
    assert [p.x for p in some.series[0].points] == [5, 6, 7, 8, 9]
    with pytest.raises(UserError, match="vanishes"):
        plot.gradient([Measured("resnet20", network, [[0.0] * 9], places)], 1, 8)


# published errors against cost


@pytest.mark.parametrize("setting", SETTINGS.values())
def test_points_are_printed_errors_and_computed_costs(setting):
    """Each error has a figure's digits, printed in this setting for a network of this cost."""
    costs = {}
    for figure in figures():
        if (
            figure.network
            and figure.quantity == setting.quantity
            and setting.tested in figure.setting
        ):
            spec = described(figure.network, figure.overrides)
            if spec is None:
                continue
            total = counts.totals(rows_of(spec))
            if spec.input_size == setting.input_size:
                costs.setdefault(figure.printed, []).append((total["macs"], total["params"]))
    macs, params = (tradeoff(setting, figures(), of).series for of in ("macs", "params"))
    for by_macs, by_params in zip(macs[1:], params[1:], strict=True):
        for one, other in zip(by_macs.points, by_params.points, strict=True):
            assert (one.label, one.y) == (other.label, other.y)
            known = [c for printed, c in costs.items() if float(printed) == one.y]
            assert any((one.x, other.x) in each for each in known), one


def test_known_points():
    """Errors as printed in He et al. 2015 and 2016 and by Zagoruyko & Komodakis, each at its MACs."""

    def points(*setting):
        return {
            p.label: (series.name, p.x, p.y)
            for series in tradeoff(SETTINGS[setting], figures(), "macs").series[1:]
            for p in series.points
        }

    ten, one, cifar = points("imagenet", 10), points("imagenet", 1), points("cifar10", 1)
    assert ten["resnet152"] == ("ResNet", 11_282_415_616, 21.43)
    assert one["resnet152"] == ("ResNet", 11_282_415_616, 23.0)
    assert one["resnet50"][2] == 24.7
    assert one["WRN-18 width 2.0"][::2] == ("Wide ResNet", 25.58)
    assert one["preact-resnet18"][::2] == ("pre-activation", 30.4)
    assert cifar["resnet110"] == ("ResNet", 252_887_680, 6.43)
    assert cifar["wrn-28-10"] == ("Wide ResNet", 5_243_328_768, 4.0)
    assert cifar["wrn-40-8"][::2] == ("Wide ResNet, ZCA preprocessing", 4.66)
    assert not set(ten) & {"preact-resnet200", "resnet50-v1.5"}
    assert one["preact-resnet200"][2] == 21.66  # not He et al. 2016's of 320×320


@pytest.mark.parametrize("setting", SETTINGS.values())
def test_no_other_training_or_figure_is_taken(setting):
    """Neither a deviation nor errors with stochastic depth or other augmentation are drawn."""
    for one in published(setting, figures()):
        for words in ("std", "stochastic", "augmentation", "mini-batch"):
            assert words not in one.figure.setting.split(",")[-1] + one.figure.printed_name
        assert float(one.figure.printed) > 2


@pytest.mark.parametrize("name", TRADEOFFS)
def test_every_network_with_an_error_is_there_once(name):
    """No network has two points, and each that figures.csv has an error for in this setting has one."""
    _, dataset, crops, _ = name.split()
    labels = [p.label for series in CHARTS[name].series[1:] for p in series.points]
    assert len(labels) == len(set(labels))
    quantity = "top1_err" if dataset == "imagenet" else "cifar10_err"
    words = {"1": "single crop", "10": "10-crop"}[crops] if dataset == "imagenet" else ""
    for figure in figures():
        if figure.quantity == quantity and words in figure.setting and not figure.overrides:
            spec = described(figure.network, "")
            assert spec is None or spec.name in labels


@pytest.mark.parametrize("name", TRADEOFFS)
def test_the_front_is_what_no_other_beats(name):
    """By comparing each point with every other."""
    every = [p for series in CHARTS[name].series[1:] for p in series.points]
    best = [
        p for p in every
        if not any(o.x <= p.x and o.y <= p.y and (o.x, o.y) != (p.x, p.y) for o in every)
    ]  # fmt: skip
    assert CHARTS[name].series[0].kind == "front"
    assert list(CHARTS[name].series[0].points) == sorted(best)


def test_front_by_hand():
    """Cheaper or better, and one of two that tie."""
    points = [Point(1, 9), Point(2, 9), Point(2, 5), Point(3, 7), Point(4, 1), Point(5, 1)]
    assert front(points) == [Point(1, 9), Point(2, 5), Point(4, 1)]


# scales, styles and places


def test_round_numbers():
    """Ticks are round in the axis' own way, and lie on it."""
    assert [t for _, t in Scale(Axis("", kind="bytes"), 0, 3 * 2**30).ticks(4)] == [
        "0",
        "1 GiB",
        "2 GiB",
        "3 GiB",
    ]
    assert [t for _, t in Scale(Axis("", kind="share"), 0, 0.29).ticks(7)] == [
        "0%",
        "5%",
        "10%",
        "15%",
        "20%",
        "25%",
    ]
    assert [t for _, t in Scale(Axis("", log=True), 3e7, 2e10).ticks(3)] == ["100M", "1G", "10G"]
    assert [t for _, t in Scale(Axis("", kind="number", log=True), 2e-6, 2e-3).ticks(3)] == [
        "1e-5",
        "1e-4",
        "0.001",
    ]
    assert [t for _, t in Scale(Axis("", kind="exact"), 1, 3).ticks(9)] == ["1", "2", "3"]  # fmt: skip


@every_chart
def test_ticks_are_few_and_everything_is_on_the_scale(name):
    """Every point lies between 0 and 1, and so does every tick."""
    x, y = scales(CHARTS[name])
    for series in CHARTS[name].series:
        for point in series.points:
            assert 0 <= x.at(point.x) <= 1 and 0 <= y.at(point.y) <= 1
    for scale in (x,) if y.axis.categories else (x, y):
        for most in (5, 9):
            ticks = scale.ticks(most)
            assert 2 <= len(ticks) <= most + 2
            assert len({text for _, text in ticks}) == len(ticks)
            assert all(-1e-3 < scale.at(value) < 1 + 1e-3 for value, _ in ticks)


def luminance(color):
    """Relative luminance (WCAG 2, "relative luminance")."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_series_are_told_apart_without_colour():
    """Any two differ in colour, dash, marker, pattern and each terminal sign; most in grey too."""
    for one, other in combinations(STYLES, 2):
        for field in ("color", "dash", "marker", "hatch", "ansi"):
            assert getattr(one, field) != getattr(other, field)
        for at in (0, 1):
            assert one.sign[at] != other.sign[at] and one.fill[at] != other.fill[at]
    for one, other in pairwise(STYLES):  # neighbours in a bar
        assert abs(luminance(one.color) - luminance(other.color)) > 0.05
    folders = ("training", "lesion")  # a folder is named before its networks
    most = [number - (kind in folders) for kind, (_, number) in command.KINDS.items()]
    assert max(number for number in most if number != 24) <= len(STYLES)
    assert all(len(chart.series) <= len(STYLES) + 1 for chart in CHARTS.values())


@pytest.mark.parametrize("crowd", range(5))
def test_names_never_meet(crowd):
    """In a crowd of 25 points: in the frame, off names and markers, or (never here) left out."""
    chance = random.Random(crowd)
    frame = Extent(0, 0, 900, 400)
    points = [(chance.gauss(450, 120), chance.gauss(200, 60)) for _ in range(25)]
    points = [(min(max(x, 20), 880), min(max(y, 20), 380)) for x, y in points]
    sizes = [(chance.uniform(30, 110), 12.0) for _ in points]
    found = place(points, sizes, frame, 5)
    assert found == place(points, sizes, frame, 5)
    boxes = [placed.extent for placed in found if placed]
    assert len(boxes) == len(points)
    assert all(box.within(frame) for box in boxes)
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))
    markers = [Extent(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    assert not any(box.meets(marker) for box in boxes for marker in markers)
    for placed, point in zip(found, points, strict=True):
        nearest = min(points, key=placed.extent.distance)
        assert placed.leader or nearest == point, "a name beside another's point has a leader"
        assert not placed.leader or hypot(*placed.leader) > 0


def test_a_name_without_room_is_left_out():
    """Rather than drawn over another."""
    found = place([(5, 5), (6, 5)], [(300, 12)] * 2, Extent(0, 0, 10, 10), 2)
    assert found == [None, None]


def test_lines_through_boxes():
    """A segment crosses a box it runs through, and not one that it passes."""
    box = Extent(0, 0, 10, 10)
    assert (
        box.crossed((-5, 5), (15, 5))
        and box.crossed((5, -5), (5, 15))
        and box.crossed((1, 1), (2, 2))
    )
    assert not box.crossed((-5, 11), (15, 11)) and not box.crossed((-5, 0), (5, 20))


# pictures


def laid_out(chart, theme="light", size=None, bare=False):
    """The chart's figure and its texts with their boxes, by matplotlib's renderer."""
    matplotlib = pytest.importorskip("matplotlib")
    from matplotlib.text import Text

    from resnet_cli.render.charts import matplotlib_chart

    with matplotlib.style.context(["default", matplotlib_chart.LOOK]):
        picture = matplotlib_chart.Picture(chart, THEMES[theme], size, bare)
        picture.figure.draw_without_rendering()
        texts = [t for t in picture.figure.findobj(Text) if t.get_text() and t.get_visible()]
        boxes = [
            (t.get_text(), Extent(*t.get_window_extent(picture.renderer).extents)) for t in texts
        ]
    return picture, boxes


@every_chart
def test_no_text_meets_another_or_leaves_the_picture(name):
    """Title, legend, labels, names and notes, by the boxes that matplotlib gives them."""
    picture, boxes = laid_out(CHARTS[name])
    frame = Extent(0, 0, 960, picture.height)
    for text, box in boxes:
        assert box.within(frame), text
    for (one, box), (other, another) in combinations(boxes, 2):
        assert not box.meets(another, -1), f"{one!r} and {other!r}"
    axes = picture.axes.get_window_extent(picture.renderer)
    assert axes.width > 400 and axes.height > 180


@pytest.mark.parametrize("name", TRADEOFFS)
def test_names_of_points_stand_off_all_points(name):
    """Every network is named within the axes of the picture, and no name covers a marker."""
    chart = CHARTS[name]
    picture, boxes = laid_out(chart)
    points = [p for series in chart.series[1:] for p in series.points]
    named = {text: box for text, box in boxes}
    axes = Extent(*picture.axes.get_window_extent(picture.renderer).extents)
    assert all(named[point.label].within(axes) for point in points)
    for point in points:
        x, y = picture.axes.transData.transform((point.x, point.y))
        marker = Extent(x - 4, y - 4, x + 4, y + 4)
        assert point.label in named
        assert not any(named[p.label].meets(marker) for p in points), point


@pytest.mark.parametrize("name", ["cost", "gradient", "tradeoff imagenet 10 macs"])
def test_files_are_valid_and_always_the_same(name):
    """SVG parses and has the texts as text; PNG and PDF begin as they must; none has a date."""
    pytest.importorskip("matplotlib")
    from resnet_cli.render.charts import matplotlib_chart

    made = [
        {of: matplotlib_chart.render(CHARTS[name], of).content for of in command.PICTURES}
        for _ in range(2)
    ]
    assert made[0] == made[1]
    files = made[0]
    texts = [
        e.text
        for e in ElementTree.fromstring(files["svg"]).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert CHARTS[name].title in texts and CHARTS[name].x.label in texts
    assert files["png"][:8] == b"\x89PNG\r\n\x1a\n"
    assert files["png"][16:24] == (1920).to_bytes(4, "big") + (1080).to_bytes(4, "big")
    assert files["pdf"][:5] == b"%PDF-" and b"CreationDate" not in files["pdf"]
    assert b"<dc:date>" not in files["svg"]


def picture_sizes(picture):
    """The size in points of each text."""
    from matplotlib.text import Text

    return [(t.get_text(), t.get_fontsize()) for t in picture.figure.findobj(Text) if t.get_text()]


SIZES = {"column": (3.3, 2.6), "page": (7.0, 4.0)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "name", ["cost", "memory", "paths", "receptive-field", "tradeoff imagenet 10 macs"]
)
def test_a_picture_for_a_paper_has_its_size_and_no_title(name, size):
    """Of the size that is asked for, without title and notes; nothing meets or leaves it, the legend neither."""
    chart = CHARTS[name]
    picture, boxes = laid_out(chart, "paper", SIZES[size], bare=True)
    assert [*picture.figure.get_size_inches()] == [*SIZES[size]]
    frame = Extent(0, 0, picture.width, picture.height)
    texts = {text.replace("\n", " ") for text, _ in boxes}
    assert chart.x.label in texts and not {chart.title, *chart.notes} & texts
    for text, box in boxes:
        assert box.within(frame), text
    for (one, box), (other, another) in combinations(boxes, 2):
        assert not box.meets(another, -1), f"{one!r} and {other!r}"
    axes = picture.axes.get_window_extent(picture.renderer)
    for legend in picture.figure.legends:
        assert legend.get_window_extent(picture.renderer).y0 >= axes.y1
    assert min(size for _, size in picture_sizes(picture)) >= 6.5


def test_a_name_without_room_is_said(tmp_path, capsys):
    """On stderr, by name, with what to type; in a picture that has room nothing is said."""
    pytest.importorskip("matplotlib")
    target = str(tmp_path / "x.svg")
    command.command(kind="tradeoff", networks=[], target=target, size="3.3x2.4", bare=True)
    told = capsys.readouterr().err.strip()
    unnamed = re.fullmatch("note: no room for the names of (.*): give a larger --size", told)[1]
    written = (tmp_path / "x.svg").read_text()
    for point in (p for s in CHARTS["tradeoff imagenet 1 macs"].series[1:] for p in s.points):
        assert (f">{point.label}<" in written) != (point.label in unnamed.split(", "))
    command.command(kind="tradeoff", networks=[], target=target)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_colours_the_picture_to_its_edge(theme):
    """Every edge has the theme's background, whatever the size; series stand out from it."""
    pytest.importorskip("matplotlib")
    from PIL import Image

    from resnet_cli.render.charts.matplotlib_chart import render

    made = render(CHARTS["cost"], "png", theme, (3.337, 2.611), bare=True).content
    painted = Image.open(BytesIO(made)).convert("RGBA")
    right, bottom = painted.width - 1, painted.height - 1
    edges = {painted.getpixel((right, y)) for y in range(bottom)}
    edges |= {painted.getpixel((x, bottom)) for x in range(right)}
    back = THEMES[theme].background
    assert edges == {(*(int(back[at : at + 2], 16) for at in (1, 3, 5)), 255)}


@pytest.mark.parametrize(
    ("typed", "inches"),
    [
        ("3.3x2.4", (3.3, 2.4)),
        ("84x61mm", (3.307, 2.402)),
        ("8.4×6 cm", (3.307, 2.362)),
        ("3x2in", (3, 2)),
    ],
)
def test_sizes_as_typed(typed, inches):
    """Inches, or with a unit."""
    assert command._inches(typed) == pytest.approx(inches, abs=1e-3)


# the terminal


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("width", [30, 40, 80, 120, 200])
@every_chart
def test_no_line_is_wider_than_the_terminal(name, width):
    """In colour or not, in Unicode or ASCII; colour changes nothing but colour."""
    for unicode in (True, False):
        text = terminal_chart.render(CHARTS[name], width, False, unicode)
        assert "\x1b" not in text
        assert max(map(len, text.splitlines())) <= width
        assert plain(terminal_chart.render(CHARTS[name], width, True, unicode)) == text


@every_chart
def test_ascii_draws_in_ascii(name):
    """What is not said in words has no sign beyond ASCII."""
    chart = CHARTS[name]
    text = terminal_chart.render(chart, 80, False, False)
    words = "".join([chart.title, chart.x.label, chart.y.label, *chart.notes])
    assert not [c for c in text if not c.isascii() and c not in words]


def test_bars_are_as_long_as_their_share():
    """At 80 columns resnet50 is 3.858 / 11.28 of resnet152, to a cell."""
    chart = plot.cost(traced("resnet50", "resnet152"), "macs")
    lines = terminal_chart.render(chart, 80, False, False).splitlines()
    short, long = (
        next(line for line in lines if line.strip().startswith(n))
        for n in ("resnet50", "resnet152")
    )
    cells = [len(re.sub(r"^ *resnet\d+ | [\d.]+G$", "", line)) for line in (short, long)]
    assert abs(cells[0] - cells[1] * 3_857_973_248 / 11_282_415_616) <= 0.5
    assert short.endswith(" 3.858G") and long.endswith(" 11.28G")


@pytest.mark.parametrize("name", TRADEOFFS)
def test_every_point_has_a_letter_and_a_line(name):
    """The list under the plot names each letter that is in it, with cost and error."""
    text = terminal_chart.render(CHARTS[name], 80, False, True)
    inside = "".join(re.findall(r"[│┤](.*)", text))
    points = [p for series in CHARTS[name].series[1:] for p in series.points]
    letters = terminal_chart.LETTERS[: len(points)]
    assert sorted(c for c in inside if c.isalnum()) == sorted(letters)
    for point in points:
        assert re.search(rf"\w {re.escape(point.label)}  [\d.]+[MGK]  {point.y:g}%", text)


@pytest.mark.parametrize("name", ["receptive-field", "gradient", "paths", "memory"])
def test_every_line_is_signed(name):
    """Each series has its sign in the plot, so that it is known without colour."""
    for unicode in (True, False):
        text = terminal_chart.render(CHARTS[name], 100, False, unicode)
        inside = "".join(re.findall(r"[│┤|+](.*)", text))
        for style in STYLES[: len(CHARTS[name].series)]:
            assert style.sign[0 if unicode else 1] in inside


def test_a_line_goes_where_its_points_are():
    """From the lower left to the upper right corner of the plot."""
    line = Series("a", [Point(0, 0), Point(10, 10)])
    chart = Chart("k", "t", Axis("x"), Axis("y"), [line])
    rows = [r.partition("|")[2] or r.partition("+")[2] for r in terminal_chart.render(chart, 40, False, False).splitlines()[5:23]]  # fmt: skip
    places = [row.index("o") for row in rows if "o" in row]
    assert places == sorted(places, reverse=True) and len(places) >= 17


# numbers for others


@every_chart
def test_json_has_every_point(name):
    """Raw, with both axes; the table for other formats has a row a point."""
    chart = CHARTS[name]
    envelope = json.loads(json.dumps(chart_data.as_answer(chart, whole=True).envelope))
    assert [[(p["x"], p["y"]) for p in s["points"]] for s in envelope["series"]] == [
        [(p.x, p.y) for p in s.points] for s in chart.series
    ]
    assert envelope["x"]["label"] == chart.x.label and envelope["y"]["log"] == chart.y.log
    table = chart_data.as_answer(chart, whole=False).tables[0]
    assert len(table.rows) == sum(len(s.points) for s in chart.series)
    assert all(len(row) == len(table.columns) for row in table.rows)


# the command


@pytest.mark.parametrize(
    "words",
    [("cost", "resnet50", "vgg16"), ("cost", "resnet20", "resnet110", "--x", "params"), ("tradeoff",),
     ("tradeoff", "--dataset", "cifar10", "--x", "params"), ("tradeoff", "--crops", "10"),
     ("memory", "resnet18"), ("receptive-field", "resnet50", "vgg16"), ("paths", "resnet20", "resnet50")],
)  # fmt: skip
def test_every_kind_answers(words):
    """On the terminal, as JSON and as CSV."""
    out, err = run("plot", *words, COLUMNS="90")
    assert max(map(len, out.splitlines())) <= 90 and err == ""
    answer = json.loads(run("plot", *words, "--json")[0])
    assert (answer["schema"], answer["command"], answer["kind"]) == (2, "plot", words[0])
    assert answer["series"] and answer["notes"]
    rows = run("plot", *words, "-f", "csv")[0].splitlines()
    assert len(rows) == 1 + sum(len(series["points"]) for series in answer["series"])


def test_gradient_is_the_commands_measurement():
    """`plot gradient` has the medians that `gradient` measures with the same seeds and batch."""
    pytest.importorskip("torch")
    options = ("resnet20", "plain20", "--seeds", "1", "--batch", "2", "--json")
    measured = json.loads(run("gradient", *options)[0])["networks"]
    drawn = json.loads(run("plot", "gradient", *options)[0])["series"]
    for network, series in zip(measured, drawn, strict=True):
        assert [p["y"] for p in series["points"]] == [b["norms"][0] for b in network["blocks"]]


def test_files_appear_whole_and_alone(tmp_path):
    """A picture by its suffix, JSON with --json; nothing on stdout and nothing beside it."""
    pytest.importorskip("matplotlib")
    for file in ("a.svg", "b.PNG", "c.pdf"):
        assert run("plot", "paths", "resnet18", "-o", str(tmp_path / file)) == ("", "")
    run("plot", "paths", "resnet18", "--json", "-o", str(tmp_path / "d.json"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.svg", "b.PNG", "c.pdf", "d.json"]
    assert json.loads((tmp_path / "d.json").read_text())["kind"] == "paths"
    assert (tmp_path / "b.PNG").read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize(
    ("suffix", "has"),
    [
        (".csv", "series,label,x,y"),
        (".json", "{"),
        (".md", "| series | label | x | y |"),
        (".tex", r"\begin{tabular}"),
        (".txt", "Paths through"),
    ],
)
def test_the_suffix_chooses_the_format_of_the_points(suffix, has, tmp_path):
    """What -f writes to stdout, a file's name chooses; .txt is the chart in signs."""
    file = tmp_path / f"x{suffix}"
    command.command(kind="paths", networks=["resnet18"], target=str(file))
    assert has in file.read_text()


def test_a_dash_is_stdout_and_a_format_wins(tmp_path, capsys):
    """Text there without a format, and the format's text whatever the file is called."""
    command.command(kind="paths", networks=["resnet18"], target="-")
    assert capsys.readouterr().out.startswith("Paths through the blocks")
    command.command(
        kind="paths", networks=["resnet18"], target=str(tmp_path / "x.svg"), format="csv"
    )
    assert "series,label,x,y" in (tmp_path / "x.svg").read_text().splitlines()[0]


def test_a_bare_chart_in_the_terminal(capsys):
    """Neither title nor notes: the legend comes first, the label of x last."""
    command.command(kind="paths", networks=["resnet18"], bare=True)
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[0].strip().endswith("resnet18, n = 8")
        and lines[-1].strip() == "length of a path, layers"
    )


def test_an_ascii_terminal_gets_ascii():
    """Where stdout takes no more, bars and lines are drawn in it."""
    for words in (("cost", "resnet50"), ("paths", "resnet50")):
        assert run("plot", *words, PYTHONIOENCODING="ascii")[0].isascii()


def test_colour_only_where_it_is_wanted():
    """FORCE_COLOR brings it to a pipe, NO_COLOR takes it away."""
    assert "\x1b[38;5;" in run("plot", "cost", "resnet50", FORCE_COLOR="1")[0]
    assert "\x1b" not in run("plot", "cost", "resnet50", FORCE_COLOR="1", NO_COLOR="1")[0]


def test_the_terminal_needs_no_plotting_library():
    """Nor numpy nor torch."""
    code = (
        "import sys; from resnet_cli.cli import app\n"
        "app()(['plot', 'cost', 'resnet50'], standalone_mode=False)\n"
        "app()(['plot', 'tradeoff'], standalone_mode=False)\n"
        "assert not {'matplotlib', 'numpy', 'torch', 'rich'} & set(sys.modules)\n"
    )
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_without_the_library_the_extra_is_named(monkeypatch, tmp_path):
    """`pip install '.[plot]'`, and no file."""
    monkeypatch.setattr(needs, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="matplotlib") as problem:
        command.command(kind="cost", networks=["resnet50"], target=str(tmp_path / "x.svg"))
    assert "pip install '.[plot]'" in problem.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("cots", "resnet50"), 2, "did you mean 'cost'"),
        (("cost",), 2, "no network named"),
        (("cost", "resent50"), 2, "did you mean 'resnet50'"),
        (("cost", "resnet50", "-o", "x.jpg"), 2, "did you mean '.png'"),
        (("cost", "resnet50", "-o", "x"), 2, ".svg, .png, .pdf"),
        (("cost", "resnet50", "-o", "folder.svg"), 1, "is a directory"),
        (("cost", "resnet50", "-o", "missing/x.svg"), 1, "cannot write"),
        (("cost", "resent50", "-o", "missing/x.svg"), 1, "cannot write"),  # before any work
        (("cost", "resnet50", "-f", "csv", "--json"), 2, "give one of them"),
        (("cost", "resnet50", "--size", "3"), 2, "--size 3.3x2.4"),
        (("cost", "resnet50", "--size", "3.3x2.4"), 2, "-o FILE.svg"),
        (("cost", "resnet50", "--theme", "dark", "-o", "x.csv"), 2, "the format is csv"),
        (("cost", "resnet50", "--bare", "--json"), 2, "--bare is for a picture"),
        (("cost", "resnet50", "--theme", "red", "-o", "x.svg"), 2, "light, dark, paper"),
        (("cost", "resnet50", "--size", "3x900", "-o", "x.svg"), 2, "allowed: 1 to 40"),
        (("cost", "resnet50", "--size", "2x1", "-o", "x.svg"), 2, "larger --size, or --bare"),
        (("cost", "resnet50", "-f", "xml"), 2, "allowed: chart"),
        (("cost", "resnet50", "resnet20", "-o", "x.svg"), 2, "don't compare"),
        (("cost", "resnet50", "--x", "flops"), 2, "allowed: macs, params"),
        (("cost", "resnet50", "--dataset", "cifar10"), 2, "--dataset is for tradeoff"),
        (("cost", "resnet50", "-o", "/"), 2, ".svg, .png, .pdf"),
        (("cost", *(["resnet50"] * 25)), 2, "at most 24"),
        (("tradeoff", "resnet50"), 2, "takes no MODEL"),
        (("tradeoff", "--dataset", "imagnet"), 2, "did you mean 'imagenet'"),
        (("tradeoff", "--dataset", "cifar10", "--crops", "10"), 2, "there are those with 1"),
        (("tradeoff", "--crops", "0"), 2, "out of range"),
        (("memory", "resnet50", "resnet18"), 2, "give one"),
        (("memory", "resnet50", "--batch", "0"), 2, "out of range"),
        (("receptive-field", *(["resnet50"] * 9)), 2, "at most 8"),
        (("paths", "plain34", "-o", "x.svg"), 2, "without residual blocks"),
        (("gradient", "vgg16", "-o", "x.svg"), 2, "no residual blocks"),
        (("gradient", "resnet20", "--seeds", "0"), 2, "out of range"),
    ],
)
def test_bad_input_is_one_clear_message(words, code, said, tmp_path, monkeypatch):
    """An error line, a hint line, the right exit status, and no file."""
    (tmp_path / "folder.svg").mkdir()
    monkeypatch.chdir(tmp_path)
    out, err = run("plot", *words, code=code)
    assert out == "" and said in err
    assert err.startswith("error: ") and len(err.splitlines()) <= 2
    assert [path.name for path in tmp_path.iterdir()] == ["folder.svg"]


def test_equal_names_are_numbered_and_said_what_they_are():
    """A network and a change of it stand in one chart, as they do in compare."""
    chart = resnet_cli.plot("cost", "resnet50", "resnet50:groups=32,base_width=4").chart
    assert [network for network in chart.x.categories or chart.y.categories] == [
        "resnet50",
        "resnet50 (2)",
    ]
    assert "resnet50 (2): from resnet50:groups=32,base_width=4" in chart.notes
