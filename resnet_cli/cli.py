"""The program: gathers the commands, and is the one place where an error becomes a message."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import typer

from resnet_cli import __version__
from resnet_cli.commands.examples import FIRST, epilog
from resnet_cli.commands.options import shortened
from resnet_cli.commands.output import unwritable
from resnet_cli.errors import UserError, printable

PANELS = {
    "Look": ("summary", "table", "figures", "list"),
    "Cost": ("flops", "memory", "check", "compare"),
    "Explain": ("explain", "conv", "receptive-field", "features", "paths", "gradient", "lesion"),
    "Pictures": ("diagram", "plot", "report"),
    "PyTorch": ("build", "verify", "train"),
    "Weights": ("identify",),
    "Scripts": ("schema",),
}
"""The commands in the order of --help; each is ``command`` in its `file`."""
PANEL = {name: panel for panel, names in PANELS.items() for name in names}
COMMANDS = (*PANEL,)


def file(name: str) -> str:
    """The module of a command."""
    return f"resnet_cli.commands.{'listing' if name == 'list' else name.replace('-', '_')}"


def app(names: Sequence[str] = COMMANDS, words: Sequence[str] | None = None) -> typer.Typer:
    """The Typer app with these commands; with what these ``words`` need of them, where they are known."""
    program = typer.Typer(
        name="resnet-cli",
        help="Analyse residual networks: layers, parameters and FLOPs, without torch.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=FIRST,
        pretty_exceptions_enable=False,
    )

    @program.callback(invoke_without_command=True)
    def version(
        show: bool = typer.Option(False, "--version", "-V", help="Print the version and stop."),
    ) -> None:
        if show:
            print(f"resnet-cli {__version__}")
            raise typer.Exit

    for name in names:
        command = import_module(file(name)).command
        register = program.command(name, rich_help_panel=PANEL[name], epilog=epilog(name))
        register(command if words is None else shortened(command, words))
    return program


def main() -> NoReturn:
    """Runs the command line and exits: 0 fine, 1 bad content, 2 wrong usage."""
    gc.disable()  # a short process; its rows hold no cycles
    _make_streams_safe()
    debug = os.environ.get("RESNET_CLI_DEBUG") == "1"
    if sys.argv[1:2] == ["help"]:
        sys.argv[1:] = [*sys.argv[2:3], "--help"]
    asked = tuple(name for name in sys.argv[1:2] if name in COMMANDS)
    # building one command rather than all saves about a millisecond each; --version needs none
    built = () if sys.argv[1:] in (["--version"], ["-V"]) else asked or COMMANDS
    try:
        code = app(built, sys.argv[2:] if asked else None)(standalone_mode=False)
        sys.stdout.flush()
    except UserError as problem:
        if debug:
            raise
        _fail(problem.what, problem.hint, problem.code)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _leave(0)
    except SystemExit as problem:  # rich's answer to such a reader of --help
        if not isinstance(problem.__context__, BrokenPipeError):
            raise
        _leave(0)
    except OSError as problem:
        if debug or problem.filename is not None:  # a stream, as that of --help, has none
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        error = unwritable(problem)
        _fail(error.what, error.hint, error.code)
    except Exception as problem:
        message = getattr(problem, "format_message", None)  # Typer's own, of any of its versions
        if debug or message is None:
            raise
        if message():
            _fail(message().rstrip("."), " ".join(["resnet-cli", *asked, "--help"]), 2)
        _leave(2)
    _leave(code if isinstance(code, int) else 0)


def _fail(what: str, hint: str, code: int) -> NoReturn:
    """One line each for what was given and what to type, whatever was in it."""
    what = " ".join(what.split())
    text = f"error: {printable(what, len(what))}\n"
    if hint:
        text += f" hint: {printable(hint, len(hint))}\n"
    with suppress(OSError):
        sys.stderr.write(text)
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Ends the process without taking a hundred modules down one by one, a tenth of the whole time.

    Not where that would lose what a debugger, a profiler or coverage has seen.
    """
    with suppress(OSError):
        sys.stderr.flush()
    if not _watched():
        os._exit(code)
    sys.exit(code)


def _watched() -> bool:
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on
    tools = monitoring and any(map(monitoring.get_tool, range(6)))
    coverage = any(name.startswith("COVERAGE_") for name in os.environ)
    return bool(sys.gettrace() or sys.getprofile() or tools or coverage)


def _make_streams_safe() -> None:
    """Closed streams swallow what is written, signs that one lacks become ?, a wild COLUMNS is none."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  (open to the end)
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    columns = os.environ.get("COLUMNS", "80")
    if not (columns.isascii() and columns.isdecimal() and len(columns) < 5):
        del os.environ["COLUMNS"]
