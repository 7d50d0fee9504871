"""Bodies whose 3×3 is several side by side: Res2Net's hierarchy, SKNet's selection, ResNeSt's attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from resnet_cli.designs.blocks import EXPANSION, activation, norm
from resnet_cli.errors import UserError
from resnet_cli.layers.convolution import Conv2d
from resnet_cli.layers.elementwise import Sigmoid
from resnet_cli.layers.merging import Scale, Share
from resnet_cli.layers.parts import SoftmaxOfParts, SumOfParts
from resnet_cli.layers.pooling import AdaptiveAvgPool2d, PaddedAvgPool2d
from resnet_cli.layers.tree import Node, Parallel, Residual, Sequence

if TYPE_CHECKING:
    from resnet_cli.designs.resnet import ResNet

Body: TypeAlias = "Callable[[ResNet, int, int, int, tuple[int, int]], list[Node]]"


def hierarchy(
    spec: ResNet, channels: int, width: int, stride: int, dilations: tuple[int, int] = (1, 1)
) -> list[Node]:
    """1×1, a 3×3 for each part of the channels but the last, 1×1 (Gao et al. 2019, Fig. 2b).

    Each 3×3 also takes what the one before it put out, and the last part passes; where the block
    changes the shape they are apart, and the last part is averaged, as in the authors' code.
    """
    middle, bias = _middle(spec, width), spec.conv_bias
    wide, out = spec.splits * middle, EXPANSION[spec.block] * width
    changes = stride != 1 or channels != out
    first, pace = (stride, 1) if spec.style == "v1" else (1, stride)

    def branch(at: int) -> Sequence:
        convolution = Conv2d("0", middle, middle, 3, pace, 1, spec.groups, bias)
        return Sequence(str(at), (convolution, norm(spec, "1", middle), activation(spec, "2")))

    branches = [branch(at) for at in range(spec.splits - 1)]
    if changes:
        branches.append(Sequence(str(spec.splits - 1), (PaddedAvgPool2d("0", 3, pace, 1),)))
    return [
        Conv2d("conv1", channels, wide, 1, first, bias=bias),
        norm(spec, "bn1", wide),
        activation(spec, "relu"),
        Parallel("conv2", (*branches,), spec.splits, chain=not changes),
        Conv2d("conv3", wide, out, 1, bias=bias),
        norm(spec, "bn3", out),
    ]


def selection(
    spec: ResNet, channels: int, width: int, stride: int, dilations: tuple[int, int] = (1, 1)
) -> list[Node]:
    """1×1, selective kernels, 1×1 (Li et al. 2019, Table 1); or the first 3×3 of a basic block's, as timm has it."""
    if spec.block == "basic":
        return [
            _selective(spec, "conv1", channels, width, stride),
            _unit(spec, "conv2", width, width, 3, activated=False),
        ]
    middle = _middle(spec, width)
    first, pace = (stride, 1) if spec.style == "v1" else (1, stride)
    return [
        _unit(spec, "conv1", channels, middle, 1, first),
        _selective(spec, "conv2", middle, middle, pace),
        _unit(spec, "conv3", middle, EXPANSION[spec.block] * width, 1, activated=False),
    ]


def _selective(spec: ResNet, name: str, channels: int, width: int, stride: int) -> Residual:
    """3×3 dilated by 1, 2, …, for 3×3, 5×5, …, and a softmax that weighs them (Li et al. 2019, Fig. 1).

    The middle of its gate has max(C / r, L) channels (Eq. 4).
    """
    parts = spec.splits
    taken = channels // parts if spec.split_input else channels
    branches = (
        _unit(spec, str(at), taken, width, 3, stride, spec.groups, 1 + at) for at in range(parts)
    )
    squeezed = max(width // spec.split_reduction, spec.split_least)
    gate: tuple[Node, ...] = (
        SumOfParts("sum", parts),
        AdaptiveAvgPool2d("pool"),
        Conv2d("fc_reduce", width, squeezed, 1),
        norm(spec, "bn", squeezed),
        activation(spec, "act"),
        Conv2d("fc_select", squeezed, parts * width, 1),
        SoftmaxOfParts("softmax", parts),
    )
    return Residual(
        name,
        (Sequence("attn", gate, title="SelectiveKernelAttention"),),
        before=(Parallel("paths", (*branches,), parts if spec.split_input else 0),),
        after=(SumOfParts("sum", parts),),
        merge=Share("scale"),
        title="SelectiveKernel",
    )


def _unit(
    spec: ResNet, name: str, channels: int, width: int, kernel: int, stride: int = 1, groups: int = 1,
    dilation: int = 1, activated: bool = True,
) -> Sequence:  # fmt: skip
    """A convolution that keeps the map's size but for its stride, its norm and activation."""
    padding = dilation * (kernel // 2)
    convolution = Conv2d(
        "conv", channels, width, kernel, stride, padding, groups, spec.conv_bias, dilation
    )
    after = [activation(spec, "act")] if activated else []
    title = "ConvNormActivation" if activated else "ConvNorm"
    return Sequence(name, (convolution, norm(spec, "bn", width), *after), title=title)


def attention(
    spec: ResNet, channels: int, width: int, stride: int, dilations: tuple[int, int] = (1, 1)
) -> list[Node]:
    """1×1, split attention, 1×1 (Zhang et al. 2020, "ResNeSt", Fig. 2).

    Where it strides a mean of 3×3 does, before or behind the split attention.
    """
    middle, bias = _middle(spec, width), spec.conv_bias
    out = EXPANSION[spec.block] * width
    first, pace = (stride, 1) if spec.style == "v1" else (1, stride)
    pools = spec.split_pool != "none" and pace != 1
    pool = [PaddedAvgPool2d("avd", 3, pace, 1)] if pools else []
    ahead = spec.split_pool == "before"
    return [
        Conv2d("conv1", channels, middle, 1, first, bias=bias),
        norm(spec, "bn1", middle),
        activation(spec, "relu"),
        *(pool if ahead else []),
        _split_attention(spec, middle, 1 if pools else pace),
        *([] if ahead else pool),
        Conv2d("conv3", middle, out, 1, bias=bias),
        norm(spec, "bn3", out),
    ]


def _split_attention(spec: ResNet, width: int, stride: int) -> Residual:
    """A 3×3 of so many parts, and a softmax in groups that weighs them; of one part a sigmoid (Zhang et al. 2020, Fig. 3)."""
    parts, groups = spec.splits, spec.groups
    wide = parts * width
    squeezed = max(wide // spec.split_reduction, spec.split_least)
    together = [SumOfParts("sum", parts)] if parts > 1 else []
    weighs = SoftmaxOfParts("softmax", parts, groups) if parts > 1 else Sigmoid("gate")
    gate: tuple[Node, ...] = (
        *together,
        AdaptiveAvgPool2d("pool"),
        Conv2d("fc1", width, squeezed, 1, groups=groups, bias=True),
        norm(spec, "bn1", squeezed),
        activation(spec, "act1"),
        Conv2d("fc2", squeezed, wide, 1, groups=groups, bias=True),
        weighs,
    )
    before = (
        Conv2d("conv", width, wide, 3, stride, 1, parts * groups, spec.conv_bias),
        norm(spec, "bn0", wide),
        activation(spec, "act0"),
    )
    merge = Share("scale") if parts > 1 else Scale("scale")
    return Residual(
        "conv2", gate, before=before, after=(*together,), merge=merge, title="SplitAttention"
    )


def _middle(spec: ResNet, width: int) -> int:
    """The channels of the 3×3, of one part."""
    return width * spec.base_width // 64 * spec.groups


BODIES: dict[str, Body | None] = {
    "plain": None, "res2net": hierarchy, "sk": selection, "resnest": attention,
}  # fmt: skip
"""What stands for a block's 3×3."""
POOLS = ("none", "before", "behind")


def check(spec: ResNet) -> None:
    """Raises `UserError` for a body of several parts that cannot be."""
    if spec.body == "plain":
        return
    if spec.block == "basic" and spec.body != "sk":
        raise UserError(f"{spec.body} has no basic block", "add --block bottleneck")
    if spec.preact or spec.norm != "batch" or spec.antialias != "none" or spec.reduce_first > 1:
        raise UserError(
            f"{spec.body} has batch norm behind each convolution, no mean for a stride, no narrower 1×1",
            "leave out --preact, --norm, --antialias and --reduce-first",
        )
    if spec.output_stride < 32:
        raise UserError(f"{spec.body} is not dilated here", "leave --output-stride out")
    if spec.splits < 2 and spec.body != "resnest":
        raise UserError(f"{spec.body} has at least 2 parts", "give --splits 2 or more")
    middle = _middle(spec, spec.width) if spec.block == "bottleneck" else spec.width
    inputs = {middle, spec.stem_width} if spec.block == "basic" else {middle}
    if spec.split_input and any(each % spec.splits for each in inputs):
        raise UserError(
            f"{spec.splits} branches do not divide {max(inputs)} channels",
            "choose a width that --splits divides, or add --no-split-input",
        )
    if spec.split_input and (middle // spec.splits) % spec.groups:
        raise UserError(
            f"{spec.groups} groups do not divide {middle // spec.splits} channels",
            "add --no-split-input",
        )
    if spec.body != "resnest":
        return
    if (middle // spec.groups) % spec.splits:
        raise UserError(
            f"{spec.splits} parts do not divide the {middle // spec.groups} channels of a group",
            "choose widths that --splits divides",
        )
    gates = (
        max((spec.splits * middle << at) // spec.split_reduction, spec.split_least)
        for at in range(len(spec.stages))
    )
    if any(squeezed % spec.groups for squeezed in gates):
        raise UserError(
            f"{spec.groups} groups do not divide the channels of a gate",
            "choose another --split-reduction or --split-least",
        )
