"""Output shapes by operator, a file a family; the operators are described at onnx.ai/onnx/operators."""
