"""What another process does with the extraction job of one chunk of clips.

Separate from the extraction itself, so that a process that only distributes jobs does
not import the encoders.
"""

from pathlib import Path

from sslmepr.extraction.shards import Job


def do(job: Job) -> Path:
    """Extract a chunk in this process; returns the path of its shard."""
    from sslmepr.extraction.chunks import extract_chunk

    return extract_chunk(job)


def free() -> None:
    """Free the models that jobs have loaded in this process."""
    from sslmepr.extraction.chunks import forget_tools

    forget_tools()
