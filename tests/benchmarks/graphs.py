"""Reading .onnx and .pt2 of ResNet-50 against the libraries that write them; prints Markdown tables.

    .venv/bin/python tests/benchmarks/graphs.py [RUNS]

First whole processes beside `summary resnet50`, then reading alone, once in a process of its own, imports left out.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from run import PROGRAM, measure

BASE = "summary resnet50"
BESIDE = """
import sys, onnx
onnx.save_model(onnx.load(sys.argv[1]), sys.argv[2], save_as_external_data=True, location="beside.data")
"""
ONNX = "import onnx; load = onnx.load"
TORCH = "import torch; load = torch.export.load"
OURS = """
from resnet_cli.graphs import read, onnx, pt2
from resnet_cli.graphs.onnx import read as _
from resnet_cli.graphs.pt2 import read as _
load = read.read
"""
ONCE = """
import sys, time
start = time.process_time()
load(sys.argv[1])
print(time.process_time() - start)
"""


def files(folder: Path) -> dict[str, str]:
    """ResNet-50 as this program writes it, and as an .onnx with its weights in a file beside it."""
    onnx, pt2, beside = (
        str(folder / name) for name in ("resnet50.onnx", "resnet50.pt2", "beside.onnx")
    )
    for path in (onnx, pt2):
        run(PROGRAM, "build", "resnet50", "-o", path)
    run(sys.executable, "-c", BESIDE, onnx, beside)
    return {".onnx": onnx, ".onnx, weights beside it": beside, ".pt2": pt2}


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def alone(importing: str, path: str) -> float:
    """Milliseconds of processor time that one reading takes."""
    return 1000 * float(run(sys.executable, "-c", importing + ONCE, path))


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as folder:
        paths = files(Path(folder))
        commands = {BASE: [PROGRAM, *BASE.split()]}
        for name, path in paths.items():
            commands[f"summary resnet50{name}"] = [PROGRAM, "summary", path]
            theirs = TORCH if path.endswith(".pt2") else ONNX
            loads = f"{theirs.split()[-1]} of {name}"
            commands[loads] = [
                sys.executable,
                "-c",
                f"{theirs}\nimport sys; load(sys.argv[1])",
                path,
            ]
        measure("Graphs of ResNet-50", commands, BASE, runs)
        print(
            f"\nReading alone, after imports: {runs} interleaved runs, medians of processor time\n"
        )
        print("| file | ours, ms | theirs, ms | × |\n|---|---:|---:|---:|")
        for name, path in paths.items():
            theirs = TORCH if path.endswith(".pt2") else ONNX
            pairs = [(alone(OURS, path), alone(theirs, path)) for _ in range(runs)]
            own, other = (median(column) for column in zip(*pairs, strict=True))
            print(f"| {name} | {own:.1f} | {other:.0f} | {other / own:.0f} |")


if __name__ == "__main__":
    main()
