"""`train` on a GPU, on noise shaped as CIFAR-10: the CPU's numbers in float64, and seconds; prints a Markdown table.

    python tests/benchmarks/gpu.py [ITERATIONS]

Each row is a whole run of the he2015-cifar recipe, its last row of `curve.jsonl` against the first row's on the CPU.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from resnet_cli.datasets.cifar import KINDS

FEW = 8
"""Iterations of the runs in float64, of resnet8: on a CPU all 60,000 images at the end take longer."""


def noise(folder: Path) -> None:
    """CIFAR-10's binary form: 10,000 images a file, each class as often as there."""
    draw = random.Random(0)
    for name in (*KINDS["cifar10"].train, *KINDS["cifar10"].test):
        labels = [n % 10 for n in range(10_000)]
        draw.shuffle(labels)
        rows = (bytes([label]) + draw.randbytes(3072) for label in labels)
        (folder / f"{name}.bin").write_bytes(b"".join(rows))


def run(
    data: Path, folder: Path, *words: str, torchrun: bool = False
) -> tuple[float, dict[str, float], str]:
    """Seconds, the last row of the curve, and the last line of stderr where it fails."""
    start = ["-m", "torch.distributed.run", "--nproc-per-node", "1", "-m"] if torchrun else ["-m"]
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *start, "resnet_cli", "train", "--data", f"cifar10:{data}",
         "-o", str(folder), *words],
        capture_output=True, text=True, env={**os.environ, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"},
    )  # fmt: skip
    seconds = time.perf_counter() - begun
    if done.returncode:
        return seconds, {}, done.stderr.strip().splitlines()[-1]
    curve = next(folder.glob("*-s0/curve.jsonl")).read_text().splitlines()
    return seconds, json.loads(curve[-1]), ""


def main() -> None:
    """Float64 on CPU, GPU and through nccl; then float32, channels last and mixed precision."""
    iterations = sys.argv[1] if len(sys.argv) > 1 else "400"
    many = ["resnet20", "--iterations", iterations, "--every", "100000"]
    exact = ["resnet8", "--iterations", str(FEW), "--every", "100000", "--dtype", "float64"]
    cuda = ["--device", "cuda"]
    cases = (
        ("float64, CPU", [*exact, "--threads", str(os.cpu_count())], False),
        ("float64, GPU", [*exact, *cuda], False),
        ("float64, GPU, torchrun over nccl", [*exact, *cuda], True),
        ("float32, GPU", [*many, *cuda], False),
        ("float32, GPU, channels last", [*many, *cuda, "--channels-last"], False),
        ("bfloat16, GPU", [*many, *cuda, "--amp"], False),
        ("bfloat16, GPU, channels last", [*many, *cuda, "--amp", "--channels-last"], False),
    )
    print("| run | iterations | s | loss | relative to the CPU's |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        noise(data)
        reference = None
        for number, (name, words, torchrun) in enumerate(cases):
            seconds, last, problem = run(
                data, Path(folder) / str(number), *words, torchrun=torchrun
            )
            loss = last.get("loss", float("nan"))
            reference = reference or loss
            beside = f"{abs(loss / reference - 1):.1e}" if words[0] == exact[0] else ""
            print(
                f"| {name} | {words[2]} | {seconds:.1f} | {problem or loss} | {beside} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
