"""How a weight file is stored: any file -> what it holds, nothing in it run."""
