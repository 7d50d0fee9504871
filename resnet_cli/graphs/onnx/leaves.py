"""ONNX's operators -> leaves, those of onnxruntime beside: by their names, inputs by their places."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from resnet_cli.graphs import leaves
from resnet_cli.graphs.graph import Node
from resnet_cli.graphs.onnx.moves import move
from resnet_cli.graphs.onnx.parts import RULES as IN_PARTS
from resnet_cli.graphs.op import Op, Undescribed
from resnet_cli.layers.base import Layer
from resnet_cli.layers.convolution import Linear
from resnet_cli.layers.moves import Kept
from resnet_cli.layers.normalisation import Norm
from resnet_cli.layers.windows import Reduction, Window

Rule = Callable[[Op], Layer]

ELEMENTWISE = {
    "Relu": "ReLU", "LeakyRelu": "leaky ReLU", "PRelu": "PReLU", "Elu": "ELU", "Selu": "SELU", "Celu": "CELU",
    "Gelu": "GELU", "QuickGelu": "GELU", "Swish": "SiLU", "Mish": "mish",
    "HardSwish": "hard swish", "HardSigmoid": "hard sigmoid", "Sigmoid": "sigmoid", "Tanh": "tanh",
    "Softplus": "softplus", "Softsign": "softsign", "ThresholdedRelu": "threshold", "Clip": "clamp", "Dropout": "dropout",
    "Add": "addition", "Sum": "addition", "Sub": "subtraction", "Mul": "product", "Div": "quotient", "Mod": "remainder",
    "Pow": "power", "Max": "maximum", "Min": "minimum", "Mean": "addition", "Neg": "negation", "Abs": "absolute", "Exp": "exponential",
    "Log": "logarithm", "Sqrt": "square root", "Reciprocal": "reciprocal", "Sin": "sine", "Cos": "cosine",
    "Atan": "arc tangent", "Erf": "error function", "Round": "rounding", "Floor": "rounding", "Ceil": "rounding",
    "Sign": "sign", "Equal": "comparison", "Greater": "comparison", "GreaterOrEqual": "comparison", "Less": "comparison",
    "LessOrEqual": "comparison", "IsNaN": "comparison", "IsInf": "comparison", "And": "logical", "Or": "logical",
    "Xor": "logical", "Not": "logical", "Where": "choice", "CumSum": "running sum",
    **dict.fromkeys(
        ("Acos", "Acosh", "Asin", "Asinh", "Atanh", "Cosh", "Sinh", "Tan"), "trigonometric"
    ),
    **dict.fromkeys(("BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor"), "logical"),
    "CumProd": "running sum", "Shrink": "threshold", "LRN": "local response norm", "RotaryEmbedding": "rotation",
    "QuantizeLinear": "rounding", "DequantizeLinear": "product", "QLinearAdd": "addition", "QLinearMul": "product",
    "QLinearSigmoid": "sigmoid", "QLinearLeakyRelu": "leaky ReLU", "DynamicQuantizeLinear": "rounding",
}  # fmt: skip
READS = {
    "Clip": 1,
    "Dropout": 1,
    "CumSum": 1,
    "QuantizeLinear": 1,
    "DequantizeLinear": 1,
    "QLinearSigmoid": 1,
    "QLinearLeakyRelu": 1,
    "DynamicQuantizeLinear": 1,
}
"""How many inputs are read, where the others are numbers that it is told by."""
VIEWS = {
    "Reshape": "reshape", "Squeeze": "reshape", "Unsqueeze": "reshape", "Transpose": "permutation",
    "Expand": "expansion", "Identity": "view",
}  # fmt: skip
PARTS = {"Slice": "slice"}
SPLITS = {"Split": "split"}
COPIES = {
    "Gather": "gathering", "GatherElements": "gathering", "GatherND": "gathering", "Tile": "repetition",
    "DepthToSpace": "pixel shuffle", "SpaceToDepth": "pixel shuffle", "Pad": "padding", "ScatterND": "writing",
    "ScatterElements": "writing", "Scatter": "writing", "Trilu": "triangle", "OneHot": "one-hot", "TopK": "choice of the largest",
    "NonZero": "choice", "Compress": "choice", "ReverseSequence": "flip", "CenterCropPad": "padding", "Col2Im": "windows",
    "Bernoulli": "drawing", "Multinomial": "drawing", "Hardmax": "choice of the largest", "MaxUnpool": "writing",
    "TensorScatter": "writing", "GridSample": "sampling", "RoiAlign": "sampling",
    "MaxRoiPool": "sampling", "NonMaxSuppression": "choice", "QLinearWhere": "choice",
    "AffineGrid": "grid", "Unique": "choice", "QLinearConcat": "concatenation",
}  # fmt: skip
MADE = {
    "Constant", "ConstantOfShape", "Range", "Shape", "Size", "EyeLike", "RandomNormal", "RandomUniform",
    "RandomNormalLike", "RandomUniformLike", "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix",
}  # fmt: skip
REDUCTIONS = {
    "ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "max", "ReduceMin": "min", "ReduceProd": "product", "ReduceL1": "norm",
    "ReduceL2": "norm", "ReduceLogSum": "sum", "ReduceLogSumExp": "logsumexp", "ReduceSumSquare": "sum",
    "GlobalLpPool": "norm", "ArgMax": "argmax", "ArgMin": "argmax", "QLinearReduceMean": "mean",
}  # fmt: skip
REASONS = {
    **dict.fromkeys(
        ("DFT", "STFT"), "how a Fourier transform is computed is left to the program that runs it"
    ),
    "Det": "how a determinant is computed is left to the program that runs it",
    "GroupQueryAttention": "how much of what it keeps is read depends on the data",
    "ImageDecoder": "it decodes a picture",
    **dict.fromkeys(
        ("RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer"),
        "it is of texts",
    ),
}
"""Why an operator is not counted, where that is more than that nobody has described it."""
PRODUCTS = {
    "Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "DeformConv", "FusedConv", "Gemm", "FusedGemm", "QGemm",
    "MatMul", "MatMulInteger", "QLinearMatMul", "FusedMatMul", "DynamicQuantizeMatMul", "MatMulIntegerToFloat",
    "MatMulNBits", "Einsum", "LSTM", "GRU", "RNN", "DynamicQuantizeLSTM", "Attention", "QAttention",
    "MultiHeadAttention", "GroupQueryAttention",
}  # fmt: skip
"""Operators with multiply-accumulates."""
IGNORED: frozenset[str] = frozenset()
ALIASES = {"Identity", "Cast", "DequantizeLinear"}
CALLED = {"Concat": "cat", "Transpose": "permute", "ReduceMean": "mean", "ReduceSum": "sum"}
TURNS = {"Transpose"}
STEPS = {"LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"}


def turned(op: Op) -> tuple[int, ...]:
    """Nothing: a file has no strides, and says nothing of training."""
    return ()


OURS = ("", "com.microsoft")


def called(name: str) -> str:
    """How an operation outside of modules is called in paths: as torch calls it, so that both have one path."""
    return CALLED.get(name, name.lower())


def base(operator: str) -> tuple[str, bool]:
    """An operator's name; none writes into its input."""
    return operator, False


def leads_with_steps(node: Node) -> bool:
    """Whether the first dimension of what it reads is time, one after another."""
    return node.operator in STEPS and not node.attributes.get("layout")


def leaf(op: Op) -> Layer:
    """What an operation is; raises `Undescribed` where it is none of these."""
    name = op.node.operator
    if op.node.domain not in OURS:
        raise Undescribed("it is none of ONNX's own operators")
    if name in REASONS:
        raise Undescribed(REASONS[name])
    if op.node.domain and name in IN_PARTS:
        raise Undescribed("this form of it is not described")
    if name in ELEMENTWISE:
        if name in READS:
            op.only(*op.node.inputs[: READS[name]])
        return leaves.elementwise(op, ELEMENTWISE[name])
    if name in RULES:
        return RULES[name](op)
    if name in MADE:
        op.only()
        return leaves.copy(op, "constant", Kept())
    if name in REDUCTIONS:
        places = _places(op)
        op.only(op.node.inputs[0])
        if REDUCTIONS[name] == "mean":
            return leaves.pooled(op, places)
        return leaves.reduction(op, REDUCTIONS[name], places)
    if name in COPIES:
        return leaves.copy(op, COPIES[name], move(op, name))
    if name in VIEWS:
        op.only(op.node.inputs[0])
        return _view(op, VIEWS[name])
    if name in PARTS or name in SPLITS:
        op.only(op.node.inputs[0])
        return leaves.view(op, PARTS.get(name) or SPLITS[name], move(op, name))
    raise Undescribed("no rule describes it")


def at(op: Op, place: int) -> str:
    """An input by its place; "" where it is left out."""
    return op.node.inputs[place] if place < len(op.node.inputs) else ""


def _listed(op: Op, key: str, place: int) -> tuple[int, ...]:
    """Whole numbers that are an attribute in older versions and an input in newer ones."""
    name = at(op, place)
    value = op.tensors[name].value if name else op.argument(key, ())
    return (
        tuple(part for part in value or () if isinstance(part, int))
        if isinstance(value, tuple)
        else ()
    )


def _places(op: Op) -> tuple[int, ...]:
    axis = op.argument("axis")
    axes = (axis,) if isinstance(axis, int) else _listed(op, "axes", 1)
    return tuple(op.place("", axis) for axis in axes)


def _view(op: Op, operator: str) -> Layer:
    if operator == "reshape":
        return leaves.flatten(op)
    return leaves.view(op, operator, move(op, op.node.operator))


def _flatten(op: Op) -> Layer:
    return leaves.flatten(op)


def _windows(op: Op, kernel: tuple[int, ...]) -> Window:
    rank = len(kernel)
    stride, dilation = op.numbers("strides", rank, 1), op.numbers("dilations", rank, 1)
    pads = op.numbers("pads", 2 * rank)
    padding = pads[:rank]
    automatic = op.argument("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        sides = op.dims(op.node.inputs[0])[2:]
        missing = [
            max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            for n, k, s, d in zip(sides, kernel, stride, dilation, strict=True)
        ]
        padding = tuple((side + (automatic == "SAME_LOWER")) // 2 for side in missing)
    return Window(kernel, stride, padding, dilation)


def _convolution(op: Op) -> Layer:
    weight, bias = (3, 8) if op.node.operator == "QLinearConv" else (1, 2)
    kernel = op.dims(at(op, weight))[2:]
    transposed = op.node.operator == "ConvTranspose"
    op.only(op.node.inputs[0], at(op, weight))
    return leaves.convolution(
        op, at(op, weight), at(op, bias), _windows(op, kernel), op.number("group", 1), transposed
    )


def _few_bits(op: Op) -> Layer:
    """A product with weights of which several are in a byte."""
    weight, bias = at(op, 1), at(op, 5)
    op.only(op.node.inputs[0], weight)
    return leaves.linear(op, at(op, 0), weight, bias, (op.number("N"), op.number("K")))


def _deformed(op: Op) -> Layer:
    """A convolution that samples where it is told; what places are between pixels costs is not counted."""
    weight, bias = at(op, 1), at(op, 3)
    op.only(at(op, 0), weight, at(op, 2), at(op, 4))
    windows = _windows(op, op.dims(weight)[2:])
    return leaves.convolution(op, weight, bias, windows, op.number("group", 1), plain=False)


def _loss(op: Op) -> Layer:
    op.only(at(op, 0), at(op, 2))
    return Reduction(op.label, "loss", op.result)


def _gemm(op: Op) -> Layer:
    places = (3, 6) if op.node.operator == "QGemm" else (1, 2)
    weight, bias = (at(op, place) for place in places)
    sides = op.dims(weight)
    if not op.number("transB", 0):
        sides = sides[::-1]
    return leaves.linear(op, at(op, 0), weight, bias, sides)


def _matmul(op: Op) -> Layer:
    weight = at(op, 3 if op.node.operator == "QLinearMatMul" else 1)
    if op.node.operator != "MatMul":
        op.only(op.node.inputs[0], weight)
    sides = op.dims(weight)
    if len(sides) == 2 and op.owns("weight", weight):
        return Linear(op.label, sides[0], sides[1], op.owns("bias", at(op, 2)))
    return leaves.product(op, at(op, 0), weight)


def _einsum(op: Op) -> Layer:
    return leaves.einsum(op, str(op.argument("equation")), op.node.inputs)


def _batch_norm(op: Op) -> Layer:
    return leaves.batch_norm(op, at(op, 1), at(op, 2), at(op, 3), at(op, 4), counts=True)


def _group_norm(op: Op) -> Layer:
    return leaves.group_norm(op, op.number("num_groups", 1), at(op, 1), at(op, 2))


def _instance_norm(op: Op) -> Layer:
    return leaves.group_norm(op, op.channels, at(op, 1), at(op, 2), "instance norm")


def _layer_norm(op: Op) -> Layer:
    rank = len(op.dims(at(op, 0)))
    sides = rank - op.number("axis", -1) % rank
    operator = "layer norm" if op.node.operator == "LayerNormalization" else "RMS norm"
    return leaves.layer_norm(op, sides, at(op, 1), at(op, 2), operator)


def _plain_norm(op: Op) -> Layer:
    """A norm without weights, of each input."""
    return Norm(op.label, "norm", op.result, (), 1)


def _pool(op: Op) -> Layer:
    kernel = op.numbers("kernel_shape", len(op.dims(at(op, 0))) - 2)
    plain = bool(op.number("ceil_mode", 0)) and not op.number("count_include_pad", 0)
    return leaves.pool(op, _windows(op, kernel), op.node.operator == "MaxPool", plain)


def _global_pool(op: Op) -> Layer:
    return leaves.adaptive_pool(op, "Max" in op.node.operator)


def _concat(op: Op) -> Layer:
    return leaves.copy(op, "concatenation", move(op, "Concat"))


def _resize(op: Op) -> Layer:
    mode = str(op.argument("mode", "nearest"))
    op.only(op.node.inputs[0])
    how = str(op.argument("coordinate_transformation_mode", "half_pixel"))
    anchor = {"align_corners": "corners", "asymmetric": "edge"}.get(how, "centre")
    if op.node.operator == "Upsample":
        anchor = "edge"
    return leaves.resized(op, {"nearest": 1, "cubic": 4}.get(mode, 2), anchor)


def _gather(op: Op) -> Layer:
    if not op.number("axis", 0) and op.owns("weight", at(op, 0)):
        return leaves.embedding(op, at(op, 0), at(op, 1))
    return (
        leaves.view(op, "slice", move(op, "Gather"))
        if not op.is_read(at(op, 1))
        else leaves.copy(op, "gathering", move(op, "Gather"))
    )


def _softmax(op: Op) -> Layer:
    return leaves.softmax(op, op.place("", op.number("axis", -1)))


def _attention(op: Op) -> Layer:
    """Of tensors with their heads side by side, or apart; keys and values of before stand in front."""
    query, key, value, _, before, *_ = (*op.node.inputs, *[""] * 6)
    op.only(*op.node.inputs[:6])
    *leading, tokens, width = op.shape(query)
    keys, value_width = op.dims(key)[-2], op.dims(value)[-1]
    if len(op.dims(query)) == 3:
        heads = op.number("q_num_heads")
        leading, width = [*leading, heads], width // heads
        value_width //= op.number("kv_num_heads")
    scores = (*leading, tokens, keys + (op.dims(before)[-2] if before else 0))
    return leaves.attention(
        op, bool(op.number("is_causal", 0)), scores=scores, widths=(width, value_width)
    )


def _recurrent(op: Op) -> Layer:
    labels = ("weight_ih", 1), ("weight_hh", 2), ("bias", 3), ("peepholes", 7)
    weights = {label: at(op, place) for label, place in labels if at(op, place)}
    return leaves.recurrent(op, op.node.operator, weights, bool(op.number("layout", 0)))


def _cast(op: Op) -> Layer:
    same = op.tensors[op.node.inputs[0]].dtype == op.tensors[op.output].dtype
    op.only(op.node.inputs[0])
    return leaves.view(op, "view", Kept()) if same else leaves.copy(op, "copy", Kept())


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("Conv", "ConvTranspose", "ConvInteger", "QLinearConv"), _convolution),
    "QGemm": _gemm, "MatMulNBits": _few_bits, "Gemm": _gemm,
    **dict.fromkeys(("MatMul", "MatMulInteger", "QLinearMatMul"), _matmul),
    "Einsum": _einsum, "BatchNormalization": _batch_norm, "GroupNormalization": _group_norm,
    "InstanceNormalization": _instance_norm,
    **dict.fromkeys(("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"), _layer_norm),
    "LpNormalization": _plain_norm, "MeanVarianceNormalization": _plain_norm,
    "MaxPool": _pool, "AveragePool": _pool, "LpPool": _pool, "QLinearAveragePool": _pool,
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool", "QLinearGlobalAveragePool"), _global_pool),
    "Flatten": _flatten, "Concat": _concat, "Resize": _resize, "Upsample": _resize, "Gather": _gather,
    "Softmax": _softmax, "LogSoftmax": _softmax, "QLinearSoftmax": _softmax, "Attention": _attention,
    "LSTM": _recurrent, "GRU": _recurrent, "RNN": _recurrent, "DynamicQuantizeLSTM": _recurrent,
    "Cast": _cast, "CastLike": _cast, "BitCast": _cast, "DeformConv": _deformed,
    "SoftmaxCrossEntropyLoss": _loss, "NegativeLogLikelihoodLoss": _loss,
}  # fmt: skip
