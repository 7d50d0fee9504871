"""resnet-cli build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resnet_cli import files, inputs
from resnet_cli.analyses import built
from resnet_cli.analyses.cost import counts
from resnet_cli.answers.build import Fitting, fitting, load_numbers, read_as
from resnet_cli.answers.needs import described, fits, need
from resnet_cli.answers.view import about
from resnet_cli.checkpoints.identify.known import same
from resnet_cli.commands.extras import working
from resnet_cli.commands.options import about_a_network
from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.errors import UserError, printable
from resnet_cli.models import load
from resnet_cli.networks import Network
from resnet_cli.tables import Answer

if TYPE_CHECKING:
    from resnet_cli.pytorch.instance import Instance

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
    as_: Annotated[
        str | None,
        typer.Option("--as", metavar="MODEL", help="Which network MODEL is, where it is a checkpoint that several fit."),
    ] = None,
    backbone_only: Annotated[
        bool, typer.Option("--backbone-only", help="Load all of it but the classifier.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the initial weights.")] = 0,
    zero_gamma: Annotated[
        bool, typer.Option("--zero-gamma", help="0 in the last norm of each block.")
    ] = False,
    shapes_only: Annotated[
        bool, typer.Option("--shapes-only", help="A .pt2 without weights, half a megabyte: what CI reads without torch.")
    ] = False,
) -> Answer:  # fmt: skip
    """A real torch module: built, run once, measured, and saved where -o says."""
    if target is not None:
        _check(target, network)
    need("build", "torch")
    if network.origin.kind == "weights" or as_ is not None:
        network = read_as(network, as_)
    if shapes_only:
        _check_shapes_only(target, weights, zero_gamma)
    elif weights is None and network.origin.kind == "weights":
        weights = network.origin.source
    if backbone_only and weights is None:
        raise UserError("--backbone-only without weights", "add --weights FILE")
    if not 0 <= seed < 2**63:
        raise UserError(f"--seed {seed} is out of range", "give one of 0 to 2^63 - 1")
    if network.spec is None or shapes_only:
        if weights is not None or zero_gamma:
            raise UserError(
                f"--{'weights' if weights is not None else 'zero-gamma'} is not for {network.name}, which is built by its own code",
                "leave it out, or give a listed network or a TOML file",
            )
        return _of_own_code(network, target, seed, shapes_only)
    fits(network.rows)
    from resnet_cli.pytorch import measure
    from resnet_cli.pytorch.build import build
    from resnet_cli.pytorch.instance import of_image

    spec = network.spec
    fit = fitting(weights, spec, backbone_only) if weights is not None else None
    with working(f"building {spec.name}"):
        net = build(spec, seed=seed, zero_gamma=zero_gamma).eval()
        if fit is not None:
            load_numbers(net, fit)
        ran = [(path, shape[1:]) for path, shape in measure.run(of_image(net, network.input))]
    params, tensors = measure.parameters(net), measure.tensors(net)
    table = built.by_stage(network.rows, ran, params, tensors)
    notes = [
        f"measured: outputs of one forward pass of 1×{network.size}, in eval mode; parameters and tensors of the modules",
        _origin(seed, fit, spec, backbone_only),
        *(_also(fit, spec) if fit is not None else ()),
    ]
    if target is not None:
        with working(f"saving {target}"):
            notes.append(f"{target}: {_save(of_image(net, network.input), network, target)}")
    total = {"params": sum(params.values()), "tensors": len(tensors)}
    return about(network, "build", [table], notes, total, seed=seed, weights=weights, file=target)


def _of_own_code(network: Network, target: str | None, seed: int, shapes_only: bool) -> Answer:
    """A module that is built without our help, or of a spec without numbers."""
    from resnet_cli.answers import engines
    from resnet_cli.pytorch import measure

    if not shapes_only:
        fits(network.rows)
    device = "meta" if shapes_only else "cpu"
    with working(f"building {network.name}"), engines.instance(network, device, seed) as called:
        called.module.eval()
        ran = measure.run(called)
        params, tensors = measure.parameters(called.module), measure.tensors(called.module)
        saved = None if target is None else _save(called, network, target, shapes_only)
    if network.spec is not None:
        ran = [(path, shape[1:]) for path, shape in ran]
        table = built.by_stage(network.rows, ran, params, tensors)
    else:
        table = built.by_module(network.rows, ran, params, tensors)
    size = f"1×{network.size}" if network.spec else network.size
    notes = [
        f"measured: outputs of one forward pass of {size}, in eval mode; parameters and tensors of the modules",
        "without numbers: shapes alone"
        if shapes_only
        else f"initialised by its own code, seed {seed}",
        *([f"{target}: {saved}"] if saved else []),
    ]
    total = {"params": sum(params.values()), "tensors": len(tensors)}
    return about(network, "build", [table], notes, total, seed=seed, weights=None, file=target)


def _check_shapes_only(target: str | None, weights: str | None, zero_gamma: bool) -> None:
    if target is None or Path(target).suffix.lower() != ".pt2":
        raise UserError(
            "--shapes-only is of a .pt2, the one format here that needs no weights",
            "add -o FILE.pt2",
        )
    for option, value in (("--weights", weights), ("--zero-gamma", zero_gamma)):
        if value:
            raise UserError(f"both --shapes-only and {option} given", "give one of them")


def _origin(seed: int, fit: Fitting | None, spec: zoo.Spec, backbone_only: bool) -> str:
    """A note on where the numbers are from."""
    drawn = "He normal (fan out)"
    if isinstance(spec, ConvNeXt):
        drawn = "and linear layers truncated normal, 0.02"
    initial = f"initialised by seed {seed}: convolutions {drawn}, norms 1 and 0"
    if fit is None:
        return initial
    rest = f"; the classifier is {initial}" if backbone_only else ""
    return (
        f"{len(fit.names):,} tensors loaded from {printable(fit.path)}, taken as {spec.name}{rest}"
    )


def _also(fit: Fitting, spec: zoo.Spec) -> list[str]:
    """A note where the same tensors are those of other networks too, or their names say that it is another one."""
    if fit.read.settled:
        told = f"{printable(fit.path)} is {fit.read.told}; built is {spec.name}, and the outputs would differ"
        return [] if same(spec, fit.read.spec) else [told]
    others = [
        each.network
        for each in fit.read.candidates
        if fit.read.fits and (each.spec is None or not same(spec, each.spec))
    ]
    if not others:
        return []
    return [
        f"these tensors fit {', '.join(others)} as well, and nothing in them tells which network they were "
        f"trained in: built is {spec.name}; of another one the outputs would differ"
    ]


def _check(target: str, network: Network) -> None:
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
    if suffix == ".py" and network.spec is None:
        raise UserError(
            f"source is written from a spec, and {network.name} has none",
            "end it in .pth, .safetensors, .onnx or .pt2",
        )
    modules, extra = NEEDS[suffix]
    need(f"build -o FILE{suffix}", *modules, extra=extra)
    files.check_writable(target)


def _save(called: Instance, network: Network, target: str, shapes_only: bool = False) -> str:
    """Writes the file, whole or not at all; says what is in it."""
    from resnet_cli.pytorch import export

    suffix = Path(target).suffix.lower()
    names = "in torchvision's names" if network.spec else "in the module's own names"
    with files.whole(target) as beside:
        if suffix == ".safetensors":
            export.safetensors(called.module, beside)
            return f"state dict {names}"
        if suffix == ".pth":
            export.pth(called.module, beside)
            return f"state dict {names}"
        if suffix == ".onnx":
            return export.onnx(called, beside, network.spec is not None)
        if suffix == ".pt2" and shapes_only:
            batch = export.shapes_only(called, beside)
            return f"{batch}, without weights; {_read_again(beside, network)}"
        if suffix == ".pt2":
            return export.pt2(called, beside)
        from resnet_cli.render.source import pytorch_source

        Path(beside).write_text(pytorch_source(described(network)), encoding="utf-8")
        return "PyTorch source of this network, without its weights"


def _read_again(path: str, network: Network) -> str:
    """What a reader without torch makes of a file; raises `UserError` (exit 1) where that is another network."""
    shapes = tuple(inputs.Typed(None, each.shape) for each in network.inputs)
    if network.spec is not None:
        shapes = (inputs.Typed(None, (1, *network.input)),)
    again, own = (counts.totals(each.rows) for each in (load(path, inputs.Given(shapes)), network))
    for key in ("params", "macs"):
        if again[key] != own[key]:
            raise UserError(
                f"read again it has {again[key]:,} {key}, and the network {own[key]:,}",
                "nothing was written; please report it",
                1,
            )
    return f"read again without torch: {again['params']:,} parameters, {again['macs']:,} MACs"
