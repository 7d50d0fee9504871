"""One plain function for each question: names or networks in, an answer out. No files, streams or Typer."""
