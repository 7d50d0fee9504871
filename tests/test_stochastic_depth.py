"""Stochastic depth: blocks left out at random in training, and nothing else."""

import pytest
import torch

import resnet_cli
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.layers.elementwise import StochasticDepth
from resnet_cli.models import load
from resnet_cli.pytorch.build import build

RATE = "resnet20:stochastic_depth=0.4"


def rates(model):
    return [row.layer.rate for row in load(model).rows if isinstance(row.layer, StochasticDepth)]


def test_the_rate_grows_evenly_from_nothing():
    """Nine blocks: 0, 0.05, …, 0.4, and the first has no leaf."""
    assert rates(RATE) == [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]


@pytest.mark.parametrize("model", ["convnext_tiny", "regnet_y_400mf"])
def test_every_design_with_blocks_has_it(model):
    """The last block's at the whole rate, and one leaf fewer than there are blocks."""
    found = rates(f"{model}:stochastic_depth=0.1")
    assert found[-1] == 0.1 and len(found) == sum(load(model).spec.stages) - 1


def test_it_costs_nothing_at_inference():
    """Parameters, MACs, receptive fields and outputs are the network's without it."""
    one, other = (resnet_cli.summary(model).data()["total"] for model in (RATE, "resnet20"))
    assert one == other
    fields = (resnet_cli.receptive_field(model).data()["rows"] for model in (RATE, "resnet20"))
    assert next(fields) == next(fields)
    spec, x = load(RATE).spec, torch.randn(2, 3, 32, 32)
    nets = [build(each).eval() for each in (spec, zoo.find("resnet20"))]
    nets[1].load_state_dict(nets[0].state_dict())
    assert torch.equal(nets[0](x), nets[1](x))


def test_a_batch_of_training_leaves_bodies_out():
    """A share of the inputs near the rate is passed by, the others are larger by 1 / (1 − rate)."""
    net = build(load("resnet20:stochastic_depth=0.25").spec).train()
    last = net.layer3[2].drop_path
    torch.manual_seed(0)
    out = last(torch.ones(4000, 1, 1, 1))
    assert sorted(out.unique().tolist()) == [0, pytest.approx(1 / 0.75)]
    assert (out == 0).float().mean().item() == pytest.approx(0.25, abs=0.03)


def test_saved_is_a_factor_an_input_more():
    """Eight blocks, each one number of four bytes for each of five inputs."""
    one, other = (
        resnet_cli.memory(model, 5).data()["bytes"]["saved"] for model in (RATE, "resnet20")
    )
    assert one - other == 8 * 4 * 5


@pytest.mark.parametrize(
    ("model", "said"),
    [("plain20:stochastic_depth=0.1", "no blocks"), ("resnet20:stochastic_depth=1", "nothing"),
     ("resnet20:stochastic_depth=-0.1", "range"), ("resnet20:stochastic_depth=nan", "")],
)  # fmt: skip
def test_what_cannot_be_is_refused(model, said):
    """In one line."""
    with pytest.raises(UserError, match=said):
        resnet_cli.summary(model)
