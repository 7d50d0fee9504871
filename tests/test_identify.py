"""resnet-cli identify, and weight files as MODEL: what a person types and reads."""

import csv
import io
import json
import struct
import subprocess
import sys
from math import prod
from pathlib import Path

import pytest
import torch
from listed import ZOO, rows_of
from program import run

import resnet_cli
from resnet_cli import models
from resnet_cli.analyses import identify as analysis
from resnet_cli.analyses.compare import tensors
from resnet_cli.checkpoints.container.contents import Checkpoint, TensorInfo
from resnet_cli.checkpoints.identify.recognise import named, recognise
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.trace import state_dict

FORMATS = ("table", "plain", "json", "csv", "markdown", "latex")


def shapes_of(spec):
    return state_dict(rows_of(spec))


def safetensors(path, shapes):
    """A file of weights that takes no room on a disk: a header, then a hole."""
    header, at = {}, 0
    for name, shape in shapes.items():
        end = at + 4 * prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)
    return str(path)


@pytest.fixture
def resnet50(tmp_path):
    """torchvision's own list of names as a file."""
    lines = (Path(__file__).parent / "data/keys/torchvision-resnet50.txt").read_text().split("\n")
    split = (line.partition(" ") for line in lines[1:-1])
    shapes = {name: tuple(map(int, s.split("x"))) if s else () for name, _, s in split}
    return safetensors(tmp_path / "weights.safetensors", shapes)


@pytest.fixture
def wrapped(tmp_path):
    """What a training script saves: an epoch, ResNet-20 for 7 classes from DataParallel, Adam."""
    net = resnet_cli.build("resnet20", num_classes=7)
    state = {f"module.{name}": tensor for name, tensor in net.state_dict().items()}
    optimizer = torch.optim.Adam(net.parameters()).state_dict()
    path = tmp_path / "last.pth.tar"
    torch.save({"epoch": 3, "state_dict": state, "optimizer": optimizer}, path)
    return str(path)


def test_a_torchvision_file(resnet50):
    """The one that is taken, the others with these tensors by what they cost more, and what it is made of, on one screen."""
    out, err = run("identify", resnet50, "--exact")
    rows = dict(line.split(maxsplit=1) for line in reversed(out.splitlines()) if " " in line)
    first = "weights.safetensors: taken as resnet50-v1.5; could also be resnet50, by 231,211,008 fewer MACs; or timm:resnetaa50, "
    assert out.startswith(first)
    assert rows["network"] == "resnet50-v1.5" and rows["settled"] == "no"
    assert rows["fits"].startswith("every tensor is") and rows["stages"] == "3, 4, 6, 3"
    assert rows["timm:resnetaa50"].split() == [
        "5,129,633,792",
        "+1,040,449,536",
        "antialias",
        "average",
    ]
    assert out.count("25,557,032") == 2
    assert "v1.5 is taken" in out and err == ""
    assert len(out.splitlines()) < 42


def test_a_training_checkpoint(wrapped):
    """Wrapper, prefix and classes of a file that torch.save wrote; the optimizer is left alone."""
    answer = json.loads(run("identify", wrapped, "--json")[0])
    assert answer["fits"] and not answer["settled"]
    assert answer["network"] == answer["candidates"][0]["network"] == "resnet20:num_classes=7"
    assert [each["differs"] for each in answer["candidates"]] == [
        "",
        "shortcut none",
        "shortcut A-split",
    ]
    assert (answer["wrapper"], answer["prefix"]) == ("state_dict", "module.")
    assert answer["classes"] == answer["spec"]["num_classes"] == 7
    assert answer["bytes"] == Path(wrapped).stat().st_size and answer["format"] == "zip"


def test_json_is_the_contract(resnet50):
    """The keys of docs/json.md; the spec is the one that summary prints."""
    answer = json.loads(run("identify", resnet50, "--json")[0])
    assert list(answer) == [
        "schema", "command", "file", "network", "fits", "settled", "by", "candidates", "like", "sure", "spec",
        "classes", "params", "dtypes", "norm", "scheme", "prefix", "wrapper", "tensors", "differences", "cannot_tell",
        "format", "bytes", "total", "rows", "notes",
    ]  # fmt: skip
    assert (answer["fits"], answer["settled"], answer["network"]) == (True, False, "resnet50-v1.5")
    assert answer["candidates"][1] == {
        "network": "resnet50",
        "macs": 3_857_973_248,
        "differs": "style v1",
    }
    assert answer["total"] == json.loads(run("summary", "resnet50-v1.5", "--json")[0])["total"]
    assert answer["params"] == {"file": 25_557_032, "network": 25_557_032}
    assert answer["dtypes"] == {"float32": 267} and answer["tensors"] == {"file": 320, "beside": 0}
    assert answer["spec"] == json.loads(run("summary", "resnet50-v1.5", "--json")[0])["spec"]


@ZOO
def test_a_file_has_the_parameters_of_its_network(spec):
    """Counted from the file's names and from the network's layers, for every network."""
    content = named({name: TensorInfo(shape, "float32") for name, shape in shapes_of(spec).items()})
    found = recognise(content)
    facts = analysis.facts(Checkpoint("zip", None, 0), content, found)
    assert facts["params"]["file"] == facts["params"]["network"] > 0
    assert spec.name in [each["network"] for each in facts["candidates"]]
    assert facts["network"] == found.spec.name
    numbers = analysis.tensors(content, "*").rows
    assert [row[0] for row in numbers] == list(content.tensors)
    assert not tensors.of_network(content, load(spec))


def test_an_unlisted_network_is_described_by_a_listed_one(tmp_path):
    """timm has one with two blocks a stage; of three in the second it is resnet50-d with these, and may stride as v1."""
    spec = zoo.changed(zoo.find("resnet50-d"), stages=(2, 2, 2, 2))
    file = safetensors(tmp_path / "resnet26d.safetensors", shapes_of(spec))
    assert "timm:resnet26d: no other network" in run("identify", file)[0]
    spec = zoo.changed(zoo.find("resnet50-d"), stages=(2, 3, 2, 2))
    file = safetensors(tmp_path / "resnet29d.safetensors", shapes_of(spec))
    answer = json.loads(run("identify", file, "--json")[0])
    assert answer["network"] == "resnet50-d:stages=2-3-2-2"
    assert (answer["like"], answer["fits"], answer["settled"]) == ("resnet50-d", True, False)
    assert answer["spec"]["stages"] == [2, 3, 2, 2] and answer["sure"] == "exact"
    (other,) = answer["candidates"][1:]
    assert (
        other["network"] == "resnet50-d:stages=2-3-2-2,style=v1" and other["differs"] == "style v1"
    )


def test_the_nearest_network_and_what_differs(tmp_path):
    """A gate of another width: which tensors, and both shapes."""
    shapes = shapes_of(zoo.find("se-resnet18")) | {"layer1.0.se.fc1.weight": (8, 64, 1, 1)}
    file = safetensors(tmp_path / "odd.safetensors", shapes)
    out, _ = run("identify", file, code=1)
    assert out.startswith("odd.safetensors: none that is known here; the nearest is se-resnet18\n")
    assert "nearest network" in out
    assert "differs: layer1.0.se.fc1.weight is 8×64×1×1, the network has 4×64×1×1\n" in out
    answer = json.loads(run("identify", file, "--json", code=1)[0])
    assert (answer["network"], answer["fits"], answer["settled"]) == (None, False, False)
    assert answer["candidates"] == [] and answer["like"] == "se-resnet18"
    assert answer["differences"] == [
        {"name": "layer1.0.se.fc1.weight", "file": [8, 64, 1, 1], "network": [4, 64, 1, 1]}
    ]


def test_against_lists_what_differs(wrapped):
    """The file's names, both shapes, exit 1; nothing and exit 0 when equal."""
    out, _ = run("identify", wrapped, "--against", "resnet20", "--json", code=1)
    answer = json.loads(out)
    assert (answer["against"], answer["equal"]) == ("resnet20", False)
    assert answer["rows"] == [
        {"name": f"module.{name}", "a": [7, *more], "b": [10, *more], "what": "shape"}
        for name, more in [("fc.weight", [64]), ("fc.bias", [])]
    ]
    out, _ = run("identify", wrapped, "--against", wrapped)
    assert "equal: every tensor" in out
    missing = json.loads(run("identify", wrapped, "--against", "resnet32", "--json", code=1)[0])
    assert missing["rows"][-1] == {
        "name": "layer3.4.bn2.running_var", "a": None, "b": [64], "what": "only-b",
    }  # fmt: skip


def test_keys_lists_tensors_by_glob_or_part_of_a_name(wrapped):
    """The file's name and ours are both looked at; numbers are the products of the shapes."""
    rows = json.loads(run("identify", wrapped, "--keys", "fc", "--json")[0])["rows"]
    assert rows == [
        {"name": "module.fc.weight", "ours": "fc.weight", "shape": [7, 64], "dtype": "float32", "numbers": 448},
        {"name": "module.fc.bias", "ours": "fc.bias", "shape": [7], "dtype": "float32", "numbers": 7},
    ]  # fmt: skip
    for pattern in ("layer1.*.conv?.weight", "module.layer1.*.conv[12].weight"):
        out, _ = run("identify", wrapped, "--keys", pattern, "--format", "csv")
        assert len(list(csv.DictReader(io.StringIO(out)))) == 6
    assert "6 of 116 tensors" in run("identify", wrapped, "--keys", "layer1.?.conv?.*")[0]
    everything = json.loads(run("identify", wrapped, "--keys", "*", "--json")[0])
    assert everything["total"]["numbers"] == sum(row["numbers"] for row in everything["rows"])
    learnable = [row for row in everything["rows"] if row["name"].endswith((".weight", ".bias"))]
    assert sum(row["numbers"] for row in learnable) == sum(
        p.numel() for p in resnet_cli.build("resnet20", num_classes=7).parameters()
    )


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("words", [(), ("--keys", "fc*"), ("--against", "resnet18")])
def test_every_format(resnet50, words, format):
    """Each format answers and says that nothing was run."""
    more = ("-f", format, *("--notes",) * (format == "csv"))
    out, _ = run("identify", resnet50, *words, *more, code=int("--against" in words))
    assert "nothing in the file was run" in out


def test_control_characters_never_reach_a_terminal(tmp_path):
    """Names with escape sequences, of a tensor, a wrapper and the file, are written out."""
    evil = "\x1b]0;x\x07\x9b2J\u202e"
    net = {evil + name: t for name, t in resnet_cli.build("resnet20").state_dict().items()}
    prefixed = {
        f"{evil}.{name}": t for name, t in resnet_cli.build("resnet20").state_dict().items()
    }
    for number, content in enumerate([net, {evil: {**prefixed, evil: torch.zeros(1)}}]):
        path = tmp_path / f"{number}\x1b[2J.pth"
        torch.save(content, path)
        for words in ("-f table", "-f json", "--keys * -f csv", "--against resnet56", "--keys zzz"):
            done = subprocess.run(
                [sys.executable, "-m", "resnet_cli", "identify", str(path), *words.split()],
                capture_output=True, encoding="utf-8",
            )  # fmt: skip
            assert done.returncode in (0, 1, 2) and "Traceback" not in done.stderr
            assert all(line.isprintable() for line in (done.stdout + done.stderr).split("\n"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--against", "resnet50", "--keys", "fc"), 2, "both --against and --keys"),
        (("--keys", "no-such-tensor"), 2, "no tensor matches"),
        (("--against", "resent50"), 2, "did you mean 'resnet50'"),
        (("--against", "missing.pth"), 1, "no such file"),
    ],
)
def test_wrong_usage(resnet50, words, code, said):
    """An error line, a hint line, the right exit status."""
    out, err = run("identify", resnet50, *words, code=code)
    assert out == "" and said in err and len(err.splitlines()) == 2


def test_other_networks_are_refused(tmp_path):
    """A file of other weights is exit 1 and is not given a name; its tensors can be listed."""
    file = safetensors(tmp_path / "vit.safetensors", {"blocks.0.attn.qkv.weight": (2304, 768)})
    assert "no residual network" in run("identify", file, code=1)[1]
    assert "2304×768" in run("identify", file, "--keys", "qkv")[0]
    assert run("identify", str(tmp_path), code=1)[1].startswith("error: ")


def test_a_weight_file_is_a_model(resnet50, wrapped):
    """summary and the others answer for the network in the file, with its classes."""
    own = json.loads(run("summary", resnet50, "--json")[0])
    listed = json.loads(run("summary", "resnet50-v1.5", "--json")[0])
    source = {"kind": "weights", "source": resnet50, "ran": None, "version": None}
    assert own.pop("origin") == source and listed.pop("origin")["kind"] == "spec"
    (taken,) = [note for note in own["notes"] if note.startswith("its weights are taken as")]
    own["notes"].remove(taken)
    assert "resnet50-v1.5; could also be resnet50, by 231,211,008 " in taken
    own["notes"] = [
        note.replace(resnet50, "resnet50-v1.5") for note in own["notes"]
    ]  # what to type
    assert own.pop("settled") is False
    assert own == listed
    assert json.loads(run("flops", wrapped, "--json")[0])["total"]["params"] == sum(
        p.numel() for p in resnet_cli.build("resnet20", num_classes=7).parameters()
    )
    assert "resnet50-v1.5" in run("compare", resnet50, "resnet18")[0]


def test_an_unlisted_network_is_called_as_its_file(tmp_path):
    """And options change it like any other."""
    spec = zoo.changed(zoo.find("resnet18"), width=32, stem_width=32)
    file = safetensors(tmp_path / "small.safetensors", shapes_of(spec))
    assert run("summary", file)[0].startswith("small.safetensors (own)\n")
    loaded = models.load(file)
    assert shapes_of(loaded) == shapes_of(spec)


def test_only_what_fits_is_a_model(tmp_path):
    """The nearest network is not taken for the one in the file; a missing classifier is no matter."""
    shapes = shapes_of(zoo.find("resnet18"))
    file = safetensors(
        tmp_path / "odd.safetensors", shapes | {"layer3.0.conv2.weight": (9, 9, 3, 3)}
    )
    with pytest.raises(UserError, match=r"layer3\.0\.conv2\.weight is 9×9×3×3") as refused:
        models.load(file)
    assert refused.value.code == 1 and "resnet-cli identify" in refused.value.hint
    body = {name: shape for name, shape in shapes.items() if not name.startswith("fc")}
    assert models.load(safetensors(tmp_path / "body.safetensors", body)).spec == zoo.find(
        "resnet18"
    )


@pytest.mark.parametrize(
    "name", ["a.pth", "a.pt", "a.bin", "a.tar", "a.SAFETENSORS", "a.ckpt", "a"]
)
def test_which_models_are_files(tmp_path, monkeypatch, name):
    """Any, whatever it is called; also where a network has that name."""
    monkeypatch.chdir(tmp_path)
    torch.save(resnet_cli.build("resnet20").state_dict(), name)
    assert models.load(name).name == "resnet20"
    Path("resnet50").write_bytes(Path(name).read_bytes())
    assert models.load("resnet50").name == "resnet20"


def test_a_sharded_file(tmp_path):
    """An index of two shards is one file of weights."""
    shapes = list(shapes_of(zoo.find("resnet34")).items())
    for at, part in enumerate((shapes[:100], shapes[100:])):
        safetensors(tmp_path / f"{at}.safetensors", dict(part))
    places = {name: f"{int(at >= 100)}.safetensors" for at, (name, _) in enumerate(shapes)}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    assert json.loads(run("identify", str(index), "--json")[0])["network"] == "resnet34"
    assert models.load(str(index)).name == "resnet34"


def test_torch_is_not_needed(wrapped, resnet50):
    """Neither torch nor numpy is imported for any of it."""
    code = (
        "import sys; sys.modules['torch'] = sys.modules['numpy'] = None\n"
        "from resnet_cli.cli import app\n"
        "for words in (['identify'], ['summary'], ['identify', '--keys', 'fc']):\n"
        "    app()([words[0], sys.argv[1], *words[1:]], standalone_mode=False)\n"
    )
    for file in (wrapped, resnet50):
        subprocess.run([sys.executable, "-c", code, file], check=True, capture_output=True)
