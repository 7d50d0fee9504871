"""Limits of the readers: thousands of damaged files, files made to be slow, long graphs; time and memory are bounded."""

import itertools
import json
import random
import resource
import sys
import time
import zipfile

import numpy as np
import onnx
import pytest
from graph_files import (
    archive,
    argument,
    convolutional,
    described,
    info,
    initialiser,
    model,
    program,
    saved,
    tensor,
)
from onnx import helper

from resnet_cli import models
from resnet_cli.analyses.cost.counts import totals
from resnet_cli.errors import UserError
from resnet_cli.graphs.onnx.shapes import inferred
from resnet_cli.graphs.read import read

node = helper.make_node
TIMES = [
    200,
    pytest.param(3000, marks=pytest.mark.slow),
    pytest.param(50_000, marks=pytest.mark.full),
]
SECONDS = 2  # for one file of a few kilobytes, on a machine that does other things, too
SIZES = (0, -1, -7, 1, 2, 3, 255, 2**16, 2**31, 10**9, 2**40, 2**62, 2**63 - 1, -(2**63))
SPLICES = (
    b"\xff\xff\xff\xff\x0f",
    b"\xff" * 9 + b"\x01",
    b"\x80" * 12,
    bytes(4),
    b"\x7f\xff",
    b"\x0a\x00",
)
VALUES = (
    None, True, 0, -1, 7, 10**30, 2**63 - 1, -(2**63), 1.5, float("inf"), "", "x", "s0", "\n\x1b[2J",
    "Mul(Integer(2), Symbol('q'))", "Pow(Integer(9), Integer(99))", "FloorDiv(Symbol('s0'), Integer(0))",
    "((((((((((s0", "9" * 5000, "\ud800", [], {}, [[[[]]]], {"as_int": 3}, {"as_none": True},
    {"as_tensor": {"name": "x"}}, {"as_tensors": [{"name": "conv2d"}]}, {"as_expr": {"expr_str": "u0//s0"}},
)  # fmt: skip


def damaged(chance, data):
    """Bytes with some changed, moved, repeated, taken out or put in."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at, other = chance.randrange(len(data)), chance.randrange(len(data))
        length = chance.choice((1, 4, 20, 200))
        match chance.randrange(8):
            case 0 | 1:
                data[at] ^= 1 << chance.randrange(8)
            case 2 | 3 | 4:
                data[at] = chance.randrange(256)
            case 5 if len(data) > 2 * length:
                del data[at : at + length]
            case 6:
                data[at:at] = chance.choice(SPLICES)
            case _:
                data[at : at + length] = data[other : other + length]
    return bytes(data)


def places(part):
    """Every place in JSON's containers."""
    for key in part if isinstance(part, dict) else range(len(part)):
        yield part, key
        if isinstance(part[key], dict | list):
            yield from places(part[key])


def restructured(chance, whole):
    """JSON with some parts others, moved, doubled or taken out."""
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        found = list(places(whole))
        if not found:
            break
        (part, key), (other, its) = chance.choice(found), chance.choice(found)
        copy = json.loads(json.dumps(other[its]))
        match chance.randrange(5):
            case 0:
                part.pop(key)
            case 1:
                part[key] = copy
            case 2 if isinstance(part, list):
                part.insert(key, copy)
            case _:
                part[key] = json.loads(json.dumps(chance.choice(VALUES)))
    return whole


def altered(chance, whole):
    """A model with some sizes, numbers, operators and inputs others, each message as it should be."""
    graph = whole.graph
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        one, other = chance.choice(graph.node), chance.choice(graph.node)
        shown = chance.choice([*graph.input, *graph.output]).type.tensor_type.shape.dim
        stored = chance.choice(graph.initializer)
        match chance.randrange(8):
            case 0 if stored.dims:
                stored.dims[chance.randrange(len(stored.dims))] = chance.choice(SIZES)
            case 1:
                (chance.choice(shown) if shown else shown.add()).dim_value = chance.choice(SIZES)
            case 2 if one.attribute:
                part = chance.choice(one.attribute)
                part.i = chance.choice(SIZES)
                if part.ints:
                    part.ints[chance.randrange(len(part.ints))] = chance.choice(SIZES)
            case 3:
                one.op_type, one.domain = other.op_type, other.domain
            case 4 if one.input and other.output:
                one.input[chance.randrange(len(one.input))] = chance.choice(other.output)
            case 5 if one.input:
                del one.input[-1]
            case 6 if one.attribute and other.attribute:
                one.attribute[0].CopyFrom(other.attribute[0])
            case _:
                stored.data_type = chance.choice((1, 2, 3, 6, 7, 8, 9, 10, 22))
    return whole


def outcome(path):
    """What comes of a file that is asked for as people ask; anything but a network or a `UserError` is raised."""
    start = time.process_time()
    try:
        network = models.load(path)
        totals(network.rows)
        assert network.title.isprintable() and all(row.path.isprintable() for row in network.rows)
        return "read"
    except UserError as problem:
        assert problem.code in (1, 2) and str(problem).isprintable()
        return "refused"
    finally:
        assert time.process_time() - start < SECONDS


def various():
    """A model of an operator of each family: bodies, functions, onnxruntime's own, gates, arithmetic on shapes."""
    whole = convolutional()
    whole.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    body = helper.make_graph([node("Relu", ["r"], ["b"])], "b", [], [info("b", None)])
    runtimes = {"domain": "com.microsoft"}
    whole.graph.node.extend([
        node("If", ["x"], ["z"], then_branch=body, else_branch=body), node("Loop", ["zero", "", "x"], ["lo"], body=body),
        node("F", ["y"], ["q"], domain="mine"), node("Einsum", ["f", "fw"], ["e"], equation="ij,kj->ik"),
        node("Slice", ["y", "zero", "rest"], ["sl"]), node("Resize", ["r", "", "scales"], ["u"]),
        node("LSTM", ["c", "w", "w"], ["l"]), node("Attention", ["y", "fw", "fb"], ["at"], num_heads=1, **runtimes),
        node("FusedMatMul", ["y", "fw"], ["fm"], transA=1, **runtimes),
        node("SkipLayerNormalization", ["y", "y", "fb", "fb"], ["sk", "", "", "sum"], **runtimes),
        node("FusedConv", ["x", "w"], ["fc"], activation="Relu", **runtimes), node("Sigmoid", ["y"], ["sg"]),
        node("MultiHeadAttention", ["y", "y", "y", "fb"], ["mh"], num_heads=2, **runtimes),
        node("Mul", ["sum", "sg"], ["mul"]), node("BatchNormalization", ["c", *["fb"] * 4], ["bn"]),
        node("Split", ["y"], ["s1", "s2"], axis=1), node("MaxPool", ["c"], ["mp"], kernel_shape=[2, 2]),
        node("Softmax", ["y"], ["so"]), node("Gather", ["fw", "zero"], ["ga"]), node("ReduceMean", ["c"], ["rm"], axes=[2]),
        node("Pad", ["x", "rest"], ["pa"]), node("Tile", ["x", "rest"], ["ti"]), node("ConstantOfShape", ["t"], ["cs"]),
    ])  # fmt: skip
    given = {name for one in whole.graph.node for name in one.output if name} - {"y"}
    whole.graph.output.extend(info(name, None) for name in sorted(given))
    whole.graph.initializer.append(initialiser("scales", np.array([1, 1, 2, 2])))
    imports = [helper.make_opsetid("", 18)]
    relu = [node("Relu", ["a"], ["b"])]
    whole.functions.append(helper.make_function("mine", "F", ["a"], ["b"], relu, imports))
    return whole.SerializeToString()


@pytest.mark.parametrize("times", TIMES)
def test_damaged_onnx(tmp_path, times):
    """Its bytes, and its sizes, numbers, operators and inputs."""
    data, path = various(), tmp_path / "a.onnx"
    chance, outcomes = random.Random(times), set()
    for at in range(times):
        if at % 2:
            path.write_bytes(damaged(chance, data))
        else:
            path.write_bytes(altered(chance, onnx.ModelProto.FromString(data)).SerializeToString())
        outcomes.add(outcome(str(path)))
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize("times", TIMES)
def test_damaged_pt2(tmp_path, times):
    """The JSON's structure, its text, and the archive around it."""
    whole = program()
    whole["graph_module"]["graph"]["tensor_values"]["x"] = described(2, 3, 8, 8)
    path = tmp_path / "a.pt2"
    archive(whole, path)
    data, text = path.read_bytes(), json.dumps(whole)
    chance, outcomes = random.Random(times), set()
    for at in range(times):
        if at % 4 == 0:
            path.write_bytes(damaged(chance, data))
        elif at % 4 == 1:
            archive(damaged(chance, text.encode()), path)
        else:
            archive(restructured(chance, json.loads(text)), path)
        outcomes.add(outcome(str(path)))
    assert outcomes == {"read", "refused"}


@pytest.mark.slow
def test_every_place_of_a_program_holds_every_kind_of_value(tmp_path):
    """One place after another: a wrong type, a number beyond all bounds, an expression that is none."""
    text, path = json.dumps(program()), tmp_path / "a.pt2"
    count = sum(1 for _ in places(json.loads(text)))
    assert count > 200
    for at in range(count):
        for value in VALUES[at % 3 :: 3]:
            whole = json.loads(text)
            part, key = next(itertools.islice(places(whole), at, None))
            part[key] = value
            outcome(archive(whole, path))


def long_program(operations):
    """A program of operations of aten on y: name of the operator, what it reads beside, what it gives out."""
    whole = program()
    graph = whole["graph_module"]["graph"]
    graph["nodes"] = [
        {"target": f"torch.ops.aten.{operator}", "outputs": [tensor(name)], "metadata": {},
         "inputs": [argument("self", **tensor(read)), *(argument(key, **value) for key, value in more.items())]}
        for operator, read, name, more in operations
    ]  # fmt: skip
    names = {name for _, _, name, _ in operations} | {"x"}
    graph["tensor_values"].update({name: described(1, 8, 4, 4) for name in names})
    graph["outputs"] = [tensor(operations[-1][2])]
    specs = [{"user_output": {"arg": graph["outputs"][0]}}]
    whole["graph_module"]["signature"]["output_specs"] = specs
    return whole


START = ("relu.default", "x", "t0", {})
LONG = {  # operations of which the time could grow with the square
    "in place, one behind another": lambda n: [
        START, *(("relu_.default", f"t{at}", f"t{at + 1}", {}) for at in range(n))
    ],
    "views of views, written into": lambda n: [
        START, *(("view.default", f"t{at}", f"t{at + 1}", {"size": {"as_ints": [1, 8, 4, 4]}}) for at in range(n)),
        ("relu_.default", f"t{n}", "y", {}),
    ],
    "written into again and again": lambda n: [
        START,
        *(part for at in range(n) for part in (
            ("slice.Tensor", "t0", f"s{at}", {"dim": {"as_int": 1}}), ("add_.Tensor", f"s{at}", f"a{at}", {"other": {"as_int": 1}}),
        )),
    ],
    "views that each write makes old": lambda n: [
        START,
        *(part for at in range(n) for part in (
            ("view.default", "t0", f"s{at}", {"size": {"as_ints": [1, 8, 4, 4]}}),
            ("add_.Tensor", "t0", f"a{at}", {"other": tensor(f"s{at and at - 1}")}),
        )),
    ],
}  # fmt: skip


def seconds(path):
    start = time.process_time()
    assert models.load(path).rows
    return time.process_time() - start


@pytest.mark.slow
@pytest.mark.parametrize("case", LONG)
def test_long_programs_take_time_as_they_are_long(tmp_path, case):
    """Eight times as many operations take less than 24 times as long; with the square it would be 64."""
    few, many = (
        seconds(archive(long_program(LONG[case](n)), tmp_path / "a.pt2")) for n in (2000, 16000)
    )
    assert many < 24 * few


LAYERED = {  # operations of 20,000 rows: of one, what it reads and gives out
    "chain": lambda n: [
        node(("Relu", "Conv")[at % 2], [f"t{at}", *["w"][: at % 2]], [f"t{at + 1}"]) for at in range(n)
    ],
    "fan": lambda n: [
        *(node("Relu", ["t0"], [f"r{at}"]) for at in range(n // 2)), node("Add", ["r0", "r1"], ["s1"]),
        *(node("Add", [f"s{at - 1}", f"r{at}"], [f"s{at}"]) for at in range(2, n // 2)),
    ],
    "ladder": lambda n: [
        *(node("Conv", [f"t{at}", "w"], [f"t{at + 1}"]) for at in range(n // 2)), node("Relu", [f"t{n // 2}"], ["u0"]),
        *(node("Add", [f"u{at}", f"t{n // 2 - at}"], [f"u{at + 1}"]) for at in range(n // 2)),
    ],
    "blocks": lambda n: [
        part for at in range(n // 3) for part in (
            node("Conv", [f"t{at}", "w"], [f"c{at}"]), node("Relu", [f"c{at}"], [f"r{at}"]),
            node("Add", [f"t{at}", f"r{at}"], [f"t{at + 1}"]),
        )
    ],
    "gates of the input": lambda n: [
        part for at in range(n // 4) for part in (
            node("Conv", [f"t{at}", "w"], [f"c{at}"]), node("Sigmoid", [f"c{at}"], [f"s{at}"]),
            node("Mul", ["t0", f"s{at}"], [f"m{at}"]), node("Relu", [f"m{at}"], [f"t{at + 1}"]),
        )
    ],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", LAYERED)
def test_wide_and_long_graphs_take_time_as_they_are_long(tmp_path, case):
    """Eight times as many operations take less than 24 times as long; with the square it would be 64."""
    times = []
    for n in (2500, 20_000):
        nodes = LAYERED[case](n)
        one = model(
            nodes,
            {"t0": [1, 4, 4, 4]},
            {nodes[-1].output[0]: None},
            [initialiser("w", np.ones((4, 4, 1, 1)))],
        )
        times.append(seconds(saved(one, tmp_path / "a.onnx")))
    assert times[1] < 24 * times[0]


def test_modules_in_one_another_are_bounded(tmp_path):
    """By names that end nowhere: of a path, of a stack, of the older exporter's operations."""
    one = program()
    metadata = one["graph_module"]["graph"]["nodes"][0]["metadata"]
    many = range(10_000)
    for stack in ("k," + "m." * 4000 + "m,C", ";".join(f"k{at},m{at},C" for at in many)):
        metadata["nn_module_stack"] = stack
        with pytest.raises(UserError, match="modules in one another"):
            models.load(archive(one, tmp_path / "a.pt2"))
    nodes = [node("Relu", ["x"], ["y"], name="/m" * 4000 + "/Relu")]
    other = model(nodes, {"x": [1]}, {"y": None}, producer_name="pytorch")
    with pytest.raises(UserError, match="modules in one another"):
        models.load(saved(other, tmp_path / "a.onnx"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deeply"),
        (b'{"a":' + b"9" * 10_000 + b"}", "not valid"),
        (json.dumps(program() | {"torch_version": "x" * 1_000_000}).encode(), "too long"),
        (json.dumps(program() | {"range_constraints": {"s0\x1b[2J": {"min_val": 1}}}).encode(), "unprintable"),
    ],
    ids=["nested", "a number of ten thousand digits", "a name of a megabyte", "an escape in a name"],
)  # fmt: skip
def test_programs_that_mean_harm(tmp_path, content, why):
    """A line each, and nothing of what is in them on the terminal."""
    with pytest.raises(UserError, match=why) as problem:
        models.load(archive(content, tmp_path / "a.pt2"))
    assert str(problem.value).isprintable()


def test_a_compressed_program_is_not_unpacked(tmp_path):
    """A thousandth of what it would be: torch writes none, so none is read."""
    bomb = archive(bytes(20_000_000), tmp_path / "a.pt2", method=zipfile.ZIP_DEFLATED)
    start = time.process_time()
    with pytest.raises(UserError):
        models.load(bomb)
    assert time.process_time() - start < SECONDS


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="measures with the resource module")
@pytest.mark.parametrize(
    "data",
    [
        bytes(50_000_000),
        b"\x08\x09" * 12_000_000,
        b"\x08\x09\x3a\xff\xff\xff\x17" + b"\x0a\x00" * 25_000_000,
        b"\x08\x09\x3a\xff\xff\xff\x17" + b"\x2a\x00" * 25_000_000,
    ],
    ids=["zeros", "numbers", "empty operations", "empty tensors"],
)
def test_files_made_to_be_slow(tmp_path, data):
    """Fifty megabytes of the smallest parts: refused in seconds, in a few times the file's memory."""
    path = tmp_path / "a.onnx"
    path.write_bytes(data)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(UserError):
        read(str(path))
    assert time.process_time() - start < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KiB


@pytest.mark.slow
def test_arithmetic_that_grows_stays_small(tmp_path):
    """Numbers that are squared again and again, and a list that is doubled."""
    nodes = [node("Constant", [], ["a0"], value=initialiser("", [10, 10], "int64"))]
    for at in range(200):
        nodes.append(node("Mul", [f"a{at}"] * 2, [f"m{at}"]))
        nodes.append(node("Concat", [f"m{at}"] * 2, [f"a{at + 1}"], axis=0))
    nodes.append(node("Reshape", ["x", "a200"], ["y"]))
    graph = inferred(read(saved(model(nodes, {"x": [1]}, {"y": None}), tmp_path / "a.onnx")))
    assert graph.tensors["y"].shape is None and graph.tensors["y"].why
    assert max(len(tensor.value or ()) for tensor in graph.tensors.values()) <= 1024


def test_a_program_without_an_input_is_none(tmp_path):
    """It computes the same each time."""
    whole = program()
    del whole["graph_module"]["signature"]["input_specs"][2]
    with pytest.raises(UserError, match="holds no operation on its input"):
        models.load(archive(whole, tmp_path / "a.pt2"))
