"""What is run before a merge is what README says, and nothing is left out of it unseen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUITE = """
import pytest

def test_passes(): pass

@pytest.mark.skip(reason="root may read all")
def test_meant(): pass

@pytest.mark.xfail
def test_known(): assert False

@pytest.fixture
def browser(): pytest.skip("needs chromium")

def test_fixture(browser): pass

def test_import(): pytest.importorskip("no_such_module")
"""


def suite(folder, text, *words, **environment):
    """Exit code and output of these tests beside our conftest.py."""
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_it.py").write_text(text)
    clean = {k: v for k, v in os.environ.items() if k != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", ".", "-rA", *words],
        capture_output=True, text=True, cwd=folder, env={**clean, **environment},
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_unexpected_skip_fails_in_ci(tmp_path, workers):
    """With its reason, in one process or several; one that is listed stays a skip, and so does xfail."""
    code, out = suite(tmp_path, SUITE, "-n", workers, CI="true")
    assert code == 1 and "needs chromium" in out and "could not import 'no_such_module'" in out
    assert "ERROR test_it.py::test_fixture" in out and "FAILED test_it.py::test_import" in out
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error" in out


def test_a_file_that_skips_itself_fails_in_ci(tmp_path):
    """A skip of a whole module counts as one of a test does."""
    text = "import pytest\npytest.importorskip('no_such_module')\n"
    code, out = suite(tmp_path, text, "-n", "2", CI="true")
    assert code not in (0, 5) and "could not import 'no_such_module'" in out


def test_skips_are_fine_elsewhere(tmp_path):
    """On a machine without chromium all else can be tested."""
    code, out = suite(tmp_path, SUITE)
    assert code == 0 and "3 skipped" in out


def test_ci_runs_what_readme_says():
    """README's test command is .ci/run's first, step by step."""
    steps = (ROOT / ".ci/run").read_text().split("# README's test command\n")[1].split("\n\n")[0]
    assert f"\n{' && '.join(steps.splitlines())}\n" in (ROOT / "README.md").read_text()


def test_contributing_shows_what_ci_runs():
    """The commands of docs/contributing.md begin with those of .ci/run, in its order."""
    run = (ROOT / ".ci/run").read_text().splitlines()
    steps = [line for line in run if line.startswith(("python3 ", ".venv/bin/"))]
    page = (ROOT / "docs/contributing.md").read_text().splitlines()
    lines = [line.split("#")[0].strip() for line in page if line.startswith("    ")]
    shown = [step for line in lines for step in line.split(" && ")]
    assert len(steps) == 7 and shown[: len(steps)] == steps
