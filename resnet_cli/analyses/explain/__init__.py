"""How a number comes about, step by step."""
