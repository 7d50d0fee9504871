"""Which constants of an ONNX file are parameters: those in a weight's place. ONNX itself does not say."""

from __future__ import annotations

from math import prod

from resnet_cli.graphs.graph import BUFFER, CONSTANT, PARAMETER, Graph, Tensor, bodies

WEIGHTS: dict[str, tuple[int, ...]] = {  # operator: which of its inputs weights come in at
    "Conv": (1, 2), "ConvTranspose": (1, 2), "DeformConv": (1, 3), "ConvInteger": (1,),
    "QLinearConv": (3, 8), "FusedConv": (1, 2), "CausalConvWithState": (1, 2),
    "Gemm": (0, 1, 2), "MatMul": (0, 1), "MatMulInteger": (0, 1), "QLinearMatMul": (0, 3),
    "FusedMatMul": (0, 1), "Einsum": tuple(range(8)), "MatMulNBits": (1, 5), "QGemm": (3, 6),
    "BatchNormalization": (1, 2), "InstanceNormalization": (1, 2), "GroupNormalization": (1, 2),
    "LayerNormalization": (1, 2), "RMSNormalization": (1,), "SkipLayerNormalization": (2, 3, 4),
    "SimplifiedLayerNormalization": (1,), "SkipSimplifiedLayerNormalization": (2, 3),
    "DynamicQuantizeLSTM": (1, 2, 3), "DynamicQuantizeMatMul": (1, 4), "MatMulIntegerToFloat": (1, 6),
    "LSTM": (1, 2, 3, 7), "GRU": (1, 2, 3), "RNN": (1, 2, 3), "PRelu": (1,),
    "Gather": (0,), "EmbedLayerNormalization": (2, 3, 4, 5, 6), "Attention": (1, 2), "QAttention": (1, 2),
    "MultiHeadAttention": (3,), "BiasGelu": (1,), "FastGelu": (1,), "FusedGemm": (0, 1, 2), "TransposeMatMul": (0, 1),
    "Add": (0, 1), "Sub": (0, 1), "Mul": (0, 1), "Div": (0, 1), "Where": (1, 2), "Concat": (0, 1, 2),
}  # fmt: skip
STATISTICS = {"BatchNormalization": (3, 4)}
BY_SIZE = {"Add", "Sub", "Mul", "Div", "Where", "Concat"}  # a single number there is none
PASSED_ON = {  # a weight may come through these, by the first input
    "Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Expand", "Slice",
    "Split", "DequantizeLinear", "QuantizeLinear", "Pad", "Tile",
}  # fmt: skip
WITH_INTEGERS = {"DequantizeLinear", "QLinearConv", "QGemm"}  # biases of 32 bits are read there
FEW_BITS = ("int8", "uint8", "int4", "uint4", "int2", "uint2")


def with_kinds(graph: Graph) -> Graph:
    """The graph with each constant a parameter, a buffer (a norm's statistics) or a constant.

    In the place of a weight integers of few bits are weights, too. Weights may be used in bodies alone.
    """
    _mark(graph)
    return graph


def _mark(graph: Graph) -> dict[str, str]:
    """Sets the kinds of a graph's tensors; gives those of tensors around it, by how they are used here."""
    places: dict[str, str] = {}
    integers: set[str] = set()
    for node in reversed(graph.nodes):
        for body in bodies(node):
            for name, kind in _mark(body).items():
                places.setdefault(name, kind)
        if node.domain not in ("", "com.microsoft"):
            continue
        x, operator = node.inputs, node.operator
        for at in WEIGHTS.get(operator, ()):
            if at < len(x) and (operator not in BY_SIZE or _several(graph.tensors.get(x[at]))):
                places.setdefault(x[at], PARAMETER)
        for at in STATISTICS.get(operator, ()):
            if at < len(x):
                places.setdefault(x[at], BUFFER)
        if operator in PASSED_ON and x:
            for name in node.outputs:
                if name in places:
                    places.setdefault(x[0], places[name])
        if operator in WITH_INTEGERS:
            integers.update(x)
    for name, kind in places.items():
        tensor = graph.tensors.get(name)
        if tensor is not None and tensor.kind == CONSTANT and _learned(tensor, name in integers):
            graph.tensors[name] = tensor._replace(kind=kind)
    return {name: kind for name, kind in places.items() if name not in graph.tensors}


def _several(tensor: Tensor | None) -> bool:
    """Whether it holds more than one number, as far as is known."""
    if tensor is None or tensor.shape is None:
        return True
    return prod(size for size in tensor.shape if isinstance(size, int)) > 1


def _learned(tensor: Tensor, with_integers: bool) -> bool:
    dtype = tensor.dtype or ""
    floating = dtype.startswith(("float", "bfloat"))
    return floating or dtype in FEW_BITS or (with_integers and dtype == "int32")
