"""What a neuron sees, the maps that heads take, the paths through blocks."""
