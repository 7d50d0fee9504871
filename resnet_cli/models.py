"""What MODEL means: the name of a network, a TOML file or a weight file."""

from __future__ import annotations

import os

from resnet_cli.designs import zoo
from resnet_cli.errors import UserError, printable, typed

WEIGHTS = (".safetensors", ".safetensors.index.json", ".pth", ".pt", ".bin", ".tar")
"""How the names of weight files end; others are files where no network is called so."""


def load(model: str) -> zoo.Spec:
    """The network that is called or described so, or whose weights the file holds.

    Raises `UserError` for a name that no network has (exit 2) or a bad file (exit 1).
    """
    if model.endswith(".toml"):
        from resnet_cli.designs import specfile  # tomllib takes milliseconds to load

        return specfile.read(model)
    if model.lower().endswith(WEIGHTS):
        return _recognised(model)
    try:
        return zoo.find(model)
    except UserError:
        if os.path.isfile(model):
            return _recognised(model)
        raise


def _recognised(path: str) -> zoo.Spec:
    """The network of a weight file, called as the file where it is not a listed one."""
    from resnet_cli.checkpoints.container.read import read
    from resnet_cli.checkpoints.identify.recognise import named, recognise

    found = recognise(named(read(path).content))
    if found.sure == "nearest":
        raise UserError(
            f"{path!r} holds no network that is known here; the nearest differs: {found.words[0]}",
            f"see {typed('identify', path)}",
            1,
        )
    if found.fits:
        return found.spec
    return zoo.changed(found.spec, name=printable(os.path.basename(path), 80))
