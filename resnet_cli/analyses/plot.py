"""What is known of networks as charts: cost, memory, receptive field, gradient and paths."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby
from math import isfinite

from resnet_cli.analyses import gradient as measuring
from resnet_cli.analyses import levels
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.cost.counts import is_counted, multiplied
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


SERIES = 8
"""More are not told apart by colour, dash and pattern."""


def cost_axis(of: str, asked: str, log: bool = False) -> Axis:
    """Of MACs of what is asked about, such as one input of 3×224×224, or of parameters."""
    if of == "macs":
        return Axis(f"multiply-accumulates (MACs, the papers' FLOPs) of {asked}", "MACs", log=log)
    return Axis("learnable parameters", "params", log=log)


def comparable(networks: Sequence[Network]) -> bool:
    """Whether all take inputs of the same shapes, a graph's for a batch of one those of a spec."""
    taken = [[(1, *n.input)] if n.spec else [each.shape for each in n.inputs] for n in networks]
    return all(shapes == taken[0] for shapes in taken)


def cost(networks: Sequence[Network], of: str) -> Chart:
    """A bar a network, of its stages' MACs (or parameters) end to end; of modules where it has no stages.

    Stages of the same number are one series. Raises `UserError` for MACs of inputs that differ.
    """
    names, first = distinct(networks), networks[0]
    if of == "macs" and not comparable(networks):
        other = next(each for each in networks if not comparable([first, each]))
        raise UserError(
            f"{names[0]} takes an input of {first.size} and {other.name} one of {other.size}: their MACs don't compare",
            "give networks of one input size, or --x params",
        )
    papers = all(network.spec for network in networks)
    labels: dict[str, str] = {}
    bars: dict[str, dict[int, int]] = {}
    for at, network in enumerate(networks):
        each = counts.macs_of(network.rows) if of == "macs" else counts.parameters_of(network.rows)
        named = places(network, numbered=not papers and len(networks) > 1)
        for place, number in zip(named, each, strict=True):
            stage = place.removesuffix("_x")  # VGG's conv1_x stands where a ResNet has conv1
            labels.setdefault(stage, place)
            costs = bars.setdefault(stage, {})
            costs[at] = costs.get(at, 0) + number
    heads = {row.stage for network in networks for row in network.rows if row.part == "head"}
    order = sorted(bars, key=lambda stage: stage in heads)
    if papers or len(networks) > 1:
        order.sort(key=lambda stage: (stage in heads, stage != "stem", stage))
    series = [
        Series(
            labels.get(stage, stage),
            [Point(each, at, names[at]) for at, each in costs.items()],
            "bar",
        )
        for stage, costs in _few({stage: bars[stage] for stage in order}).items()
    ]
    stages = all(any(row.stage for row in network.rows) for network in networks)
    title = f"{'Cost' if of == 'macs' else 'Parameters'} by {'stage' if stages else 'module'}"
    asked = next((network for network in networks if network.spec), first).asked
    note = (
        MACS
        if papers
        else f"MACs: of {multiplied([row for n in networks for row in n.rows])} layers"
    )
    return Chart(
        "cost", title, cost_axis(of, asked), Axis("network", categories=names), series,
        [note if of == "macs" else PARAMS],
    )  # fmt: skip


def places(network: Network, numbered: bool = False) -> list[str]:
    """The stage of each row; the outermost modules where nothing is a stage.

    Or the stage's number, where networks stand side by side whose names have nothing in common.
    """
    rows = network.rows
    if not any(row.stage for row in rows):
        by = levels.level(rows, 1)
        return [by.name(row) for row in rows]
    if not numbered:
        return [row.stage for row in rows]
    body = [*dict.fromkeys(row.stage for row in rows if row.part == "body")]
    return [
        f"stage {body.index(row.stage) + 1}" if row.part == "body" else row.part for row in rows
    ]


def _few(bars: dict[str, dict[int, int]]) -> dict[str, dict[int, int]]:
    """The bars' parts, the smallest of too many together."""
    if len(bars) <= SERIES:
        return bars
    by_cost = sorted(bars, key=lambda part: sum(bars[part].values()), reverse=True)
    others: dict[int, int] = {}
    for part in by_cost[SERIES - 1 :]:
        for at, cost in bars[part].items():
            others[at] = others.get(at, 0) + cost
    kept = {part: costs for part, costs in bars.items() if part in by_cost[: SERIES - 1]}
    return kept | {f"{len(bars) - SERIES + 1} others": others}


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
    for name, line in zip(distinct(networks), lines, strict=True):
        if not line.points:
            raise UserError(
                f"what a neuron of {name} sees is not known at any convolution",
                "leave it out; by modules: resnet-cli receptive-field",
            )
    heights = sorted({_height(network) for network in networks})
    maps = all(len(image(network.rows)[2]) > 1 for network in networks)
    unit = "pixels" if maps else "places"
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
        Axis(f"receptive field, {unit} across", unit, "exact"),
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
    asked = f"{several(batch, 'input')} of {network.size}" if network.spec else network.asked
    alive = [each.of(batch) + needs.input * batch for each in needs.live]
    saved = [each.of(batch) for each in accumulate(needs.saved.rows, add)]
    backward = [each.of(batch) for each in needs.training.moments[: len(rows)]]
    lines = {
        "training, backward pass": backward,
        "training, saved in the forward pass": saved,
        "inference": alive,
    }
    bands: list[Band] = []
    for stage, group in groupby(places(network)):
        start = bands[-1].end if bands else 0.5
        bands.append(Band(stage, start, start + len(list(group))))
    return Chart(
        "memory",
        f"Live tensors along {network.name}",
        Axis("layer, in the order of execution", kind="exact"),
        Axis(f"memory of {asked}, fp32", "bytes", "bytes"),
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
