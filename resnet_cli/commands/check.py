"""resnet-cli check."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from resnet_cli import budgets, files
from resnet_cli.analyses.check import LIMITS, USES, Budget, budget
from resnet_cli.analyses.memory.memory import STATES
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.answers.check import checks
from resnet_cli.commands import options, output
from resnet_cli.commands.options import answers, complete
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.tables import Answer

WHAT = {
    "params": ("26M", "Parameters"),
    "macs": ("4.1G", "MACs"),
    "memory": ("8GiB", "Memory at its peak"),
    "weights": ("100MB", "Bytes of weights"),
    "activations": ("11M", "Elements of outputs"),
    "layers": ("50", "Layers"),
    "receptive-field": ("224", "Pixels across"),
    "uncounted": ("0", "Operations not counted"),
}
SUMMARY = "GITHUB_STEP_SUMMARY"


def _with_limits(command: Callable[..., Answer]) -> Callable[..., Answer]:
    """The command with an option for each limit, which it is given by its key."""

    def run(**given: Any) -> Answer:
        limits = {key: given.pop(key.replace("-", "_")) for key in LIMITS}
        return command(limits=limits, **given)

    def option(key: str) -> inspect.Parameter:
        example, what = WHAT[key[4:]]
        told = f"{what}, at {'least' if key[:3] == 'min' else 'most'}."
        typed = typer.Option(f"--{key}", help=told, metavar=example, rich_help_panel="Limits")
        kind, name = inspect.Parameter.KEYWORD_ONLY, key.replace("-", "_")
        return inspect.Parameter(name, kind, default=None, annotation=Annotated[str | None, typed])

    model, _, *others = inspect.signature(command, eval_str=True).parameters.values()
    run.__signature__ = inspect.Signature([model, *map(option, LIMITS), *others])  # type: ignore[attr-defined]
    run.__doc__ = command.__doc__
    return run


def _of_bytes(told: str, allowed: Iterable[str] = ()) -> Any:
    choices = options.words((*allowed,)) if allowed else {}
    return typer.Option(help=f"{told}, for limits in bytes.", rich_help_panel="Limits", **choices)


@answers
@_with_limits
def command(
    model: Annotated[
        str | None,
        typer.Argument(
            help="A name, a TOML file, a weight file, or a table of pyproject.toml; else all of its tables.",
            autocompletion=complete,
        ),
    ] = None,
    *,
    limits: dict[str, object],
    batch: Annotated[int | None, _of_bytes("Inputs at once")] = None,
    dtype: Annotated[str | None, _of_bytes("fp32, fp16, bf16 or amp", PRECISIONS)] = None,
    optimizer: Annotated[str | None, _of_bytes("sgd, momentum, adam or adamw", STATES)] = None,
    use: Annotated[str | None, _of_bytes("training or inference", USES)] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            help="JSON of an earlier summary or check: nothing may be worse.", metavar="FILE"
        ),
    ] = None,
    tolerance: Annotated[
        str | None, typer.Option(help="How much worse than the baseline it may be: 1%.")
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help=f"Annotations on stdout, Markdown to ${SUMMARY}.")
    ] = False,
    junit: Annotated[
        str | None, typer.Option(help="A file to write: each limit as a test case.", metavar="FILE")
    ] = None,
    run_code: Annotated[
        bool, typer.Option("--run-code", help="Run a MODEL that a file names and that is Python.")
    ] = False,
) -> Answer:
    """Limits that fail a build: exit 1 where a network is over one, or worse than it was."""
    page = os.environ.get(SUMMARY) if github else None
    if output.is_file(junit):
        files.check_writable(junit)
    if page:
        files.check_writable(page)
    typed = {**limits, "batch": batch, "dtype": dtype, "optimizer": optimizer, "use": use}
    budget("", "", typed)  # whatever is wrong with an option is no table's fault
    if tolerance is not None and baseline is None:
        raise UserError(
            "--tolerance given without --baseline", "name what is compared: --baseline FILE"
        )
    earlier = budgets.baseline(baseline) if baseline is not None else None
    answer = checks(
        _asked(model, typed, run_code), earlier, "0%" if tolerance is None else tolerance
    )
    if junit is not None:
        from resnet_cli.render.junit import junit as written

        output.send(written(answer), junit)
    if github:
        from resnet_cli.render.github import annotated

        output.send(annotated(answer), None)
        if page:
            text = output.render(answer, "markdown", exact=False, to_file=True)
            files.append(page, f"### resnet-cli check\n\n{text}\n")
    return answer


def _asked(model: str | None, typed: dict[str, object], run_code: bool) -> list[Budget]:
    """What is asked of MODEL, by its table and the options; without MODEL of every table."""
    project = budgets.read(".")
    typed = {key: value for key, value in typed.items() if value is not None}
    if model is None:
        if not project.tables:
            raise UserError(
                "no network named, and no pyproject.toml here or above has a table of limits",
                "type resnet-cli check resnet50 --max-params 26M, or write [tool.resnet-cli.check.resnet50]",
            )
        return [_of_table(project, name, typed, run_code) for name in project.tables]
    if model in project.tables:
        named = project.tables[model]["model"] == model  # on the command line, too
        return [_of_table(project, model, typed, run_code or named)]
    try:
        network = load(model)
    except UserError:
        asked = budget("", model, typed)
        if not asked.limits:
            raise
        return [asked]  # what is wrong with it is said in the answer, as of any other
    own = project.tables.get(network.name, {})
    if own.get("model") == network.name:
        return [_of_table(project, network.name, typed, run_code)._replace(model=network)]
    return [budget(network.name, network, typed)]


def _of_table(
    project: budgets.Tables, name: str, typed: dict[str, object], run_code: bool
) -> Budget:
    """The budget of a table, in which options win. Raises `UserError` (exit 1) that names the table."""
    table = project.tables[name] | typed
    try:
        return budget(name, str(table["model"]), table, run_code)
    except UserError as problem:
        raise UserError(f"{project.place(name)}: {problem.what}", problem.hint, 1) from None
