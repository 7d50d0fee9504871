"""A spec as a stand-alone PyTorch file, written from its tree of layers.

A part whose own parts are called by name becomes a class. Units alike in all but numbers share one, whose
arguments are the numbers that differ; attributes that only some have are optional. Leaves say how torch
makes them; what torch lacks is copied from `resnet_cli/pytorch/modules.py`.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cache, reduce
from importlib.resources import files
from itertools import count, groupby, pairwise, permutations, takewhile
from keyword import iskeyword
from math import prod
from textwrap import indent, wrap
from typing import Any, TypeAlias

from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.layers.base import Layer, Module
from resnet_cli.layers.tree import Parallel, Residual, Sequence, Stage, children
from resnet_cli.trace import trace

Composite: TypeAlias = Sequence | Residual
Part: TypeAlias = Layer | Composite | Parallel
WIDTH = 96  # of a line in a class
SEQUENCE, NOTHING = "nn.Sequential", Module("nn.Identity")
TORCH = ("Generator", "Tensor", "cat", "nn", "ones")  # what pieces need of it
WORDS = {"in_channels": "channels", "out_channels": "width"}  # an argument's, after its first use


def pytorch_source(spec: zoo.Spec) -> str:
    """The text of a Python file that needs torch alone and builds exactly this network.

    Raises `UserError` when the input is too small to reach the end.
    """
    tree = replace(spec, num_classes=_Classes(spec.num_classes)).net()
    classes = "\n\n\n".join(_Writer(tree).pieces)
    ours = [text for name, text in _ours().items() if re.search(rf"\b{name}\(", classes)]
    start = "initialise_truncated" if isinstance(spec, ConvNeXt) else "initialise"
    has_classes = "num_classes" in classes  # an embedding's network has none
    given = f"num_classes: int = {spec.num_classes}" if has_classes else ""
    constructor = f'''def {identifier(spec.name)}({given}) -> {tree.title}:
    """The network with its initial weights."""
    net = {tree.title}({"num_classes" if has_classes else ""})
    {start}(net)
    return net'''
    rest = [*ours, classes, _ours()[start], constructor]
    used = [word for word in TORCH if any(re.search(rf"\b{word}\b", text) for text in rest)]
    head = f"{_docstring(spec)}\n\nfrom torch import {', '.join(used)}"
    return "\n\n\n".join([head, *rest]) + "\n"


def identifier(name: str) -> str:
    """The name as a Python function may be called: resnet50_v1_5 for resnet50-v1.5."""
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40]
    taken = iskeyword(word) or hasattr(builtins, word) or word == "nn" or word in _ours()
    return word if word.isidentifier() and not taken else f"net_{word}".strip("_")


def _docstring(spec: zoo.Spec) -> str:
    rows = trace(spec.net(), spec.input_shape)
    parameters = sum(prod(shape) for row in rows for shape in row.layer.parameters().values())
    macs = sum(row.macs for row in rows)
    size = "x".join(map(str, spec.input_shape))
    # A name may come from anyone's file: it must neither end the string nor leave its line.
    name = "".join(c if c.isprintable() and c not in '"\\' else "?" for c in spec.name[:40])
    arguments = f" {name} -o {identifier(name)}.py" if zoo.is_listed(spec) else ""
    return f'''"""The network {name}.

{parameters:,} parameters; {macs:,} multiply-accumulates (MACs) for a {size} input.
Written by `resnet-cli build{arguments}`.
"""'''


@cache
def _ours() -> dict[str, str]:
    """What torch lacks: the text of each class and function by its name."""
    text = (files("resnet_cli") / "pytorch" / "modules.py").read_text(encoding="utf-8")
    pieces = re.finditer(r"^(?:class|def) (\w+).*?(?=\n\n\n|\n\Z)", text, re.DOTALL | re.MULTILINE)
    return {piece[1]: piece[0] for piece in pieces}


def _free(word: str, taken: Collection[str]) -> str:
    """The word, or the first of word2, word3, … that is not taken."""
    return next(name for n in count(1) if (name := word + str(n) * (n > 1)) not in taken)


def _indented(lines: Iterable[str]) -> str:
    return indent("\n".join(lines), "    ")


def _defined(name: str, arguments: list[str], result: str) -> str:
    """The first line of a function, parted as ruff does where it is too long."""
    inner = ", ".join(arguments)
    if len(f"def {name}({inner}) -> {result}:") > WIDTH >= len(inner) + 4:
        return f"def {name}(\n    {inner}\n) -> {result}:"
    return f"def {_call(name, arguments, WIDTH - len(f'def  -> {result}:'))} -> {result}:"


# The number of classes, which is written as the argument that it is.
_Classes = type("int", (int,), {"__repr__": lambda _: "num_classes"})


class _Numbers:
    """The numbers of several units side by side: those that differ become arguments of their class.

    ``columns`` hold an argument's value in each unit; those with a ``usual`` value are options.
    """

    def __init__(self, units: int) -> None:
        self.units = range(units)
        self.columns: dict[str, list[Any]] = {}
        self.usual: dict[str, Any] = {}

    def code(self, modules: dict[int, Module]) -> str:
        """What makes the modules at one place of the units; `ValueError` if they differ in kind."""
        made = {i: module for i, module in modules.items() if module != NOTHING}
        if 0 < len(made) < len(modules):
            condition = self.condition({i: i in made for i in modules}, "part")
            words = self.code(made), f"if {condition}", f"else {NOTHING.name}()"
            return (" " if len(" ".join(words)) <= WIDTH - 13 else "\n").join(words)
        ((name, *keys),) = {(module.name, *module.arguments) for module in modules.values()}
        usual, parts = modules[min(modules)].usual, list[str]()
        for key in keys:
            values = {i: module.arguments[key] for i, module in modules.items()}
            if key.isdecimal():  # a module in a sequence, or a branch
                parts.append(self.code(values))
            elif key not in usual:
                parts.append(self._text(values, key))
            elif (text := self._text(values, key, usual=usual[key])) != repr(usual[key]):
                parts.append(f"{key}={text}")
        return _sequence(parts) if name == SEQUENCE else _call(name, parts, WIDTH - 17)

    def condition(self, there: dict[int, bool], word: str) -> str:
        """By which a part is there: an option that is not as usual, else an option of its own."""
        for name, usual in self.usual.items():
            if self._known(name, there):
                return name
            if all((self.columns[name][i] != usual) == is_there for i, is_there in there.items()):
                return f"{name} != {usual!r}"
        return self._added(there, word, usual=2 * sum(there.values()) > len(there))

    def _text(self, values: dict[int, Any], role: str, **usual: Any) -> str:
        """What to write for the values at one place: a number, an argument or a multiple of one."""
        first, optional = values[min(values)], len(values) < len(self.units)
        given = [] if usual else [name for name in self.columns if name not in self.usual]
        known = [text for name in (role, *given) if (text := self._known(name, values))]
        if len({*map(repr, values.values())}) == 1 and not isinstance(first, _Classes):
            return role if optional and role in known else repr(first)
        word = repr(first) if isinstance(first, _Classes) else WORDS.get(role, role)
        if optional:
            usual.setdefault("usual", first)
        return min(known, key=lambda text: " " in text, default="") or self._added(
            values, word, **usual
        )

    def _known(self, name: str, values: dict[int, Any]) -> str:
        """`width`, `4 * width` or `width // 4` where that is the value in every unit, else ""."""
        pairs = [(self.columns[name][i], values[i]) for i in values if name in self.columns]
        if pairs and all(repr(number) == repr(value) for number, value in pairs):
            return name
        if pairs and all(type(number) is int and number for pair in pairs for number in pair):
            one, other = pairs[0]
            times, parts = max(other // one, 1), max(one // other, 1)
            if all(number * times == value * parts for number, value in pairs):
                return f"{times} * {name}" if times > 1 else f"{name} // {parts}"
        return ""

    def _added(self, values: dict[int, Any], word: str, **usual: Any) -> str:
        name = _free(word, self.columns)
        self.columns[name] = [values.get(i, usual.get("usual")) for i in self.units]
        self.usual |= dict.fromkeys([name] if usual else [], usual.get("usual"))
        return name

    def signature(self) -> list[str]:
        """The arguments of the class."""
        kinds = {key: type(value).__name__ for key, value in self.module("", 0).arguments.items()}
        default = {key: f" = {value!r}" for key, value in self.usual.items()}
        return [f"{key}: {kind}{default.get(key, '')}" for key, kind in kinds.items()]

    def module(self, title: str, unit: int) -> Module:
        """How the class is called for a unit: options last."""
        names = sorted(self.columns, key=lambda name: name in self.usual)
        return Module(title, {name: self.columns[name][unit] for name in names}, self.usual)


def _sequence(parts: list[str]) -> str:
    """A call of `nn.Sequential` where what comes again and again is looped over."""
    items = []
    for part, same in groupby(parts):
        times, several = len([*same]), part.startswith("*")  # where it makes several layers
        each = f"layer for _ in range({times}) for layer in {part[1:]}"
        loop = f"*[{each if several else f'{part} for _ in range({times})'}]"
        items += [loop] if times > 1 + 3 * several and len(parts) > 2 else [part] * times
    return _call(SEQUENCE, items, 70)


def _call(name: str, arguments: list[str], width: int) -> str:
    """A call on one line of such a width, or with a line for each argument."""
    call = f"{name}({', '.join(arguments)})"
    lines = _indented(f"{argument}," for argument in arguments)
    return call if len(call) <= width else f"{name}(\n{lines}\n)"


def _plain(part: Part) -> bool:
    """Whether it is a leaf that needs no line of its own."""
    return isinstance(part, Layer) and not part.counted


class _Unit:
    """A part as chains of parts, and its ``attributes`` in the order of the state dict.

    The lead stands before the shortcut, or before the first layer that counts; the shortcut
    ``follows`` it, or starts at the input. A ``numbered`` sequence is one of torch's, not a class.
    """

    def __init__(self, part: Composite) -> None:
        of = part if isinstance(part, Residual) else Residual(part.name, part.parts)
        chains = (of.before, of.body, of.shortcut, of.after)
        before, body, self.side, self.after = map(children, chains)
        self.lead = before or [*takewhile(_plain, body)]
        self.rest = [*before, *body][len(self.lead) :]
        self.follows = bool(before or (self.side and not self.lead))
        self.merge = of.merge if of is part else None
        self.title = part.title or "Block"
        text = _ours()[self.merge.module().name] if self.merge else ""
        self.tensors = re.findall(r"(\w+): Tensor", text) or ["x", "x"]
        self.merged = text.rpartition("return ")[2]
        parts: list[Part] = [*self.lead, *self.rest, *self.side]
        if self.merge and text.startswith("class"):
            parts.append(self.merge)
            self.merged = f"self.{self.merge.name}({', '.join(self.tensors)})"
        self.attributes = {part.name: part for part in (*parts, *self.after)}
        numbers = sorted({name for name in self.attributes if name.isdecimal()}, key=int)
        self.numbered = of is not part and [*self.attributes] == numbers

    def described(self) -> tuple[str, str]:
        """The title of its class, and what that says of itself."""
        gate = self.merge is not None and self.merge.gate
        words = [
            f"{leaf.window[0]}x{leaf.window[0]} {leaf.operator}" if leaf.window else leaf.operator
            for leaf in (*self.lead, *self.rest, self.merge)
            if isinstance(leaf, Layer) and (leaf.counted or gate or leaf is self.merge)
        ]
        text = ", ".join(words)
        return self.title, f"{text[:1].upper()}{text[1:]}"

    def lines(self, leads: bool, side: list[str]) -> list[tuple[str, str]]:
        """Those of forward, each in two: what it sets, and to what."""
        lines: list[tuple[str, str]] = []
        shortcut, body = self.tensors

        def run(target: str, parts: list[Part], value: str) -> str:
            lines.append((f"{target} = ", _nested(parts, value)))
            return target

        value = run(body, self.lead, "x") if leads else "x"
        source = value if self.follows else "x"
        for name in side:
            source = run(shortcut, [part for part in self.side if part.name == name], source)
        leaf = [isinstance(part, Layer) for part in self.rest]
        starts = [at for at, of in enumerate(self.rest) if not (at and leaf[at - 1] and _plain(of))]
        for start, end in pairwise([*starts, len(self.rest)]):
            value = run(body, self.rest[start:end], value)
        if self.merge:
            meeting = {shortcut: source, body: value}
            value = re.sub(r"\w+", lambda word: meeting.get(word[0], word[0]), self.merged)
        elif self.rest:
            value = lines.pop()[1]
        return [*lines, ("return ", _nested(self.after, value))]


def _nested(parts: list[Part], value: str) -> str:
    return reduce(lambda value, part: f"self.{part.name}({value})", parts, value)


def _either(lines: tuple[tuple[str, str], ...], having: dict[str, list[bool]]) -> str:
    """One line for all units; if they differ, by whether an attribute is there, it asks for that."""
    (target,), texts = {target for target, _ in lines}, dict.fromkeys(text for _, text in lines)
    if len(texts) == 1:
        return target + "".join(texts)
    for name, there in having.items():
        for one, other in permutations(texts):
            if there == [text == one for _, text in lines]:
                parts = (other, f"if self.{name} is None", f"else {one}")
                line = target + " ".join(parts)
                return line if len(line) <= WIDTH - 4 else f"{target}(\n{_indented(parts)}\n)"
    raise ValueError("no attribute that tells them apart")


class _Writer:
    """Writes the classes of a network, each for all units that can share it, inner ones first.

    They may differ in numbers, and in which attributes they have if forward can ask for one of them.
    """

    def __init__(self, net: Sequence) -> None:
        self.pieces: list[str] = []
        self.titles = {*_ours()}
        self.made: dict[Part, Module] = {}
        parts: list[Composite | Parallel] = [net]
        for part in parts:  # and those inside, as they are added
            inner = part.branches if isinstance(part, Parallel) else _Unit(part).attributes.values()
            parts += [of for of in inner if not isinstance(of, Layer)]
        composites = [part for part in parts[1:] if not isinstance(part, Parallel)]
        bare = dict.fromkeys(part._replace(name="", label="") for part in composites)
        units = [part for part in bare if not _Unit(part).numbered]
        self.units = sorted(units, key=lambda unit: -len(_Unit(unit).attributes))
        stages = ", ".join(node.label for node in net.parts if isinstance(node, Stage))
        self._write(net, net.title, f"Stages {stages}")

    def _write(self, unit: Composite, word: str, doc: str) -> None:
        """Adds the class of a unit, and of all that can share it."""
        self.titles.add(title := _free(word, self.titles))
        family, (text, modules) = [unit], self._class([unit], title, doc)
        for other in self.units:
            if other not in self.made and other not in family:
                with suppress(ValueError):
                    text, modules = self._class([*family, other], title, doc)
                    family.append(other)
        self.pieces.append(text)
        self.made |= zip(family, modules, strict=True)

    def _class(self, family: list[Composite], title: str, doc: str) -> tuple[str, list[Module]]:
        """The text of a class, and how it makes each unit; `ValueError` if it can't be one."""
        units = [_Unit(part) for part in family]
        most = max((unit.attributes for unit in units), key=len)
        side = [part.name for part in max((unit.side for unit in units), key=len)]
        for unit in units:
            own = unit.attributes
            kept = [
                name
                for name, of in own.items()
                if not isinstance(of, Layer) or of.tensors() or of.buffers()
            ]
            for names, among in ((kept, most), ([part.name for part in unit.side], side)):
                if own.keys() - most or names != [name for name in among if name in names]:
                    raise ValueError("not in the same order")
        numbers, made = _Numbers(len(units)), dict[str, str]()
        having = {name: [name in unit.attributes for unit in units] for name in most}
        for name, there in sorted(having.items(), key=lambda item: -sum(item[1])):
            parts = {i: units[i].attributes[name] for i in numbers.units if there[i]}
            code = numbers.code({i: self._module(part) for i, part in parts.items()})
            made[name] = f"self.{name} = {code}"
            if not all(there):
                condition = numbers.condition(dict(enumerate(there)), name)
                made[name] = f"self.{name} = None\nif {condition}:\n{_indented([made[name]])}"
        leads, follows = any(unit.lead for unit in units), any(unit.follows for unit in units)
        programs = [unit.lines(leads, side or [""] * follows) for unit in units]
        forward = [_either(lines, having) for lines in zip(*programs, strict=True)]
        lines = [
            "\n".join(wrap(f'"""{doc}."""', 96)) + "\n",
            _defined("__init__", ["self", *numbers.signature()], "None"),
            _indented(["super().__init__()", *(made[name] for name in most)]),
            "\ndef forward(self, x: Tensor) -> Tensor:",
            _indented(forward),
        ]
        text = f"class {title}(nn.Module):\n{_indented(lines)}"
        return text, [numbers.module(title, i) for i in numbers.units]

    def _module(self, part: Part) -> Module:
        """How a part is made; its class, if it has one, is written first."""
        if isinstance(part, Layer):
            module = part.module()
            return module if module.name in _ours() else module._replace(name=f"nn.{module.name}")
        if isinstance(part, Parallel):
            branches: dict[str, Any] = {each.name: self._module(each) for each in part.branches}
            how = {"parts": part.split, "chain": part.chain}
            return Module("Branches", branches | how, {"parts": 0, "chain": False})
        bare, unit = part._replace(name="", label=""), _Unit(part)
        if bare not in self.made and unit.numbered:
            inner = {int(name): self._module(of) for name, of in unit.attributes.items()}
            row = [inner.get(at, NOTHING) for at in range(max(inner, default=-1) + 1)]
            folded = {str(at): module for at, module in enumerate(self._folded(row))}
            self.made[bare] = Module(SEQUENCE, folded)
        elif bare not in self.made:
            self._write(bare, *unit.described())
        return self.made[bare]

    def _folded(self, row: list[Module]) -> list[Module]:
        """A row with what repeats in it made by a function, where that is shorter."""
        starts = [at for at, module in enumerate(row) if module.name == row[0].name]
        groups = [row[start:end] for start, end in pairwise([*starts, len(row)])]
        kinds = [
            [repr(of) if of.name == SEQUENCE else (of.name, *of.arguments) for of in group]
            for group in groups
        ]
        size = len([*takewhile(lambda at: len({*at}) == 1, zip(*kinds, strict=False))])
        if len(groups) * (size - 1) <= size + 5:
            return row
        names = [module.name.removeprefix("nn.") for module in row[:size]]
        self.titles.add(title := _free(f"_{names[0].lower()}", self.titles))
        numbers = _Numbers(len(groups))
        codes = [numbers.code({i: g[at] for i, g in enumerate(groups)}) for at in range(size)]
        head = _defined(title, numbers.signature(), "list[nn.Module]")
        lines = [f'"""{", ".join(names)}."""', "return [", *(f"    {code}," for code in codes), "]"]
        self.pieces.append(f"{head}\n{_indented(lines)}")
        folded = [[numbers.module(f"*{title}", i), *g[size:]] for i, g in enumerate(groups)]
        return [module for group in folded for module in group]
