"""Statistics that know nothing of corpora, models or files."""
