"""The description: counts over the whole zoo, and what is refused."""

from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listed import ZOO, rows_of

from resnet_cli.analyses.cost.counts import totals
from resnet_cli.analyses.explain.depth import formula
from resnet_cli.designs import limits, names, zoo
from resnet_cli.designs.resnet import ResNet
from resnet_cli.errors import UserError, closest, folded


def total(name, **changes):
    return totals(rows_of(zoo.changed(zoo.find(name), **changes)))


@pytest.mark.parametrize(
    ("name", "params"),
    [
        # torchvision's num_params
        ("resnet18", 11_689_512),
        ("resnet50", 25_557_032),
        ("resnet152", 60_192_808),
        ("resnext50_32x4d", 25_028_904),
        ("wide_resnet50_2", 68_883_240),
        ("vgg16", 138_357_544),
        ("vgg19_bn", 143_678_248),
        # timm's resnetv2_50 and resnet50d, He et al. 2016's ResNet-164
        ("preact-resnet50", 25_549_352),
        ("resnet50-d", 25_576_264),
        ("preact-resnet164", 1_703_258),
    ],
)
def test_parameters_are_those_of_other_implementations(name, params):
    """Parameters equal the figures that torchvision, timm and the papers give."""
    assert total(name)["params"] == params


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("resnet50", 3_857_973_248),
        ("resnet50-v1.5", 4_089_184_256),
        ("resnet18", 1_814_073_344),
    ],
)
def test_macs_of_convolution_and_linear_layers(name, macs):
    """MACs equal the independent counts of v1 and v1.5."""
    assert total(name)["macs"] == macs


@pytest.mark.parametrize(
    ("name", "ops"),
    [("resnet152-v1.5", 11.514), ("resnext50_32x4d", 4.23), ("wide_resnet50_2", 11.398),
     ("vgg16", 15.47), ("vgg19_bn", 19.632)],
)  # fmt: skip
def test_macs_round_to_torchvisions_ops(name, ops):
    """Thousandths of a GMAC equal torchvision's _ops."""
    assert round(total(name)["macs"] / 1e9, 3) == ops


def test_keras_prints_parameters_and_statistics_together():
    """Keras' 25,636,712 for ResNet50 is parameters plus running statistics."""
    keras = total("keras-resnet50")
    assert keras["params"] + keras["buffers"] == 25_636_712


def test_101_layers_leave_out_four_projections():
    """1 + 3·(3+4+23+3) + 1 = 101; 104 convolutions are 100 of those and 4 projections."""
    counted = total("resnet101")
    assert (counted["layers"], counted["convolutions"], counted["projections"]) == (101, 104, 4)
    assert "1 + 3·(3+4+23+3) + 1 = 101" in formula(rows_of(zoo.find("resnet101")))


@ZOO
def test_depth_is_in_the_name(spec):
    """He et al.'s rule gives the number in the name, but for WRN (6n + 4) and the deep stems."""
    if spec.family == "RegNet":  # its name has its MACs: 400mf, 1_6gf
        *_, number = spec.name[:-2].replace("_", ".").split(".", 2)
        printed = float(number) * {"mf": 10**6, "gf": 10**9}[spec.name[-2:]]
        assert abs(totals(rows_of(spec))["macs"] / printed - 1) < 0.07
        return
    if spec.name.startswith("clip-rn50x") or spec.name == "iresnet200":  # deeper, and of 198
        return
    if spec.family == "ResNet-RS" or spec.family.startswith("ConvNeXt"):
        return  # their names have a round number, and a word for the size
    of = spec.name.replace("res2n", "resn")
    number = int("".join(c if c.isdigit() else " " for c in of).split()[0])
    extra = (
        {"Wide ResNet": -2, "ResNet-C/D": 2, "CLIP": 2, "ResNeSt": 2}.get(spec.family, 0)
        if "wide_" not in spec.name
        else 0
    )
    assert totals(rows_of(spec))["layers"] == number + extra


@ZOO
def test_shapes_chain_and_branches_meet(spec):
    """Each layer reads the shape that was written before it; both ends of an addition agree."""
    rows = rows_of(spec)
    for row in rows:
        first = spec.input_shape if row.reads[0] < 0 else rows[row.reads[0]].output
        assert row.input == first
        if row.layer.operator == "addition":
            assert rows[row.reads[0]].output == rows[row.reads[1]].output == row.output
        if row.layer.operator == "scale":  # a gate has a number for each channel
            assert rows[row.reads[1]].output == (row.output[0], 1, 1)


@ZOO
def test_convolutions_cost_their_weights_at_every_pixel(spec):
    """MACs of a convolution are its weight's size times its output's pixels."""
    for row in rows_of(spec):
        if row.layer.operator == "convolution":
            weight = row.layer.parameters()["weight"]
            assert row.macs == prod(weight) * row.output[1] * row.output[2]
            assert weight[1] == row.input[0] // row.layer.groups


@pytest.mark.parametrize("depth", [18, 34])
def test_plain_and_option_a_cost_the_same(depth):
    """An option A shortcut has neither parameters nor MACs (He et al. 2015, Sec. 3.3)."""
    plain, residual = total(f"plain{depth}"), total(f"resnet{depth}", shortcut="A")
    assert (plain["params"], plain["macs"]) == (residual["params"], residual["macs"])


def test_option_c_projects_where_b_has_an_identity():
    """resnet34: 13 projections more, each c·c weights and a norm of 2·c (He et al. 2015, Sec. 3.3)."""
    b, c = total("resnet34"), total("resnet34", shortcut="C")
    more = sum(n * (width**2 + 2 * width) for n, width in ((3, 64), (3, 128), (5, 256), (2, 512)))
    assert (b["projections"], c["projections"]) == (3, 16)
    assert c["params"] - b["params"] == more
    assert b["layers"] == c["layers"] == 34


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_moving_the_stride_keeps_the_parameters(depth):
    """v1 and v1.5 differ in MACs alone."""
    old, new = total(f"resnet{depth}"), total(f"resnet{depth}-v1.5")
    assert old["params"] == new["params"]
    assert old["macs"] < new["macs"]


def test_state_dict_order_of_a_bottleneck():
    """Body first, then the shortcut, as torchvision's modules are registered."""
    paths = [r.path for r in rows_of(zoo.find("resnet50")) if r.layer.parameters()][:12]
    assert paths == [
        "conv1", "bn1",
        "layer1.0.conv1", "layer1.0.bn1", "layer1.0.conv2", "layer1.0.bn2", "layer1.0.conv3",
        "layer1.0.bn3", "layer1.0.downsample.0", "layer1.0.downsample.1",
        "layer1.1.conv1", "layer1.1.bn1",
    ]  # fmt: skip


@ZOO
def test_no_two_layers_with_weights_share_a_path(spec):
    """Parameters can be added up row by row."""
    paths = [row.path for row in rows_of(spec) if row.layer.parameters()]
    assert len(paths) == len(set(paths))


@given(
    block=st.sampled_from(["basic", "bottleneck"]),
    stages=st.tuples(*[st.integers(1, 4)] * 4),
    shortcut=st.sampled_from(["A", "B", "C", "none"]),
    style=st.sampled_from(["v1", "v1.5"]),
    stem=st.sampled_from(["7x7", "3x3", "deep"]),
    preact=st.booleans(),
    pool=st.booleans(),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
)
@settings(max_examples=150, deadline=None)
def test_any_valid_spec_can_be_traced(block, stages, shortcut, style, stem, preact, pool, size):
    """Any size down to one pixel goes through, branches meet, and the layer count is the formula's."""
    spec = ResNet("x", "x", block, stages, shortcut, style, stem, width=16, preact=preact,
                  projection_pool=pool, input_size=size)  # fmt: skip
    rows = rows_of(spec)
    for row in rows:
        if row.layer.operator == "addition":
            assert rows[row.reads[0]].output == rows[row.reads[1]].output
    layers = {"basic": 2, "bottleneck": 3}[block]
    assert totals(rows)["layers"] == (3 if stem == "deep" else 1) + layers * sum(stages) + 1


def test_names_are_matched_without_case_and_hyphens():
    """ResNet-50, resnet_50 and RESNET50 are one; no two names fold to the same."""
    assert zoo.find("ResNet-50") is zoo.find("resnet_50") is zoo.find("RESNET50")
    assert len({folded(name) for name in zoo.names()}) == len(zoo.names())


def test_suggestions_prefer_a_shared_beginning():
    """'resent50' means resnet50, and nothing is suggested for a name from nowhere."""
    assert closest("resent50", zoo.names())[0] == "resnet50"
    assert closest("zzz", zoo.names()) == []


@pytest.mark.parametrize(
    ("depth", "name"),
    [
        (18, "resnet18"),
        (38, "resnet38"),
        (200, "resnet200"),
        (1001, "resnet1001"),
        (47, "resnet47"),
    ],
)
def test_depths_come_from_the_table_or_a_formula(depth, name):
    """6n + 2 and 9n + 2 give the networks that the tables leave out."""
    spec = names.by_depth(depth)
    assert spec.name == name
    assert totals(rows_of(spec))["layers"] == depth


@pytest.mark.parametrize("depth", [51, 0, -3, 10**9, 10**30])
def test_impossible_depths_name_the_formula(depth):
    """The error gives 6n + 2, 9n + 2 and depths that do exist."""
    with pytest.raises(UserError) as error:
        names.by_depth(depth)
    assert "6n + 2" in error.value.hint
    for nearest in error.value.hint.split("nearest: ")[1].split(", "):
        names.by_depth(int(nearest))


@pytest.mark.parametrize(
    "changes",
    [{"stages": (3, 4)}, {"stages": (0, 1, 1, 1)}, {"input_size": (0, 224)}, {"groups": 0},
     {"input_size": (10**9, 224)}, {"width": -1}, {"base_width": 3, "width": 10}, {"block": "basik"},
     {"shortcut": "D"}, {"style": "v2"}, {"num_classes": 0}, {"in_channels": 10**12},
     {"block": "basic", "groups": 32}, {"block": "basic", "reduce_first": 2}, {"groups": 32, "base_width": 4, "reduce_first": 3},
     {"body": "res2net", "block": "basic"}, {"body": "res2net", "splits": 1}, {"body": "sk", "preact": True},
     {"body": "sk", "splits": 3, "split_input": True}, {"body": "resnest", "splits": 3}, {"body": "sk", "output_stride": 8},
     {"projection_kernel": 2}, {"projection_kernel": 3, "output_stride": 8}, {"dropout": 1.0}],
)  # fmt: skip
def test_values_that_describe_no_network_are_refused(changes):
    """A stage too few, a size of zero or a billion, widths that do not divide: an error each."""
    with pytest.raises(UserError):
        zoo.changed(zoo.find("resnet50"), **changes)


def test_what_is_allowed_includes_both_ends():
    """ "allowed: 1 to 5" takes 1 and 5, a factor 0 and 1000; one step further is refused."""
    for value in (1, 5):
        limits.within("x", value, most=5)
    for value in (0.0, 1000.0):
        limits.factor("x", value)
    for value in (0, 6):
        with pytest.raises(UserError, match=f"x {value} is out of range"):
            limits.within("x", value, most=5)
    for value in (-0.001, 1000.001, float("nan"), float("inf")):
        with pytest.raises(UserError, match="out of range"):
            limits.factor("x", value)


def test_vgg_has_no_block_to_change():
    """A field of the other family is refused by name."""
    with pytest.raises(UserError, match="no block"):
        zoo.changed(zoo.find("vgg16"), block="basic")


def test_an_input_too_small_for_vgg_is_refused():
    """Five halvings leave nothing of 8 pixels."""
    with pytest.raises(UserError, match="too small"):
        rows_of(zoo.changed(zoo.find("vgg16"), input_size=(8, 8)))


@pytest.mark.parametrize(
    "name", ["preact-resnet56", "plain8", "preact-resnet29", "plain_56", "PreAct-ResNet110"]
)
def test_members_of_a_family_are_found_by_depth(name):
    """6n + 2 and 9n + 2 layers also where no table lists them; listed ones are what they were."""
    spec = zoo.find(name)
    assert folded(spec.name) == folded(name)
    assert totals(rows_of(spec))["layers"] == int("".join(filter(str.isdigit, name)))
    assert spec.preact is folded(name).startswith("preact")
    assert spec == zoo.BY_NAME.get(folded(name), spec)


def test_a_depth_that_no_member_has_is_refused():
    """57 is neither 6n + 2 nor 9n + 2."""
    with pytest.raises(UserError, match="preact-resnet57"):
        names.find("preact-resnet57")
