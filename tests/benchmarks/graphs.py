"""Reading .onnx and .pt2 of ResNet-50 against the libraries that write them; prints a Markdown table.

    .venv/bin/python tests/benchmarks/graphs.py [RUNS]

Processor time in one process, imports left out; the least of the runs, which are interleaved.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import torch

from resnet_cli.cli import app
from resnet_cli.graphs.read import read


def spent(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        paths = {suffix: str(Path(folder) / f"resnet50{suffix}") for suffix in (".onnx", ".pt2")}
        for path in paths.values():
            app()(["build", "resnet50", "-o", path, "-f", "json"], standalone_mode=False)
        theirs = {".onnx": onnx.load, ".pt2": torch.export.load}
        print("\n| file | ours | theirs | × |\n|---|---|---|---|")
        for suffix, path in paths.items():
            pairs = [
                (spent(lambda: read(path)), spent(lambda: theirs[suffix](path)))  # noqa: B023
                for _ in range(runs)
            ]
            ours, other = map(min, zip(*pairs, strict=True))
            name = f"{theirs[suffix].__module__.split('.')[0]}'s load"
            print(
                f"| {suffix} | {ours * 1000:.1f} ms | {name} {other * 1000:.0f} ms | {other / ours:.0f} |"
            )


if __name__ == "__main__":
    main()
