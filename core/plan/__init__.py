"""The graph of a build: which steps, with which inputs and outputs."""
