"""Every named network, in the order of the papers' tables; one line describes one network."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.iresnet import IResNet
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.spec import Spec as Spec
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError, did_you_mean, folded

TWO, THREE, B101, B152 = (2, 2, 2, 2), (3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3)
B200 = (3, 24, 36, 3)


def _imagenet(
    name: str, family: str, block: str, stages: tuple[int, ...], **other: object
) -> ResNet:
    return ResNet(name, family, block, stages, **other)  # type: ignore[arg-type]


def _cifar(name: str, family: str, block: str, blocks: int, **other: object) -> ResNet:
    """Three stages of equal length on 32×32 (He et al. 2015, Sec. 4.2); option A where basic."""
    fields: dict[str, object] = {
        "shortcut": "A" if block == "basic" else "B",
        "stem": "3x3",
        "stem_width": 16,
        "width": 16,
        "num_classes": 10,
        "input_size": (32, 32),
    }
    return ResNet(name, family, block, (blocks,) * 3, **(fields | other))  # type: ignore[arg-type]


def _wide(depth: int, k: int) -> ResNet:
    """WRN-D-K (Zagoruyko & Komodakis 2016, Table 1): depth 6n + 4, stages k times as wide."""
    return _cifar(
        f"wrn-{depth}-{k}", "Wide ResNet", "basic", (depth - 4) // 6,
        shortcut="B", preact=True, projection_norm=False, width=16 * k,
    )  # fmt: skip


def _clip(
    name: str, stages: tuple[int, ...], embedding: int, width: int = 64, size: int = 224
) -> ResNet:
    """CLIP's ResNet-D: means in place of strides and of the stem's pool, an attention pool at the end."""
    return _imagenet(
        name, "CLIP", "bottleneck", stages, **DEEP, **POOL, antialias="average", head="attention",
        width=width, stem_width=width, num_classes=embedding, input_size=(size, size),
    )  # fmt: skip


def _regnet(name: str, stages: tuple[int, ...], widths: tuple[int, ...], group: int) -> RegNet:
    """RegNetX, or RegNetY with squeeze-excitation to a quarter (Radosavovic et al. 2020, Sec. 5)."""
    reduction = 4 if name.startswith("regnet_y") else 0
    return RegNet(name, "RegNet", stages, widths, group, reduction)


def _convnext(name: str, stages: tuple[int, ...], width: int, **other: object) -> ConvNeXt:
    """ConvNeXt, or V2 with response norms and no layer scale; each stage twice as wide as the one before."""
    widths = (width, 2 * width, 4 * width, 8 * width)
    if name.startswith("convnextv2"):
        other |= {"layer_scale": False, "response_norm": True}
    family = "ConvNeXt V2" if name.startswith("convnextv2") else "ConvNeXt"
    return ConvNeXt(name, family, stages, widths, **other)  # type: ignore[arg-type]


def _rs(depth: int, stages: tuple[int, ...], side: int) -> ResNet:
    """ResNet-RS (Bello et al. 2021): ResNet-D with gates of a fourth and a 3×3 in place of the pool, at timm's sizes."""
    fields = {**DEEP, **POOL, "stem_pool": "conv", "se_reduction": 4, "input_size": (side, side)}
    return _imagenet(f"resnet-rs-{depth}", "ResNet-RS", "bottleneck", stages, **fields)


def _bit(depth: int, k: int, stages: tuple[int, ...]) -> ResNet:
    """BiT's R-D×K (Kolesnikov et al. 2020): pre-activation, K times as wide, standardised weights and group norm."""
    fields = {**PRE, **V15, "preact_stem": False, "stem_pool": "zeros", "norm": "group"}
    wide = {"width": 64 * k, "stem_width": 64 * k, "weight_standardization": True}
    return _imagenet(f"bit-r{depth}x{k}", "BiT", "bottleneck", stages, **fields, **wide)


PRE = {"preact": True, "projection_norm": False}
V15 = {"style": "v1.5"}
SE = {"se_reduction": 16}
DEEP = {"style": "v1.5", "stem": "deep"}
POOL = {"projection_pool": True}
SK = {"style": "v1.5", "body": "sk"}


def _res2net(name: str, stages: tuple[int, ...], width: int, scale: int, groups: int = 1) -> ResNet:
    """Res2Net of so many parts, each of so many channels in the first stage (Gao et al. 2019, Table 1 and 2)."""
    return _imagenet(name, "Res2Net", "bottleneck", stages, **V15, body="res2net", splits=scale,
                     base_width=width, groups=groups)  # fmt: skip


def _resnest(depth: int, stages: tuple[int, ...], stem: int) -> ResNet:
    """ResNeSt of radix 2, on ResNet-D (Zhang et al. 2020, Table 2 and 3)."""
    return _imagenet(f"resnest{depth}", "ResNeSt", "bottleneck", stages, **DEEP, **POOL, body="resnest",
                     splits=2, split_reduction=4, split_pool="behind", stem_width=stem)  # fmt: skip


KERAS_V2 = {
    **PRE, **V15, "preact_stem": False, "stride_at": "last", "stem_pool": "zeros", "end_bias": True,
}  # fmt: skip

# fmt: off
NETWORKS: tuple[Spec, ...] = (
    # He et al. 2015, Table 1; Fig. 3 for the plain ones
    _imagenet("plain18", "plain", "basic", TWO, shortcut="none"),
    _imagenet("plain34", "plain", "basic", THREE, shortcut="none"),
    _imagenet("resnet18", "ResNet", "basic", TWO),
    _imagenet("resnet34", "ResNet", "basic", THREE),
    _imagenet("resnet50", "ResNet", "bottleneck", THREE),
    _imagenet("resnet101", "ResNet", "bottleneck", B101),
    _imagenet("resnet152", "ResNet", "bottleneck", B152),
    # stride in the 3×3, as torchvision and timm build them
    _imagenet("resnet50-v1.5", "ResNet v1.5", "bottleneck", THREE, **V15),
    _imagenet("resnet101-v1.5", "ResNet v1.5", "bottleneck", B101, **V15),
    _imagenet("resnet152-v1.5", "ResNet v1.5", "bottleneck", B152, **V15),
    _imagenet("resnet26", "ResNet v1.5", "bottleneck", TWO, **V15),
    _imagenet("resnet200", "ResNet v1.5", "bottleneck", B200, **V15),
    # Simonyan & Zisserman 2015, Table 1: A, B, D, E
    VGG("vgg11", "VGG", (1, 1, 2, 2, 2)),
    VGG("vgg13", "VGG", (2, 2, 2, 2, 2)),
    VGG("vgg16", "VGG", (2, 2, 3, 3, 3)),
    VGG("vgg19", "VGG", (2, 2, 4, 4, 4)),
    VGG("vgg11_bn", "VGG", (1, 1, 2, 2, 2), batch_norm=True),
    VGG("vgg13_bn", "VGG", (2, 2, 2, 2, 2), batch_norm=True),
    VGG("vgg16_bn", "VGG", (2, 2, 3, 3, 3), batch_norm=True),
    VGG("vgg19_bn", "VGG", (2, 2, 4, 4, 4), batch_norm=True),
    # He et al. 2016, Table 5 and appendix
    _imagenet("preact-resnet18", "pre-activation", "basic", TWO, **PRE),
    _imagenet("preact-resnet34", "pre-activation", "basic", THREE, **PRE),
    _imagenet("preact-resnet50", "pre-activation", "bottleneck", THREE, **PRE, **V15),
    _imagenet("preact-resnet101", "pre-activation", "bottleneck", B101, **PRE, **V15),
    _imagenet("preact-resnet152", "pre-activation", "bottleneck", B152, **PRE, **V15),
    _imagenet("preact-resnet200", "pre-activation", "bottleneck", B200, **PRE, **V15),
    # Xie et al. 2017, Table 1 and 3
    _imagenet("resnext50_32x4d", "ResNeXt", "bottleneck", THREE, **V15, groups=32, base_width=4),
    _imagenet("resnext101_32x4d", "ResNeXt", "bottleneck", B101, **V15, groups=32, base_width=4),
    _imagenet("resnext101_32x8d", "ResNeXt", "bottleneck", B101, **V15, groups=32, base_width=8),
    _imagenet("resnext101_64x4d", "ResNeXt", "bottleneck", B101, **V15, groups=64, base_width=4),
    # Zagoruyko & Komodakis 2016, Table 8; twice the width in the 3×3
    _imagenet("wide_resnet50_2", "Wide ResNet", "bottleneck", THREE, **V15, base_width=128),
    _imagenet("wide_resnet101_2", "Wide ResNet", "bottleneck", B101, **V15, base_width=128),
    # Hu et al. 2018, Table 2
    _imagenet("se-resnet18", "SENet", "basic", TWO, **SE),
    _imagenet("se-resnet34", "SENet", "basic", THREE, **SE),
    _imagenet("se-resnet50", "SENet", "bottleneck", THREE, **SE),
    _imagenet("se-resnet101", "SENet", "bottleneck", B101, **SE),
    _imagenet("se-resnet152", "SENet", "bottleneck", B152, **SE),
    _imagenet("se-resnext50_32x4d", "SENet", "bottleneck", THREE, **SE, **V15, groups=32, base_width=4),
    _imagenet("se-resnext101_32x4d", "SENet", "bottleneck", B101, **SE, **V15, groups=32, base_width=4),
    # its appendix: 64 groups, a narrower first 1×1, three 3×3 in the stem, projections of 3×3, dropout
    _imagenet("senet154", "SENet", "bottleneck", B152, **SE, **DEEP, groups=64, base_width=4, reduce_first=2,
              stem_width=128, projection_kernel=3, dropout=0.2),
    # He et al. 2019, "Bag of Tricks", Fig. 2
    _imagenet("resnet50-c", "ResNet-C/D", "bottleneck", THREE, **DEEP),
    _imagenet("resnet18-d", "ResNet-C/D", "basic", TWO, **DEEP, **POOL),
    _imagenet("resnet34-d", "ResNet-C/D", "basic", THREE, **DEEP, **POOL),
    _imagenet("resnet50-d", "ResNet-C/D", "bottleneck", THREE, **DEEP, **POOL),
    _imagenet("resnet101-d", "ResNet-C/D", "bottleneck", B101, **DEEP, **POOL),
    _imagenet("resnet152-d", "ResNet-C/D", "bottleneck", B152, **DEEP, **POOL),
    # Bello et al. 2021, blocks and sizes as released
    _rs(50, THREE, 160),
    _rs(101, B101, 192),
    _rs(152, B152, 256),
    _rs(200, B200, 256),
    _rs(270, (4, 29, 53, 4), 256),
    _rs(350, (4, 36, 72, 4), 288),
    _rs(420, (4, 44, 87, 4), 320),
    # Radford et al. 2021, Sec. 2.4 and Table 20: outputs are an embedding
    _clip("clip-rn50", THREE, 1024),
    _clip("clip-rn101", B101, 512),
    _clip("clip-rn50x4", (4, 6, 10, 6), 640, 80, 288),
    _clip("clip-rn50x16", (6, 8, 18, 8), 768, 96, 384),
    _clip("clip-rn50x64", (3, 15, 36, 10), 1024, 128, 448),
    # Kolesnikov et al. 2020, Sec. 3; 152x2 of Beyer et al. 2022
    _bit(50, 1, THREE),
    _bit(50, 3, THREE),
    _bit(101, 1, B101),
    _bit(101, 3, B101),
    _bit(152, 2, B152),
    # Gao et al. 2019, Table 1 and 2: width and scale
    _res2net("res2net50_26w_4s", THREE, 26, 4),
    _res2net("res2net50_26w_6s", THREE, 26, 6),
    _res2net("res2net50_26w_8s", THREE, 26, 8),
    _res2net("res2net50_48w_2s", THREE, 48, 2),
    _res2net("res2net50_14w_8s", THREE, 14, 8),
    _res2net("res2net101_26w_4s", B101, 26, 4),
    _res2net("res2next50", THREE, 4, 4, groups=8),
    # Li et al. 2019, Table 1 and 2
    _imagenet("sknet26", "SKNet", "bottleneck", TWO, **SK, groups=32, base_width=4),
    _imagenet("sknet50", "SKNet", "bottleneck", THREE, **SK, groups=32, base_width=4),
    _imagenet("sknet101", "SKNet", "bottleneck", B101, **SK, groups=32, base_width=4),
    # Zhang et al. 2020, Table 2 and 3, and the two shallow ones of its code
    _resnest(14, (1, 1, 1, 1), 64),
    _resnest(26, TWO, 64),
    _resnest(50, THREE, 64),
    _resnest(101, B101, 128),
    _resnest(200, B200, 128),
    _resnest(269, (3, 30, 48, 8), 128),
    # Radosavovic et al. 2020, Sec. 5, with torchvision's widths
    _regnet("regnet_x_400mf", (1, 2, 7, 12), (32, 64, 160, 400), 16),
    _regnet("regnet_x_800mf", (1, 3, 7, 5), (64, 128, 288, 672), 16),
    _regnet("regnet_x_1_6gf", (2, 4, 10, 2), (72, 168, 408, 912), 24),
    _regnet("regnet_x_3_2gf", (2, 6, 15, 2), (96, 192, 432, 1008), 48),
    _regnet("regnet_x_8gf", (2, 5, 15, 1), (80, 240, 720, 1920), 120),
    _regnet("regnet_x_16gf", (2, 6, 13, 1), (256, 512, 896, 2048), 128),
    _regnet("regnet_x_32gf", (2, 7, 13, 1), (336, 672, 1344, 2520), 168),
    _regnet("regnet_y_400mf", (1, 3, 6, 6), (48, 104, 208, 440), 8),
    _regnet("regnet_y_800mf", (1, 3, 8, 2), (64, 144, 320, 784), 16),
    _regnet("regnet_y_1_6gf", (2, 6, 17, 2), (48, 120, 336, 888), 24),
    _regnet("regnet_y_3_2gf", (2, 5, 13, 1), (72, 216, 576, 1512), 24),
    _regnet("regnet_y_8gf", (2, 4, 10, 1), (224, 448, 896, 2016), 56),
    _regnet("regnet_y_16gf", (2, 4, 11, 1), (224, 448, 1232, 3024), 112),
    _regnet("regnet_y_32gf", (2, 5, 12, 1), (232, 696, 1392, 3712), 232),
    _regnet("regnet_y_128gf", (2, 7, 17, 1), (528, 1056, 2904, 7392), 264),
    # Liu et al. 2022, Sec. 3; torchvision has all but the last
    _convnext("convnext_tiny", (3, 3, 9, 3), 96),
    _convnext("convnext_small", (3, 3, 27, 3), 96),
    _convnext("convnext_base", (3, 3, 27, 3), 128),
    _convnext("convnext_large", (3, 3, 27, 3), 192),
    _convnext("convnext_xlarge", (3, 3, 27, 3), 256),
    # Woo et al. 2023, Appendix A
    _convnext("convnextv2_atto", (2, 2, 6, 2), 40),
    _convnext("convnextv2_femto", (2, 2, 6, 2), 48),
    _convnext("convnextv2_pico", (2, 2, 6, 2), 64),
    _convnext("convnextv2_nano", (2, 2, 8, 2), 80),
    _convnext("convnextv2_tiny", (3, 3, 9, 3), 96),
    _convnext("convnextv2_base", (3, 3, 27, 3), 128),
    _convnext("convnextv2_large", (3, 3, 27, 3), 192),
    _convnext("convnextv2_huge", (3, 3, 27, 3), 352),
    # Deng et al. 2019, "ArcFace", as insightface builds them: outputs are an embedding of a face
    IResNet("iresnet18", "iResNet", TWO),
    IResNet("iresnet34", "iResNet", THREE),
    IResNet("iresnet50", "iResNet", (3, 4, 14, 3)),
    IResNet("iresnet100", "iResNet", (3, 13, 30, 3)),
    IResNet("iresnet200", "iResNet", (6, 26, 60, 6)),
    # Keras' applications: v1 with a bias on every convolution
    _imagenet("keras-resnet50", "Keras", "bottleneck", THREE, conv_bias=True),
    _imagenet("keras-resnet101", "Keras", "bottleneck", B101, conv_bias=True),
    _imagenet("keras-resnet152", "Keras", "bottleneck", B152, conv_bias=True),
    # and V2: of pre-activation, stride in the last block of a stage
    _imagenet("keras-resnet50v2", "Keras V2", "bottleneck", THREE, **KERAS_V2),
    _imagenet("keras-resnet101v2", "Keras V2", "bottleneck", B101, **KERAS_V2),
    _imagenet("keras-resnet152v2", "Keras V2", "bottleneck", B152, **KERAS_V2),
    # He et al. 2015, Table 6: 6n + 2 layers
    _cifar("plain20", "plain (CIFAR)", "basic", 3, shortcut="none"),
    _cifar("plain32", "plain (CIFAR)", "basic", 5, shortcut="none"),
    _cifar("plain44", "plain (CIFAR)", "basic", 7, shortcut="none"),
    _cifar("plain56", "plain (CIFAR)", "basic", 9, shortcut="none"),
    _cifar("plain110", "plain (CIFAR)", "basic", 18, shortcut="none"),
    _cifar("resnet20", "ResNet (CIFAR)", "basic", 3),
    _cifar("resnet32", "ResNet (CIFAR)", "basic", 5),
    _cifar("resnet44", "ResNet (CIFAR)", "basic", 7),
    _cifar("resnet56", "ResNet (CIFAR)", "basic", 9),
    _cifar("resnet110", "ResNet (CIFAR)", "basic", 18),
    _cifar("resnet1202", "ResNet (CIFAR)", "basic", 200),
    # He et al. 2016, Table 4: 9n + 2 layers where bottleneck
    _cifar("resnet164", "ResNet (CIFAR)", "bottleneck", 18),
    _cifar("resnet1001", "ResNet (CIFAR)", "bottleneck", 111),
    _cifar("preact-resnet110", "pre-activation (CIFAR)", "basic", 18, **PRE),
    _cifar("preact-resnet164", "pre-activation (CIFAR)", "bottleneck", 18, **PRE),
    _cifar("preact-resnet1001", "pre-activation (CIFAR)", "bottleneck", 111, **PRE),
    # Zagoruyko & Komodakis 2016, Table 4
    *(_wide(depth, k) for depth, k in (
        (40, 1), (40, 2), (40, 4), (40, 8), (28, 10), (28, 12), (22, 8), (22, 10), (16, 8), (16, 10),
    )),
    # Xie et al. 2017, Table 7
    _cifar("resnext29_32x4d", "ResNeXt (CIFAR)", "bottleneck", 3, **V15, groups=32, base_width=4, stem_width=64, width=64),
    _cifar("resnext29_8x64d", "ResNeXt (CIFAR)", "bottleneck", 3, **V15, groups=8, stem_width=64, width=64),
    _cifar("resnext29_16x64d", "ResNeXt (CIFAR)", "bottleneck", 3, **V15, groups=16, stem_width=64, width=64),
)
# fmt: on

FORMULAS: dict[str, tuple[str, str, dict[str, object]]] = {
    "plain": ("plain", "plain (CIFAR)", {"shortcut": "none"}),
    "resnet": ("resnet", "ResNet (CIFAR)", {}),
    "preactresnet": ("preact-resnet", "pre-activation (CIFAR)", {**PRE}),
}
"""Families of which any depth is found by name: title, family, and what tells them from a ResNet."""
IMAGENET = {"50": THREE, "101": B101, "152": B152}
"""The blocks of bottleneck networks by their depth (He et al. 2015, Table 1)."""
BY_NAME = {folded(spec.name): spec for spec in NETWORKS}
WIDE = r"(?:wrn|wide[-_ ]?resnet)[-_ ]?(\d{1,6})[-_ x](\d{1,6})(?:[-_ ]bottleneck)?"
RESNEXT = r"(se[-_ ]?)?resnext[-_ ]?(\d{1,6})[-_ ,(]{1,3}(\d{1,6})[x×](\d{1,6})d\)?"
MEMBER = r"(plain|resnet|preactresnet)(\d{1,6})"


def names() -> list[str]:
    """The names of all listed networks, in the order of the papers."""
    return [spec.name for spec in NETWORKS]


def is_listed(spec: Spec) -> bool:
    """Whether it is a network of the list, unchanged."""
    return BY_NAME.get(folded(spec.name)) == spec


def dataset(spec: Spec) -> str:
    """The data set that a listed network is for, by its classes: imagenet or cifar10; "" for an embedding."""
    return {10: "cifar10", 1000: "imagenet"}.get(spec.num_classes, "")


def find(name: str) -> Spec:
    """The network of that name: a listed one, or one found `by_formula`.

    Raises `UserError` with the closest names.
    """
    spec = BY_NAME.get(folded(name)) or by_formula(name)
    if spec is None:
        raise unknown(name, names())
    return spec


def unknown(name: str, known: Iterable[str]) -> UserError:
    """The error for a name that no network has, with the closest of the known ones."""
    guess, hint = did_you_mean(name, known), "All names: resnet-cli list"
    return UserError(f"no network named {name[:80]!r}", f"{guess}? {hint}" if guess else hint)


def by_formula(name: str) -> Spec | None:
    """A network that no table lists, by its family's formula; None where there is none.

    WRN-D-K; a plain, residual or pre-activation network of 6n + 2 or 9n + 2 layers (plain8, resnet1001,
    preact-resnet56); a ResNeXt or SE-ResNeXt of C groups of W channels (resnext29_32x4d), of 9n + 2
    layers for CIFAR. Raises `UserError` for a WRN-D-K that does not exist.
    """
    lower = name.strip().lower()
    if wide := re.fullmatch(WIDE, lower):
        return _wide_of(wide[1], int(wide[2]))
    if resnext := re.fullmatch(RESNEXT, lower):
        gates, depth, groups, width = resnext.groups()
        return _resnext(bool(gates), depth, int(groups), int(width))
    if member := re.fullmatch(MEMBER, folded(name)):
        title, family, fields = FORMULAS[member[1]]
        return _of_depth(f"{title}{int(member[2])}", family, int(member[2]), **fields)
    return None


def _wide_of(depth: str, k: int) -> Spec:
    """WRN-D-K; of 50 and 101 layers it is the bottleneck of ImageNet, its 3×3 k times as wide."""
    if depth in ("50", "101"):
        name = f"wide_resnet{depth}_{k}"
        return BY_NAME.get(folded(name)) or _imagenet(
            name, "Wide ResNet", "bottleneck", IMAGENET[depth], **V15, base_width=64 * k
        )
    number = int(depth)
    if number < 10 or number % 6 != 4 or k < 1:
        n = max(1, round((number - 4) / 6))
        raise UserError(
            f"no wide residual network has depth {number} and width {k}",
            f"WRN-D-K has D = 6n + 4 and K of at least 1: try wrn-{6 * n + 4}-{max(k, 1)}",
        )
    return _wide(number, k)


def _resnext(gates: bool, depth: str, groups: int, width: int) -> Spec | None:
    """ResNeXt of so many groups, each of so many channels in the first stage."""
    name = f"resnext{depth}_{groups}x{width}d"
    fields = {**V15, "groups": groups, "base_width": width}
    if depth in IMAGENET:
        family = "ResNeXt"
        if gates:
            name, family, fields = f"se-{name}", "SENet", {**fields, **SE}
        return _imagenet(name, family, "bottleneck", IMAGENET[depth], **fields)
    blocks, rest = divmod(int(depth) - 2, 9)
    if gates or rest or not blocks:
        return None
    return _cifar(name, "ResNeXt (CIFAR)", "bottleneck", blocks, stem_width=64, width=64, **fields)


def of_formula(depth: int) -> Spec:
    """He et al.'s network for CIFAR of 6n + 2 (basic, 2015) or 9n + 2 layers (bottleneck, 2016).

    Raises `UserError` with both formulas and the nearest depths that exist.
    """
    spec = _of_depth(f"resnet{depth}", "ResNet (CIFAR)", depth)
    if spec is not None:
        return spec
    given = f"{depth}" if abs(depth) < 10**20 else "so many"
    raise UserError(
        f"no residual network of the papers has {given} layers",
        "conv1 + 2 (basic) or 3 (bottleneck) layers a block + fc gives 6n + 2 or 9n + 2 on three "
        f"equal stages; nearest: {', '.join(map(str, _nearest(depth)))}",
    )


def _of_depth(name: str, family: str, depth: int, **other: object) -> ResNet | None:
    """The CIFAR network of 6n + 2 (basic) or 9n + 2 layers (bottleneck); None where there is none."""
    if 8 <= depth <= 40_000:
        if depth % 6 == 2:
            return _cifar(name, family, "basic", (depth - 2) // 6, **other)
        if depth % 9 == 2:
            return _cifar(name, family, "bottleneck", (depth - 2) // 9, **other)
    return None


def _nearest(depth: int) -> list[int]:
    listed = [int(found[1]) for s in NETWORKS if (found := re.fullmatch(r"resnet(\d+)", s.name))]
    around = range(max(8, min(depth, 40_000) - 9), max(8, min(depth, 40_000)) + 10)
    formula = [d for d in around if (d % 6 == 2 or d % 9 == 2) and d <= 40_000]
    every = {*listed, *formula}
    below = [d for d in every if d < depth]
    above = [d for d in every if d > depth]
    return ([max(below)] if below else []) + ([min(above)] if above else [])


def changed(spec: Spec, **fields: object) -> Spec:
    """The same network with other values for some fields; None leaves a field as it is.

    Raises `UserError` for a field that this kind of network does not have, or a value that it
    can't take.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    known = spec.__dataclass_fields__
    for key in given:
        if key not in known:
            kind = "a residual network" if isinstance(spec, ResNet) else type(spec).__name__
            raise UserError(
                f"{kind} has no {key.replace('_', ' ')} to change",
                did_you_mean(key, known) or f"it has: {', '.join(known)}",
            )
    return replace(spec, **given) if given else spec  # type: ignore[arg-type]
