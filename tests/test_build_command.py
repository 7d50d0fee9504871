"""resnet-cli build: what it measures, the files it writes, the weights it loads, and how it refuses."""

import importlib.util
import json
import subprocess
import sys

import graph_files
import pytest
import torch
from own_modules import Net
from program import run
from safetensors.torch import load_file, save_file

import resnet_cli
from resnet_cli import inputs
from resnet_cli.analyses.cost import counts
from resnet_cli.answers.verify import verify
from resnet_cli.models import load

SMALL = ("resnet20", "--num-classes", "7", "--input-size", "32x48")


def small(**changes):
    return resnet_cli.build("resnet20", num_classes=7, input_size=(32, 48), **changes).eval()


def images(batch=2):
    return torch.randn(batch, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def test_an_ambiguous_suffix_is_refused_before_torch_is_loaded():
    """.pt is what people call a state dict, TorchScript and a .pt2: the error names two to type."""
    code = (
        "import sys; from resnet_cli.cli import app; from resnet_cli.errors import UserError\n"
        "try: app()(['build', 'resnet18', '-o', 'x.pt'], standalone_mode=False)\n"
        "except UserError as error: print(error, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ".pth" in done.stdout and ".pt2" in done.stdout
    assert done.stdout.endswith("False\n")


def test_the_stages_are_as_measured():
    """Shapes of a run and parameters of the modules, equal to those that summary computes."""
    built = json.loads(run("build", "resnet50", "--json")[0])
    traced = json.loads(run("summary", "resnet50", "--json")[0])
    for measured, described in zip(built["rows"], traced["rows"], strict=True):
        assert [measured[k] for k in ("stage", "output", "params")] == [
            described[k] for k in ("stage", "output", "params")
        ]
    assert built["total"] == {"params": 25_557_032, "tensors": 320}
    out, err = run("build", "resnet50")
    assert "maxpool, layer1" in out and "initialised by seed 0" in out and err == ""


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_state_dicts_are_those_of_the_seed(suffix, tmp_path):
    """The file holds what resnet_cli.build gives for the same seed, in torchvision's names."""
    file = tmp_path / f"weights{suffix}"
    run("build", *SMALL, "--seed", "5", "-o", str(file))
    held = load_file(file) if suffix == ".safetensors" else torch.load(file, weights_only=True)
    expected = small(seed=5).state_dict()
    assert set(held) == set(expected)
    assert all(torch.equal(held[name], tensor) for name, tensor in expected.items())
    assert [f.name for f in tmp_path.iterdir()] == [file.name]


@pytest.mark.slow
def test_onnx_takes_any_batch_and_gives_the_same(tmp_path):
    """One file, dynamic batch; onnxruntime's outputs equal the network's for batches of 1 and 5."""
    onnxruntime = pytest.importorskip("onnxruntime")
    file = tmp_path / "net.onnx"
    out, err = run("build", *SMALL, "-o", str(file))
    assert "checked by onnx; onnxruntime's outputs differ by at most" in out and err == ""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    for batch in (1, 5):
        y = session.run(None, {"input": images(batch).numpy()})[0]
        torch.testing.assert_close(
            torch.from_numpy(y), small(seed=0)(images(batch)), rtol=1e-3, atol=1e-4
        )
    assert [f.name for f in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.slow
def test_exported_programs_give_the_same(tmp_path):
    """torch.export.load runs the .pt2 file for another batch, with equal outputs."""
    file = tmp_path / "net.pt2"
    assert "loaded again; outputs differ" in run("build", *SMALL, "-o", str(file))[0]
    program = torch.export.load(file).module()
    torch.testing.assert_close(program(images(3)), small(seed=0)(images(3)), rtol=1e-4, atol=1e-5)


def test_source_and_weights_belong_together(tmp_path):
    """The .py file's network loads the .pth file's tensors strictly, and gives equal outputs."""
    source, weights = tmp_path / "net.py", tmp_path / "net.pth"
    run("build", *SMALL, "-o", str(source))
    run("build", *SMALL, "-o", str(weights))
    assert "resnet_cli" not in source.read_text()
    spec = importlib.util.spec_from_file_location("net", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    net = module.resnet20().eval()
    net.load_state_dict(torch.load(weights, weights_only=True), strict=True)
    torch.testing.assert_close(net(images()), small(seed=0)(images()))


@pytest.mark.parametrize(
    "kind", ["pth", "wrapped", "prefixed", "safetensors", "sharded", "legacy", "timm"]
)
def test_weights_come_from_every_kind_of_file(kind, tmp_path):
    """Whatever wraps and names them, the tensors that were saved are those that are built."""
    state = small(seed=9).state_dict()
    file = tmp_path / "given.pth"
    if kind == "pth":
        torch.save(state, file)
    elif kind == "wrapped":
        torch.save({"epoch": 3, "model": {"state_dict": state}}, file)
    elif kind == "prefixed":
        torch.save({f"module.{name}": tensor for name, tensor in state.items()}, file)
    elif kind == "legacy":
        torch.save(state, file, _use_new_zipfile_serialization=False)
    elif kind == "safetensors":
        file = tmp_path / "given.safetensors"
        save_file(state, file)
    elif kind == "sharded":
        names = list(state)
        for part in (0, 1):
            save_file({n: state[n] for n in names[part::2]}, tmp_path / f"part{part}.safetensors")
        places = {name: f"part{at % 2}.safetensors" for at, name in enumerate(names)}
        file = tmp_path / "given.safetensors.index.json"
        file.write_text(json.dumps({"weight_map": places}))
    else:  # a head of another name, counters left out
        torch.save(
            {n.replace("fc.", "head.fc."): t for n, t in state.items() if "num_batches" not in n},
            file,
        )
    out = tmp_path / "out.pth"
    text, _ = run("build", *SMALL, "--weights", str(file), "-o", str(out))
    assert f"tensors loaded from {file}" in text
    held = torch.load(out, weights_only=True)
    assert all(torch.equal(held[name], tensor) for name, tensor in state.items())


def test_another_class_count_is_explained(tmp_path):
    """Which tensor, which shapes, and the two options; --backbone-only keeps all but the classifier."""
    file, out = tmp_path / "given.pth", tmp_path / "out.pth"
    state = small(seed=9).state_dict()
    torch.save(state, file)
    _, err = run("build", "resnet20", "--weights", str(file), code=1)
    assert "another classifier than resnet20: fc.weight is 7×64, the network has 10×64" in err
    assert "--num-classes 7 takes the file's classes; --backbone-only loads all but" in err
    run(
        "build",
        "resnet20",
        "--weights",
        str(file),
        "--backbone-only",
        "--seed",
        "2",
        "-o",
        str(out),
    )
    held = torch.load(out, weights_only=True)
    assert torch.equal(held["layer3.2.conv2.weight"], state["layer3.2.conv2.weight"])
    assert torch.equal(held["fc.weight"], resnet_cli.build("resnet20", seed=2).fc.weight)


def test_weights_of_another_network_are_refused(tmp_path):
    """The first difference in words, and the command that names the file's network."""
    file = tmp_path / "given.pth"
    torch.save(small().state_dict(), file)
    _, err = run("build", "resnet32", "--weights", str(file), code=1)
    assert "does not fit resnet32: missing in the file: 20 tensors of layer1" in err
    assert "resnet-cli identify FILE" in err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["-o", "net.xyz"], 2, "'net.xyz' has no suffix that says what to save"),
        (["-o", "/nowhere/at/all.pth"], 1, "cannot write '/nowhere/at/all.pth'"),
        (["--seed", "-1"], 2, "--seed -1 is out of range"),
        (["--backbone-only"], 2, "--backbone-only without weights"),
        (["--weights", "/nowhere.pth"], 1, "'/nowhere.pth' cannot be read"),
        (["--width", "1000000"], 1, "bytes of this machine"),
        (
            ["--zero-gamma", "--shortcut", "none"],
            2,
            "no residual block of resnet20 ends in a norm",
        ),
    ],
)
def test_bad_input_is_one_line(words, code, message):
    """Said in one line with a hint, before any work is done."""
    _, err = run("build", "resnet20", *words, code=code)
    assert message in err and err.count("\n") == 2 and err.startswith("error: ")


def test_nothing_is_left_half_written(tmp_path):
    """A directory as target, or weights that are refused, leave the folder as it was."""
    (tmp_path / "there.pth").mkdir()
    run("build", *SMALL, "-o", str(tmp_path / "there.pth"), code=1)
    (tmp_path / "bad.pth").write_bytes(b"PK nonsense")
    run(
        "build",
        *SMALL,
        "--weights",
        str(tmp_path / "bad.pth"),
        "-o",
        str(tmp_path / "x.pth"),
        code=1,
    )
    assert sorted(f.name for f in tmp_path.iterdir()) == ["bad.pth", "there.pth"]


def test_source_is_written_of_gated_shortcuts_too(tmp_path):
    """A .py file refuses nothing that build accepts: gates are modules in it."""
    file = tmp_path / "own.toml"
    file.write_text('base = "resnet20"\nshortcut = "gate"\n')
    out, _ = run("build", str(file), "-o", str(tmp_path / "net.py"))
    assert "PyTorch source of this network" in out
    assert "class GatedAddition(nn.Conv2d)" in (tmp_path / "net.py").read_text()


def test_a_checkpoint_is_built_with_its_own_numbers(tmp_path):
    """MODEL as a weight file: the numbers written are the file's, not new ones."""
    net = small(seed=3)
    torch.save(net.state_dict(), tmp_path / "in.pth")
    out, _ = run(
        "build",
        str(tmp_path / "in.pth"),
        "--as",
        "resnet20",
        "--input-size",
        "32x48",
        "-o",
        str(tmp_path / "out.pth"),
    )
    assert "tensors loaded from" in out and "initialised" not in out
    written = torch.load(tmp_path / "out.pth")
    assert all(torch.equal(written[name], tensor) for name, tensor in net.state_dict().items())


def test_tensors_of_two_networks_are_said_to_be_so(tmp_path):
    """ResNet-50's tensors are v1's and v1.5's; the one that is built is named with the other."""
    torch.save(resnet_cli.build("resnet50-v1.5").state_dict(), tmp_path / "weights.pth")
    words = ("--weights", str(tmp_path / "weights.pth"), "--input-size", "64")
    assert "these tensors fit resnet50-v1.5, timm:" in run("build", "resnet50", *words)[0]
    assert "these tensors fit resnet50, timm:" in run("build", "resnet50-v1.5", *words)[0]


OWN = ("tests/own_modules.py:Net", "--input", "1x3x32x32")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ("-o", "net.py"),
            2,
            "source is written from a spec, and tests/own_modules.py:Net has none",
        ),
        (("--shapes-only", "-o", "net.pth"), 2, "--shapes-only is of a .pt2"),
        (("--shapes-only",), 2, "add -o FILE.pt2"),
        (("--zero-gamma",), 2, "--zero-gamma is not for tests/own_modules.py:Net"),
    ],
)
def test_what_a_module_of_one_s_own_has_not_is_one_line(words, code, said):
    """Before the work, with what to type."""
    _, err = run("build", *OWN, *words, code=code)
    assert said in err and err.count("\n") == 2


def test_a_module_of_one_s_own_is_built_and_its_state_dict_saved(tmp_path):
    """Measured module by module, with the numbers that its own code draws by the seed."""
    path = tmp_path / "net.pth"
    out = json.loads(run("build", *OWN, "--seed", "4", "-o", str(path), "--json")[0])
    assert out["total"] == {"params": sum(p.numel() for p in Net().parameters()), "tensors": 28}
    assert {"module": "stem", "output": [1, 8, 16, 16], "tensors": 2, "params": 224} in out["rows"]
    torch.manual_seed(4)
    own = Net().state_dict()
    saved = torch.load(path, weights_only=True)
    assert all(torch.equal(saved[name], tensor) for name, tensor in own.items())


def test_a_file_of_operations_is_not_built(tmp_path):
    """There is no module in it; the line names what to give."""
    graph_files.saved(graph_files.convolutional(), tmp_path / "net.onnx")
    _, err = run("build", str(tmp_path / "net.onnx"), code=2)
    assert "there is no module in a file of operations, net.onnx" in err


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", ["resnet18", "tests/own_modules.py:Up", "tests/own_modules.py:Words"]
)
def test_a_file_of_shapes_alone_is_the_network_again(model, tmp_path):
    """No weights, any batch, and read without torch its rows have the costs of the module's."""
    path = tmp_path / "net.pt2"
    words = ("--input", "1x9:int64") if model.endswith("Words") else ()
    out, _ = run("build", model, *words, "--shapes-only", "-o", str(path))
    assert "for any batch, without weights; read again without torch" in out
    assert path.stat().st_size < 600_000
    given = inputs.given(words[1:], ())
    module, file = load(model, given), load(str(path), inputs.given(words[1:], ()))
    for key in ("params", "macs", "buffers"):
        assert counts.totals(file.rows)[key] == counts.totals(module.rows)[key]
    assert load(str(path), inputs.given((), (), 5)).inputs[0].shape[0] == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [(*OWN, ".onnx"), ("tests/own_modules.py:Words", "--input", "1x9:int64", ".pt2")]
)
def test_a_module_of_one_s_own_is_exported_and_run_again(words, tmp_path):
    """With its weights, for any batch; both give what the module gives, and have a tied weight once."""
    pytest.importorskip("onnxruntime")
    *model, suffix = words
    path = tmp_path / f"net{suffix}"
    out, _ = run("build", *model, "-o", str(path))
    assert "for any batch" in out and "outputs differ by at most" in out
    assert verify(str(path)).code == 0
    if suffix == ".pt2":
        module = load(model[0], inputs.given([model[2]], ()))
        assert counts.totals(load(str(path)).rows)["params"] == counts.totals(module.rows)["params"]
