"""Any network that can be described, asked everything: an answer that adds up, or one clear refusal."""

import csv
import io
import json
from dataclasses import MISSING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import resnet_cli
from resnet_cli.answers.diagram import Picture
from resnet_cli.answers.plot import Plot
from resnet_cli.commands import output
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.published.conventions import conventions
from resnet_cli.render.tables import plain, spreadsheet

NUMBERS = {  # what a field may be that is neither a word nor true or false; the rest follows from the spec
    "stages": st.lists(st.integers(1, 3), min_size=3, max_size=5).map(tuple),
    "output_stride": st.sampled_from([8, 16, 32]),
    "stem_stride": st.sampled_from([0, 1, 2]),
    "se_multiple": st.sampled_from([1, 8]),
    "kernel": st.sampled_from([1, 3, 7]),
    "overlap_width": st.sampled_from([0, 8]),
    "head_width": st.sampled_from([0, 8]),
    "norm_eps": st.sampled_from([1e-6, 1e-5]),
    "widths": st.lists(st.sampled_from([1, 16, 32]), min_size=3, max_size=5).map(tuple),
    "group_width": st.sampled_from([1, 8, 16]),
    "stem_width": st.sampled_from([2, 16, 32, 64]),
    "width": st.sampled_from([1, 16, 32, 64]),
    "base_width": st.sampled_from([4, 32, 64, 128]),
    "groups": st.sampled_from([1, 2, 32]),
    "reduce_first": st.sampled_from([1, 2]),
    "splits": st.sampled_from([1, 2, 4]),
    "split_reduction": st.sampled_from([1, 4]),
    "split_least": st.sampled_from([8, 32]),
    "projection_kernel": st.sampled_from([1, 3]),
    "dropout": st.sampled_from([0.0, 0.2]),
    "stochastic_depth": st.sampled_from([0.0, 0.2]),
    "se_reduction": st.sampled_from([0, 1, 4, 16]),
    "shortcut_scale": st.sampled_from([0.0, 0.5, 1.0, 2.5]),
    "body_scale": st.sampled_from([0.5, 1.0]),
    "num_classes": st.sampled_from([1, 10, 1000]),
    "in_channels": st.sampled_from([1, 3]),
    "input_size": st.tuples(st.integers(1, 80), st.integers(1, 80)),
}


def values(name, of):
    """Whatever the field may be, by its own description."""
    if of.metadata.get("allowed"):
        return st.sampled_from(of.metadata["allowed"])
    return st.booleans() if of.type == "bool" else NUMBERS[name]


SIZE = {"widths", "width", "input_size"}


@st.composite
def specs(draw, kind):
    """Ten fields at random beside its kind and size; most go together. In one of ten all are, and refused with a word."""
    given = {
        name: draw(values(name, of))
        for name, of in kind.__dataclass_fields__.items()
        if of.metadata
    }
    if draw(st.integers(0, 9)):  # nine of ten
        drawn = draw(st.sets(st.sampled_from([*given]), max_size=10)) | SIZE
        for name in given.keys() - drawn:
            default = kind.__dataclass_fields__[name].default
            given[name] = given[name] if default is MISSING else default
        most = 5 if kind is VGG else 4
        least = 3 if kind is ResNet else most
        given["stages"] = (given["stages"] * 2)[: draw(st.integers(least, most))]
        if kind in (RegNet, ConvNeXt):
            given["widths"] = (given["widths"] * 2)[:4]
        if kind is ResNet:
            fits = draw(st.booleans()) and not given["se_reduction"]
            given["widths"] = (given["widths"] * 2)[: len(given["stages"])] if fits else ()
            if (
                "last" in given["stride_at"]
                or given["antialias"] != "none"
                or given["body"] != "plain"
            ):
                given["output_stride"] = 32
            if given["output_stride"] < 32 or given["projection_pool"]:
                given |= {"projection_kernel": 1, "projection_pool": given["output_stride"] == 32}
            if given["body"] != "plain":
                given |= {"preact": False, "norm": "batch", "antialias": "none", "reduce_first": 1}
                given |= {
                    "width": 64,
                    "block": given["block"] if given["body"] == "sk" else "bottleneck",
                }
            if given["antialias"] != "none":
                given["preact"] = False
            if given["head"].startswith("attention"):
                given |= {"width": 64, "widths": (), "input_size": (64, 32)}
        if given.get("block") == "basic":
            given |= {"groups": 1, "base_width": 64, "reduce_first": 1}
        if given.get("norm") == "group":
            given |= {"width": 32, "stem_width": 64, "base_width": 64, "groups": 1}
            given |= {"widths": ()} if kind is ResNet else {}
        if given.get("se_reduction") and given.get("eca"):
            given["eca"] = False
        if kind is VGG:
            given["input_size"] = (33, 40)
    return kind("own", "own", **given)


LEVELS = ("stage", "block", "layer")
QUESTIONS = {
    **{f"summary {level}": lambda n, level=level: resnet_cli.summary(n, level) for level in LEVELS},
    **{
        f"flops {by}": lambda n, by=by: resnet_cli.flops(n, level=by, unit="flop")
        for by in (*LEVELS, "operator")
    },
    **{
        f"flops backward {by}": lambda n, by=by: resnet_cli.flops(n, level=by, backward=True)
        for by in LEVELS
    },
    **{
        f"flops {name}": lambda n, name=name: resnet_cli.flops(n, convention=name)
        for name in conventions()
    },
    "flops reconcile": lambda n: resnet_cli.flops(n, reconcile=True),
    **{
        f"memory {dtype} {checkpoint}": lambda n, dtype=dtype, checkpoint=checkpoint: (
            resnet_cli.memory(n, 3, dtype=dtype, inplace=checkpoint, checkpoint=checkpoint, budget="1TiB")
        )
        for dtype in ("fp32", "amp")
        for checkpoint in (False, True)
    },
    **{
        f"explain {what}": lambda n, what=what: resnet_cli.explain(what, n)
        for what in ("depth", "params", "flops", "shape")
    },
    "explain params conv3_x": lambda n: resnet_cli.explain("params", n, "conv3_x"),
    **{
        f"receptive field {level}": lambda n, level=level: resnet_cli.receptive_field(n, level)
        for level in LEVELS
    },
    "features": resnet_cli.features,
    "paths": resnet_cli.paths,
    "compare": lambda n: resnet_cli.compare(n, "resnet18", n),
    "table": lambda n: resnet_cli.table(n, "vgg11"),
    **{
        f"diagram {level}": lambda n, level=level: resnet_cli.diagram(n, level=level)
        for level in LEVELS
    },
    **{
        f"plot {kind}": lambda n, kind=kind: resnet_cli.plot(kind, n)
        for kind in ("cost", "memory", "receptive-field", "paths")
    },
}  # fmt: skip


def answered(question, network):
    """The answer; None where it is refused with a word and a hint or none."""
    try:
        return QUESTIONS[question](network)
    except UserError as problem:
        assert problem.what and "\n" not in problem.what + problem.hint
        return None


def check_formats(answer):
    """JSON, CSV and text say the same of the first table, cell by cell, and everything is written."""
    document = json.loads(json.dumps(answer.data()))
    first = answer.tables[0]
    assert first.rows, "a table of nothing says nothing"
    lines = list(csv.reader(io.StringIO(spreadsheet.render(answer))))
    rows = document["rows"]
    parts = [len(row["networks"]) if "networks" in row else 1 for row in rows]
    assert len(lines) == 1 + sum(parts)
    assert len({len(line) for line in lines}) == 1
    if set(rows[0]) <= set(lines[0]):
        for row, line in zip(rows, lines[1:], strict=True):
            cells = dict(zip(lines[0], line, strict=True))
            for key, value in row.items():
                if isinstance(value, int | str):
                    assert cells[key].removeprefix("'") == str(value)
    text = plain.render(answer, exact=True)
    for row in first.rows:
        for column, value in zip(first.columns, row, strict=True):
            if column.kind == "exact" and value is not None:
                assert f"{value:,}" in text
    for format in output.FORMATS:
        assert output.render(answer, format, exact=False, to_file=True)
    assert document["schema"] == 2


def check_sums(answer):
    """What a total adds up is what its rows say."""
    for table in answer.tables:
        if table.total is None or table.key == "uses":
            continue
        for at, column in enumerate(table.columns):
            summed = column.kind in ("count", "exact", "bytes") and column.key != "live"
            if summed and table.total[at] is not None:
                numbers = [row[at] or 0 for row in table.rows]
                assert sum(numbers) == table.total[at], (table.key, column.key)


def ask_everything(network):
    total = resnet_cli.summary(network).data()["total"]
    for question in QUESTIONS:
        answer = answered(question, network)
        if answer is None or isinstance(answer, Picture | Plot):
            continue
        check_sums(answer)
        check_formats(answer)
        if "total" in answer.envelope and "paths" not in question:
            assert answer.data()["total"] == total, question


KINDS = pytest.mark.parametrize("kind", [ResNet, VGG], ids=["resnet", "vgg"])
HOW = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


@KINDS
@settings(max_examples=12, **HOW)
@given(data=st.data())
def test_any_network_is_answered_or_refused(kind, data):
    """Every field of a spec at once, every question, every format: sums hold and formats agree."""
    ask(kind, data)


@pytest.mark.slow
@KINDS
@settings(max_examples=100, **HOW)
@given(data=st.data())
def test_many_networks_are_answered_or_refused(kind, data):
    """The same of ten times as many."""
    ask(kind, data)


@pytest.mark.slow
@settings(max_examples=5, **HOW)
@given(data=st.data())
def test_regnets_are_answered_or_refused(data):
    """The same of a few RegNets, whose blocks are a ResNet's."""
    ask(RegNet, data)


@pytest.mark.slow
@settings(max_examples=5, **HOW)
@given(data=st.data())
def test_convnexts_are_answered_or_refused(data):
    """The same of a few ConvNeXts, whose channels come last in blocks."""
    ask(ConvNeXt, data)


def ask(kind, data):
    try:
        network = load(data.draw(specs(kind)))
    except UserError as problem:
        assert problem.what and problem.hint
        return
    ask_everything(network)


def test_every_question_can_be_answered():
    """Of the questions none is refused for a usual network: what the properties hold of is not nothing."""
    network = load("resnet20")
    assert all(answered(question, network) is not None for question in QUESTIONS)
