"""Whole commands against the least that Typer and rich can do, and against other tools; prints Markdown tables.

    .venv/bin/python tests/benchmarks/run.py [RUNS]

Runs are interleaved, so that a busy moment hits all alike; medians are shown.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median

FLOOR = """
import typer
from rich.console import Console
from rich.table import Table
app = typer.Typer()

@app.command()
def summary(model: str) -> None:
    for columns, rows in ((6, 8), (5, 12)):
        table = Table()
        for column in range(columns):
            table.add_column(f"column {column}")
        for row in range(rows):
            table.add_row(*[f"{row * 1000 + column:,}" for column in range(columns)])
        Console().print(table)

@app.command()
def other() -> None: ...

app()
"""


EVERYDAY = (
    "summary resnet101",
    "flops --depth 152",
    "compare basic bottleneck",
    "table",
    "list",
    "check resnet101 --max-params 45M --max-macs 8G",
    "summary resnet101 --json",
    "summary resnet1202 --level layer",
    "summary resnet1202 --level layer --json",
)
EXPLAINED = (
    "summary resnet50",
    "flops resnet50 --reconcile",
    "flops resnet50 --backward",
    "explain depth resnet50",
    "conv --in 192 --out 32 --kernel 1 --size 28",
    "memory resnet50 --batch 32",
    "receptive-field resnet50",
    "features resnet50",
    "paths resnet50",
    "compare resnet50 resnet50-v1.5",
)
TORCHINFO = """
import resnet_cli, torchinfo
print(torchinfo.summary(resnet_cli.build("resnet101"), (1, 3, 224, 224), verbose=0))
"""
FVCORE = """
import resnet_cli, torch
from fvcore.nn import FlopCountAnalysis, flop_count_table
net = resnet_cli.build("resnet152").eval()
print(flop_count_table(FlopCountAnalysis(net, torch.zeros(1, 3, 224, 224))))
"""
WEIGHTS = """
import sys, torch, resnet_cli
from safetensors.torch import save_file
folder = sys.argv[1] + "/"
state = resnet_cli.build("resnet152", seed=0).state_dict()
torch.save(state, folder + "resnet152.pth")
torch.save(state, folder + "resnet152.legacy.pth", _use_new_zipfile_serialization=False)
save_file(state, folder + "resnet152.safetensors")
"""
META = """
import time, torch, resnet_cli
from resnet_cli.designs import zoo
torch.empty(1, device="meta").normal_()
seconds = {}
for name in zoo.names():
    start = time.perf_counter()
    resnet_cli.build(name, device="meta")
    seconds[name] = time.perf_counter() - start
slowest = max(seconds, key=seconds.get)
print(f"every network of the list on the meta device: slowest {slowest}, {seconds[slowest]:.3f} s")
"""
PROGRAM = str(Path(sys.executable).with_name("resnet-cli"))


def ours(words: tuple[str, ...]) -> dict[str, list[str]]:
    """Name -> command line of our own program."""
    return {line: [PROGRAM, *line.split()] for line in words}


def measure(title: str, commands: dict[str, list[str]], base: str, runs: int) -> None:
    """Runs all in turn, the first time to warm the caches; prints medians, ratios and peak memory."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[float]] = {name: [] for name in commands}
    memory: dict[str, int] = {}
    for turn in range(runs + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            process = subprocess.Popen(command, env=environment, **quiet)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0, name
            if turn:
                times[name].append(time.perf_counter() - start)
                memory[name] = usage.ru_maxrss // 1024
    least = median(times[base])
    print(f"\n{title}: {runs} interleaved runs, medians; × is to {base}\n")
    print("| process | ms | × | MiB |\n|---|---:|---:|---:|")
    for name, values in times.items():
        ms = 1000 * median(values)
        print(f"| {name} | {ms:.0f} | {median(values) / least:.2f} | {memory[name]} |")


def main() -> None:
    """Everyday commands against the floor, further ones against `summary`, and what needs torch."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    folder = Path(tempfile.mkdtemp())
    (folder / "floor.py").write_text(FLOOR)
    print(f"Typer {version('typer')}, rich {version('rich')}")
    floor = "floor: Typer and two rich tables"
    bare = {
        "python -c pass": [sys.executable, "-c", "pass"],
        floor: [sys.executable, str(folder / "floor.py"), "summary", "x"],
    }
    measure("Everyday commands", bare | ours(EVERYDAY), floor, runs)
    measure("Derivations", ours(EXPLAINED), EXPLAINED[0], runs)
    pictures = {
        words: [PROGRAM, *words.split()[:-1], str(folder / words.split()[-1])]
        for words in ("diagram resnet50 -o x.svg", "report resnet50 -o x.html")
    }
    measure("Pictures", ours(EXPLAINED[:1]) | pictures, EXPLAINED[0], runs)
    if not (find_spec("torch") and find_spec("safetensors")):
        return
    # in a process of its own: a child's peak memory begins with its parent's
    subprocess.run([sys.executable, "-c", WEIGHTS, str(folder)], check=True)
    known = ours(("summary resnet152",))
    files = sorted(folder.glob("resnet152*"))
    identify = {f"identify {file.name}": [PROGRAM, "identify", str(file)] for file in files}
    measure("Weight files of ResNet-152", known | identify, "summary resnet152", runs)
    others = {"torchinfo, ResNet-101": TORCHINFO, "fvcore's table, ResNet-152": FVCORE}
    scripts = {
        name: [sys.executable, "-c", script]
        for name, script in others.items()
        if find_spec(name.partition(",")[0].partition("'")[0])
    }
    words = ("summary resnet101", "flops --depth 152")
    measure("What people use today", ours(words) | scripts, words[0], max(runs // 5, 3))
    print(flush=True)
    subprocess.run([sys.executable, "-c", META], check=True)


if __name__ == "__main__":
    main()
