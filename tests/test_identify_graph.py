"""identify on graphs of operations: the listed network that computes the same, and what differs of others."""

import graph_files
import pytest
import torch
from jsonschema import Draft202012Validator
from listed import FAMILIES
from torch import nn

import resnet_cli
from resnet_cli.analyses import identify_graph as graphs
from resnet_cli.answers import engines
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.inputs import Given, Typed
from resnet_cli.models import load, of_module
from resnet_cli.pytorch import export
from resnet_cli.pytorch.build import build

EVERYDAY = ("resnet18", "preact-resnet18", "resnet50-v1.5", "vgg11_bn")


def networks():
    """All of the list: the first of each family in the slow suite, the others in the full one."""
    firsts = {spec.name for spec in FAMILIES}
    for spec in zoo.NETWORKS:
        mark = pytest.mark.slow if spec.name in firsts else pytest.mark.full
        yield pytest.param(spec, id=spec.name, marks=() if spec.name in EVERYDAY else mark)


def as_graph(spec, change=lambda net: None):
    """The rows of the built module, which know nothing of the spec."""
    net = build(spec, device="meta")
    change(net)
    return of_module(net, (1, *spec.input_shape))


@pytest.mark.parametrize("spec", list(networks()))
def test_each_listed_network_is_found_by_what_it_computes(spec):
    """Alone, or where others compute the same with the same parameters among these."""
    assert spec.name in [each.name for each in graphs.matched(as_graph(spec)).equal]


@pytest.mark.parametrize(
    ("model", "other"), [("resnet50", "resnet50-v1.5"), ("resnet18", "preact-resnet18")]
)
def test_what_weights_cannot_tell_a_graph_can(model, other):
    """The stride of a bottleneck, and where activations stand beside additions."""
    names = [each.name for each in graphs.matched(as_graph(zoo.find(model))).equal]
    assert names[0] == model and other not in names


def dilated(net):
    """The last stage without its stride, as networks for segmentation have it."""
    for module in net.layer4.modules():
        if isinstance(module, nn.Conv2d):
            module.stride = (1, 1)
            if module.kernel_size == (3, 3):
                module.dilation = module.padding = (2, 2)


def another_activation(net):
    net.layer1[0].relu = nn.SiLU()


@pytest.mark.parametrize(
    ("change", "said"),
    [(dilated, "where it has layer4.0.conv1"), (another_activation, "the order of its layers")],
)
def test_a_network_that_computes_something_else_is_not_taken_for_it(change, said):
    """A dilation or an activation: the listed one is the nearest, and what differs is said."""
    network = as_graph(zoo.find("resnet18"), change)
    matched = graphs.matched(network)
    assert matched.equal == [] and matched.nearest.name == "resnet18"
    assert said in " ".join(graphs.differences(network, matched.rows))


def test_classes_channels_and_size_are_the_file_s():
    """A network for ten classes of grey images of another size is the listed one."""
    spec = zoo.changed(zoo.find("resnet18"), num_classes=10, in_channels=1, input_size=(96, 64))
    (first, *_) = graphs.matched(as_graph(spec)).equal
    assert first == spec


def test_what_is_like_no_listed_network_has_its_facts_alone(tmp_path):
    """Operators, parameters, blocks and inputs of an .onnx by others; nothing is near."""
    graph_files.saved(graph_files.convolutional(), tmp_path / "net.onnx")
    answer = resnet_cli.identify(str(tmp_path / "net.onnx"))
    document = answer.data()
    Draft202012Validator(resnet_cli.schema("identify")).validate(document)
    assert document["network"] is None and document["fits"] is False and document["sure"] == "none"
    assert document["settled"] is False and document["candidates"] == [] and answer.code == 1
    assert document["operators"]["convolution"] and document["format"] == "onnx"
    with pytest.raises(UserError, match="holds operations, and not weights alone"):
        resnet_cli.identify(str(tmp_path / "net.onnx"), against="resnet18")


def test_a_pt2_of_shapes_alone_is_named(tmp_path):
    """By the command: the network, what libraries call it, and that its tensors have its names."""
    path = tmp_path / "net.pt2"
    network = load("resnet18", Given((Typed(None, (1, 3, 64, 64)),)))
    with engines.instance(network) as called, torch.no_grad():
        export.shapes_only(called, str(path))
    answer = resnet_cli.identify(str(path))
    Draft202012Validator(resnet_cli.schema("identify")).validate(answer.data())
    told = {line[0]: line[1] for line in answer.tables[0].rows}
    assert (
        answer.envelope["network"] == "resnet18:input_size=64x64"
        and answer.envelope["sure"] == "exact"
    )
    assert answer.envelope["fits"] and answer.envelope["settled"] and answer.code == 0
    assert "torchvision:resnet18" in str(told["computes the same as"])
    assert told["tensor names"] == "those of the network"


@pytest.mark.slow
def test_folded_norms_are_compared_by_convolutions(tmp_path):
    """An .onnx by torch has none of them: it is the network all the same, and says so."""
    pytest.importorskip("onnxruntime")
    path = tmp_path / "net.onnx"
    network = load("resnet20")
    with engines.instance(network, "cpu", 0) as called:
        called.module.eval()
        export.onnx(called, str(path), True)
    answer = resnet_cli.identify(str(path))
    assert answer.envelope["network"] == "resnet20"
    file, own = answer.envelope["params"].values()
    assert f"norms are folded into convolutions: {file:,} parameters for {own:,}" in answer.notes
    assert file < own == 269_722
