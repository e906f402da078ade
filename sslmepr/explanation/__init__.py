"""Explanation of single predictions: attribution and attention."""
