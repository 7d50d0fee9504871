"""What settles which network a weight file is: names, words beside it, what somebody says; and what is done where nothing does."""

import json
import os
from collections import Counter
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import library
from listed import rows_of
from program import run
from test_identify import safetensors
from test_recognise import recorded
from usual import weights

import resnet_cli
from resnet_cli.analyses.cost.counts import totals
from resnet_cli.checkpoints.container.contents import TensorInfo
from resnet_cli.checkpoints.identify.metadata import MOST_BYTES, said
from resnet_cli.checkpoints.identify.recognise import named, recognise
from resnet_cli.designs import names, zoo
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.published.names import names as library_names
from resnet_cli.trace import state_dict

DESCRIBED = [
    *zoo.NETWORKS,
    *(names.spec_of(row) for row in library_names() if not row.differs),
]
LIGHT = [  # a file without a classifier may be of a network with one
    spec for spec in DESCRIBED if sum(spec.stages) <= 60 and getattr(spec, "head", "") != "none"
]


@cache
def shapes_of(model):
    return state_dict(rows_of(model))


def found(shapes):
    return recognise(named({name: TensorInfo(shape, "float32") for name, shape in shapes.items()}))


def renamed(model, *pairs):
    """A network's shapes under other names: each old part of a name by the new one, in turn."""
    shapes = {}
    for name, shape in shapes_of(model).items():
        for old, new in pairs:
            name = name.replace(old, new)
        shapes[name] = shape
    return shapes


def others(recognised):
    return [each.network for each in recognised.candidates[1:]]


# names


def test_names_of_one_library_alone_settle():
    """Legacy SENets pool as Caffe does; xternalz' WRN of width 1 has an identity before its first norm."""
    legacy = {}
    for name, shape in shapes_of("se-resnet50").items():
        top, _, rest = name.partition(".")
        top = {"conv1": "layer0.conv1", "bn1": "layer0.bn1", "fc": "last_linear"}.get(top, top)
        legacy[f"{top}.{rest.replace('.se.', '.se_module.')}"] = shape
    told = found(legacy)
    assert (told.network, told.settled, others(told)) == ("timm:legacy_seresnet50", True, [])
    assert told.spec.stem_pool == "ceil"
    wide = {}
    for name, shape in shapes_of("wrn-40-1:preact_stem=false").items():
        top, _, rest = name.partition(".")
        top = {"norm": "bn1"}.get(
            top, top.replace("layer", "block") + ".layer" * top.startswith("layer")
        )
        wide[f"{top}.{rest.replace('downsample.0', 'convShortcut')}"] = shape
    told = found(wide)
    assert (told.network, told.settled) == ("wrn-40-1:preact_stem=false", True)


def test_akamasters_networks_are_open_and_pad_on_both_sides():
    """Their names are those of others: zeros on both sides are the usual reading, at the end and no shortcut the others."""
    told = found(renamed("resnet20", ("fc.", "linear.")))
    assert (told.network, told.settled) == ("akamaster/resnet20", False)
    assert others(told) == ["plain20", "resnet20"]


def test_a_segmentation_networks_backbone_is_dilated():
    """torchvision's fcn_resnet50: stride 8 at the end, told by the last convolution of its head."""
    shapes = {
        f"backbone.{name}": shape
        for name, shape in shapes_of("resnet50").items()
        if not name.startswith("fc.")
    }
    assert not found(shapes).settled
    shapes |= {"classifier.0.weight": (512, 2048, 3, 3), "classifier.4.weight": (21, 512, 1, 1)}
    told = found(shapes)
    assert told.network.startswith("resnet50-v1.5:output_stride=8") and told.settled


def test_a_3x3_stem_may_have_a_pool():
    """Whoever puts a 3×3 into torchvision's keeps its pool, or not; kuangliu's names are of networks without."""
    shapes = shapes_of("resnet18:stem=3x3,num_classes=10")
    told = found(shapes)
    assert (told.network, told.settled) == ("kuangliu/ResNet18", False)
    assert "stem_pool=max" in others(told)[0]
    theirs = renamed(
        "resnet18:stem=3x3,num_classes=10", ("fc.", "linear."), ("downsample", "shortcut")
    )
    assert found(theirs).settled


def test_what_thop_leaves_is_no_tensor_of_a_network():
    """total_ops and total_params in every module that it has counted."""
    counted = {
        f"{name.rpartition('.')[0]}.{of}": (1,)
        for name in shapes_of("resnet18")
        for of in ("total_ops", "total_params")
    }
    told = found(shapes_of("resnet18") | counted | {"total_ops": (1,), "total_params": (1,)})
    assert (told.network, told.sure) == ("resnet18", "exact")


@pytest.mark.parametrize(
    ("model", "network"),
    [
        ("resnet20:shortcut=B", "resnet20:shortcut=B"),
        ("resnet50-d:stages=2-3-2-2", "resnet50-d:stages=2-3-2-2"),
        ("resnet50:stages=3-9-6-3", "resnet50-v1.5:stages=3-9-6-3"),
        ("plain20:stages=3-3-4", "resnet20:stages=3-3-4"),
        ("resnet50:num_classes=7,in_channels=1", "resnet50-v1.5:num_classes=7,in_channels=1"),
    ],
)
def test_an_answer_names_all_that_tells_it_from_a_listed_network(model, network):
    """The stride's place too; what has shortcuts is not told by a plain network."""
    assert found(shapes_of(model)).network == network


def learnable(shapes):
    ends = ("running_mean", "running_var", "num_batches_tracked")
    return {name: shape for name, shape in shapes.items() if not name.endswith(ends)}


def check_typed_back(spec):
    """A file without statistics may be a batch-norm network's that lost them, but is not taken as one."""
    shapes = shapes_of(spec)
    told = found(shapes)
    for at, each in enumerate(told.candidates):
        if each.spec:
            again = load(each.network)
            as_told = learnable if at else dict
            assert as_told(state_dict(again.rows)) == as_told(shapes)
            assert totals(again.rows)["macs"] == each.macs


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from(LIGHT), st.sampled_from([2, 10, 1000]), st.sampled_from([1, 3]),
    st.sampled_from([None, 2, 5]),
)  # fmt: skip
def test_what_is_printed_typed_back_is_the_same_network(spec, classes, channels, last):
    """For the network that is taken and for every other one: its tensors, and the MACs that are printed."""
    stages = (*spec.stages[:-1], last or spec.stages[-1])
    check_typed_back(zoo.changed(spec, num_classes=classes, in_channels=channels, stages=stages))


@pytest.mark.slow
def test_every_described_network_is_typed_back():
    """Of all libraries, and any size."""
    for spec in LIGHT:
        check_typed_back(spec)


# words


def huggingface(path):
    """A file with transformers' names of ResNet-50."""
    return safetensors(path / "model.safetensors", recorded("huggingface-resnet50"))


@pytest.mark.parametrize(
    ("config", "network", "settled"),
    [
        ({"model_type": "resnet", "downsample_in_bottleneck": True}, "resnet50", True),
        ({"model_type": "resnet", "hidden_act": "relu"}, "resnet50-v1.5", True),
        ({"model_type": "resnet", "hidden_act": "silu"}, "resnet50-v1.5:activation=SiLU", True),
        ({"model_type": "resnet", "hidden_act": "selu"}, "resnet50-v1.5", False),
        ({"model_type": "resnet", "downsample_in_first_stage": True}, "resnet50-v1.5", False),
        ({"model_type": "bert"}, "resnet50-v1.5", False),
        ({}, "resnet50-v1.5", False),
    ],
)  # fmt: skip
def test_transformers_config_says_where_it_strides(tmp_path, config, network, settled):
    """downsample_in_bottleneck is v1; what cannot be described settles nothing."""
    file = huggingface(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config))
    answer = json.loads(run("identify", file, "--json")[0])
    assert (answer["network"], answer["settled"]) == (network, settled)
    assert ("config.json beside it says so" in (answer["by"] or "")) == settled
    run("flops", file, "--strict", code=int(not settled))


def test_timms_config_names_its_network(tmp_path):
    """Where the tensors are that network's; one of another network is not believed, and said so."""
    file = weights(tmp_path, "resnet50")
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "resnetaa50.a1h_in1k"}))
    answer = json.loads(run("identify", file, "--json")[0])
    assert (answer["network"], answer["settled"]) == ("timm:resnetaa50", True)
    assert len(answer["candidates"]) == 1 and answer["total"]["macs"] == 5_129_633_792
    for config, why in [
        ({"architecture": "resnet34"}, "names resnet34, whose tensors these are not"),
        ({"architecture": "resnetaa50", "model_args": {"act_layer": "silu"}}, "which are not read"),
        ({"architecture": "vit_tiny"}, "not described here"),
    ]:
        (tmp_path / "config.json").write_text(json.dumps(config))
        answer = json.loads(run("identify", file, "--json")[0])
        assert not answer["settled"] and any(why in note for note in answer["notes"])


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff", b"[]", b"null", b"[" * 100_000, b'{"a":' * 100_000, b"{" + b" " * MOST_BYTES + b"}",
        b'{"architecture": ' + b"9" * 10_000 + b"}", b'{"architecture": "\\u001b[2J"}',
        b'{"architecture": "../../etc/passwd"}', b'{"architecture": "' + b"x" * 100_000 + b'"}', None,
    ],
    ids=range(12),
)  # fmt: skip
def test_no_config_does_harm(tmp_path, content):
    """Whatever lies beside a file is a hint: it is bounded, names no path, and the file is read without it."""
    file = weights(tmp_path, "resnet20")
    config = tmp_path / "config.json"
    if content is None:
        os.mkfifo(config)
    else:
        config.write_bytes(content)
    answer = json.loads(run("identify", file, "--json")[0])
    assert answer["network"] == "resnet20" and not answer["settled"]
    assert all(note.isprintable() and len(note) < 500 for note in answer["notes"])


def test_a_training_script_says_which_it_was():
    """``arch``, as pytorch/examples and timm store it beside the state dict."""
    state = {name: TensorInfo(shape, "float32") for name, shape in shapes_of("resnet50").items()}
    for arch, network, settled in [
        ("resnet50", "resnet50-v1.5", True),
        ("resnetaa50", "timm:resnetaa50", True),
        ("seresnet50", "resnet50-v1.5", False),
        ("my_net", "resnet50-v1.5", False),
        (7, "resnet50-v1.5", False),
    ]:
        content = {"arch": arch, "state_dict": state}
        told = recognise(named(content), said("mine.pth", content, "torchvision"))
        assert (told.network, told.settled) == (network, settled)


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("resnetaa50_a1h-4cf422b3.pth", "timm:resnetaa50"),
        ("resnetaa50.pth", "timm:resnetaa50"),
        ("resnet50-0676ba61.pth", "resnet50-v1.5"),  # torchvision's, not the paper's
        ("seresnet50.pth", "resnet50-v1.5"),  # whose tensors these are not
        ("mine.pth", "resnet50-v1.5"),
        ("resnetaa50" + "-" * 1000, "timm:resnetaa50"),
    ],
)
def test_a_files_name_is_a_hint(name, network):
    """It decides which of several is taken, and settles nothing."""
    state = {name: TensorInfo(shape, "float32") for name, shape in shapes_of("resnet50").items()}
    told = recognise(named(state), said(name, state, "torchvision"))
    assert (told.network, told.settled) == (network, False)
    assert any("hint" in note for note in told.notes) == name.startswith(("resnetaa50", "resnet50"))


# what somebody says


def test_identify_as_says_whether_the_file_fits(tmp_path):
    """--as timm:resnetaa50 fits ResNet-50's tensors, resnet18 does not: exit 1, and what differs."""
    file = weights(tmp_path, "resnet50")
    answer = json.loads(run("identify", file, "--as", "timm:resnetaa50", "--json")[0])
    assert (answer["network"], answer["fits"], answer["settled"]) == ("timm:resnetaa50", True, True)
    answer = json.loads(run("identify", file, "--as", "resnet18", "--json", code=1)[0])
    assert (answer["network"], answer["fits"], answer["candidates"]) == (None, False, [])
    assert answer["differences"]
    assert "does not fit resnet18" in run("identify", file, "--as", "resnet18", code=1)[0]


def test_strict_is_exit_1_where_nothing_settles_it(tmp_path):
    """In identify and wherever an open file is a MODEL; all of them say what they took."""
    file, settled = weights(tmp_path, "resnet50"), weights(tmp_path, "vgg11")
    run("identify", file)
    run("identify", file, "--strict", code=1)
    for words in (
        ("summary", file),
        ("flops", file),
        ("compare", file, "resnet18"),
        ("receptive-field", file),
    ):
        out, _ = run(*words)
        assert "taken as resnet50-v1.5; could also be resnet50" in out
        assert json.loads(run(*words, "--json")[0])["settled"] is False
        run(*words, "--strict", code=1)
    run("identify", settled, "--strict")
    assert "settled" not in json.loads(run("summary", settled, "--json", "--strict")[0])


@pytest.fixture
def resnet20(tmp_path):
    net = resnet_cli.build("resnet20", seed=7, num_classes=5)
    torch.save(net.state_dict(), tmp_path / "a.pth")
    return tmp_path / "a.pth", net.state_dict()


def test_build_refuses_what_nothing_settles(resnet20):
    """As MODEL and as --weights without another; one line, the networks that it may be, and what to type."""
    file, _ = resnet20
    for words in ((str(file),), ("--weights", str(file)), (str(file), "--weights", str(file))):
        _, err = run("build", *words, code=1)
        assert "resnet20:num_classes=5, plain20:num_classes=5" in err and "--as resnet20" in err
        assert err.count("\n") == 2
    with pytest.raises(UserError, match="says which of these networks"):
        resnet_cli.build(str(file))


@pytest.mark.parametrize("given", ["--as", "model", "weights"])
def test_build_takes_the_numbers_of_the_network_that_is_named(resnet20, given, tmp_path):
    """By --as, or as MODEL beside --weights; it says what was taken."""
    file, state = resnet20
    words = {
        "--as": (str(file), "--as", "plain20"),
        "model": ("plain20", "--num-classes", "5", "--weights", str(file)),
        "weights": ("--weights", str(file), "--as", "plain20"),
    }[given]
    out, _ = run("build", *words, "-o", str(tmp_path / "b.pth"))
    assert "116 tensors loaded from" in out and "taken as plain20" in out
    assert "these tensors fit resnet20:num_classes=5" in out
    written = torch.load(tmp_path / "b.pth")
    assert all(torch.equal(written[name], tensor) for name, tensor in state.items())


def test_python_builds_a_checkpoint_with_its_numbers(resnet20):
    """resnet_cli.build of a file is what the command builds."""
    file, state = resnet20
    net = resnet_cli.build(str(file), as_="akamaster/resnet20")
    assert all(torch.equal(net.state_dict()[name], tensor) for name, tensor in state.items())
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    plain = resnet_cli.build(str(file), as_="plain20").eval()
    assert not torch.allclose(net.eval()(x), plain(x))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("resnet20", "--as", "plain20"), 2, "--as says what a weight file is"),
        (("FILE", "--as", "resnet32"), 1, "does not fit resnet32"),
        (("FILE", "--as", "resnt20"), 2, "did you mean"),
    ],
)
def test_a_wrong_as_is_one_line(resnet20, words, code, said):
    """A network that is named already, one that does not fit, one that is none."""
    _, err = run(
        "build", *(str(resnet20[0]) if word == "FILE" else word for word in words), code=code
    )
    assert said in err and err.count("\n") == 2


# bare names


def test_a_bare_name_of_two_networks_is_the_papers_or_nobodys():
    """Answered by the paper with the other one named and its MACs, or refused with both."""
    for name in sorted({row.name for row in library_names()}):
        rows = [row for row in library_names() if row.name == name]
        if len({(row.network, row.changes) for row in rows}) > 1:
            with pytest.raises(UserError, match="different networks"):
                load(name)
    for name, macs in [
        ("seresnet50", "4,091,699,200"),
        ("PreActResNet18", "555,422,720"),
        ("ResNet50", "3,857,973,248"),
    ]:
        out, _ = run("summary", name)
        assert "is another network" in out and macs in out


@pytest.mark.slow
def test_no_librarys_network_is_settled_as_another():
    """A part of benchmarks/identify_score.py, which asks about all: nothing settled is wrong, nothing of other families claimed."""
    library("timm")
    from benchmarks.identify_score import score

    counts = sum(
        score((
            "timm:resnet18*", "timm:resnetaa50*", "timm:resnetblur18", "timm:*seresnet18", "timm:legacy_seresnext26*",
            "timm:resnetv2_18*", "timm:regnety_002", "timm:ecaresnet26t", "timm:densenet121", "timm:mobilenetv2_100",
            "torchvision:resnet*", "torchvision:densenet121", "torchvision:squeezenet1_0",
        )).values(),
        Counter(),
    )  # fmt: skip
    assert not counts["settled, WRONG"] and not counts["CLAIMED, not residual"]
    assert (
        counts["settled, right"] and counts["open, usual right"] > counts["open, usual wrong"] > 0
    )
    assert counts["refused, not residual"] and not counts["unknown"]
