"""Random numbers for the networks of libraries, under which no two computations agree by chance."""

import torch
from torch import nn


def fill(net):
    """Draws every tensor anew, always the same: gains of both signs, running variances above 0."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.dim() > 1:
            nn.init.kaiming_normal_(tensor, generator=generator)
        elif tensor.dim():
            tensor.uniform_(-1, 1, generator=generator)
