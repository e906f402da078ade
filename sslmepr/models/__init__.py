"""Mamba-2 and the networks of the three stages."""
