"""A file of operations beside what torch or onnxruntime make of it."""

from __future__ import annotations

from importlib.util import find_spec
from math import prod
from typing import NamedTuple

from resnet_cli.analyses import verify as analysis
from resnet_cli.analyses.notation import several
from resnet_cli.answers.needs import fits
from resnet_cli.errors import printable
from resnet_cli.graphs import bind
from resnet_cli.graphs.graph import PARAMETER, Graph
from resnet_cli.graphs.pt2.leaves import PRODUCTS
from resnet_cli.graphs.read import read
from resnet_cli.graphs.rows import known
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.networks import Network
from resnet_cli.trace import modules

ONNXRUNTIME = "onnxruntime: the shapes of all tensors of a run on zeros; it says nothing of parameters and MACs"
TORCH = (
    "torch: each of the file's operators on tensors without numbers, the shapes that come out, and what the rules "
    "of its flop counter say of them, halved; the file is not loaded by torch.export, which would open the pickle in it"
)


class Beside(NamedTuple):
    """What there is beside a file's rows: routes, shapes ``by`` somebody by the tensor's name, notes on them."""

    routes: list[analysis.Route]
    shapes: dict[str, Shape]
    by: str
    notes: list[str]


def checked(network: Network) -> tuple[Beside, list[str]]:
    """The routes that there are for a file, and what does not agree."""
    graph = _solved(network)
    by = _by_torch(graph) if graph.format == "pt2" else _by_onnxruntime(graph, network)
    problems = [_shape_difference(graph, by)]
    for route in by.routes:
        own = analysis.nested(analysis.ours(network.rows, route.counted), [*route.by_path])
        problems.append(analysis.difference(own, route) if route.checks else None)
    return by, [*filter(None, problems)]


def _solved(network: Network) -> Graph:
    """The file's graph with the sizes that the network has."""
    shapes = {each.name: each.shape for each in network.inputs}
    graph = bind.bound(read(network.origin.source or ""), shapes, {}, 1)
    if graph.format == "onnx":
        from resnet_cli.graphs.onnx.shapes import inferred

        return inferred(graph)
    return graph


def _shape_difference(graph: Graph, by: Beside) -> str | None:
    for name, shape in by.shapes.items():
        own = graph.tensors[name].shape
        if own is not None and None not in own and own != shape:
            ours, theirs = ("×".join(map(str, each)) or "one number" for each in (own, shape))
            return f"{printable(name, 80)} is {ours} here, {theirs} by {by.by}"
    return None


def _compared(graph: Graph, by: Beside) -> str:
    """How many shapes there are beside the file's own, in words."""
    unknown = sum(
        shape is None or None in shape
        for shape in (graph.tensors[name].shape for name in by.shapes)
    )
    return f"{several(len(by.shapes) - unknown, 'shape')} compared" + (
        f", {unknown:,} not known here" if unknown else ""
    )


def _by_torch(graph: Graph) -> Beside:
    params: dict[str, int] = {}
    for tensor in {each.name: each for each in graph.tensors.values()}.values():
        if tensor.kind == PARAMETER:
            path = tensor.path.rpartition(".")[0]
            params[path] = params.get(path, 0) + prod(known(tensor))
    paths = _modules(graph)
    file = analysis.Route("file", "params", analysis.nested(params, paths))
    if find_spec("torch") is None:
        return Beside([file], {}, "", [_missing("torch")])
    from resnet_cli.pytorch.replay import replayed

    run = replayed(graph)
    multiply = run.left_out.keys() & PRODUCTS
    torch = analysis.Route("torch", "macs", analysis.nested(run.macs, paths), not multiply)
    by = Beside([file, torch], run.shapes, "torch", [])
    notes = [_compared(graph, by), TORCH]
    if run.left_out:
        operators = ", ".join(f"{name} ({several(n, 'time')})" for name, n in run.left_out.items())
        why = ", so that its MACs are no check" if multiply else ""
        notes.append(f"not run by torch: {operators}{why}")
    return by._replace(notes=notes)


def _modules(graph: Graph) -> list[str]:
    """The modules of the graph that run, the innermost first, and the network itself, "", last."""
    stacks = {node.modules[-1].path for node in graph.nodes if node.modules}
    paths = sorted({part for path in stacks for part in modules(path)}, key=lambda p: -p.count("."))
    return [*paths, ""]


def _by_onnxruntime(graph: Graph, network: Network) -> Beside:
    missing = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
    if missing:
        return Beside([], {}, "", [_missing(", ".join(missing))])
    fits(network.rows, train_on=1)  # every output is kept
    from resnet_cli.pytorch import onnx_run

    inputs = {each.name: each.shape for each in network.inputs}
    try:
        run = onnx_run.shapes(network.origin.source or "", inputs)
    except Exception as problem:  # onnxruntime's own, of many kinds
        said = printable(" ".join(str(problem).split()), 200)
        return Beside([], {}, "", [f"onnxruntime does not run the file: {said}"])
    by = Beside(
        [], {name: s for name, s in run.items() if name in graph.tensors}, "onnxruntime", []
    )
    return by._replace(notes=[_compared(graph, by), ONNXRUNTIME])


def _missing(what: str) -> str:
    return f"not compared with a run, for which is missing: {what}"
