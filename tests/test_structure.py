"""The rooms of docs/design.md and its rules: which may import which, and who decides numbers."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "resnet_cli"
LEVELS = (  # a room may import those of the levels above it in this list, none of its own
    ("errors", "garbage", "signals"),
    ("calls", "files", "inputs", "layers", "published", "sizes", "toml"),
    ("designs", "trace", "tables", "drawings", "charts", "runs"),
    ("checkpoints",),
    ("graphs", "datasets"),
    ("pytorch",),
    ("networks", "recipes"),
    ("models",),
    ("analyses", "render", "budgets"),
    ("training",),
    ("answers",),
    ("commands",),
    ("cli",),
    ("__init__", "__main__"),
)
LEVEL = {room: at for at, level in enumerate(LEVELS) for room in level}
FILES = {str(file.relative_to(ROOT)): ast.parse(file.read_text()) for file in ROOT.rglob("*.py")}
OUTSIDE = {  # where leaves are made, or turned into torch's, they are named; elsewhere never
    name: tree
    for name, tree in FILES.items()
    if not name.startswith(("layers/", "designs/", "graphs/"))
}


def room_of(file):
    return file.split("/")[0].removesuffix(".py")


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_imports_point_one_way():
    """No room imports one above or beside it, and torch and fvcore stay in pytorch/."""
    for file, tree in FILES.items():
        room = room_of(file)
        for name in imports(tree):
            top, *rest = name.split(".")
            if top == "resnet_cli" and rest[0] in LEVEL and rest[0] != room and room != "__init__":
                assert LEVEL[rest[0]] < LEVEL[room], f"{file} imports {name}"
            if top in ("torch", "fvcore"):  # answers.build names the type that it returns
                assert room == "pytorch" or file == "answers/build.py", f"{file} imports {name}"


def test_every_room_has_a_level():
    """Whatever stands in the package is in the list."""
    rooms = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__pycache__", "py"} == set(LEVEL)


def attributes(node):
    return {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


@pytest.mark.parametrize("file", OUTSIDE)
def test_no_analysis_asks_a_leaf_for_its_kind(file):
    """Outside of the layers nothing is decided by a leaf's name or class: it answers by itself."""
    leaves = {
        alias.asname or alias.name
        for node in ast.walk(OUTSIDE[file])
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("resnet_cli.layers")
        for alias in node.names
    }
    allowed = {
        "Uncounted",
        "Layer",
        "Sequence",
        "Residual",
        "Parallel",
        "Stage",
    }  # no reading, or no leaf
    for node in ast.walk(OUTSIDE[file]):
        if isinstance(node, ast.Compare):
            assert not attributes(node) & {"operator", "rule_name"}, ast.unparse(node)
        if isinstance(node, ast.Match):
            assert not attributes(node.subject) & {"layer", "operator"}, ast.unparse(node.subject)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "type"):
            asked = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} & leaves
            assert asked <= allowed, ast.unparse(node)


@pytest.mark.parametrize("file", FILES)
def test_nobody_recovers_a_place_from_names(file):
    """Block, part and nesting of a row are its fields: no label is compared with a stage, no path parted."""
    for node in ast.walk(FILES[file]):
        if isinstance(node, ast.Compare):
            assert not attributes(node) >= {"label", "stage"}, ast.unparse(node)
            constants = {c.value for c in ast.walk(node) if isinstance(c, ast.Constant)}
            assert not ("stage" in attributes(node) and "fc" in constants), ast.unparse(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            parts = node.func.attr in ("split", "partition", "rpartition", "rsplit")
            assert not (parts and ast.unparse(node.func.value).endswith("row.path")), file


def test_every_error_says_what_to_type():
    """A UserError is made with a hint."""
    for file, tree in FILES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "UserError":
                assert len(node.args) > 1, f"{file}: {ast.unparse(node)}"


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("answers/")])
def test_answers_have_no_files_streams_or_typer(file):
    """A question is a plain function; the command line is one of several that ask it."""
    assert not {"typer", "sys", "pathlib"} & {name.split(".")[0] for name in imports(FILES[file])}
    called = {
        ast.unparse(node.func) for node in ast.walk(FILES[file]) if isinstance(node, ast.Call)
    }
    assert not called & {"print", "open"}
