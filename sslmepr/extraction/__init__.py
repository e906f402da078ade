"""A corpus of clips into features: in chunks, in parallel, resumable."""

from sslmepr.extraction.corpus import extract_corpus

__all__ = ["extract_corpus"]
