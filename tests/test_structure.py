"""The rooms of docs/design.md: which may import which."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent / "resnet_cli"
ABOVE = {  # what a room must not import
    "models": ("table", "analyses", "render", "pytorch", "commands", "output", "cli"),
    "pytorch": ("analyses", "render", "checkpoints", "commands", "output", "cli"),
    "checkpoints": ("table", "analyses", "render", "pytorch", "commands", "output", "cli"),
    "errors": ("architecture", "trace", "table", "analyses", "render", "commands", "output", "cli"),
    "architecture": ("trace", "table", "analyses", "render", "commands", "output", "cli"),
    "trace": ("table", "analyses", "render", "commands", "output", "cli"),
    "analyses": ("render", "commands", "output", "cli"),
    "render": ("analyses", "commands", "output", "cli"),
    "commands": ("cli",),
}


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
            parts = name.split(".")
            if parts[0] == "resnet_cli":
                assert parts[1] not in ABOVE.get(room, ()), f"{file} imports {name}"
            if parts[0] in ("torch", "fvcore"):  # __init__ names the type that build() returns
                assert room in ("pytorch", "__init__"), f"{file} imports {name}"
