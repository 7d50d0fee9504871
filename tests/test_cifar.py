"""Data sets: digits and the three forms of CIFAR, and folders that are none of them."""

import hashlib
import os
import struct

import pytest

from resnet_cli.datasets import cifar
from resnet_cli.datasets.read import read
from resnet_cli.errors import UserError

PIXELS = 3072


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Sixty images rather than sixty thousand."""
    monkeypatch.setattr(cifar, "IMAGES", {"train": 50, "test": 10})
    yield


def image(number):
    return bytes((number * 7 + at) % 256 for at in range(PIXELS))


def batches(kind=cifar.KINDS["cifar10"]):
    """The name of each file -> its images and labels."""
    number = 0
    for names, images in ((kind.train, 50), (kind.test, 10)):
        for name in names:
            own = range(number, number + images // len(names))
            number += len(own)
            yield name, [image(n) for n in own], [n % 10 for n in own]


def binary(folder):
    for name, images, labels in batches():
        content = b"".join(bytes([n]) + one for one, n in zip(images, labels, strict=True))
        (folder / f"{name}.bin").write_bytes(content)
    return folder


def short(text):
    return b"U" + bytes([len(text)]) + text


def pickled(images, labels, array=b"cnumpy.core.multiarray\n_reconstruct\n"):
    """A batch as Python 2's cPickle writes it, protocol 2."""
    content = b"".join(images)
    state = (
        b"(K\x01" + b"K" + bytes([len(images)]) + b"M\x00\x0c\x86"
        b"cnumpy\ndtype\n" + short(b"u1") + b"K\x00K\x01\x87R(K\x03" + short(b"|") + b"NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + struct.pack("<I", len(content)) + content + b"t"
    )
    return (
        b"\x80\x02}q\x01(" + short(b"batch_label") + short(b"training batch 1 of 5")
        + short(b"labels") + b"](" + b"".join(b"K" + bytes([n]) for n in labels) + b"e"
        + short(b"data") + array + b"cnumpy\nndarray\nK\x00\x85" + short(b"b") + b"\x87R" + state
        + b"bu."
    )  # fmt: skip


@pytest.fixture
def sums(monkeypatch):
    """The MD5 sums of such small batches."""
    kind = cifar.KINDS["cifar10"]
    known = {name: hashlib.md5(pickled(*own)).hexdigest() for name, *own in batches()}
    small = kind._replace(
        train={name: known[name] for name in kind.train},
        test={name: known[name] for name in kind.test},
    )
    monkeypatch.setitem(cifar.KINDS, "cifar10", small)


def pickles(folder):
    for name, images, labels in batches():
        (folder / name).write_bytes(pickled(images, labels))
    return folder


def refused(folder, name="cifar10"):
    with pytest.raises(UserError) as error:
        read(f"{name}:{folder}")
    assert error.value.code == 1 and error.value.hint
    return error.value.what


def test_digits_are_stratified():
    """1,437 images to train on and 360 for testing, 35 to 37 of each class, as scikit-learn loads them."""
    datasets = pytest.importorskip("sklearn.datasets")
    digits = read("digits")
    labels = [*digits.test.labels]
    assert len(labels) == 360 and len(digits.train.labels) == 1437
    assert {labels.count(n) for n in range(10)} <= {35, 36, 37}
    theirs = datasets.load_digits()
    each = sorted(zip(theirs.target, map(bytes, theirs.data.astype("uint8")), strict=True))
    parts = (digits.train, digits.test)
    ours = sorted(
        (label, part.images[64 * at : 64 * at + 64])
        for part in parts
        for at, label in enumerate(part.labels)
    )
    assert ours == each


def test_the_binary_form(tmp_path):
    """A label, then red, green and blue; also from the folder around it."""
    images = read(f"cifar10:{binary(tmp_path)}")
    assert images.shape == (3, 32, 32) and images.classes == 10
    assert images.train.images == b"".join(map(image, range(50)))
    assert [*images.test.labels] == [n % 10 for n in range(50, 60)]
    (tmp_path / "outer").mkdir()
    os.symlink(tmp_path, tmp_path / "outer" / "cifar-10-batches-bin")
    assert read(f"cifar10:{tmp_path / 'outer'}") == images


def test_cifar100_has_two_labels(tmp_path, monkeypatch):
    """The coarse one is not used."""
    monkeypatch.setattr(cifar, "IMAGES", {"train": 200, "test": 100})
    for name, count in (("train", 200), ("test", 100)):
        (tmp_path / f"{name}.bin").write_bytes(
            b"".join(bytes([n % 20, n % 100]) + image(n) for n in range(count))
        )
    images = read(f"cifar100:{tmp_path}")
    assert images.classes == 100 and [*images.test.labels] == [*range(100)]
    assert images.train.images[PIXELS : 2 * PIXELS] == image(1)


def test_pickles_hold_what_the_binary_form_does(tmp_path, sums):
    """The array of Python 2's pickles, read without running anything."""
    for form, write in (("bin", binary), ("py", pickles)):
        (tmp_path / form).mkdir()
        write(tmp_path / form)
    assert read(f"cifar10:{tmp_path / 'py'}") == read(f"cifar10:{tmp_path / 'bin'}")


def test_an_array_whose_bytes_are_text(tmp_path):
    """Bytes that happen to be UTF-8 are the same bytes."""
    part = cifar.from_pickle(cifar.KINDS["cifar10"], "x", pickled([bytes(PIXELS)] * 2, [1, 2]))
    assert part == (bytes(2 * PIXELS), b"\x01\x02")


@pytest.mark.parametrize("name", [b"cos\nsystem\n", b"cnumpy.core.multiarray\nscalar\n"])
def test_a_pickle_that_runs_code_runs_none(tmp_path, name):
    """No name but the array's three is known, and those are never called."""
    canary = tmp_path / "canary"
    content = b"\x80\x02" + name + short(f"touch {canary}".encode()) + b"\x85R."
    with pytest.raises(UserError, match="which is never done"):
        cifar.from_pickle(cifar.KINDS["cifar10"], "x", content)
    (tmp_path / "data_batch_1").write_bytes(content)
    for number in (2, 3, 4, 5):
        (tmp_path / f"data_batch_{number}").write_bytes(content)
    (tmp_path / "test_batch").write_bytes(content)
    assert "has another MD5" in refused(tmp_path)
    assert not canary.exists()


@pytest.mark.parametrize("change", [b"cos\nsystem\n", b"cnumpy\ndtype\n"])
def test_an_array_is_made_by_its_own_name(change):
    """Another function in the place of _reconstruct makes none."""
    with pytest.raises(UserError):
        cifar.from_pickle(cifar.KINDS["cifar10"], "x", pickled([image(0)], [1], change))


@pytest.mark.parametrize("at", range(0, 3200, 63))
def test_a_damaged_pickle_is_one_line(at):
    """Cut off anywhere it is refused, and so are bytes that are others."""
    content = pickled([image(0)], [1])
    kind = cifar.KINDS["cifar10"]
    with pytest.raises(UserError):
        cifar.from_pickle(kind, "x", content[:at])
    changed = content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]
    try:
        part = cifar.from_pickle(kind, "x", changed)
    except UserError:
        return
    assert len(part.images) == PIXELS * len(part.labels)


def test_a_flipped_byte_is_found(tmp_path, sums):
    """In a pickle by its MD5, in the binary form where it is a label's."""
    pickles(tmp_path)
    path = tmp_path / "data_batch_3"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    assert "data_batch_3' has another MD5" in refused(tmp_path)


def test_a_flipped_label_is_found(tmp_path):
    """A class with one image too many is none of CIFAR's."""
    path = binary(tmp_path) / "test_batch.bin"
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    assert "images of class" in refused(tmp_path)
    content[0] = 200
    path.write_bytes(content)
    assert "images of class" in refused(tmp_path)


def test_one_file_short_or_cut_off(tmp_path):
    """What is missing or of another size is named."""
    path = binary(tmp_path) / "data_batch_4.bin"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert "data_batch_4.bin' has 30,729 bytes, not 30,730" in refused(tmp_path)
    path.write_bytes(content + b"\0")
    assert "data_batch_4.bin' " in refused(tmp_path)
    path.unlink()
    assert "has no data_batch_4.bin, of 6 files of CIFAR-10" in refused(tmp_path)


def test_a_folder_that_is_no_cifar(tmp_path):
    """Neither is a missing one, a file, or CIFAR-10 where CIFAR-100 is asked for."""
    assert "has no form of CIFAR-10" in refused(tmp_path)
    assert "is no folder" in refused(tmp_path / "none")
    (tmp_path / "file").write_text("")
    assert "is no folder" in refused(tmp_path / "file")
    assert "has no form of CIFAR-100" in refused(binary(tmp_path), "cifar100")


@pytest.mark.parametrize("source", ["cifar10", "cifar10:", "mnist", "digits:x", "", "imagenet:/x"])
def test_a_data_set_that_is_none(source):
    """A name without its folder, or that is not known, is wrong usage."""
    with pytest.raises(UserError) as error:
        read(source)
    assert error.value.code == 2


def test_parquet(tmp_path):
    """PNG in img.bytes, and the column label."""
    pyarrow = pytest.importorskip("pyarrow")
    from io import BytesIO

    from PIL import Image
    from pyarrow import parquet

    def png(number, size=(32, 32)):
        one, out = image(number), BytesIO()
        planes = [Image.frombytes("L", (32, 32), one[at : at + 1024]) for at in (0, 1024, 2048)]
        Image.merge("RGB", planes).resize(size).save(out, "PNG")
        return {"bytes": out.getvalue(), "path": None}

    def write(part, numbers, **more):
        rows = {"img": [png(n, **more) for n in numbers], "label": [n % 10 for n in numbers]}
        parquet.write_table(pyarrow.table(rows), tmp_path / f"{part}-00000-of-00001.parquet")

    write("train", range(50))
    assert "has no test-*.parquet" in refused(tmp_path)
    write("test", range(50, 60))
    images = read(f"cifar10:{tmp_path}")
    assert images.train.images == b"".join(map(image, range(50)))
    write("test", range(50, 60), size=(16, 16))
    assert "an image of (16, 16)" in refused(tmp_path)
    (tmp_path / "test-00000-of-00001.parquet").write_bytes(b"PAR1 not")
    assert "holds no such images" in refused(tmp_path)
