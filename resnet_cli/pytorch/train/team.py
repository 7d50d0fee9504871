"""Processes that share each batch, as torchrun starts them: DDP, with batch norms over the whole batch."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from resnet_cli.errors import UserError

Value = TypeVar("Value")


class Team(NamedTuple):
    """Which of how many processes this is, and the device it works on."""

    rank: int
    size: int
    device: torch.device

    def sum(self, tensor: Tensor) -> Tensor:
        """A tensor summed over all of them, in its place."""
        if self.size > 1:
            torch.distributed.all_reduce(tensor)
        return tensor

    def agreed(self, make: Callable[[], Value]) -> Value:
        """What the first of them makes, for all. It raises what `make` raises; the others then end, and say nothing."""
        if self.size == 1:
            return make()
        made: list[Any] = [None, None]
        problem: UserError | None = None
        if self.rank == 0:
            try:
                made[0] = make()
            except UserError as raised:
                problem, made[1] = raised, raised.code
        torch.distributed.broadcast_object_list(made, device=self.device)
        if made[1] is not None:
            torch.distributed.barrier()  # else who ends first tears the others' connection
            raise problem or SystemExit(made[1])
        return cast(Value, made[0])

    def wrapped(self, net: nn.Module) -> nn.Module:
        """A network whose gradients are means over all of them, and whose batch norms see the whole batch."""
        if self.size == 1:
            return net
        synchronise(net)
        devices = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(net, devices)


def device(name: str) -> torch.device:
    """A device by its name. Raises `UserError` (exit 1) for one that is not there."""
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as problem:
        reason = str(problem).splitlines()[0][:200]
        raise UserError(
            f"no device {name[:40]!r} here: {reason}", "leave out --device", 1
        ) from None
    return device


def joined(name: str) -> Team:
    """The team that torchrun has started this process in, on the CPU by gloo, on GPUs by nccl.

    Raises `UserError` (exit 1) for a device that is not there.
    """
    local = int(os.environ.get("LOCAL_RANK", "0"))
    own = device(f"cuda:{local}" if name == "cuda" else name)
    if own.type == "cuda":
        torch.cuda.set_device(own)
    torch.distributed.init_process_group("nccl" if own.type == "cuda" else "gloo")
    return Team(torch.distributed.get_rank(), torch.distributed.get_world_size(), own)


def left() -> None:
    """Ends what `joined` began."""
    torch.distributed.destroy_process_group()


def synchronise(net: nn.Module) -> None:
    """Puts a `SynchronisedNorm` in the place of every batch norm."""
    for module in net.modules():
        if isinstance(module, _BatchNorm):
            module.__class__ = SynchronisedNorm  # the same tensors under the same names


class SynchronisedNorm(_BatchNorm):
    """A batch norm whose mean and variance are of the batches of all processes, which are of one size.

    torch's SyncBatchNorm is for GPUs alone.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        dims = [at for at in range(x.dim()) if at != 1]
        shape = [1, -1, *[1] * (x.dim() - 2)]
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean = _mean(wide.mean(dims))
        centred = wide - mean.view(shape)
        variance = _mean(centred.square().mean(dims))
        self._follow(mean.detach(), variance.detach(), x.numel() // x.shape[1])
        y = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(x.dtype)

    def _follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """The running statistics, of which the variance is the unbiased one."""
        if (
            self.running_mean is None
            or self.running_var is None
            or self.num_batches_tracked is None
        ):
            return
        self.num_batches_tracked += 1
        count *= torch.distributed.get_world_size()
        step = self.momentum if self.momentum is not None else 1 / self.num_batches_tracked.item()
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), step)
        unbiased = variance * (count / max(count - 1, 1))
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), step)


class Summed(torch.autograd.Function):
    """A sum over all processes, and so are the gradients."""

    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        total = tensor.contiguous().clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return Summed.forward(context, gradient)


def _mean(tensor: Tensor) -> Tensor:
    """Over all processes."""
    total: Tensor = Summed.apply(tensor)  # type: ignore[no-untyped-call]
    return total / torch.distributed.get_world_size()
