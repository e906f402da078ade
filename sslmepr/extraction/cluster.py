"""Chunks of clips on many machines, by Ray.

Every machine has the project's folder and the media under the same paths, and the same
environment; both folders may be read-only there. A chunk travels to a machine as its
job and comes back as the bytes of its shard, which only the machine that handed it out
writes. So nothing depends on when a network file system shows a file that another
machine has written, and what a lost machine was doing is simply done by another.
"""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from logging import WARNING
from pathlib import Path

from sslmepr.extraction import jobs as work
from sslmepr.extraction.shards import Job
from sslmepr.params.study import Compute

RETRIES = 5
"""How often a chunk may lose its machine before the extraction gives up."""

INSTALL = "python -m pip install -c constraints.txt -e '.[ray]'"
_ANSWER_SECONDS = 10


def run_on_ray(jobs: list[Job], compute: Compute) -> Iterator[Job]:
    """Have chunks extracted by a Ray cluster; yields each job once its shard is there.

    Every chunk takes one processor, and one GPU if ``compute.device`` is ``cuda``.
    ``auto`` means ``cpu`` here: of machines with and without a GPU each would otherwise
    give features of its own.

    Parameters
    ----------
    jobs : list of Job
    compute : Compute
        ``address`` of the cluster's head as ``host:port``; None starts Ray on this
        machine, with ``workers`` processors, and stops it in the end.

    Raises
    ------
    RuntimeError
        If Ray is not installed, or no cluster answers at the address; and if a machine
        of the cluster lacks the project's folder or finds other media there.
    """
    device = "cpu" if compute.device == "auto" else compute.device
    with _connected(compute) as ray:
        task = ray.remote(_shard_bytes).options(
            num_cpus=1, num_gpus=int(device == "cuda"), max_retries=RETRIES
        )
        folder = Path.cwd()
        waiting = {}
        for job in jobs:
            sent = replace(job, device=device)
            waiting[task.remote(sent, folder, _media_sizes(job))] = job
        while waiting:
            (done,), _ = ray.wait(list(waiting))
            content, job = ray.get(done), waiting.pop(done)
            _write_whole(content, job.shard)
            yield job


@contextmanager
def _connected(compute: Compute):
    """The module ``ray``, connected to the cluster for a while."""
    # Read when Ray is imported. By itself it would send statistics of its use to its
    # authors, and talk without a token to a cluster that may or may not ask for one.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise RuntimeError(
            "compute.engine is ray, but Ray is not installed. "
            f"Install it with: {INSTALL}"
        ) from error
    quiet = {"log_to_driver": False, "logging_level": WARNING}
    if compute.address is None:
        ray.init("local", num_cpus=compute.workers, include_dashboard=False, **quiet)
    else:
        _require_answer(compute.address)
        try:
            ray.init(compute.address, **quiet)
        except ConnectionError as error:
            raise RuntimeError(
                f"something answers at {compute.address} (compute.address), but Ray "
                "cannot join: is it the head of a cluster with the same token?"
            ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    """Ray itself would wait for minutes, and then end this process without a word."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
    except OSError as error:
        raise RuntimeError(
            f"compute.address is {address}, but nothing answers there ({error}). Start "
            f"the head of the cluster with: ray start --head --port={port}"
        ) from error


def _media_sizes(job: Job) -> list[int | None]:
    """Bytes of each clip's media file, None where there is none."""
    paths = [job.media_root / clip["media"] for clip in job.clips if clip["media"]]
    return [path.stat().st_size if path.is_file() else None for path in paths]


def _shard_bytes(job: Job, folder: Path, sizes: list[int | None]) -> bytes:
    """What a machine of the cluster does: a job to the content of its shard.

    Media that only this machine lacks would be noted as missing like any broken clip.
    So their sizes are compared with those at home first.
    """
    here = socket.gethostname()
    try:
        os.chdir(folder)  # paths of media and weights may start there
    except OSError as error:
        raise RuntimeError(
            f"{here} has no folder {folder}: all machines must share it"
        ) from error
    if _media_sizes(job) != sizes:
        raise RuntimeError(
            f"{here} finds other media in {job.media_root.absolute()} than the machine "
            "that runs the pipeline: all machines must share that folder"
        )
    with tempfile.TemporaryDirectory() as scratch:
        shard = work.do(replace(job, shard=Path(scratch, job.shard.name)))
        return shard.read_bytes()


def _write_whole(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.tmp")
    part.write_bytes(content)
    os.replace(part, path)
