"""Networks of timm and torchvision on the meta device."""

import warnings

import pytest
import torch

from resnet_cli import networks
from resnet_cli.graphs.read import read
from resnet_cli.pytorch import doors, libraries

VIDEO = ("r3d_18", "s3d", "swin3d_t")


def made(name):
    """timm's network, or behind tv_ torchvision's, with no block left out at random; and a shape for it."""
    try:
        torchvision = libraries.import_torchvision()
    except ImportError as problem:
        pytest.skip(f"could not import 'torchvision': {problem}")
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        if name.startswith("tv_"):
            called = name.removeprefix("tv_")
            backbone = {"weights_backbone": None} if "deeplab" in called else {}
            net = torchvision.models.get_model(called, weights=None, **backbone)
            size = (3, 16, 224, 224) if called in VIDEO else (3, 224, 224)
        else:
            net = timm.create_model(name)
            size = net.default_cfg["input_size"]
    for module in net.modules():
        if type(module).__name__ == "DropPath":
            module.drop_prob = 0.0
        if type(module).__name__ == "StochasticDepth":
            module.p = 0.0
    return net, size


def recorded(net, x):
    """The network in eval mode, as it runs on this input."""
    graph = doors.ran_on(net.eval(), x).graph
    return networks.of_graph(graph, "net", networks.Origin("module"))


def exported(net, x, path):
    """The same by way of a file of torch.export."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(net.eval(), (x,)), path)
    return networks.of_graph(read(str(path)), "net", networks.Origin("pt2"))
