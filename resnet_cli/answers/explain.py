"""explain(): how a depth, parameter count, cost, memory, shape or receptive field comes about."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.explain import depth
from resnet_cli.analyses.explain import explain as analysis
from resnet_cli.answers.view import Model, View, about, cost_notes
from resnet_cli.designs import limits
from resnet_cli.designs.fields import source
from resnet_cli.errors import UserError, did_you_mean, folded, typed
from resnet_cli.layers.arithmetic import Step
from resnet_cli.models import load, looks_like_a_path
from resnet_cli.networks import Network
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row, input_of

COUNTED = (
    "counted are convolutions and linear layers of the main path (He et al. 2015, Table 1): batch "
    "norm, ReLU, pooling and additions are none, and projections and gates stand beside the path"
)
LEARNED = (
    "params: learnable; k: kernel, c_in and c_out: channels, 2·c: scale and shift of a norm with c channels, "
    "whose running statistics are not learned"
)
SIZES = (
    "n: height or width of the input, k: kernel, s: stride, p: padding on each side, d: dilation; a padding of "
    "⌊(k − 1) / 2⌋ keeps n where the stride is 1 and k odd"
)
BALANCE = (
    "half of the height and width leaves a quarter of the places, twice the channels in and out make "
    "four times the weights: 1/2 · 1/2 · 2 · 2 = 1, the same cost a layer (He et al. 2015, Sec. 3.3)"
)
FIELD = (
    "in pixels of the input, r: what one neuron sees across; j: from one neuron's window to the next one's; "
    "P: how far the first window reaches out of it; centre: the middle of that window, the first pixel being 0",
    "k: kernel, s: stride, p: padding of a layer; where branches meet a neuron sees what either of them sees",
)
BYTES = (
    "in bytes, for a batch of {batch}; saved: what autograd keeps for the backward pass, each tensor once, "
    "where it is first needed",
    "c, h, w: channels, height and width of a tensor, n: numbers; bytes: of one number",
)


USUAL = ("momentum", "fp32", False, False)
"""How a network is run where nothing else is said: optimiser, dtype, in place, checkpointed."""


class Question(NamedTuple):
    """What is asked about: a ``layer`` of a network, which is ``rows`` of it, or all of it.

    ``run`` is how, as USUAL has it.
    """

    network: Network
    rows: list[Row]
    layer: str | None
    run: tuple[str, str, bool, bool]


class Explained(NamedTuple):
    """The derivation, and in short the ``result`` that it leads to, None if unknown, of this ``unit``."""

    tables: list[Table]
    notes: list[str]
    result: float | None
    unit: str
    more: dict[str, Any] = {}  # noqa: RUF012  (never changed)


def explain(
    what: Model,
    model: Model | None = None,
    layer: str | None = None,
    batch: int | None = None,
    optimizer: str = "momentum",
    dtype: str = "fp32",
    inplace: bool = False,
    checkpoint: bool = False,
) -> View:
    """A number step by step: ``what`` is depth, params, macs, flops, memory, shape or receptive-field.

    ``layer`` is a path of torch's (layer2.0.conv1) or a paper's label (conv3_1, conv3_x); without one
    it is the whole network. A network alone: what there is to explain. ``what`` may stand behind the
    network. The last four are as of `memory`, and of it alone. Raises `UserError` for a number or a
    layer that there is not.
    """
    asked, model, layer = ordered(what, model, layer)
    network = load(model)
    if batch is not None:
        limits.within("batch", batch, limits.BATCH)
        network = network._replace(batch=batch)
    run = (optimizer, dtype, inplace, checkpoint)
    if run != USUAL and asked != "memory":
        raise UserError(
            f"{asked or 'what there is to explain'} does not depend on optimiser, dtype and what is kept",
            f"leave them out, or type {typed('explain', 'memory', network.model)}",
        )
    rows = network.rows if layer is None else analysis.select(network.rows, layer)
    question = Question(network, rows, layer, run)
    if asked is None:
        return _overview(question)
    tables, notes, *_, more = EXPLAINED[asked](question)
    title = f"{TITLES.get(asked, asked)} of {network.title}" + (f", {layer}" if layer else "")
    return about(network, "explain", [tables[0]._replace(title=title), *tables[1:]], notes, **more)


def ordered(*words: Any) -> tuple[str | None, Any, Any]:
    """What to explain (None: whatever there is), of which network, and of which of its layers.

    Raises `UserError` where there is no network among the words, or nothing that is explained.
    """
    words = tuple(word for word in words if word is not None)
    for at, word in enumerate(words[:2]):
        asked = _called(word)
        if asked is not None:
            model, layer = (*words[:at], *words[at + 1 :], None, None)[:2]
            if model is None:
                raise UserError("no network named", f"type {typed('explain', asked, 'resnet50')}")
            return asked, model, layer
    if not words:
        raise UserError("no network named", f"type {typed('explain', 'resnet50')}")
    for word in words:
        guess = did_you_mean(word, EXPLAINED) if isinstance(word, str) else ""
        if len(words) > 2 or (guess and not _names_one(word)):
            limits.one_of("number to explain", str(word), tuple(EXPLAINED))
    if len(words) == 2 and not _names_one(words[0]) and _names_one(words[1]):
        limits.one_of("number to explain", str(words[0]), tuple(EXPLAINED))
    return None, words[0], words[1] if len(words) > 1 else None


def _called(word: Any) -> str | None:
    """What is explained under this word, whatever its case and hyphens."""
    if not isinstance(word, str):
        return None
    names = {folded(name): name for name in EXPLAINED} | ALSO
    return names.get(folded(word))


def _names_one(word: Any) -> bool:
    """Whether a word is a network, or a path of one whether it is there or not."""
    if isinstance(word, str) and looks_like_a_path(source(word)):
        return True
    try:
        load(word)
    except UserError:
        return False
    return True


def _overview(question: Question) -> View:
    """Each number in short, and the command that explains it."""
    network, _, layer, _ = question
    columns = (
        Column("what", "what"),
        Column("result", "result", "exact"),
        Column("unit", "", drop=1),
        Column("command", "how it comes about"),
    )
    lines: list[tuple[str, float | None, str, str]] = []
    for what in EXPLAINED:
        if what == "flops" or (what == "depth" and (layer is not None or network.spec is None)):
            continue
        try:
            *_, result, unit, _ = EXPLAINED[what](question)
        except UserError as problem:
            result, unit = None, problem.what
        words = [what, network.model, *([layer] if layer else [])]
        lines.append((what, result, unit, typed("explain", *words)))
    title = f"What can be explained of {network.title}" + (f", {layer}" if layer else "")
    notes = [] if layer else [f"a layer, a block or a stage behind it: {_examples(network)}"]
    return about(network, "explain", [Table("rows", title, columns, lines)], notes)


def _examples(network: Network) -> str:
    """What may stand behind a network."""
    if network.spec is not None:
        return "layer2.0.conv1, conv3_1, conv3_x"
    rows = [row for row in network.rows if row.macs] or network.rows
    row = rows[len(rows) // 2]
    return ", ".join(dict.fromkeys(filter(None, (row.path, row.label, row.stage))))


def _depth(question: Question) -> Explained:
    network, rows, layer, _ = question
    if network.spec is None:
        raise UserError(
            f"a depth is derived of a spec, and {network.name} has none",
            f"its modules: {typed('summary', network.model, '--level', '2')}",
        )
    if layer is not None:
        raise UserError(
            f"a depth is the whole network's, and {layer!r} a part of it",
            f"leave it out: {typed('explain', 'depth', network.model)}",
        )
    result = depth.depth(rows).layers
    return Explained([analysis.table(depth.steps(rows, network.name))], [COUNTED], result, "layers")


def _params(question: Question) -> Explained:
    steps = analysis.ladder(question.rows, analysis.parameters)
    return Explained([analysis.table(steps)], [LEARNED], steps[-1].result, "learnable numbers")


def _macs(question: Question) -> Explained:
    network, rows, *_ = question
    steps = analysis.ladder(rows, analysis.macs)
    macs = steps[-1].result
    note, *batch = cost_notes(network, counts.macs(rows))
    notes = [
        "norms, activations, pooling and additions have no MACs: see resnet-cli flops --level operator",
        note,
        *batch,
    ]
    return Explained([analysis.table(steps)], notes, macs, "multiply-accumulates of one input")


def _flops(question: Question) -> Explained:
    (table,), notes, macs, *_ = _macs(question)
    last = Step("FLOPs", "two a MAC", f"2·{macs:,}", 2 * (macs or 0))
    return Explained([table._replace(rows=[*table.rows, last])], notes, last.result, "two a MAC")


def _memory(question: Question) -> Explained:
    from resnet_cli.analyses.explain import memory as explained
    from resnet_cli.analyses.memory import memory
    from resnet_cli.answers.memory import DTYPES, NOTES, settings
    from resnet_cli.render.tables.numbers import binary

    network, rows, layer, run = question
    how = settings(network, *run)
    batch, of = network.batch, memory.memory(network.rows, how)
    chosen = {id(row) for row in rows}
    places = [at for at, row in enumerate(network.rows) if id(row) in chosen]
    steps = explained.fixed(of, places)
    notes = [*(note.format(batch=f"{batch:,}") for note in BYTES), DTYPES[how.dtype]]
    if layer is not None:
        alone = len(places) == 1
        steps += (
            explained.saved_by(of, batch, places[0])
            if alone
            else explained.saved(of, batch, places)
        )
        saved = sum(of.saved.rows[place].of(batch) for place in places)
        tables = [analysis.table(steps), explained.reasons(rows)]
        return Explained(tables, notes, saved, "bytes saved for the backward pass", how._asdict())
    steps += explained.saved(of, batch, places)
    tables = [analysis.table(steps), explained.training(of, batch), explained.inference(of, batch)]
    tables.append(explained.reasons(rows))
    total = memory.by_level(of, batch)[1]
    shown = ", ".join(
        f"{key} {binary(total[key], False)}" for key in ("saved", "training", "inference")
    )
    notes += [f"as resnet-cli memory shows them: {shown}", *NOTES[2:]]
    more = how._asdict() | {"bytes": total}
    unit = f"bytes in training, batch {batch:,}"
    return Explained(tables, notes, total["training"], unit, more)


def _shape(question: Question) -> Explained:
    network, rows, layer, _ = question
    image = len(input_of(network.rows)) == 3
    if layer is not None:
        if len({row.path for row in rows}) == 1:
            steps = analysis.shape(rows[0], image)
        else:
            steps = analysis.chain([row for row in rows if row.layer.resizes] or rows[-1:])
        elements = prod(rows[-1].output) if rows[-1].output else None
        return Explained([analysis.table(steps)], [SIZES], elements, "numbers put out")
    if not image:
        steps = analysis.chain([row for row in rows if row.macs] or rows[-1:])
        return Explained([analysis.table(steps)], [SIZES], prod(rows[-1].output), "numbers put out")
    changing = list(filter(analysis.halves, rows))
    notes = [SIZES] if changing else ["no layer changes height or width; the last is shown", SIZES]
    tables = [analysis.table(analysis.chain(changing or rows[-1:]))]
    equal = analysis.balance(rows)
    if equal:
        tables.append(analysis.table(equal, "balance", "MACs of one layer in each stage"))
        every = len({step.result for step in equal}) == 1
        verdict = (
            "all equal" if every else "equal where the channels double as height and width halve"
        )
        notes.append(f"{BALANCE}; here {verdict}")
    maps = [row.output for row in rows if row.part != "head" and len(row.output) == 3]
    height = maps[-1][1] if maps else None
    return Explained(tables, notes, height, "pixels of height left")


def _receptive_field(question: Question) -> Explained:
    from resnet_cli.analyses.explain import receptive_field as field
    from resnet_cli.analyses.field.receptive_field import across, features, fields
    from resnet_cli.answers.receptive_field import whole_image

    network, rows, layer, _ = question
    notes = [*whole_image(network), *FIELD]
    reached = fields(network.rows)
    if layer is not None:
        steps = field.by_layer(network.rows, rows)
        last = next(at for at, row in enumerate(network.rows) if row is rows[-1])
        return Explained(
            [analysis.table(steps)], notes, across(reached[last]).size or None, "pixels across"
        )
    hidden = [
        row for row, each in zip(rows, reached, strict=True) if any(side.why for side in each)
    ]
    if hidden:
        notes.insert(0, f"from {analysis.named(hidden[0])} on it is not known")
    stage, reach = features(network.rows)
    tables = [analysis.table(field.by_stage(rows))]
    return Explained(tables, notes, reach.size or None, f"pixels across at {stage}")


EXPLAINED: dict[str, Callable[[Question], Explained]] = {
    "depth": _depth,
    "params": _params,
    "macs": _macs,
    "flops": _flops,
    "memory": _memory,
    "shape": _shape,
    "receptive-field": _receptive_field,
}
ALSO = {"layers": "depth", "parameters": "params", "rf": "receptive-field"}
"""Other words for them."""
TITLES = {"macs": "MACs", "flops": "FLOPs", "receptive-field": "receptive field"}
"""What is written otherwise than it is typed."""
