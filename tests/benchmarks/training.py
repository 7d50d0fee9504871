"""A training step against the same loop in plain PyTorch, how long `train` takes to begin, shattering and lesions;
prints Markdown tables.

    .venv/bin/python tests/benchmarks/training.py [STEPS]

Steps are interleaved, one of each in turn and in turns first, on one thread, both with the environment that
`train` gives its processes; CPU time, medians.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from statistics import median

import torch

import resnet_cli
from resnet_cli.datasets.images import Images, Part
from resnet_cli.pytorch.instance import Instance
from resnet_cli.pytorch.train.loop import Runner
from resnet_cli.pytorch.train.team import Team
from resnet_cli.recipes import recipe
from resnet_cli.training import prepare, processes

NETWORKS = ("resnet20", "resnet56")
IMPORT = "import torch"
FIRST_STEP = """
import sys
from resnet_cli.cli import main
sys.argv = ["resnet-cli", "train", "resnet8", "--iterations", "1", "--batch", "2", "-o", sys.argv[1]]
main()
"""


def synthetic(side: int) -> Images:
    """Two thousand images of noise."""
    images = torch.randint(256, (2000, 3, side, side), dtype=torch.uint8)
    labels = torch.arange(2000, dtype=torch.uint8) % 10
    part = Part(images.numpy().tobytes(), labels.numpy().tobytes())
    return Images("noise", (3, side, side), 10, part, part)


def ours(name: str, images: Images, batch: int) -> object:
    """A step of `train`, which takes the number of the iteration."""
    made = recipe("he2015-cifar", "cifar10:x", batch=batch)
    network = prepare.for_images(name, images)
    record = prepare.record([network], images, "cifar10:x", made, [0], "cpu", 1)
    net = Instance(resnet_cli.build(network, seed=0), ())
    team = Team(0, 1, torch.device("cpu"))
    runner = Runner("", record, record.networks[0], 0, images, team, net)
    return lambda iteration: runner._step(runner.net, iteration)


def plain(name: str, images: Images, batch: int) -> object:
    """The same in PyTorch's own words, on images that are floats already and not cropped."""
    net = resnet_cli.build(prepare.for_images(name, images), seed=0)
    x = torch.frombuffer(bytearray(images.train.images), dtype=torch.uint8).view(-1, *images.shape)
    x, y = x / 255, torch.frombuffer(bytearray(images.train.labels), dtype=torch.uint8).long()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)

    def step(iteration: int) -> None:
        index = torch.randint(len(y), (batch,))
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x[index]), y[index])
        loss.backward()
        optimiser.step()

    return step


def main() -> None:
    """Steps, beginnings, then what is asked of networks beside training."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    torch.set_num_threads(1)
    print("| network | images | batch | plain, ms | train, ms | × |\n|---|---|---:|---:|---:|---:|")
    for name in NETWORKS:
        for side, batch in ((8, 64), (32, 128)):
            images = synthetic(side)
            both = (plain(name, images, batch), ours(name, images, batch))
            times: tuple[list[float], list[float]] = ([], [])
            for iteration in range(steps + 2):
                pairs = [*zip(both, times, strict=True)]
                for step, own in pairs if iteration % 2 else reversed(pairs):
                    start = time.process_time()
                    step(iteration % 10)
                    own.append(1000 * (time.process_time() - start))
            theirs, own = (median(each[2:]) for each in times)
            print(
                f"| {name} | {side}×{side} | {batch} | {theirs:.1f} | {own:.1f} | {own / theirs:.3f} |",
                flush=True,
            )
    print("\n| a process | CPU s |\n|---|---:|")
    with tempfile.TemporaryDirectory() as folder:
        seconds: dict[str, list[float]] = {}
        for turn in range(7):
            for name, code in (
                (IMPORT, IMPORT),
                ("train of one iteration, to its table", FIRST_STEP),
            ):
                before = os.times()
                subprocess.run(
                    [sys.executable, "-c", code, f"{folder}/{turn}"],
                    check=True,
                    capture_output=True,
                )
                after = os.times()
                spent = sum(after[2:4]) - sum(before[2:4])  # of processes that have ended
                seconds.setdefault(name, []).append(spent)
        for name, each in seconds.items():
            print(f"| {name} | {median(each):.2f} |")
        print("\n| after imports | s |\n|---|---:|")
        four = ("plain20", "plain56", "resnet20", "resnet56")
        resnet_cli.train("resnet56", folder=f"{folder}/lesion", iterations=1)
        for name, ask in (
            (f"gradient --shatter of {', '.join(four)}", lambda: resnet_cli.gradient(*four, shatter=True)),
            ("lesion of resnet56", lambda: resnet_cli.lesion(f"{folder}/lesion")),
        ):  # fmt: skip
            begun = time.perf_counter()
            ask()
            print(f"| {name} | {time.perf_counter() - begun:.1f} |")


if __name__ == "__main__":
    if not processes.ENVIRONMENT.items() <= os.environ.items():  # which is read as a process begins
        os.execve(
            sys.executable, [sys.executable, *sys.argv], {**os.environ, **processes.ENVIRONMENT}
        )
    main()
