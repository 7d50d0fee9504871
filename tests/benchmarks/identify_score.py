"""What `identify` says of the libraries' own networks, beside what torch counts of them; prints a table.

    .venv/bin/python tests/benchmarks/identify_score.py [--wrong] [PATTERN ...]

Of timm's and torchvision's names below, each built without numbers on the meta device: its state dict's names and
shapes are given to the recogniser, as they are and as training scripts wrap them. An answer is right where the
network it gives has the module's parameters and multiply-accumulates (halved from `torch.utils.flop_counter`), at
the library's own input size. `--wrong` lists all that is not settled and right, `PATTERN`s such as 'timm:resnet*'
choose names. A file of an unknown network is not asked about again as it is wrapped.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from resnet_cli.analyses.cost.counts import totals
from resnet_cli.checkpoints.container.contents import TensorInfo
from resnet_cli.checkpoints.identify.metadata import Said, called_as
from resnet_cli.checkpoints.identify.recognise import named, recognise
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.pytorch.build import Unfilled
from resnet_cli.pytorch.libraries import import_torchvision

OURS = (
    "resnet*", "resnext*", "seres*", "wide_resnet*", "resnetv2*", "legacy_se*", "ecares*", "skres*", "res2ne*",
    "resnest*", "regnet*", "convnext*", "vgg*", "senet*",
)  # fmt: skip
"""Names of the families that this program is about."""
OTHERS = (
    "densenet*",
    "mobilenetv*",
    "efficientnet_b*",
    "vit_*_patch16_224",
    "mixnet*",
    "inception*",
    "swin_*",
)
"""Some of timm's that are not residual networks of these families."""
WRAPPED = {
    "": lambda state: state,
    "called so": lambda state: state,
    "module.": lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
    "state_dict": lambda state: {"epoch": 3, "state_dict": state},
    "model": lambda state: {
        "model": {f"backbone.{name}": tensor for name, tensor in state.items()}
    },
}
"""How training scripts store a state dict; one file is called as libraries call theirs, the others have no name."""
VERDICTS = (
    "settled, right", "settled, WRONG", "open, usual right", "open, usual wrong", "unknown", "refused, not residual",
    "CLAIMED, not residual",
)  # fmt: skip


def networks(patterns: Sequence[str] = ("*",)) -> Iterator[tuple[str, Any, tuple[int, ...], bool]]:
    """Each with its name, module, input and whether it is of these families."""
    torchvision = import_torchvision()  # also where its kernels are of another torch
    import timm

    made = [f"timm:{name}" for name in timm.list_models() if _of(name, (*OURS, *OTHERS))]
    made += [f"torchvision:{name}" for name in torchvision.models.list_models(torchvision.models)]
    for called in made:
        if not _of(called, patterns):
            continue
        ours = _of(called.partition(":")[2], OURS)
        try:
            with torch.device("meta"):
                net, size = _made(called)
        except NotImplementedError:  # it calculates with numbers as it is built
            with Unfilled(()):
                net, size = _made(called)
        yield called, net.to("meta").eval(), size, ours


def _made(called: str) -> tuple[Any, tuple[int, ...]]:
    import timm

    torchvision = import_torchvision()
    library, _, name = called.partition(":")
    if library == "timm":
        net = timm.create_model(name)
        return net, tuple(net.default_cfg["input_size"])
    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    size = (3, 299, 299) if name == "inception_v3" else (3, 224, 224)
    return torchvision.models.get_model(name, weights=None, **more), size


def _of(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def counted(net: Any, size: tuple[int, ...]) -> tuple[int, int]:
    """Parameters and MACs as torch counts them."""
    net.requires_grad_(False)  # else the counter's tracker of modules fails on some
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(torch.zeros((1, *size), device="meta"))
    return sum(parameter.numel() for parameter in net.parameters()), counter.get_total_flops() // 2


def told(state: object, called: str = "") -> tuple[str, bool] | None:
    """The network that is given as MODEL, and whether it is settled; None where none fits."""
    try:
        found = recognise(named(state), Said(hint=called_as(called)))
    except UserError:
        return None
    return (found.network, found.settled) if found.sure == "exact" else None


def verdict(
    answer: tuple[str, bool] | None, own: tuple[int, int], size: tuple[int, ...], ours: bool
) -> str:
    """One of `VERDICTS`."""
    if answer is None:
        return "unknown" if ours else "refused, not residual"
    if not ours:
        return "CLAIMED, not residual"
    model, settled = answer
    spec = load(model).spec
    assert spec is not None
    total = totals(load(zoo.changed(spec, input_size=size[1:])).rows)  # what is printed, typed back
    right = (total["params"], total["macs"]) == own
    if settled:
        return "settled, right" if right else "settled, WRONG"
    return "open, usual right" if right else "open, usual wrong"


def score(patterns: Sequence[str] = ("*",), wrong: bool = False) -> dict[str, Counter[str]]:
    """How many of each verdict, by library and how the file is wrapped."""
    counts: dict[str, Counter[str]] = {}
    for name, net, size, ours in networks(patterns):
        shapes = {
            key: TensorInfo(tuple(tensor.shape), "float32")
            for key, tensor in net.state_dict().items()
        }
        bare = told(shapes)
        own = counted(net, size) if bare else (0, 0)
        for wrapper, wrap in WRAPPED.items():
            file = name.partition(":")[2] if wrapper == "called so" else ""
            answer = told(wrap(shapes), file) if bare and wrapper else bare
            said = verdict(answer, own, size, ours)
            source = f"{name.partition(':')[0]} {wrapper}".strip()
            counts.setdefault(source, Counter())[said] += 1
            if wrong and not wrapper and said not in ("settled, right", "refused, not residual"):
                print(f"{name}: {said}{f': {answer[0]}' if answer else ''}", flush=True)
    return counts


def main() -> None:
    warnings.simplefilter("ignore")
    given = sys.argv[1:]
    counts = score([each for each in given if each != "--wrong"] or ("*",), "--wrong" in given)
    print(f"{'source':24}" + "".join(f"{each:>24}" for each in VERDICTS))
    for source, of in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        print(f"{source:24}" + "".join(f"{of[each]:24,}" for each in VERDICTS))


if __name__ == "__main__":
    main()
