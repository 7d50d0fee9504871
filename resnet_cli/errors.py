"""The one failure a user is expected to meet: what it may say, and how it suggests what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable


class UserError(Exception):
    """Something given to the tool is wrong; the message says what, the hint says what to type.

    ``code`` is the exit status: 2 for wrong usage, 1 for bad content (a file, a failed check).
    """

    def __init__(self, what: str, hint: str = "", code: int = 2) -> None:
        super().__init__(what)
        self.what, self.hint, self.code = what, hint, code

    def __str__(self) -> str:
        return f"{self.what} ({self.hint})" if self.hint else self.what


def printable(text: str, most: int = 200) -> str:
    """Text from outside as it may reach a terminal or a page: unprintable signs (control, bidi) are
    written out, the end is cut off."""
    cut = text if len(text) <= most else text[: most - 3] + "..."
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def typed(*words: str) -> str:
    """A command of this program to be pasted into a shell, with what was given quoted."""
    from shlex import join

    return join(["resnet-cli", *words])


def folded(name: str) -> str:
    """A name without what people vary: case, hyphens, underscores, spaces, and what parts two numbers."""
    parted = re.sub(r"(?<=[0-9])[-_. ](?=[0-9])", ",", name.lower())
    return parted.replace("-", "").replace("_", "").replace(" ", "")


def closest(given: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names most like the given one: longest shared prefix first, then likeness.

    Names that share neither a beginning nor most of their letters are left out.
    """
    from difflib import SequenceMatcher  # only ever needed on the way to an error

    target = folded(given)[:80]
    ranked = []
    for name in known:
        candidate = folded(name)
        prefix = 0
        while prefix < min(len(target), len(candidate)) and target[prefix] == candidate[prefix]:
            prefix += 1
        likeness = SequenceMatcher(None, target, candidate).ratio()
        if likeness >= 0.6:
            ranked.append((-prefix, -likeness, len(candidate), name))
    return [name for *_, name in sorted(ranked)[:most]]


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """A hint naming the closest known names, or nothing when none is close."""
    names = [f"'{name}'" for name in closest(given, known)]
    if not names:
        return ""
    return "did you mean " + " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
