"""What we describe ourselves: blocks, specs and how they become trees, the zoo, files of one's own."""
