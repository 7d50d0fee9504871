"""Which network a weight file holds: names and shapes -> a spec."""
