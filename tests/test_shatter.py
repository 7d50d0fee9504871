"""gradient --shatter: the autocorrelation of gradients along a line, checked by other routes."""

import json

import pytest
import torch
from jsonschema import Draft202012Validator
from own_modules import Net
from torch import nn
from torch.nn.functional import interpolate

import resnet_cli
from resnet_cli.analyses import seeds
from resnet_cli.analyses import shatter as analysis
from resnet_cli.answers import shatter as answers
from resnet_cli.answers.gradient import cases
from resnet_cli.cli import app
from resnet_cli.datasets import digits
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.inputs import Given, Typed
from resnet_cli.models import load
from resnet_cli.pytorch import shatter
from resnet_cli.pytorch.build import build
from resnet_cli.pytorch.instance import Source
from resnet_cli.render.tables.numbers import estimate

IMAGES = shatter.scaled(digits.read())


def line_and_others(seed, images):
    """The line from the first of the images drawn to the second, and the 256 that follow; the generator after it."""
    generator = torch.Generator().manual_seed(seed)
    first, last, *others = images[torch.randperm(len(images), generator=generator)][:258]
    times = torch.arange(256)[:, None, None, None] / 255
    return first + times * (last - first), torch.stack(others), generator


def test_autocorrelation_is_that_worked_out_by_hand():
    """Of 1, −1, 1, −1: −3 of 4 one apart, 2 of 4 two apart. Of 0, 1, 2: 0 and −1 of 2."""
    assert analysis.autocorrelation([1, -1, 1, -1], 2) == [-0.75, 0.5]
    assert analysis.autocorrelation([0, 1, 2], 2) == [0, -0.5]


def test_noise_is_white_or_brown():
    """Unrelated numbers have none; the mean over their sums is near 1 and falls."""
    white, brown = analysis.noises(256, 20)
    assert abs(white.at(1)[0]) < 0.05 and abs(white.at(16)[0]) < 0.05
    assert 0.94 < brown.at(1)[0] < 0.99 and brown.at(16)[0] < brown.at(2)[0]


def test_the_standard_error_is_the_deviation_over_root_n():
    """Of 1, 2, 3, 4: √(5/3)/2; one value has none; two of its digits are shown."""
    assert seeds.estimate([1, 2, 3, 4]) == [2.5, pytest.approx((5 / 3) ** 0.5 / 2)]
    assert seeds.estimate([7]) == [7]
    assert (estimate(66.71, 2.24), estimate(0.6268, 0.0271)) == ("66.7 ± 2.2", "0.627 ± 0.027")
    assert (estimate(0.5), estimate(1234.5, 123.4)) == ("0.5", "1234 ± 123")


@pytest.mark.parametrize("name", ["plain20", "preact-resnet110"])
def test_a_derivative_is_a_difference_over_a_small_step(name):
    """In float64, through batch norms whose statistics a pass over all images has set."""
    spec = zoo.changed(zoo.find(name), stages=(1, 1, 1), in_channels=1, input_size=(8, 8))
    line, others, generator = line_and_others(3, IMAGES)
    numbers, line = torch.randn(10, generator=generator), line.double()
    net = build(spec, seed=3).double().train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of all passes, here one
    with torch.no_grad():
        net(torch.cat([line, others.double()]))
        net.eval()
        step = 1e-7 * (line[-1] - line[0])
        slopes = (net(line + step) - net(line - step)) / 2e-7
    measured = shatter.derivatives(Source(name, spec), 3, IMAGES)
    by_hand = (slopes @ numbers.double()).tolist()
    apart = [
        a != pytest.approx(b, rel=1e-3, abs=1e-4) for a, b in zip(measured, by_hand, strict=True)
    ]
    assert sum(apart) <= 2  # a bend may lie within a step


def test_what_is_linear_has_one_derivative():
    """Of digits that are resized to a module's input and put in each of its channels: W (b − a), in numbers · W."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 5))
    line, _, generator = line_and_others(1, IMAGES)
    way = interpolate((line[-1] - line[0])[None], size=(16, 16), mode="bilinear").expand(
        1, 3, 16, 16
    )
    by_hand = (net[1].weight @ way.flatten()) @ torch.randn(5, generator=generator)
    given = Source("net", given=(net, torch.zeros(1, 3, 16, 16)))
    measured = shatter.derivatives(given, 1, IMAGES)
    assert measured == pytest.approx([by_hand.item()] * 256, rel=1e-4)
    with pytest.raises(UserError, match="the same all along the line"):
        answers.shattered(resnet_cli.network(net, (1, 3, 16, 16)), seeds=1)


def test_depth_shatters_the_gradients_of_plain_networks():
    """At lag 1 plain56's are unrelated, plain20's and resnet56's are not (Balduzzi et al. 2017)."""
    rows = {
        row["name"]: row
        for row in answers.shattered("plain56", "plain20", "resnet56", seeds=1).data()["rows"]
    }
    assert abs(rows["plain56"]["lag_1"][0]) < 0.2
    assert 0.4 < rows["plain20"]["lag_1"][0] < rows["resnet56"]["lag_1"][0]
    assert rows["white noise"]["layers"] is None and rows["plain56"]["layers"] == 56


def test_a_module_of_one_s_own_is_measured_and_left_as_it_was():
    """Its numbers, statistics, mode and momentum stay."""
    net = Net().eval()
    before = [tensor.clone() for tensor in net.state_dict().values()]
    answer = answers.shattered(resnet_cli.network(net, (1, 3, 16, 16)), seeds=1)
    assert answer.data()["networks"][0]["input"] == [1, 3, 16, 16]
    assert not net.training and all(map(torch.equal, before, net.state_dict().values()))
    assert net.blocks[0].norm.momentum == 0.1
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_what_is_no_network_of_images_is_refused():
    """Tokens, several inputs in one output, batch norm that keeps no statistics: one line each."""
    tokens = load("tests/own_modules.py:Words", Given((Typed(None, (1, 9), "int64"),)))
    with pytest.raises(UserError, match="takes something else than images"):
        answers.measure(cases(tokens), 1)
    mixed = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(0), nn.ReLU())
    with pytest.raises(UserError, match="nothing for each image by itself"):
        answers.shattered(resnet_cli.network(mixed, (1, 3, 8, 8)), seeds=1)
    fleeting = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))
    with pytest.raises(UserError, match="keeps no statistics"):
        answers.shattered(resnet_cli.network(fleeting, (1, 3, 8, 8)), seeds=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--batch", "4"], "--shatter has no --batch"),
        (["--level", "block"], "--shatter has no --level"),
        (["--seeds", "0"], "seeds 0 is out of range"),
    ],
)
def test_options_of_the_norms_are_not_this_one_s(words, message):
    """Said in one line."""
    with pytest.raises(UserError, match=message):
        app(["gradient"])(["gradient", "resnet20", "--shatter", *words], standalone_mode=False)


def test_a_plot_has_a_line_for_each_and_for_noise(capsys):
    """Lags 1 to 32, shaded by twice the standard error of what the table has."""
    words = ["plot", "shatter", "resnet20", "--seeds", "2", "--json"]
    app(["plot"])(words, standalone_mode=False)
    drawn = json.loads(capsys.readouterr().out)
    Draft202012Validator(resnet_cli.schema("plot")).validate(drawn)
    names = [series["name"] for series in drawn["series"]]
    assert names == ["resnet20", "white noise", "brown noise"]
    first = drawn["series"][0]["points"]
    middle, error = answers.shattered("resnet20", seeds=2).data()["rows"][0]["lag_1"]
    assert [point["x"] for point in first] == [*range(1, 33)]
    assert first[0]["y"] == middle and first[0]["high"] == pytest.approx(middle + 2 * error)
