"""What libraries vary of a residual network, option by option, beside their own modules."""

import pytest
import torch
from libraries import library

import resnet_cli
from resnet_cli.analyses.cost.counts import totals
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.trace import trace


def drawn_at_random(theirs):
    """The module's weights with statistics at random and gains of both signs."""
    weights = theirs.state_dict()
    generator = torch.Generator().manual_seed(0)
    for name, tensor in weights.items():
        if tensor.is_floating_point() and tensor.dim() < 2:
            tensor.uniform_(0.5 if name.endswith("var") else -1.0, 1.0, generator=generator)
    return weights


def assert_the_same(spec, theirs):
    """The module's tensors fit by name and in order, and it puts out what ours does."""
    weights, ours = drawn_at_random(theirs.eval()), resnet_cli.build(spec).eval()
    assert [*ours.state_dict()] == [*weights]
    ours.load_state_dict(weights)
    x = torch.randn(1, *spec.input_shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


def layers(model, *paths):
    """The leaves of a network at these paths."""
    spec = load(model).spec
    by_path = {row.path: row for row in trace(spec.net(), spec.input_shape)}
    return [by_path[path] for path in paths]


# dilation


@pytest.mark.parametrize(
    ("output_stride", "sides", "dilations"),
    [(32, (14, 7), (1, 1, 1, 1)), (16, (14, 14), (1, 1, 1, 2)), (8, (28, 28), (1, 2, 2, 4))],
)
def test_an_output_stride_dilates_the_stages_that_would_stride_further(
    output_stride, sides, dilations
):
    """As torchvision's replace_stride_with_dilation: a first block has the dilation of the stage before."""
    model = f"resnet50-v1.5:output_stride={output_stride}"
    rows = layers(model, *(f"layer{s}.{b}.conv2" for s in (3, 4) for b in (0, 1)))
    assert [row.layer.dilation for row in rows] == [*dilations]
    assert [row.output[1] for row in rows] == [sides[0], sides[0], sides[1], sides[1]]


def test_a_dilated_backbone_costs_what_deeplabs_does():
    """ResNet-101 at output stride 8: four times the MACs of conv4_x, and of conv5_x sixteen times.

    Of the first block of conv4_x the first 1×1 is at its input's size either way, as its stride is in the 3×3.
    """
    plain, dilated = (
        resnet_cli.summary(model, "stage").tables[0].rows
        for model in ("resnet101-v1.5", "resnet101-v1.5:output_stride=8")
    )
    macs = [{row[0]: row[-2] for row in rows} for rows in (plain, dilated)]
    first = 512 * 256 * 28 * 28  # conv4_1's first 1×1
    assert macs[1]["conv4_x"] - first == 4 * (macs[0]["conv4_x"] - first)
    first = 1024 * 512 * 14 * 14
    assert macs[1]["conv5_x"] - 4 * first == 16 * (macs[0]["conv5_x"] - first)


@pytest.mark.parametrize(
    ("model", "word"),
    [("resnet50:output_stride=9", "output stride"), ("resnet50-d:output_stride=8", "pool")],
)
def test_an_output_stride_that_cannot_be_is_refused(model, word):
    """Neither 8, 16 nor 32; a pool before projections that no longer stride."""
    with pytest.raises(UserError) as error:
        load(model)
    assert word in error.value.what and error.value.hint


@pytest.mark.slow
@pytest.mark.parametrize("output_stride", [8, 16])
def test_dilated_networks_put_out_what_the_libraries_do(output_stride):
    """torchvision's, of bottlenecks, and timm's, of basic blocks."""
    dilated = [False, output_stride == 8, True]
    theirs = library("torchvision").models.resnet50(replace_stride_with_dilation=dilated)
    fields = {"output_stride": output_stride, "input_size": (64, 96)}
    assert_the_same(zoo.changed(zoo.find("resnet50-v1.5"), **fields), theirs)
    theirs = library("timm").create_model("resnet18", output_stride=output_stride)
    assert_the_same(zoo.changed(zoo.find("resnet18"), **fields), theirs)


# stems, pools, shortcuts


def test_a_tiered_stem_has_three_eighths_half_and_all_of_its_channels():
    """timm's t networks: 24, 32, 64."""
    rows = layers("resnet50-d:stem=tiered", "conv1.0", "conv1.3", "conv1.6")
    assert [row.output[0] for row in rows] == [24, 32, 64]


@pytest.mark.parametrize(
    ("changes", "side"),
    [
        ("stem=3x3,stem_stride=2,stem_pool=none", 112),
        ("stem=3x3,stem_pool=max", 112),
        ("stem_pool=none", 112),
        ("stem_pool=ceil", 56),
        ("stem_pool=ceil,input_size=226", 56),  # 113: ⌈(113 − 3) / 2⌉ + 1, and 57 with a padding
        ("input_size=226", 57),
        ("antialias=average,input_size=226", 56),
    ],
)
def test_the_stem_and_its_pool_are_chosen_apart(changes, side):
    """What goes into the first block, worked out by hand."""
    (row,) = layers(f"resnet18:{changes}", "layer1.0.conv1")
    assert row.input[1:] == (side, side)


def test_an_antialiased_block_keeps_its_stride_for_a_mean_behind():
    """Zhang 2019, Sec. 3.2: the 3×3 at stride 1, then a mean of 2×2."""
    convolution, mean = layers("resnet50-d:antialias=average", "layer2.0.conv2", "layer2.0.aa")
    assert (convolution.layer.stride, mean.layer.window) == (1, (2, 2, 0))
    assert (convolution.output[1], mean.output[1]) == (56, 28)


def test_gates_are_rounded_to_a_multiple():
    """timm's seresnet18: 64, 128, 256, 512 channels through 8, 8, 16, 32."""
    rows = layers("timm:seresnet18", *(f"layer{stage}.0.se.fc1" for stage in (1, 2, 3, 4)))
    assert [row.output[0] for row in rows] == [8, 8, 16, 32]


def test_a_first_norm_behind_the_pool_leaves_the_first_identity_as_it_comes():
    """timm's resnetv2_18: its first shortcut is the max pool's output, which the norm reads too."""
    spec = load("timm:resnetv2_18").spec
    rows = trace(spec.net(), spec.input_shape)
    pool = [row.path for row in rows].index("maxpool")
    reads = [row.path for row in rows if pool in row.reads]
    assert reads == ["layer1.0.bn1", "layer1.0"]


class Padded(torch.nn.Module):
    """The shortcut of akamaster's option A: a fourth of the new channels on each side."""

    def forward(self, x):
        quarter = x.shape[1] // 2
        return torch.nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, quarter, quarter))


def test_option_a_may_pad_on_both_sides():
    """16 channels of 32 stand in the middle."""
    x = torch.randn(2, 16, 6, 5)
    ours = resnet_cli.build("akamaster/resnet20").layer2[0].downsample
    torch.testing.assert_close(ours(x), Padded()(x))


@pytest.mark.parametrize(
    ("depth", "params"),
    [(18, 11_173_962), (34, 21_282_122), (50, 23_520_842), (101, 42_512_970), (152, 58_156_618)],
)
def test_imagenets_blocks_behind_cifars_stem(depth, params):
    """kuangliu's networks for CIFAR-10, by the parameters of torchvision's.

    The stem has 64·3·3·3 weights for 64·3·7·7, the classifier 10 outputs for 1000.
    """
    theirs = load(f"torchvision:resnet{depth}").spec
    features = 512 if depth < 50 else 2048
    own, whole = (
        totals(trace(spec.net(), spec.input_shape))["params"]
        for spec in (load(f"kuangliu/ResNet{depth}").spec, theirs)
    )
    assert own == params == whole - 64 * 3 * (49 - 9) - 990 * (features + 1)


def test_a_side_that_a_mean_cuts_is_refused_where_the_shortcut_rounds_up():
    """57 places: 28 behind a mean of 2×2, 29 of a projection; no module of torch's runs either."""
    with pytest.raises(UserError) as error:
        layers("resnet50-d:antialias=average,input_size=228")
    assert "29×29" in error.value.what and "28×28" in error.value.what
