"""The glossary: each term's command runs and prints what it is said to, and every link leads somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from resnet_cli.cli import app

DOCS = Path(__file__).parent.parent / "docs"
TEXT = (DOCS / "glossary.md").read_text(encoding="utf-8")
SHOWN = re.compile(r"`resnet-cli (.+?)`: \*(.+?)\* · (.+)")
ENTRIES = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", TEXT, re.DOTALL | re.MULTILINE))


def anchor(heading):
    """What a heading's link is called where the page is shown."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_term_has_one_command_and_a_source():
    """One line a term: a command, what to look for, where the word comes from."""
    assert len(ENTRIES) > 40
    assert [term for term, entry in ENTRIES.items() if len(SHOWN.findall(entry)) != 1] == []


@pytest.mark.parametrize("term", ENTRIES)
def test_its_command_shows_the_term(term, capsys):
    """What is to be looked for stands in the answer."""
    words, sought, _ = SHOWN.search(ENTRIES[term]).groups()
    app()(shlex.split(words), standalone_mode=False)
    assert sought in capsys.readouterr().out


def test_links_lead_to_terms_and_pages():
    """Terms that a term names, and other pages of docs/."""
    anchors = {f"#{anchor(term)}" for term in ENTRIES}
    links = re.findall(r"\]\((.+?)\)", TEXT)
    inside = {link for link in links if link.startswith("#")}
    assert inside and inside <= anchors
    assert all((DOCS / link).is_file() for link in {*links} - inside)
