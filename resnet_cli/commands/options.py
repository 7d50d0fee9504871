"""Arguments and options that commands share, written once, and what they turn into."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, NamedTuple, Protocol

import typer

from resnet_cli import files, models
from resnet_cli.analyses import published
from resnet_cli.commands import output
from resnet_cli.designs import limits, zoo
from resnet_cli.errors import UserError
from resnet_cli.published import figures
from resnet_cli.tables import Answer
from resnet_cli.trace import Row, trace


class Network(NamedTuple):
    """What MODEL names (``base``), the overrides make of it (``spec``), and its trace."""

    base: zoo.Spec
    spec: zoo.Spec
    rows: list[Row]
    batch: int

    def envelope(self, command: str, total: dict[str, Any]) -> dict[str, Any]:
        """JSON's fields that are the same for every command about one network."""
        batch = {key: total[key] * self.batch for key in ("macs", "flops")}
        return {
            "command": command,
            "model": self.spec.name,
            "spec": asdict(self.spec),
            "input": list(self.spec.input_shape),
            "batch": self.batch,
            "rows": [],
            "total": total,
            **({"batch_total": batch} if self.batch > 1 else {}),
            "published": published.of_network(self.spec, figures()),
        }

    def title(self) -> str:
        """Name and family, and what the options changed of it."""
        before, after = asdict(self.base), asdict(self.spec)
        changed = [
            f"{key.replace('_', ' ')} {_joined(key, v) if isinstance(v, tuple) else v}"
            for key, v in after.items()
            if v != before[key]
        ]
        return f"{self.spec.name} ({', '.join([self.spec.family, *changed])})"

    def convention(self, macs: int) -> list[str]:
        """Notes on what the numbers count, and what a batch of inputs costs."""
        size = "×".join(map(str, self.spec.input_shape))
        notes = [
            "MACs: multiply-accumulates of convolution and linear layers, the papers' FLOPs; "
            f"for one input of {size}"
        ]
        if self.batch > 1:
            notes.append(f"batch of {self.batch:,}: {macs * self.batch:,} MACs")
        return notes


def _joined(key: str, numbers: tuple[int, ...]) -> str:
    return ("×" if key == "input_size" else ",").join(map(str, numbers))


def complete(given: str) -> list[str]:
    """Names for the shell that begin with what is typed."""
    return [name for name in zoo.names() if name.startswith(given)]


def _option(*names: str, help: str, panel: str = "The network") -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel)


# name -> annotation; Typer reads the signature that `about_a_network` puts together from these
NETWORK: dict[str, Any] = {
    "model": Annotated[
        str | None, typer.Argument(help="A name (resnet-cli list), a TOML file or a weight file.", autocompletion=complete)
    ],
    "depth": Annotated[int | None, _option("--depth", help="The residual network of this depth.")],
    "stages": Annotated[str | None, _option("--stages", help="Blocks in each stage: 3,4,6,3.")],
    "block": Annotated[str | None, _option("--block", help="basic or bottleneck.")],
    "shortcut": Annotated[str | None, _option("--shortcut", help="A, B, C or none; gate, exclusive-gate, dropout.")],
    "style": Annotated[str | None, _option("--style", help="v1: stride in the first 1×1; v1.5: in the 3×3.")],
    "conv_bias": Annotated[bool | None, _option("--conv-bias/--no-conv-bias", help="A bias on convolutions.")],
    "width": Annotated[int | None, _option("--width", help="Channels of the first stage.")],
    "base_width": Annotated[int | None, _option("--base-width", help="Channels a group at width 64.")],
    "groups": Annotated[int | None, _option("--groups", help="Groups of the 3×3 (cardinality).")],
    "num_classes": Annotated[int | None, _option("--num-classes", help="Outputs of the classifier.")],
    "in_channels": Annotated[int | None, _option("--in-channels", help="Channels of the input.")],
    "input_size": Annotated[str | None, _option("--input-size", help="224, or height×width: 224x320.")],
    "batch": Annotated[int, _option("--batch", help="Inputs at once; tables of costs stay those of one.")],
}  # fmt: skip
OUTPUT: dict[str, Any] = {
    "format": Annotated[str, _option("--format", "-f", help=", ".join(output.FORMATS) + ".", panel="The output")],
    "json": Annotated[bool, _option("--json", help="Short for --format json.", panel="The output")],
    "target": Annotated[str | None, _option("--output", "-o", help="A file to write.", panel="The output")],
    "exact": Annotated[bool, _option("--exact", help="Every digit: no K, M, G.", panel="The output")],
}  # fmt: skip
DEFAULTS = {"batch": 1, "format": "table", "json": False, "exact": False}


class Command(Protocol):
    """What Typer runs; ``answer`` is what it has to say, before it is printed."""

    answer: Callable[..., Answer]

    def __call__(self, **given: Any) -> None: ...


def about_a_network(command: Callable[..., Answer]) -> Command:
    """Gives a command its network (from MODEL and the overrides) and prints what it answers.

    An option of output that the command has itself is the command's.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shown = _parameters({key: OUTPUT[key] for key in OUTPUT if key not in {p.name for p in own}})

    def run(**given: Any) -> None:
        show = {parameter.name: given.pop(parameter.name) for parameter in shown}
        _check(show)
        network = _network(**{key: given.pop(key) for key in NETWORK})
        _show(command(network, **given), **show)

    return _signed(run, command, [*_parameters(NETWORK), *own, *shown])


def answers(command: Callable[..., Answer]) -> Command:
    """Gives a command the options of output and prints what it answers."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())

    def run(**given: Any) -> None:
        show = {key: given.pop(key) for key in OUTPUT}
        _check(show)
        _show(command(**given), **show)

    return _signed(run, command, [*own, *_parameters(OUTPUT)])


def _parameters(options: dict[str, Any]) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(name, kind, default=DEFAULTS.get(name), annotation=annotation)
        for name, annotation in options.items()
    ]


def _signed(
    run: Any, command: Callable[..., Answer], parameters: list[inspect.Parameter]
) -> Command:
    keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    run.__signature__ = inspect.Signature(keyword)
    run.__annotations__ = {p.name: p.annotation for p in keyword}
    run.__doc__ = command.__doc__
    run.answer = command
    found: Command = run
    return found


def _check(show: dict[str, Any]) -> None:
    """Refuses before the work what could not be written after it."""
    if show.get("target") is not None:
        files.check_writable(show["target"])


def _show(answer: Answer, format: str, json: bool, exact: bool, target: str | None = None) -> None:
    text = output.render(answer, "json" if json else format, exact, to_file=target is not None)
    output.send(text, target)
    if answer.code:
        raise typer.Exit(answer.code)


def _network(model: str | None, depth: int | None, batch: int, **overrides: Any) -> Network:
    limits.within("batch", batch, limits.BATCH)
    if model is not None and depth is not None:
        raise UserError(f"both MODEL {model!r} and --depth {depth} given", "give one of them")
    if model is not None:
        base = models.load(model)
    elif depth is not None:
        base = zoo.by_depth(depth)
    else:
        raise UserError("no network named", "type a name, such as resnet50; all: resnet-cli list")
    overrides["stages"] = _numbers("--stages", overrides["stages"], ",")
    size = _numbers("--input-size", overrides["input_size"], "x")
    if size is not None and len(size) > 2:
        raise UserError(f"--input-size has {len(size)} numbers", "type 224 or 224x320")
    overrides["input_size"] = size * 2 if size and len(size) == 1 else size
    spec = zoo.changed(base, **overrides)
    return Network(base, spec, trace(spec.net(), spec.input_shape), batch)


def _numbers(option: str, text: str | None, separator: str) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = re.split(r"\s*[,x×]\s*", text.strip().lower())
    if not all(re.fullmatch(r"[0-9]{1,12}", part) for part in parts) or len(parts) > 64:
        example = separator.join(["3", "4", "6", "3"] if separator == "," else ["224", "320"])
        raise UserError(
            f"{option} {text[:40]!r} is not whole numbers", f"type it as {option} {example}"
        )
    return tuple(map(int, parts))
