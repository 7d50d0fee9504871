"""An answer's tables as text, one file for each format."""
