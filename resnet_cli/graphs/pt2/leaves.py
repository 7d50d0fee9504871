"""torch.export's operators -> leaves: aten's names, without what overloads and in-place ones add."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from resnet_cli.graphs import leaves
from resnet_cli.graphs.graph import PARAMETER, Node, Ref
from resnet_cli.graphs.op import Op, Undescribed
from resnet_cli.graphs.pt2.moves import move
from resnet_cli.layers.base import Layer
from resnet_cli.layers.convolution import Linear
from resnet_cli.layers.moves import Kept
from resnet_cli.layers.windows import Window

Rule = Callable[[Op], Layer]

ELEMENTWISE = {
    "relu": "ReLU", "relu6": "ReLU6", "hardtanh": "hard tanh", "leaky_relu": "leaky ReLU", "prelu": "PReLU",
    "rrelu": "leaky ReLU", "elu": "ELU", "selu": "SELU", "celu": "CELU", "gelu": "GELU", "silu": "SiLU",
    "mish": "mish", "hardswish": "hard swish", "hardsigmoid": "hard sigmoid", "sigmoid": "sigmoid", "tanh": "tanh",
    "log_sigmoid": "log sigmoid", "softplus": "softplus", "softsign": "softsign", "threshold": "threshold",
    "glu": "GLU", "clamp": "clamp", "clip": "clamp", "clamp_min": "clamp", "clamp_max": "clamp",
    "dropout": "dropout", "feature_dropout": "dropout", "alpha_dropout": "dropout",
    "add": "addition", "sub": "subtraction", "rsub": "subtraction", "mul": "product", "div": "quotient",
    "true_divide": "quotient", "floor_divide": "floor division", "remainder": "remainder", "fmod": "remainder",
    "pow": "power", "square": "square", "maximum": "maximum", "minimum": "minimum", "neg": "negation",
    "abs": "absolute", "exp": "exponential", "expm1": "exponential", "log": "logarithm", "log2": "logarithm",
    "log1p": "logarithm", "sqrt": "square root", "rsqrt": "inverse square root", "reciprocal": "reciprocal",
    "sin": "sine", "cos": "cosine", "atan": "arc tangent", "atan2": "arc tangent", "erf": "error function",
    "round": "rounding", "floor": "rounding", "ceil": "rounding", "trunc": "rounding", "sign": "sign",
    "eq": "comparison", "ne": "comparison", "lt": "comparison", "le": "comparison", "gt": "comparison",
    "ge": "comparison", "isnan": "comparison", "isinf": "comparison",
    "logical_and": "logical", "logical_or": "logical", "logical_not": "logical", "bitwise_and": "logical",
    "bitwise_or": "logical", "bitwise_not": "logical", "__and__": "logical", "__or__": "logical",
    "where": "choice", "masked_fill": "choice", "cumsum": "running sum", "cumprod": "running sum", "lerp": "interpolation",
    "addcmul": "product and sum", "addcdiv": "product and sum",
}  # fmt: skip
VIEWS = {
    "view": "reshape", "reshape": "reshape", "_unsafe_view": "reshape", "unflatten": "reshape",
    "view_as": "reshape", "reshape_as": "reshape", "squeeze": "reshape", "unsqueeze": "reshape",
    "permute": "permutation", "transpose": "permutation", "t": "permutation", "numpy_T": "permutation",
    "swapaxes": "permutation", "movedim": "permutation", "expand": "expansion", "expand_as": "expansion",
    "broadcast_to": "expansion", "unfold": "windows", "as_strided": "windows", "diagonal": "slice",
    "detach": "view", "alias": "view", "lift_fresh_copy": "view", "lift_fresh": "view",
    "resolve_conj": "view", "resolve_neg": "view", "real": "view", "imag": "view",
    "view_as_real": "view", "view_as_complex": "view", "swapdims": "permutation", "ravel": "reshape", "mT": "permutation",
}  # fmt: skip
COPIED = {
    f"{name}_copy" for name in (*VIEWS, "slice", "select", "split", "split_with_sizes", "unbind")
}
"""Views that a program without views copies."""
PARTS = {"slice": "slice", "select": "slice", "narrow": "slice"}
SPLITS = {
    "split": "split", "split_with_sizes": "split", "chunk": "split", "unbind": "split",
    "tensor_split": "split", "unsafe_chunk": "split", "unsafe_split": "split",
}  # fmt: skip
COPIES = {
    "roll": "roll", "flip": "flip", "index": "gathering", "index_select": "gathering",
    "gather": "gathering", "take_along_dim": "gathering", "repeat": "repetition", "tile": "repetition",
    "repeat_interleave": "repetition", "pixel_shuffle": "pixel shuffle", "pixel_unshuffle": "pixel shuffle",
    "channel_shuffle": "channel shuffle", "im2col": "windows", "stack": "concatenation",
    "index_put": "writing", "slice_scatter": "writing", "select_scatter": "writing", "scatter": "writing",
    "masked_select": "gathering", "tril": "triangle", "triu": "triangle", "one_hot": "one-hot",
    "grid_sampler": "sampling", "meshgrid": "grid", "rot90": "flip", "constant_pad_nd": "padding", "pad": "padding",
    "copy": "writing", "fill": "writing", "zero": "writing", "topk": "choice of the largest", "sort": "sorting", "argsort": "sorting",
    "diff": "differences", "_weight_norm": "weight norm", "uniform": "random numbers", "normal": "random numbers",
    "cartesian_prod": "grid", "complex": "copy", "polar": "copy", "col2im": "windows",
}  # fmt: skip
SAME = {
    "clone",
    "contiguous",
    "to",
    "_to_copy",
    "type_as",
    "float",
    "half",
    "cast",
    "native_dropout",
}
MADE = {
    "arange", "zeros", "ones", "full", "empty", "zeros_like", "ones_like", "full_like", "linspace",
    "eye", "scalar_tensor", "new_zeros", "new_ones", "new_full", "new_empty", "empty_like", "rand", "randn",
    "bernoulli", "rand_like", "randn_like", "hann_window", "tensor", "randperm", "empty_permuted",
}  # fmt: skip
REDUCTIONS = {
    "mean": "mean", "sum": "sum", "amax": "max", "max": "max", "amin": "min", "min": "min", "argmax": "argmax",
    "argmin": "argmax", "var": "variance", "std": "variance", "var_mean": "variance", "std_mean": "variance",
    "norm": "norm", "linalg_vector_norm": "norm", "prod": "product", "any": "any", "all": "any",
    "logsumexp": "logsumexp", "count_nonzero": "count", "median": "median",
}  # fmt: skip
PRODUCTS = {
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolution", "linear",
    "addmm", "baddbmm", "mm", "bmm", "matmul", "mv", "einsum", "scaled_dot_product_attention", "lstm", "gru", "rnn_tanh",
    "rnn_relu",
}  # fmt: skip
"""Operators with multiply-accumulates."""
STEPS = {"lstm", "gru", "rnn_tanh", "rnn_relu"}
TURNS = {"t", "permute", "transpose", "numpy_T"}
POOL = "torch.nn.modules.pooling.AdaptiveAvgPool"
ALIASES = {"alias", "detach", "lift_fresh", "lift_fresh_copy", "resolve_conj", "resolve_neg"}
IGNORED = {
    "_assert_tensor_metadata", "_assert_async", "_assert_scalar", "sym_constrain_range_for_size",
    "sym_constrain_range", "sym_size", "_set_grad_enabled", "assert_async",
}  # fmt: skip


def called(name: str) -> str:
    """How an operation outside of modules is called in paths."""
    return name


def base(operator: str) -> tuple[str, bool]:
    """aten's name without its overload, and whether it writes into its first input: add_.Tensor -> add, True."""
    plain = operator.partition(".")[0]
    inplace = plain.endswith("_") and not plain.endswith("__")
    name = plain[:-1] if inplace else plain
    return (name.removesuffix("_copy") if name in COPIED else name), inplace


def leads_with_steps(node: Node) -> bool:
    """Whether the first dimension of what it reads is time, one after another."""
    name, _ = base(node.operator)
    return name in STEPS and not node.attributes.get("batch_first")


def turned(op: Op) -> tuple[int, ...]:
    """The order of sides that a permutation puts out; () for any other operation."""
    rank = len(op.dims(op.node.inputs[0]))
    name, _ = base(op.node.operator)
    if name == "permute":
        return tuple(at % rank for at in op.numbers("dims", rank))
    if name in ("transpose", "swapaxes", "swapdims"):
        keys = ("dim0", "dim1") if name == "transpose" else ("axis0", "axis1")
        first, second = (op.number(key) % rank for key in keys)
        swap = {first: second, second: first}
        return tuple(swap.get(at, at) for at in range(rank))
    return ()


def leaf(op: Op) -> Layer:
    """What an operation is; raises `Undescribed` where it is none of these."""
    name, inplace = base(op.node.operator)
    if op.node.domain != "aten":
        raise Undescribed("it is none of torch's own operators")
    if name.endswith("dropout") and not op.argument("p", 0.5):
        return leaves.view(op, "dropout of nothing", Kept())
    if name in ELEMENTWISE:
        return leaves.elementwise(op, ELEMENTWISE[name], inplace)
    if name in RULES:
        return RULES[name](op)
    if name in VIEWS:
        op.only(op.node.inputs[0])
        if VIEWS[name] == "reshape":
            return leaves.flatten(op)
        return leaves.view(op, VIEWS[name], move(op, name))
    if name in PARTS or name in SPLITS:
        return leaves.view(op, PARTS.get(name) or SPLITS[name], move(op, name))
    if name in SAME:
        op.only(op.node.inputs[0])
        moved = op.reads and op.tensors[op.node.inputs[0]].dtype == op.tensors[op.output].dtype
        if moved and name in ("to", "type_as", "contiguous", "float", "half"):
            copied = not op.laid(op.node.inputs[0]).lies_as(op.laid(op.output))
            return leaves.view(op, "copy, where one is needed", Kept(), copied)
        return leaves.copy(op, "copy", Kept())
    if name in COPIES:
        return leaves.copy(op, COPIES[name], move(op, name))
    if name in MADE:
        op.only()
        return leaves.copy(op, "constant", Kept())
    if name in REDUCTIONS:
        picks = name in ("max", "min", "median") and "dim" in op.node.attributes
        if REDUCTIONS[name] == "mean" and op.node.modules[-1:] and POOL in op.node.modules[-1].kind:
            return leaves.pooled(op, _places(op))  # what torch takes its own pool apart into
        return leaves.reduction(op, REDUCTIONS[name], _places(op), picks)
    raise Undescribed("no rule describes it")


def _places(op: Op) -> tuple[int, ...]:
    value = op.argument("dim", ())
    places = value if isinstance(value, tuple) else (value,)
    return tuple(op.place("dim", at) for at in places if isinstance(at, int))


def _windows(op: Op, rank: int, kernel: tuple[int, ...], stride: int | None = 1) -> Window:
    stated = op.numbers("stride", rank, 0 if stride is None else stride)
    if stride is None and not any(stated):
        stated = kernel
    dilation = op.numbers("dilation", rank, 1)
    padding = op.argument("padding", 0)
    if padding == "same":
        pads = tuple(d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True))
    else:
        pads = (0,) * rank if padding == "valid" else op.numbers("padding", rank)
    return Window(kernel, stated, pads, dilation)


def _convolution(op: Op) -> Layer:
    kernel = op.dims(op.name("weight"))[2:]
    windows = _windows(op, len(kernel), kernel)
    transposed = "transpose" in op.node.operator or bool(op.argument("transposed", False))
    groups = op.number("groups", 1)
    return leaves.convolution(op, op.name("weight"), op.name("bias"), windows, groups, transposed)


def _linear(op: Op) -> Layer:
    weight = op.name("weight")
    sides = op.dims(weight)
    return leaves.linear(
        op, op.name("input"), weight, op.name("bias"), (prod(sides[:-1]), sides[-1])
    )


def _addmm(op: Op) -> Layer:
    first, second = (
        op.name(key)
        for key in (("mat1", "mat2") if "mat1" in op.node.attributes else ("batch1", "batch2"))
    )
    if op.is_turned(second) and op.owns("weight", second):
        inner, outer = op.dims(second)
        return Linear(op.label, inner, outer, op.owns("bias", op.name("self")))
    return leaves.product(op, first, second, added=True)


def _product(op: Op) -> Layer:
    first, second = op.node.inputs[:2]
    if op.is_turned(second) and op.tensors[second].kind == PARAMETER:
        return leaves.linear(op, first, second, "", op.dims(second)[::-1])
    return leaves.product(op, first, second)


def _einsum(op: Op) -> Layer:
    equation = op.argument("equation")
    return leaves.einsum(op, str(equation), op.node.inputs)


def _batch_norm(op: Op) -> Layer:
    mean = op.name("running_mean")
    path = op.tensors[mean].path if mean else ""
    counter = path.removesuffix("running_mean") + "num_batches_tracked"
    counts = counter in op.paths
    return leaves.batch_norm(
        op, op.name("weight"), op.name("bias"), mean, op.name("running_var"), counts
    )


def _group_norm(op: Op) -> Layer:
    groups = op.number("num_groups", op.number("group", 1))
    return leaves.group_norm(op, groups, op.name("weight"), op.name("bias"))


def _instance_norm(op: Op) -> Layer:
    channels = op.channels
    for key in ("running_mean", "running_var"):
        op.owns(key, op.name(key), learned=False)
    return leaves.group_norm(op, channels, op.name("weight"), op.name("bias"), "instance norm")


def _layer_norm(op: Op) -> Layer:
    sides = op.argument("normalized_shape")
    return leaves.layer_norm(
        op, len(sides) if isinstance(sides, tuple) else 1, op.name("weight"), op.name("bias"),
        "RMS norm" if op.node.operator.startswith("rms") else "layer norm",
    )  # fmt: skip


def _pool(op: Op) -> Layer:
    largest = op.node.operator.startswith("max")
    rank = int(next(part for part in op.node.operator if part.isdigit()))
    kernel = op.numbers("kernel_size", rank)
    plain = (
        bool(op.argument("ceil_mode", False)) and op.argument("count_include_pad", True) is False
    )
    return leaves.pool(op, _windows(op, rank, kernel, None), largest, plain)


def _adaptive(op: Op) -> Layer:
    return leaves.adaptive_pool(op, "max" in op.node.operator)


def _flatten(op: Op) -> Layer:
    return leaves.flatten(op)


def _cat(op: Op) -> Layer:
    return leaves.copy(op, "concatenation", move(op, "cat"))


def _resize(op: Op) -> Layer:
    kind = op.node.operator
    taps = 1 if "nearest" in kind else 4 if "bicubic" in kind else 2
    op.only(op.node.inputs[0])
    anchor = "edge" if "nearest" in kind and "exact" not in kind else "centre"
    scales = op.argument("scale_factors")
    if op.argument("align_corners", False):
        anchor = "corners"
    many = (
        tuple(each for each in scales if isinstance(each, float)) if type(scales) is tuple else ()
    )
    return leaves.resized(op, taps, anchor, many, smooth="_aa" in kind)


def _embedding(op: Op) -> Layer:
    return leaves.embedding(op, op.name("weight"), op.name("indices"))


def _attention(op: Op) -> Layer:
    causal, dropout = (bool(op.argument(key, 0)) for key in ("is_causal", "dropout_p"))
    return leaves.attention(op, causal, dropout=dropout)


def _softmax(op: Op) -> Layer:
    return leaves.softmax(op, op.place("dim"))


def _recurrent(op: Op) -> Layer:
    """LSTM, GRU and plain ones of torch: a list of weights, in torch's own order and names."""
    lists = [
        v for v in op.node.attributes.values() if isinstance(v, tuple) and v and type(v[0]) is Ref
    ]
    names = [ref.name for ref in lists[-1] if isinstance(ref, Ref)]
    weights = {}
    for at, name in enumerate(names):
        kind = "weight" if len(op.dims(name)) > 1 else "bias"
        label = op.tensors[name].path.rpartition(".")[2] or f"{kind}_{('ih', 'hh')[at % 2]}_{at}"
        weights[label] = name
    kind = base(op.node.operator)[0].split("_")[0].upper()
    return leaves.recurrent(op, kind, weights, bool(op.argument("batch_first", False)))


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(
        ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolution"),
        _convolution,
    ),
    "linear": _linear, "addmm": _addmm, "baddbmm": _addmm, "mm": _product, "bmm": _product, "matmul": _product, "mv": _product, "dot": _product, "vdot": _product,
    "einsum": _einsum, "scaled_dot_product_attention": _attention,
    "batch_norm": _batch_norm, "group_norm": _group_norm, "instance_norm": _instance_norm,
    "native_layer_norm": _layer_norm, "native_group_norm": _group_norm,
    "_native_batch_norm_legit_no_training": _batch_norm, "_native_batch_norm_legit": _batch_norm,
    "native_batch_norm": _batch_norm, "max_pool2d_with_indices": _pool, "max_pool3d_with_indices": _pool,
    "_adaptive_avg_pool2d": _adaptive, "_adaptive_avg_pool3d": _adaptive, "_log_softmax": _softmax,
    "_safe_softmax": _softmax,
    "layer_norm": _layer_norm, "rms_norm": _layer_norm,
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d"), _pool),
    **dict.fromkeys(
        ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
         "adaptive_max_pool2d", "adaptive_max_pool3d"), _adaptive,
    ),
    "flatten": _flatten, "cat": _cat, "concat": _cat, "concatenate": _cat,
    **dict.fromkeys(
        ("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "_upsample_nearest_exact2d",
         "upsample_bilinear2d", "upsample_linear1d", "upsample_trilinear3d", "upsample_bicubic2d",
         "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa"), _resize,
    ),
    "embedding": _embedding, "softmax": _softmax, "log_softmax": _softmax, "_softmax": _softmax,
    "lstm": _recurrent, "gru": _recurrent, "rnn_tanh": _recurrent, "rnn_relu": _recurrent,
}  # fmt: skip
