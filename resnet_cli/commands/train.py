"""resnet-cli train."""

# without postponed annotations: Typer and the generated docs read those of the signature
import os
import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from resnet_cli.answers.train import train
from resnet_cli.commands.extras import training
from resnet_cli.commands.options import answers, changeable, complete, words
from resnet_cli.errors import UserError, printable
from resnet_cli.recipes import DTYPES, RECIPES, USUAL
from resnet_cli.tables import Answer

PANEL = "The recipe"


def _value(flag: str, help: str, **more: Any) -> Any:
    return typer.Option(flag, help=help, rich_help_panel=PANEL, **more)


@answers
@changeable("networks", inputs=False)
def command(
    networks: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL…", help="Networks.", autocompletion=complete)
    ] = None,
    data: Annotated[str | None, typer.Option(metavar="SET", help="digits (default), cifar10:FOLDER or cifar100:FOLDER.")] = None,
    seeds: Annotated[str | None, typer.Option(metavar="LIST", help="How many, 3 for 0,1,2, or which: 41,42. Default: 1.")] = None,
    target: Annotated[str | None, typer.Option("--output", "-o", metavar="FOLDER", help="A new one; default: runs/RECIPE-DATE.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="FOLDER", help="Go on with it, all as its record says.")] = None,
    device: Annotated[str | None, typer.Option(metavar="NAME", help="cpu (default), cuda, cuda:1, mps.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Runs at once; default: one for each core, on a GPU one.")] = None,
    recipe: Annotated[str | None, _value("--recipe", "digits or he2015-cifar; default: the data's.", **words(tuple(RECIPES), "NAME"))] = None,
    iterations: Annotated[int | None, _value("--iterations", "How many; the drops move along.")] = None,
    batch: Annotated[int | None, _value("--batch", "Images in each.")] = None,
    lr: Annotated[float | None, _value("--lr", "The rate to begin with.")] = None,
    drops: Annotated[str | None, _value("--drops", "Iterations from which on it is less: 150,225, or none.", metavar="LIST")] = None,
    factor: Annotated[float | None, _value("--factor", "What a drop multiplies it by.")] = None,
    momentum: Annotated[float | None, _value("--momentum", "Of SGD.")] = None,
    weight_decay: Annotated[float | None, _value("--weight-decay", "Of all parameters.")] = None,
    warmup: Annotated[int | None, _value("--warmup", "Iterations at the rate times the factor first.")] = None,
    padding: Annotated[int | None, _value("--padding", "Pixels around an image before it is cropped.")] = None,
    flip: Annotated[bool | None, _value("--flip/--no-flip", "Mirror half of the images.")] = None,
    split: Annotated[str | None, _value("--split", "all, or 45k/5k: to train on, and held out.", metavar="PARTS")] = None,
    every: Annotated[int | None, _value("--every", "Iterations to a line of the curve and a checkpoint.")] = None,
    dtype: Annotated[str | None, _value("--dtype", "float32 or float64.", **words(DTYPES, "TYPE"))] = None,
    amp: Annotated[bool | None, _value("--amp", "Mixed precision: autocast to bfloat16.")] = None,
    channels_last: Annotated[bool | None, _value("--channels-last", "Images with their channels last in memory.")] = None,
    threads: Annotated[int | None, _value("--threads", "Of each run on a CPU.")] = None,
) -> Answer:  # fmt: skip
    """Train networks side by side: training and test errors, and whether the deeper ones degrade."""
    # before torch is loaded: threads that wait do not take the time of those that work
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if os.environ.get("RANK", "0") != "0":  # torchrun's others have nothing to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    changes: dict[str, Any] = {
        "iterations": iterations, "batch": batch, "lr": lr, "drops": drops, "factor": factor,
        "momentum": momentum, "weight_decay": weight_decay, "warmup": warmup, "padding": padding, "flip": flip,
        "every": every, "dtype": dtype, "amp": amp, "channels_last": channels_last, "threads": threads,
    }  # fmt: skip
    if resume is not None:
        others = {
            **changes, "data": data, "seeds": seeds, "output": target, "recipe": recipe, "split": split, "jobs": jobs,
        }  # fmt: skip
        typed = [key for key, value in others.items() if value is not None]
        if networks or typed:
            what = f"--{typed[0].replace('_', '-')}" if typed else "a network"
            raise UserError(
                f"{what} with --resume, which takes all from the record", "leave it out"
            )
        with training() as told:
            return train(resume=resume, device=device, told=told)
    source = data if data is not None else "digits"
    folder = target
    if folder is None:
        name = recipe if recipe is not None else USUAL.get(source.partition(":")[0], "digits")
        folder = os.path.join("runs", f"{name}-{datetime.now():%Y-%m-%d-%H%M%S}")
    with training() as told:
        return train(
            *(networks or ()), data=source, recipe_name=recipe, seeds=seeds if seeds is not None else 1, folder=folder,
            device=device, jobs=jobs, told=told, begun=_into, split=split, **changes,
        )  # fmt: skip


def _into(folder: str) -> None:
    print(f"note: into {printable(folder)}", file=sys.stderr, flush=True)
