"""What is known of networks as charts: cost, memory, receptive field, gradient and paths."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby
from math import isfinite

from resnet_cli.analyses import gradient as measuring
from resnet_cli.analyses.cost.counts import is_counted, parameters
from resnet_cli.analyses.field.paths import lengths
from resnet_cli.analyses.field.receptive_field import across, fields, image
from resnet_cli.analyses.memory.memory import Settings
from resnet_cli.analyses.memory.memory import memory as needed
from resnet_cli.analyses.memory.storage import add
from resnet_cli.analyses.notation import several
from resnet_cli.charts import Axis, Band, Chart, Point, Series
from resnet_cli.errors import UserError
from resnet_cli.networks import Network, distinct

MACS = "MACs: of convolution and linear layers"
PARAMS = "parameters: batch norm's scale and shift among them"


def cost_axis(of: str, size: str, log: bool = False) -> Axis:
    """Of MACs of an input of that size, or of parameters."""
    if of == "macs":
        label = f"multiply-accumulates (MACs, the papers' FLOPs) of one input of {size}"
        return Axis(label, "MACs", log=log)
    return Axis("learnable parameters", "params", log=log)


def cost(networks: Sequence[Network], of: str) -> Chart:
    """A bar a network, of its stages' MACs for one input (or parameters) end to end.

    Stages of the same number are one series. Raises `UserError` for MACs of inputs that differ.
    """
    names, size = distinct(networks), networks[0].size
    for network in networks:
        if of == "macs" and network.size != size:
            raise UserError(
                f"{names[0]} takes an input of {size} and {network.name} one of {network.size}: their MACs don't compare",
                "give networks of one input size, or --x params",
            )
    labels: dict[str, str] = {}
    bars: dict[str, dict[int, int]] = {}
    heads = {row.stage for network in networks for row in network.rows if row.part == "head"}
    for at, network in enumerate(networks):
        for row in network.rows:
            stage = row.stage.removesuffix("_x")  # VGG's conv1_x stands where a ResNet has conv1
            labels.setdefault(stage, row.stage)
            costs = bars.setdefault(stage, {})
            costs[at] = costs.get(at, 0) + (row.macs if of == "macs" else parameters(row))
    series = [
        Series(labels[stage], [Point(each, at, names[at]) for at, each in costs.items()], "bar")
        for stage, costs in sorted(bars.items(), key=lambda item: (item[0] in heads, item[0]))
    ]
    title = f"{'Cost' if of == 'macs' else 'Parameters'} by stage"
    y = Axis("network", categories=names)
    return Chart("cost", title, cost_axis(of, size), y, series, [MACS if of == "macs" else PARAMS])


def receptive_field(networks: Sequence[Network]) -> Chart:
    """A line a network: what a neuron sees of the input after each layer that the papers count.

    In pixels across, up to the last convolution.
    """
    lines = []
    for name, network in zip(distinct(networks), networks, strict=True):
        seen = [
            (row.path, across(field).size)
            for row, field in zip(network.rows, fields(network.rows), strict=True)
            if is_counted(row) and row.part != "head" and across(field).size
        ]
        lines.append(
            Series(
                name,
                [Point(at, size, path) for at, (path, size) in enumerate(seen, start=1)],
                network=name,
            )
        )
    heights = sorted({_height(network) for network in networks})
    notes = [
        "of a neuron at the layer's output; at an addition the larger of both branches; the effective field is "
        "smaller (Luo et al. 2016)"
    ]
    rows = [row for network in networks for row in network.rows]
    if any(row.role == "gate" or row.layer.sees_all for row in rows):
        notes.append("along the main path: a gate or norm that pools sees all of the input")
    return Chart(
        "receptive-field",
        "Receptive field along the network",
        Axis("layer: convolutions of the main path, from the input", kind="exact"),
        Axis("receptive field, pixels across", "pixels", "exact"),
        lines,
        notes,
        levels=[(f"input: {height}", height) for height in heights],
    )


def _height(network: Network) -> int:
    """Of the input, or its length."""
    _, shape, sides = image(network.rows)
    return shape[sides[-2] if len(sides) > 1 else sides[0]]


def paths(networks: Sequence[Network]) -> Chart:
    """A line a network: how many of its 2ⁿ paths have which length (Veit et al. 2016).

    Raises `UserError` for a network without shortcuts, and for more blocks than can be counted.
    """
    lines = []
    for name, network in zip(distinct(networks), networks, strict=True):
        distribution = lengths(network.rows)
        n = len(distribution) - 1
        if not n:
            raise UserError(
                f"{name} has one path, being without residual blocks", "give residual networks"
            )
        points = [Point(length.layers, length.paths / 2**n) for length in distribution]
        lines.append(Series(f"{name}, n = {n}", points, network=name))
    return Chart(
        "paths",
        "Paths through the blocks, by length",
        Axis("length of a path, layers", "layers", "exact"),
        Axis("share of the 2ⁿ paths", kind="share"),
        lines,
        [
            "at each of n blocks a path goes through the body or past it (Veit et al. 2016); layers: convolutions "
            "and linear layers, stem and classifier included, projections not"
        ],
    )


def memory(network: Network, batch: int) -> Chart:
    """Bytes that live while each layer runs, at inference and in a training step, in fp32.

    Weights, their buffers and the optimiser's state are left out; of a training step's backward pass
    the gradients of weights are not.
    """
    rows, needs = network.rows, needed(network.rows, Settings())
    alive = [each.of(batch) + needs.input * batch for each in needs.live]
    saved = [each.of(batch) for each in accumulate(needs.saved.rows, add)]
    backward = [each.of(batch) for each in needs.training.moments[: len(rows)]]
    lines = {
        "training, backward pass": backward,
        "training, saved in the forward pass": saved,
        "inference": alive,
    }
    bands: list[Band] = []
    for stage, group in groupby(rows, key=lambda row: row.stage):
        start = bands[-1].end if bands else 0.5
        bands.append(Band(stage, start, start + len(list(group))))
    return Chart(
        "memory",
        f"Live tensors along {network.name}",
        Axis("layer, in the order of execution", kind="exact"),
        Axis(f"memory of {several(batch, 'input')} of {network.size}, fp32", "bytes", "bytes"),
        [
            Series(
                title,
                [Point(at, value, rows[at - 1].path) for at, value in enumerate(values, start=1)],
                network=network.name,
            )
            for title, values in lines.items()
        ],
        [
            "activations and their gradients, and the gradients of weights, which gather from right to left; weights, "
            "buffers and the optimiser's state stand beside it",
            "ReLU not in place; as measured in PyTorch on a CPU: no workspaces, rounding or fragmentation",
        ],
        bands,
    )


def gradient(measured: Sequence[measuring.Measured], seeds: int, batch: int) -> Chart:
    """A line a network: the gradient's norm at the input of each block, over the seeds.

    A norm of 0 has no place on a logarithmic axis and is left out. Raises `UserError` (exit 1) for a
    network whose gradient vanishes everywhere.
    """
    lines = []
    for one in measured:
        points = []
        for at, block in enumerate(one.places.values()):
            middle, low, high = measuring.spread(one.norms, at)
            if low > 0 and isfinite(high):
                points.append(Point(at + 1, middle, block, low, high))
        if not points:
            raise UserError(
                f"the gradient of {one.name} vanishes or overflows at every block",
                "give one with norms, or with fewer blocks",
                1,
            )
        lines.append(Series(one.name, points, network=one.name))
    sizes = " and ".join(dict.fromkeys(one.network.size for one in measured))
    return Chart(
        "gradient",
        "Gradient at the input of each block, as initialised",
        Axis("block, from the input", kind="exact"),
        Axis("norm of the gradient, ‖∂E/∂x‖", kind="number", log=True),
        lines,
        [
            f"median over {several(seeds, 'seed')}, in pictures shaded from the least to the largest; in train mode; "
            f"E: {measuring.loss(measured)} over {several(batch, 'random input')} of {sizes}"
        ],
    )
