"""A graph that others made becomes rows: the same as the spec's where it is the same network, honest elsewhere."""

import logging
import warnings

import onnx
import pytest
import torch
from graph_files import initialiser, model, saved
from torch import nn
from torch.nn import functional as F

from resnet_cli import models, networks
from resnet_cli.analyses.cost.counts import totals
from resnet_cli.analyses.cost.training import costs
from resnet_cli.analyses.field.receptive_field import fields
from resnet_cli.analyses.memory.memory import Settings, memory
from resnet_cli.graphs.bind import bound
from resnet_cli.graphs.onnx.shapes import inferred
from resnet_cli.graphs.read import read
from resnet_cli.graphs.rows import rows
from resnet_cli.graphs.structure import structured
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.pytorch.build import build
from resnet_cli.trace import live, state_dict

SMALL = (
    "resnet20:stages=1-1-1",
    "se-resnet50:stages=1-1-1-1",
    "resnet18:stages=1-1-1-1,shortcut=gate",
)
LARGE = (
    "resnet18", "resnet50", "resnet50-v1.5", "se-resnet50", "preact-resnet18", "resnet50-d", "vgg16",
    "vgg11_bn", "resnext50_32x4d", "resnet18:shortcut=exclusive-gate", "resnet18:shortcut_scale=0.5",
    "resnet18:shortcut=dropout", "resnet50:eca=true", "resnet50:norm=group",
)  # fmt: skip
IN_ONNX = ("resnet20:stages=1-1-1", "resnet50", "se-resnet50", "preact-resnet18", "resnet50-d")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


def graph_of(module, path, *shapes):
    """The graph of a module, exported on the meta device, saved and read."""
    x = tuple(torch.zeros(1, *shape, device="meta") for shape in shapes)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(module.to("meta").eval(), x)
        torch.export.save(program, path)
    return bound(read(str(path)))


def rows_of(module, tmp_path, *shapes):
    return rows(graph_of(module, tmp_path / "net.pt2", *shapes))


def placed(row):
    """What of a row a graph tells, too: stages and parts have other names there."""
    block = row.block.path if row.block else None
    return (*row._replace(place=None), row.inside, row.role, block)


def exported(name, folder):
    network = models.load(name)
    net = build(network.spec, device="meta")
    return network, structured(rows(graph_of(net, folder / "net.pt2", network.input)))


@pytest.mark.parametrize(
    "name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]
)
def test_pt2_gives_the_spec_s_rows(name, folder):
    """Paths, leaves, reads, shapes, nesting, roles and blocks, one by one; and every reading of them."""
    network, own = exported(name, folder)
    assert list(map(placed, own)) == list(map(placed, network.rows))
    assert totals(own) == totals(network.rows)
    assert fields(own) == fields(network.rows)
    assert costs(own) == costs(network.rows)
    assert state_dict(own) == state_dict(network.rows)
    for settings in (Settings(), Settings(checkpoint=True, inplace=True)):
        one, other = memory(own, settings), memory(network.rows, settings)
        assert one.saved.rows == other.saved.rows
        assert (one.training, one.inference) == (other.training, other.inference)


@pytest.mark.slow
def test_a_decomposed_program_gives_the_spec_s_rows(folder):
    """Also where the program was taken apart into torch's core operators."""
    network = models.load("se-resnet50")
    net = build(network.spec, device="meta").eval()
    x = (torch.zeros(1, *network.input, device="meta"),)
    torch.export.save(torch.export.export(net, x).run_decompositions(), folder / "core.pt2")
    own = structured(rows(bound(read(str(folder / "core.pt2")))))
    assert list(map(placed, own)) == list(map(placed, network.rows))


def test_a_file_is_a_network(folder):
    """load answers for it, with its inputs, its origin and the program that wrote it."""
    graph_of(Twice(), folder / "twice.pt2", (4, 8, 8))
    network = models.load(str(folder / "twice.pt2"))
    assert (network.name, network.spec, network.batch) == ("twice.pt2", None, 1)
    assert network.inputs == (networks.Input("x", (1, 4, 8, 8)),)
    assert (network.origin.kind, network.origin.version) == ("pt2", f"torch {torch.__version__}")
    assert totals(network.rows)["macs"] == 2 * 9 * 4 * 4 * 64


def to_onnx(name, path, **how):
    network = models.load(name)
    net = build(network.spec).eval()
    with torch.no_grad():
        for tensor in (*net.parameters(), *net.buffers()):  # numbers that no folding removes
            if tensor.is_floating_point() and tensor.dim() == 1:
                tensor.uniform_(0.1, 1)
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (torch.zeros(1, *network.input),), path, verbose=False, **how)
    logging.disable(logging.NOTSET)
    return network, structured(rows(inferred(bound(read(str(path))))))


def folded(rows):
    """A spec's rows without the norms that an exporter folds into the convolution before."""
    places, kept = {}, []
    for at, row in enumerate(rows):
        read = row.reads[0]
        if row.layer.operator == "batch norm" and read >= 0 and rows[read].macs:
            places[at] = places[read]
            continue
        places[at] = len(kept)
        kept.append(row._replace(reads=tuple(places.get(read, read) for read in row.reads)))
    return kept


def without_bias(row):
    """A row as before a norm gave its convolution a bias."""
    return (type(row.layer), row.macs, *placed(row)[3:])


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_ONNX)
def test_onnx_gives_the_spec_s_rows(name, folder):
    """As torch writes it, with norms; and with norms folded into convolutions, which says so in its parameters."""
    network, own = to_onnx(name, folder / "plain.onnx", dynamo=True, optimize=False)
    assert list(map(placed, own)) == list(map(placed, network.rows))
    assert (fields(own), totals(own)) == (fields(network.rows), totals(network.rows))
    network, own = to_onnx(name, folder / "folded.onnx", dynamo=True)
    spec = folded(network.rows)
    assert [(row.path, *without_bias(row)) for row in own] == [
        (row.path, *without_bias(row)) for row in spec
    ]
    assert fields(own)[-1] == fields(network.rows)[-1]


@pytest.mark.slow
def test_the_older_exporter_s_onnx(folder):
    """Folded too, modules by the names of operations: the same MACs, blocks and shapes."""
    network, own = to_onnx("resnet50", folder / "old.onnx", dynamo=False)
    spec = folded(network.rows)
    assert list(map(without_bias, own)) == list(map(without_bias, spec))


class Writes(nn.Module):
    """Adds into a part of a tensor, and goes on with the whole."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 2, 1)

    def forward(self, x):
        y = self.a(x)
        y[:, :2] += self.b(x)
        return y * 2


def test_what_is_written_into_a_part_is_not_lost(tmp_path):
    """`y[:, :2] += x` is a slice, an addition in place and later readers of y's first name."""
    made = rows_of(Writes(), tmp_path, (3, 8, 8))
    last = {row.path: row for row in made}
    seen, waiting = set(), [len(made) - 1]
    while waiting:
        at = waiting.pop()
        seen.add(made[at].path)
        waiting += [read for read in made[at].reads if read >= 0]
    assert {"a", "b"} <= seen
    assert last["mul"].output == (4, 8, 8)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        return self.f(self.f(x).relu())


def test_a_module_that_is_called_twice(tmp_path):
    """MACs each time, parameters once."""
    first, _, second = rows_of(Twice(), tmp_path, (4, 8, 8))
    assert first.path == second.path == "f"
    assert first.macs == second.macs == 9 * 4 * 4 * 64
    assert (first.shared, second.shared) == ((), ("weight", "bias"))
    assert totals([first, second])["params"] == 4 * 4 * 9 + 4


class Fixed(nn.Module):
    """A learned scale and position, a table that is read by its own index, a parameter that nobody reads."""

    def __init__(self):
        super().__init__()
        self.position = nn.Parameter(torch.zeros(1, 4, 8, 8))
        self.gamma = nn.Parameter(torch.ones(4, 1, 1))
        self.unread = nn.Parameter(torch.ones(7))
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = x + self.position
        return x + self.gamma * self.conv(x)


def test_what_nothing_of_the_input_reaches(tmp_path):
    """It is a row with its parameters, no addend and no part of a field; what no operation reads counts, too."""
    made = structured(rows_of(Fixed(), tmp_path, (4, 8, 8)))
    fixed = [row.path for row, runs in zip(made, live(made), strict=True) if not runs]
    assert fixed == ["unread", "position", "gamma"]
    assert totals(made)["params"] == 256 + 4 + 7 + 4 * 4 * 9 + 4
    assert [row.path for row in made if row.layer.join] == ["add_1"]
    assert fields(made)[-1][0].size == 3
    assert list(state_dict(made)) == ["unread", "position", "conv.weight", "conv.bias", "gamma"]


def test_an_unknown_operator_is_named(tmp_path):
    """It is a row without costs that says why; what is behind it goes on."""
    node = onnx.helper.make_node
    path = saved(
        model(
            [node("Oddity", ["x"], ["o"], domain="mine"), node("Conv", ["o", "w"], ["y"])],
            {"x": [1, 3, 8, 8]},
            {"o": [1, 3, 8, 8], "y": None},
            [initialiser("w", [[[[1.0]]] * 3] * 2)],
            opset_imports=[onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid("mine", 1)],
        ),
        tmp_path / "odd.onnx",
    )
    odd, convolution = rows(inferred(bound(read(path))))
    assert isinstance(odd.layer, Uncounted)
    assert (odd.layer.operator, odd.output) == ("mine.Oddity", (3, 8, 8))
    assert convolution.macs == 3 * 2 * 64


def test_a_linear_layer_of_onnx_is_one_row(tmp_path):
    """MatMul and the Add of its bias; a product of two that are computed holds no weight."""
    node = onnx.helper.make_node
    path = saved(
        model(
            [
                node("MatMul", ["x", "w"], ["m"]),
                node("Add", ["b", "m"], ["a"]),
                node("Transpose", ["a"], ["t"], perm=[0, 2, 1]),
                node("MatMul", ["a", "t"], ["y"]),
            ],
            {"x": [1, 10, 8]},
            {"y": None},
            [initialiser("w", [[1.0] * 6] * 8), initialiser("b", [1.0] * 6)],
        ),
        tmp_path / "linear.onnx",
    )
    linear, view, product = rows(inferred(bound(read(path))))
    assert (linear.macs, product.macs) == (10 * 8 * 6, 10 * 10 * 6)
    assert totals([linear, view, product])["params"] == 8 * 6 + 6


class Mixed(nn.Module):
    """Layers of many kinds, one after another."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 16, 4, 4)
        self.attention = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.lstm = nn.LSTM(16, 8, batch_first=True)
        self.up = nn.ConvTranspose1d(8, 4, 2, 2)
        self.norm = nn.InstanceNorm1d(4, affine=True)

    def forward(self, x):
        x = self.attention(self.embed(x).flatten(2).transpose(1, 2))
        x, _ = self.lstm(x)
        a, b = self.norm(self.up(x.transpose(1, 2))).chunk(2, 1)
        return torch.einsum("bct,bdt->bcd", a, F.hardswish(b)).mean((1, 2))


def test_layers_of_many_kinds(tmp_path):
    """MACs are half of torch's flop counter, parameters are the module's, nothing is uncounted."""
    net = Mixed().eval().to("meta")
    with torch.utils.flop_counter.FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, 3, 32, 32, device="meta"))
    made = structured(rows_of(net, tmp_path, (3, 32, 32)))
    assert not [row for row in made if isinstance(row.layer, Uncounted)]
    assert 2 * totals(made)["macs"] == counter.get_total_flops()
    assert totals(made)["params"] == sum(p.numel() for p in net.parameters())
