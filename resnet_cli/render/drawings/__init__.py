"""A drawing placed and written, a file a format."""
