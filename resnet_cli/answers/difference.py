"""What differs between networks, or between the weight files that two of them are from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from resnet_cli.analyses import levels
from resnet_cli.analyses.compare import align, errors, fields, networks, tensors
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.levels import Level
from resnet_cli.answers.view import Model, View, beside, whose
from resnet_cli.answers.weight_file import NOTE, weight_file
from resnet_cli.errors import UserError, printable, typed
from resnet_cli.models import load
from resnet_cli.networks import Network

MOST_ROWS = 1_000_000
"""Of all networks together: half a minute of work, a gigabyte."""


def difference(
    models: Sequence[Model], level: str | int | None, changed: bool, exit_code: bool
) -> View:
    """Networks with what differs between them; of two weight files each tensor that does as well."""
    files = [weight_file(model) for model in models] if len(models) == 2 else []
    a, b = files or (None, None)
    if a is None or b is None:
        return _networks(_loaded(models), level, changed, exit_code)
    lines = tensors.of_files(a, b)
    names = [printable(os.path.basename(str(model))) for model in models]
    table = tensors.table(lines, "tensors", f"Tensors of A: {names[0]}; B: {names[1]}")
    renamed = tensors.names_differ(a, b)
    differ = bool(lines or renamed)
    same = "shape and type" if renamed else "name, shape and type"
    said = [
        f"differing tensors: {len(lines):,}" if lines else f"equal: every tensor has one {same} in both files",
        *renamed,
        NOTE,
    ]  # fmt: skip
    known, problems = [], []
    for side, model in zip("AB", models, strict=True):
        try:
            known.append(load(model))
        except UserError as problem:
            problems.append(f"{side}: {problem.what}")
    more = {"files": [printable(str(model)) for model in models], "tensors": lines}
    if problems:
        envelope = {"command": "compare", "rows": [], **more}
        return View(envelope, [table], [*problems, *said], int(exit_code and differ))
    view = _networks(known, level, changed, exit_code)
    return view._replace(
        envelope=view.envelope | more,
        tables=[*view.tables, table] if lines else view.tables,
        notes=[*said, *view.notes],
        code=int(exit_code and (differ or bool(view.code))),
    )


def _loaded(models: Sequence[Model]) -> list[Network]:
    """Raises `UserError` for networks that are too large together."""
    networks: list[Network] = []
    for model in models:
        networks.append(load(model))
        if sum(len(network.rows) for network in networks) > MOST_ROWS:
            raise UserError(
                f"the networks have over {MOST_ROWS:,} layers, too many to compare",
                "give fewer or shallower ones",
            )
    return networks


def _networks(
    given: Sequence[Network], level: str | int | None, changed: bool, exit_code: bool
) -> View:
    usual = "module" if any(levels.usual(network) == "module" for network in given) else "stage"
    by, differing, titles = (
        align.common(given, usual if level is None else level),
        fields.fields(given),
        networks.titles(given),
    )
    rows, parts = networks.rows(given), align.compared(given, by, changed)
    printed = [line for line in errors.errors(given) if not changed or _differs(line)]
    shown = errors.shared(printed)
    if len(given) == 2:
        tables = [
            fields.table(differing, titles),
            networks.totals(rows, titles, changed),
            errors.table(shown, titles),
            align.table(parts, by, titles),
        ]
    else:
        by_level = align.side_by_side(parts, by, titles)
        tables = [*networks.side_by_side(rows), errors.table(shown, titles), by_level]
    equal = not differing and not any(cell["what"] for line in parts for cell in line["networks"])
    notes = _notes(given, titles, by, equal)
    if len(shown) < len(printed):
        hint = typed("figures", given[0].model)
        notes.append(f"errors that a table prints of one of them alone are left out: {hint}")
    more: dict[str, Any] = {
        "rows": rows, "fields": differing, "errors": printed, "level": by.key, f"{by.key}s": parts,
    }  # fmt: skip
    view = beside(given, "compare", [table for table in tables if table.rows], notes, **more)
    return view._replace(code=int(exit_code and not equal))


def _notes(given: Sequence[Network], titles: Sequence[str], by: Level, equal: bool) -> list[str]:
    sizes = _sizes(given)
    unknown = [title for title, network in zip(titles, given, strict=True) if not network.spec]
    kinds = counts.multiplied(row for network in given for row in network.rows)
    return [
        *(["equal: no field of the specs, no layer and no shape differs"] if equal else []),
        *filter(None, map(whose, titles, given)),
        *([f"inputs differ, {' and '.join(sizes)}: costs are of one each"] if len(sizes) > 1 else []),
        *([f"no spec, so that fields are not compared: {', '.join(unknown)}"] if unknown else []),
        *by.notes,
        f"MACs: {kinds} layers, the papers' FLOPs; inputs of {', '.join(sizes)}; FLOPs: two a MAC",
        networks.NOTE,
        f"Δ and ratio: to {titles[0]}",
    ]  # fmt: skip


def _sizes(given: Sequence[Network]) -> list[str]:
    """The inputs in words; a spec's with its batch where a graph, whose inputs have one, is among them."""
    whole = any(network.spec is None for network in given)
    words = [f"1×{network.size}" if whole and network.spec else network.size for network in given]
    return [*dict.fromkeys(words)]


def _differs(line: dict[str, Any]) -> bool:
    """Whether an error is printed of all networks and not the same."""
    printed = {cell["printed"] for cell in line["networks"]}
    return None not in printed and len(printed) > 1
