"""Shapes of all tensors of an ONNX graph from those of its inputs, with the arithmetic on shapes inside it."""

from __future__ import annotations

from collections.abc import Mapping

from resnet_cli.checkpoints.container.faults import excerpt
from resnet_cli.graphs.bodies import MOST_NODES, MOST_TEXT, size_of
from resnet_cli.graphs.graph import ACTIVATION, Dims, Graph, Node, Tensor
from resnet_cli.graphs.onnx.functions import branch
from resnet_cli.graphs.onnx.parts import ONNXRUNTIME, parts
from resnet_cli.graphs.onnx.parts import RULES as IN_PARTS
from resnet_cli.graphs.onnx.rules import products, same, values, views, windows
from resnet_cli.graphs.onnx.rules.call import Call, Rule, Unknown, checked
from resnet_cli.graphs.onnx.tensors import TYPES

RULES: Mapping[str, Rule] = {
    rule: table[rule]
    for table in (same.RULES, views.RULES, windows.RULES, products.RULES)
    for rule in table
}
MOST_VALUES = 5_000_000  # numbers that are followed in all
LATEST = 25  # version of the operators where the file says none
MOST_INPUTS = 4096  # of one operation
BODIES = {"If", "Loop", "Scan", "SequenceMap"}
DTYPES = {  # of outputs, where not the first input's; None is the first input's
    **dict.fromkeys(("Shape", "Size", "ArgMax", "ArgMin", "NonZero", "NonMaxSuppression"), ("int64",)),
    **dict.fromkeys(
        ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not",
         "IsInf", "IsNaN", "RegexFullMatch"), ("bool",)
    ),
    "TopK": (None, "int64"), "MaxPool": (None, "int64"), "Dropout": (None, "bool"),
    "Unique": (None, "int64", "int64", "int64"), "ConvInteger": ("int32",),
    **dict.fromkeys(
        ("HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix", "RandomNormal",
         "RandomUniform"), ("float32",)
    ),
    "MatMulInteger": ("int32",), "DynamicQuantizeLinear": ("uint8", "float32", "uint8"),
}  # fmt: skip
TYPE_KEYS = ("to", "dtype", "output_datatype")
OF_INPUT = {  # operator: the input whose type the output has
    "Where": 1, "OneHot": 2, "DequantizeLinear": 1, "QLinearConv": 7, "QLinearMatMul": 7,
    "CastLike": 1, "QuantizeLinear": 2,
}  # fmt: skip


def inferred(graph: Graph) -> Graph:
    """The graph with a shape for each tensor, as far as its operators and inputs tell.

    An If whose condition is known gives way to the branch that is taken, an operator that is several in one to
    these. What operators tell comes before what the file says, which fills in where they do not; a tensor of
    neither has a shape of None, and says why.
    """
    tensors = dict(graph.tensors)
    differing: list[str] = []
    nodes: list[Node] = []
    text = 0
    room = MOST_VALUES
    waiting = graph.nodes[::-1]
    while waiting:
        node = waiting.pop()
        taken = (_branch(node, tensors) or parts(node, tensors)) if text < MOST_TEXT else None
        if taken and len(nodes) + len(waiting) + len(taken[0]) < MOST_NODES:
            inner, added = taken
            text += size_of(inner, added)
            waiting += reversed(inner)
            tensors.update({name: tensor for name, tensor in added.items() if name not in tensors})
            continue
        nodes.append(node)
        for tensor in outputs(node, tensors, graph.opsets, room > 0):
            room -= len(tensor.value or ())
            said = tensors[tensor.name]
            if said.kind != ACTIVATION:
                continue
            merged, differs = _merged(said, tensor)
            tensors[tensor.name] = merged
            if differs:
                differing.append(tensor.name)
    notes = graph.notes
    if differing:
        notes = (
            *notes,
            f"the file's shapes are not what its operators give for {len(differing)} tensors, "
            f"{excerpt(differing[0])} the first; the operators' are taken",
        )
    return graph._replace(nodes=nodes, tensors=tensors, notes=notes)


def _branch(
    node: Node, tensors: Mapping[str, Tensor]
) -> tuple[list[Node], dict[str, Tensor]] | None:
    """Of an If whose condition is known, as one on sizes is: the branch that is taken."""
    if node.operator != "If" or node.domain or not node.inputs or not node.outputs:
        return None
    condition = tensors.get(node.inputs[0])
    if condition is None or condition.value is None or len(condition.value) != 1:
        return None
    (known,) = condition.value
    return branch(node, bool(known)) if isinstance(known, int) else None


def outputs(
    node: Node, tensors: Mapping[str, Tensor], opsets: Mapping[str, int], follow: bool = True
) -> list[Tensor]:
    """What an operation gives out, each with its shape or the reason why that is not known.

    ``follow``: also with its numbers, where it is part of the arithmetic on shapes.
    """
    names = [name for name in node.outputs if name]
    x = tuple(tensors.get(name) if name else None for name in node.inputs)
    call = Call(node, x, opsets.get("") or LATEST)
    try:
        shapes = [checked(shape) for shape in _rule(node)(call)]
    except Unknown as problem:
        return [Tensor(name, ACTIVATION, why=str(problem)) for name in names]
    except (ArithmeticError, LookupError, TypeError, ValueError):
        why = f"this {excerpt(node.operator)} does not fit its description"
        return [Tensor(name, ACTIVATION, why=why) for name in names]
    result = []
    for at, name in enumerate(node.outputs):
        if name and at < len(shapes):
            shape: Dims = shapes[at]
            why = _why_open(call) if None in shape else ""
            number = values.value(call, shape) if follow else None
            result.append(Tensor(name, ACTIVATION, shape, _dtype(call, at), number, why=why))
        elif name:
            result.append(Tensor(name, ACTIVATION, why=f"an output {at + 1} that is not described"))
    return result


def _why_open(call: Call) -> str:
    """Why a size of an output is open: what an input's is open for, or else the operator."""
    for tensor in call.inputs:
        if tensor is not None and tensor.shape and None in tensor.shape:
            return tensor.why or f"a size of {excerpt(tensor.name)} is open"
    return f"{excerpt(call.node.operator)} depends on its input's numbers"


def _rule(node: Node) -> Rule:
    name = f"{node.domain}.{node.operator}" if node.domain else node.operator
    if node.operator in BODIES and not node.domain:
        raise Unknown(f"{node.operator} runs a body, which is not followed")
    if len(node.inputs) > MOST_INPUTS:
        raise Unknown(f"it reads more than {MOST_INPUTS:,} tensors")
    rule = RULES.get(name)
    if node.domain == ONNXRUNTIME and node.operator in IN_PARTS:
        raise Unknown(f"this form of {excerpt(name)} is not described")
    if rule is None:
        raise Unknown(f"the operator {excerpt(name)} is not known")
    return rule


def _dtype(call: Call, at: int) -> str | None:
    operator, attributes = call.node.operator, call.node.attributes
    for key in TYPE_KEYS:
        code = attributes.get(key)
        if isinstance(code, int) and code in TYPES:
            return TYPES[code][0]
    own = DTYPES.get(operator, ())
    if at < len(own) and own[at]:
        return own[at]
    filling = attributes.get("value")
    if operator == "ConstantOfShape":
        return filling.dtype if isinstance(filling, Tensor) else "float32"
    source = OF_INPUT.get(operator, 0)
    tensor = call.inputs[source] if source < len(call.inputs) else None
    return tensor.dtype if tensor else None


def _merged(said: Tensor, told: Tensor) -> tuple[Tensor, bool]:
    """A tensor by its operator, what that leaves open by the file; whether the two differ."""
    dtype = said.dtype or told.dtype
    if told.shape is None or said.shape is None or len(said.shape) != len(told.shape):
        differs = None not in (told.shape, said.shape)
        shape = told.shape if told.shape is not None else said.shape
        why = told.why if shape is None or None in shape else ""
        return said._replace(shape=shape, dtype=dtype, value=told.value, why=why), differs
    pairs = list(zip(told.shape, said.shape, strict=True))
    shape = tuple(own if own is not None else file for own, file in pairs)
    differs = any(
        isinstance(own, int) and isinstance(file, int) and own != file for own, file in pairs
    )
    why = told.why if None in shape else ""
    return said._replace(shape=shape, dtype=dtype, value=told.value, why=why), differs
