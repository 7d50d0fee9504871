"""resnet-cli memory."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.memory import memory as analysis
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.commands.options import Network, about_a_network
from resnet_cli.designs.limits import one_of
from resnet_cli.errors import UserError
from resnet_cli.tables import Answer

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


@about_a_network
def command(
    network: Network,
    optimizer: Annotated[
        str, typer.Option(help="sgd, momentum (sgd with momentum), adam or adamw.")
    ] = "momentum",
    dtype: Annotated[
        str, typer.Option(help="fp32, fp16, bf16 or amp (autocast to half).")
    ] = "fp32",
    inplace: Annotated[
        bool, typer.Option("--inplace/--no-inplace", help="ReLU in place; our modules': not.")
    ] = False,
    checkpoint: Annotated[
        bool, typer.Option("--checkpoint", help="Keep a block's input, run the block again.")
    ] = False,
    budget: Annotated[
        str | None, typer.Option(help="The largest batch in so much memory: 24GiB.")
    ] = None,
) -> Answer:
    """Memory of a batch by stage: weights, gradients, optimiser, saved activations, live peak."""
    one_of("optimizer", optimizer, tuple(analysis.STATES))
    one_of("dtype", dtype, tuple(PRECISIONS))
    if checkpoint and all(row.label == row.stage for row in network.rows):
        raise UserError(f"{network.spec.name} has no blocks to run again", "leave out --checkpoint")
    settings = analysis.Settings(optimizer, dtype, inplace, checkpoint)
    needs = analysis.memory(network.rows, settings)
    room = None if budget is None else _bytes(budget)
    if room is not None and room < needs.resident:
        raise UserError(
            f"a budget of {room:,} bytes is smaller than the weights and buffers, "
            f"{needs.resident:,} bytes",
            "give a larger --budget, or a smaller --dtype",
        )
    table, total = analysis.stages(needs, network.batch)
    envelope = network.envelope("memory", counts.totals(network.rows))
    envelope |= {**settings._asdict(), "budget": room, "bytes": total}
    tables = [table._replace(title=network.title()), analysis.uses(needs, total, room)]
    inputs = f"{network.batch:,} input{'s' if network.batch > 1 else ''}"
    size = "×".join(map(str, network.spec.input_shape))
    notes = [
        f"a batch of {inputs} of {size}, optimiser {optimizer}, ReLU {'' if inplace else 'not '}in place",
        DTYPES[dtype],
        *NOTES,
    ]
    return Answer(envelope, tables, notes)


def _bytes(text: str) -> int:
    """24GiB as bytes; decimals are cut at a byte. Raises `UserError` for anything else."""
    units = "|".join(UNITS)
    found = re.fullmatch(rf"([0-9]{{1,12}})(?:\.([0-9]{{1,6}}))? ?({units})", text.strip())
    if not found:
        raise UserError(
            f"--budget {text[:40]!r} is not a size of memory",
            f"type it as --budget 24GiB; units: {', '.join(UNITS)}",
        )
    whole, millionths = found[1], (found[2] or "").ljust(6, "0")
    return int(whole + millionths) * UNITS[found[3]] // 10**6
