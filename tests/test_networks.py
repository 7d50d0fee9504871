"""Networks that no spec describes: an operation nobody has described, a module called twice, names."""

import contextlib
from dataclasses import replace

import allocation
import pytest
import torch

import resnet_cli
from resnet_cli import networks
from resnet_cli.analyses.cost import counts
from resnet_cli.commands import output
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.layers.convolution import Conv2d, Linear
from resnet_cli.layers.elementwise import ReLU
from resnet_cli.layers.merging import Add
from resnet_cli.layers.normalisation import BatchNorm2d
from resnet_cli.layers.pooling import AdaptiveAvgPool2d, MaxPool2d
from resnet_cli.layers.shaping import Flatten
from resnet_cli.layers.tree import Sequence
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.models import load
from resnet_cli.networks import Input, Network, Origin, distinct, of_tree
from resnet_cli.pytorch.build import _module
from resnet_cli.trace import Place, Row, state_dict

IMAGE = (3, 8, 8)


def by_hand(name, *lines):
    """A network of (stage, layer, what it reads): a place among the lines, -1 the input."""
    rows = []
    for stage, layer, *reads in lines:
        x = tuple(rows[at].output if at >= 0 else IMAGE for at in reads)
        place = Place((), stage, stage if stage in ("stem", "head") else "body", None, "main")
        rows.append(Row(layer.name, place, layer, tuple(reads), x, layer.output_shape(*x)))
    return Network(name, rows, (Input("input", IMAGE),), Origin("module"))


KNOWN = by_hand(
    "known",
    ("stem", Conv2d("conv1", 3, 4, 3, 1, 1), -1),
    ("body", Uncounted("fft", "aten.fft", "no layer describes it", (4, 8, 8), {"weight": (5, 2)}), 0),
    ("body", Conv2d("conv2", 4, 4, 3, 2, 1), 1),
    ("body", ReLU("relu"), 2),
    ("body", Add("add"), 2, 3),
    ("head", AdaptiveAvgPool2d("pool"), 4),
    ("head", Flatten("flatten"), 5),
    ("head", Linear("fc", 4, 10), 6),
)  # fmt: skip
AFTER = "shape unknown after nonzero"
UNKNOWN = by_hand(
    "unknown",
    ("stem", Conv2d("conv1", 3, 4, 3, 2, 1), -1),
    ("stem", ReLU("relu"), 0),
    ("body", Uncounted("nonzero", "aten.nonzero", "its shape depends on the numbers"), 1),
    ("head", Uncounted("fc1", "linear", AFTER, None, {"weight": (10, 4)}), 2),
    ("head", Uncounted("fc2", "linear", AFTER, None, {"weight": (5, 10)}), 3),
)
ODD = pytest.mark.parametrize("network", [KNOWN, UNKNOWN], ids=lambda network: network.name)
QUESTIONS = {
    "summary": resnet_cli.summary,
    "blocks": lambda network: resnet_cli.summary(network, level="block"),
    "layers": lambda network: resnet_cli.summary(network, level="layer"),
    "flops": resnet_cli.flops,
    "operators": lambda network: resnet_cli.flops(network, level="operator"),
    "training": lambda network: resnet_cli.flops(network, backward=True),
    "reconcile": lambda network: resnet_cli.flops(network, reconcile=True),
    "memory": resnet_cli.memory,
    "amp": lambda network: resnet_cli.memory(network, dtype="amp", budget="1GiB"),
    "receptive field": lambda network: resnet_cli.receptive_field(network, level="layer"),
    "features": resnet_cli.features,
    "paths": resnet_cli.paths,
    "explain params": lambda network: resnet_cli.explain("params", network),
    "explain flops": lambda network: resnet_cli.explain("flops", network),
    "explain shape": lambda network: resnet_cli.explain("shape", network),
    "explain memory": lambda network: resnet_cli.explain("memory", network),
    "explain receptive field": lambda network: resnet_cli.explain("receptive-field", network),
    "explain": resnet_cli.explain,
    "compare": lambda network: resnet_cli.compare(network, "resnet18"),
}


def column(answer, key):
    """The values of a column of the first table, by the first column's."""
    at = [c.key for c in answer.tables[0].columns].index(key)
    return {row[0]: row[at] for row in answer.tables[0].rows}


# an operation that nobody has described


def test_what_is_uncounted_is_listed_once_with_its_times():
    """Operator, times and reason, in the order of execution; the same for the same reason is one."""
    assert UNKNOWN.uncounted == [
        {"operator": "aten.nonzero", "times": 1, "reason": "its shape depends on the numbers"},
        {"operator": "linear", "times": 2, "reason": AFTER},
    ]
    assert load("resnet50").uncounted == []


@ODD
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_answer_in_every_format_says_what_is_not_counted(question, network):
    """JSON under "uncounted", CSV in a column; people read "at least" and why; or else it is no answer but a refusal."""
    answer = QUESTIONS[question](network)
    beside = {"network": network.name} if question == "compare" else {}
    assert answer.data()["uncounted"] == [beside | each for each in network.uncounted]
    for format in output.FORMATS:
        text = output.render(answer, format, exact=True, to_file=True)
        if format == "csv":  # which has no prose: how many, in a column
            assert text.splitlines()[0].endswith(",uncounted")
            continue
        for each in network.uncounted:
            times = f"{each['operator']} ({each['times']} time{'s' * (each['times'] > 1)}): {each['reason']}"
            assert times in text and "at least what is shown" in text, format


@ODD
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda network: resnet_cli.flops(network, convention="fvcore"), "aten."),
        (lambda network: resnet_cli.summary(network, convention="papers"), "aten."),
        (lambda network: resnet_cli.flops(network, engine="torch"), "no module named"),
        (resnet_cli.verify, "no module named"),
        (lambda network: network.changed(groups=2), "no spec"),
        (lambda network: resnet_cli.explain("depth", network), "of a spec"),
        (lambda network: resnet_cli.table(network, "resnet18"), "with a spec"),
    ],
)
def test_what_would_leave_it_out_in_silence_is_refused(asked, said, network):
    """Another tool's count of an operation is not known, and nothing can be built of it."""
    with pytest.raises(UserError) as error:
        asked(network)
    assert said in error.value.what


def test_what_is_known_of_it_is_counted():
    """3·4·9 + 5·2 + 4·4·9 + 4·10 + 10 parameters; MACs of what is described alone."""
    total = resnet_cli.summary(KNOWN).data()["total"]
    assert total["params"] == 108 + 10 + 144 + 50
    assert total["macs"] == 108 * 64 + 144 * 16 + 40
    assert resnet_cli.memory(KNOWN).data()["bytes"]["weights"] == 4 * 312


def test_what_it_hides_is_left_open_and_no_number():
    """Behind it no receptive field and no stride is given, in no answer; before it both are."""
    field = resnet_cli.receptive_field(KNOWN, level="layer").data()["rows"]
    assert field[0].pop("path") == "conv1" and None not in field[0].values()
    for line in field[1:]:
        assert {key for key, value in line.items() if value is not None} == {"path", "output"}
    (feature,) = resnet_cli.features(KNOWN).data()["rows"]
    assert (feature["size"], feature["stride"], feature["receptive_field"]) == ([4, 4], None, None)
    for length in resnet_cli.paths(KNOWN).data()["rows"]:
        assert (length["least"], length["most"]) == (None, None)
    (line,) = resnet_cli.plot("receptive-field", KNOWN).chart.series
    assert [point.label for point in line.points] == ["conv1"]
    (feature,) = resnet_cli.features(UNKNOWN).data()["rows"]
    assert (feature["path"], feature["receptive_field"]) == ("relu", [3, 3])


def test_no_network_is_proposed_to_be_built_that_cannot():
    """Without a spec the lines of Python take the module itself; a file is built by its own name."""
    assert not any("resnet-cli build" in note for note in resnet_cli.features(KNOWN).notes)
    file = load("resnet20")._replace(name="own", origin=Origin("spec", "my nets/own.toml"))
    built = "resnet-cli build 'my nets/own.toml' -o net.py writes"
    assert built in resnet_cli.features(file).notes[0]


def test_a_stage_without_a_feature_map_has_none():
    """And a network without any is refused."""
    rows = [row._replace(place=row.place._replace(part="head")) for row in UNKNOWN.rows]
    with pytest.raises(UserError, match="no stage puts out a feature map"):
        resnet_cli.features(UNKNOWN._replace(rows=rows))


def test_its_shape_is_explained_where_it_is_known():
    """As given, 8 by 8 of 4 channels; elsewhere the question is refused."""
    answer = resnet_cli.explain("shape", KNOWN, "fft")
    assert column(answer, "result") == {"height": 8, "width": 8, "channels": 4, "elements": 256}
    with pytest.raises(UserError, match="the shape of nonzero is not known"):
        resnet_cli.explain("shape", UNKNOWN, "nonzero")


def test_its_receptive_field_is_explained_as_far_as_it_is_known():
    """3 of the convolution before it; behind it a note says that nothing is, and a layer is refused."""
    answer = resnet_cli.explain("receptive-field", KNOWN)
    assert column(answer, "result") == {"input: r": 1, "stem: r": 3}
    assert "from fft on it is not known" in answer.notes
    with pytest.raises(UserError, match="the receptive field of conv2 is not known"):
        resnet_cli.explain("receptive-field", KNOWN, "conv2")


@ODD
@pytest.mark.parametrize("kind", ["cost", "memory", "receptive-field"])
def test_charts_say_what_is_not_counted(kind, network):
    """As the first of their notes."""
    notes = resnet_cli.plot(kind, network).chart.notes
    assert [note.startswith("not counted: ") for note in notes][: len(network.uncounted)] == [
        True
    ] * len(network.uncounted)


@ODD
@pytest.mark.parametrize("level", ["stage", "block", "layer"])
def test_a_drawing_holds_every_layer(level, network):
    """Each path is on one box, at every level."""
    (drawn,) = resnet_cli.diagram(network, level=level, fold=False).drawing.columns
    paths = [path for box in drawn.boxes for path in box.paths]
    assert sorted(paths) == sorted(row.path for row in network.rows)


# a module that is called twice

LEAVES = (Conv2d("conv", 4, 4, 3, 1, 1), BatchNorm2d("bn", 4), ReLU("relu"))
TREE = Sequence("", (*LEAVES, *LEAVES), title="Twice")
TWICE = of_tree("twice", TREE, (4, 8, 8))


def test_a_module_called_twice_has_its_tensors_once():
    """4·4·9 + 2·4 parameters, 2·4 running statistics and one counter; MACs of both calls."""
    assert [row.path for row in TWICE.rows] == ["conv", "bn", "relu"] * 2
    total = counts.totals(TWICE.rows)
    assert (total["params"], total["buffers"], total["macs"]) == (152, 8, 2 * 144 * 64)
    built = {name: tuple(t.shape) for name, t in _module(TREE).state_dict().items()}
    assert state_dict(TWICE.rows) == built


def test_a_module_called_at_several_sizes_costs_what_each_takes():
    """4·4·9 multiply-accumulates at each of 8·8 places, then of 4·4, then of 2·2."""
    pool = MaxPool2d("pool", 2, 2)
    tree = Sequence("", (LEAVES[0], pool, LEAVES[0], pool, LEAVES[0]), title="Sizes")
    network = of_tree("sizes", tree, (4, 8, 8))
    assert counts.macs_of(network.rows) == [144 * 64, 0, 144 * 16, 0, 144 * 4]
    assert resnet_cli.summary(network, "layer").data()["total"]["macs"] == 144 * 84


def test_every_answer_counts_them_once():
    """summary, compare, explain and diagram say 152; the gradient of a weight is added up from two."""
    for level in ("stage", "block", "layer"):
        assert resnet_cli.summary(TWICE, level).tables[0].total[-3] == 152
    assert resnet_cli.compare(TWICE, TWICE).data()["rows"][0]["params"] == 152
    assert resnet_cli.explain("params", TWICE).tables[0].rows[-1].result == 152
    assert column(resnet_cli.explain("params", TWICE, "conv"), "result") == {"conv": 144}
    (drawn,) = resnet_cli.diagram(TWICE, level="layer").drawing.columns
    assert drawn.params == sum(box.params for box in drawn.boxes) == 152
    backward = resnet_cli.flops(TWICE, backward=True).data()["training"]
    assert (backward["input_gradient"], backward["weight_gradient"]) == (144 * 64, 2 * 144 * 64)


@pytest.mark.parametrize("dtype", ["fp32", "amp"])
def test_memory_holds_them_once(dtype):
    """Weights, gradients, momentum, statistics, and autocast's copy: as torch keeps them."""
    total = resnet_cli.memory(TWICE, batch=2, dtype=dtype).data()["bytes"]
    assert (total["weights"], total["gradients"], total["optimizer"]) == (608, 608, 608)
    assert total["buffers"] == 4 * 8 + 8
    net, x = _module(TREE).train(), torch.rand(2, 4, 8, 8)
    cast = torch.autocast("cpu", torch.bfloat16) if dtype == "amp" else contextlib.nullcontext()
    with cast:
        assert total["saved"] == allocation.saved(net, x)


# names, and what is changed


def test_equal_names_are_numbered():
    """The first keeps its name, and no number makes a name that is another's."""
    named = [load("resnet18")._replace(name=name) for name in ("a", "b", "a", "a (2)", "a")]
    assert distinct(named) == ["a", "b", "a (2)", "a (2) (2)", "a (3)"]


def test_a_change_keeps_what_was_asked_about():
    """The batch, the origin, and what MODEL alone names, which the title compares with."""
    asked = load("resnet50")._replace(batch=8)
    changed = asked.changed(groups=32, base_width=4, width=None)
    assert (changed.batch, changed.origin, changed.base) == (8, asked.origin, zoo.find("resnet50"))
    assert changed.title == "resnet50 (ResNet, base width 4, groups 32)"
    assert changed.changed(input_size=(64, 96)).title.endswith("groups 32, input size 64×96)")
    assert changed.changed(input_size=(64, 96)).size == "3×64×96"


@pytest.mark.parametrize(
    "shape", [5, "1x3x224x224", (), (1, 3, "224", 224), {"input": 3}, torch.zeros(1, 3, 8, 8)]
)
def test_what_is_no_shape_is_refused(shape):
    """A network's input by name is a shape, or a tuple or dict of them; a tensor is for a module."""
    with pytest.raises(UserError, match="is no shape"):
        resnet_cli.network("resnet50", input=shape)
    for good in ((2, 3, 64, 96), [[2, 3, 64, 96]], {"input": (2, 3, 64, 96)}):
        asked = resnet_cli.network("resnet50", input=good)
        assert (asked.batch, asked.input) == (2, (3, 64, 96))


def test_whatever_names_a_network_leads_to_it():
    """A name, a depth, a spec or a network; a network is itself."""
    spec = zoo.find("resnet50")
    network = load("ResNet_50")
    assert load(50).spec == load(spec).spec == network.spec == network.base == spec
    assert load(network) is network
    assert network.origin == Origin("spec", "ResNet_50")
    assert network.inputs == (Input("input", (3, 224, 224), "float32"),)


@pytest.mark.parametrize(
    ("model", "changes", "again"),
    [
        ("resnet50", {}, "resnet50"),
        ("resnet50:groups=32,base-width=4", {}, "resnet50:groups=32,base_width=4"),
        ("resnet50:groups=32,base-width=4", {"stages": (1, 2, 2, 1)}, "resnet50:groups=32,base_width=4,stages=1-2-2-1"),
        ("timm:resnet50", {"input_size": (64, 96)}, "resnet50-v1.5:input_size=64x96"),
        ("resnet38", {"eca": True}, "resnet38:eca=true"),
    ],
)  # fmt: skip
def test_what_names_a_network_can_be_typed_again(model, changes, again):
    """With all that was changed of it, whichever way; it names the same network."""
    network = load(model).changed(**changes)
    assert sorted(network.model.replace(":", ",").split(",")) == sorted(
        again.replace(":", ",").split(",")
    )
    assert load(network.model).spec == network.spec


def test_a_file_is_where_a_network_comes_from(tmp_path):
    """A TOML file is a spec's, a weight file's tensors are recognised; both are named as typed."""
    from safetensors.torch import save_file

    (tmp_path / "own.toml").write_text("base = 'resnet20'\nstages = [1, 1, 1]\n")
    own = load(str(tmp_path / "own.toml"))
    assert own.origin == Origin("spec", str(tmp_path / "own.toml"))
    small = replace(own.spec, name="own")
    file = str(tmp_path / "own.safetensors")
    save_file(
        {n: torch.zeros(s) for n, s in state_dict(networks.of_spec(small).rows).items()}, file
    )
    weights = load(file)
    assert weights.origin == Origin("weights", file)
    assert weights.spec.stages == (1, 1, 1)
    assert resnet_cli.summary(weights).data()["origin"] == {
        "kind": "weights", "source": file, "ran": None, "version": None,
    }  # fmt: skip
