"""Every network of timm beside torch's own counts; prints those that differ, and a line of totals.

    .venv/bin/python tests/benchmarks/every_timm_name.py [FIRST LAST [EVERY]]

Parameters are those of the module, MACs half of what the rules of `torch.utils.flop_counter` give in a
run on the meta device. Some 25 minutes for all on one core; FIRST, LAST and EVERY choose a part.
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

import resnet_cli
from resnet_cli.analyses.cost.counts import totals


class Counter(TorchDispatchMode):
    """torch's rules for each operation, without its tracker of modules, which fails on some networks."""

    flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        rule = flop_registry.get(func._overloadpacket)
        if rule:
            self.flops += rule(*args, **kwargs, out_val=result)
        return result


def theirs(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """Parameters and MACs as torch counts them."""
    import timm

    with torch.device("meta"):
        net = timm.create_model(name).eval()
        x = torch.zeros(shape)
    with torch.no_grad(), Counter() as counter:
        net(x)
    return sum(parameter.numel() for parameter in net.parameters()), counter.flops // 2


def main() -> None:
    from resnet_cli.pytorch.libraries import timm as door

    warnings.simplefilter("ignore")
    door("resnet50")  # imports it, also where torchvision's kernels are of another torch
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
