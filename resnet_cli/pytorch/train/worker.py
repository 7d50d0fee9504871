"""A process that trains one run of a folder: python -m resnet_cli.pytorch.train.worker FOLDER NETWORK SEED.

NETWORK is the network's place in the record. It writes a line of JSON for each thing it has to say, and ends
when its stdin does, so with the process that started it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

from resnet_cli import runs, signals
from resnet_cli.datasets.read import read
from resnet_cli.errors import UserError


def main(folder: str, at: str, seed: str) -> int:
    """Trains; 1 where that failed, which is said."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a network's own code prints is no message

    def say(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    threading.Thread(target=_watch, daemon=True).start()
    try:
        record = runs.read_record(folder)
        import torch

        from resnet_cli.pytorch.train import loop, team

        torch.set_num_threads(record.recipe.threads)
        torch.backends.cudnn.deterministic = True
        alone = team.Team(0, 1, team.device(record.environment.device))
        images = read(record.data.source)
        loop.run(
            folder, record, record.networks[int(at)], int(seed), images, alone,
            lambda progress: say(**progress._asdict()),
        )  # fmt: skip
    except UserError as problem:
        say(what=problem.what, hint=problem.hint, code=problem.code)
        return 1
    except Exception as problem:
        if os.environ.get("RESNET_CLI_DEBUG") == "1":
            raise
        first = (str(problem).splitlines() or [""])[0][:200]
        say(
            what=f"{type(problem).__name__}: {first}", hint="RESNET_CLI_DEBUG=1 shows where", code=1
        )
        return 1
    return 0


def _watch() -> None:
    """Ends this process, with nothing half-written left behind, when nobody holds its stdin any more."""
    sys.stdin.buffer.read()
    signals.clear()
    os._exit(1)


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
