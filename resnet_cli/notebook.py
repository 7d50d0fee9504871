"""What the commands say, as objects: HTML or SVG in a notebook, text elsewhere, raw values inside."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from resnet_cli import models
from resnet_cli.commands.options import Network as Traced
from resnet_cli.designs import limits, zoo
from resnet_cli.errors import UserError
from resnet_cli.tables import Answer
from resnet_cli.trace import trace


class View(Answer):
    """An answer of a command: ``tables`` of raw values, ``notes`` on what they count."""

    __slots__ = ()

    def data(self) -> dict[str, Any]:
        """What ``--json`` prints (docs/json.md)."""
        from resnet_cli.render.tables.data import as_json

        found: dict[str, Any] = json.loads(as_json(self))
        return found

    def __repr__(self) -> str:
        from resnet_cli.render.tables import plain

        return plain.render(self, exact=False)

    def _repr_html_(self) -> str:
        from resnet_cli.render.tables import html

        return html.fragment(self, exact=False)


class Picture(NamedTuple):
    """A drawing: ``svg`` is its text, which can be written to a file."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg


class Network(Traced):
    """A network: ``spec`` is its description, ``rows`` its executed layers."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(summary(self))

    def _repr_html_(self) -> str:
        return summary(self)._repr_html_()


def spec_of(model: str | int, changes: dict[str, Any]) -> zoo.Spec:
    """The spec of a name, depth or TOML file, with other values for some of its fields.

    Raises `UserError` for a network that does not exist or can't be changed so.
    """
    spec = zoo.by_depth(model) if isinstance(model, int) else models.load(model)
    size = changes.get("input_size")
    changes = changes | ({"input_size": (size, size)} if isinstance(size, int) else {})
    return zoo.changed(spec, **changes)


def network(model: str | int | Network, **changes: Any) -> Network:
    """A network by name, depth or TOML file; ``changes`` are fields of its spec: ``groups=32``.

    Raises `resnet_cli.errors.UserError` for a network that does not exist.
    """
    if isinstance(model, Network):
        base, spec = model.base, zoo.changed(model.spec, **changes)
    else:
        base, spec = spec_of(model, {}), spec_of(model, changes)
    return Network(base, spec, trace(spec.net(), spec.input_shape), 1)


def summary(model: str | int | Network, level: str = "stage", **changes: Any) -> View:
    """The architecture by stage, block or layer, with parameters and MACs."""
    from resnet_cli.commands import summary

    return View(*summary.command.answer(network(model, **changes), level=level))


def flops(model: str | int | Network, by: str = "stage", **changes: Any) -> View:
    """The cost of one input by stage, block, layer or operator."""
    from resnet_cli.commands import flops

    return View(*flops.command.answer(network(model, **changes), by=by))


def memory(model: str | int | Network, batch: int = 1, **changes: Any) -> View:
    """Memory of a batch by stage, training in fp32 with momentum; bytes."""
    from resnet_cli.commands import memory

    limits.within("batch", batch, limits.BATCH)
    return View(*memory.command.answer(network(model, **changes)._replace(batch=batch)))


def compare(*names: str) -> View:
    """Blocks (basic, bottleneck, ...) or networks side by side, with ratios to the first."""
    from resnet_cli.commands import compare

    return View(*compare.command.answer(list(names)))


def diagram(
    *given: str | int | Network, level: str = "block", fold: bool | None = None,
    direction: str = "down", theme: str = "light",
) -> Picture:  # fmt: skip
    """Networks as columns of boxes, as in He et al. 2015, Fig. 3; level stage, block or layer.

    ``fold`` draws equal blocks once; None does so for large networks. ``theme`` is light, dark or paper.
    """
    from resnet_cli.analyses import diagram
    from resnet_cli.render.drawings.svg import svg
    from resnet_cli.render.drawings.themes import THEMES

    limits.one_of("level", level, diagram.LEVELS)
    limits.one_of("direction", direction, diagram.DIRECTIONS)
    limits.one_of("theme", theme, tuple(THEMES))
    if not given:
        raise UserError("no network to draw", 'name one or more, such as diagram("resnet50")')
    networks = [network(model) for model in given]
    drawn = [(each.spec.name, each.rows) for each in networks]
    return Picture(svg(diagram.diagram(drawn, level, fold, direction), theme))
