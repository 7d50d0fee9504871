"""ConvNeXts beside torchvision's, timm's and Hugging Face's own modules."""

import json

import pytest
import torch
from libraries import library
from listed import rows_of
from program import run
from torch import nn

import resnet_cli
from resnet_cli.analyses.cost.counts import totals
from resnet_cli.analyses.field.receptive_field import fields
from resnet_cli.checkpoints.container.contents import TensorInfo
from resnet_cli.checkpoints.identify.naming import to_torchvision
from resnet_cli.checkpoints.identify.recognise import named, recognise
from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.published.names import names
from resnet_cli.pytorch.build import Unfilled

LARGEST = 60_000_000
"""Parameters of the largest network that is run."""
EVERYDAY = ("timm:convnext_atto_ols", "timm:convnextv2_atto")
CONVNEXTS = [
    row
    for row in names()
    if "convnext" in row.name and not row.differs and row.library in ("timm", "torchvision")
]


def of_library(row):
    """The library's own network, without numbers."""
    with Unfilled(()), torch.device("meta"):
        if row.library == "timm":
            return library("timm").create_model(row.name).eval()
        return library("torchvision").models.get_model(row.name).eval()


def fill(net):
    """Random numbers: gains and layer scales of both signs."""
    net.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    for tensor in net.state_dict().values():
        if tensor.dim() > 1 and tensor[0].numel() > 1:
            nn.init.kaiming_normal_(tensor, generator=generator)
        else:
            tensor.uniform_(-1, 1, generator=generator)


def same(one, other):
    """Whether two specs are one network on whatever input."""
    ends = {"name": "", "family": "", "input_size": (1, 1), "norm_eps": 1e-6}
    return zoo.changed(one, **ends) == zoo.changed(other, **ends)


def recognised(tensors):
    """What the names and shapes of a file are taken for."""
    return recognise(
        named({name: TensorInfo(tuple(t.shape), "float32") for name, t in tensors.items()})
    )


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.model, marks=() if row.model in EVERYDAY else pytest.mark.slow)
        for row in CONVNEXTS
        if row.params < LARGEST
    ],
)
def test_a_network_is_its_librarys(row):
    """Every tensor has its place in ours and the outputs are equal; a file of it is known as it."""
    theirs, ours = of_library(row), resnet_cli.build(row.model, device="meta").eval()
    fill(theirs)
    tensors = theirs.state_dict()
    naming = to_torchvision(tensors)
    assert not naming.beside
    state = ours.state_dict()
    given = {naming.names[n]: t for n, t in tensors.items()}
    ours.load_state_dict({n: t.reshape(state[n].shape) for n, t in given.items()}, assign=True)
    x = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(x)
        torch.testing.assert_close(ours(x), expected, rtol=1e-5, atol=1e-5 * expected.abs().max())
    found = recognised(tensors)
    assert found.sure == "exact" and same(found.spec, load(row.model).spec)


@pytest.mark.slow
@pytest.mark.parametrize(
    "row", [row for row in CONVNEXTS if row.params >= LARGEST], ids=lambda row: row.model
)
def test_a_large_network_has_its_librarys_tensors(row):
    """One for one, without numbers; a file of it is known as it."""
    tensors = of_library(row).state_dict()
    found = recognised(tensors)
    assert found.sure == "exact" and same(found.spec, load(row.model).spec)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["", "V2"])
def test_hugging_faces_are_these(version):
    """ConvNextForImageClassification and V2's: outputs equal with the same numbers, files known."""
    transformers = library("transformers")
    shape = {"depths": [1, 2, 1, 1], "hidden_sizes": [8, 16, 24, 32], "layer_norm_eps": 1e-6}
    config = getattr(transformers, f"ConvNext{version}Config")(**shape, num_labels=7)
    theirs = getattr(transformers, f"ConvNext{version}ForImageClassification")(config).eval()
    fill(theirs)
    tensors = theirs.state_dict()
    found = recognised(tensors)
    assert found.sure == "exact" and (found.spec.stages, found.spec.num_classes) == (
        (1, 2, 1, 1),
        7,
    )
    naming, ours = to_torchvision(tensors), resnet_cli.build(found.spec).eval()
    state = ours.state_dict()
    given = {naming.names[n]: t for n, t in tensors.items()}
    ours.load_state_dict({n: t.reshape(state[n].shape) for n, t in given.items()})
    x = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x).logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["convnext_tiny", "convnextv2_atto"])
def test_files_of_the_authors_are_known(name):
    """Their names, with γ and β of the response norm as (1, 1, 1, c)."""
    parts = {"0": "dwconv", "2": "norm", "3": "pwconv1"}
    v2 = name.startswith("convnextv2")
    parts |= {"5": "grn", "6": "pwconv2"} if v2 else {"5": "pwconv2"}
    shapes = {}
    for ours, tensor in resnet_cli.build(name, device="meta").state_dict().items():
        shape, path = tuple(tensor.shape), ours.split(".")
        stage = int(path[1]) // 2
        if path[0] == "classifier":
            theirs = f"{'norm' if path[1] == '0' else 'head'}.{path[2]}"
        elif int(path[1]) % 2 == 0:
            theirs = f"downsample_layers.{stage}.{path[2]}.{path[3]}"
        elif path[3] == "layer_scale":
            theirs = f"stages.{stage}.{path[2]}.gamma"
        else:
            theirs = f"stages.{stage}.{path[2]}.{parts[path[4]]}.{path[5]}"
        if ".grn." in theirs:
            theirs = theirs.replace("weight", "gamma").replace("bias", "beta")
            shape = (1, 1, 1, *shape)
        shapes[theirs] = TensorInfo(shape, "float32")
    found = recognise(named(shapes))
    assert (found.sure, found.spec.name) == ("exact", name)


def test_torchvisions_key_of_a_layer_scale_is_read():
    """It is the block's own, (c, 1, 1), and stands first there."""
    shapes = {
        name.removesuffix(".weight") if "layer_scale" in name else name: TensorInfo(
            (*tensor.shape, 1, 1) if "layer_scale" in name else tuple(tensor.shape), "float32"
        )
        for name, tensor in resnet_cli.build("convnext_tiny", device="meta").state_dict().items()
    }
    assert "features.1.0.layer_scale" in shapes
    found = recognise(named(shapes))
    assert (found.sure, found.spec.name) == ("exact", "convnext_tiny")


@pytest.mark.parametrize(
    ("name", "millions", "giga"),
    [
        ("convnext_tiny", "29", "4.5"), ("convnext_small", "50", "8.7"), ("convnext_base", "89", "15.4"),
        ("convnext_large", "198", "34.4"), ("convnext_xlarge", "350", "60.9"),
        ("convnextv2_atto", "3.7", "0.55"), ("convnextv2_femto", "5.2", "0.78"),
        ("convnextv2_pico", "9.1", "1.37"), ("convnextv2_nano", "15.6", "2.45"),
    ],
)  # fmt: skip
def test_costs_are_those_that_the_papers_print(name, millions, giga):
    """Liu et al. 2022, Table 1; Woo et al. 2023, appendix: parameters and FLOPs at 224×224."""
    total = totals(rows_of(name))
    for printed, unit, number in ((millions, 1e6, total["params"]), (giga, 1e9, total["macs"])):
        digits = len(printed.partition(".")[2])
        assert f"{number / unit:.{digits}f}" == printed


def test_convolutions_in_place_of_linear_layers_change_no_number():
    """As many parameters and MACs, and the same receptive field at the end of every block."""
    linear, convolved = rows_of("convnextv2_atto"), rows_of("convnextv2_atto:conv_mlp=true")
    assert totals(linear)["params"] == totals(convolved)["params"]
    assert totals(linear)["macs"] == totals(convolved)["macs"]
    ends = [
        [(row.path, field) for row, field in zip(rows, fields(rows), strict=True) if row.layer.join]
        for rows in (linear, convolved)
    ]
    assert ends[0] == ends[1] and len(ends[0]) == 12


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"widths": (48, 104, 208)}, "3 widths given for 4 stages"),
        ({"widths": (0, 8, 8, 8)}, "width of a stage 0 is out of range"),
        ({"stages": (1, 1, 1)}, "3 stages given"),
        ({"kernel": 4}, "a depthwise window of 4×4 has no middle"),
        ({"norm_eps": -1.0}, "norm eps"),
    ],
)
def test_what_is_no_convnext_is_refused(changes, what):
    """With what was given, and a hint."""
    with pytest.raises(UserError, match=what) as error:
        zoo.changed(zoo.find("convnext_tiny"), **changes)
    assert error.value.hint


def test_one_is_described_in_toml_without_a_base(tmp_path):
    """By its stages, widths and windows."""
    file = tmp_path / "own.toml"
    file.write_text("stages = [1, 1, 2, 1]\nwidths = [16, 24, 32, 64]\nkernel = 5\n")
    assert load(str(file)).spec == ConvNeXt("own", "own", (1, 1, 2, 1), (16, 24, 32, 64), kernel=5)


def test_its_parts_are_options():
    """And stand behind the colon of MODEL."""
    typed = ("summary", "convnext_tiny", "--widths", "16,32,48,64", "--no-layer-scale", "--json")
    spec = json.loads(run(*typed)[0])["spec"]
    assert (spec["widths"], spec["layer_scale"]) == ([16, 32, 48, 64], False)
    assert load("convnext_tiny:response_norm=true,kernel=3").spec.kernel == 3


def test_it_starts_as_the_paper_says():
    """Weights truncated normal of 0.02, layer scales 10⁻⁶, response norms 0 (Liu et al. 2022, Appendix A)."""
    small = "stages=1-1-1-1,widths=16-32-48-64,response_norm=true"
    state = resnet_cli.build(f"convnext_tiny:{small}", seed=0).state_dict()
    assert abs(state["features.7.0.block.3.weight"].std().item() - 0.02) < 1e-3
    assert state["features.1.0.layer_scale.weight"].unique().tolist() == [pytest.approx(1e-6)]
    assert not state["features.1.0.block.5.weight"].any()
    assert (state["features.1.0.block.2.weight"] == 1).all()


def test_gradients_are_measured_at_its_blocks():
    """A block a line, but no shortcut of it is scaled."""
    small = "convnext_tiny:stages=1-1-2-1,widths=8-16-24-32,input_size=64x64"
    answer = json.loads(run("gradient", small, "--seeds", "1", "--batch", "2", "--json")[0])
    assert [block["label"] for block in answer["networks"][0]["blocks"]] == [
        "conv2_1", "conv3_1", "conv4_1", "conv4_2", "conv5_1",
    ]  # fmt: skip
    assert "neither scaled nor varied" in run("gradient", small, "--scale", "0.5", code=2)[1]
