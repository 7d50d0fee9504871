"""Shapes inferred without onnx: equal to those of its own node tests, of exported files, of onnxruntime's runs."""

import itertools
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnx_counts
import pytest
from graph_files import convolutional, info, initialiser, model, saved
from onnx import helper

from resnet_cli import models
from resnet_cli.graphs.bind import bound
from resnet_cli.graphs.onnx import tensors
from resnet_cli.graphs.onnx.read import read_bytes
from resnet_cli.graphs.onnx.shapes import RULES, inferred
from resnet_cli.graphs.onnx.wire import Wire
from resnet_cli.graphs.read import read
from resnet_cli.graphs.rows import batch_of, rows
from resnet_cli.inputs import Given, Typed
from resnet_cli.layers.uncounted import Uncounted

node = helper.make_node
DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"


def cleared(graph):
    """The graph without the shapes that its file gives to what operations make."""
    return graph._replace(
        tensors={
            name: tensor._replace(shape=None) if tensor.kind == "activation" else tensor
            for name, tensor in graph.tensors.items()
        }
    )


def small(tmp_path, nodes, outputs, initialisers=(), **more):
    """The inferred tensors of operations on x, 2×3×8×8."""
    outputs = dict.fromkeys(outputs.split())
    one = model(nodes, {"x": [2, 3, 8, 8]}, outputs, initialisers, **more)
    return inferred(read(saved(one, tmp_path / "a.onnx")))


# ---- by hand ------------------------------------------------------------------------------------


def test_arithmetic_on_shapes(tmp_path):
    """Shape, Gather, Concat, Reshape: the size that a graph computes is known, for a batch that is given."""
    graph = read(saved(convolutional(), tmp_path / "a.onnx"))
    solved = inferred(bound(graph, {"x": (7, 3, 8, 8)}))
    assert solved.tensors["t"].value == (7, -1)
    assert (solved.tensors["f"].shape, solved.tensors["y"].shape) == ((7, 256), (7, 5))
    open_still = inferred(graph).tensors
    assert (open_still["t"].value, open_still["y"].shape) == (("batch", -1), ("batch", 5))


def test_an_unknown_operator_is_named(tmp_path):
    """It has no shape and a reason, and what comes after it passes the reason on."""
    nodes = [node("Mine", ["x"], ["a"], domain="mine"), node("Relu", ["a"], ["y"])]
    tensors = small(tmp_path, nodes, "y").tensors
    assert (tensors["a"].shape, tensors["a"].why) == (None, "the operator 'mine.Mine' is not known")
    assert (tensors["y"].shape, tensors["y"].why) == (None, tensors["a"].why)


def test_the_files_shape_fills_in(tmp_path):
    """Behind an operator that is not known, where the file says it."""
    nodes = [node("Mine", ["x"], ["a"], domain="mine"), node("Flatten", ["a"], ["y"])]
    graph = small(tmp_path, nodes, "y", value_info={"a": [2, 5, 3]})
    assert graph.tensors["y"].shape == (2, 15) and graph.notes == ()


def test_a_shape_that_the_file_has_wrong_is_noted(tmp_path):
    """What its operators give is taken."""
    graph = small(tmp_path, [node("Relu", ["x"], ["a"]), node("Abs", ["a"], ["y"])], "y",
                  value_info={"a": [9, 3, 8, 8]})  # fmt: skip
    assert graph.tensors["y"].shape == (2, 3, 8, 8)
    assert graph.notes == (
        "the file's shapes are not what its operators give for 1 tensors, 'a' the first; the operators' are taken",
    )


def test_what_depends_on_the_data_is_open(tmp_path):
    """The rank of what NonZero gives is known, how many there are is not."""
    tensor = small(tmp_path, [node("NonZero", ["x"], ["y"])], "y").tensors["y"]
    assert (tensor.shape, tensor.why) == ((4, None), "'NonZero' depends on its input's numbers")


def test_the_branch_that_sizes_choose_is_taken(tmp_path):
    """An If on the input's rank gives way to the operations of its branch."""
    flat = helper.make_graph([node("Flatten", ["x"], ["f"])], "t", [], [info("f", None)])
    as_is = helper.make_graph([node("Identity", ["x"], ["f"])], "e", [], [info("f", None)])
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Size", ["s"], ["rank"]),
        node("Equal", ["rank", "four"], ["c"]),
        node("If", ["c"], ["y"], "choice", then_branch=flat, else_branch=as_is),
    ]
    graph = small(tmp_path, nodes, "y", [initialiser("four", 4, "int64")])
    assert [n.operator for n in graph.nodes][3:] == ["Flatten", "Identity"]
    assert graph.tensors["y"].shape == (2, 192)


def test_a_body_that_is_not_followed_is_named(tmp_path):
    """Of an If on data."""
    body = helper.make_graph([node("Relu", ["x"], ["f"])], "t", [], [info("f", None)])
    nodes = [node("If", ["x"], ["y"], then_branch=body, else_branch=body)]
    assert small(tmp_path, nodes, "y").tensors["y"].why == "If runs a body, which is not followed"


@pytest.mark.parametrize(
    ("operator", "attributes"),
    [
        ("Conv", {"strides": [0, 1]}), ("Conv", {"kernel_shape": [99, 99]}), ("Conv", {"pads": [1]}),
        ("Reshape", {"shape": 3}), ("Transpose", {"perm": [0, 0, 1, 2]}), ("Flatten", {"axis": -9}),
        ("Concat", {"axis": 99}), ("Split", {"num_outputs": 10**9}), ("Pad", {"pads": [-99] * 8}),
        ("Einsum", {"equation": "ijkl,->"}), ("Einsum", {"equation": 1}), ("LSTM", {}), ("Gemm", {}),
        ("Squeeze", {"axes": [0]}), ("Tile", {}), ("DepthToSpace", {"blocksize": 0}), ("Slice", {}),
    ],
)  # fmt: skip
def test_operations_that_do_not_fit_have_no_shape(tmp_path, operator, attributes):
    """Whatever their attributes are, there is a reason and no crash."""
    tensor = small(tmp_path, [node(operator, ["x", "x"], ["y"], **attributes)], "y").tensors["y"]
    assert tensor.why if tensor.shape is None or None in tensor.shape else operator in ("Squeeze",)


@pytest.mark.parametrize(
    ("operator", "inputs", "attributes", "shape"),
    [
        ("GlobalLpPool", ["x"], {}, (2, 3, 1, 1)),
        ("MaxRoiPool", ["x", "rois"], {"pooled_shape": [4, 5]}, (6, 3, 4, 5)),
        ("RandomNormal", [], {"shape": [4, 2]}, (4, 2)),
        ("RandomUniform", [], {"shape": [4, 2]}, (4, 2)),
        ("RandomNormalLike", ["x"], {}, (2, 3, 8, 8)),
        ("Multinomial", ["m"], {"sample_size": 7}, (3, 7)),
        ("NonMaxSuppression", ["x", "x"], {}, (None, 3)),
        ("com.microsoft.FusedConv", ["x", "w"], {"strides": [2, 2]}, (2, 4, 3, 3)),
        ("com.microsoft.FusedMatMul", ["m", "m"], {"transB": 1}, (3, 3)),
        ("com.microsoft.FusedGemm", ["m", "m"], {"transB": 1}, (3, 3)),
        ("com.microsoft.MatMulNBits", ["m", "m"], {"N": 9}, (3, 9)),
        ("com.microsoft.QGemm", ["m", "s", "s", "m"], {"transB": 1}, (3, 3)),
        ("com.microsoft.QLinearAdd", ["x", "s", "s", "row"], {}, (2, 3, 8, 8)),
        ("com.microsoft.QLinearMul", ["row", "s", "s", "x"], {}, (2, 3, 8, 8)),
        ("com.microsoft.QLinearConcat", ["s", "s", "x", "s", "s", "x", "s", "s"], {"axis": 1}, (2, 6, 8, 8)),
        ("com.microsoft.QLinearAveragePool", ["x"], {"kernel_shape": [2, 2]}, (2, 3, 7, 7)),
        ("com.microsoft.QLinearGlobalAveragePool", ["x"], {}, (2, 3, 1, 1)),
        ("com.microsoft.SkipLayerNormalization", ["x", "x"], {}, (2, 3, 8, 8)),
        ("com.microsoft.DynamicQuantizeLSTM", ["t", "l", "l"], {"hidden_size": 6}, (7, 2, 1, 6)),
        ("com.microsoft.DynamicQuantizeMatMul", ["m", "mt"], {}, (3, 3)),
        ("com.microsoft.MatMulIntegerToFloat", ["m", "mt"], {}, (3, 3)),
        ("SimplifiedLayerNormalization", ["x", "row"], {}, (2, 3, 8, 8)),
    ],
)  # fmt: skip
def test_operators_without_a_node_test(tmp_path, operator, inputs, attributes, shape):
    """By their descriptions."""
    domain, _, name = operator.rpartition(".")
    weights = [initialiser("rois", np.ones((6, 5))), initialiser("w", np.ones((4, 3, 3, 3))),
               initialiser("m", np.ones((3, 5))), initialiser("s", 1.0), initialiser("row", np.ones(8)),
               initialiser("t", np.ones((7, 1, 5))), initialiser("l", np.ones((2, 6, 24))),
               initialiser("mt", np.ones((5, 3)))]  # fmt: skip
    nodes = [node(name, inputs, ["y"], domain=domain, **attributes)]
    assert small(tmp_path, nodes, "y", weights).tensors["y"].shape == shape


# ---- the onnx package's own cases ---------------------------------------------------------------


def disagreements(graph, inputs, outputs):
    """Outputs whose inferred shape, or one of whose numbers, is another; (shape, numbers or None) of each."""
    given = dict(graph.tensors)
    for name, (shape, numbers) in zip(graph.inputs, inputs, strict=True):
        given[name] = given[name]._replace(shape=shape, value=numbers)
    solved = inferred(cleared(graph._replace(tensors=given)))
    wrong, known = [], []
    for name, (shape, numbers) in zip(graph.outputs, outputs, strict=True):
        own = solved.tensors[name]
        if own.shape is None or None in own.shape:
            continue
        known.append(name)
        if own.shape != shape:
            wrong.append((name, own.shape, shape))
        if own.value is not None and numbers is not None:
            pairs = zip(own.value, numbers, strict=True)
            wrong += [
                pair for pair in pairs if pair[0] is not None and pair[0] != pytest.approx(pair[1])
            ]
    return wrong, known, solved


@pytest.mark.parametrize(
    "case", sorted(DATA.glob("pytorch-*/*/model.onnx")), ids=lambda p: p.parent.name
)
def test_layers_that_torch_wrote(case):
    """IR 3: real outputs' shapes from real inputs'."""
    graph = read(str(case))
    shapes = []
    for kind, count in (("input", len(graph.inputs)), ("output", len(graph.outputs))):
        files = [case.parent / "test_data_set_0" / f"{kind}_{at}.pb" for at in range(count)]
        data = [file.read_bytes() for file in files]
        read_tensors = [tensors.tensor(Wire(part), (0, len(part)))[0] for part in data]
        shapes.append([(tensor.shape, tensor.value) for tensor in read_tensors])
    wrong, known, _ = disagreements(graph, *shapes)
    assert not wrong and len(known) == len(graph.outputs)


UNFOLLOWED = {"If", "Loop", "Scan", "SequenceMap"}
OF_DATA = {"NonZero", "NonMaxSuppression", "Unique"}
NO_CASE = {
    "GlobalLpPool", "MaxRoiPool", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
    "SimplifiedLayerNormalization",
}  # fmt: skip


def numbers_of(array):
    """The numbers of a small array that sizes may be computed from."""
    if array.dtype.kind in "iufb" and array.size <= 1024 and np.isfinite(array).all():
        return tuple(
            array.reshape(-1).tolist() if array.dtype.kind != "b" else map(int, array.flat)
        )
    return None


def as_described(value):
    """Shape, and numbers if they are few, of an array, a number, or a tensor in ONNX's own form."""
    if isinstance(value, onnx.TensorProto):
        return tuple(value.dims), None
    array = np.asarray(value)
    return array.shape, numbers_of(array)


MULTIPLY = {
    "Attention", "Conv", "ConvInteger", "ConvTranspose", "DeformConv", "Einsum", "GRU", "Gemm", "LSTM", "MatMul",
    "MatMulInteger", "QLinearConv", "QLinearMatMul", "RNN",
}  # fmt: skip


def macs_beside(case, solved, described):
    """The operator, where a case is one that multiplies; its rows have as many MACs as `onnx_counts` says."""
    model = case.model
    if len(model.graph.node) != 1 or model.functions or model.graph.node[0].domain:
        return Counter()
    (one,) = model.graph.node
    names = [*(given.name for given in model.graph.input), *solved.outputs]
    shapes = {
        name: shape for name, (shape, _) in zip(names, itertools.chain(*described), strict=True)
    }
    expected = onnx_counts.of_node(one, shapes)
    own = rows(solved)
    if expected is None or any(isinstance(row.layer, Uncounted) for row in own):
        return Counter()
    assert sum(row.macs for row in own) * (batch_of(solved) or 1) == expected, case.name
    return Counter([one.op_type])


@pytest.mark.slow
def test_every_operator_as_its_node_tests_have_it():
    """Every case of onnx's own, also those that write an operator as others: no shape differs, all claimed are known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        cases = [case for case in collect_testcases(None) if case.model and case.data_sets]
    assert len(cases) > 1500
    agreed, times, multiplied = set(), 0, Counter()
    for case in cases:
        graph = read_bytes(case.model.SerializeToString())
        inputs, outputs = case.data_sets[0]
        if any(isinstance(value, list | type(None)) for value in (*inputs, *outputs)):
            continue  # sequences, optional values
        described = [list(map(as_described, side)) for side in (inputs, outputs)]
        wrong, known, solved = disagreements(graph, *described)
        assert not wrong, case.name
        times += bool(known)
        multiplied += macs_beside(case, solved, described)
        operators = {f"{n.domain}.{n.operator}".lstrip(".") for n in solved.nodes}
        if known:
            agreed |= operators
        elif operators <= set(RULES) - OF_DATA:
            whys = [solved.tensors[name].why for name in graph.outputs]
            assert all("'start'" in why for why in whys), (case.name, whys)  # in bfloat16
    claimed = {name for name in RULES if "." not in name}
    assert claimed - agreed == OF_DATA - {"Unique"} | NO_CASE
    assert set(multiplied) == MULTIPLY
    counts = ", ".join(f"{name} {n}" for name, n in sorted(multiplied.items()))
    print(f"shapes agree in {times} cases of {len(agreed & claimed)} operators; MACs: {counts}")


# ---- whole networks -----------------------------------------------------------------------------


def run(path, shapes):
    """Every tensor of a run by onnxruntime, on zeros."""
    import onnxruntime

    whole = onnx.load(path)
    known = {output.name for output in whole.graph.output}
    names = dict.fromkeys(name for n in whole.graph.node for name in n.output if name)
    whole.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(whole.SerializeToString(), options)
    feeds = {name: np.zeros(shape, "float32") for name, shape in shapes.items()}
    outputs = [output.name for output in session.get_outputs()]
    return dict(zip(outputs, session.run(outputs, feeds), strict=True))


def assert_as_run(path, shapes):
    """Every tensor has the shape that it has when the network runs."""
    graph = read(str(path))
    solved = inferred(cleared(bound(graph, shapes)))
    sizes = {name: solved.tensors[name].shape for name in graph.inputs}
    for name, array in run(str(path), sizes).items():
        assert solved.tensors[name].shape == array.shape, name
    return graph


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(DATA.glob("light/*.onnx")), ids=lambda path: path.stem)
def test_networks_of_the_onnx_package(path):
    """IR 3, weights by ConstantOfShape, no shapes inside: each tensor as onnxruntime has it."""
    assert_as_run(path, {})


@pytest.mark.slow
@pytest.mark.parametrize("newer", [True, False])
def test_a_network_by_both_of_torchs_exporters(tmp_path, newer):
    """As the file says where it does, as onnxruntime has it, and 11,689,512 parameters where no norm was folded."""
    import torch

    from resnet_cli.designs import zoo
    from resnet_cli.pytorch.build import build

    net = build(zoo.find("resnet18")).eval()
    for parameter in net.parameters():  # the older exporter writes equal tensors once
        torch.nn.init.uniform_(parameter)
    path = str(tmp_path / "net.onnx")
    x = torch.randn(2, 3, 64, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if newer:
            sizes = ({0: torch.export.Dim("batch")},)
            torch.onnx.export(net, (x,), path, dynamo=True, dynamic_shapes=sizes, verbose=False)
        else:
            torch.onnx.export(net, (x,), path, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE,
                              do_constant_folding=False, dynamic_axes={"x": {0: "batch"}},
                              input_names=["x"])  # fmt: skip
    graph = read(path)
    solved = bound(graph, {graph.inputs[0]: (3, 3, 64, 64)})
    own = inferred(cleared(solved))
    for name, tensor in solved.tensors.items():
        if tensor.shape is not None and None not in tensor.shape:
            assert own.tensors[name].shape == tensor.shape
    assert_as_run(path, {graph.inputs[0]: (3, 3, 64, 64)})
    counts = {"parameter": 0, "buffer": 0}
    for tensor in graph.tensors.values():
        if tensor.kind in counts:
            counts[tensor.kind] += int(np.prod(tensor.shape))
    paths = [node.modules[-1].path for node in graph.nodes if node.operator == "Conv"]
    assert paths[1].startswith("layer1.0.") and len(paths) == 20
    if not newer:
        assert counts["parameter"] == 11_689_512


def of_every_kind(newer):
    """A module of layers and shapes that exporters write in many ways; ``newer``: also those that ONNX has since opset 12."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Every(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm, self.act = (
                nn.Conv2d(3, 8, 3, 2, 1),
                nn.BatchNorm2d(8),
                nn.PReLU(8),
            )
            self.up, self.groups = nn.ConvTranspose2d(8, 4, 2, 2), nn.GroupNorm(2, 8)
            self.lstm = nn.LSTM(4, 6, batch_first=True, bidirectional=True)
            self.gru, self.out = nn.GRU(12, 5), nn.Linear(5, 7)
            self.depth, self.layers = nn.Conv1d(7, 7, 3, groups=7, padding=1), nn.LayerNorm(7)

        def forward(self, x):
            y = F.max_pool2d(self.act(self.groups(self.norm(self.conv(x)))), 3, 2, 1)
            y = F.avg_pool2d(y, 2, ceil_mode=newer, count_include_pad=False)
            y = F.interpolate(F.interpolate(y, scale_factor=2), size=(13, 15))
            y = self.up(F.pad(y, (1, 1, 0, 2)))[:, :, ::2, 1:-1]
            z = y.permute(0, 2, 3, 1).reshape(y.shape[0], -1, y.shape[1])
            z = self.out(self.gru(self.lstm(z)[0])[0]).transpose(1, 2)
            z = self.layers(self.depth(z).transpose(1, 2))
            a = torch.softmax(z @ z.transpose(-1, -2) / z.shape[-1] ** 0.5, -1) @ z
            if newer:
                a = a + torch.einsum("bij,bkj->bik", z, z).mean(-1, keepdim=True)
            v = torch.cat([a, z], 1).topk(4, 1)[0].chunk(2, 1)[0]
            v = v.reshape(v.size(0), -1).unsqueeze(1).expand(-1, 3, -1)
            return v.sum(1), F.adaptive_avg_pool2d(y, 1).flatten(1)

    return Every().eval()


@pytest.mark.slow
@pytest.mark.parametrize("opset", [11, 13, 18, 20])
def test_older_and_newer_versions_of_operators(tmp_path, opset):
    """A network of the older exporter, with sizes that are open: MACs of a run's shapes, nothing uncounted."""
    import torch

    path, size = str(tmp_path / "net.onnx"), (2, 3, 40, 44)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(of_every_kind(opset > 11), (torch.randn(size),), path, dynamo=False, opset_version=opset,
                          input_names=["x"], dynamic_axes={"x": {0: "n", 2: "h", 3: "w"}})  # fmt: skip
    network = models.load(path, Given((Typed("x", size),)))
    whole = onnx.load(path)
    expected = onnx_counts.total(whole, onnx_counts.run(whole, {"x": size}))
    assert sum(row.macs for row in network.rows) == expected and not network.uncounted
