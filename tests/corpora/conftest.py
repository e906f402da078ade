import tracemalloc
from contextlib import contextmanager

import pytest


@pytest.fixture
def measure_memory():
    """The most that Python held at once within a block, in bytes, once it is left."""

    @contextmanager
    def measure():
        tracemalloc.start()
        peak = []
        try:
            yield lambda: peak[0]
        finally:
            peak.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    return measure
