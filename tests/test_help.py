"""The pages of help: panels, examples that work, words that are shown and completed."""

import inspect
import re
import shlex
from importlib import import_module

import pytest
from program import run

from resnet_cli import __version__
from resnet_cli.cli import COMMANDS, PANELS, app, file
from resnet_cli.commands.examples import EXAMPLES, FIRST
from resnet_cli.commands.options import CONVENTIONS
from resnet_cli.errors import UserError
from resnet_cli.published.conventions import conventions

HEAVY = ("build", "gradient", "verify", "report", "train")


def options(name):
    """The options of a command, as Typer reads them."""
    parameters = inspect.signature(import_module(file(name)).command).parameters.values()
    return {p.name: p.annotation.__metadata__[0] for p in parameters}


def test_the_first_page_leads_to_every_command():
    """Each stands under its panel, and the page ends with what to type first."""
    page = run("--help")[0]
    at = 0
    for panel, names in PANELS.items():
        at = page.index(f" {panel} ", at)
        for name in names:
            at = page.index(f"│ {name} ", at)
    assert FIRST in " ".join(page.split())
    assert sorted(EXAMPLES) == sorted(COMMANDS)


def test_help_may_be_asked_for_in_any_way():
    """-h, help and nothing at all, which is no command, give the page of --help."""
    page = run("--help")[0]
    assert run("-h")[0] == run("help")[0] == page and run(code=2)[0].strip() == page.strip()


def test_help_of_a_command_may_be_asked_for_in_any_way():
    """`help flops` and `flops -h` are `flops --help`, which has all options and two examples."""
    page = run("flops", "--help")[0]
    assert run("help", "flops")[0] == run("flops", "-h")[0] == page
    assert "--groups" in page and all(f"resnet-cli {words}" in page for words in EXAMPLES["flops"])


def test_the_version_may_be_asked_for_in_any_way():
    """-V is --version, for which no command is built; a command behind it changes nothing."""
    page, loaded = run("--version", PYTHONPROFILEIMPORTTIME="1")
    assert run("-V")[0] == run("--version", "list")[0] == page == f"resnet-cli {__version__}\n"
    assert "resnet_cli.cli" in loaded and "resnet_cli.commands.summary" not in loaded


def examples(heavy):
    return [
        (name, words)
        for name, pair in EXAMPLES.items()
        for words in pair
        if (name in HEAVY) is heavy
    ]


@pytest.mark.parametrize(("name", "words"), examples(heavy=False))
def test_an_example_works(name, words, tmp_path, monkeypatch, capsys):
    """What help says to type answers; a file of weights, or a folder of runs, is one's own."""
    monkeypatch.chdir(tmp_path)
    if own := re.search(r"weights\.pth|runs/digits", words):
        with pytest.raises(UserError, match=re.escape(own[0])):
            app()(shlex.split(words), standalone_mode=False)
        return
    app()(shlex.split(words), standalone_mode=False)
    assert capsys.readouterr().out or [*tmp_path.iterdir()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"), [e for e in examples(heavy=True) if e[0] != "train" and "--all" not in e[1]]
)
def test_an_example_that_takes_its_time_works(name, words, tmp_path):
    """The same of those that run torch or draw much."""
    assert run(*shlex.split(words), cwd=tmp_path)[0] or [*tmp_path.iterdir()]


def test_the_conventions_of_the_help_are_all_there_are():
    """The table of conventions is not read for a page of help; its names are the same."""
    assert tuple(conventions()) == CONVENTIONS


@pytest.mark.parametrize(
    ("command", "option", "begun", "offered"),
    [
        ("summary", "level", "o", ["operator"]),
        ("summary", "style", "v1", ["v1", "v1.5"]),
        ("summary", "format", "j", ["json"]),
        ("flops", "convention", "tor", ["torch", "torchprofile", "torchlens", "torchinfo"]),
        ("memory", "dtype", "b", ["bf16"]),
    ],
)
def test_words_are_completed(command, option, begun, offered):
    """The shell is offered the words that begin with what is typed."""
    assert options(command)[option].autocompletion(begun) == offered


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is(name):
    """A sentence for each, and the words of those that take one of a few."""
    for key, option in options(name).items():
        assert option.help and option.help.endswith((".", "…")), (name, key)
