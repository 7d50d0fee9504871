"""figures(): what papers and torchvision print, beside our numbers, with the score."""

from __future__ import annotations

import re
from collections.abc import Sequence

from resnet_cli import models, published
from resnet_cli.analyses import figures as analysis
from resnet_cli.analyses.elsewhere import elsewhere
from resnet_cli.analyses.notation import several
from resnet_cli.analyses.published import explained, of
from resnet_cli.answers.view import Model, View
from resnet_cli.errors import UserError, did_you_mean, folded
from resnet_cli.published import Figure
from resnet_cli.published.papers import paper as paper_of

MEASURED = "measured: what training or running gave, such as an error or a time; it is shown only"


def figures(
    *models: Model,
    paper: str | None = None,
    paper_table: str | None = None,
    every: bool = False,
) -> View:
    """A line for each table of each paper with its score; the figures themselves of some, or with ``every``.

    ``models`` are networks, or what a paper prints in one's place: ILSVRC15. ``paper`` is called as people
    do (he2015, resnext, 1512.03385), ``paper_table`` as it is headed: Table 1. Raises `UserError` where
    nothing is called so, and where nothing is printed of it.
    """
    chosen: Sequence[Figure] = published.figures()
    if paper is not None:
        source = paper_of(paper).source
        chosen = [figure for figure in chosen if figure.source == source]
    if paper_table is not None:
        chosen = _of_table(chosen, paper_table)
    about: list[str] = []
    if models:
        of_each = [_of_model(chosen, model) for model in models]
        kept = {figure for some, _ in of_each for figure in some}
        chosen = [figure for figure in chosen if figure in kept]
        about = [note for _, notes in of_each for note in notes]
    rows = analysis.beside(chosen)
    total, tables = analysis.score(rows), analysis.by_table(rows)
    whole = len(rows) == len(published.figures()) and not every
    shown = analysis.scores(tables, total) if whole else analysis.table(rows)
    notes = [_score(total), *explained(line["status"] for line in rows)]
    notes += [
        f"different: {line['source']}, {line['paper_table']}, prints {line['printed']} {line['unit']} of "
        f"{line['network']}, ours is {line['ours']:,}: {line['remark']}"
        for line in rows
        if line["status"] == "different"
    ]
    if total["not_described"]:
        notes.append("not described: of networks that are not described here")
    if total["measured"]:
        notes.append(MEASURED)
    notes += about
    envelope = {"command": "figures", "rows": rows, "tables": tables, "score": total}
    return View(envelope, [shown], notes)


def _score(total: dict[str, int]) -> str:
    if not total["computable"]:
        return f"{several(total['figures'], 'figure')}, none of which is computed"
    equal = total["by_rounding"] + total["by_cutting"]
    return (
        f"{several(total['figures'], 'figure')}; of those that can be computed equal: {equal} of "
        f"{total['computable']}, {total['by_rounding']} by rounding and {total['by_cutting']} by cutting"
    )


def _of_table(figures: Sequence[Figure], name: str) -> list[Figure]:
    """Those of the table that is headed so: Table 1, 1, Sec 4.1."""
    wanted = (folded(name), f"table{folded(name)}")
    kept = [figure for figure in figures if folded(figure.table) in wanted]
    if kept:
        return kept
    tables = [*dict.fromkeys(figure.table for figure in figures)]
    raise UserError(
        f"no table here is called {name[:80]!r}",
        did_you_mean(name, tables) or f"there are: {', '.join(tables)}",
    )


def _of_model(figures: Sequence[Figure], model: Model) -> tuple[list[Figure], list[str]]:
    """Those of a network, with notes on what others call so; or of what is printed under that name."""
    if isinstance(model, str) and (kept := _called(figures, model)):
        return kept, []
    network = models.load(model)
    kept = of(network.spec, figures) if network.spec else []
    if not kept:
        raise UserError(
            f"no figure is printed here of {network.name[:80]!r}", "all of them: resnet-cli figures"
        )
    return kept, elsewhere([network])


def _called(figures: Sequence[Figure], name: str) -> list[Figure]:
    """Those of a network that is not described here, under a library's name or one that is printed.

    Of a printed name one word is enough: Highway, ILSVRC15.
    """

    def is_called(figure: Figure) -> bool:
        library, _, own = figure.network.rpartition(":")
        if library and folded(name) in (folded(figure.network), folded(own)):
            return True
        words = re.split(r"[^\w.-]+", figure.printed_name)
        return not figure.network and folded(name) in map(folded, [figure.printed_name, *words])

    return [figure for figure in figures if is_called(figure)]
