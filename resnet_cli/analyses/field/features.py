"""The feature maps C1, C2, ... that detection and segmentation heads take, a stage each."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

from resnet_cli.analyses.field.receptive_field import alike, fields, seen
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.tables import Column, Table
from resnet_cli.trace import INPUT, Row

TIMM = {
    "resnet18": "resnet18", "resnet34": "resnet34",
    "resnet50-v1.5": "resnet50", "resnet101-v1.5": "resnet101", "resnet152-v1.5": "resnet152",
    "vgg11": "vgg11", "vgg13": "vgg13", "vgg16": "vgg16", "vgg19": "vgg19",
    "vgg11_bn": "vgg11_bn", "vgg13_bn": "vgg13_bn", "vgg16_bn": "vgg16_bn", "vgg19_bn": "vgg19_bn",
    "resnext50_32x4d": "resnext50_32x4d", "resnext101_32x4d": "resnext101_32x4d",
    "resnext101_32x8d": "resnext101_32x8d", "resnext101_64x4d": "resnext101_64x4d",
    "wide_resnet50_2": "wide_resnet50_2", "wide_resnet101_2": "wide_resnet101_2",
    "se-resnet18": "legacy_seresnet18", "se-resnet34": "legacy_seresnet34",
    "se-resnet50": "legacy_seresnet50", "se-resnet101": "legacy_seresnet101",
    "se-resnet152": "legacy_seresnet152", "se-resnext50_32x4d": "legacy_seresnext50_32x4d",
    "se-resnext101_32x4d": "legacy_seresnext101_32x4d",
    "resnet50-c": "resnet50c", "resnet18-d": "resnet18d", "resnet34-d": "resnet34d",
    "resnet50-d": "resnet50d", "resnet101-d": "resnet101d", "resnet152-d": "resnet152d",
    "senet154": "legacy_senet154", "sknet50": "skresnext50_32x4d",
    "res2net50_26w_4s": "res2net50_26w_4s", "res2net50_26w_6s": "res2net50_26w_6s",
    "res2net50_26w_8s": "res2net50_26w_8s", "res2net50_48w_2s": "res2net50_48w_2s",
    "res2net50_14w_8s": "res2net50_14w_8s", "res2net101_26w_4s": "res2net101_26w_4s",
    "res2next50": "res2next50", "resnest14": "resnest14d", "resnest26": "resnest26d", "resnest50": "resnest50d",
    "resnest101": "resnest101e", "resnest200": "resnest200e", "resnest269": "resnest269e",
}  # fmt: skip
"""The listed networks that timm has -> its name for them."""

TORCHVISION = (
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d",
    "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2",
    "vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn",
)  # fmt: skip
"""Which of timm's names are torchvision's too."""


class Feature(NamedTuple):
    """One feature map: ``name`` is C1, ..., ``path`` torch's module that puts it out.

    ``stride`` is in pixels of the input, of each side where they are unlike; ``shape`` is (channels, height, width) for
    one input. What is not known, or no one number where all neurons see alike, is None.
    """

    name: str
    path: str
    stage: str
    stride: int | tuple[int, ...] | None
    shape: tuple[int, ...]
    receptive_field: tuple[int, ...] | None


def features(rows: Sequence[Row]) -> list[Feature]:
    """A feature map a stage: layerN, the stem's ReLU, or VGG's last ReLU before each pooling.

    A stage without any has none. Raises `UserError` where no stage has one.
    """
    reached = fields(rows)
    maps_of = _maps(rows)
    mapped = [index for index, shape in enumerate(maps_of) if shape]
    stages = dict.fromkeys(row.stage for row in rows if row.part != "head")
    maps: list[Feature] = []
    for stage in stages:
        inside = [index for index in mapped if rows[index].stage == stage]
        blocks = [index for index in inside if rows[index].block]
        ends = blocks or [index for index in inside if not rows[index].layer.resizes]
        if not ends:
            continue
        at = ends[-1]
        others = {path for row in rows if row.stage != stage for path in row.inside}
        path = _module(rows[at], others) if blocks else rows[at].path
        field, shape = reached[at], maps_of[at] or ()
        known = all(side.size for side in field)
        stride = alike([side.stride for side in field]) if known else None
        size = tuple(side.size for side in field) if known else None
        maps.append(Feature(f"C{len(maps) + 1}", path, stage, stride or None, shape, size))
    if not maps:
        raise UserError("no stage puts out a feature map", "see resnet-cli summary --level layer")
    return maps


def _maps(rows: Sequence[Row]) -> list[Shape | None]:
    """(channels, height, width) of each row's output, in whatever order it has them; None where it is no map.

    Where its places are not known, a window's output is a map, and what keeps its shape.
    """
    maps: list[Shape | None] = []
    for row, state in zip(rows, seen(rows), strict=True):
        before = row.reads[0] if row.reads else INPUT
        if state is None:
            maps.append(None)
        elif not isinstance(state, str):
            mapped = state.map
            maps.append(mapped and (mapped[0], *mapped[1]))
        elif row.layer.slides == len(row.output) - 1:
            maps.append(row.output)
        else:
            kept = before >= 0 and not row.layer.resizes and row.input == row.output
            maps.append(maps[before] if kept else None)
    return maps


def _module(row: Row, others: Set[str]) -> str:
    """The outermost module around a row that is around no row of another stage."""
    around = (*row.inside, row.path)
    return next((path for path in around if path not in others), around[-1])


def table(maps: Sequence[Feature]) -> Table:
    """A row a feature map."""
    columns = (
        Column("name", "feature"),
        Column("path", "torch path"),
        Column("stage", "stage", drop=3),
        Column("channels", "channels", "exact"),
        Column("stride", "stride", "shape"),
        Column("size", "size", "shape", drop=1),
        Column("receptive_field", "receptive field", "shape", drop=2),
    )
    body = [
        (m.name, m.path, m.stage, m.shape[0], m.stride, m.shape[1:], m.receptive_field)
        for m in maps
    ]
    return Table("rows", "", columns, body)


def torchvision(maps: Sequence[Feature], model: str | None) -> list[str]:
    """Lines of Python for torchvision's feature extractor; ``model`` is its name there, if any."""
    nodes = ", ".join(f'"{m.path}": "{m.name}"' for m in maps)
    network = f"torchvision.models.{model}()" if model in TORCHVISION else "model"
    return [
        *(["import torchvision"] if model in TORCHVISION else []),
        "from torchvision.models.feature_extraction import create_feature_extractor",
        f"backbone = create_feature_extractor({network}, return_nodes={{{nodes}}})",
    ]


def timm(maps: Sequence[Feature], model: str) -> list[str]:
    """Lines of Python for timm's; its indices count from 0 at C1."""
    indices = tuple(range(len(maps)))
    return [
        "import timm",
        f'backbone = timm.create_model("{model}", features_only=True, out_indices={indices})',
    ]
