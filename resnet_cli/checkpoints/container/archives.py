"""What torch.save writes: a zip archive, and the file of pickles that it wrote before torch 1.6."""

from __future__ import annotations

from typing import BinaryIO

from resnet_cli.checkpoints.container import kinds, opcodes, pickles, zips
from resnet_cli.checkpoints.container.faults import bad, excerpt
from resnet_cli.errors import UserError
from resnet_cli.files import part

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
SAVE = "save it again with torch.save(model.state_dict(), 'weights.pth')"
PROGRAMS = ("constants.pkl", "bytecode.pkl", "code/")
EXPORTS = ("archive_format", "serialized_exported_program.json", "models/")


def zipped(file: BinaryIO, size: int) -> object:
    """The content of torch.save's zip layout: <name>/data.pkl, and <name>/data/<key> for each storage.

    Raises `UserError` for any other archive, and where a storage is missing or too short.
    """
    entries = zips.entries(file, size)
    folder = _folder(entries)
    programs = tuple(folder + part for part in PROGRAMS)
    if any(name.startswith(programs) for name in entries):
        raise bad("is a TorchScript archive, not a state dict", kinds.SCRIPT)
    if not all(entry.plain for entry in entries.values()):
        raise bad("is a compressed or encrypted archive, which torch.save does not write", SAVE)
    pickle = entries[folder + "data.pkl"]
    if pickle.size > pickles.MOST_BYTES:
        raise _too_large()
    data = zips.content(file, pickle)
    try:
        loaded = pickles.load(data)
    except opcodes.Ended:
        raise bad("holds a pickle that is cut short") from None
    for key, needed in loaded.storages.items():
        entry = entries.get(f"{folder}data/{key}")
        if entry is None:
            raise bad(f"lacks the storage {excerpt(key)} that its tensors are in")
        if entry.size < needed:
            raise bad(f"holds {entry.size:,} bytes of storage {excerpt(key)}, which has {needed:,}")
    return loaded.content


def _folder(entries: dict[str, zips.Entry]) -> str:
    """The one folder that all lies in, with its slash."""
    data_files = [n for n in entries if n.endswith("/data.pkl") and n.count("/") == 1]
    if len(data_files) == 1:
        return data_files[0].removesuffix("data.pkl")
    if data_files:
        raise bad("is a zip archive with more than one data.pkl", SAVE)
    if any(part in name for name in entries for part in EXPORTS):
        raise bad("is a program of torch.export: operations, and not weights alone", kinds.EXPORT)
    if "model.weights.h5" in entries:
        raise bad("is a Keras model, which is not read", kinds.KERAS)
    if any(name.endswith(".npy") for name in entries):
        raise bad("is an archive of NumPy arrays, not a state dict", SAVE)
    raise bad("is a zip archive that torch.save did not write: it has no data.pkl", SAVE)


def legacy(file: BinaryIO, size: int) -> object:
    """The content of torch.save's layout before zip, which `_use_new_zipfile_serialization=False` gives.

    Five pickles: a magic number, the protocol, the system, the content, the storages' keys; then
    each storage as 8 bytes of length and its numbers. Raises `UserError` for any other pickle, and
    where the file is too short for its storages.
    """
    magic = _next(file, 0)
    if type(magic.content) is not int or magic.content != MAGIC:
        raise bad("is a pickle that torch.save did not write", SAVE)
    protocol = _next(file, magic.end)
    if protocol.content != PROTOCOL:
        raise bad(f"is of a layout that torch.save never wrote: not {PROTOCOL}", SAVE)
    system = _next(file, protocol.end)
    loaded = _next(file, system.end)
    keys = _next(file, loaded.end)
    listed = keys.content if type(keys.content) is list else []
    if not all(type(key) is str for key in listed) or set(listed) != set(loaded.storages):
        raise bad("lists other storages than its tensors are in")
    end = keys.end + sum(8 + loaded.storages[key] for key in listed)
    if end > size:
        raise bad(f"is truncated: it has {size:,} of {end:,} bytes")
    return loaded.content


def _next(file: BinaryIO, start: int) -> pickles.Pickle:
    """The pickle at `start` of the file; how long it is shows only when it is read."""
    most = 1 << 16
    while most < pickles.MOST_BYTES:
        most *= 4
        data = part(file, start, most)
        try:
            loaded = pickles.load(data)
            return loaded._replace(end=start + loaded.end)
        except opcodes.Ended:
            if len(data) < most:
                raise bad("holds a pickle that is cut short") from None
    raise _too_large()


def _too_large() -> UserError:
    return bad(
        f"holds a pickle of over {pickles.MOST_BYTES:,} bytes",
        f"arrays inside a pickle (.pkl, .npy) are not read; {SAVE}",
    )
