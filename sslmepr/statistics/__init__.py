"""Metrics, the one cluster bootstrap, regressions and norms, as functions of arrays."""
