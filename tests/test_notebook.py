"""The public Python functions: what notebooks show of them, and what is inside."""

import contextlib
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest
from program import run

import resnet_cli
from resnet_cli.cli import COMMANDS
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError

PAGE = (Path(__file__).parent.parent / "docs" / "notebook.md").read_text(encoding="utf-8")
HOSTILE = "</div><img src=x onerror=alert(1)>"
VIEWS = {
    "summary": (lambda: resnet_cli.summary("resnet18"), ["summary", "resnet18"]),
    "flops": (lambda: resnet_cli.flops("vgg16", level="operator"), ["flops", "vgg16", "--by", "operator"]),
    "memory": (lambda: resnet_cli.memory(50, batch=8), ["memory", "resnet50", "--batch", "8"]),
    "compare": (lambda: resnet_cli.compare("basic", "se"), ["compare", "basic", "se"]),
}  # fmt: skip


@pytest.mark.slow
def test_the_code_of_the_page_runs(tmp_path, monkeypatch):
    """Each block of docs/notebook.md runs after the ones before it; comments give the values."""
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    blocks, names = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL), {}
    assert len(blocks) >= 5
    for block in blocks:
        exec(block, names)
        for code, value in re.findall(r"^(\S.*?) +# ([(\d].*)$", block, re.MULTILINE):
            assert eval(code, names) == eval(value), code
    assert xml.parse(tmp_path / "resnet50.svg").getroot().tag.endswith("svg")


def test_the_page_names_every_public_function():
    """docs/notebook.md has a call of each, and each is what __all__ says."""
    functions = {name for name in resnet_cli.__all__ if name[0].islower()}
    assert set(re.findall(r"resnet_cli\.(\w+)\(", PAGE)) == functions
    assert set(COMMANDS) == {name.replace("_", "-") for name in functions - {"network"}}


def test_a_module_never_stands_for_a_function():
    """With every module of the package loaded, each public name is still what it is called for."""
    code = (
        "import importlib, inspect, pkgutil, resnet_cli\n"
        "for module in pkgutil.walk_packages(resnet_cli.__path__, 'resnet_cli.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "for name in resnet_cli.__all__:\n"
        "    assert callable(getattr(resnet_cli, name)), name\n"
        "    assert name in dir(resnet_cli)\n"
        "    if name[0].islower():\n"
        "        for given in inspect.signature(getattr(resnet_cli, name)).parameters.values():\n"
        "            assert given.annotation not in (inspect.Parameter.empty, 'Any'), (name, given)\n"
        "print(resnet_cli.table('resnet18'), resnet_cli.plot('cost', 'resnet18').data())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_what_the_command_says(view):
    """Its data are those of --json, its text that of -f plain, its HTML that of -f html."""
    made, words = VIEWS[view]
    assert made().data() == json.loads(run(*words, "--json")[0])
    assert repr(made()) == run(*words, "-f", "plain")[0]
    assert made()._repr_html_() in run(*words, "-f", "html")[0]


def test_a_drawing_is_svg():
    """It is what diagram -o writes, and well-formed."""
    drawn = resnet_cli.diagram("plain18", "resnet18")
    assert xml.fromstring(drawn._repr_svg_()).tag == "{http://www.w3.org/2000/svg}svg"
    assert drawn._repr_svg_() == drawn.svg


def test_a_network_shows_its_summary():
    """As HTML and as text; it can be asked further, with changes."""
    net = resnet_cli.network("resnet50", groups=32, base_width=4, style="v1.5")
    assert net._repr_html_() == resnet_cli.summary(net)._repr_html_()
    assert repr(net).startswith("resnet50 (ResNet, style v1.5, base width 4, groups 32)")
    assert resnet_cli.summary(net).data()["total"]["params"] == 25_028_904
    wider = resnet_cli.network(net, groups=1, base_width=64, style="v1")
    assert wider.spec == zoo.find("resnet50")


def test_names_are_escaped(tmp_path):
    """A name that is HTML is text in every view."""
    own = tmp_path / "own.toml"
    own.write_text(f"base = 'resnet18'\nname = {json.dumps(HOSTILE)}\n")
    for shown in (resnet_cli.summary(str(own))._repr_html_(), resnet_cli.diagram(str(own)).svg):
        assert "<img" not in shown and "&lt;img" in shown


@pytest.mark.parametrize(
    "asked",
    [
        lambda: resnet_cli.summary("resent50"),
        lambda: resnet_cli.summary("resnet50", level="floor"),
        lambda: resnet_cli.network("resnet50", stages=(1,)),
        lambda: resnet_cli.memory("resnet50", batch=0),
        lambda: resnet_cli.compare("resnet50"),
        lambda: resnet_cli.diagram("resnet50", level="floor"),
        lambda: resnet_cli.diagram("resnet50", theme="pink"),
        lambda: resnet_cli.diagram("resnet50", direction="up"),
        lambda: resnet_cli.diagram(),
    ],
)
def test_mistakes_are_told(asked):
    """A wrong name or value is a UserError with a hint, and prints nothing."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(UserError) as error:
        asked()
    assert error.value.hint and out.getvalue() == ""


def test_importing_is_light():
    """`import resnet_cli` loads none of its commands; a summary needs no torch."""
    code = (
        "import sys, resnet_cli\n"
        "assert 'typer' not in sys.modules and 'resnet_cli.answers' not in sys.modules\n"
        "resnet_cli.summary('resnet50')._repr_html_()\n"
        "assert not {'torch', 'rich', 'numpy'} & set(sys.modules)\n"
        "assert not hasattr(resnet_cli, 'nothing')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
