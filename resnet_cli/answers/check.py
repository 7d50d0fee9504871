"""check(): whether networks keep to their limits, and to what they were before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from resnet_cli import budgets, sizes
from resnet_cli.analyses import check as analysis
from resnet_cli.analyses.check import Baseline, Budget, Change, Verdict
from resnet_cli.analyses.elsewhere import elsewhere
from resnet_cli.answers.view import Model, View, beside
from resnet_cli.errors import UserError, printable, typed
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.models import load, runs_python
from resnet_cli.networks import Network
from resnet_cli.render.verdicts import cases
from resnet_cli.tables import Column, Table

MOST_ROWS = 1_000_000
"""Of all networks together: half a minute of work."""
NOTES = {
    "macs": "macs: multiply-accumulates for one input, as the papers count",
    "activations": "activations: elements of the outputs of convolutions and matrix products for one input, as timm "
    "and pycls count",
    "layers": "layers: convolutions and linear layers of the main path, as the papers count",
    "receptive-field": "receptive-field: pixels across that a neuron of the last stage before the classifier sees",
    "uncounted": "uncounted: operations that nobody has described here; numbers are at least what is shown",
}


class Checked(NamedTuple):
    """One network: what is asked of it, its verdicts, and why it could not be read, if it could not.

    ``apart`` are the quantities that the baseline has by other settings, ``elsewhere`` what libraries build
    under the network's name.
    """

    budget: Budget
    network: Network | None
    verdicts: list[Verdict]
    changes: list[Change]
    apart: list[str]
    elsewhere: list[str]
    problem: UserError | None


def check(
    model: Model,
    *,
    batch: int = 1,
    dtype: str = "fp32",
    optimizer: str = "momentum",
    use: str = "training",
    baseline: Mapping[str, Any] | None = None,
    tolerance: str = "0%",
    **limits: int | float | str | None,
) -> View:
    """A network beside its limits: ``max_params="26M"``, ``max_memory="8GiB"``, ``min_receptive_field=224``.

    ``max_`` and ``min_`` go before params, macs, memory, weights (bytes), activations, layers,
    receptive_field and uncounted; memory is that of a ``batch`` in training or at inference
    (``use``). ``baseline`` is the `data()` of an earlier summary or check, of which nothing may be
    worse beyond the ``tolerance``. The answer's ``code`` is 1 where a limit is not met, or the
    network can't be read. Raises `UserError` where there is no limit, and for one that does not exist.
    """
    keys: dict[str, object] = {key.replace("_", "-"): limit for key, limit in limits.items()}
    keys |= {"batch": batch, "dtype": dtype, "optimizer": optimizer, "use": use}
    return checks([analysis.budget("", model, keys)], baseline, tolerance)


def checks(
    asked: Sequence[Budget], baseline: Mapping[str, Any] | None = None, tolerance: str = "0%"
) -> View:
    """Several networks, each beside its limits; where one can't be read the others are checked."""
    allowed = sizes.share("tolerance", tolerance)
    earlier = _earlier(baseline, allowed) if baseline is not None else Baseline({}, {})
    for budget in asked:
        if not budget.limits and baseline is None:
            whose = f" for {budget.name}" if budget.name else ""
            raise UserError(
                f"no limit given{whose}", "such as --max-params 26M; resnet-cli check --help"
            )
    checked = [*_checked(asked, earlier)]
    verdicts = [verdict for one in checked for verdict in one.verdicts]
    changes = [change for one in checked for change in one.changes if baseline is not None]
    problems = [
        (one.budget.name, printable(one.problem.what), printable(one.problem.hint))
        for one in checked
        if one.problem
    ]
    tables = [
        Table("rows", "", analysis.COLUMNS, verdicts),
        *([Table("changes", "Since the baseline", analysis.CHANGES, changes)] if changes else []),
        *([Table("problems", "Not read", PROBLEMS, problems)] if problems else []),
    ]
    networks = [one.network for one in checked if one.network]
    how = [{"network": one.budget.name, **analysis.settings(one.budget)} for one in checked]
    answer = beside(
        networks, "check", tables, _notes(checked), networks=how, changes=[], problems=[]
    )
    unmet = [f"{c.network} {c.title}: {c.text}" for c in cases(answer) if not c.ok]
    more = [f"and {len(unmet) - SHOWN:,} more"] if len(unmet) > SHOWN else []
    same = ["nothing changed since the baseline"] if baseline is not None and not changes else []
    result = f"{sum(line.ok for line in verdicts):,} of {len(verdicts):,} limits met"
    notes = [result, *unmet[:SHOWN], *more, *same, *answer.notes]
    return answer._replace(notes=notes, code=int(bool(unmet)))


SHOWN = 10
"""Of the limits that are not met; all of them stand in the table."""
PROBLEMS = (Column("network", "network"), Column("what", "why"), Column("hint", "hint", drop=1))


def _checked(asked: Sequence[Budget], earlier: Baseline) -> Iterator[Checked]:
    rows = 0
    for budget in asked:
        network, problem = None, None
        name = budget.name or _written(budget)
        try:
            if rows > MOST_ROWS:
                what = f"the networks before it have over {MOST_ROWS:,} layers together"
                raise UserError(what, f"type {typed('check', name)}")
            network = _network(budget)
            rows += len(network.rows)
            name = budget.name or network.name
        except UserError as raised:
            problem = raised
        named = budget._replace(name=name)
        names = [name, *([network.name] if network else [])]
        before, apart = earlier.before(names, named)
        measured = analysis.measured(named, network, before) if network else {}
        verdicts = analysis.verdicts(named, measured, before, earlier)
        changes = analysis.changes(named, measured, before)
        others = elsewhere([network]) if network else []
        left = network and _uncounted(network, name)
        yield Checked(named, left, verdicts, changes, apart, others, problem)


def _network(budget: Budget) -> Network:
    """Raises `UserError` for a network that can't be read, or would run Python and may not."""
    if not budget.run_code and runs_python(_written(budget)):
        raise UserError(
            f"{_written(budget)!r} would run Python, and stands in a file",
            "type --run-code if you trust it",
        )
    return load(budget.model)


def _written(budget: Budget) -> str:
    """The MODEL as it was written; an object by its name."""
    model = budget.model
    return str(model) if isinstance(model, str | int) else model.name


def _uncounted(network: Network, name: str) -> Network:
    """Those rows alone that are not counted, which no spec describes: of hundreds the others are let go."""
    rows = [row for row in network.rows if isinstance(row.layer, Uncounted)]
    return network._replace(name=name, rows=rows, spec=None)


def _notes(checked: Sequence[Checked]) -> Iterator[str]:
    """What the numbers count, and what was not compared."""
    quantities = {line.quantity for one in checked for line in one.verdicts}
    yield from (note for quantity, note in NOTES.items() if quantity in quantities)
    yield from dict.fromkeys(note for one in checked for note in one.elsewhere)
    by_settings: dict[str, list[str]] = {}
    for one in checked:
        if any(line.quantity in analysis.OF_BYTES for line in one.verdicts):
            by_settings.setdefault(_settings(one.budget), []).append(one.budget.name)
    for how, names in by_settings.items():
        yield how if len(by_settings) == 1 else f"{', '.join(names)}: {how}"
    for one in checked:
        if one.apart:
            what = " and ".join(one.apart)
            yield f"{one.budget.name}: {what} not compared, as the baseline has it by other settings"


def _settings(budget: Budget) -> str:
    inputs = f"a batch of {budget.batch:,}" if budget.batch > 1 else "one input"
    how = f", optimiser {budget.settings.optimizer}" if budget.use == "training" else ""
    where = {"training": "in training", "inference": "at inference"}[budget.use]
    return f"memory: at its peak {where}, {inputs}, {budget.settings.dtype}{how}; weights: learnable, in bytes"


def _earlier(document: Mapping[str, Any], tolerance: int) -> Baseline:
    """The numbers of an answer of summary or check. Raises `UserError` (exit 1) for what is none."""
    from resnet_cli.render.tables.data import SCHEMA

    try:
        if document["schema"] != SCHEMA:
            raise ValueError
        if document["command"] == "summary":
            total = document["total"]
            numbers = {key: total[key] for key in analysis.SUMMARY if total.get(key) is not None}
            numbers["uncounted"] = sum(_whole(each["times"]) for each in document["uncounted"])
            lines = [(document["model"], key, number) for key, number in numbers.items()]
        else:
            lines = [
                (row["network"], row["quantity"], row["actual"])
                for key in ("rows", "changes")
                for row in document[key]
                if row["actual"] is not None
            ]
        networks: dict[str, dict[str, int]] = {}
        for name, quantity, number in lines:
            if quantity not in analysis.QUANTITIES:
                raise ValueError
            networks.setdefault(name, {})[quantity] = _whole(number)
        settings = {
            each["network"]: {key: each[key] for key in ("batch", "dtype", "optimizer", "use")}
            for each in document.get("networks", ())
        }
    except (KeyError, TypeError, AttributeError, ValueError):
        what = "the baseline is no whole answer of summary or check"
        raise UserError(what, budgets.SAVE, 1) from None
    return Baseline(networks, settings, tolerance)


def _whole(number: object) -> int:
    """Raises `ValueError` for what is not a number of something."""
    if type(number) is not int or not 0 <= number < analysis.MOST:
        raise ValueError
    return number
