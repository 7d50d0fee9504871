"""A single convolution: its arithmetic step by step, and beside a 3×3 of the same channels."""

from __future__ import annotations

from typing import Any

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.explain import explain
from resnet_cli.designs import limits
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Step
from resnet_cli.layers.convolution import Conv2d
from resnet_cli.layers.tree import Sequence
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row, trace


def check(layer: Conv2d, size: tuple[int, int]) -> None:
    """Raises `UserError` for numbers of which there is no convolution, or none of a sane size."""
    limits.within("--in", layer.in_channels, limits.CHANNELS)
    limits.within("--out", layer.out_channels, limits.CHANNELS)
    for side in size:
        limits.within("--size", side, limits.PIXELS)
    limits.within("--kernel", layer.kernel, limits.PIXELS)
    limits.within("--stride", layer.stride, limits.PIXELS)
    limits.within("--padding", layer.padding, limits.PIXELS, least=0)
    limits.within("--groups", layer.groups, limits.CHANNELS)
    padded = min(size) + 2 * layer.padding
    if layer.kernel > padded:
        raise UserError(
            f"a kernel of {layer.kernel} is larger than the padded input, {min(size)} + 2·{layer.padding} "
            f"= {padded}",
            f"give a larger --size, or --padding {-(-(layer.kernel - min(size)) // 2)}",
        )
    for option, channels in (("--in", layer.in_channels), ("--out", layer.out_channels)):
        if channels % layer.groups:
            raise UserError(
                f"{layer.groups} groups do not divide {option} {channels}",
                "choose --groups that divides both --in and --out",
            )


def traced(layer: Conv2d, size: tuple[int, int]) -> Row:
    """The convolution's row for an input of (height, width)."""
    return trace(Sequence("", (layer,)), (layer.in_channels, *size))[0]


def steps(layer: Conv2d, row: Row) -> list[Step]:
    """Output, parameters, MACs, FLOPs and receptive field."""
    return [
        *explain.shape(row),
        explain.parameters(row)._replace(step="params"),
        explain.macs(row)._replace(step="MACs"),
        Step("FLOPs", "two a MAC", f"2·{row.macs:,}", 2 * row.macs),
        Step("receptive field", "k, across", f"{layer.kernel}", layer.kernel),
        Step("stride", "s: from one output to the next", f"{layer.stride}", layer.stride),
    ]


def against(layer: Conv2d, size: tuple[int, int]) -> Table:
    """The convolution and a 3×3 that differs in kernel and padding alone; ratios are to the 3×3."""
    given = layer.fields() | {"kernel": 3, "padding": 1}
    square = traced(Conv2d(layer.name, **given), size)
    columns = (
        Column("name", "kernel"),
        Column("output", "output", "shape", drop=3),
        Column("params", "params", "exact"),
        Column("ratio_params", "ratio", "times"),
        Column("macs", "MACs", "exact"),
        Column("ratio_macs", "ratio", "times"),
        Column("receptive_field", "receptive field", "exact", drop=2),
    )
    body = [_line(3, square, square), _line(layer.kernel, traced(layer, size), square)]
    return Table("comparison", "Against a 3×3", columns, body)


def _line(kernel: int, row: Row, first: Row) -> tuple[Any, ...]:
    params, macs = counts.parameters(row), row.macs
    ratios = params / counts.parameters(first), macs / first.macs
    return (f"{kernel}×{kernel}", row.output, params, ratios[0], macs, ratios[1], kernel)


def envelope(layer: Conv2d, row: Row) -> dict[str, Any]:
    """JSON's fields beside the tables."""
    fields = ("in_channels", "out_channels", "kernel", "stride", "padding", "groups", "bias")
    return {
        "command": "conv",
        "convolution": {key: getattr(layer, key) for key in fields},
        "input": list(row.input),
        "output": list(row.output),
        "rows": [],
        "total": {"params": counts.parameters(row), "macs": row.macs, "flops": 2 * row.macs},
    }
