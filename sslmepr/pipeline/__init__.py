"""What runs notebooks, studies and sweeps, and builds the book."""
