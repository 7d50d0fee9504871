"""CSV: raw numbers in lines that go below those of any other network."""

import csv
import io

import pytest
from program import run
from usual import answers, torch_answers

import resnet_cli
from resnet_cli.commands import output
from resnet_cli.errors import UserError
from resnet_cli.tables import Answer, Column, Table


def lines(answer, **own):
    return list(csv.DictReader(io.StringIO(output.render(answer, "csv", False, True, **own))))


def check(answer):
    """Every list of an answer has its table, whose cells are texts and numbers alone."""
    for key, value in answer_lists(answer):
        text = output.render(answer, "csv", False, True, table_key=key)
        head, *rows = csv.reader(io.StringIO(text))
        assert head[:2] == ["network", "table"] and head[-2:] == ["convention", "uncounted"]
        assert len(head) == len(set(head)) and {len(row) for row in rows} <= {len(head)}
        assert bool(rows) == bool(value)
        for row in rows:
            assert row[1] == key and row[0] and row[-2]
            assert not any(cell.startswith(("{", "[(", "['", "[1,", "<")) for cell in row), row
            assert not any(cell in ("None", "True", "False") for cell in row), row


def answer_lists(answer):
    document = resnet_cli.answers.view.View(*answer).data()
    yield from (
        (key, value)
        for key, value in document.items()
        if isinstance(value, list) and key != "notes" and all(isinstance(v, dict) for v in value)
        if value or key == "rows"
    )


def test_every_command_is_a_table_of_values(tmp_path):
    """One line a thing, each with its network; no Python object, no total."""
    for answer in answers(tmp_path):
        check(answer)


@pytest.mark.slow
def test_so_is_every_command_that_runs_a_module():
    """verify and gradient."""
    pytest.importorskip("torch")
    for answer in torch_answers():
        check(answer)


def test_tables_of_two_networks_go_below_one_another():
    """The same columns for each, as pandas.concat wants them, and sums that are the networks' totals."""
    both = [row for name in ("resnet50", "vgg16") for row in lines(resnet_cli.summary(name))]
    assert len({tuple(row) for row in both}) == 1
    macs = {
        name: sum(int(r["macs"]) for r in both if r["network"] == name)
        for name in ("resnet50", "vgg16")
    }
    assert macs == {"resnet50": 3_857_973_248, "vgg16": 15_470_264_320}


def test_rows_about_several_networks_name_each():
    """compare, list and table have one network a line."""
    assert [row["network"] for row in lines(resnet_cli.compare("resnet18", "vgg16"))] == [
        "resnet18",
        "vgg16",
    ]
    assert {row["network"] for row in lines(resnet_cli.list("vgg"))} >= {"vgg16", "vgg19_bn"}
    table = lines(resnet_cli.table("resnet18", "resnet50"))
    (one,) = (row for row in table if (row["network"], row["stage"]) == ("resnet50", "conv4_x"))
    assert (one["output"], one["architecture"]) == (
        "14x14",
        "[1×1, 256 | 3×3, 256 | 1×1, 1024] × 6",
    )


def test_no_answer_is_left_out():
    """Memory's peak and largest batch, the operators of flops and the exact paths are there as numbers."""
    uses = lines(resnet_cli.memory("resnet18", 32, budget="8GiB"), table_key="uses")
    assert [(row["use"], row["bytes"], row["largest_batch"]) for row in uses] == [
        ("training", "826043776", "379"), ("inference", "271585088", "1216"),
    ]  # fmt: skip
    operators = lines(resnet_cli.flops("resnet18"), table_key="operators")
    assert {row["operator"]: row["macs"] for row in operators}["linear"] == "512000"
    paths = lines(resnet_cli.paths("resnet164"))
    assert sum(int(row["paths"]) for row in paths) == 2**54
    assert all(row["least"].isdecimal() and row["most"].isdecimal() for row in paths)


def test_the_convention_is_that_of_the_line():
    """papers, the tool that was asked for, or, in a ledger, each tool's own."""
    thop = lines(resnet_cli.summary("resnet18", convention="thop"))
    assert {row["convention"] for row in thop} == {"thop"}
    ledger = lines(resnet_cli.flops("resnet18", reconcile=True))
    assert [row["convention"] for row in ledger] == [row["name"] for row in ledger]


def test_uncounted_operations_are_numbered_for_each_network():
    """Two networks side by side have each its own."""
    rows = [{"name": "a"}, {"name": "b"}]
    left_out = [{"network": "b", "operator": "x", "times": 3, "reason": ""}]
    envelope = {"command": "compare", "rows": rows, "uncounted": left_out}
    made = lines(Answer(envelope, [Table("rows", "", [Column("name", "")], [["a"], ["b"]])]))
    assert [(row["network"], row["uncounted"]) for row in made] == [("a", "0"), ("b", "3")]


def test_a_key_called_network_that_is_none_keeps_its_place():
    """A shape in the network, beside that in a file, stands under a name of its own."""
    table = Table(
        "rows", "", [Column("name", ""), Column("network", "", "shape")], [["fc", (7, 64)]]
    )
    (row,) = lines(Answer({"command": "identify", "file": "a.pth"}, [table]))
    assert (row["network"], row["name"], row["rows_network"]) == ("a.pth", "fc", "7x64")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-f", "csv", "--table-key", "operatosr"), "did you mean 'operators'? this answer has inputs, rows"),
        (("--table-key", "rows"), "--table-key is an option of --format csv"),
        (("--notes", "-f", "markdown"), "--notes is an option of --format csv"),
        (("--caption", "x", "--json"), "--caption is an option of --format latex"),
        (("--label", "x", "-f", "csv"), "--label is an option of --format latex"),
        (("--json", "-f", "csv"), "both --json and --format csv"),
    ],
)  # fmt: skip
def test_options_of_another_format_are_refused(words, said):
    """Exit 2, one line and what to type."""
    out, err = run("flops", "resnet18", *words, code=2)
    assert out == "" and said in err and len(err.splitlines()) == 2


def test_json_typed_twice_is_one_format():
    """--json -f json is no contradiction."""
    assert run(
        "conv", "--in", "1", "--out", "1", "--kernel", "1", "--size", "1", "--json", "-f", "json"
    )


def test_an_empty_table_has_its_head():
    """A column for each key, and no line."""
    table = Table("rows", "", [Column("name", ""), Column("bar", "", "bar")], [])
    text = output.render(Answer({"command": "x", "file": "f"}, [table]), "csv", False, True)
    assert text == "network,table,name,convention,uncounted\n"
    with pytest.raises(UserError, match="no table named"):
        output.render(Answer({"command": "x"}, [table]), "csv", False, True, table_key="x")
