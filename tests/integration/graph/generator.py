"""Random operations of the graph, the same for the same seed."""
