"""Limits of the readers: thousands of damaged files, files made to be slow, long graphs; time and memory are bounded."""

import json
import random
import resource
import sys
import time

import numpy as np
import pytest
from graph_files import archive, convolutional, initialiser, model, program, saved
from onnx import helper

from resnet_cli.errors import UserError
from resnet_cli.graphs.bind import bound
from resnet_cli.graphs.onnx.shapes import inferred
from resnet_cli.graphs.read import read

node = helper.make_node
TIMES = 3000
SECONDS = 2  # for one file of a few kilobytes, on a machine that does other things, too
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


def outcome(path):
    """What comes of a file; anything but a graph or a `UserError` is raised."""
    start = time.process_time()
    try:
        graph = read(path)
        graph = bound(graph, dims=dict.fromkeys(graph.symbols, 3))
        if graph.format == "onnx":
            inferred(graph)
        return "read"
    except UserError as problem:
        assert problem.code in (1, 2) and str(problem).isprintable()
        return "refused"
    finally:
        assert time.process_time() - start < SECONDS


@pytest.mark.slow
def test_damaged_onnx(tmp_path):
    """Of a model with a convolution, arithmetic on shapes, a function and an If."""
    whole = convolutional()
    body = helper.make_graph(
        [node("Relu", ["r"], ["b"])], "b", [], [helper.make_tensor_value_info("b", 1, None)]
    )
    whole.graph.node.extend([
        node("If", ["x"], ["z"], then_branch=body, else_branch=body), node("F", ["y"], ["q"], domain="mine"),
        node("Einsum", ["f", "fw"], ["e"], equation="ij,kj->ik"), node("Slice", ["y", "zero", "rest"], ["sl"]),
        node("Resize", ["r", "", "scales"], ["u"]), node("LSTM", ["c", "w", "w"], ["l"]),
    ])  # fmt: skip
    whole.graph.initializer.append(initialiser("scales", np.array([1, 1, 2, 2])))
    whole.functions.append(
        helper.make_function(
            "mine", "F", ["a"], ["b"], [node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 18)]
        )
    )
    data, path = whole.SerializeToString(), tmp_path / "a.onnx"
    chance, outcomes = random.Random(1), set()
    for _ in range(TIMES):
        path.write_bytes(damaged(chance, data))
        outcomes.add(outcome(str(path)))
    assert outcomes == {"read", "refused"}


@pytest.mark.slow
def test_damaged_pt2(tmp_path):
    """The JSON's structure, its text, and the archive around it."""
    path = tmp_path / "a.pt2"
    archive(program(), path)
    data, text = path.read_bytes(), json.dumps(program()).encode()
    chance, outcomes = random.Random(2), set()
    for at in range(TIMES):
        if at % 4 == 0:
            path.write_bytes(damaged(chance, data))
        else:
            archive(damaged(chance, text) if at % 4 == 1 else restructured(chance, program()), path)
        outcomes.add(outcome(str(path)))
    assert outcomes == {"read", "refused"}


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
