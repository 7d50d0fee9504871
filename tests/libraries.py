"""Libraries of networks, as the tests that compare with them import them."""

from importlib.util import find_spec

import pytest

from resnet_cli.pytorch.libraries import import_torchvision


def library(name):
    """timm, torchvision or transformers, whichever torch its kernels are for; the test is skipped without it."""
    if find_spec("torchvision"):
        import_torchvision()
    return pytest.importorskip(name)
