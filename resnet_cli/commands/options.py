"""Arguments and options that commands share, written once, and what they turn into."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import typer

from resnet_cli import files, inputs, models, networks
from resnet_cli.commands import output
from resnet_cli.designs import fields, limits, zoo
from resnet_cli.designs.fields import FIELDS, inline, numbers
from resnet_cli.errors import UserError
from resnet_cli.networks import Network
from resnet_cli.tables import Answer

Result = TypeVar("Result")


def complete(given: str) -> list[str]:
    """Names for the shell that begin with what is typed."""
    return [name for name in zoo.names() if name.startswith(given)]


def _option(*names: str, help: str, panel: str = "The network", **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)


SHORT = 7
"""Words of up to so many letters stand beside an option, as `<float>` has: more would push its help aside."""


def words(allowed: Sequence[str], metavar: str = "WORD") -> dict[str, Any]:
    """What an option of these words takes: they are completed and, where they are few, shown."""
    joined = "|".join(allowed)
    shown = joined if len(joined) <= SHORT else metavar
    return {"metavar": shown, "autocompletion": _beginning(tuple(allowed))}


def _beginning(allowed: Sequence[str]) -> Callable[[str], list[str]]:
    def complete(given: str) -> list[str]:
        return [word for word in allowed if word.startswith(given)]

    return complete


CONVENTIONS = (
    "papers", "fvcore", "torch", "ptflops-aten", "ptflops-pytorch", "thop", "ultralytics-thop",
    "torchprofile", "calflops", "torchlens", "pycls", "torchinfo",
)  # fmt: skip
"""The names in published/conventions.csv, which is not read for a page of help."""


def convention() -> Any:
    """The option for another tool's way of counting."""
    told = f"Count by a tool's rule: {', '.join(CONVENTIONS)}."
    return typer.Option(help=told, **words(CONVENTIONS, "TOOL"))


def level(allowed: Sequence[str]) -> Any:
    """The option for what a line of the table stands for; ``--by`` is what it was called before."""
    told = f"A line for each {', '.join(allowed)}"
    deep = "; a number: modules so deep" if "module" in allowed else ""
    return typer.Option("--level", "--by", help=f"{told}{deep}.", **words(allowed, "LEVEL"))


OPTIMIZERS, DTYPES = ("sgd", "momentum", "adam", "adamw"), ("fp32", "fp16", "bf16", "amp")
"""The words of `resnet_cli.analyses.memory`, which is not read for a page of help."""

OPTIMIZER = Annotated[
    str, typer.Option(help="sgd, momentum (sgd with it), adam or adamw.", **words(OPTIMIZERS))
]
DTYPE = Annotated[
    str, typer.Option(help="fp32, fp16, bf16 or amp (autocast to half).", **words(DTYPES))
]
INPLACE = Annotated[
    bool, typer.Option("--inplace/--no-inplace", help="ReLU in place; our modules': not.")
]
CHECKPOINT = Annotated[
    bool, typer.Option("--checkpoint", help="Keep a block's input, run the block again.")
]


def _override(name: str) -> Any:
    """The option for a field; several numbers are typed as one text."""
    of, flag = FIELDS[name], f"--{name.replace('_', '-')}"
    kind = {"int": int, "float": float, "bool": bool}.get(str(of.type), str)
    names = f"{flag}/--no-{flag[2:]}" if kind is bool else flag
    choices = words(of.metadata["allowed"]) if of.metadata["allowed"] else {}
    return Annotated[kind | None, _option(names, help=of.metadata["help"], **choices)]


# name -> annotation; Typer reads the signature that `about_a_network` puts together from these
NETWORK: dict[str, Any] = {
    "model": Annotated[
        str | None, typer.Argument(help="A name (resnet-cli list, timm:NAME), a file (.toml, .pt2, .onnx, weights) or FILE.py:OBJECT.", autocompletion=complete)
    ],
    "depth": Annotated[int | None, _option("--depth", help="The residual network of this depth.")],
    **{name: _override(name) for name in FIELDS},
    "batch": Annotated[int | None, _option("--batch", help="Inputs at once; a spec's tables of costs stay those of one.")],
}  # fmt: skip
INPUTS: dict[str, Any] = {
    "input": Annotated[list[str] | None, _option("--input", metavar="SHAPE", help="[NAME=]1x3x224x224[:int64], each input's; it leads with the batch.")],
    "dim": Annotated[list[str] | None, _option("--dim", metavar="NAME=N", help="An open size of an .onnx or .pt2 file.")],
}  # fmt: skip
"""What the network is asked about, where that is not its usual input."""
OUTPUT: dict[str, Any] = {
    "format": Annotated[str | None, _option("--format", "-f", help=f"{', '.join(output.FORMATS)}; else by the suffix of -o.", panel="The output", **words(output.FORMATS, "FORMAT"))],
    "json": Annotated[bool, _option("--json", help="Short for --format json.", panel="The output")],
    "target": Annotated[str | None, _option("--output", "-o", help="A file to write; - is stdout.", metavar="FILE", panel="The output")],
    "columns": Annotated[str | None, _option("--columns", help="Those of the first table to show, in order: path,macs.", metavar="KEYS", panel="The output")],
    "strict": Annotated[bool, _option("--strict", help="Exit 1 where anything is not counted or not settled.", panel="The output")],
    "exact": Annotated[bool, _option("--exact", help="Every digit: no K, M, G.", panel="The output")],
    "table_key": Annotated[str | None, _option("--table-key", metavar="KEY", help="csv: another of the answer's tables.", panel="The output")],
    "notes": Annotated[bool, _option("--notes", help="csv: the notes in one more column.", panel="The output")],
    "caption": Annotated[str | None, _option("--caption", metavar="TEXT", help="latex: of the first table.", panel="The output")],
    "label": Annotated[str | None, _option("--label", metavar="NAME", help="latex: of the first table, such as tab:cost.", panel="The output")],
}  # fmt: skip
DEFAULTS = {"json": False, "strict": False, "exact": False, "notes": False}


def about_a_network(command: Callable[..., Answer]) -> Callable[..., None]:
    """Gives a command its network (from MODEL and the overrides) and prints what it answers.

    An option of output that the command has itself is the command's.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shown = _parameters({key: OUTPUT[key] for key in OUTPUT if key not in {p.name for p in own}})

    def run(**given: Any) -> None:
        show = {p.name: given.pop(p.name, DEFAULTS.get(p.name)) for p in shown}
        _check(show)
        if (
            given["model"] is None and given["depth"] is None
        ):  # a checkpoint says which network it is
            given["model"] = given.get("weights")
        network = _network(**{key: given.pop(key, None) for key in (*NETWORK, *INPUTS)})
        _show(command(network, **given), **show)

    return _signed(run, command, [*_parameters(NETWORK | INPUTS), *own, *shown])


def changeable(
    names: str, inputs: bool = True
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Gives a command that takes several networks, as ``names``, the overrides for where it takes one.

    Without ``inputs`` what they are asked about is the command's own matter.
    """

    def changing(command: Callable[..., Result]) -> Callable[..., Result]:
        own = [*inspect.signature(command, eval_str=True).parameters.values()]
        beside = INPUTS if inputs else {}
        options = _parameters({name: NETWORK[name] for name in FIELDS} | beside)

        def run(**given: Any) -> Result:
            changes = _changes({name: given.pop(name, None) for name in FIELDS})
            asked = _asked(changes, **{name: given.pop(name, None) for name in INPUTS})
            typed: list[str] = given[names] or []
            if changes and len(typed) != 1:
                first = next(iter(changes))
                raise UserError(
                    f"--{first.replace('_', '-')} changes one network, where {len(typed)} are named",
                    f"put it behind a name: resnet50:{inline(first, changes[first])}",
                )
            if changes:
                given[names] = typed = [_inline(typed[0], changes)]
            if asked != networks.NOTHING:
                given[names] = [models.load(model, asked) for model in typed]
            return command(**given)

        return _signed(run, command, [*own, *options])

    return changing


def answers(command: Callable[..., Answer]) -> Callable[..., None]:
    """Gives a command the options of output that it has not itself, and prints what it answers."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())
    shown = _parameters({key: OUTPUT[key] for key in OUTPUT if key not in {p.name for p in own}})

    def run(**given: Any) -> None:
        show = {p.name: given.pop(p.name, DEFAULTS.get(p.name)) for p in shown}
        _check(show)
        _show(command(**given), **show)

    return _signed(run, command, [*own, *shown])


def shortened(command: Callable[..., None], words: Sequence[str]) -> Callable[..., None]:
    """The command without the options that are not among the words; whole where one is unknown.

    From 0.29 on Typer takes a third of a millisecond for each option, typed or not.
    """
    parameters = inspect.signature(command).parameters.values()
    by_flag = {flag: parameter for parameter in parameters for flag in _flags(parameter)}
    typed = {_flag(word) for word in words if word.startswith("-") and word != "-"}
    if not typed <= set(by_flag):
        return command
    given = {by_flag[flag].name for flag in typed}
    left_out = {p.name: p.default for p in by_flag.values() if _optional(p) and p.name not in given}

    def run(**values: Any) -> None:
        command(**left_out, **values)

    return _signed(run, command, [p for p in parameters if p.name not in left_out])


def _flag(word: str) -> str:
    """The option in a word: --format of --format=json, -f of -fjson."""
    return word.partition("=")[0] if word.startswith("--") else word[:2]


def _optional(parameter: inspect.Parameter) -> bool:
    return parameter.default is not inspect.Parameter.empty


def _flags(parameter: inspect.Parameter) -> list[str]:
    """How an option may be typed; nothing for an argument."""
    info = parameter.annotation.__metadata__[0]
    if type(info).__name__ == "ArgumentInfo":
        return []
    declared = (getattr(info, "default", None), *(info.param_decls or ()))
    flags = [flag for names in declared if isinstance(names, str) for flag in names.split("/")]
    return flags or [f"--{parameter.name.replace('_', '-')}"]


def _parameters(options: dict[str, Any]) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(name, kind, default=DEFAULTS.get(name), annotation=annotation)
        for name, annotation in options.items()
    ]


def _signed(
    run: Callable[..., Result], command: Callable[..., Any], parameters: list[inspect.Parameter]
) -> Callable[..., Result]:
    keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    run.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in keyword}
    run.__doc__ = command.__doc__
    return run


def _check(show: dict[str, Any]) -> None:
    """Settles the format; refuses before the work what could not be written after it."""
    target = show.get("target")
    show["format"] = output.chosen(show["format"], show.pop("json"), target)
    output.check_own(show["format"], show)
    if show["columns"] is not None and show["format"] == "json":
        raise UserError(
            "--columns is of tables, and JSON has every key", "leave it out, or add --format csv"
        )
    if output.is_file(target):
        files.check_writable(target)


def _show(
    answer: Answer,
    format: str,
    exact: bool,
    columns: str | None,
    target: str | None = None,
    strict: bool = False,
    **own: Any,
) -> None:
    if columns is not None:
        answer = output.picked(answer, columns)
    text = output.render(answer, format, exact, to_file=output.is_file(target), **own)
    output.send(text, target)
    if answer.code:
        raise typer.Exit(answer.code)
    if strict and (answer.envelope.get("uncounted") or answer.envelope.get("settled") is False):
        raise typer.Exit(1)


def _network(
    model: str | None,
    depth: int | None,
    batch: int | None,
    input: list[str] | None,
    dim: list[str] | None,
    **overrides: Any,
) -> Network:
    if batch is not None:
        limits.within("batch", batch, limits.BATCH)
    if model is not None and depth is not None:
        raise UserError(f"both MODEL {model!r} and --depth {depth} given", "give one of them")
    if model is None and depth is None:
        raise UserError("no network named", "type a name, such as resnet50; all: resnet-cli list")
    changes = _changes(overrides)
    _check_once(model, changes)
    asked = _asked(changes, input, dim, batch)
    base = models.load(model if model is not None else depth or 0, asked)
    return base.changed(**changes) if changes else base


def _asked(
    changes: dict[str, Any],
    input: list[str] | None,
    dim: list[str] | None,
    batch: int | None = None,
) -> inputs.Given:
    """What is asked about beside the network. Raises `UserError` where an input's size is given twice."""
    beside = next((key for key in ("input_size", "in_channels") if key in changes), None)
    if input and beside:
        raise UserError(f"both --input and --{beside.replace('_', '-')} given", "give one of them")
    return inputs.given(input or (), dim or (), batch)


def _changes(overrides: dict[str, Any]) -> dict[str, Any]:
    """The overrides that were typed, texts of several numbers as numbers."""
    for key in ("stages", "widths"):
        overrides[key] = _numbers(f"--{key}", overrides[key], ",")
    size = _numbers("--input-size", overrides["input_size"], "x")
    if size is not None and len(size) > 2:
        raise UserError(f"--input-size has {len(size)} numbers", "type 224 or 224x320")
    overrides["input_size"] = size * 2 if size and len(size) == 1 else size
    return {key: value for key, value in overrides.items() if value is not None}


def _check_once(model: str | None, changes: dict[str, Any]) -> None:
    """Raises `UserError` for a field that stands behind the colon of MODEL and is an option too."""
    if model is None or not changes:
        return
    twice = next((key for key in fields.overrides(model)[1] if key in changes), None)
    if twice is not None:
        flag = f"--{twice.replace('_', '-')}"
        raise UserError(f"both {flag} and {twice} in {model[:80]!r} given", "give one of them")


def _inline(model: str, changes: dict[str, Any]) -> str:
    """MODEL with the overrides behind its colon: resnet50:groups=32."""
    _check_once(model, changes)
    source, before = fields.overrides(model)
    typed = [f"{key}={text}" for key, text in before.items()]
    return f"{source}:{','.join([*typed, *(inline(key, changes[key]) for key in changes)])}"


def _numbers(option: str, text: str | None, separator: str) -> tuple[int, ...] | None:
    if text is None:
        return None
    whole = numbers(text)
    if whole is None:
        example = separator.join(["3", "4", "6", "3"] if separator == "," else ["224", "320"])
        raise UserError(
            f"{option} {text[:40]!r} is not whole numbers", f"type it as {option} {example}"
        )
    return tuple(whole)
