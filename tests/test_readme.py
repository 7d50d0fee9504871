"""What the README shows is what the program prints. UPDATE_DOCS=1 writes it anew."""

import os
import re
from pathlib import Path

from program import run

README = Path(__file__).parent.parent / "README.md"
CONSOLE = re.compile(r"```console\n\$ resnet-cli (.*?)\n(.*?)```", re.DOTALL)


def test_outputs_in_the_readme_are_current():
    """Each `$ resnet-cli …` there prints what stands below it."""
    text = README.read_text(encoding="utf-8")
    current = CONSOLE.sub(
        lambda shown: f"```console\n$ resnet-cli {shown[1]}\n{run(*shown[1].split())[0]}```", text
    )
    assert len(CONSOLE.findall(text)) >= 5
    if os.environ.get("UPDATE_DOCS") == "1":
        README.write_text(current, encoding="utf-8")
    assert README.read_text(encoding="utf-8") == current
