"""RegNets beside torchvision's and timm's own modules."""

import json

import pytest
import torch
from filling import fill
from libraries import library
from listed import rows_of
from program import run

import resnet_cli
from resnet_cli.checkpoints.container.contents import TensorInfo
from resnet_cli.checkpoints.identify.naming import to_torchvision
from resnet_cli.checkpoints.identify.recognise import named, recognise
from resnet_cli.designs import zoo
from resnet_cli.designs.regnet import RegNet
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.published.names import names
from resnet_cli.pytorch.build import Unfilled

LARGEST = 60_000_000
"""Parameters of the largest network that is run."""
EVERYDAY = ("torchvision:regnet_x_400mf",)
REGNETS = [row for row in names() if row.name.startswith("regnet") and not row.differs]


def of_library(row):
    """The library's own network, its numbers yet to be set."""
    with Unfilled(()):
        if row.library == "timm":
            return library("timm").create_model(row.name).eval()
        return library("torchvision").models.get_model(row.name).eval()


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.model, marks=() if row.model in EVERYDAY else pytest.mark.slow)
        for row in REGNETS
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
    ours.load_state_dict({naming.names[n]: t for n, t in tensors.items()}, assign=True)
    x = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(x)
        torch.testing.assert_close(ours(x), expected, rtol=1e-5, atol=1e-5 * expected.abs().max())
    shapes = {name: TensorInfo(tuple(tensor.shape), "float32") for name, tensor in tensors.items()}
    recognised = recognise(named(shapes))
    spec = load(row.model).spec
    assert recognised.sure == "exact"
    assert zoo.changed(recognised.spec, name="", family="", input_size=(1, 1)) == zoo.changed(
        spec, name="", family="", input_size=(1, 1)
    )


def test_the_squeeze_is_of_what_comes_into_the_block():
    """regnet_y_400mf: 32 / 4 and then 48 / 4 channels of 48 and 104 (Radosavovic et al. 2020, Sec. 5)."""
    squeezed = [row.output[0] for row in rows_of("regnet_y_400mf") if row.path.endswith("se.fc1")]
    assert squeezed[:3] == [8, 12, 26]


def test_a_stage_narrower_than_a_group_has_one():
    """regnet_x_8gf: 120 channels a group, and a first stage of 80."""
    groups = [row.layer.groups for row in rows_of("regnet_x_8gf") if row.path.endswith("f.b.0")]
    assert groups == [1] * 2 + [2] * 5 + [6] * 15 + [16]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"widths": (48, 104, 208)}, "3 widths given for 4 stages"),
        ({"group_width": 10}, "groups of 10 channels do not divide 48"),
        ({"widths": (0, 8, 8, 8)}, "width of a stage 0 is out of range"),
        ({"stages": (1, 1, 1)}, "3 stages given"),
    ],
)
def test_what_is_no_regnet_is_refused(changes, what):
    """With what was given, and a hint."""
    with pytest.raises(UserError, match=what) as error:
        zoo.changed(zoo.find("regnet_y_400mf"), **changes)
    assert error.value.hint


def test_one_is_described_in_toml_without_a_base(tmp_path):
    """By its stages, widths and group width."""
    file = tmp_path / "own.toml"
    file.write_text(
        "stages = [1, 1, 2, 1]\nwidths = [16, 24, 32, 64]\ngroup_width = 8\nse_reduction = 4\n"
    )
    spec = load(str(file)).spec
    assert spec == RegNet("own", "own", (1, 1, 2, 1), (16, 24, 32, 64), 8, 4)


def test_a_separator_between_two_numbers_counts():
    """1.6 GF and 16 GF are two networks, however the point is written."""
    assert zoo.find("regnet_x_16gf") is zoo.find("RegNetX-16GF")
    for name in ("regnet_x_1_6gf", "RegNetX-1.6GF", "regnetx1-6gf"):
        assert zoo.find(name).name == "regnet_x_1_6gf"


def test_widths_are_an_option():
    """As the blocks of the stages are, and behind the colon of MODEL."""
    typed = ("summary", "regnet_x_400mf", "--widths", "16,32,48,64", "--json")
    spec = json.loads(run(*typed)[0])["spec"]
    assert spec["widths"] == [16, 32, 48, 64]
    assert load("regnet_x_400mf:widths=16-32-48-64").spec.widths == (16, 32, 48, 64)


def test_zero_gamma_is_of_the_last_norm_of_each_block():
    """That behind the last 1×1, in regnet_y_400mf's 16 blocks."""
    net = resnet_cli.build("regnet_y_400mf", seed=0, zero_gamma=True)
    zeros = [n for n, p in net.named_parameters() if n.endswith("weight") and not p.any()]
    assert len(zeros) == 16 and all(name.endswith("f.c.1.weight") for name in zeros)
