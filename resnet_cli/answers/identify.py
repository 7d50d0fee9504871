"""identify(): which network a file holds, of weights or of operations."""

from __future__ import annotations

import os

from resnet_cli.analyses import identify as analysis
from resnet_cli.analyses import identify_graph as graphs
from resnet_cli.analyses.compare import tensors
from resnet_cli.answers.needs import described
from resnet_cli.answers.view import Model, View, uncounted
from resnet_cli.answers.weight_file import NOTE, weight_file
from resnet_cli.checkpoints.identify.recognise import File, Named, of_file
from resnet_cli.errors import UserError, printable, typed
from resnet_cli.graphs.read import holds_graph
from resnet_cli.models import load
from resnet_cli.trace import trace

SAY_WHICH = (
    "who knows which one it is says so to build: --as MODEL; every other command takes the first"
)
OF_GRAPH = (
    "told from the operations and shapes of the file: no number was read, nothing in it was run"
)


def identify(
    file: str, against: Model | None = None, keys: str | None = None, as_: Model | None = None
) -> View:
    """The network of a weight file, without torch and without running anything in it.

    A graph of operations, .pt2 or .onnx, says more than weights: the listed network that computes the same, or
    the nearest and what differs. ``against`` lists the tensors that differ from a network or another file, ``keys`` those that match a pattern.
    ``as_`` says which network it is, and whether the file fits it is answered. Raises `UserError` (exit 1) for a file that holds no network.
    """
    given = {"--against": against, "--keys": keys, "--as": as_}
    both = [option for option, value in given.items() if value is not None]
    if len(both) > 1:
        raise UserError(f"both {both[0]} and {both[1]} given", "give one of them")
    if holds_graph(file):
        if both:
            raise UserError(
                f"{printable(file)!r} holds operations, and not weights alone",
                f"type {typed('compare', file, str(against or as_ or 'MODEL'))}",
            )
        return _graph(file)
    content = of_file(file)
    if against is not None:
        return _against(file, content.named, against)
    if keys is not None:
        return _keys(file, content.named, keys)
    return _identify(file, content, as_)


def _identify(file: str, content: File, as_: Model | None) -> View:
    recognised = content.recognised(None if as_ is None else described(load(as_)))
    facts = analysis.facts(content.checkpoint, content.named, recognised)
    table = analysis.description(recognised, facts)._replace(
        title=f"{_name(file)}: {recognised.told}"
    )
    candidates = analysis.candidates(recognised)
    notes = [
        *(f"differs: {words}" for words in recognised.words),
        *_beside(content.named),
        *map(printable, recognised.notes),
        *(f"weights cannot tell {clause}" for clause in recognised.cannot_tell),
        *([] if recognised.settled or not recognised.fits else [SAY_WHICH]),
        "params: learnable; running statistics of batch norm are apart",
        NOTE,
    ]
    envelope = {"command": "identify", "file": printable(file), **facts, "rows": []}
    tables = [table, *([candidates] if candidates else [])]
    return View(envelope, tables, notes, int(not recognised.fits))


def _graph(file: str) -> View:
    """What a file of operations computes."""
    network = load(file)
    matched = graphs.matched(network)
    facts = graphs.facts(network, matched)
    notes = []
    if matched.equal:
        (spec, *_), params = matched.equal, facts["params"]
        notes.append(
            "every convolution, linear layer, pool, activation and addition is the network's, in its order, "
            "of its shapes, strides and dilation"
        )
        if graphs.norms(trace(spec.net(), spec.input_shape)) > graphs.norms(network.rows):
            notes.append(
                f"norms are folded into convolutions: {params['file']:,} parameters for {params['network']:,}"
            )
        elif params["file"] != params["network"]:
            notes.append(f"{params['file']:,} parameters for {params['network']:,}")
    elif matched.nearest:
        notes += [f"differs: {words}" for words in graphs.differences(network, matched.rows)]
        notes.append(f"all of it: {typed('compare', file, matched.nearest.name)}")
    table = graphs.description(network, facts, matched)._replace(title=_name(file))
    envelope = {"command": "identify", "file": printable(file), **facts, "rows": []}
    code = int(not matched.equal)
    return View(envelope, [table], [*uncounted([network]), *notes, OF_GRAPH], code)


def _against(file: str, content: Named, model: Model) -> View:
    other = weight_file(model)
    if other is not None:
        lines, name = tensors.of_files(content, other), printable(str(model))
        notes = tensors.names_differ(content, other)
        equal = "shape and type" if notes else "name, shape and type"
    else:
        network = load(model)
        lines, name = tensors.of_network(content, network), network.name
        equal, notes = "name and shape; counters of batches are left out", uncounted([network])
    title = f"A: {_name(file)}; B: {_name(name)}"
    said = f"differing tensors: {len(lines):,}" if lines else f"equal: every tensor has B's {equal}"
    envelope = {
        "command": "identify",
        "file": printable(file),
        "against": name,
        "equal": not lines,
        "rows": [],
    }
    table = tensors.table(lines, "rows", title)
    return View(
        envelope | {"rows": lines},
        [table],
        [said, *notes, *_beside(content), NOTE],
        code=int(bool(lines)),
    )


def _keys(file: str, content: Named, pattern: str) -> View:
    table = analysis.tensors(content, pattern)
    if not table.rows:
        some = ", ".join(printable(name, 60) for name in list(content.tensors)[:2])
        raise UserError(
            f"no tensor matches {pattern[:80]!r}",
            f"type a part of a name or a glob; the file has {some}, ...",
        )
    total = {"tensors": len(table.rows), "numbers": sum(row[-1] for row in table.rows)}
    envelope = {"command": "identify", "file": printable(file), "rows": [], "total": total}
    notes = [f"{len(table.rows):,} of {len(content.tensors):,} tensors", NOTE]
    return View(envelope, [table._replace(title=_name(file))], notes)


def _beside(content: Named) -> list[str]:
    names = content.naming.beside
    if not names:
        return []
    some = ", ".join(printable(name, 60) for name in names[:3])
    return [f"beside the network: {some}" + (f" and {len(names) - 3:,} more" * (len(names) > 3))]


def _name(file: str) -> str:
    return printable(os.path.basename(file))
