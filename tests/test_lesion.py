"""lesion, and the folder of a training in plot and report: checked on networks that were never trained."""

import json

import pytest
import torch
from jsonschema import Draft202012Validator
from trainings import DIGITS, tiny, written

import resnet_cli
from resnet_cli import runs
from resnet_cli.analyses import lesion as analysis
from resnet_cli.answers import lesion as answers
from resnet_cli.answers.view import View
from resnet_cli.cli import app
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.networks import of_spec
from resnet_cli.pytorch import lesion
from resnet_cli.pytorch.build import build
from resnet_cli.runs import Trained


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return written(tmp_path_factory.mktemp("runs") / "a", tiny("plain20"), tiny("resnet20"))


def outputs(net, **replaced):
    x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    lesions = {path.replace("_", "."): other for path, other in replaced.items()}
    with torch.no_grad(), lesion.replaced(net.eval(), lesions):
        return net(x)


# what is done to a network


@pytest.mark.parametrize("name", ["resnet20", "preact-resnet110"])
def test_a_deleted_block_is_one_whose_body_gives_nothing(name):
    """Its last weights at zero, the shortcut is all that is left of a residual block (Veit et al. 2016)."""
    net, other = build(tiny(name), seed=0), build(tiny(name), seed=0)
    last = other.layer2[1].conv2 if "preact" in name else other.layer2[1].bn2
    for parameter in last.parameters():
        torch.nn.init.zeros_(parameter)
    before = outputs(net)
    torch.testing.assert_close(outputs(net, layer2_1=None), outputs(other))
    assert torch.equal(outputs(net), before) and not torch.equal(outputs(other), before)


def test_a_plain_block_is_taken_out_whole():
    """The stage without it, run by hand."""
    net, other = build(tiny("plain20"), seed=0), build(tiny("plain20"), seed=0)
    other.layer2 = other.layer2[:1]
    assert torch.equal(outputs(net, layer2_1=None), outputs(other))


def test_swapped_blocks_have_one_another_s_weights():
    """As a network has whose weights are exchanged."""
    spec = zoo.changed(tiny("resnet20"), stages=(3, 1, 1))
    net, other = build(spec, seed=0), build(spec, seed=0)
    one, two = (other.layer1[at].state_dict() for at in (1, 2))
    one, two = ({key: value.clone() for key, value in state.items()} for state in (one, two))
    other.layer1[1].load_state_dict(two)
    other.layer1[2].load_state_dict(one)
    assert torch.equal(outputs(net, layer1_1="layer1.2", layer1_2="layer1.1"), outputs(other))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, {"conv3_1": "it makes 32×4×4 of 16×8×8", "conv4_1": "it makes 64×2×2 of 32×4×4"}),
        ({"shortcut": "C"}, {"conv2_2": "its shortcut is a projection"}),
        ({"shortcut": "gate"}, {"conv2_1": "its shortcut is gated"}),
        ({"shortcut_scale": 0.5}, {"conv4_2": "its shortcut is scaled by 0.5"}),
        ({"shortcut": "dropout"}, {"conv2_1": ""}),
    ],
)
def test_which_blocks_cannot_be_deleted_is_told_from_the_rows(changes, why):
    """What changes the shape, and what has no identity beside its body."""
    told = {
        each.label: each.why_not
        for each in analysis.deletions(of_spec(tiny("resnet20", **changes)))
    }
    assert len(told) == 6 and {label: told[label] for label in why} == why
    if not changes:
        assert [label for label, reason in told.items() if reason] == [*why]


def test_neighbours_are_swapped_where_both_could_be_deleted():
    """Of resnet56's stages of nine: eight pairs in the first, seven where the first block downsamples."""
    pairs = analysis.swaps(load("resnet56"))
    assert len(pairs) == 8 + 7 + 7
    assert pairs[0].replaced == {"layer1.0": "layer1.1", "layer1.1": "layer1.0"}
    assert pairs[8].label == "conv3_2 ↔ conv3_3"


# what is said


def test_errors_are_those_of_the_test_images(folder):
    """Intact and without a block: counted by hand, of pixels less their mean over their deviation."""
    images = torch.tensor(list(DIGITS.train.images)).view(-1, 64).double()
    test = torch.tensor(list(DIGITS.test.images)).view(-1, 64).double()
    deviation = (images - images.mean(0)).square().mean().sqrt()
    x = ((test - images.mean(0)) / deviation).float().view(-1, 1, 8, 8)
    labels = torch.tensor(list(DIGITS.test.labels))
    net = build(tiny("resnet20"), seed=1).eval()
    with torch.no_grad():
        intact = (net(x).argmax(1) != labels).sum().item() / 3.6
        net.layer1[0] = torch.nn.Identity()
        without = (net(x).argmax(1) != labels).sum().item() / 3.6
    (measured,) = answers.measure(folder, ["resnet20"])
    assert measured.intact[1] == pytest.approx(intact)
    assert measured.errors[1][0] == pytest.approx(without)


@pytest.mark.parametrize("given", [{}, {"level": "block"}, {"shuffle": True}])
def test_an_answer_is_as_its_schema_says(folder, given):
    """Rows by network or by block; errors by seed for each lesion in JSON."""
    answer = resnet_cli.lesion(folder, **given).data()
    Draft202012Validator(resnet_cli.schema("lesion")).validate(answer)
    assert [each["name"] for each in answer["networks"]] == ["plain20", "resnet20"]
    lesions = answer["networks"][1]["lesions"]
    assert all(len(each["errors"]) == (0 if each["why_not"] else 2) for each in lesions)
    if not given:
        first = answer["rows"][1]
        by_seed = zip(*(each["errors"] for each in lesions if each["errors"]), strict=True)
        medians = [sorted(errors)[1] + sorted(errors)[2] for errors in by_seed]
        assert first["blocks"] == 6 and first["lesions"] == 4
        assert first["median"][0] == pytest.approx(sum(medians) / 4)


def test_a_block_has_its_line_with_why_not(folder, capsys):
    """In the table of a network by block; the intact error comes first."""
    app(["lesion"])(["lesion", folder, "resnet20", "--level", "block"], standalone_mode=False)
    out = capsys.readouterr().out
    assert "none: intact" in out and "it makes 32×4×4 of 16×8×8" in out and "layer3.1" in out


def test_a_folder_that_cannot_be_asked_is_one_line(tmp_path, folder):
    """No folder, no such network, other images, weights of another network, Python, nothing finished."""
    cases = {
        "has no record.json": str(tmp_path),
        "other images than": written(tmp_path / "other", tiny("plain20"), sha256="0"),
    }
    for message, bad in cases.items():
        with pytest.raises(UserError, match=message):
            resnet_cli.lesion(bad)
    with pytest.raises(UserError, match="'resnet56'"):
        resnet_cli.lesion(folder, "resnet56")
    mixed = written(tmp_path / "mixed", tiny("plain20"), tiny("resnet20", shortcut="C"))
    (tmp_path / "mixed/plain20-s0/weights.safetensors").write_bytes(
        (tmp_path / "mixed/resnet20-s0/weights.safetensors").read_bytes()
    )
    with pytest.raises(UserError, match="holds other weights"):
        resnet_cli.lesion(mixed, "plain20")
    with pytest.raises(
        UserError,
        match=r"no blocks of resnet20 can be deleted: its shortcut is a projection; it makes",
    ):
        resnet_cli.lesion(mixed, "resnet20")
    (tmp_path / "mixed/plain20-s0/curve.jsonl").unlink()
    (tmp_path / "mixed/plain20-s1/curve.jsonl").unlink()
    with pytest.raises(UserError, match=r"no run of plain20 .* is finished"):
        resnet_cli.lesion(mixed)


def test_python_that_a_folder_names_is_not_run_by_itself(tmp_path):
    """A canary stays unmade, unless --run-code is typed."""
    canary = tmp_path / "made"
    (tmp_path / "net.py").write_text(f"open({str(canary)!r}, 'w')\n")
    own = Trained("own", f"{tmp_path}/net.py:Net", "own", "", None, 1, None)
    with pytest.raises(UserError, match="would run Python"):
        answers.network(own, runs.read_record(written(tmp_path / "a", modules=(own,))))
    assert not canary.exists()


# a folder in plot and report


def test_curves_are_means_over_the_seeds(folder, capsys):
    """Thin of training, then test; the least and the largest beside them; the iterations in the notes."""
    app(["plot"])(["plot", "training", folder, "--json"], standalone_mode=False)
    drawn = json.loads(capsys.readouterr().out)
    Draft202012Validator(resnet_cli.schema("plot")).validate(drawn)
    names = [series["name"] for series in drawn["series"]]
    assert names == ["plain20, training", "plain20, test", "resnet20, training", "resnet20, test"]
    assert drawn["series"][0]["points"] == [
        {"x": 25, "y": 80.5, "low": 80, "high": 81},
        {"x": 50, "y": 40.5, "low": 40, "high": 41},
    ]
    assert [p["y"] for p in drawn["series"][1]["points"]] == [40, 20]
    assert any("300 iterations of 64, rate 0.02" in note for note in drawn["notes"])


def test_lines_of_one_network_have_one_colour(folder):
    """The thin one and the bold one, in a picture, and on a page."""
    chart = resnet_cli.plot("training", folder, "plain20").chart
    assert [series.thin for series in chart.series] == [True, False]
    svg = resnet_cli.plot("training", folder).picture().content.decode()
    assert svg.count("stroke: #0072b2; stroke-width: 0.9") and svg.count("stroke: #e69f00")
    assert "#009e73" not in svg


def test_a_plot_of_lesions_has_a_line_for_each_network(folder):
    """At the blocks that can be deleted; a thin one at the intact error."""
    intact, chart = resnet_cli.plot("lesion", folder, "resnet20").chart.series
    assert [p.label for p in chart.points] == ["conv2_1", "conv2_2", "conv3_2", "conv4_2"]
    assert [p.x for p in chart.points] == [1, 2, 4, 6]
    assert intact.thin and [p.x for p in intact.points] == [1, 6]
    (measured,) = answers.measure(folder, ["resnet20"])
    assert intact.points[0].y == pytest.approx(sum(measured.intact) / 2)


def test_a_page_of_a_folder_has_its_table_and_its_curves(folder):
    """Errors by network, the recipe, and the figure; as all pages it loads nothing."""
    page = resnet_cli.report(folder).html
    assert "300 iterations of 64" in page and "Error while training on digits" in page
    assert "var(--series1)" in page and "plain20, training" in page
    both = resnet_cli.report(folder, "resnet20").html
    assert "Error while training" in both and "Receptive field" in both


def test_a_folder_is_no_other_kind_of_plot(folder):
    """Nor are a listed network's name and numbers of seeds a folder's."""
    for words in (("cost", folder), ("training", "resnet20")):
        with pytest.raises(UserError):
            resnet_cli.plot(*words)
    with pytest.raises(UserError, match="has no --seeds"):
        resnet_cli.plot("training", folder, seeds=2)


def test_notes_of_an_answer_name_the_iterations(folder):
    """Whatever is said of a training says how long it was."""
    answer = resnet_cli.lesion(folder)
    assert isinstance(answer, View)
    assert any("trained for 300 iterations of 64" in note for note in answer.notes)
