"""One chunk of clips as a piece of work for another process.

Separate from the extraction itself, so that a process that only distributes jobs does
not import the encoders.
"""

from dataclasses import dataclass
from pathlib import Path

from sslmepr.params.corpora import Extract


@dataclass(frozen=True)
class Job:
    """One chunk: its clips as dictionaries of the clip table, and where to write."""

    clips: tuple[dict, ...]
    media_root: Path
    extract: Extract
    device: str
    shard: Path


def do(job: Job) -> Path:
    """Extract a chunk in this process; returns the path of its shard."""
    from sslmepr.extraction.chunks import extract_chunk

    return extract_chunk(job)


def free() -> None:
    """Free the models that jobs have loaded in this process."""
    from sslmepr.extraction.chunks import forget_tools

    forget_tools()
