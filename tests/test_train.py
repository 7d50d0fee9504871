"""train: recipes, folders, runs that go on bit by bit, and what is said of them."""

import json

import pytest

from resnet_cli import runs
from resnet_cli.errors import UserError

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
