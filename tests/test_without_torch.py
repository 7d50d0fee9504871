"""What works in an environment that has typer and rich alone, and what the rest says there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from environment import environment

import resnet_cli

ROOT = Path(resnet_cli.__file__).parent.parent


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The Python of a fresh environment with what an everyday install has, and no more."""
    python = environment(tmp_path_factory.mktemp("bare"), "typer", "rich")
    site = next(python.parent.parent.glob("lib/python*/site-packages"))
    (site / "resnet_cli").symlink_to(ROOT / "resnet_cli")
    return python


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    file = tmp_path_factory.mktemp("weights") / "given.pth"
    torch.save(resnet_cli.build("resnet20", seed=0).state_dict(), file)
    return str(file)


def run(python, *words):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHONPATH", "COLUMNS"))}
    done = subprocess.run(
        [python, "-m", "resnet_cli", *words],
        capture_output=True, text=True, encoding="utf-8", cwd=python.parent,
        env={**clean, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_the_environment_has_no_torch(bare):
    """Neither torch nor fvcore, numpy or safetensors can be imported in it; typer can."""
    for module in ("torch", "fvcore", "numpy", "safetensors", "matplotlib"):
        done = subprocess.run([bare, "-c", f"import {module}"], capture_output=True, text=True)
        assert f"No module named '{module}'" in done.stderr
    assert not subprocess.run([bare, "-c", "import typer, rich"]).returncode
    assert str(bare) != sys.executable


@pytest.mark.parametrize(
    "words",
    [
        "list", "table", "report resnet50 -o report.html", "summary resnet50", "summary {weights}", "flops --depth 152",
        "flops resnet50 --reconcile", "flops resnet50 --backward",
        "flops resnet50 --convention thop", "compare basic bottleneck", "memory resnet50",
        "explain depth resnet50", "conv --in 192 --out 32 --kernel 1 --size 28",
        "receptive-field resnet50", "features resnet50", "paths resnet50", "identify {weights}",
        "diagram resnet50", "diagram basic bottleneck -o units.svg", "plot cost resnet50",
        "plot tradeoff", "identify {weights} --against resnet20", "identify {weights} --keys fc",
    ],
)  # fmt: skip
def test_everyday_commands_work(bare, weights, words):
    """All that needs no torch answers with exit 0 and nothing on stderr."""
    code, out, err = run(bare, *words.format(weights=weights).split())
    assert (code, err) == (0, "") and bool(out) is (" -o " not in words)


def test_pictures_say_what_to_install(bare):
    """plot -o and diagram -o FILE.png name their extra."""
    for words in ("plot cost resnet50 -o x.svg", "diagram resnet50 -o x.png"):
        code, _, err = run(bare, *words.split())
        assert code == 1 and "type: pip install '.[plot]'" in err


@pytest.mark.parametrize(
    ("words", "module"),
    [
        ("build resnet50", "torch"), ("verify resnet50", "torch"), ("gradient resnet20", "torch"),
        ("plot gradient resnet20", "torch"),
        ("flops resnet50 --engine fvcore", "torch"), ("flops resnet50 --engine torch", "torch"),
    ],
)  # fmt: skip
def test_the_rest_says_what_to_install(bare, words, module):
    """One line that names the module, one that installs it, and exit 1."""
    code, out, err = run(bare, *words.split())
    assert (code, out) == (1, "")
    assert err.splitlines()[0].startswith("error: ") and f"needs {module}" in err
    assert err.splitlines()[1] == " hint: in the folder of the source type: pip install '.[torch]'"


def test_the_public_function_says_so_too(bare):
    """resnet_cli.build raises UserError, which names torch and what to type."""
    code = "import resnet_cli; resnet_cli.build('resnet50')"
    done = subprocess.run([bare, "-c", code], capture_output=True, text=True)
    assert "build needs torch, which is not installed" in done.stderr
