"""Operators of onnxruntime that are several of ONNX's in one, taken apart: github.com/microsoft/onnxruntime,
docs/ContribOperators.md, describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from resnet_cli.graphs.graph import ACTIVATION, CONSTANT, Node, Tensor, Value

ONNXRUNTIME = "com.microsoft"
Parts: TypeAlias = tuple[list[Node], dict[str, Tensor]]


def parts(node: Node, tensors: Mapping[str, Tensor]) -> Parts | None:
    """The operations that one is, and the tensors between them; None where it is one itself."""
    rule = RULES.get(node.operator) if node.domain == ONNXRUNTIME else None
    if rule is None or not node.inputs or not node.outputs or not node.outputs[0]:
        return None
    made = _Parts(node, tensors)
    return (made.nodes, made.tensors) if rule(made) else None


class _Parts:
    """What an operation is taken apart into."""

    def __init__(self, node: Node, known: Mapping[str, Tensor]) -> None:
        self.node, self.known = node, known
        self.nodes: list[Node] = []
        self.tensors: dict[str, Tensor] = {}

    def input(self, at: int) -> str:
        return self.node.inputs[at] if at < len(self.node.inputs) else ""

    def output(self, at: int) -> str:
        return self.node.outputs[at] if at < len(self.node.outputs) else ""

    def number(self, key: str) -> int:
        value = self.node.attributes.get(key, 0)
        return value if isinstance(value, int) else 0

    def name(self) -> str:
        """One for a tensor between two parts."""
        name = f"{self.node.outputs[0]}/{len(self.tensors)}"
        self.tensors[name] = Tensor(name, ACTIVATION)
        return name

    def constant(self, *numbers: int) -> str:
        name = self.name()
        self.tensors[name] = Tensor(name, CONSTANT, (len(numbers),), "int64", numbers)
        return name

    def add(self, operator: str, inputs: tuple[str, ...], output: str = "", /, **how: Value) -> str:
        """An operation; what it gives out."""
        return self.give(operator, inputs, (output or self.name(),), **how)

    def give(
        self, operator: str, inputs: tuple[str, ...], outputs: tuple[str, ...], /, **how: Value
    ) -> str:
        """An operation with its outputs by their names."""
        node, label = self.node, f"{self.node.name or self.node.operator}/{len(self.nodes)}"
        self.nodes.append(
            Node(label, operator, inputs, outputs, how, "", node.modules, node.source)
        )
        return outputs[0]

    def activated(self, x: str) -> bool:
        """The operation that the attribute ``activation`` names, as the last one; whether it is a plain name."""
        operator = self.node.attributes.get("activation", "") or "Identity"
        if not isinstance(operator, str):
            return False
        self.add(operator, (x,), self.node.outputs[0])
        return True


def _skip_norm(parts: _Parts) -> bool:
    """A sum, of the bias, too, and its norm; the sum may be given out fourth."""
    simple = parts.node.operator.startswith("SkipSimplified")
    norm, at = ("SimplifiedLayerNormalization", 3) if simple else ("LayerNormalization", 4)
    bias, shown = parts.input(at), parts.output(3)
    total = parts.add("Add", (parts.input(0), parts.input(1)), "" if bias else shown)
    if bias:
        total = parts.add("Add", (total, bias), shown)
    weights = (parts.input(2),) if simple else (parts.input(2), parts.input(3))
    parts.give(norm, (total, *weights), parts.node.outputs[:3], axis=-1)
    return True


def _embedded(parts: _Parts) -> bool:
    """Rows of up to three tables, their sum, and its norm."""
    words, kinds, word_table, place_table, kind_table, gamma, beta, mask, places = (
        parts.input(at) for at in range(9)
    )
    total = parts.add("Gather", (word_table, words))
    if places:
        at = parts.add("Gather", (place_table, places))
    else:
        length = parts.add("Shape", (words,), start=1, end=2)
        at = parts.add("Slice", (place_table, parts.constant(0), length, parts.constant(0)))
    total = parts.add("Add", (total, at), "" if kind_table else parts.output(2))
    if kind_table:
        kind = parts.add("Gather", (kind_table, kinds))
        total = parts.add("Add", (total, kind), parts.output(2))
    parts.add("LayerNormalization", (total, gamma, beta), parts.node.outputs[0], axis=-1)
    if parts.output(1):
        counted = mask or words
        parts.add("ReduceSum", (counted, parts.constant(1)), parts.output(1), keepdims=0)
    return True


def _biased(parts: _Parts) -> bool:
    """GELU of a sum."""
    x = parts.add("Add", (parts.input(0), parts.input(1))) if parts.input(1) else parts.input(0)
    parts.add("Gelu", (x,), parts.node.outputs[0])
    return True


def _convolution(parts: _Parts) -> bool:
    how = {key: v for key, v in parts.node.attributes.items() if not key.startswith("activation")}
    x = parts.add("Conv", parts.node.inputs[:3], **how)
    if parts.input(3):
        x = parts.add("Add", (x, parts.input(3)))
    return parts.activated(x)


def _gemm(parts: _Parts) -> bool:
    how = {key: v for key, v in parts.node.attributes.items() if not key.startswith("activation")}
    return parts.activated(parts.add("Gemm", parts.node.inputs[:3], **how))


def _product(parts: _Parts) -> bool:
    """A product of matrices, either with its last two sides in the other order."""
    factors = []
    for at, key in enumerate(("transA", "transB")):
        name = parts.input(at)
        if parts.number(key):
            tensor = parts.known.get(name)
            if tensor is None or tensor.shape is None or len(tensor.shape) < 2:
                return False
            *first, rows, columns = range(len(tensor.shape))
            name = parts.add("Transpose", (name,), perm=(*first, columns, rows))
        factors.append(name)
    if parts.number("transBatchA") or parts.number("transBatchB"):
        return False
    parts.add("MatMul", (*factors,), parts.node.outputs[0])
    return True


def _scaled_product(parts: _Parts) -> bool:
    """A product with weights of 8 bits, and the bias."""
    bias = parts.input(6 if parts.node.operator == "MatMulIntegerToFloat" else 4)
    factors = parts.node.inputs[:2]
    y = parts.add("MatMul", factors, "" if bias else parts.node.outputs[0])
    if bias:
        parts.add("Add", (y, bias), parts.node.outputs[0])
    return True


def _attention(parts: _Parts) -> bool:
    """One product for queries, keys and values, and attention; with what was kept of before it stays whole."""
    past = 8 if parts.node.operator == "QAttention" else 4
    if parts.input(past) or parts.output(1):
        return False
    projected = parts.add("MatMul", parts.node.inputs[:2])
    if parts.input(2):
        projected = parts.add("Add", (projected, parts.input(2)))
    three = tuple(parts.name() for _ in range(3))
    widths = parts.node.attributes.get("qkv_hidden_sizes")
    sizes: tuple[str, ...] = ()
    if isinstance(widths, tuple) and widths:
        sizes = (parts.constant(*(width for width in widths if isinstance(width, int))),)
    parts.give("Split", (projected, *sizes), three, axis=-1)
    heads = parts.number("num_heads")
    scores = parts.input(9 if past == 8 else 5)
    parts.add("Attention", (*three, scores), parts.node.outputs[0], q_num_heads=heads,
              kv_num_heads=heads, is_causal=parts.number("unidirectional"))  # fmt: skip
    return True


def _heads(parts: _Parts) -> bool:
    """Attention of queries, keys and values that are apart, with a bias for all three, and those of before."""
    three = parts.node.inputs[:3]
    shapes = [parts.known[name].shape for name in three if name in parts.known]
    widths = [shape[2] for shape in shapes if shape and len(shape) == 3]
    if len(widths) < 3:
        return False
    if parts.input(3):
        sizes = parts.constant(*(width for width in widths if isinstance(width, int)))
        added = tuple(parts.name() for _ in range(3))
        parts.give("Split", (parts.input(3), sizes), added, axis=0)
        three = tuple(parts.add("Add", pair) for pair in zip(three, added, strict=True))
    heads = parts.number("num_heads")
    inputs = (*three, *(parts.input(at) for at in (5, 6, 7)))
    parts.give("Attention", inputs, parts.node.outputs[:3], q_num_heads=heads, kv_num_heads=heads,
               is_causal=parts.number("unidirectional"))  # fmt: skip
    return True


RULES: Mapping[str, Callable[[_Parts], bool]] = {
    "SkipLayerNormalization": _skip_norm, "SkipSimplifiedLayerNormalization": _skip_norm,
    "EmbedLayerNormalization": _embedded, "BiasGelu": _biased, "FastGelu": _biased,
    "FusedConv": _convolution, "FusedGemm": _gemm, "FusedMatMul": _product, "TransposeMatMul": _product,
    "DynamicQuantizeMatMul": _scaled_product, "MatMulIntegerToFloat": _scaled_product,
    "Attention": _attention, "QAttention": _attention, "MultiHeadAttention": _heads,
}  # fmt: skip
