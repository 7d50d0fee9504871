"""Operators that are matrix products, or have some in them: MatMul, Gemm, Einsum, recurrences, attention."""

from __future__ import annotations

from resnet_cli.graphs.graph import Dim, Dims
from resnet_cli.graphs.onnx.rules.call import Call, Shapes, Table, broadcast, plus, times


def product(a: Dims, b: Dims) -> Dims:
    """As numpy's matmul: vectors are rows or columns, what is before the last two is broadcast."""
    left = (1, *a) if len(a) == 1 else a
    right = (*b, 1) if len(b) == 1 else b
    batch = broadcast(left[:-2], right[:-2]) if left[:-2] or right[:-2] else ()
    rows = left[-2:-1] if len(a) > 1 else ()
    columns = right[-1:] if len(b) > 1 else ()
    return (*batch, *rows, *columns)


def matmul(call: Call) -> Shapes:
    return [product(call.shape(0), call.shape(1))]


def quantized_matmul(call: Call) -> Shapes:
    return [product(call.shape(0), call.shape(3))]


def matmul_few_bits(call: Call) -> Shapes:
    return [(*call.shape()[:-1], call.number("N", 0))]


def _gemm(call: Call, b: Dims) -> Shapes:
    a = call.shape()
    if len(a) != 2 or len(b) != 2:
        call.unfit("its inputs are no matrices")
    return [(a[bool(call.number("transA", 0))], b[not call.number("transB", 0)])]


def gemm(call: Call) -> Shapes:
    return _gemm(call, call.shape(1))


def quantized_gemm(call: Call) -> Shapes:
    return _gemm(call, call.shape(3))


def einsum(call: Call) -> Shapes:
    equation = call.text("equation", "").replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(call.inputs):
        call.unfit("its equation has not a term for each input")
    sizes: dict[str, Dims] = {}
    ellipsis: list[Dims] = []
    for at, term in enumerate(terms):
        shape = call.shape(at)
        before, dots, after = term.partition("...")
        hidden = len(shape) - len(before) - len(after)
        if hidden < 0 or (hidden and not dots):
            call.unfit("a term has other dimensions than its input")
        end = len(shape) - len(after)
        for letter, size in zip(before + after, shape[: len(before)] + shape[end:], strict=True):
            sizes[letter] = broadcast(sizes.get(letter, (1,)), (size,))
        if dots:
            ellipsis.append(shape[len(before) : end])
    if not arrow:
        letters = "".join(terms).replace("...", "")
        right = "..." * bool(ellipsis) + "".join(
            letter for letter in sorted(sizes) if letters.count(letter) == 1
        )
    before, dots, after = right.partition("...")
    middle = broadcast(*ellipsis) if dots and ellipsis else ()
    return [(*(sizes[x][0] for x in before), *middle, *(sizes[x][0] for x in after))]


def recurrent(call: Call) -> Shapes:
    """All states, the last ones, and an LSTM's last cells."""
    x, w, r = call.shape(0), call.shape(1), call.shape(2)
    directions, hidden = w[0], call.number("hidden_size", 0) or r[2]
    if call.number("layout", 0):
        batch, length = x[0], x[1]
        last = (batch, directions, hidden)
        return [(batch, length, directions, hidden), last, last]
    length, batch = x[0], x[1]
    last = (directions, batch, hidden)
    return [(length, directions, batch, hidden), last, last]


def attention(call: Call) -> Shapes:
    """The output, keys and values with those of before, and the scores."""
    q, k, v = call.shape(0), call.shape(1), call.shape(2)
    if len(q) == 3:
        heads, of_keys = call.number("q_num_heads", 0), call.number("kv_num_heads", 0)
        if heads < 1 or of_keys < 1:
            call.unfit("it has no number of heads")
        batch, length = q[:2]
        q_heads: Dim = heads
        k_heads: Dim = of_keys
        k_length = k[1]
        key: Dim = k[2] // of_keys if isinstance(k[2], int) else None
        value: Dim = v[2] // of_keys if isinstance(v[2], int) else None
        y: Dims = (batch, length, times(heads, value))
    else:
        batch, q_heads, length, _ = q
        _, k_heads, k_length, key = k
        value = v[3]
        y = (batch, q_heads, length, value)
    total = plus(k_length, call.shape(4)[2]) if call.has(4) else k_length
    kept = [(batch, k_heads, total, size) for size in (key, value)]
    return [y, *kept, (batch, q_heads, length, total)]


def grouped_attention(call: Call) -> Shapes:
    """Queries' own shape, or what is theirs of queries, keys and values side by side."""
    batch, tokens, width = call.shape()
    heads, of_keys = call.number("num_heads", 0), call.number("kv_num_heads", 0)
    if not call.has(1) and isinstance(width, int):
        width = width // (heads + 2 * of_keys) * heads
    return [(batch, tokens, width)]


def determinant(call: Call) -> Shapes:
    return [call.shape()[:-2]]


RULES: Table = {
    "MatMul": matmul, "MatMulInteger": matmul, "QLinearMatMul": quantized_matmul, "Gemm": gemm,
    "Einsum": einsum, "LSTM": recurrent, "GRU": recurrent, "RNN": recurrent, "Attention": attention,
    "Det": determinant, "com.microsoft.MatMulNBits": matmul_few_bits,
    "com.microsoft.QGemm": quantized_gemm, "com.microsoft.DynamicQuantizeLSTM": recurrent,
    "com.microsoft.GroupQueryAttention": grouped_attention,
}  # fmt: skip
