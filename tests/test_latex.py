"""LaTeX goes into a paper as it is: every table compiles, and fits the text of a plain article."""

import re
import shutil
import subprocess

import pytest
from program import run
from usual import answers, torch_answers

import resnet_cli
from resnet_cli.commands import output
from resnet_cli.errors import UserError
from resnet_cli.render.tables import latex_text
from resnet_cli.tables import Answer, Column, Run, Stack, Table

TEX = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
HOSTILE = (
    r"\input{/etc/passwd} \write18{id} \end{table} $$ % & # _ {} ~ ^ | < > ^^M",
    "a_b/" * 60, "1" * 200, "{" * 60, "[5pt]", "*", "?` !` -- ,, `` '' << >>",
    "".join(map(chr, range(32, 127))), "日本語 ﬁ é ß ł 🙂 \u202e \x1b[31m \x00 \udcff \u0301",
)  # fmt: skip


def render(answer, **own):
    return output.render(answer, "latex", exact=False, to_file=True, **own)


def compiled(folder, texts, of="article"):
    """The log of a document of these, each with its own lines for the preamble."""
    packages = {text.split("\n")[0].removeprefix("% in the preamble: ") for text in texts}
    lines = [rf"\documentclass{{{of}}}", *packages, r"\begin{document}", "Text."]
    lines += [part for text in texts for part in (text, r"\clearpage")]
    (folder / "paper.tex").write_text("\n".join([*lines, r"\end{document}"]), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"],
        cwd=folder, capture_output=True, timeout=120,
    )  # fmt: skip
    log = (folder / "paper.log").read_text(encoding="latin-1")
    assert done.returncode == 0, re.findall(r"^! .*?\n\n", log, re.DOTALL | re.MULTILINE)
    return log


def assert_fits(log):
    assert "Overfull \\hbox" not in log and "Float too large" not in log, log


@TEX
def test_every_commands_tables_fit_the_text_of_an_article(tmp_path):
    """pdflatex meets no error, no line wider than the text and no float higher than a page."""
    assert_fits(compiled(tmp_path, [render(answer) for answer in answers(tmp_path)]))


@TEX
@pytest.mark.slow
def test_so_do_those_of_commands_that_run_a_module(tmp_path):
    """verify and gradient, by network, block and variant."""
    pytest.importorskip("torch")
    assert_fits(compiled(tmp_path, [render(answer) for answer in torch_answers()]))


@TEX
def test_any_name_compiles_and_runs_nothing(tmp_path):
    """In titles, heads, cells, brackets, notes and captions; what is printed is what was there."""
    made = []
    for name in HOSTILE:
        columns = [Column("a", name), Column("b", name, "mixed"), Column("c", name, "count")]
        stack = Stack((name, Run((name, name), 3), Run((name,), beside=name)))
        table = Table("rows", name, columns, [[name, stack, 10**20]], (name, None, 1))
        answer = Answer({"command": name, "model": name}, [table, table], [name])
        made += [render(answer), render(answer, caption=name)]
    log = compiled(tmp_path, made)
    assert "passwd" not in re.sub(r"\n", "", log.replace("in paragraph", "")) or "root:" not in log
    assert not re.search(r"\(/etc|runsystem\(", log)


def test_every_codepoint_is_ascii_that_latex_knows():
    """No sign is left that pdflatex has no letter for, nor one that it would act upon."""
    for number in [*range(0x3000), *range(0xD800, 0xE000, 64), *range(0x1F300, 0x1F700)]:
        text = latex_text.literal(chr(number))
        assert text.isascii() and text.isprintable()
        if text not in latex_text.SIGNS.values():
            assert not set(text) & set("\\{}$&#^_~%[]*"), hex(number)


def test_brackets_stand_as_in_the_papers_table_1():
    """A line for each layer in one bracket, how often it is there, and once what all networks share."""
    text = render(resnet_cli.table("resnet50", "resnet101"))
    lines = r"\mbox{1$\times$1, 64} \\ \mbox{3$\times$3, 64} \\ \mbox{1$\times$1, 256}"
    assert rf"$\left[\begin{{array}}{{@{{}}l@{{}}}}{lines}\end{{array}}\right] \times 3$" in text
    assert r"conv1 & 112$\times$112 & \multicolumn{2}{c}{7$\times$7, 64, stride 2} \\" in text
    assert text.count(r"\begin{table}") == text.count(r"\caption{") == 1
    assert r"\resizebox" not in render(resnet_cli.table())


def test_a_wide_table_is_parted_after_its_first_column():
    """Table 1 of all five networks stands in one float, in two parts that begin with the stages."""
    text = render(resnet_cli.table())
    assert text.count(r"\begin{table}") == 1
    assert [line.split(" & ")[0] for line in text.split("\n") if " & resnet" in line] == [
        "stage"
    ] * 2
    for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"):
        assert f" & {name} " in text


def test_a_long_table_goes_over_pages():
    """All layers of a network are a longtable with its head on each page, and one caption."""
    text = render(resnet_cli.summary("resnet50", "layer"))
    assert r"\endhead" in text and text.count(r"\label{tab:summary-resnet50}") == 1
    assert text.startswith("% in the preamble: \\usepackage{booktabs,array,longtable}\n")


def test_caption_and_label_are_the_first_tables():
    """Typed ones are plain text and a plain name; further tables are called after them."""
    out, _ = run(
        "summary", "resnet50", "-f", "latex", "--caption", "Cost & 100%", "--label", "tab:x"
    )
    assert r"\caption{Cost \& 100\%}\label{tab:x}" in out
    assert r"\label{tab:x-published}" in out
    assert r"\caption{Architecture of resnet50 (ResNet)}" in render(resnet_cli.summary("resnet50"))
    for label in ("a b", "x}", r"\x", "", "%"):
        with pytest.raises(UserError, match="--label"):
            render(resnet_cli.list("vgg"), label=label)


def test_notes_are_text_below_the_table():
    """What is counted is printed, not a comment."""
    lines = render(resnet_cli.summary("resnet18")).split("\n")
    assert [line for line in lines if line.startswith("%")] == lines[:1]
    assert any(line.startswith("MACs: multiply-accumulates") for line in lines)
