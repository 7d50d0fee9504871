"""Keras' ResNets V2 beside modules written by hand from keras.applications' structure."""

import pytest
import torch
from filling import fill
from torch import nn

import resnet_cli
from resnet_cli.checkpoints.container.contents import TensorInfo
from resnet_cli.checkpoints.identify.recognise import named, recognise
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.models import load

STAGES = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class Block(nn.Module):
    """Norm and ReLU; 1×1, 3×3 with the stride, 1×1 with a bias.

    The shortcut is a 1×1 of the activated input, or the input, of which a stride takes every other place.
    """

    def __init__(self, inputs, width, stride, projects):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1, self.bn2 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3, self.conv3 = nn.BatchNorm2d(width), nn.Conv2d(width, 4 * width, 1)
        self.stride, self.downsample = stride, None
        if projects:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, stride))

    def forward(self, x):
        y = self.bn1(x).relu()
        shortcut = (
            self.downsample(y) if self.downsample else x[:, :, :: self.stride, :: self.stride]
        )
        y = self.bn3(self.conv2(self.bn2(self.conv1(y)).relu())).relu()
        return shortcut + self.conv3(y)


class V2(nn.Module):
    """A 7×7 with a bias, a max pool over zeros, and stages that stride in their last block."""

    def __init__(self, stages, width=64, classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3)
        inputs = width
        for at, blocks in enumerate(stages):
            stage = []
            for number in range(blocks):
                last = number == blocks - 1 and at < len(stages) - 1
                stage.append(Block(inputs, width * 2**at, 2 if last else 1, not number))
                inputs = 4 * width * 2**at
            self.add_module(f"layer{at + 1}", nn.Sequential(*stage))
        self.norm, self.fc = nn.BatchNorm2d(inputs), nn.Linear(inputs, classes)

    def forward(self, x):
        x = nn.functional.max_pool2d(nn.functional.pad(self.conv1(x), (1, 1, 1, 1)), 3, 2)
        for at in (1, 2, 3, 4):
            x = getattr(self, f"layer{at}")(x)
        return self.fc(self.norm(x).relu().mean((2, 3)))


@pytest.mark.parametrize(
    "model",
    [
        "keras-resnet50v2:stages=2-3-2-1,width=8,stem_width=8,input_size=65x96",
        pytest.param("keras-resnet50v2", marks=pytest.mark.slow),
    ],
)
def test_a_network_is_keras(model):
    """The same keys, the same outputs with gains of both signs, and a file of it is known as it."""
    spec = load(model).spec
    theirs = V2(spec.stages, spec.width).eval()
    fill(theirs)
    weights = theirs.state_dict()
    ours = resnet_cli.build(spec, device="meta").eval()
    assert sorted(ours.state_dict()) == sorted(weights)
    ours.load_state_dict(weights, assign=True)
    x = torch.randn(1, *spec.input_shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(x)
        scale = expected.abs().max().item()
        torch.testing.assert_close(ours(x), expected, rtol=1e-5, atol=1e-5 * scale)
    found = recognise(
        named({name: TensorInfo((*tensor.shape,), "float32") for name, tensor in weights.items()})
    )
    assert found.sure == "exact" and found.spec.end_bias and not found.spec.conv_bias
    if model == "keras-resnet50v2":
        assert found.spec == spec and found.network == "keras-resnet50v2"


@pytest.mark.parametrize(
    ("depth", "printed"), [(50, 25_613_800), (101, 44_675_560), (152, 60_380_648)]
)
def test_parameters_are_those_that_keras_prints(depth, printed):
    """With the moving statistics."""
    total = resnet_cli.summary(f"keras-resnet{depth}v2").data()["total"]
    assert total["params"] + total["buffers"] == printed
    with torch.device("meta"):
        theirs = V2(STAGES[depth])
    state = theirs.state_dict().values()
    assert sum(tensor.numel() for tensor in state if tensor.dim()) == printed


def test_the_last_block_of_each_stage_but_the_last_strides():
    """56 → 28 → 14 → 7 in conv2_3, conv3_4 and conv4_6."""
    strided = [
        row.path for row in load("keras-resnet50v2").rows
        if row.path.endswith("conv2") and row.layer.stride == 2
    ]  # fmt: skip
    assert strided == ["layer1.2.conv2", "layer2.3.conv2", "layer3.5.conv2"]


def test_a_dilated_network_does_not_stride_in_last_blocks():
    """The two are refused together, with what to type."""
    with pytest.raises(UserError) as error:
        zoo.changed(zoo.find("keras-resnet50v2"), output_stride=8)
    assert "dilated" in error.value.what and "--stride-at" in error.value.hint
