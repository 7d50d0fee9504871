"""A torch module as a file: state dict, ONNX or torch.export program; checked where it can be run again."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from resnet_cli.errors import UserError
from resnet_cli.pytorch.instance import Instance
from resnet_cli.pytorch.record import tensors_in

Exported = TypeVar("Exported")
TOLERANCE = 1e-3
"""Most that an exported network's output may differ from torch's, relative to its largest number."""
MOST_ONNX = 2**31 - 2**20
"""Bytes: protobuf's limit for one file, less the graph."""
ANY, FIXED = "for any batch", "for a batch of {}, as torch could not leave it open"


def safetensors(net: nn.Module, path: str) -> None:
    """The state dict; raises `ImportError` without safetensors."""
    from safetensors.torch import save_file

    taken: set[int] = set()
    tensors = {}
    for name, tensor in net.state_dict().items():
        whole = tensor.contiguous()
        shared = (
            whole.untyped_storage().data_ptr() in taken
        )  # a tied weight, which the format refuses
        tensors[name] = whole.clone() if shared else whole
        taken.add(whole.untyped_storage().data_ptr())
    save_file(tensors, path)


def safetensors_bytes(net: nn.Module) -> bytes:
    """The state dict as the bytes of such a file; raises `ImportError` without safetensors."""
    from safetensors.torch import save

    state = {name: t.detach().cpu().contiguous().clone() for name, t in net.state_dict().items()}
    return save(state)


def pth(net: nn.Module, path: str) -> None:
    """The state dict as torch.save writes it, which torch.load(weights_only=True) reads."""
    torch.save(net.state_dict(), path)


def onnx(called: Instance, path: str, named: bool) -> str:
    """One file, for any batch where that can be exported, checked by onnx and run by onnxruntime.

    ``named``: its input and output are called so. Raises `UserError` (exit 1) for a network over ONNX's
    2 GiB and for outputs that differ.
    """
    size = sum(t.numel() * t.element_size() for t in called.module.state_dict().values())
    if size > MOST_ONNX:
        raise UserError(
            f"the network takes {size:,} bytes, over the 2 GiB that one ONNX file holds",
            "save it as .pt2 or .safetensors",
            1,
        )
    names: dict[str, Any] = {"input_names": ["input"], "output_names": ["output"]} if named else {}

    def export(call: Instance, dynamic: Any) -> None:
        torch.onnx.export(
            call.module, call.args, path, kwargs=call.kwargs, dynamo=True, external_data=False,
            verbose=False, dynamic_shapes=dynamic, **names,
        )  # fmt: skip

    with _quiet():
        import onnx as checker
        import onnxruntime

        call, _, batch = _for_any_batch(called, export)
        checker.checker.check_model(path, full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

        def run(call: Instance) -> list[Tensor]:
            numbers = [tensor.numpy() for tensor in tensors_in((call.args, call.kwargs))]
            names = [each.name for each in session.get_inputs()]
            return [
                *map(torch.from_numpy, session.run(None, dict(zip(names, numbers, strict=True))))
            ]

        differ = _same(call, batch, run)
    return f"{batch}; checked by onnx; onnxruntime's outputs differ by at most {differ}"


def pt2(called: Instance, path: str) -> str:
    """A program of torch.export, for any batch where that can be exported, loaded again and run.

    Raises `UserError` (exit 1) for outputs that differ.
    """
    with _quiet():
        call, program, batch = _for_any_batch(called, _program)
        torch.export.save(program, path)
        again = torch.export.load(path).module()
        differ = _same(call, batch, lambda call: [*tensors_in(again(*call.args, **call.kwargs))])
    return f"{batch}; loaded again; outputs differ by at most {differ}"


def shapes_only(called: Instance, path: str) -> str:
    """A program of torch.export of a module on the meta device, for any batch where that can be exported."""
    with _quiet():
        _, program, batch = _for_any_batch(called, _program)
        _tie(program, called.module)
        torch.export.save(program, path)
    return batch


def _tie(program: torch.export.ExportedProgram, module: nn.Module) -> None:
    """Leaves one name of a parameter that has several: without numbers no file says that they are one."""
    first: dict[int, str] = {}
    others: dict[str, str] = {}
    for name, tensor in module.named_parameters(remove_duplicate=False):
        if first.setdefault(id(tensor), name) != name:
            others[name] = first[id(tensor)]
    specs = program.graph_signature.input_specs
    placeholders = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    by_name = {spec.target: spec for spec in specs if spec.target is not None}
    for other, name in others.items():
        if other in by_name and name in by_name:
            spare = placeholders[by_name[other].arg.name]
            spare.replace_all_uses_with(placeholders[by_name[name].arg.name])
            program.graph.erase_node(spare)
            specs.remove(by_name[other])
            program.state_dict.pop(other, None)


def _program(call: Instance, dynamic: Any) -> torch.export.ExportedProgram:
    return torch.export.export(call.module, call.args, call.kwargs or None, dynamic_shapes=dynamic)


def _for_any_batch(
    called: Instance, export: Callable[[Instance, Any], Exported]
) -> tuple[Instance, Exported, str]:
    """What was exported, and how: with an open batch where all inputs lead with it, else as they are.

    Raises what the module, or torch on it, does.
    """
    tensors = [*tensors_in((called.args, called.kwargs))]
    leads = {tensor.shape[0] if tensor.dim() else 0 for tensor in tensors}
    size = leads.pop()
    if not leads and size:
        batch = torch.export.Dim("batch")
        two = _drawn(called, max(size, 2))  # with one alone the batch would be taken for a constant
        given = {**dict(zip(_names(called), two.args, strict=False)), **two.kwargs}
        dynamic = {
            name: _each(value, lambda x: {0: batch} if isinstance(x, Tensor) else None)
            for name, value in given.items()
        }
        try:
            return two, export(two, dynamic), ANY
        except Exception as problem:  # torch's, of many kinds
            logging.getLogger(__name__).debug("no open batch: %s", problem)
    as_is = _drawn(called, None)
    return as_is, export(as_is, None), FIXED.format(size)


def _names(called: Instance) -> list[str]:
    """What forward calls the arguments that are given by their place."""
    from resnet_cli.pytorch.doors import parameters_of

    return [*parameters_of(called.module)][: len(called.args)]


def _drawn(called: Instance, batch: int | None) -> Instance:
    """The call with normal numbers, of another batch where one is given; whole numbers stay zeros."""
    generator = torch.Generator().manual_seed(0)
    weightless = any(parameter.is_meta for parameter in called.module.parameters())

    def draw(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        shape = value.shape if batch is None else (batch, *value.shape[1:])
        if weightless or not value.is_floating_point():
            return torch.zeros(
                shape, dtype=value.dtype, device="meta" if weightless else value.device
            )
        return torch.randn(shape, generator=generator).to(value)

    return Instance(
        called.module, *(_each(values, draw) for values in (called.args, called.kwargs))
    )


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Lists, tuples and mappings with each value in them changed."""
    if isinstance(value, dict):
        return {key: _each(part, change) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_each(part, change) for part in value)
    return change(value)


def _same(call: Instance, batch: str, run: Callable[[Instance], list[Tensor]]) -> str:
    """The largest difference to the network's own outputs, in words, for one input too where any batch goes.

    Raises `UserError` (exit 1) where it is too large.
    """
    calls = [call, _drawn(call, 1)] if batch == ANY else [call]
    with torch.no_grad():
        pairs = [
            (own, other)
            for each in calls
            for own, other in zip(tensors_in(each.run()), run(each), strict=False)
            if own.numel()
        ]
    largest = max(((own - other).abs().max().item() for own, other in pairs), default=0.0)
    scale = max((own.abs().max().item() for own, _ in pairs), default=0.0)
    if not largest <= TOLERANCE * scale:  # also for nan
        raise UserError(
            f"the exported network's outputs differ by {largest:.3g} where they reach {scale:.3g}",
            "nothing was written; do the weights hold nan or huge numbers?",
            1,
        )
    return f"{largest:.1e} (of {scale:.1e})"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' talk of optional packages and of their own deprecations."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
