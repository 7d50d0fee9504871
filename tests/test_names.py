"""What people type as MODEL: names of any library, numbers, files by their content, KEY=VALUE."""

import json
import shlex
import subprocess
import sys
import zipfile

import pytest
import torch
from libraries import library
from listed import rows_of

import resnet_cli
from resnet_cli.analyses.cost.counts import totals
from resnet_cli.checkpoints.identify.naming import to_torchvision
from resnet_cli.designs import names, zoo
from resnet_cli.designs.fields import overrides
from resnet_cli.errors import UserError, folded
from resnet_cli.models import load
from resnet_cli.published.names import LIBRARIES, LibraryName
from resnet_cli.published.names import names as every_name

EXACT = [row for row in every_name() if not row.differs]
NEAREST = [row for row in every_name() if row.differs]
BUILT = [  # timm names VGG's tensors otherwise
    row
    for row in EXACT
    if row.library in LIBRARIES
    and not row.network.startswith("clip-")  # test_clip.py: their names and sizes are others
    and not (row.library == "timm" and row.name.startswith("vgg"))
    and row.params < 150_000_000  # all but RegNets that a machine of a few GiB does not hold twice
]


def refused(model, code=2):
    """The error for a MODEL."""
    with pytest.raises(UserError) as error:
        load(model)
    assert error.value.code == code
    return error.value


# names of other libraries


@pytest.mark.parametrize("row", EXACT, ids=lambda row: f"{row.library}-{row.name}")
def test_a_librarys_name_has_what_the_library_counted(row):
    """Parameters and MACs are those of timm's, torchvision's and Keras' own networks, as built."""
    total = totals(rows_of(row.model))
    assert (total["params"], total["macs"]) == (row.params, row.macs)


def test_a_name_that_cannot_be_described_says_why_and_what_is_nearest():
    """Whatever is not exactly ours is refused with its size, never answered as something else."""
    for row in NEAREST:
        model = f"{row.library}:{row.name}" if row.library in LIBRARIES else row.name
        listed = folded(row.name) in zoo.BY_NAME
        if not listed or row.library in LIBRARIES:
            with pytest.raises(UserError) as raised:
                names.find(model)
            error = raised.value
            assert row.differs in error.what and f"{row.params:,}" in error.what
            assert error.hint == f"the nearest is {row.ours}"
        assert load(row.ours)


def test_no_name_stands_twice_in_a_library():
    """A row is found by its name."""
    keys = [(row.library, folded(row.name)) for row in every_name()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("torchvision:resnet50", "resnet50-v1.5"),
        ("timm:resnet50", "resnet50-v1.5"),
        ("timm:resnet50.a1_in1k", "resnet50-v1.5"),
        ("timm/resnet50.a1_in1k", "resnet50-v1.5"),
        ("resnet50.tv_in1k", "resnet50-v1.5"),  # a tag is timm's, so the network is
        ("microsoft/resnet-50", "resnet50-v1.5"),
        ("microsoft/resnet-18", "resnet18"),
        ("resnet26d", "timm:resnet26d"),
        ("timm:resnet26", "resnet26"),
        ("timm:resnet200", "resnet200"),
        ("seresnet50", "se-resnet50"),  # Hu et al. printed it
        ("timm:seresnet50", "timm:seresnet50"),
        ("ResNet50", "resnet50"),
        ("PreActResNet18", "preact-resnet18"),
        ("resnet1001", "resnet1001"),
        ("resnet38", "resnet38"),
        ("wrn_50_2", "wide_resnet50_2"),
        ("WRN-50-2-bottleneck", "wide_resnet50_2"),
        ("wide-resnet-50-2", "wide_resnet50_2"),
        ("wide-resnet-28x10", "wrn-28-10"),
        ("resnext29_32x4d", "resnext29_32x4d"),
        ("ResNeXt-50 (32×4d)", "resnext50_32x4d"),
        ("se_resnext101_32x8d", "se-resnext101_32x8d"),
        ("50", "resnet50"),
        ("1001", "resnet1001"),
    ],
)
def test_what_people_type_is_found(typed, name):
    """By whichever library's spelling; a number is what is called resnet and that number."""
    assert load(typed).name == name
    assert load(name).spec == load(typed).spec  # what is printed, typed back, is the same network


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("resnet1001", "resnet164:stages=111-111-111"),
        ("resnext29_32x4d", "resnext29_8x64d:groups=32,base_width=4"),
        ("resnext38_8x64d", "resnext29_8x64d:stages=4-4-4"),
        ("resnext50_16x8d", "resnext50_32x4d:groups=16,base_width=8"),
        ("se-resnext152_32x4d", "se-resnext50_32x4d:stages=3-8-36-3"),
        ("wide_resnet50_4", "wide_resnet50_2:base_width=256"),
    ],
)
def test_what_no_table_lists_is_found_by_formula(name, like):
    """9n + 2 layers, ResNeXt's C groups of W channels, WRN-50-K."""
    spec = load(name).spec
    assert spec.name == name
    assert spec == zoo.changed(load(like).spec, name=name)


def test_a_depth_gives_the_network_whose_activation_follows_the_addition():
    """Of He et al. 2016, Table 4, which has both of 1001 layers."""
    assert not load(1001).spec.preact and load("preact-resnet1001").spec.preact
    assert totals(rows_of(1001))["layers"] == 1001


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("resent50", "did you mean 'resnet50'"),
        ("resnet26dd", "'resnet26d'"),
        ("wrn-29-1", "wrn-28-1"),
        ("51", "6n + 2"),
        ("9" * 40, "All names"),
        ("no_such_module:Net", "PATH.py:OBJECT"),
        ("resnet50:groups", "resnet50:num_classes=10"),
    ],
)
def test_what_is_no_network_has_a_hint(typed, hint):
    """Exit 2, and what to type instead."""
    assert hint in refused(typed).hint


def test_one_name_for_different_networks_is_refused_with_both(monkeypatch):
    """Where no paper printed it, nobody guesses which is meant."""
    more = LibraryName("torchvision", "resnet26d", "resnet50-v1.5", "stages=1-2-2-2", 1, 2, "")
    monkeypatch.setattr(names, "every_name", lambda: (*every_name(), more))
    error = refused("resnet26d")
    assert "different networks" in error.what
    assert "timm:resnet26d" in error.hint and "torchvision:resnet26d" in error.hint


@pytest.mark.slow
@pytest.mark.parametrize("row", BUILT, ids=lambda row: row.model)
def test_the_librarys_own_network_puts_out_the_same(row):
    """With its weights and statistics, drawn at random, in the network that is built here."""
    if row.library == "timm":
        theirs = library("timm").create_model(row.name).eval()
    else:
        theirs = getattr(library("torchvision").models, row.name)().eval()
    network = load(row.model)
    spec = network.spec
    if not row.name.startswith("vgg"):
        spec = zoo.changed(spec, input_size=(64, 64))
    weights = theirs.state_dict()
    generator = torch.Generator().manual_seed(0)
    for name, tensor in weights.items():
        if tensor.is_floating_point() and tensor.dim() < 2:
            least = 0.5 if name.endswith("var") else -1.0
            tensor.uniform_(least, 1.0, generator=generator)
    ours = resnet_cli.build(spec).eval()
    naming = to_torchvision(
        weights
    ).names  # pre-activation and legacy networks have names of their own
    assert [naming[name] for name in weights] == [*ours.state_dict()] or row.name.startswith(
        ("resnetv2", "regnet", "res2ne", "convnext")
    )
    own = ours.state_dict()  # of fc and layer_scale timm and torchvision write sides of one, too
    ours.load_state_dict(
        {naming[name]: tensor.reshape(own[naming[name]].shape) for name, tensor in weights.items()}
    )
    x = torch.randn(1, *spec.input_shape, generator=generator)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x))


# KEY=VALUE behind a colon


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("resnet50:groups=32,base_width=4", {"groups": 32, "base_width": 4}),
        ("resnet50:base-width=4", {"base_width": 4}),
        ("resnet50:stages=3-4-6-4", {"stages": (3, 4, 6, 4)}),
        ("resnet50:input_size=224x320", {"input_size": (224, 320)}),
        ("resnet50:input_size=64", {"input_size": (64, 64)}),
        ("resnet50:preact=true,style=v1.5", {"preact": True, "style": "v1.5"}),
        ("resnet20:shortcut_scale=.5", {"shortcut_scale": 0.5}),
        ("resnet20:shortcut_scale=1e-1", {"shortcut_scale": 0.1}),
        ("resnet20: num_classes = 100", {"num_classes": 100}),
        ("vgg11:batch_norm=true", {"batch_norm": True}),
        ("50:num_classes=10", {"num_classes": 10}),
        ("resnet26:num_classes=10", {"num_classes": 10}),
        ("resnet50:name=mine", {"name": "mine"}),
    ],
)
def test_fields_are_changed_inline(typed, fields):
    """Every field that TOML has, in the types that TOML has."""
    network = load(typed)
    assert {key: getattr(network.spec, key) for key in fields} == fields
    assert network.base == load(typed.partition(":")[0]).spec
    assert network.origin.source == typed


def test_inline_changes_stand_in_the_title():
    """As changes by options do."""
    title = load("resnet50:groups=32,base-width=4,input_size=64x96").title
    assert title == "resnet50 (ResNet, base width 4, groups 32, input size 64×96)"


@pytest.mark.parametrize(
    ("typed", "what", "hint"),
    [
        ("resnet50:groups=2,groups=2", "groups is given twice", "once"),
        ("resnet50:base-width=2,base_width=2", "base_width is given twice", "once"),
        ("resnet50:gropus=2", "unknown key 'gropus'", "did you mean 'groups'"),
        ("vgg11:groups=2", "unknown key 'groups'", "allowed"),
        ("resnet50:groups=x", "groups is not a whole number", "groups=1"),
        ("resnet50:groups=", "groups is not a whole number", "groups=1"),
        ("resnet50:groups=1.5", "groups is not a whole number", "groups=1"),
        ("resnet50:preact=yes", "preact is not true or false", "preact=false"),
        ("resnet20:body_scale=nan", "body_scale is not a number", "body_scale=1.0"),
        ("resnet50:stages=3,4,6,3", "'4' is not KEY=VALUE", "stages=3-4-6-3"),
        ("resnet50:stages=3-x", "stages is not a list of whole numbers", "stages=3-4-6-3"),
        ("resnet50:input_size=1x2x3", "input_size is not a list", "input_size=224x224"),
        ("resnet50:groups=-1", "groups -1 is out of range", "allowed"),
        ("resnet50:groups=" + "9" * 31, "groups is not a whole number", "groups=1"),
        ("resnet50:shortcut=E", "no shortcut named 'E'", "allowed"),
        ("resnet50:name=\x1b[2J", "unprintable", "printable"),
        ("resent50:groups=2", "no network named 'resent50'", "did you mean"),
        ("timm:resnet26:num_classes=3", "parentheses", "'timm:resnet26(num_classes=3)', or resnet26:num_classes=3"),
        ("timm:resnet50:num_classes=3", "parentheses", "'timm:resnet50(num_classes=3)', or resnet50-v1.5:num_classes=3"),
    ],
)  # fmt: skip
def test_a_wrong_change_says_what_is_wrong(typed, what, hint):
    """Exit 2, with the key and what to write."""
    error = refused(typed)
    assert what in error.what and hint in error.hint


def test_what_was_changed_inline_is_known():
    """The source and the keys, written as fields are."""
    assert overrides("resnet50:base-width=4,groups=32") == (
        "resnet50",
        {"base_width": "4", "groups": "32"},
    )
    assert overrides("torchvision:resnet50") == ("torchvision:resnet50", {})


def test_files_take_changes_too(tmp_path):
    """TOML and weights; what is wrong in the change is exit 2, not the file's 1."""
    (tmp_path / "own.toml").write_text("base = 'resnet20'\n")
    torch.save(resnet_cli.build("resnet20").state_dict(), tmp_path / "own.pth")
    for name in ("own.toml", "own.pth"):
        assert load(f"{tmp_path / name}:num_classes=7").spec.num_classes == 7
        refused(f"{tmp_path / name}:num_classes=x")
    (tmp_path / "bad.toml").write_text("base = 1\n")
    refused(f"{tmp_path / 'bad.toml'}:num_classes=7", code=1)


# files


def test_a_file_is_read_by_its_content(tmp_path, monkeypatch):
    """TOML and weights under any name, also a network's; a folder of that name is no file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.pth").write_text("# mine\nbase = 'resnet20'\nstages = [1, 1, 1]\n")
    torch.save(resnet_cli.build("resnet20").state_dict(), "net.toml")
    (tmp_path / "resnet34").write_text("base = 'resnet18'\n")
    (tmp_path / "resnet50").mkdir()
    (tmp_path / "a:groups=2").write_text("base = 'resnet18'\n")
    assert load("weights.pth").spec.stages == (1, 1, 1)
    assert load("net.toml").name == "resnet20"
    assert load("resnet34").spec.stages == (2, 2, 2, 2)
    assert load("resnet50").spec == zoo.find("resnet50")
    assert load("a:groups=2").spec.groups == 1


@pytest.mark.parametrize("model", ["./resnet50", "a/b", "net.pth", "NET.TOML", "net.onnx", "x.pt2"])
def test_a_path_that_is_not_there_is_no_name(model):
    """A slash or a known ending: no such file, exit 1."""
    assert refused(model, code=1).what == f"no such file: {model!r}"


def test_a_folder_is_no_file(tmp_path):
    """Nor anything that is to be read."""
    assert "is a directory" in refused(str(tmp_path), code=1).what


def typed(hint):
    """The words of the command in a hint."""
    return shlex.split(
        hint.removeprefix("type ").partition(", for its")[0].partition(", and ask")[0]
    )


def archive(path, *members):
    with zipfile.ZipFile(path, "w") as file:
        for member in members:
            file.writestr(member, b"x")


@pytest.mark.parametrize(
    ("content", "what", "words"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file", ("keras", "save_file")),
        (b"GGUF\3\0\0\0" + bytes(99), "a GGUF file", ("gguf", "save_file")),
        (b"\x1c\0\0\0TFL3" + bytes(99), "a TensorFlow Lite model", ("tf2onnx", "--tflite")),
        (b"\x08\x08\x12\x07pytorch" + bytes(99), "an ONNX model", ("onnx", "save_file")),
        (b'<?xml version="1.0"?>\n<net name="a" version="11">', "an OpenVINO", ("openvino", "save_file")),
        (("a/data.pkl", "a/constants.pkl", "a/code/x.py"), "TorchScript", ("torch.jit", "state_dict")),
        (("metadata.json", "config.json", "model.weights.h5"), "a Keras model", ("keras", "save_file")),
    ],
)  # fmt: skip
def test_a_file_that_is_not_read_says_what_makes_one_that_is(tmp_path, content, what, words):
    """Exit 1, one line, and a command with the file's own name, quoted."""
    path = tmp_path / "my net.bin"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        archive(path, *content)
    error = refused(str(path), code=1)
    assert what in error.what
    command = typed(error.hint)
    assert command[0] == "python" and str(path) in command
    assert all(word in error.hint for word in words)
    if "-c" in command:
        compile(command[command.index("-c") + 1], "hint", "exec")


@pytest.mark.slow
def test_the_command_makes_a_file_that_is_read(tmp_path):
    """TorchScript's file becomes weights, and the network is found."""
    path = tmp_path / "net.script"
    torch.jit.trace(resnet_cli.build("resnet20").eval(), torch.zeros(1, 3, 32, 32)).save(str(path))
    command = typed(refused(str(path), code=1).hint)
    subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, check=True, capture_output=True)
    assert load(str(tmp_path / command[-1])).spec.stages == (3, 3, 3)


# from outside


@pytest.mark.parametrize(
    "model",
    [
        "",
        ":",
        "=",
        ":" * 100_000,
        "a:" * 50_000,
        "a:b=c" * 50_000,
        "resnet50:" + "," * 100_000,
        "resnet50:" + "a=b," * 50_000,
        "resnet50:stages=" + "1-" * 100_000,
        "\x1b[31m\u202e\0",
        "resnet" + "9" * 100_000,
        "timm:" + "x" * 100_000,
        "resnet50:groups=\u0663",
        "²",
        "\udcff",
    ],
    ids=range(15),
)
def test_no_text_is_too_wild(model):
    """Whatever is typed is refused, at once and in few letters."""
    with pytest.raises(UserError) as error:
        load(model)
    assert len(error.value.hint) < 2000


def test_json_says_what_was_typed():
    """The origin of a network is the MODEL that was typed."""
    for model in ("timm:resnet50", "resnet50:groups=2"):
        assert json.loads(json.dumps(load(model).origin._asdict()))["source"] == model
