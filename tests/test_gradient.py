"""gradient: the shortcuts' factor and the measured norms, checked by other routes."""

import json
from dataclasses import replace

import graph_files
import pytest
import torch
from listed import ZOO, rows_of
from own_modules import Net
from program import run
from torch import nn

from resnet_cli.analyses import gradient as analysis
from resnet_cli.analyses.cost import counts
from resnet_cli.answers import gradient as answers
from resnet_cli.answers.gradient import VARIANTS
from resnet_cli.answers.network import network
from resnet_cli.commands import extras
from resnet_cli.commands.extras import progress
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.inputs import Given, Typed
from resnet_cli.models import load
from resnet_cli.published import figures
from resnet_cli.pytorch import gradient
from resnet_cli.pytorch.build import build
from resnet_cli.pytorch.instance import Source


def variant(name):
    changes, bias = VARIANTS[name]
    return zoo.changed(zoo.find("resnet20"), **changes), bias


def norms(spec, paths, seed, batch):
    return [*gradient.norms(Source(spec.name, spec), paths, seed, batch).by_path.values()]


@ZOO
def test_every_block_is_found(spec):
    """As many blocks as the stages have, by the path of a module; VGG has none."""
    found = analysis.blocks(rows_of(spec))
    if spec.family.startswith("VGG"):
        return
    assert len(found) == sum(spec.stages)
    net = build(spec, device="meta")
    assert all(isinstance(net.get_submodule(path), nn.Module) for path in found)


def test_shortcuts_multiply_to_lambda_to_the_n():
    """1 for identities, 0.5⁹ for nine blocks scaled by a half, none for a plain network (Eq. 8, 11)."""
    resnet20 = zoo.find("resnet20")
    assert analysis.shortcut_factor(rows_of(resnet20)) == 1
    assert analysis.shortcut_factor(rows_of(replace(resnet20, shortcut_scale=0.5))) == 2**-9
    assert analysis.shortcut_factor(rows_of(replace(resnet20, shortcut_scale=2.0))) == 2**9
    assert analysis.shortcut_factor(rows_of(zoo.find("plain20"))) is None


@pytest.mark.parametrize("name", ["preact-resnet18", "resnet20", "plain20"])
def test_norms_are_those_of_a_gradient_taken_by_hand(name):
    """The stages run one by one, each given its own leaf: the same norm at its first block's input."""
    spec = replace(zoo.find(name), input_size=(32, 32))
    paths = list(analysis.blocks(rows_of(spec)))
    by_path = dict(zip(paths, norms(spec, paths, seed=3, batch=4), strict=True))
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(4, *spec.input_shape, generator=generator)
    labels = torch.randint(spec.num_classes, (4,), generator=generator)
    net, leaves = build(spec, seed=3).train(), {}
    for path, module in net.named_children():
        if path == "flatten":
            x = x.flatten(1)
            continue
        if path.startswith("layer"):
            leaves[f"{path}.0"] = x = x.detach().requires_grad_()
        x = module(x)
        if path == "norm":  # runs last, and the ReLU once more
            x = x.relu()
    # backwards through what was cut: the chain rule, a stage at a time
    upper = torch.autograd.grad(nn.functional.cross_entropy(x, labels), list(leaves.values())[-1])[
        0
    ]
    last = list(leaves)[-1]
    assert by_path[last] == pytest.approx(upper.norm().item(), rel=1e-4)
    before = list(leaves)[-2]
    through = net.get_submodule(before.split(".")[0])(leaves[before])
    lower = torch.autograd.grad(through, leaves[before], upper)[0]
    assert by_path[before] == pytest.approx(lower.norm().item(), rel=1e-4)


def test_identity_blocks_pass_the_gradient_on_unchanged():
    """Pre-activation with every body at zero: equal norms within a stage, λ of them where scaled."""
    for scale in (1.0, 0.5):
        spec = zoo.changed(
            zoo.find("preact-resnet110"), stages=(4, 4, 4), shortcut_scale=scale, body_scale=0.0
        )
        paths = list(analysis.blocks(rows_of(spec)))
        measured = norms(spec, paths, seed=0, batch=2)
        for at in (1, 2, 5, 6, 9, 10):  # identities within a stage
            assert measured[at] == pytest.approx(scale * measured[at + 1], rel=1e-4)


def test_a_gate_that_is_shut_or_open_is_the_block_without_it():
    """b_g = −40 leaves identity + F; b_g = 40 leaves F alone, as in a plain network."""
    spec = zoo.changed(zoo.find("resnet20"), shortcut="gate")
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    gated = build(spec, seed=0).eval()
    for bias, other in ((-40.0, "resnet20"), (40.0, "plain20")):
        for module in gated.modules():
            if hasattr(module, "exclusive"):
                nn.init.zeros_(module.weight)
                nn.init.constant_(module.bias, bias)
        plain = build(zoo.find(other)).eval()
        state = {n: t for n, t in gated.state_dict().items() if ".gate." not in n}
        plain.load_state_dict(state, strict=True)
        torch.testing.assert_close(gated(x), plain(x))


def test_exclusive_gates_share_between_shortcut_and_body():
    """At g = 1/2 the sum is half of both: the block scaled by 0.5 and 0.5."""
    gated = build(zoo.changed(zoo.find("resnet20"), shortcut="exclusive-gate"), seed=0).eval()
    for module in gated.modules():
        if hasattr(module, "exclusive"):
            nn.init.zeros_(module.weight)
    spec = zoo.changed(zoo.find("resnet20"), shortcut_scale=0.5, body_scale=0.5)
    halved = build(spec).eval()
    halved.load_state_dict(
        {n: t for n, t in gated.state_dict().items() if ".gate." not in n}, strict=True
    )
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(gated(x), halved(x))


def test_gates_are_counted():
    """A gate is a 1×1 convolution with a bias: c² + c parameters and c²·h·w MACs a block."""
    plain, gated = (
        rows_of(zoo.find("resnet20")),
        rows_of(variant("shortcut-only gating: init b_g=-6")[0]),
    )
    more = counts.totals(gated)["params"] - counts.totals(plain)["params"]
    assert more == 3 * (16 * 16 + 16) + 3 * (32 * 32 + 32) + 3 * (64 * 64 + 64)
    macs = counts.totals(gated)["macs"] - counts.totals(plain)["macs"]
    assert macs == 3 * (16**2 * 32**2 + 32**2 * 16**2 + 64**2 * 8**2)


def test_variants_are_those_of_the_paper():
    """All eleven rows of He et al. 2016, Table 1, in its order."""
    printed = [
        f.printed_name for f in figures() if (f.source, f.table) == ("He et al. 2016", "Table 1")
    ]
    assert list(VARIANTS) == printed


def test_variants_stand_beside_the_papers_errors():
    """Gated, scaled and dropped shortcuts of ResNet-20 are measured in one table."""
    answer = json.loads(run("gradient", "resnet20", "--variants", "--seeds", "1", "--json")[0])
    rows = {row["name"]: row for row in answer["rows"]}
    assert rows["original: shortcut 1, F 1"]["error"] == "6.61%"
    assert rows["dropout shortcut 0.5"]["error"] == "fail"
    assert rows["constant scaling: shortcut 0.5, F 1"]["factor"] == 2**-9
    assert rows["1x1 conv shortcut"]["params"] > rows["original: shortcut 1, F 1"]["params"]
    assert len(answer["networks"]) == 11 and len(answer["networks"][0]["blocks"]) == 9


def test_what_takes_long_is_announced(capsys):
    """Networks, seeds, batch, size and MACs (three passes, but for the first layer's) before it begins."""
    (case,) = answers.cases(load("resnet50"))
    text = answers._announced([case, case], 5, 8)
    assert text.startswith("2 networks × 5 seeds, forward and back on 8 inputs of 3×224×224: ")
    each = 3 * 3_857_973_248 - 118_013_952
    assert f"({each * 2 * 5 * 8:,}) MACs" in text and "--seeds 1" in text
    assert answers._announced(answers.cases(load("resnet20")), 5, 8) == ""
    assert [*progress([1, 2], "measuring", text)] == [1, 2]
    assert capsys.readouterr().err == f"note: {text}\n"


def test_how_long_the_others_take_is_said_after_the_first(capsys, monkeypatch):
    """Where no bar shows it: 10 s for the first of three are 20 for the others."""
    times = iter([0, 0, 10, 20, 30])
    monkeypatch.setattr(extras, "monotonic", lambda: next(times))
    assert [*progress("abc", "measuring", "much")] == ["a", "b", "c"]
    assert capsys.readouterr().err == "note: much\nnote: measuring: about 20 s more\n"


@pytest.mark.slow
def test_norms_come_again_and_spread_over_the_seeds():
    """Two runs give equal numbers; the median lies within the spread; blocks are rows on request."""
    words = ("gradient", "plain20", "resnet20", "--seeds", "3", "--json")
    first, again = (json.loads(run(*words)[0]) for _ in range(2))
    assert first == again
    for row in first["rows"]:
        assert row["first_spread"][0] <= row["first"] <= row["first_spread"][1]
    out, _ = run("gradient", "resnet20", "--by", "block", "--seeds", "2")
    assert "conv2_1" in out and "layer3.2" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["vgg16"], "vgg16 has no residual blocks"),
        (["plain20", "--scale", "0.5"], "plain20 has no shortcuts"),
        (["resnet20", "--scale", "nan"], "shortcut scale nan is out of range"),
        (["resnet20", "--scale", "-1"], "out of range"),
        (["resnet20", "--seeds", "0"], "seeds 0 is out of range"),
        (["resnet20", "--batch", "1000000"], "out of range"),
        (["resnet20", "--variants", "--scale", "0.5"], "both --variants and --scale"),
        (["resnet20", "--by", "layer"], "layer"),
        ([], "MODEL"),
    ],
)
def test_bad_input_is_one_line(words, message):
    """Said in one line, exit 2."""
    _, err = run("gradient", *words, code=2)
    assert message in err and len(err.splitlines()) <= 2


def test_a_module_of_one_s_own_is_measured_with_its_own_numbers():
    """At the input of each block's module: the norm that autograd gives by hand, of the same seed."""
    model = load("tests/own_modules.py:Net", Given((Typed(None, (1, 3, 16, 16)),)))
    (measured,) = answers.measure(answers.cases(model), seeds=2, batch=4)
    assert [*measured.places] == ["blocks.0", "blocks.1"]
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    net = Net().train()
    x = torch.randn(4, 3, 16, 16, generator=generator)
    labels = torch.randint(10, (4,), generator=generator)
    before = net.stem(x).detach().requires_grad_()
    between = net.blocks[0](before)
    y = net.fc(net.blocks[1](between).mean((2, 3)))
    by_hand = torch.autograd.grad(nn.functional.cross_entropy(y, labels), [before, between])
    assert measured.norms[1] == pytest.approx([each.norm().item() for each in by_hand], rel=1e-4)


def test_a_network_without_classes_or_blocks_has_a_gradient_too():
    """Of a sequence the loss is a product with normal numbers; where no block is, modules are measured."""
    tokens = Given((Typed(None, (1, 9), "int64"),))
    up = Given((Typed(None, (1, 3, 16, 16)),))
    words, net = load("tests/own_modules.py:Words", tokens), load("tests/own_modules.py:Up", up)
    first, second = answers.measure([*answers.cases(words), *answers.cases(net)], seeds=1, batch=2)
    assert [*first.places] == ["encoder.layers.0", "encoder.layers.1"] and first.of == "block"
    assert "depthwise" in second.places and second.of == "module"
    assert not first.classifies and not second.classifies
    assert all(norm > 0 for one in (first, second) for norm in one.norms[0])


def test_what_has_no_module_or_no_spec_is_one_line(tmp_path):
    """A file holds no module; shortcuts are scaled and varied where a spec has them."""
    graph_files.saved(graph_files.convolutional(), tmp_path / "net.onnx")
    with pytest.raises(UserError, match="there is no module in a file of operations"):
        answers.cases(load(str(tmp_path / "net.onnx")))
    own = load("tests/own_modules.py:Net")
    with pytest.raises(UserError, match="no spec whose shortcuts could be scaled"):
        answers.cases(own, scale=0.5)


def test_measuring_leaves_a_given_module_as_it_was():
    """Its running statistics, mode and numbers stay, though the pass is in train mode."""
    net = Net().eval()
    before = [tensor.clone() for tensor in net.state_dict().values()]
    answers.measure(answers.cases(network(net, (1, 3, 16, 16))), seeds=1, batch=2)
    assert not net.training and all(map(torch.equal, before, net.state_dict().values()))
