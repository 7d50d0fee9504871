"""Additions, gates, blocks and stages in graphs that others made, each kind by a small module."""

import pytest
import torch
from others import made
from test_graph_rows import rows_of
from torch import nn
from torch.nn import functional as F

from resnet_cli import network
from resnet_cli.analyses import notation
from resnet_cli.answers.summary import summary
from resnet_cli.graphs.rows import rows as of_rows
from resnet_cli.graphs.structure import structure, structured
from resnet_cli.pytorch import doors


def conv(channels=4, kernel=3):
    return nn.Conv2d(4, channels, kernel, padding=kernel // 2)


class Made(nn.Module):
    """Four convolutions of four channels, and a function of them and the input."""

    def __init__(self, function):
        super().__init__()
        self.a, self.b, self.c, self.d = conv(), conv(), conv(), conv()
        self.function = function

    def forward(self, x):
        return self.function(self, x)


def gated(m, x):
    gate = m.b(F.adaptive_avg_pool2d(m.a(x), 1).relu())
    return x + m.a(x) * gate.sigmoid().expand_as(x)


def written_swish(m, x):
    y = m.a(x)
    return y * y.sigmoid()


def of_parts(m, x):
    y = F.relu(torch.cat((m.a(x), m.b(x)), 1))
    first, second = y.chunk(2, 1)
    return m.d(F.relu(m.c(first)) + second)


def u_net(m, x):
    y = F.relu(m.a(x))
    return y + F.interpolate(F.relu(m.b(F.max_pool2d(y, 2))), scale_factor=2)


def chained(m, x):
    return m.a(x).relu() + m.b(x) + x


KINDS = {  # a function of the module and its input: the kinds of its additions, how many gates
    "identity": (lambda m, x: x + m.b(m.a(x).relu()), ["residual"], 0),
    "scaled, dropped": (lambda m, x: F.dropout(0.1 * m.b(m.a(x).relu())) + x, ["residual"], 0),
    "projection": (lambda m, x: m.b(m.a(x).relu()) + m.c(x), ["residual"], 0),
    "without weights": (
        lambda m, x: m.b(m.a(x).relu()) + F.avg_pool2d(x, 3, 1, 1),
        ["residual"],
        0,
    ),
    "of two kinds": (lambda m, x: m.a(x).relu() + m.b(x).relu(), ["fusion"], 0),
    "parallel": (lambda m, x: m.a(x) + m.b(x), ["parallel"], 0),
    "a channel each": (lambda m, x: x + m.a(x.mean((2, 3), keepdim=True)), ["broadcast"], 0),
    "one sum": (chained, ["residual"], 0),
    "gate": (gated, ["residual"], 1),
    "an activation": (written_swish, [], 0),
    "of parts": (of_parts, ["of parts"], 0),
    "u-net": (u_net, ["skip"], 0),
}


@pytest.mark.parametrize("case", KINDS.values(), ids=KINDS)
def test_additions_and_gates(case, tmp_path):
    """What an addition is follows from what its addends come from, and a gate from how it ends."""
    function, kinds, gates = case
    made = structure(rows_of(Made(function), tmp_path, (4, 8, 8)))
    assert [join.kind for join in made.joins] == kinds
    assert len(made.gates) == gates


class Block(nn.Module):
    """Two residual additions in one module, as in a transformer."""

    def __init__(self, stride=1):
        super().__init__()
        self.down = nn.Conv2d(4, 4, stride, stride) if stride > 1 else nn.Identity()
        self.mix, self.mlp = conv(), nn.Sequential(conv(16, 1), nn.GELU(), nn.Conv2d(16, 4, 1))

    def forward(self, x):
        x = self.down(x)
        x = x + self.mix(x.relu())
        return x + self.mlp(x)


class Staged(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.stages = nn.ModuleList(nn.Sequential(Block(2), Block()) for _ in range(3))
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return self.fc(self.norm(x).mean((2, 3)))


def test_blocks_and_stages(tmp_path):
    """Two blocks of a module are named by what they begin with; modules are the stages' borders."""
    made = structured(rows_of(Staged(), tmp_path, (3, 16, 16)))
    blocks = dict.fromkeys(row.block.path for row in made if row.block)
    assert [*blocks][:4] == [
        "stages.0.0.mix", "stages.0.0.mlp", "stages.0.1.mix", "stages.0.1.mlp",
    ]  # fmt: skip
    assert len(blocks) == 12
    stages = dict.fromkeys((row.stage, row.part) for row in made)
    assert [*stages] == [
        ("stem", "stem"), ("stages.0", "body"), ("stages.1", "body"), ("stages.2", "body"),
        ("head", "head"),
    ]  # fmt: skip
    joins = [row for row in made if row.layer.join]
    assert [row.path for row in joins][:2] == ["stages.0.0.add", "stages.0.0.add_1"]
    assert all(row.reads[0] < row.reads[1] for row in joins)


def test_a_list_of_modules_has_its_place(tmp_path):
    """A ModuleList is never called, and is among what is around a row all the same."""
    made = rows_of(Staged(), tmp_path, (3, 16, 16))
    mix = next(row for row in made if row.path == "stages.1.0.mix")
    assert mix.inside == ("stages", "stages.1", "stages.1.0")


class Mixed(Staged):
    """Stages of a merging and unlike blocks, of classes of their own."""

    def __init__(self):
        super().__init__()
        wide = [nn.Sequential(Merging(), *(Block() for _ in range(many))) for many in (2, 1, 3)]
        self.stages = nn.ModuleList(wide)


class Merging(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 2, 2)

    def forward(self, x):
        return self.conv(self.norm(x))


def test_a_stage_is_written_by_its_modules_classes():
    """Where its layers would be too long a text; a stage of few runs keeps them."""
    table = summary(network(Mixed(), (1, 3, 16, 16)), "stage").tables[0]
    made_of = {row[0]: "; ".join(map(str, row[2].parts)) for row in table.rows}
    assert made_of["stages.0"] == "Merging; [Block] × 2"
    assert made_of["stages.1"] == "Merging; Block"
    assert made_of["stages.2"] == "Merging; [Block] × 3"
    assert made_of["stem"] == "3×3, 4"
    long = notation.shortened([str(number) for number in range(20)])
    assert long.parts[-2:] == ("4", "and 15 more")


OTHERS = {  # timm's name: identities, other shortcuts, gates, stages; by their block configurations
    "coatnet_0_rw_224": (
        5 + 2 * 9 - 4,
        4,
        5,
        4,
    ),  # an addition a convolutional block, two an attentive one
    "cspresnet50": (3 + 3 + 5 + 2, 0, 0, 4),
    "davit_tiny": (8 * 6, 0, 0, 4),  # two positions, two mixings and two mlps a block
    "dla34": (8, 4, 0, 4),
    "dpn68": (18, 4, 0, 4),  # beside a projection a slice of what is joined
    "fastvit_t8": (2 * (2 + 2 + 4 + 2), 0, 1, 4),
    "focalnet_tiny_srf": (2 * (2 + 2 + 6 + 2), 0, 0, 4),
    "ghostnet_100": (11, 5, 7, 5),
    "hgnet_tiny": (1, 0, 5, 4),
    "hiera_tiny_224": (2 * 12 - 3, 3, 0, 4),
    "levit_128": (2 * 12 + 2, 0, 0, 3),
    "mvitv2_tiny": (3 * 10 - 3, 3, 0, 4),  # its query is added to each attention, too
    "nest_tiny": (2 * (2 + 2 + 8), 0, 0, 3),
    "poolformer_s12": (2 * (2 + 2 + 6 + 2), 0, 0, 4),
    "regnety_016": (23, 4, 27, 4),
    "resnest50d": (12, 4, 16, 4),
    "sequencer2d_s": (2 * (4 + 3 + 8 + 3), 0, 0, 4),
    "tresnet_m": (18, 3, 18, 4),
    "twins_svt_small": (2 * (2 + 2 + 10 + 4) + 4, 0, 0, 4),  # and a position a stage
    "xception41": (8, 4, 0, 4),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_structure_of_others_networks(name):
    """Residual additions by their shortcuts, gates, and stages of the body."""
    net, size = made(name)
    graph = doors.ran_on(net.eval(), torch.zeros(1, *size, device="meta")).graph
    rows = of_rows(graph)
    structured_rows, met = structured(rows), structure(rows)
    residual = [join for join in met.joins if join.kind == "residual"]
    identities = sum(not any(rows[at].macs for at in join.shortcut) for join in residual)
    stages = {row.stage for row in structured_rows if row.part == "body"}
    counted = (identities, len(residual) - identities, len(met.gates), len(stages))
    assert counted == OTHERS[name]
