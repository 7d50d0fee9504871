"""What tensors take, in training and at inference."""
