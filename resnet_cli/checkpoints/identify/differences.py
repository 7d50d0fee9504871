"""What differs between the tensors of a file and those of a network, one by one and in words."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from resnet_cli.errors import printable
from resnet_cli.layers.arithmetic import Shape

INSIDE = (
    "conv1.",
    "bn1.",
    "prelu.",
    "bn2.",
    "layer",
    "norm.",
    "features.",
    "stem.",
    "trunk_output.",
    "maxpool.",
)
"""What the names of a backbone's tensors begin with."""


class Difference(NamedTuple):
    """A tensor, by our name, that is not the same in the file and in the network."""

    name: str
    file: Shape | None
    network: Shape | None


def between(shapes: dict[str, Shape], network: dict[str, Shape]) -> list[Difference]:
    """In the network's order, then what it does not have in the file's."""
    differ = [
        Difference(name, shapes.get(name), shape)
        for name, shape in network.items()
        if shapes.get(name) != shape
    ]
    extra = [Difference(n, shape, None) for n, shape in shapes.items() if n not in network]
    return differ + extra


def sure_of(differences: list[Difference]) -> str:
    """Whether nothing, or nothing of the backbone, differs: exact, backbone exact or nearest."""
    if not differences:
        return "exact"
    return "nearest" if any(d.name.startswith(INSIDE) for d in differences) else "backbone exact"


def in_words(differences: list[Difference]) -> list[str]:
    """The differences in sentences: a shape of each of the first layers, the rest counted by stage."""
    reshaped = [d for d in differences if d.file is not None and d.network is not None]
    layers = {d.name.rpartition(".")[0]: d for d in reversed(reshaped)}
    examples = [d for d in reshaped if layers[d.name.rpartition(".")[0]] is d][:5]
    words = [
        f"{printable(d.name)} is {_times(d.file)}, the network has {_times(d.network)}"
        for d in examples
    ]
    more = len(reshaped) - len(examples)
    words += [f"{more:,} more of another shape"] if more else []
    missing = _grouped([d.name for d in differences if d.file is None])
    extra = _grouped([d.name for d in differences if d.network is None])
    words += [f"missing in the file: {missing}"] if missing else []
    words += [f"not in the network: {extra}"] if extra else []
    return words


def _grouped(names: list[str]) -> str:
    """ "12 tensors of layer4, fc.bias": names by what they begin with, the first few groups."""
    groups = Counter(name.partition(".")[0] for name in names)
    example = {name.partition(".")[0]: name for name in reversed(names)}
    parts = [
        printable(example[top]) if count == 1 else f"{count:,} tensors of {printable(top)}"
        for top, count in list(groups.items())[:6]
    ]
    return ", ".join(parts + ([f"{len(groups) - 6:,} more"] if len(groups) > 6 else []))


def _times(shape: Shape | None) -> str:
    return "×".join(map(str, shape or ())) or "a single number"
