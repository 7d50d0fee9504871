"""What numbers see of the input: the arithmetic of axes beside sets of pixels, networks beside gradients."""

import random
from copy import deepcopy
from fractions import Fraction
from itertools import product
from math import floor, prod

import others
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import library
from torch import nn
from torch.nn import functional as F

import resnet_cli
from resnet_cli.analyses.field.receptive_field import across, alike, fields, image
from resnet_cli.analyses.field.receptive_field import seen as reached
from resnet_cli.layers import moves
from resnet_cli.layers.grid import Unknown
from resnet_cli.layers.reach import Seen, joined, united
from resnet_cli.layers.windows import Resize, Window


def places(shape):
    return [*product(*map(range, shape))]


def seen_of(seen, place):
    """First and last pixel that a number sees of each side; None where it sees nothing."""
    flat = []
    for at, dim in zip(place, seen.dims, strict=True):
        values = []
        for n, weights in reversed(dim):
            at, digit = divmod(at, n)
            values.append((digit, weights))
        flat += values
    spans = {}
    for order, (side, grid) in enumerate(seen.ways):
        window = grid.at(sum(digit * weights[order] for digit, weights in flat))
        if window:
            first, last = max(window[0], grid.inside[0]), min(window[1], grid.inside[1])
            if first <= last:
                spans[side] = [*spans.get(side, []), first, last]
    return {side: (min(span), max(span)) for side, span in spans.items()}


class Pixels:
    """A tensor of sets of pixels, to which is done what is done to a `Seen`, each number by itself."""

    def __init__(self, shape, numbers):
        self.shape, self.numbers = tuple(shape), numbers

    @classmethod
    def of_input(cls, shape):
        return cls(shape, {at: {at} for at in places(shape)})

    def taken(self, shape, sources):
        """A tensor whose numbers see what all those see at ``sources`` of their places."""
        numbers = {}
        for at in places(shape):
            numbers[at] = set().union(*(self.numbers.get(source, ()) for source in sources(at)))
        return Pixels(shape, numbers)

    def along(self, dim, size, sources):
        shape = (*self.shape[:dim], size, *self.shape[dim + 1 :])
        return self.taken(
            shape, lambda at: [(*at[:dim], source, *at[dim + 1 :]) for source in sources(at[dim])]
        )

    def windowed(self, dim, size, k, s, p, d):
        return self.along(dim, size, lambda q: [q * s - p + d * t for t in range(k)])

    def transposed(self, dim, size, k, s, p, d):
        n = self.shape[dim]
        return self.along(
            dim, size, lambda q: [j for j in range(n) for t in range(k) if j * s - p + t * d == q]
        )

    def pooled(self, dim, size):
        n = self.shape[dim]
        return self.along(dim, size, lambda q: range(q * n // size, -(-(q + 1) * n // size)))

    def reshaped(self, shape):
        return Pixels(
            shape,
            dict(zip(places(shape), (self.numbers[at] for at in places(self.shape)), strict=True)),
        )

    def permuted(self, order):
        shape = [self.shape[at] for at in order]
        back = sorted(range(len(order)), key=lambda at: order[at])
        return self.taken(shape, lambda at: [tuple(at[place] for place in back)])

    def added(self, other):
        """Sums, one of them spread along dimensions of one number."""
        numbers = {
            at: own
            | other.numbers[tuple(min(a, n - 1) for a, n in zip(at, other.shape, strict=True))]
            for at, own in self.numbers.items()
        }
        return Pixels(self.shape, numbers)

    def joined(self, other, dim):
        n = self.shape[dim]
        shape = (*self.shape[:dim], n + other.shape[dim], *self.shape[dim + 1 :])
        moved = {(*at[:dim], at[dim] + n, *at[dim + 1 :]): own for at, own in other.numbers.items()}
        return Pixels(shape, self.numbers | moved)

    def over(self, dim):
        return self.along(dim, 1, lambda _: range(self.shape[dim]))

    def alike(self, dim):
        return self.along(dim, self.shape[dim], lambda _: range(self.shape[dim]))


def check(seen, pixels, gaps=False):
    """Every number sees from the first to the last of its pixels, of each side.

    Numbers of padding alone see nothing, of which nothing is said. With ``gaps``, windows over padding
    that leave out places between, it may be more at the border.
    """
    assert seen.shape == pixels.shape
    for at in places(pixels.shape):
        truth = {
            side: (min(p[side] for p in own), max(p[side] for p in own))
            for own in [pixels.numbers[at]]
            if own
            for side in range(len(next(iter(own))))
        }
        own = seen_of(seen, at)
        if not truth:
            continue
        if gaps:
            assert all(
                own[s][0] <= first and own[s][1] >= last for s, (first, last) in truth.items()
            )
        else:
            assert own == truth, at


@st.composite
def steps(draw):
    """Two to six steps of a network."""
    kinds = [
        "window",
        "window",
        "pool",
        "transposed",
        "resize",
        "slice",
        "pad",
        "flip",
        "windows",
        "over",
        "alike",
        "add",
        "join",
        "flat",
    ]
    return [
        (
            draw(st.sampled_from(kinds)),
            draw(st.integers(0, 1)),
            *(draw(st.integers(0, 9)) for _ in range(4)),
        )
        for _ in range(draw(st.integers(1, 5)))
    ]


def step(seen, pixels, kind, dim, a, b, c, d):
    """A step of both, or None where it does not fit."""
    if dim >= len(seen.shape):
        return None
    n = seen.shape[dim]

    def shape(size):
        return (*seen.shape[:dim], size, *seen.shape[dim + 1 :])

    if kind == "window":
        k, s = a % 4 + 1, b % 3 + 1
        p = c % (k // 2 + 1)
        size = (n + 2 * p - k) // s + 1
        if size < 1:
            return None
        return seen.windowed(dim, size, k, s, p), pixels.windowed(dim, size, k, s, p, 1)
    if kind == "pool":
        size = a % n + 1
        return seen.pooled(dim, n, size), pixels.pooled(dim, size)
    if kind == "transposed":
        k, s = a % 4 + 1, b % 3 + 1
        p = min(c % 2, k - 1)
        size = (n - 1) * s - 2 * p + k
        if size < 1 or size > 40 or k < s:
            return None
        y = shape(size)
        window = Window(
            (1,) * dim + (k,) + (1,) * (len(y) - dim - 1),
            (1,) * dim + (s,) + (1,) * (len(y) - dim - 1),
            (0,) * dim + (p,) + (0,) * (len(y) - dim - 1),
            (1,) * len(y),
        )
        return window.transposed(seen, y), pixels.transposed(dim, size, k, s, p, 1)
    if kind == "resize":
        size = a * n // 4 + 1
        y = shape(size)
        anchor = ("edge", "centre", "corners")[b % 3]
        taps = c % 2 + 1
        if taps == 1 and anchor == "corners":
            return None
        layer = Resize("x", "x", y, taps, len(y), anchor)
        return layer.reach([seen], (seen.shape,), y), pixels.along(
            dim, size, lambda q: resized(q, n, size, taps, anchor)
        )
    if kind == "slice":
        start, pace = a % n, b % 3 + 1
        size = (n - start - 1) // pace + 1
        size = max(size - c % 3, 1)
        move = moves.Part(dim, start, pace)
        y = shape(size)
        return move.seen([seen], [seen.shape], y), pixels.along(
            dim, size, lambda q: [start + pace * q]
        )
    if kind == "pad":
        before, after = a % 3, b % 3
        y = shape(n + before + after)
        padded = [0] * len(y)
        padded[dim] = before
        return moves.Padded(tuple(padded)).seen([seen], [seen.shape], y), pixels.along(
            dim, y[dim], lambda q: [q - before]
        )
    if kind == "flip":
        return moves.Flipped((dim,)).seen([seen], [seen.shape], seen.shape), pixels.along(
            dim, n, lambda q: [n - 1 - q]
        )
    if kind == "windows":
        size = a % 3 + 2
        if n % size or len(seen.shape) > 3:
            return None
        inner = (*seen.shape[:dim], n // size, size, *seen.shape[dim + 1 :])
        order = (
            [dim, *(at for at in range(len(inner)) if at != dim)] if b % 2 else [*range(len(inner))]
        )
        return seen.reshaped(inner).permuted(order), pixels.reshaped(inner).permuted(order)
    if kind == "add":  # beside a window of the same size, or what comes back from another size
        k = 2 * (a % 3) + 1
        other = seen.windowed(dim, n, k, 1, k // 2), pixels.windowed(dim, n, k, 1, k // 2, 1)
        if b % 3 == 0:
            few = c % n + 1
            layer = Resize("x", "x", seen.shape, 1, len(seen.shape), "edge")
            other = (
                layer.reach([seen.pooled(dim, n, few)], (shape(few),), seen.shape),
                pixels.pooled(dim, few).along(dim, n, lambda q: resized(q, few, n, 1, "edge")),
            )
        if b % 3 == 1:
            other = seen.over(dim), pixels.over(dim)
        return united([seen, other[0]], seen.shape), pixels.added(other[1])
    if kind == "join":
        some = seen.part(dim, a % n + 1, 0), pixels.along(dim, a % n + 1, lambda q: [q])
        order = [seen, some[0]] if b % 2 else [some[0], seen]
        sizes = [each.shape[dim] for each in order]
        both = joined(order, sizes, dim, shape(sum(sizes)))
        first, second = (pixels, some[1]) if b % 2 else (some[1], pixels)
        return both, first.joined(second, dim)
    if kind == "flat":
        flat = (prod(seen.shape),)
        return (seen.reshaped(flat), pixels.reshaped(flat)) if a % 3 == 0 else None
    if kind == "over":
        return (seen.over(dim), pixels.over(dim)) if a % 3 == 0 else None
    return seen.alike(dim), pixels.alike(dim)


def resized(q, n, size, taps, anchor):
    """Where an output of a resizing reads, as torch's documentation has it, with numbers at the border again."""
    if anchor == "corners":
        at = Fraction(q * (n - 1), size - 1) if size > 1 else Fraction(0)
    else:
        at = (
            Fraction(2 * q + 1, 2) * Fraction(n, size) - Fraction(1, 2)
            if anchor == "centre"
            else Fraction(q * n, size)
        )
    if taps == 1:
        sources = [floor(at + Fraction(1, 2))] if anchor == "centre" else [floor(at)]
    else:
        sources = [floor(at)] + ([floor(at) + 1] if at != floor(at) else [])
    return [min(max(source, 0), n - 1) for source in sources]


@settings(max_examples=150, deadline=None)
@given(shape=st.tuples(st.integers(1, 12), st.integers(1, 5)), steps=steps())
def test_any_steps_see_what_sets_of_pixels_say(shape, steps):
    """Windows, pools, resizing, slices, padding, cuts into windows, one after another: each number, each side."""
    seen, pixels = Seen.of_input(shape, range(len(shape))), Pixels.of_input(shape)
    kinds = set()
    for each in steps:
        try:
            both = step(seen, pixels, *each)
        except Unknown:
            break
        if both is None:
            continue
        seen, pixels = both
        if prod(seen.shape) > 600:
            break
        kinds.add(each[0])
        check(
            seen, pixels, "windows" in kinds and kinds & {"pad", "window", "transposed", "resize"}
        )


# networks beside their gradients


def smooth(module):
    """A module in which no unit dies and nothing is picked: means for the largest, slopes everywhere; random weights."""
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU | nn.ReLU6 | nn.Hardswish | nn.Hardsigmoid | nn.LeakyReLU):
            setattr(module, name, nn.Softplus())
        elif isinstance(child, nn.MaxPool2d):
            pads = child.padding
            mean = nn.AvgPool2d(child.kernel_size, child.stride, pads, child.ceil_mode)
            setattr(module, name, mean)
        elif isinstance(child, nn.Dropout):
            setattr(module, name, nn.Identity())
        else:
            smooth(child)
    return module


def measure(module, shape, rows_by, wanted=lambda path: True, many=3):
    """Of some neurons of the modules' outputs, what has a gradient beside what they are said to see.

    ``rows_by`` makes a network of it. Gradients that are next to nothing beside the largest are those of masks.
    """
    torch.manual_seed(0)
    module = smooth(module).double().eval()
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.05, 1.0)
        parameter.data *= torch.randint(0, 2, parameter.shape) * 2 - 1
        if parameter.dim() > 1:
            parameter.data /= parameter[0].numel() ** 0.5
    x = torch.randn(1, *shape, dtype=torch.double, requires_grad=True)
    outputs = {}
    for path, child in module.named_modules():
        child.register_forward_hook(kept(outputs, path))
    rows = rows_by(module, x.detach()).rows
    outputs.clear()
    module(x)
    _, _, sides = image(rows)
    result = {}
    for row, state in zip(rows, reached(rows), strict=True):
        y = outputs.pop(row.path, None)
        if not isinstance(state, Seen) or not isinstance(y, torch.Tensor) or not wanted(row.path):
            continue
        if tuple(y.shape[1:]) != row.output or row.role == "gate":
            continue
        counted = [any(any(w) for _, w in dim) for dim in state.dims]
        choices = [range(n) if own else [None] for n, own in zip(row.output, counted, strict=True)]
        some = [
            tuple(c[0] for c in choices),
            tuple(c[-1] for c in choices),
            tuple(c[len(c) // 2] for c in choices),
        ]
        some += [tuple(random.Random(k).choice(c) for c in choices) for k in range(many)]
        for place in dict.fromkeys(some):
            at = tuple(slice(None) if each is None else each for each in place)
            (gradient,) = torch.autograd.grad(y[0][at].sum(), x, retain_graph=True)
            seen_there = (gradient[0].abs() > gradient.abs().max() * 1e-30).nonzero()
            truth = {
                side: (int(seen_there[:, side].min()), int(seen_there[:, side].max()))
                for side in sides
                if len(seen_there)
            }
            full = tuple(each or 0 for each in place)
            result[row.path, place] = (seen_of(state, full), truth)
    assert result
    return result


def run_on_meta(module, x):
    """The network as it runs once on a copy without numbers."""
    return others.recorded(deepcopy(module).to("meta"), x.to("meta"))


def kept(outputs, path):
    def first(_module, _inputs, y):
        outputs.setdefault(path, y)

    return first


def conv(a, b, k=3, s=1, **more):
    return nn.Conv2d(a, b, k, s, k // 2, **more)


class Branches(nn.Module):
    """As Inception: unlike kernels and a pool side by side, unpadded steps, a concatenation, dense reuse."""

    def __init__(self):
        super().__init__()
        self.stem, self.a = nn.Conv2d(1, 4, 3, 2), conv(4, 2, 1)
        self.b, self.c = conv(4, 2, 5), nn.Conv2d(4, 2, (1, 7), padding=(0, 3))
        self.pool, self.d = nn.AvgPool2d(3, 1, 1), conv(4, 2, 1)
        self.e, self.f = nn.Conv2d(8, 3, 3, 2), conv(11, 4, 3, groups=1)
        self.down = nn.AvgPool2d(3, 2)
        self.dilated = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4)

    def forward(self, x):
        x = self.stem(x)
        x = torch.cat((self.a(x), self.b(x), self.c(x), self.d(self.pool(x))), 1)
        x = torch.cat((self.e(x), self.down(x)), 1)
        return self.dilated(self.f(x))


class Unet(nn.Module):
    """Down and up again: transposed convolutions, bilinear and nearest resizing, a pixel shuffle, long skips."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = (
            conv(1, 4),
            conv(4, 4, 3, 2),
            conv(4, 8, 3, 2),
            conv(8, 8, 3, 2),
        )
        self.up, self.e = nn.ConvTranspose2d(8, 4, 3, 2, 1, 1), conv(12, 4)
        self.bilinear, self.f = nn.Upsample(scale_factor=2, mode="bilinear"), conv(8, 8)
        self.shuffle, self.g = nn.PixelShuffle(2), conv(6, 2)
        self.corners = nn.Upsample(size=(31, 19), mode="bilinear", align_corners=True)
        self.nearest, self.h = nn.Upsample(scale_factor=2), conv(2, 2)

    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        c = self.c(b)
        x = self.e(torch.cat((self.up(self.d(c)), c), 1))
        x = self.f(torch.cat((self.bilinear(x), b), 1))
        x = self.g(torch.cat((self.shuffle(x), a), 1))
        return self.h(self.nearest(self.corners(x)))


class Shifted(nn.Module):
    """As Swin: channels last, patches, windows, rolled and masked ones, patches merged."""

    def __init__(self, side=16, window=4, width=6):
        super().__init__()
        self.window, self.patch = window, nn.Conv2d(1, width, 2, 2)
        self.norm, self.qkv = (
            nn.LayerNorm(width),
            nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(4)),
        )
        self.out = nn.ModuleList(nn.Linear(width, width) for _ in range(4))
        self.merge = nn.Linear(4 * width, width)
        self.head = nn.Linear(width, 3)

    def attention(self, x, at, shift):
        _, h, w, c = x.shape
        k = self.window
        mask = None
        if shift:
            x = x.roll((-shift, -shift), (1, 2))
            borders = [torch.tensor([n - k, n - shift]) for n in (h, w)]
            rows, columns = (
                torch.bucketize(torch.arange(n), border, right=True)
                for n, border in zip((h, w), borders, strict=True)
            )
            areas = (
                (3 * rows[:, None] + columns[None])
                .view(h // k, k, w // k, k)
                .transpose(1, 2)
                .reshape(-1, k * k)
            )
            mask = (areas[:, None] != areas[:, :, None]) * -200.0
        x = x.view(h // k, k, w // k, k, c).permute(0, 2, 1, 3, 4).reshape(-1, k * k, c)
        q, key, v = self.qkv[at](x).chunk(3, -1)
        scores = q @ key.transpose(1, 2)
        x = (scores if mask is None else scores + mask).softmax(-1) @ v
        x = self.out[at](x).view(h // k, w // k, k, k, c).permute(0, 2, 1, 3, 4).reshape(1, h, w, c)
        return x.roll((shift, shift), (1, 2)) if shift else x

    def forward(self, x):
        x = self.patch(x).permute(0, 2, 3, 1)
        for at in (0, 1):
            x = x + self.attention(self.norm(x), at, at * (self.window // 2))
        x = torch.cat((x[:, ::2, ::2], x[:, 1::2, ::2], x[:, ::2, 1::2], x[:, 1::2, 1::2]), -1)
        x = self.merge(x)
        for at in (2, 3):
            x = x + self.attention(self.norm(x), at, at % 2 * (self.window // 2))
        return self.head(x)


class Waves(nn.Module):
    """Sound along one side: a causal, dilated stack with skips."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(1, 4, 2)
        self.deep = nn.ModuleList(nn.Conv1d(4, 4, 2, dilation=2**k) for k in range(1, 4))
        self.last = nn.Conv1d(4, 2, 1)

    def forward(self, x):
        x = self.first(F.pad(x, (1, 0)))
        for at, layer in enumerate(self.deep, 1):
            x = x + layer(F.pad(x, (2**at, 0)))
        return self.last(x)


class Film(nn.Module):
    """Time, height and width: unlike kernels and strides."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv3d(1, 4, (3, 5, 5), (1, 2, 2), (1, 2, 2))
        self.b, self.c = (
            nn.Conv3d(4, 4, (1, 3, 3), 2, (0, 1, 1)),
            nn.Conv3d(4, 4, (3, 1, 1), padding=(1, 0, 0)),
        )
        self.pool, self.d = nn.AvgPool3d(2), nn.Conv3d(4, 2, 1)

    def forward(self, x):
        x = self.a(x)
        x = self.b(x) + self.c(self.b(x))
        return self.d(self.pool(x))


class Tokens(nn.Module):
    """Patches cut by a view, a class token in front of them, mixing along tokens at last."""

    def __init__(self):
        super().__init__()
        self.embed, self.token = nn.Linear(16, 6), nn.Parameter(torch.ones(1, 1, 6))
        self.own, self.mix, self.head = nn.Linear(6, 6), nn.Linear(13, 13), nn.Linear(6, 2)

    def forward(self, x):
        x = x.view(1, 1, 3, 4, 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(1, 12, 16)
        x = torch.cat((self.token.expand(1, -1, -1), self.embed(x)), 1)
        x = self.own(x)
        x = x + self.mix(x.transpose(1, 2)).transpose(1, 2)
        return self.head(x[:, 1:])


SMALL = {
    "branches": (Branches, (1, 37, 30)), "U-Net": (Unet, (1, 32, 24)), "shifted windows": (Shifted, (1, 32, 32)),
    "waves": (Waves, (1, 40)), "film": (Film, (1, 8, 20, 16)), "tokens": (Tokens, (1, 12, 16)),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_numbers_see_what_has_a_gradient(name):
    """Branches, windows and resizing: each side, at corners, the middle and elsewhere, module by module."""
    kind, shape = SMALL[name]
    for place, (said, truth) in measure(kind(), shape, run_on_meta).items():
        assert said == truth, place


# others' networks


SEEN = {  # a network -> of some modules what a neuron of its last row sees, and how far apart two stand
    "tv_resnet50": {"layer4": ((427, 427), 32)},  # the stride in the 3×3: Araujo et al. 2019 less 56
    "tv_inception_v3": {"Mixed_7c": ((1311, 1311), 32)},  # Araujo et al. 2019
    "densenet121": {"features": ((2071, 2071), 32)},
    "tv_deeplabv3_resnet50": {"backbone": ((427, 427), 8)},
    "hrnet_w18_small": {"final_layer": ((583, 583), 32)},
    "tv_r3d_18": {"layer4": ((109, 219, 219), (8, 16, 16))},
    "tv_swin_t": {
        "features.1": ((56, 56), 4), "features.3": ((168, 168), 8), "features.5": ((840, 840), 16),
        "features.7": ((1064, 1064), None),
    },
    "vit_tiny_patch16_224": {"patch_embed": ((16, 16), 16), "blocks.0": ((224, 224), None)},
    "pvt_v2_b0": {"stages.0": ((227, 227), None)},  # keys of the whole map from the first stage on
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEN)
def test_known_networks_see_as_much(name):
    """What is printed, worked by hand, or follows from the windows: pixels across, and whether all is seen."""
    net, size = others.made(name)
    rows = others.recorded(net, torch.empty(1, *size, device="meta")).rows
    found = {}
    for row, field in zip(rows, fields(rows), strict=True):
        if field[0].size:
            found.update(dict.fromkeys(row.inside, field))
    for path, (sizes, stride) in SEEN[name].items():
        strides = {side.stride for side in found[path]}
        assert tuple(side.size for side in found[path]) == sizes, path
        assert (alike([side.stride for side in found[path]]) or None) == stride, (path, strides)


@pytest.mark.slow
def test_a_head_sees_more_behind_resizing():
    """A dilated ResNet-50 sees 427 pixels, its head of 3×3 sixteen more, bilinear resizing eight more."""
    models = library("torchvision").models
    with torch.device("meta"):
        net = models.segmentation.fcn_resnet50(weights_backbone=None)
    rows = others.recorded(net, torch.empty(1, 3, 224, 224, device="meta")).rows
    found = [across(field) for field in fields(rows)]
    assert (found[-1].size, found[-1].stride) == (451, 1)
    assert [(each.size, each.stride) for each in found if each.size == 443][-1] == (443, 8)


def timm(name, **arguments):
    return lambda: library("timm").create_model(name, **arguments)


def torchvision(name, **arguments):
    return lambda: library("torchvision").models.get_model(name, weights=None, **arguments)


SWIN = {
    "img_size": 64,
    "window_size": 4,
    "embed_dim": 24,
    "depths": (2, 2),
    "num_heads": (2, 2),
    "patch_size": 2,
}
OTHERS = {
    "convnext_atto": (timm("convnext_atto"), (3, 96, 64)),
    "swin": (timm("swin_tiny_patch4_window7_224", **SWIN), (3, 64, 64)),
    "swin v2": (timm("swinv2_tiny_window8_256", **SWIN), (3, 64, 64)),
    "shufflenet": (torchvision("shufflenet_v2_x0_5"), (3, 96, 96)),
    "googlenet": (torchvision("googlenet", init_weights=False, aux_logits=False), (3, 96, 80)),
    "dla34": (timm("dla34"), (3, 64, 64)),
    "hrnet_w18_small": (timm("hrnet_w18_small"), (3, 64, 96)),
}
MORE = {
    "densenet121": (timm("densenet121"), (3, 64, 64)),
    "inception_v3": (timm("inception_v3"), (3, 139, 107)),
    "res2net50": (timm("res2net50_26w_4s"), (3, 64, 64)),
    "maxvit": (timm("maxvit_rmlp_pico_rw_256", img_size=128), (3, 128, 128)),
    "pvt_v2_b0": (timm("pvt_v2_b0"), (3, 64, 64)),
    "r3d_18": (torchvision("r3d_18"), (3, 8, 32, 32)),
    "fcn_resnet50": (torchvision("fcn_resnet50", weights_backbone=None), (3, 65, 65)),
    "deeplabv3_resnet50": (torchvision("deeplabv3_resnet50", weights_backbone=None), (3, 65, 65)),
    "vovnet39a": (timm("vovnet39a"), (3, 64, 64)), "cspresnet50": (timm("cspresnet50"), (3, 64, 64)),
    "nest": (timm("nest_tiny", img_size=64, patch_size=2, num_levels=3), (3, 64, 64)),
    "davit": (timm("davit_tiny"), (3, 64, 64)), "tnt": (timm("tnt_s_patch16_224", img_size=64), (3, 64, 64)),
    "mixer": (timm("mixer_s16_224", img_size=64), (3, 64, 64)),
    "sequencer": (timm("sequencer2d_s", img_size=64), (3, 64, 64)),
    "hiera": (timm("hiera_tiny_224", img_size=64), (3, 64, 64)),
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS),
        *(pytest.param(name, marks=pytest.mark.full) for name in MORE),
    ],
)
def test_others_networks_see_what_has_a_gradient(name, tmp_path):
    """A dozen of their modules from the first to the last, at corners, the middle and elsewhere."""
    kind, shape = (OTHERS | MORE)[name]
    module = kind()
    leaves = [path for path, child in module.named_modules() if not [*child.children()]]

    def exported(net, x):
        return others.exported(net, x, tmp_path / "net.pt2")

    some = {*leaves[:: max(1, len(leaves) // 14)], *leaves[-3:]}
    for place, (said, truth) in measure(module, shape, exported, some.__contains__, 1).items():
        assert said == truth, place


# what comes of it in answers


def recorded(module, *shapes, dtype=torch.float32):
    x = [torch.empty(1, *shape, device="meta", dtype=dtype) for shape in shapes]
    return others.recorded(module.to("meta"), x[0] if len(x) == 1 else tuple(x))


def test_a_text_has_one_side():
    """A token sees itself, behind three-token windows its neighbours, behind attention the whole sequence."""

    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.near = nn.Embedding(50, 8), nn.Conv1d(8, 8, 3, padding=1)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.head = nn.Linear(8, 3)

        def forward(self, ids):
            x = self.near(self.embed(ids).transpose(1, 2)).transpose(1, 2)
            return self.head(self.attention(x, x, x)[0])

    network = recorded(Text(), (12,), dtype=torch.int64)
    lines = {
        row["path"]: row for row in resnet_cli.receptive_field(network, "layer").data()["rows"]
    }
    assert [lines[path]["receptive_field"] for path in ("embed", "near", "head")] == [
        [1],
        [3],
        [14],
    ]
    assert lines["head"]["seen"] == [12] and lines["head"]["stride"] is None


def test_one_of_several_inputs_is_followed():
    """The one of the most dimensions, which a note says; what the other alone makes has no field."""

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.image, self.text = nn.Conv2d(3, 4, 3, 2), nn.Linear(5, 4)

        def forward(self, text, image):
            return self.image(image) + self.text(text)[:, :, None, None]

    answer = resnet_cli.receptive_field(recorded(Both(), (5,), (3, 9, 9)), "layer").data()
    lines = {row["path"]: row["receptive_field"] for row in answer["rows"]}
    assert lines["image"] == [3, 3] and lines["text"] is None
    assert any("of the input" in note and "not of" in note for note in answer["notes"])


def test_maps_are_found_whichever_way_they_lie():
    """Channels last: six channels of 16×16 and 8×8, not sixteen of 16×6; attention leaves paths without pixels."""
    network = recorded(Shifted(), (1, 32, 32))
    maps = resnet_cli.features(network).data()["rows"]
    shapes = [(each["channels"], *each["size"], each["stride"]) for each in maps]
    assert (shapes[0], shapes[-1]) == ((6, 16, 16, 2), (6, 8, 8, 4))
    paths = resnet_cli.paths(network).data()
    assert paths["total"]["blocks"] == 4 and len(paths["rows"]) == 5
    assert {(row["least"], row["most"]) for row in paths["rows"]} == {(None, None)}


def test_paths_through_a_graphs_blocks_add_up():
    """Two residual blocks of 3×3 behind a stem of stride 2: 3 to 11 pixels by either way."""

    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 4, 3, 2, 1)
            self.a, self.b, self.head = conv(4, 4), conv(4, 4), nn.Linear(4, 2)

        def forward(self, x):
            x = self.stem(x)
            x = x + self.a(x.relu())
            x = x + self.b(x.relu())
            return self.head(x.mean((2, 3)))

    rows = resnet_cli.paths(recorded(Plain(), (3, 32, 32))).data()["rows"]
    assert [(row["paths"], row["least"], row["most"]) for row in rows] == [
        (1, 3, 3), (2, 7, 7), (1, 11, 11),
    ]  # fmt: skip


def test_what_is_not_known_says_why():
    """Behind a gathering by unread numbers: null, and the operation in a note."""

    class Gathered(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = conv(3, 4), conv(4, 2)
            self.register_buffer("order", torch.arange(8))

        def forward(self, x):
            return self.b(self.a(x)[:, :, self.order])

    answer = resnet_cli.receptive_field(recorded(Gathered(), (3, 8, 8)), "layer").data()
    lines = {row["path"]: row["receptive_field"] for row in answer["rows"]}
    assert lines["a"] == [3, 3] and lines["b"] is None
    assert any("not known from here on" in note and "index" in note for note in answer["notes"])


def test_twenty_thousand_rows_are_linear_in_memory_and_windows():
    """No window is kept twice: each row of a deep chain has one for each side."""
    state = Seen.of_input((4, 64, 64), (1, 2))
    for _ in range(2000):
        state = united(
            [state, state.windowed(1, 64, 3, 1, 1).windowed(2, 64, 3, 1, 1)], (4, 64, 64)
        )
    assert [len(way.grid.windows) for way in state.ways] == [1, 1]
    assert [state.along(side).size for side in (1, 2)] == [4001, 4001]
