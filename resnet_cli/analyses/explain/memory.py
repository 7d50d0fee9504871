"""How the memory of a training step comes about: what stays, what is saved, what its worst moment holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.explain import explain
from resnet_cli.analyses.explain.explain import named
from resnet_cli.analyses.memory import memory
from resnet_cli.analyses.memory.backward import gradients, run_again
from resnet_cli.analyses.memory.live import outputs
from resnet_cli.analyses.memory.memory import Memory
from resnet_cli.analyses.memory.saved import wanted
from resnet_cli.analyses.memory.storage import INDEX, Moment, Piece, Span, inputs, owners
from resnet_cli.layers.arithmetic import Step
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row, learned, live

ABOVE = "sum of the above"
BESIDE = {
    "activation": "factors", "statistic": "statistics", "index": "indices", "weight": "copy of its weights",
}  # fmt: skip
"""What numbers are called that are saved and no layer's output."""


def fixed(of: Memory, places: Sequence[int]) -> list[Step]:
    """Weights, buffers, gradients and the optimiser's state of the rows at these places."""
    rows = [of.rows[place] for place in places]
    width, optimizer = of.precision.weight, of.settings.optimizer
    states = memory.STATES[optimizer]
    if len(rows) == 1:
        _, formula, numbers, _ = explain.parameters(rows[0])
        formula, numbers = (f"({t})" if " + " in t else t for t in (formula, numbers))
    else:
        formula, numbers = "params", f"{sum(counts.parameters_of(rows)):,}"
    statistics, counters = sum(map(counts.buffers, rows)), sum(map(memory.counters, rows))
    total = {part: sum(of.fixed[place][part] for place in places) for part in of.fixed[0]}
    steps = [
        Step("weights", f"{formula}·bytes", f"{numbers}·{width}", total["weights"]),
        Step(
            "buffers",
            "statistics·bytes + counters·bytes",
            f"{statistics:,}·{width} + {counters}·{INDEX}",
            total["buffers"],
        ),
        Step("gradients", f"{formula}·bytes", f"{numbers}·{width}", total["gradients"]),
        Step(
            "optimiser",
            f"{optimizer}: {states} for each weight",
            f"{states}·{numbers}·{width}",
            total["optimizer"],
        ),
    ]
    return [step for step in steps if step.result or len(rows) > 1]


def saved(of: Memory, batch: int, places: Sequence[int]) -> list[Step]:
    """What these rows save: by stage, or by block within one stage, or by layer within one block."""
    at = {id(of.rows[place]): place for place in places}

    def explained(row: Row) -> Step:
        place = at[id(row)]
        pieces = of.saved.pieces[place]
        formula = ", ".join(_kept_as(piece, place) for piece in pieces)
        numbers = " + ".join(_step("", piece, batch).numbers for piece in pieces)
        return Step(named(row), formula, numbers or "0", of.saved.rows[place].of(batch))

    *steps, last = explain.ladder([of.rows[place] for place in places], explained)
    if last.step != "total":
        steps = [last]
    if of.saved.blocks and len(places) == len(of.rows):
        label, again = memory.heaviest_again(of, batch)
        steps.append(Step(f"{label} again", "the most that runs again", f"{again:,}", again))
    total = Step("saved", "", "sum of what is saved", sum(step.result for step in steps))
    return [*(step._replace(step=f"saved: {step.step}") for step in steps), total]


def saved_by(of: Memory, batch: int, place: int) -> list[Step]:
    """What one row saves, tensor by tensor, and what it needs that a row has saved before."""
    own = of.saved.pieces[place]
    steps = [_step(f"saved: {_kept_as(piece, place)}", piece, batch) for piece in own]
    made = owners(of.rows, of.settings.inplace, training=True)
    for piece in (
        []
        if of.saved.blocks
        else wanted(of.rows, place, made, of.precision, live(of.rows), learned(of.rows))
    ):
        if piece not in own and piece.storage is not None:
            name = named(of.rows[of.saved.first[piece.storage]])
            steps.append(Step(f"needed: {_kept_as(piece, place)}", f"saved by {name}", "0", 0))
    steps.append(Step("saved", "", "sum of what is saved", of.saved.rows[place].of(batch)))
    pieces = of.saved.pieces_again[place]
    again = [_step(f"again: {_kept_as(piece, place)}", piece, batch) for piece in pieces]
    if again:
        result = of.saved.again[place].of(batch)
        again.append(Step("saved again", "as its block runs again", ABOVE, result))
    return steps + again


def training(of: Memory, batch: int) -> Table:
    """The worst moment of a training step, tensor by tensor."""
    moment = of.training.worst(batch)
    name, width = named(of.rows[moment.row]), of.precision.weight
    if moment.again:
        spans = run_again(of.rows, of.precision, of.settings.inplace, of.saved)
        title, start = f"{name} runs again", "the layers after its block"
    else:
        spans = gradients(of.rows, of.precision)
        title, start = f"backward through {name}", "it and the layers after"
    steps = [_resident(of)]
    state = sum(part["optimizer"] for part in of.fixed)
    if state:
        steps.append(Step("optimiser", "as above", f"{state:,}", state))
    if of.training.always.each:
        steps += _inputs(of, batch)
    each, once = moment.saved
    numbers = f"{batch}·{each:,} + {once:,}"
    steps.append(Step(f"saved up to {name}", "batch·each + once", numbers, moment.saved.of(batch)))
    steps += _alive(of.rows, spans, moment, batch)
    if moment.weights:
        numbers = f"{moment.weights // width:,}·{width}"
        steps.append(Step("gradients of weights", f"of {start}", numbers, moment.weights))
    steps.append(Step("training", "", ABOVE, of.training.of(batch)))
    return explain.table(steps, "training", f"Training at its peak: {title}")


def inference(of: Memory, batch: int) -> Table:
    """The worst moment of a pass without gradients, tensor by tensor."""
    moment = of.inference.worst(batch)
    spans = outputs(of.rows, of.precision, of.settings.inplace)
    steps = [_resident(of), *_inputs(of, batch), *_alive(of.rows, spans, moment, batch)]
    if moment.weights:
        width = of.precision.activation
        numbers = f"{moment.weights // width:,}·{width}"
        steps.append(Step("copies of weights", "autocast's, so far", numbers, moment.weights))
    steps.append(Step("inference", "", ABOVE, of.inference.of(batch)))
    title = f"Inference at its peak: while {named(of.rows[moment.row])} runs"
    return explain.table(steps, "inference", title)


def reasons(rows: Iterable[Row]) -> Table:
    """What autograd keeps of each kind of layer's pass, and why."""
    columns = (Column("layer", "layer"), Column("keeps", "keeps"), Column("why", "why"))
    lines: dict[tuple[str, str, str], None] = {}
    for row in rows:
        saves = row.layer.saves(row.inputs, row.output)
        keeps = [("input", "both inputs")[len(saves.inputs) > 1]] * bool(saves.inputs)
        keeps += ["output"] * saves.output + [BESIDE[kept.width] for kept in saves.beside]
        lines[row.layer.operator, ", ".join(keeps) or "nothing", saves.why] = None
    return Table("reasons", "What the backward pass needs", columns, [*lines])


def _alive(rows: Sequence[Row], spans: Iterable[Span], moment: Moment, batch: int) -> list[Step]:
    """The tensors on their way at a moment; what a layer makes beside them has no name."""
    there = [span for span in spans if span.first <= moment.row <= span.last]
    return [_step(f"{span.what}, {named(rows[span.row])}", span.piece, batch) for span in there]


def _resident(of: Memory) -> Step:
    weights, buffers = (sum(part[key] for part in of.fixed) for key in ("weights", "buffers"))
    return Step("weights, buffers", "as above", f"{weights:,} + {buffers:,}", of.resident)


def _inputs(of: Memory, batch: int) -> list[Step]:
    return [_step("input", piece, batch) for piece in inputs(of.rows, of.precision)]


def _step(name: str, piece: Piece, batch: int) -> Step:
    """A tensor's bytes: the batch where it is of every input, its sides, the bytes of a number."""
    sides = "weights" if piece.what == "weight" else {3: "c·h·w"}.get(len(piece.shape), "n")
    formula, numbers = f"{sides}·bytes", "·".join(map(str, (*piece.shape, piece.width)))
    if not piece.each:
        return Step(name, formula, numbers, piece.size)
    return Step(name, f"batch·{formula}", f"{batch}·{numbers}", batch * piece.size)


def _kept_as(piece: Piece, place: int) -> str:
    """What a saved tensor is to the row at this place."""
    if piece.storage is None:
        return BESIDE[piece.what]
    return "output" if piece.storage == place else "input"
