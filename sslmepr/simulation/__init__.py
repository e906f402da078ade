"""A world with known associations: drawn, spoken, rendered, and its ideal observer."""
