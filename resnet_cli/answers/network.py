"""network(): a name or file becomes an object to ask questions of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from resnet_cli import models, networks
from resnet_cli.answers.view import Model
from resnet_cli.errors import UserError
from resnet_cli.inputs import Given, Typed
from resnet_cli.layers.arithmetic import Shape


class Network(networks.Network):
    """A network: ``spec`` is its description, ``rows`` its executed layers. Shows as its summary."""

    __slots__ = ()

    def __repr__(self) -> str:
        from resnet_cli.answers.summary import summary

        return repr(summary(self))

    def _repr_html_(self) -> str:
        from resnet_cli.answers.summary import summary

        return summary(self)._repr_html_()


def network(model: Model | Callable[..., Any], input: object = None, **changes: object) -> Network:
    """A network by name, depth, file, or of a `torch.nn.Module`; ``changes`` are fields of its spec: ``groups=32``.

    ``input`` is what it is asked about: a shape with the batch, a tuple of shapes, or a dict of them by
    name; tensors, too, for a module, which is run once and without its weights. Raises
    `resnet_cli.UserError` for a network that does not exist or can't be changed so, for an input that is no
    shape, and for what a module raises.
    """
    if callable(model):
        if changes or not models.is_module(model):
            what = f"{type(model).__name__} is no torch.nn.Module, or takes no {', '.join(changes)}"
            raise UserError(what, "give a name, a file or a module")
        return Network(*models.of_module(model, input))
    size = changes.get("input_size")
    if isinstance(size, int):
        changes["input_size"] = (size, size)
    made = models.load(model, Given(_typed(input)))
    return Network(*(made.changed(**changes) if changes else made))


def _typed(input: object) -> tuple[Typed, ...]:
    """Shapes as `--input` has them. Raises `UserError` for what is none, nor a tuple or dict of them."""
    if input is None:
        return ()
    if isinstance(input, Mapping):
        return tuple(Typed(str(name), _shape(shape)) for name, shape in input.items())
    if isinstance(input, tuple | list) and not all(isinstance(side, int) for side in input):
        return tuple(Typed(None, _shape(shape)) for shape in input)
    return (Typed(None, _shape(input)),)


def _shape(value: object) -> Shape:
    if isinstance(value, tuple | list) and value and all(isinstance(side, int) for side in value):
        return (*value,)
    raise UserError(
        f"an input of {type(value).__name__} is no shape", "give its sides: input=(1, 3, 224, 224)"
    )
