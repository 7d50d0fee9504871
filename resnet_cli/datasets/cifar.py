"""CIFAR-10 and CIFAR-100 from a folder, in any of the three forms that they are handed on in."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from resnet_cli import files
from resnet_cli.datasets.images import Images, Part
from resnet_cli.errors import UserError, printable

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32
MOST_PICKLE = 256 << 20


class Kind(NamedTuple):
    """One of the two: ``train`` and ``test`` are files without their suffix, each with the MD5 of its pickle.

    Of the ``labels`` bytes before an image in the binary form the last is its class, which pickles
    and Parquet have under ``label``.
    """

    title: str
    classes: int
    train: dict[str, str]
    test: dict[str, str]
    folders: tuple[str, ...]
    labels: int
    label: tuple[str, str]


KINDS = {
    "cifar10": Kind(
        "CIFAR-10", 10,
        {
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        },
        {"test_batch": "40351d587109b95175f43aff81a1287e"},
        ("", "cifar-10-batches-bin", "cifar-10-batches-py", "plain_text", "data"), 1, ("labels", "label"),
    ),
    "cifar100": Kind(
        "CIFAR-100", 100,
        {"train": "16019d7e3df5f24257cddd939b257f8d"},
        {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
        ("", "cifar-100-binary", "cifar-100-python", "cifar100", "data"), 2, ("fine_labels", "fine_label"),
    ),
}  # fmt: skip
IMAGES = {"train": 50_000, "test": 10_000}


def read(name: str, folder: str) -> Images:
    """The data set ``name``, cifar10 or cifar100, from a folder, or from the one that its archive makes in it.

    Raises `UserError` (exit 1) for a folder that has no form of it, for one file short or of another size, and
    where labels or their numbers are not the data set's; of pickles also where a byte is another.
    """
    kind = KINDS[name]
    if not os.path.isdir(folder):
        raise UserError(f"{printable(folder)!r} is no folder", f"give that of {kind.title}", 1)
    for inner in kind.folders:
        place = os.path.join(folder, inner) if inner else folder
        for form in (_binary, _pickled, _parquet):
            parts = form(kind, place)
            if parts is not None:
                for part, each in zip(IMAGES, parts, strict=True):
                    _check(kind, place, part, each)
                return Images(kind.title, SHAPE, kind.classes, *parts)
    raise UserError(
        f"{printable(folder)!r} has no form of {kind.title}",
        f"it holds {_names(kind, '.bin')}, as the binary archive does",
        1,
    )


def _names(kind: Kind, suffix: str) -> str:
    return ", ".join(f"{name}{suffix}" for name in (*kind.train, *kind.test))


def _check(kind: Kind, place: str, part: str, read: Part) -> None:
    """Raises `UserError` (exit 1) unless each class has as many images as in the data set."""
    counts = Counter(read.labels)
    each = IMAGES[part] // kind.classes
    if counts != dict.fromkeys(range(kind.classes), each):
        wrong = next(
            label
            for label in (*range(kind.classes), *counts)
            if counts[label] != (each if label < kind.classes else 0)
        )
        raise UserError(
            f"{printable(place)!r} has {counts[wrong]:,} images of class {wrong} for {part}, "
            f"where {kind.title} has {each if wrong < kind.classes else 0:,}",
            "it is damaged; unpack the archive again",
            1,
        )


def _present(kind: Kind, place: str, suffix: str) -> bool:
    """Whether a folder has files of a form. Raises `UserError` (exit 1) where it lacks one of them."""
    names = [f"{name}{suffix}" for name in (*kind.train, *kind.test)]
    missing = [name for name in names if not os.path.isfile(os.path.join(place, name))]
    if missing and len(missing) < len(names):
        raise UserError(
            f"{printable(place)!r} has no {missing[0]}, of {len(names)} files of {kind.title}",
            "unpack the whole archive",
            1,
        )
    return not missing


def _binary(kind: Kind, place: str) -> tuple[Part, Part] | None:
    """The binary form: labels, then 1,024 bytes each of red, green and blue; nothing in it can be run."""
    if not _present(kind, place, ".bin"):
        return None
    stride = kind.labels + PIXELS

    def part(name: str, batches: dict[str, str]) -> Part:
        size = IMAGES[name] // len(batches) * stride
        content = b"".join(_content(place, f"{each}.bin", size) for each in batches)
        starts = range(kind.labels, len(content), stride)
        images = b"".join(content[start : start + PIXELS] for start in starts)
        return Part(images, content[kind.labels - 1 :: stride])

    return part("train", kind.train), part("test", kind.test)


def _content(place: str, name: str, size: int) -> bytes:
    """The bytes of a file that has just so many."""
    path, hint = os.path.join(place, name), "it is damaged; unpack the archive again"
    content = _read(path, size, hint)
    if len(content) != size:
        what = f"{printable(path)!r} has {len(content):,} bytes, not {size:,}"
        raise UserError(what, hint, 1)
    return content


def _read(path: str, most: int, hint: str) -> bytes:
    try:
        return files.content(path, most, hint)
    except UserError as problem:
        raise UserError(f"{printable(path)!r} {problem.what}", hint, 1) from None


def _pickled(kind: Kind, place: str) -> tuple[Part, Part] | None:
    """The pickles of Python 2, of which each must be the published one to the byte."""
    if not _present(kind, place, ""):
        return None
    return tuple(  # type: ignore[return-value]
        _joined(_batch(kind, os.path.join(place, name), md5) for name, md5 in batches.items())
        for batches in (kind.train, kind.test)
    )


def _joined(parts: Iterator[Part]) -> Part:
    images, labels = zip(*parts, strict=True)
    return Part(b"".join(images), b"".join(labels))


def _batch(kind: Kind, path: str, md5: str) -> Part:
    from hashlib import md5 as hashed

    hint = "it is damaged or not the published file; unpack the archive again"
    content = _read(path, MOST_PICKLE, hint)
    if hashed(content, usedforsecurity=False).hexdigest() != md5:
        raise UserError(f"{printable(path)!r} has another MD5 than {md5}", hint, 1)
    return from_pickle(kind, path, content)


def from_pickle(kind: Kind, path: str, content: bytes) -> Part:
    """A batch from the bytes of its pickle, which are read and not run. Raises `UserError` (exit 1) as `read`."""
    from resnet_cli.datasets.arrays import Array, unpickled

    try:
        batch = unpickled(content)
    except UserError as problem:
        raise UserError(f"{printable(path)!r} {problem.what}", problem.hint, 1) from None
    images = batch.get("data") if isinstance(batch, dict) else None
    labels = batch.get(kind.label[0]) if isinstance(batch, dict) else None
    whole = isinstance(labels, list) and all(type(n) is int and 0 <= n < 256 for n in labels)
    if not whole or not isinstance(images, Array) or images.shape != (len(labels or ()), PIXELS):
        hint = "give a folder as its archive makes it"
        raise UserError(f"{printable(path)!r} is no batch of {kind.title}", hint, 1)
    return Part(images.content, bytes(labels or ()))


def _parquet(kind: Kind, place: str) -> tuple[Part, Part] | None:
    """Parquet with PNG in ``img.bytes``, as the hub hands it on."""
    names = sorted(os.listdir(place)) if os.path.isdir(place) else []
    shards = {
        part: [n for n in names if n.startswith(f"{part}-") and n.endswith(".parquet")]
        for part in IMAGES
    }
    if not any(shards.values()):
        return None
    for part, found in shards.items():
        if not found:
            what = f"{printable(place)!r} has no {part}-*.parquet"
            raise UserError(what, "give a folder with train and test", 1)
    from resnet_cli.datasets import parquet

    reads: Callable[[str, str], Part] = parquet.read
    return tuple(  # type: ignore[return-value]
        _joined(reads(os.path.join(place, name), kind.label[1]) for name in found)
        for found in shards.values()
    )
