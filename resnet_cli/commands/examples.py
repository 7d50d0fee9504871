"""What the help pages show to type: two lines for each command."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, str]] = {
    "summary": ("summary resnet101", "summary resnet50 --level layer -o layers.csv"),
    "table": ("table", "table resnext50_32x4d resnet50-v1.5 -f latex"),
    "list": ("list bottleneck --sort params", "list --under 2G"),
    "figures": ("figures --paper he2015 --paper-table 'Table 1'", "figures resnet50"),
    "flops": ("flops --depth 152", "flops resnet50 --reconcile"),
    "memory": ("memory resnet50 --batch 64", "memory resnet50 --dtype amp --budget 24GiB"),
    "check": (
        "check resnet50 --max-params 26M --max-memory 8GiB --batch 64",
        "check resnet18 --max-params 12M --junit limits.xml",
    ),
    "compare": ("compare basic bottleneck", "compare resnet50 resnet50-v1.5"),
    "explain": ("explain resnet50", "explain params resnet50 layer3.0.conv2"),
    "conv": (
        "conv --in 64 --out 64 --kernel 3 --size 56",
        "conv --in 192 --out 32 --kernel 1 --size 28",
    ),
    "receptive-field": ("receptive-field resnet50", "receptive-field vgg16 --level layer"),
    "features": ("features resnet50", "features resnet101 --input-size 800x1333"),
    "paths": ("paths resnet110", "paths resnet50"),
    "gradient": ("gradient plain20 resnet20", "gradient resnet20 --variants --seeds 3"),
    "lesion": ("lesion runs/digits", "lesion runs/digits resnet56 --shuffle --level block"),
    "diagram": ("diagram resnet18", "diagram vgg19 plain34 resnet34 -o figure3.svg"),
    "plot": ("plot tradeoff", "plot cost resnet18 resnet50 vgg16 -o cost.pdf"),
    "report": ("report resnet50 -o report.html", "report resnet18 resnet34 -o two.html"),
    "build": ("build resnet50 -o resnet50.onnx", "build resnet18 --num-classes 10 -o net.py"),
    "verify": ("verify resnet50", "verify --all"),
    "train": ("train plain20 plain56 resnet20 resnet56 --seeds 3", "train --resume runs/digits"),
    "identify": ("identify weights.pth", "identify weights.pth --against resnet50"),
    "schema": ("schema summary -o summary.schema.json", "schema toml"),
}
FIRST = "Begin with resnet-cli summary resnet50; resnet-cli COMMAND -h has examples."


def epilog(name: str) -> str:
    """The examples of a command, as its page of help ends with them."""
    return "\n\n".join(["Examples:", *(f"  resnet-cli {words}" for words in EXAMPLES[name])])
