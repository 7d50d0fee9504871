"""identify(): which network a file holds, of weights or of operations."""

from __future__ import annotations

import os

from resnet_cli.analyses import identify as analysis
from resnet_cli.analyses import identify_graph as graphs
from resnet_cli.analyses.compare import tensors
from resnet_cli.answers.view import Model, View, uncounted
from resnet_cli.answers.weight_file import NOTE, weight_file
from resnet_cli.checkpoints.container.contents import Checkpoint
from resnet_cli.checkpoints.container.read import read
from resnet_cli.checkpoints.identify.recognise import Named, named, recognise
from resnet_cli.errors import UserError, printable, typed
from resnet_cli.graphs.read import holds_graph
from resnet_cli.models import load
from resnet_cli.trace import trace

OF_GRAPH = (
    "told from the operations and shapes of the file: no number was read, nothing in it was run"
)


def identify(file: str, against: Model | None = None, keys: str | None = None) -> View:
    """The network of a weight file, without torch and without running anything in it.

    A graph of operations, .pt2 or .onnx, says more than weights: the listed network that computes the same, or
    the nearest and what differs. ``against`` lists the tensors that differ from a network or another file, ``keys`` those that match a pattern.
    Raises `UserError` (exit 1) for a file that holds no network.
    """
    if against is not None and keys is not None:
        raise UserError("both --against and --keys given", "give one of them")
    if holds_graph(file):
        if against is not None or keys is not None:
            raise UserError(
                f"{printable(file)!r} holds operations, and not weights alone",
                f"type {typed('compare', file, str(against or 'MODEL'))}",
            )
        return _graph(file)
    checkpoint = read(file)
    content = named(checkpoint.content)
    if against is not None:
        return _against(file, content, against)
    if keys is not None:
        return _keys(file, content, keys)
    return _identify(file, content, checkpoint)


def _identify(file: str, content: Named, checkpoint: Checkpoint) -> View:
    recognised = recognise(content)
    facts = analysis.facts(checkpoint, content, recognised)
    table = analysis.description(recognised.spec, facts)._replace(title=_name(file))
    notes = [
        *(f"differs: {words}" for words in recognised.words),
        *_beside(content),
        *(f"weights cannot tell {clause}" for clause in recognised.cannot_tell),
        "params: learnable; running statistics of batch norm are apart",
        NOTE,
    ]
    envelope = {"command": "identify", "file": printable(file), **facts, "rows": []}
    return View(envelope, [table], notes)


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
    return View(envelope, [table], [*uncounted([network]), *notes, OF_GRAPH])


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
