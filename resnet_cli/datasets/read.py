"""Which data set is meant, and where it lies: digits, cifar10:FOLDER, cifar100:FOLDER."""

from __future__ import annotations

from resnet_cli.datasets.images import Images
from resnet_cli.errors import UserError

HINT = "give digits, cifar10:FOLDER or cifar100:FOLDER"


def read(source: str) -> Images:
    """The data set that is called so.

    Raises `UserError` for a name that is none (exit 2), for what is not installed, and for files that
    are missing, damaged or none of the data set's (exit 1).
    """
    name, _, folder = source.partition(":")
    if source == "digits":
        from resnet_cli.datasets import digits

        return digits.read()
    if name not in ("cifar10", "cifar100"):
        raise UserError(f"no data set named {source[:80]!r}", HINT)
    if not folder:
        raise UserError(
            f"{name} without its folder; nothing is downloaded",
            f"type --data {name}:FOLDER, with FOLDER that of the binary form, "
            f"{'cifar-10-batches-bin' if name == 'cifar10' else 'cifar-100-binary'}",
        )
    from resnet_cli.datasets import cifar

    return cifar.read(name, folder)
