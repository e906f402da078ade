"""SSL-MEPR: emotions and apparent personality from disjoint corpora."""

__version__ = "0.2.0"
