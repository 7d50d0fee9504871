"""The leaves of a network, a file a family, and the ways of putting them together."""
