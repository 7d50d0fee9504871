"""Where an answer goes and in which format: by name, by the suffix of its file, to stdout."""

import json

import pytest
from program import run

from resnet_cli.commands import output
from resnet_cli.errors import UserError

BEGINS = {
    "x.json": "{", "x.csv": "", "x.md": "", "x.markdown": "", "x.tex": "", "x.html": "<!doctype html>",
    "x.htm": "<!doctype html>", "x.txt": "", "x": "", "x.JSON": "{",
}  # fmt: skip


@pytest.mark.parametrize("name", BEGINS)
def test_the_suffix_of_the_file_chooses_its_format(name, tmp_path):
    """What is written to x.json is what --format json prints; an unknown suffix is the table."""
    file, known = tmp_path / name, output.chosen(None, False, name)
    assert run("summary", "resnet18", "-o", str(file)) == ("", "")
    text = file.read_text(encoding="utf-8")
    assert text == run("summary", "resnet18", "-f", known)[0] and text.startswith(BEGINS[name])
    assert known == output.SUFFIXES.get(file.suffix.lower(), "table")


def test_a_format_by_name_wins_over_the_suffix(tmp_path):
    """JSON into a file called .csv, where that is asked for."""
    file = tmp_path / "x.csv"
    run("summary", "resnet18", "-f", "json", "-o", str(file))
    assert json.loads(file.read_text())["model"] == "resnet18"


def test_a_dash_is_stdout(tmp_path):
    """`-o -` prints, and leaves no file of that name."""
    printed, _ = run("summary", "resnet18", "-o", "-", cwd=tmp_path)
    assert printed == run("summary", "resnet18")[0] and not [*tmp_path.iterdir()]


@pytest.mark.parametrize("format", ["csv", "table", "html"])
def test_two_formats_are_refused(format):
    """--json beside another --format contradicts it."""
    with pytest.raises(UserError, match=f"both --json and --format {format} given"):
        output.chosen(format, True, None)
    assert output.chosen("json", True, None) == "json"


def test_a_format_that_there_is_not_is_refused():
    """With the nearest one."""
    with pytest.raises(UserError) as refused:
        output.chosen("jsn", False, None)
    assert "'json'" in refused.value.hint and refused.value.code == 2
