"""The recogniser: which network, how sure, and what differs, from names and shapes alone."""

import re
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from listed import FAMILIES, ZOO, everyday, rows_of

from resnet_cli.checkpoints.container.contents import TensorInfo
from resnet_cli.checkpoints.identify.known import most_alike, same, told
from resnet_cli.checkpoints.identify.naming import WRAPPERS, find_state_dict
from resnet_cli.checkpoints.identify.recognise import named, recognise
from resnet_cli.checkpoints.identify.schemes import SCHEMES
from resnet_cli.designs import names, zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.published.names import names as library_names
from resnet_cli.trace import state_dict

KEYS = Path(__file__).parent / "data" / "keys"
RESNETS = [spec for spec in zoo.NETWORKS if isinstance(spec, ResNet)]


def tensors(shapes):
    return {name: TensorInfo(shape, "float32") for name, shape in shapes.items()}


@cache
def shapes_of(spec):
    return state_dict(rows_of(spec))


def learned(shapes):
    left_out = ("running_mean", "running_var", "num_batches_tracked")
    return {name: shape for name, shape in shapes.items() if not name.endswith(left_out)}


def recognised(shapes):
    return recognise(named(tensors(shapes)))


def fits(found):
    """The names of the networks that a file may be."""
    return [each.network for each in found.candidates]


def may_be(found, spec):
    """Whether a network is among those that a file may be."""
    return any(each.spec and same(each.spec, spec) for each in found.candidates)


def recorded(name):
    lines = (line.partition(" ") for line in (KEYS / f"{name}.txt").read_text().splitlines()[1:])
    return {key: tuple(map(int, shape.split("x"))) if shape else () for key, _, shape in lines}


@pytest.mark.parametrize(
    ("file", "scheme", "prefix", "network", "settled", "others"),
    [
        ("torchvision-resnet18", "torchvision", "", "resnet18", False, ["timm:resnetblur18"]),
        ("torchvision-resnet50", "torchvision", "", "resnet50-v1.5", False, ["resnet50", "timm:resnetaa50", "timm:resnetblur50"]),
        ("torchvision-resnext50_32x4d", "torchvision", "", "resnext50_32x4d", True, []),
        ("torchvision-wide_resnet50_2", "torchvision", "", "wide_resnet50_2", True, []),
        ("torchvision-vgg11", "torchvision's VGGs", "", "vgg11", True, []),
        ("torchvision-vgg16_bn", "torchvision's VGGs", "", "vgg16_bn", True, []),
        ("timm-resnet18d", "torchvision", "", "resnet18-d", True, []),
        ("timm-resnet50d", "torchvision", "", "resnet50-d", False, ["timm:resnetaa50d", "timm:resnetblur50d"]),
        ("timm-seresnet50", "torchvision", "", "timm:seresnet50", False, ["se-resnet50", "timm:legacy_seresnet50"]),
        ("timm-legacy_seresnet50", "legacy SENets", "", "timm:legacy_seresnet50", True, []),
        ("timm-resnetv2_50", "timm's pre-activation ResNets", "", "timm:resnetv2_50", True, []),
        ("timm-resnetv2_50d", "timm's pre-activation ResNets-D", "", "timm:resnetv2_50d", True, []),
        ("timm-vgg11", "timm's VGGs", "", "vgg11", True, []),
        ("huggingface-resnet18", "Hugging Face", "resnet.", "resnet18", True, []),
        ("huggingface-resnet50", "Hugging Face", "resnet.", "resnet50-v1.5", False, ["resnet50"]),
        ("caffe-resnet50", "Caffe", "", "resnet50", False, ["resnet50-v1.5"]),
        ("caffe-resnet101", "Caffe", "", "resnet101", False, ["resnet101-v1.5"]),
        ("detectron2-resnet50", "detectron2", "backbone.bottom_up.", "resnet50", False, ["resnet50-v1.5"]),
    ],
)  # fmt: skip
def test_recorded_key_lists_are_named(file, scheme, prefix, network, settled, others):
    """What real libraries write: the scheme, the prefix, the network or those that it may be, and 1000 classes."""
    content = named(tensors(recorded(file)))
    found = recognise(content)
    assert (content.naming.scheme, content.naming.prefix) == (scheme, prefix)
    assert (fits(found), found.settled) == ([network, *others], settled)
    assert found.sure == ("backbone exact" if scheme == "detectron2" else "exact")
    assert found.spec.num_classes == 1000 and found.spec.in_channels == 3


def test_what_stands_beside_a_backbone_is_no_difference():
    """A detector's pyramid and heads are set apart; only the classifier is missing."""
    content = named(tensors(recorded("detectron2-resnet50")))
    assert len(content.naming.beside) == 6
    assert recognise(content).words == ["missing in the file: 2 tensors of fc"]


def test_every_recorded_list_is_in_a_test():
    """No list lies there unused."""
    text = Path(__file__).read_text()
    assert all(f'"{file.stem}"' in text for file in KEYS.iterdir())


@ZOO
def test_a_network_is_recognised_by_its_own_tensors(spec):
    """Exactly, by its own name or as one of those that have the same tensors."""
    found = recognised(shapes_of(spec))
    assert found.sure == "exact" and not found.differences and not found.words
    assert spec.name in fits(found) and load(found.network).spec == found.spec


DESCRIBED = [*zoo.NETWORKS, *(names.spec_of(row) for row in library_names() if not row.differs)]


@pytest.mark.slow
def test_all_that_fit_have_the_same_tensors():
    """The networks that a file may be are all of those described, of any library, with equal names and shapes."""
    by_tensors = {}
    for spec in DESCRIBED:
        tensors = shapes_of(zoo.changed(spec, num_classes=7, input_size=(64, 64)))
        by_tensors.setdefault(tuple(tensors.items()), []).append(spec)
    for group in by_tensors.values():
        shapes = shapes_of(group[0])
        found = recognised(shapes)
        assert all(may_be(found, spec) for spec in group)
        for each in found.candidates:
            assert (
                not each.spec
                or getattr(each.spec, "stem", "") == "3x3"
                or any(same(each.spec, spec) for spec in group)
                or left_out(shapes_of(each.spec), shapes)
            )


def left_out(whole, shapes):
    """Whether a network's tensors are these, if a file may lack statistics and a classifier."""
    without = {name: shape for name, shape in whole.items() if not name.startswith("fc.")}
    return shapes in (learned(whole), without)


@pytest.mark.parametrize(
    "prefix",
    ["module.", "backbone.", "encoder.", "_orig_mod.", "resnet.", "model.", "module.encoder_q.",
     "_orig_mod.module.model.backbone.body."],
)  # fmt: skip
def test_prefixes_are_stripped(prefix):
    """Whatever stands before the names of a network of each family."""
    for spec in FAMILIES:
        content = named(tensors({prefix + name: s for name, s in shapes_of(spec).items()}))
        found = recognise(content)
        assert content.naming.prefix == prefix
        assert found.sure == "exact" and may_be(found, spec)


@pytest.mark.parametrize("outer", ["", "module.", "_orig_mod.module."])
def test_a_classifier_may_stand_beside_the_prefix(outer):
    """backbone.conv1.weight beside fc.weight, both below what a wrapper adds."""
    shapes = {
        outer + ("" if name.startswith("fc.") else "backbone.") + name: shape
        for name, shape in shapes_of(zoo.find("resnet18")).items()
    }
    assert recognised(shapes).sure == "exact"


@pytest.mark.parametrize(
    "path", [*WRAPPERS, "teacher.state_dict", "ema.module", "checkpoint.0.model", "anything"]
)
def test_wrappers_are_opened(path):
    """The tensors are found beside an epoch and an optimizer, under any name and in lists."""
    content = tensors(shapes_of(zoo.find("resnet18")))
    for key in reversed(path.split(".")):
        content = [content] if key == "0" else {key: content}
    momentum = {
        i: {"exp_avg": tensor} for i, tensor in enumerate([TensorInfo((64,), "float32")] * 99)
    }
    optimizer = {"state": momentum, "param_groups": [{"lr": 0.1, "params": [*range(99)]}]}
    wrapped = named({"epoch": 90, "optimizer": optimizer, **content, "args": None})
    assert wrapped.wrapper == path
    assert recognise(wrapped).spec.name == "resnet18"


def test_the_larger_state_dict_is_taken_and_of_equals_the_trained_one():
    """A probe's head is not the network; of student, teacher and averages the student is read."""
    net, head = tensors(shapes_of(zoo.find("resnet18"))), tensors({"fc.weight": (10, 512)})
    assert find_state_dict({"state_dict": head, "backbone": net}, TensorInfo)[0] == "backbone"
    for first, second in [("student", "teacher"), ("state_dict", "ema"), ("model", "model_ema")]:
        assert find_state_dict({second: net, first: dict(net)}, TensorInfo)[0] == first


def test_what_training_keeps_is_not_the_network():
    """Averages by name, which are more than the weights, are passed over, and so is an optimizer."""
    net, averages = (tensors(shapes_of(zoo.find(name))) for name in ("resnet18", "resnet50"))
    assert find_state_dict({"exp_avg": averages, "optim": averages, "m": net}, TensorInfo)[0] == "m"
    assert (
        find_state_dict({"adam": {"param_groups": [], "state": averages}, "m": net}, TensorInfo)[0]
        == "m"
    )


@pytest.mark.parametrize(
    "content", [{}, [], 3, "text", None, {"a": 1}, {0: TensorInfo((1,), "int8")}]
)
def test_a_file_without_named_tensors_is_refused(content):
    """One line that says what is there instead."""
    with pytest.raises(UserError, match="no tensors by name") as refused:
        named(content)
    assert refused.value.code == 1


@pytest.mark.parametrize(("classes", "channels"), [(10, 3), (21_843, 1), (1, 4), (2, 64)])
def test_classes_and_input_channels_are_the_files(classes, channels):
    """A network of each family with another classifier and stem is still exact and keeps its name."""
    for spec in FAMILIES:
        changed = zoo.changed(spec, num_classes=classes, in_channels=channels)
        found = recognised(shapes_of(changed))
        assert found.sure == "exact" and may_be(found, spec)
        assert (found.spec.num_classes, found.spec.in_channels) == (classes, channels)


def in_scheme(scheme, name):
    """Our name in the words of a scheme: its table read backwards."""
    path, dot, tensor = name.rpartition(".")
    for theirs, ours in scheme.tensors.items():
        if name == ours:
            return theirs
        # of a ConvNeXt's layer scale and response norm
        if name.endswith(f".{ours}") and (".block.5." in name or ours.startswith("layer_scale")):
            path, tensor = name.removesuffix(f".{ours}"), theirs
    for theirs, ours in scheme.paths.items():
        pattern = re.escape(ours)
        for key in "SBNIbn":
            pattern = pattern.replace(rf"\{{{key}\}}", f"(?P<{key}>[0-9]+)")
        if scheme.name == "Caffe" and theirs.startswith(
            "scale" if tensor.startswith("running") else "bn"  # a norm is two layers there
        ):
            continue
        if match := re.fullmatch(pattern, path):
            at = {k: int(v) - scheme.shift.get(k, 0) for k, v in match.groupdict().items()}
            at |= {k: chr(ord("a") + v) if v < 3 else f"b{v}" for k, v in at.items() if k in "bn"}
            return theirs.format(**{"I": at.get("S", 1000), **at}) + dot + tensor
    return name


BODIES = {"torchvision": ("plain", "resnest"), "Res2Nets": ("res2net",), "SKNets": ("sk",)}
"""What the names of a scheme can tell, where that is not the usual body alone."""


PREACT = ("timm's pre-activation", "Wide", "Hugging Face's BiTs")
"""Names of pre-activation networks."""


def told_by(scheme):
    """The listed networks that its library's names can tell, as it has them."""
    for spec in zoo.NETWORKS:
        if type(spec) is not next(
            (k for k in (VGG, RegNet, ConvNeXt) if k.__name__ in scheme.name), ResNet
        ):
            continue
        if scheme.name.startswith("Wide") and not spec.preact_stem:
            continue
        if scheme.name == "timm's pre-activation RegNets":
            spec = zoo.changed(spec, preact=True)
        if scheme.name.startswith(PREACT) and not spec.preact:
            continue
        if scheme.name.endswith("Y alone") and not spec.se_reduction:
            continue
        if sum(spec.stages) > 60:
            continue
        if scheme.name.endswith("of width 1"):
            spec = zoo.changed(spec, preact_stem=False)
        if scheme.name.startswith("Wide") and scheme.name.endswith("of width 1") == (
            "layer1.0.downsample.0.weight" in shapes_of(spec)
        ):
            continue
        if isinstance(spec, ConvNeXt) and spec.response_norm != ("V2" in scheme.name):
            continue
        if scheme.name.endswith("before the classifier"):
            spec = zoo.changed(spec, head_width=24)
        if getattr(spec, "body", "plain") not in BODIES.get(scheme.name, ("plain",)):
            continue
        if scheme.name == "SENet-154" and spec.stem not in ("deep", "tiered"):
            continue
        if scheme.name.startswith("Wide") and not spec.preact_stem:
            continue
        if ("CLIP" in scheme.name) != (spec.family == "CLIP"):
            continue
        if scheme.name.endswith("-D"):
            spec = zoo.changed(spec, stem="deep", projection_pool=True, stages=(2, 2, 2, 2))
        yield spec


def read_back(scheme, spec):
    """The network is recognised from the library's names, and each tensor goes where it was."""
    shapes = {n: s for n, s in shapes_of(spec).items() if not n.endswith("num_batches_tracked")}
    theirs = {in_scheme(scheme, name): name for name in shapes}
    content = named(tensors({name: shapes[ours] for name, ours in theirs.items()}))
    assert len(theirs) == len(shapes)
    assert content.naming.scheme == scheme.name and content.naming.names == theirs
    assert recognise(content).sure == "exact"


@pytest.mark.parametrize("scheme", SCHEMES, ids=[scheme.name for scheme in SCHEMES])
def test_every_scheme_is_read_back(scheme):
    """Every eighth of the networks that a library's names can tell, name by name."""
    for spec in islice(told_by(scheme), 0, None, 8):
        read_back(scheme, spec)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES, ids=[scheme.name for scheme in SCHEMES])
def test_every_network_is_read_back_by_every_scheme(scheme):
    """All that its library's names can tell."""
    for spec in told_by(scheme):
        read_back(scheme, spec)


CHILDREN = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}


@pytest.mark.parametrize(
    ("name", "tops", "inside"),
    [
        ("resnet18", CHILDREN, {}),
        ("resnet50", {old: f"encoder.{new}" for old, new in CHILDREN.items()}, {}),
        ("wrn-28-10", {"norm": "bn1", "bn1": "block1.layer.0.bn1", "layer1": "block1.layer",
                       "layer2": "block2.layer", "layer3": "block3.layer"},
         {".downsample.0": ".convShortcut"}),
        ("resnet18", {"fc": "linear"}, {".downsample.": ".shortcut."}),
    ],
)  # fmt: skip
def test_schemes_without_a_recorded_list(name, tops, inside):
    """nn.Sequential(*children), the wide and the CIFAR ResNets in wide use, renamed by hand."""
    shapes = {}
    for ours, shape in shapes_of(zoo.find(name)).items():
        top, _, rest = ours.partition(".")
        theirs = f"{tops.get(top, top)}.{rest}"
        for old, new in inside.items():
            theirs = theirs.replace(old, new)
        shapes[theirs] = shape
    found = recognised(shapes)
    assert found.sure == "exact" and name in fits(found)


@ZOO
def test_without_its_classifier_the_backbone_is_exact(spec):
    """Features alone: the same network, and the classifier named as missing."""
    head = ("fc.", "classifier.", "attnpool.c_proj_")
    found = recognised({n: s for n, s in shapes_of(spec).items() if not n.startswith(head)})
    assert found.sure == "backbone exact" and spec.name in fits(found)
    assert found.words[0].startswith("missing in the file: ")
    assert any("number of classes" in clause for clause in found.cannot_tell)


@pytest.mark.parametrize("spec", [s for s in RESNETS if not s.preact], ids=lambda s: s.name)
def test_folded_batch_norm(spec):
    """Each convolution has a bias instead of a norm; whether it had one before is lost."""
    shapes = {}
    for row in rows_of(spec):
        if row.layer.operator != "batch norm":
            for name, shape in row.layer.parameters().items():
                shapes[f"{row.path}.{name}"] = shape
            if row.layer.operator == "convolution":
                shapes[f"{row.path}.bias"] = (row.layer.out_channels,)
    content = named(tensors(shapes))
    found = recognise(content)
    assert content.norm == "folded" and found.sure == "exact"
    assert spec.name.removeprefix("keras-") in fits(found)


@ZOO
def test_norms_without_statistics(spec):
    """A network whose norm keeps no statistics is exact; which norm it is cannot be told."""
    if isinstance(spec, ConvNeXt) or (isinstance(spec, VGG) and not spec.batch_norm):
        return
    content = named(tensors(learned(shapes_of(spec))))
    found = recognise(content)
    assert (content.norm, found.sure) == ("no statistics", "exact") and spec.name in fits(found)
    assert any("which norm" in clause for clause in found.cannot_tell)


@everyday([spec for spec in zoo.NETWORKS if max(spec.stages) > 1])
def test_one_changed_tensor_is_named(spec):
    """The nearest network is the one that was changed, and the words say which tensor and how."""
    shapes = dict(shapes_of(spec))
    name = [name for name, shape in shapes.items() if len(shape) == 4][-2]
    before = "×".join(map(str, shapes[name]))
    shapes[name] = (shapes[name][0] + 1, *shapes[name][1:])
    found = recognised(shapes)
    after = "×".join(map(str, shapes[name]))
    assert found.sure == "nearest" and not found.fits and told(found.spec) == told(spec)
    assert found.words == [f"{name} is {after}, the network has {before}"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_nearest_network_is_not_farther_than_the_changed_one(data):
    """After a few tensors were dropped, reshaped or added, no more differ than were touched."""
    spec = data.draw(st.sampled_from([s for s in zoo.NETWORKS if sum(s.stages) < 60]))
    shapes = {n: s for n, s in shapes_of(spec).items() if not n.endswith("num_batches_tracked")}
    names = st.sampled_from([name for name in shapes if name != "features.0.weight"])
    touched = data.draw(st.sets(names, max_size=4))
    for name in touched:
        change = data.draw(st.sampled_from(["drop", "reshape", "rename"]))
        shape = shapes.pop(name)
        if change != "drop":
            shapes[name if change == "reshape" else f"x.{name}"] = (shape[0] * 2, *shape[1:])
    renamed = sum(name.startswith("x.") for name in shapes)
    found = recognised(shapes)
    assert len(found.differences) <= len(touched) + renamed
    assert (found.sure == "exact") == (not found.differences)


@settings(max_examples=8, deadline=None)
@given(stage=st.integers(1, 4), lengths=st.tuples(*[st.integers(3, 9)] * 4))
def test_the_nearest_network_is_the_nearest_of_all(stage, lengths):
    """No network of the zoo has fewer differences, though few of them are looked at."""
    spec = zoo.changed(zoo.find("resnet50"), stages=lengths)
    dropped = f"layer{stage}.0.conv3.weight"  # without the first stage's nothing can be inferred
    content = named(tensors({n: s for n, s in shapes_of(spec).items() if n != dropped}))
    found = recognise(content)
    assert found.differences
    for other in zoo.NETWORKS:
        if sum(other.stages) < 60:
            assert len(found.differences) <= len(content.differences(other))


@pytest.mark.parametrize(
    "names",
    [
        ["features.0.0.weight", "features.1.conv.0.0.weight", "classifier.1.weight"],
        ["features.conv0.weight", "features.denseblock1.denselayer1.conv1.weight"],
        ["features.0.weight", "features.3.squeeze.weight", "features.3.expand1x1.weight"],
        ["blocks.0.attn.qkv.weight", "patch_embed.proj.weight", "head.weight"],
        ["layer1.0.conv1.weight"],
        ["x"],
    ],
)
def test_other_networks_are_refused(names):
    """MobileNets, DenseNets, SqueezeNets, transformers: no network is made up for them."""
    with pytest.raises(UserError, match="no residual network") as refused:
        recognised(dict.fromkeys(names, (8, 8, 3, 3)))
    assert refused.value.code == 1 and refused.value.hint


@st.composite
def specs(draw):
    """Residual networks and VGGs of one's own, over every field that tensors show."""
    if draw(st.booleans()) and draw(st.booleans()):
        stages = draw(st.tuples(*[st.integers(1, 3)] * 5))
        return VGG("own", "own", stages, draw(st.booleans()), draw(st.integers(1, 9)), 5, 2)
    block = draw(st.sampled_from(["basic", "bottleneck"]))
    stem = draw(st.sampled_from(["7x7", "3x3", "deep"]))
    bottleneck = {"groups": draw(st.integers(1, 5)), "base_width": draw(st.integers(1, 130))}
    body = draw(st.sampled_from(["plain", "plain", "res2net", "sk", "resnest"]))
    parted = {
        "body": body,
        "splits": draw(st.integers(1, 4)),
        "split_input": body == "sk" and draw(st.booleans()),
        "split_reduction": draw(st.sampled_from([2, 4, 16])),
        "split_least": draw(st.integers(1, 40)),
    }
    try:
        return ResNet(
            "own", "own", block,
            stages=(*draw(st.lists(st.integers(1, 3), min_size=3, max_size=4)),),
            shortcut=draw(st.sampled_from(["A", "B", "C", "none"])),
            stem=stem, stem_width=2 * draw(st.integers(1, 40)), width=4 * draw(st.integers(1, 20)),
            preact=draw(st.booleans()), se_reduction=draw(st.sampled_from([0, 0, 2, 4, 16])),
            conv_bias=draw(st.booleans()), projection_norm=draw(st.booleans()),
            projection_pool=draw(st.booleans()), num_classes=draw(st.integers(1, 99)),
            in_channels=draw(st.integers(1, 9)), input_size=(64, 64),
            **(bottleneck if block == "bottleneck" else {}), **(parted if body != "plain" else {}),
        )  # fmt: skip
    except UserError:
        assume(False)


@settings(max_examples=300, deadline=None)
@given(spec=specs())
def test_networks_of_ones_own_are_inferred(spec):
    """Every field that shows is read back: the inferred network has the same tensors."""
    found = recognised(shapes_of(spec))
    assert found.sure == "exact"
    assert shapes_of(found.spec) == shapes_of(spec)


def test_an_unlisted_network_is_told_by_a_listed_one():
    """resnet50-d with other numbers of blocks; the base differs in one field."""
    for base, changes in [
        ("resnet50-d", {"stages": (2, 3, 3, 2)}),
        ("se-resnext101_32x4d", {"groups": 16}),
        ("resnet18", {"width": 96}),
        ("vgg16_bn", {"width": 32}),
    ]:
        found = recognised(shapes_of(zoo.changed(zoo.find(base), **changes)))
        assert found.spec.name == "unlisted" and most_alike(found.spec).name == base, base


def test_formulas_count_as_listed():
    """WRN-34-10 and the 6n + 2 and 9n + 2 layers are named though no table has them."""
    for spec in (zoo.find("wrn-34-10"), zoo.find("resnet62"), zoo.find("resnet83")):
        assert recognised(shapes_of(spec)).spec.name == spec.name


def test_a_basic_block_has_no_stride_to_choose():
    """A network of one's own is read as it was described: v1, as no library strides elsewhere."""
    spec = zoo.changed(zoo.find("resnet18"), stages=(1, 1, 1, 1))
    assert recognised(shapes_of(spec)).spec.style == spec.style == "v1"


def test_what_weights_cannot_tell_is_said():
    """v1 or v1.5 for bottlenecks, plain or option A without projections; the taken one is named."""
    style, never = recognised(recorded("torchvision-resnet50")).cannot_tell
    assert "v1.5 is taken" in style
    shortcut, *_ = recognised(shapes_of(zoo.find("resnet20"))).cannot_tell
    assert "option A is taken" in shortcut
    # of any residual network
    assert recognised(shapes_of(zoo.find("resnet18"))).cannot_tell == [never]
    assert never.startswith("what leaves no tensor: pools, paddings, dilation, activations")


def test_counters_of_batches_do_not_matter():
    """Files from before torch 0.4.1 have none and are exact."""
    shapes = shapes_of(zoo.find("preact-resnet50"))
    assert recognised({n: s for n, s in shapes.items() if "tracked" not in n}).sure == "exact"


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=30)
        | st.from_regex(r"(layer[0-9]\.[0-9]\.|features\.[0-9]\.|)(conv|bn|fc)[0-9]?\.weight", fullmatch=True),
        st.lists(st.integers(0, 2**40), max_size=5).map(tuple),
        max_size=20,
    )
)  # fmt: skip
def test_any_names_and_shapes_are_answered(shapes):
    """Whatever a file holds is recognised or refused, in printable words."""
    try:
        found = recognised(shapes)
        said = [*found.words, *found.cannot_tell]
    except UserError as refused:
        said = [refused.what]
    assert all(text.isprintable() and len(text) < 2000 for text in said)


def test_hostile_names_stay_small():
    """Names of a million letters or of control characters appear cut and written out."""
    shapes = {**shapes_of(zoo.find("resnet18")), "\x1b[2J\u202e": (1,), "a" * 10**6: (1,)}
    words = recognised(shapes).words
    assert words and all(text.isprintable() and len(text) < 500 for text in words)
    with pytest.raises(UserError) as refused:
        recognised({"\x9b31m" * 10**6: (1,), "\ud800": (2,)})
    assert refused.value.what.isprintable() and len(refused.value.what) < 300


def test_a_million_names_are_answered():
    """As many as a file may hold: refused like any other, without a network of that size built."""
    names = (f"layer1.{block}.conv1.weight" for block in range(10**6))
    shapes = dict.fromkeys([*names, "layer1.0.conv2.weight"], (64, 64, 3, 3))
    with pytest.raises(UserError, match="1,000,002 in all"):
        recognised({**shapes, "conv1.weight": (64, 3, 7, 7)})
