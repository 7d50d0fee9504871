"""What differs: between blocks, between networks by stage, block or layer, between weight files."""
