"""What pyproject.toml cannot say: a package index has no files beside the page that it shows.

So its page is README.md with each link to a file, `[memory](docs/memory.md)`, as `memory (docs/memory.md)`.
"""

import re
from pathlib import Path

from setuptools import setup

readme = Path("README.md").read_text(encoding="utf-8")
setup(
    long_description=re.sub(r"!?\[([^]]+)\]\((?!https?:|#)([^)]+)\)", r"\1 (\2)", readme)
    + "\nThe files named here are in the source distribution.\n",
    long_description_content_type="text/markdown",
)
