"""Weight files: what torch and safetensors write is read without them; hostile files are refused."""

import collections
import datetime
import gc
import io
import json
import math
import os
import pathlib
import pickle
import re
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zipfile
from argparse import Namespace

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from listed import rows_of
from safetensors import safe_open
from safetensors.torch import save_file

from resnet_cli.checkpoints.container.contents import WIDTHS
from resnet_cli.checkpoints.container.read import Checkpoint, Opaque, TensorInfo, read
from resnet_cli.checkpoints.container.safetensors import TYPES
from resnet_cli.designs.zoo import NETWORKS
from resnet_cli.errors import UserError
from resnet_cli.trace import state_dict

warnings.filterwarnings("ignore", module="torch")
LAYOUTS = ({}, {"_use_new_zipfile_serialization": False})
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


# ---- what is read -------------------------------------------------------------------------------


def expected(loaded):
    """What torch.load gave, as `read` gives it: tensors by shape and type, dicts and lists plain."""
    if isinstance(loaded, torch.Tensor):
        return TensorInfo(tuple(loaded.shape), str(loaded.dtype).removeprefix("torch."))
    if isinstance(loaded, dict):
        return {key: expected(value) for key, value in loaded.items()}
    if isinstance(loaded, list):
        return list(map(expected, loaded))
    if isinstance(loaded, tuple):  # also torch.Size
        return tuple(map(expected, loaded))
    return loaded


def assert_as_torch_reads(path):
    """The same content in the same order, at every level."""
    wanted = expected(torch.load(path, weights_only=True))
    assert read(str(path)).content == wanted
    assert repr(read(str(path)).content) == repr(wanted)  # also the order, and True against 1


def named_shapes(spec):
    return state_dict(rows_of(spec))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_network_of_the_zoo_as_torch_saves_it(tmp_path, layout):
    """Names, shapes and their order come back from a file of the meta device's tensors."""
    path = tmp_path / "weights.pth"
    for spec in NETWORKS:
        shapes = named_shapes(spec)
        torch.save({k: torch.empty(s, device="meta") for k, s in shapes.items()}, path, **layout)
        found = read(str(path)).content
        assert [(name, tensor.shape) for name, tensor in found.items()] == list(shapes.items())


def test_every_network_of_the_zoo_as_safetensors(tmp_path):
    """Names, shapes and their order come back from a header, here of files with holes for numbers."""
    path = tmp_path / "weights.safetensors"
    for spec in NETWORKS:
        shapes, header, at = named_shapes(spec), {}, 0
        for name, shape in shapes.items():
            size = 2 * math.prod(shape)
            header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at := at + size]}
        text = json.dumps(header).encode()
        with open(path, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.truncate(8 + len(text) + at)
        found = read(str(path))
        assert found.content == {
            name: TensorInfo(shape, "bfloat16") for name, shape in shapes.items()
        }
        assert list(found.content) == list(shapes)
        assert found.bytes == 8 + len(text) + at


BASE = torch.arange(24.0)
SAVED = {
    "state dict": torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict(),
    "parameter": {"weight": torch.nn.Parameter(torch.zeros(2, 3))},
    "buffer": {"running_mean": torch.nn.Buffer(torch.zeros(2))},
    "views of one storage": {"a": BASE[3:9].view(2, 3), "b": BASE.view(4, 6).t(), "c": BASE[::5]},
    "expanded": {"a": torch.zeros(1).expand(4, 5)},
    "empty and scalar": {"a": torch.zeros(0, 3), "b": torch.tensor(3), "c": torch.zeros(0)},
    "channels last": {"a": torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)},
    "conjugate": {"a": torch.zeros(3, dtype=torch.complex64).conj()},
    "twice": {"a": BASE, "b": BASE, "c": [BASE, (BASE,)]},
    "a tensor alone": torch.zeros(3, 3),
    "a list": [torch.zeros(2), {"x": ()}, None, True, -1, 300, 70_000, 10**30, -(10**30), 1.5],
    "numbers as keys": {0: 1, 2.5: 2, None: 3, -(2**40): 4},
    "counter": collections.Counter("abca"),
    "ordered": collections.OrderedDict(b=1, a=collections.OrderedDict(z=torch.zeros(1))),
    "sets": {"s": {1, 2}, "e": set()},
    "size": {"shape": torch.zeros(2, 3).shape},
    "many": {f"layer{n}.weight": torch.zeros(n % 7, 2) for n in range(1500)},
    "more than 127 in a list": list(range(5000)),
    "unicode": {"größe.重み.🙂": torch.zeros(1), "text": "z\u0301\n\t"},
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", SAVED)
def test_what_torch_saves(tmp_path, kind, layout):
    """Both layouts give what torch.load(weights_only=True) gives."""
    path = tmp_path / "weights.pth.tar"  # the name does not matter
    torch.save(SAVED[kind], path, **layout)
    assert_as_torch_reads(path)
    assert read(str(path)).format == ("legacy" if layout else "zip")
    assert read(str(path)).bytes == path.stat().st_size


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol(tmp_path, protocol, layout):
    """torch.load refuses protocols 4 and 5 with weights_only; here they read as protocol 2 does."""
    path = tmp_path / "weights.pth"
    for saved in SAVED.values():
        torch.save(saved, path, **layout)
        usual = read(str(path)).content
        torch.save(saved, path, pickle_protocol=protocol, **layout)
        assert repr(read(str(path)).content) == repr(usual)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", WIDTHS)
def test_every_type(tmp_path, dtype, layout):
    """Each type has the width that torch gives it, and reads back by its name."""
    tensor = torch.empty(3, 2, dtype=getattr(torch, dtype))
    assert tensor.itemsize == WIDTHS[dtype]
    torch.save([tensor, tensor.dtype], tmp_path / "weights.pth", **layout)
    found, kind = read(str(tmp_path / "weights.pth")).content
    assert found == TensorInfo((3, 2), dtype)
    assert kind.name == f"torch.{dtype}"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_training_checkpoint(tmp_path, layout):
    """Optimizer, arguments, numpy's numbers and the like do not stand in the way of the weights."""
    import numpy as np

    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.zeros(1, 3)).sum().backward()
    optimizer.step()
    tagged = torch.nn.Parameter(torch.zeros(5))
    tagged.tag = "has attributes"
    saved = {
        "model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3,
        "args": Namespace(lr=0.1, path=pathlib.PurePosixPath("x")), "best": np.float64(0.5),
        "array": np.zeros((2, 3)), "when": datetime.datetime(2020, 1, 1), "device": torch.device("cpu"),
        "complex": 1j, "bytes": b"abc", "bytearray": bytearray(b"abc"), "slice": slice(1, 2),
        "frozen": frozenset("ab"), "deque": collections.deque([1]), "default": collections.defaultdict(int, a=1),
        "rng": torch.get_rng_state(), "tagged": tagged, "pairs": {(1, 2): 3}, "control": {"\x1b[2J": 1}, "large": {10**30: 1},
        "storage": torch.zeros(3).untyped_storage(),
    }  # fmt: skip
    for protocol in (2, 4, 5):
        torch.save(saved, tmp_path / "last.pth", pickle_protocol=protocol, **layout)
        found = read(str(tmp_path / "last.pth")).content
        assert list(found) == list(saved)
        assert found["model"] == expected(model.state_dict())
        assert found["optimizer"]["state"][0]["exp_avg"] == TensorInfo((2, 3), "float32")
        assert (found["epoch"], found["frozen"]) == (3, {"a", "b"})
        assert found["tagged"] == TensorInfo((5,), "float32")
        assert (found["deque"], found["default"]) == ([1], {"a": 1})
        assert found["args"].name == "argparse.Namespace"
        for key in (
            "pairs",
            "control",
            "large",
        ):  # what is not fit to be a key is there by its type
            assert [type(name) for name in found[key]] == [Opaque]


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8),
    st.lists(st.integers(0, 5), max_size=4).map(lambda shape: torch.empty(shape)),
)  # fmt: skip
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8)
TREES = st.recursive(
    LEAVES,
    lambda part: st.one_of(
        st.lists(part, max_size=4), st.dictionaries(KEYS, part, max_size=4), st.tuples(part, part)
    ),
)


@given(TREES, st.sampled_from(LAYOUTS))
@settings(max_examples=80, deadline=None)
def test_any_content(tmp_path_factory, tree, layout):
    """Whatever is nested in whatever, it reads as torch reads it."""
    path = tmp_path_factory.getbasetemp() / "any.pth"
    torch.save(tree, path, **layout)
    assert_as_torch_reads(path)


def test_a_file_without_checksums(tmp_path):
    """torch.save may be told to leave the checksums out."""
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(SAVED["state dict"], tmp_path / "weights.pth")
    finally:
        torch.serialization.set_crc32_options(before)
    assert_as_torch_reads(tmp_path / "weights.pth")


def test_python_2_files():
    """Texts of one byte a sign, as torch under Python 2 wrote them."""
    from resnet_cli.checkpoints.container.pickles import load

    assert load(b"\x80\x02}U\x01aU\x01bs.").content == {"a": "b"}
    assert load(b"\x80\x02c__builtin__\nset\n]U\x01\xe9a\x85R.").content == {b"\xe9"}


@LINUX
def test_a_file_of_over_4_gb(tmp_path):
    """zip64: sizes and places beyond 32 bits; torch reads the same file."""
    size = (4 << 30) + 4
    persistent = call("torch._utils\n_rebuild_tensor_v2", storage(size // 4) + b"K\x00", size // 4)
    wide = large_archive(persistent, size)
    path = tmp_path / "large.pth"
    with open(path, "wb") as file:
        for place, data in wide:
            file.seek(place)
            file.write(data)
    assert read(str(path)).content == TensorInfo((size // 4,), "float32")
    assert torch.load(path, weights_only=True, mmap=True).shape == (size // 4,)


SAFE = {
    "plain": ({"b": torch.zeros(2, 3), "a": torch.zeros(4)}, None),
    "metadata": ({"a": torch.zeros(4)}, {"format": "pt", "note": "größe"}),
    "empty and scalar": ({"a": torch.zeros(0, 3), "b": torch.tensor(1.0), "c": torch.zeros(0)}, None),
    "no tensors": ({}, None),
    **{kind: ({"a": torch.zeros(3, 2).to(getattr(torch, dtype))}, None) for kind, dtype in TYPES.items()},
}  # fmt: skip


@pytest.mark.parametrize("kind", SAFE)
def test_what_safetensors_saves(tmp_path, kind):
    """Names, shapes and types are those that the safetensors library reads."""
    tensors, metadata = SAFE[kind]
    path = tmp_path / "x.bin"
    save_file(tensors, path, metadata)
    found = read(str(path))
    with safe_open(path, "pt") as file:
        wanted = {name: expected(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    assert (found.format, found.content) == ("safetensors", wanted)


@pytest.mark.parametrize("length", [0x4B50, 0x80, 0x0280, 0x1F8B, 0x0A7B])
def test_a_header_whose_length_looks_like_another_format(tmp_path, length):
    """A length that begins as "PK", a pickle or a text does is still a length."""
    header = b'{"__metadata__":{"a":"%s"}}'
    path = tmp_path / "x"
    path.write_bytes(safe(header % (b"x" * (length - len(header) + 2)), 0))
    assert read(str(path)) == Checkpoint("safetensors", {}, length + 8)


def test_a_sharded_file(tmp_path):
    """An index gives the tensors of all its shards, in its own order."""
    save_file({"b": torch.zeros(2), "unused": torch.zeros(9)}, tmp_path / "1.safetensors")
    save_file({"a": torch.zeros(3, 1)}, tmp_path / "2.safetensors")
    places = {"a": "2.safetensors", "b": "1.safetensors"}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 20}, "weight_map": places}, indent=2))
    found = read(str(index))
    assert found.content == {"a": TensorInfo((3, 1), "float32"), "b": TensorInfo((2,), "float32")}
    assert list(found.content) == ["a", "b"]
    assert found.format == "safetensors index"
    assert found.bytes == sum(file.stat().st_size for file in tmp_path.iterdir())


# ---- writing files by hand ----------------------------------------------------------------------


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def storage(elements, key="0", kind="torch\nFloatStorage"):
    """A persistent id of torch.save."""
    size = b"\x8a\x08" + struct.pack("<q", elements)
    return b"(%sc%s\n%s%s%stQ" % (text("storage"), kind.encode(), text(key), text("cpu"), size)


def call(name, first, *shape, stride=1):
    """A tensor: storage and offset given, shape and equal strides behind."""
    sizes = b"".join(b"\x8a\x09" + n.to_bytes(9, "little", signed=True) for n in shape)
    strides = (b"\x8a\x09" + stride.to_bytes(9, "little", signed=True)) * len(shape)
    return b"c%s\n(%s(%st(%st\x89ccollections\nOrderedDict\n)RtR" % (name.encode(), first, sizes, strides)  # fmt: skip


def tensor(*shape, held=6, **more):
    return call("torch._utils\n_rebuild_tensor_v2", storage(held) + b"K\x00", *shape, **more)


def zipped(body, storages=(("0", bytes(24)),), name="archive", **options):
    """An archive as torch.save's, around the instructions of a pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        archive.writestr(f"{name}/data.pkl", b"\x80\x02" + body + b".")
        for key, data in storages:
            archive.writestr(f"{name}/data/{key}", data)
        archive.writestr(f"{name}/version", "3\n")
    return buffer.getvalue()


def legacy(body, keys=("0",), numbers=8 + 24):
    """The same as torch.save wrote it before torch 1.6."""
    body = re.sub(rb"(?s)(\x8a\x08.{8})tQ", rb"\1NtQ", body)  # persistent ids have a view, or None
    head = [
        pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    ]
    return b"".join([*head, b"\x80\x02" + body + b".", pickle.dumps(list(keys), 2), bytes(numbers)])


def safe(header, numbers):
    """A safetensors file around a header."""
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(data).to_bytes(8, "little") + data + bytes(numbers)


def entry(begin, end, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def large_archive(body, size):
    """Pieces (place, bytes) of an archive with one storage of `size` bytes, by zip64's rules."""
    import zlib

    pieces, central, at = [], b"", 0
    contents = [
        ("a/data.pkl", b"\x80\x02" + body + b"."),
        ("a/data/0", None),
        ("a/version", b"3\n"),
    ]
    for name, data in contents:
        length = size if data is None else len(data)
        crc = 0 if data is None else zlib.crc32(data)
        extra = struct.pack("<2H3Q", 1, 24, length, length, at)
        local = struct.pack(
            "<4s5H3I2H", b"PK\3\4", 45, 0, 0, 0, 0, crc, 2**32 - 1, 2**32 - 1, len(name), 20
        )
        pieces.append(
            (
                at,
                local + name.encode() + struct.pack("<2H2Q", 1, 16, length, length) + (data or b""),
            )
        )
        central += struct.pack("<4s6H3I5H2I", b"PK\1\2", 45, 45, 0, 0, 0, 0, crc, 2**32 - 1, 2**32 - 1,
                               len(name), len(extra), 0, 0, 0, 0, 2**32 - 1) + name.encode() + extra  # fmt: skip
        at += len(local) + len(name) + 20 + length
    end = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 3, 3, len(central), at)
    end += struct.pack("<4sIQI", b"PK\6\7", 0, at + len(central), 1)
    end += struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 3, 3, 2**32 - 1, 2**32 - 1, 0)
    return [*pieces, (at, central + end)]


def test_the_helpers_write_what_torch_reads(tmp_path):
    """Hand-written files differ from torch's only where a test wants them to."""
    for written in (
        zipped(tensor(2, 3)),
        legacy(tensor(2, 3), numbers=0) + struct.pack("<q", 6) + bytes(24),
    ):
        (tmp_path / "x").write_bytes(written)
        assert_as_torch_reads(tmp_path / "x")
        assert read(str(tmp_path / "x")).content == TensorInfo((2, 3), "float32")


# ---- what is refused ----------------------------------------------------------------------------

JUDGE = """
import json, resource, sys
from resnet_cli.checkpoints.container import archives, safetensors
from resnet_cli.checkpoints.container.read import read
from resnet_cli.errors import UserError
import binascii

def status(key):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith(key))

resource.setrlimit(resource.RLIMIT_AS, (status("VmSize") + int(sys.argv[1]),) * 2)
start, before, verdicts, events = status("VmRSS"), set(sys.modules), [], []
def note(event, arguments):
    if event not in ("open", "builtins.id"):
        events.append([event, str(arguments[:1])[:80]])

sys.addaudithook(note)
for path in json.load(sys.stdin):
    events.clear()
    try:
        found = read(path)
        verdict = {"read": True}
    except UserError as problem:
        verdict = {"read": False, "what": problem.what, "hint": problem.hint, "code": problem.code}
    except BaseException as problem:
        verdict = {"read": False, "crash": repr(problem)[:200]}
    found = None
    verdicts.append({**verdict, "events": events[:]})
new = sorted(set(sys.modules) - before)
json.dump({"verdicts": verdicts, "new": new, "used": status("VmHWM") - start}, sys.stdout)
"""
MOST = 512 << 20  # bytes of address space beyond what Python starts with


def judged(paths, most=MOST):
    """What a fresh process with bounded memory says of files, and every audited event meanwhile."""
    done = subprocess.run(
        [sys.executable, "-c", JUDGE, str(most)], input=json.dumps([str(path) for path in paths]),
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def arguments(*parts):
    return b"(" + b"".join(map(text, parts)) + b"t"


CANARY = "canary-was-here"
TOUCH = f"open({CANARY!r}, 'w').close()"
SHELL = f"touch {CANARY}"
RUNS = {  # Python's own unpickler runs these, as is shown below
    "os.system": b"cos\nsystem\n" + arguments(SHELL) + b"R",
    "posix.system": b"cposix\nsystem\n" + arguments(SHELL) + b"R",
    "STACK_GLOBAL": b"\x8c\x02os\x8c\x06system\x93" + arguments(SHELL) + b"R",
    "INST": b"(" + text(SHELL) + b"ios\nsystem\n",
    "OBJ": b"(cos\nsystem\n" + text(SHELL) + b"o",
    "eval": b"cbuiltins\neval\n" + arguments(TOUCH) + b"R",
    "exec of Python 2's name": b"c__builtin__\nexec\n" + arguments(TOUCH) + b"R",
    "as a key": b"}cos\nsystem\n" + arguments(SHELL) + b"RK\1s",
    "thrown away": b"cos\nsystem\n" + arguments(SHELL) + b"R0}",
    "in a tuple in a list": b"](cos\nsystem\n" + arguments(SHELL) + b"Rta",
    "functools.partial": b"cfunctools\npartial\n(cos\nsystem\n" + text(SHELL) + b"tR)R",
    "attributes": b"\x80\x04\x8c\x02os\x8c\x0fsystem.__call__\x93" + arguments(SHELL) + b"R",
    "runpy": b"crunpy\n_run_code\n(" + text(TOUCH) + b"}tR",
    "timeit": b"ctimeit\ntimeit\n(" + text("pass") + text(TOUCH) + b"tR",
}  # fmt: skip
NEVER_RUN = {
    "in a persistent id": b"(" + text("storage") + RUNS["os.system"] + text("0") + text("cpu") + b"K\1tQ",
    "rebuild function": b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nctorch\nTensor\n" + arguments(SHELL) + b"}tR",
    "NEWOBJ": b"csubprocess\nPopen\n" + arguments(SHELL) + b"\x81",
    "NEWOBJ_EX": b"ccollections\nOrderedDict\n)}\x92",
    "__setstate__": b"c__main__\nEvil\n)\x81}b",
    "copyreg": b"ccopyreg\n__newobj__\n(csubprocess\nPopen\n" + text(SHELL) + b"tR",
    "operator.methodcaller": b"coperator\nmethodcaller\n" + arguments("system", SHELL) + b"R",
    "globals of a known name": b"\x80\x04\x8c\x0bcollections\x8c\x20OrderedDict.__init__.__globals__\x93",
    "a name of two lines": b"\x80\x04\x8c\x0bcollections\x8c\x0cOrderedDict\n\x93",
    "extension": b"\x82\x01", "extension 2": b"\x83\x01\0", "extension 4": b"\x84\x01\0\0\0",
    "PERSID": b"P" + SHELL.encode() + b"\n",
    "a pickle in a pickle": b"ctorch.storage\n_load_from_bytes\nC\x04\x80\x02N.\x85R",
    "torch.load": b"ctorch\nload\n" + arguments(CANARY) + b"R",
    "torch.hub": b"ctorch.hub\nload\n" + arguments("a/b", "c") + b"R",
    "a module not yet imported": b"cantigravity\ngeohash\n",
    "storage as function": b"ctorch\nFloatStorage\n" + b"cos\nsystem\n" + b"\x85R",
    "a class of a model": b"c__main__\nResNet\n)\x81}b",
    "a module of torch": b"ctorch.nn.modules.linear\nLinear\n)\x81}b",
    "python 2's string of code": b"S'" + SHELL.encode() + b"'\n",
}  # fmt: skip


class Evil:
    def __reduce__(self):
        return os.system, (SHELL,)


class Net(torch.nn.Module):
    """A module of one's own, to be pickled whole."""


@pytest.mark.skipif(os.name != "posix", reason="a shell with touch")
@pytest.mark.parametrize("kind", RUNS)
def test_the_canary_sings(kind, tmp_path, monkeypatch):
    """Python's own unpickler runs these, so that nothing else shows that ours does not."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(b"\x80\x02" + RUNS[kind] + b".")
    assert (tmp_path / CANARY).exists()


def refused(paths, most=MOST):
    """Each file is refused with a single line, bounded memory and nothing run or imported."""
    report = judged(paths, most)
    assert report["new"] == []
    for path, verdict in zip(paths, report["verdicts"], strict=True):
        assert verdict.get("code") == 1, (path, verdict)
        assert verdict["events"] == [], (path, verdict)
        assert "\n" not in verdict["what"] + verdict["hint"]
        assert verdict["what"].isprintable() and verdict["hint"].isprintable()
        assert len(verdict["what"]) < 400 + len(str(path))
        assert verdict["hint"]
    wholes = [verdict["what"] for verdict in report["verdicts"]]
    assert all(what.startswith(f"{str(path)!r} ") for path, what in zip(paths, wholes, strict=True))
    return [what.removeprefix(repr(str(path))) for path, what in zip(paths, wholes, strict=True)]


def written(folder, contents):
    """A file for each of the given bytes, in order."""
    paths = [folder / str(number) for number, _ in enumerate(contents)]
    for path, data in zip(paths, contents, strict=True):
        path.write_bytes(data)
    return paths


@LINUX
def test_nothing_is_run(tmp_path, monkeypatch):
    """No pickle that wants to run code gets as far as an import, in any layout."""
    monkeypatch.chdir(tmp_path)
    paths = []
    for kind, body in (RUNS | NEVER_RUN).items():
        for layout, data in (
            ("zip", zipped(body)),
            ("legacy", legacy(body)),
            ("state dict", zipped(b"}" + text("fc.weight") + tensor(2, 3) + b"s" + text("x") + body + b"s")),
            ("pickle", b"\x80\x02" + body + b"."),
        ):  # fmt: skip
            paths.append(tmp_path / f"{kind} {layout}.pth")
            paths[-1].write_bytes(data)
    for number, saved in enumerate((Evil(), {"state_dict": {}, "hook": Evil()}, [Net()])):
        for layout in LAYOUTS:
            paths.append(tmp_path / f"saved {number} {len(layout)}.pth")
            torch.save(saved, paths[-1], **layout)
    refused(paths)
    assert not (tmp_path / CANARY).exists()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("module", [Net(), torch.nn.Linear(2, 2)], ids=repr)
def test_a_whole_module_is_named_as_one(tmp_path, module, layout):
    """It says what the file is and what its owner would have to save."""
    torch.save(module, tmp_path / "model.pth", **layout)
    with pytest.raises(UserError) as raised:
        read(str(tmp_path / "model.pth"))
    assert "holds a whole pickled module" in raised.value.what
    assert "state_dict()" in raised.value.hint


def laughs(first, one_more, levels):
    """Each level holds the one before it a hundred times; all of them together in a tuple."""
    parts = (one_more % (b"h%c" % n * 100) + b"q%c" % (n + 1) for n in range(levels))
    return b"(" + first + b"q\0" + b"".join(parts) + b"t"


PICKLES = {  # instructions -> what is said of them
    "bytes that are no instruction": (b"\xff", "byte 0xff as a pickle instruction"),
    "protocol 9": (b"\x80\x09N", "protocol 9"),
    "nothing at all": (b"", "damaged pickle"),
    "two results": (b"NN", "damaged pickle"),
    "an open mark": (b"(N", "damaged pickle"),
    "no mark": (b"Nt", "damaged pickle"),
    "nothing on the stack": (b"R" + b"N" * 9, "damaged pickle"),
    "nothing in the memo": (b"h\x05" + b"N" * 9, "damaged pickle"),
    "a far place in the memo": (b"j\xff\xff\xff\xff" + b"N" * 9, "damaged pickle"),
    "text of 4 GB": (b"X\xff\xff\xff\xffabc", "cut short"),
    "text of 2^63 bytes": (b"\x8d" + b"\xff" * 7 + b"\x7fabc", "cut short"),
    "bytes of 2^64": (b"\x8e" + b"\xff" * 8 + b"abc", "cut short"),
    "text that is not UTF-8": (b"X\1\0\0\0\xff", "not UTF-8"),
    "an integer of 4 GB": (b"\x8b\xff\xff\xff\xff\1", "LONG4"),
    "old opcodes": (b"I01\n", "INT"),
    "a list in itself": (b"]q\0h\0a", "in itself"),
    "a dict in itself": (b"}q\0" + text("a") + b"h\0s", "in itself"),
    "a list nested 100,000 deep": (b"]" * 100_000 + b"a" * 99_999, "too deep"),
    "a tuple nested 300,000 deep": (b")" + b"\x85" * 300_000, "too deep"),
    "laughs in tuples": (laughs(b"N", b"(%st", 30), "unfolds"),
    "laughs in lists": (laughs(b"N", b"](%se", 30), "unfolds"),
    "laughs in dicts": (laughs(b"N", b"}K\1(%sts", 9), "unfolds"),
    "laughs of long texts": (laughs(text("ha" * 500_000), b"(%st", 3), "unfolds"),
    "laughs in pairs": (b")" + b"q\0h\0\x86" * 90, "unfolds"),
    "1,500,000 sets": (b"]" + b"(" + b"\x8f" * 1_600_000 + b"e", "steps"),
    "1,500,000 memo places": (b"N" + b"".join(b"r" + struct.pack("<I", 2**32 - 1 - n) for n in range(1_600_000)), "steps"),
    "1,500,000 marks": (b"(" * 1_600_000, "steps"),
    "lists copied again and again": (b"](" + b"N" * 9000 + b"eq\0" + b"cbuiltins\nset\nh\0\x85R0".replace(b"0", b"\x85") * 200, "copies too much"),
    "dict of odd length": (b"}(NNNu", "damaged pickle"),
    "items for a tuple": (b")Na", "damaged pickle"),
    "items for a name": (b"ccollections\nOrderedDict\nNNs", "damaged pickle"),
    "a call of a list": (b"])R", "damaged pickle"),
    "attributes of a list": (b"]}b", "damaged pickle"),
    "a storage of no type": (b"(" + text("storage") + b"N" + text("0") + text("cpu") + b"K\6tQ", "damaged pickle"),
    "a persistent id of one part": (text("storage") + b"\x85Q", "damaged pickle"),
    "a persistent id that is a text": (text("storage") + b"Q", "damaged pickle"),
    "a storage of -1 elements": (storage(-1), "damaged pickle"),
    "a storage not in the archive": (tensor(2, 3).replace(text("0"), text("7")), "storage"),
    "a storage elsewhere": (tensor(2, 3).replace(text("0"), text("../data.pkl")), "storage"),
    "more elements than stored": (tensor(3, 3, held=9), "storage"),
    "beyond its storage": (tensor(7), "beyond its storage"),
    "strides beyond its storage": (tensor(2, 3, stride=2**40), "beyond its storage"),
    "a negative shape": (tensor(-2, -3), "shape"),
    "a negative stride": (tensor(2, 3, stride=-1), "shape"),
    "a shape beyond 64 bits": (tensor(2**63), "shape"),
    "a product beyond 64 bits": (tensor(*[2**40] * 40, stride=0), "2^63"),
    "an empty shape beyond 64 bits": (tensor(0, 2**70), "shape"),
    "65 dimensions": (tensor(*[1] * 65), "damaged pickle"),
    "a shape of texts": (call("torch._utils\n_rebuild_tensor_v2", storage(6) + b"K\0").replace(b"(t(t", b"(Nt(Nt"), "shape"),
    "no storage": (call("torch._utils\n_rebuild_tensor_v2", b"NK\0", 2), "damaged pickle"),
    "a tensor of no arguments": (b"ctorch._utils\n_rebuild_tensor_v2\n)R", "damaged pickle"),
    "a tensor of the meta device, of no arguments": (b"ctorch._utils\n_rebuild_meta_tensor_no_storage\n)R", "damaged pickle"),
    "a tensor of no type": (b"ctorch._utils\n_rebuild_meta_tensor_no_storage\n(NK\1\x85K\1\x85\x89tR", "damaged pickle"),
    "a parameter of no tensor": (b"ctorch._utils\n_rebuild_parameter\n(N\x89NtR", "damaged pickle"),
    "an unprintable name": (b"}" + text("\x1b[2J") + tensor(2, 3) + b"s", "unprintable"),
    "a name of 2,000 letters": (b"}" + text("a" * 2000) + tensor(2, 3) + b"s", "too long"),
    "an unprintable name in pairs": (b"ccollections\nOrderedDict\n]]" + text("\n") + b"a" + tensor(2, 3) + b"aa\x85R", "unprintable"),
    "pairs of three": (b"ccollections\nOrderedDict\n]](NNNea\x85R", "damaged pickle"),
    "a sparse tensor": (b"ctorch._utils\n_rebuild_sparse_tensor\n", "kind of tensor"),
    "a quantized tensor": (b"ctorch._utils\n_rebuild_qtensor\n", "kind of tensor"),
    "a name that clears the screen": (b"cos\x1b[2J\nsystem\n", "never done"),
    "a name of 1 MB": (b"c" + b"a." * 500_000 + b"\nb\n", "never done"),
    "a name without an end": (b"cos", "cut short"),
}  # fmt: skip


@LINUX
def test_damaged_pickles(tmp_path):
    """Each is refused with words for what is wrong with it; those that promise much cost little."""
    bodies, sayings = zip(*PICKLES.values(), strict=True)
    whats = refused(written(tmp_path, list(map(zipped, bodies))))
    for kind, what, said in zip(PICKLES, whats, sayings, strict=True):
        assert said in what, kind
    refused(written(tmp_path, list(map(legacy, bodies))))


def end_of(**fields):
    """An archive whose end record claims something else."""
    data = zipped(tensor(2, 3))
    values = dict(zip(("sign", "disk", "first", "here", "count", "length", "start", "comment"),
                      struct.unpack("<4s4H2IH", data[-22:]), strict=True)) | fields  # fmt: skip
    return data[:-22] + struct.pack("<4s4H2IH", *values.values())


def twice(name):
    """An archive with one name twice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return zipped(tensor(2, 3), [("0", bytes(24)), (name, bytes(24))])


def overlapping():
    """An archive whose directory names the same place fifty times."""
    data = zipped(tensor(2, 3), [("0", bytes(1000))])
    start, record = data.index(b"PK\1\2"), data[data.rindex(b"PK\1\2") : -22]
    more = b"".join(record.replace(b"version", b"%07d" % number) for number in range(50))
    end = struct.pack("<2H2IH", 53, 53, len(data) - 22 - start + len(more), start, 0)
    return data[:-22] + more + data[-22:-14] + end


def with_files(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"\x80\x02}.")
    return buffer.getvalue()


GOOD_ZIP, GOOD_LEGACY = zipped(tensor(2, 3)), legacy(tensor(2, 3))
GOOD_SAFE = safe({"b": entry(8, 32, [2, 3]), "a": entry(0, 8, [1], "I64")}, 32)
CENTRAL = GOOD_ZIP.index(b"PK\1\2")
HUGE = 2**63 - 1
FILES = {  # bytes -> what is said of them
    "empty": (b"", "is empty"),
    "one byte": (b"\x80", "cut short"),
    "zeros": (bytes(10_000), "no file of weights"),
    "text": (b"hello world, these are no weights", "no file of weights"),
    "web page": (b"<!DOCTYPE html><html></html>", "web page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
    "gzip": (b"\x1f\x8b\x08" + bytes(99), "gzip"),
    "xz": (b"\xfd7zXZ\0" + bytes(99), "xz"),
    "tar": (b"weights.pth" + bytes(246) + b"ustar\x0000" + bytes(300), "tar archive"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5"),
    "numpy": (b"\x93NUMPY\1\0" + bytes(99), "NumPy array"),
    "a zip without an end": (b"PK\3\4" + bytes(99), "without its end"),
    "an empty zip": (with_files(), "no data.pkl"),
    "a zip of texts": (with_files("a.txt", "b.txt"), "no data.pkl"),
    "npz": (with_files("a.npy"), "NumPy arrays"),
    "torchscript": (with_files("a/data.pkl", "a/constants.pkl", "a/code/x.py"), "TorchScript"),
    "torch.export": (with_files("a/archive_format", "a/models/model.json"), "torch.export"),
    "two archives in one": (with_files("a/data.pkl", "b/data.pkl"), "more than one"),
    "deflated": (zipped(tensor(2, 3), compression=zipfile.ZIP_DEFLATED), "compressed"),
    "a bomb in the pickle": (zipped(text("a") * 1_000_000, compression=zipfile.ZIP_DEFLATED), "compressed"),
    "a bomb in a storage": (zipped(tensor(2**24), [("0", bytes(2**26))], compression=zipfile.ZIP_DEFLATED), "compressed"),
    "a pickle of 20 MB": (zipped(text("a" * 20_000_000)), "pickle of over"),
    "one name twice": (twice("0"), "twice"),
    "encrypted": (GOOD_ZIP[:CENTRAL + 8] + b"\1" + GOOD_ZIP[CENTRAL + 9:], "encrypted"),
    "a stored file of 3 GB": (GOOD_ZIP[:CENTRAL + 24] + b"\0\0\0\xc0" + GOOD_ZIP[CENTRAL + 28:], "compressed"),
    "a file beyond the end": (GOOD_ZIP[:CENTRAL + 20] + b"\0\0\0\xc0" * 2 + GOOD_ZIP[CENTRAL + 28:], "directory"),
    "a file that starts beyond the end": (GOOD_ZIP[:CENTRAL + 42] + b"\0\0\0\xc0" + GOOD_ZIP[CENTRAL + 46:], "directory"),
    "a file that starts elsewhere": (GOOD_ZIP[:CENTRAL + 42] + b"\5\0\0\0" + GOOD_ZIP[CENTRAL + 46:], "directory"),
    "a wrong checksum": (GOOD_ZIP[:CENTRAL + 16] + b"\1\2\3\4" + GOOD_ZIP[CENTRAL + 20:], "checksum"),
    "a damaged pickle": (GOOD_ZIP.replace(b"}", b"]").replace(b"OrderedDict", b"OrderedDicu"), "checksum"),
    "overlapping files": (overlapping(), "overlap"),
    "65,535 files": (end_of(count=65_535), "directory"),
    "a directory of 4 GB": (end_of(length=2**32 - 1), "too large"),
    "a directory beyond the end": (end_of(start=2**31), "beyond its end"),
    "a directory elsewhere": (end_of(start=3), "directory"),
    "a legacy file of another magic": (GOOD_LEGACY.replace(b"\xfc\x9c", b"\xfc\x9d"), "did not write"),
    "a plain pickle": (pickle.dumps({"a": [1.5, "b"]}, 4), "did not write"),
    "a large plain pickle": (pickle.dumps([bytes(20_000_000)], 4), "pickle of over"),
    "a legacy file of layout 1002": (GOOD_LEGACY.replace(b"M\xe9\x03", b"M\xea\x03"), "layout"),
    "a legacy file of other storages": (legacy(tensor(2, 3), ["1"]), "other storages"),
    "a view beyond its storage": (GOOD_LEGACY.replace(b"NtQ", b"(" + text("1") + b"K\1K\6ttQ"), "beyond its storage"),
    "a tensor beyond its view": (GOOD_LEGACY.replace(b"NtQ", b"(" + text("1") + b"K\1K\3ttQ"), "beyond its storage"),
    "a view of no kind": (GOOD_LEGACY.replace(b"NtQ", b"K\1tQ"), "damaged pickle"),
    "a legacy file without storages": (legacy(tensor(2, 3), numbers=8), "truncated"),
    "a header of 10 GB": ((10**10).to_bytes(8, "little") + b'{"a":' + bytes(9), "header of 10,000,000,000 bytes"),
    "a header of 2^64 bytes": (b"\xff" * 8 + b'{"a":', "claims a header"),
    "not JSON": (safe(b"{" + b"\0" * 99, 0), "not valid"),
    "not UTF-8": (safe(b'{"\xff":1}', 0), "not valid"),
    "NaN": (safe(b'{"a":NaN}', 0), "not valid"),
    "Infinity": (safe(b'{"a":-Infinity}', 0), "not valid"),
    "JSON and more": (safe(b'{}{}', 0), "not valid"),
    "a number of 20,000 digits": (safe(b'{"a":' + b"9" * 20_000 + b"}", 0), "not valid"),
    "JSON nested 500,000 deep": (safe(b'{"a":' + b"[" * 500_000 + b"]" * 500_000 + b"}", 0), "nested too deeply"),
    "JSON of 3,000,000 lists": (safe(b'{"a":[' + b"[]," * 3_000_000 + b"[]]}", 0), "too many parts"),
    "a dtype nested 900 deep": (safe(b'{"a":{"dtype":' + b"[" * 900 + b"]" * 900 + b',"shape":[],"data_offsets":[0,0]}}', 0), "dtype"),
    "one name twice in JSON": (safe(b'{"a":1,"b":2,"a":1}', 0), "'a' twice"),
    "one key twice in an entry": (safe(b'{"a":{"dtype":"F32","dtype":"F32"}}', 0), "'dtype' twice"),
    "metadata of numbers": (safe({"__metadata__": {"a": 1}}, 0), "__metadata__"),
    "a list of metadata": (safe({"__metadata__": []}, 0), "__metadata__"),
    "an entry of no kind": (safe({"a": []}, 0), "not by dtype"),
    "an entry with more": (safe({"a": entry(0, 4, [1]) | {"more": 1}}, 4), "not by dtype"),
    "an unknown dtype": (safe({"a": entry(0, 4, [1], "F12")}, 4), "'F12'"),
    "a shape of floats": (safe({"a": entry(0, 4, [1.0])}, 4), "shape"),
    "a shape of booleans": (safe({"a": entry(0, 4, [True])}, 4), "shape"),
    "a shape of texts in place of a list": (safe({"a": entry(0, 4, "1")}, 4), "shape"),
    "a negative shape in JSON": (safe({"a": entry(0, 4, [-1, -1])}, 4), "shape"),
    "a shape beyond 64 bits in JSON": (safe({"a": entry(0, 4, [2**64])}, 4), "shape"),
    "a product beyond 64 bits in JSON": (safe({"a": entry(0, 4, [2**40] * 40)}, 4), "shape"),
    "65 dimensions in JSON": (safe({"a": entry(0, 4, [1] * 65)}, 4), "shape"),
    "three offsets": (safe({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}, 4), "data_offsets"),
    "negative offsets": (safe({"a": entry(-4, 0, [1])}, 4), "data_offsets"),
    "offsets backwards": (safe({"a": entry(4, 0, [1])}, 4), "data_offsets"),
    "offsets beyond 64 bits": (safe({"a": entry(2**64, 2**64 + 4, [1])}, 4), "data_offsets"),
    "too few bytes": (safe({"a": entry(0, 4, [2])}, 4), "4 bytes, where"),
    "overlapping tensors": (safe({"a": entry(0, 8, [2]), "b": entry(4, 12, [2])}, 12), "overlaps"),
    "one place twice": (safe({"a": entry(0, 4, [1]), "b": entry(0, 4, [1])}, 4), "overlaps"),
    "a hole": (safe({"a": entry(0, 4, [1]), "b": entry(8, 12, [1])}, 12), "hole"),
    "a hole at the start": (safe({"a": entry(4, 8, [1])}, 8), "hole"),
    "bytes behind the last tensor": (safe({"a": entry(0, 4, [1])}, 9), "9 bytes of numbers"),
    "tensors beyond the end": (safe({"a": entry(0, 4 * 2**40, [2**40])}, 9), "9 bytes of numbers"),
    "an unprintable name in JSON": (safe({"\x1b[2J": entry(0, 4, [1])}, 4), "unprintable"),
    "half a sign": (safe(b'{"\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), "unprintable"),
    "a name of 2,000 letters in JSON": (safe({"a" * 2000: entry(0, 4, [1])}, 4), "too long"),
    "an index of nothing": (b'{\n  "metadata": {}\n}', "without the weight_map"),
    "an index of numbers": (b'{"weight_map": {"a": 1}}', "without the weight_map"),
    "a list of indices": (b'{"weight_map": []}', "without the weight_map"),
    "any JSON": (b'{"a": "b"}          ', "without the weight_map"),
    "an index upwards": (b'{"weight_map": {"a": "../x.safetensors"}}', "outside its own folder"),
    "an absolute index": (b'{"weight_map": {"a": "/etc/passwd"}}', "outside its own folder"),
    "an index of another drive": (b'{"weight_map": {"a": "C:x.safetensors"}}', "outside its own folder"),
    "an index of Windows's folders": (b'{"weight_map": {"a": "..\\\\x.safetensors"}}', "outside its own folder"),
    "an index of the folder": (b'{"weight_map": {"a": ".."}}', "no file name"),
    "an index of a null": (b'{"weight_map": {"a": "x\\u0000.safetensors"}}', "no file name"),
    "an index of nowhere": (b'{"weight_map": {"a": "missing.safetensors"}}', "No such file"),
    "an index of pickles": (b'{"weight_map": {"a": "pytorch_model.bin"}}', "no .safetensors"),
    "an index of what is not there": (b'{"weight_map": {"c": "good.safetensors"}}', "does not hold it"),
    "an index of a damaged shard": (b'{"weight_map": {"c": "hole.safetensors"}}', "leaves a hole"),
    "an index of a directory": (b'{"weight_map": {"c": "folder.safetensors"}}', "is a directory"),
    "an index of a pipe": (b'{"weight_map": {"c": "pipe.safetensors"}}', "not a regular file"),
}  # fmt: skip


@LINUX
def test_damaged_files(tmp_path):
    """Each is refused with words for what is wrong with it, in bounded memory."""
    (tmp_path / "good.safetensors").write_bytes(GOOD_SAFE)
    (tmp_path / "hole.safetensors").write_bytes(FILES["a hole"][0])
    (tmp_path / "folder.safetensors").mkdir()
    os.mkfifo(tmp_path / "pipe.safetensors")
    contents, sayings = zip(*FILES.values(), strict=True)
    whats = refused(written(tmp_path, contents))
    for kind, what, said in zip(FILES, whats, sayings, strict=True):
        assert said in what, kind


@LINUX
def test_what_is_no_file(tmp_path):
    """A directory, a pipe, a device, a loop of links and a missing file are refused at once."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to("/dev/zero")
    whats = {
        tmp_path: "is a directory", tmp_path / "pipe": "not a regular file",
        tmp_path / "loop": "symbolic links", tmp_path / "gone": "No such file", tmp_path / "link": "not a regular",
        "/dev/zero": "not a regular file", tmp_path / "x\0y": "cannot be read", "": "No such file",
        tmp_path / ("a" * 1000): "too long", "/proc/self/mem": "cannot be read",
    }  # fmt: skip
    for what, said in zip(refused(list(whats)), whats.values(), strict=True):
        assert said in what


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_that_may_not_be_read(tmp_path):
    """No permission is a message like any other."""
    (tmp_path / "x").touch(0o000)
    with pytest.raises(UserError, match="Permission denied"):
        read(str(tmp_path / "x"))


def test_a_name_that_clears_the_screen(tmp_path):
    """A file's name is shown without control characters."""
    with pytest.raises(UserError) as raised:
        read(str(tmp_path / "\x1b[2J\n"))
    assert raised.value.what.isprintable()


@LINUX
def test_large_files_that_promise_much(tmp_path):
    """Sparse files of 20 GB, and thousands of links to one shard, take little memory."""
    paths = [tmp_path / str(number) for number in range(4)]
    for path, head in zip(paths, [
        (10**10).to_bytes(8, "little") + b'{"a":', b"PK\3\4", GOOD_LEGACY[:30], b'{"weight_map"' + b" " * 600,
    ], strict=True):  # fmt: skip
        path.write_bytes(head)
        os.truncate(path, 20 << 30)
    names = {f"{n:0900}": entry(0, 0, [0]) for n in range(16_000)}
    (tmp_path / "shard.safetensors").write_bytes(safe(names, 0))
    links = {}
    for number in range(2000):
        (tmp_path / f"{number}.safetensors").symlink_to(tmp_path / "shard.safetensors")
        links[f"{number:0900}"] = f"{number}.safetensors"
    paths.append(tmp_path / "index")
    paths[-1].write_text(json.dumps({"weight_map": links}))
    header, end, _, index, shards = refused(paths)
    assert "has a header of 10,000,000,000 bytes" in header
    assert "zip archive without its end" in end
    assert "too large for an index" in index
    assert "over the limit" in shards


@LINUX
def test_the_largest_that_is_read(tmp_path):
    """What just keeps within every limit keeps within the memory, too."""
    notes = {f"{number:08}": f"é{number:07}" for number in range(660_000)}
    header = json.dumps({"__metadata__": notes}, ensure_ascii=False, separators=(",", ":"))
    contents = [
        zipped(b"](" + b"\x8f" * 1_499_000 + b"e"),
        zipped(b"](" + b"}NNs" * 370_000 + b"e"),
        zipped(text("é" * 8_000_000 + "🙂")),
        safe(header.encode(), 0),
    ]
    assert len(header.encode()) > 15_000_000
    report = judged(written(tmp_path, contents))
    assert report["verdicts"] == [{"read": True, "events": []}] * 4


FULL = {f"layer{n}.{part}": torch.zeros(n, 3) for n in range(3) for part in ("weight", "bias")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small file of each kind, as bytes."""
    folder = tmp_path_factory.mktemp("whole")
    torch.save(FULL, folder / "zip")
    torch.save(FULL, folder / "legacy", **LAYOUTS[1])
    save_file(FULL, folder / "safetensors")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def outcome(path):
    """Content or error, one of the two; never anything else, never much memory."""
    tracemalloc.start()
    before = set(sys.modules)
    try:
        found = read(str(path))
    except UserError as problem:
        assert problem.code == 1
        assert problem.what.isprintable() and problem.hint.isprintable()
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert gc.isenabled()
        assert peak < 2_000_000 + 300 * path.stat().st_size
        assert {name for name in sys.modules if name.split(".")[0] != "resnet_cli"} <= before
    assert isinstance(found, Checkpoint)
    return found


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_every_truncation_is_refused(whole, kind, tmp_path):
    """Whatever is missing from the end is missed."""
    data, path = whole[kind], tmp_path / "x"
    outcome(written(tmp_path, [data])[0])
    assert read(str(tmp_path / "0")).content == expected(FULL)
    path.write_bytes(data)
    for length in range(len(data) - 1, -1, -1 if len(data) < 3000 else -5):
        os.truncate(path, length)
        with pytest.raises(UserError):
            read(str(path))


# ---- any bytes at all ---------------------------------------------------------------------------

SPOTS = st.integers(0, 2**32)
PIECES = st.one_of(
    st.binary(min_size=1, max_size=12),
    st.sampled_from([b"\xff" * 4, b"\x7f" + b"\xff" * 7, b"\0" * 8, b"-1", b"]", b"}", b"[", b'"', b"PK\1\2"]),
)  # fmt: skip
EDITS = st.lists(
    st.tuples(st.sampled_from(["flip", "insert", "delete", "splice", "overwrite"]), SPOTS, SPOTS, PIECES),
    min_size=1, max_size=6,
)  # fmt: skip


def edited(data, edits):
    """The bytes after some damage, each edit at a place of its own."""
    for kind, spot, other, piece in edits:
        at, to = spot % (len(data) + 1), other % (len(data) + 1)
        at, to = min(at, to), max(at, to)
        if kind == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ (1 << other % 8)]) + data[at + 1 :]
        elif kind == "insert":
            data = data[:at] + piece + data[at:]
        elif kind == "delete":
            data = data[:at] + data[at + other % 40 :]
        elif kind == "splice":
            data = data[:at] + data[to : to + 200] + data[at:]
        elif kind == "overwrite":
            data = data[:at] + piece + data[at + len(piece) :]
    return data


@pytest.fixture(scope="module")
def canary():
    """A module that a pickle could name: whoever takes something from it is written down."""
    taken = []

    class Canary(type(sys)):
        def __getattr__(self, name):
            if not name.startswith("__"):
                taken.append(name)
            raise AttributeError(name)

    sys.modules["canary"] = Canary("canary")
    yield taken
    del sys.modules["canary"]


NAMES = [
    b"canary\nsing", b"antigravity\ngeohash", b"os\nsystem", b"builtins\neval", b"collections\nOrderedDict",
    b"collections\nCounter", b"collections\ndefaultdict", b"builtins\nset", b"torch\nFloatStorage", b"torch\nSize",
    b"torch\nTensor", b"torch\nfloat32", b"argparse\nNamespace", b"torch._utils\n_rebuild_tensor_v2",
    b"torch._utils\n_rebuild_tensor_v3", b"torch._utils\n_rebuild_parameter", b"torch._tensor\n_rebuild_from_type_v2",
    b"torch._utils\n_rebuild_meta_tensor_no_storage",
]  # fmt: skip
KNOWN = NAMES[4:]
CHUNKS = st.one_of(
    st.sampled_from([b"N", b"(", b")", b"]", b"}", b"t", b"\x85", b"\x86", b"\x87", b"R", b"b", b"s", b"u", b"a", b"e",
                     b"Q", b"\x81", b"\x8f", b"\x90", b"\x91", b"\x94", b"\x88", b"K\1", b"K\6", b"q\0", b"q\1", b"h\0",
                     b"h\1", text("storage"), text("0"), text("x"), storage(6), tensor(2, 3), b"((K\2K\3tt", b"0", b"o"]),
    st.sampled_from(KNOWN).map(lambda name: b"c" + name + b"\n"),
    st.sampled_from(KNOWN).map(lambda name: b"".join(b"\x8c" + bytes([len(n)]) + n for n in name.split(b"\n")) + b"\x93"),
    st.sampled_from(NAMES).map(lambda name: b"c" + name + b"\n"),
    st.binary(min_size=1, max_size=10),
)  # fmt: skip


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_any_damage(tmp_path_factory, whole, canary, data):
    """Valid files of each kind with bits flipped, bytes put in, taken out and moved."""
    path = tmp_path_factory.getbasetemp() / "damaged"
    good = whole[data.draw(st.sampled_from(sorted(whole)))]
    path.write_bytes(edited(good, data.draw(EDITS)))
    outcome(path)
    assert canary == []


@given(EDITS, st.sampled_from([zipped, legacy]))
@settings(max_examples=300, deadline=None)
def test_any_damaged_pickle(tmp_path_factory, whole, canary, edits, layout):
    """Damage in the pickle alone, in an archive that is otherwise sound."""
    good = pickle.dumps({"a": [1, 2.5, {"b": (None, True)}]}, 2)[2:-1]
    body = b"(" + good + b"}(" + text("w") + tensor(2, 3) + text("v") + tensor(6) + b"ut"
    path = tmp_path_factory.getbasetemp() / "pickle"
    path.write_bytes(layout(edited(body, edits)))
    outcome(path)
    assert canary == []


@given(EDITS)
@settings(max_examples=300, deadline=None)
def test_any_damaged_header(tmp_path_factory, edits):
    """Damage in a safetensors header alone, whose length is right."""
    header = json.dumps({"b": entry(8, 32, [2, 3]), "a": entry(0, 8, [1], "I64")}).encode()
    path = tmp_path_factory.getbasetemp() / "header"
    path.write_bytes(safe(edited(header, edits), 32))
    outcome(path)


@given(st.lists(CHUNKS, max_size=40).map(b"".join), st.sampled_from([zipped, legacy]))
@settings(max_examples=600, deadline=None)
@example(b"ccanary\nsing\n)R", zipped)
def test_any_instructions(tmp_path_factory, canary, body, layout):
    """Streams of instructions in any order, with names that would do harm among them."""
    path = tmp_path_factory.getbasetemp() / "stream"
    path.write_bytes(layout(body))
    outcome(path)
    assert canary == []


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"PK\3\4", b"\x80\x02", b"{", bytes(8) + b"{", GOOD_LEGACY[:40]]),
)
@settings(max_examples=200, deadline=None)
def test_any_bytes(tmp_path_factory, data, start):
    """Bytes at random behind the first bytes of each format."""
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(start + data)
    assert outcome(path) is None or start


# ---- what it costs ------------------------------------------------------------------------------


@LINUX
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_file_of_230_mb_costs_little(tmp_path, kind):
    """ResNet-152: its names and shapes without its numbers, torch, numpy or 10 MB of memory."""
    spec = next(spec for spec in NETWORKS if spec.name == "resnet152")
    weights = {name: torch.zeros(shape) for name, shape in named_shapes(spec).items()}
    path = tmp_path / "resnet152"
    if kind == "safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path, **LAYOUTS[kind == "legacy"])
    assert path.stat().st_size > 230 << 20
    report = judged([path], most=20 << 20)
    assert report["verdicts"] == [{"read": True, "events": []}]
    assert report["used"] < 10 << 20
    assert report["new"] == []
