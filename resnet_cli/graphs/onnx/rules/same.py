"""Operators whose output is as large as an input, or as what several are stretched to."""

from __future__ import annotations

from resnet_cli.graphs.onnx.rules.call import Call, Shapes, Table, axis_of, broadcast


def same(call: Call) -> Shapes:
    return [call.shape()]


def twice(call: Call) -> Shapes:
    return [call.shape(), call.shape()]


def stretched(call: Call) -> Shapes:
    if call.opset < 7:  # the second was stretched to the first, if at all
        return [call.shape()]
    return [broadcast(*(call.shape(at) for at in range(len(call.inputs))))]


def stretched_quantized(call: Call) -> Shapes:
    return [broadcast(call.shape(0), call.shape(3))]


def choice_quantized(call: Call) -> Shapes:
    return [broadcast(call.shape(0), call.shape(1), call.shape(4))]


def batch_norm(call: Call) -> Shapes:
    x, statistics = call.shape(), call.shape(3)
    return [x, *[statistics] * 4]


def layer_norm(call: Call) -> Shapes:
    """Also mean and inverse deviation of what was normalised."""
    x = call.shape()
    axis = axis_of(call.number("axis", -1), len(x))
    statistics = (*x[:axis], *(1,) * (len(x) - axis))
    return [x, statistics, statistics]


def dynamic_quantize(call: Call) -> Shapes:
    return [call.shape(), (), ()]


def loss(call: Call) -> Shapes:
    """Also the logarithms of the probabilities."""
    scores = call.shape(0)
    return [call.shape(1) if call.text("reduction", "mean") == "none" else (), scores]


RULES: Table = {
    **dict.fromkeys(
        (
            "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Bernoulli", "BitwiseNot", "BitCast", "Cast",
            "CastLike", "Ceil", "Celu", "Clip", "Cos", "Cosh", "CumSum", "CumProd", "DequantizeLinear",
            "Elu", "Erf", "Exp", "EyeLike", "Floor", "Gelu", "GroupNormalization", "HardSigmoid",
            "HardSwish", "Hardmax", "Identity", "InstanceNormalization", "IsInf", "IsNaN", "LRN",
            "LeakyRelu", "Log", "LogSoftmax", "LpNormalization", "MeanVarianceNormalization", "Mish",
            "Neg", "Not", "PRelu", "QuantizeLinear", "RMSNormalization", "RandomNormalLike",
            "RandomUniformLike", "Reciprocal", "RegexFullMatch", "Relu", "ReverseSequence",
            "RotaryEmbedding", "Round", "Scatter", "ScatterElements", "ScatterND", "Selu", "Shrink",
            "Sigmoid", "Sign", "Sin", "Sinh", "Softmax", "Softplus", "Softsign", "Sqrt", "Swish", "Tan",
            "Tanh", "TensorScatter", "ThresholdedRelu", "Trilu",
            *(f"com.microsoft.{name}" for name in (
                "Gelu", "QuickGelu", "QLinearSoftmax", "QLinearSigmoid", "QLinearLeakyRelu",
                "QuantizeLinear", "DequantizeLinear", "RotaryEmbedding",
            )),
        ),
        same,
    ),
    **dict.fromkeys(
        (
            "Add", "And", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Equal", "Greater",
            "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean", "Min", "Mod", "Mul", "Or", "Pow",
            "StringConcat", "Sub", "Sum", "Where", "Xor",
        ),
        stretched,
    ),
    "Dropout": twice, "BatchNormalization": batch_norm, "LayerNormalization": layer_norm,
    "SimplifiedLayerNormalization": layer_norm, "DynamicQuantizeLinear": dynamic_quantize,
    "SoftmaxCrossEntropyLoss": loss, "NegativeLogLikelihoodLoss": loss,
    "com.microsoft.QLinearWhere": choice_quantized, "com.microsoft.QLinearAdd": stretched_quantized, "com.microsoft.QLinearMul": stretched_quantized,
}  # fmt: skip
