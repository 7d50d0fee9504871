"""What torch has no layer for, and initial weights: `build` copies them into stand-alone files.

So each needs nothing but what is imported here. The tensors that meet in a merge are called as in its formula;
a function that merges is one expression.
"""

from __future__ import annotations

from torch import Generator, Tensor, nn


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


class ChannelConv(nn.Conv1d):
    """A convolution along the channels of a pooled input (Wang et al. 2020, Fig. 2)."""

    def __init__(self, kernel: int) -> None:
        super().__init__(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        row = x.flatten(1).unsqueeze(1)
        return nn.functional.conv1d(row, self.weight, padding=self.padding).reshape(x.shape)


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
