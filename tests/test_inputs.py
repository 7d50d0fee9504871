"""Inputs and open sizes as people type them."""

import json

import pytest
from program import run

from resnet_cli.errors import UserError
from resnet_cli.inputs import Typed, given, matched


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("1x3x224x224", Typed(None, (1, 3, 224, 224))),
        ("8×3×64×64", Typed(None, (8, 3, 64, 64))),
        ("77", Typed(None, (77,))),
        ("1x77:int64", Typed(None, (1, 77), "int64")),
        ("ids=1x77:int64", Typed("ids", (1, 77), "int64")),
        ("a:b=c:0=1x3:bool", Typed("a:b=c:0", (1, 3), "bool")),
    ],
)
def test_an_input_is_a_name_a_shape_and_a_type(text, typed):
    """The shape follows the last =, as names may hold colons and more; name and type may be left out."""
    assert given([text], []).inputs == (typed,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1x",
        "1x0",
        "1x-3",
        "=1x3",
        "1x3:float8",
        "1x3:",
        "1,3",
        "1x3x",
        "9999999999x1",
        "²x3",
        "1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1",
    ],
)
def test_what_is_no_input_is_refused(text):
    """One line says what was given."""
    with pytest.raises(UserError, match="--input"):
        given([text], [])


@pytest.mark.parametrize(
    "text", ["batch", "=3", "batch=", "batch=0", "batch=-1", "batch=1.5", "b=99999999999"]
)
def test_what_is_no_size_is_refused(text):
    """A size is NAME=N with N from 1 on."""
    with pytest.raises(UserError, match="--dim"):
        given([], [text])


def test_a_size_has_a_name():
    """What stands before the last = is the name."""
    assert given([], ["batch=2", "a=b=3"]).dims == {"batch": 2, "a=b": 3}


@pytest.mark.parametrize(
    ("inputs", "dims", "batch"),
    [(["a=1x2", "a=1x3"], [], None), ([], ["n=1", "n=2"], None), (["1x3"], [], 2)],
)
def test_nothing_is_given_twice(inputs, dims, batch):
    """A name comes once, and an input has its batch in its shape."""
    with pytest.raises(UserError, match="given"):
        given(inputs, dims, batch)


def test_inputs_without_names_go_in_order():
    """They take the places that no name took."""
    typed = given(["2", "b=3", "4"], []).inputs
    assert {name: each.shape for name, each in matched(typed, "abc").items()} == {
        "b": (3,), "a": (2,), "c": (4,),
    }  # fmt: skip


@pytest.mark.parametrize("inputs", [["z=1"], ["1", "2", "3"], ["a=1", "b=2", "3"]])
def test_inputs_that_there_are_not_are_refused(inputs):
    """An unknown name, or more than the network takes: the error lists what there is."""
    with pytest.raises(UserError) as raised:
        matched(given(inputs, []).inputs, ["a", "b"])
    assert "a, b" in raised.value.hint


def test_several_networks_are_asked_about_one_input():
    """compare --input 1x3x64x64 costs each what it costs where 64×64 is typed behind its name."""
    networks = ("resnet18", "resnet34")
    asked = json.loads(run("compare", *networks, "--input", "1x3x64x64", "--json")[0])
    behind = (f"{name}:input_size=64" for name in networks)
    sized = json.loads(run("compare", *behind, "--json")[0])
    assert [row["macs"] for row in asked["rows"]] == [row["macs"] for row in sized["rows"]]
    assert asked["rows"][0]["macs"] == 148_557_824
