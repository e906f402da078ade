"""The method and the analysis tried on many drawn studies."""
