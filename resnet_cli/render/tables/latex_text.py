"""Text as LaTeX that prints it, and how wide it is: of Computer Modern's letters, other text fonts being no wider."""

from __future__ import annotations

import re
from unicodedata import combining, normalize

SIGNS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": "$<$", ">": "$>$", "|": "$|$", "[": "{[}", "]": "{]}", "*": "{*}", '"': "''", "`": "{`}",
    "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "⌈": r"$\lceil$", "⌉": r"$\rceil$", "√": r"$\surd$",
    "²": r"$^2$", "ⁿ": r"$^n$", "ᵀ": r"$^{\mathrm{T}}$", "₂": r"$_2$", "λ": r"$\lambda$", "μ": r"$\mu$", "γ": r"$\gamma$",
    "±": r"$\pm$", "∂": r"$\partial$", "ε": r"$\varepsilon$", "∏": r"$\prod$", "‖": r"$\Vert$", "\u0394": r"$\Delta$", "\u2192": r"$\to$", "–": "--", "…": r"\ldots{}",
    "×": r"$\times$", "Σ": r"$\sum$", "↔": r"$\leftrightarrow$", "·": r"$\cdot$", "−": "$-$",
}  # fmt: skip
"""Brackets and stars stand in braces, as those after a line's end would be its options."""
LIGATURES = re.compile(r"([-,'])(?=\1)")
"""Signs that two of become another one."""

EMS = {
    letter: width
    for letters, width in (
        ("!',.:;[]`il", 0.28), ("fj", 0.31), ("-", 0.34), ("I", 0.37), ("_", 0.37), ("()t ", 0.4), ("rs·", 0.4),
        ("cez", 0.45), ("?–", 0.5), ('$*/0123456789\\^ago{}~"', 0.51), ("J", 0.52), ("kqvxy", 0.53), ("²ⁿ₂", 0.5),
        ("Sbdhnpu⌊⌋⌈⌉|‖", 0.56), ("Z", 0.62), ("FL", 0.66), ("EPBλμγ∂", 0.71), ("CTwR", 0.74),
        ("AHNUVXYD", 0.77), ("&+=@KOQG<>×−…", 0.79), ("#%mM", 0.92), ("W∏", 1.03),
    )
    for letter in letters
}  # fmt: skip
"""The width of a letter in ems of ten points of its size, a little over that of Computer Modern."""
WIDE = 0.93
"""Of a sign that is none of these."""
LONG_WORD = 24
"""Letters from which on a word may be broken, behind a sign or, where there is none, anywhere."""
BREAK = r"\hspace{0pt plus 1pt}"


def literal(text: str) -> str:
    """The text as LaTeX that prints it: no command in a name is run, and every sign is one pdflatex knows."""
    return "".join(SIGNS.get(sign, sign) for sign in LIGATURES.sub("\\1\0", _known(text))).replace(
        "\0", "{}"
    )


def _known(text: str) -> str:
    """The text with another form for what is neither ASCII nor in `SIGNS`: without accents, else ?."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_sign, text))


def _sign(sign: str) -> str:
    if sign in SIGNS or " " <= sign <= "~":
        return sign
    plain = "".join(part for part in normalize("NFKD", sign) if not combining(part))
    return plain if plain.isascii() and plain.isprintable() and plain else "?"


def width(text: str) -> float:
    """Of the text in ems."""
    return sum(EMS.get(sign, WIDE) for sign in _known(text))


def pieces(text: str) -> list[str]:
    """The text in what is not broken: words; of long ones parts that end in a sign, or else any."""
    parts: list[str] = []
    for word in re.findall(r"\S+\s*|\s+", text):
        if len(word) <= LONG_WORD:
            parts.append(word)
            continue
        for part in re.findall(r".+?(?:[/_:;=()-]|[.,](?!\d)|$)", word, re.DOTALL):
            short = len(part) <= LONG_WORD
            parts += [part] if short else [part[at : at + 8] for at in range(0, len(part), 8)]
    return parts


def breakable(text: str) -> str:
    """The text as LaTeX that may break long words."""
    parts = [literal(part) for part in pieces(text)]
    return "".join(part + ("" if part.endswith(" ") else BREAK) for part in parts).removesuffix(
        BREAK
    )
