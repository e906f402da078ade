"""SSL-MEPR: emotions and apparent personality from disjoint corpora."""

import os

__version__ = "0.2.0"

# ONNX Runtime, which speech recognition needs, would tell its maker of each run.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
