"""What a weight file holds, as tables: its network, its tensors, its differences to a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from fnmatch import fnmatchcase
from math import prod
from typing import Any

from resnet_cli.analyses.cost import counts
from resnet_cli.checkpoints.container.contents import Checkpoint
from resnet_cli.checkpoints.identify.differences import Difference
from resnet_cli.checkpoints.identify.infer import number_of_classes
from resnet_cli.checkpoints.identify.known import most_alike
from resnet_cli.checkpoints.identify.recognise import Named, Recognised
from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.iresnet import IResNet
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import folded, printable
from resnet_cli.tables import Column, Stack, Table

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
STEMS = {"7x7": "7×7", "3x3": "3×3", "deep": "three 3×3", "tiered": "three 3×3, tiered"}
SHORTCUTS = {
    "A": "A: zeros where the shape changes",
    "A-split": "A: zeros where the shape changes, on both sides of the channels",
    "B": "B: projection where the shape changes",
    "C": "C: projection everywhere",
    "none": "none",
}
FITS = {
    "exact": "every tensor is the network's",
    "backbone exact": "all but the classifier",
    "nearest": "no network here has all its tensors",
}
NORMS = {
    "whole": "weights and statistics",
    "no statistics": "weights without statistics",
    "folded": "folded into the convolutions",
    "none": "none",
}
FORMATS = {
    "zip": "PyTorch, a zip archive",
    "legacy": "PyTorch, as before 1.6",
    "safetensors": "safetensors",
    "safetensors index": "safetensors in several files",
}
CANDIDATES = (
    Column("network", "network"),
    Column("macs", "MACs", "count"),
    Column("more", "beside it", "+count", 2),
    Column("differs", "differs", drop=1),
)
DESCRIPTION = (Column("property", "property"), Column("value", "value", "mixed"))
TENSORS = (
    Column("name", "name in the file"),
    Column("ours", "name here", drop=2),
    Column("shape", "shape", "shape"),
    Column("dtype", "dtype", drop=1),
    Column("numbers", "numbers", "count"),
)


def facts(checkpoint: Checkpoint, file: Named, recognised: Recognised) -> dict[str, Any]:
    """JSON's fields: the network, whether it is settled, what else it may be, and how the file stores it.

    ``network`` is null where none fits: ``spec`` has the nearest one's fields, and ``like`` names the
    listed network that differs in the fewest of them. ``classes`` is null without a classifier.
    ``params`` are learnable numbers, of the file as far as names tell.
    """
    spec, rows = recognised.spec, recognised.rows
    total = counts.totals(rows)
    return {
        "network": recognised.network if recognised.fits else None,
        "fits": recognised.fits,
        "settled": recognised.settled,
        "by": recognised.by if recognised.settled else None,
        "candidates": [
            {"network": each.network, "macs": each.macs, "differs": each.differs}
            for each in recognised.candidates
            if recognised.fits
        ],
        "like": (zoo.BY_NAME.get(folded(spec.name)) or most_alike(spec)).name,
        "sure": recognised.sure,
        "spec": asdict(spec),
        "classes": number_of_classes(file.shapes),
        "params": {"file": _learnable(file), "network": total["params"]},
        "dtypes": dict(_dtypes(file)),
        "norm": file.norm,
        "scheme": file.naming.scheme,
        "prefix": printable(file.naming.prefix),
        "wrapper": printable(file.wrapper),
        "tensors": {"file": len(file.tensors), "beside": len(file.naming.beside)},
        "differences": [_difference(difference) for difference in recognised.differences],
        "cannot_tell": recognised.cannot_tell,
        "format": checkpoint.format,
        "bytes": checkpoint.bytes,
        "total": total,
    }


def candidates(recognised: Recognised) -> Table | None:
    """What a file's network may be, what each has otherwise than the first; None where it is settled."""
    taken, *others = recognised.candidates
    if not others:
        return None
    rows = [(each.network, each.macs, each.macs - taken.macs, each.differs) for each in others]
    first = (taken.network, taken.macs, None, "taken: the usual one")
    return Table("candidates", "Networks with these tensors", CANDIDATES, [first, *rows])


def description(recognised: Recognised, fields: dict[str, Any]) -> Table:
    """One row for each of the `facts`: the network's first, then how the file stores it."""
    spec = recognised.spec
    dtypes = [
        dtype if len(fields["dtypes"]) == 1 else f"{dtype} ({count:,})"
        for dtype, count in fields["dtypes"].items()
    ]
    beside = fields["tensors"]["beside"]
    rows: list[tuple[str, object]] = [
        ("network" if recognised.fits or recognised.by else "nearest network", recognised.network),
        ("fits", "no" if recognised.by and not recognised.fits else FITS[recognised.sure]),
        ("settled", _settled(recognised)),
        *_architecture(spec),
        ("classes", fields["classes"] or "no classifier in the file"),
        ("input channels", spec.in_channels),
        ("params of the network", fields["params"]["network"]),
        ("params in the file", fields["params"]["file"]),
        ("MACs", fields["total"]["macs"]),
        ("dtype", ", ".join(dtypes)),
        ("batch norm", NORMS[fields["norm"]]),
        ("naming", fields["scheme"]),
        ("prefix", fields["prefix"]),
        ("wrapper", fields["wrapper"]),
        ("tensors", fields["tensors"]["file"]),
        ("beside the network", beside or ""),
        ("format", FORMATS[fields["format"]]),
        ("bytes", fields["bytes"]),
    ]
    return Table("rows", "", DESCRIPTION, [row for row in rows if row[1] != ""])


def _settled(recognised: Recognised) -> str | Stack:
    if not recognised.fits:
        return ""
    if recognised.settled:
        return Stack(("yes", recognised.by))
    return Stack(("no", "strides, pools and activations leave no tensor"))


def _architecture(spec: zoo.Spec) -> list[tuple[str, object]]:
    stages = ", ".join(map(str, spec.stages))
    if isinstance(spec, VGG):
        return [("convolutions", stages), ("width", spec.width)]
    if isinstance(spec, RegNet):
        return [
            ("stages", stages),
            ("widths", ", ".join(map(str, spec.widths))),
            ("group width", spec.group_width),
            ("stem", f"3×3, {spec.stem_width} channels"),
            ("squeeze-excitation", _gates(spec.se_reduction)),
        ]
    if isinstance(spec, ConvNeXt):
        overlap = f"two 3×3, {spec.overlap_width} channels between them"
        return [
            ("stages", stages),
            ("widths", ", ".join(map(str, spec.widths))),
            ("stem", overlap if spec.overlap_width else "4×4"),
            ("depthwise windows", f"{spec.kernel}×{spec.kernel}"),
            ("layer scale", "yes" if spec.layer_scale else "no"),
            ("response norm", "yes" if spec.response_norm else "no"),
            ("1×1 convolutions in blocks", "yes" if spec.conv_mlp else "no"),
            ("last norm", "before the pool" if spec.head_norm_first else "behind the pool"),
            ("layer before the classifier", spec.head_width or "no"),
        ]
    if isinstance(spec, IResNet):
        return [("stages", stages), ("width", spec.width), ("stem", f"3×3, {spec.width} channels")]
    side = SHORTCUTS[spec.shortcut]
    if spec.shortcut in ("B", "C"):
        side += ", average-pooled" if spec.projection_pool else ""
        side += "" if spec.projection_norm else ", without batch norm"
    bottleneck = spec.block == "bottleneck"
    return [
        ("block", spec.block),
        ("stages", stages),
        ("width", spec.width),
        ("base width", spec.base_width if bottleneck else ""),
        ("groups", spec.groups if bottleneck else ""),
        ("stem", f"{STEMS[spec.stem]}, {spec.stem_width} channels"),
        ("shortcut", side),
        ("squeeze-excitation", _gates(spec.se_reduction)),
        ("pre-activation", "yes" if spec.preact else "no"),
        ("bias of convolutions", "yes" if spec.conv_bias else ""),
    ]


def _gates(reduction: int) -> str:
    return f"reduction {reduction}" if reduction else "no"


def tensors(file: Named, pattern: str) -> Table:
    """The tensors whose name, in the file or here, matches the glob, or has the plain text in it."""
    glob = pattern if any(sign in pattern for sign in "*?[") else f"*{pattern}*"
    rows = []
    for theirs, tensor in file.tensors.items():
        ours = file.naming.names.get(theirs)
        if fnmatchcase(theirs, glob) or (ours is not None and fnmatchcase(ours, glob)):
            here = None if ours is None else printable(ours)
            rows.append((printable(theirs), here, tensor.shape, tensor.dtype, prod(tensor.shape)))
    return Table("rows", "", TENSORS, rows, ("total", None, None, None, sum(r[-1] for r in rows)))


def _difference(difference: Difference) -> dict[str, object]:
    return {**difference._asdict(), "name": printable(difference.name)}


def _learnable(file: Named) -> int:
    names = file.naming.names
    return sum(
        prod(tensor.shape)
        for name, tensor in file.tensors.items()
        if not names.get(name, name).endswith(STATISTICS)
    )


def _dtypes(file: Named) -> Iterable[tuple[str, int]]:
    """Each dtype with the number of its tensors, the most frequent first; counters left out."""
    return Counter(
        tensor.dtype for name, tensor in file.tensors.items() if not name.endswith(STATISTICS[2])
    ).most_common()
