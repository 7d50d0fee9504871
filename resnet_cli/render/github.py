"""Annotations of GitHub's workflows: a line for each verdict that is not fine, which it shows beside the run.

The signs that have a meaning are escaped as its toolkit does (docs.github.com, "Workflow commands").
"""

from __future__ import annotations

from resnet_cli.render.verdicts import cases
from resnet_cli.tables import Answer

DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def annotated(answer: Answer) -> str:
    """A line for each limit that is not met and each network that could not be read."""
    return "".join(
        f"::error title={f'{case.network} {case.title}'.translate(PROPERTY)}::"
        f"{f'{case.network} {case.title}: {case.text}'.translate(DATA)}\n"
        for case in cases(answer)
        if not case.ok
    )
