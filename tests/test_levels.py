"""What a line of a table stands for: stages, blocks, layers, modules so deep, operators."""

import json

import pytest
from listed import FAMILIES, rows_of
from program import run

import resnet_cli
from resnet_cli.analyses.levels import LINES
from resnet_cli.errors import UserError
from resnet_cli.layers.convolution import Conv2d
from resnet_cli.layers.tree import Sequence
from resnet_cli.networks import of_tree

ASKED = ("stage", "block", "layer", "module", "operator", 1, 2, 3, "4", 99)


@pytest.mark.parametrize("spec", FAMILIES, ids=lambda spec: spec.name)
def test_lines_add_up_at_every_level(spec):
    """Whatever a line stands for, parameters and MACs of all lines are the network's."""
    for level in ASKED:
        data = resnet_cli.summary(spec, level).data()
        for key in ("params", "macs"):
            assert sum(row[key] for row in data["rows"]) == data["total"][key]
        costs = resnet_cli.flops(spec, level).data()
        assert sum(row["macs"] for row in costs["rows"]) == data["total"]["macs"]
        held = resnet_cli.memory(spec, level=level).tables[0]
        weights = [column.key for column in held.columns].index("weights")
        assert sum(row[weights] or 0 for row in held.rows) == 4 * data["total"]["params"]
        training = resnet_cli.flops(spec, level, backward=True).data()
        assert sum(row["forward"] for row in training["rows"]) == data["total"]["macs"]


def test_a_depth_names_the_modules_that_torch_has_there():
    """The outermost modules of resnet18 are torchvision's; those of depth 2 are the blocks."""
    lines = [row["module"] for row in resnet_cli.summary("resnet18", 1).data()["rows"]]
    assert lines == ["conv1", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc"]
    inner = resnet_cli.summary("resnet18", 2).data()["rows"]
    assert [(row["module"], row["times"]) for row in inner[2:5]] == [
        ("layer1.0", 2), ("layer2.0", 1), ("layer2.1", 1),
    ]  # fmt: skip


def test_a_depth_beyond_the_deepest_is_that_of_every_layer():
    """At depth 99 each weighted layer has its line, with the small ones behind it, and blocks alike share theirs."""
    rows = resnet_cli.summary("resnet34", 99).data()["rows"]
    lines = {row["module"]: (row["times"], row["architecture"]) for row in rows}
    assert lines["layer3.1.conv1"] == (5, "3×3, 256; batch norm; ReLU")
    assert lines["layer3.0.downsample.0"] == (1, "1×1, 256, stride 2; batch norm")
    weighted = sum(row["times"] for row in rows if row["macs"])
    assert weighted == sum(row.macs > 0 for row in rows_of("resnet34")) == 37


def test_small_layers_stand_with_the_one_they_read():
    """Dropout and ReLU with the linear layer, flatten with the pool, a norm that another layer reads apart."""
    lines = {row["module"]: row for row in resnet_cli.summary("vgg16_bn", 2).data()["rows"]}
    assert lines["classifier.0"]["architecture"] == "4096-d fc; ReLU; dropout"
    assert lines["avgpool"]["architecture"] == "average pool; flatten"
    apart = {row["module"] for row in resnet_cli.summary("preact-resnet18", 3).data()["rows"]}
    assert {"layer2.0.bn1", "layer2.0.conv1"} <= apart


@pytest.mark.parametrize("spec", FAMILIES, ids=lambda spec: spec.name)
def test_modules_are_as_deep_as_a_screen_takes(spec):
    """Without a depth it is the deepest of at most 32 lines: one more would be too many."""
    lines = resnet_cli.summary(spec, "module").data()["rows"]
    every = [resnet_cli.summary(spec, depth).data()["rows"] for depth in range(1, 7)]
    few = [at for at in every if len(at) <= LINES]
    assert lines == (few[-1] if few else every[0])


def test_the_field_of_a_module_is_that_of_its_last_layer():
    """By modules the receptive field is read where by layers the module's last line stands."""
    by_layer = {
        row["path"]: row for row in resnet_cli.receptive_field("resnet18", "layer").data()["rows"]
    }
    by_module = {
        row["module"]: row for row in resnet_cli.receptive_field("resnet18", 1).data()["rows"]
    }
    assert by_module["layer2"]["receptive_field"] == by_layer["layer2.1.relu"]["receptive_field"]


@pytest.mark.parametrize("level", ["stage", "block"])
def test_a_level_that_is_not_there_gives_modules_and_says_so(level):
    """Two convolutions without stages or blocks."""
    layers = Conv2d("a", 3, 4, 3), Conv2d("b", 4, 4, 3)
    answer = resnet_cli.summary(of_tree("own", Sequence("", layers), (3, 8, 8)), level)
    assert [row["module"] for row in answer.data()["rows"]] == ["a", "b"]
    assert f"the network has no {level}s: a row for each module instead" in answer.notes


@pytest.mark.parametrize("level", ["0", "-1", "1.5", "modules", "", "N", "٣"])
def test_what_is_no_level_is_refused(level):
    """With the words that are allowed."""
    with pytest.raises(UserError) as refused:
        resnet_cli.summary("resnet18", level)
    assert "allowed: stage, block, layer, module, operator" in refused.value.hint


def test_by_is_level():
    """The word that was used before still works."""
    asked = [run("flops", "resnet18", flag, "2", "--json")[0] for flag in ("--by", "--level")]
    assert asked[0] == asked[1] and json.loads(asked[0])["rows"][0]["module"] == "conv1"


@pytest.mark.parametrize("spec", ["resnet50", "vgg16", "se-resnet50"])
def test_a_module_without_a_convolution_has_no_notation(spec):
    """A norm in a block is no `[] × 1`."""
    rows = resnet_cli.summary(spec, 99).data()["rows"]
    assert not [row for row in rows if "[]" in row["architecture"]]


def test_modules_of_unlike_kernels_are_not_alike():
    """Outputs of one shape in all three: a kernel of 1 is a line of its own, two of 3 are one."""
    blocks = [
        Sequence(f"block{at}", (Conv2d("conv", 3, 3, kernel, padding=kernel // 2),))
        for at, kernel in enumerate((1, 3, 3))
    ]
    rows = resnet_cli.summary(of_tree("own", Sequence("", (*blocks,)), (3, 8, 8)), 1).data()["rows"]
    assert [(row["module"], row["times"]) for row in rows] == [("block0", 1), ("block1", 2)]
