"""Every network of timm beside torch's own counts; prints those that differ, and a line of totals.

    .venv/bin/python tests/benchmarks/every_timm_name.py [FIRST LAST [EVERY]]

Parameters are those of the module, MACs half of what `torch.utils.flop_counter` gives in a run on the
meta device. Some 25 minutes for all on one core; FIRST, LAST and EVERY choose a part.
"""

from __future__ import annotations

import sys
import time
import warnings

import torch
from torch.utils.flop_counter import FlopCounterMode

import resnet_cli
from resnet_cli.analyses.cost.counts import totals


def theirs(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """Parameters and MACs as torch counts them."""
    import timm

    with torch.device("meta"):
        net = timm.create_model(name).eval()
        x = torch.zeros(shape)
    net.requires_grad_(False)  # else the counter's tracker of modules fails on some
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(x)
    return sum(parameter.numel() for parameter in net.parameters()), counter.get_total_flops() // 2


def main() -> None:
    from resnet_cli.pytorch.libraries import import_torchvision

    warnings.simplefilter("ignore")
    import_torchvision()  # also where its kernels are of another torch
    import timm

    part = slice(*map(int, sys.argv[1:])) if sys.argv[1:] else slice(None)
    names = timm.list_models()[part]
    equal = 0
    for name in names:
        start = time.perf_counter()
        try:
            network = resnet_cli.network(f"timm:{name}()")  # built, also where a spec is its equal
            total = totals(network.rows)
            ours = total["params"], total["macs"]
            counted = theirs(name, (1, *network.inputs[0].shape[-3:]))
        except Exception as problem:
            print(
                f"{name}: {type(problem).__name__}: {' '.join(str(problem).split())[:300]}",
                flush=True,
            )
            continue
        seconds = time.perf_counter() - start
        same = ours == counted
        equal += same
        left_out = ", ".join(f"{each['operator']} ×{each['times']}" for each in network.uncounted)
        if not same or left_out or network.origin.ran != "meta":
            told = "equal" if same else f"ours {ours}, theirs {counted}"
            print(
                f"{name}: {told}; ran {network.origin.ran}; not counted: {left_out or 'nothing'} ({seconds:.1f} s)",
                flush=True,
            )
    print(f"{equal:,} of {len(names):,} names equal in parameters and MACs")


if __name__ == "__main__":
    main()
