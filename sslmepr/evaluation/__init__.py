"""Metrics with intervals, and comparison of variants; what reads test labels."""
