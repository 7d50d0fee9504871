"""What a network is: layers, blocks, specs, the zoo. No torch, no printing."""
