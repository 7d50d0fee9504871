"""What README and docs show is what the program prints. UPDATE_DOCS=1 writes it anew."""

import os
import re
import shlex
from pathlib import Path

import pytest
from program import run

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CONSOLE = re.compile(
    r"```console\n\$ resnet-cli (.*?)\n(.*?)(\$ echo \$\?\n([0-9]+)\n)?```", re.DOTALL
)
FILE = re.compile(r"```(?:toml|python)\n# (\S+\.(?:toml|py))\n(.*?)```", re.DOTALL)


def settled(command, text):
    """Gradients without their digits and lines: those differ a little from one machine to another."""
    if not command.startswith("gradient"):
        return text
    return re.sub(r"[ ─▁▂▃▄▅▆▇█]+", " ", re.sub(r"-?[0-9][-+.e0-9]*", "#", text))


def shown():
    """Pages with output; those with commands that need torch are slow."""
    for page in PAGES:
        commands = [match[1] for match in CONSOLE.finditer(page.read_text(encoding="utf-8"))]
        if commands:
            heavy = any(
                re.match("(build|gradient|verify) |.*(timm|py):", command) for command in commands
            )
            yield pytest.param(page, id=page.name, marks=[pytest.mark.slow] if heavy else [])


@pytest.mark.parametrize("page", list(shown()))
def test_outputs_on_the_page_are_current(page, tmp_path):
    """Each `$ resnet-cli …` prints what stands below it; a page's commands share a folder, which has
    the files that the page shows under their names."""
    text = page.read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        (tmp_path / name).write_text(content, encoding="utf-8")

    def current(shown):
        printed, _ = run(*shlex.split(shown[1]), cwd=tmp_path, code=int(shown[4] or 0))
        same = settled(shown[1], printed) == settled(shown[1], shown[2])
        return (
            shown[0]
            if same
            else f"```console\n$ resnet-cli {shown[1]}\n{printed}{shown[3] or ''}```"
        )

    renewed = CONSOLE.sub(current, text)
    if os.environ.get("UPDATE_DOCS") == "1":
        page.write_text(renewed, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == renewed


def test_every_command_is_shown_somewhere():
    """README and docs show real output of each command."""
    from resnet_cli.cli import COMMANDS

    shown = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in COMMANDS if f"$ resnet-cli {name}" not in shown] == []
