"""memory(): what a batch takes, in training and at inference."""

from __future__ import annotations

from resnet_cli import sizes
from resnet_cli.analyses import levels
from resnet_cli.analyses.memory import memory as analysis
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.analyses.notation import several
from resnet_cli.answers.view import Model, View, about
from resnet_cli.designs import limits
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.networks import Network

NOTES = (
    "saved: what autograd keeps in PyTorch, each storage once; live: the most that tensors hold at once, each "
    "freed after its last reader and the modules called with it; its total adds the input to the largest line",
    "training at its peak: the worst moment of a step, when what is left of the saved meets the gradients of "
    "weights and activations",
    "not modelled: workspaces of kernels, the allocator's rounding and fragmentation, the CUDA context, the "
    "loss, temporaries of the optimiser's step",
)
OF_OPERATIONS = (
    "read of the operations of a pass in eval mode: what the code's own variables hold longer is not in live, "
    "nor what it drops at random in training in saved"
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
    level: str | int | None = None,
) -> View:
    """Memory of a batch by stage, in bytes: weights, gradients, optimiser, saved activations, live peak.

    ``optimizer`` is sgd, momentum, adam or adamw, ``dtype`` fp32, fp16, bf16 or amp; ``checkpoint``
    keeps a block's input alone and runs the block again; ``level`` is another one than stage; ``budget``, such as 24GiB, asks
    whether the batch fits, and for the largest that does: the answer's ``code`` is 1 where it does
    not fit in training. Raises `UserError` for values that there are not.
    """
    network = load(model)
    if batch is not None:
        limits.within("batch", batch, limits.BATCH)
        network = network._replace(batch=batch)
    how = settings(network, optimizer, dtype, inplace, checkpoint)
    needs = analysis.memory(network.rows, how)
    room = None if budget is None else sizes.size("--budget", budget)
    by = levels.of(network, level)
    table, total = analysis.by_level(needs, network.batch, by)
    what = (
        f"a batch of {several(network.batch, 'input')} of {network.size}"
        if network.spec
        else network.asked
    )
    fits = room is None or total["training"] <= room
    most = 0 if room is None else needs.training.largest_batch(room)
    notes = [
        *([] if room is None else [_verdict(fits, network.batch, str(budget).strip(), most)]),
        *by.notes,
        f"{what}, optimiser {optimizer}, ReLU {'' if inplace else 'not '}in place",
        DTYPES[dtype],
        *_not_followed(network, dtype),
        *NOTES,
        *([] if network.spec else [OF_OPERATIONS]),
    ]
    tables = [table, analysis.uses(needs, total, room)]
    answer = about(
        network, "memory", tables, notes, **how._asdict(), budget=room,
        fits=None if room is None else fits, bytes=total,
    )  # fmt: skip
    return answer._replace(code=int(not fits))


def settings(
    network: Network, optimizer: str, dtype: str, inplace: bool, checkpoint: bool
) -> analysis.Settings:
    """How a network is run; raises `UserError` for what there is not."""
    limits.one_of("optimizer", optimizer, tuple(analysis.STATES))
    limits.one_of("dtype", dtype, tuple(PRECISIONS))
    if checkpoint and not any(row.block for row in network.rows):
        raise UserError(f"{network.name} has no blocks to run again", "leave out --checkpoint")
    return analysis.Settings(optimizer, dtype, inplace, checkpoint)


def _not_followed(network: Network, dtype: str) -> list[str]:
    """A note on layers of which it is not known what autocast makes."""
    if dtype != "amp":
        return []
    layers = dict.fromkeys(
        r.layer.rule_name or r.layer.operator for r in network.rows if not r.layer.autocast_known
    )
    if not layers:
        return []
    return [
        f"amp: what {', '.join(layers)} keeps in four bytes, and copies of it in two, is not known: "
        "saved is at least as shown, live may be off"
    ]


def _verdict(fits: bool, batch: int, budget: str, most: int) -> str:
    """Whether a batch fits in training, in words."""
    asked = f"a batch of {batch:,}" if batch > 1 else "one input"
    if fits:
        return f"{asked} fits into {budget} in training"
    largest = f"{most:,} inputs fit" if most > 1 else f"{('nothing', 'one input')[most]} fits"
    return f"{asked} does not fit into {budget} in training: {largest}"
