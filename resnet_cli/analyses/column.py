"""A network as a column of boxes that read one another: by modules, and where no spec says what its chain is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from resnet_cli.analyses import boxes as grouping
from resnet_cli.analyses import levels, notation
from resnet_cli.analyses.boxes import Part
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.summary import described
from resnet_cli.analyses.wiring import Shortcut, wired
from resnet_cli.drawings import Box, DrawnNetwork, Size, Unit
from resnet_cli.errors import printable
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.networks import Network
from resnet_cli.trace import INPUT, Row, input_of, modules


def column(name: str, network: Network, level: str, fold: bool) -> DrawnNetwork:
    """A column with a box for each line of the level, and the wires, arcs and skips between them.

    Levels block and layer have a box for each layer that Figure 3 of He et al. 2015 would show, and for
    every one. ``fold`` draws modules that are alike once.
    """
    return _Column(network, level, fold).drawn(name)


class _Column:
    def __init__(self, network: Network, level: str, fold: bool) -> None:
        self.network, self.rows = network, network.rows
        self.params, self.macs = counts.parameters_of(self.rows), counts.macs_of(self.rows)
        self.layered = level in ("block", "layer")
        if self.layered:
            self.by = levels.level(self.rows, "layer")
            alike = grouping.one_behind_another(self.rows) if fold else None
            group = grouping.figure if level == "block" else grouping.layers
            self.boxes = group(self.rows, alike)
        else:
            self.by = levels.level(self.rows, level, levels.LEVELS, fold)
            names = [self.by.name(row) for row in self.rows]
            self.boxes = grouping.by_name(self.rows, names, self.by.lines)
        self.level = level
        self.is_image = self.by.key != "module" and _is_image(self.rows, self.boxes.live)

    def drawn(self, name: str) -> DrawnNetwork:
        parts = self.boxes.parts
        firsts = [self.by.name(self.rows[part.rows[0]]) for part in parts if part.rows]
        self.names = Counter(firsts)
        made = [self._box(part) for part in parts]
        units = []
        for _, group in groupby(range(len(parts)), key=self._unit):
            members = list(group)
            repeat = parts[members[0]].repeat
            units.append(Unit(tuple(made[at] for at in members), (), repeat[1] if repeat else 1))
        reads = [
            {part: self._kind(at, part) for part, at in before.items()}
            for before in self.boxes.reads
        ]
        past = [
            Shortcut(each.source, each.end, *self._on(each.rows)) for each in self.boxes.shortcuts
        ]
        wires, skips = wired(units, reads, past)
        total, least = counts.totals(self.rows), bool(self.network.uncounted)
        notes = self._notes(name)
        return DrawnNetwork(
            name, wires, total["params"], total["macs"], least, skips=skips, notes=notes
        )

    def _notes(self, name: str) -> tuple[str, ...]:
        notes = []
        if self.level == "stage" and self.by.key != "stage":
            notes.append(f"{name} has no stages: a box for each module instead")
        if self.by.lines and self.by.lines.unlike:
            notes.append(f"alike but in their channels: {', '.join(self.by.lines.unlike)}")
        alone = sum(n for at, n in enumerate(self.params) if at not in self.boxes.with_)
        if alone:
            notes.append(f"{name}: {alone:,} params of layers apart from the input have no box")
        return tuple(notes)

    def _unit(self, at: int) -> tuple[object, ...]:
        """What the boxes of a unit have in common: the modules that they are drawn for, or their block."""
        part = self.boxes.parts[at]
        block = self.rows[part.rows[0]].block if part.rows and self.layered else None
        return part.repeat or ((block,) if block else (at,))

    def _kind(self, at: int, part: int) -> str:
        """As what a row reads a part: a residual addition its shortcut, else what is called a skip."""
        row = self.rows[at]
        side = row.reads[0]
        if not row.layer.join or self.boxes.of.get(side) != part:
            return "skip"
        on = self.rows[side] if side >= 0 else None
        return on.layer.on_shortcut if on and on.role == "shortcut" else "identity"

    def _on(self, rows: Sequence[int]) -> tuple[str, tuple[Box, ...]]:
        """The kind of a shortcut, and the layers on it, in one box."""
        own = [at for at in rows if at not in self.boxes.like]
        kinds = (self.rows[at].layer.on_shortcut for at in own)
        kind = next((kind for kind in kinds if kind != "identity"), "identity")
        main = max(own, key=lambda at: self.macs[at], default=None)
        return kind, () if main is None else (self._layer(main, rows),)

    def _box(self, part: Part) -> Box:
        if part.input is not None:
            return self._input(part.input)
        if self.layered:
            return self._layer(part.rows[0], part.rows)
        return self._line(sorted(part.rows), part.repeat[1] if part.repeat else 1)

    def _input(self, number: int) -> Box:
        shape, inputs = input_of(self.rows, INPUT - number), self.network.inputs
        image = len(inputs) == 1 and len(shape) == 3 and shape[0] in (1, 3)
        name = "image" if image else printable(inputs[number].name, 40)
        whole = shape if self.network.batch == 1 else inputs[number].shape
        lines = (name,) if self.layered else (name, written(whole))
        return Box(lines, "input", "", (), (), (), shape, shape, self._size(shape), 0, 0)

    def _layer(self, main: int, rows: Sequence[int]) -> Box:
        """A box for a layer and those that stand with it."""
        row = self.rows[main]
        own = [self.rows[at] for at in sorted(rows) if at not in self.boxes.like and at != main]
        text = notation.on_box(row, self.level, own) or row.layer.operator
        text += ", not counted" * isinstance(row.layer, Uncounted)
        end = [row, *(each for each in own if each.role == "main")][-1].output
        kinds = tuple(each.layer.operator for each in own)
        return self._of(rows, main, (text,), row.layer.operator, end)._replace(
            others=kinds, size=self._size(row.output)
        )

    def _line(self, rows: Sequence[int], drawn_for: int) -> Box:
        """A box for a module or stage; modules alike within one that is drawn for others have their number."""
        reached = [self.rows[at] for at in rows if self.boxes.live[at]]
        line, by = self.by.name(reached[0]), self.by
        name = line
        if self.names[line] > 1:  # others stand between parts of it
            name, by = _around(reached, line), by._replace(times={})
        times = by.times.get(name, 1) // drawn_for
        end = reached[-1].output
        if by.key == "stage":
            stages, classes = {row.stage for row in self.rows}, self.network.classes
            made_of = (
                notation.units(reached, classes, stages) if classes else notation.stage(reached)
            )
            lines = (name, *map(str, notation.shortened(made_of.parts).parts))
            box = self._of(rows, rows[0], lines, "stage", end)
            return box._replace(labels=(name,))
        once = reached[: len(reached) // by.times.get(name, 1)]
        what = described(name, once, by._replace(times={}), self.network.classes)
        parts = [what] if isinstance(what, str) else map(str, notation.shortened(what.parts).parts)
        text = "; ".join(part.removesuffix(" × 1") for part in parts)
        uncounted = dict.fromkeys(
            r.layer.operator for r in reached if isinstance(r.layer, Uncounted)
        )
        text += f"; not counted: {', '.join(uncounted)}" if uncounted else ""
        lines = (f"{name} ×{times}" if times > 1 else name, text, written(end))
        box = self._of(rows, rows[0], lines, "module", end)
        return box._replace(labels=(name,), paths=(line,))

    def _of(
        self, rows: Sequence[int], main: int, lines: tuple[str, ...], kind: str, end: Shape
    ) -> Box:
        row, every = self.rows[main], [main, *sorted(rows)]
        labels = tuple(dict.fromkeys(self.rows[at].label for at in every))
        paths = tuple(dict.fromkeys(self.rows[at].path for at in every))
        params, macs = (sum(each[at] for at in rows) for each in (self.params, self.macs))
        return Box(
            lines, kind, row.stage, labels, paths, (), row.input, end, self._size(end), params, macs
        )

    def _size(self, shape: Shape) -> Size:
        """Of the row that boxes of one output size share; none where outputs are no maps of an image."""
        if not self.is_image:
            return ()
        return (shape[1], shape[2]) if len(shape) == 3 else (1, 1)


def written(shape: Shape) -> str:
    """`64×56×56`; of a single number its one side."""
    sides = [str(side) for side in shape]
    return "×".join(sides) or "1"


def _is_image(rows: Sequence[Row], live: Sequence[bool]) -> bool:
    """Whether outputs are maps of an image, or vectors: nothing multiplies the last side of more."""
    return all(
        len(row.output) in (1, 3)
        and (len(row.output) == 1 or row.layer.convolution or not row.macs)
        for row, runs in zip(rows, live, strict=True)
        if runs and (row.macs or row.layer.in_figure)
    )


def _around(rows: Sequence[Row], name: str) -> str:
    """The innermost module that all rows stand in, or the one path of all; the name where that says more."""
    ways = [modules(row.path) for row in rows]
    common = [path for path, *others in zip(*ways, strict=False) if {path} >= {*others}]
    innermost: str = max([name, *common], key=len)
    return innermost
