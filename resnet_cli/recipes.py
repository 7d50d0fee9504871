"""Recipes by name, and what may be changed of them."""

from __future__ import annotations

from math import isfinite
from typing import TypeAlias

from resnet_cli.designs import limits
from resnet_cli.errors import UserError
from resnet_cli.runs import Recipe

Value: TypeAlias = int | float | str | None
"""What a field of a recipe is changed to; None leaves it as it is."""

RECIPES = {
    # measured so that resnet56 trains in a minute: at the paper's rate it does not in so few iterations
    "digits": Recipe(
        "digits", iterations=300, batch=64, lr=0.02, drops=(150, 225), factor=0.1, momentum=0.9,
        weight_decay=1e-4, warmup=0, warmup_from=0, padding=1, flip=False, held_out=0, every=25,
    ),
    # He et al. 2015, Sec. 4.2; 110 layers and more are warmed up
    "he2015-cifar": Recipe(
        "he2015-cifar", iterations=64_000, batch=128, lr=0.1, drops=(32_000, 48_000), factor=0.1,
        momentum=0.9, weight_decay=1e-4, warmup=400, warmup_from=110, padding=4, flip=True,
        held_out=0, every=500,
    ),
}  # fmt: skip
USUAL = {"digits": "digits", "cifar10": "he2015-cifar", "cifar100": "he2015-cifar"}
"""The recipe for each data set where none is named."""
DTYPES = ("float32", "float64")
WHOLE = {  # least and most of each whole number
    "iterations": (1, 10_000_000), "batch": (1, 1_000_000), "warmup": (0, 10_000_000), "padding": (0, 256),
    "every": (1, 10_000_000), "threads": (1, 1024), "held_out": (0, 1_000_000),
}  # fmt: skip


def recipe(
    name: str | None,
    source: str,
    *,
    drops: str | None = None,
    split: str | None = None,
    **changes: Value,
) -> Recipe:
    """A recipe with other values; None leaves one as it is. ``name`` None is the usual one of a data set.

    ``drops`` are iterations, 150,225, or none; where more or fewer iterations are asked for without them, they
    move along. ``split`` is all, or 45k/5k: how many images are trained on and held out. Raises `UserError` for
    what is out of range, no field of a recipe or of another kind.
    """
    name = name if name is not None else USUAL.get(source.partition(":")[0], "digits")
    limits.one_of("recipe", name, (*RECIPES,))
    named = RECIPES[name]
    changed = {key: value for key, value in changes.items() if value is not None}
    for key, value in changed.items():
        _check_kind(named, key, value)
    if "warmup" in changed:
        changed["warmup_from"] = 0  # of any depth
    made = named._replace(**changed)  # type: ignore[arg-type]
    if drops is not None:
        made = made._replace(drops=_drops(drops))
    elif made.iterations != named.iterations:
        made = made._replace(
            drops=tuple(at * made.iterations // named.iterations for at in named.drops)
        )
    if split is not None:
        made = made._replace(held_out=_held_out(split))
    made = made._replace(every=min(made.every, made.iterations))
    _check(made)
    return made


def _check_kind(named: Recipe, key: str, value: Value) -> None:
    """Raises `UserError` for a field that a recipe does not have, and for a value of another kind."""
    limits.one_of("value of a recipe", key, Recipe._fields[1:])
    own = getattr(named, key)
    if not isinstance(value, (int, float) if isinstance(own, float) else type(own)):
        raise UserError(f"{key} {value!r} is no {type(own).__name__}", f"such as {key}={own!r}")


def _check(made: Recipe) -> None:
    limits.one_of("dtype", made.dtype, DTYPES)
    for key, (least, most) in WHOLE.items():
        limits.within(key.replace("_", " "), getattr(made, key), most, least)
    for key, value, least, most in (
        ("lr", made.lr, 0, 1000), ("weight decay", made.weight_decay, 0, 1000), ("momentum", made.momentum, 0, 1),
        ("factor", made.factor, 0, 1),
    ):  # fmt: skip
        if not (isfinite(value) and least <= value <= most):
            raise UserError(f"{key} {value} is out of range", f"allowed: {least} to {most:,}")


def _drops(text: str) -> tuple[int, ...]:
    if text.strip() == "none":
        return ()
    from resnet_cli.sizes import count

    return tuple(sorted(count("--drops", part.strip()) for part in text.split(",")))


def _held_out(split: str) -> int:
    """The images held out by a split; how many are trained on is checked by `check_split`."""
    if split.strip() == "all":
        return 0
    return sum(_split(split)[1:])


def _split(split: str) -> tuple[int, int]:
    from resnet_cli.sizes import count

    kept, slash, held = split.partition("/")
    if not slash:
        raise UserError(f"--split {split[:40]!r} is no split", "type all, or such as 45k/5k")
    return count("--split", kept.strip()), count("--split", held.strip())


def check_images(made: Recipe, split: str | None, images: int) -> None:
    """Raises `UserError` where a split is not of as many images, or a batch larger than what is trained on."""
    if split is not None and split.strip() != "all" and sum(_split(split)) != images:
        raise UserError(
            f"--split {split[:40]} is of {sum(_split(split)):,} images, where there are {images:,}",
            f"such as {images - images // 10}/{images // 10}",
        )
    if made.batch > images - made.held_out:
        raise UserError(
            f"a batch of {made.batch:,} is over the {images - made.held_out:,} images to train on",
            "take a smaller --batch",
        )


def in_words(recipe: Recipe) -> str:
    """How long and at which rate, as a caption has it."""
    drops = ", ".join(f"{at:,}" for at in recipe.drops if at < recipe.iterations)
    words = f"{recipe.iterations:,} iterations of {recipe.batch}, rate {recipe.lr:g}"
    return words + (f" (×{recipe.factor:g} from {drops} on)" if drops else "")
