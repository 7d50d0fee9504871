"""One run of a training, in torch."""
