"""The listed networks as tests take them: all of them, one for each family, and their rows."""

import pytest

from resnet_cli.designs import zoo
from resnet_cli.models import load

ZOO = pytest.mark.parametrize("spec", zoo.NETWORKS, ids=zoo.names())
FAMILIES = list({spec.family: spec for spec in reversed(zoo.NETWORKS)}.values())


def everyday(specs):
    """The networks as parameters: one of each family every day, the others in the slow run."""
    return pytest.mark.parametrize(
        "spec",
        [
            pytest.param(spec, marks=() if spec in FAMILIES else pytest.mark.slow, id=spec.name)
            for spec in specs
        ],
    )


def rows_of(model):
    """The rows of a name, a spec or a network."""
    return load(model).rows
