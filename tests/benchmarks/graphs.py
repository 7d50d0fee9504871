"""Reading .onnx and .pt2 of ResNet-50 against the libraries that write them; prints Markdown tables.

    .venv/bin/python tests/benchmarks/graphs.py [RUNS]

First whole processes beside `summary resnet50`, then reading alone: processor time in one process, imports left
out, the medians of interleaved runs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import onnx
import torch
from run import PROGRAM, measure

from resnet_cli.cli import app
from resnet_cli.graphs.read import read

OTHERS = {
    "onnx.load of it": "import sys, onnx; onnx.load(sys.argv[1])",
    "torch.export.load of it": "import sys, torch; torch.export.load(sys.argv[1])",
}


def spent(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def files(folder: Path) -> dict[str, str]:
    """ResNet-50 as this program writes it, and as an .onnx with its weights in a file beside it."""
    paths = {name: str(folder / f"resnet50{name}") for name in (".onnx", ".pt2")}
    for path in paths.values():
        app()(["build", "resnet50", "-o", path, "-f", "json"], standalone_mode=False)
    beside = str(folder / "beside.onnx")
    model = onnx.load(paths[".onnx"])
    onnx.save_model(model, beside, save_as_external_data=True, location="beside.data")
    return {".onnx": paths[".onnx"], ".onnx, weights beside it": beside, ".pt2": paths[".pt2"]}


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as folder:
        paths = files(Path(folder))
        base = "summary resnet50"
        commands = {base: [PROGRAM, *base.split()]}
        for name, path in paths.items():
            commands[f"summary resnet50{name}"] = [PROGRAM, "summary", path]
        for (name, script), path in zip(
            OTHERS.items(), (paths[".onnx"], paths[".pt2"]), strict=True
        ):
            commands[name] = [sys.executable, "-c", script, path]
        measure("Whole processes", commands, base, runs)
        print(
            f"\nReading alone, after imports: {runs} interleaved runs, medians of processor time\n"
        )
        print("| file | ours, ms | theirs, ms | × |\n|---|---:|---:|---:|")
        for name, path in paths.items():
            load = torch.export.load if path.endswith(".pt2") else onnx.load
            pairs = [(spent(lambda: read(path)), spent(lambda: load(path))) for _ in range(runs)]  # noqa: B023
            ours, theirs = (median(column) * 1000 for column in zip(*pairs, strict=True))
            print(f"| {name} | {ours:.1f} | {theirs:.0f} | {theirs / ours:.0f} |")


if __name__ == "__main__":
    main()
