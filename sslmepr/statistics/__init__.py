"""Metrics, cluster bootstrap, regressions and norms as functions of numpy arrays."""
