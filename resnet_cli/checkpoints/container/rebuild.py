"""What calling a name in a pickle of weights gives: torch's rebuild functions, on plain values alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from resnet_cli.checkpoints.container.contents import (
    MOST_DIMENSIONS,
    MOST_ELEMENTS,
    WIDTHS,
    Opaque,
    TensorInfo,
)
from resnet_cli.checkpoints.container.faults import bad, excerpt, is_name
from resnet_cli.errors import UserError

Arguments = tuple[object, ...]

STORAGES = {
    "torch.DoubleStorage": "float64", "torch.FloatStorage": "float32", "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16", "torch.LongStorage": "int64", "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16", "torch.CharStorage": "int8", "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool", "torch.ComplexDoubleStorage": "complex128",
    "torch.ComplexFloatStorage": "complex64", "torch.storage.UntypedStorage": "uint8",
}  # fmt: skip
KEYS = frozenset((bytes, float, bool, type(None), Opaque))  # beside short texts and integers


class Storage(Opaque):
    """A storage that tensors are views of: its dtype, and its extent in bytes."""

    __slots__ = ("bytes", "dtype")

    def __init__(self, name: str, dtype: str, bytes: int) -> None:
        super().__init__(name)
        self.dtype, self.bytes = dtype, bytes


def called(what: object, arguments: object) -> object:
    """What calling a named thing on these arguments gives."""
    if type(what) is not Opaque or type(arguments) is not tuple:
        raise broken()
    call = CALLS.get(what.name)
    return call(arguments) if call else what


def broken() -> UserError:
    return bad("holds a damaged pickle")


def key_of(value: object) -> object:
    """A dict's key or a set's member, if need be by the name of its type alone.

    So its hash is never slow to take nor made to collide, and a text among them is fit to print.
    """
    if type(value) is str:
        fits = is_name(value)
    elif type(value) is int:
        fits = -(2**63) <= value < 2**63
    else:
        fits = type(value) in KEYS
    return value if fits else Opaque(type(value).__name__)


def put(target: dict[object, object], key: object, value: object) -> None:
    """`target[key] = value`; raises `UserError` for a tensor whose name is not fit to print."""
    fit = key_of(key)
    if fit is not key and type(key) is str and type(value) is TensorInfo:
        raise bad(f"names a tensor {excerpt(key)}: too long or unprintable")
    target[fit] = value


def stored(ident: object) -> tuple[Storage, str, int]:
    """A persistent id of torch.save -> the storage, its key, and the bytes of the storage it views.

    ("storage", type, key, place, elements), in legacy files with None or (key, offset, elements) of a
    view of it behind.
    """
    if type(ident) is not tuple or len(ident) not in (5, 6) or ident[0] != "storage":
        raise broken()
    _, kind, key, _, elements, *views = ident
    dtype = STORAGES.get(kind.name) if type(kind) is Opaque else None
    if dtype is None or type(key) is not str or not _natural(elements):
        raise broken()
    width = WIDTHS[dtype]
    seen = elements
    for view in views:
        if view is None:
            continue
        if type(view) is not tuple or len(view) != 3 or not all(map(_natural, view[1:])):
            raise broken()
        if view[1] + view[2] > elements:
            raise bad("describes a view beyond its storage")
        seen = view[2]
    return Storage(kind.name, dtype, seen * width), key, elements * width


def _natural(number: object) -> TypeGuard[int]:
    return type(number) is int and 0 <= number <= MOST_ELEMENTS


def _tensor(arguments: Arguments) -> TensorInfo:
    """_rebuild_tensor(storage, offset, size, stride), and its second version with more behind."""
    if len(arguments) < 4 or type(arguments[0]) is not Storage:
        raise broken()
    return _view(arguments, arguments[0].dtype)


def _tensor_v3(arguments: Arguments) -> TensorInfo:
    """_rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype, ...)."""
    if len(arguments) < 7:
        raise broken()
    return _view(arguments, _dtype(arguments[6]))


def _meta(arguments: Arguments) -> TensorInfo:
    """_rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad): of the meta device."""
    if len(arguments) < 3:
        raise broken()
    dtype, size, stride = arguments[:3]
    return _view((Storage("meta", "", MOST_ELEMENTS), 0, size, stride), _dtype(dtype))


def _dtype(named: object) -> str:
    dtype = named.name.removeprefix("torch.") if type(named) is Opaque else ""
    if dtype not in WIDTHS:
        raise broken()
    return dtype


def _view(arguments: Arguments, dtype: str) -> TensorInfo:
    storage, offset, size, stride = arguments[:4]
    if type(storage) is not Storage or type(size) is not tuple or type(stride) is not tuple:
        raise broken()
    if len(size) != len(stride) or len(size) > MOST_DIMENSIONS or not _natural(offset):
        raise broken()
    elements, last = 1, offset
    for extent, step in zip(size, stride, strict=True):
        if not (_natural(extent) and _natural(step)):
            raise bad("gives a tensor a shape that is not of whole numbers from 0 to 2^63-1")
        elements *= extent
        last += (extent - 1) * step
    if elements > MOST_ELEMENTS:
        raise bad("gives a tensor over 2^63 elements")
    if elements and (last + 1) * WIDTHS[dtype] > storage.bytes:
        raise bad("describes a tensor beyond its storage")
    return TensorInfo(size, dtype)


def _parameter(arguments: Arguments) -> TensorInfo:
    """Parameter(tensor, ...), and both functions that rebuild one."""
    if not arguments or type(arguments[0]) is not TensorInfo:
        raise broken()
    return arguments[0]


def _from_type(arguments: Arguments) -> object:
    """_rebuild_from_type_v2(function, type, arguments, state): a tensor with attributes of its own."""
    if len(arguments) != 4 or type(arguments[0]) is not Opaque or type(arguments[2]) is not tuple:
        raise broken()
    rebuild = REBUILDS.get(arguments[0].name)
    if rebuild is None:
        raise broken()
    return rebuild(arguments[2])


def _mapping(arguments: Arguments) -> object:
    """OrderedDict() or OrderedDict([[key, value], ...]), Counter(dict)."""
    if not arguments:
        return {}
    pairs = arguments[0]
    if type(pairs) is dict:
        return pairs
    if type(pairs) is not list:
        raise broken()
    mapping: dict[object, object] = {}
    for pair in pairs:
        if type(pair) not in (list, tuple) or len(pair) != 2:
            raise broken()
        put(mapping, *pair)
    return mapping


def _defaults(arguments: Arguments) -> object:
    """defaultdict(factory): the factory is never called."""
    if len(arguments) > 1 or not all(a is None or isinstance(a, Opaque) for a in arguments):
        raise broken()
    return {}


def _set(arguments: Arguments) -> set[object]:
    """set(list), frozenset(list)."""
    if len(arguments) != 1 or type(arguments[0]) is not list:
        raise broken()
    return set(map(key_of, arguments[0]))


def _frozenset(arguments: Arguments) -> frozenset[object]:
    return frozenset(_set(arguments))


def _size(arguments: Arguments) -> object:
    if len(arguments) != 1 or type(arguments[0]) is not tuple:
        raise broken()
    return arguments[0]


def _deque(arguments: Arguments) -> object:
    return []  # its items follow as APPENDS


REBUILDS: dict[str, Callable[[Arguments], object]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_meta_tensor_no_storage": _meta,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
}
CALLS = REBUILDS | {
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch.nn.parameter.Parameter": _parameter,  # as torch before 0.4 wrote them
    "torch.Size": _size,
    "collections.OrderedDict": _mapping,
    "collections.Counter": _mapping,
    "collections.defaultdict": _defaults,
    "collections.deque": _deque,
    "builtins.set": _set,
    "builtins.frozenset": _frozenset,
}
