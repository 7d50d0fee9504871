"""Runs side by side, each in a process of its own with one thread: two of those beat one of two threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import NamedTuple

from resnet_cli.errors import UserError
from resnet_cli.runs import Record

WORKER = "resnet_cli.pytorch.train.worker"
HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The folder that this package is in."""


ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait do not take the time of those that work
    # glibc's: what a step frees is kept for the next one, and not given back and asked for again
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
}
"""What a process that trains is told beside what its user says."""


class Task(NamedTuple):
    """A run to be trained: the network's place in the record, its name, a seed, and how many iterations."""

    at: int
    name: str
    seed: int
    iterations: int


Told = Callable[[Task, int, float | None], None]
"""Is told of a run how many iterations are done, and the error of the batch before in per cent."""


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def side_by_side(folder: str, record: Record, tasks: Sequence[Task], jobs: int, told: Told) -> None:
    """Trains all of them, ``jobs`` at a time; when one fails the others are ended.

    Raises `UserError` for what the first to fail says.
    """
    environment = {
        **ENVIRONMENT,
        **os.environ,
        "OMP_NUM_THREADS": str(record.recipe.threads),
        "PYTHONPATH": os.pathsep.join(filter(None, (HOME, os.environ.get("PYTHONPATH")))),
    }
    processes: list[subprocess.Popen[str]] = []

    def train(task: Task) -> None:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", WORKER, folder, str(task.at), str(task.seed)],
            stdin=subprocess.PIPE,  # which ends with this process
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
            start_new_session=True,  # Ctrl-C is for this process
        )
        processes.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            message = json.loads(line)
            if "what" in message:
                raise UserError(
                    f"{task.name}, seed {task.seed}: {message['what']}",
                    message["hint"],
                    message["code"],
                )
            told(task, message["iteration"], message["error"])
        if code := process.wait():
            how = f"by signal {-code}" if code < 0 else f"with {code}"
            raise UserError(
                f"{task.name}, seed {task.seed}: its process ended {how}",
                f"go on with resnet-cli train --resume {folder}",
                1,
            )
        told(task, task.iterations, None)

    pool = ThreadPoolExecutor(jobs)
    try:
        futures = [pool.submit(train, task) for task in tasks]
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in futures:
            if future in done:
                future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
