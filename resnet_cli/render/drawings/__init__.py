"""A drawing placed and written, one file for each format."""
