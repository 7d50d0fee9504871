"""Which tensors differ between two weight files, or between a file and a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from resnet_cli.checkpoints.identify.recognise import Named, stored
from resnet_cli.errors import printable
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.networks import Network
from resnet_cli.tables import Column, Table
from resnet_cli.trace import state_dict


class Tensor(NamedTuple):
    """A tensor as its file or network calls it; ``dtype`` is None for a network's, which has none."""

    name: str
    shape: Shape
    dtype: str | None = None


def differing(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """JSON's tensors: ``name``, ``a``, ``b``, ``what``: only-a, only-b, shape or dtype.

    ``a`` and ``b`` are the dtypes where these differ, else shapes. Those of one key are the same tensor; it
    is called as in ``a``. In a's order, then what only ``b`` has.
    """
    lines: list[tuple[str, Shape | str | None, Shape | str | None, str]] = []
    for key, one in a.items():
        other = b.get(key)
        if other is None:
            lines.append((one.name, one.shape, None, "only-a"))
            continue
        if one.shape != other.shape:
            lines.append((one.name, one.shape, other.shape, "shape"))
        if one.dtype and other.dtype and one.dtype != other.dtype:
            lines.append((one.name, one.dtype, other.dtype, "dtype"))
    lines += [(own.name, None, own.shape, "only-b") for key, own in b.items() if key not in a]
    return [
        {"name": printable(name), "a": one, "b": other, "what": what}
        for name, one, other, what in lines
    ]


def names_differ(a: Named, b: Named) -> list[str]:
    """A note where libraries or prefixes name the tensors otherwise, and both are known."""
    known = a.naming.scheme and b.naming.scheme
    if not known or a.naming[:2] == b.naming[:2]:
        return []
    one, other = (
        f"{file.naming.scheme}'s" + (f" below {printable(file.naming.prefix)}" if file.naming.prefix else "")
        for file in (a, b)
    )  # fmt: skip
    return [f"names differ: {one} in A, {other} in B; tensors are matched by what they are"]


def of_files(a: Named, b: Named) -> list[dict[str, Any]]:
    """`differing` of two files: by the files' names where these are alike, else by our names."""
    alike = not names_differ(a, b)
    one, other = (
        {
            name if alike else file.naming.names.get(name, name): Tensor(name, *tensor)
            for name, tensor in file.tensors.items()
        }
        for file in (a, b)
    )
    return differing(one, other)


def of_network(file: Named, network: Network) -> list[dict[str, Any]]:
    """`differing` of a file and a network with its batch norm stored as in the file.

    Counters of batches are left out.
    """
    theirs = {ours: name for name, ours in file.naming.names.items()}
    a = {ours: Tensor(theirs[ours], shape) for ours, shape in file.shapes.items()}
    b = stored(state_dict(network.rows), file.norm)
    return differing(a, {name: Tensor(name, shape) for name, shape in b.items()})


def table(lines: Sequence[dict[str, Any]], key: str, title: str) -> Table:
    """Such lines as a table."""
    columns = (
        Column("name", "name"), Column("a", "A", "mixed"), Column("b", "B", "mixed"), Column("what", "what"),
    )  # fmt: skip
    body = [(line["name"], _shown(line["a"]), _shown(line["b"]), line["what"]) for line in lines]
    return Table(key, title, columns, body)


def _shown(value: Shape | str | None) -> Shape | str | None:
    return "a single number" if value == () else value
