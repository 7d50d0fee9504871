"""Receptive fields: equal to the region of the input that has a gradient; feature maps for heads."""

import ast
import json
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import library
from listed import FAMILIES, ZOO, everyday, rows_of
from positive import Positive
from program import run

import resnet_cli
from resnet_cli.analyses.field.features import TIMM, features
from resnet_cli.analyses.field.receptive_field import features as last_stage
from resnet_cli.analyses.field.receptive_field import fields
from resnet_cli.answers.features import code as snippets
from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.iresnet import IResNet
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.models import load
from resnet_cli.pytorch.build import build
from resnet_cli.render.tables import terminal_table


@pytest.fixture(autouse=True)
def one_thread():
    """Networks of one or two channels are slower on several threads than on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def narrow(spec, size):
    """The same layers with next to no channels, on which no receptive field depends."""
    if isinstance(spec, VGG):
        return zoo.changed(spec, width=1, in_channels=1, input_size=size)
    if isinstance(spec, ConvNeXt):  # channels first throughout
        return zoo.changed(spec, widths=(2, 2, 2, 2), conv_mlp=True, in_channels=1, input_size=size)
    if isinstance(spec, RegNet):
        return zoo.changed(spec, widths=(2, 2, 2, 2), group_width=1, stem_width=2, in_channels=1, input_size=size,
                           se_reduction=min(spec.se_reduction, 1))  # fmt: skip
    if isinstance(spec, IResNet):
        return zoo.changed(spec, width=1, num_classes=2, in_channels=1, input_size=size)
    if spec.body != "plain":
        return zoo.changed(spec, width=4, stem_width=4, in_channels=1, base_width=64, groups=min(spec.groups, 2),
                           split_reduction=1, split_least=4, input_size=size)  # fmt: skip
    if spec.antialias == "average" and spec.projection_pool:  # their pools part at an odd side
        size = tuple(-(-side // 32) * 32 for side in size)
    return zoo.changed(
        spec, head="pool", norm="batch", weight_standardization=False, width=1, stem_width=2, in_channels=1, base_width=64, groups=min(spec.groups, 2), reduce_first=1,
        se_reduction=min(spec.se_reduction, 1), input_size=size,
    )  # fmt: skip


def predicted(row, field, place, size):
    """The pixels that a neuron should see, clipped to the input, as (height, width) of bool."""
    mask = torch.zeros(size, dtype=torch.bool)
    (top, bottom), (left, right) = (axis.seen(at) for axis, at in zip(field, place, strict=True))
    mask[top : bottom + 1, left : right + 1] = True
    return mask


def check(spec, is_wanted):
    """Predicts and measures neurons in two corners and the middle of each wanted row's output."""
    rows = rows_of(spec)
    positive = Positive(spec, gates=False)
    modules = dict(positive.net.named_modules())
    found = {
        row.path: (row, field)
        for row, field in zip(rows, fields(rows), strict=True)
        if len(row.output) == 3 and row.path in modules and row.role != "gate" and is_wanted(row)
    }
    places = {}
    for path, (row, (height, _)) in found.items():
        _, h, w = row.output
        # windows that do not step evenly are predicted for the first neuron alone
        places[path] = {(0, 0), (h // 2, w // 2), (h - 1, w - 1)} if height.stride else {(0, 0)}
    assert places
    for path, place, measured in positive.seen(spec.input_shape, places):
        if (
            getattr(spec, "body", "") == "sk"
        ):  # of windows that border unlike, no rectangle in a corner
            measured = measured.any(1)[:, None] & measured.any(0)
        assert torch.equal(measured, predicted(*found[path], place, spec.input_size)), (path, place)


@everyday(zoo.NETWORKS)
def test_blocks_see_what_has_a_gradient(spec):
    """In every network: size and position, pixel by pixel; the last block in each stage and others.

    The input is higher than the last field and narrow, so that one side is clipped by the borders.
    """
    rows = rows_of(spec)
    _, field = last_stage(rows)
    size = (field.size + 3 * field.stride, 45) if field.size < 1000 else (64, 45)
    ends = [r.path for r in rows if r.layer.operator in ("addition", "max pool")]
    ends = ends or [r.path for r in rows if r.layer.operator == "convolution"]  # plain, on 32×32
    wanted = {*ends[:: len(ends) // 5 + 1], ends[-1]}
    check(narrow(spec, size), lambda row: row.path in wanted)


@pytest.mark.parametrize("size", [(97, 64), (33, 224)])
@pytest.mark.parametrize("spec", FAMILIES, ids=lambda spec: spec.family)
def test_layers_see_what_has_a_gradient(spec, size):
    """A network of each family: every layer, projection and pooling, and the global pooling."""
    if len(spec.stages) == 3:
        spec = zoo.changed(spec, stages=(2, 2, 2))
    check(narrow(spec, size), lambda row: row.path != "relu")


@given(
    block=st.sampled_from(["basic", "bottleneck"]),
    stages=st.tuples(*[st.integers(1, 2)] * 4),
    shortcut=st.sampled_from(["A", "B", "C", "none"]),
    style=st.sampled_from(["v1", "v1.5"]),
    stem=st.sampled_from(["7x7", "3x3", "deep"]),
    preact=st.booleans(),
    pool=st.booleans(),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
)
@settings(max_examples=40, deadline=None)
def test_any_network_sees_what_has_a_gradient(
    block, stages, shortcut, style, stem, preact, pool, size
):
    """Any blocks and shortcuts on inputs of any size, down to one pixel."""
    spec = ResNet("x", "x", block, stages, shortcut, style, stem, stem_width=2, width=1, preact=preact,
                  projection_pool=pool, in_channels=1, input_size=size)  # fmt: skip
    check(spec, lambda row: row.layer.operator in ("addition", "convolution", "average pool"))


@pytest.mark.parametrize("name", ["se-resnet18", "se-resnext50_32x4d"])
def test_a_gate_sees_the_whole_input(name):
    """With its gates a neuron behind the first one has a gradient at every pixel; before it, not."""
    spec = narrow(zoo.find(name), (230, 120))
    for path, _, measured in Positive(spec).seen(
        spec.input_shape, {"layer1.0.conv2": [(9, 9)], "layer1.0": [(9, 9)], "layer4": [(0, 0)]}
    ):
        assert measured.all() == (path != "layer1.0.conv2")


@pytest.mark.parametrize(
    ("name", "changes", "size", "padding"),
    [
        ("resnet50", {}, 483, 239 + 2), ("resnet101", {}, 1027, 511 + 2),
        ("resnet152", {}, 1507, 751 + 2), ("preact-resnet200", {"style": "v1"}, 1763, 879 + 2),
        ("vgg16", {}, 212, 90),
    ],
)  # fmt: skip
def test_published_receptive_fields(name, changes, size, padding):
    """Araujo et al. 2019's table; their max pool of ResNets pads at the right alone: 2 pixels less."""
    spec = zoo.changed(zoo.find(name), **changes)
    stage, field = last_stage(rows_of(spec))
    assert (stage, field.size, field.stride, -field.start) == ("conv5_x", size, 32, padding)


def test_the_stride_in_the_3x3_sees_less():
    """v1.5: 11 + 3·8, + 8 + 3·16, + 16 + 5·32, + 32 + 2·64 = 427 where v1 has 483."""
    out, _ = run("receptive-field", "resnet50-v1.5", "--json")
    answer = json.loads(out)
    assert [row["receptive_field"] for row in answer["rows"]] == [
        [7, 7], [35, 35], [91, 91], [267, 267], [427, 427], [619, 619],
    ]  # fmt: skip
    assert [row["stride"] for row in answer["rows"]] == [2, 4, 8, 16, 32, None]
    assert answer["rows"][-1]["seen"] == [224, 224]
    assert any("427 pixels" in note and "483 with it" in note for note in answer["notes"])


def test_vggs_windows_lie_between_pixels():
    """Even windows have their middle half way: conv1_x of VGG is 3 + 2 pixels and a 2×2 pool."""
    first = json.loads(run("receptive-field", "vgg16", "--json")[0])["rows"][0]
    assert (first["receptive_field"], first["padding"], first["centre"]) == ([6, 6], 2, 0.5)


@ZOO
def test_a_field_grows_from_block_to_block(spec):
    """No block sees less than the one before it, nor steps by less; the classifier sees it all."""
    rows = rows_of(spec)
    found = fields(rows)
    main = [
        f[0] for row, f in zip(rows, found, strict=True) if row.role == "main" and row.stage != "fc"
    ]
    for before, after in pairwise(main):
        assert after.size >= before.size and after.stride >= before.stride
        assert after.start <= before.start
    assert [a.seen(0) for a in found[-1]] == [(0, n - 1) for n in spec.input_size]


@everyday(zoo.NETWORKS)
def test_feature_maps_are_those_of_the_built_module(spec):
    """Each path is a module, whose first output has the predicted shape; strides halve the size."""
    maps = features(rows_of(spec))
    net = build(spec, device="meta")
    measured = {}

    def keep(path):
        def first(_module, _inputs, y):
            measured.setdefault(path, tuple(y.shape[1:]))

        return first

    for feature in maps:
        net.get_submodule(feature.path).register_forward_hook(keep(feature.path))
    with torch.no_grad():
        net.eval()(torch.zeros(1, *spec.input_shape, device="meta"))
    assert measured == {f.path: f.shape for f in maps}
    assert [f.name for f in maps] == [f"C{i + 1}" for i in range(len(maps))]
    for feature in maps:
        assert [n // feature.stride for n in spec.input_size] == list(feature.shape[1:])


def test_heads_get_resnet50s_channels_and_strides():
    """256 to 2048 channels at strides 4 to 32, as FPN takes C2 to C5 (Lin et al. 2017, Sec. 3)."""
    rows = json.loads(run("features", "resnet50-v1.5", "--json")[0])["rows"]
    assert [(r["name"], r["path"], r["channels"], r["stride"]) for r in rows[1:]] == [
        ("C2", "layer1", 256, 4), ("C3", "layer2", 512, 8),
        ("C4", "layer3", 1024, 16), ("C5", "layer4", 2048, 32),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["resnet50-v1.5", "vgg16_bn", "preact-resnet18", "resnet20"])
def test_the_lines_to_copy_name_every_path_and_index(name):
    """They are Python; return_nodes has the rows' paths and names, out_indices as many."""
    answer = resnet_cli.features(name).data()
    given = {
        node.arg: ast.literal_eval(node.value)
        for code in snippets(load(name)) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.keyword)
    }  # fmt: skip
    assert given["return_nodes"] == {row["path"]: row["name"] for row in answer["rows"]}
    if name in TIMM:
        assert given["out_indices"] == tuple(range(len(answer["rows"])))


def test_a_changed_network_is_not_sold_as_torchvisions():
    """With other channels the line asks for the network's own module; another size changes nothing."""
    assert "torchvision.models.resnet18()" in run("features", "resnet18", "--input-size", "64")[0]
    changed, _ = run("features", "resnet18", "--width", "32")
    assert "torchvision.models.resnet" not in changed and "timm" not in changed


@pytest.mark.parametrize("width", [80, 120])
def test_the_lines_to_copy_are_python_as_a_terminal_shows_them(width):
    """What stands before the other notes is copied with its line breaks, and compiles."""
    shown = terminal_table.render(resnet_cli.features("resnet50-v1.5"), False, width, False)
    code = shown.partition("# torchvision\n")[2].partition("channels of ")[0]
    assert [type(line) for line in ast.parse(code).body] == [
        ast.Import, ast.ImportFrom, ast.Assign, ast.Import, ast.Assign
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet50-v1.5", "resnet50-d", "se-resnet50", "vgg11_bn"]
)
def test_the_lines_to_copy_run(name):
    """torchvision's and timm's extractors put out the predicted shapes, where they are installed."""
    library("timm")
    answer = json.loads(run("features", name, "--input-size", "96", "--json")[0])
    shapes = [[row["channels"], *row["size"]] for row in answer["rows"]]
    for code in snippets(load(name)):
        if "(model" in code:
            continue
        names = {}
        exec(code, names)
        maps = names["backbone"].eval()(torch.zeros(1, 3, 96, 96))
        found = list(maps.values()) if isinstance(maps, dict) else maps
        assert [list(one.shape[1:]) for one in found] == shapes


def test_an_untouched_network_sees_no_more():
    """With its own max pool, norms and random weights: over a few inputs, just the predicted square."""
    spec = zoo.changed(zoo.find("resnet18"), input_size=(160, 130))
    rows = rows_of(spec)
    field = dict(zip((row.path for row in rows), fields(rows), strict=True))["layer2.1"]
    net = build(spec, seed=0).eval().double()
    kept = []
    net.get_submodule("layer2").register_forward_hook(lambda _module, _inputs, y: kept.append(y))
    seen = torch.zeros(spec.input_size, dtype=torch.bool)
    for seed in range(4):
        x = torch.rand(1, 3, 160, 130, generator=torch.Generator().manual_seed(seed))
        x = x.double().requires_grad_()
        net(x)
        seen |= torch.autograd.grad(kept.pop()[0, :, 10, 8].sum(), x)[0][0].abs().sum(0) != 0
    (top, bottom), (left, right) = field[0].seen(10), field[1].seen(8)
    places = seen.nonzero()
    assert places.min(0).values.tolist() == [top, left]
    assert places.max(0).values.tolist() == [bottom, right]
