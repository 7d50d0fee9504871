"""A weight file as it is, whether or not its network is known."""

from __future__ import annotations

import os

from resnet_cli.answers.view import Model
from resnet_cli.checkpoints.container.read import read
from resnet_cli.checkpoints.identify.recognise import Named, named
from resnet_cli.errors import UserError

NOTE = "told from names, shapes and types alone: no number was read, nothing in the file was run"


def weight_file(model: Model) -> Named | None:
    """The tensors that a weight file holds; None for any other MODEL.

    Raises `UserError` (exit 1) for a file without tensors.
    """
    if not isinstance(model, str) or not os.path.isfile(model):
        return None
    try:
        content = read(model).content
    except UserError:  # another file, such as TOML; or a damaged one, of which `load` says how
        return None
    try:
        return named(content)
    except UserError as problem:
        raise UserError(f"{model!r}: {problem.what}", problem.hint, 1) from None
