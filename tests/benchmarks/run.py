"""Whole commands against the least that Typer and rich can do; prints a Markdown table.

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


def main() -> None:
    """Times every command and prints median, ratio to the floor and peak memory."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    floor = Path(tempfile.mkdtemp()) / "floor.py"
    floor.write_text(FLOOR)
    program = str(Path(sys.executable).with_name("resnet-cli"))
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "floor: Typer and two rich tables": [sys.executable, str(floor), "summary", "x"],
        **{
            words: [program, *words.split()]
            for words in (
                "summary resnet101",
                "flops --depth 152",
                "compare basic bottleneck",
                "table",
                "list",
                "summary resnet101 --json",
                "summary resnet1202 --level layer",
                "summary resnet1202 --level layer --json",
            )
        },
    }
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[float]] = {name: [] for name in commands}
    memory: dict[str, int] = {}
    for turn in range(runs + 1):  # the first warms the caches
        for name, command in commands.items():
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0, name
            if turn:
                times[name].append(time.perf_counter() - start)
                memory[name] = usage.ru_maxrss // 1024
    base = median(times["floor: Typer and two rich tables"])
    print(f"Typer {version('typer')}, rich {version('rich')}, {runs} interleaved runs, medians\n")
    print("| command | ms | × floor | MiB |\n|---|---:|---:|---:|")
    for name, values in times.items():
        print(
            f"| {name} | {1000 * median(values):.0f} | {median(values) / base:.2f} | {memory[name]} |"
        )


if __name__ == "__main__":
    main()
