"""resnet-cli build."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from resnet_cli import files
from resnet_cli.analyses import built
from resnet_cli.answers.needs import described, fits, need
from resnet_cli.answers.view import about
from resnet_cli.commands.extras import working
from resnet_cli.commands.options import about_a_network
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.networks import Network
from resnet_cli.tables import Answer

NEEDS = {  # by suffix: what has to be installed, and the extra that brings it
    ".safetensors": (("safetensors",), "torch"),
    ".pth": ((), "torch"),
    ".onnx": (("onnx", "onnxruntime", "onnxscript"), "onnx"),
    ".pt2": ((), "torch"),
    ".py": ((), "torch"),
}


@about_a_network
def command(
    network: Network,
    target: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help=f"Save it: {', '.join(NEEDS)}."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A checkpoint to load first; default: MODEL, where it is one."),
    ] = None,
    backbone_only: Annotated[
        bool, typer.Option("--backbone-only", help="Load all of it but the classifier.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the initial weights.")] = 0,
    zero_gamma: Annotated[
        bool, typer.Option("--zero-gamma", help="0 in the last norm of each block.")
    ] = False,
) -> Answer:  # fmt: skip
    """A real torch module: built, run once, measured, and saved where -o says."""
    if target is not None:
        _check(target)
    need("build", "torch")
    if weights is None and network.origin.kind == "weights":
        weights = network.origin.source
    if backbone_only and weights is None:
        raise UserError("--backbone-only without weights", "add --weights FILE")
    if not 0 <= seed < 2**63:
        raise UserError(f"--seed {seed} is out of range", "give one of 0 to 2^63 - 1")
    fits(network.rows)
    from resnet_cli.pytorch import measure
    from resnet_cli.pytorch.build import build
    from resnet_cli.pytorch.instance import of_image

    spec = described(network)
    fit = _fitting(weights, spec, backbone_only) if weights is not None else None
    with working(f"building {spec.name}"):
        net = build(spec, seed=seed, zero_gamma=zero_gamma).eval()
        if weights is not None and fit is not None:
            _load(net, weights, *fit)
        ran = [(path, shape[1:]) for path, shape in measure.run(of_image(net, network.input))]
    params, tensors = measure.parameters(net), measure.tensors(net)
    table = built.by_stage(network.rows, ran, params, tensors)
    notes = [
        f"measured: outputs of one forward pass of 1×{network.size}, in eval mode; parameters and tensors of the modules",
        _origin(seed, weights, fit and len(fit[1]), backbone_only),
        *(_also(spec) if weights is not None else ()),
    ]
    if target is not None:
        with working(f"saving {target}"):
            notes.append(f"{target}: {_save(net, network, target)}")
    total = {"params": sum(params.values()), "tensors": len(tensors)}
    return about(network, "build", [table], notes, total, seed=seed, weights=weights, file=target)


def _fitting(path: str, spec: zoo.Spec, backbone_only: bool) -> tuple[str, dict[str, str]]:
    """The file's format, and its name for each of the network's tensors; read before the work."""
    from resnet_cli.checkpoints.container.read import read
    from resnet_cli.checkpoints.identify.fitting import fitting
    from resnet_cli.checkpoints.identify.recognise import named

    file = read(path)
    if file.format.startswith("safetensors"):
        need("build --weights", "safetensors")
    return file.format, fitting(path, named(file.content), spec, backbone_only)


def _load(net: Any, path: str, format: str, names: dict[str, str]) -> None:
    from resnet_cli.checkpoints.identify.naming import find_state_dict
    from resnet_cli.pytorch import weights

    _, tensors = find_state_dict(weights.content(path, format), weights.TENSOR)
    weights.fill(net, {ours: tensors[theirs] for ours, theirs in names.items()})


def _origin(seed: int, weights: str | None, loaded: int | None, backbone_only: bool) -> str:
    """A note on where the numbers are from."""
    initial = f"initialised by seed {seed}: convolutions He normal (fan out), norms 1 and 0"
    if weights is None:
        return initial
    rest = f"; the classifier is {initial}" if backbone_only else ""
    return f"{loaded:,} tensors loaded from {weights}{rest}"


def _also(spec: zoo.Spec) -> list[str]:
    """A note where the same tensors are those of other networks too, which compute something else."""
    from resnet_cli.checkpoints.identify.infer import listed

    others = [other.name for other in listed(spec) if other.name != spec.name]
    if not others:
        return []
    return [
        f"these tensors fit {', '.join(others)} as well, and nothing in them tells which network they were "
        f"trained in: built is {spec.name}; of another one the outputs would differ"
    ]


def _check(target: str) -> None:
    """Refuses before the work what could not be written after it."""
    suffix = Path(target).suffix.lower()
    if suffix == ".pt":
        raise UserError(
            f"{target!r} could be weights or a program: both are called .pt",
            "end it in .pth for the state dict, in .pt2 for the exported program",
        )
    if suffix not in NEEDS:
        raise UserError(
            f"{target!r} has no suffix that says what to save", f"give one of {', '.join(NEEDS)}"
        )
    modules, extra = NEEDS[suffix]
    need(f"build -o FILE{suffix}", *modules, extra=extra)
    files.check_writable(target)


def _save(net: Any, network: Network, target: str) -> str:
    """Writes the file, whole or not at all; says what is in it."""
    from resnet_cli.pytorch import export

    suffix = Path(target).suffix.lower()
    with files.whole(target) as beside:
        if suffix == ".safetensors":
            return export.safetensors(net, beside)
        if suffix == ".pth":
            return export.pth(net, beside)
        if suffix == ".onnx":
            return export.onnx(net, beside, network.input)
        if suffix == ".pt2":
            return export.pt2(net, beside, network.input)
        from resnet_cli.render.source import pytorch_source

        Path(beside).write_text(pytorch_source(described(network)), encoding="utf-8")
        return "PyTorch source of this network, without its weights"
