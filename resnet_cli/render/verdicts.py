"""The verdicts of a check in words, for those that show each by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from resnet_cli.errors import printable
from resnet_cli.render.tables.numbers import cell
from resnet_cli.tables import Answer, Column, Table

Row: TypeAlias = dict[str, Any]
MOST = 500


class Case(NamedTuple):
    """One verdict: what is asked of which network, how it stands, and whether that is fine."""

    network: str
    title: str
    text: str
    ok: bool


def cases(answer: Answer) -> Iterator[Case]:
    """Every verdict of a check, but one alone on a network that could not be read.

    Signs that a terminal acts upon are written out.
    """
    lines = {table.key: _lines(table) for table in answer.tables}
    unread = lines.get("problems", [])
    for row in lines["rows"]:
        if row["network"] not in {problem["network"] for problem in unread}:
            title = " ".join([row["quantity"], _limit(row)])
            yield Case(_clean(row["network"]), title, _standing(row), row["ok"])
    for row in unread:
        hint = f" ({row['hint']})" if row["hint"] else ""
        yield Case(_clean(row["network"]), "not read", _clean(row["what"] + hint), False)


def _lines(table: Table) -> list[Row]:
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def _standing(row: Row) -> str:
    """How a number stands to its limit: `25.56M, max 26.00M: 443.0K left (1.7%); most in conv5_x`."""
    if row["actual"] is None:
        return f"not known, {_limit(row)}"
    most = f"; most in {_clean(row['where'])}" if row["where"] else ""
    if row["limit"] is None:
        return f"{_amount(row['actual'])}, {row['bound']}{most}"
    end = "left" if row["ok"] else "over" if row["actual"] > row["limit"] else "missing"
    share = "" if row["left"] is None else f" ({100 * abs(row['left']):.1f}%)"
    room = f"{_amount(type(row['room'])(abs(row['room'])))} {end}{share}"
    return f"{_amount(row['actual'])}, {_limit(row)}: {room}{most}"


def _limit(row: Row) -> str:
    return row["bound"] if row["limit"] is None else f"{row['bound']} {_amount(row['limit'])}"


def _amount(number: int) -> str:
    return cell(Column("", "", "amount"), number, exact=False)


def _clean(text: str) -> str:
    return printable(text, MOST)
