"""Arguments and options that commands share: what is typed becomes the network that is asked about."""

import json

import pytest
from program import run


def asked(*words):
    """What JSON says of the network."""
    answer = json.loads(run("summary", *words, "--json")[0])
    return answer["spec"], answer["batch"]


@pytest.mark.parametrize(
    ("typed", "size"), [("64", [64, 64]), ("64x96", [64, 96]), (" 64 × 96 ", [64, 96])]
)
def test_a_size_is_one_number_or_height_and_width(typed, size):
    """One number is both sides."""
    assert asked("resnet18", "--input-size", typed)[0]["input_size"] == size


def test_an_override_keeps_the_batch_and_what_is_not_named():
    """Groups and width change, the batch is the one that was typed, all else is resnet50's."""
    spec, batch = asked("resnet50", "--batch", "8", "--groups", "32", "--base-width", "4")
    plain, one = asked("resnet50")
    assert (batch, one) == (8, 1)
    assert spec == plain | {"groups": 32, "base_width": 4}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--input-size", "3x64x96"), "--input-size has 3 numbers"),
        (("--stages", ",".join("1" * 65)), "is not whole numbers"),
        (("--stages", "1,2,3,1000000000000"), "is not whole numbers"),  # of 13 digits
        (("--stages", "1,2,3,-4"), "is not whole numbers"),
        (("--depth", "50"), "both MODEL"),
    ],
)
def test_what_is_no_number_of_a_network_is_refused(words, said):
    """Exit 2, one line that says why, and a hint."""
    out, err = run("summary", "resnet18", *words, code=2)
    assert out == "" and said in err and len(err.splitlines()) == 2
