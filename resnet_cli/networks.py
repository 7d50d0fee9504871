"""Network: what every question is asked of, and how a MODEL becomes one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from itertools import chain, count
from typing import Any, NamedTuple

from resnet_cli.designs import zoo
from resnet_cli.errors import UserError, printable, typed
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.tree import Sequence
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.trace import Row, trace

WEIGHTS = (".safetensors", ".safetensors.index.json", ".pth", ".pt", ".bin", ".tar")
"""How the names of weight files end; others are files where no network is called so."""


class Input(NamedTuple):
    """A tensor that the network takes; ``shape`` is for one input, without the batch."""

    name: str
    shape: Shape
    dtype: str = "float32"


class Origin(NamedTuple):
    """Where a network comes from: its ``kind`` is spec or weights, ``source`` what was named.

    ``ran`` says how a module was run, ``version`` which version of its library wrote it.
    """

    kind: str
    source: str | None = None
    ran: str | None = None
    version: str | None = None


class Network(NamedTuple):
    """A network: its executed layers as rows, and what is known of where they come from.

    ``spec`` is its description, None where nobody has one; ``base`` is what MODEL alone names, before
    anything was changed. Rows are for one input; ``batch`` is how many are asked about.
    """

    name: str
    rows: list[Row]
    inputs: tuple[Input, ...]
    origin: Origin
    spec: zoo.Spec | None = None
    base: zoo.Spec | None = None
    batch: int = 1

    @property
    def input(self) -> Shape:
        """(channels, height, width) of the first input."""
        return self.inputs[0].shape

    @property
    def size(self) -> str:
        """The input in words: 3×224×224."""
        return "×".join(map(str, self.input))

    @property
    def family(self) -> str:
        """As the list has it; "" where there is no spec."""
        return self.spec.family if self.spec else ""

    @property
    def title(self) -> str:
        """Name and family, and what was changed of it."""
        if self.spec is None or self.base is None:
            return self.name
        before, after = asdict(self.base), asdict(self.spec)
        changed = [
            f"{key.replace('_', ' ')} {_joined(key, v) if isinstance(v, tuple) else v}"
            for key, v in after.items()
            if v != before[key]
        ]
        return f"{self.name} ({', '.join([self.family, *changed])})"

    @property
    def uncounted(self) -> list[dict[str, Any]]:
        """What could not be counted: operator, times and reason, in the order of execution."""
        times: dict[tuple[str, str], int] = {}
        for row in self.rows:
            if isinstance(row.layer, Uncounted):
                key = (row.layer.operator, row.layer.reason)
                times[key] = times.get(key, 0) + 1
        return [
            {"operator": operator, "times": n, "reason": reason}
            for (operator, reason), n in times.items()
        ]

    def changed(self, **fields: object) -> Network:
        """The same network with other values for some fields of its spec; None leaves one as it is.

        Raises `UserError` for a field that it does not have, or a value that it can't take.
        """
        if self.spec is None:
            raise UserError(f"{self.name} has no spec to change", "change the network itself")
        made = of_spec(zoo.changed(self.spec, **fields), self.origin)
        return made._replace(base=self.base, batch=self.batch)


def _joined(key: str, numbers: tuple[int, ...]) -> str:
    return ("×" if key == "input_size" else ",").join(map(str, numbers))


def of_spec(spec: zoo.Spec, origin: Origin | None = None) -> Network:
    """The network that a spec describes.

    Raises `UserError` for an input that is too small for it.
    """
    rows = trace(spec.net(), spec.input_shape)
    inputs = (Input("input", spec.input_shape),)
    return Network(spec.name, rows, inputs, origin or Origin("spec", spec.name), spec, spec)


def of_tree(name: str, tree: Sequence, shape: Shape) -> Network:
    """Layers that no spec describes, such as a single block."""
    return Network(name, trace(tree, shape), (Input("input", shape),), Origin("spec"))


def load(model: str | int | zoo.Spec | Network) -> Network:
    """The network that is called or described so, or whose weights the file holds; a depth is He et al.'s.

    Raises `UserError` for a name that no network has (exit 2) or a bad file (exit 1).
    """
    if isinstance(model, Network):
        return model
    if isinstance(model, int):
        return of_spec(zoo.by_depth(model))
    if not isinstance(model, str):
        return of_spec(model)
    if model.endswith(".toml"):
        from resnet_cli.designs import specfile  # tomllib takes milliseconds to load

        return of_spec(specfile.read(model), Origin("spec", model))
    if model.lower().endswith(WEIGHTS):
        return _recognised(model)
    try:
        return of_spec(zoo.find(model))
    except UserError:
        if os.path.isfile(model):
            return _recognised(model)
        raise


def distinct(networks: Iterable[Network]) -> list[str]:
    """The networks' names; a name that was there before is numbered: resnet18, resnet18 (2)."""
    names: list[str] = []
    for network in networks:
        numbered = (f"{network.name} ({number})" for number in count(2))
        every = chain([network.name], numbered)
        names.append(next(name for name in every if name not in names))
    return names


def _recognised(path: str) -> Network:
    """The network of a weight file, called as the file where it is not a listed one."""
    from resnet_cli.checkpoints.container.read import read
    from resnet_cli.checkpoints.identify.recognise import named, recognise

    recognised = recognise(named(read(path).content))
    if recognised.sure == "nearest":
        raise UserError(
            f"{path!r} holds no network that is known here; the nearest differs: {recognised.words[0]}",
            f"see {typed('identify', path)}",
            1,
        )
    spec = recognised.spec
    if not recognised.fits:
        spec = zoo.changed(spec, name=printable(os.path.basename(path), 80))
    return of_spec(spec, Origin("weights", path))
