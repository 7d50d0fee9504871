"""Analyse residual networks: layers, parameters and FLOPs, beside what the papers print."""

from __future__ import annotations

TYPE_CHECKING = False
"""As in typing, which takes milliseconds to load before the program can catch a Ctrl-C."""
if TYPE_CHECKING:
    from resnet_cli.answers.build import build
    from resnet_cli.answers.check import check
    from resnet_cli.answers.compare import compare
    from resnet_cli.answers.conv import conv
    from resnet_cli.answers.diagram import diagram
    from resnet_cli.answers.explain import explain
    from resnet_cli.answers.features import features
    from resnet_cli.answers.figures import figures
    from resnet_cli.answers.flops import flops
    from resnet_cli.answers.gradient import gradient
    from resnet_cli.answers.identify import identify
    from resnet_cli.answers.lesion import lesion
    from resnet_cli.answers.listing import list
    from resnet_cli.answers.memory import memory
    from resnet_cli.answers.network import Network, network
    from resnet_cli.answers.paths import paths
    from resnet_cli.answers.plot import plot
    from resnet_cli.answers.receptive_field import receptive_field
    from resnet_cli.answers.report import report
    from resnet_cli.answers.schema import schema
    from resnet_cli.answers.summary import summary
    from resnet_cli.answers.table import table
    from resnet_cli.answers.train import train
    from resnet_cli.answers.verify import verify
    from resnet_cli.errors import UserError

__version__ = "0.1.0"
__all__ = (
    "Network", "UserError", "build", "check", "compare", "conv", "diagram", "explain", "features", "figures", "flops",
    "gradient", "identify", "lesion", "list", "memory", "network", "paths", "plot", "receptive_field",
    "report", "schema", "summary", "table", "train", "verify",
)  # fmt: skip
ELSEWHERE = {"Network": "answers.network", "UserError": "errors", "list": "answers.listing"}
"""The names that do not stand in the file of `resnet_cli.answers` that is called as they are."""


def __getattr__(name: str) -> object:
    """A public name, loaded when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"resnet_cli.{ELSEWHERE.get(name, f'answers.{name}')}"), name)


def __dir__() -> tuple[str, ...]:
    return (*__all__, "__version__")
