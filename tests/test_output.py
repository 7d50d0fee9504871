"""Where an answer goes and in which format: by name, by the suffix of its file, to stdout."""

import json

import pytest
from program import run

import resnet_cli
from resnet_cli.commands import output
from resnet_cli.errors import UserError
from resnet_cli.render.tables.layout import Layout

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


@pytest.mark.parametrize("format", output.FORMATS)
def test_columns_are_those_chosen_in_the_order_typed(format):
    """`macs,stage` in every format: nothing else of the first table, the total with it."""
    answer = output.picked(resnet_cli.summary("resnet18"), "macs, stage")
    assert [column.key for column in answer.tables[0].columns] == ["macs", "stage"]
    assert answer.tables[0].total == [1_814_073_344, "total"]
    text = output.render(answer, format, exact=True, to_file=True)
    if format == "json":
        assert json.loads(text)["rows"][0] == {"macs": 118_013_952, "stage": "conv1"}
    else:
        assert "118,013,952" in text or "118013952" in text
        assert "64×112×112" not in text and "64x112x112" not in text


def test_a_column_of_ones_choice_leaves_no_narrow_terminal():
    """What is asked for by name is shown, however wide it is."""
    answer = output.picked(resnet_cli.summary("resnet18", "layer"), "path,kernel,output")
    assert Layout(answer.tables[0], exact=False, width=10, signs={}).parts()[1] == []


def test_a_column_that_there_is_not_is_refused():
    """The error names those that the table has; hyphens are as good as underscores."""
    with pytest.raises(UserError, match="no column named 'kernle'") as error:
        output.picked(resnet_cli.summary("resnet18", "layer"), "path,kernle")
    assert "did you mean 'kernel'" in error.value.hint and "output" in error.value.hint
    field = output.picked(resnet_cli.receptive_field("resnet18"), "receptive-field")
    assert field.tables[0].columns[0].key == "receptive_field"


def test_columns_are_an_option_of_commands():
    """A script takes three of them as CSV."""
    words = (
        "summary",
        "resnet18",
        "--level",
        "layer",
        "--columns",
        "path,kernel,output",
        "-f",
        "csv",
    )
    first, second, *_ = run(*words)[0].splitlines()
    assert first.startswith("network,table,path,kernel,output,")
    assert second.startswith("resnet18,rows,conv1,7,64x112x112,")
