"""Files that hold a network as a graph of operations: read without torch and onnx, nothing in them is run."""
