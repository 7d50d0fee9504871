"""Runs the program as a person does, in a process of its own."""

import os
import subprocess
import sys


def run(*words, code=0, cwd=None, **environment):
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    done = subprocess.run(
        [sys.executable, "-m", "resnet_cli", *words],
        capture_output=True,
        cwd=cwd,
        env={**clean, "PYTHONIOENCODING": "utf-8", **environment},
    )
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
