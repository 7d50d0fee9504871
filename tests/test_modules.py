"""Torch modules as networks: run once, without numbers, as torch.export sees them; and the ways to name one."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from libraries import library
from test_graph_rows import LARGE, SMALL, placed, rows_of
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import resnet_cli
from resnet_cli import calls, models, networks
from resnet_cli.analyses.cost.counts import totals
from resnet_cli.cli import app
from resnet_cli.designs import fields
from resnet_cli.errors import UserError
from resnet_cli.graphs.structure import structured
from resnet_cli.pytorch.build import build

IMAGE = (1, 3, 8, 8)


class Odd(nn.Module):
    """What graphs get wrong: writes into views, a module called twice, operations that return what they get."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.drop = nn.Dropout(0.1)
        self.relu = nn.ReLU(inplace=True)
        self.lstm = nn.LSTM(8, 4, batch_first=True, bidirectional=True)
        self.heads = nn.ModuleList(nn.Linear(8, 2) for _ in range(2))
        self.register_buffer("scale", torch.ones(3, 1, 1))
        self.mean = torch.zeros(3, 1, 1)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        y = self.conv(self.drop(x))
        z = self.conv(y.contiguous()) + y + x
        y[:, :2] += z[:, :2]
        a, b, _ = (y * 2).chunk(3, 1)
        self.relu(y)
        out, _ = self.lstm(z.flatten(2).mean(1, keepdim=True).reshape(x.shape[0], 8, 8))
        heads = [head(out) for head in self.heads]
        return {"sum": y * self.scale + self.mean, "parts": [a + 1, b], "heads": heads}


@pytest.mark.parametrize(
    "name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]
)
def test_a_built_module_has_the_spec_s_rows(name):
    """Paths, leaves, reads, shapes, nesting, roles and blocks, one by one."""
    network = models.load(name)
    net = build(network.spec, device="meta")
    own = resnet_cli.network(net, (1, *network.input))
    assert [*map(placed, own.rows)] == [*map(placed, network.rows)]
    assert totals(own.rows) == totals(network.rows)


def test_a_module_has_the_rows_of_its_pt2(tmp_path):
    """Also where its views are written into, and modules are called twice, hold lists or never run."""
    own = resnet_cli.network(Odd(), IMAGE)
    with torch.device("meta"):
        exported = structured(rows_of(Odd(), tmp_path, IMAGE[1:]))
    assert [*map(placed, own.rows)] == [*map(placed, exported)]
    assert own.origin == networks.Origin("module", "Odd", "meta", f"torch {torch.__version__}")


@pytest.mark.parametrize(
    ("module", "input", "macs"),
    [
        (nn.Linear(3, 4, bias=False), (5, 3), 12),
        (nn.Conv1d(2, 4, 3), (1, 2, 10), 4 * 2 * 3 * 8),
        (nn.ConvTranspose2d(2, 4, 2, 2), (1, 2, 4, 4), 4 * 2 * 4 * 16),
        (nn.MultiheadAttention(8, 2), {k: (5, 1, 8) for k in ("query", "key", "value")}, 4 * 8 * 8 * 5 + 2 * 8 * 25),
        (nn.LSTM(4, 8, 2, bidirectional=True), (5, 1, 4), 5 * 2 * 4 * 8 * (4 + 8 + 16 + 8)),
        (nn.GRU(4, 8), (5, 1, 4), 5 * 3 * 8 * (4 + 8)),
        (nn.EmbeddingBag(4, 8, mode="sum"), {"input": torch.zeros(1, 3, dtype=torch.int64)}, 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)  # fmt: skip
def test_torchs_own_modules_are_counted(module, input, macs):
    """By hand: what a matrix product, a step of a recurrence or attention's four projections take."""
    network = resnet_cli.network(module, input)
    batch = network.rows[0].times
    total = totals(network.rows)
    assert total["params"] == sum(parameter.numel() for parameter in module.parameters())
    assert total["macs"] == macs * batch or network.uncounted


@pytest.mark.parametrize("fast", [nn.TransformerEncoder, nn.Transformer])
def test_torchs_short_cut_for_attention_is_off(fast):
    """Of one operator in place of a layer nothing would be known; it is on again afterwards."""
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    net = (
        fast(layer, 2) if fast is nn.TransformerEncoder else fast(16, 2, 1, 1, 32, batch_first=True)
    )
    input = (1, 5, 16) if fast is nn.TransformerEncoder else ((1, 5, 16), (1, 6, 16))
    network = resnet_cli.network(net.eval(), input)
    assert network.uncounted == [] and torch.backends.mha.get_fastpath_enabled()
    assert totals(network.rows)["params"] == sum(p.numel() for p in net.parameters())


@dataclass
class Parts:
    first: torch.Tensor
    others: dict


def test_what_a_module_returns_is_kept_in_any_form():
    """Lists, mappings and objects of one's own in one another; what nobody returns or reads is no row."""

    class Returns(nn.Module):
        def forward(self, x):
            y, _ = x + 1, x + 2
            return Parts(y, {"more": [(y * 2,)]})

    paths = [row.path for row in resnet_cli.network(Returns(), (1, 4)).rows]
    assert paths == ["add", "mul"]


def test_a_shared_parameter_counts_once():
    """Its products count each time."""
    net = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
    net[2].weight = net[0].weight
    total = totals(resnet_cli.network(net, (1, 4)).rows)
    assert (total["params"], total["macs"]) == (16, 32)


class Cached(nn.Module):
    """Sets attributes, lists and buffers as it runs, and reads them."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("history", torch.zeros(3))
        self.masks = {}

    def forward(self, x):
        self.steps += 1
        self.history[:2] = x.mean()
        self.last = x
        self.masks[x.shape] = x > 0
        return self.norm(self.fc(x)) if self.steps == 1 else x


def test_a_module_stays_as_it_was():
    """Its numbers, flags, attributes and hooks, and torch's random numbers; hooks are run."""
    net = Cached().train()
    net.norm.eval()
    ran = []
    hook = net.fc.register_forward_hook(lambda *_: ran.append(1))
    before, attributes = {k: v.clone() for k, v in net.state_dict().items()}, set(vars(net))
    state = torch.get_rng_state()
    network = resnet_cli.network(net, (2, 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert set(vars(net)) == attributes and net.masks == {} and hook.id in net.fc._forward_hooks
    assert net.training and net.fc.training and not net.norm.training
    assert ran == [1] and network.origin.ran == "meta"
    net.norm.train()
    net(torch.randn(2, 4)).sum().backward()  # nothing of the run is left in it
    assert net.steps == 1 and net.fc.weight.grad is not None


def test_a_lazy_module_stays_lazy():
    """Its shapes come of a first run, which is taken back."""
    net = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2))
    assert totals(resnet_cli.network(net, IMAGE).rows)["params"] == 112 + 8 + 290
    assert isinstance(net[0], nn.LazyConv2d) and net[3].has_uninitialized_params()


class Reads(nn.Module):
    """Its constructor reads a number, as RegNet's does."""

    def __init__(self):
        super().__init__()
        width = int(torch.linspace(2, 4, 3)[1].item())
        self.conv = nn.Conv2d(3, width, 1)
        self.register_buffer("order", torch.tensor([2, 0, 1]))

    def forward(self, x):
        return self.conv(x)[:, self.order.tolist()]


class Casts(nn.Module):
    """Asks for a device that torch's autocast knows, as rotary embeddings do."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        with torch.autocast(self.fc(x).device.type, enabled=False):
            return self.fc(x)


class Depends(nn.Module):
    """Goes on by what it computed."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8, bias=False)

    def forward(self, x):
        return self.fc(x) if self.fc(x).sum().item() == 0 else x


@pytest.mark.parametrize(
    ("kind", "ran"),
    [(Odd, "meta"), (Reads, "cpu, then meta"), (Casts, "fake tensors"), (Depends, "real tensors")],
)
def test_the_first_way_that_works_is_said(kind, ran, monkeypatch):
    """On meta; built with numbers; with torch's fake tensors; at last as it is."""
    monkeypatch.setitem(sys.modules, "nets", sys.modules[__name__])
    network = models.load(f"nets:{kind.__name__}", networks.Given((networks.Typed(None, IMAGE),)))
    assert network.origin == networks.Origin(
        "module", f"nets:{kind.__name__}", ran, f"torch {torch.__version__}"
    )
    assert totals(network.rows)["params"] == sum(p.numel() for p in kind().parameters())


# MODEL


NET = """
import sys
import torch
from torch import nn
from beside import WIDTH

print("imported with", sys.argv[1:])
open("runs", "a").write("x")

class Net(nn.Module):
    def __init__(self, width=WIDTH, *, bias=True):
        super().__init__()
        self.fc = nn.Linear(width, 2, bias=bias)
    def forward(self, x, mask=None):
        print("running")
        return self.fc(x)

def small():
    return Net(3)

class Wrong(Net):
    def forward(self, x):
        y = x.flatten(1)
        return self.fc(y)

class Ends(nn.Module):
    def __init__(self):
        sys.exit(3)

def none():
    return 5

made = Net(4)
size = 7
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with a file of networks that another one beside it is needed by."""
    Path(tmp_path / "net.py").write_text(NET)
    Path(tmp_path / "beside.py").write_text("WIDTH = 6\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in ("net", "beside"):
        sys.modules.pop(name, None)


def loaded(model, *shape):
    return models.load(model, networks.Given((networks.Typed(None, shape),)))


@pytest.mark.parametrize(
    ("model", "width", "params"),
    [
        ("net.py:Net", 6, 14),
        ("net.py:Net(3)", 3, 8),
        ("net.py:Net(width=5, bias=False)", 5, 10),
        ("net.py:small", 3, 8),
        ("net.py:made", 4, 10),
        ("net:Net", 6, 14),
    ],
)
def test_an_object_of_a_file_or_a_module_is_a_network(folder, model, width, params, capsys):
    """A class, a function or a module; what is printed is no result, and the program's arguments are none of theirs."""
    network = loaded(model, 1, width)
    assert totals(network.rows)["params"] == params
    assert (network.name, network.origin.kind, network.inputs[0].name) == (model, "module", "x")
    out, err = capsys.readouterr()
    assert out == "" and "imported with []" in err and err.count("running") == 1
    assert Path("runs").read_text() == "x"
    assert str(folder) not in sys.path


@pytest.mark.parametrize(
    ("model", "what", "hint", "code"),
    [
        ("net.py:Ned", "has no 'Ned'", "did you mean 'Net'", 2),
        ("net.py:", "no object of 'net.py' is named", "Net, small, Wrong, Ends, none, made", 2),
        ("net.py:size", "size is a int, no torch.nn.Module", "a class, a function or a module", 2),
        ("net.py:none", "makes is a int", "a class, a function or a module", 2),
        ("net.py:made(4)", "is a module already", "made", 2),
        (
            "net.py:Net(wide=3)",
            "unexpected keyword argument 'wide'",
            "Net(width=6, *, bias=True)",
            2,
        ),
        ("net.py:Net(width=WIDTH)", "'WIDTH' is no literal", "True, False, None", 2),
        ("net.py:Net(3", "no NAME(ARGUMENTS)", "in quotes", 2),
        ("net.py:Net:width=3", "stand in parentheses", "'net.py:Net(width=3)'", 2),
        ("net.py:Wrong", "net.py:24: RuntimeError: ", "--input 1x3x224x224", 1),
        ("net.py:Ends", "net.py:28: SystemExit: 3", "RESNET_CLI_DEBUG=1", 1),
        ("broken.py:Net", "broken.py:2: SyntaxError", "RESNET_CLI_DEBUG=1", 1),
        ("gone.py:Net", "no such file: 'gone.py'", "exists", 1),
        ("net.py", "is Python", "net.py:Net", 2),
        ("gone:Net", "no module named 'gone'", "PATH.py:OBJECT", 2),
        ("hf:gone", "no config.json in 'gone'", "folder", 1),
    ],
)
def test_what_makes_no_network_says_why(folder, model, what, hint, code):
    """What was typed; or their own error, with the line that it comes from."""
    Path("broken.py").write_text("import torch\nclass Net(:\n")
    with pytest.raises(UserError) as error:
        models.load(model)
    assert what in error.value.what and hint in error.value.hint
    assert error.value.code == code


def test_a_name_of_an_input_is_its_argument_s(folder):
    """Those without a name come in order; another name is refused with what there is."""
    given = networks.Given((networks.Typed(None, (1, 6)), networks.Typed("mask", (1, 1), "bool")))
    assert [each.name for each in models.load("net.py:Net", given).inputs] == ["x", "mask"]
    given = networks.Given((networks.Typed("y", (1, 6)),))
    with pytest.raises(UserError, match="no input named 'y'"):
        models.load("net.py:Net", given)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("Net", ("Net", (), {}, False)),
        ("resnet50.a1_in1k(num_classes=10)", ("resnet50.a1_in1k", (), {"num_classes": 10}, True)),
        (
            "Net(1, 'a:b=c', x=[1, {'k': None}])",
            ("Net", (1, "a:b=c"), {"x": [1, {"k": None}]}, True),
        ),
    ],
)
def test_arguments_are_literals(text, call):
    """Numbers, texts, lists and mappings, as Python writes them."""
    made = calls.parsed(text)
    assert (made.name, made.args, dict(made.kwargs), made.arguments) == call


@pytest.mark.parametrize(
    "text",
    [
        "Net(x)",
        "Net(f())",
        "Net(1)(2)",
        "Net(**{})",
        "Net(*a)",
        "Net(" + "(" * 900,
        "N(" + "1" * 3000,
    ],
)
def test_what_is_no_literal_is_refused(text):
    """Nothing in parentheses is ever run."""
    with pytest.raises(UserError):
        calls.parsed(text)


def test_a_text_in_parentheses_is_no_change(folder):
    """A colon and an equals sign in it do not part MODEL."""
    assert fields.overrides("net.py:Net(kind='a:b=c')") == ("net.py:Net(kind='a:b=c')", {})


@pytest.mark.parametrize(
    ("model", "missing", "hint"),
    [
        ("net.py:Net", "torch", "pip install torch"),
        ("timm:vit_base_patch16_224", "timm", "pip install timm"),
        ("hf:folder", "transformers", "pip install transformers"),
        ("torchvision:mobilenet_v2", "torchvision", "pip install torchvision"),
        ("timm:vit_base_patch16_224", "torch and timm", "pip install torch timm"),
        ("hf:folder", "torch and transformers", "pip install torch transformers"),
    ],
)
def test_what_is_not_installed_is_named(model, missing, hint, monkeypatch):
    """One line, with all that is to install."""
    absent = missing.split(" and ")
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name in absent else object()
    )
    with pytest.raises(UserError) as error:
        models.load(model)
    assert (
        f"needs {missing}, which {'are' if absent[1:] else 'is'} not installed" in error.value.what
    )
    assert error.value.hint.partition(";")[0] == hint and error.value.code == 1


def test_json_is_json_whatever_a_module_prints(folder, capsys):
    """And has how the module ran, and the inputs."""
    app()(["summary", "net.py:Net", "--input", "2x6", "--json"], standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert document["origin"]["ran"] == "meta" and document["total"]["params"] == 14
    assert document["inputs"] == [{"name": "x", "shape": [2, 6], "dtype": "float32"}]


def test_check_runs_what_a_file_names_where_that_is_allowed(folder, capsys):
    """--run-code builds it."""
    Path("pyproject.toml").write_text(
        "[tool.resnet-cli.check.mine]\nmodel = 'net.py:conv'\nmax-params = 1000\n"
    )
    Path("net.py").write_text("from torch import nn\ndef conv(): return nn.Conv2d(3, 4, 3)\n")
    code = app()(["check", "--run-code", "--json"], standalone_mode=False)
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["network"], row["actual"], row["ok"]) for row in rows] == [("mine", 112, True)]
    assert not code


# libraries


TIMM = (
    "beit_base_patch16_224", "botnet26t_256", "caformer_s18", "cait_xxs24_224", "coat_tiny", "coatnet_0_rw_224",
    "convformer_s18", "convit_tiny", "convmixer_768_32", "convnext_tiny", "convnextv2_atto", "crossvit_tiny_240",
    "cspresnet50", "darknet53", "davit_tiny", "deit3_small_patch16_224", "densenet121", "dla34", "dpn68",
    "eca_nfnet_l0", "edgenext_small", "efficientformer_l1", "efficientformerv2_s0", "efficientnet_b0",
    "efficientvit_b0", "eva02_tiny_patch14_224", "fastvit_t8", "focalnet_tiny_srf", "gcvit_xxtiny", "gernet_s",
    "ghostnet_100", "gmixer_12_224", "gmlp_s16_224", "halonet26t", "hgnet_tiny", "hiera_tiny_224", "hrnet_w18_small",
    "inception_v3", "lambda_resnet26t", "levit_128", "mambaout_femto", "maxvit_tiny_tf_224", "mixer_b16_224",
    "mobilenetv4_conv_small", "mobileone_s0", "mobilevit_s", "mvitv2_tiny", "nest_tiny", "pit_ti_224",
    "poolformer_s12", "pvt_v2_b0", "regnety_016", "repvgg_a0", "res2net50_26w_4s", "resnest50d", "resnetv2_50x1_bit",
    "samvit_base_patch16_224", "sequencer2d_s", "skresnet18", "swin_tiny_patch4_window7_224", "tiny_vit_5m_224",
    "tresnet_m", "twins_svt_small", "vit_tiny_patch16_224", "volo_d1_224", "xcit_nano_12_p16_224", "xception41",
)  # fmt: skip


def counted_by_torch(net, *args, **kwargs):
    """Half of what torch's flop counter gives, whose tracker of modules fails on some where there are gradients."""
    net.requires_grad_(False)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(*args, **kwargs)
    return counter.get_total_flops() // 2


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM)
def test_timms_networks_have_what_torch_counts(name):
    """Parameters of the module, and half of what torch's flop counter gives on the meta device."""
    timm = library("timm")
    network = models.load(f"timm:{name}()")
    with torch.device("meta"):
        net = timm.create_model(name)
    total = totals(network.rows)
    assert network.origin.ran == "meta" and network.uncounted == []
    assert total["params"] == sum(parameter.numel() for parameter in net.parameters())
    assert total["macs"] == counted_by_torch(
        net.eval(), torch.zeros(network.inputs[0].shape, device="meta")
    )


@pytest.mark.slow
def test_a_librarys_name_takes_arguments_and_no_weights():
    """A tag of weights is ignored; what would load some is refused, as is a name that is not there."""
    library("timm")
    network = models.load("timm:vit_tiny_patch16_224.augreg_in21k(num_classes=10, img_size=64)")
    assert network.inputs[0].shape == (1, 3, 64, 64) and network.rows[-1].output == (10,)
    assert network.origin.version.startswith("timm ")
    for model, what, hint in (
        ("timm:vit_tini_patch16_224", "timm has no network named", "'vit_tiny_patch16_224'"),
        ("timm:resnet50(pretrained=True)", "would load weights", "leave it out"),
        ("timm:resnet50(10)", "arguments by name", "num_classes=10"),
        ("torchvision:alexnett", "torchvision has no network named", "'alexnet'"),
        ("torchvision:alexnet(weights='DEFAULT')", "would load weights", "leave it out"),
        ("timm:vit_tiny_patch16_224(wide=3)", "TypeError", "RESNET_CLI_DEBUG=1"),
    ):
        with pytest.raises(UserError) as error:
            models.load(model)
        assert what in error.value.what and hint in error.value.hint, model


@pytest.mark.slow
def test_torchvisions_networks_have_what_it_publishes():
    """Parameters and MACs, to the three digits printed, of every image and video classifier and of segmentation, built
    as the published weights need it; googlenet's and inception's figures leave out their auxiliary heads."""
    torchvision = library("torchvision").models
    differ = {}
    for name in torchvision.list_models(
        exclude=["*raft*", "*rcnn*", "*retinanet*", "*fcos*", "*ssd*", "quantized_*"]
    ):
        meta = torchvision.get_model_weights(name).DEFAULT.meta
        words = {"aux_loss": True} if name.startswith(("fcn", "deeplab")) else {}
        words |= {"image_size": 518} if name == "vit_h_14" else {}
        words = ", ".join(f"{key}={value}" for key, value in words.items())
        network = models.load(f"torchvision:{name}({words})")
        total = totals(network.rows)
        ours = total["params"], round(total["macs"] / 1e9, 3)
        if ours != (meta["num_params"], meta["_ops"]) or network.uncounted:
            differ[name] = ours
    assert differ == {"googlenet": (13_004_888, 1.498)}
    assert torchvision.get_model_weights("googlenet").DEFAULT.meta["num_params"] == 6_624_904


@pytest.mark.slow
def test_folders_of_transformers_are_networks(tmp_path):
    """A text, an image and a speech network of small configurations, with what torch's flop counter counts."""
    transformers = library("transformers")
    small = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    configs = {
        "BertForMaskedLM": transformers.BertConfig(vocab_size=99, **small),
        "GPT2LMHeadModel": transformers.GPT2Config(vocab_size=99, n_embd=32, n_layer=2, n_head=2),
        "LlamaForCausalLM": transformers.LlamaConfig(vocab_size=99, **small),
        "ViTForImageClassification": transformers.ViTConfig(image_size=32, patch_size=8, **small),
        "T5ForConditionalGeneration": transformers.T5Config(
            vocab_size=99, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2
        ),
    }
    for name, config in configs.items():
        config.architectures = [name]
        config.save_pretrained(tmp_path / name)
        network = models.load(f"hf:{tmp_path / name}")
        total = totals(network.rows)
        net = getattr(transformers, name)(config).eval()
        assert (network.origin.ran, network.uncounted) == ("meta", []), name
        assert total["params"] == sum(parameter.numel() for parameter in net.parameters()), name
        given = {
            i.name: torch.zeros(i.shape, dtype=getattr(torch, i.dtype)) for i in network.inputs
        }
        with (
            torch.no_grad(),
            sdpa_kernel(SDPBackend.MATH),
            FlopCounterMode(display=False) as counter,
        ):
            net(**given)
        assert total["macs"] == counter.get_total_flops() // 2, name
