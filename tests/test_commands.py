"""The commands as a person types them: what they print, in every format, and how they fail."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from program import assert_not_loaded, run

import resnet_cli
from resnet_cli.commands.output import ASCII
from resnet_cli.models import load
from resnet_cli.render.tables import latex_text, spreadsheet
from resnet_cli.render.tables.data import as_json
from resnet_cli.render.tables.numbers import cell
from resnet_cli.tables import Answer, Column, Run, Stack, Table

FORMATS = ("table", "plain", "json", "csv", "markdown", "latex", "html")


def test_summary_of_resnet101():
    """Parameters, the depth and its four projections are on one screen."""
    out, err = run("summary", "resnet101", "--exact")
    assert "44,549,160" in out
    assert "1 + 3·(3+4+23+3) + 1 = 101" in out
    assert "4 projections" in out
    assert "[1×1, 64 | 3×3, 64 | 1×1, 256] × 3" in out
    assert err == ""


def test_compare_writes_the_arithmetic_out():
    """1,179,648 against 69,632 weights at 256 channels, 16.94 times (He et al. 2015, Fig. 5)."""
    out, _ = run("compare", "basic", "bottleneck")
    assert "1×1×256×64 + 3×3×64×64 + 1×1×64×256 = 69,632" in out
    assert "1,179,648" in out
    assert "16.94 times" in out
    assert "73,728" in out


def test_the_title_names_the_network_and_what_was_changed():
    """A changed network is not mistaken for the listed one."""
    assert run("summary", "resnet50")[0].startswith("resnet50 (ResNet)\n")
    changed, _ = run("summary", "resnet50", "--stages", "3,4,9,3", "--groups", "2")
    assert changed.startswith("resnet50 (ResNet, stages 3,4,9,3, groups 2)\n")
    unlisted, _ = run("summary", "--depth", "38", "--shortcut", "B")
    assert unlisted.startswith("resnet38 (ResNet (CIFAR), shortcut B)\n")


def test_a_file_may_borrow_a_name_but_no_figures(tmp_path):
    """A file called resnet50.toml or wrn-x.toml is what it says, not what it is called."""
    own = tmp_path / "resnet50.toml"
    own.write_text('base = "resnet18"\n')
    (network,) = json.loads(run("table", str(own), "--json")[0])["networks"]
    assert (network["name"], network["source"]) == ("resnet50", str(own))
    assert (network["macs"], network["printed"]) == (1_814_073_344, None)
    wide = tmp_path / "wrn-x.toml"
    wide.write_text('base = "wrn-28-10"\n')
    assert run("summary", str(wide))[0].startswith("wrn-x (Wide ResNet)\n")


def test_table_is_the_papers_table_1():
    """Five columns with He et al. 2015's blocks, the MACs computed and as printed."""
    out, _ = run("table")
    assert "⎢3×3, 256 ⎥ × 23" in out
    answer = json.loads(run("table", "--json")[0])
    networks = {network["name"]: network for network in answer["networks"]}
    assert networks["resnet50"]["macs"] == 3_857_973_248
    assert networks["resnet152"]["printed"] == "11.3 G"
    (conv4_x,) = (row["networks"] for row in answer["rows"] if row["stage"] == "conv4_x")
    stages = {each["name"]: each["architecture"] for each in conv4_x}
    assert stages["resnet101"] == "[1×1, 256 | 3×3, 256 | 1×1, 1024] × 23"


def test_a_stack_is_one_line_or_a_part_a_line():
    """Long brackets are drawn tall, and no sign within a part is taken for one between parts."""
    three = Run(("1×1, 64", "fc, [16, 256]", "pool"), times=3)
    beside = Run(("3×3, 8", "3×3, 16"), beside="identity")
    stack = Stack(("a; b | c] × 2", Run(("3×3, 64",), times=2), three, beside))
    line = (
        "a; b | c] × 2; [3×3, 64] × 2; [1×1, 64 | fc, [16, 256] | pool] × 3; "
        "[3×3, 8 | 3×3, 16], identity"
    )
    lines = [
        "a; b | c] × 2", "[3×3, 64] × 2", "⎡1×1, 64      ⎤", "⎢fc, [16, 256]⎥ × 3", "⎣pool         ⎦",
        "⎡3×3, 8 ⎤, identity", "⎣3×3, 16⎦",
    ]  # fmt: skip
    column = Column("c", "c", "mixed")
    assert cell(column, stack, exact=False) == line
    assert cell(column, stack, exact=False, tall=True).split("\n") == lines
    assert cell(Column("c", "c"), stack, exact=False, tall=True) == line
    answer = Answer({"command": "x"}, [Table("rows", "", [column], [[stack]])])
    assert json.loads(as_json(answer))["rows"] == [{"c": line}]
    assert next(csv.DictReader(io.StringIO(spreadsheet.render(answer))))["c"] == line


def test_wide_networks_say_how_their_paper_counts():
    """WRN-28-10: 26 layers by He et al.'s rule, 28 = 6·4 + 4 by its own."""
    out, _ = run("summary", "wrn-28-10")
    assert "= 26" in out
    assert "28 in wrn-28-10 is 6·4 + 4" in out


def test_list_has_the_published_errors_and_a_limit():
    """ResNet-152's 10-crop top-1 error stands in the list; --under keeps the cheaper ones."""
    assert "21.43   He et al. 2015, Table 3" in run("list", "resnet152")[0]
    rows = json.loads(run("list", "--under", "2G", "--sort", "macs", "--json")[0])["rows"]
    macs = [row["macs"] for row in rows]
    assert macs == sorted(macs) and max(macs) <= 2 * 10**9


def test_resnext_block_costs_what_a_bottleneck_does():
    """256·128 + 9·128·4 + 128·256 = 70,144 weights against 69,632 (Xie et al. 2017, Sec. 3.3)."""
    rows = json.loads(run("compare", "bottleneck", "resnext", "--json")[0])["rows"]
    assert [row["params"] for row in rows] == [69_632, 70_144]


@pytest.mark.parametrize("command", ["summary", "flops"])
@pytest.mark.parametrize("network", ["resnet50", "vgg16", "se-resnet50", "preact-resnet164"])
def test_rows_add_up_to_the_total_at_every_level(command, network):
    """MACs (and parameters) of the rows sum to the totals, whatever a row stands for."""
    levels = ("stage", "block", "layer") + (("operator",) if command == "flops" else ())
    for level in levels:
        option = "--level" if command == "summary" else "--by"
        answer = json.loads(run(command, network, option, level, "--json")[0])
        for key in ("macs", "params"):
            if key in answer["rows"][0]:
                assert sum(row[key] for row in answer["rows"]) == answer["total"][key]


def test_every_sign_has_an_ascii_and_a_latex_form():
    """Whatever sign the program writes, a terminal without it and LaTeX have another for it."""
    drawn = set("█▉▊▋▌▍▎▏▁▂▃▄▅▆▇─⎡⎢⎣⎤⎥⎦—│┤└┬░▒▓▚▞■□▲△▼◆○●┌┐┘├┈┊╮╯◄┼┴╌")
    for file in Path(resnet_cli.__file__).parent.rglob("*.py"):
        for sign in set(file.read_text()) - set(map(chr, range(128))):
            assert ord(sign) in ASCII, f"{sign} in {file}"
            assert sign in drawn or sign in latex_text.SIGNS, f"{sign} in {file}"


def test_json_is_the_contract():
    """The keys of docs/json.md, and integers alone as numbers."""
    answer = json.loads(run("summary", "resnet50", "--json")[0])
    assert set(answer) == {
        "schema", "command", "model", "spec", "input", "inputs", "origin", "batch", "rows", "total",
        "published", "uncounted", "notes",
    }  # fmt: skip
    assert set(answer["total"]) == {
        "params", "buffers", "macs", "flops", "layers", "convolutions", "projections", "gates",
    }  # fmt: skip
    assert answer["total"]["macs"] == 3_857_973_248
    assert answer["input"] == [3, 224, 224]
    for row in answer["rows"]:
        assert all(isinstance(value, (int, str, list)) for value in row.values())


def test_a_batch_multiplies_a_copy_of_the_total():
    """--batch 8 leaves rows and totals at one input and adds eight times the MACs beside them."""
    answer = json.loads(run("summary", "resnet18", "--batch", "8", "--json")[0])
    assert answer["total"]["macs"] == 1_814_073_344
    assert answer["batch_total"] == {"macs": 14_512_586_752, "flops": 29_025_173_504}


def test_large_numbers_of_notes_are_short_and_then_exact():
    """64 · 3,857,973,248 multiply-accumulates; three passes of them but for the first layer's input."""
    for answer in (resnet_cli.summary, resnet_cli.flops):
        notes = answer(load("resnet50")._replace(batch=64)).notes
        assert "batch of 64: 246.9G (246,910,287,872) MACs" in notes
    explained = resnet_cli.explain("macs", "resnet50", "conv1", batch=2).notes
    assert "batch of 2: 236.0M (236,027,904) MACs" in explained
    step = resnet_cli.flops(load("resnet50")._replace(batch=64), backward=True).notes
    assert "64: 733.2G (733,177,970,688) MACs" in step[1]


def test_notes_name_what_the_network_has():
    """A convolution's bias costs where there is one: in a gate, and not in resnet18."""
    said = "convolution bias 1 an output"
    assert not any(said in note for note in resnet_cli.flops("resnet18").notes)
    assert any(said in note for note in resnet_cli.flops("se-resnet18").notes)


def test_the_shell_completes_names():
    """What begins with `se-resnet1` is offered, and nothing else."""
    asked = {"_RESNET_CLI_COMPLETE": "complete_bash", "COMP_WORDS": "resnet-cli summary se-resnet1"}
    done = subprocess.run(
        [sys.executable, "-c", "from resnet_cli.cli import app; app()(prog_name='resnet-cli')"],
        capture_output=True, text=True, env={**os.environ, **asked, "COMP_CWORD": "2"},
    )  # fmt: skip
    assert done.stdout.split() == ["se-resnet18", "se-resnet101", "se-resnet152"]


def test_csv_holds_raw_integers_and_its_convention():
    """Every row reads as integers and says what is counted."""
    rows = list(csv.DictReader(io.StringIO(run("flops", "resnet50", "-f", "csv")[0])))
    assert sum(int(row["macs"]) for row in rows) == 3_857_973_248
    assert {
        (row["network"], row["table"], row["convention"], row["uncounted"]) for row in rows
    } == {("resnet50", "rows", "papers", "0")}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("words", [("summary", "resnet50"), ("flops", "resnet50"), ("list", "vgg"),
                                   ("compare", "basic", "se"), ("table",)])  # fmt: skip
def test_every_format_of_every_command(words, format):
    """Each format answers and says what it counts; CSV where it is asked to."""
    out, _ = run(*words, "-f", format, *("--notes",) * (format == "csv"))
    assert "MACs" in out


def test_an_ascii_terminal_is_no_crash():
    """Signs that the encoding lacks are spelled in ASCII."""
    out, _ = run("summary", "resnet50", PYTHONIOENCODING="ascii")
    assert "[1x1, 64 | 3x3, 64 | 1x1, 256] x 3" in out


def test_a_network_of_thousands_of_layers_is_printed():
    """ResNet-1202 at layer level: a line for each executed layer."""
    out, _ = run("summary", "resnet1202", "--level", "layer")
    assert "layer3.199.conv2" in out


def test_a_toml_file_is_a_model(tmp_path):
    """A base and a change give the same as the option."""
    file = tmp_path / "mine.toml"
    file.write_text('base = "resnet50"\ngroups = 32\nbase_width = 4\nstyle = "v1.5"\n')
    answer = json.loads(run("summary", str(file), "--json")[0])
    assert answer["model"] == "mine"
    assert answer["total"]["params"] == 25_028_904


def test_output_files_appear_whole(tmp_path):
    """-o writes the file and nothing beside it."""
    file = tmp_path / "out.json"
    assert run("summary", "resnet50", "--json", "-o", str(file))[0] == ""
    assert json.loads(file.read_text())["model"] == "resnet50"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("summary", "resent50"), 2, "did you mean 'resnet50'"),
        (("summary", "--depth", "51"), 2, "6n + 2"),
        (("summary",), 2, "no network named"),
        (("summary", "resnet50", "--depth", "50"), 2, "both MODEL"),
        (("summary", "resnet50", "--stages", "3,4"), 2, "2 stages given"),
        (("summary", "resnet50", "--stages", "3,x"), 2, "not whole numbers"),
        (("summary", "resnet50", "--input-size", "0"), 2, "out of range"),
        (("summary", "resnet50", "--input-size", "1000000000"), 2, "out of range"),
        (("summary", "resnet50", "--batch", "-1"), 2, "out of range"),
        (("summary", "resnet50", "--width", "10", "--base-width", "3"), 2, "do not divide"),
        (("summary", "resnet50", "--level", "stages"), 2, "'stage'"),
        (("summary", "resnet50", "-f", "xml"), 2, "allowed: table"),
        (("summary", "resnet50", "--nope"), 2, "No such option"),
        (("compare", "basic", "resnet50"), 2, "is a block"),
        (("compare", "basic"), 2, "two or more"),
        (("compare", "basic", "bottleneck", "--channels", "255"), 2, "do not divide"),
        (("summary", "missing.toml"), 1, "no such file"),
        (("list", "--under", "x"), 2, "not a whole number"),
        (("list", "nothing-like-it"), 2, "no network matches"),
        (("summary", "resnet50", "-o", "/no/such/folder/x"), 1, "cannot write"),
    ],
)
def test_bad_input_is_one_clear_message(words, code, said):
    """An error line, a hint line, the right exit status, nothing on stdout, no traceback."""
    out, err = run(*words, code=code)
    assert out == ""
    assert said in err
    assert err.startswith("error: ")
    assert len(err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'base = "resnet50"\ngropus = 3\n', "groups"),
        (b'base = "resnet50"\nstages = "3"\n', "whole numbers"),
        (b'base = "resnet50"\ngroups = 1.5\n', "whole number"),
        (b"\xff\xfe\x00", "not text"),
        (b"[[[", "not a TOML"),
        (b"block = 'basic'\n", "stages missing"),
        (b'base = "resnet50"\nname = "\\u001b[2J"\n', "unprintable"),
        (b'base = "resnet50"\nwidth = 99999999999999999999999999\n', "out of range"),
        (b"#" * 70_000, "64 KiB"),
    ],
)
def test_bad_toml_is_bad_content(tmp_path, content, said):
    """A typo is named with a suggestion; a file that is no TOML is exit 1, not a traceback."""
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    _, err = run("summary", str(file), code=1)
    assert said in err
    assert "Traceback" not in err


def test_everyday_commands_load_neither_torch_nor_rich_for_data():
    """JSON needs no rich, and nothing needs torch."""
    assert_not_loaded("torch", "rich", by=("summary", "resnet50", "--json"))


def shell(line, code):
    """A line of bash in which resnet-cli is the program; what it wrote to stderr."""
    program = f'resnet-cli() {{ {sys.executable} -m resnet_cli "$@"; }}; '
    done = subprocess.run(["bash", "-c", program + line], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
def test_a_full_device_is_an_error_and_stays_a_device():
    """Written to by -o or as stdout: one line, exit 1, and the device is still one."""
    assert "No space left" in shell("resnet-cli summary resnet18 -o /dev/full", 1)
    for words in ("list", "list --help"):
        told = shell(f"resnet-cli {words} >/dev/full", 1)
        assert "cannot write to stdout: No space left" in told and "hint: " in told
    shell("resnet-cli summary nope 2>/dev/full", 2)
    assert Path("/dev/full").is_char_device()


def test_closed_streams_are_no_crash():
    """Without stdout nothing is printed; without stderr the exit code stays."""
    shell("resnet-cli list >&-", 0)
    shell("resnet-cli summary nope 2>&-", 2)


def test_pipes_are_written_into_and_links_followed(tmp_path):
    """-o takes a pipe of the shell; a link keeps pointing, its file keeps its mode."""
    (tmp_path / "real.txt").write_text("before")
    (tmp_path / "real.txt").chmod(0o600)
    (tmp_path / "link.txt").symlink_to("real.txt")
    run("summary", "resnet18", "-o", str(tmp_path / "link.txt"))
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text().startswith("resnet18")
    assert (tmp_path / "real.txt").stat().st_mode & 0o777 == 0o600
    shell(f"resnet-cli summary resnet18 -o >(cat > {tmp_path}/piped.txt); sleep 0.3", 0)
    assert (tmp_path / "piped.txt").read_text() == (tmp_path / "real.txt").read_text()


@pytest.mark.parametrize("target", [".", "/", "", "no/such/folder/x.txt"])
def test_targets_that_are_no_file_are_refused_before_the_work(target):
    """A folder, nothing, or a folder that is not there: one line and a hint, exit 1."""
    assert "cannot write" in run("summary", "resnet18", "-o", target, code=1)[1]


def test_a_wild_environment_is_no_crash():
    """--help for an ASCII terminal, COLUMNS that is no width, a TOML number of 5,000 digits."""
    assert "memory" in run("--help", PYTHONIOENCODING="ascii")[0]
    for columns in ("²", "999999999999", "-5", "wide"):
        assert "resnet18" in run("list", "resnet18", COLUMNS=columns)[0]


def test_a_number_of_thousands_of_digits_is_refused(tmp_path):
    """Python reads no integer of over 4,300 digits; the file is bad, and the program says so."""
    (tmp_path / "big.toml").write_text('base = "resnet50"\nwidth = 1' + "0" * 5000)
    assert "is not a TOML file" in run("summary", str(tmp_path / "big.toml"), code=1)[1]


@pytest.mark.parametrize("command", ["compare", "diagram"])
def test_a_misspelt_block_is_not_taken_for_a_network(command):
    """basic beside botleneck suggests bottleneck; beside a network that exists it suggests nothing."""
    err = run(command, "basic", "botleneck", code=2)[1]
    assert "'botleneck' is none" in err and "did you mean 'bottleneck'" in err
    err = run(command, "basic", "resnet50", code=2)[1]
    assert "'basic' is a block and 'resnet50' is none" in err and "did you mean" not in err
