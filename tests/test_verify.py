"""verify: all routes agree for every network, and none of them can differ unnoticed."""

import json
from dataclasses import replace

import pytest
from listed import rows_of
from program import run

from resnet_cli.analyses import verify as analysis
from resnet_cli.answers import verify
from resnet_cli.commands.verify import command
from resnet_cli.designs import zoo
from resnet_cli.designs.resnet import ResNet
from resnet_cli.networks import load
from resnet_cli.pytorch import measure


def few_pixels(spec):
    """The network itself on the smallest input that it takes well; counts by path stay apart."""
    return replace(spec, input_size=(64, 48) if max(spec.input_size) > 64 else (16, 12))


def networks():
    """All of the list; all but the first of each family are slow, a minute together."""
    seen = set()
    for spec in zoo.NETWORKS:
        marks = [pytest.mark.slow] if spec.family in seen else []
        seen.add(spec.family)
        yield pytest.param(spec, id=spec.name, marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize("spec", list(networks()))
def test_every_module_of_every_network_agrees_by_every_route(spec):
    """Trace, built module, fvcore and torch's flop counter give equal numbers for each module."""
    assert verify.check(load(few_pixels(spec))).problems == []


def test_a_module_that_differs_is_named():
    """A stage with one block more than its description is found, first module first, in words."""
    spec = few_pixels(zoo.find("resnet20"))
    rows = rows_of(spec)
    counted = analysis.ours(rows, "params") | {"layer2.0.conv1": 4_609}
    route = analysis.Route("module", "params", counted)
    assert analysis.difference(rows, route) == (
        "layer2.0.conv1 has 4,608 params here, 4,609 by module: -1"
    )
    missing = analysis.Route("fvcore", "macs", {"layer9.0.conv1": 5})
    assert analysis.difference(rows, missing) == "conv1 has 82,944 MACs here, 0 by fvcore: +82,944"


def test_agreement_is_shown_by_stage_and_exits_0():
    """ResNet-20: parameters and MACs of every stage, three times and twice the same."""
    answer = json.loads(run("verify", "resnet20", "--json")[0])
    for row in answer["rows"]:
        assert row["params"] == row["params_module"] and row["agrees"] == "yes"
        assert row["macs"] == row["macs_fvcore"] == row["macs_torch"]
    assert sum(row["macs"] for row in answer["rows"]) == 40_550_400 + 640  # convolutions, fc
    text, err = run("verify", "resnet20", "plain20")
    assert "2 of 2 agree by every route" in text and "add (9 times)" in text
    assert err == ""


@pytest.mark.parametrize("route", ["parameters", "fvcore", "flop_counter", "run", "tensors"])
def test_a_route_that_differs_is_an_error(route, monkeypatch):
    """Whatever is altered in one route alone is reported, with the module where it can be."""
    spec = few_pixels(zoo.find("resnet20"))
    original = getattr(measure, route)

    def altered(*given):
        found = original(*given)
        if route in ("fvcore", "flop_counter"):
            return found._replace(macs=found.macs | {"layer3.2.conv2": 1})
        if route == "run":
            return found[:-1]
        return found | {"layer3.2.conv2": 1}

    monkeypatch.setattr(measure, route, altered)
    (problem,) = verify.check(load(spec)).problems
    assert "layer3.2.conv2" in problem or route in ("run", "tensors")


def test_disagreement_exits_1_and_says_where(monkeypatch):
    """The command prints the table all the same, and ends with 1."""
    import typer

    original = measure.parameters
    monkeypatch.setattr(measure, "parameters", lambda net: original(net) | {"fc": 651})
    with pytest.raises(typer.Exit) as left:
        command(
            networks=["resnet20"], all=False, format="plain", json=False, exact=False, target=None
        )
    assert left.value.exit_code == 1


def test_changed_description_is_caught():
    """A built network whose blocks are of another kind than the traced ones does not pass."""
    spec = few_pixels(zoo.find("resnet20"))
    assert isinstance(spec, ResNet)
    other = replace(spec, stages=(3, 4, 3))
    rows = rows_of(other)
    counted = analysis.ours(rows_of(spec), "macs")
    found = analysis.difference(rows, analysis.Route("torch", "macs", counted))
    assert found.startswith("layer2.3.conv1 has ")


def test_verify_asks_for_one_or_all():
    """Neither MODEL nor --all, or both, is wrong usage; an unknown name has a suggestion."""
    assert "no network named" in run("verify", code=2)[1]
    assert "both MODEL and --all" in run("verify", "resnet18", "--all", code=2)[1]
    assert "did you mean 'resnet50'" in run("verify", "resent50", code=2)[1]
