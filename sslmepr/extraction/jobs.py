"""One chunk of clips as a piece of work for another process.

Apart from the work itself, so that a process that only hands jobs out need not load the
libraries that do them.
"""

from dataclasses import dataclass
from pathlib import Path

from sslmepr.params import Extract


@dataclass(frozen=True)
class Job:
    """One chunk: its clips as dictionaries of the clip table, and where to write."""

    clips: tuple[dict, ...]
    media_root: Path
    extract: Extract
    device: str
    shard: Path


def do(job: Job) -> Path:
    """Extract a chunk here; its shard."""
    from sslmepr.extraction.chunks import extract_chunk

    return extract_chunk(job)


def free() -> None:
    """Free the models that jobs have loaded here."""
    from sslmepr.extraction.chunks import forget_tools

    forget_tools()
