"""ONNX files: protobuf read by an own small reader, weights stepped over by their length; shapes inferred."""
