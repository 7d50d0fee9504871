"""What torch has no layer for, and initial weights: `build` copies them into stand-alone files.

So each needs nothing but what is imported here. The tensors that meet in a merge are called as in its formula;
a function that merges is one expression.
"""

from __future__ import annotations

from torch import Generator, Tensor, cat, nn, ones


class ZeroPadding(nn.Module):
    """Shortcut A: every stride-th pixel, zeros in the new channels (He et al. 2015, Sec. 3.3).

    Behind its own, or before and behind them.
    """

    def __init__(self, channels: int, stride: int, both: bool = False) -> None:
        super().__init__()
        self.channels, self.stride, self.both = channels, stride, both

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        new = self.channels - x.shape[1]
        before = max(new, 0) // 2 if self.both else 0
        return nn.functional.pad(x, (0, 0, 0, 0, before, new - before))

    def extra_repr(self) -> str:
        return f"channels={self.channels}, stride={self.stride}"


class ZeroPaddedMaxPool2d(nn.Module):
    """The largest of a window, of zeros over the border, as Keras pads."""

    def __init__(self, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.pad(x, (self.padding,) * 4)
        return nn.functional.max_pool2d(x, self.kernel, self.stride)

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}, padding={self.padding}"


class ChannelConv(nn.Conv1d):
    """A convolution along the channels of a pooled input (Wang et al. 2020, Fig. 2)."""

    def __init__(self, kernel: int) -> None:
        super().__init__(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        row = x.flatten(1).unsqueeze(1)
        return nn.functional.conv1d(row, self.weight, padding=self.padding).reshape(x.shape)


class ChannelsLast(nn.Module):
    """(batch, channels, height, width) as (batch, height, width, channels), or back."""

    def __init__(self, back: bool = False) -> None:
        super().__init__()
        self.order = (0, 3, 1, 2) if back else (0, 2, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.order)

    def extra_repr(self) -> str:
        return f"order={self.order}"


class LayerNorm2d(nn.LayerNorm):
    """A layer norm over the channels of a map (Liu et al. 2022, Sec. 2.6)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class GlobalResponseNorm(nn.LayerNorm):
    """Channels by their L2 norms over the map, beside the mean one (Woo et al. 2023, Sec. 4.2)."""

    def __init__(self, channels: int, channels_last: bool = True) -> None:
        super().__init__(channels, eps=1e-6)
        self.channels_last = channels_last

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        places, channel, shape = (
            ((1, 2), 3, (-1,)) if self.channels_last else ((2, 3), 1, (-1, 1, 1))
        )
        norm = x.norm(dim=places, keepdim=True)
        ratio = norm / (norm.mean(channel, keepdim=True) + self.eps)
        return x + self.bias.view(shape).addcmul(self.weight.view(shape), x * ratio)


class LayerScale(nn.Module):
    """A learned factor a channel, small at the start (Liu et al. 2022, Appendix A)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(ones(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, 1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.view(-1, 1, 1)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}"


class StochasticDepth(nn.Module):
    """Leaves a body out for a share of the inputs in training (Huang et al. 2016, Sec. 3)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = x.new_empty(len(x), 1, 1, 1).bernoulli_(1 - self.rate)
        return x * kept.div_(1 - self.rate)

    def extra_repr(self) -> str:
        return f"{self.rate}"


class AttentionPool2d(nn.Module):
    """Attention to all places and their mean, asked by the mean (Radford et al. 2021, Sec. 2.4).

    With ``all_ask`` by every place, too, and the mean's answer is taken. Heads have 64 channels.
    """

    def __init__(self, channels: int, width: int, places: int, all_ask: bool = False) -> None:
        super().__init__()
        self.all_ask = all_ask
        self.positional_embedding = nn.Linear(channels, places + 1).weight
        k, q, v, c = (nn.Linear(channels, out) for out in (channels, channels, channels, width))
        self.k_proj_weight, self.k_proj_bias = k.weight, k.bias
        self.q_proj_weight, self.q_proj_bias = q.weight, q.bias
        self.v_proj_weight, self.v_proj_bias = v.weight, v.bias
        self.c_proj_weight, self.c_proj_bias = c.weight, c.bias

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(2).transpose(1, 2)
        x = cat((x.mean(1, keepdim=True), x), 1) + self.positional_embedding
        asking = x if self.all_ask else x[:, :1]
        query = nn.functional.linear(asking, self.q_proj_weight, self.q_proj_bias) * 64**-0.5
        key = nn.functional.linear(x, self.k_proj_weight, self.k_proj_bias)
        value = nn.functional.linear(x, self.v_proj_weight, self.v_proj_bias)
        query, key, value = (
            part.unflatten(2, (-1, 64)).transpose(1, 2) for part in (query, key, value)
        )
        answers = ((query @ key.transpose(2, 3)).softmax(3) @ value).transpose(1, 2).flatten(2)
        return nn.functional.linear(answers, self.c_proj_weight, self.c_proj_bias)[:, 0]


class StdConv2d(nn.Conv2d):
    """Weights of mean 0 and variance 1 in each output channel (Qiao et al. 2019), ε BiT's."""

    def forward(self, x: Tensor) -> Tensor:
        weight = nn.functional.layer_norm(self.weight, self.weight.shape[1:], eps=1e-8)
        y: Tensor = self._conv_forward(x, weight, self.bias)
        return y


class BlurPool(nn.Module):
    """A mean weighted 1, 2, 1 along both sides of a map, mirrored at its border (Zhang 2019)."""

    filt: Tensor

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels, self.stride = channels, stride
        depthwise = nn.Conv2d(channels, channels, 3, groups=channels, bias=False)
        self.register_buffer("filt", depthwise.weight.data, persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        row = Tensor([1, 2, 1]) / 4
        self.filt.copy_(row[:, None] * row)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.pad(x, (1, 1, 1, 1), mode="reflect")
        return nn.functional.conv2d(x, self.filt, stride=self.stride, groups=self.channels)

    def extra_repr(self) -> str:
        return f"channels={self.channels}, stride={self.stride}"


class FrozenBatchNorm2d(nn.Module):
    """Batch norm of which nothing is learned or moves: gain, shift and statistics are buffers."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name, tensor in nn.BatchNorm2d(channels).state_dict().items():
            if name != "num_batches_tracked":
                self.register_buffer(name, tensor)

    def reset_parameters(self) -> None:
        for name, tensor in self.named_buffers():
            nn.init.constant_(tensor, float(name in ("weight", "running_var")))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + 1e-5).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale[:, None, None].to(x.dtype) + shift[:, None, None].to(x.dtype)

    def extra_repr(self) -> str:
        return f"channels={len(self.weight)}"


class Branches(nn.Sequential):
    """Modules side by side, what they put out one behind another along the channels.

    Each takes the whole input, or of so many parts the one in its place; parts beyond the last
    module pass as they are. In a chain each but the first adds what the one before it put out
    (Gao et al. 2019, Eq. 1).
    """

    def __init__(self, *branches: nn.Module, parts: int = 0, chain: bool = False) -> None:
        super().__init__(*branches)
        self.parts, self.chain = parts, chain

    def forward(self, x: Tensor) -> Tensor:
        taken = list(x.chunk(self.parts, 1)) if self.parts > 0 else [x] * len(self)
        made = list(taken)
        for at, branch in enumerate(self):
            chained = self.chain and at > 0
            made[at] = branch(taken[at] + made[at - 1] if chained else taken[at])
        return cat(made, 1)

    def extra_repr(self) -> str:
        return f"parts={self.parts}, chain={self.chain}"


class SumOfParts(nn.Module):
    """The sum of so many parts of the channels (Li et al. 2019, Eq. 1)."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), self.parts, -1, x.shape[2], x.shape[3]).sum(1)

    def extra_repr(self) -> str:
        return f"parts={self.parts}"


class SoftmaxOfParts(nn.Module):
    """Shares that add up to 1 over the parts of the channels (Li et al. 2019, Eq. 5).

    In groups the parts of each come together, and leave part by part (Zhang et al. 2020, Eq. 3).
    """

    def __init__(self, parts: int, groups: int = 1) -> None:
        super().__init__()
        self.parts, self.groups = parts, groups

    def forward(self, x: Tensor) -> Tensor:
        parts = x.reshape(len(x), self.groups, self.parts, -1).transpose(1, 2)
        return parts.softmax(1).reshape(x.shape)

    def extra_repr(self) -> str:
        return f"parts={self.parts}, groups={self.groups}"


class ScaledAddition(nn.Module):
    """λ·shortcut + μ·body (He et al. 2016, Sec. 3.1, constant scaling)."""

    def __init__(self, shortcut: float = 1.0, body: float = 1.0) -> None:
        super().__init__()
        self.shortcut, self.body = shortcut, body

    def forward(self, shortcut: Tensor, body: Tensor) -> Tensor:
        return self.shortcut * shortcut + self.body * body

    def extra_repr(self) -> str:
        return f"shortcut={self.shortcut:g}, body={self.body:g}"


class GatedAddition(nn.Conv2d):
    """(1 − g)·shortcut + body, or + g·body; g is the convolution's (He et al. 2016, Sec. 3.1)."""

    def __init__(self, channels: int, exclusive: bool = False) -> None:
        super().__init__(channels, channels, 1)
        self.exclusive = exclusive

    def forward(self, shortcut: Tensor, body: Tensor) -> Tensor:  # type: ignore[override]
        gate = nn.functional.conv2d(shortcut, self.weight, self.bias).sigmoid()
        return (1 - gate) * shortcut + (gate * body if self.exclusive else body)


def addition(shortcut: Tensor, body: Tensor) -> Tensor:
    """Shortcut + body (He et al. 2015, Eq. 1)."""
    return shortcut + body


def scaling(gated: Tensor, gate: Tensor) -> Tensor:
    """Every element times its channel's gate (Hu et al. 2018, Eq. 4)."""
    return gated * gate


def initialise(net: nn.Module, generator: Generator | None = None) -> None:
    """Convolutions: He normal, fan out (He et al. 2015, Sec. 3.4). Biases 0, norms as torch's.

    Linear layers: normal, 0.01 (Simonyan & Zisserman 2015, Sec. 3.1).
    """
    for name, p in net.named_parameters():
        if p.dim() > 2:
            nn.init.kaiming_normal_(p, mode="fan_out", nonlinearity="relu", generator=generator)
        elif p.dim() == 2:
            nn.init.normal_(p, std=0.01, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(p)


def initialise_truncated(net: nn.Module, generator: Generator | None = None) -> None:
    """Weights truncated normal, 0.02; biases 0, norms as they are (Liu et al. 2022, Appendix A)."""
    for name, p in net.named_parameters():
        if p.dim() > 1:
            nn.init.trunc_normal_(p, std=0.02, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(p)
