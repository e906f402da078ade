"""SSL-MEPR: emotions and apparent personality from disjoint corpora."""

__version__ = "0.1.0"
