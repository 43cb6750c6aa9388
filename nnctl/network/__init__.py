"""The network: flat vectors, the chain of layers, and scratch to run it in."""
