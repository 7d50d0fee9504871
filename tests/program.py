"""Runs the program as a person does, in a process of its own."""

import os
import subprocess
import sys

HEARS = """import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
"""
"""Code before a program that a test sends signals: what ignores them, a shell's background job, hands that down."""


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


def assert_not_loaded(*modules, by):
    """Runs the words ``by`` in a fresh process, after which none of the modules is loaded."""
    code = (
        "import sys; from resnet_cli.cli import app\n"
        f"app()({[*by]!r}, standalone_mode=False)\n"
        f"assert not {set(modules)!r} & set(sys.modules), 'loaded'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
