"""A Python environment of its own, with links to some of what is installed here, and no more."""

import re
import venv
from importlib.metadata import Distribution, PackageNotFoundError, distribution


def environment(folder, *names):
    """The Python of an environment in the folder with these distributions and all they require."""
    venv.create(folder, with_pip=False, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    for needed in required(names):
        for top in {file.parts[0] for file in needed.files if ".." not in file.parts}:
            if top != "__pycache__" and not (site / top).exists():
                (site / top).symlink_to(needed.locate_file(top))
    return folder / "bin" / "python"


def required(names) -> list[Distribution]:
    """These distributions and all that they require, as far as they are installed."""
    by_name, open_ = {}, list(names)
    while open_:
        try:
            needed = distribution(open_.pop())
        except PackageNotFoundError:  # for another platform or Python
            continue
        if needed.metadata["Name"] not in by_name:
            by_name[needed.metadata["Name"]] = needed
            wanted = [r for r in needed.requires or () if "extra ==" not in r]
            open_ += [re.match(r"[\w.-]+", requirement)[0] for requirement in wanted]
    return list(by_name.values())
