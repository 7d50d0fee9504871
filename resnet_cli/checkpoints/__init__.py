"""Weight files, read for their tensors' names, shapes and types: no torch, and nothing in them is run."""
