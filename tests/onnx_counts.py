"""Multiply-accumulates of ONNX's operators from the shapes of a real run, written apart from the package's own rules."""

from math import prod

import numpy as np
import onnx
from onnx import helper

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1, "DynamicQuantizeLSTM": 4}


def einsum(equation, shapes):
    """The sizes of all letters multiplied, where a letter is summed over; a product of elements has no MACs."""
    left, _, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != 2 or "." in equation:
        return 0
    sizes = {
        letter: size
        for term, shape in zip(terms, shapes, strict=True)
        for letter, size in zip(term, shape, strict=True)
    }
    if "->" not in equation:
        right = "".join(letter for letter in sizes if left.count(letter) == 1)
    return prod(sizes.values()) if set(sizes) - set(right) else 0


def attention(how, shapes, x):
    """Every query with every key, and every score with every value, for each head of the queries."""
    q, k, v = (shapes[name] for name in x[:3])
    before = shapes[x[4]][2] if len(x) > 4 and x[4] else 0
    if len(q) == 3:
        heads = how["q_num_heads"]
        head, head_v = q[2] // heads, v[2] // how["kv_num_heads"]
        return q[0] * heads * q[1] * (k[1] + before) * (head + head_v)
    return q[0] * q[1] * q[2] * (k[2] + before) * (q[3] + v[3])


def of_node(node, shapes):
    """One operation's; None for an operator that has none."""
    how = {part.name: helper.get_attribute_value(part) for part in node.attribute}
    x, y = node.input, shapes.get(node.output[0], ())
    operator = node.op_type
    if operator in ("Conv", "ConvInteger", "DeformConv"):
        return prod(y) * prod(shapes[x[1]][1:])
    if operator == "QLinearConv":
        return prod(y) * prod(shapes[x[3]][1:])
    if operator == "ConvTranspose":
        return prod(shapes[x[0]]) * prod(shapes[x[1]][1:])
    if operator == "Gemm":
        return prod(y) * shapes[x[0]][0 if how.get("transA") else 1]
    if operator in ("MatMul", "MatMulInteger", "QLinearMatMul"):
        return prod(y) * shapes[x[0]][-1]
    if operator == "Einsum":
        return einsum(how["equation"].decode(), [shapes[name] for name in x])
    if operator in GATES:
        steps, hidden = prod(shapes[x[0]][:2]), how["hidden_size"]
        directions = 2 if how.get("direction") == b"bidirectional" else 1
        return steps * directions * GATES[operator] * hidden * (shapes[x[0]][2] + hidden)
    if operator == "Attention":
        return attention(how, shapes, x)
    return None


def total(model, shapes):
    """A graph's; bodies are left out."""
    return sum(of_node(node, shapes) or 0 for node in model.graph.node)


def run(model, sizes):
    """The shape of every tensor of a run by onnxruntime on zeros, and the model that was run.

    Where it has a choice that sizes decide, onnxruntime takes the branch first.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    known = {output.name for output in model.graph.output}
    names = dict.fromkeys(name for node in model.graph.node for name in node.output if name)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    types = {"tensor(float)": "float32", "tensor(int64)": "int64", "tensor(int32)": "int32"}
    feeds = {x.name: np.zeros(sizes[x.name], types[x.type]) for x in session.get_inputs()}
    names = [output.name for output in session.get_outputs()]
    arrays = feeds | dict(zip(names, session.run(names, feeds), strict=True))
    stored = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    return stored | {name: np.shape(array) for name, array in arrays.items()}


def branches_taken(path, sizes, folder):
    """The model as onnxruntime writes it for these sizes, each If on sizes as the operations of its branch."""
    import onnxruntime

    model = onnx.load(path)
    for given in model.graph.input:
        dims = given.type.tensor_type.shape.dim
        for dim, size in zip(dims, sizes.get(given.name, ()), strict=False):
            dim.dim_value = size
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folder / "taken.onnx")
    onnxruntime.InferenceSession(model.SerializeToString(), options)
    return onnx.load(options.optimized_model_filepath)
