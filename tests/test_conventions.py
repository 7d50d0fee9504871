"""Every convention against the tool it is named after, the recorded figures and hand-worked numbers."""

import csv
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import graph_files
import own_modules
import pytest
import torch
from libraries import library
from listed import ZOO, rows_of
from program import run
from tools import TOOLS, spec_of
from torch.utils.flop_counter import FlopCounterMode

import resnet_cli
from resnet_cli.analyses.cost import conventions as analysis
from resnet_cli.analyses.cost.conventions import count
from resnet_cli.analyses.cost.flops import flops
from resnet_cli.analyses.levels import level
from resnet_cli.analyses.summary import summary
from resnet_cli.answers.network import network
from resnet_cli.designs import zoo
from resnet_cli.inputs import Given, Typed
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.models import load, of_module
from resnet_cli.published import figures
from resnet_cli.published.conventions import conventions
from resnet_cli.pytorch.build import build

RESNET50 = {  # resnet50-v1.5 at 224×224, as each tool printed it
    "papers": 4_089_184_256,
    "fvcore": 4_111_512_576,
    "torch": 8_178_368_512,
    "ptflops-aten": 4_089_185_256,
    "ptflops-pytorch": 4_132_436_968,
    "thop": 4_133_742_592,
    "ultralytics-thop": 4_133_742_592,
    "torchprofile": 4_100_300_288,
    "calflops": 8_211_108_352,
    "torchlens": 8_249_769_960,
    "pycls": 4_089_185_256,
    "torchinfo": 4_089_238_376,
}
MODULES = {"ptflops-aten": "ptflops", "ptflops-pytorch": "ptflops", "ultralytics-thop": "thop"}
# every family; 97 leaves pools cut at the border, 256 windows of unlike size in a VGG's last pool
NETWORKS = (
    "resnet18", "resnet50-v1.5", "resnet20", "wrn-16-8", "resnext50_32x4d:97", "se-resnet18:97",
    "preact-resnet18:97", "vgg11:256", "vgg13_bn:97", "resnet18-d:97", "keras-resnet50:97", "plain34:97",
)  # fmt: skip
BY_PYCLS = ("resnet50", "resnet50-v1.5", "resnet152", "resnext50_32x4d", "wide_resnet50_2",
            "resnext101_64x4d")  # fmt: skip
LISTED = {spec.name: rows_of(spec) for spec in zoo.NETWORKS}
DATA = Path(__file__).with_name("data")


def recorded(file):
    """What the tools printed: network -> tool -> number, "" where the tool cannot take it."""
    with DATA.joinpath(file).open(encoding="utf-8") as lines:
        return {record.pop("network"): record for record in csv.DictReader(lines)}


UNLISTED = recorded("printed_unlisted.csv")
"""Networks of layers that none on the list has, at odd sizes."""
# how the tool takes the convolution that is a part of these depends on how their module is written
OPERATED = {
    "resnet18:97:antialias=blur": {
        "fvcore": 550_793_728, "torch": 1_099_045_120, "ptflops-aten": 549_523_560,
        "ptflops-pytorch": 551_547_176, "torchprofile": 550_154_560, "torchinfo": 548_791_848,
    },
    "resnet18:65:norm=frozen": {
        "fvcore": 223_770_304, "torch": 447_531_392, "ptflops-aten": 223_766_696,
        "ptflops-pytorch": 224_373_672, "torchinfo": 223_766_696,
    },
    "preact-resnet18:65:weight_standardization=true,stem_pool=zeros": {
        "fvcore": 268_896_320, "torch": 447_531_392, "ptflops-aten": 223_766_696,
        "torchprofile": 223_995_392, "torchinfo": 223_774_504,
    },
}  # fmt: skip
"""What the tools printed that could be run on these."""
NOT_KNOWN = {
    tool: {"channel convolution", "gated addition"}
    for tool in ("ptflops-pytorch", "thop", "torchinfo")
}


def reconciled(*words):
    return json.loads(run("flops", *words, "--reconcile", "--json")[0])


def test_each_convention_gives_resnet50_to_the_last_digit():
    """What eleven tools printed for one network, from rules for each layer and no total."""
    rows = LISTED["resnet50-v1.5"]
    assert {name: count(rule, rows) for name, rule in conventions().items()} == RESNET50


def test_every_convention_gives_what_its_tool_printed_for_every_network():
    """The record of running each tool on the whole list: equal to the digit, and complete where said."""
    rules = conventions()
    for name, record in recorded("printed.csv").items():
        for tool, printed in record.items():
            assert bool(printed) == rules[tool].was_run_on(name), (tool, name)
            if printed:
                assert count(rules[tool], LISTED[name]) == int(printed), (tool, name)


@pytest.mark.parametrize("name", UNLISTED)
def test_layers_beside_those_of_the_list_are_counted_as_the_tool_does(name):
    """SiLU, group norm, ECA, gated and scaled additions: to the digit, or "not known" where that is said."""
    rows = rows_of(spec_of(name))
    kinds = {row.layer.operator for row in rows}
    for tool, printed in UNLISTED[name].items():
        unknown = analysis.missing(conventions()[tool], rows)
        assert {*unknown} == kinds & NOT_KNOWN.get(tool, set()), tool
        if not unknown:
            assert count(conventions()[tool], rows) == int(printed), tool


@pytest.mark.parametrize("name", OPERATED)
def test_blur_frozen_norm_and_standardised_weights_are_counted_as_the_tool_does(name):
    """To the digit of what the tools printed; the others are not known to count them."""
    rows, printed = rows_of(spec_of(name)), OPERATED[name]
    rules = {n: rule for n, rule in conventions().items() if rule.version}
    known = {n: rule for n, rule in rules.items() if not analysis.missing(rule, rows)}
    assert {n: count(rule, rows) for n, rule in known.items()} == printed


def test_a_blur_pool_stands_in_every_ledger():
    """741,312 MACs: 9 for each output of resnet18's four at 97×97; hooks on modules do not see them."""
    ledgers = {line["name"]: line for line in reconciled("resnet18:antialias=blur,input_size=97")["ledgers"]}  # fmt: skip
    terms = {name: {t["term"]: t["count"] for t in line["terms"]} for name, line in ledgers.items()}
    sides = {64: 25, 128: 13, 256: 7, 512: 4}
    blurred = 9 * (64 * 25**2 + sum(c * n**2 for c, n in sides.items() if c > 64))
    assert terms["torchinfo"]["blur pool, 1 a MAC"] == -blurred == -741_312
    assert "blur pool, 1 a MAC" not in terms["fvcore"]


def test_our_own_rule_knows_every_layer_that_is_described():
    """The row of the papers is our MACs, whatever the network; an operation nobody describes has none."""
    rows = rows_of(spec_of("resnet18:65:norm=group,activation=SiLU,eca=true,shortcut=gate"))
    assert count(conventions()["papers"], rows) == sum(row.macs for row in rows)
    hidden = rows[0]._replace(layer=Uncounted("x", "linear", "shape unknown"))
    assert analysis.missing(conventions()["papers"], [hidden]) == ["linear"]


def test_hand_worked_terms_of_a_gated_addition():
    """The first gate of an exclusive resnet18 at 97: 64·64 MACs and one output at each of 25·25 places.

    torchprofile counts both products; torchlens, 2 a MAC: the bias, 4 of the sigmoid, 1 − g, both
    products and the sum.
    """
    rows = rows_of(spec_of("resnet18:97:shortcut=exclusive-gate"))
    gate = [next(row for row in rows if row.layer.operator == "gated addition")]
    places = 25 * 25
    macs, elements = 64 * 64 * places, 64 * places
    by = {
        name: count(conventions()[name], gate) for name in ("fvcore", "torchprofile", "torchlens")
    }
    assert by["fvcore"] == macs
    assert by["torchprofile"] == macs + 2 * elements
    assert by["torchlens"] == 2 * macs + 9 * elements
    said = analysis.in_words(conventions()["torchprofile"], gate)
    assert said.endswith("1 a MAC; gated addition, 1 an elementary operation; minus gated addition, 4 an element")  # fmt: skip


def test_the_command_prints_what_each_tool_does():
    """--reconcile has a row a convention, the papers' figures after them."""
    rows = reconciled("resnet50-v1.5")["rows"]
    assert {row["name"]: row["counted"] for row in rows[: len(RESNET50)]} == RESNET50
    assert [row["name"] for row in rows[len(RESNET50) :]] == [
        "Xie et al. 2017, Table 1", "Xie et al. 2017, README", "torchvision 0.29, weights",
        "He et al. 2015, Table 1", "He et al. 2015, Sec 4.1", "Hu et al. 2018, Table 2",
    ]  # fmt: skip


def installed(tool):
    """Whether the tool is there; two packages call themselves thop."""
    if find_spec(MODULES.get(tool, tool)) is None:
        return False
    if "thop" in tool:
        import thop

        return thop.__version__.startswith("0.") == (tool == "thop")
    return True


@pytest.mark.slow  # ten to twenty seconds a tool
@pytest.mark.parametrize("tool", [name for name in RESNET50 if name != "papers"])
def test_the_tool_itself_prints_what_its_convention_says(tool):
    """Run on networks of every family, and at odd sizes; skipped where the tool is not installed."""
    if not installed(tool):
        pytest.skip(f"{tool} is not installed")
    names = BY_PYCLS if tool == "pycls" else (*NETWORKS, *UNLISTED)
    script = Path(__file__).with_name("tools.py")
    done = subprocess.run(
        [sys.executable, str(script), tool, *names], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    beside = {name: int(UNLISTED[name][tool]) for name in names if name in UNLISTED}
    rule = conventions()[tool]
    listed = {n: count(rule, rows_of(spec_of(n))) for n in names if n not in UNLISTED}
    assert printed == listed | beside


@ZOO
def test_steps_lead_from_our_macs_to_what_is_printed(spec):
    """factor · MACs + the terms = the number, for every convention and paper, for every network."""
    rows = LISTED[spec.name]
    macs = sum(row.macs for row in rows)
    lines = [
        *analysis.by_tools(load(spec), conventions().values()),
        *analysis.by_papers(load(spec), figures()),
    ]
    for line in lines:
        if line.missing:
            assert line.counted is None and line.checked == "not run"
            continue
        assert line.counted == line.factor * macs + sum(number for _, number in line.steps), line
        assert all(number for _, number in line.steps)


@pytest.mark.parametrize("name", ["convnext_tiny", "convnextv2_tiny"])
def test_a_convnext_is_counted_as_fvcore_and_torch_count_it(name):
    """Its norms at fvcore's five an element, products of scales as nothing."""
    spec = zoo.changed(zoo.find(name), stages=(1, 1, 2, 1), input_size=(64, 96))
    net, x = build(spec).eval().requires_grad_(False), torch.zeros(1, *spec.input_shape)
    analysis_of_fvcore = pytest.importorskip("fvcore.nn").FlopCountAnalysis(net, x)
    analysis_of_fvcore.unsupported_ops_warnings(False)
    with FlopCounterMode(display=False) as counter:
        net(x)
    rules, rows = conventions(), rows_of(spec)
    assert count(rules["fvcore"], rows) == analysis_of_fvcore.total()
    assert count(rules["torch"], rows) == counter.get_total_flops()
    assert analysis.missing(rules["thop"], rows)[:2] == ["layer norm", "permutation"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        "clip-rn50:stages=1-1-1-1,width=16,stem_width=16,input_size=64",
        "clip-rn50:head=attention-all,stages=1-1-1-1,width=16,stem_width=16,input_size=64",
        "iresnet18:input_size=64",
        "keras-resnet50v2:stages=2-2-1-1,input_size=65",
        "sknet26:stages=1-1-1-1,input_size=64",
        "resnest14:input_size=64",
        "resnet20:stochastic_depth=0.2",
    ],
)
def test_fvcore_counts_parts_of_other_libraries_as_its_convention_says(model):
    """An attention pool as its products, a vector's norm as a map's, PReLU, a padded pool and sums of parts as nothing."""
    from fvcore.nn import FlopCountAnalysis

    network = load(model)
    net = build(network.spec).eval()
    analysis = FlopCountAnalysis(net, torch.zeros(1, *network.spec.input_shape))
    analysis.unsupported_ops_warnings(False)
    assert analysis.total() == count(conventions()["fvcore"], network.rows)


def test_the_papers_38_is_not_41():
    """He et al.'s ResNet-50 strides in the first 1×1: 231,211,008 MACs fewer, printed as 3.8 G."""
    row = next(r for r in reconciled("resnet50-v1.5")["rows"] if "He et al. 2015" in r["name"])
    assert row["counted"] == 3_857_973_248
    assert row["ledger"] == "4,089,184,256 MACs; - 231,211,008 style v1; printed as 3.8 G"


def test_the_ledger_is_written_out():
    """Terms in words with their numbers; JSON has them as integers too."""
    answer = reconciled("resnet50-v1.5")
    ledgers = {line["name"]: line for line in answer["ledgers"]}
    assert ledgers["fvcore"]["terms"] == [
        {"term": "batch norm, 2 an element", "count": 22_227_968},
        {"term": "adaptive pool, 1 an input", "count": 100_352},
    ]
    assert ledgers["calflops"]["factor"] == 2
    rows = {row["name"]: row for row in answer["rows"]}
    assert rows["torch"]["ledger"] == "2 × 4,089,184,256 MACs"
    assert rows["torchlens"]["ledger"].endswith("; + 5,519,360 addition, 1 an element")


def test_hand_worked_terms_of_a_gate():
    """One gate of se-resnet18's first stage: 64 channels of 56×56 to 4 and back."""
    gate = [row for row in LISTED["se-resnet18"] if row.path.startswith("layer1.0.se")]
    elements, hidden, channels = 64 * 56 * 56, 4, 64
    macs = 2 * hidden * channels
    by = {name: count(rule, gate) for name, rule in conventions().items()}
    assert by["fvcore"] == macs + elements
    assert by["ptflops-aten"] == macs + hidden + channels
    assert by["torchprofile"] == macs + channels + elements
    assert by["torchlens"] == (
        2 * macs + hidden + channels + elements + hidden + 4 * channels + elements
    )


def test_hand_worked_windows_of_a_pool():
    """vgg11 at 256: 8 to 7, each of 7 windows two values wide, so 14·14 values a channel and 7·7 outputs."""
    rows = [row for row in rows_of(spec_of("vgg11:256")) if row.path == "avgpool"]
    assert count(conventions()["ultralytics-thop"], rows) == 512 * (14 * 14 + 7 * 7)
    assert count(conventions()["fvcore"], rows) == 512 * 8 * 8


def test_hand_worked_biases_of_pycls():
    """vgg11's biases once a channel, whatever the pixels (pycls.core.net.complexity_conv2d)."""
    rows = LISTED["vgg11"]
    convolutions, linear = 64 + 128 + 2 * 256 + 4 * 512, 2 * 4096 + 1000
    assert count(conventions()["pycls"], rows) == (
        count(conventions()["papers"], rows) + convolutions + linear
    )


def test_only_what_was_run_is_called_checked():
    """A listed network says yes; a changed one, and one that a tool cannot take, say not run."""
    checked = {r["name"]: r["checked"] for r in reconciled("vgg11")["rows"]}
    assert (checked["fvcore"], checked["pycls"]) == ("yes", "not run")
    assert conventions()["pycls"].was_run_on("resnet50")
    changed = reconciled("vgg11", "--width", "32")["rows"]
    assert {row["checked"] for row in changed if row["name"] != "papers"} == {"not run"}


@pytest.mark.parametrize("name", conventions())
def test_a_table_by_a_convention_adds_up(name):
    """At every level of every network the rows sum to what the tool prints."""
    rule = conventions()[name]
    for rows in LISTED.values():
        if analysis.missing(rule, rows):
            continue
        recounted = analysis.recounted(rule, rows)
        for by in ("stage", "operator"):
            table = analysis.named(rule, flops(rows, level(rows, by), "mac", recounted))
            assert table.total[1] == sum(row[1] for row in table.rows) == count(rule, rows)
            assert [column.key for column in table.columns] == [by, "counted", "share", "bar"]


def test_the_command_counts_by_a_convention():
    """The rows have the tool's unit; the total of our MACs stays beside them."""
    answer = json.loads(run("flops", "se-resnet50", "--convention", "calflops", "--json")[0])
    total = count(conventions()["calflops"], LISTED["se-resnet50"])
    assert sum(row["counted"] for row in answer["rows"]) == answer["convention"]["total"] == total
    assert sum(row["counted"] for row in answer["operators"]) == total
    assert answer["convention"]["unit"] == "FLOPs"
    assert answer["total"]["macs"] == 3_860_488_192


def test_any_table_of_macs_can_use_a_convention():
    """summary of recounted rows has the convention's numbers beside its own parameters."""
    rule, rows = conventions()["fvcore"], LISTED["resnet50-v1.5"]
    table = analysis.named(
        rule, summary(rows, level(rows, "stage"), analysis.recounted(rule, rows))
    )
    at = [column.key for column in table.columns].index("counted")
    assert table.total[at] == sum(row[at] for row in table.rows) == 4_111_512_576
    assert table.columns[at].title == "MACs (fvcore)"


@pytest.mark.parametrize("format", ["table", "plain", "csv", "markdown", "latex"])
@pytest.mark.parametrize("words", [("--reconcile",), ("--convention", "torchinfo")])
def test_every_format_says_what_is_counted(words, format):
    """The unit and the rule reach every format."""
    notes = ("--notes",) * (format == "csv")
    out, _ = run("flops", "resnet50-v1.5", *words, "-f", format, "--exact", *notes)
    assert "4,089,238,376" in out or "4089238376" in out or format == "csv"
    assert "mult-adds" in out and "1 a parameter" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--convention", "fvcor"), "did you mean 'fvcore'"),
        (("--convention", "ptflops"), "did you mean 'ptflops-aten', 'ptflops-pytorch'"),
        (("--reconcile", "--by", "layer"), "both --reconcile and --level"),
        (("--reconcile", "--convention", "thop"), "both --reconcile and --convention"),
        (("--reconcile", "--backward"), "both --reconcile and --backward"),
        (("--backward", "--unit", "flop"), "both --backward and --unit"),
        (("--engine", "torch", "--convention", "thop"), "both --convention and --engine"),
        (("--engine", "torch", "--backward"), "both --backward and --engine"),
        (("--engine", "tensorflow"), "no engine named"),
    ],
)
def test_options_that_contradict_each_other_are_refused(words, said):
    """Exit 2 and one line that names both."""
    out, err = run("flops", "resnet50", *words, code=2)
    assert out == "" and said in err


def test_summary_counts_by_a_convention_too():
    """summary --convention torchinfo: the same total as flops, beside parameters and shapes."""
    words = ("resnet50-v1.5", "--convention", "torchinfo", "--json")
    summary, flops = (json.loads(run(command, *words)[0]) for command in ("summary", "flops"))
    assert summary["convention"] == flops["convention"]
    assert sum(row["counted"] for row in summary["rows"]) == 4_089_238_376
    assert [row["counted"] for row in summary["rows"]] == [row["counted"] for row in flops["rows"]]
    assert "mult-adds as torchinfo" in run("summary", *words[:3])[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["convnext_atto", "vit_tiny_patch16_224", "densenet121", "mobilenetv3_small_050"]
)
def test_others_networks_are_counted_as_torch_and_fvcore_count_them(name):
    """What `--reconcile` says that the two print of timm's networks is what they print."""
    timm = library("timm")
    FlopCountAnalysis = pytest.importorskip("fvcore.nn").FlopCountAnalysis
    timm.layers.set_fused_attn(False)
    try:
        net = timm.create_model(name).eval().requires_grad_(False)
    finally:
        timm.layers.set_fused_attn(True)
    image = torch.zeros(1, 3, 224, 224)
    rows = resnet_cli.network(net, tuple(image.shape)).rows
    with FlopCounterMode(display=False) as torchs:
        net(image)
    fvcores = FlopCountAnalysis(net, image).unsupported_ops_warnings(False).total()
    known = conventions()
    assert count(known["torch"], rows) == torchs.get_total_flops()
    assert count(known["fvcore"], rows) == fvcores


def test_attention_says_whether_it_is_causal():
    """All scores are counted; who leaves masked ones out counts about half."""

    class Attention(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)

    answer = resnet_cli.flops(resnet_cli.network(Attention(), (1, 2, 7, 4)))
    assert answer.envelope["total"]["macs"] == 2 * 2 * 7 * 7 * 4
    assert any(note.startswith("causal attention") for note in answer.notes)


@pytest.mark.parametrize("tool", ["fvcore", "torch", "torchprofile", "torchinfo"])
@pytest.mark.parametrize("of", [own_modules.Plain, own_modules.Functional, own_modules.Derived])
def test_a_module_of_one_s_own_is_counted_as_the_tool_does_or_not_at_all(of, tool):
    """To the digit of what the tool prints; null where it would have to know somebody's own code."""
    if tool not in ("fvcore", "torch"):
        pytest.importorskip(tool)
    net = of().eval()
    lines = analysis.by_tools(network(net, (1, 3, 32, 32)), conventions().values())
    (line,) = (line for line in lines if line.name == tool)
    printed = int(TOOLS[tool](net, torch.zeros(1, 3, 32, 32)))
    if of is own_modules.Derived and tool == "torchinfo":
        assert line.counted is None
        assert line.missing == ["convolution in no module of torch.nn"]
    else:
        assert (line.counted, line.missing) == (printed, [])


def test_a_built_resnet_is_reconciled_as_its_spec_is():
    """Every tool's number of the module, which has no spec, is that of the list's network."""
    spec = zoo.find("resnet18")
    module = of_module(build(spec, device="meta"), (1, *spec.input_shape))
    own, listed = (
        [(line.name, line.counted, line.steps) for line in analysis.by_tools(each, conventions().values())]
        for each in (module, load("resnet18"))
    )  # fmt: skip
    assert own == listed


def test_what_no_tool_s_rule_names_is_missing_and_never_nothing():
    """Attention, layer norm, an LSTM: null with their names; torch's own counter knows all that multiplies."""
    words = load("tests/own_modules.py:Words", Given((Typed(None, (1, 9), "int64"),)))
    lines = {line.name: line for line in analysis.by_tools(words, conventions().values())}
    assert lines["torch"].counted == 2 * sum(row.macs for row in words.rows)
    for name, line in lines.items():
        if name not in ("papers", "torch"):
            known = {"layer norm"} if name == "fvcore" else set()
            assert line.counted is None
            assert {"attention", "layer norm", "LSTM"} - known <= {*line.missing}


def test_an_onnx_without_norms_may_have_had_some(tmp_path):
    """What its module had is not known, so that no tool that counts norms or biases has a number."""
    graph_files.saved(graph_files.convolutional(), tmp_path / "net.onnx")
    lines = analysis.by_tools(load(str(tmp_path / "net.onnx")), conventions().values())
    known = {line.name for line in lines if line.counted is not None}
    assert known == {"papers", "torch"}
