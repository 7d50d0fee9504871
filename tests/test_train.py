"""train: recipes, folders, runs that go on bit by bit, and what is said of them."""

import json

import pytest
from jsonschema import Draft202012Validator

import resnet_cli
from resnet_cli import runs
from resnet_cli.analyses.training import pairs
from resnet_cli.answers.train import answer as said
from resnet_cli.answers.train import numbered
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.recipes import check_images, recipe
from resnet_cli.training import prepare

RECIPE = runs.Recipe("digits", 300, 64, 0.02, (150, 225), 0.1, 0.9, 1e-4, 0, 0, 1, False, 0, 25)
DATA = runs.Data("digits", "digits", 1, 8, 8, 10, 1437, 360, "0" * 64)
NETWORK = runs.Trained(
    "plain20", "plain20:in_channels=1", "plain20", "plain (CIFAR)", 20, 269_434, {}
)
ENVIRONMENT = runs.Environment("0.1.0", "3.11", "2.13", "Linux", "cpu", 1)
RECORD = runs.Record(1, RECIPE, DATA, (NETWORK,), (0, 1), ENVIRONMENT)
POINT = runs.Point(300, 13.6, 0.0002, 0.6, 22.0, 21.4, None, 24.9)


def written(folder, record=RECORD):
    folder.mkdir(exist_ok=True)
    runs.write_record(str(folder), record)
    return str(folder)


def test_a_folder_is_read_as_it_was_written(tmp_path):
    """Record and curves come back equal, a last line that was cut off does not count."""
    folder = written(tmp_path)
    own = runs.place(folder, "plain20", 1)
    (tmp_path / "plain20-s1").mkdir()
    runs.append(own, POINT._replace(iteration=25, train_error=None))
    runs.append(own, POINT)
    with (tmp_path / "plain20-s1" / "curve.jsonl").open("a") as file:
        file.write('{"iteration": 3')
    training = runs.read(folder)
    assert training.record == RECORD
    assert [len(run.curve) for run in training.runs] == [0, 2]
    assert training.runs[1].last == POINT and training.runs[0].last is None


@pytest.mark.parametrize(
    "key, value",
    [("recipe", 3), ("seeds", ["0"]), ("networks", [{}]), ("more", 1), ("schema", 2)],
)
def test_a_record_of_another_kind_is_refused(tmp_path, key, value):
    """A key that is unknown, missing or of another type is one line that names the file."""
    folder = written(tmp_path)
    path = tmp_path / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(UserError, match=r"record\.json' is no record of a training") as error:
        runs.read(folder)
    assert error.value.code == 1


def test_a_name_cannot_leave_the_folder(tmp_path):
    """Slashes and leading dots of a network's name are none of its folder's."""
    assert runs.place("x", "../../timm:a(b=1)", 3) == "x/_.._timm_a_b_1_-s3"


# recipes


def test_the_papers_recipe():
    """He et al. 2015, Sec. 4.2: batches of 128, 0.1 divided by 10 at 32k and 48k of 64k, 110 layers warmed up."""
    made = recipe(None, "cifar10:x")
    assert (made.name, made.batch, made.iterations, made.padding, made.flip) == (
        "he2015-cifar", 128, 64_000, 4, True,
    )  # fmt: skip
    assert (made.momentum, made.weight_decay) == (0.9, 1e-4)
    at = [0, 399, 400, 31_999, 32_000, 47_999, 48_000, 63_999]
    assert [made.rate(56, i) for i in at] == pytest.approx([0.1] * 4 + [0.01] * 2 + [0.001] * 2)
    assert [made.rate(110, i) for i in at[:3]] == pytest.approx([0.01, 0.01, 0.1])


def test_the_recipe_for_digits():
    """As it was measured: 300 batches of 64, 0.02 divided by 10 at a half and three quarters."""
    made = recipe(None, "digits")
    assert [made.rate(20, i) for i in (0, 149, 150, 225)] == pytest.approx([0.02, 0.02, 2e-3, 2e-4])
    assert (made.padding, made.flip, made.batch, made.iterations) == (1, False, 64, 300)


def test_drops_move_with_the_iterations():
    """Of a shorter run they are at the same parts of it, unless they are typed."""
    assert recipe("digits", "digits", iterations=60).drops == (30, 45)
    assert recipe("digits", "digits", iterations=60, drops="20,10").drops == (10, 20)
    assert recipe("digits", "digits", drops="none").drops == ()
    assert recipe("he2015-cifar", "x", drops="32k,48K").drops == (32_000, 48_000)


def test_a_split_keeps_images_back():
    """45k/5k trains on 45,000; of another number it is refused, as is a batch over what is left."""
    made = recipe("he2015-cifar", "cifar10:x", split="45k/5k")
    assert made.held_out == 5000
    check_images(made, "45k/5k", 50_000)
    with pytest.raises(UserError, match="of 50,000 images, where there are 1,437"):
        check_images(made, "45k/5k", 1437)
    with pytest.raises(UserError, match="a batch of 128 is over the 100 images"):
        check_images(recipe("he2015-cifar", "x"), None, 100)


@pytest.mark.parametrize(
    "changes",
    [
        {"iterations": 0}, {"batch": -1}, {"lr": float("nan")}, {"lr": -1.0}, {"momentum": 2.0}, {"drops": "x"},
        {"split": "45k"}, {"factor": 3.0}, {"dtype": "int8"}, {"padding": 10**6}, {"every": 0}, {"split": "a/b"},
        {"weight_decay": float("inf")}, {"drops": ""}, {"batch": "64"}, {"iterations": 1.5}, {"flip": 1}, {"rate": 0.1},
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(changes):
    """One line with what is allowed; also of another kind, or of nothing that a recipe has."""
    with pytest.raises(UserError) as error:
        recipe("digits", "digits", **changes)
    assert error.value.hint and error.value.code == 2


def test_seeds_are_how_many_or_which():
    """3 is 0, 1, 2, and a comma makes a list."""
    assert numbered("3") == (0, 1, 2) and numbered("41,42") == (41, 42) and numbered("7,") == (7,)
    for wrong in ("0", "x", "1,1", "-1", "", ",", "99999", "1,99999999999"):
        with pytest.raises(UserError):
            numbered(wrong)


# what is said


def trained(errors, models=("plain20", "plain56", "resnet20", "resnet56"), recipe=RECIPE, **data):
    """A folder's training, whose networks have these training errors by seed."""
    data = DATA._replace(**data)
    made = tuple(prepare._trained(net.name, net) for net in map(load, models))
    seeds = tuple(range(len(errors[0])))
    record = runs.Record(1, recipe, data, made, seeds, ENVIRONMENT)
    each = tuple(
        runs.Run(network, seed, "", (POINT._replace(train_error=own[seed], test_error=own[seed]),))
        for network, own in zip(made, errors, strict=True)
        for seed in seeds
        if own[seed] is not None
    )
    return runs.Training("x", record, each)


PLAIN20, PLAIN56 = [31.0, 9.5, 8.6, 35.0, 22.0], [67.0, 70.0, 59.0, 67.0, 71.0]
RESNET20, RESNET56 = [0.3, 1.0, 1.0, 0.5, 0.7], [0.4, 1.3, 0.8, 0.8, 0.4]


def test_differences_are_paired_by_seed():
    """Deeper minus shallower of the same kind; words only beyond twice the standard error."""
    answer = said(trained([PLAIN20, PLAIN56, RESNET20, RESNET56]))
    plain, residual = answer.envelope["differences"]
    assert (plain["deep"], plain["shallow"], plain["verdict"]) == ("plain56", "plain20", "higher")
    own = [a - b for a, b in zip(PLAIN56, PLAIN20, strict=True)]
    assert plain["train_difference"] == pytest.approx(sum(own) / 5)
    deviation = (sum((x - sum(own) / 5) ** 2 for x in own) / 4) ** 0.5
    assert plain["train_se"] == pytest.approx(deviation / 5**0.5)
    assert (residual["deep"], residual["verdict"]) == ("resnet56", None)
    assert abs(residual["train_difference"]) < 2 * residual["train_se"]
    words = [note for note in answer.notes if "trains to" in note]
    assert words == ["plain56 trains to a higher error than plain20: by 45.6 ± 5.2 points"]
    assert "300 iterations of 64, rate 0.02" in answer.tables[0].title


def test_one_seed_gives_no_verdict():
    """Nor a standard error."""
    answer = said(trained([[20.0], [70.0], [1.0], [1.0]]))
    assert [each["verdict"] for each in answer.envelope["differences"]] == [None, None]
    assert [each["train_se"] for each in answer.envelope["differences"]] == [None, None]
    assert not any("trains to" in note for note in answer.notes)


def test_rows_are_by_network_and_seed():
    """A run that is not at its end has null for its errors, and is in no mean."""
    answer = said(trained([[20.0, 30.0], [70.0, None]], ("plain20", "plain56")))
    assert [row["train_error"] for row in answer.envelope["rows"]] == [20.0, 30.0, 70.0]
    assert [row[2] for row in answer.tables[0].rows] == [2, 1]
    assert answer.envelope["differences"][0]["seeds"] == 1
    validator = Draft202012Validator(resnet_cli.schema("train"))
    assert [*validator.iter_errors(answer.data())] == []


def test_pairs_differ_in_depth_alone():
    """By their specs: not by name, and not where the width is another."""
    nets = [
        load(m) for m in ("resnet20", "resnet56", "resnet32:width=32", "resnet164", "resnet110")
    ]
    made = [prepare._trained(net.name, net) for net in nets]
    assert [(a.name, b.name) for a, b in pairs(made)] == [
        ("resnet56", "resnet20"), ("resnet110", "resnet20"),
    ]  # fmt: skip


def test_published_errors_stand_beside_the_papers_recipe():
    """Table 6 of He et al. 2015, of its networks alone, and not where anything was changed."""
    papers = recipe("he2015-cifar", "cifar10:x")
    models = ("resnet20", "resnet56", "resnet110", "plain20")
    errors = [[8.0]] * 4
    answer = said(trained(errors, models, papers, name="CIFAR-10"))
    assert [row[-1] for row in answer.tables[0].rows] == [8.75, 6.97, 6.43, None]
    assert any("He et al. 2015, Table 6" in note for note in answer.notes)
    for other in (papers._replace(iterations=32_000), papers._replace(amp=True)):
        answer = said(trained(errors, models, other, name="CIFAR-10"))
        assert "published" not in [column.key for column in answer.tables[0].columns]
