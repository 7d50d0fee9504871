"""What others may do to us: planted links, pipes, hostile names and files, signals at any time."""

import csv
import io
import json
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from program import HEARS, run

from resnet_cli import files, toml
from resnet_cli.commands import extras, output
from resnet_cli.designs import specfile
from resnet_cli.errors import UserError, printable, typed
from resnet_cli.render.tables import latex_text
from resnet_cli.tables import Answer, Column, Table

NAMES = ("\x1b[31mred", "a\nhint: b", "\u202egnp.exe", "\x9b2J", "\u2028", "\udcff")
"""What a terminal would act upon, a second line, text written backwards, half a sign."""


def program(code, *words, **options):
    """Runs code in which `main` is the program, called with the words; what came of it."""
    code = f"{HEARS}import os, sys\nos.environ.pop('COLUMNS', None)\nfrom resnet_cli.__main__ import main\nsys.argv[1:] = {[*words]!r}\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, **options)  # fmt: skip


# ---- writing ------------------------------------------------------------------------------------


def test_a_planted_link_is_not_followed(tmp_path):
    """A link beside the target, at a name made of its own and the process's number, leads nowhere."""
    private = tmp_path / "private"
    private.write_text("private")
    plant = "os.symlink('private', f'out.part{os.getpid()}.html')\nmain()"
    done = program(plant, "report", "resnet18", "-o", "out.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert private.read_text() == "private"
    assert (tmp_path / "out.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("write", [files.check_writable, lambda target: output.send("new", target)])
def test_a_name_that_is_taken_is_refused(tmp_path, monkeypatch, write):
    """Even at the random name a link is not followed: the file must not be there yet."""
    (tmp_path / "private").write_text("private")
    monkeypatch.setattr(os, "urandom", bytes)
    (tmp_path / f".resnet-cli-{bytes(8).hex()}.txt").symlink_to("private")
    with pytest.raises(UserError, match="File exists"):
        write(str(tmp_path / "out.txt"))
    assert (tmp_path / "private").read_text() == "private"
    assert not (tmp_path / "out.txt").exists()


def test_no_name_beside_the_target_can_be_guessed(tmp_path):
    """The temporary file has the target's suffix, and another name each time."""
    names = set()
    for _ in range(3):
        with files.whole(str(tmp_path / "net.onnx")) as path:
            names.add(os.path.basename(path))
    assert len(names) == 3 and all(
        re.fullmatch(r"\.resnet-cli-\w{16}\.onnx", name) for name in names
    )
    assert os.listdir(tmp_path) == ["net.onnx"]


@pytest.mark.parametrize("name", ["x" * 255, "x" * 250 + ".json", "x." + "y" * 250])
def test_the_longest_names_are_written(tmp_path, name):
    """A target whose name is as long as the system allows has room beside it."""
    output.send("text", str(tmp_path / name))
    assert (tmp_path / name).read_text() == "text"


def test_the_mode_is_the_files_or_the_umasks(tmp_path):
    """A new file has the umask's mode, an existing one keeps its own, and nobody else reads it meanwhile."""
    old = os.umask(0o027)
    try:
        for mode in (None, 0o604, 0o600):
            target = tmp_path / f"{mode}.txt"
            if mode is not None:
                target.write_text("before")
                target.chmod(mode)
            with files.whole(str(target)) as path:
                during = stat.S_IMODE(os.stat(path).st_mode)
                os.unlink(path)  # as an exporter may
                Path(path).write_text("after")
            assert during == (0o640 if mode is None else 0o600)
            assert stat.S_IMODE(target.stat().st_mode) == (0o640 if mode is None else mode)
            assert target.read_text() == "after"
    finally:
        os.umask(old)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_is_kept(tmp_path):
    """Root writing over another user's file leaves it theirs."""
    target = tmp_path / "theirs.txt"
    target.write_text("before")
    os.chown(target, 1234, 5678)
    output.send("after", str(target))
    assert (target.stat().st_uid, target.stat().st_gid) == (1234, 5678)
    assert target.read_text() == "after"


def test_a_pipe_without_a_reader_is_refused(tmp_path):
    """-o to a FIFO that nobody reads ends with one line, and does not wait."""
    os.mkfifo(tmp_path / "pipe")
    done = program("main()", "list", "resnet18", "-o", str(tmp_path / "pipe"))
    assert done.returncode == 1
    assert "cannot write" in done.stderr and "nothing reads from it" in done.stderr


def test_a_pipe_with_a_reader_gets_all(tmp_path):
    """-o to a FIFO hands over the whole text, also more than the pipe holds at once."""
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    words = ("summary", "resnet1202", "--level", "layer", "--json")
    run(*words, "-o", str(pipe))
    reader.join(20)
    assert read == [run(*words)[0]] and len(read[0]) > 1 << 17
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_socket_is_no_target(tmp_path, monkeypatch):
    """-o to a socket is refused before the work."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        with pytest.raises(UserError, match="is a socket"):
            files.check_writable("socket")


@pytest.mark.parametrize("words", ["summary resnet1202 --level layer", "summary --help"])
def test_a_reader_that_has_seen_enough_is_no_error(words):
    """A closed pipe, such as head leaves it, ends the program with 0."""
    line = f"unset COLUMNS; set -o pipefail; {sys.executable} -m resnet_cli {words} | true"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# ---- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "folder"])
def test_only_regular_files_are_read(tmp_path, monkeypatch, kind):
    """A pipe, device, socket or folder named as a network is refused at once, and never opened."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as bound:
        if kind == "pipe":
            os.mkfifo("x.toml")
        elif kind == "device":
            os.symlink("/dev/zero", "x.toml")
        elif kind == "socket":
            bound.bind("x.toml")
        else:
            os.mkdir("x.toml")
        done = program("main()", "summary", "x.toml")
    assert done.returncode == 1
    said = "is a directory" if kind == "folder" else "is not a regular file"
    assert done.stderr.startswith(f"error: 'x.toml' {said}\n")


def test_a_pipe_that_takes_a_files_place_does_not_hold(tmp_path, monkeypatch):
    """Between looking and opening the file may become a pipe: it reads as empty."""
    os.mkfifo(tmp_path / "x")
    regular = os.stat(__file__)
    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", lambda *given, **more: regular)
        file, _ = files.opened(str(tmp_path / "x"), "")
    with file:
        assert file.read(1) == b""


MOST = specfile.MOST_BYTES


def filled(unit, before="", after=""):
    return before + unit * ((MOST - len(before) - len(after)) // len(unit)) + after


DEEP = {
    "a dotted key": filled("a.", after="a = 1"),
    "with spaces": filled("a . ", after="a = 1"),
    "of quoted parts": filled('"a".', after="a = 1"),
    "of empty parts": filled("''.", after="a = 1"),
    "a header": filled("a.", "[", "a]\nx = 1\n"),
    "a header and many keys": f"[{'a.' * 16_000}a]\n" + "b.c = 1\n" * 4_000,
    "an inline table": filled("a.", "x = {", "a = 1}"),
    "after a string": filled("a.", 'x = """a"""""\ny = "\\\\"\nz = \'\\\'\n', "a = 1"),
    "after a comment": filled("a.", "x = 1 # \"'''\n", "a = 1"),
    "arrays": "x = " + "[" * 32_000 + "]" * 32_000,
    "tables in arrays": filled("[{a=", "x = "),
}
WIDE = {
    "keys": "".join(f"a{n} = 1\n" for n in range(6_000)),
    "keys of eight parts": "".join(f"a.a.a.a.a.a.a.a{n} = 1\n" for n in range(2_700)),
    "headers": "".join(f"[a{n}]\n" for n in range(7_000)),
    "arrays of tables": filled("[[a]]\n"),
    "small arrays": filled("[],", "x = [", "]"),
    "small tables": filled("{a=1},", "x = [", "]"),
    "a text": filled("\\u0041", 'x = "', '"'),
    "an unfinished text": filled('\\"', 'x = "'),
    "quotes": filled('a""', 'x = """', '"""'),
    "a number": filled("f", "width = 0x"),
    "a float": filled("1", "width = 1."),
    "comments": filled("#.........\n"),
}
MEASURED = """
import json, resource, sys, time
from resnet_cli.designs import specfile
from resnet_cli.errors import UserError
for path in json.load(sys.stdin):
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        specfile.read(path)
        said = "a network"
    except UserError as problem:
        said = problem.what
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([said, after.ru_maxrss - before.ru_maxrss, after.ru_utime - before.ru_utime]))
"""


@pytest.mark.parametrize("texts", [DEEP, WIDE], ids=["deep", "wide"])
def test_any_toml_takes_little(tmp_path, texts):
    """Whatever 64 KB hold: under 32 MiB and two seconds, and what is deep is refused before parsing."""
    paths = [tmp_path / f"{name}.toml" for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        assert len(text) <= MOST
        path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], input=json.dumps([*map(str, paths)]),
        capture_output=True, text=True, timeout=100,
        preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_AS, (1 << 29,) * 2),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-300:]
    measured = [*map(json.loads, done.stdout.splitlines())]
    assert len(measured) == len(texts)
    for name, (said, kib, seconds) in zip(texts, measured, strict=True):
        assert ("nested too deeply" in said) == (texts is DEEP), (name, said)
        assert kib < 32 << 10 and seconds < 2, (name, kib, seconds)


@pytest.mark.parametrize(
    "text",
    [
        "# see a.b.c.d.e.f.g.h.i.j.k.l ..............................................\n",
        'name = "a.b.c.d.e.f.g.h.i.j.k.l [[[[[[[[[[{{{{{{{{{{"\n',
        "name = '[[[[[[[[[[[[ \"'  # '''\n",
        'name = """\na.a.a.a.a.a.a.a.a.a.a.a.a\\"""" """"\n'.replace(' """"', ""),
        "body_scale = 0.5\nshortcut_scale = 1.5\n",
    ],
)
def test_texts_and_comments_are_no_structure(text):
    """A file is not taken for a deep one because of what stands in its texts and comments."""
    tomllib.loads(text)
    toml.check_flat(text)


# ---- what reaches a terminal --------------------------------------------------------------------


@pytest.mark.parametrize("words", ["report {}", "summary --{}"])
def test_messages_are_two_printable_lines(words):
    """Whatever is typed, also in Typer's own messages: an error and a hint, a line each, printable."""
    for name in NAMES:
        done = program("main()", *(word.replace("{}", name) for word in words.split(" ")))
        assert done.returncode == 2
        lines = done.stderr.split("\n")
        assert lines[0].startswith("error: ") and lines[1].startswith(" hint: ")
        assert lines[2:] == [""] and all(line.isprintable() for line in lines)


def test_hints_quote_what_was_given(tmp_path):
    """Pasted into a shell, a name is one word again and runs nothing."""
    assert typed("identify", "$(id).pth") == "resnet-cli identify '$(id).pth'"
    hint = run("report", "a'b; $(id)", code=2)[1].partition("type ")[2]
    assert shlex.split(hint) == ["resnet-cli", "report", "a'b; $(id)", "-o", "report.html"]
    own = tmp_path / "own `id`.toml"
    own.write_text("base = 'resnet18'\n")
    hint = run("explain", "depth", str(own), "conv1", code=2)[1].partition("leave it out: ")[2]
    assert shlex.split(hint) == ["resnet-cli", "explain", "depth", str(own)]


@pytest.mark.parametrize("format", output.FORMATS)
def test_answers_are_printable_in_every_format(format):
    """Names in titles, columns, cells and notes are written out; JSON holds them as escapes."""
    for name in NAMES:
        table = Table("rows", name, [Column(name, name), Column("n", "n", "count")], [[name, 1]])
        text = output.render(
            Answer({"command": name}, [table], [name]), format, False, to_file=True
        )
        assert all(line.isprintable() for line in text.split("\n")), name
        if format == "json":
            assert json.loads(text)["command"] == json.loads(text)["notes"][0] == name
        else:
            shown = latex_text.literal(printable(name)) if format == "latex" else printable(name)
            assert shown.replace("\\", "") in text.replace("\\", "")


def test_what_is_being_done_is_text(monkeypatch):
    """A file's name in the line that waits is no markup and no control character."""
    monkeypatch.setenv("TERM", "xterm")
    stderr = io.StringIO()
    stderr.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", stderr)
    with extras.working("saving [/]\x1b[31m.pth"):
        pass
    assert r"saving [/]\x1b[31m.pth" in stderr.getvalue() and "\x1b[31m" not in stderr.getvalue()


LIVE = (
    "[a](http://a.bc)", "![a](b)", "<img src=x>", "<http://a.bc>", "http://a.bc", "www.a.bc", "a@b.cd",
    "[a]: b", "[a][a]", "*a*", "_a_", "`a`", "~~a~~", "a|b", "\\", "&lt;", "&#60;b>", "# a", "- a", "1. a", "> a",
    "[a](b\\", "\\[a](b)", "`[a](b)", "]`<]:b", "$a$",
)  # fmt: skip


@pytest.mark.parametrize("name", LIVE)
def test_markdown_shows_names_as_they_are(name):
    """In a title, a cell and a note a name is its own text: no link, image, HTML or emphasis."""
    table = Table("rows", name, [Column("name", "name")], [[name]])
    text = output.render(Answer({"command": "x"}, [table], [name]), "markdown", False, to_file=True)
    tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(text)
    kinds = [token.type for token in tokens if token.nesting == 1]
    assert (
        kinds[:1] + kinds[-1:] == ["paragraph_open", "paragraph_open"]
        and kinds.count("td_open") == 1
    )
    inline = [token for token in tokens if token.type == "inline"]
    shown = ["".join(child.content for child in token.children) for token in inline]
    linked = "://" in name or "www." in name or "@" in name or "`" in name
    assert shown[1] == "name"
    for text, token in zip(shown, inline, strict=True):
        allowed = {"text", "text_special", "strong_open", "strong_close"} | (
            {"code_inline"} if linked else set()
        )
        assert {child.type for child in token.children} <= allowed, (name, text)
        bare = [child.content for child in token.children if child.type != "code_inline"]
        assert not any("://" in part or "www." in part or "@" in part for part in bare)
        assert text == "name" or re.sub(r"[\\`|\]]", "?", text) == re.sub(r"[\\`|\]]", "?", name)


def test_markdown_of_usual_names_is_plain():
    """What a network and its blocks are called stands in the source as it is read."""
    text = run("summary", "resnext50_32x4d", "-f", "markdown")[0]
    assert text.startswith("**resnext50_32x4d (ResNeXt)**\n")
    assert r"<br>[1×1, 128 \| 3×3, 128, C=32 \| 1×1, 256] × 3 |" in text


def test_markdown_has_a_line_for_each_part_of_a_cell():
    """GitHub reads every row of Table 1 as one of seven cells, with breaks between a stage's parts."""
    text = run("table", "-f", "markdown")[0]
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [
        tokens[at + 1] for at, token in enumerate(tokens) if token.type in ("td_open", "th_open")
    ]
    assert len(cells) == 7 * len(rows) and len(rows) == 1 + 6 + 3
    breaks = [
        part.content for cell in cells for part in cell.children if part.type == "html_inline"
    ]
    assert (
        breaks == ["<br>"] * 10
    )  # the pool before conv2_x's blocks and before fc, of five networks


def test_csv_runs_nothing():
    """A text that a spreadsheet takes for a formula begins with an apostrophe; numbers stay numbers."""
    cells = ["=1+1", "+1", "-1", "@a", "\t=1", "\uff1d1", "a=1", -1, -0.5, (3, 224)]
    columns = [Column("=a", "a"), *(Column(f"c{n}", "c") for n in range(len(cells) - 1))]
    answer = Answer({"command": "x"}, [Table("rows", "", columns, [cells])], ["-note"])
    text = output.render(answer, "csv", False, to_file=True, notes=True)
    head, row = csv.reader(io.StringIO(text))
    assert head[2] == "'=a"
    assert row[2:] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@a",
        r"\t=1",
        "'\uff1d1",
        "a=1",
        "-1",
        "-0.5",
        "3x224",
        "papers",
        "",
        "'-note",
    ]


# ---- signals ------------------------------------------------------------------------------------

AT_IMPORT = """
class Finder:
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{signal})
del sys.modules["signal"]
sys.meta_path.insert(0, Finder)
main()
"""
SAID = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "the terminal was closed"}


FIRST = ("resnet_cli.signals", "signal", "resnet_cli.cli", "typer", "inspect", "resnet_cli.errors")
"""Modules that load in this order; those of `site` before them are not ours."""


@pytest.mark.parametrize(
    ("name", "module"),
    [
        *(("SIGINT", module) for module in (*FIRST, "resnet_cli.commands.listing", "rich.table")),
        ("SIGTERM", "typer"),
        ("SIGHUP", "resnet_cli.commands.listing"),
    ],
)
def test_a_signal_while_modules_load_is_one_line(name, module):
    """From the program's first import on Ctrl-C, SIGTERM and SIGHUP print no traceback."""
    done = program(AT_IMPORT.format(module=module, signal=name), "list", "resnet18")
    assert done.stderr == f"error: {SAID[name]}\n"
    assert done.returncode == 128 + getattr(signal, name) and done.stdout == ""


def test_torch_does_not_swallow_an_interrupt(tmp_path):
    """Ctrl-C while torch loads ends the program, though torch catches what is raised there."""
    code = AT_IMPORT.format(module="torch._C", signal="SIGINT")
    done = program(code, "build", "resnet20", "-o", str(tmp_path / "net.pth"))
    assert (done.returncode, done.stderr) == (130, "error: interrupted\n")
    assert os.listdir(tmp_path) == []


def test_an_ignored_signal_stays_ignored():
    """Under nohup the end of the terminal does not end the program."""
    code = "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    code += AT_IMPORT.format(module="resnet_cli.commands.listing", signal="SIGHUP")
    done = program(code, "list", "resnet18")
    assert (done.returncode, done.stderr) == (0, "") and "resnet18" in done.stdout


@pytest.mark.parametrize("event", ["os.remove", "os.rename"])
@pytest.mark.parametrize("name", SAID)
def test_a_signal_while_writing_leaves_nothing_behind(tmp_path, name, event):
    """Ended by Ctrl-C, kill or a closed terminal while a file is beside: it goes, the target stays."""
    (tmp_path / "out.svg").write_text("before")
    code = f"""
sent = []
def watch(event, given):
    if event == {event!r} and not sent:
        sent.append(event)
        os.kill(os.getpid(), signal.{name})
sys.addaudithook(watch)
main()
"""
    done = program(code, "diagram", "resnet18", "-o", "out.svg", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (128 + getattr(signal, name), f"error: {SAID[name]}\n")
    assert os.listdir(tmp_path) == ["out.svg"]
    assert (tmp_path / "out.svg").read_text() == "before"


# ---- the end ------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("list", "resnet18"), ("nope",)])
@pytest.mark.parametrize(
    "watching",
    ["sys.settrace(lambda *given: None)", "sys.setprofile(lambda *given: None)", "os.environ['COVERAGE_RUN'] = '1'"],
)  # fmt: skip
def test_what_watches_the_program_sees_its_end(words, watching):
    """Under a debugger, a profiler or coverage the process ends as any other, so that they can write."""
    code = f"import atexit\natexit.register(print, 'the end')\n{watching}\nmain()"
    done = program(code, *words)
    assert done.stdout.endswith("the end\n")
    assert done.returncode == (2 if words == ("nope",) else 0)


def test_a_profile_is_written(tmp_path):
    """python -m cProfile -o FILE -m resnet_cli has something to show."""
    words = [
        sys.executable,
        "-m",
        "cProfile",
        "-o",
        "profile",
        "-m",
        "resnet_cli",
        "list",
        "resnet18",
    ]
    subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "profile").stat().st_size > 1000


# ---- what is refused for its size or age --------------------------------------------------------


def test_a_page_of_minutes_is_refused(tmp_path):
    """Networks of over 100,000 layers together are no page: said within seconds, before the work."""
    own = tmp_path / "own.toml"
    own.write_text("base = 'resnet20'\nstages = [6666, 6666, 6666]\n")
    done = program("main()", "report", *[str(own)] * 20, "-o", str(tmp_path / "page.html"))
    assert done.returncode == 2 and "over 100,000 layers" in done.stderr
    assert os.listdir(tmp_path) == ["own.toml"]


@pytest.mark.parametrize("version", ["2.5.1", "2.5.1+cpu", "1.13.1"])
def test_an_old_torch_loads_no_pickle(tmp_path, monkeypatch, version):
    """Below 2.6 weights_only runs code of some files (CVE-2025-32434), so nothing is loaded."""
    import torch

    from resnet_cli.pytorch import weights

    torch.save({"a": torch.zeros(1)}, tmp_path / "x.pth")
    assert set(weights.content(str(tmp_path / "x.pth"), "zip")) == {"a"}
    monkeypatch.setattr(torch, "__version__", version)
    monkeypatch.setattr(torch, "load", None)
    with pytest.raises(UserError, match=re.escape(version)) as raised:
        weights.content(str(tmp_path / "x.pth"), "zip")
    assert raised.value.hint == 'pip install "torch>=2.6"'


def test_every_extra_wants_a_torch_that_is_safe():
    """No extra of the package admits a torch below 2.6."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())[
        "project"
    ]
    wanted = [each for extra in project["optional-dependencies"].values() for each in extra]
    assert {each for each in wanted if re.match(r"torch\b", each)} == {
        "torch>=2.6",
        "torch>=2.6,<2.14",
    }
