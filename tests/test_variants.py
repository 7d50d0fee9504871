"""What libraries vary of a residual network, option by option, beside their own modules."""

import pytest
import torch
from libraries import library
from listed import rows_of

import resnet_cli
from resnet_cli.analyses.cost.counts import totals
from resnet_cli.checkpoints.container.contents import TensorInfo
from resnet_cli.checkpoints.identify.recognise import named, recognise
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.trace import state_dict, trace


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
        ("stem_pool=conv", 56),
        ("stem_pool=zeros", 56),
        ("antialias=blur,input_size=226", 57),  # 113: ⌊(113 + 2 − 3) / 2⌋ + 1
        ("stem_pool=conv,antialias=average,input_size=226", 56),
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


def test_resnet_rs_strides_by_a_convolution_in_place_of_its_pool():
    """Of resnet50-d the gates are more, and 3·3·64·64 weights and a norm of 64 channels stand for the pool.

    A gate of c channels through a fourth of them has c·c/2 weights and 5c/4 biases.
    """
    plain, own = (totals(rows_of(name))["params"] for name in ("resnet50-d", "resnet-rs-50"))
    blocks = zip((256, 512, 1024, 2048), (3, 4, 6, 3), strict=True)
    gates = sum(n * (c * c // 2 + 5 * c // 4) for c, n in blocks)
    assert own - plain == gates + 3 * 3 * 64 * 64 + 2 * 64


def test_a_blur_weights_by_1_2_1_and_mirrors():
    """A corner of 3×3 ones within zeros: the mirrored row and column count twice."""
    blur = resnet_cli.build("resnet18:antialias=blur").layer2[0].aa
    x = torch.zeros(1, 128, 6, 6)
    x[0, 5, 0, 1] = 16.0
    expected = torch.zeros(3, 3)
    expected[0, 0] = 2 * (1 + 1)  # 2 of its row, and columns −1 and 1 with 1 each
    expected[0, 1] = 2 * 1
    torch.testing.assert_close(blur(x)[0, 5], expected)


def test_a_map_of_one_place_has_nothing_to_mirror():
    """torch refuses it, too: 1×1 behind a stride of 16."""
    with pytest.raises(UserError) as error:
        layers("resnet18:antialias=blur,input_size=16")
    assert "too small" in error.value.what


def test_frozen_norms_have_four_buffers_and_nothing_to_learn():
    """torchvision's: resnet18's 11,689,512 parameters less 2 for each of 4,800 channels, which are buffers."""
    total = totals(rows_of("resnet18:norm=frozen"))
    assert total["params"] == 11_689_512 - 2 * 4_800
    assert total["buffers"] == 4 * 4_800


def test_standardised_weights_have_mean_0_and_variance_1():
    """Whatever the weights are, of each output channel: Qiao et al. 2019, Eq. 6."""
    net = resnet_cli.build("bit-r50x1", seed=0)
    convolution = net.layer2[0].conv2
    with torch.no_grad():
        convolution.weight.add_(3.0)
        moved = convolution(torch.ones(1, 128, 8, 8))[0, :, 1, 1]
    assert moved.abs().max() < 1e-2  # the sum of all weights of a channel


@pytest.mark.slow
def test_frozen_norms_put_out_what_torchvisions_do():
    """Its FrozenBatchNorm2d in its resnet18, which detectors build so."""
    vision = library("torchvision")
    theirs = vision.models.resnet18(norm_layer=vision.ops.FrozenBatchNorm2d)
    fields = {"norm": "frozen", "input_size": (64, 96)}
    assert_the_same(zoo.changed(zoo.find("resnet18"), **fields), theirs)


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


# blocks and nets of others


class PreActivated(torch.nn.Module):
    """kuangliu's PreActBlock and PreActBottleneck: an identity takes the input, a projection the activated one."""

    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        out = 4 * width if bottleneck else width
        sides = (inputs, width, width, out) if bottleneck else (inputs, width, out)
        self.depth = len(sides) - 1
        for at in range(1, len(sides)):
            kernel = 1 if bottleneck and at != 2 else 3
            pace = stride if at == (2 if bottleneck else 1) else 1
            convolution = torch.nn.Conv2d(
                sides[at - 1], sides[at], kernel, pace, kernel // 2, bias=False
            )
            self.add_module(f"bn{at}", torch.nn.BatchNorm2d(sides[at - 1]))
            self.add_module(f"conv{at}", convolution)
        self.downsample = None
        if stride > 1 or inputs != out:
            self.downsample = torch.nn.Sequential(
                torch.nn.Conv2d(inputs, out, 1, stride, bias=False)
            )

    def forward(self, x):
        first = y = self.bn1(x).relu()
        for at in range(1, self.depth + 1):
            y = getattr(self, f"bn{at}")(y).relu() if at > 1 else y
            y = getattr(self, f"conv{at}")(y)
        return y + (self.downsample(first) if self.downsample else x)


class OfCIFAR(torch.nn.Module):
    """kuangliu's PreActResNet: a 3×3, four stages, a mean and a classifier, with no norm at its two ends."""

    def __init__(self, stages, width, bottleneck):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        inputs = 64
        for at, blocks in enumerate(stages):
            stage = []
            for number in range(blocks):
                stride = 2 if at and not number else 1
                stage.append(PreActivated(inputs, width * 2**at, stride, bottleneck))
                inputs = width * 2**at * (4 if bottleneck else 1)
            self.add_module(f"layer{at + 1}", torch.nn.Sequential(*stage))
        self.fc = torch.nn.Linear(inputs, 10)

    def forward(self, x):
        x = self.conv1(x)
        for at in (1, 2, 3, 4):
            x = getattr(self, f"layer{at}")(x)
        return self.fc(x.mean((2, 3)))


@pytest.mark.parametrize(
    ("depth", "params"), [(18, 11_171_146), (34, None), (50, None), (101, None), (152, None)]
)
def test_pre_activation_on_cifar_may_end_without_a_norm(depth, params):
    """kuangliu's PreActResNets, written by hand: tensors of all, outputs of narrow ones."""
    model = f"kuangliu/PreActResNet{depth}"
    spec = load(model).spec
    with torch.device("meta"):
        theirs = OfCIFAR(spec.stages, 64, depth > 34)
    state = {name: tuple(tensor.shape) for name, tensor in theirs.state_dict().items()}
    ours = resnet_cli.build(spec, device="meta").state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in ours.items()} == state
    assert params in (None, totals(load(model).rows)["params"])
    if depth in (18, 50):
        narrow = zoo.changed(spec, width=16, stages=(1, 2, 1, 1))
        theirs, ours = (
            OfCIFAR(narrow.stages, 16, depth > 34).eval(),
            resnet_cli.build(narrow).eval(),
        )
        ours.load_state_dict(drawn_at_random(theirs))
        x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


def test_norms_may_stand_twice_in_front_of_a_pre_activation_network():
    """pytorchcv's preresnet50: behind the stem and in the first block, 2·64 parameters more."""
    paths = [row.path for row in load("preact-resnet50:preact_twice=true").rows]
    assert paths[:7] == [
        "conv1", "bn1", "relu", "maxpool", "layer1.0.bn1", "layer1.0.relu", "layer1.0.conv1",
    ]  # fmt: skip
    total = totals(load("preact-resnet50:preact_twice=true").rows)
    assert total["params"] == 25_549_352 + 2 * 64 == 25_549_480


def test_projections_on_cifar_cost_what_others_print():
    """ResNet-20 and -56 of pytorchcv: 16·32 + 2·32 and 32·64 + 2·64 parameters more than with option A."""
    more = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    for name, params in (("resnet20_cifar10", 272_474), ("resnet56_cifar10", 855_770)):
        own = totals(load(name).rows)["params"]
        assert own == params == totals(load(name.partition("_")[0]).rows)["params"] + more


@pytest.mark.parametrize(
    ("model", "sides"),
    [("resnet50:stages=3-4-6", (56, 28, 14)), ("resnet18:stages=2-2-2", (56, 28, 14))],
)
def test_three_stages_behind_a_7x7_are_a_backbone(model, sides):
    """What detectors call C4: conv2_x to conv4_x at strides 4, 8 and 16."""
    stages = {row.stage: row.output[1] for row in load(model).rows if row.part == "body"}
    assert tuple(stages.values()) == sides


def test_an_activation_may_stand_before_a_gate():
    """timm's legacy SENets of basic blocks: norm, ReLU, gate, addition, ReLU."""
    paths = [row.path for row in load("timm:legacy_seresnet18").rows]
    at = paths.index("layer1.0.bn2")
    assert paths[at : at + 3] == ["layer1.0.bn2", "layer1.0.relu", "layer1.0.se.pool"]
    assert paths.count("layer1.0.relu") == 3


def test_stages_may_have_widths_of_their_own():
    """4·48·104 and 4·104·208 weights of two 1×1; a file of it is read back, widths and all."""
    model = "resnet50-v1.5:widths=48-104-208-440"
    rows = layers(model, "layer1.0.conv3", "layer2.0.conv1", "layer3.0.conv1", "fc")
    assert [row.layer.parameters()["weight"][:2] for row in rows] == [
        (192, 48), (104, 192), (208, 416), (1000, 1760),
    ]  # fmt: skip
    shapes = state_dict(load(model).rows)
    found = recognise(named({n: TensorInfo(s, "float32") for n, s in shapes.items()}))
    assert found.sure == "exact" and found.spec.widths == (48, 104, 208, 440)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ("widths=8-8-8", "3 widths given for 4 stages"),
        ("widths=8-8-8-0", "width of a stage 0"),
        ("widths=64-100-64-64,se_reduction=16", "does not divide 100 channels"),
    ],
)
def test_widths_that_cannot_be_are_refused(changes, what):
    """One for each stage, and no less than 1; gates divide them."""
    with pytest.raises(UserError, match=what) as error:
        load(f"resnet18:{changes}")
    assert error.value.hint
