"""JSON is what its schemas say, and these say all of it."""

import json

import pytest
from jsonschema import Draft202012Validator
from program import assert_not_loaded, run
from usual import answers, torch_answers

import resnet_cli
from resnet_cli.answers import json_keys
from resnet_cli.answers.view import View
from resnet_cli.cli import COMMANDS
from resnet_cli.designs import zoo
from resnet_cli.render.tables.data import SCHEMA

PICTURES = {"report", "diagram", "schema"}
"""Commands that print no JSON of an answer."""


def check(answer):
    document = View(*answer).data()
    validator = Draft202012Validator(resnet_cli.schema(document["command"]))
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(document)] == []


def parts(of):
    """Every schema within one."""
    yield of
    for key in ("properties", "patternProperties"):
        for inner in of.get(key, {}).values():
            yield from parts(inner)
    for inner in (*([of["items"]] if "items" in of else ()), *of.get("anyOf", ())):
        yield from parts(inner)


def test_every_command_has_one():
    """In the order of the program's help; none for a command that there is not."""
    assert [name for name in COMMANDS if name not in PICTURES] == [*json_keys.COMMANDS]
    assert run("schema")[0].split() == [*json_keys.COMMANDS, "toml"]
    assert "did you mean 'summary'" in run("schema", "sumary", code=2)[1]


def test_every_answer_is_as_its_schema_says(tmp_path):
    """Of every command that needs no torch, in its usual forms."""
    for answer in answers(tmp_path):
        if answer.envelope["command"] != "plot":  # whole in its envelope
            check(answer)


@pytest.mark.slow
def test_so_is_that_of_a_command_that_runs_a_module(tmp_path):
    """verify, gradient, build and plot gradient."""
    pytest.importorskip("torch")
    for answer in torch_answers():
        check(answer)
    made = run("build", "resnet20", "--json", "-o", str(tmp_path / "a.py"))[0]
    Draft202012Validator(resnet_cli.schema("build")).validate(json.loads(made))
    drawn = run("plot", "gradient", "resnet20", "--seeds", "1", "--json")[0]
    Draft202012Validator(resnet_cli.schema("plot")).validate(json.loads(drawn))


@pytest.mark.parametrize("kind", ["cost resnet18", "memory vgg11", "paths resnet20", "tradeoff"])
def test_so_is_that_of_a_plot(kind):
    """Whichever chart it is."""
    drawn = json.loads(run("plot", *kind.split(), "--json")[0])
    Draft202012Validator(resnet_cli.schema("plot")).validate(drawn)


@pytest.mark.parametrize("name", json_keys.COMMANDS)
def test_a_schema_is_strict_and_describes_each_key(name):
    """Valid by its own dialect; no other keys anywhere; what a key holds in a few words."""
    schema = json.loads(run("schema", name)[0]) if name == "conv" else resnet_cli.schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema"]["const"] == SCHEMA
    for part in parts(schema):
        if part.get("type") == "object" and "properties" in part:
            assert part["additionalProperties"] is False
            assert all(value.get("description") for value in part["properties"].values())


def test_a_wrong_answer_is_refused():
    """An unknown key, a text for a number, a key that lacks: each is an error."""
    validator = Draft202012Validator(resnet_cli.schema("summary"))
    document = resnet_cli.summary("resnet18").data()
    assert validator.is_valid(document)
    for wrong in ({"extra": 1}, {"batch": "1"}, {"spec": {"name": "x"}}, {"rows": [{"stage": 1}]}):
        assert not validator.is_valid({**document, **wrong})
    assert not validator.is_valid({key: document[key] for key in document if key != "notes"})


def test_every_networks_description_is_one():
    """Each field of each kind of spec is in the schema, whatever the network is changed to."""
    validator = Draft202012Validator(resnet_cli.schema("features"))
    for spec in zoo.NETWORKS[::9]:
        assert validator.is_valid(resnet_cli.features(spec).data()), spec.name


def test_no_other_command_loads_it():
    """Whoever asks for no schema does not wait for one."""
    assert_not_loaded("resnet_cli.answers.json_keys", by=("summary", "resnet18", "--json"))
