"""What libraries vary of a residual network, option by option, beside their own modules."""

import pytest
import torch
from libraries import library

import resnet_cli
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.networks import load
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
