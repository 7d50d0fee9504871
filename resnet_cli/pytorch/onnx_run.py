"""The shapes of a real run of an .onnx file by onnxruntime, on zeros."""

from __future__ import annotations

from collections.abc import Mapping

from resnet_cli.layers.arithmetic import Shape

NUMPY = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16",
    "tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(int8)": "int8", "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}  # fmt: skip


def shapes(path: str, inputs: Mapping[str, Shape]) -> dict[str, Shape]:
    """The shape of every tensor that an operation of the file makes, with inputs of these shapes.

    Those in the bodies of operations are left out. Raises `ImportError` without onnx, numpy and onnxruntime,
    and whatever they do on a file that they do not run.
    """
    import numpy
    import onnx
    import onnxruntime

    model = onnx.load(path)
    known = {output.name for output in model.graph.output}
    made = dict.fromkeys(name for node in model.graph.node for name in node.output if name)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made if name not in known)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    feeds = {
        each.name: numpy.zeros(inputs[each.name], NUMPY[each.type]) for each in session.get_inputs()
    }
    names = [each.name for each in session.get_outputs() if each.type.startswith("tensor")]
    arrays = session.run(names, feeds)
    return {
        name: tuple(array.shape) for name, array in zip(names, arrays, strict=True) if name in made
    }
