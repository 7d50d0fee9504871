"""analyses/counts.csv as the rows of every listed network have it; `UPDATE_DOCS=1 pytest` writes it before all else."""

from pathlib import Path

import resnet_cli
from resnet_cli.analyses import listing
from resnet_cli.designs import zoo

FILE = Path(resnet_cli.__file__).parent / "analyses" / "counts.csv"


def page():
    """Its text: a line for each network, in the list's order."""
    lines = [("name", *listing.Counts._fields)]
    lines += [(spec.name, *listing.counted(spec)) for spec in zoo.NETWORKS]
    return "".join(
        ",".join("" if cell is None else str(cell) for cell in line) + "\n" for line in lines
    )


def renew():
    """Writes the file."""
    FILE.write_text(page(), encoding="utf-8")
