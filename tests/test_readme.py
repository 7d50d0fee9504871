"""What the README shows is what the program prints."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_outputs_in_the_readme_are_current():
    """Each `$ resnet-cli …` there prints what stands below it."""
    (console,) = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    shown = re.findall(r"^\$ resnet-cli (.*?)\n(.*?)(?=^\$ |\Z)", console, flags=re.M | re.DOTALL)
    assert len(shown) == 2
    for words, expected in shown:
        done = subprocess.run(
            [sys.executable, "-m", "resnet_cli", *words.split()], capture_output=True, check=True
        )
        assert done.stdout.decode().rstrip() == expected.rstrip()
