"""Every figure that papers and torchvision print, against the count by its own rule."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from listed import rows_of

import resnet_cli
from resnet_cli.analyses.cost.terms import by_rule
from resnet_cli.analyses.published import agreement, described, of_network
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.published import figures
from resnet_cli.published.papers import PAPERS, paper

COUNTED = [figure for figure in figures() if figure.counts]
DESCRIBED = [figure for figure in COUNTED if described(figure.network, figure.overrides)]
SHARED = Path(__file__).parents[2] / "shared/published"


@pytest.mark.parametrize(
    "figure", DESCRIBED, ids=lambda f: f"{f.table}-{f.printed_name}-{f.quantity}"
)
def test_a_printed_figure_agrees_as_recorded(figure):
    """Ours has the printed digits by rounding or cutting; what has not says why."""
    spec = described(figure.network, figure.overrides)
    ours = by_rule(figure.counts, rows_of(spec))
    assert agreement(ours, figure.printed, figure.unit) == figure.agrees
    if figure.agrees == "no":
        assert figure.remark


def test_every_network_of_a_counted_figure_is_described():
    """None is left to a library: what a figure is of can be counted here."""
    assert [figure for figure in COUNTED if figure.network and figure not in DESCRIBED] == []


def test_what_cannot_be_counted_says_why():
    """A figure that a rule would give, of what has no name here: its remark names the kind."""
    assert all(figure.remark for figure in COUNTED if not figure.network)


def test_eight_figures_disagree():
    """ResNet-1202's 10.2 M (twice) is a misprint; SENet's 7.99, ResNeXt's README three and two of ConvNeXts' are not met."""
    printed = sorted(f.printed for f in COUNTED if f.agrees == "no")
    assert printed == ["10.2", "10.2", "15.6", "4.1", "4.47", "45.0", "7.8", "7.99"]


def test_table_1_rounds_but_for_resnet50():
    """3.8 is 3.858 cut; the other four of He et al. 2015, Table 1, are rounded."""
    table = {
        f.network: f.agrees
        for f in COUNTED
        if f.source == "He et al. 2015" and f.table == "Table 1"
    }
    assert table.pop("resnet50") == "by cutting"
    assert set(table.values()) == {"by rounding"}
    assert len(table) == 4


def test_blocks_of_other_kernels_by_hand():
    """Zagoruyko & Komodakis 2016, Table 2: what no spec describes has the printed digits by its formula."""

    def params(blocks, kernels, k=2):
        total, channels = 3 * 16 * 9, 16
        for width in (16 * k, 32 * k, 64 * k):
            for _ in range(blocks):
                ins = [channels] + [width] * (len(kernels) - 1)
                total += sum(
                    i * width * kernel**2 + 2 * i for i, kernel in zip(ins, kernels, strict=True)
                )
                total += channels * width * (channels != width)
                channels = width
        return total + 2 * channels + 10 * channels + 10

    blocks = {"1,3,1": 6, "3,1": 6, "1,3": 6, "3,1,1": 6, "3,1,3": 3}
    table = [f for f in COUNTED if f.table == "Table 2" and "kernels" in f.remark]
    assert len(table) == len(blocks)
    for figure in table:
        kernels = re.search(r"B\((.*)\)", figure.printed_name)[1]
        ours = params(blocks[kernels], [int(k) for k in kernels.split(",")])
        assert f"{ours:,}" in figure.remark
        assert agreement(ours, figure.printed, figure.unit) == "by rounding"


@pytest.mark.parametrize(
    ("ours", "printed", "said"),
    [(3_857_973_248, "3.8", "by cutting"), (3_857_973_248, "3.9", "by rounding"),
     (3_857_973_248, "3.7", "no"), (3_850_000_000, "3.9", "by rounding"), (4_000_000_000, "4", "by rounding")],
)  # fmt: skip
def test_agreement_at_the_digits_printed(ours, printed, said):
    """Rounding is half up and comes before cutting."""
    assert agreement(ours, printed, "G") == said


def test_every_figure_is_of_a_paper_that_has_a_name():
    """In the order of the papers, and with their numbers of arXiv."""
    assert [*dict.fromkeys((f.source, f.arxiv) for f in figures())] == [
        (each.source, each.arxiv) for each in PAPERS
    ]


def test_every_network_of_a_figure_exists():
    """Names and overrides in figures.csv describe networks, or name a library's that nobody has described."""
    for figure in figures():
        if figure.network and described(figure.network, figure.overrides) is None:
            assert figure.network.startswith(("torchvision:", "timm:"))


def test_a_changed_network_keeps_only_what_holds_for_it():
    """Option A on resnet34 has Table 1's 3.6; a change that nobody printed has nothing."""
    variant = zoo.changed(zoo.find("resnet34"), shortcut="A")
    costs = [f["printed"] for f in of_network(variant, figures()) if f["quantity"] == "flops"]
    assert costs == ["3.6 G", "3.6 G"]
    assert of_network(zoo.changed(zoo.find("resnet34"), num_classes=7), figures()) == []


@pytest.mark.skipif(
    not SHARED.exists(), reason="the list of published figures is not beside this checkout"
)
def test_figures_are_those_of_the_list():
    """All 562 of the papers and torchvision's 60 weights are here, each with the value that is printed."""
    with (SHARED / "papers-all.csv").open(encoding="utf-8") as file:
        papers = Counter(
            (row["arxiv"], row["table"].split(" + ")[0], row["value"])
            for row in csv.DictReader(file)
        )
    listed = {arxiv for arxiv, _, _ in papers}  # ConvNeXt's two are not among them
    ours = Counter((f.arxiv, f.table, f.printed) for f in figures() if f.arxiv in listed)
    assert papers.total() == ours.total() == 562
    reworded = papers - ours  # per cents of one table, and a repository's README
    assert {table for _, table, _ in reworded} == {"Table 9", "repo README"}
    with (SHARED / "torchvision-all.csv").open(encoding="utf-8") as file:
        weights = [*csv.DictReader(file)]
    printed = {(f.printed_name, f.quantity): f.printed for f in figures() if not f.arxiv}
    assert len(weights) == 60
    for row in weights:
        for quantity, key in {"params": "num_params", "flops": "gflops_ops", "file_size": "file_size_mb",
                              "top1_acc": "acc1", "top5_acc": "acc5"}.items():  # fmt: skip
            assert printed.get((row["weights"], quantity), "") == row[key]


@pytest.mark.parametrize(
    ("typed", "source"),
    [("he2015", "He et al. 2015"), ("Deep Residual", "He et al. 2015"), ("resnet", "He et al. 2015"),
     ("He et al. 2016", "He et al. 2016"), ("identity", "He et al. 2016"), ("resnext", "Xie et al. 2017"),
     ("WRN", "Zagoruyko & Komodakis 2016"), ("arXiv:1709.01507", "Hu et al. 2018"), ("senet", "Hu et al. 2018"),
     ("bag of tricks", "He et al. 2019"), ("torchvision", "torchvision 0.29")],
)  # fmt: skip
def test_papers_are_called_as_people_call_them(typed, source):
    """By authors and year, title or the beginning of it, number of arXiv, or their networks."""
    assert paper(typed).source == source


@pytest.mark.parametrize(
    ("asked", "says"),
    [({"paper": "he"}, "he2015, he2016, he2019"), ({"paper": "resnxt"}, "ResNeXt"),
     ({"paper": "xie2017", "paper_table": "Table 11"}, "Table 1"), ({"paper_table": "nowhere"}, "there are"),
     ({"models": ["resnet5"]}, "resnet50"), ({"models": ["keras-resnet50"]}, "resnet-cli figures")],
)  # fmt: skip
def test_what_names_no_figures_says_which_there_are(asked, says):
    """Paper, table or network."""
    with pytest.raises(UserError) as problem:
        resnet_cli.figures(*asked.pop("models", ()), **asked)
    assert says in problem.value.hint


def test_the_score_is_over_what_can_be_computed():
    """Every figure has one status, and those of a rule and a spec are equal or say why not."""
    whole = resnet_cli.figures().data()
    score = whole["score"]
    assert score["figures"] == len(whole["rows"]) == len(figures())
    assert score["computable"] == len(DESCRIBED)
    assert score["not_described"] == len(COUNTED) - len(DESCRIBED)
    assert score["measured"] == len(figures()) - len(COUNTED)
    assert score["by_rounding"] + score["by_cutting"] == score["computable"] - 8
    assert sum(line["figures"] for line in whole["tables"]) == score["figures"]


def test_a_table_stands_beside_ours():
    """He et al. 2015, Table 1, as it is printed; its number is enough."""
    rows = resnet_cli.figures(paper="he2015", paper_table="1").data()["rows"]
    assert [row["printed"] for row in rows] == ["1.8", "3.6", "3.8", "7.6", "11.3"]
    assert [row["ours"] for row in rows][2] == 3_857_973_248
    assert rows[1]["model"] == "resnet34:shortcut=A"


def test_what_is_no_single_network_is_asked_by_a_word_of_its_name():
    """The ensemble of ILSVRC 2015: 3.57 % top-5."""
    (row,) = resnet_cli.figures("ILSVRC15").data()["rows"]
    assert (row["printed"], row["quantity"], row["status"]) == ("3.57", "top5_err", "measured")


def test_what_is_not_described_yet_has_its_figures():
    """Under its library's name, with or without the prefix."""
    missing = [f.network for f in figures() if f.network and not described(f.network, "")]
    for network in dict.fromkeys(missing):
        rows = resnet_cli.figures(network).data()["rows"]
        assert rows == resnet_cli.figures(network.partition(":")[2]).data()["rows"]
        assert {row["status"] for row in rows} <= {"not described", "measured"}


def test_figures_of_resnet50_say_whose_it_is():
    """The note on v1 and torchvision's stands here as elsewhere."""
    assert "231,211,008 more" in " ".join(resnet_cli.figures("resnet50").notes)


@pytest.mark.parametrize("name", ["resnet18", "resnext101_64x4d", "wide_resnet50_2"])
def test_common_networks_have_errors(name):
    """In the list, from whoever prints one; an accuracy is 100 less the error."""
    (row,) = resnet_cli.list(name).data()["rows"][:1]
    assert (row["name"], row["error"]) == (
        name, {"resnet18": 30.242, "resnext101_64x4d": 20.4, "wide_resnet50_2": 21.9}[name],
    )  # fmt: skip
