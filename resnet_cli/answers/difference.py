"""What differs between networks, or between the weight files that two of them are from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from resnet_cli.analyses.compare import errors, fields, levels, networks, tensors
from resnet_cli.analyses.cost import counts
from resnet_cli.answers.view import Model, View, beside
from resnet_cli.answers.weight_file import NOTE, weight_file
from resnet_cli.checkpoints.identify.recognise import Named
from resnet_cli.errors import UserError, printable
from resnet_cli.networks import Network, distinct, load
from resnet_cli.tables import Table


def difference(models: Sequence[Model], level: str, changed: bool, exit_code: bool) -> View:
    """Networks with what differs between them; of two weight files each tensor that does as well."""
    files = [weight_file(model) for model in models] if len(models) == 2 else []
    a, b = files or (None, None)
    if a is None or b is None:
        return _networks([load(model) for model in models], level, changed, exit_code)
    lines = tensors.of_files(a, b)
    names = [printable(os.path.basename(str(model))) for model in models]
    table = tensors.table(lines, "tensors", f"Tensors of A: {names[0]}; B: {names[1]}")
    said = [_tensors_differ(lines), *_names_differ(a, b), NOTE]
    known, problems = [], []
    for model in models:
        try:
            known.append(load(model))
        except UserError as problem:
            problems.append(problem.what)
    if problems:
        envelope = {"command": "compare", "rows": [], "tensors": lines}
        return View(envelope, [table], [*problems, *said], int(exit_code and bool(lines)))
    view = _networks(known, level, changed, exit_code)
    return view._replace(
        envelope=view.envelope | {"tensors": lines},
        tables=[*view.tables, table] if lines else view.tables,
        notes=[*said, *view.notes],
        code=int(exit_code and (bool(view.code) or bool(lines))),
    )


def _networks(given: Sequence[Network], level: str, changed: bool, exit_code: bool) -> View:
    rows, differing = networks.rows(given), fields.fields(given)
    printed = [line for line in errors.errors(given) if not changed or _differs(line)]
    parts = levels.compared(given, level, changed)
    equal = not differing and not any(cell["what"] for line in parts for cell in line["networks"])
    tables = _tables(given, level, rows, differing, printed, parts, changed)
    sizes = dict.fromkeys(network.size for network in given)
    notes = [
        *(["equal: no field of the specs, no layer and no shape differs"] if equal else []),
        *([f"inputs differ, {' and '.join(sizes)}: costs are of one input each"] if len(sizes) > 1 else []),
        f"MACs: {counts.multiplied(row for network in given for row in network.rows)} layers, the papers' "
        f"FLOPs; inputs of {', '.join(sizes)}; FLOPs: two a MAC",
        networks.NOTE,
        f"Δ and ratio: to {'A' if len(given) == 2 else distinct(given)[0]}",
    ]  # fmt: skip
    more: dict[str, Any] = {
        "rows": rows,
        "fields": differing,
        "errors": printed,
        f"{level}s": parts,
    }
    view = beside(given, "compare", tables, notes, level=level, **more)
    return view._replace(code=int(exit_code and not equal))


def _tables(
    given: Sequence[Network],
    level: str,
    rows: Sequence[dict[str, Any]],
    differing: Sequence[dict[str, Any]],
    printed: Sequence[dict[str, Any]],
    parts: Sequence[dict[str, Any]],
    changed: bool,
) -> list[Table]:
    if len(given) > 2:
        by_level = levels.side_by_side(parts, level, distinct(given))
        return [networks.side_by_side(rows), *([by_level] if parts else [])]
    tables = [
        fields.table(differing),
        networks.totals(*rows, changed=changed),
        errors.table(printed),
        levels.table(parts, level),
    ]
    first, *others = [table for table in tables if table.rows]
    a, b = map(_title, given)
    return [first._replace(title=f"A: {a}; B: {b}"), *others]


def _title(network: Network) -> str:
    source = network.origin.source
    file = f", {printable(source, 80)}" if source not in (None, network.name) else ""
    return f"{printable(network.title)}{file}"


def _differs(line: dict[str, Any]) -> bool:
    return len({cell["printed"] for cell in line["networks"]}) > 1


def _tensors_differ(lines: Sequence[dict[str, Any]]) -> str:
    if not lines:
        return "equal: every tensor has one name, shape and type in both files"
    return f"differing tensors: {len(lines):,}"


def _names_differ(a: Named, b: Named) -> list[str]:
    if tensors.named_alike(a, b):
        return []
    each = [
        f"{file.naming.scheme}'s" + (f" below {printable(file.naming.prefix)}" if file.naming.prefix else "")
        for file in (a, b)
    ]  # fmt: skip
    return [f"names differ: {each[0]} in A, {each[1]} in B; tensors are matched by what they are"]
