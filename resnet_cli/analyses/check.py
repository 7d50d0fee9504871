"""What networks may cost, and whether they do: a verdict for each limit and for each number of a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import NamedTuple, TypeAlias

from resnet_cli import sizes
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.field.receptive_field import across, features, fields
from resnet_cli.analyses.levels import level
from resnet_cli.analyses.memory.memory import STATES, Settings, memory
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.designs import limits, zoo
from resnet_cli.errors import UserError, did_you_mean
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.networks import Network
from resnet_cli.tables import ByteCount, Column
from resnet_cli.trace import Row

USES = ("training", "inference")
MOST = 10**27


class Budget(NamedTuple):
    """What is asked of one network: ``limits`` by their keys, such as max-params.

    Memory is that of a ``batch`` in training or at inference (``use``). A ``model`` that would run
    Python does so only with ``run_code``.
    """

    name: str
    model: str | int | zoo.Spec | Network
    limits: dict[str, int]
    settings: Settings = Settings()
    batch: int = 1
    use: str = "training"
    run_code: bool = True


class Measured(NamedTuple):
    """A quantity, None where it is not known, and what each stage or module has of it."""

    actual: int | None
    parts: dict[str, int]


Measure: TypeAlias = Callable[[Network, Budget], Measured]


def _parts(network: Network, numbers: Iterable[int]) -> dict[str, int]:
    """Sums of each row's number by stage; by module where there are no stages."""
    name, parts = level(network.rows, "stage").name, dict[str, int]()
    for row, number in zip(network.rows, numbers, strict=True):
        parts[name(row)] = parts.get(name(row), 0) + number
    return parts


def _sum(of_rows: Callable[[Sequence[Row]], Iterable[int]], width: bool = False) -> Measure:
    """The sum of each row's number; with ``width`` it is of weights, and comes in bytes."""

    def summed(network: Network, budget: Budget) -> Measured:
        unit = PRECISIONS[budget.settings.dtype].weight if width else 1
        parts = _parts(network, (unit * number for number in of_rows(network.rows)))
        whole = sum(parts.values())
        return Measured(ByteCount(whole) if width else whole, parts)

    return summed


def _layers(network: Network, budget: Budget) -> Measured:
    """The depth as papers count it, where that means something."""
    if counts.depth(network.rows) is None:
        return UNKNOWN
    return _sum(lambda rows: map(counts.is_counted, rows))(network, budget)


def _memory(network: Network, budget: Budget) -> Measured:
    """The peak; a stage has what it keeps: in training what it saves, at inference what lives at the peak."""
    needs = memory(network.rows, budget.settings)
    if budget.use == "inference":
        kept = [fixed["weights"] + fixed["buffers"] for fixed in needs.fixed]
        alive = [live.of(budget.batch) for live in needs.live]
        kept[alive.index(max(alive))] += max(alive)
        return Measured(ByteCount(needs.inference.of(budget.batch)), _parts(network, kept))
    kept = [
        sum(fixed.values()) + saved.of(budget.batch)
        for fixed, saved in zip(needs.fixed, needs.saved.rows, strict=True)
    ]
    return Measured(ByteCount(needs.training.of(budget.batch)), _parts(network, kept))


def _field(network: Network, budget: Budget) -> Measured:
    """That of the last layer before the classifier, along the height; a stage has what it adds to it."""
    _, last = features(network.rows)
    if not last.size:
        return UNKNOWN
    name = level(network.rows, "stage").name
    seen = {
        name(row): across(field).size
        for row, field in zip(network.rows, fields(network.rows), strict=True)
        if row.part != "head" and across(field).size
    }
    before = [0, *seen.values()]
    added = {name: size - was for (name, size), was in zip(seen.items(), before, strict=False)}
    return Measured(last.size, added)


QUANTITIES: dict[str, Measure] = {
    "params": _sum(counts.parameters_of),
    "macs": _sum(counts.macs_of),
    "memory": _memory,
    "weights": _sum(counts.parameters_of, width=True),
    "activations": _sum(counts.activations_of),
    "layers": _layers,
    "receptive-field": _field,
    "uncounted": _sum(lambda rows: [isinstance(row.layer, Uncounted) for row in rows]),
}
UNKNOWN = Measured(None, {})
SUMMARY = ("params", "macs", "layers", "uncounted")
"""What JSON of a summary has of these, too."""
OF_BYTES = ("memory", "weights")
MORE_IS_BETTER = ("receptive-field",)
"""A baseline asks for at least as much of these, and for at most as much of all others."""
LIMITS = tuple(f"{end}-{quantity}" for quantity in QUANTITIES for end in ("max", "min"))
SETTINGS = ("model", "batch", "dtype", "optimizer", "use")


def budget(
    name: str, model: str | int | zoo.Spec | Network, asked: Mapping[str, object], run_code: bool = True
) -> Budget:  # fmt: skip
    """The budget of a table, of options or of keyword arguments, all by TOML's keys; None is left out.

    Raises `UserError` for a key that there is not, and a value that it can't have.
    """
    values = {key: value for key, value in asked.items() if value is not None}
    for key, value in values.items():
        if key not in (*LIMITS, *SETTINGS):
            raise UserError(f"unknown key {key[:80]!r}", _hint(key, name, value))
    words = {
        key: _text(key, values.get(key, usual), allowed)
        for key, usual, allowed in (
            ("dtype", "fp32", (*PRECISIONS,)),
            ("optimizer", "momentum", (*STATES,)),
            ("use", "training", USES),
        )
    }
    if not isinstance(values.get("model", ""), str):
        raise UserError("model is not a text", 'write it as model = "resnet50"')
    batch = values.get("batch", 1)
    if type(batch) is not int:
        raise UserError("batch is not a whole number", "write it as batch = 64")
    limits.within("batch", batch, limits.BATCH)
    return Budget(
        name,
        model,
        {key: _limit(key, values[key]) for key in LIMITS if key in values},
        Settings(words["optimizer"], words["dtype"]),
        batch,
        words["use"],
        run_code,
    )


def _hint(key: str, name: str, value: object) -> str:
    if isinstance(value, dict):  # [tool.resnet-cli.check.resnet50-v1.5] is a table in a table
        return (
            f'a name with dots stands in quotes: [tool.resnet-cli.check."{name[:80]}.{key[:80]}"]'
        )
    keys = (
        f"allowed: {', '.join(f'max-{each}' for each in QUANTITIES)}, min-…, {', '.join(SETTINGS)}"
    )
    return did_you_mean(key, (*LIMITS, *SETTINGS)) or keys


def _text(key: str, value: object, allowed: Sequence[str]) -> str:
    if not isinstance(value, str):
        raise UserError(f"{key} is not a text", f'write it as {key} = "{allowed[0]}"')
    limits.one_of(key, value, allowed)
    return value


def _limit(key: str, value: object) -> int:
    """A limit as a number or as text: 12_000_000, 4.1e9 or "12M"."""
    of_bytes = key[4:] in OF_BYTES
    if isinstance(value, str):
        return (sizes.size if of_bytes else sizes.count)(key, value)
    if isinstance(value, float) and isfinite(value) and value == int(value):
        value = int(value)
    if type(value) is not int or not 0 <= value < MOST:
        example = "8GiB" if of_bytes else "12M"
        raise UserError(
            f"{key} is not a whole number from 0 on", f'write it as {key} = "{example}"'
        )
    return value


class Verdict(NamedTuple):
    """A number beside its limit; what is not known meets none.

    ``bound`` says which limit it is, ``room`` what is left: it is negative where a network is over,
    or under what it should have at least. ``where`` is the stage or module that has most of it.
    """

    network: str
    quantity: str
    actual: int | None
    bound: str
    limit: int | None
    room: int | None
    left: float | None
    ok: bool
    where: str | None
    share: float | None


COLUMNS = (
    Column("network", "network"),
    Column("quantity", "quantity"),
    Column("actual", "actual", "amount"),
    Column("bound", "", "remark"),
    Column("limit", "limit", "amount"),
    Column("room", "room", "amount"),
    Column("left", "of limit", "share", drop=2),
    Column("ok", "ok", "verdict"),
    Column("where", "most in", drop=1),
    Column("share", "share", "share", drop=3),
)


class Change(NamedTuple):
    """What a number was ``before`` and is now: it grew, shrank, or is new."""

    network: str
    quantity: str
    before: int | None
    actual: int | None
    change: int | None
    share: float | None
    what: str


CHANGES = (
    Column("network", "network"),
    Column("quantity", "quantity"),
    Column("before", "before", "amount"),
    Column("actual", "now", "amount"),
    Column("change", "change", "amount"),
    Column("share", "", "share", drop=1),
    Column("what", ""),
)


class Baseline(NamedTuple):
    """What an earlier answer has of each network, by quantity, and with which settings.

    ``tolerance`` are the billionths of a number that it may be worse by.
    """

    numbers: Mapping[str, Mapping[str, int]]
    settings: Mapping[str, Mapping[str, object]]
    tolerance: int = 0

    def before(self, names: Sequence[str], asked: Budget) -> tuple[dict[str, int], list[str]]:
        """The numbers of the first of these names that it has, and which it has by other settings."""
        name = next((name for name in names if name in self.numbers), "")
        numbers = {
            key: self.numbers[name][key] for key in QUANTITIES if key in self.numbers.get(name, ())
        }
        alike = self.settings.get(name) == settings(asked)
        apart = [key for key in OF_BYTES if key in numbers and not alike]
        return {key: number for key, number in numbers.items() if key not in apart}, apart

    @property
    def bound(self) -> str:
        """How a verdict calls the limit."""
        share = f"{self.tolerance / 10**7:.9f}".rstrip("0").rstrip(".")
        return f"baseline + {share}%" if self.tolerance else "baseline"

    def limit(self, quantity: str, before: int) -> int:
        """What a quantity may be now: so much at most, or at least where more is better."""
        slack = before * self.tolerance // sizes.BILLION
        return max(before - slack, 0) if quantity in MORE_IS_BETTER else before + slack


def settings(asked: Budget) -> dict[str, object]:
    """What bytes depend on, as JSON has it."""
    how = asked.settings
    return {"batch": asked.batch, "dtype": how.dtype, "optimizer": how.optimizer, "use": asked.use}


def measured(asked: Budget, network: Network, before: Mapping[str, int]) -> dict[str, Measured]:
    """The quantities with a limit and those known from before; where there are none, a summary's."""
    keys = dict.fromkeys([*(key[4:] for key in asked.limits), *before]) or SUMMARY
    return {key: QUANTITIES[key](network, asked) for key in keys}


def verdicts(
    asked: Budget, measured: Mapping[str, Measured], before: Mapping[str, int], baseline: Baseline
) -> list[Verdict]:
    """A line for each limit, and for each number that the network had ``before``.

    What is not ``measured`` is not known: the network could not be read. One without either is new.
    """
    lines = [
        _verdict(asked.name, key[4:], measured, key[:3], limit)
        for key, limit in asked.limits.items()
    ] + [
        _verdict(asked.name, key, measured, baseline.bound, baseline.limit(key, number))
        for key, number in before.items()
    ]
    return lines or [_verdict(asked.name, key, measured, "new", None) for key in SUMMARY]


def _verdict(
    name: str, quantity: str, measured: Mapping[str, Measured], bound: str, limit: int | None
) -> Verdict:
    actual, parts = measured.get(quantity, UNKNOWN)
    if limit is not None and quantity in OF_BYTES:
        limit = ByteCount(limit)
    if actual is None:
        return Verdict(name, quantity, None, bound, limit, None, None, False, None, None)
    where = max(parts, key=parts.__getitem__) if actual else None
    share = parts[where] / max(actual, sum(parts.values())) if where else None
    if limit is None:
        return Verdict(name, quantity, actual, bound, None, None, None, True, where, share)
    least = bound == "min" or (bound != "max" and quantity in MORE_IS_BETTER)
    room = type(limit)(actual - limit if least else limit - actual)
    left = room / limit if limit else None
    return Verdict(name, quantity, actual, bound, limit, room, left, room >= 0, where, share)


def changes(
    asked: Budget, measured: Mapping[str, Measured], before: Mapping[str, int]
) -> list[Change]:
    """What is another number now, or was not there before."""
    lines = []
    for quantity, (actual, _) in measured.items():
        was = before.get(quantity)
        if was is None or actual is None:
            what = "new" if was is None else "not known"
            lines.append(Change(asked.name, quantity, was, actual, None, None, what))
        elif actual != was:
            change = type(actual)(actual - was)
            what = "grew" if change > 0 else "shrank"
            share = change / was if was else None
            lines.append(Change(asked.name, quantity, was, actual, change, share, what))
    return lines
