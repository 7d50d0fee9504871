"""What differs: fields, totals, errors and rows of networks, tensors of weight files."""

import csv
import io
import json
import struct
from dataclasses import replace
from math import prod

import pytest
from listed import FAMILIES, rows_of
from program import run
from test_networks import KNOWN, TWICE, UNKNOWN, by_hand

import resnet_cli
from resnet_cli.analyses.compare.align import merged
from resnet_cli.commands.output import FORMATS, render
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.layers.elementwise import ReLU, Sigmoid
from resnet_cli.layers.merging import Add
from resnet_cli.models import load
from resnet_cli.networks import of_spec
from resnet_cli.trace import state_dict

LEVELS = {"stage": "stages", "block": "blocks", "layer": "layers", "module": "modules",
          "operator": "operators", 1: "modules"}  # fmt: skip


def both(line):
    return line["networks"]


def lines_of(*models, level="stage", **options):
    """The rows of a level by their name: the cells of each network."""
    data = resnet_cli.compare(*models, level=level, **options).data()
    return {line.popitem()[1] if len(line) == 1 else next(iter(line.values())): both(line)
            for line in data[LEVELS[level]]}  # fmt: skip


# fields


def test_the_fields_that_differ_come_first():
    """Of resnet50 and its v1.5 it is the style; of a changed one, what was changed."""
    answer = resnet_cli.compare("resnet50", "resnet50-v1.5")
    assert answer.tables[0].rows == [("style", "v1", "v1.5")]
    wide = zoo.changed(zoo.find("resnet50"), groups=32, base_width=4, input_size=(224, 320))
    fields = resnet_cli.compare("resnet50", wide).data()["fields"]
    values = {line["field"]: [cell["value"] for cell in both(line)] for line in fields}
    assert values == {
        "base_width": [64, 4], "groups": [1, 32], "input_size": [[224, 224], [224, 320]],
    }  # fmt: skip


def test_inline_overrides_are_networks_of_their_own():
    """Both are resnet50 by name: numbered, with what was typed in JSON and in a note."""
    answer = resnet_cli.compare("resnet50", "resnet50:style=v1.5,groups=32,base_width=4")
    a, b = answer.data()["rows"]
    assert (a["name"], b["name"]) == ("resnet50", "resnet50 (2)")
    assert b["source"] == "resnet50:style=v1.5,groups=32,base_width=4" and b["params"] == 25_028_904
    assert f"resnet50 (2): from {b['source']}" in answer.notes
    assert [row[0] for row in answer.tables[0].rows] == ["style", "base width", "groups"]


def test_a_field_that_one_family_lacks_is_null_there():
    """A VGG has no block, a ResNet no field for batch norm at all."""
    fields = resnet_cli.compare("resnet18", "vgg16").data()["fields"]
    values = {line["field"]: [cell["value"] for cell in both(line)] for line in fields}
    assert values["block"] == ["basic", None] and values["batch_norm"] == [None, False]


# totals


def test_totals_stand_beside_each_other():
    """ResNet-18 and 50 as torchvision has them: parameters, layers, weights; and the papers' MACs."""
    a, b = resnet_cli.compare("resnet18", "resnet50").data()["rows"]
    assert (a["params"], b["params"]) == (11_689_512, 25_557_032)
    assert (a["macs"], b["macs"]) == (1_814_073_344, 3_857_973_248)
    assert (a["layers"], b["layers"], b["delta_layers"]) == (18, 50, 32)
    assert (a["weights"], b["weights"]) == (4 * 11_689_512, 4 * 25_557_032)
    assert (a["receptive_field"], b["receptive_field"]) == (435, 483)
    assert b["delta_params"] == 25_557_032 - 11_689_512
    assert b["ratio_macs"] == 3_857_973_248 / 1_814_073_344
    assert (a["delta_macs"], a["ratio_macs"]) == (0, 1)


def test_activations_are_those_that_pycls_counts():
    """11.1M for torchvision's ResNet-50, 2.5M for its ResNet-18 (Radosavovic et al. 2020, Table 3)."""
    a, b = resnet_cli.compare("resnet18", "resnet50-v1.5").data()["rows"]
    assert (round(a["activations"] / 1e6, 1), round(b["activations"] / 1e6, 1)) == (2.5, 11.1)


@pytest.mark.parametrize("spec", FAMILIES, ids=lambda spec: spec.name)
def test_totals_are_what_other_commands_say(spec):
    """Memory is that of `memory` for one input, the field that of `receptive-field`, MACs the summary's."""
    _, row = resnet_cli.compare("resnet20", spec).data()["rows"]
    total = resnet_cli.summary(spec).data()["total"]
    assert {key: row[key] for key in ("params", "macs", "flops", "layers")} == {
        key: total[key] for key in ("params", "macs", "flops", "layers")
    }
    assert row["memory"] == resnet_cli.memory(spec, batch=1).data()["bytes"]["training"]
    fields = [line["receptive_field"] for line in resnet_cli.receptive_field(spec).data()["rows"]]
    assert row["receptive_field"] == fields[-2][0]


def test_errors_are_compared_within_one_table():
    """plain34 and resnet34 (option A) are 28.54% and 25.03% in Table 2 of He et al. 2015, 3.51 apart."""
    errors = resnet_cli.compare("plain34", "resnet34").data()["errors"]
    a, b = both(errors[0])
    assert (errors[0]["quantity"], a["printed"], b["printed"]) == ("top1_err", 28.54, 25.03)
    assert b["delta"] == -3.51 and b["ratio"] == 25.03 / 28.54
    assert "Table 2 (shortcut A)" in b["source"] and "shortcut" not in a["source"]
    for line in errors:
        a, b = both(line)
        assert (b["delta"] is None) == (None in (a["printed"], b["printed"]))


def test_an_error_that_papers_print_of_a_variant_is_not_the_networks():
    """WRN's Table 7 has preact-resnet18 in four widths: one line, of the network's own."""
    errors = resnet_cli.compare("preact-resnet18", "resnet18").data()["errors"]
    sources = [cell["source"] for line in errors for cell in both(line) if cell["source"]]
    assert not any("width" in source for source in sources)


# rows


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("pair", [("resnet18", "resnet50"), ("vgg11", "preact-resnet110"),
                                  (TWICE, "resnet18"), (KNOWN, UNKNOWN)],
                         ids=["deeper", "families", "twice", "uncounted"])  # fmt: skip
def test_rows_add_up_to_the_totals(pair, level):
    """At every level, of networks with a spec and without: cost and change of all rows are the total's."""
    data = resnet_cli.compare(*pair, level=level).data()
    for at, total in enumerate(data["rows"]):
        for key in ("params", "macs"):
            lines = data[f"{data['level']}s"]
            assert sum(both(line)[at][key] or 0 for line in lines) == total[key]
            assert (
                sum(both(line)[at][f"delta_{key}"] or 0 for line in lines) == total[f"delta_{key}"]
            )


def test_stages_stand_beside_their_namesakes():
    """conv3_x of resnet18 has 525,568 parameters, resnet50's 1,219,584; CIFAR's resnet20 has no conv5_x."""
    stages = lines_of("resnet18", "resnet50")
    assert [*stages] == ["conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "fc"]
    a, b = stages["conv3_x"]
    assert (a["params"], b["params"], b["what"]) == (525_568, 1_219_584, "changed")
    assert stages["conv1"][1]["what"] is None
    a, b = lines_of("resnet18", "resnet20")["conv5_x"]
    assert (b["params"], b["what"], b["delta_params"], b["ratio_params"]) == (
        None,
        "only-a",
        -a["params"],
        None,
    )


def test_surplus_blocks_stand_alone():
    """resnet34 has conv3_3 and conv3_4 behind resnet18's conv3_2, before conv4_1."""
    blocks = lines_of("resnet18", "resnet34", level="block")
    names = [*blocks]
    at = names.index("conv3_2")
    assert names[at : at + 4] == ["conv3_2", "conv3_3", "conv3_4", "conv4_1"]
    a, b = blocks["conv3_4"]
    assert (a["params"], b["what"], b["delta_params"]) == (None, "only-b", b["params"])
    assert blocks["conv3_2"][1]["what"] is None


def test_layers_of_one_path_say_what_differs():
    """v1.5 moves three strides from the first 1×1 to the 3×3, which makes 231,211,008 MACs."""
    layers = lines_of("resnet50", "resnet50-v1.5", level="layer", changed=True)
    moved = {path: cells[1]["differs"].get("stride") for path, cells in layers.items()}
    strides = {path: stride for path, stride in moved.items() if stride}
    assert strides == {
        **{f"layer{stage}.0.conv1": {"a": 2, "b": 1} for stage in (2, 3, 4)},
        **{f"layer{stage}.0.conv2": {"a": 1, "b": 2} for stage in (2, 3, 4)},
    }
    assert sum(cells[1]["delta_macs"] for cells in layers.values()) == 231_211_008
    assert {cells[1]["what"] for cells in layers.values()} == {"changed"}
    shown = str(resnet_cli.compare("resnet50", "resnet50-v1.5", level="layer"))
    assert "stride 2 → 1" in shown and "input 128×28×28 → 128×56×56" in shown


def test_an_unlike_layer_of_one_path_is_changed():
    """fc is a linear layer of 10 classes here, of 1,000 there: out_features differ and nothing else."""
    fc = lines_of("resnet18", zoo.changed(zoo.find("resnet18"), num_classes=10), level="layer")[
        "fc"
    ]
    assert {*fc[1]["differs"]} == {"out_features", "output"}
    silu = zoo.changed(zoo.find("resnet18"), activation="SiLU")
    differs = lines_of("resnet18", silu, level="layer")["relu"][1]["differs"]
    assert differs == {"layer": {"a": "ReLU", "b": "SiLU"}}


def test_a_layer_that_runs_twice_has_two_lines():
    """Each relu of a block, and no more parameters than there are."""
    data = resnet_cli.compare(TWICE, TWICE, level="layer").data()
    assert [line["path"] for line in data["layers"]] == ["conv", "bn", "relu"] * 2
    assert [both(line)[0]["params"] for line in data["layers"]] == [144, 8, 0, 0, 0, 0]


def test_networks_that_differ_in_wiring_alone_are_not_equal():
    """An addition of the input's ReLU and one of the sigmoid, layer for layer the same."""
    lines = ("stem", ReLU("relu"), -1), ("body", Sigmoid("gate"), 0)
    one = by_hand("own", *lines, ("body", Add("add"), 0, 1))
    other = by_hand("own", *lines, ("body", Add("add"), -1, 1))
    cells = lines_of(one, other, level="layer")["add"]
    assert cells[1]["differs"] == {"reads": {"a": [0, 1], "b": [-1, 1]}}
    assert lines_of(one, other)["body"][1]["what"] == "changed"


def test_only_what_differs():
    """--changed leaves out stages, quantities and errors that are equal, and nothing else."""
    whole, some = (resnet_cli.compare("resnet18", "resnet34", changed=c) for c in (False, True))
    kept = [line for line in whole.data()["stages"] if both(line)[1]["what"]]
    assert some.data()["stages"] == kept and len(kept) == 4
    assert "receptive field" in str(some) and len(some.data()["errors"]) == 3
    styles = resnet_cli.compare("resnet50", "resnet50-v1.5", changed=True)
    assert styles.data()["errors"] == []  # no table prints both
    assert "receptive field  " not in str(resnet_cli.compare("plain34", "resnet34", changed=True))


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        (("ab", "ab"), "ab"),
        (("abz", "axbyz"), "axbyz"),
        (("bz", "abz"), "abz"),
        (("ab", "cd"), "abcd"),
        (("az", "abz", "acz"), "acbz"),
        (("", "ab"), "ab"),
        (("ab", "ba"), "ab"),
    ],
)
def test_what_the_first_lacks_stands_behind_what_it_follows(orders, expected):
    """What nothing known precedes comes first; the order of the first stays."""
    assert "".join(merged(orders)) == expected


# several networks, equal ones, odd ones


def test_a_network_by_another_name_is_equal(tmp_path):
    """A TOML file that changes nothing of resnet20 has no difference, as a name is none."""
    (tmp_path / "own.toml").write_text('base = "resnet20"\n')
    answer = resnet_cli.compare("resnet20", str(tmp_path / "own.toml"), exit_code=True)
    assert answer.code == 0 and answer.notes[0].startswith("equal: ")
    assert [row["name"] for row in answer.data()["rows"]] == ["resnet20", "own"]


def test_a_network_is_equal_to_itself():
    """Under numbered names, with a word, exit 0; without --changed all rows are there."""
    answer = resnet_cli.compare("resnet18", "resnet18", exit_code=True)
    assert [row["name"] for row in answer.data()["rows"]] == ["resnet18", "resnet18 (2)"]
    assert answer.notes[0].startswith("equal: ") and answer.code == 0
    assert not answer.data()["fields"] and len(answer.data()["stages"]) == 6
    assert resnet_cli.compare("resnet18", "resnet18", changed=True).data()["stages"] == []


@pytest.mark.parametrize(
    "other", ["resnet34", zoo.changed(zoo.find("resnet18"), style="v1.5"), KNOWN]
)
def test_exit_code_is_1_where_anything_differs(other):
    """As git diff; without the option it is 0. A basic block's style is a field and no layer."""
    assert resnet_cli.compare("resnet18", other, exit_code=True).code == 1
    assert resnet_cli.compare("resnet18", other).code == 0
    assert resnet_cli.compare("resnet18", "resnet18", other, exit_code=True).code == 1


def test_several_networks_each_to_the_first():
    """A row each with ratios to the first; a stage has a cell for each network."""
    data = resnet_cli.compare("resnet18", "resnet50", "vgg16").data()
    assert [row["ratio_params"] for row in data["rows"]] == [
        1, 25_557_032 / 11_689_512, 138_357_544 / 11_689_512,
    ]  # fmt: skip
    assert {len(both(line)) for line in data["stages"]} == {3}


def test_up_to_64_networks():
    """64 are answered, 65 and one are refused."""
    assert len(resnet_cli.compare(*[TWICE] * 64).data()["rows"]) == 64
    for number in (0, 1, 65):
        with pytest.raises(UserError, match=f"{number} to compare"):
            resnet_cli.compare(*[TWICE] * number)


def test_what_is_not_counted_or_known_is_said():
    """Totals are at least what is shown; no field behind it; modules where there are no stages."""
    answer = resnet_cli.compare(UNKNOWN, TWICE, level="stage")
    assert sum("at least" in note for note in answer.notes) == 2
    assert "the network has no stages: a row for each module instead" in answer.notes
    assert any(
        note.startswith("no spec, so that fields are not compared: ") for note in answer.notes
    )
    assert any(note.startswith("inputs differ, 3×8×8 and 4×8×8") for note in answer.notes)
    _, row = resnet_cli.compare("resnet18", KNOWN).data()["rows"]
    assert (row["receptive_field"], row["delta_receptive_field"]) == (None, None)


def test_long_names_are_columns_a_and_b():
    """A name of 80 letters heads no column; a note says whose is which."""
    spec = replace(zoo.find("resnet18"), name="n" * 80)
    answer = resnet_cli.compare("resnet18", spec)
    heads = [column.title for table in answer.tables for column in table.columns]
    assert "n" * 80 not in " ".join(heads) and {"A", "B", "B MACs"} <= {*heads}
    assert f"B: {'n' * 80}" in answer.notes and "A: resnet18" in answer.notes


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "models", [("resnet18", "vgg16"), ("resnet18", "vgg16", KNOWN), (TWICE, TWICE)], ids=len
)
def test_every_format(models, format):
    """Each answers, with numbers and no Python in it."""
    text = render(resnet_cli.compare(*models), format, exact=False, to_file=True)
    assert text and "Measured" not in text and "{'" not in text


def test_csv_has_a_line_for_each_network():
    """Numbers under JSON's keys."""
    answer = resnet_cli.compare("resnet18", "resnet18", "resnet50")
    text = render(answer, "csv", exact=False, to_file=True)
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == 3 and lines[2]["params"] == "25557032"


# the command line


@pytest.mark.parametrize(
    ("models", "options", "said"),
    [
        (("resnet18", "resnet50"), {"channels": 64}, "--channels is not for networks"),
        (("resnet18", "resnet50"), {"size": 56}, "--size is not for networks"),
        (("basic", "se"), {"level": "block"}, "--level is not for blocks"),
        (("basic", "se"), {"changed": True}, "--changed is not for blocks"),
        (("basic", "se"), {"exit_code": True}, "--exit-code is not for blocks"),
        (("resnet18", "resnet50"), {"level": "floor"}, "no level named 'floor'"),
        (("resnet18", "resnet51"), {}, "resnet51"),
        (("resnet18", "x" * 5000), {}, "no network named"),
    ],
)
def test_options_of_the_other_are_refused(models, options, said):
    """With exit 2, and not ignored in silence."""
    with pytest.raises(UserError, match=said) as problem:
        resnet_cli.compare(*models, **options)
    assert problem.value.code == 2 and len(problem.value.what) < 200


def test_the_command_line_has_all_of_it(tmp_path):
    """--by is --level; --changed, --exit-code and -f csv; block options beside networks end with 2."""
    words = (
        "compare",
        "resnet18",
        "resnet34",
        "--by",
        "block",
        "--changed",
        "--exit-code",
        "--json",
    )
    data = json.loads(run(*words, code=1)[0])
    assert data == resnet_cli.compare("resnet18", "resnet34", level="block", changed=True).data()
    assert "--channels" in run("compare", "resnet18", "resnet34", "--channels", "64", code=2)[1]


def test_blocks_have_their_ratios_in_columns(monkeypatch):
    """69,632 weights are 0.059 of 1,179,648; at 80 columns weights, ratio and arithmetic are there."""
    answer = resnet_cli.compare("basic", "bottleneck")
    assert [row["ratio_params"] for row in answer.data()["rows"]] == [1, 69_632 / 1_179_648]
    monkeypatch.setenv("COLUMNS", "80")
    out = render(answer, "table", exact=False, to_file=False)
    for part in ("1,179,648", "69,632", "0.059", "1×1×256×64", "3×3×64×64", "Figure 5"):
        assert part in out


# weight files


def safetensors(path, tensors):
    """A file of zeros: name -> shape, or shape and dtype."""
    header, size = {}, 0
    for name, shape in tensors.items():
        shape, dtype = (
            shape if shape and isinstance(shape[1:2], tuple) and "F16" in shape else (shape, "F32")
        )
        end = size + prod(shape) * (2 if dtype == "F16" else 4)
        header[name] = {"dtype": dtype, "shape": [*shape], "data_offsets": [size, end]}
        size = end
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(size))
    return str(path)


@pytest.fixture
def small(tmp_path):
    """resnet20's file, and its tensors to change."""
    tensors = {n: s for n, s in state_dict(rows_of("resnet20")).items() if "num_batches" not in n}
    return safetensors(tmp_path / "a.safetensors", tensors), tensors


def test_tensors_that_differ_in_name_shape_or_dtype(small, tmp_path):
    """One of each kind; below them nothing is left out, above them the networks are compared."""
    a, tensors = small
    changed = {
        **tensors,
        "fc.weight": (7, 64),
        "fc.bias": (7,),
        "conv1.weight": ((16, 3, 3, 3), "F16"),
    }
    del changed["bn1.bias"]
    changed["more.scale"] = (3, 2)
    b = safetensors(tmp_path / "b.safetensors", changed)
    data = resnet_cli.compare(a, b).data()
    lines = {(line["name"], line["what"]): (line["a"], line["b"]) for line in data["tensors"]}
    assert lines == {
        ("conv1.weight", "dtype"): ("float32", "float16"),
        ("bn1.bias", "only-a"): ([16], None),
        ("fc.weight", "shape"): ([10, 64], [7, 64]),
        ("fc.bias", "shape"): ([10], [7]),
        ("more.scale", "only-b"): (None, [3, 2]),
    }
    assert data["files"] == [a, b]


def test_files_of_known_networks_are_compared_as_networks_too(small, tmp_path):
    """Both are resnet20, here and with seven classes: a field, a stage, and two tensors."""
    a, tensors = small
    b = safetensors(tmp_path / "b.safetensors", {**tensors, "fc.weight": (7, 64), "fc.bias": (7,)})
    data = resnet_cli.compare(a, b, changed=True).data()
    assert [line["field"] for line in data["fields"]] == ["num_classes"]
    assert [row["source"] for row in data["rows"]] == [a, b]
    assert [line["stage"] for line in data["stages"]] == ["fc"]
    assert [line["name"] for line in data["tensors"]] == ["fc.weight", "fc.bias"]
    mixed = resnet_cli.compare(a, "resnet20")
    assert mixed.notes[0].startswith("equal: ") and "tensors" not in mixed.data()


def test_a_file_of_no_known_network_has_its_tensors_alone(small, tmp_path):
    """With a note which of them it is, and exit 1 on a difference only when asked."""
    odd = safetensors(tmp_path / "vit.safetensors", {"blocks.0.attn.qkv.weight": (9, 3)})
    answer = resnet_cli.compare(odd, odd, exit_code=True)
    assert (answer.data()["tensors"], answer.code) == ([], 0)
    a, tensors = small
    answer = resnet_cli.compare(a, odd, exit_code=True)
    data = answer.data()
    assert len(data["tensors"]) == len(tensors) + 1 and data["rows"] == [] and answer.code == 1
    assert answer.notes[0].startswith("B: no residual network")
    assert "9×3" in str(answer)
    text = render(answer, "csv", exact=False, to_file=True)
    assert len(text.splitlines()) == len(tensors) + 2 and "9x3,only-b" in text


def test_names_of_another_prefix_are_matched(small, tmp_path):
    """module.conv1.weight is conv1.weight: no tensor differs, but the names do, and so exit 1."""
    a, tensors = small
    b = safetensors(tmp_path / "b.safetensors", {f"module.{n}": s for n, s in tensors.items()})
    answer = resnet_cli.compare(a, b, exit_code=True)
    assert (answer.data()["tensors"], answer.code) == ([], 1)
    assert any(note.startswith("names differ: ") for note in answer.notes)


def test_identify_against_is_the_same(small, tmp_path):
    """A file or a network: the same lines, of a network without types; exit 1 where there are any."""
    a, tensors = small
    half = {name: (shape, "F16") for name, shape in tensors.items()}
    b = safetensors(tmp_path / "b.safetensors", {**half, "fc.weight": ((7, 64), "F16")})
    file, network = resnet_cli.identify(b, against=a), resnet_cli.identify(b, against="resnet20")
    assert file.data()["rows"] == resnet_cli.compare(b, a).data()["tensors"]
    assert network.data()["rows"] == [
        {"name": "fc.weight", "a": [7, 64], "b": [10, 64], "what": "shape"}
    ]
    assert (file.code, network.code) == (1, 1)
    assert resnet_cli.identify(a, against=a).code == 0


def test_identify_against_a_network_without_a_spec(small):
    """Its tensors are known, though it has no description."""
    network = of_spec(zoo.find("resnet20"))._replace(spec=None, name="own")
    assert resnet_cli.identify(small[0], against=network).data()["rows"] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"", "is empty"),
        (struct.pack("<Q", 2) + b"{}", "no tensors"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (struct.pack("<Q", 99) + b"{", "safetensors"),
    ],
)
def test_a_bad_file_is_one_clear_message(small, tmp_path, content, said):
    """Named, with exit 1, whichever side it is on."""
    bad = tmp_path / "bad.safetensors"
    if content is not None:
        bad.write_bytes(content)
    for models in ((small[0], str(bad)), (str(bad), "resnet18")):
        with pytest.raises(UserError) as problem:
            resnet_cli.compare(*models)
        assert problem.value.code == 1 and said in problem.value.what
        assert "bad.safetensors" in problem.value.what


def test_names_from_files_are_text(tmp_path):
    """A tensor's name that is HTML makes no element of a page."""
    odd = safetensors(tmp_path / "odd.safetensors", {"<img src=x>": (2,)})
    plain = safetensors(tmp_path / "plain.safetensors", {"x": (2,)})
    text = render(resnet_cli.compare(odd, plain), "html", exact=False, to_file=True)
    assert "<img" not in text and "&lt;img" in text


def test_networks_by_depth_spec_and_object_are_read():
    """Whatever is a MODEL; a block is none beside them."""
    answer = resnet_cli.compare(50, zoo.find("resnet18"), load("vgg11"))
    assert [row["name"] for row in answer.data()["rows"]] == ["resnet50", "resnet18", "vgg11"]
    with pytest.raises(UserError, match="'basic' is a block and a network is none"):
        resnet_cli.compare("basic", load("vgg11"))


def test_many_large_networks_are_bounded(monkeypatch):
    """Sixty-four of them would take minutes and gigabytes."""
    monkeypatch.setattr("resnet_cli.answers.difference.MOST_ROWS", 100)
    with pytest.raises(UserError, match="over 100 layers"):
        resnet_cli.compare("resnet18", "resnet34")
