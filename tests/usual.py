"""What every command is usually asked, as answers: for tests of what all of them have in common."""

import json
import struct
from math import prod

import graph_files

import resnet_cli
from resnet_cli.analyses.plot import cost, memory, receptive_field
from resnet_cli.models import load
from resnet_cli.render.charts.chart_data import as_answer
from resnet_cli.trace import state_dict


def weights(folder, model):
    """A weight file of a network, with a hole where the numbers would be."""
    header, at = {}, 0
    for name, shape in state_dict(load(model).rows).items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + 4 * prod(shape)]}
        at += 4 * prod(shape)
    text = json.dumps(header).encode()
    path = folder / f"{model}.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)
    return str(path)


def answers(folder):
    """Of every command that needs no torch."""
    cli, file = resnet_cli, weights(folder, "resnet20")
    yield from (cli.list(), cli.list("wide"), cli.table(), cli.table("vgg16", "se-resnet50"))
    yield from (
        cli.figures(),
        cli.figures("resnet50"),
        cli.figures(paper="he2015", paper_table="5"),
    )
    for level in ("stage", "block", "layer"):
        yield from (cli.summary("resnet50", level), cli.receptive_field("resnet50", level))
        yield cli.flops("resnet50", level)
    yield from (cli.summary("vgg16"), cli.summary("preact-resnet164", convention="thop"))
    yield cli.summary("se-resnext50_32x4d", "block")
    yield cli.summary(cli.network("resnet50", groups=32, base_width=4)._replace(batch=8))
    yield from (
        cli.flops("resnet18", "operator", "flop"),
        cli.flops("vgg11", backward=True),
    )
    yield from (
        cli.flops("resnet50", reconcile=True),
        cli.flops("resnet18", convention="torchinfo"),
    )
    yield from (cli.memory("resnet50", 64, budget="24GiB"), cli.memory("resnet18", checkpoint=True))
    yield cli.check("resnet18", max_params="12M", max_memory="1MiB", min_receptive_field=224)
    baseline = cli.summary("resnet18").data()
    yield cli.check("resnet34", max_macs="4G", baseline=baseline | {"model": "resnet34"})
    for level in ("module", "operator", "2"):
        yield from (cli.summary("resnet18", level), cli.flops("resnet18", level))
    yield cli.receptive_field("resnet18", "module")
    yield from (cli.compare("basic", "bottleneck", "resnext"), cli.compare("resnet18", "vgg16"))
    yield cli.compare("resnet18", "resnet18", "resnet34", "resnet50", "wrn-28-10")
    yield cli.compare("resnet18", "resnet50", level="layer", changed=True)
    yield cli.compare(file, weights(folder, "resnet32"), level="block")
    yield from (cli.explain(what, "resnet50") for what in ("depth", "params", "flops", "shape"))
    yield cli.explain("params", "resnet50", "layer1.0.conv1")
    yield from (cli.explain("memory", "resnet50"), cli.explain("memory", "resnet18", "layer1.0"))
    yield from (cli.explain("receptive-field", "resnet50"), cli.explain("resnet50"))
    yield from (
        cli.memory("resnet18", level=level) for level in ("block", "layer", "operator", "1")
    )
    yield from (cli.conv(192, 32, 1, 28), cli.conv(3, 64, 7, (224, 320), 2, bias=True))
    yield from (cli.features("resnet50"), cli.features("vgg16"))
    yield from (cli.paths("resnet50"), cli.paths("preact-resnet1001"), cli.paths("vgg16"))
    yield from (cli.identify(file), cli.identify(file, keys="*"), cli.identify(file, "resnet32"))
    network = load("resnet18")
    for chart in (cost([network], "macs"), memory(network, 8), receptive_field([network])):
        yield as_answer(chart, whole=False)
    yield from of_graphs(folder)


def of_graphs(folder):
    """Of networks without a spec, of which not everything is counted."""
    cli = resnet_cli
    small, onnx = graph_files.small(folder), graph_files.doubled(folder / "doubled.onnx")
    for level in (None, "stage", "block", "layer", "operator", 1):
        yield from (cli.summary(small, level), cli.flops(small, level))
    for level in (None, "layer"):
        yield cli.receptive_field(small, level)
        yield from (cli.summary(onnx, level), cli.memory(small, level=level))
    yield from (cli.flops(small, reconcile=True), cli.flops(small, backward=True))
    yield from (cli.compare(small, onnx), cli.compare("resnet18", small), cli.features(small))
    yield from (cli.paths(small), cli.explain("params", small), cli.explain("macs", small, "head"))
    yield cli.check(small, max_params="1M", max_macs="1M")
    network = load(small)
    for chart in (cost([network, load("resnet18")], "params"), memory(network, 1)):
        yield as_answer(chart, whole=False)


def torch_answers():
    """Of those that run a module."""
    cli = resnet_cli
    yield from (cli.verify("resnet20"), cli.verify("resnet20", "plain20"))
    yield cli.flops("resnet20", engine="fvcore")
    yield from (
        cli.gradient("resnet20", seeds=1, batch=2),
        cli.gradient("resnet20", scale=0.5, seeds=1, batch=2),
    )
    yield cli.gradient("resnet20", "plain20", level="block", seeds=1, batch=2)
    yield cli.gradient("resnet20", variants=True, seeds=1, batch=2)
    yield cli.gradient("resnet20", shatter=True, seeds=2)
    yield cli.gradient("resnet20", scale=0.5, shatter=True, seeds=1)
