"""Programs of torch.export: JSON in a zip archive, read as data."""
