"""Small .onnx and .pt2 files for the tests of their readers."""

import json
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def initialiser(name, values, dtype="float32"):
    return numpy_helper.from_array(np.array(values, dtype), name)


def info(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, initialisers=(), **more):
    """A model of opset 18 and IR 9; ``inputs`` and ``outputs`` are name -> shape."""
    shown = more.pop("value_info", {})
    graph = helper.make_graph(
        nodes,
        "small",
        [info(name, shape) for name, shape in inputs.items()],
        [info(name, shape) for name, shape in outputs.items()],
        list(initialisers),
        value_info=[info(name, shape) for name, shape in shown.items()],
    )
    imports = more.pop("opset_imports", [helper.make_opsetid("", 18)])
    return helper.make_model(graph, opset_imports=imports, **{"ir_version": 9, **more})


def convolutional(**more):
    """Conv, ReLU, and a Reshape to a shape that is computed from the input's, then Gemm."""
    node = helper.make_node
    return model(
        [
            node("Conv", ["x", "w"], ["c"], name="/layer1/layer1.0/conv1/Conv", pads=[1] * 4),
            node("Relu", ["c"], ["r"], name="/layer1/layer1.0/relu/Relu"),
            node("Shape", ["r"], ["s"]),
            node("Constant", [], ["zero"], value=initialiser("", [0], "int64")),
            node("Gather", ["s", "zero"], ["n"]),
            node("Concat", ["n", "rest"], ["t"], axis=0),
            node("Reshape", ["r", "t"], ["f"]),
            node("Gemm", ["f", "fw", "fb"], ["y"], transB=1),
        ],
        {"x": ["batch", 3, 8, 8]},
        {"y": None},
        [
            initialiser("w", np.ones((4, 3, 3, 3))),
            initialiser("rest", [-1], "int64"),
            initialiser("fw", np.ones((5, 256))),
            initialiser("fb", np.ones(5)),
        ],
        **more,
    )


def saved(model, path):
    onnx.save(model, path)
    return str(path)


def number(value):
    """A protobuf integer of variable length."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(at, content):
    """A protobuf field: an integer, or bytes behind their length."""
    if isinstance(content, int):
        return number(at << 3) + number(content)
    return number(at << 3 | 2) + number(len(content)) + content


def doubled(path):
    """Two convolutions with a skip past both, and a node that nobody counts, as an .onnx file."""
    node = helper.make_node
    names = ["/layer1/layer1.0/Conv", "/layer1/layer1.1/Conv"]
    return saved(
        model(
            [
                node("Conv", ["x", "w"], ["a"], name=names[0], pads=[1] * 4),
                node("Conv", ["a", "w2"], ["b"], name=names[1], pads=[1] * 4),
                node("Concat", ["a", "b"], ["c"], axis=1),
                node("Det", ["c"], ["d"]),
            ],
            {"x": [1, 3, 8, 8]},
            {"d": None},
            [initialiser("w", np.ones((4, 3, 3, 3))), initialiser("w2", np.ones((4, 4, 3, 3)))],
        ),
        path,
    )


# ---- torch.export -------------------------------------------------------------------------------


def symbol(name, hint=2):
    text = f"Symbol('{name}', positive=True, integer=True)"
    return {"as_expr": {"expr_str": text, "hint": {"as_int": hint}}}


def size(value):
    return {"as_int": value} if isinstance(value, int) else symbol(value)


def described(*sizes):
    return {
        "dtype": 7, "sizes": [size(value) for value in sizes], "requires_grad": False,
        "device": {"type": "cpu", "index": None}, "strides": [], "layout": 7,
        "storage_offset": {"as_int": 0},
    }  # fmt: skip


def argument(name, **value):
    return {"name": name, "arg": value, "kind": 1}


def tensor(name):
    return {"as_tensor": {"name": name}}


STACK = "L__self__,,mine.Net;L__self__layer1,layer1,torch.nn.modules.container.Sequential;L__self__layer1_0@1,layer1.0,torch.nn.modules.conv.Conv2d"
TRACE = (
    'File "/home/me/net.py", line 12, in forward\n    return self.layer1(x)\n'
    '  File "/lib/site-packages/torch/nn/modules/conv.py", line 565, in forward\n    return f(x)'
)


def program(**more):
    """A convolution and a view of its output, as torch.export writes them."""
    conv = {
        "target": "torch.ops.aten.conv2d.default",
        "inputs": [
            argument("input", **tensor("x")), argument("weight", **tensor("p_w")),
            argument("bias", as_none=True), argument("padding", as_ints=[1, 1]),
        ],
        "outputs": [tensor("conv2d")],
        "metadata": {"nn_module_stack": STACK, "stack_trace": TRACE},
    }  # fmt: skip
    view = {
        "target": "torch.ops.aten.view.default",
        "inputs": [
            argument("self", **tensor("conv2d")),
            argument("size", as_sym_ints=[{"as_name": "n"}, {"as_int": -1}]),
        ],
        "outputs": [tensor("view")],
        "metadata": {},
    }
    graph = {
        "inputs": [tensor("p_w"), tensor("b_k"), tensor("x")],
        "outputs": [tensor("view")],
        "nodes": [conv, view],
        "tensor_values": {
            "p_w": described(4, 3, 3, 3), "b_k": described(3), "x": described("s0", 3, 8, 8),
            "conv2d": described("s0", 4, 8, 8), "view": described("s0", 256),
        },
        "sym_int_values": {"n": symbol("s0")},
        "sym_bool_values": {},
    }  # fmt: skip
    signature = {
        "input_specs": [
            {"parameter": {"arg": {"name": "p_w"}, "parameter_name": "layer1.0.weight"}},
            {"buffer": {"arg": {"name": "b_k"}, "buffer_name": "k", "persistent": True}},
            {"user_input": {"arg": tensor("x")}},
        ],
        "output_specs": [{"user_output": {"arg": tensor("view")}}],
    }
    return {
        "graph_module": {"graph": graph, "signature": signature, "module_call_graph": []},
        "opset_version": {"aten": 10},
        "range_constraints": {"s0": {"min_val": 2, "max_val": 64}},
        "schema_version": {"major": 8, "minor": 20},
        "torch_version": "2.13.0",
        **more,
    }


def archive(content, path, entry="net/models/model.json", method=zipfile.ZIP_STORED):
    """A .pt2 of this program; beside it a pickle that would end the process if it were opened."""
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr(entry, content if isinstance(content, bytes) else json.dumps(content))
        file.writestr("net/data/sample_inputs/model.pt", b"cos\n_exit\n(I1\ntR.")
    return str(path)


def small(folder):
    """The .pt2 of tests/data/graphs/small.py."""
    text = (Path(__file__).parent / "data" / "graphs" / "small.json").read_bytes()
    return archive(text, folder / "small.pt2")
