"""What others count on a torch module: its tensors, the shapes of a run, fvcore, torch's flop counter.

Everything is keyed by torch's path, so that it can be laid beside the rows, and is of one call as
`instance.Instance` has it.
"""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules import module as hooks
from torch.utils._python_dispatch import TorchDispatchMode

from resnet_cli.layers.arithmetic import Shape
from resnet_cli.pytorch import doors
from resnet_cli.pytorch.instance import Instance
from resnet_cli.pytorch.running import switches, untouched

MULTIPLIED = ("conv", "linear", "addmm", "bmm", "matmul", "einsum")
"""What fvcore counts as multiply-accumulates, as it calls them."""


class CountsByPath(NamedTuple):
    """``macs`` of what runs in a module itself, not in those inside of it, of each that runs.

    ``operations`` are counted besides. ``left_out``: operator -> times.
    """

    macs: dict[str, int]
    operations: dict[str, int]
    left_out: dict[str, int]


def tensors(net: nn.Module) -> dict[str, Shape]:
    """Every tensor of the state dict, in its order."""
    return {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}


def parameters(net: nn.Module) -> dict[str, int]:
    """Learnable numbers of each module that holds some itself."""
    held: Counter[str] = Counter()
    for name, tensor in net.named_parameters():
        held[name.rpartition(".")[0]] += tensor.numel()
    return dict(held)


def modules(net: nn.Module) -> list[str]:
    """The paths of all modules, the innermost first and the network itself, "", last.

    Those are left out that hold some of the names of a tensor and not all: whose it is would be arbitrary.
    """
    names: dict[int, list[str]] = {}
    for name, tensor in net.named_parameters(remove_duplicate=False):
        names.setdefault(id(tensor), []).append(f".{name}")
    shared = [each for each in names.values() if len(each) > 1]
    paths = [path for path, _ in net.named_modules()]
    paths.sort(key=lambda path: -len(path.split(".")) * bool(path))
    return [
        path
        for path in paths
        if all(
            not path or len({name.startswith(f".{path}.") for name in each}) == 1 for each in shared
        )
    ]


def run(called: Instance) -> list[tuple[str, Shape]]:
    """Path and output shape of each innermost module in the order of one forward pass, with the batch.

    Those that put out no tensor are left out.
    """
    ran: list[tuple[str, Shape]] = []

    def hook(path: str, y: object) -> None:
        first = y[0] if isinstance(y, tuple | list) and y else y
        if isinstance(first, Tensor):
            ran.append((path, tuple(first.shape)))

    handles = [
        module.register_forward_hook(lambda _module, _inputs, y, path=path: hook(path, y))
        for path, module in called.module.named_modules()
        if not any(True for _ in module.children())
    ]
    try:
        with torch.no_grad(), untouched(called.module), switches():
            called.run()
    finally:
        for handle in handles:
            handle.remove()
    return ran


def zeroed(net: nn.Module) -> nn.Module:
    """A meta network given memory and zeros: enough to be run and counted."""
    net.to_empty(device="cpu")
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.zero_()
    return net


def fvcore(called: Instance) -> CountsByPath:
    """fvcore's count of a call with numbers, on the CPU; its "flop" is one MAC.

    Raises `ImportError` without fvcore, and what it raises where it cannot follow the module.
    """
    net = called.module
    with warnings.catch_warnings(), untouched(net), switches():
        warnings.simplefilter("ignore")  # torch.jit's deprecation, at import and at every trace
        from fvcore.nn import FlopCountAnalysis

        logging.getLogger("fvcore").setLevel(logging.ERROR)
        analysis = FlopCountAnalysis(net, doors.in_order(called.args, called.kwargs, net))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        with torch.no_grad():
            counted = analysis.by_module_and_operator()
            left_out = dict(analysis.unsupported_ops())
    macs: dict[str, int] = {}
    operations: dict[str, int] = {}
    for path in counted:
        own = Counter({operator: int(count) for operator, count in counted[path].items()})
        for child in counted:
            if child and child.rpartition(".")[0] == path:
                own.subtract({operator: int(n) for operator, n in counted[child].items()})
        macs[path] = sum(own.pop(operator, 0) for operator in MULTIPLIED)
        operations[path] = sum(own.values())
    return CountsByPath(
        macs, operations, {name.removeprefix("aten::"): n for name, n in left_out.items()}
    )


def flop_counter(called: Instance) -> CountsByPath:
    """The counts of torch.utils.flop_counter's rules, halved to MACs; works on the meta device.

    They are of convolutions and matrix products alone, and do not say what they leave out. Attention
    is counted as the products that it is, which torch's rules miss in its kernel for the CPU.
    """
    flops: Counter[str] = Counter()
    counter = Counting(flops)
    with (
        torch.no_grad(), untouched(called.module), switches(), _plain_kernels(),
        _following(called.module, counter), counter,
    ):  # fmt: skip
        called.run()
    return CountsByPath({path: count // 2 for path, count in flops.items()}, {}, {})


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Attention and recurrent layers as the products that they are made of."""
    fused = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch._C._set_mkldnn_enabled(fused)


class Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """torch's rule for each operation that runs, added to ``flops`` of the module at ``path``."""

    path = ""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # or torch's compiler is imported, which takes a second

    def __init__(self, flops: Counter[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        from torch.utils.flop_counter import flop_registry

        self.flops, self.rules = flops, flop_registry

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        rule = self.rules.get(func._overloadpacket)
        if rule:
            self.flops[self.path] += rule(*args, **kwargs, out_val=result)
        return result


@contextmanager
def _following(net: nn.Module, counter: Counting) -> Iterator[None]:
    """Counts by the innermost of the network's modules that is running."""
    paths = {module: path for path, module in net.named_modules()}
    running = [""]

    def enter(module: nn.Module, inputs: object) -> None:
        running.append(paths.get(module, running[-1]))
        counter.path = running[-1]
        counter.flops[counter.path] += 0

    def leave(module: nn.Module, inputs: object, output: object) -> None:
        running.pop()
        counter.path = running[-1]

    before = hooks.register_module_forward_pre_hook(enter)
    after = hooks.register_module_forward_hook(leave, always_call=True)
    try:
        yield
    finally:
        before.remove()
        after.remove()
