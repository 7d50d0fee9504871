"""The listed networks as tests take them: all of them, one for each family, and their rows."""

import pytest

from resnet_cli.designs import zoo
from resnet_cli.models import load

FAMILIES = list({spec.family: spec for spec in reversed(zoo.NETWORKS)}.values())


def everyday(specs, beside=()):
    """The networks as parameters: one of each family and those beside every day, the others in the slow run."""
    return pytest.mark.parametrize(
        "spec",
        [
            pytest.param(
                spec,
                marks=() if spec in (*FAMILIES, *beside) else pytest.mark.slow,
                id=spec.name,
            )
            for spec in (*specs, *beside)
        ],
    )


ZOO = everyday(zoo.NETWORKS)


def rows_of(model):
    """The rows of a name, a spec or a network."""
    return load(model).rows
