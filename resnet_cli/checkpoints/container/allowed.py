"""What a pickle of weights may name: a literal table, so nothing is ever imported.

Harmless records of training scripts are in it as a name alone (`Opaque`).
"""

from __future__ import annotations

from resnet_cli.checkpoints.container.contents import WIDTHS, Opaque
from resnet_cli.checkpoints.container.faults import bad, excerpt
from resnet_cli.checkpoints.container.rebuild import CALLS, STORAGES
from resnet_cli.errors import UserError

RECORDS = (
    "torch.Tensor", "torch._tensor.Tensor", "torch.device", "argparse.Namespace", "_codecs.encode",
    *(f"numpy.{name}" for name in ("dtype", "ndarray")),
    *(f"numpy.{core}.{name}" for core in ("core", "_core")
      for name in ("multiarray.scalar", "multiarray._reconstruct", "numeric._frombuffer")),
    *(f"pathlib.{local}{name}" for local in ("", "_local.")
      for name in ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath")),
    *(f"datetime.{name}" for name in ("datetime", "date", "time", "timedelta", "timezone")),
    *(f"builtins.{name}" for name in ("int", "float", "complex", "bool", "str", "bytes", "bytearray",
                                      "tuple", "list", "dict", "slice", "range",
                                      "long", "unicode", "xrange")),  # Python 2's
)  # fmt: skip
KNOWN = {
    name: Opaque(name)
    for name in (*CALLS, *STORAGES, *RECORDS, *(f"torch.{dtype}" for dtype in WIDTHS))
}


def named(name: str, pickle: bytes) -> Opaque:
    """What a pickle names; raises `UserError` for all that is not in the table."""
    if name.startswith("__builtin__."):  # as protocol 2 and Python 2 say it
        name = "builtins" + name[11:]
    known = KNOWN.get(name)
    if known is None:
        raise _refused(name[:200], pickle)
    return known


def _refused(name: str, pickle: bytes) -> UserError:
    *modules, last = name.split(".")
    if last[:1].isupper() and b"_parameters" in pickle and b"_modules" in pickle:
        return bad(  # those are attributes of every torch.nn.Module
            f"holds a whole pickled module ({excerpt(name)}), not a state dict",
            "reading it would run its code; its owner can write torch.save(model.state_dict(), 'weights.pth')",
        )
    tensor = modules[:1] == ["torch"] and last.endswith(("Tensor", "Storage"))
    if tensor or name.startswith(("torch._utils._rebuild", "torch.storage.")):
        return bad(
            f"holds a kind of tensor that is not read ({excerpt(name)})",
            "only plain tensors are: none that is sparse, quantized, nested or of torch before 0.1.10",
        )
    return bad(
        f"wants to run or import {excerpt(name)}, which is never done",
        "weights need nothing of the kind; do not load this file unless you trust where it comes from",
    )
