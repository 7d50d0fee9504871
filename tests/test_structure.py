"""The rooms of docs/design.md: which may import which."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent / "resnet_cli"
LEVELS = (  # a room may import those of the levels above it in this list, none of its own
    ("errors", "garbage", "signals"),
    ("files", "layers", "published"),
    ("designs", "trace", "tables", "drawings", "charts"),
    ("checkpoints",),
    ("models",),
    ("analyses", "pytorch", "render"),
    ("commands",),
    ("cli", "notebook"),
    ("__init__", "__main__"),
)
LEVEL = {room: at for at, level in enumerate(LEVELS) for room in level}


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_imports_point_one_way():
    """No room imports one above or beside it, and torch and fvcore stay in pytorch/."""
    for file in ROOT.rglob("*.py"):
        room = file.relative_to(ROOT).parts[0].removesuffix(".py")
        for name in imports(file):
            top, *rest = name.split(".")
            if top == "resnet_cli" and rest[0] in LEVEL and rest[0] != room:
                assert LEVEL[rest[0]] < LEVEL[room], f"{file} imports {name}"
            if top in ("torch", "fvcore"):  # __init__ names the type that build() returns
                assert room in ("pytorch", "__init__"), f"{file} imports {name}"


def test_every_room_has_a_level():
    """Whatever stands in the package is in the list."""
    rooms = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__pycache__", "py"} == set(LEVEL)
