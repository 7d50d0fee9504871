"""memory(): what a batch takes, in training and at inference."""

from __future__ import annotations

import re

from resnet_cli.analyses.memory import memory as analysis
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.answers.view import Model, View, about
from resnet_cli.designs import limits
from resnet_cli.errors import UserError
from resnet_cli.networks import Network, load

UNITS: dict[str, int] = {
    **{unit: 1000**power for power, unit in enumerate(("KB", "MB", "GB", "TB"), start=1)},
    **{unit: 1024**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), start=1)},
}
NOTES = (
    "saved: what autograd keeps in PyTorch, each storage once; live: the most that tensors hold at once, each "
    "freed after its last reader and the modules called with it; its total adds the input to the largest stage",
    "training at its peak: the worst moment of a step, when what is left of the saved meets the gradients of "
    "weights and activations",
    "not modelled: workspaces of kernels, the allocator's rounding and fragmentation, the CUDA context, the "
    "loss, temporaries of the optimiser's step",
)
DTYPES = {
    "fp32": "fp32: every number in four bytes",
    "fp16": "fp16: every number in two bytes (the model's half()), as measured with bfloat16 on a CPU",
    "bf16": "bf16: every number in two bytes (the model's bfloat16()), as measured on a CPU",
    "amp": "amp: weights, gradients and optimiser in four bytes, activations in two; autocast's copies of the "
    "weights in two bytes are in saved and, as they come, in live; as measured with bfloat16 on a CPU",
}


def memory(
    model: Model,
    batch: int | None = None,
    optimizer: str = "momentum",
    dtype: str = "fp32",
    inplace: bool = False,
    checkpoint: bool = False,
    budget: str | None = None,
) -> View:
    """Memory of a batch by stage, in bytes: weights, gradients, optimiser, saved activations, live peak.

    ``optimizer`` is sgd, momentum, adam or adamw, ``dtype`` fp32, fp16, bf16 or amp; ``checkpoint``
    keeps a block's input alone and runs the block again; ``budget``, such as 24GiB, asks for the
    largest batch in it. Raises `UserError` for values that there are not.
    """
    network = load(model)
    if batch is not None:
        limits.within("batch", batch, limits.BATCH)
        network = network._replace(batch=batch)
    how = settings(network, optimizer, dtype, inplace, checkpoint)
    needs = analysis.memory(network.rows, how)
    room = None if budget is None else _bytes(budget)
    if room is not None and room < needs.resident:
        raise UserError(
            f"a budget of {room:,} bytes is smaller than the weights and buffers, "
            f"{needs.resident:,} bytes",
            "give a larger --budget, or a smaller --dtype",
        )
    table, total = analysis.stages(needs, network.batch)
    inputs = f"{network.batch:,} input{'s' if network.batch > 1 else ''}"
    notes = [
        f"a batch of {inputs} of {network.size}, optimiser {optimizer}, ReLU {'' if inplace else 'not '}in place",
        DTYPES[dtype],
        *NOTES,
    ]
    tables = [table, analysis.uses(needs, total, room)]
    return about(network, "memory", tables, notes, **how._asdict(), budget=room, bytes=total)


def settings(
    network: Network, optimizer: str, dtype: str, inplace: bool, checkpoint: bool
) -> analysis.Settings:
    """How a network is run; raises `UserError` for what there is not."""
    limits.one_of("optimizer", optimizer, tuple(analysis.STATES))
    limits.one_of("dtype", dtype, tuple(PRECISIONS))
    if checkpoint and not any(row.block for row in network.rows):
        raise UserError(f"{network.name} has no blocks to run again", "leave out --checkpoint")
    return analysis.Settings(optimizer, dtype, inplace, checkpoint)


def _bytes(text: str) -> int:
    """24GiB as bytes; decimals are cut at a byte. Raises `UserError` for anything else."""
    units = "|".join(UNITS)
    size = re.fullmatch(rf"([0-9]{{1,12}})(?:\.([0-9]{{1,6}}))? ?({units})", text.strip())
    if not size:
        raise UserError(
            f"--budget {text[:40]!r} is not a size of memory",
            f"type it as --budget 24GiB; units: {', '.join(UNITS)}",
        )
    whole, millionths = size[1], (size[2] or "").ljust(6, "0")
    return int(whole + millionths) * UNITS[size[3]] // 10**6
