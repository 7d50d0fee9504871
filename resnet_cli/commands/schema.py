"""resnet-cli schema."""

import json
from typing import Annotated

import typer

from resnet_cli.commands import output


def complete(given: str) -> list[str]:
    """Names for the shell that begin with what is typed."""
    from resnet_cli.answers.schema import NAMES

    return [name for name in NAMES if name.startswith(given)]


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="COMMAND",
            help="A command, or toml; all: leave it out.",
            autocompletion=complete,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="A file to write; - is stdout."),
    ] = None,
) -> None:
    """The JSON Schema of what a command prints with --json, or of a network's TOML file."""
    from resnet_cli.answers.schema import NAMES, schema

    text = (
        "\n".join(NAMES) if name is None else json.dumps(schema(name), ensure_ascii=False, indent=2)
    )
    output.send(text + "\n", target)
