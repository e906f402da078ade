"""Which emotions go with which traits, and whether that can be trusted."""
