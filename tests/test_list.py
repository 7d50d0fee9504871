"""list: words, filters and orders; what leaves nothing says why."""

import counts
import pytest
from program import run

import resnet_cli
from resnet_cli.analyses import listing
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError


def listed(*words, **filters):
    return resnet_cli.list(*words, **filters).data()["rows"]


def names(*words, **filters):
    return [row["name"] for row in listed(*words, **filters)]


def test_every_network_is_listed_in_the_papers_order():
    """Without words or filters, and the other way round with reverse."""
    assert names() == zoo.names()
    assert names(reverse=True) == zoo.names()[::-1]


def test_stored_counts_are_those_of_the_rows():
    """Of every listed network, in the list's order. UPDATE_DOCS=1 writes the file anew."""
    assert counts.FILE.read_text(encoding="utf-8") == counts.page()


def test_what_is_not_listed_is_counted(monkeypatch):
    """A changed network of a listed name, and one that counts.csv has not, cost what their rows say."""
    spec = zoo.find("resnet18")
    assert listing.counts(zoo.changed(spec, num_classes=10)) == (18, 11_181_642, 1_813_566_464)
    listing.counts.cache_clear()
    monkeypatch.setattr(listing, "_stored", dict)
    assert listing.counts(spec) == (18, 11_689_512, 1_814_073_344)


def test_families_come_first_and_networks_when_they_are_asked_for():
    """By default a line for each family, with its least and most; a word, a filter or --all has networks."""
    families = resnet_cli.list()
    assert [table.key for table in families.tables] == ["families"]
    (resnet,) = [line for line in families.data()["families"] if line["name"] == "ResNet"]
    assert resnet["names"] == ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
    assert (resnet["params_least"], resnet["params_most"]) == (11_689_512, 60_192_808)
    assert (resnet["macs_least"], resnet["macs_most"]) == (1_814_073_344, 11_282_415_616)
    for networks in (
        resnet_cli.list(every=True),
        resnet_cli.list("resnet"),
        resnet_cli.list(dataset="imagenet"),
        resnet_cli.list(sort="params"),
    ):
        assert [table.key for table in networks.tables] == ["rows"]
    assert len(run("list", "-f", "csv")[0].splitlines()) == len(zoo.NETWORKS) + 1


@pytest.mark.parametrize(
    ("words", "key", "values"),
    [
        (["bottleneck"], "block", {"bottleneck"}),
        (["imagenet"], "dataset", {"imagenet"}),
        (["CIFAR-10"], "dataset", {"cifar10"}),
        (["imagenet", "basic"], "block", {"basic"}),
        (["3-4-6-3"], "stages", {(3, 4, 6, 3)}),
        (["3,4,6,3"], "stages", {(3, 4, 6, 3)}),
    ],
)
def test_words_match_block_data_set_and_blocks(words, key, values):
    """And several words all of them."""
    rows = listed(*words)
    assert {tuple(v) if isinstance(v := row[key], list) else v for row in rows} == values
    left_out = [row for row in listed() if row not in rows and words[0] != "imagenet"]
    assert not values & {tuple(v) if isinstance(v := row[key], list) else v for row in left_out}


def test_a_pattern_is_for_the_name():
    """As the shell's: from its beginning to its end, hyphens and underscores alike."""
    assert names("resnet*") == [name for name in zoo.names() if name.startswith("resnet")]
    assert names("*[_-]4") == ["wrn-40-4"]
    assert names("WIDE-RESNET??_2") == ["wide_resnet50_2"]


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ({"family": "senet"}, lambda row: row["family"] == "SENet"),
        ({"family": "ResNeXt"}, lambda row: row["family"] in ("ResNeXt", "ResNeXt (CIFAR)")),
        ({"dataset": "CIFAR-10"}, lambda row: row["dataset"] == "cifar10"),
        ({"block": "basic"}, lambda row: row["block"] == "basic"),
        ({"layers": 50}, lambda row: row["layers"] == 50),
        ({"max_params": 269_722}, lambda row: row["params"] <= 269_722),
        ({"max_macs": 2e9}, lambda row: row["macs"] <= 2e9),
        ({"max_error": 6}, lambda row: row["error"] is not None and row["error"] <= 6),
        ({"block": "basic", "max_error": 6.43, "dataset": "cifar10"},
         lambda row: row["block"] == "basic" and (row["error"] or 99) <= 6.43),
    ],
)  # fmt: skip
def test_filters_keep_what_fits_and_nothing_else(filters, fits):
    """Limits include their end; of a family for CIFAR too."""
    assert listed(**filters) == list(filter(fits, listed()))


def test_an_order_by_error_has_those_without_one_last():
    """Reversed, the largest first."""
    errors = [row["error"] for row in listed(sort="error", reverse=True)]
    known = [error for error in errors if error is not None]
    assert errors[: len(known)] == sorted(known, reverse=True)


def test_errors_are_numbers_with_their_source():
    """ResNet-152's 21.43 % of Table 3, and nothing where nothing is printed."""
    (row,) = listed("resnet152", family="ResNet")
    assert (row["error"], row["dataset"]) == (21.43, "imagenet")
    assert (row["source"], row["setting"]) == ("He et al. 2015, Table 3", "ImageNet val 10-crop")
    assert {row["error"] for row in listed("keras")} == {None}


@pytest.mark.parametrize(
    ("words", "filters", "hint"),
    [
        (["bottelneck"], {}, "did you mean 'bottleneck'"),
        (["imagenet", "wrn"], {}, "leave one out"),
        (["zzz"], {}, "all names"),
        ([], {"max_macs": 2}, "the least is 40,551,040, of plain20"),
        ([], {"max_error": 1}, "the least is 3.58, of resnext29_16x64d"),
        (["keras"], {"max_error": 1}, "none is printed"),
        ([], {"family": "resnt"}, "did you mean 'ResNet'"),
        ([], {"layers": 51}, "50, 52"),
        (["vgg"], {"block": "basic"}, "there are"),
        ([], {"dataset": "mnist"}, "allowed: imagenet, cifar10"),
        ([], {"sort": "parms"}, "did you mean 'params'"),
    ],
)
def test_what_leaves_no_network_says_what_there_is(words, filters, hint):
    """Exit 2 and a hint, no empty table."""
    with pytest.raises(UserError) as error:
        resnet_cli.list(*words, **filters)
    assert error.value.code == 2 and hint in error.value.hint


def test_a_depth_that_means_nothing_is_none_of_those_there_are(monkeypatch):
    """Where layers stand beside one another there is no depth; --layers leaves it out of what there is."""
    deep = listing.counts
    monkeypatch.setattr(
        listing, "counts", lambda spec: deep(spec)._replace(layers=None) if spec.name == "vgg11" else deep(spec)
    )  # fmt: skip
    with pytest.raises(UserError) as error:
        resnet_cli.list("vgg", layers=50)
    assert error.value.hint == "there are: 11, 13, 16, 19"  # vgg11_bn's
    assert names(family="VGG", sort="layers")[-1] == "vgg11"


def test_the_command_has_all_of_it():
    """--under is what --max-macs was called; K, M and G are thousands."""
    words = ("--dataset", "CIFAR-10", "--block", "basic", "--max-params", "300K", "--reverse")
    plain = run("list", *words, "--max-macs", "41M", "-f", "plain")[0]
    assert plain == run("list", *words, "--under", "0.041G", "-f", "plain")[0]
    assert plain.index("resnet20") < plain.index("plain20")
    assert "the least is" in run("list", "--under", "2", code=2)[1]
