"""conv(): one convolution of one's own."""

from __future__ import annotations

from resnet_cli.analyses.explain import conv as analysis
from resnet_cli.analyses.explain import explain
from resnet_cli.answers.view import View
from resnet_cli.layers.convolution import Conv2d


def conv(
    in_channels: int,
    out_channels: int,
    kernel: int,
    size: int | tuple[int, int],
    stride: int = 1,
    padding: int | None = None,
    groups: int = 1,
    bias: bool = False,
) -> View:
    """Output shape, parameters, MACs and receptive field of a convolution, against a 3×3.

    ``size`` is the input's, or (height, width); a ``padding`` of None is ⌊(kernel − 1) / 2⌋. Raises
    `UserError` for numbers of which there is no convolution.
    """
    padding = (kernel - 1) // 2 if padding is None else padding
    layer = Conv2d("conv", in_channels, out_channels, kernel, stride, padding, groups, bias)
    image = (size, size) if isinstance(size, int) else size
    analysis.check(layer, image)
    row = analysis.traced(layer, image)
    shapes = ["×".join(map(str, shape)) for shape in (row.input, row.output)]
    title = f"{kernel}×{kernel} convolution, {' to '.join(shapes)}"
    tables = [explain.table(analysis.steps(layer, row), title=title)]
    notes = [
        "k: kernel, s: stride, p: padding on each side, n: height or width of the input, c: channels, "
        "h and w: height and width of the output",
        "MACs: multiply-accumulates for one input, the papers' FLOPs; a bias is none",
    ]
    if kernel != 3:
        tables.append(analysis.against(layer, image))
    if kernel == 1 and groups == 1:
        notes.insert(
            0,
            f"a 1×1 is one linear layer, {in_channels} to {out_channels}, at each of "
            f"{row.output[1] * row.output[2]:,} places",
        )
    return View(analysis.envelope(layer, row), tables, notes)
