"""A shard of Parquet with images as PNG, by pyarrow and pillow."""

from __future__ import annotations

import io
from importlib.util import find_spec

from resnet_cli.datasets.images import Part
from resnet_cli.errors import UserError, printable

SIZE = (32, 32)
MOST_PNG = 1 << 16
HINT = "give the binary form, which needs nothing installed"


def read(path: str, label: str) -> Part:
    """Images of 32×32 in red, green and blue from ``img``, and their classes from the column ``label``.

    Raises `UserError` (exit 1) where one of the libraries is missing, and for what is no such file.
    """
    for module, package in (("pyarrow", "pyarrow"), ("PIL", "pillow")):
        if find_spec(module) is None:
            raise UserError(
                f"{printable(path)!r} needs {package}, which is not installed",
                f"pip install {package}, or give the binary form",
                1,
            )
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path, columns=["img", label])
        pairs = zip(table["img"].to_pylist(), table[label].to_pylist(), strict=True)
        images, labels = zip(*((_planes(img["bytes"]), label) for img, label in pairs), strict=True)
        return Part(b"".join(images), bytes(labels))
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, KeyError) as problem:
        reason = printable(str(problem).splitlines()[0]) if str(problem) else "another form"
        raise UserError(f"{printable(path)!r} holds no such images: {reason}", HINT, 1) from None


def _planes(png: bytes) -> bytes:
    """An image as 1,024 bytes each of red, green and blue. Raises `ValueError` for one of another size."""
    from PIL import Image

    if len(png) > MOST_PNG:
        raise ValueError("an image of over 64 KiB")
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        if image.size != SIZE or image.mode != "RGB":
            raise ValueError(f"an image of {image.size} in {image.mode}")
        return b"".join(band.tobytes() for band in image.split())
