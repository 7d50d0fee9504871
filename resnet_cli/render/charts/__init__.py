"""A chart as a picture or as text."""
