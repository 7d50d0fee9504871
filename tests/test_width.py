"""What a terminal of some width shows: every command says what it is for, and nothing is cut."""

import fcntl
import os
import re
import shlex
import struct
import subprocess
import sys
import termios
from contextlib import chdir
from functools import cache
from time import process_time
from unittest.mock import patch

import graph_files
import pytest
from program import run
from safetensors.torch import save_file
from trainings import tiny, written

from resnet_cli.analyses.verify import Route
from resnet_cli.analyses.verify import ours as by_path
from resnet_cli.answers import verify
from resnet_cli.cli import COMMANDS, app
from resnet_cli.commands import output
from resnet_cli.designs import zoo
from resnet_cli.pytorch.build import build
from resnet_cli.render.tables import terminal_table
from resnet_cli.render.tables.breaking import broken, narrowest, paragraph
from resnet_cli.render.tables.layout import Layout
from resnet_cli.render.tables.numbers import stacked
from resnet_cli.tables import Answer, Column, Run, Stack, Table

SIX = "resnet20 resnext50_32x4d vgg16 wrn-28-10 se-resnet50 preact-resnet1001"
PUBLISHED = "published, printed, ours, source"
STEPS = "step, formula, with the numbers, result"
POINTS = {
    "summary resnet50": f"stage, output, architecture, params, MACs, share, {PUBLISHED}",
    "summary resnet152 --exact": f"stage, architecture, params, MACs, share, {PUBLISHED}",
    "summary se-resnext50_32x4d": f"stage, output, architecture, params, MACs, share, {PUBLISHED}",
    "summary resnet50 --level block": f"block, output, architecture, params, MACs, share, {PUBLISHED}",
    "summary resnet18 --level layer": "path, layer, kernel, stride, output, params, MACs",
    "summary resnet152 --level layer": "path, layer, kernel, stride, output, params, MACs",
    "summary resnet50 --level module": "module, output, architecture, params, MACs, share",
    "summary resnet50 --level operator": "operator, params, MACs, share",
    "summary resnet50 --convention fvcore": "stage, output, architecture, params, MACs (fvcore), share",
    "flops resnet50": f"stage, MACs, FLOPs, other operations, share, operator, {PUBLISHED}",
    "flops se-resnet152 --by layer": "layer, MACs, FLOPs, other operations, share",
    "flops resnet50 --reconcile": "convention, prints, unit, ledger",
    "flops resnet152-v1.5 --reconcile": "convention, prints, unit, ledger",
    "flops resnet50 --backward": "stage, forward, input gradient, weight gradient, training step",
    "flops vgg16 --level 1": "module, MACs, FLOPs, other operations, share",
    "memory resnet50 --batch 64": "stage, weights, gradients, optimiser, saved, live, use, at its peak",
    "memory resnet50 --level block": "block, weights, saved, live, use, at its peak",
    "memory resnet50 --budget 8GiB": "stage, weights, saved, live, use, at its peak, largest batch",
    "compare basic bottleneck": "name, weights, ratio, MACs, weights of the convolutions",
    "compare resnet18 resnet50": "field, quantity, resnet18, resnet50, Δ, ratio, source, stage, Δ params, Δ MACs",
    f"compare {SIX}": "name, params, MACs, Δ, ratio, stage, preact-resnet1001 MACs",
    "figures": "paper, table, figures, computable, rounding, cutting, different",
    "figures --paper he2015 --paper-table 6": "network, quantity, printed, ours, agrees",
    "figures resnet50": "paper, table, network, quantity, printed, ours, agrees",
    "table": "stage, output, resnet18, resnet34, resnet50, resnet101, resnet152",
    f"table {SIX}": f"stage, output, {SIX.replace(' ', ', ')}",
    "explain depth resnet50": STEPS,
    "explain flops resnet152": STEPS,
    "explain flops se-resnet50": STEPS,
    "explain params resnet50 conv3_1": STEPS,
    "explain memory resnet50": STEPS,
    "explain receptive-field resnet50": STEPS,
    "explain resnet50": "what, result, how it comes about",
    "explain shape resnet50": STEPS,
    "conv --in 192 --out 32 --kernel 1 --size 28": f"{STEPS}, kernel, output, params, MACs, ratio",
    "check resnet50 --max-params 26M --max-macs 3G": "network, quantity, actual, limit, room, ok",
    "receptive-field resnet50": "stage, stride, receptive field, coverage",
    "receptive-field resnet18 --level block": "block, stride, receptive field, coverage",
    "receptive-field resnet18 --level layer": "path, stride, receptive field, coverage",
    "features resnet50-v1.5": "feature, torch path, channels, stride, size, receptive field",
    "paths resnet152": "through blocks, layers, paths, receptive field, share",
    "list": "family, names, params, MACs",
    "list --all": "name, blocks, layers, params, MACs, error %",
    "verify resnet50": "stage, params, MACs, agrees",
    "verify resnet18 resnet50": "network, params, MACs, published, agrees",
    "gradient resnet20 plain20 --seeds 1": "network, first block, last block, first / last, first to last block",
    "gradient resnet20 --variants --seeds 1 --batch 1": "network, first block, last block, first / last, paper's error",
    "gradient resnet20 --by block --seeds 1": "block, median, least to largest",
    "gradient resnet20 --shatter --seeds 2": "network, lag 1, lag 2, lag 4",
    "train --resume FOLDER": "network, training error, test error",
    "lesion FOLDER": "network, test error intact, median with one deleted, least to largest",
    "lesion FOLDER --shuffle": "network, test error intact, median with one pair swapped",
    "lesion FOLDER resnet20 --level block": "without block, test error, more than intact, why not",
    "build resnet20": "stage, modules, output, tensors, params",
    "summary SMALL": "module, ×, architecture, params, MACs",
    "summary SMALL --level stage": "stage, output, architecture, params, MACs, share",
    "summary SMALL --level layer": "path, layer, params, MACs",
    "summary ONNX": "module, ×, output, architecture, params, MACs, share",
    "flops SMALL": "module, ×, MACs, FLOPs, other operations",
    "flops SMALL --reconcile": "convention, prints, unit, ledger",
    "memory SMALL": "module, ×, weights, saved, live, use, at its peak",
    "compare resnet18 SMALL": "quantity, resnet18, small.pt2, Δ, ratio, module, Δ params, Δ MACs",
    "compare SMALL ONNX": "quantity, small.pt2, doubled.onnx, Δ, ratio, module",
    "receptive-field SMALL": "module, ×, receptive field",
    "features SMALL": "feature, torch path, channels, stride",
    "paths SMALL": "through blocks, layers, paths, share",
    "explain params SMALL": STEPS,
    "explain macs SMALL head": STEPS,
    "explain shape SMALL": STEPS,
    "check SMALL --max-params 26M --max-macs 3G": "network, quantity, actual, limit, room, ok",
    "identify FILE": "property, value",
    "identify FILE --against resnet32": "name, A, B, what",
    "identify FILE --keys layer3": "name in the file, shape, dtype, numbers",
}  # fmt: skip
"""Each command in its usual forms, and the columns that are its point: they are there at 80 columns."""
WITHOUT_TABLES = {"plot", "diagram", "report", "schema"}
OF_TRAINING = {"train", "lesion"}
"""Their tables are of trainings that take minutes: tests of their own."""

STYLE = re.compile("\x1b\\[[1-9][0-9;]*m")


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    """ResNet-20's weights as a file; beside it networks of operations, not all counted, and the folder of a training."""
    path = tmp_path_factory.mktemp("width") / "net.safetensors"
    written(path.with_name("training"), tiny("plain20"), tiny("resnet20"))
    save_file(build(zoo.find("resnet20"), device="cpu").state_dict(), path)
    graph_files.small(path.parent)
    graph_files.doubled(path.with_name("doubled.onnx"))
    return path


@cache
def answer(line, file):
    """What a command answers, before it is rendered; files lie in the folder where it is typed."""
    files = {"FILE": file.name, "SMALL": "small.pt2", "ONNX": "doubled.onnx", "FOLDER": "training"}
    words = [files.get(word, word) for word in shlex.split(line)]
    answers = []
    with (
        chdir(file.parent),
        patch.object(output, "render", lambda answer, *_, **__: answers.append(answer) or ""),
        patch.object(verify, "check", checked),
    ):
        app(words[:1], words[1:])(words, standalone_mode=False)
    return answers[0]


def checked(network):
    """A network for `verify`, by routes that all give our counts: torch's own take seconds."""
    macs = by_path(network.rows, "macs")
    routes = [Route("module", "params", by_path(network.rows, "params")),
              Route("fvcore", "macs", macs), Route("torch", "macs", macs)]  # fmt: skip
    return verify.Checked(network, routes, {"add": 16}, "2 of 2", [], [])


def words(text):
    """Numbers and words, without the brackets and signs that part them, and without drawings; paths broken at dots."""
    text = re.sub(r"(?<=\w\.)(?=[^\W\d])", " ", text)
    return set(re.sub(r"[⎡⎢⎣⎤⎥⎦\[\]|─█▉▊▋▌▍▎▏▁▂▃▄▅▆▇]|[;,](?!\d)", " ", text).split())


def shown(line, file, width):
    """The columns that a terminal shows, the answer with these alone, and its text."""
    made, exact = answer(line, file), "--exact" in line
    text = terminal_table.render(made, exact, width, color=False)
    tables, titles = [], []
    for table in made.tables:
        parts, _ = Layout(table, exact, width, {}).parts()
        kept = {column.key for part in parts for column in part.columns}
        at = [i for i, column in enumerate(table.columns) if column.key in kept]
        of = [table.columns[i] for i in at]
        rows = [[row[i] for i in at] for row in table.rows]
        total = table.total and [table.total[i] for i in at]
        tables.append(table._replace(columns=of, rows=rows, total=total))
        titles += [column.title for column in of]
    return titles, made._replace(tables=tables), text


def test_every_command_with_tables_is_here():
    """A command that is added says here what its point is."""
    assert {line.split()[0] for line in POINTS} | WITHOUT_TABLES | OF_TRAINING >= {*COMMANDS}


@pytest.mark.parametrize("line", POINTS)
def test_a_terminal_shows_the_point_of_every_command(line, file):
    """At 80 columns the columns that it is asked for are there."""
    titles, _, _ = shown(line, file, 80)
    assert [title for title in POINTS[line].split(", ") if title not in titles] == []


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("line", POINTS)
def test_nothing_overflows_and_nothing_is_cut(line, width, file):
    """No line is wider than the terminal; what is shown has the same words and numbers as without a width.

    Below 60 columns a line may be that holds a single long word, or the first column and one more.
    """
    _, reduced, text = shown(line, file, width)
    long = [row for row in text.split("\n") if len(row) > width]
    assert [row for row in long if width >= 60 or len(re.split(" {2,}", row.strip())) > 2] == []
    whole = terminal_table.render(reduced, "--exact" in line, None, color=False)
    narrow = re.sub(r"(?m)^left out at .*(\n  .*)*", "", text)
    assert words(narrow) == words(whole)


def table(columns, *rows, total=None):
    return Table("rows", "", columns, rows, total)


def rendered(of, width, notes=(), color=False, signs=None):
    return terminal_table.render(Answer({}, [of], notes), False, width, color, signs)


COSTS = [Column("name", "name"), Column("params", "params", "count", drop=2),
         Column("macs", "MACs", "count", drop=1), Column("bar", "", "bar", drop=9)]  # fmt: skip


def test_what_is_left_out_is_said_below_its_table():
    """The columns of least worth leave; a drawing without a title is not named, and never alone."""
    net = table(COSTS, ("resnet", 1234, 5678, 1.0))
    head, _, row, *note = rendered(net, 16).split("\n")
    assert (head, row) == ("name      MACs", "resnet   5,678")
    assert " ".join(" ".join(note).split()) == "left out at 16 columns: params; -f plain shows all"
    assert "left out" not in rendered(net, 24)
    assert rendered(net, 24).startswith("name     params    MACs\n")


def test_a_column_of_less_worth_stays_where_a_wider_one_has_no_room():
    """Idle room is used: of the columns left out, those that fit come back."""
    columns = [
        Column("a", "a"),
        Column("b", "b", "count", drop=1),
        Column("c", "c", "count", drop=2),
    ]
    assert rendered(table(columns, ("x", 12_345, 5)), 6).startswith("a   c\n")


def test_columns_that_must_stay_part_the_table():
    """Each part begins with the first column; the total is in every part."""
    columns = [Column("stage", "stage"), *(Column(n, n, "exact") for n in ("one", "two", "three"))]
    net = table(columns, ("conv1", 111_111, 222_222, 333_333), total=("total", 1, 2, 3))
    first, second = rendered(net, 24).strip().split("\n\nstage  ")
    assert first.split() == [
        "stage",
        "one",
        "two",
        "─" * 23,
        "conv1",
        "111,111",
        "222,222",
        "total",
        "1",
        "2",
    ]
    assert second.split() == ["three", "─" * 15, "conv1", "333,333", "total", "3"]


def test_text_breaks_at_its_joints_and_never_within_a_number():
    """Before a sum's next term, after a comma that parts no number from its layer; a long word stays whole."""
    assert broken("3×3·64 + 3×3·64 + 5", 10) == ["3×3·64", "+ 3×3·64", "+ 5"]
    assert broken("3×3, 64, stride 2", 12) == ["3×3, 64,", "stride 2"]
    assert broken("He et al. 2015, Table 1", 16) == ["He et al. 2015,", "Table 1"]
    assert broken("a 1,234,567,890 b", 3) == ["a", "1,234,567,890", "b"]
    assert broken("error %", 3) == ["error %"] and narrowest(["error %"], 2) == 7
    assert narrowest(["a 1,234 b"], 1) == 9 and narrowest(["a 1,234 b"], 9) == 5


def test_what_remains_of_a_line_is_indented():
    """In a stack a further line is told from the next part, in a note from the next note."""
    stack = Stack(("+ 100 adaptive pool, 1 an input", "+ 2 b"))
    shown = rendered(table([Column("ledger", "ledger", "mixed")], (stack,)), 22)
    assert shown.split("\n")[2:5] == ["+ 100 adaptive pool,", "  1 an input", "+ 2 b"]
    assert paragraph("one two three four", 10) == "one two\n  three\n  four"
    assert paragraph("one two three four", None) == "one two three four"


def test_a_bracket_stands_tall_before_it_breaks():
    """A bracket on one line, else as the papers' tall one, whose lines never break."""
    stack = Stack(("pool", Run(("1×1, 64", "3×3, 64", "1×1, 256"), times=3)))
    stage = table(
        [Column("stage", "stage"), Column("architecture", "architecture")], ("conv2_x", stack)
    )
    assert "pool; [1×1, 64 | 3×3, 64 | 1×1, 256] × 3\n" in rendered(stage, 80)
    assert "pool;\n         [1×1, 64 | 3×3, 64 | 1×1, 256] × 3\n" in rendered(stage, 44)
    assert "⎡1×1, 64 ⎤\n" in rendered(stage, 42) and "⎢3×3, 64 ⎥ × 3\n" in rendered(stage, 20)


def test_in_ascii_a_tall_bracket_is_one():
    """Two lines of one bracket are not read as two brackets, the first of them twice."""
    tall = stacked(Stack((Run(("3×3, 64", "3×3, 64"), times=2),))).translate(output.ASCII)
    assert tall == "/3x3, 64\\ x 2\n\\3x3, 64/"


def test_signs_spelled_longer_are_measured_as_they_are_spelled():
    """√ is "sqrt " in ASCII: the columns stay aligned, and nothing overflows."""
    shown = rendered(
        table(COSTS[:2], ("√2", 1), ("x", 23)), 16, notes=["√" * 3], signs=output.ASCII
    )
    assert shown.split("\n")[2:4] == ["sqrt 2        1", "x            23"]
    assert max(map(len, shown.split("\n"))) <= 16


def test_names_in_wide_signs_are_aligned():
    """A sign of two columns counts as two, also in the title and the notes."""
    shown = rendered(table(COSTS[:2], ("残差", 1), ("name", 23)), 12, notes=["残差 残差"]).split(
        "\n"
    )
    assert shown[2:4] == ["残差       1", "name      23"] and shown[-2] == "残差 残差"


@pytest.mark.parametrize("name", ["a " * 30_000, "[" * 60_000, "(+" * 30_000])
def test_a_name_of_thousands_of_words_is_laid_out_in_time(name):
    """Names come from files of up to 64 KiB; nothing here takes time by their square."""
    start = process_time()
    rendered(Table("rows", name, COSTS[:2], [(name, 1)]), 80, notes=[name])
    assert process_time() - start < 5


def test_heads_and_totals_are_bold_on_a_terminal_with_colours():
    """Every line by itself, as pagers need it, and what is not is neither; without colours no escape."""
    of = table([Column("a", "wide head"), Column("b", "b", "bar")], ("x", 0.5), total=("sum", None))
    shown = rendered(of, 12, color=True)
    bold = ["\x1b[1m" in line for line in shown.split("\n") if line]
    assert bold == [True, True, False, False, True]  # a head of two lines, rule, row, total
    assert all(line.count("\x1b[0m") == len(STYLE.findall(line)) for line in shown.split("\n"))
    assert "\x1b[36m████" in shown and "\x1b" not in rendered(of, 15)


# through the program


def test_piped_output_is_as_wide_as_its_content():
    """Without a terminal and COLUMNS a note is one line, for grep."""
    assert "; for one input of 3×224×224" in run("summary", "resnet50")[0]
    lines = run("summary", "resnet50", COLUMNS="80")[0].split("\n")
    assert max(map(len, lines)) <= 80 and "  for one input of 3×224×224" in lines


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_lacks_signs_has_its_80_columns_too(encoding):
    """⌊ is "floor(" there; tables and notes are laid out as they are spelled."""
    out, _ = run("explain", "shape", "resnet50", COLUMNS="80", PYTHONIOENCODING=encoding)
    assert "floor((224 + 2" in out
    assert max(map(len, out.split("\n"))) <= 80


@pytest.mark.parametrize("term", [{"TERM": "xterm"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_a_terminal_is_asked_for_its_width(term):
    """80 columns without COLUMNS; colours where the terminal has them and they are wanted."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    words = [sys.executable, "-m", "resnet_cli", "summary", "plain18"]
    with subprocess.Popen(words, stdout=theirs, env={**clean, "TERM": "xterm", **term}):
        os.close(theirs)
        out = b""
        try:
            while part := os.read(ours, 65536):
                out += part
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    text = out.decode()
    assert ("\x1b[1m" in text) == (term == {"TERM": "xterm"})
    assert max(map(len, re.sub("\x1b\\[\\d+m", "", text).splitlines())) <= 80
    assert "architecture" in text and "left out" not in text
