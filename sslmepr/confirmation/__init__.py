"""The procedure confirmed once, on people and worlds that nobody has seen before."""
