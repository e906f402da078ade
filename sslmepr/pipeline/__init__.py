"""Runs notebooks, studies and sweeps, and builds the book."""
