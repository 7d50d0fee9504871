"""resnet-cli report."""

from pathlib import Path
from typing import Annotated

import typer

from resnet_cli.answers.report import report
from resnet_cli.commands import output
from resnet_cli.commands.options import changeable, complete
from resnet_cli.errors import UserError, printable, typed

SUFFIXES = (".html", ".htm")


@changeable("names")
def command(
    names: Annotated[
        list[str],
        typer.Argument(metavar="MODEL…", help="Names or TOML files.", autocompletion=complete),
    ],
    target: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="The page: FILE.html; - is stdout."),
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Every digit: no K, M, G.")] = False,
) -> None:
    """All that is known of a network, or of several side by side, as one page to hand to somebody."""
    example = typed("report", names[0], "-o", "report.html")
    if target is None:
        raise UserError("no file named for the page", f"type {example}")
    if output.is_file(target) and Path(target).suffix.lower() not in SUFFIXES:
        raise UserError(
            f"{target!r} is no page: its name ends in none of {', '.join(SUFFIXES)}",
            f"type {example}",
        )
    line = typed("report", *names)
    page = report(*names, exact=exact, typed=printable(line, len(line)))
    output.send(page.html, target)
