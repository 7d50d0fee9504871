"""Limits of networks: what is measured, what fails, pyproject.toml, baselines, and what CI is told."""

import contextlib
import io
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest
from program import assert_not_loaded

import resnet_cli
from resnet_cli import budgets, models, sizes, toml
from resnet_cli.analyses import check as analysis
from resnet_cli.analyses.cost import counts
from resnet_cli.answers.check import checks
from resnet_cli.cli import app
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.layers.convolution import Conv2d
from resnet_cli.layers.tree import Sequence, Stage
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.models import load
from resnet_cli.networks import of_tree
from resnet_cli.render.github import annotated
from resnet_cli.render.junit import junit
from resnet_cli.tables import Answer, Table

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Writes a pyproject.toml, or another file, and goes to its folder."""

    def write(text, name="pyproject.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        return path

    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return write


def asked(*words):
    """Exit code and stdout of the command, in this process."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = app(("check",))(["check", *words], standalone_mode=False)
    return code or 0, out.getvalue()


def lines(*words):
    """The rows of its JSON."""
    return json.loads(asked(*words, "--json")[1])["rows"]


# ---- what is measured ---------------------------------------------------------------------------


def actual(name, quantity, **more):
    key = quantity.replace("-", "_")
    (row,) = resnet_cli.check(name, **{f"min_{key}": 0}, **more).data()["rows"]
    return row["actual"]


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("resnet18", "2.48"), ("resnet50-v1.5", "11.11"),  # timm's macts
        ("resnet101-v1.5", "16.2"), ("resnet152-v1.5", "22.6"),  # MODEL_ZOO.md of pycls, acts
        ("resnext50_32x4d", "14.4"), ("resnext101_32x4d", "21.2"),
    ],
)  # fmt: skip
def test_activations_are_those_that_timm_and_pycls_print(name, millions):
    """Millions of elements, to every printed digit."""
    digits = len(millions.partition(".")[2])
    assert f"{actual(name, 'activations') / 10**6:.{digits}f}" == millions


@pytest.mark.parametrize("name", ["resnet20", "vgg11", "se-resnet18"])
def test_activations_are_fvcores(name):
    """Its count on the built module, gates among it, is equal."""
    fvcore = pytest.importorskip("fvcore.nn")
    torch = pytest.importorskip("torch")
    from resnet_cli.pytorch import build, measure

    spec = zoo.changed(zoo.find(name), input_size=(64, 64))
    net = measure.zeroed(build.build(spec, device="meta")).eval()
    counted = fvcore.ActivationCountAnalysis(net, torch.zeros(1, 3, 64, 64))
    counted = counted.unsupported_ops_warnings(False).total()
    assert sum(counts.activations_of(load(spec).rows)) == counted


def test_quantities_are_those_of_the_other_answers():
    """Parameters, MACs and layers of summary, memory of memory, the field of features."""
    total = resnet_cli.summary("resnet50").data()["total"]
    for quantity in ("params", "macs", "layers"):
        assert actual("resnet50", quantity) == total[quantity]
    how = {"batch": 8, "optimizer": "adam", "dtype": "amp"}
    memory = resnet_cli.memory("resnet50", **how).data()["bytes"]
    for use in ("training", "inference"):
        assert actual("resnet50", "memory", use=use, **how) == memory[use]
    assert actual("resnet50", "weights") == 4 * total["params"]
    assert actual("resnet50", "weights", dtype="bf16") == 2 * total["params"]
    last = resnet_cli.features("resnet50").data()["rows"][-1]
    assert actual("resnet50", "receptive-field") == last["receptive_field"][0]


TINY = of_tree(
    "tiny",
    Sequence("", (
        Stage("a", (Conv2d("one", 1, 2, 3), Conv2d("two", 2, 4, 3))),
        Stage("b", (Uncounted("odd", "fft", "nobody has described it", (4, 4, 4)), Conv2d("three", 4, 1, 1))),
    )),
    (1, 8, 8),
)  # fmt: skip


def test_a_network_worked_by_hand():
    """Two 3×3 on 8×8 in one stage, something unknown and a 1×1 in the next."""
    budget = analysis.budget("tiny", TINY, {f"max-{key}": 0 for key in analysis.QUANTITIES})
    rows = {row["quantity"]: row for row in checks([budget]).data()["rows"]}
    seen = {key: (row["actual"], row["where"]) for key, row in rows.items() if key != "memory"}
    one, two, three = 2 * 6 * 6, 4 * 4 * 4, 1 * 4 * 4
    assert seen == {
        "params": (18 + 72 + 4, "a"),
        "macs": (9 * one + 18 * two + 4 * three, "a"),
        "weights": (4 * (18 + 72 + 4), "a"),
        "activations": (one + two + three, "a"),
        "layers": (3, "a"),
        "receptive-field": (None, None),  # behind what is unknown
        "uncounted": (1, "b"),
    }
    assert not rows["receptive-field"]["ok"]


def test_every_quantity_says_where_most_of_it_is():
    """For each of resnet50 a stage that it has, and the share of it for people."""
    budget = analysis.budget("", "resnet50", {f"min-{key}": 0 for key in analysis.QUANTITIES})
    for use in analysis.USES:
        for row in checks([budget._replace(use=use)]).tables[0].rows:
            assert (row.where is None) == (row.quantity == "uncounted"), row
            assert row.where is None or (row.where.startswith("conv") and 0.2 < row.share < 1), row


# ---- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12), ("26M", 26_000_000), ("4.1G", 4_100_000_000), ("1.5k", 1500), ("2 T", 2 * 10**12),
        (" 25.557032M ", 25_557_032),
    ],
)  # fmt: skip
def test_counts_are_typed_with_powers_of_1000(text, number):
    """K, M, G and T, also as decimals that come out whole."""
    assert sizes.count("x", text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12), ("12B", 12), ("8GiB", 8 << 30), ("100MB", 10**8), ("8G", 8 * 10**9),
        ("1.5 KiB", 1536), ("0.0000001KB", 0),
    ],
)  # fmt: skip
def test_bytes_are_typed_with_either(text, number):
    """KiB, MiB, … of 1024; KB, MB, … and K, M, … of 1000; cut at a byte."""
    assert sizes.size("x", text) == number


@pytest.mark.parametrize(
    "text",
    [
        "", "M", "-1", "+1", "1e6", "1_000", "1,000", "0x10", "nan", "inf", "1.2.3", "1.", ".5", "1MM", "1Mi",
        "١", "1\n2", "1" * 16, "0." + "1" * 10, "9" * 10**6, "0.5", "1.2345K", "12MiB",
    ],
)  # fmt: skip
def test_what_is_no_count_is_refused(text):
    """Signs, exponents, halves, other alphabets, and anything long."""
    with pytest.raises(UserError, match="whole number"):
        sizes.count("x", text)


@pytest.mark.parametrize("text", ["", "1Gb", "1gib", "GiB", "1e3B", "-1B", "1 GiB x", "nanB"])
def test_what_is_no_size_is_refused(text):
    """A gigabit among it."""
    with pytest.raises(UserError, match="size of memory"):
        sizes.size("x", text)


@pytest.mark.parametrize(
    ("limit", "room", "ok"),
    [
        ({"max_params": 11_689_512}, 0, True),
        ({"max_params": 11_689_511}, -1, False),
        ({"min_params": 11_689_512}, 0, True),
        ({"min_params": "12M"}, 11_689_512 - 12_000_000, False),
        ({"max_params": 12e6}, 310_488, True),
    ],
)
def test_room_is_what_is_left(limit, room, ok):
    """Up to a most, down to a least; negative, and exit 1, where the limit is not met."""
    answer = resnet_cli.check("resnet18", **limit)
    (row,) = answer.data()["rows"]
    assert (row["room"], row["ok"], answer.code) == (room, ok, int(not ok))


def test_rows_have_the_keys_of_the_contract():
    """And numbers under them that nobody has rounded."""
    (row,) = lines("resnet18", "--max-params", "12M")
    assert row == {
        "network": "resnet18", "quantity": "params", "actual": 11_689_512, "limit": 12_000_000,
        "room": 310_488, "ok": True, "where": "conv5_x",
    }  # fmt: skip


def test_what_fails_is_said_in_words(project):
    """Without any colour: FAILS in its line, and a sentence with the room and the stage."""
    project("")
    code, out = asked("resnet18", "--max-macs", "1.8G", "--max-params", "12M")
    fails, fine = (
        next(x for x in out.splitlines() if f" {key} " in x) for key in ("macs", "params")
    )
    assert code == 1 and "FAILS" in fails and "FAILS" not in fine and " ok " in fine
    assert "macs max 1.800G: 1.814G, max 1.800G: 14.07M over (0.8%); most in conv2_x" in out


@pytest.mark.parametrize("format", ["table", "plain", "json", "csv", "markdown", "latex", "html"])
def test_every_format_has_the_limits(project, format):
    """With exit 1 in each."""
    project("")
    code, out = asked("resnet18", "--max-params", "11M", "-f", format)
    assert code == 1 and ("11000000" if format in ("json", "csv") else "11.00M") in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["resnet18"], 2, "no limit"),
        ([], 2, "no network named"),
        (["--max-params", "12M"], 2, "no network named"),
        (["resent18"], 2, "no network named 'resent18'"),
        (["resnet18", "--max-params", "3x"], 2, "max-params '3x'"),
        (["resnet18", "--max-params", "1", "--batch", "0"], 2, "batch 0 is out of range"),
        (["resnet18", "--max-params", "1", "--use", "train"], 2, "no use named 'train'"),
        (["resnet18", "--max-params", "1", "--optimizer", "adamv"], 2, "no optimizer named"),
        (["resnet18", "--max-params", "1", "--tolerance", "1%"], 2, "without --baseline"),
        (["resnet18", "--max-params", "1", "--junit", "/nowhere/x.xml"], 1, "cannot write"),
        (["resnet18", "--baseline", "/nowhere.json"], 1, "cannot be read"),
    ],
)
def test_mistakes_are_told(project, words, code, said):
    """Before anything is printed."""
    project("")
    with pytest.raises(UserError, match=said) as error:
        asked(*words)
    assert error.value.code == code and error.value.hint


def test_a_limit_that_does_not_exist_is_an_error_in_python():
    """With the one that was meant."""
    with pytest.raises(UserError, match="max-parms") as error:
        resnet_cli.check("resnet18", max_parms=3)
    assert "max-params" in error.value.hint


# ---- pyproject.toml -----------------------------------------------------------------------------

THREE = """
[tool.resnet-cli.check.resnet18]
max-params = "12M"
min-layers = 18
[tool.resnet-cli.check.mine]
model = "net.toml"
max-memory = "1GiB"
batch = 8
dtype = "amp"
optimizer = "adam"
use = "inference"
[tool.resnet-cli.check."resnet50-v1.5"]
max-macs = 4_100_000_000
"""


def test_all_tables_are_checked(project):
    """With their settings, from a folder below; a model's path is relative to the pyproject.toml."""
    project("base = 'resnet18'\nwidth = 32\n", "net.toml")
    project(THREE)
    project(
        "[tool.other]\nx = 1\n", "sub/pyproject.toml"
    )  # has none of ours, so the next one counts
    project("base = 'resnet50'\n", "sub/deep/net.toml")
    os.chdir("sub/deep")
    rows = lines()
    named = [(row["network"], row["quantity"], row["ok"]) for row in rows]
    assert named == [
        ("resnet18", "params", True), ("resnet18", "layers", True), ("mine", "memory", True),
        ("resnet50-v1.5", "macs", True),
    ]  # fmt: skip
    how = {"batch": 8, "optimizer": "adam", "dtype": "amp"}
    assert (
        rows[2]["actual"] == resnet_cli.memory("../../net.toml", **how).data()["bytes"]["inference"]
    )


def test_options_win(project):
    """Over the table of MODEL, which its other names find too; and over every table without MODEL."""
    project(
        THREE.replace(
            "[tool.resnet-cli.check.mine]", "[tool.resnet-cli.check.mine]\nmax-params = 1"
        )
    )
    project("base = 'resnet18'\n", "net.toml")
    for model in ("resnet18", "ResNet-18"):
        rows = lines(model, "--max-params", "11M")
        assert [(row["quantity"], row["limit"], row["ok"]) for row in rows] == [
            ("params", 11_000_000, False), ("layers", 18, True),
        ]  # fmt: skip
    assert {row["limit"] for row in lines("--max-params", "1G") if row["quantity"] == "params"} == {
        10**9
    }
    assert [row["limit"] for row in lines("resnet34", "--max-params", "1G")] == [10**9]


def test_a_model_typed_is_no_table_with_another_model(project):
    """A table that is called as a network and is about another one is found by its name alone."""
    project("[tool.resnet-cli.check.resnet18]\nmodel = 'resnet34'\nmax-layers = 18\n")
    assert [row["actual"] for row in lines("resnet18")] == [34]
    with pytest.raises(UserError, match="no limit"):
        asked("ResNet-18")


def test_a_network_that_cannot_be_read_fails_and_the_others_are_checked(project):
    """A name, a file and a bad file: no limit of theirs is met, and each is told why."""
    project("stages = 3\n", "bad.toml")
    project(
        "".join(
            f"[tool.resnet-cli.check.{name}]\nmodel = {model!r}\nmax-params = '12M'\n"
            for name, model in [
                ("a", "resent18"),
                ("b", "no.toml"),
                ("c", "bad.toml"),
                ("d", "resnet18"),
            ]
        )
    )
    code, out = asked("--json")
    answer = json.loads(out)
    assert code == 1 and [row["ok"] for row in answer["rows"]] == [False, False, False, True]
    assert [row["actual"] for row in answer["rows"]] == [None, None, None, 11_689_512]
    assert [problem["network"] for problem in answer["problems"]] == ["a", "b", "c"]
    assert "resnet18" in answer["problems"][0]["hint"]


def test_one_that_is_typed_and_cannot_be_read_fails_too(project):
    """With exit 1, as where a file names it."""
    project("")
    assert asked("resent18", "--max-params", "12M")[0] == 1


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("tool = {resnet-cli = 3}", "no table [tool.resnet-cli]", "write"),
        ("[tool.resnet-cli]\ncheck = 3", "no table [tool.resnet-cli.check]", "write"),
        ("[tool.resnet-cli.chekc.x]", "unknown key 'chekc'", "did you mean 'check'"),
        ("[tool.resnet-cli.check]\nmax-params = 3", "'max-params' in [tool.resnet-cli.check]", "table"),
        ("[tool.resnet-cli.check.x]\nmax-parms = 3", "check.x] of 'pyproject.toml': unknown key", "max-params"),
        ("[tool.resnet-cli.check.resnet50-v1.5]\nmax-params = 3", "unknown key '5'", 'check."resnet50-v1.5"]'),
        ("[tool.resnet-cli.check.x]\nmax-params = true", "max-params is not a whole number", '"12M"'),
        ("[tool.resnet-cli.check.x]\nmax-params = nan", "max-params is not a whole number", '"12M"'),
        ("[tool.resnet-cli.check.x]\nmax-params = -1", "max-params is not a whole number", '"12M"'),
        ("[tool.resnet-cli.check.x]\nmax-params = 0.5", "max-params is not a whole number", '"12M"'),
        ("[tool.resnet-cli.check.x]\nmax-memory = [1]", "max-memory is not a whole number", '"8GiB"'),
        (f"[tool.resnet-cli.check.x]\nmax-params = 0x{'f' * 400_000}", "not a whole number", '"12M"'),
        ("[tool.resnet-cli.check.x]\nmax-params = '12 miles'", "max-params '12 miles'", "26M"),
        ("[tool.resnet-cli.check.x]\nmax-params = 1\nbatch = '8'", "batch is not", "batch = 64"),
        (f"[tool.resnet-cli.check.x]\nmax-params = 1\nbatch = 0x{'f' * 400_000}", "out of range", "allowed"),
        ("[tool.resnet-cli.check.x]\nmax-params = 1\nmodel = 18", "model is not a text", 'model = "'),
        ("[tool.resnet-cli.check.x]\nmax-params = 1\nuse = 'train'", "no use named", "training"),
        ("[tool.resnet-cli.check.x]\nmax-params = 1\ndtype = 1", "dtype is not a text", '"fp32"'),
        ('[tool.resnet-cli.check."\\u001b[31m"]\nmax-params = 1', "unprintable", "printable"),
        (f"[tool.resnet-cli.check.{'x' * 300}]\nmax-params = 1", "too long", "printable"),
        ("".join(f"[tool.resnet-cli.check.n{n}]\n" for n in range(201)), "201 tables", "up to 200"),
        ("# resnet-cli\nx = 1\nx = 2", "is not a TOML file", ""),
        (f"[tool.resnet-cli.{'a.' * 100_000}a]", "nested too deeply", "quotes"),
        ("# resnet-cli\nx = " + "[" * 50_000, "nested too deeply", "quotes"),
        ("# resnet-cli\n" + "#" * (1 << 19), "over 512 KiB", "limits stand"),
    ],
)  # fmt: skip
def test_a_bad_table_is_told_with_its_name(project, text, said, hint):
    """Exit 1, what is wrong where, and what to write."""
    project(text)
    with pytest.raises(UserError) as error:
        asked()
    assert said in error.value.what and hint in error.value.hint and error.value.code == 1
    assert len(error.value.what) + len(error.value.hint) < 500


def test_a_pipe_is_no_pyproject(tmp_path, monkeypatch):
    """It is refused, and nobody waits for it; so is a folder of the name."""
    os.mkfifo(tmp_path / "pyproject.toml")
    (tmp_path / "sub/pyproject.toml").mkdir(parents=True)
    for folder, said in ((tmp_path, "not a regular file"), (tmp_path / "sub", "is a directory")):
        with pytest.raises(UserError, match=said):
            budgets.read(str(folder))


def test_files_of_others_are_not_parsed(project):
    """A pyproject.toml without us may be anything: it is not in the way."""
    project("x = " + "[" * 100_000)
    assert asked("resnet18", "--max-params", "12M")[0] == 0


@pytest.mark.slow
def test_any_pyproject_takes_little():
    """The largest that is read, of what takes most to parse: under four seconds."""
    text = "".join(f"[a{n:06}.a.a.a.a.a.a.a]\n" for n in range(budgets.MOST_BYTES // 24))
    before = time.process_time()
    toml.parsed(text.encode())
    assert time.process_time() - before < 4


def test_many_large_networks_are_bounded(project, monkeypatch):
    """Those after so many layers are not read, and fail; each network is let go before the next."""
    monkeypatch.setattr("resnet_cli.answers.check.MOST_ROWS", 100)
    names = ("resnet18", "resnet34", "resnet50")
    project("".join(f"[tool.resnet-cli.check.{name}]\nmax-params = '1G'\n" for name in names))
    answer = json.loads(asked("--json")[1])
    assert [row["ok"] for row in answer["rows"]] == [True, True, False]
    assert "over 100 layers" in answer["problems"][0]["what"]


PYTHON = ["net.py:Net", "net.py:Net(depth=3)", "net:Net", "os:system", "a.b:c.d", "timm:no_such_net", "timm:resnet50(num_classes=10)",
          "torchvision:no_such_net", "timm:resnet50:x.y:z", "net.py", "x.py:a=b",
          "hf:folder", " HF:folder", "timm:a=b", "x:a=b.py:Net", "a=b/net.py:Net", "net.py: Net", "a:b:c"]  # fmt: skip


@pytest.mark.parametrize("model", PYTHON)
def test_a_file_runs_no_python(project, model):
    """Whatever would import or build what somebody wrote is refused by its form; the others are checked."""
    project("open('ran', 'w')\n", "net.py")
    project(
        f"[tool.resnet-cli.check.x]\nmodel = {json.dumps(model)}\nmax-params = 1\n"
        "[tool.resnet-cli.check.resnet18]\nmax-params = '12M'\n"
        f"[tool.resnet-cli.check.{json.dumps(model)}]\nmax-params = 1\n"
    )
    code, out = asked("--json")
    answer = json.loads(out)
    assert code == 1 and [row["ok"] for row in answer["rows"]] == [False, True, False]
    assert all("would run Python" in each["what"] for each in answer["problems"])
    assert not Path("ran").exists()


def test_run_code_lets_a_file_run_python(project):
    """So does typing the MODEL; what is left is that there is no such network."""
    project("[tool.resnet-cli.check.'os:nothing']\nmax-params = 1\n")
    for words in (["--run-code"], ["os:nothing"]):
        assert "would run Python" not in asked(*words)[1]


@pytest.mark.parametrize(
    "model",
    [
        "resnet50",
        "net.toml",
        "a/net.toml",
        "resnet50:groups=32,base-width=4",
        "C:\\nets\\net.toml",
        "timm:resnet50",
        "torchvision:resnet18",
        "microsoft/resnet-50",
        "timm/resnet50.a1_in1k",
    ],
)
def test_what_runs_no_python_is_read(model):
    """Names, files, and either with changes."""
    assert not models.runs_python(model)


def test_paths_are_beside_the_file(tmp_path, monkeypatch):
    """A known suffix or a slash makes a path, there or not; a name is one unless such a file is there."""
    (tmp_path / "resnet18").write_text("")
    (tmp_path / "pyproject.toml").write_text(
        "".join(
            f"[tool.resnet-cli.check.n{at}]\nmodel = {model!r}\n"
            for at, model in enumerate(
                [
                    "resnet18",
                    "resnet34",
                    "no.toml",
                    "no.toml:width=3",
                    "a/b",
                    "/a/b",
                    "timm/resnet50",
                ]
            )
        )
    )
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    models = [table["model"] for table in budgets.read(".").tables.values()]
    assert models == [
        "../resnet18", "resnet34", "../no.toml", "../no.toml:width=3", "../a/b", "/a/b", "timm/resnet50",
    ]  # fmt: skip


# ---- a baseline ---------------------------------------------------------------------------------


def earlier(factor=1, quantity="params", **more):
    """The answer of a check of resnet18, in which a number was another."""
    document = resnet_cli.check(
        "resnet18", **{f"min_{quantity.replace('-', '_')}": 0}, **more
    ).data()
    document["rows"][0]["actual"] = int(document["rows"][0]["actual"] * factor)
    return document


@pytest.mark.parametrize(
    ("before", "tolerance", "code"),
    [
        (11_689_512, "0%", 0),
        (11_689_511, "0%", 1),
        (11_700_000, "0%", 0),
        (11_573_774, "1%", 1),  # 11,573,774 and a hundredth are 11,689,511.74
        (11_573_775, "1%", 0),
        (1, "0", 1),
    ],
)
def test_what_grew_beyond_the_tolerance_fails(before, tolerance, code):
    """To the last digit; what shrank is fine."""
    document = earlier()
    document["rows"][0]["actual"] = before
    answer = resnet_cli.check("resnet18", baseline=document, tolerance=tolerance)
    assert answer.code == code and [row["ok"] for row in answer.data()["rows"]] == [not code]
    changes = [(row["before"], row["change"]) for row in answer.data()["changes"]]
    assert changes == ([(before, 11_689_512 - before)] if before != 11_689_512 else [])


def test_a_receptive_field_must_not_shrink():
    """Of it more is better."""
    for factor, code in ((0.5, 0), (1, 0), (1.01, 1)):
        document = earlier(factor, "receptive-field")
        assert resnet_cli.check("resnet18", baseline=document).code == code


def test_a_summary_is_a_baseline():
    """Its parameters, MACs, layers and what it could not count."""
    document = resnet_cli.summary("resnet18").data()
    answer = resnet_cli.check("resnet18", baseline=document)
    assert answer.code == 0 and "nothing changed since the baseline" in answer.notes
    assert [row["quantity"] for row in answer.data()["rows"]] == [
        "params",
        "macs",
        "layers",
        "uncounted",
    ]
    document["model"], document["total"]["macs"] = "resnet34", 10**9
    answer = resnet_cli.check("resnet34", max_params="22M", baseline=document)
    assert next((row["quantity"], row["ok"]) for row in answer.data()["rows"]) == ("params", True)
    assert answer.code == 1


def test_what_the_baseline_does_not_have_is_new():
    """A network, with or without limits, and a quantity; neither fails."""
    document = earlier()
    for limits in ({}, {"max_params": "22M"}):
        answer = resnet_cli.check("resnet34", baseline=document, **limits)
        assert answer.code == 0 and all(row["what"] == "new" for row in answer.data()["changes"])
        assert answer.data()["rows"][0]["actual"] == 21_797_672
    answer = resnet_cli.check("resnet18", baseline=document, max_layers=18)
    assert [(row["quantity"], row["what"]) for row in answer.data()["changes"]] == [
        ("layers", "new")
    ]


def test_bytes_are_compared_by_the_same_settings_alone():
    """A batch of 8 is not set beside one of 16, and that is said."""
    document = earlier(0.9, "memory", batch=8)
    assert resnet_cli.check("resnet18", baseline=document, batch=8).code == 1
    answer = resnet_cli.check("resnet18", baseline=document, batch=16, max_memory="1TiB")
    assert answer.code == 0 and any("memory not compared" in note for note in answer.notes)


def test_a_check_of_a_project_is_its_own_baseline(project):
    """Nothing changed; a network that can't be read any more fails."""
    project("base = 'resnet18'\n", "net.toml")
    project(THREE)
    Path("before.json").write_text(asked("--json")[1])
    code, out = asked("--baseline", "before.json", "--json")
    assert code == 0 and json.loads(out)["changes"] == [] and len(json.loads(out)["rows"]) == 8
    Path("net.toml").unlink()
    assert asked("--baseline", "before.json")[0] == 1


ROW = {"network": "resnet18", "quantity": "params", "actual": 1}
CHECK = {"schema": 2, "command": "check", "rows": [ROW], "changes": []}
SUMMARY = {"schema": 2, "command": "summary", "model": "x", "total": {"params": 1}, "uncounted": []}


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "3", "nan", "[" * 10**6, '{"a":' * 10**6, "9" * 10**6, "\udcff",
        *map(json.dumps, [
            {}, {"schema": 2, "command": "flops"}, CHECK | {"schema": 1}, CHECK | {"rows": 3}, CHECK | {"rows": [3]},
            CHECK | {"rows": [ROW | {"actual": -1}]}, CHECK | {"rows": [ROW | {"actual": 1.5}]},
            CHECK | {"rows": [ROW | {"actual": True}]}, CHECK | {"rows": [ROW | {"actual": 10**30}]},
            CHECK | {"rows": [ROW | {"quantity": "speed"}]}, CHECK | {"rows": [ROW | {"network": []}]},
            CHECK | {"networks": [{"network": {}}]}, CHECK | {"networks": 3}, SUMMARY | {"total": 3},
            SUMMARY | {"total": {"params": float("nan")}}, SUMMARY | {"uncounted": [{"times": "3"}]},
            SUMMARY | {"model": {}},
        ]),
    ],
)  # fmt: skip
def test_a_baseline_that_is_none_is_refused(project, text):
    """Exit 1 with one line, whatever the file holds."""
    project("")
    Path("b.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError) as error:
        asked("resnet18", "--baseline", "b.json")
    assert error.value.code == 1 and "--json" in error.value.hint


def test_a_large_baseline_is_refused(project):
    """Before it is parsed; so is what is no file."""
    project(" " * (budgets.MOST_BASELINE + 1), "b.json")
    for path, said in (("b.json", "over 4,096 KiB"), ("/dev/zero", "not a regular file")):
        with pytest.raises(UserError, match=said):
            asked("resnet18", "--baseline", path)


@pytest.mark.parametrize("text", ["", "1", "-1%", "1e2%", "nan%", "1%%", "%", "1" * 16 + "%"])
def test_a_tolerance_is_a_percentage(text):
    """Nothing else, but for 0."""
    with pytest.raises(UserError, match="is not a share"):
        resnet_cli.check("resnet18", baseline=CHECK, tolerance=text)


# ---- what CI is told ----------------------------------------------------------------------------

HOSTILE = "a,b: 100%\r\n::error::x\x1b[31m\u202e\x00\udcff]]><&\"'"


def hostile():
    """An answer about networks of that name, one over its limit and one that can't be read."""
    line = analysis.Verdict(HOSTILE, "params", 2, "max", 1, -1, -1.0, False, HOSTILE, 1.0)
    other = line._replace(network=f"{HOSTILE}2", actual=None, room=None)
    problems = Table("problems", "", [analysis.COLUMNS[0]._replace(key=key) for key in ("network", "what", "hint")],
                     [(f"{HOSTILE}2", HOSTILE, HOSTILE)])  # fmt: skip
    return Answer({}, [Table("rows", "", analysis.COLUMNS, [line, other]), problems])


def test_annotations_are_escaped_as_github_reads_them():
    """A line each; what a property or the text may not hold is written as %XX, and nothing else acts."""
    out = annotated(hostile())
    assert len(out.splitlines()) == 2
    for line in out.splitlines():
        _, kind, *_ = line.split("::")
        assert kind.startswith("error title=") and line.isprintable()
        assert not set(kind.removeprefix("error title=")) & set(":,")
    assert "100%25" in out and "100%\\" not in out


def test_junit_is_well_formed_whatever_networks_are_called():
    """And counts what fails."""
    root = xml.fromstring(junit(hostile()))
    assert (root.get("tests"), root.get("failures")) == ("2", "2")
    assert [case.get("name") for case in root.iter("testcase")] == ["params max 1", "not read"]
    assert all("]]><&\"'" in failure.get("message") for failure in root.iter("failure"))


def test_github_and_junit_say_what_failed(project, monkeypatch):
    """Annotations on stdout, Markdown behind what the page has already, a test case for each limit."""
    project("before\n", "page.md")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "page.md")
    words = ["resnet18", "--max-params", "11M", "--max-layers", "18"]
    code, out = asked(*words, "--github", "--junit", "limits.xml")
    first = "::error title=resnet18 params max 11.00M::resnet18 params max 11.00M: 11.69M, max 11.00M: 689.5K over (6.3%25)"
    assert code == 1 and out.startswith(first) and out.count("::error") == 1
    page = Path("page.md").read_text()
    assert page.startswith("before\n### resnet-cli check\n\n| network |") and "FAILS" in page
    cases = [*xml.parse("limits.xml").iter("testcase")]
    assert [(case.get("classname"), case.get("name"), len(case)) for case in cases] == [
        ("resnet18", "params max 11.00M", 1), ("resnet18", "layers max 18", 0),
    ]  # fmt: skip


def test_what_cannot_be_written_is_told_before_the_work(project, monkeypatch):
    """A page in no folder; a device is no page either."""
    project("")
    for page in ("no/page.md", "/dev/null"):
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", page)
        with pytest.raises(UserError, match="cannot write"):
            asked("resnet18", "--max-params", "12M", "--github")


def test_the_hook_is_one_of_pre_commits():
    """Its keys, a file pattern that has the files of networks, and a command that there is."""
    import re

    import yaml

    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["id"], hook["language"], hook["pass_filenames"]) == (
        "resnet-cli-check",
        "python",
        False,
    )
    assert hook["entry"] == "resnet-cli check"
    for name in ("pyproject.toml", "nets/net.toml", "weights.safetensors", "a.pth", "net.py"):
        assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "README.md")


def test_the_action_runs_a_check(project, tmp_path):
    """Its last step, as a runner runs it: what is typed is parted at spaces, and none of it is run or a pattern."""
    import yaml

    action = yaml.safe_load((ROOT / "action.yml").read_text())
    install, step = action["runs"]["steps"]
    assert action["runs"]["using"] == "composite" and set(action["inputs"]) == {
        "arguments",
        "working-directory",
    }
    assert "${{" not in install["run"] + step["run"]  # an input is never a part of the script
    assert all(each["shell"] == "bash" for each in (install, step))
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/resnet-cli"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m resnet_cli "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(tmp_path / "page.md"),
        "PYTHONPATH": str(ROOT), "ARGUMENTS": "resnet18 --max-params 11M --junit $(touch${IFS}ran)*.xml",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and done.stdout.startswith("::error title=resnet18 params")
    assert (tmp_path / "page.md").exists() and not (tmp_path / "ran").exists()
    assert (tmp_path / "$(touch${IFS}ran)*.xml").exists()


# ---- load ---------------------------------------------------------------------------------------


def test_twenty_networks_are_checked_together(project):
    """All of their quantities, memory and receptive field among them; docs/performance.md has the time."""
    names = [spec.name for spec in zoo.NETWORKS if max(spec.input_size) > 100][:20]
    keys = "".join(f"min-{quantity} = 0\n" for quantity in analysis.QUANTITIES)
    project("".join(f"[tool.resnet-cli.check.'{name}']\n{keys}" for name in names))
    assert len(lines()) == 20 * len(analysis.QUANTITIES)


def test_a_check_loads_nothing_heavy(tmp_path, monkeypatch):
    """Neither torch nor, without a pyproject.toml of ours, tomllib; for CSV no rich."""
    monkeypatch.chdir(tmp_path)
    words = ("check", "resnet50", "--max-params", "26M", "-f", "csv")
    assert_not_loaded("torch", "tomllib", "rich", by=words)


def test_the_page_shows_every_quantity():
    """docs/check.md has a line for each."""
    page = (ROOT / "docs/check.md").read_text(encoding="utf-8")
    assert all(f"| `{quantity}` |" in page for quantity in analysis.QUANTITIES)
