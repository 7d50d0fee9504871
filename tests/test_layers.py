"""Every leaf and every reading of it, each beside what torch does on that layer alone."""

import importlib
import pkgutil
import re
from dataclasses import replace
from math import ceil, floor, prod
from types import SimpleNamespace

import allocation
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import resnet_cli.layers
from resnet_cli.analyses.memory.storage import PRECISIONS, total
from resnet_cli.designs import zoo
from resnet_cli.designs.blocks import bottleneck
from resnet_cli.layers import base
from resnet_cli.layers.arithmetic import value
from resnet_cli.layers.convolution import ChannelConv, Conv2d, Linear, StdConv2d
from resnet_cli.layers.elementwise import (
    ELU,
    GELU,
    Dropout,
    Hardswish,
    LeakyReLU,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    StochasticDepth,
)
from resnet_cli.layers.merging import Add, GatedAdd, Scale, ScaledAdd, Share
from resnet_cli.layers.normalisation import (
    BatchNorm1d,
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
from resnet_cli.layers.reach import Seen
from resnet_cli.layers.shaping import ChannelsLast, Flatten, PadShortcut
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.pytorch.build import _made

BATCH = 11  # divides no number of channels here
IMAGE = (8, 9, 12)
SAMPLES = {  # a leaf -> some of its kind, each with the shapes that it reads
    Conv2d: [
        (Conv2d("x", 8, 4, 3, 2, 1, bias=True), IMAGE),
        (Conv2d("x", 8, 12, 5, 1, 0, groups=4), IMAGE),
        (Conv2d("x", 8, 8, 1, 3), IMAGE),
        (Conv2d("x", 8, 4, 3, 1, 2, dilation=2), IMAGE),
    ],
    StdConv2d: [
        (StdConv2d("x", 8, 4, 3, 2, 1, bias=True), IMAGE),
        (StdConv2d("x", 8, 12, 5, 1, 0, groups=4), IMAGE),
    ],
    ChannelConv: [(ChannelConv("x", 5), (16, 1, 1))],
    Linear: [
        (Linear("x", 24, 7), (24,)),
        (Linear("x", 24, 7, bias=False), (24,)),
        (Linear("x", 12, 7), IMAGE),
    ],
    BatchNorm2d: [(BatchNorm2d("x", 8), IMAGE)],
    BatchNorm1d: [(BatchNorm1d("x", 8), (8,))],
    FrozenBatchNorm2d: [(FrozenBatchNorm2d("x", 8), IMAGE)],
    GroupNorm: [(GroupNorm("x", 4, 8), IMAGE)],
    LayerNorm: [(LayerNorm("x", 12, 1e-6), IMAGE)],
    LayerNorm2d: [(LayerNorm2d("x", 8, 1e-6), IMAGE)],
    GlobalResponseNorm: [
        (GlobalResponseNorm("x", 12, channels_last=True), IMAGE),
        (GlobalResponseNorm("x", 8, channels_last=False), IMAGE),
    ],
    LayerScale: [(LayerScale("x", 8), IMAGE)],
    ReLU: [(ReLU("x"), IMAGE)],
    GELU: [(GELU("x"), IMAGE)],
    SiLU: [(SiLU("x"), IMAGE)],
    PReLU: [(PReLU("x", 8), IMAGE)],
    LeakyReLU: [(LeakyReLU("x"), IMAGE)],
    ELU: [(ELU("x"), IMAGE)],
    Mish: [(Mish("x"), IMAGE)],
    Hardswish: [(Hardswish("x"), IMAGE)],
    Sigmoid: [(Sigmoid("x"), IMAGE)],
    Dropout: [(Dropout("x"), IMAGE)],
    StochasticDepth: [(StochasticDepth("x", 0.25), IMAGE)],
    MaxPool2d: [
        (MaxPool2d("x", 3, 2, 1), IMAGE),
        (MaxPool2d("x", 2, 2), IMAGE),
        (MaxPool2d("x", 3, 2, ceil=True), IMAGE),
    ],
    ZeroPaddedMaxPool2d: [(ZeroPaddedMaxPool2d("x", 3, 2, 1), IMAGE)],
    AvgPool2d: [
        (AvgPool2d("x", 2), IMAGE),
        (AvgPool2d("x", 5), IMAGE),
        (AvgPool2d("x", 2, ceil=False), IMAGE),
    ],
    BlurPool2d: [(BlurPool2d("x", 8, 2), IMAGE), (BlurPool2d("x", 8, 1), IMAGE)],
    PaddedAvgPool2d: [
        (PaddedAvgPool2d("x", 3, 2, 1), IMAGE),
        (PaddedAvgPool2d("x", 3, 1, 1), IMAGE),
    ],
    AdaptiveAvgPool2d: [
        (AdaptiveAvgPool2d("x"), IMAGE),
        (AdaptiveAvgPool2d("x", 3), IMAGE),
        (AdaptiveAvgPool2d("x", 5), IMAGE),  # windows that overlap, unevenly far apart
    ],
    AttentionPool2d: [
        (AttentionPool2d("x", 128, 7, 12), (128, 3, 4)),
        (AttentionPool2d("x", 128, 7, 12, all_ask=True), (128, 3, 4)),
    ],
    Flatten: [(Flatten("x"), IMAGE)],
    ChannelsLast: [(ChannelsLast("x"), IMAGE), (ChannelsLast("x", back=True), IMAGE)],
    PadShortcut: [
        (PadShortcut("x", 20, 2), IMAGE),
        (PadShortcut("x", 12, 1), IMAGE),
        (PadShortcut("x", 15, 2, both=True), IMAGE),
    ],
    Add: [(Add("x"), IMAGE, IMAGE)],
    ScaledAdd: [
        (ScaledAdd("x", 0.5, 2.0), IMAGE, IMAGE),
        (ScaledAdd("x", 0.5, 0.25), IMAGE, IMAGE),
    ],
    GatedAdd: [
        (GatedAdd("x", 8, False), IMAGE, IMAGE),
        (GatedAdd("x", 8, True), IMAGE, IMAGE),
    ],
    Scale: [(Scale("x"), IMAGE, (8, 1, 1))],
    Share: [(Share("x"), IMAGE, (8, 1, 1))],
    SumOfParts: [(SumOfParts("x", 2), IMAGE), (SumOfParts("x", 4), IMAGE)],
    SoftmaxOfParts: [
        (SoftmaxOfParts("x", 2), (8, 1, 1)),
        (SoftmaxOfParts("x", 2, 2), (8, 1, 1)),
    ],
}
EACH = pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        pytest.param(layer, tuple(shapes), id=f"{kind.__name__}{at or ''}")
        for kind, some in SAMPLES.items()
        for at, (layer, *shapes) in enumerate(some)
    ],
)


for family in pkgutil.iter_modules(resnet_cli.layers.__path__, "resnet_cli.layers."):
    importlib.import_module(family.name)


def leaves(kind=base.Layer):
    """Every class of leaf that can be made."""
    for child in kind.__subclasses__():
        yield from leaves(child)
        if not getattr(child, "__abstractmethods__", None) and not unanswered(child):
            yield child


def unanswered(kind):
    """The readings that a class leaves out."""
    return [
        name
        for name in dir(base.Layer)
        if getattr(getattr(kind, name), "__isabstractmethod__", False)
    ]


def module(layer, dtype=torch.float32):
    """What torch makes of a leaf, with numbers that are all positive."""
    made = _made(layer)
    if isinstance(made, nn.Module):
        made = made.to(dtype)
        with torch.no_grad():
            for tensor in made.parameters():
                tensor.uniform_(0.1, 1, generator=torch.Generator().manual_seed(0))
    return made


def inputs(shapes, **how):
    generator = torch.Generator().manual_seed(1)
    return [torch.rand(BATCH, *shape, generator=generator, **how) for shape in shapes]


def evaluated(text):
    """What a person gets who types the arithmetic into a calculator."""
    text = text.replace("·", "*").replace("−", "-")
    for sign, word in (("⌊", "floor("), ("⌈", "ceil("), ("⌋", ")"), ("⌉", ")")):
        text = text.replace(sign, word)
    assert re.fullmatch(r"[-+*/() 0-9a-z]+", text)
    return eval(text, {"__builtins__": {}}, {"floor": floor, "ceil": ceil})


def test_every_leaf_is_here():
    """A new leaf is asked everything by existing: without a line in SAMPLES this fails."""
    of_graphs = {
        leaf for leaf in leaves() if issubclass(leaf, base.OfGraph)
    }  # test_graph_leaves.py
    assert set(SAMPLES) | {Uncounted} | of_graphs == set(leaves())


def test_no_leaf_leaves_a_reading_out():
    """What a class of layers does not answer, no class below it does by accident."""
    for some in SAMPLES.values():
        for layer, *_ in some:
            assert unanswered(type(layer)) == []
            assert layer.operator


@EACH
def test_output_shape(layer, shapes):
    """The shape that torch's output has; each side by the formula that explains it."""
    y = module(layer)(*inputs(shapes))
    shape = layer.output_shape(*shapes)
    assert tuple(y.shape[1:]) == shape
    sizes = layer.sizes(shapes[0])
    assert tuple(size.result for size in sizes) == (shape if len(shape) == 1 else shape[1:])
    for size in sizes:
        assert evaluated(size.numbers) == size.result


@EACH
def test_tensors(layer, shapes):
    """Names, order and shapes of the state dict, and how many numbers that is, worked out again."""
    made = module(layer)
    state = made.state_dict() if isinstance(made, nn.Module) else {}
    shapes = layer.parameters() | layer.buffers()
    assert [(n, tuple(t.shape)) for n, t in state.items()] == list(shapes.items())
    step = base.parameters(layer)
    learned = sum(p.numel() for p in made.parameters()) if state else 0
    assert evaluated(step.numbers) == step.result == learned


@EACH
def test_macs(layer, shapes):
    """Half of what torch's flop counter sees, for one input, and the arithmetic gives it."""
    with FlopCounterMode(display=False) as counter:
        module(layer)(*inputs(shapes))
    y = layer.output_shape(*shapes)
    step = base.macs(layer, shapes, y)
    assert evaluated(step.numbers) == step.result == layer.macs(shapes, y)
    assert layer.macs(shapes, y) * 2 * BATCH == counter.get_total_flops()


@EACH
@pytest.mark.parametrize("wanted", [True, False], ids=["learned", "input"])
def test_gradients(layer, shapes, wanted):
    """MACs of a real backward pass, with and without a gradient of what goes in.

    Torch's counter forgets the groups of a convolution in its weights' gradient.
    """
    made = module(layer)
    x = inputs(shapes, requires_grad=wanted)
    y = made(*x)
    if not y.requires_grad:
        assert not layer.tensors()
        return
    with FlopCounterMode(display=False) as counter:
        y.sum().backward()
    of_inputs, of_tensors = layer.gradients(
        shapes, layer.output_shape(*shapes), [wanted] * len(shapes)
    )
    of_tensors *= getattr(layer, "groups", 1) if layer.counted else 1
    assert (of_inputs + of_tensors) * 2 * BATCH == counter.get_total_flops()


CURVES = {
    "silu": 2,
    "_prelu_kernel": 2,
    "gelu": 5,
    "leaky_relu": 2,
    "elu": 3,
    "mish": 4,
    "hardswish": 4,
}
"""Operations an element: GELU's error function, its argument, a sum and two products, and so on."""


class Elementary(TorchDispatchMode):
    """Counts elementary operations beside MACs as torch runs them: so many an output or input."""

    def __init__(self):
        super().__init__()
        self.counted = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        y = function(*args, **(kwargs or {}))
        if (y[0] if isinstance(y, tuple) else y).shape[0] % BATCH:
            return y  # made of weights alone, once for all inputs
        name = function.__name__.split(".")[0]
        out = (y[0] if isinstance(y, tuple) else y).numel()
        if name in ("add", "mul", "div", "rsub", "sigmoid", "relu"):
            self.counted += out
        elif name in CURVES:
            self.counted += CURVES[name] * out
        elif name in ("convolution", "addmm"):
            self.counted += out if name == "addmm" or args[2] is not None else 0
        elif (
            name in ("native_batch_norm", "cudnn_batch_norm", "native_batch_norm_legit")
            or name == "_native_batch_norm_legit"
        ):
            self.counted += 2 * out
        elif name in ("native_group_norm", "native_layer_norm", "_softmax"):
            self.counted += 4 * out
        elif name == "addcmul":
            self.counted += 2 * out
        elif name == "linalg_vector_norm":
            self.counted += 2 * args[0].numel() + out
        elif name == "max_pool2d_with_indices":
            self.counted += (prod(args[1]) - 1) * out
        elif name == "avg_pool2d" and args[1] != args[2]:  # windows overlap
            self.counted += prod(args[1]) * out
        elif name in ("avg_pool2d", "mean", "sum", "_adaptive_avg_pool2d"):
            self.counted += args[0].numel()
        return y


@EACH
def test_operations(layer, shapes):
    """What torch runs element by element, counted operator by operator."""
    made = module(layer)
    if isinstance(made, nn.Module):
        made.eval()
    with torch.no_grad(), Elementary() as counter:
        made(*inputs(shapes))
    assert layer.operations(shapes, layer.output_shape(*shapes)) * BATCH == counter.counted
    assert bool(layer.beside) >= bool(counter.counted)


def bytes_of(kept):
    return total(PRECISIONS["fp32"].pieces(kept)).of(BATCH)


@EACH
def test_saved_bytes(layer, shapes):
    """Storages that autograd's hooks see in train mode, weights and buffers left out."""
    made = module(layer)
    holder = made if isinstance(made, nn.Module) else nn.Module()
    x = inputs(shapes, requires_grad=True)
    own = {t.untyped_storage()._cdata for t in (*holder.parameters(), *holder.buffers())}
    storages, alive = {}, []

    def pack(tensor):
        key = tensor.untyped_storage()._cdata
        if key not in own:
            storages[key] = tensor.untyped_storage().nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = made(*x)
    saves = layer.saves(shapes, layer.output_shape(*shapes))
    expected = sum(x[at].numel() * 4 for at in saves.inputs)
    expected += y.numel() * 4 if saves.output else 0
    assert expected + bytes_of(saves.beside) == sum(storages.values())


@EACH
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_storage(layer, shapes, training):
    """Whether the output is the input's own storage; with a ReLU in place too."""
    made = module(layer)
    for inplace in (False, True):
        x = inputs(shapes)
        if isinstance(made, nn.Module):
            allocation.set_inplace(made.train(training), inplace)
        with torch.no_grad():
            y = made(*x)
        same = y.untyped_storage()._cdata == x[0].untyped_storage()._cdata
        assert layer.shares(training, inplace) == same


@EACH
def test_bytes_alive(layer, shapes):
    """The most that tensors hold while it runs at inference: its output, and what it frees again."""
    made, x = module(layer), inputs(shapes)
    holder = made if isinstance(made, nn.Module) else nn.Module()
    holder.eval()
    live = allocation.Live(*x, *holder.state_dict().values())
    with torch.no_grad(), live:
        y = made(*x)
    output = 0 if layer.shares(training=False, inplace=False) else y.numel() * 4
    held = layer.held(shapes, layer.output_shape(*shapes))
    assert live.peak == output + bytes_of(held)


@EACH
def test_bytes_alive_backward(layer, shapes):
    """The most that it takes backward: gradients that are not the output's own, and what it frees again."""
    made = module(layer)
    holder = made if isinstance(made, nn.Module) else nn.Module()
    x = inputs(shapes, requires_grad=True)
    y = made(*x)
    dy = torch.ones_like(y)
    asked = [*x, *holder.parameters()]
    live = allocation.Live(*x, y, dy, *holder.state_dict().values())
    with live:
        gradients = torch.autograd.grad(y, asked, dy)
    weights = sum(t.numel() * 4 for t in gradients[len(x) :])
    own = 0
    for at, gradient in enumerate(gradients[: len(x)]):
        handed = gradient.untyped_storage()._cdata == dy.untyped_storage()._cdata
        assert layer.hands_on(at) == handed
        own += 0 if handed else gradient.numel() * 4
    held = bytes_of(layer.held_backward(shapes, layer.output_shape(*shapes)))
    gone = y.numel() * 4 if isinstance(layer, GlobalResponseNorm) else 0  # what it saved beside x
    # weights' gradients may come when what is held has gone again
    assert own + held <= live.peak - gone <= own + held + weights


@EACH
def test_reach(layer, shapes):
    """Which pixels move a neuron, in two corners and the middle, along the height and the width."""
    if len(shapes[0]) != 3 or min(shapes[0][1:]) == 1:
        sides = range(1, len(shapes[0]))
        seen = layer.reach(
            [Seen.of_input(shape, sides) for shape in shapes], shapes, layer.output_shape(*shapes)
        )
        assert all((way.grid.windows, way.grid.inside) == (((0, 0),), (0, 0)) for way in seen.ways)
        return
    made = module(layer, torch.float64)
    if isinstance(made, nn.Module):
        made.eval()
    x = [torch.zeros(1, *shape, dtype=torch.float64) for shape in shapes]
    if isinstance(layer, LayerNorm | GlobalResponseNorm):  # which do nothing to zeros
        x[0].uniform_(generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        still = made(*x)
    for side in (0, 1):
        pixels = shapes[0][1 + side]
        to = layer.order.index(1 + side) if isinstance(layer, ChannelsLast) else 1 + side
        neurons = still.shape[1 + to] if still.dim() == 4 else 1
        own, *others = (Seen.of_input(shape, (1, 2)) for shape in shapes)
        seen = layer.reach([own, *others], shapes, layer.output_shape(*shapes))
        reach = seen.along(1 + side)
        moved = []
        for pixel in range(pixels):
            other = [t.clone() for t in x]
            # one line of pixels that stand out; a gate is 1, so that what it gates can be seen
            other[0].select(2 + side, pixel).fill_(1.0)
            gate = [torch.ones_like(t) if t.shape[2:] == (1, 1) else t for t in other[1:]]
            with torch.no_grad():
                change = made(other[0], *gate) != made(x[0], *gate)
            moved.append(
                change[0].movedim(to, 0).flatten(1).any(1)
                if still.dim() == 4
                else change.any().view(1)
            )
        moved = torch.stack(moved)  # (pixel, neuron)
        for neuron in {0, neurons // 2, neurons - 1}:
            first, last = reach.seen(neuron)
            seen = moved[:, neuron].nonzero().flatten().tolist()
            if layer.sees_all:
                assert seen == list(range(pixels))
            else:
                assert seen == list(range(first, last + 1, layer.dilation)), (side, neuron)


@EACH
def test_words(layer, shapes):
    """What tables and figures write is one line of text."""
    y = layer.output_shape(*shapes)
    for text in (layer.notation(shapes[0], y), layer.figure(shapes[0], y), layer.operator):
        assert "\n" not in text


def test_arithmetic_takes_arrays():
    """A thousand bottlenecks at once in int64: each with the MACs and parameters of its own tree."""
    numpy = pytest.importorskip("numpy")
    draw = numpy.random.default_rng(0)
    widths, groups = draw.integers(1, 9, (2, 1000)) * 32
    spec = SimpleNamespace(
        base_width=64,
        groups=groups,
        style="v1",
        conv_bias=False,
        end_bias=False,
        norm="batch",
        activation="ReLU",
        antialias="none",
        reduce_first=1,
    )
    channels, size = 4 * widths, (14, 14)

    def cost(block, channels):
        macs = params = 0
        x = (channels, *size)
        for layer in block:
            y = layer.output_shape(x)
            macs = macs + layer.macs((x,), y)
            params = params + sum(map(value, layer.tensors().values()))
            x = y
        return macs, params

    macs, params = cost(bottleneck(spec, channels, widths, 1), channels)
    assert macs.dtype == params.dtype == numpy.int64
    for at in (0, 17, 999):
        one = replace(zoo.find("resnet50"), width=int(widths[at]), groups=int(groups[at]))
        own = cost(bottleneck(one, 4 * one.width, one.width, 1), 4 * one.width)
        assert (macs[at], params[at]) == own
