"""What .onnx files by others hold, one trap at a time: MACs and parameters by hand, and what is not counted named."""

import numpy as np
import onnx
import pytest
from graph_files import info, initialiser, model, saved
from onnx import helper

from resnet_cli import models
from resnet_cli.analyses.cost.counts import totals

node = helper.make_node
W = np.ones((4, 3, 3, 3))
OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]


def loaded(tmp_path, nodes, initialisers=(), inputs=None, **more):
    """The network of operations on x, which give out y."""
    whole = model(nodes, inputs or {"x": [1, 3, 8, 8]}, {"y": None}, initialisers, **more)
    return models.load(saved(whole, tmp_path / "a.onnx"))


def counted(network):
    """Parameters, MACs, what is not counted."""
    sums = totals(network.rows)
    return sums["params"], sums["macs"], {one["operator"] for one in network.uncounted}


CONV = 3 * 3 * 3 * 4 * 6 * 6  # kernel, channels, outputs


@pytest.mark.parametrize(
    ("nodes", "initialisers"),
    [
        ([node("Constant", [], ["w"], value=initialiser("", W))], []),
        ([node("ConstantOfShape", ["s"], ["w"])], [initialiser("s", [4, 3, 3, 3], "int64")]),
        ([node("Cast", ["h"], ["w"], to=1)], [initialiser("h", W, "float16")]),
        ([node("DequantizeLinear", ["q", "k"], ["w"])], [initialiser("q", W, "int8"), initialiser("k", 0.5)]),
        ([node("Identity", ["v"], ["w"])], [initialiser("v", W)]),
        ([node("Reshape", ["v", "s"], ["w"])],
         [initialiser("v", np.ones((4, 27))), initialiser("s", [4, 3, 3, 3], "int64")]),
        ([node("Concat", ["a", "b"], ["w"], axis=0)], [initialiser("a", W[:1]), initialiser("b", W[1:])]),
        ([node("Cast", ["q"], ["c"], to=1), node("Mul", ["c", "k"], ["w"])],
         [initialiser("q", W, "int8"), initialiser("k", 0.5)]),
    ],
    ids=["Constant", "ConstantOfShape", "half", "8 bits", "Identity", "Reshape", "Concat", "8 bits cast"],
)  # fmt: skip
def test_where_weights_come_from(tmp_path, nodes, initialisers):
    """Whatever makes a kernel, its 108 numbers are parameters once, and its convolution has its MACs."""
    network = loaded(tmp_path, [*nodes, node("Conv", ["x", "w"], ["y"])], initialisers)
    assert counted(network) == (108, CONV, set())


def test_what_is_no_parameter(tmp_path):
    """Zero points, scales, a norm's statistics, sizes, and what nothing reads."""
    nodes = [
        node("QLinearConv", ["q", "k", "z", "w", "k", "z", "k", "z", "b"], ["c"]),
        node("DequantizeLinear", ["c", "k", "z"], ["d"]),
        node("BatchNormalization", ["d", "g", "h", "m", "v"], ["y"]),
    ]
    norm = [initialiser(name, np.ones(4)) for name in "ghmv"]
    network = loaded(
        tmp_path,
        [node("QuantizeLinear", ["x", "k", "z"], ["q"]), *nodes],
        [initialiser("k", 0.5), initialiser("z", 0, "uint8"), initialiser("w", W, "uint8"), *norm,
         initialiser("b", np.ones(4), "int32"), initialiser("unread", np.ones(99))],
    )  # fmt: skip
    assert counted(network) == (108 + 4 + 8, CONV, set())


def test_initialisers_that_are_inputs_too(tmp_path):
    """IR 3 lists them there; the network's input is x alone."""
    inputs = {"x": [1, 3, 8, 8], "w": [4, 3, 3, 3]}
    network = loaded(
        tmp_path, [node("Conv", ["x", "w"], ["y"])], [initialiser("w", W)], inputs, ir_version=3
    )
    assert [one.name for one in network.inputs] == ["x"] and counted(network)[:2] == (108, CONV)


LSTM = [initialiser("w", np.ones((1, 24, 5))), initialiser("r", np.ones((1, 24, 6)))]
STEPS = {"x": [7, 1, 5]}


def test_two_recurrent_layers_on_one_set_of_weights(tmp_path):
    """MACs each, 7 steps of 4 gates of 6 × (5 + 6), parameters once."""
    nodes = [node("LSTM", ["x", "w", "r"], [name], hidden_size=6) for name in "ab"]
    network = loaded(tmp_path, [*nodes, node("Add", ["a", "b"], ["y"])], LSTM, STEPS)
    assert counted(network) == (24 * 11, 2 * 7 * 24 * 11, set())


def test_weights_of_a_recurrent_layer_that_are_put_in_order(tmp_path):
    """As exporters do with torch's gates: sliced, joined; they multiply as others do."""
    start, middle, end, axis = (
        initialiser(n, [v], "int64") for n, v in {"s": 0, "m": 6, "e": 24, "a": 1}.items()
    )
    nodes = [
        node("Slice", ["w", "m", "e", "a"], ["late"]), node("Slice", ["w", "s", "m", "a"], ["early"]),
        node("Concat", ["late", "early"], ["turned"], axis=1),
        node("LSTM", ["x", "turned", "r"], ["y"], hidden_size=6),
    ]  # fmt: skip
    network = loaded(tmp_path, nodes, [*LSTM, start, middle, end, axis], STEPS)
    assert counted(network) == (24 * 11, 7 * 24 * 11, set())


def test_fixed_kernels_count(tmp_path):
    """A spectrogram by a convolution with stored waves: numbers in a weight's place, whoever made them."""
    network = loaded(
        tmp_path, [node("Conv", ["x", "w"], ["y"], strides=[16])],
        [initialiser("w", np.ones((34, 1, 32)))], {"x": [1, 1, 160]},
    )  # fmt: skip
    assert counted(network) == (34 * 32, 34 * 32 * 9, set())


def test_a_table_that_is_multiplied_by_one_hots(tmp_path):
    """Rows of a table by a product of matrices: it is one, and has its MACs."""
    nodes = [node("OneHot", ["x", "depth", "values"], ["o"]), node("MatMul", ["o", "w"], ["y"])]
    network = loaded(
        tmp_path, nodes,
        [initialiser("depth", 50, "int64"), initialiser("values", [0, 1]), initialiser("w", np.ones((50, 8)))],
        {"x": [1, 12]},
    )  # fmt: skip
    assert counted(network) == (400, 12 * 50 * 8, set())


# ---- bodies -------------------------------------------------------------------------------------


def branches(condition):
    """An If of a convolution, whose weights lie in the branch, and of none."""
    conv = helper.make_graph(
        [node("Conv", ["x", "w"], ["o"])], "t", [], [info("o", None)], [initialiser("w", W)]
    )
    other = helper.make_graph([node("Relu", ["x"], ["o"])], "e", [], [info("o", None)])
    return [*condition, node("If", ["c"], ["y"], then_branch=conv, else_branch=other)]


def test_a_choice_that_is_known(tmp_path):
    """Its branch runs, with the weights in it."""
    nodes = branches([node("Constant", [], ["c"], value=initialiser("", True, "bool"))])
    assert counted(loaded(tmp_path, nodes)) == (108, CONV, set())


def test_a_choice_on_data(tmp_path):
    """It is not counted, says what is in its branches, and holds their weights; what follows says after what."""
    nodes = [
        *branches([node("ReduceMax", ["x"], ["m"], keepdims=0), node("Cast", ["m"], ["c"], to=9)])
    ]
    nodes = [*nodes[:-1], node("If", ["c"], ["i"], **{a.name: a.g for a in nodes[-1].attribute}),
             node("Relu", ["i"], ["y"])]  # fmt: skip
    network = loaded(tmp_path, nodes)
    assert counted(network) == (108, 0, {"If", "Relu"})
    assert [one["reason"] for one in network.uncounted] == [
        "its body is not followed, Conv ×1 in it", "shape unknown after If",
    ]  # fmt: skip
    assert network.rows[-2].reads[-1] == -1  # its branches read x


def test_loops_are_named(tmp_path):
    """Of how many steps they run nothing is said."""
    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("MatMul", ["s", "w"], ["t"])], "b",
        [info("i", []), info("go", []), info("s", [1, 8])], [info("on", []), info("t", [1, 8])],
    )  # fmt: skip
    nodes = [node("Loop", ["n", "", "x"], ["y"], body=body)]
    initialisers = [initialiser("n", 5, "int64"), initialiser("w", np.ones((8, 8)))]
    network = loaded(tmp_path, nodes, initialisers, {"x": [1, 8]})
    assert counted(network) == (64, 0, {"Loop"})
    assert network.uncounted[0]["reason"] == "its body is not followed, MatMul ×1 in it"


# ---- onnxruntime's own --------------------------------------------------------------------------

D, HEADS, TOKENS = 8, 2, 5
PROJECTED = 3 * TOKENS * D * D
SCORES = 2 * TOKENS * TOKENS * D
VECTOR = initialiser("g", np.ones(D))


def microsoft(operator, inputs, outputs=("y",), **how):
    return node(operator, inputs, outputs, domain="com.microsoft", **how)


@pytest.mark.parametrize(
    ("nodes", "initialisers", "params", "macs"),
    [
        ([microsoft("Attention", ["x", "w", "b"], num_heads=HEADS)],
         [initialiser("w", np.ones((D, 3 * D))), initialiser("b", np.ones(3 * D))], 27 * D, PROJECTED + SCORES),
        ([microsoft("QAttention", ["x", "w", "b", "k", "k"], num_heads=HEADS)],
         [initialiser("w", np.ones((D, 3 * D)), "int8"), initialiser("b", np.ones(3 * D)), initialiser("k", 1.0)],
         27 * D, PROJECTED + SCORES),
        ([microsoft("MultiHeadAttention", ["x", "x", "x", "b"], num_heads=HEADS)],
         [initialiser("b", np.ones(3 * D))], 3 * D, SCORES),
        ([microsoft("MultiHeadAttention", ["x", "x", "x", "", "", "", "p", "p"], num_heads=HEADS)],
         [initialiser("p", np.ones((1, HEADS, 3, D // HEADS)))], 0, 2 * TOKENS * (TOKENS + 3) * D),
        ([microsoft("SkipLayerNormalization", ["x", "x", "g", "g2"])], [VECTOR, initialiser("g2", np.ones(D))], 2 * D, 0),
        ([microsoft("SkipSimplifiedLayerNormalization", ["x", "x", "g"])], [VECTOR], D, 0),
        ([microsoft("BiasGelu", ["x", "g"])], [VECTOR], D, 0),
        ([microsoft("FastGelu", ["x"])], [], 0, 0),
        ([microsoft("FusedMatMul", ["x", "w"], transB=1, alpha=0.5)], [initialiser("w", np.ones((7, D)))],
         7 * D, TOKENS * D * 7),
        ([microsoft("DynamicQuantizeMatMul", ["x", "w", "k", "", "b"])],
         [initialiser("w", np.ones((D, 7)), "int8"), initialiser("k", 1.0), initialiser("b", np.ones(7))],
         7 * D + 7, TOKENS * D * 7),
        ([microsoft("MatMulNBits", ["x", "w", "k"], K=D, N=7, bits=4, block_size=16)],
         [initialiser("w", np.ones((7, 1, 8)), "uint8"), initialiser("k", np.ones(7))], 7 * D, TOKENS * D * 7),
    ],
    ids=lambda value: value[0].op_type if isinstance(value, list) and value and hasattr(value[0], "op_type") else None,
)  # fmt: skip
def test_operators_of_onnxruntime(tmp_path, nodes, initialisers, params, macs):
    """By their descriptions: several of ONNX's operators in one."""
    network = loaded(tmp_path, nodes, initialisers, {"x": [1, TOKENS, D]}, opset_imports=OPSETS)
    assert counted(network) == (params, macs, set())
    assert network.rows[-1].output[0] == TOKENS


def test_a_convolution_with_what_is_added_to_it(tmp_path):
    """And its activation: a residual addition is found in it."""
    nodes = [
        node("Conv", ["x", "v"], ["a"], pads=[1] * 4),
        microsoft("FusedConv", ["a", "w", "", "x"], pads=[1] * 4, activation="Relu"),
    ]
    w = np.ones((3, 3, 3, 3))
    network = loaded(
        tmp_path, nodes, [initialiser("v", w), initialiser("w", w)], opset_imports=OPSETS
    )
    assert counted(network) == (162, 2 * 81 * 64, set())
    assert [row.layer.operator for row in network.rows] == [
        "convolution",
        "convolution",
        "addition",
        "ReLU",
    ]
    assert network.rows[2].layer.join


def test_the_tables_of_an_embedding(tmp_path):
    """Words, places and kinds, summed and normed; the table of places has as many rows as there are words."""
    tables = [initialiser(n, np.ones((rows, D))) for n, rows in (("w", 50), ("p", 16), ("k", 2))]
    nodes = [microsoft("EmbedLayerNormalization", ["x", "s", "w", "p", "k", "g", "h"], ["y", "m"])]
    whole = model(
        nodes,
        {},
        {"y": None},
        [*tables, VECTOR, initialiser("h", np.ones(D))],
        opset_imports=OPSETS,
    )
    int32 = onnx.TensorProto.INT32
    whole.graph.input.extend([info("x", [1, TOKENS], int32), info("s", [1, TOKENS], int32)])
    network = models.load(saved(whole, tmp_path / "a.onnx"))
    assert counted(network) == (68 * D + 2 * D, 0, set()) and network.rows[-1].output == (TOKENS, D)


@pytest.mark.parametrize(
    ("operator", "domain", "reason"),
    [
        ("TreeEnsembleClassifier", "ai.onnx.ml", "it is none of ONNX's own operators"),
        ("DFT", "", "how a Fourier transform is computed is left to the program that runs it"),
        ("Attention", "com.microsoft", "this form of it is not described"),
        ("GroupQueryAttention", "com.microsoft", "how much of what it keeps is read depends on the data"),
        ("NonMaxSuppression", "", "'NonMaxSuppression' depends on its input's numbers"),
        ("Mine", "com.microsoft", "no rule describes it"),
    ],
)  # fmt: skip
def test_what_is_not_counted_says_why(tmp_path, operator, domain, reason):
    """A line with a reason, and no more."""
    inputs = ["x"] if operator in ("TreeEnsembleClassifier", "DFT") else ["x", "x", "x", "x", "x"]
    one = node(operator, inputs, ["y"], domain=domain, num_heads=2, kv_num_heads=1)
    network = loaded(tmp_path, [one], (), {"x": [1, TOKENS, D]}, opset_imports=OPSETS)
    assert network.uncounted == [
        {"operator": f"{domain}.{operator}".lstrip("."), "times": 1, "reason": reason}
    ]
