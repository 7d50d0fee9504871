"""Memory: what the trace says against what torch keeps, measured on the built module."""

import contextlib
import json

import allocation
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from listed import FAMILIES, everyday, rows_of
from program import assert_not_loaded, run

import resnet_cli
from resnet_cli import network
from resnet_cli.analyses.memory import memory as analysis
from resnet_cli.analyses.memory.live import live
from resnet_cli.analyses.memory.memory import Settings, memory
from resnet_cli.analyses.memory.saved import saved
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.answers import memory as answers
from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.iresnet import IResNet
from resnet_cli.designs.limits import BATCH
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import SHORTCUTS, ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.layers.convolution import Conv2d, Linear
from resnet_cli.layers.elementwise import ReLU
from resnet_cli.layers.normalisation import BatchNorm2d
from resnet_cli.layers.pooling import AdaptiveAvgPool2d, MaxPool2d
from resnet_cli.layers.shaping import Flatten
from resnet_cli.layers.tree import Residual, Sequence, Stage
from resnet_cli.pytorch import measure
from resnet_cli.pytorch.build import build
from resnet_cli.trace import trace

INPLACE = pytest.mark.parametrize("inplace", [False, True], ids=["new", "inplace"])
NETWORKS = [spec for spec in zoo.NETWORKS if sum(spec.stages) < 300]  # 1001 layers take seconds


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small networks are slower on several threads than on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small(spec):
    """The same structure: two layers or blocks a stage, few channels and pixels."""
    side = min(64, *spec.input_size)
    stages = (2,) * len(spec.stages)
    if isinstance(spec, RegNet):
        return zoo.changed(
            spec, stages=stages, widths=(16, 16, 24, 32), group_width=8, input_size=(side, side)
        )
    if isinstance(spec, ConvNeXt):
        return zoo.changed(spec, stages=stages, widths=(16, 16, 24, 32), input_size=(side, side))
    wide = getattr(spec, "norm", "") == "group" or getattr(spec, "body", "plain") != "plain"
    width = 32 if wide else 16
    return zoo.changed(spec, stages=stages, width=width, input_size=(side, side))


def module(spec, inplace=False, device="cpu"):
    net = build(spec, device="meta")
    return allocation.set_inplace(net if device == "meta" else measure.zeroed(net), inplace)


def batch_of(size, spec, **how):
    return torch.zeros(size, *spec.input_shape, **how)


def saved_bytes(rows, batch, dtype="fp32", inplace=False, checkpoint=False):
    held = saved(rows, PRECISIONS[dtype], inplace, checkpoint)
    return sum(part.of(batch) for part in held.rows)


def live_peak(rows, batch, dtype="fp32", inplace=False):
    return max(held.of(batch) for held in live(rows, PRECISIONS[dtype], inplace))


@everyday(NETWORKS)
def test_every_network_saves_what_autograd_saves(spec):
    """Bytes that saved-tensor hooks see at full size, on the meta device, are those of the trace."""
    net = module(spec, device="meta").train()
    found = allocation.saved(net, batch_of(2, spec, device="meta"))
    assert saved_bytes(rows_of(spec), 2) == found


@INPLACE
@pytest.mark.parametrize("spec", FAMILIES, ids=lambda spec: spec.family)
def test_every_family_saves_and_holds_what_torch_does(spec, inplace):
    """Saved bytes and the live peak of inference are equal on a CPU, with one input and two."""
    spec = small(spec)
    rows, net = rows_of(spec), module(spec, inplace)
    of_one_pixel = any(row.role == "gate" and row.layer.buffers() for row in rows)
    # torch trains no batch norm of one number
    for batch in (2, 3) if of_one_pixel or isinstance(spec, IResNet) else (1, 2):
        x = batch_of(batch, spec)
        assert saved_bytes(rows, batch, inplace=inplace) == allocation.saved(net.train(), x)
        assert live_peak(rows, batch, inplace=inplace) == allocation.live_peak(net.eval(), x)


@INPLACE
@pytest.mark.parametrize("changes", [{"antialias": "blur"}, {"norm": "frozen"}], ids=str)
def test_blur_and_frozen_norms_save_and_hold_what_torch_does(changes, inplace):
    """A mirrored border and each channel's scale, of two inputs: to the byte."""
    spec = zoo.changed(small(zoo.find("resnet18")), **changes)
    rows, net, x = rows_of(spec), module(spec, inplace), batch_of(2, spec)
    assert saved_bytes(rows, 2, inplace=inplace) == allocation.saved(net.train(), x)
    assert live_peak(rows, 2, inplace=inplace) == allocation.live_peak(net.eval(), x)


NEW_PARTS = {"norm": "group", "activation": "SiLU", "eca": True}


@pytest.mark.parametrize("dtype", ["bf16", "amp"])
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("resnet20", {}), ("vgg11_bn", {}), ("se-resnet18", {}), ("wrn-16-8", {}),
        ("resnet18", {"width": 32, **NEW_PARTS}), ("preact-resnet18", {"width": 32, **NEW_PARTS}),
    ],
)  # fmt: skip
def test_half_the_width_is_what_torch_keeps(name, changes, dtype):
    """A bfloat16 module and a CPU's autocast: saved bytes and live peak are equal."""
    spec = zoo.changed(small(zoo.find(name)), **changes)
    rows, net, x = rows_of(spec), module(spec), batch_of(2, spec)
    if dtype == "bf16":
        net, x = net.bfloat16(), x.bfloat16()
    cast = dtype == "amp"

    def how():
        return torch.autocast("cpu", torch.bfloat16) if cast else contextlib.nullcontext()

    with how():
        assert saved_bytes(rows, 2, dtype) == allocation.saved(net.train(), x)
    with how():  # anew: autocast still holds the copies of the first pass
        assert live_peak(rows, 2, dtype) == allocation.live_peak(net.eval(), x)


@pytest.mark.parametrize("spec", FAMILIES, ids=lambda spec: spec.family)
def test_autocast_is_followed_or_said_not_to_be(spec):
    """Saved bytes and live peak of every family are equal, or a note names the layers that are not followed."""
    spec = small(spec)
    notes = resnet_cli.memory(spec, 2, dtype="amp").notes
    said = any(note.startswith("amp: what") for note in notes)
    rows, net, x = rows_of(spec), module(spec), batch_of(2, spec)
    with torch.autocast("cpu", torch.bfloat16):
        kept = allocation.saved(net.train(), x)
    with torch.autocast("cpu", torch.bfloat16):
        live = allocation.live_peak(net.eval(), x)
    shown = saved_bytes(rows, 2, "amp"), live_peak(rows, 2, "amp")
    assert (shown == (kept, live)) is not said
    assert shown[0] <= kept


@given(
    block=st.sampled_from(["basic", "bottleneck"]),
    stages=st.tuples(*[st.integers(1, 2)] * 4),
    shortcut=st.sampled_from(SHORTCUTS),
    scale=st.sampled_from([1.0, 0.5]),
    style=st.sampled_from(["v1", "v1.5"]),
    stem=st.sampled_from(["7x7", "3x3", "deep"]),
    preact=st.booleans(),
    se_reduction=st.sampled_from([0, 4]),
    norm=st.booleans(),
    pool=st.booleans(),
    inplace=st.booleans(),
    left_out=st.sampled_from([0.0, 0.2]),
    size=st.tuples(st.integers(17, 40), st.integers(17, 40)),
)
@settings(max_examples=60, deadline=None)
def test_any_network_saves_and_holds_what_torch_does(
    block,
    stages,
    shortcut,
    scale,
    style,
    stem,
    preact,
    se_reduction,
    norm,
    pool,
    inplace,
    left_out,
    size,
):
    """Whatever the blocks, the shortcuts and the size: bytes are equal, with checkpoints too."""
    spec = ResNet("x", "x", block, stages, shortcut, style, stem, stem_width=16, width=16, preact=preact,
                  se_reduction=se_reduction, projection_norm=norm, projection_pool=pool,
                  shortcut_scale=scale, stochastic_depth=left_out if shortcut != "none" else 0.0,
                  num_classes=10, input_size=size)  # fmt: skip
    rows, net, x = rows_of(spec), module(spec, inplace), batch_of(2, spec)
    assert saved_bytes(rows, 2, inplace=inplace) == allocation.saved(net.train(), x)
    assert live_peak(rows, 2, inplace=inplace) == allocation.live_peak(net.eval(), x)
    held = saved(rows, PRECISIONS["fp32"], inplace, checkpoint=True)
    again = [sum(held.again[index].of(2) for index in block) for block in held.blocks]
    assert again == allocation.saved_by_blocks(net.train(), x)
    outside = allocation.held_for_backward(allocation.checkpointed(net), x)
    assert saved_bytes(rows, 2, inplace=inplace, checkpoint=True) == outside


COMMON = {"ResNet", "ResNet v1.5", "pre-activation", "VGG", "SENet", "ConvNeXt"}
"""Families of which a whole training step is followed every day."""


def steps():
    """A network of each family, as it is and with blocks that run again; of rarer families in the slow run."""
    for spec in FAMILIES:
        marks = () if spec.family in COMMON else pytest.mark.slow
        for checkpoint in (False, True)[: 1 if isinstance(spec, VGG) else 2]:
            yield pytest.param(spec, checkpoint, id=f"{spec.family}-{checkpoint}", marks=marks)


@INPLACE
@pytest.mark.parametrize(("spec", "checkpoint"), [*steps()])
def test_a_training_step_peaks_where_torchs_does(spec, checkpoint, inplace):
    """Forward, backward and SGD's step at full size, on the meta device: the peak within 1 %."""
    net = module(spec, inplace, device="meta").train()
    if checkpoint:
        allocation.checkpointed(net)
    of = memory(rows_of(spec), Settings("momentum", "fp32", inplace, checkpoint))
    found = allocation.training_peak(net, batch_of(8, spec, device="meta"), "momentum")
    assert analysis.by_level(of, 8)[1]["training"] == pytest.approx(found, rel=0.01)


def test_resnet50_is_as_measured_elsewhere():
    """86.0 MB saved and 10.44 MB live, as measured independently: 86.12 with one input, 86.02 each
    with two, which share what batch norm saves; the live peak is the same byte for byte."""
    rows = rows_of(zoo.find("resnet50-v1.5"))
    assert saved_bytes(rows, 1) == 86_121_984
    assert saved_bytes(rows, 2) // 2 == 86_015_744
    assert live_peak(rows, 1) == 10_436_608


def test_a_network_worked_by_hand():
    """Conv 3→4 on 8×8, norm, ReLU, max pool 2, a block of one conv, norm and an addition, mean, fc."""
    block = (Conv2d("conv", 4, 4, 3, 1, 1), BatchNorm2d("bn", 4))
    net = Sequence("", (
        Stage("conv1", (Conv2d("conv1", 3, 4, 3, 1, 1), BatchNorm2d("bn1", 4), ReLU("relu"))),
        Stage("conv2_x", (
            MaxPool2d("maxpool", 2, 2),
            Sequence("layer1", (Residual("0", block, after=(ReLU("relu"),), label="conv2_1"),)),
        )),
        Stage("fc", (AdaptiveAvgPool2d("avgpool"), Flatten("flatten"), Linear("fc", 4, 10))),
    ))  # fmt: skip
    rows = trace(net, (3, 8, 8))
    of = memory(rows, Settings("adam"))
    table, total = analysis.by_level(of, 1)
    lines = {row[0]: dict(zip(analysis.PARTS, row[1:], strict=True)) for row in table.rows}
    large, pooled, stats = 4 * 8 * 8 * 4, 4 * 4 * 4 * 4, 2 * 4 * 4
    # conv1 keeps its input, bn1 conv1's output and statistics, the ReLU its own
    assert lines["conv1"]["saved"] == 3 * 8 * 8 * 4 + large + stats + large
    # the pool keeps int64 places, conv the pooled, bn conv's output, the last ReLU its own
    assert lines["conv2_x"]["saved"] == 2 * pooled + pooled + pooled + stats + pooled
    assert lines["fc"]["saved"] == 4 * 4  # the means
    # a norm's input and output; the ReLU's output, the pooled and the places; what is averaged and the means
    assert lines["conv1"]["live"] == 2 * large
    assert lines["conv2_x"]["live"] == large + pooled + 2 * pooled
    assert lines["fc"]["live"] == pooled + 4 * 4
    weights = 4 * (3 * 4 * 9 + 8 + 4 * 4 * 9 + 8 + 50)
    assert (total["weights"], total["gradients"], total["optimizer"]) == (
        weights, weights, 2 * weights,
    )  # fmt: skip
    assert total["buffers"] == 2 * (2 * 4 * 4 + 8)
    assert total["live"] == 3 * 8 * 8 * 4 + 2 * large
    # at the backward pass of bn1: its saved input and statistics, conv1's input; the gradients of its
    # input and output, and of all weights but conv1's
    bn1 = 3 * 8 * 8 * 4 + large + stats + 2 * large + weights - 4 * 3 * 4 * 9
    # at that of the ReLU before it: the ReLU's output as well, and no gradient of bn1's weights
    relu = bn1 + large - 4 * 8
    assert total["training"] == 3 * weights + total["buffers"] + relu
    # checkpointed, the block keeps the pooled that it reads
    again = memory(rows, Settings(checkpoint=True)).saved
    assert sum(held.of(1) for held in again.rows) == (
        3 * 8 * 8 * 4 + 2 * large + stats + 2 * pooled + pooled + 4 * 4
    )
    assert sum(held.of(1) for held in again.again) == pooled + stats + pooled


@pytest.mark.parametrize("optimizer", analysis.STATES)
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_optimisers_keep_what_torchs_do(optimizer, dtype):
    """Tensors that SGD, Adam and AdamW hold after a step, but for their counters of steps."""
    spec = zoo.find("resnet20")
    net = module(spec)
    of = memory(rows_of(spec), Settings(optimizer, dtype))
    total = analysis.by_level(of, 1)[1]
    net = net.bfloat16() if dtype == "bf16" else net
    assert total["optimizer"] == allocation.optimizer_state(net, optimizer)
    assert total["weights"] == sum(parameter.nbytes for parameter in net.parameters())
    assert total["buffers"] == sum(buffer.nbytes for buffer in net.buffers())


@given(
    spec=st.sampled_from(NETWORKS),
    how=st.builds(
        Settings, st.sampled_from([*analysis.STATES]), st.sampled_from([*PRECISIONS]),
        st.booleans(), st.booleans(),
    ),
    budget=st.integers(1 << 20, 1 << 42),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_largest_batch_fits_and_one_more_does_not(spec, how, budget):
    """In training and at inference, whatever the network, optimiser, width and budget."""
    of = memory(rows_of(spec), how)
    assume(of.resident <= budget)
    for use, peaks in (("training", of.training), ("inference", of.inference)):
        most = peaks.largest_batch(budget)
        assert not most or analysis.by_level(of, most)[1][use] <= budget
        assert most == BATCH or analysis.by_level(of, most + 1)[1][use] > budget


@given(st.sampled_from(NETWORKS), st.integers(1, BATCH), st.booleans())
@settings(max_examples=30, deadline=None)
def test_rows_add_up_to_the_totals(spec, batch, checkpoint):
    """Each column sums to its total; live is the input and the largest stage."""
    checkpoint = checkpoint and not isinstance(spec, VGG)
    of = memory(rows_of(spec), Settings("adam", "amp", checkpoint=checkpoint))
    table, total = analysis.by_level(of, batch)
    for at, part in enumerate(analysis.PARTS[:-1], start=1):
        assert sum(row[at] or 0 for row in table.rows) == table.total[at] == total[part]
    first, *others = (row[-1] for row in table.rows if row[-1] is not None)
    assert table.total[-1] == total["live"] == first + max(others)
    assert total["inference"] == total["weights"] + total["buffers"] + total["live"]
    assert total["training"] > total["weights"] + total["optimizer"] + total["buffers"]


@pytest.mark.parametrize("format", ["table", "plain", "json", "csv", "markdown", "latex"])
def test_every_format_says_what_is_counted(format):
    """Totals and conventions are in each; JSON and CSV hold bytes."""
    notes = ("--notes",) * (format == "csv")
    out, _ = run("memory", "resnet50-v1.5", "-f", format, "--budget", "24GiB", *notes)
    assert "not modelled" in out
    assert ("10436608" if format in ("json", "csv") else "9.953 MiB") in out


def test_json_holds_bytes_and_the_settings():
    """Totals beside those of summary, both uses with their largest batch, the settings as given."""
    words = (
        "memory resnet18 --batch 8 --dtype amp --optimizer adamw --checkpoint --budget 1.5GB --json"
    )
    answer = json.loads(run(*words.split())[0])
    assert answer["total"]["params"] * 4 == answer["bytes"]["weights"]
    assert (answer["budget"], answer["dtype"], answer["checkpoint"]) == (1_500_000_000, "amp", True)
    uses = {row["use"]: row for row in answer["uses"]}
    assert uses["training"]["bytes"] == answer["bytes"]["training"]
    assert 8 < uses["training"]["largest_batch"] < uses["inference"]["largest_batch"]
    assert all(isinstance(value, int) for value in answer["bytes"].values())


def test_a_block_holds_its_shortcut_until_it_returns():
    """Behind the addition too: body; body and projection; both and the sum; projection, sum and ReLU."""
    block = Residual(
        "block", (Conv2d("conv", 4, 4, 1),), (Conv2d("side", 4, 4, 1),), after=(ReLU("relu"),)
    )
    rows = trace(Sequence("", (block,)), (4, 8, 8))
    tensor = 4 * 8 * 8 * 4
    alive = live(rows, PRECISIONS["fp32"], inplace=False)
    assert [each.of(1) for each in alive] == [tensor, 2 * tensor, 3 * tensor, 3 * tensor]


class Branches(torch.nn.Module):
    """Three ways that part and meet, one of them used twice, and a part of a tensor."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (torch.nn.Conv2d(4, 4, 3, padding=1) for _ in range(3))

    def forward(self, x):
        x = self.a(x)
        one, two = self.b(x).relu(), torch.nn.functional.max_pool2d(self.c(x), 2)
        up = torch.nn.functional.interpolate(two, scale_factor=2)
        joined = torch.cat([one, up, x], 1)
        return (joined[:, :4] * up).mean((2, 3)), one.sigmoid() + two.mean()


def test_what_lives_where_a_graph_branches():
    """As torch itself measures it, run operation by operation, each tensor freed after its last reader."""
    net, x = Branches().eval(), torch.zeros(1, 4, 8, 8)
    program = torch.export.export(net, (x,)).module()
    rows = network(net, tuple(x.shape)).rows
    alone = [
        row._replace(place=row.place._replace(inside=())) for row in rows
    ]  # no module holds any
    alive = allocation.Live(x, *net.state_dict().values())
    with torch.no_grad(), alive:
        torch.fx.Interpreter(program).run(x)
    assert live_peak(alone, 1) == alive.peak


@pytest.mark.parametrize(
    ("budget", "size"),
    [
        ("1.5 GiB", 3 * 2**29),
        ("0.25TB", 250 * 10**9),
        ("100000.001999KB", 100_000_001),  # of 1.999 bytes one
    ],
)
def test_a_budget_may_be_a_decimal(budget, size):
    """KB, MB, … are of 1000 and KiB, MiB, … of 1024; what is less than a byte is cut."""
    assert answers.memory("resnet18", budget=budget).data()["budget"] == size


def test_a_batch_that_does_not_fit_is_0():
    """Room for the weights, not for their gradients: no batch trains, some pass."""
    answer = json.loads(run("memory", "resnet50", "--budget", "128MiB", "--json", code=1)[0])
    training, inference = answer["uses"]
    assert training["largest_batch"] == 0 < inference["largest_batch"]
    assert (training["fits"], inference["fits"], answer["fits"]) == (False, True, False)


@pytest.mark.parametrize(
    ("batch", "budget", "fits", "said"),
    [
        (10, "1GiB", True, "a batch of 10 fits into 1GiB in training"),
        (11, " 1GiB ", False, "a batch of 11 does not fit into 1GiB in training: 10 inputs fit"),
        (None, "1GiB", True, "one input fits into 1GiB in training"),
        (None, "1MiB", False, "one input does not fit into 1MiB in training: nothing fits"),
        (2, "365MiB", False, "a batch of 2 does not fit into 365MiB in training: one input fits"),
        (None, "0", False, "one input does not fit into 0 in training: nothing fits"),  # below the weights
        (None, None, None, "a batch of 1 input of 3×224×224"),
    ],
)  # fmt: skip
def test_a_budget_is_answered_in_words_and_by_the_exit_code(batch, budget, fits, said):
    """Whether the batch fits in training, without one whether an input does; 10 of resnet50 fit into 1 GiB."""
    answer = answers.memory("resnet50", batch=batch, budget=budget)
    assert answer.notes[0].startswith(said) and answer.data()["fits"] is fits
    assert answer.code == int(fits is False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        *((("--budget", text), "not a size of memory") for text in (
            "nan", "-1GiB", "1e999GiB", "infGiB", "24Gb", "GiB", "", "1.GiB", "٣GiB",
            "9" * 16 + "GiB", "1_0GiB",
        )),
        (("--batch", str(10**12)), "out of range"),
        (("--batch", "0"), "out of range"),
        (("--optimizer", "adamv"), "did you mean 'adam"),
        (("--dtype", "fp8"), "allowed: fp32"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_message(words, said):
    """An error line, a hint, exit 2, nothing on stdout."""
    out, err = run("memory", "resnet50", *words, code=2)
    assert out == "" and said in err
    assert err.startswith("error: ") and len(err.splitlines()) == 2


def test_a_network_without_blocks_has_nothing_to_run_again():
    """--checkpoint is by block, and VGG has none."""
    assert "no blocks" in run("memory", "vgg16", "--checkpoint", code=2)[1]


def test_memory_needs_no_torch():
    """Neither torch nor, for JSON, rich is loaded."""
    assert_not_loaded("torch", "rich", by=("memory", "resnet50", "--json"))
