"""ONNX files are read without onnx: what is in them, what is refused, what is left where it is."""

import math
import os
import random
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from graph_files import convolutional, field, info, initialiser, model, saved
from onnx import TensorProto, helper

from resnet_cli.errors import UserError
from resnet_cli.graphs.graph import Graph, Module, Tensor, Unread
from resnet_cli.graphs.read import read

node = helper.make_node
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def refused(path, what):
    """The file is refused in one line that has these words."""
    with pytest.raises(UserError, match=what) as problem:
        read(str(path))
    assert problem.value.code == 1 and "\n" not in str(problem.value)


def of_bytes(data, path):
    path.write_bytes(data)
    return str(path)


# ---- what is read -------------------------------------------------------------------------------


def test_operations_tensors_and_names(tmp_path):
    """Operators, what they read and give, attributes, shapes and kinds come back as they were written."""
    graph = read(
        saved(convolutional(producer_name="me", producer_version="3"), tmp_path / "a.onnx")
    )
    assert (graph.format, graph.version, graph.producer, graph.opsets) == (
        "onnx", "IR 9", "me 3", {"": 18},
    )  # fmt: skip
    assert [node.operator for node in graph.nodes] == [
        "Conv", "Relu", "Shape", "Constant", "Gather", "Concat", "Reshape", "Gemm",
    ]  # fmt: skip
    conv, gemm = graph.nodes[0], graph.nodes[-1]
    assert (conv.inputs, conv.outputs, conv.attributes) == (
        ("x", "w"), ("c",), {"pads": (1, 1, 1, 1)},
    )  # fmt: skip
    assert gemm.attributes == {"transB": 1}
    assert graph.tensors["x"] == Tensor("x", "input", ("batch", 3, 8, 8), "float32")
    kinds = {
        name: tensor.kind
        for name, tensor in graph.tensors.items()
        if name in ["w", "fw", "fb", "rest"]
    }
    assert kinds == {"w": "parameter", "fw": "parameter", "fb": "parameter", "rest": "constant"}
    assert graph.tensors["rest"].value == (-1,) and graph.tensors["zero"].value == (0,)
    assert (graph.inputs, graph.outputs, list(graph.symbols)) == (("x",), ("y",), ["batch"])


def test_initialisers_that_are_inputs_too(tmp_path):
    """IR 3 lists every initialiser among the inputs: only the rest are a user's."""
    old = convolutional(ir_version=3)
    old.graph.input.append(info("w", [4, 3, 3, 3]))
    graph = read(saved(old, tmp_path / "a.onnx"))
    assert graph.inputs == ("x",) and graph.tensors["w"].kind == "parameter"


@pytest.mark.parametrize(
    ("name", "parameters", "buffers"),
    [("resnet50", 25_557_032, 53_120), ("vgg19", 143_667_240, 0), ("squeezenet", 1_235_496, 0)],
)
def test_parameters_are_as_many_as_published(name, parameters, buffers):
    """Of the onnx package's networks, whose weights are ConstantOfShape: sizes and factors are none of them."""
    graph = read(str(LIGHT / f"light_{name}.onnx"))
    counts = dict.fromkeys(("parameter", "buffer"), 0)
    for tensor in graph.tensors.values():
        if tensor.kind in counts:
            counts[tensor.kind] += math.prod(tensor.shape)
    assert counts == {"parameter": parameters, "buffer": buffers}


def test_weights_that_only_a_body_uses(tmp_path):
    """An initialiser of the graph, read in the branch of an If, is a parameter; a scale of 8-bit weights is none."""
    inner = [
        node("DequantizeLinear", ["q", "scale"], ["d"]), node("MatMul", ["x", "d"], ["m"]),
        node("Gemm", ["m", "w"], ["o"]),
    ]  # fmt: skip
    body = helper.make_graph(inner, "b", [], [info("o", None)])
    weights = [initialiser("q", np.ones((2, 2)), "int8"), initialiser("w", np.ones((2, 2))),
               initialiser("scale", 0.5)]  # fmt: skip
    one = model(
        [node("If", ["x"], ["y"], then_branch=body, else_branch=body)],
        {"x": [2]},
        {"y": None},
        weights,
    )
    tensors = read(saved(one, tmp_path / "a.onnx")).tensors
    assert {n: tensors[n].kind for n in ("q", "w", "scale")} == {
        "q": "parameter", "w": "parameter", "scale": "constant",
    }  # fmt: skip


@pytest.mark.parametrize(
    "stored",
    [
        {"raw_data": np.array([3, -1], "<i8").tobytes(), "data_type": 7},
        {"int64_data": [3, -1], "data_type": 7},
        {"int32_data": [3, -1], "data_type": 6},
        {"int32_data": [3, -1], "data_type": 3},
        {"float_data": [3, -1], "data_type": 1},
        {"double_data": [3, -1], "data_type": 11},
        {"raw_data": np.array([3, -1], "<f2").tobytes(), "data_type": 10},
    ],
)
def test_small_constants_have_their_numbers(tmp_path, stored):
    """Wherever a format of numbers keeps them."""
    constant = TensorProto(name="k", dims=[2], **stored)
    graph = read(saved(model([], {}, {}, [constant]), tmp_path / "a.onnx"))
    assert graph.tensors["k"].value == (3, -1)


def test_unpacked_numbers_are_read_as_packed_ones(tmp_path):
    """Writers of protobuf 2 give each number of a list a field of its own."""
    tensor = (
        field(1, 1) + field(1, 2) + field(2, 7) + field(7, 5) + field(7, 2**64 - 1) + field(8, b"k")
    )
    data = field(1, 7) + field(7, field(5, tensor))
    constant = read(of_bytes(data, tmp_path / "a.onnx")).tensors["k"]
    assert (constant.shape, constant.value) == ((1, 2), (5, -1))


def test_constants_of_every_attribute(tmp_path):
    """A Constant may hold a tensor, a number, or a list of them; a ConstantOfShape a size that is known."""
    nodes = [
        node("Constant", [], ["a"], value_int=7),
        node("Constant", [], ["b"], value_ints=[1, 2]),
        node("Constant", [], ["c"], value_float=0.5),
        node("ConstantOfShape", ["b"], ["d"], value=initialiser("", [2], "float32")),
    ]
    tensors = read(saved(model(nodes, {}, {}), tmp_path / "a.onnx")).tensors
    assert [(tensors[n].shape, tensors[n].value) for n in "abcd"] == [
        ((), (7,)), ((2,), (1, 2)), ((), (0.5,)), ((1, 2), (2.0, 2.0)),
    ]  # fmt: skip
    assert {tensor.kind for tensor in tensors.values()} == {"constant"}


def test_modules_by_names_of_the_older_exporter(tmp_path):
    """A child of a list is named with its parent before it: layer1, layer1.0, layer1.0.conv1."""
    graph = read(saved(convolutional(producer_name="pytorch"), tmp_path / "a.onnx"))
    paths = ["layer1", "layer1.0", "layer1.0.conv1"]
    assert graph.nodes[0].modules == tuple(map(Module, paths))
    others = read(saved(convolutional(producer_name="another"), tmp_path / "b.onnx"))
    assert others.nodes[0].modules == ()


def test_modules_by_metadata_of_the_newer_exporter(tmp_path):
    """Its lists are Python's, and read without it; the operation itself is their last."""
    one = convolutional()
    for key, value in {
        "name_scopes": "['', 'layer1', \"layer1.0\", 'conv2d']",
        "class_hierarchy": "['Net', 'Sequential', 'Conv2d', 'aten.conv2d.default']",
        "stack_trace": 'File "net.py", line 3, in forward\n  File "/x/torch/nn/modules/conv.py", line 9',
    }.items():
        one.graph.node[0].metadata_props.add(key=f"pkg.torch.onnx.{key}", value=value)
    conv = read(saved(one, tmp_path / "a.onnx")).nodes[0]
    assert conv.modules == (Module("layer1", "Sequential"), Module("layer1.0", "Conv2d"))
    assert conv.source == "net.py:3"


@pytest.mark.parametrize(("version", "notes"), [(7, 0), (25, 0), (6, 1), (99, 1), (None, 1)])
def test_the_operators_version_is_noted_where_it_is_not_known(tmp_path, version, notes):
    """7 to 25 are; others are read by the nearest of these."""
    imports = [helper.make_opsetid("", version)] if version else [helper.make_opsetid("mine", 1)]
    graph = read(saved(convolutional(opset_imports=imports), tmp_path / "a.onnx"))
    assert len(graph.notes) == notes


def test_bodies_are_kept_and_not_run(tmp_path):
    """The branches of an If are graphs among its attributes, with their own weights."""
    branches = {
        key: helper.make_graph([node(operator, ["x"], ["o"])], key, [], [info("o", None)], weights)
        for key, operator, weights in (
            ("then_branch", "Relu", [initialiser("w", [1.0, 2.0])]),
            ("else_branch", "Sigmoid", []),
        )
    }
    graph = read(
        saved(
            model([node("If", ["x"], ["y"], **branches)], {"x": [1]}, {"y": None}),
            tmp_path / "a.onnx",
        )
    )
    then = graph.nodes[0].attributes["then_branch"]
    assert isinstance(then, Graph) and [inner.operator for inner in then.nodes] == ["Relu"]
    assert then.tensors["w"].shape == (2,)


def test_functions_are_written_out(tmp_path):
    """A function of the file gives way to its operations, its attributes and those of the caller in them."""
    inner = node("LeakyRelu", ["a"], ["t"])
    inner.attribute.append(onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=1))
    function = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [inner, node("Relu", ["t"], ["b"])],
        [helper.make_opsetid("", 18)], ["slope"],
    )  # fmt: skip
    calls = [node("Twice", ["x"], ["u"], "first", domain="mine", slope=0.5),
             node("Twice", ["u"], ["y"], "second", domain="mine")]  # fmt: skip
    graph = read(
        saved(
            model(calls, {"x": [1]}, {"y": None}, functions=[function],
                  opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]),
            tmp_path / "a.onnx",
        )
    )  # fmt: skip
    leaky, relu, again, last = graph.nodes
    assert [n.operator for n in graph.nodes] == ["LeakyRelu", "Relu"] * 2
    assert (leaky.attributes, again.attributes) == ({"alpha": 0.5}, {})
    assert leaky.inputs == ("x",) and leaky.outputs == relu.inputs and relu.outputs == ("u",)
    assert again.inputs == ("u",) and last.outputs == ("y",) and again.outputs != leaky.outputs
    assert leaky.modules == (Module("first", "Twice"),)


def test_operations_in_any_order(tmp_path):
    """A file whose operations are out of order is put in one in which they can run."""
    shuffled = convolutional()
    nodes = list(shuffled.graph.node)[::-1]
    del shuffled.graph.node[:]
    shuffled.graph.node.extend(nodes)
    graph = read(saved(shuffled, tmp_path / "a.onnx"))
    made = {name for name, tensor in graph.tensors.items() if tensor.kind != "activation"}
    for operation in graph.nodes:
        assert made.issuperset(operation.inputs)
        made.update(operation.outputs)


def test_weights_of_over_two_gibibytes_are_stepped_over(tmp_path):
    """Here a hole of 3 GiB; what stands behind it is read."""
    length = 3 << 30
    shape = field(1, length // 4) + field(2, 1) + field(8, b"big")
    raw = bytes([9 << 3 | 2]) + b"\x80\x80\x80\x80\x0c"  # 3 << 30, as a length
    operation = field(1, field(1, b"x") + field(2, b"y") + field(4, b"Relu"))
    inputs = field(11, field(1, b"x"))
    size = len(shape) + len(raw) + length
    tensor_head = bytes([5 << 3 | 2]) + _long(size)
    graph = len(tensor_head) + size + len(operation) + len(inputs)
    path = tmp_path / "big.onnx"
    with open(path, "wb") as file:
        file.write(field(1, 9) + bytes([7 << 3 | 2]) + _long(graph) + tensor_head + shape + raw)
        file.seek(length, os.SEEK_CUR)
        file.write(operation + inputs)
    read_again = read(str(path))
    assert read_again.tensors["big"].shape == (length // 4,)
    assert read_again.nodes[0].operator == "Relu"


def _long(value):
    """A length of 5 bytes whatever it is."""
    return bytes([value >> 7 * at & 127 | (128 if at < 4 else 0) for at in range(5)])


# ---- weights elsewhere --------------------------------------------------------------------------


def outside(**entries):
    """A model whose one weight of 8 bytes is in another file."""
    weight = TensorProto(name="w", dims=[2], data_type=1, data_location=1)
    for key, value in entries.items():
        weight.external_data.add(key=key, value=value)
    return model([node("Mul", ["x", "w"], ["y"])], {"x": [2]}, {"y": None}, [weight])


def test_weights_in_another_file_are_measured(tmp_path):
    """Shape and type are the header's; a file that is too short is refused, a missing one noted."""
    path = saved(outside(location="w.bin", offset="4", length="8"), tmp_path / "a.onnx")
    assert "w.bin" in read(path).notes[0]
    (tmp_path / "w.bin").write_bytes(bytes(12))
    assert read(path).notes == () and read(path).tensors["w"].kind == "parameter"
    (tmp_path / "w.bin").write_bytes(bytes(11))
    refused(path, "needs 12 bytes of 'w.bin', which has 11")


@pytest.mark.parametrize(
    "location", ["../w.bin", "/etc/passwd", "a/../../b", "C:\\w", "", "a\x00b"]
)
def test_weights_never_lie_outside_the_folder(tmp_path, location):
    """No path leaves the folder of the model."""
    refused(
        saved(outside(location=location), tmp_path / "a.onnx"), "outside its own folder|no name"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_beside_the_model_is_measured(tmp_path):
    """As the caches of model hubs have it; nothing of the file is read."""
    (tmp_path / "in").mkdir()
    (tmp_path / "blob").write_bytes(bytes(8))
    (tmp_path / "blob").chmod(0)
    (tmp_path / "in" / "w.bin").symlink_to(tmp_path / "blob")
    assert read(saved(outside(location="w.bin"), tmp_path / "in" / "a.onnx")).notes == ()


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"hello, world", "no ONNX model"),
        (field(1, 2) + field(7, b""), "IR 2"),
        (field(1, 9), "no ONNX model"),
        (field(1, 9) + bytes([7 << 3 | 2]) + b"\xff\xff\xff\xff\x7f", "beyond"),
        (field(1, 9) + b"\x3b", "no ONNX model"),
        (field(1, 9) + field(7, field(1, field(4, b"Relu\x1b[2J"))), "unprintable"),
        (field(1, 9) + field(7, field(1, field(4, b"R" * 20_000))), "20,000 bytes"),
        (field(1, 9) + field(7, field(1, b"")), "without an operator"),
        (field(1, 9) + field(7, field(5, field(1, 2**63) + field(2, 1))), "negative size"),
        (
            field(1, 9) + field(7, field(5, field(1, 2) + field(2, 1) + field(9, bytes(4)))),
            "4 bytes",
        ),
        (field(1, 9) + field(7, field(5, field(2, 99))), "no known kind"),
    ],
)
def test_damaged_files_are_refused(tmp_path, data, what):
    """What is no model, or lies about its sizes, in one line."""
    refused(of_bytes(data, tmp_path / "a.onnx"), what)


@pytest.mark.parametrize(
    ("nodes", "what"),
    [
        ([node("Relu", ["y"], ["z"]), node("Relu", ["z"], ["y"])], "in a circle"),
        ([node("Relu", ["q"], ["y"])], "which nothing makes"),
        ([node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])], "twice"),
        ([node("Relu", ["x"], ["z"])], "gives out 'y', which nothing makes"),
    ],
)
def test_graphs_that_cannot_run_are_refused(tmp_path, nodes, what):
    """Circles, tensors of nobody or of two."""
    refused(saved(model(nodes, {"x": [1]}, {"y": None}), tmp_path / "a.onnx"), what)


def test_functions_without_end_are_refused(tmp_path):
    """A function that calls itself."""
    function = helper.make_function(
        "mine", "F", ["a"], ["b"], [node("F", ["a"], ["b"], domain="mine")],
        [helper.make_opsetid("mine", 1)],
    )  # fmt: skip
    one = model(
        [node("F", ["x"], ["y"], domain="mine")], {"x": [1]}, {"y": None}, functions=[function]
    )
    refused(saved(one, tmp_path / "a.onnx"), "without end")


def test_functions_that_grow_without_bound_are_refused(tmp_path):
    """Ten functions that call the next one ten times each."""
    functions = [
        helper.make_function(
            "mine", f"F{at}", ["a"], ["b9"],
            [node(f"F{at + 1}" if at < 9 else "Relu", ["a"], [f"b{i}"], domain="mine") for i in range(10)],
            [helper.make_opsetid("mine", 1)],
        )
        for at in range(10)
    ]  # fmt: skip
    one = model(
        [node("F0", ["x"], ["y"], domain="mine")], {"x": [1]}, {"y": None}, functions=functions
    )
    refused(saved(one, tmp_path / "a.onnx"), "more than 200,000 operations")


def test_graphs_in_one_another_are_bounded(tmp_path):
    """A body in a body in a body."""
    inner = field(1, field(4, b"Relu"))
    for _ in range(40):
        inner = field(1, field(4, b"If") + field(5, field(1, b"b") + field(6, inner)))
    refused(of_bytes(field(1, 9) + field(7, inner), tmp_path / "a.onnx"), "deep")


def test_every_cut_is_refused_or_read(tmp_path):
    """A file that ends early is a graph or one line, wherever it ends."""
    data = convolutional().SerializeToString()
    for end in range(0, len(data), 60):
        try:
            read(of_bytes(data[:end], tmp_path / "a.onnx"))
        except UserError as problem:
            assert problem.code == 1


def test_long_lists_and_data_stay_in_the_file(tmp_path):
    """Attributes that no size depends on are named by their size."""
    nodes = [node("Mine", ["x"], ["y"], blob=b"\x00\xff" * 5000, many=[1] * 150_000, domain="mine")]
    graph = read(saved(model(nodes, {"x": [1]}, {"y": None}), tmp_path / "a.onnx"))
    assert graph.nodes[0].attributes == {
        "blob": Unread("bytes", 10_000), "many": Unread("list", 150_000),
    }  # fmt: skip


# ---- at large -----------------------------------------------------------------------------------


def chain(length):
    nodes = [node("Relu", [f"t{at}"], [f"t{at + 1}"], f"n{at}") for at in range(length)]
    return model(nodes, {"t0": [1]}, {f"t{length}": None})


def test_one_long_chain_in_reverse(tmp_path):
    """Thousands of operations in the wrong order are sorted, without recursion."""
    one = chain(3000)
    nodes = list(one.graph.node)
    random.Random(0).shuffle(nodes)
    del one.graph.node[:]
    one.graph.node.extend(nodes)
    graph = read(saved(one, tmp_path / "a.onnx"))
    assert [n.name for n in graph.nodes] == [f"n{at}" for at in range(3000)]
