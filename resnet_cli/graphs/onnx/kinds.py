"""Which constants of an ONNX file are parameters: those in a weight's place. ONNX itself does not say."""

from __future__ import annotations

from math import prod

from resnet_cli.graphs.graph import BUFFER, CONSTANT, PARAMETER, Graph, Tensor

WEIGHTS: dict[str, tuple[int, ...]] = {  # operator: which of its inputs weights come in at
    "Conv": (1, 2), "ConvTranspose": (1, 2), "DeformConv": (1, 3), "ConvInteger": (1,),
    "QLinearConv": (3, 8), "FusedConv": (1, 2), "CausalConvWithState": (1, 2),
    "Gemm": (0, 1, 2), "MatMul": (0, 1), "MatMulInteger": (0, 1), "QLinearMatMul": (0, 3),
    "FusedMatMul": (0, 1), "Einsum": tuple(range(8)), "MatMulNBits": (1, 5), "QGemm": (3, 6),
    "BatchNormalization": (1, 2), "InstanceNormalization": (1, 2), "GroupNormalization": (1, 2),
    "LayerNormalization": (1, 2), "RMSNormalization": (1,), "SkipLayerNormalization": (2, 3, 4),
    "SimplifiedLayerNormalization": (1,), "SkipSimplifiedLayerNormalization": (2, 3),
    "DynamicQuantizeLSTM": (1, 2, 3), "DynamicQuantizeMatMul": (1,), "MatMulIntegerToFloat": (1,),
    "LSTM": (1, 2, 3, 7), "GRU": (1, 2, 3), "RNN": (1, 2, 3), "PRelu": (1,),
    "Gather": (0,), "EmbedLayerNormalization": (2, 3, 4, 5, 6), "Attention": (1, 2), "BiasGelu": (1,),
    "Add": (0, 1), "Sub": (0, 1), "Mul": (0, 1), "Div": (0, 1), "Where": (1, 2), "Concat": (0, 1, 2),
}  # fmt: skip
STATISTICS = {"BatchNormalization": (3, 4)}
BY_SIZE = {"Add", "Sub", "Mul", "Div", "Where", "Concat"}  # a single number there is none
PASSED_ON = {  # a weight may come through these, by the first input
    "Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Expand", "Slice",
    "Split", "DequantizeLinear", "QuantizeLinear", "Pad", "Tile",
}  # fmt: skip
LEARNED = ("float32", "float16", "bfloat16", "float64")


def with_kinds(graph: Graph) -> Graph:
    """The graph with each constant a parameter, a buffer (a norm's statistics) or a constant.

    In the place of a weight that was made smaller (before DequantizeLinear), integers are weights, too.
    """
    found: dict[str, str] = {}
    for node in reversed(graph.nodes):
        if node.domain not in ("", "com.microsoft"):
            continue
        operator = node.operator
        for at in WEIGHTS.get(operator, ()):
            if at < len(node.inputs):
                tensor = graph.tensors.get(node.inputs[at])
                if operator not in BY_SIZE or (tensor is not None and _several(tensor)):
                    found.setdefault(node.inputs[at], PARAMETER)
        for at in STATISTICS.get(operator, ()):
            if at < len(node.inputs):
                found.setdefault(node.inputs[at], BUFFER)
        if operator in PASSED_ON and node.inputs:
            for name in node.outputs:
                if name in found:
                    found.setdefault(node.inputs[0], found[name])
    for name, kind in found.items():
        tensor = graph.tensors.get(name)
        if tensor is not None and tensor.kind == CONSTANT and _learned(tensor, kind):
            graph.tensors[name] = tensor._replace(kind=kind)
    return graph


def _several(tensor: Tensor) -> bool:
    """Whether it holds more than one number, none of an integer type."""
    shape = tensor.shape
    return shape is None or prod(size for size in shape if isinstance(size, int)) > 1


def _learned(tensor: Tensor, kind: str) -> bool:
    return tensor.dtype in LEARNED or (
        kind == PARAMETER and tensor.dtype in ("int8", "uint8", "int4", "uint4", "int32")
    )
