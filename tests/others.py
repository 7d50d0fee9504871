"""Networks of timm and torchvision on the meta device, and their rows by a file of torch.export."""

import importlib
import warnings

import pytest
import torch

from resnet_cli import networks
from resnet_cli.graphs.read import read

VIDEO = ("r3d_18", "s3d", "swin3d_t")


def library(name):
    """timm or torchvision, also where its kernels are for another torch; else the test is skipped."""
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        pytest.skip(f"could not import {name!r}: {problem}")
    except RuntimeError:
        operators = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            operators.define(
                f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            )
        importlib.import_module("torchvision").operators = operators  # they are gone with it
        return importlib.import_module(name)


def made(name):
    """timm's network, or behind tv_ torchvision's, with no block left out at random; and a shape for it."""
    with torch.device("meta"):
        if name.startswith("tv_"):
            called = name.removeprefix("tv_")
            models = library("torchvision").models
            backbone = {"weights_backbone": None} if "deeplab" in called else {}
            net = models.get_model(called, weights=None, **backbone)
            size = (3, 16, 112, 112) if called in VIDEO else (3, 224, 224)
        else:
            net = library("timm").create_model(name)
            size = net.default_cfg["input_size"]
    for module in net.modules():
        if type(module).__name__ == "DropPath":
            module.drop_prob = 0.0
        if type(module).__name__ == "StochasticDepth":
            module.p = 0.0
    return net, size


def rows_of(net, x, path):
    """The rows of the network in eval mode, for this input, by way of a file."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(net.eval(), (x,)), path)
    return networks.of_graph(read(str(path)), path.name, networks.Origin("pt2")).rows
