"""Simulation studies of the method and of the analysis on feature-level data."""
