"""Operators that look through windows, and those that resize: a size for each spatial dimension."""

from __future__ import annotations

import struct
from math import floor, prod

from resnet_cli.graphs.graph import Dim, Dims
from resnet_cli.graphs.onnx.rules.call import Call, Shapes, Table, Unknown, axes_of, plus, times


def window(call: Call, sizes: Dims, kernel: tuple[Dim, ...]) -> Dims:
    """Sizes behind a window of convolution or pooling."""
    rank = len(sizes)
    strides = call.numbers("strides") or (1,) * rank
    dilations = call.numbers("dilations") or (1,) * rank
    pads = call.numbers("pads") or (0,) * (2 * rank)
    pad = call.text("auto_pad", "NOTSET") or "NOTSET"
    rounds_up = bool(call.number("ceil_mode", 0))
    if not len(kernel) == len(strides) == len(dilations) == rank or len(pads) != 2 * rank:
        call.unfit("its window has other dimensions than its input")
    if min(strides, default=1) < 1 or min(dilations, default=1) < 1:
        call.unfit("a stride or dilation is under 1")
    result: list[Dim] = []
    for at, size in enumerate(sizes):
        k, stride = kernel[at], strides[at]
        if not isinstance(size, int) or not isinstance(k, int):
            result.append(None)
            continue
        reach = dilations[at] * (k - 1) + 1
        if pad.startswith("SAME"):
            result.append(-(-size // stride))
            continue
        before, after = (0, 0) if pad == "VALID" else (pads[at], pads[at + rank])
        room = size + before + after - reach
        if room < 0:
            raise Unknown(f"a window of {reach} on a side of {size} leaves nothing")
        out = (-(-room // stride) if rounds_up else room // stride) + 1
        if rounds_up and (out - 1) * stride >= size + before:
            out -= 1  # a window that would begin in the padding behind is left out
        result.append(out)
    return tuple(result)


def _conv(call: Call, x: Dims, w: Dims) -> Shapes:
    kernel = call.numbers("kernel_shape") or w[2:]
    if len(x) < 3 or len(w) != len(x):
        call.unfit("its input and weight have other dimensions")
    return [(x[0], w[0], *window(call, x[2:], kernel))]


def conv(call: Call) -> Shapes:
    return _conv(call, call.shape(0), call.shape(1))


def quantized_conv(call: Call) -> Shapes:
    return _conv(call, call.shape(0), call.shape(3))


def conv_transpose(call: Call) -> Shapes:
    x, w = call.shape(0), call.shape(1)
    rank = len(x) - 2
    kernel = call.numbers("kernel_shape") or w[2:]
    strides = call.numbers("strides") or (1,) * rank
    dilations = call.numbers("dilations") or (1,) * rank
    extra = call.numbers("output_padding") or (0,) * rank
    pads = call.numbers("pads") or (0,) * (2 * rank)
    pad = call.text("auto_pad", "NOTSET")
    wanted = call.numbers("output_shape")
    channels = times(w[1], call.number("group", 1))
    if wanted:
        return [(x[0], channels, *wanted[-rank:])]
    result: list[Dim] = []
    for at, size in enumerate(x[2:]):
        k = kernel[at]
        if not isinstance(size, int) or not isinstance(k, int):
            result.append(None)
        elif pad.startswith("SAME"):
            result.append(size * strides[at])
        else:
            cut = 0 if pad == "VALID" else pads[at] + pads[at + rank]
            reach = dilations[at] * (k - 1) + 1
            result.append(strides[at] * (size - 1) + extra[at] + reach - cut)
    return [(x[0], channels, *result)]


def pool(call: Call) -> Shapes:
    """Also the places of the largest, which MaxPool gives out second."""
    x = call.shape()
    kernel = call.numbers("kernel_shape")
    if kernel is None or len(x) < 3:
        call.unfit("it has no kernel_shape")
    y = (*x[:2], *window(call, x[2:], kernel))
    return [y, y]


def global_pool(call: Call) -> Shapes:
    x = call.shape()
    return [(*x[:2], *(1,) * (len(x) - 2))]


def unpool(call: Call) -> Shapes:
    if call.has(2):
        return [call.whole(2)]
    x = call.shape()
    rank = len(x) - 2
    kernel = call.numbers("kernel_shape")
    strides = call.numbers("strides") or (1,) * rank
    pads = call.numbers("pads") or (0,) * (2 * rank)
    if kernel is None:
        call.unfit("it has no kernel_shape")
    sizes = tuple(
        (n - 1) * strides[at] + kernel[at] - pads[at] - pads[at + rank]
        if isinstance(n, int)
        else None
        for at, n in enumerate(x[2:])
    )
    return [(*x[:2], *sizes)]


def roi_pool(call: Call) -> Shapes:
    sizes = call.numbers("pooled_shape")
    if sizes is None:
        call.unfit("it has no pooled_shape")
    return [(call.shape(1)[0], call.shape()[1], *sizes)]


def roi_align(call: Call) -> Shapes:
    sizes = (call.number("output_height", 1), call.number("output_width", 1))
    return [(call.shape(1)[0], call.shape()[1], *sizes)]


def _float32(number: float) -> float:
    """A number as rounded by those who compute sizes in single precision, as ONNX and its runtime do."""
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def scaled(size: Dim, scale: float) -> Dim:
    """⌊n · scale⌋."""
    if scale == 1:
        return size
    return floor(_float32(size * scale)) if isinstance(size, int) else None


def upsample(call: Call) -> Shapes:
    x = call.shape()
    if call.has(1):
        scales: tuple[float, ...] = call.reals(1)
    else:
        value = call.node.attributes.get("scales")
        scales = tuple(n for n in value if isinstance(n, float)) if isinstance(value, tuple) else ()
    if len(scales) != len(x):
        call.unfit("it has not a scale for each dimension")
    return [tuple(map(scaled, x, scales))]


def resize(call: Call) -> Shapes:
    if call.opset < 11:
        return upsample(call)
    x = call.shape()
    axes = call.numbers("axes")
    places = axes_of(axes, len(x)) if axes is not None else list(range(len(x)))
    result = list(x)
    if call.has(3) and call.shape(3) != (0,):
        sizes = call.elements(3)
        if len(sizes) != len(places):
            call.unfit("it has not a size for each axis")
        for at, size in zip(places, _sizes(call, x, places), strict=True):
            result[at] = size
        return [tuple(result)]
    scales = call.reals(2)
    if len(scales) != len(places):
        call.unfit("it has not a scale for each axis")
    crops = call.text("coordinate_transformation_mode", "") == "tf_crop_and_resize"
    region = call.reals(1) if crops else ()
    for at, place in enumerate(places):
        part = region[at + len(places)] - region[at] if crops else 1.0
        result[place] = scaled(x[place], scales[at] * part)
    return [tuple(result)]


def _sizes(call: Call, x: Dims, places: list[int]) -> list[Dim]:
    """The sizes asked for, or those that keep the ratio of the sides."""
    policy = call.text("keep_aspect_ratio_policy", "stretch")
    sizes = [size if isinstance(size, int | str) else None for size in call.elements(3)]
    if policy == "stretch":
        return list(sizes)
    choose = min if policy == "not_larger" else max
    old = [size for size in (x[at] for at in places) if isinstance(size, int)]
    new = [size for size in sizes if isinstance(size, int)]
    if len(old) != len(places) or len(new) != len(places):
        return [None] * len(places)
    scale = choose(size / before for size, before in zip(new, old, strict=True))
    return [floor(size * scale + 0.5) for size in old]


def depth_to_space(call: Call) -> Shapes:
    n, c, *sides = call.shape()
    block = call.number("blocksize", 1)
    channels = c // block ** len(sides) if isinstance(c, int) and block > 0 else None
    return [(n, channels, *(times(side, block) for side in sides))]


def space_to_depth(call: Call) -> Shapes:
    n, c, *sides = call.shape()
    block = call.number("blocksize", 1)
    return [
        (
            n,
            times(c, block ** len(sides)),
            *(side // block if isinstance(side, int) else None for side in sides),
        )
    ]


def col2im(call: Call) -> Shapes:
    n, columns, _ = call.shape()
    image, block = call.whole(1), call.whole(2)
    channels = columns // prod(block) if isinstance(columns, int) else None
    return [(n, channels, *image)]


def affine_grid(call: Call) -> Shapes:
    size = call.whole(1)
    return [(size[0], *size[2:], len(size) - 2)]


def grid_sample(call: Call) -> Shapes:
    x, grid = call.shape(0), call.shape(1)
    return [(*x[:2], *grid[1:-1])]


def center_crop_pad(call: Call) -> Shapes:
    x, sizes = list(call.shape()), call.whole(1)
    axes = call.numbers("axes")
    for at, size in zip(
        axes_of(axes, len(x)) if axes is not None else range(len(x)), sizes, strict=True
    ):
        x[at] = size
    return [tuple(x)]


def pad(call: Call) -> Shapes:
    x = list(call.shape())
    pads = call.listed("pads", 1) or call.numbers("paddings")
    if pads is None:
        call.unfit("it has no pads")
    axes = axes_of(call.whole(3), len(x)) if call.has(3) else list(range(len(x)))
    if len(pads) != 2 * len(axes):
        call.unfit("it has not two pads for each axis")
    for at, axis in enumerate(axes):
        x[axis] = plus(x[axis], pads[at] + pads[at + len(axes)])
    return [tuple(x)]


def _frames(call: Call) -> tuple[Dim, int, bool]:
    """Of an STFT: how many frames, how long each, whether one half of the spectrum is kept."""
    length = call.shape()[1]
    step = call.one(1)
    size = call.one(3) if call.has(3) else call.shape(2)[0]
    if not isinstance(size, int) or step < 1:
        raise Unknown("the length of its frames is not known")
    frames = (length - size) // step + 1 if isinstance(length, int) else None
    return frames, size, bool(call.number("onesided", 1))


def stft(call: Call) -> Shapes:
    frames, size, half = _frames(call)
    return [(call.shape()[0], frames, size // 2 + 1 if half else size, 2)]


def dft(call: Call) -> Shapes:
    x = list(call.shape())
    axis = call.number("axis", 1) if call.opset < 20 else call.one(2) if call.has(2) else -2
    (axis,) = axes_of((axis,), len(x))
    length: Dim = call.one(1) if call.has(1) else x[axis]
    half, inverse = call.number("onesided", 0), call.number("inverse", 0)
    x[axis], x[-1] = length, 2
    if half and inverse:
        x[-1] = 1
        x[axis] = length if call.has(1) else 2 * (length - 1) if isinstance(length, int) else None
    elif half:
        x[axis] = length // 2 + 1 if isinstance(length, int) else None
    return [tuple(x)]


def mel(call: Call) -> Shapes:
    return [(floor(call.one(1) / 2) + 1, call.one(0))]


def window_of_size(call: Call) -> Shapes:
    return [(call.one(0),)]


RULES: Table = {
    "Conv": conv, "ConvInteger": conv, "DeformConv": conv, "QLinearConv": quantized_conv,
    "ConvTranspose": conv_transpose, "MaxPool": pool, "AveragePool": pool, "LpPool": pool,
    "GlobalAveragePool": global_pool, "GlobalMaxPool": global_pool, "GlobalLpPool": global_pool,
    "MaxUnpool": unpool, "MaxRoiPool": roi_pool, "RoiAlign": roi_align, "Upsample": upsample,
    "Resize": resize, "DepthToSpace": depth_to_space, "SpaceToDepth": space_to_depth,
    "Col2Im": col2im, "AffineGrid": affine_grid, "GridSample": grid_sample,
    "CenterCropPad": center_crop_pad, "Pad": pad, "STFT": stft, "DFT": dft, "MelWeightMatrix": mel,
    "HannWindow": window_of_size, "HammingWindow": window_of_size, "BlackmanWindow": window_of_size,
    "com.microsoft.QLinearAveragePool": pool,
    "com.microsoft.QLinearGlobalAveragePool": global_pool,
}  # fmt: skip
