"""What MODEL means: the name of a network, a TOML file or a weight file."""

from __future__ import annotations

from resnet_cli.architecture import zoo


def load(model: str) -> zoo.Spec:
    """The network that is called or described so.

    Raises `UserError` for a name that no network has (exit 2) or a bad file (exit 1).
    """
    if model.endswith(".toml"):
        from resnet_cli.architecture import specfile  # tomllib takes milliseconds to load

        return specfile.read(model)
    return zoo.find(model)
