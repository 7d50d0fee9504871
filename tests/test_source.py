"""Generated PyTorch files: the same tensors and outputs as the tree, and readable as code."""

import ast
import importlib.util
import os
import subprocess
import sys
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from listed import everyday
from torch import nn
from torch.nn import functional as F

from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.errors import UserError
from resnet_cli.layers.convolution import ChannelConv, Conv2d, Linear, StdConv2d
from resnet_cli.layers.elementwise import (
    Curve,
    Dropout,
    Elementwise,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    StochasticDepth,
)
from resnet_cli.layers.merging import Add, GatedAdd, Scale, ScaledAdd
from resnet_cli.layers.normalisation import (
    BatchNorm2d,
    FrozenBatchNorm2d,
    GlobalResponseNorm,
    GroupNorm,
    LayerNorm,
    LayerNorm2d,
    LayerScale,
)
from resnet_cli.layers.parts import SoftmaxOfParts, SumOfParts
from resnet_cli.layers.pooling import (
    AdaptiveAvgPool2d,
    AttentionPool2d,
    AvgPool2d,
    BlurPool2d,
    MaxPool2d,
    PaddedAvgPool2d,
    ZeroPaddedMaxPool2d,
)
from resnet_cli.layers.shaping import ChannelsLast, Copy, Flatten, PadShortcut, View
from resnet_cli.pytorch.build import build as built
from resnet_cli.render.source import identifier, pytorch_source
from resnet_cli.trace import trace

HOSTILE = ["x'''\nimport os", '"""\nimport os\n"""', "1abc", "class", "日本", "super", "nn", "\\",
           "a`b\\", "", " _ ", "Bottleneck", "ResNet", "int", "initialise", "_conv2d", "addition",
           "x" * 200, "日" * 80]  # fmt: skip
FAMILIES = list({spec.family: spec for spec in reversed(zoo.NETWORKS)}.values())
OTHERS = [replace(zoo.find(name), name=f"{name}-{number}", **fields) for number, (name, fields) in enumerate([
    ("resnet18", {"shortcut": "gate"}),
    ("resnet164", {"shortcut": "exclusive-gate", "preact": True}),
    ("resnet20", {"shortcut": "dropout"}),
    ("preact-resnet50", {"shortcut": "dropout"}),
    ("preact-resnet18", {"shortcut": "none", "activation": "SiLU"}),
    ("preact-resnet18", {"shortcut": "C", "eca": True, "activation": "SiLU"}),
    ("resnet20", {"shortcut_scale": 0.5, "body_scale": 0.25}),
    ("resnet50", {"norm": "group", "eca": True, "activation": "SiLU"}),
    ("resnet18-d", {"antialias": "blur", "stem_pool": "conv"}),
    ("resnet50-v1.5", {"antialias": "blur", "norm": "frozen"}),
    ("preact-resnet18", {"weight_standardization": True, "stem_pool": "zeros", "norm": "group"}),
    ("resnet50-d", {"base_width": 96, "se_reduction": 8, "conv_bias": True}),
    ("regnet_y_400mf", {"preact": True, "projection_pool": True, "activation": "SiLU"}),
    ("resnet20", {"stochastic_depth": 0.4}),
])]  # fmt: skip
"""Networks that no paper lists, of every field."""


def statements(spec):
    """What a generated file defines."""
    names = {}
    exec(compile(pytorch_source(spec), "generated", "exec"), names)
    return names


def build(spec, **arguments):
    """The network that a generated file makes, from nothing but its text."""
    return statements(spec)[identifier(spec.name)](**arguments)


def imported(file):
    """The file as a module, which TorchScript can read back."""
    found = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def expected_tensors(spec):
    """Names and shapes in the order of the trace."""
    return [
        (f"{row.path}.{name}", shape)
        for row in trace(spec.net(), spec.input_shape)
        for name, shape in (row.layer.parameters() | row.layer.buffers()).items()
    ]


def reference(spec, state, x):
    """The tree's output: every row of the trace, computed by a function of torch's."""
    outputs = []
    rows = trace(spec.net(), spec.input_shape)
    for row in rows:
        a, *b = [x if index < 0 else outputs[index] for index in row.reads]
        t = {name: state[f"{row.path}.{name}"] for name in row.layer.parameters()}
        t |= {name: state[f"{row.path}.{name}"] for name in row.layer.buffers()}
        match row.layer:
            case StdConv2d(stride=stride, padding=padding, groups=groups, dilation=dilation):
                dims = {"dim": (1, 2, 3), "keepdim": True}
                centred = t["weight"] - t["weight"].mean(**dims)
                weight = centred / (centred.square().mean(**dims) + 1e-8).sqrt()
                y = F.conv2d(a, weight, t.get("bias"), stride, padding, dilation, groups)
            case Conv2d(stride=stride, padding=padding, groups=groups, dilation=dilation):
                y = F.conv2d(a, t["weight"], t.get("bias"), stride, padding, dilation, groups)
            case ChannelConv(kernel=kernel):
                y = F.conv1d(a.view(len(a), 1, -1), t["weight"], padding=kernel // 2).view_as(a)
            case LayerNorm2d(channels=channels, eps=eps):
                y = a - a.mean(1, keepdim=True)
                y = y / (y.square().mean(1, keepdim=True) + eps).sqrt()
                y = y * t["weight"].view(-1, 1, 1) + t["bias"].view(-1, 1, 1)
            case LayerNorm(channels=channels, eps=eps):
                y = F.layer_norm(a, (channels,), t["weight"], t["bias"], eps)
            case GlobalResponseNorm(channels_last=last):
                at = a if last else a.permute(0, 2, 3, 1)
                length = at.square().sum((1, 2), keepdim=True).sqrt()
                ratio = length / (length.mean(3, keepdim=True) + 1e-6)
                y = t["weight"] * at * ratio + t["bias"] + at
                y = y if last else y.permute(0, 3, 1, 2)
            case LayerScale():
                y = a * t["weight"].view(-1, 1, 1)
            case ChannelsLast(back=back):
                y = a.movedim(3, 1) if back else a.movedim(1, 3)
            case GroupNorm(groups=groups):
                y = F.group_norm(a, groups, t["weight"], t["bias"])
            case BatchNorm2d() | FrozenBatchNorm2d():
                y = F.batch_norm(a, t["running_mean"], t["running_var"], t["weight"], t["bias"])
            case ReLU():
                y = a.clamp(min=0)
            case PReLU():
                y = F.prelu(a, t["weight"])
            case Curve():
                y = getattr(nn, type(row.layer).__name__)()(a)
            case SiLU():
                y = a / (1 + (-a).exp())
            case Sigmoid():
                y = 1 / (1 + (-a).exp())
            case ZeroPaddedMaxPool2d(kernel=kernel, stride=stride, padding=padding):
                y = F.max_pool2d(F.pad(a, (padding,) * 4), kernel, stride)
            case MaxPool2d(kernel=kernel, stride=stride, padding=padding, ceil=ceil):
                y = F.max_pool2d(a, kernel, stride, padding, ceil_mode=ceil)
            case AvgPool2d(kernel=kernel, ceil=ceil):
                y = F.avg_pool2d(a, kernel, ceil_mode=ceil, count_include_pad=False)
            case BlurPool2d(stride=stride):
                y = F.pad(a, (1, 1, 1, 1), mode="reflect")
                y = y[:, :, :-2] / 4 + y[:, :, 1:-1] / 2 + y[:, :, 2:] / 4
                y = y[..., :-2] / 4 + y[..., 1:-1] / 2 + y[..., 2:] / 4
                y = y[:, :, ::stride, ::stride]
            case PaddedAvgPool2d(kernel=kernel, stride=stride, padding=padding):
                y = F.avg_pool2d(a, kernel, stride, padding)
            case SumOfParts(parts=parts):
                y = a.unflatten(1, (parts, -1)).sum(1)
            case SoftmaxOfParts(parts=parts, groups=groups):
                y = a.view(len(a), groups, parts, -1).softmax(2).transpose(1, 2).reshape(a.shape)
            case View():  # a part of the channels
                first = row.layer.move.start
                y = a[:, first : first + row.output[0]]
            case Copy():
                y = torch.cat([a, *b], 1)
            case Elementwise():
                y = a + b[0]
            case AdaptiveAvgPool2d(size=size):
                y = F.adaptive_avg_pool2d(a, size)
            case AttentionPool2d():
                flat = a.flatten(2)
                tokens = torch.cat([flat.mean(2, keepdim=True), flat], 2).transpose(1, 2)
                tokens = tokens + t["positional_embedding"]
                q, k, v = (
                    F.linear(tokens, t[f"{p}_proj_weight"], t[f"{p}_proj_bias"]) for p in "qkv"
                )
                heads = [part.unflatten(2, (-1, 64)).transpose(1, 2) for part in (q[:, :1], k, v)]
                y = F.scaled_dot_product_attention(*heads).flatten(1)
                y = F.linear(y, t["c_proj_weight"], t["c_proj_bias"])
            case PadShortcut(out_channels=channels, stride=stride, both=both):
                y = a.new_zeros(len(a), *row.output)
                kept = min(channels, a.shape[1])
                before = max(channels - kept, 0) // 2 if both else 0
                y[:, before : before + kept] = a[:, :kept, ::stride, ::stride]
            case ScaledAdd(shortcut=shortcut, body=body):
                y = shortcut * a + body * b[0]
            case GatedAdd(exclusive=exclusive):
                gate = 1 / (1 + (-F.conv2d(a, t["weight"], t["bias"])).exp())
                y = (1 - gate) * a + (gate if exclusive else 1) * b[0]
            case Add():
                y = a + b[0]
            case Scale():
                y = a * b[0]
            case Flatten():
                y = a.reshape(len(a), -1)
            case Linear():
                y = a @ t["weight"].T + t["bias"]
            case Dropout() | StochasticDepth():
                y = a
        assert y.shape[1:] == row.output
        outputs.append(y)
    return outputs[-1]


def randomised(net):
    """The network in double precision, where every tensor is drawn anew; ready for inference."""
    generator = torch.Generator().manual_seed(0)
    net = net.double().eval()
    for tensor in net.state_dict().values():
        if tensor.dim() > 1:
            tensor.normal_(std=tensor[0].numel() ** -0.5, generator=generator)
        elif tensor.dim():
            tensor.uniform_(0.5, 1.5, generator=generator)
    return net


def input_for(spec):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, *spec.input_shape, generator=generator, dtype=torch.double)


def assert_same_outputs(spec):
    net, x = randomised(build(spec)), input_for(spec)
    expected = reference(spec, net.state_dict(), x)
    tolerance = 1e-10 * expected.abs().max().item()
    torch.testing.assert_close(net(x), expected, rtol=1e-10, atol=tolerance)
    return net, x


def small(spec):
    """The same kinds of block, two a stage and as narrow as its norm allows, on few pixels."""
    wide = getattr(spec, "norm", "") == "group" or getattr(spec, "body", "plain") != "plain"
    part = 2 if wide else 4
    fields = {"stages": (2,) * len(spec.stages), "num_classes": 7}
    if isinstance(spec, RegNet):
        fields |= {"widths": (8, 16, 24, 32), "group_width": 8, "stem_width": 8}
    elif isinstance(spec, ConvNeXt):
        fields["widths"] = (8, 16, 24, 32)
    else:
        fields["width"] = spec.width // part
    if isinstance(spec, ResNet):
        fields["stem_width"] = spec.stem_width // part
    even = isinstance(spec, RegNet) and spec.projection_pool
    size = (64, 96) if even or getattr(spec, "head", "").startswith("attention") else (33, 47)
    return replace(spec, **fields, input_size=size)


@everyday(zoo.NETWORKS, OTHERS)
def test_tensors_are_those_of_the_trace(spec):
    """Keys of the state dict, their order and shapes are the trace's, for every network."""
    with torch.device("meta"):
        state = build(spec).state_dict()
    assert [(name, tuple(tensor.shape)) for name, tensor in state.items()] == expected_tensors(spec)


@pytest.mark.parametrize("spec", FAMILIES, ids=[spec.family for spec in FAMILIES])
def test_the_number_of_classes_is_an_argument(spec):
    """Another number of classes changes the classifier and nothing else."""
    with torch.device("meta"):
        state = build(spec, num_classes=7).state_dict()
    found = [(name, tuple(tensor.shape)) for name, tensor in state.items()]
    assert found == expected_tensors(replace(spec, num_classes=7))


@pytest.mark.parametrize("spec", FAMILIES, ids=[spec.family for spec in FAMILIES])
def test_outputs_are_those_of_the_tree(spec):
    """The generated network computes what the tree says, and each parameter has a part in it."""
    net, x = assert_same_outputs(small(spec))
    assert net(x)[0].ne(net(x)[1]).all()
    net(x).square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())


@st.composite
def specs(draw):
    """Small residual networks of every kind: each field of a spec is drawn."""

    def pick(*values):
        return draw(st.sampled_from(values))

    block, stem = pick("basic", "bottleneck"), pick("7x7", "3x3", "deep", "tiered")
    norm = pick("batch", "batch", "frozen", "group")
    grouped = block == "bottleneck"
    wide = norm == "group"  # its 32 groups need so many channels
    drawn = {
        "name": "own", "family": "own", "block": block, "stem": stem, "norm": norm,
        "stages": tuple(pick(1, 2, 3) for _ in range(pick(3, 4))),
        "stem_stride": pick(0, 1, 2), "stem_pool": pick("usual", "max", "none", "ceil", "zeros", "conv"),
        "antialias": pick("none", "none", "average", "blur"), "preact_stem": pick(True, False),
        "body": (body := pick("plain", "plain", "plain", "res2net", "sk", "resnest")),
        "splits": pick(1, 2, 3), "split_reduction": pick(1, 2), "split_least": pick(2, 4, 6),
        "split_input": body == "sk" and pick(True, False), "split_pool": pick("none", "before", "behind"),
        "se_multiple": pick(1, 8), "reduce_first": pick(1, 1, 2) if grouped else 1,
        "projection_kernel": pick(1, 1, 3), "dropout": pick(0.0, 0.2), "stochastic_depth": pick(0.0, 0.0, 0.2),
        "weight_standardization": pick(False, False, True),
        "shortcut": pick("A", "A-split", "B", "B", "C", "none", "gate", "exclusive-gate", "dropout"),
        "style": pick("v1", "v1.5"), "output_stride": pick(8, 16, 32),
        "stem_width": pick(64) if wide else pick(2, 4, 8, 16, 32),
        "width": 32 if wide else pick(2, 4, 8),
        "base_width": (64 if wide else pick(16, 32, 64, 96, 128)) if grouped else 64,
        "groups": pick(1, 2, 3) if grouped else 1,
        "preact": pick(True, False), "activation": pick("ReLU", "SiLU", "GELU", "Hardswish"),
        "se_reduction": pick(0, 0, 1, 2), "eca": pick(True, False), "conv_bias": pick(True, False),
        "projection_norm": pick(True, False), "projection_pool": pick(True, False),
        "shortcut_scale": pick(1.0, 1.0, 0.5, 0.0), "body_scale": pick(1.0, 1.0, 0.25),
        "stride_at": pick("first", "first", "last"), "end_bias": pick(False, False, True),
        "preact_twice": pick(False, False, True), "last_norm": pick(True, True, False),
        "se_activation": pick(False, True), "head": pick("pool", "pool", "mlp", "none"),
        "num_classes": draw(st.integers(1, 9)), "in_channels": draw(st.integers(1, 4)),
        "input_size": (draw(st.integers(1, 40)), draw(st.integers(1, 40))),
    }  # fmt: skip
    if pick(False, False, True):
        drawn["widths"] = tuple(drawn["width"] * pick(1, 2, 3) for _ in drawn["stages"])
    else:
        drawn["widths"] = ()
    assert drawn.keys() == {field.name for field in fields(ResNet)}
    try:
        spec = ResNet(**drawn)
        trace(
            spec.net(), spec.input_shape
        )  # an input may be too small, or odd where a mean strides
        return spec
    except UserError:
        assume(False)


@pytest.mark.slow
@given(spec=specs())
@settings(max_examples=80, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])  # fmt: skip
def test_any_residual_network_is_written_as_it_is(spec):
    """Whatever the combination of fields: the same tensors in order, outputs and gradients."""
    net, x = assert_same_outputs(spec)
    found = [(name, tuple(tensor.shape)) for name, tensor in net.state_dict().items()]
    assert found == expected_tensors(spec)
    net(x).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    other = built(spec).double().eval()
    other.load_state_dict(net.state_dict())
    torch.testing.assert_close(net(x), other(x), rtol=1e-10, atol=1e-10)


@pytest.mark.slow
@given(batch_norm=st.booleans(), stages=st.tuples(*[st.integers(1, 6)] * 5),
       width=st.integers(1, 4), inputs=st.integers(1, 4))  # fmt: skip
@settings(max_examples=4, deadline=None, derandomize=True)
def test_any_vgg_is_written_as_it_is(batch_norm, stages, width, inputs):
    """Other stages, widths and inputs of a VGG give the tree's tensors and outputs too."""
    spec = replace(zoo.find("vgg11"), stages=stages, batch_norm=batch_norm, width=width,
                   in_channels=inputs, num_classes=3, input_size=(32, 41))  # fmt: skip
    net, _ = assert_same_outputs(spec)
    found = [(name, tuple(tensor.shape)) for name, tensor in net.state_dict().items()]
    assert found == expected_tensors(spec)


SCRIPTED = [
    "resnet20",
    "plain20",
    "preact-resnet18",
    "se-resnext50_32x4d",
    "resnet50-d",
    "vgg11_bn",
]


@pytest.mark.slow
@pytest.mark.parametrize("spec", [*map(zoo.find, SCRIPTED), *OTHERS], ids=lambda spec: spec.name)
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_networks_can_be_scripted(spec, tmp_path):
    """TorchScript compiles a network that is imported from its file; the outputs stay the same."""
    spec, file = small(spec), tmp_path / "generated.py"
    file.write_text(pytorch_source(spec), encoding="utf-8")
    net, x = randomised(getattr(imported(file), identifier(spec.name))()), input_for(spec)
    torch.testing.assert_close(torch.jit.script(net)(x), net(x))


@pytest.mark.parametrize("name", ["resnet18", "keras-resnet50", "se-resnet18", "vgg11_bn"])
def test_initial_weights_are_the_papers(name):
    """Convolutions are He normal (fan out), fc has a deviation of 0.01, every bias is 0."""
    torch.manual_seed(0)
    for path, module in build(replace(zoo.find(name), width=32)).named_modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 10_000:
            fan_out = module.out_channels * module.kernel_size[0] ** 2
            assert module.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.05), path
        elif isinstance(module, nn.Linear):
            assert module.weight.std().item() == pytest.approx(0.01, rel=0.05)
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all()
        if getattr(module, "bias", None) is not None:
            assert (module.bias == 0).all(), path


@pytest.mark.parametrize("spec", [zoo.find("se-resnet18"), *OTHERS], ids=lambda spec: spec.name)
def test_initial_weights_are_those_of_build(spec):
    """With a generator of the same seed, each tensor is what `resnet-cli build --seed` gives it."""
    spec = small(spec)
    defined = statements(spec)
    net = defined[identifier(spec.name)]()
    defined["initialise"](net, torch.Generator().manual_seed(3))
    state = built(spec, seed=3).state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in net.state_dict().items())


def test_files_are_the_same_each_time(tmp_path):
    """No order depends on Python's hashes, which are other ones in each process."""
    program = (
        "from dataclasses import replace; from resnet_cli.designs import zoo;"
        "from resnet_cli.render.source import pytorch_source;"
        "print(pytorch_source(replace(zoo.find('preact-resnet50'), eca=True)))"
    )
    texts = {
        subprocess.run([sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed},
                       capture_output=True, check=True).stdout
        for seed in "123"
    }  # fmt: skip
    assert len(texts) == 1


def test_files_are_clean_for_ruff(tmp_path):
    """Nothing unused, nothing to reformat, no line over 100: every network and hostile names."""
    hostile = [replace(zoo.find("resnet18"), name=name) for name in HOSTILE]
    networks = [*zoo.NETWORKS, *OTHERS, *hostile]
    for number, spec in enumerate(networks):
        (tmp_path / f"n{number}.py").write_text(pytorch_source(spec), encoding="utf-8")
    ruff, length = [sys.executable, "-m", "ruff"], ["--line-length=100", "--isolated", "."]
    rules = [
        "--select=E,W,F,I,N,UP,B,SIM,RUF,ARG,D301",
        "--ignore=RUF002",
    ]  # × and − are the papers' signs
    for command in (["check", *rules], ["format", "--check"]):
        done = subprocess.run([*ruff, *command, *length], cwd=tmp_path, capture_output=True)
        assert done.returncode == 0, done.stdout.decode()


@everyday(zoo.NETWORKS, OTHERS)
def test_every_piece_is_used(spec):
    """Torch is the one import; each class, function and attribute that is made is also read."""
    tree = ast.parse(pytorch_source(spec))
    of_torch = {"forward", "__init__", "extra_repr", "reset_parameters", "_"}
    made, read = set(), {identifier(spec.name), *of_torch}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            made.add(node.name)
        elif isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            (read if isinstance(node.ctx, ast.Load) else made).add(name)
        elif isinstance(node, ast.ImportFrom):
            assert node.module == "torch"
        assert not isinstance(node, ast.Import)
    assert made <= read


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("plain20", ("downsample", "shortcut", "maxpool", "groups")),
        ("resnet20", ("self.downsample = nn.Sequential", "maxpool", "Attention")),
        ("resnet50", ("groups", "Attention", "AvgPool2d(2", "self.norm", "Identity", "padding=0")),
        ("preact-resnet18", ("inplace", "4 * width", "Identity", "stride=1,")),
        ("keras-resnet50", ("bias=", "padding=0")),
        ("vgg16", ("BatchNorm2d", "bias", "downsample", "is None")),
    ],
)
def test_what_a_network_lacks_is_not_in_its_file(name, absent):
    """No switch and no class for what another network has."""
    source, _ = pytorch_source(zoo.find(name)).split("def initialise")
    assert not [text for text in absent if text in source]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_stays_a_name(name):
    """No text leaves its string or comment: the statements are those of resnet20's file."""

    def body(spec):
        tree = ast.parse(pytorch_source(spec))
        tree.body[-1].name = ""  # the constructor
        return ast.dump(ast.Module(tree.body[1:], []))

    spec = replace(zoo.find("resnet20"), name=name)
    assert body(spec) == body(zoo.find("resnet20"))
    assert identifier(name).isidentifier() and identifier(name).isascii()
    assert isinstance(build(spec), nn.Module)


def test_identifiers_are_the_names_with_underscores():
    """Names become what a person would call the function, and no two networks share one."""
    assert identifier("resnet50-v1.5") == "resnet50_v1_5"
    assert identifier("class") == "net_class"
    assert len(set(map(identifier, zoo.names()))) == len(zoo.NETWORKS)


def test_the_docstring_counts_and_says_how_it_was_made():
    """Parameters and MACs for the input size, and the command; none for a changed network."""
    doc = ast.get_docstring(ast.parse(pytorch_source(zoo.find("resnet50"))))
    assert "25,557,032 parameters; 3,857,973,248 multiply-accumulates" in doc
    assert "3x224x224" in doc and "`resnet-cli build resnet50 -o resnet50.py`" in doc
    changed = pytorch_source(zoo.changed(zoo.find("resnet50"), num_classes=10))
    assert "resnet50 -o" not in changed and "num_classes: int = 10)" in changed


def test_files_are_short():
    """resnet50 is read on two screens, and no listed network needs 150 lines, of bodies side by side 240."""
    assert len(pytorch_source(zoo.find("resnet50")).splitlines()) < 100
    for spec in [*zoo.NETWORKS, *OTHERS]:
        parted = getattr(spec, "body", "plain") != "plain"  # torch lacks several of their layers
        most = 240 if parted else 160 if spec in OTHERS else 150
        assert len(pytorch_source(spec).splitlines()) < most, spec.name


def test_blocks_that_differ_in_numbers_alone_share_a_class():
    """Each network has a class for its blocks, one for its gates where it has any, and one for itself."""
    for spec in [*zoo.NETWORKS, *OTHERS]:
        source = pytorch_source(spec)
        blocks = source.count("\nclass BasicBlock") + source.count("\nclass Bottleneck")
        # where the first block of a stage, or its last, is another
        parted = (
            getattr(spec, "body", "plain") != "plain" or getattr(spec, "stride_at", "") == "last"
        )
        assert isinstance(spec, ResNet) <= blocks <= isinstance(spec, ResNet) + parted
        assert source.count("Excitation(nn.Module)") + source.count("Attention(nn.Module)") <= 1
        whole = ("ResNet", "VGG", "RegNet", "ConvNeXt", "IResNet")
        assert sum(source.count(f"\nclass {name}") for name in whole) == 1


def test_an_input_too_small_is_refused():
    """A VGG for 8 pixels has no file, as it has no output."""
    with pytest.raises(UserError, match="too small"):
        pytorch_source(replace(zoo.find("vgg16"), input_size=(8, 8)))
