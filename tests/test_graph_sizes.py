"""Sizes that are expressions: read in two spellings, equal to sympy's values, never run; and given numbers."""

import random

import pytest
import sympy
from graph_files import archive, convolutional, described, model, program, saved
from onnx import helper

from resnet_cli.errors import UserError
from resnet_cli.graphs.bind import bound, missing
from resnet_cli.graphs.read import read
from resnet_cli.graphs.sizes import Unreadable, evaluated, names, tidy


def expression(chance, depth=0):
    """A random expression of sympy's."""
    if depth > 3 or chance.random() < 0.2:
        symbol = sympy.Symbol(chance.choice("abc"), positive=True, integer=True)
        return chance.choice([symbol, sympy.Integer(chance.randint(-9, 9))])
    parts = [expression(chance, depth + 1) for _ in range(chance.randint(2, 3))]
    make = chance.choice([sympy.Add, sympy.Mul, sympy.Max, sympy.Min, "floor", "Mod"])
    if make == "floor":
        return sympy.floor(parts[0] / chance.randint(2, 7))
    if make == "Mod":
        return sympy.Mod(parts[0], chance.randint(2, 7))
    return make(*parts)


@pytest.mark.parametrize("seed", range(24))
def test_expressions_are_worth_what_sympy_says(seed):
    """In sympy's own spelling, and as arithmetic once made tidy."""
    chance = random.Random(seed)
    wanted = expression(chance)
    values = {name: chance.randint(1, 50) for name in "abc"}
    number = wanted.subs(
        {sympy.Symbol(n, positive=True, integer=True): v for n, v in values.items()}
    )
    text = sympy.srepr(wanted)
    assert evaluated(text, values) == number
    assert evaluated(str(tidy(text)), values) == number


@pytest.mark.parametrize(
    ("text", "arithmetic", "value"),
    [
        ("Symbol('s77', positive=True, integer=True)", "s77", 10),
        ("Integer(-3)", -3, None),
        ("Mul(Integer(2), Symbol('s77', positive=True))", "2*s77", 20),
        ("FloorDiv(Add(Symbol('s77'), Integer(-1)), Integer(2))", "(s77 - 1)//2", 4),
        ("Pow(Symbol('s77'), Integer(2))", "s77**2", 100),
        ("Mul(Integer(3), Pow(Symbol('s77'), Integer(-1)))", "3*s77**(-1)", None),
        ("((s77 - 1)//2) + 1", "(s77 - 1)//2 + 1", 5),
        ("Max(1, s77 % 4, -s77)", "Max(1, s77%4, -s77)", 2),
        ("s77 - (2 - 1)", "s77 - (2 - 1)", 9),
        ("2**-1*s77", "2**(-1)*s77", 5),
        ("ModularIndexing(s77, 2, 3)", "ModularIndexing(s77, 2, 3)", 2),
    ],
)
def test_spellings(text, arithmetic, value):
    """torch.export's and ONNX exporters' own, by hand."""
    assert tidy(text) == arithmetic
    if value is not None:
        assert evaluated(str(arithmetic), {"s77": 10}) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "a if b else c", "a[0]", "9" * 30, "(" * 500 + "a", "a b",
        "Pow(10, 99)", "a//0", "a**a**a", "Mul(" + "99999999999," * 30 + "1)", "lambda: 0", "1.5",
        "a" * 10_000, "Symbol(", "", "3/2",
    ],
)  # fmt: skip
def test_what_is_no_size_is_refused(text):
    """Nothing is run, nothing grows without bound; the text itself stays."""
    with pytest.raises(Unreadable):
        evaluated(text, {"a": 100, "b": 1, "c": 1})
    assert isinstance(tidy(text), str | int)


def test_names_of_an_expression():
    """Each once; a text that is no expression is one name."""
    assert names("4*h*w + h") == ["h", "w"]
    assert names("sequence length!") == ["sequence length!"]


# ---- given numbers ------------------------------------------------------------------------------


@pytest.fixture
def dynamic(tmp_path):
    """Two inputs: batch × 3 × h × 2·w, and batch × t."""
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    inputs = {"x": ["batch", 3, "h", "2*w"], "z": ["batch", "t"]}
    return read(saved(model(nodes, inputs, {"y": ["batch", 3, "h", "2*w"]}), tmp_path / "a.onnx"))


def test_sizes_by_an_inputs_shape_and_by_name(dynamic):
    """Symbols are told from shapes; a leading one that nobody gives is the batch."""
    solved = bound(dynamic, {"x": (5, 3, 8, 10)}, {"w": 5, "t": 2})
    assert (solved.tensors["y"].shape, solved.tensors["z"].shape) == ((5, 3, 8, 10), (5, 2))
    assert bound(dynamic, dims={"h": 1, "w": 2, "t": 3}).tensors["y"].shape == (1, 3, 1, 4)
    assert bound(dynamic, dims={"h": 1, "w": 2, "t": 3}, batch=7).tensors["z"].shape == (7, 3)


def test_a_leading_size_without_a_name_is_the_batch(tmp_path):
    """As PaddlePaddle and others write it; the other places must be given."""
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    graph = read(saved(model(nodes, {"x": [None, 3, None]}, {"y": None}), tmp_path / "a.onnx"))
    assert bound(graph, {"x": (2, 3, 5)}).tensors["x"].shape == (2, 3, 5)
    with pytest.raises(UserError, match=r"a size is open: a size \(place 3 of input 'x'\)"):
        bound(graph)


def test_what_is_missing_is_listed(dynamic):
    """Each symbol with the input and the place where it stands."""
    assert [tuple(part) for part in missing(dynamic, {"batch": 1, "h": 2})] == [
        ("w", "x", 3), ("t", "z", 1),
    ]  # fmt: skip
    with pytest.raises(UserError, match=r"w \(place 4 of input 'x'\), t \(place 2 of input 'z'\)"):
        bound(dynamic, dims={"h": 2})


@pytest.mark.parametrize(
    ("shapes", "dims", "what"),
    [
        ({"x": (1, 4, 8, 8)}, {}, "fixed to 3 at place 2, not 4"),
        ({"x": (1, 3, 8)}, {}, "4 dimensions, not 3"),
        ({"q": (1,)}, {}, "no input is named 'q'"),
        ({"x": (1, 3, 8, 8), "z": (2, 4)}, {"w": 4}, "'batch' is 1 elsewhere, and 2"),
        ({"x": (1, 3, 8, 8)}, {"w": 5, "t": 1}, "has 8 where 2\\*w is 10"),
        ({}, {"hh": 3}, "no open size is named 'hh'"),
        ({}, {"h": 0, "w": 1, "t": 1}, "'h' may not be 0"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(dynamic, shapes, dims, what):
    """With exit status 2, as what was typed is at fault."""
    with pytest.raises(UserError, match=what) as problem:
        bound(dynamic, shapes, dims)
    assert problem.value.code == 2


def test_sizes_that_depend_on_data_stay_open(tmp_path):
    """A symbol that no input has: it is no number until somebody gives one, and says why."""
    whole = program(range_constraints={"s0": {}, "u0": {"min_val": 0, "max_val": None}})
    whole["graph_module"]["graph"]["tensor_values"]["view"] = described("u0", 256)
    graph = read(archive(whole, tmp_path / "a.pt2"))
    view = bound(graph).tensors["view"]
    assert (view.shape, view.why) == ((None, 256), "its size u0 depends on the data")
    assert bound(graph, dims={"u0": 9}).tensors["view"].shape == (9, 256)


def test_a_graph_without_open_sizes_is_as_it_was(tmp_path):
    """Nothing need be given."""
    graph = read(saved(convolutional(), tmp_path / "a.onnx"))
    assert bound(graph, {"x": (2, 3, 8, 8)}).tensors["x"].shape == (2, 3, 8, 8)
