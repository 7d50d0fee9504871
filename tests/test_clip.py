"""CLIP's ResNets beside OpenAI's, written by hand, and timm's own modules."""

import pytest
import torch
from filling import fill
from libraries import library
from listed import rows_of
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import resnet_cli
from resnet_cli.checkpoints.container.contents import TensorInfo
from resnet_cli.checkpoints.identify.naming import to_torchvision
from resnet_cli.checkpoints.identify.recognise import named, recognise
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.published.names import names
from resnet_cli.pytorch.build import Unfilled

LISTED = [spec for spec in zoo.NETWORKS if spec.family == "CLIP"]
OF_TIMM = [row for row in names() if row.library == "timm" and row.network.startswith("clip-")]


class Bottleneck(nn.Module):
    """1×1, 3×3, mean of stride × stride, 1×1; the shortcut has a mean and a 1×1."""

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.stride, self.downsample = stride, None
        if stride > 1 or inputs != 4 * width:
            self.downsample = nn.Sequential()
            self.downsample.add_module("-1", nn.AvgPool2d(stride))
            self.downsample.add_module("0", nn.Conv2d(inputs, 4 * width, 1, bias=False))
            self.downsample.add_module("1", nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        y = self.bn3(self.conv3(nn.functional.avg_pool2d(y, self.stride)))
        return (y + (self.downsample(x) if self.downsample else x)).relu()


class AttentionPool(nn.Module):
    """Multi-head attention of one query, the mean of all places (Radford et al. 2021, Sec. 2.4)."""

    def __init__(self, places, channels, heads, out):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(places + 1, channels))
        self.k_proj, self.q_proj, self.v_proj = (nn.Linear(channels, channels) for _ in range(3))
        self.c_proj = nn.Linear(channels, out)
        self.heads = heads

    def forward(self, x):
        x = x.flatten(2).permute(2, 0, 1)
        x = torch.cat([x.mean(0, keepdim=True), x]) + self.positional_embedding[:, None]
        projections = (self.q_proj, self.k_proj, self.v_proj)
        y, _ = nn.functional.multi_head_attention_forward(
            x[:1], x, x, x.shape[-1], self.heads, None,
            torch.cat([projection.bias for projection in projections]), None, None, False, 0.0,
            self.c_proj.weight, self.c_proj.bias, training=False, use_separate_proj_weight=True,
            **{f"{p}_proj_weight": part.weight for p, part in zip("qkv", projections, strict=True)},
        )  # fmt: skip
        return y[0]


class Visual(nn.Module):
    """A modified ResNet as OpenAI names its parts."""

    def __init__(self, stages, width, heads, out, size):
        super().__init__()
        widths = (3, width // 2, width // 2, width)
        for at in (1, 2, 3):
            stride = 2 if at == 1 else 1
            convolution = nn.Conv2d(widths[at - 1], widths[at], 3, stride, 1, bias=False)
            self.add_module(f"conv{at}", convolution)
            self.add_module(f"bn{at}", nn.BatchNorm2d(widths[at]))
        inputs = width
        for at, blocks in enumerate(stages):
            stage = []
            for number in range(blocks):
                stage.append(Bottleneck(inputs, width * 2**at, 2 if at and not number else 1))
                inputs = 4 * width * 2**at
            self.add_module(f"layer{at + 1}", nn.Sequential(*stage))
        self.attnpool = AttentionPool((size // 32) ** 2, inputs, heads, out)

    def forward(self, x):
        for at in (1, 2, 3):
            x = getattr(self, f"bn{at}")(getattr(self, f"conv{at}")(x)).relu()
        x = nn.functional.avg_pool2d(x, 2)
        for at in (1, 2, 3, 4):
            x = getattr(self, f"layer{at}")(x)
        return self.attnpool(x)


def assert_the_same(model, theirs, prefix=""):
    """Every tensor has its place in ours, and the outputs are equal."""
    spec = load(model).spec
    theirs.eval()
    fill(theirs)
    tensors = {prefix + name: tensor for name, tensor in theirs.state_dict().items()}
    naming = to_torchvision(tensors)
    assert not naming.beside
    ours = resnet_cli.build(spec, device="meta").eval()
    ours.load_state_dict({naming.names[n]: t for n, t in tensors.items()}, assign=True)
    x = torch.randn(1, *spec.input_shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(x)
        torch.testing.assert_close(
            ours(x), expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item()
        )
    return recognise(named({n: TensorInfo((*t.shape,), "float32") for n, t in tensors.items()}))


@pytest.mark.parametrize(
    ("model", "heads"),
    [
        ("clip-rn50:stages=1-1-1-1,width=16,stem_width=16,input_size=64", 8),
        pytest.param("clip-rn50", 32, marks=pytest.mark.slow),
        pytest.param("clip-rn50x4:stages=1-1-1-1", 40, marks=pytest.mark.slow),
    ],
)
def test_a_network_is_openais(model, heads):
    """One written by hand, under OpenAI's names behind visual.; a file of it is known as it."""
    spec = load(model).spec
    theirs = Visual(spec.stages, spec.width, heads, spec.num_classes, spec.input_size[0])
    found = assert_the_same(model, theirs, "visual.")
    assert found.sure == "exact"
    assert (found.spec.head, found.spec.input_size) == ("attention", spec.input_size)
    if model == "clip-rn50":
        assert found.spec == spec and (found.network, found.settled) == ("clip-rn50", True)


@pytest.mark.parametrize("spec", LISTED, ids=lambda spec: spec.name)
def test_parameters_and_macs_are_those_of_the_module_written_by_hand(spec):
    """On the meta device, where attention of one query is counted as its products."""
    channels = 32 * spec.width
    with torch.device("meta"):
        theirs = Visual(
            spec.stages, spec.width, channels // 64, spec.num_classes, spec.input_size[0]
        )
        with FlopCounterMode(display=False) as counter:
            theirs(torch.zeros(1, *spec.input_shape))
    rows = rows_of(spec)
    params = sum(tensor.numel() for tensor in theirs.parameters())
    total = resnet_cli.summary(spec).data()["total"]
    assert total["params"] == params
    assert sum(row.macs for row in rows) == total["macs"] == counter.get_total_flops() // 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "row", [row for row in OF_TIMM if row.params < 60_000_000], ids=lambda row: row.name
)
def test_a_network_is_timms(row):
    """Every tensor has its place and the outputs are equal, under timm's names."""
    with Unfilled(()):
        theirs = library("timm").create_model(row.name)
    found = assert_the_same(row.model, theirs)
    assert found.sure == "exact" and found.network == row.model


def test_who_asks_changes_macs_alone():
    """timm lets all 50 tokens of RN50 ask: 49 more queries, their scores, sums and projections."""
    one, all_ask = (load(model) for model in ("clip-rn50", "timm:resnet50_clip"))
    more = 49 * (2048 * 2048 + 2 * 50 * 2048 + 2048 * 1024)
    macs = [sum(row.macs for row in network.rows) for network in (one, all_ask)]
    assert macs[1] - macs[0] == more
    assert one.rows[-1].layer.tensors() == all_ask.rows[-1].layer.tensors()


@pytest.mark.parametrize(
    ("changes", "what"),
    [("input_size=225", "a position for each place of 225×225"), ("width=9", "heads of 64")],
)
def test_what_is_no_attention_pool_is_refused(changes, what):
    """A side that strides do not divide; channels that are no whole heads."""
    with pytest.raises(UserError, match=what) as error:
        load(f"clip-rn50:{changes}")
    assert error.value.hint
