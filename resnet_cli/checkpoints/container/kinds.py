"""What a file is, told from how it begins; for what is not read, the command that makes a file that is."""

from __future__ import annotations

from codecs import getincrementaldecoder

from resnet_cli.checkpoints.container.faults import bad
from resnet_cli.errors import UserError

READ = ".safetensors, .safetensors.index.json, and .pth, .pt or .bin as torch.save writes them"
RUN = "type python -c "
STORE = "from safetensors.numpy import save_file; "
KERAS = (
    f'{RUN}"import sys, keras; {STORE}net = keras.saving.load_model(sys.argv[1]); '
    'save_file({w.path: w.numpy() for w in net.weights}, sys.argv[2])" FILE weights.safetensors, for its tensors'
)
ONNX = (
    f'{RUN}"import sys, onnx; from onnx.numpy_helper import to_array; {STORE}save_file({{t.name: '
    'to_array(t).copy() for t in onnx.load(sys.argv[1]).graph.initializer}, sys.argv[2])" '
    "FILE weights.safetensors, for its tensors"
)
GGUF = (
    f'{RUN}"import sys, gguf; {STORE}save_file({{t.name: t.data.copy() for t in '
    'gguf.GGUFReader(sys.argv[1]).tensors}, sys.argv[2])" FILE weights.safetensors, for its tensors'
)
OPENVINO = (
    f'{RUN}"import sys, openvino; {STORE}save_file({{c.get_friendly_name(): c.data.copy() for c in '
    "openvino.Core().read_model(sys.argv[1]).get_ops() if c.get_type_name() == 'Constant'}, "
    'sys.argv[2])" FILE weights.safetensors, for its tensors'
)
SCRIPT = (
    f'{RUN}"import sys, torch; torch.save(torch.jit.load(sys.argv[1], '
    "map_location='cpu').state_dict(), sys.argv[2])\" FILE weights.pth"
)
EXPORT = (
    f'{RUN}"import sys, torch; torch.save(torch.export.load(sys.argv[1]).state_dict, '
    'sys.argv[2])" FILE weights.pth'
)
TFLITE = "type python -m tf2onnx.convert --tflite FILE --output net.onnx, and ask about net.onnx"
OTHERS = (  # offset, the bytes there, what such a file is, what to do
    (0, b"version https://git-lfs", "is a Git LFS pointer: the weights were not downloaded", "type git lfs pull"),
    (0, b"\x89HDF\r\n\x1a\n", "is an HDF5 file, as Keras writes them, which is not read", KERAS),
    (0, b"\x93NUMPY", "is a NumPy array", ""),
    (0, b"GGUF", "is a GGUF file, which is not read", GGUF),
    (4, b"TFL3", "is a TensorFlow Lite model, which is not read", TFLITE),
    (0, b"\x1f\x8b", "is compressed with gzip; unpack it first", ""),
    (0, b"BZh", "is compressed with bzip2; unpack it first", ""),
    (0, b"\xfd7zXZ", "is compressed with xz; unpack it first", ""),
    (0, b"\x28\xb5\x2f\xfd", "is compressed with zstandard; unpack it first", ""),
    (257, b"ustar", "is a tar archive; unpack it first", ""),
)  # fmt: skip
ONNX_NEXT = (b"\x12", b"\x1a", b"\x22", b"\x2a", b"\x32", b"\x3a", b"\x42")
"""The bytes that begin the second field of an ONNX file, whose first is its version."""


def kind(start: bytes) -> str:
    """safetensors, safetensors index, zip or legacy (torch.save's), text, or "" for all else."""
    if start[8:9] == b"{" and not _is_text(start[:8]):
        return "safetensors"  # first: a length may look like what is below
    if start.startswith(b"PK"):
        return "zip"
    if start.startswith(b"\x80"):
        return "legacy"
    if start.lstrip().startswith(b"{"):
        return "safetensors index"
    return "text" if start and not _other(start) and _is_text(start) else ""


def unknown(start: bytes) -> UserError:
    """The error for a file that is not read: what it is, and how to make one that is."""
    if not start:
        return bad("is empty", f"known kinds: {READ}")
    what, hint = _other(start) or ("is no file of weights of a known kind", "")
    return bad(what, hint or f"known kinds: {READ}")


def _other(start: bytes) -> tuple[str, str] | None:
    for offset, magic, what, hint in OTHERS:
        if start.startswith(magic, offset):
            return what, hint
    if start.startswith(b"<"):
        if b"<net " in start:
            return "is an OpenVINO model, which is not read", OPENVINO
        return "is a web page or XML, not weights: the download failed", ""
    if start[:1] == b"\x08" and b"\0" < start[1:2] < b"\x20" and start[2:3] in ONNX_NEXT:
        return "is an ONNX model: operations, and not weights alone", ONNX
    return None


def _is_text(start: bytes) -> bool:
    """Whether bytes read as UTF-8 without signs that texts do not have; the end may be cut."""
    try:
        text = getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return not any((sign < " " and sign not in "\t\n\r\f") or sign == "\x7f" for sign in text)
