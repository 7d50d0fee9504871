"""Arguments and options that commands share: what is typed becomes the network that is asked about."""

import inspect
import json
from importlib import import_module

import pytest
from program import run

from resnet_cli.analyses.memory.memory import STATES
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.cli import COMMANDS, app, file
from resnet_cli.commands.options import DTYPES, OPTIMIZERS
from resnet_cli.designs.fields import FIELDS
from resnet_cli.errors import UserError


def asked(*words):
    """What JSON says of the network."""
    answer = json.loads(run("summary", *words, "--json")[0])
    return answer["spec"], answer["batch"]


@pytest.mark.parametrize(
    ("typed", "size"), [("64", [64, 64]), ("64x96", [64, 96]), (" 64 × 96 ", [64, 96])]
)
def test_a_size_is_one_number_or_height_and_width(typed, size):
    """One number is both sides."""
    assert asked("resnet18", "--input-size", typed)[0]["input_size"] == size


def test_an_override_keeps_the_batch_and_what_is_not_named():
    """Groups and width change, the batch is the one that was typed, all else is resnet50's."""
    spec, batch = asked("resnet50", "--batch", "8", "--groups", "32", "--base-width", "4")
    plain, one = asked("resnet50")
    assert (batch, one) == (8, 1)
    assert spec == plain | {"groups": 32, "base_width": 4}


def test_what_is_completed_is_what_memory_knows():
    """Optimisers and widths, written beside the options so that a page of help loads no analysis."""
    assert (*STATES,) == OPTIMIZERS and (*PRECISIONS,) == DTYPES


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--input-size", "3x64x96"), "--input-size has 3 numbers"),
        (("--stages", ",".join("1" * 65)), "is not whole numbers"),
        (("--stages", "1,2,3,1000000000000"), "is not whole numbers"),  # of 13 digits
        (("--stages", "1,2,3,-4"), "is not whole numbers"),
        (("--depth", "50"), "both MODEL"),
    ],
)
def test_what_is_no_number_of_a_network_is_refused(words, said):
    """Exit 2, one line that says why, and a hint."""
    out, err = run("summary", "resnet18", *words, code=2)
    assert out == "" and said in err and len(err.splitlines()) == 2


def answered(*words):
    """What the program prints for the words, in this process."""
    app()([*words], standalone_mode=False)


@pytest.mark.parametrize(
    ("several", "option"),
    [
        (["table", "resnet50:groups=32"], ["table", "resnet50", "--groups", "32"]),
        (
            ["plot", "cost", "resnet18:stages=1-1-1-1"],
            ["plot", "cost", "resnet18", "--stages", "1,1,1,1"],
        ),
        (
            ["diagram", "resnet18:input_size=64x96", "--level", "stage"],
            ["diagram", "resnet18", "--input-size", "64x96", "--level", "stage"],
        ),
        (
            ["table", "resnet50:width=32,preact=true"],
            ["table", "resnet50:width=32", "--preact"],
        ),
    ],
)
def test_an_option_changes_the_one_network_that_is_named(several, option, capsys):
    """Commands that take several networks take the options where it is one: as behind its colon."""
    answered(*several)
    behind = capsys.readouterr().out
    answered(*option)
    assert capsys.readouterr().out == behind


@pytest.mark.parametrize("names", [(), ("resnet18", "resnet50")])
def test_an_option_does_not_say_which_of_several_networks_it_changes(names):
    """The hint is how to type it for one of them."""
    with pytest.raises(UserError) as refused:
        answered("table", *names, "--groups", "32")
    assert refused.value.code == 2 and refused.value.hint.endswith("resnet50:groups=32")


@pytest.mark.parametrize("command", ["summary", "table", "verify"])
def test_a_field_is_changed_once(command):
    """Behind the colon and as an option is exit 2, be the two values equal or not."""
    with pytest.raises(
        UserError, match=r"both --width and width in 'resnet18:width=32' given"
    ) as refused:
        answered(command, "resnet18:width=32", "--width", "32")
    assert refused.value.code == 2


def test_options_come_after_what_stands_behind_the_colon():
    """The one changes groups, the other the base width."""
    both = asked("resnet50:groups=32", "--base-width", "4")[0]
    assert both == asked("resnet50:groups=32,base_width=4")[0]


def test_every_command_about_networks_takes_every_change():
    """Summary and compare, diagram and verify: wherever a network is named."""
    apart = {
        "list",
        "conv",
        "identify",
        "schema",
        "check",
        "lesion",
    }  # no network, or those of a file
    for name in set(COMMANDS) - apart:
        taken = inspect.signature(import_module(file(name)).command).parameters
        assert set(FIELDS) <= set(taken), name


def test_columns_are_refused_where_they_would_change_nothing():
    """JSON has every key; a table's columns are no choice of them."""
    with pytest.raises(UserError, match="--columns is of tables") as refused:
        answered("summary", "resnet18", "--columns", "macs", "--json")
    assert refused.value.code == 2
