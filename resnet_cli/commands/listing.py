"""resnet-cli list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from resnet_cli import sizes
from resnet_cli.answers import listing
from resnet_cli.commands.options import answers, words
from resnet_cli.tables import Answer


def _option(*flags: str, help: str, allowed: Sequence[str] = ()) -> Any:
    choices = words(allowed) if allowed else {}
    return typer.Option(*flags, help=help, rich_help_panel="Which networks", **choices)


@answers
def command(
    matching: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORD",
            help="Parts of a name, family, block or data set; 3-4-6-3; 'resnet*'.",
        ),
    ] = None,
    family: Annotated[
        str | None, _option("--family", help="ResNet, SENet, ...; for any data set.")
    ] = None,
    dataset: Annotated[
        str | None, _option("--dataset", help="imagenet or cifar10.", allowed=listing.DATASETS)
    ] = None,
    block: Annotated[
        str | None, _option("--block", help="basic or bottleneck.", allowed=listing.BLOCKS)
    ] = None,
    layers: Annotated[int | None, _option("--layers", help="Depth, as the papers count.")] = None,
    max_params: Annotated[
        str | None, _option("--max-params", help="At most so many parameters: 30M.")
    ] = None,
    max_macs: Annotated[
        str | None, _option("--max-macs", "--under", help="At most so many MACs: 5G.")
    ] = None,
    max_error: Annotated[
        float | None, _option("--max-error", help="At most so many per cent, as printed.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(help=", ".join(listing.SORTS) + ".", **words(listing.SORTS))
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="The last first.")] = False,
    every: Annotated[bool, _option("--all", help="Every network, not its family alone.")] = False,
) -> Answer:
    """The families of networks; with words, filters or --all each network, its cost and published error."""
    return listing.list(
        *matching or (), family=family, dataset=dataset, block=block, layers=layers,
        max_params=None if max_params is None else sizes.count("most parameters", max_params),
        max_macs=None if max_macs is None else sizes.count("most MACs", max_macs),
        max_error=max_error, sort=sort, reverse=reverse, every=every,
    )  # fmt: skip
