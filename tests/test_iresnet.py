"""iResNets beside insightface's, written by hand from its published structure."""

import pytest
import torch
from filling import fill
from torch import nn

import resnet_cli
from resnet_cli.checkpoints.container.contents import TensorInfo
from resnet_cli.checkpoints.identify.recognise import named, recognise
from resnet_cli.designs import zoo
from resnet_cli.models import load


class Block(nn.Module):
    """Norm, 3×3, norm, PReLU, 3×3 with the stride, norm; nothing behind the sum."""

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        self.bn2, self.prelu = nn.BatchNorm2d(width), nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride > 1 or inputs != width:
            convolution = nn.Conv2d(inputs, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(convolution, nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(y)) + (self.downsample(x) if self.downsample else x)


class Faces(nn.Module):
    """112×112 to an embedding: no pool, each stage strides, the whole last map is projected."""

    def __init__(self, stages, width=64, embedding=512, places=49):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1, self.prelu = nn.BatchNorm2d(width), nn.PReLU(width)
        inputs = width
        for at, blocks in enumerate(stages):
            stage = []
            for number in range(blocks):
                stage.append(Block(inputs, width * 2**at, 1 if number else 2))
                inputs = width * 2**at
            self.add_module(f"layer{at + 1}", nn.Sequential(*stage))
        self.bn2, self.dropout = nn.BatchNorm2d(inputs), nn.Dropout(inplace=True)
        self.fc = nn.Linear(inputs * places, embedding)
        self.features = nn.BatchNorm1d(embedding)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        for at in (1, 2, 3, 4):
            x = getattr(self, f"layer{at}")(x)
        return self.features(self.fc(self.dropout(self.bn2(x)).flatten(1)))


@pytest.mark.parametrize(
    "model",
    [
        "iresnet18:width=8,input_size=64x48",
        pytest.param("iresnet50", marks=pytest.mark.slow),
    ],
)
def test_a_network_is_insightfaces(model):
    """The same keys in the same order, the same outputs, and a file of it is known as it."""
    spec = load(model).spec
    height, width = (side // 16 for side in spec.input_size)
    theirs = Faces(spec.stages, spec.width, places=height * width).eval()
    fill(theirs)
    weights = theirs.state_dict()
    ours = resnet_cli.build(spec, device="meta").eval()
    assert [*ours.state_dict()] == [*weights]
    ours.load_state_dict(weights, assign=True)
    x = torch.randn(2, *spec.input_shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(x)
        scale = expected.abs().max().item()
        torch.testing.assert_close(ours(x), expected, rtol=1e-5, atol=1e-5 * scale)
    shapes = {name: TensorInfo((*tensor.shape,), "float32") for name, tensor in weights.items()}
    found = recognise(named(shapes))
    assert found.sure == "exact"
    if model == "iresnet50":
        assert found.spec == spec and (found.network, found.settled) == ("iresnet50", True)


@pytest.mark.parametrize(
    ("depth", "millions"), [(18, 24.03), (34, 34.14), (50, 43.59), (100, 65.16), (200, 118.83)]
)
def test_parameters_are_those_that_are_published(depth, millions):
    """Counted of the module written by hand, too; buffers beside."""
    spec = zoo.find(f"iresnet{depth}")
    total = resnet_cli.summary(spec).data()["total"]
    with torch.device("meta"):
        theirs = Faces(spec.stages)
    assert total["params"] == sum(tensor.numel() for tensor in theirs.parameters())
    assert total["buffers"] == sum(tensor.numel() for tensor in theirs.buffers() if tensor.dim())
    assert round(total["params"] / 1e6, 2) == millions


def test_a_file_of_another_size_is_known_by_its_last_layer():
    """512·8·8 inputs of fc are a map of 128×128."""
    spec = zoo.changed(zoo.find("iresnet50"), input_size=(128, 128))
    net = resnet_cli.build(spec, device="meta")
    shapes = {n: TensorInfo((*t.shape,), "float32") for n, t in net.state_dict().items()}
    found = recognise(named(shapes))
    assert (found.sure, found.spec) == ("exact", spec)


def test_new_slopes_are_torchs():
    """A quarter each; norms' gains 1."""
    net = resnet_cli.build("iresnet18", seed=0)
    assert net.prelu.weight.eq(0.25).all() and net.features.weight.eq(1).all()
