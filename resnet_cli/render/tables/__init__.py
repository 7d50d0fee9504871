"""An answer's tables as text, a file a format."""
