"""The pictures in docs/ are what the commands beside them make. UPDATE_DOCS=1 makes them anew."""

import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from program import run

DOCS = Path(__file__).parent.parent / "docs"
PAGE = "".join((DOCS / page).read_text(encoding="utf-8") for page in ("pictures.md", "why.md"))
MADE = re.findall(r"`resnet-cli ((?:diagram|plot) .*? -o (\w+\.svg))`", PAGE)


def words(svg):
    """The texts of a picture in their order."""
    return [
        text for node in ElementTree.fromstring(svg).iter() if (text := (node.text or "").strip())
    ]


@pytest.mark.parametrize(("command", "name"), MADE, ids=[name for _, name in MADE])
def test_pictures_are_current(command, name, tmp_path):
    """Drawings are equal to the letter; plots, which fonts may move a little, in all their words."""
    if command.startswith("plot"):
        pytest.importorskip("matplotlib")
    (tmp_path / "runs").symlink_to(DOCS / "runs")
    run(*command.split(), cwd=tmp_path)
    made, kept = (tmp_path / name).read_text(encoding="utf-8"), DOCS / "images" / name
    if os.environ.get("UPDATE_DOCS") == "1":
        kept.write_text(made, encoding="utf-8")
    same = (lambda svg: svg) if command.startswith("diagram") else words
    assert same(kept.read_text(encoding="utf-8")) == same(made)


def test_every_picture_is_shown():
    """Each file in docs/images stands on one of the pages, and each on these is there."""
    shown = set(re.findall(r"\(images/(\w+\.svg)\)", PAGE))
    assert shown == {file.name for file in (DOCS / "images").iterdir()} == {n for _, n in MADE}
