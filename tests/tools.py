"""Runs one counting tool on networks: `python tools.py NAME resnet50 vgg11:256 resnet18:97:norm=group ...`.

A process a tool, as some leave torch's functions patched. NAME:SIZE gives another input size, and
NAME:SIZE:KEY=VALUE,… changes fields of the spec.
"""

import contextlib
import io
import json
import logging
import sys
import warnings
from dataclasses import replace
from importlib.util import find_spec

import torch

from resnet_cli.designs import zoo
from resnet_cli.pytorch.build import build
from resnet_cli.pytorch.libraries import import_torchvision
from resnet_cli.pytorch.measure import zeroed


def spec_of(name):
    """The spec of NAME, NAME:SIZE or NAME:SIZE:KEY=VALUE,…"""
    name, *more = name.split(":")
    changes = {"input_size": (int(more[0]),) * 2} if more else {}
    for change in more[1].split(",") if more[1:] else ():
        key, _, value = change.partition("=")
        changes[key] = json.loads(value) if value[0].isdigit() or value == "true" else value
    return replace(zoo.find(name), **changes)


def network(spec):
    """A network in eval mode whose numbers are zeros."""
    return zeroed(build(spec, device="meta")).eval()


def fvcore(net, x):
    from fvcore.nn import FlopCountAnalysis

    return FlopCountAnalysis(net, x).total()


def flop_counter(net, x):
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(x)
    return counter.get_total_flops()


def ptflops(net, x, backend):
    if find_spec("torchvision"):  # which it imports
        import_torchvision()
    from ptflops import get_model_complexity_info

    return get_model_complexity_info(
        net, tuple(x.shape[1:]), as_strings=False, print_per_layer_stat=False, backend=backend
    )[0]


def thop(net, x):
    from thop import profile

    return profile(net, inputs=(x,), verbose=False)[0]


def torchprofile(net, x):
    from torchprofile import profile_macs

    return profile_macs(net, x)


def calflops(net, x):
    from calflops import calculate_flops

    return calculate_flops(
        net, input_shape=tuple(x.shape), print_results=False, output_as_string=False
    )[0]


def torchinfo(net, x):
    from torchinfo import summary

    return summary(net, input_data=x, verbose=0, device="cpu").total_mult_adds


def torchlens(net, x):
    from torchlens import trace

    return trace(net, x).total_flops_forward


def pycls(spec):
    """pycls counts the networks of its own code, from the same numbers."""
    from pycls.core import net
    from pycls.core.config import cfg
    from pycls.models.resnet import ResNet

    sizes = {(3, 4, 6, 3): 50, (3, 4, 23, 3): 101, (3, 8, 36, 3): 152}
    cfg.TRAIN.DATASET = cfg.TEST.DATASET = "imagenet"
    cfg.TRAIN.IM_SIZE, cfg.MODEL.NUM_CLASSES = spec.input_size[0], spec.num_classes
    cfg.MODEL.DEPTH = sizes[spec.stages]
    cfg.RESNET.TRANS_FUN, cfg.RESNET.STRIDE_1X1 = "bottleneck_transform", spec.style == "v1"
    cfg.RESNET.NUM_GROUPS, cfg.RESNET.WIDTH_PER_GROUP = spec.groups, spec.base_width
    return net.complexity(ResNet)["flops"]


TOOLS = {
    "fvcore": fvcore,
    "torch": flop_counter,
    "ptflops-aten": lambda net, x: ptflops(net, x, "aten"),
    "ptflops-pytorch": lambda net, x: ptflops(net, x, "pytorch"),
    "thop": thop,
    "ultralytics-thop": thop,
    "torchprofile": torchprofile,
    "calflops": calflops,
    "torchlens": torchlens,
    "torchinfo": torchinfo,
}


def printed(tool, name):
    """What the tool prints for one input of the network."""
    spec = spec_of(name)
    if tool == "pycls":
        return pycls(spec)
    return int(TOOLS[tool](network(spec), torch.zeros(1, *spec.input_shape)))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    with contextlib.redirect_stdout(io.StringIO()):
        found = {name: printed(sys.argv[1], name) for name in sys.argv[2:]}
    print(json.dumps(found))
