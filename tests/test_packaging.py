"""The sdist and the wheel: what is in them, and that they work away from this folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from environment import environment

pytestmark = pytest.mark.slow  # builds and installs
ROOT = Path(__file__).parent.parent
MADE = (".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info", "build", "dist")
CLEAN = {k: v for k, v in os.environ.items() if k not in ("CI", "COLUMNS", "PYTHONPATH")}


def files(folder, *rooms):
    """The files in these rooms of a folder, relative to it."""
    every = [file for room in rooms for file in (folder / room).rglob("*") if file.is_file()]
    return {file.relative_to(folder).as_posix() for file in every if file.suffix != ".pyc"}


def built(kind, source, target):
    """The one file that setuptools builds of a source folder, without fetching anything."""
    code = f"from setuptools import build_meta; build_meta.build_{kind}({str(target)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=source, env=CLEAN, check=True)
    (file,) = target.iterdir()
    return file


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The sdist of this checkout, unpacked."""
    copy = tmp_path_factory.mktemp("copy") / "resnet-cli"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*MADE))
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built("sdist", copy, tmp_path_factory.mktemp("tar"))) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    return unpacked


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel that is built of the sdist, as an index' users build it."""
    return built("wheel", sdist, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(wheel):
    """What the wheel says of itself, by field."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


def test_the_sdist_has_all_that_its_tests_read(sdist):
    """Every file of the program, the tests and the docs, and those beside them."""
    beside = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "setup.py", ".ci/run",
              "action.yml", ".pre-commit-hooks.yaml"}  # fmt: skip
    wanted = files(ROOT, "resnet_cli", "tests", "docs") | beside
    assert wanted - files(sdist, ".") == set()


def test_the_tests_run_from_the_sdist(sdist):
    """Every test is found, and those chosen pass, which read its data, docs, pictures and code."""
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0"]
    chosen = [f"tests/test_{name}.py" for name in ("docs", "pictures", "published", "structure")]
    data = "test_every_convention_gives_what_its_tool_printed_for_every_network"
    for more in (["--collect-only", "-m", ""], [*chosen, f"tests/test_conventions.py::{data}"]):
        done = subprocess.run(
            [*words, *more], cwd=sdist, env={**CLEAN, "PYTHONPATH": str(sdist)},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_the_wheel_holds_the_program_alone(wheel):
    """All its code and data and what an installer reads; no tests, no docs."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == files(ROOT, "resnet_cli")
    assert {Path(name).suffix for name in names} >= {".py", ".csv", ".css", ".js"}
    assert "resnet_cli/py.typed" in names


def test_the_index_page_has_no_link_that_leads_nowhere(metadata, sdist):
    """Every file that README links to is named there as text, and is in the sdist."""
    page = metadata.get_payload()
    linked = re.findall(r"\]\(([^)]*)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(linked) > 10 and not re.search(r"\]\((?!https://)", page)
    for file in linked:
        assert f"({file})" in page and (sdist / file).is_file()


def test_the_metadata_says_whose_and_under_which_licence(metadata):
    """Authors, licence by its SPDX name with its text, and what an index sorts by."""
    assert metadata["License-Expression"] == "MIT" and metadata["License-File"] == "LICENSE"
    assert metadata["Author"] == "The resnet-cli maintainers"
    assert metadata["Keywords"] and metadata.get_all("Classifier")
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_an_everyday_install_works(wheel, metadata, tmp_path):
    """In an environment that has the wheel and what it requires, from another folder."""
    plain = [r for r in metadata.get_all("Requires-Dist") if "extra ==" not in r]
    names = [re.match(r"[\w.-]+", requirement)[0] for requirement in plain]
    assert sorted(names) == ["rich", "typer"]
    python = environment(tmp_path / "environment", *names)
    pip = [sys.executable, "-m", "pip", "-q", "--python", python, "install", "--no-index", wheel]
    subprocess.run(pip, env=CLEAN, check=True)

    def run(*words):
        program = python.with_name("resnet-cli")
        done = subprocess.run([program, *words], cwd=tmp_path, env=CLEAN, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout

    total = json.loads(run("summary", "resnet50", "--json"))["total"]
    assert (total["params"], total["macs"]) == (25_557_032, 3_857_973_248)
    run("report", "resnet18", "-o", "x.html")
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "11,689,512" in page and "<style>" in page and "<script>" in page
