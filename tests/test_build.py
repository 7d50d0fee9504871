"""Built networks: torchvision's names, the papers' initial weights, gradients, and all that torch does with modules."""

import copy
import io
import pickle
import warnings
from dataclasses import replace
from math import sqrt
from pathlib import Path

import pytest
import reference
import torch
from listed import FAMILIES, everyday, rows_of
from torch import nn

import resnet_cli
from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.errors import UserError
from resnet_cli.pytorch import measure
from resnet_cli.pytorch.build import build
from resnet_cli.pytorch.instance import of_image
from resnet_cli.pytorch.modules import LayerScale
from resnet_cli.trace import state_dict

KEYS = Path(__file__).parent / "data" / "keys"
ids = [spec.name for spec in FAMILIES]


def small(spec, size=32):
    """One block a stage, narrow, on few pixels."""
    fields = {"stages": (1,) * len(spec.stages), "num_classes": 5}
    if isinstance(spec, RegNet):
        fields |= {"widths": (16, 16, 32, 32), "group_width": 8, "stem_width": 16}
    elif isinstance(spec, ConvNeXt):
        fields["widths"] = (16, 16, 32, 32)
    else:
        grouped = isinstance(spec, ResNet) and (spec.groups > 1 or spec.norm == "group")
        parted = getattr(spec, "body", "plain") != "plain"
        fields["width"] = max(spec.width // 8, 32 if grouped or parted else 16)
    if isinstance(spec, ResNet):
        fields["stem_width"] = max(spec.stem_width // 8, 32 if spec.norm == "group" else 16)
    return replace(spec, **fields, input_size=(size, size))


def recorded(name):
    lines = (KEYS / f"{name}.txt").read_text().splitlines()
    pairs = [line.split() for line in lines if not line.startswith("#")]
    return [(key, tuple(int(n) for s in shape for n in s.split("x"))) for key, *shape in pairs]


@everyday(zoo.NETWORKS)
def test_tensors_are_those_of_the_trace(spec):
    """Names, order and shapes of the state dict, and what a run passes through, for every network."""
    net = build(spec, device="meta")
    rows = rows_of(spec)
    assert list(measure.tensors(net).items()) == list(state_dict(rows).items())
    assert measure.run(of_image(net, spec.input_shape)) == [
        (row.path, (1, *row.output))
        for row in rows
        if row.path not in row.inside  # additions and the like, at the path of their module
    ]


@pytest.mark.parametrize(
    ("ours", "file"),
    [
        ("resnet18", "torchvision-resnet18"),
        ("resnet50-v1.5", "torchvision-resnet50"),
        ("resnext50_32x4d", "torchvision-resnext50_32x4d"),
        ("wide_resnet50_2", "torchvision-wide_resnet50_2"),
        ("vgg11", "torchvision-vgg11"),
        ("vgg16_bn", "torchvision-vgg16_bn"),
        ("resnet18-d", "timm-resnet18d"),
        ("resnet50-d", "timm-resnet50d"),
        ("se-resnet50", "timm-seresnet50"),
    ],
)
def test_tensors_are_those_that_others_recorded(ours, file):
    """Keys, their order and shapes equal the lists that torchvision and timm gave."""
    assert list(measure.tensors(build(zoo.find(ours), device="meta")).items()) == recorded(file)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("resnet18", reference.resnet18),
        ("resnet50", lambda: reference.resnet50(v15=False)),
        ("resnet50-v1.5", lambda: reference.resnet50(v15=True)),
    ],
)
def test_outputs_are_those_of_a_network_written_by_hand(name, theirs):
    """With the same weights, the same outputs in inference and in training, and running statistics."""
    ours, theirs = resnet_cli.build(name, seed=0), theirs()
    for tensor in ours.state_dict().values():
        if tensor.dim() == 1:
            tensor.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(1))
    theirs.load_state_dict(ours.state_dict(), strict=True)
    x = torch.randn(2, 3, 64, 48, generator=torch.Generator().manual_seed(2))
    for train in (False, True):
        torch.testing.assert_close(ours.train(train)(x), theirs.train(train)(x))
    for (key, mine), other in zip(
        ours.state_dict().items(), theirs.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(mine, other, msg=key)


@pytest.mark.parametrize("spec", FAMILIES, ids=ids)
def test_every_block_has_the_gradient_of_a_finite_difference(spec):
    """(f(x + εd) − f(x − εd)) / 2ε along random directions, for inputs and parameters of each block."""
    torch.manual_seed(0)
    net = build(small(spec), seed=0).double().eval()
    for parameter in net.parameters():
        if parameter.dim() == 1:  # zeros would put whole channels on the edge of a ReLU
            nn.init.uniform_(parameter, 0.5, 1.5)
    stages = [module for module in net.children() if isinstance(module, nn.Sequential)]
    given = {}
    hooks = [
        stage.register_forward_hook(lambda stage, inputs, y: given.update({stage: inputs[0]}))
        for stage in stages
    ]
    net(torch.randn(2, *small(spec).input_shape, dtype=torch.double))
    for hook in hooks:
        hook.remove()
    assert stages
    for block in stages:
        x = given[block].detach().requires_grad_()
        tensors = [x, *block.parameters()]
        weigh = torch.randn_like(block(x))
        loss = (block(x) * weigh).sum()
        gradients = torch.autograd.grad(loss, tensors)
        directions = [torch.randn_like(t) for t in tensors]
        along = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
        ends = []
        with torch.no_grad():
            for step in (1e-8, -2e-8):
                for tensor, direction in zip(tensors, directions, strict=True):
                    tensor += step * direction
                ends.append((block(x) * weigh).sum())
        # a step takes a few of the many ReLUs over their edge, so equal to some digits alone
        assert ((ends[0] - ends[1]) / 2e-8).item() == pytest.approx(along.item(), rel=2e-3)


@pytest.mark.parametrize("spec", FAMILIES, ids=ids)
def test_networks_train(spec):
    """A step of SGD changes every parameter, lowers the loss, and moves the running statistics."""
    net = build(small(spec), seed=0, zero_gamma=False).train()
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(module, LayerScale):  # of 10⁻⁶ a block's own gradients would be lost
            nn.init.ones_(module.weight)
    x = torch.randn(8, *small(spec).input_shape, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(8) % 5
    before = copy.deepcopy(net.state_dict())
    loss = nn.functional.cross_entropy(net(x), labels)
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    torch.optim.SGD(net.parameters(), lr=1e-3).step()
    assert nn.functional.cross_entropy(net(x), labels) < loss
    for name, after in net.state_dict().items():
        assert not torch.equal(after, before[name]), name


@pytest.mark.parametrize("name", ["resnet18", "keras-resnet50", "se-resnext50_32x4d"])
def test_initial_weights_are_the_papers(name):
    """Convolutions: deviation √(2 / fan out), of all groups; batch norms 1, 0, 0, 1; biases 0; fc 0.01."""
    net = resnet_cli.build(name, seed=3)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.out_channels * module.kernel_size[0] ** 2
            if module.weight.numel() > 20_000:
                assert module.weight.std().item() == pytest.approx(sqrt(2 / fan_out), rel=0.03)
                assert abs(module.weight.mean().item()) < 0.02 * sqrt(2 / fan_out)
        elif isinstance(module, nn.BatchNorm2d):
            assert module.weight.eq(1).all() and module.bias.eq(0).all()
            assert module.running_mean.eq(0).all() and module.running_var.eq(1).all()
        elif isinstance(module, nn.Linear):
            assert module.weight.std().item() == pytest.approx(0.01, rel=0.03)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            assert module.bias.eq(0).all()


def test_a_seed_gives_the_same_weights_again():
    """Equal for one seed, others for another, and torch's own generator is left alone."""
    state = torch.get_rng_state()
    one, again, other = (resnet_cli.build("resnet20", seed=seed) for seed in (7, 7, 8))
    assert torch.equal(torch.get_rng_state(), state)
    for a, b, c in zip(one.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.dim() == 1 or not torch.equal(a, c)
    torch.manual_seed(7)
    unseeded = resnet_cli.build("resnet20")
    torch.manual_seed(7)
    assert torch.equal(unseeded.conv1.weight, resnet_cli.build("resnet20").conv1.weight)


def test_zero_gamma_makes_every_block_an_identity():
    """With the last γ at 0 the stages without projections pass non-negative inputs on as they are."""
    net = resnet_cli.build("resnet50", seed=0, zero_gamma=True).eval()
    zeros = [n for n, p in net.named_parameters() if n.endswith("weight") and not p.any()]
    assert zeros == [
        f"layer{s}.{b}.bn3.weight" for s, n in enumerate((3, 4, 6, 3), 1) for b in range(n)
    ]
    x = torch.rand(1, 256, 14, 14)
    assert torch.equal(net.layer1[1](x), x)
    with pytest.raises(UserError, match="plain18"):
        resnet_cli.build("plain18", zero_gamma=True)


def test_the_public_function_takes_names_depths_and_changes():
    """build(50, num_classes=10, in_channels=1) is a ResNet-50 for those; a wrong field is refused."""
    net = resnet_cli.build(50, device="meta", num_classes=10, in_channels=1, input_size=64)
    assert net.fc.weight.shape == (10, 2048) and net.conv1.weight.shape[1] == 1
    assert net(torch.zeros(4, 1, 64, 64, device="meta")).shape == (4, 10)
    with pytest.raises(UserError, match="no clases to change"):
        resnet_cli.build("resnet50", clases=10)
    with pytest.raises(UserError, match="resent50"):
        resnet_cli.build("resent50")


def test_repr_reads_like_a_network_written_by_hand():
    """Class names of the field, torchvision's names, torch's own layers."""
    text = repr(resnet_cli.build("resnet50", device="meta"))
    assert text.startswith("ResNet(\n  (conv1): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2)")
    assert "(layer1): Sequential(\n    (0): Bottleneck(\n      (conv1): Conv2d(64, 64" in text
    assert text.count("Bottleneck(") == 16 and "Steps" not in text
    assert "(se): SqueezeExcitation(" in repr(resnet_cli.build("se-resnet18", device="meta"))
    assert "ZeroPadding(channels=32, stride=2)" in repr(resnet_cli.build("resnet20", device="meta"))


@pytest.mark.slow
@pytest.mark.parametrize("spec", FAMILIES, ids=ids)
def test_copies_give_the_same_outputs(spec):
    """Deep copies, pickles, state dicts, TorchScript and torch.compile change nothing."""
    net = build(small(spec), seed=0).eval()
    x = torch.randn(2, *small(spec).input_shape, generator=torch.Generator().manual_seed(0))
    expected = net(x)
    assert torch.equal(copy.deepcopy(net)(x), expected)
    assert torch.equal(pickle.loads(pickle.dumps(net))(x), expected)
    stream = io.BytesIO()
    torch.save(net.state_dict(), stream)
    stream.seek(0)
    other = build(small(spec), seed=1).eval()
    other.load_state_dict(torch.load(stream, weights_only=True), strict=True)
    assert torch.equal(other(x), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.testing.assert_close(torch.jit.trace(net, x)(x), expected)
    torch.compiler.reset()
    # the graph is what a network can break; generating code from it needs a compiler
    torch.testing.assert_close(torch.compile(net, backend="eager", fullgraph=True)(x), expected)


@pytest.mark.parametrize("train", [True, False])
def test_measuring_leaves_a_network_as_it_was(train):
    """fvcore, the flop counter and a run keep the mode, the hooks and the running statistics."""
    net = resnet_cli.build("resnet20", seed=0).train(train)
    before = copy.deepcopy(net.state_dict())
    measure.run(of_image(net, (3, 32, 32)))
    measure.fvcore(of_image(net, (3, 32, 32)))
    measure.flop_counter(of_image(net, (3, 32, 32)))
    assert net.training is train and not net.layer1[0].conv1._forward_hooks
    assert all(torch.equal(t, before[name]) for name, t in net.state_dict().items())
