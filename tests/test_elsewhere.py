"""Why 3.8 here and 4.1 in torchvision: what is said wherever a v1 network's MACs stand."""

import pytest

import resnet_cli
from resnet_cli.analyses.elsewhere import elsewhere
from resnet_cli.models import load

BETWEEN = "resnet50 has 4,089,184,256 MACs there, 231,211,008 more (resnet50-v1.5)"
QUESTIONS = {
    "summary": resnet_cli.summary,
    "flops": resnet_cli.flops,
    "reconcile": lambda model: resnet_cli.flops(model, reconcile=True),
    "convention": lambda model: resnet_cli.flops(model, convention="fvcore"),
    "explain": lambda model: resnet_cli.explain("flops", model),
    "table": resnet_cli.table,
    "compare": lambda model: resnet_cli.compare(model, "resnet18"),
    "figures": resnet_cli.figures,
    "memory": resnet_cli.memory,
    "receptive field": resnet_cli.receptive_field,
    "features": resnet_cli.features,
    "paths": resnet_cli.paths,
    "explain a layer": lambda model: resnet_cli.explain("params", model, "layer1.0.conv1"),
    "check": lambda model: resnet_cli.check(model, max_macs="4G"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_answer_names_torchvision_and_the_macs_between(question):
    """3,857,973,248 + 231,211,008 = 4,089,184,256, as torchvision publishes (4.089 GFLOPS)."""
    (note,) = (
        note for note in QUESTIONS[question]("resnet50").notes if "torchvision and timm" in note
    )
    assert note.endswith(BETWEEN)
    assert not any("3×3 of" in note for note in QUESTIONS[question]("resnet50-v1.5").notes)


@pytest.mark.parametrize(("name", "theirs"), [("resnet101", 7.801), ("resnet152", 11.514)])
def test_the_difference_is_the_networks_own(name, theirs):
    """Ours and what is between them give what torchvision prints of its own."""
    (note,) = elsewhere([load(name), load("resnet18")])
    printed = int(note.partition(" MACs there")[0].rpartition(" ")[2].replace(",", ""))
    assert round(printed / 1e9, 3) == theirs


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("resnet50:num_classes=10", "(resnet50-v1.5)"),
        ("resnet50:groups=32,base_width=4", "(resnext50_32x4d)"),
        ("resnet50:stages=3-4-9-3", "(resnet50-v1.5)"),
        ("resnet50:style=v1.5", ""),
        ("resnet34", ""),
        ("resnet164", ""),
        ("vgg16", ""),
        ("resnext50_32x4d", ""),
    ],
)
def test_it_is_said_of_every_v1_of_a_listed_network_and_of_no_other(model, said):
    """Also with another classifier, size or width, but not where nobody builds it otherwise."""
    style = [note for note in elsewhere([load(model)]) if "torchvision and timm" in note]
    assert len(style) == bool(said) and all(note.endswith(said) for note in style)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("seresnet50", "seresnet50 of timm is another network, style v1.5: 4,091,699,200 MACs, 231,211,008 more (timm:seresnet50)"),
        ("ResNet50", "ResNet50 of Keras is another network, conv bias true: 3,857,973,248 MACs, as many (keras-resnet50)"),
        ("PreActResNet18", "555,422,720 MACs, 1,258,650,624 fewer (preact-resnet18:stem=3x3,num_classes=10,input_size=32x32,preact_stem=false,last_norm=false)"),
    ],
)  # fmt: skip
def test_a_name_that_means_two_networks_answers_by_the_paper_and_names_the_other(model, said):
    """With its MACs, and what to type for it where it is known here."""
    assert elsewhere([load(model)])[-1].endswith(said)


def test_reconcile_does_not_call_v1s_count_torchvisions():
    """torchvision prints so of its own networks, and the note says which that is."""
    answer = resnet_cli.flops("resnet50", reconcile=True)
    papers = answer.tables[0].rows[0]
    assert papers[0] == "papers" and "own networks" in papers[-1]
