"""network(): a name or file becomes an object to ask questions of."""

from __future__ import annotations

from resnet_cli import networks
from resnet_cli.answers.view import Model


class Network(networks.Network):
    """A network: ``spec`` is its description, ``rows`` its executed layers. Shows as its summary."""

    __slots__ = ()

    def __repr__(self) -> str:
        from resnet_cli.answers.summary import summary

        return repr(summary(self))

    def _repr_html_(self) -> str:
        from resnet_cli.answers.summary import summary

        return summary(self)._repr_html_()


def network(model: Model, **changes: object) -> Network:
    """A network by name, depth, TOML or weight file; ``changes`` are fields of its spec: ``groups=32``.

    Raises `resnet_cli.UserError` for a network that does not exist or can't be changed so.
    """
    size = changes.get("input_size")
    if isinstance(size, int):
        changes["input_size"] = (size, size)
    return Network(*networks.load(model).changed(**changes))
