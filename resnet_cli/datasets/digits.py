"""scikit-learn's digits: 1,797 handwritten ones of 8×8, in its wheel (UCI Optdigits, CC BY 4.0)."""

from __future__ import annotations

import os
import zlib
from importlib.util import find_spec

from resnet_cli import files
from resnet_cli.datasets.images import Images, Part
from resnet_cli.errors import UserError

FILE = "datasets/data/digits.csv.gz"
IMAGES, SIDE, LEVELS = 1797, 8, 17
EVERY = 5
"""Of the images in the order of their labels, every fifth is for testing: 360 of 1,797."""
SHA256 = "32e36017960b23855068b198989fb33769c435fb66ee517bc961ee75f89281e5"
"""Of all that is read, so that digits mean the same everywhere."""
MOST_BYTES = 1 << 20


def read() -> Images:
    """All digits, a fifth of each class for testing.

    The file is read as it lies in the package, as importing it would take longer than torch. Raises
    `UserError` (exit 1) where scikit-learn is not installed or has other digits.
    """
    package = find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise UserError(
            "the digits are scikit-learn's, which is not installed",
            "in the folder of the source type: pip install '.[train]'; or give --data cifar10:FOLDER",
            1,
        )
    lines = _lines(os.path.join(package.submodule_search_locations[0], FILE))
    lines.sort(key=lambda line: line[-1])  # stable: of one class in the file's order
    tested = lines[::EVERY]
    del lines[::EVERY]
    digits = Images("digits", (1, SIDE, SIDE), 10, _part(lines), _part(tested))
    if digits.sha256 != SHA256:
        raise _other()
    return digits


def _lines(path: str) -> list[bytes]:
    """An image and its label in each."""
    hint = "pip install --force-reinstall scikit-learn"
    try:
        packed = files.content(path, MOST_BYTES, hint)
        text = zlib.decompressobj(wbits=31).decompress(packed, MOST_BYTES)
        lines = [bytes(map(int, line.split(b","))) for line in text.splitlines()]
    except UserError as problem:
        raise UserError(f"scikit-learn's {FILE} {problem.what}", problem.hint, 1) from None
    except (zlib.error, ValueError):
        raise _other() from None
    if len(lines) != IMAGES or any(len(line) != SIDE * SIDE + 1 for line in lines):
        raise _other()
    return lines


def _part(lines: list[bytes]) -> Part:
    return Part(b"".join(line[:-1] for line in lines), bytes(line[-1] for line in lines))


def _other() -> UserError:
    return UserError(
        "this scikit-learn's digits are not those known here",
        "pip install --force-reinstall scikit-learn",
        1,
    )
