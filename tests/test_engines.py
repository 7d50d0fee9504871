"""MACs counted by fvcore and torch on the built network, and those of a real backward pass."""

import json
import subprocess
import sys

import pytest
import torch
from listed import FAMILIES, ZOO, rows_of
from program import run
from torch.utils.flop_counter import FlopCounterMode

from resnet_cli.analyses.cost.flops import measured
from resnet_cli.analyses.cost.training import Passes, costs, training
from resnet_cli.analyses.levels import level
from resnet_cli.designs import zoo
from resnet_cli.layers.convolution import Conv2d
from resnet_cli.layers.elementwise import ReLU
from resnet_cli.layers.tree import Sequence
from resnet_cli.pytorch.build import build
from resnet_cli.trace import trace

VARIANTS = [
    zoo.changed(zoo.find("resnet18"), shortcut="C"),
    zoo.changed(zoo.find("resnet50"), groups=4),
]


def whole(spec):
    return sum(costs(rows_of(spec)), Passes())


@pytest.mark.parametrize("engine", ["fvcore", "torch"])
@pytest.mark.parametrize(
    ("network", "by"),
    [
        ("se-resnet18", "stage"),
        ("resnet20", "layer"),
        pytest.param("resnet18-d", "block", marks=pytest.mark.slow),
        pytest.param("vgg11", "operator", marks=pytest.mark.slow),
    ],
)
def test_an_engine_fills_the_same_table(network, by, engine):
    """Row for row, both engines count on the built network what the trace says."""
    by = ("--by", by, "--json")
    own = json.loads(run("flops", network, *by)[0])
    other = json.loads(run("flops", network, *by, "--engine", engine)[0])
    assert other["rows"] == own["rows"]
    assert other["total"] == own["total"]


def test_an_engine_says_what_it_leaves_out():
    """fvcore's uncounted operators by name and times, what torch's counter is silent on, what is ours."""
    notes = " ".join(
        json.loads(run("flops", "se-resnet18", "--engine", "fvcore", "--json")[0])["notes"]
    )
    for said in (
        "add (8 times)",
        "mul (8 times)",
        "sigmoid (8 times)",
        "max_pool2d (1 time)",
        "are the trace's",
    ):
        assert said in notes
    notes = " ".join(
        json.loads(run("flops", "resnet20", "--engine", "torch", "--json")[0])["notes"]
    )
    assert "convolutions and matrix products alone" in notes and "are the trace's" in notes


def test_the_engines_numbers_are_shown_not_ours():
    """What an engine counts otherwise stands in its row, once where a path runs several times."""
    rows = rows_of(zoo.find("resnet20"))
    macs = measured(rows, {"conv1": 7, "layer1.0.relu": 5})
    counted = {row.path: n for row, n in zip(rows, macs, strict=True) if n}
    assert counted == {"conv1": 7, "layer1.0.relu": 5}
    assert sum(macs) == 12


def test_an_engine_that_is_missing_is_named():
    """Without torch: one line with what to install, exit 1."""
    code = (
        "import sys; sys.modules['torch'] = sys.modules['fvcore'] = None\n"
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name in ('torch', 'fvcore') else find(name, *rest)\n"
        "sys.argv = ['resnet-cli', 'flops', 'resnet50', '--engine', 'fvcore']\n"
        "from resnet_cli.cli import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "pip install '.[torch]'" in done.stderr


def test_a_training_step_of_resnet50():
    """2.971 times forward: three of everything but the first convolution's input gradient."""
    forward, of_input, of_weights = whole(zoo.find("resnet50-v1.5"))
    conv1 = 7 * 7 * 3 * 64 * 112 * 112
    assert (forward, of_input, of_weights) == (4_089_184_256, 4_089_184_256 - conv1, 4_089_184_256)
    out, _ = run("flops", "resnet50-v1.5", "--backward", "--exact")
    assert "2.971 times" in out and f"{3 * 4_089_184_256 - conv1:,}" in out


def counted_by_torch(spec):
    """MACs of a forward and of a backward pass of the built network, on the meta device."""
    net = build(spec, device="meta").train()
    with FlopCounterMode(display=False) as forward:
        y = net(torch.zeros(2, *spec.input_shape, device="meta"))
    with FlopCounterMode(display=False) as back:
        y.sum().backward()
    return forward.get_total_flops() // 4, back.get_total_flops() // 4


@pytest.mark.parametrize(
    "spec", [*FAMILIES, *VARIANTS], ids=lambda spec: f"{spec.family}-{spec.name}"
)
def test_a_backward_pass_costs_what_torch_counts(spec):
    """Both gradients of every family, as flop_counter measures a real backward of two inputs.

    For a grouped convolution's weights it forgets the groups (torch 2.13, conv_backward_flop): each
    output channel is taken to read every input channel.
    """
    cost = whole(spec)
    forgotten = sum(row.macs * (getattr(row.layer, "groups", 1) - 1) for row in rows_of(spec))
    expected = cost.input_gradient + cost.weight_gradient + forgotten
    assert counted_by_torch(spec) == (cost.forward, expected)


def test_a_grouped_weight_gradient_by_multiplications():
    """Ones everywhere: a gradient's sum is the number of its products, here strided and grouped."""
    x = torch.ones(1, 4, 7, 7, dtype=torch.double)
    weight = torch.ones(6, 2, 3, 3, dtype=torch.double, requires_grad=True)
    y = torch.nn.functional.conv2d(x, weight, stride=2, groups=2)
    y.sum().backward()
    layer = Conv2d("conv", 4, 6, 3, stride=2, groups=2)
    assert int(weight.grad.sum()) == layer.macs(((4, 7, 7),), y.shape[1:])


@ZOO
def test_only_the_network_s_input_needs_no_gradient(spec):
    """Every network: three times forward, less one time its first convolution, at every level."""
    rows = rows_of(spec)
    forward, of_input, of_weights = whole(spec)
    assert forward == of_weights == of_input + rows[0].macs
    for by in ("stage", "block", "layer", "operator"):
        table = training(rows, level(rows, by))
        assert table.total[-4:] == (forward, of_input, of_weights, 2 * forward + of_input)
        for at in range(-4, 0):
            assert table.total[at] == sum(row[at] for row in table.rows)


def test_no_gradient_is_taken_of_what_nothing_learned_has_had_a_part_in():
    """A ReLU before the first convolution learns nothing, so its output needs no gradient either."""
    convolutions = Conv2d("conv1", 3, 4, 3, padding=1), Conv2d("conv2", 4, 4, 3, padding=1)
    rows = trace(Sequence("", (ReLU("relu"), *convolutions)), (3, 8, 8))
    first, second = 9 * 3 * 4 * 64, 9 * 4 * 4 * 64
    assert costs(rows)[1:] == [Passes(first, 0, first), Passes(second, second, second)]


@pytest.mark.parametrize("format", ["table", "plain", "csv", "markdown", "latex"])
def test_every_format_of_a_training_step(format):
    """Each has the gradients' columns and says that they are MACs."""
    notes = ("--notes",) * (format == "csv")
    out, _ = run("flops", "resnet20", "--backward", "-f", format, *notes)
    assert "MACs" in out
    assert "weight gradient" in out or "weight_gradient" in out
