"""verify: all routes agree for every network, and none of them can differ unnoticed."""

import json
from dataclasses import replace

import graph_files
import pytest
import torch
from listed import rows_of
from own_modules import Net
from program import run

from resnet_cli.analyses import verify as analysis
from resnet_cli.answers import engines, verify, verify_file
from resnet_cli.answers.network import network
from resnet_cli.commands.verify import command
from resnet_cli.designs import zoo
from resnet_cli.designs.resnet import ResNet
from resnet_cli.inputs import Given, Typed
from resnet_cli.models import load
from resnet_cli.pytorch import export, measure


def few_pixels(spec):
    """The network itself on the smallest input that it takes well; counts by path stay apart."""
    return replace(spec, input_size=(96, 64) if max(spec.input_size) > 64 else (16, 12))


def networks():
    """All of the list: the first of each family in the slow suite, the others in the full one, two minutes together."""
    seen = set()
    for spec in zoo.NETWORKS:
        mark = pytest.mark.full if spec.family in seen else pytest.mark.slow
        seen.add(spec.family)
        yield pytest.param(spec, id=spec.name, marks=mark)


@pytest.mark.parametrize("spec", list(networks()))
def test_every_module_of_every_network_agrees_by_every_route(spec):
    """Trace, built module, fvcore and torch's flop counter give equal numbers for each module."""
    assert verify.check(load(few_pixels(spec))).problems == []


def test_a_module_that_differs_is_named():
    """A stage with one block more than its description is found, first module first, in words."""
    spec = few_pixels(zoo.find("resnet20"))
    rows = rows_of(spec)
    own = analysis.ours(rows, "params")
    route = analysis.Route("module", "params", own | {"layer2.0.conv1": 4_609})
    assert analysis.difference(own, route) == (
        "layer2.0.conv1 has 4,608 params here, 4,609 by module: -1"
    )
    missing = analysis.Route("fvcore", "macs", {"layer9.0.conv1": 5})
    assert analysis.difference(analysis.ours(rows, "macs"), missing) == (
        "conv1 has 82,944 MACs here, 0 by fvcore: +82,944"
    )


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
    own, counted = (analysis.ours(rows_of(each), "macs") for each in (other, spec))
    found = analysis.difference(own, analysis.Route("torch", "macs", counted))
    assert found.startswith("layer2.3.conv1 has ")


def test_verify_asks_for_one_or_all():
    """Neither MODEL nor --all, or both, is wrong usage; an unknown name has a suggestion."""
    assert "no network named" in run("verify", code=2)[1]
    assert "both MODEL and --all" in run("verify", "resnet18", "--all", code=2)[1]
    assert "did you mean 'resnet50'" in run("verify", "resent50", code=2)[1]


OWN = "tests/own_modules.py"
INPUTS = {"Net": (1, 3, 32, 32), "Words": (1, 9), "Up": (1, 3, 16, 16)}


def own(name):
    shape = (Typed(None, INPUTS[name], "int64" if name == "Words" else None),)
    return load(f"{OWN}:{name}", Given(shape))


@pytest.mark.parametrize("name", INPUTS)
def test_a_module_of_one_s_own_agrees(name):
    """Parameters, tied ones too, shapes of a run, and MACs module by module as torch and fvcore count them."""
    checked = verify.check(own(name))
    assert checked.problems == [] and checked.agrees == "yes"
    assert [route.name for route in checked.routes] == ["module", "fvcore", "torch"]
    total = {route.name: analysis.total(route) for route in checked.routes}
    assert total["torch"] == sum(row.macs for row in checked.network.rows)


def test_what_fvcore_has_no_rule_for_is_no_disagreement():
    """Attention, an LSTM and a padding by word multiply; the note says that its number is no check."""
    said = {
        "Words": "fvcore leaves out lstm and scaled_dot_product_attention, which multiply",
        "Up": "fvcore leaves out _convolution_mode, which multiplies",
    }
    for name, words in said.items():
        assert f"{words}: its number is no check" in " ".join(verify.verify(own(name)).notes)


@pytest.mark.parametrize("route", ["parameters", "run", "flop_counter", "fvcore"])
def test_a_module_that_is_counted_otherwise_is_named(route, monkeypatch):
    """Each route of a module of one's own can differ, and then says where."""
    original = getattr(measure, route)

    def altered(*given):
        counted = original(*given)
        if route in ("flop_counter", "fvcore"):
            return counted._replace(macs=counted.macs | {"blocks.1.second": 1})
        if route == "run":
            return [(path, (7,) if path == "blocks.1.second" else shape) for path, shape in counted]
        return counted | {"blocks.1.second": 1}

    monkeypatch.setattr(measure, route, altered)
    answer = verify.verify(own("Net"))
    assert answer.code == 1 and "blocks.1.second" in answer.notes[1]
    assert answer.tables[0].total[-1] == "no"


def test_a_module_given_in_python_is_counted_where_it_is():
    """It keeps its numbers, mode and hooks; no second one is made."""
    net = Net().train()
    before = [tensor.clone() for tensor in net.state_dict().values()]
    assert verify.check(network(net, (2, 3, 32, 32))).problems == []
    assert net.training and all(map(torch.equal, before, net.state_dict().values()))


def test_a_pt2_is_run_by_torch_without_its_pickle(tmp_path):
    """Its own operators on the meta device: shapes of all, MACs of each module, the parameters that it lists."""
    path = tmp_path / "net.pt2"
    with engines.instance(own("Net")) as called:
        assert export.shapes_only(called, str(path)) == "for any batch"
    answer = verify.verify(str(path))
    assert answer.code == 0 and "21 shapes compared" in answer.notes
    (table,) = answer.tables
    assert table.total[1] == table.total[2] == sum(p.numel() for p in Net().parameters())
    assert table.total[3] == table.total[4] > 0 and {line[-1] for line in table.rows} == {"yes"}


def test_an_onnx_has_the_shapes_of_a_run(tmp_path):
    """As onnxruntime makes them, also of tensors that the file says nothing of; without it nothing is said to agree."""
    pytest.importorskip("onnxruntime")
    path = tmp_path / "net.onnx"
    graph_files.saved(graph_files.convolutional(), path)
    answer = verify.verify(str(path))
    assert answer.code == 0 and answer.tables[0].total[-1] == "yes"
    assert any("shapes compared" in note for note in answer.notes)


def test_an_onnx_without_onnxruntime_is_not_said_to_agree(tmp_path, monkeypatch):
    """The rows stand alone, and a line says what is missing."""
    path = tmp_path / "net.onnx"
    graph_files.saved(graph_files.convolutional(), path)
    monkeypatch.setattr(verify_file, "find_spec", lambda name: None)
    answer = verify.verify(str(path))
    assert answer.tables[0].total[-1] == "not compared" and answer.notes[0].startswith("0 of 1")
    assert "not compared with a run, for which is missing: onnx, onnxruntime" in answer.notes
