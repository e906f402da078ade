"""Media into feature sequences."""
