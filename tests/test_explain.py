"""Derivations: every line's arithmetic is worked out again and gives the trace's own number."""

import json
import re
import shlex
from math import ceil, floor, prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from listed import FAMILIES, ZOO, rows_of
from program import assert_not_loaded, run

import resnet_cli
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.explain import depth, explain
from resnet_cli.analyses.explain import receptive_field as field
from resnet_cli.analyses.explain.conv import check, steps, traced
from resnet_cli.analyses.field.receptive_field import fields
from resnet_cli.cli import app
from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.regnet import RegNet
from resnet_cli.errors import UserError
from resnet_cli.inputs import Given, Typed
from resnet_cli.layers.convolution import Conv2d
from resnet_cli.layers.tree import Residual, Sequence, Stage
from resnet_cli.models import load
from resnet_cli.networks import of_tree


def value(numbers):
    """What a person gets who types the numbers into a calculator."""
    text = re.sub(r"(?<=\d),(?=\d)", "", numbers).replace("·", "*").replace("−", "-")
    for sign, function in (("⌊", "floor("), ("⌈", "ceil("), ("⌋", ")"), ("⌉", ")")):
        text = text.replace(sign, function)
    assert re.fullmatch(r"[-+*/(), 0-9a-z]+", text)
    return eval(text, {"__builtins__": {}}, {"floor": floor, "ceil": ceil, "max": max})


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
    third = [*dict.fromkeys(row.stage for row in rows)][2]
    stage = [row for row in rows if row.stage == third]
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
    other = isinstance(spec, RegNet | ConvNeXt) or spec.name.startswith(
        ("clip-rn50x", "iresnet200", "resnet-rs")
    )
    assert other or str(named) in re.findall(r"\d+", spec.name)


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
        (("explain",), 2, "no network named"),
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


# memory

SETTINGS = (
    {"optimizer": "sgd"},
    {"batch": 64, "inplace": True},
    {"optimizer": "adamw", "dtype": "amp", "batch": 3},
    {"dtype": "bf16", "checkpoint": True, "batch": 7},
)
ADDED_UP = ("sum of the above", "sum of what is saved")


def results(table):
    return {step: result for step, _, _, result in table.rows}


@pytest.mark.parametrize("how", SETTINGS, ids=str)
@pytest.mark.parametrize("spec", FAMILIES, ids=lambda spec: spec.family)
def test_memory_is_explained_to_the_byte(spec, how):
    """Each line's arithmetic holds, they add up, and the sums are what `memory` prints."""
    network = load(spec)
    how = how | {"checkpoint": "checkpoint" in how and any(row.block for row in network.rows)}
    answer = resnet_cli.explain("memory", network, **how)
    total = resnet_cli.memory(network, **how).data()["bytes"]
    first, training, inference, _ = answer.tables
    for table in (first, training, inference):
        assert all(holds(step) for step in table.rows if step.numbers not in ADDED_UP)
    for table in (training, inference):
        *above, last = table.rows
        assert last.result == sum(step.result for step in above) == total[table.key]
    lines = results(first)
    for step, key in (("weights", "weights"), ("buffers", "buffers"), ("gradients", "gradients"),
                      ("optimiser", "optimizer"), ("saved", "saved")):  # fmt: skip
        assert lines[step] == total[key]
    assert lines["saved"] == sum(n for step, n in lines.items() if step.startswith("saved: "))
    assert answer.data()["bytes"] == total


@pytest.mark.parametrize("part", ["conv3_x", "conv3_1", "layer2.0"])
def test_a_parts_saved_bytes_are_those_of_its_layers(part):
    """A stage is the sum of its blocks, a block of its layers, each explained alone."""
    whole = results(resnet_cli.explain("memory", "resnet34", part, batch=5).tables[0])
    chosen = explain.select(rows_of(zoo.find("resnet34")), part)
    paths = {row.path for row in chosen if row.layer.is_module}  # an addition is its block's
    alone = [resnet_cli.explain("memory", "resnet34", path, batch=5) for path in paths]
    assert whole["saved"] == sum(results(answer.tables[0])["saved"] for answer in alone)
    for answer in alone:
        assert all(holds(step) for step in answer.tables[0].rows if step.numbers not in ADDED_UP)


def test_a_layer_says_what_it_saves_and_why():
    """A norm its input, 8·128·28·28 floats, and 2·128 statistics; the convolution before it nothing
    that the ReLU before that has not."""
    norm, why = resnet_cli.explain("memory", "resnet50", "layer2.0.bn1", batch=8).tables
    lines = results(norm)
    assert lines["saved: input"] == 8 * 128 * 28 * 28 * 4
    assert lines["saved: statistics"] == 2 * 128 * 4
    assert lines["buffers"] == 2 * 128 * 4 + 8
    assert "mean" in why.rows[0][2]
    convolution = resnet_cli.explain("memory", "resnet50", "layer2.0.conv1").tables[0]
    assert convolution.rows[-2][:2] == ("needed: input", "saved by layer1.2.relu")
    assert results(convolution)["saved"] == 0
    assert results(convolution)["weights"] == 256 * 128 * 4


def test_settings_of_memory_are_of_memory():
    """The same question of another number is refused."""
    with pytest.raises(UserError, match="macs does not depend on"):
        resnet_cli.explain("macs", "resnet18", dtype="amp")


# receptive field


@pytest.mark.parametrize("spec", FAMILIES, ids=lambda spec: spec.family)
def test_a_stages_receptive_field_is_explained(spec):
    """Each line holds; r and j of each stage are those of `receptive-field`, oblong or not."""
    odd = (97, 130) if min(spec.input_size) > 64 else (33, 40)
    if getattr(spec, "head", "").startswith("attention"):  # a position for each place
        odd = (96, 128)
    for size in (spec.input_size, odd):
        network = load(spec).changed(input_size=size)
        lines = field.by_stage(network.rows)
        assert all(map(holds, lines))
        explained = {step.step: step.result for step in lines}
        for line in resnet_cli.receptive_field(network).data()["rows"]:
            stage, (high, wide) = line["stage"], line["receptive_field"]
            r = f"{stage}: r"
            if r in explained:  # VGG's head sees windows that are unevenly apart
                assert explained[r] == high == wide
            elif f"{r}, height" in explained:
                assert (explained[f"{r}, height"], explained[f"{r}, width"]) == (high, wide)
            else:
                assert stage == "fc" and spec.family.startswith("VGG")
            if f"{stage}: j" in explained:
                assert explained[f"{stage}: j"] == line["stride"]


@pytest.mark.parametrize(
    "model", ["resnet18", "resnet50-d", "preact-resnet18", "vgg11", "se-resnet18"]
)
def test_every_layers_receptive_field_is_explained(model):
    """r, j, P and centre of each row: the arithmetic gives what its neurons reach."""
    rows = rows_of(model)
    for row, (height, _) in zip(rows, fields(rows), strict=True):
        lines = field.by_layer(rows, [row])
        assert all(map(holds, lines))
        r, *_ = lines
        assert r.result == height.size
        found = {step.step.rpartition(": ")[2]: step.result for step in lines}
        assert found["P"] == -height.start
        if height.stride:
            assert found["centre"] == height.centre


def test_where_branches_meet_a_neuron_sees_what_either_does():
    """17 + 8 pixels out: body 35 + (3 − 1)·8 = 51, shortcut 35."""
    answer = resnet_cli.explain("receptive-field", "resnet50", "conv3_1").data()["rows"]
    lines = {row["step"]: (row["numbers"], row["result"]) for row in answer}
    assert lines["layer2.0.conv2: r"] == ("35 + (3 − 1)·8", 51)
    assert lines["layer2.0 addition: r"] == ("max(35, 51)", 51)
    assert lines["layer2.0 addition: P"] == ("max(17, 25)", 25)


def test_branches_that_see_past_each_other_are_one_window():
    """Of three pixels, one of them padding, and of three from the first one on: four."""
    block = Residual("0", (Conv2d("a", 3, 3, 3, 3, 1),), (Conv2d("b", 3, 3, 3, 3, 0),), label="x_1")
    rows = of_tree("both", Sequence("", (Stage("x", (block,)),)), (3, 9, 9)).rows
    lines = {step.step: step for step in field.by_layer(rows, rows)}
    assert all(map(holds, lines.values()))
    assert lines["0 addition: r"].result == 4 and lines["0 addition: P"].result == 1
    stage = field.by_stage(rows)  # no one sum leads there, so it is layer by layer
    assert all(map(holds, stage)) and lines["0 addition: r"] in stage


# whatever there is to explain


def test_a_network_alone_is_told_what_can_be_explained():
    """Each number in short, as other commands print it, and a command that works."""
    network = resnet_cli.explain("resnet34")
    lines = {what: (result, command) for what, result, _, command in network.tables[0].rows}
    total = resnet_cli.summary("resnet34").data()["total"]
    assert [*lines] == ["depth", "params", "macs", "memory", "shape", "receptive-field"]
    assert (lines["depth"][0], lines["params"][0]) == (34, total["params"])
    assert lines["macs"][0] == total["macs"]
    assert lines["memory"][0] == resnet_cli.memory("resnet34").data()["bytes"]["training"]
    assert lines["shape"][0] == 7
    assert lines["receptive-field"][0] == 899
    for what, (_, command) in lines.items():
        program, explain_, *words = shlex.split(command)
        assert (program, explain_, words[0]) == ("resnet-cli", "explain", what)
        assert resnet_cli.explain(*words).tables[0].rows


def test_a_layer_alone_is_told_too():
    """Parameters and multiply-accumulates of a convolution, and what it sees."""
    answer = resnet_cli.explain("resnet34", "layer2.0.conv2").tables[0]
    lines = {what: result for what, result, *_ in answer.rows}
    assert lines["params"] == 9 * 128 * 128 and lines["macs"] == 9 * 128 * 128 * 28 * 28
    assert "depth" not in lines and lines["receptive-field"] == 83


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (("resnet18", "params"), ("params", "resnet18")),
        (("resnet18", "params", "conv3_1"), ("params", "resnet18", "conv3_1")),
        (("parameters", "resnet18"), ("params", "resnet18")),
        (("Receptive_Field", "resnet18"), ("receptive-field", "resnet18")),
        (("rf", "resnet18"), ("receptive-field", "resnet18")),
        (("layers", "resnet18"), ("depth", "resnet18")),
        (("MACs", "resnet18"), ("macs", "resnet18")),
    ],
)
def test_words_are_taken_as_they_are_meant(words, same):
    """In either order, whatever the case, by other names."""
    assert resnet_cli.explain(*words) == resnet_cli.explain(*same)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("resnet50", "parms"), "did you mean 'params'"),
        (("dept",), "did you mean 'depth'"),
        (("resnet5O",), "did you mean 'resnet50'"),
        (("resnet50", "conv1", "x"), "no number to explain named 'resnet50'"),
        (("memory", "resnet50", "con1"), "did you mean 'conv1'"),
        (("rf", "resnet50", "con1"), "did you mean 'conv1'"),
        (("activations", "resnet50"), "no number to explain named 'activations'"),
        (("nope.pth",), "no such file: 'nope.pth'"),
        (("nope.toml:width=32",), "no such file: 'nope.toml'"),
    ],
)
def test_words_that_mean_nothing_are_answered_with_what_was_meant(words, message):
    """A number, a network or a layer, whichever there is not."""
    with pytest.raises(UserError) as error:
        resnet_cli.explain(*words)
    assert message in str(error.value)


def test_macs_and_flops_are_one_derivation():
    """Titled as they are called; flops end with two a MAC."""
    macs, flops = (resnet_cli.explain(what, "resnet50").tables[0] for what in ("macs", "flops"))
    assert (macs.title, flops.title) == ("MACs of resnet50 (ResNet)", "FLOPs of resnet50 (ResNet)")
    *same, last = flops.rows
    assert same == [*macs.rows]
    assert last.result == 2 * macs.rows[-1].result


def test_the_command_takes_a_depth_for_a_network():
    """With it the words are WHAT and LAYER; alone it is told what can be explained."""
    out, _ = run("explain", "params", "--depth", "38", "conv3_1", "--json")
    assert json.loads(out)["rows"][-1]["result"] == 13_952
    out, _ = run("explain", "--depth", "38", "--json")
    assert json.loads(out)["rows"][0]["result"] == 38


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
    assert square["ratio_params"] == square["ratio_macs"] == 1
    assert own["ratio_params"] == own["ratio_macs"] == 1 / 9


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
def test_every_format_has_every_number(words, capsys):
    """The results of JSON's rows stand in each format, raw or with their thousands set apart."""

    def printed(format):
        app()([*words, "-f", format], standalone_mode=False)
        return capsys.readouterr().out

    rows = json.loads(printed("json"))["rows"]
    numbers = [v for row in rows for v in row.values() if isinstance(v, int)]
    for format in ("table", "plain", "csv", "markdown", "latex"):
        out = printed(format)
        assert all(f"{number}" in out or f"{number:,}" in out for number in numbers)


@pytest.mark.parametrize("command", ["explain params", "receptive-field", "features", "paths"])
def test_these_need_no_torch(command):
    """Nothing that takes seconds to load is loaded."""
    assert_not_loaded("torch", "numpy", by=(*command.split(), "resnet50"))


def own(name, *shape, dtype=None):
    return load(f"tests/own_modules.py:{name}", Given((Typed(None, shape, dtype),)))


@pytest.mark.parametrize(
    ("layer", "params", "macs"),
    [
        ("depthwise", "5·5·(8 / 8)·8 + 8", "5·5·(8 / 8)·8·8·8"),
        ("up", "4·4·4·8 + 4", "4·4·4·8·8·8"),
        ("same", "3·3·4·4 + 4", "3·3·4·4·16·16"),
        ("line", "3·4·4 + 4", "3·4·4·254"),
    ],
)
def test_layers_of_a_module_of_one_s_own_are_explained(layer, params, macs):
    """Depthwise, transposed, dilated and 1-d convolutions with their own factors, the kernel first."""
    network = own("Up", 1, 3, 16, 16)
    assert resnet_cli.explain("params", network, layer).tables[0].rows[0].numbers == params
    assert resnet_cli.explain("macs", network, layer).tables[0].rows[0].numbers == macs


def test_shapes_of_windows_come_by_their_own_formula():
    """A transposed convolution's and a dilated one's; sides of what is no image are sides."""
    network = own("Up", 1, 3, 16, 16)
    height = resnet_cli.explain("shape", network, "up").tables[0].rows[0]
    assert height.numbers == "(8 − 1)·2 − 2·1 + 1·(4 − 1) + 1" and height.result == 16
    _, height, *_ = resnet_cli.explain("shape", network, "same").tables[0].rows
    assert height.numbers == "⌊(16 + 2·2 − 2·(3 − 1) − 1) / 1⌋ + 1" and height.result == 16
    sides = resnet_cli.explain("shape", own("Words", 1, 9, dtype="int64"), "out").tables[0].rows
    assert [(step.step, step.result) for step in sides] == [
        ("side 1", 9), ("side 2", 50), ("elements", 450),
    ]  # fmt: skip


def test_attention_and_recurrent_layers_have_named_factors():
    """Four heads of nine queries and keys, four wide; gates of eight hidden numbers, nine steps, both ways."""
    network = own("Words", 1, 9, dtype="int64")
    attention = resnet_cli.explain(
        "macs", network, "encoder.layers.0.self_attn.scaled_dot_product_attention"
    )
    assert attention.tables[0].rows[0][1:3] == ("heads·q·k·d + heads·q·k·d_v", "4·9·9·4 + 4·9·9·4")
    (lstm,) = resnet_cli.explain("macs", network, "lstm").tables[0].rows
    assert lstm.formula.startswith("gates·hidden·in·steps + gates·hidden·hidden·steps")
    assert lstm.numbers == "32·16·9 + 32·8·9 + 32·16·9 + 32·8·9"


def test_a_depth_is_derived_of_a_spec_alone():
    """One line says so, the overview leaves it out; a path that is not there has a guess."""
    network = own("Words", 1, 9, dtype="int64")
    with pytest.raises(UserError, match="a depth is derived of a spec"):
        resnet_cli.explain("depth", network)
    with pytest.raises(UserError, match=r"did you mean 'encoder\.layers\.0'"):
        resnet_cli.explain("macs", network, "encoder.layer.0")
    told = {line[0]: line[1] for line in resnet_cli.explain(network).tables[0].rows}
    assert "depth" not in told and told["receptive-field"] == 9
    assert resnet_cli.explain("receptive-field", network, "lstm").tables[0].rows[0].result == 9
