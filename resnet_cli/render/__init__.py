"""Tables -> text, a file for each format."""
