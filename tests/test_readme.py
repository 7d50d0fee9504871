"""What the README shows is what the program prints."""

import re
from pathlib import Path

from program import run

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_outputs_in_the_readme_are_current():
    """Each `$ resnet-cli …` there prints what stands below it."""
    (console,) = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    shown = re.findall(r"^\$ resnet-cli (.*?)\n(.*?)(?=^\$ |\Z)", console, flags=re.M | re.DOTALL)
    assert len(shown) == 2
    for words, expected in shown:
        assert run(*words.split())[0].rstrip() == expected.rstrip()
