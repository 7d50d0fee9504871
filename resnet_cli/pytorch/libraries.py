"""Networks that libraries build by name: timm's, torchvision's, transformers' by a folder's config.json."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from types import ModuleType
from typing import Any

import torch
from torch import nn

from resnet_cli import calls
from resnet_cli.errors import UserError, did_you_mean, printable
from resnet_cli.pytorch.doors import Door
from resnet_cli.pytorch.running import Arguments, Sized

LOADED = ("pretrained", "weights", "weights_backbone", "checkpoint_path")
"""Arguments that would fetch somebody's weights."""
FRAMES = 16
TOKENS = 128
WITHOUT_KERNELS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
"""Operators that torchvision describes as it is imported, and lacks where it was built for another torch."""


def timm(text: str) -> Door:
    """timm's network; the tag of weights behind its name is ignored."""
    call = _without_weights("timm", text)
    import_torchvision()
    library = import_module("timm")
    name = call.name.partition(".")[0]
    if not library.is_model(name):
        raise _unknown("timm", name, library.list_models())

    def usual(module: nn.Module, batch: int) -> Arguments:
        settings = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", {})
        channels, *sides = settings.get("input_size", (3, 224, 224))
        channels = call.kwargs.get("in_chans", channels)
        side = call.kwargs.get("img_size", sides)
        sides = [side, side] if isinstance(side, int) else side
        return Arguments([Sized((batch, channels, *sides))])

    def make() -> Any:
        return library.create_model(name, pretrained=False, **call.kwargs)

    return Door(make, usual, library="timm", version=f"timm {library.__version__}")


def torchvision(text: str) -> Door:
    """torchvision's network, of images, videos or pairs of images, as its published weights take them."""
    call = _without_weights("torchvision", text)
    library = import_torchvision()
    models = library.models
    if call.name not in models.list_models():
        raise _unknown("torchvision", call.name, models.list_models())
    build = models.get_model_builder(call.name)
    kwargs = {"weights": None, **call.kwargs}
    if "weights_backbone" in signature(build).parameters:
        kwargs["weights_backbone"] = None

    def usual(module: nn.Module, batch: int) -> Arguments:
        transforms = models.get_model_weights(call.name).DEFAULT.transforms()
        side = getattr(transforms, "crop_size", None) or getattr(transforms, "resize_size", None)
        if isinstance(getattr(module, "image_size", None), int):  # it takes no other
            side = [module.image_size]
        height, width = (side * 2)[:2] if side else (800, 800)
        kind = type(transforms).__name__
        if kind == "OpticalFlow":
            return Arguments([Sized((batch, 3, 520, 960))] * 2)
        frames = (FRAMES,) if kind == "VideoClassification" else ()
        return Arguments([Sized((batch, 3, *frames, height, width))])

    return Door(
        lambda: build(**kwargs),
        usual,
        library="torchvision",
        version=f"torchvision {library.__version__}",
    )


def hf(text: str) -> Door:
    """The network that a folder's config.json describes, of transformers' own classes."""
    call = calls.Call(text) if os.path.isdir(text) else calls.parsed(text)
    folder = call.name
    if not os.path.isfile(os.path.join(folder, "config.json")):
        raise UserError(
            f"no config.json in {printable(folder)!r}", "give a folder that holds one", 1
        )
    if call.args:
        raise UserError("what stands in parentheses changes config.json", "type NAME=VALUE")
    if find_spec("torchvision"):  # of which it takes parts
        import_torchvision()
    library = import_module("transformers")
    config = library.AutoConfig.from_pretrained(
        folder, trust_remote_code=False, local_files_only=True, **call.kwargs
    )
    config.use_cache = False

    def make() -> Any:
        for name in config.architectures or ():
            kind: Any = getattr(library, name, None)
            if isinstance(kind, type) and issubclass(kind, library.PreTrainedModel):
                return kind._from_config(config)  # type: ignore[attr-defined]
        return library.AutoModel.from_config(config, trust_remote_code=False)

    def usual(module: nn.Module, batch: int) -> Arguments:
        return Arguments((), _usual_of(module, config, batch))

    return Door(make, usual, library="transformers", version=f"transformers {library.__version__}")


def _usual_of(module: nn.Module, config: Any, batch: int) -> dict[str, Sized]:
    """What a network of transformers takes, by what its forward calls it."""
    names = {getattr(module, "main_input_name", "")}
    takes = signature(module.forward).parameters
    if hasattr(config, "vision_config") and hasattr(config, "text_config"):
        names |= {"pixel_values", "input_ids"}
    if getattr(config, "is_encoder_decoder", False):
        names.add("decoder_input_ids")
    known = {}
    for name in sorted(names & takes.keys()):
        sized = _sized(name, config)
        if sized is not None:
            known[name] = Sized((batch, *sized.shape), sized.dtype)
    if not known:
        raise UserError(
            f"what {type(module).__name__} takes is not known here: {', '.join([*takes][:8])}",
            "type it, such as --input input_ids=1x128:int64",
        )
    return known


def _sized(name: str, config: Any) -> Sized | None:
    if name.endswith("input_ids"):
        text = getattr(config, "text_config", config)
        longest = getattr(text, "max_position_embeddings", None)
        return Sized((min(TOKENS, longest or TOKENS),), "int64")
    if name == "pixel_values":
        config = getattr(config, "vision_config", config)
        side = getattr(config, "image_size", 224)
        height, width = (side, side) if isinstance(side, int) else side
        return Sized((getattr(config, "num_channels", 3), height, width))
    if name == "input_values":
        return Sized((16_000,))  # a second
    if name == "input_features" and hasattr(config, "max_source_positions"):
        return Sized((config.num_mel_bins, 2 * config.max_source_positions))
    return None


def import_torchvision() -> ModuleType:
    """torchvision, also where its kernels are for another torch: a count needs none."""
    try:
        return import_module("torchvision")
    except RuntimeError as problem:
        if "torchvision::" not in str(problem):
            raise
    operators = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for each in WITHOUT_KERNELS:
        operators.define(each)  # type: ignore[no-untyped-call]
    globals()["_operators"] = operators  # they are gone with it
    return import_module("torchvision")


def _without_weights(library: str, text: str) -> calls.Call:
    call = calls.parsed(text)
    if call.args:
        raise UserError(
            f"{library} takes arguments by name", f"'{library}:{call.name}(num_classes=10)'"
        )
    for name in LOADED:
        if call.kwargs.get(name):
            raise UserError(
                f"{name} would load weights, which a count needs none of", "leave it out"
            )
    kwargs = {key: value for key, value in call.kwargs.items() if key not in LOADED}
    return call._replace(kwargs=kwargs)


def _unknown(library: str, name: str, names: Iterable[str]) -> UserError:
    known = [*names]
    return UserError(
        f"{library} has no network named {printable(name, 80)!r}",
        did_you_mean(name, known) or f"it has {len(known):,}, such as {known[0]}",
    )
