"""Derivations: every line's arithmetic is worked out again and gives the trace's own number."""

import json
import re
from math import ceil, floor, prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from listed import ZOO, rows_of
from program import assert_not_loaded, run

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.explain import depth, explain
from resnet_cli.analyses.explain.conv import check, steps, traced
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.layers.convolution import Conv2d


def value(numbers):
    """What a person gets who types the numbers into a calculator."""
    text = numbers.replace(",", "").replace("·", "*").replace("−", "-")
    for sign, function in (("⌊", "floor("), ("⌈", "ceil("), ("⌋", ")"), ("⌉", ")")):
        text = text.replace(sign, function)
    assert re.fullmatch(r"[-+*/() 0-9a-z]+", text)
    return eval(text, {"__builtins__": {}}, {"floor": floor, "ceil": ceil})


def holds(step):
    return value(step.numbers) == step.result


@ZOO
def test_every_layers_arithmetic_is_its_number(spec):
    """Parameters, MACs and output shape of each layer of the zoo, from the printed numbers alone."""
    for row in rows_of(spec):
        params, macs, shape = explain.parameters(row), explain.macs(row), explain.shape(row)
        assert value(params.numbers) == params.result == counts.parameters(row)
        assert value(macs.numbers) == macs.result == row.macs
        assert all(map(holds, shape))
        found = {step.step: step.result for step in shape}
        if len(row.output) == 3:
            assert (found["channels"], found["height"], found["width"]) == row.output
            assert found["elements"] == prod(row.output)
        else:
            assert found == {"features": row.output[0]}


@ZOO
def test_ladders_add_up(spec):
    """By stage, by block and by layer: each line's sum is right, and the last is the whole."""
    rows = rows_of(spec)
    stage = [row for row in rows if row.stage == "conv3_x"]
    block = [row for row in rows if row.label == stage[-1].label]
    for part in (rows, stage, block):
        for explained, whole in (
            (explain.parameters, sum(map(counts.parameters, part))),
            (explain.macs, sum(row.macs for row in part)),
        ):
            lines = explain.ladder(part, explained)
            *above, total = lines if len(lines) > 1 else [*lines, lines[0]]
            assert all(map(holds, above))
            assert total.result == sum(step.result for step in above) == whole


@ZOO
def test_depths_follow_from_the_formula(spec):
    """Each line holds; the depth is the papers' count, and the formula's gives the number in the name."""
    rows = rows_of(spec)
    lines = depth.steps(rows, spec.name)
    assert all(map(holds, lines))
    found = {step.step: step.result for step in lines}
    total = counts.totals(rows)
    assert found["depth"] == total["layers"]
    assert found["convolutions"] == total["convolutions"]
    named = found.get("depth in the name", found["depth"])
    assert found.get("by its formula", named) == named
    assert str(named) in re.findall(r"\d+", spec.name)


def test_50_layers_have_53_convolutions():
    """1 + 3·(3+4+6+3) + 1 = 50; 1 + 48 + 4 projections = 53 (He et al. 2015, Table 1)."""
    rows = json.loads(run("explain", "depth", "resnet50", "--json")[0])["rows"]
    found = {row["step"]: (row["numbers"], row["result"]) for row in rows}
    assert found["depth"] == ("1 + 3·(3 + 4 + 6 + 3) + 1", 50)
    assert found["projections"] == ("1 + 1 + 1 + 1", 4)
    assert found["convolutions"] == ("1 + 48 + 4", 53)


@pytest.mark.parametrize(
    ("words", "formula", "numbers"),
    [
        (("resnet110",), "6n + 2", "6·18 + 2"), (("resnet164",), "9n + 2", "9·18 + 2"),
        (("wrn-28-10",), "6n + 4", "6·4 + 4"), (("--depth", "38"), "6n + 2", "6·6 + 2"),
    ],
)  # fmt: skip
def test_families_have_formulas(words, formula, numbers):
    """6n + 2 and 9n + 2 (He et al. 2015 and 2016), 6n + 4 (Zagoruyko & Komodakis 2016)."""
    last = json.loads(run("explain", "depth", *words, "--json")[0])["rows"][-1]
    assert last["formula"].startswith(formula)
    assert last["numbers"] == numbers


def test_101_layers_are_33_blocks_of_3():
    """3 + 4 + 23 + 3 = 33, 33 × 3 = 99, 1 + 99 + 1 = 101."""
    lines = depth.steps(rows_of(zoo.find("resnet101")), "resnet101")
    assert [step.result for step in lines[:5]] == [1, 33, 99, 1, 101]


def test_stages_cost_the_same_a_layer():
    """Half the size, twice the channels: 115,605,504 MACs a 3×3 in all four stages of resnet50."""
    equal = explain.balance(rows_of(zoo.find("resnet50")))
    assert [step.result for step in equal] == [115_605_504] * 4
    assert equal[2].numbers == "3·3·256·256·14·14"
    assert all(map(holds, equal))
    # VGG's last stage does not double
    vgg = explain.balance(rows_of(zoo.find("vgg16")))
    assert [step.result / vgg[0].result for step in vgg] == [1, 1, 1, 1, 0.25]


def test_the_chain_of_sizes():
    """224 → 112 → 56 → 28 → 14 → 7 → 1 (He et al. 2015, Table 1), ⌊(224 + 2·3 − 7) / 2⌋ + 1 first."""
    rows = json.loads(run("explain", "shape", "resnet50", "--json")[0])["rows"]
    assert [row["result"] for row in rows] == [112, 56, 28, 14, 7, 1]
    assert rows[0]["numbers"] == "⌊(224 + 2·3 − 7) / 2⌋ + 1"


def test_a_shape_that_nothing_changes():
    """On one pixel no window changes height or width: the last layer is shown, and a note says so."""
    answer = json.loads(run("explain", "shape", "resnet18", "--input-size", "1", "--json")[0])
    assert [(row["step"], row["result"]) for row in answer["rows"]] == [("fc", 1000)]
    assert answer["notes"][0] == "no layer changes height or width; the last is shown"


def test_both_sides_of_an_oblong_input():
    """Height and width have a line each where they differ."""
    out, _ = run("explain", "shape", "resnet18", "--input-size", "97x224", "--json")
    rows = json.loads(out)["rows"]
    assert [row["result"] for row in rows[:4]] == [49, 112, 25, 56]
    assert all(value(row["numbers"]) == row["result"] for row in rows)


@pytest.mark.parametrize(
    ("layer", "paths"),
    [
        ("layer2.0.conv1", ["layer2.0.conv1"]),
        ("conv1", ["conv1"]),
        ("conv3_2", ["layer2.1.conv1", "layer2.1.conv2"]),
        ("layer2.1", ["layer2.1.conv1", "layer2.1.conv2"]),
        ("layer2.0.downsample", ["layer2.0.downsample.0"]),
        (
            "conv3_x",
            [
                "layer2.0.conv1",
                "layer2.0.conv2",
                "layer2.0.downsample.0",
                "layer2.1.conv1",
                "layer2.1.conv2",
            ],
        ),
    ],
)
def test_a_layer_goes_by_torchs_path_or_the_papers_label(layer, paths):
    """A path is one layer or all below it, and comes before a label of the same name; a stage is all of it."""
    chosen = explain.select(rows_of(zoo.find("resnet18")), layer)
    assert [row.path for row in chosen if row.layer.operator == "convolution"] == paths


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("explain", "params", "resnet50", "layer2.0.con1"), 2, "did you mean 'layer2.0.conv1'"),
        (("explain", "params", "resnet50", "conv31"), 2, "did you mean 'conv3_1'"),
        (("explain", "params", "resnet50", "\x1b[2J"), 2, "no layer named"),
        (("explain", "params", "resnet1202", "layer9" * 9999), 2, "no layer named"),
        (("explain", "shape", "resnet50", ""), 2, "no layer named ''"),
        (("explain", "depth", "resnet50", "layer1"), 2, "whole network's"),
        (("explain", "dept", "resnet50"), 2, "did you mean 'depth'"),
        (("explain", "depth"), 2, "no network named"),
        (("conv", "--in", "6", "--out", "9", "--groups", "4", "--kernel", "1", "--size", "3"), 2, "do not divide --in 6"),
        (("conv", "--in", "4", "--out", "9", "--groups", "4", "--kernel", "1", "--size", "3"), 2, "do not divide --out 9"),
        (("conv", "--in", "0", "--out", "9", "--kernel", "1", "--size", "3"), 2, "--in 0 is out of range"),
        (("conv", "--in", "1", "--out", "-9", "--kernel", "1", "--size", "3"), 2, "--out -9 is out of range"),
        (("conv", "--in", "1", "--out", "9" * 30, "--kernel", "1", "--size", "3"), 2, "over 20 digits"),
        (("conv", "--in", "1", "--out", "1", "--kernel", "0", "--size", "3"), 2, "--kernel 0 is out of range"),
        (("conv", "--in", "1", "--out", "1", "--kernel", "3x5", "--size", "3"), 2, "not square"),
        (("conv", "--in", "1", "--out", "1", "--kernel", "nan", "--size", "3"), 2, "not a size"),
        (("conv", "--in", "1", "--out", "1", "--kernel", "3", "--size", "4x5x6"), 2, "not a size"),
        (("conv", "--in", "1", "--out", "1", "--kernel", "3", "--size", "65537"), 2, "out of range"),
        (("conv", "--in", "1", "--out", "1", "--kernel", "5", "--padding", "0", "--size", "9x3"), 2, "larger than the padded input, 3 + 2·0 = 3"),
        (("conv", "--in", "1", "--out", "1", "--kernel", "3", "--stride", "0", "--size", "3"), 2, "--stride 0"),
        (("conv", "--in", "1", "--out", "1", "--kernel", "3", "--padding", "-1", "--size", "3"), 2, "--padding -1"),
        (("conv", "--in", "1", "--out", "1", "--kernel", "3"), 2, "--size"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_message(words, code, said):
    """What was given on one line, what to type on another, and no traceback."""
    out, err = run(*words, code=code)
    assert out == ""
    assert said in err
    assert err.startswith("error: ") and len(err.splitlines()) <= 2


def test_a_hint_for_a_kernel_too_large_works():
    """The padding that the error suggests is the least that gives an output."""
    layer = Conv2d("conv", 1, 1, 8, padding=1)
    with pytest.raises(UserError, match="--padding 3"):
        check(layer, (3, 3))
    check(Conv2d("conv", 1, 1, 8, padding=3), (3, 3))
    with pytest.raises(UserError):
        check(Conv2d("conv", 1, 1, 8, padding=2), (3, 3))


@given(
    channels=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)),
    kernel=st.integers(1, 9),
    stride=st.integers(1, 4),
    padding=st.integers(0, 4),
    bias=st.booleans(),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
@settings(max_examples=200, deadline=None)
def test_any_convolution_is_torchs(channels, kernel, stride, padding, bias, size):
    """Output, parameters and MACs are those of torch's Conv2d; what torch refuses is refused."""
    inputs, outputs, groups = channels
    inputs, outputs = inputs * groups, outputs * groups
    layer = Conv2d("conv", inputs, outputs, kernel, stride, padding, groups, bias)
    torchs = torch.nn.Conv2d(
        inputs, outputs, kernel, stride, padding, groups=groups, bias=bias, device="meta"
    )
    x = torch.zeros(1, inputs, *size, device="meta")
    try:
        check(layer, size)
    except UserError:
        with pytest.raises(RuntimeError):
            torchs(x)
        return
    lines = steps(layer, traced(layer, size))
    found = {step.step: step.result for step in lines}
    y = torchs(x)
    assert all(map(holds, lines))
    assert (found["channels"], found["height"], found["width"]) == tuple(y.shape[1:])
    assert found["params"] == sum(p.numel() for p in torchs.parameters())
    assert found["MACs"] == torchs.weight.numel() * y.shape[2] * y.shape[3]


def conv(*words):
    return json.loads(run("conv", *words, "--json")[0])


def test_a_1x1_squeezes_192_channels_into_32():
    """28×28×192 by 32 filters of 1×1×192 is 28×28×32, at a ninth of a 3×3's 43,352,064 MACs."""
    answer = conv("--in", "192", "--out", "32", "--kernel", "1", "--size", "28")
    assert (answer["input"], answer["output"]) == ([192, 28, 28], [32, 28, 28])
    assert answer["total"] == {"params": 6_144, "macs": 4_816_896, "flops": 9_633_792}
    square, own = answer["comparison"]
    assert (
        (square["params"], square["macs"])
        == (55_296, 43_352_064)
        == (9 * own["params"], 9 * own["macs"])
    )
    assert own["receptive_field"] == 1 and square["receptive_field"] == 3
    assert square["ratio"] == {"params": 1, "macs": 1}
    assert own["ratio"] == {"params": 1 / 9, "macs": 1 / 9}


def test_a_bottlenecks_weights_one_by_one():
    """1×1×256×64 + 3×3×64×64 + 1×1×64×256 = 69,632; two 3×3×256 are 1,179,648, 16.94 times as many."""

    def weights(inputs, outputs, kernel):
        return conv("--in", inputs, "--out", outputs, "--kernel", kernel, "--size", "56")["total"][
            "params"
        ]

    bottleneck = weights("256", "64", "1") + weights("64", "64", "3") + weights("64", "256", "1")
    basic = 2 * weights("256", "256", "3")
    assert (bottleneck, basic) == (69_632, 1_179_648)
    assert round(basic / bottleneck, 2) == 16.94


@pytest.mark.parametrize(("kernel", "padding"), [(1, 0), (3, 1), (4, 1), (5, 2), (7, 3)])
def test_padding_keeps_the_size(kernel, padding):
    """⌊(k − 1) / 2⌋ is the padding where none is given; an odd kernel then keeps height and width."""
    answer = conv("--in", "3", "--out", "8", "--kernel", f"{kernel}x{kernel}", "--size", "28x32")
    assert answer["convolution"]["padding"] == padding
    assert answer["output"] == ([8, 28, 32] if kernel % 2 else [8, 27, 31])


@pytest.mark.parametrize("words", [
    ("explain", "depth", "resnet50"), ("explain", "params", "resnet50", "layer2.0"),
    ("explain", "flops", "resnet50", "conv1"), ("explain", "shape", "vgg16"),
    ("conv", "--in", "192", "--out", "32", "--kernel", "1", "--size", "28"),
    ("receptive-field", "resnet50", "--level", "block"), ("features", "resnet50"),
])  # fmt: skip
def test_every_format_has_every_number(words):
    """The results of JSON's rows stand in each format, raw or with their thousands set apart."""
    rows = json.loads(run(*words, "--json")[0])["rows"]
    numbers = [v for row in rows for v in row.values() if isinstance(v, int)]
    for format in ("table", "plain", "csv", "markdown", "latex"):
        out, _ = run(*words, "-f", format)
        assert all(f"{number}" in out or f"{number:,}" in out for number in numbers)


@pytest.mark.parametrize("command", ["explain params", "receptive-field", "features", "paths"])
def test_these_need_no_torch(command):
    """Nothing that takes seconds to load is loaded."""
    assert_not_loaded("torch", "numpy", by=(*command.split(), "resnet50"))
