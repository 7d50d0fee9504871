"""A module is run once and its operations recorded: a Graph as `graphs/pt2` reads it from a file of torch.export.

Operations are seen as the module calls them, a convolution with its bias, attention in one: in
inference mode torch takes nothing apart before a dispatch mode has seen it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass
from functools import cached_property
from inspect import Parameter, signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from resnet_cli.graphs.graph import (
    ACTIVATION,
    BUFFER,
    CONSTANT,
    INPUT,
    PARAMETER,
    Graph,
    Module,
    Node,
    Ref,
    Value,
)
from resnet_cli.graphs.graph import Tensor as Described

MOST_NUMBERS = 1 << 22
MOST_NESTED = 8
"""Lists, mappings and objects in one another, in what a module returns."""

RECURRENT = {"lstm.input", "gru.input", "rnn_tanh.input", "rnn_relu.input"}


def recorded(
    module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], meta: bool = True
) -> Graph:
    """The graph of one run on these arguments, without gradients; tensors in them are its inputs.

    With ``meta`` nothing is computed that a parameter or a tensor on the meta device goes into, wherever
    the module's tensors lie; without it everything runs as it is. Raises whatever the module does.
    """
    recorder = _Recorder(module, meta)
    for name, value in (*zip(_arguments(module, len(args)), args, strict=True), *kwargs.items()):
        for tensor in tensors_in(value):
            recorder.describe(tensor, INPUT, name)
    with torch.inference_mode(), recorder.following(), recorder:
        result = module(*args, **kwargs)
    return recorder.graph(result)


def _arguments(module: nn.Module, many: int) -> list[str]:
    """What forward calls so many of its arguments."""
    try:
        parameters = [*signature(module.forward).parameters.values()]
    except (TypeError, ValueError):
        parameters = []
    plain = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    names = [each.name for each in parameters if each.kind in plain][:many]
    return [*names, *(f"input_{at}" for at in range(len(names), many))]


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down each operation that a module runs: in which of its modules, on which tensors."""

    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # or torch's compiler is imported at the first operation, which takes a second

    def __init__(self, module: nn.Module, meta: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.meta = meta
        self.nodes: list[Node] = []
        self.tensors: dict[str, Described] = {}
        self.taken: Counter[str] = Counter()
        self.names: MutableMapping[Tensor, str] = WeakTensorKeyDictionary()
        # what has numbers -> the same without; what was written to -> what has it now
        self.twins: MutableMapping[Tensor, Tensor] = WeakTensorKeyDictionary()
        self.replaced: MutableMapping[Tensor, Tensor] = WeakTensorKeyDictionary()
        self.kept: list[Tensor] = []  # no operation made these, and they are met again
        self.paths = {part: path for path, part in module.named_modules()}
        self.calls: Counter[str] = Counter()
        self.running: list[Module] = []
        for path, tensor in module.named_parameters():
            self.describe(tensor, PARAMETER, f"p_{path}", path)
        for path, buffer in module.named_buffers():
            self.describe(buffer, BUFFER, f"b_{path}", path)

    def graph(self, result: object) -> Graph:
        """What was recorded, when the module has returned this."""
        outputs = [self.names.get(tensor) for tensor in tensors_in(result)]
        return Graph(
            self.nodes,
            self.tensors,
            tuple(name for name, tensor in self.tensors.items() if tensor.kind == INPUT),
            tuple(dict.fromkeys(name for name in outputs if name)),
            format="module",
            producer=f"torch {torch.__version__}",
        )

    # where it runs

    @contextmanager
    def following(self) -> Iterator[None]:
        """Sees modules begin and end; hooks of the module's own stay as they are."""
        before = hooks.register_module_forward_pre_hook(self.enter)
        after = hooks.register_module_forward_hook(self.leave, always_call=True)
        try:
            yield
        finally:
            before.remove()
            after.remove()

    def enter(self, module: nn.Module, inputs: object) -> None:
        path, kind = self.paths.get(module, ""), type(module)
        self.running.append(
            Module(path, f"{kind.__module__}.{kind.__qualname__}", self.calls[path])
        )
        self.calls[path] += 1

    def leave(self, module: nn.Module, inputs: object, output: object) -> None:
        self.running.pop()

    # what it runs on

    def describe(self, tensor: Tensor, kind: str, name: str, path: str = "") -> str:
        """Gives a tensor a name in the graph that no other has."""
        number = self.taken[name]
        self.taken[name] += 1
        unique = f"{name}_{number}" if number else name
        if unique in self.tensors:
            return self.describe(tensor, kind, name, path)
        shape = tuple(size if isinstance(size, int) else None for size in tensor.shape)
        why = "its size depends on the data" if None in shape else ""
        dtype = _plain(tensor.dtype)
        strides = None if None in shape else tuple(tensor.stride())
        self.tensors[unique] = Described(unique, kind, shape, dtype, None, path, why, strides)
        self.names[tensor] = unique
        if kind != ACTIVATION:
            self.kept.append(tensor)
        return unique

    def name(self, tensor: Tensor) -> str:
        """A tensor's name; what no operation made is a constant."""
        name = self.names.get(tensor)
        if name is None:
            path = self.attributes.get(tensor, "")
            if not path:  # as torch.export calls what a module makes of numbers
                number = sum(".lifted_tensor_" in f".{each}" for each in self.tensors)
                inside = [module.path for module in self.running if module.path][-1:]
                path = ".".join([*inside, f"lifted_tensor_{number}"])
            name = self.describe(tensor, CONSTANT, path, path)
        return name

    @cached_property
    def attributes(self) -> MutableMapping[Tensor, str]:
        """The paths of tensors that modules hold, and that are no parameters or buffers."""
        paths: MutableMapping[Tensor, str] = WeakTensorKeyDictionary()
        for module, path in self.paths.items():
            for key, value in vars(module).items():
                if isinstance(value, Tensor):
                    paths[value] = f"{path}.{key}" if path else key
        return paths

    def value(self, argument: object) -> Value:
        """An argument as a graph has it."""
        if isinstance(argument, Tensor):
            return Ref(self.name(argument))
        if isinstance(argument, list | tuple):
            return tuple(map(self.value, argument))
        if argument is None or isinstance(argument, int | float | str):
            return argument
        return _plain(argument)

    # what runs

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        schema = getattr(func, "_schema", None)  # an operator that runs bodies has none
        names = [argument.name for argument in schema.arguments] if schema else map(str, range(99))
        arguments = {**dict(zip(names, args, strict=False)), **kwargs}
        arguments.pop("out", None)
        values = {name: self.value(each) for name, each in arguments.items()}
        if self.meta and schema:
            args, kwargs = self.without_numbers(schema, args, kwargs)
        result = _at_once(func.__name__, args) if self.meta else None
        if result is None:
            result = func(*args, **kwargs)
        if self.meta and _are_numbers(result) and not any(x.is_meta for x in tensors_in((args, kwargs))):  # fmt: skip
            result = func(
                *_changed(args, _on_cpu), **{k: _changed(v, _on_cpu) for k, v in kwargs.items()}
            )
        if schema and not schema.is_mutable and any(result is each for each in args):
            result = torch.ops.aten.alias.default(result)  # from here on another tensor's name
        self.node(func, values, result)
        return result

    def node(self, func: Any, values: dict[str, Value], result: object) -> None:
        """An operation that has run, if tensors came of it."""
        operator = func.__name__
        label = operator.partition(".")[0]
        outputs = [
            self.describe(part, ACTIVATION, label) if isinstance(part, Tensor) else ""
            for part in (result if isinstance(result, tuple | list) else (result,))
            if part is None or isinstance(part, Tensor)
        ]
        if any(outputs):
            inputs = (*(ref.name for value in values.values() for ref in _refs(value)),)
            modules = tuple(module for module in self.running if module.path)
            self.nodes.append(
                Node(outputs[0], operator, inputs, (*outputs,), values, func.namespace, modules)
            )

    def without_numbers(
        self, schema: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments as they are if all of them have numbers to compute with, else all without.

        What is written to and not made here is replaced for good: by a copy, or by one without numbers.
        """
        written = [
            argument
            for argument, declared in zip(args, schema.arguments, strict=False)
            if declared.is_write and isinstance(argument, Tensor)
        ]
        if any(map(self.has_none, tensors_in((args, kwargs)))):
            self.replaced.update((tensor, self.twin(tensor)) for tensor in written)
            change = self.twin
        else:
            self.replaced.update(
                (tensor, tensor.clone()) for tensor in written if self.is_kept(tensor)
            )
            change = self.current
        return _changed(args, change), {
            key: _changed(value, change) for key, value in kwargs.items()
        }

    def current(self, value: Any) -> Any:
        """A tensor, or what it was replaced by."""
        return self.replaced.get(value, value) if isinstance(value, Tensor) else value

    def has_none(self, tensor: Tensor) -> bool:
        """Whether there are no numbers, or a parameter's, which are not computed with."""
        name = self.names.get(tensor)
        learned = name is not None and self.tensors[name].kind == PARAMETER
        return learned or self.current(tensor).is_meta

    def is_kept(self, tensor: Tensor) -> bool:
        """Whether numbers are the module's own, which a run here does not change."""
        return tensor not in self.replaced and tensor.untyped_storage().data_ptr() in {
            each.untyped_storage().data_ptr() for each in self.kept if not each.is_meta
        }

    def twin(self, value: Any) -> Any:
        """A tensor of the same shape on the meta device; for a device, that."""
        if not isinstance(value, Tensor):
            return torch.device("meta")
        tensor = self.current(value)
        if tensor.is_meta:
            return tensor
        if tensor not in self.twins:
            with torch.inference_mode(False):  # or a view of it is none of a parameter's
                self.twins[tensor] = torch.empty_strided(
                    tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta"
                )
        return self.twins[tensor]


def _at_once(operator: str, args: Any) -> Any:
    """What an operation puts out on the meta device, where torch takes long to say: a recurrence step by
    step, batch norm by a dozen operations. None for all others."""
    if operator not in ("batch_norm.default", *RECURRENT) or not args[0].is_meta:
        return None
    x, *others = args
    if operator in RECURRENT:
        states = others[0] if isinstance(others[0], list | tuple) else [others[0]]
        directions = 2 if others[6] else 1
        y = x.new_empty(*x.shape[:-1], states[0].shape[-1] * directions)
        return y, *map(torch.empty_like, states)
    channels = [tensor.numel() for tensor in others[:4] if tensor is not None]
    fits = x.dim() > 1 and {*channels} <= {x.shape[1]}  # else torch says what is wrong
    return torch.empty_like(x) if fits and not others[4] else None


def _are_numbers(result: Any) -> bool:
    """Whether integers or truths came to the meta device, of which there are few: positions and masks are made of them."""
    return (
        isinstance(result, Tensor)
        and result.is_meta
        and not result.is_floating_point()
        and result.numel() <= MOST_NUMBERS
    )


def _on_cpu(value: Any) -> Any:
    return torch.device("cpu") if isinstance(value, torch.device) else value


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """An argument with other tensors or devices in it."""
    if isinstance(value, Tensor | torch.device):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(_changed(part, change) for part in value)
    return value


def _refs(value: Value) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif type(value) is tuple:
        for part in value:
            yield from _refs(part)


def tensors_in(value: object, depth: int = 0) -> Iterator[Tensor]:
    """The tensors in what a module returns: alone, in lists, mappings and objects."""
    if isinstance(value, Tensor):
        yield value
    elif depth < MOST_NESTED:
        parts: Any = ()
        if isinstance(value, Mapping):
            parts = value.values()
        elif isinstance(value, list | tuple | set | frozenset):
            parts = value
        elif is_dataclass(value) or hasattr(value, "__dict__"):
            parts = vars(value).values()
        for part in parts:
            yield from tensors_in(part, depth + 1)


def _plain(argument: object) -> str:
    """What is no number or text, such as a type of elements: float32."""
    return str(argument).removeprefix("torch.")
