"""Extraction by Ray, on clusters that begin and end with these tests."""

import os
import signal
import socket
import sys
import threading
import time
import uuid
from pathlib import Path

import pandas as pd
import pytest
from recordings import write_video

from sslmepr.corpora.schema import COLUMNS, write_clips
from sslmepr.extraction import cluster
from sslmepr.extraction.cluster import run_on_ray
from sslmepr.extraction.corpus import extract_corpus
from sslmepr.extraction.shards import Job
from sslmepr.params import load

ROOT = Path(__file__).resolve().parents[2]
WHOLE = load(ROOT / "params.yaml")


def params(**compute):
    """The project's parameters, smaller, on the processor."""
    changes = {"device": "cpu", "workers": 1, **compute}
    return WHOLE.model_copy(
        update={
            "extract": WHOLE.extract.model_copy(update={"frames": 2}),
            "compute": WHOLE.compute.model_copy(update=changes),
        }
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Six clips, of which one has no sound and one no file."""
    folder = tmp_path_factory.mktemp("corpus")
    for name in "abcd":
        write_video(folder / f"{name}.mp4")
    write_video(folder / "mute.mp4", with_sound=False)
    names = ["a", "b", "c", "d", "mute", "nowhere"]
    table = pd.DataFrame({"clip_id": names, "speaker_id": names, "split": "train"})
    table["media"] = table["clip_id"] + ".mp4"
    table["transcript"] = "said by " + table["clip_id"]
    write_clips(table.reindex(columns=list(COLUMNS)), folder)
    return folder


@pytest.fixture(scope="module")
def ray():
    """Ray, with a token of its own: it is read when Ray is imported."""
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"RAY_USAGE_STATS_ENABLED": "0", **token}.items():
            patch.setenv(name, value)
        import ray

        yield ray


@pytest.fixture
def two_machines(ray):
    """A cluster of two nodes with a processor each, and the one that will die."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        doomed = nodes.add_node(num_cpus=1)
        yield nodes, doomed
    finally:
        ray.shutdown()
        nodes.shutdown()


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def unlucky(log, doomed):
    """The work of a machine, when one machine and one process do not live to end it.

    Every attempt at a chunk leaves a file in `log`. Nested, so that it travels to the
    machines as it is.
    """
    honest = cluster._shard_bytes

    def work(job, folder, sizes):
        import ray

        here = ray.get_runtime_context().get_node_id()
        first = job.clips[0]["clip_id"]
        where = "doomed" if here == doomed else "head"
        before = list(log.glob(f"{first}-head-*"))
        (log / f"{first}-{where}-{time.time_ns()}").touch()
        while where == "doomed":
            time.sleep(0.1)
        if first == "mute" and not before:
            os.kill(os.getpid(), signal.SIGKILL)
        return honest(job, folder, sizes)

    return work


def test_what_dies_is_done_again_to_the_same_bytes(
    corpus, ray, two_machines, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr("sslmepr.extraction.corpus.MEDIA_CHUNK_CLIPS", 2)
    local = tmp_path / "local" / "features"
    extract_corpus("test", params(), corpus, corpus, local)

    nodes, doomed = two_machines
    log = tmp_path / "log"
    log.mkdir()
    monkeypatch.setattr(cluster, "_shard_bytes", unlucky(log, doomed.node_id))

    def kill():
        while not list(log.glob("*-doomed-*")):
            time.sleep(0.1)
        nodes.remove_node(doomed, allow_graceful=False)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    spread = tmp_path / "spread" / "features"
    chosen = params(engine="ray", address=nodes.address)
    extract_corpus("test", chosen, corpus, corpus, spread)
    killer.join(10)

    attempts = sorted(path.name.split("-")[0] for path in log.iterdir())
    (lost,) = {path.name.split("-")[0] for path in log.glob("*-doomed-*")}
    assert attempts == sorted(["a", "c", "mute", "mute", lost])
    assert content(spread) == content(local)
    assert not spread.with_name("features.partial").exists()
    assert "6/6" in capfd.readouterr().err  # progress
    assert not ray.is_initialized()


def job(media_root, clips=(), shard="shard"):
    rows = tuple({"clip_id": name, "media": name} for name in clips)
    return Job(rows, media_root, WHOLE.extract, "cpu", Path(shard))


def test_without_ray_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RuntimeError) as caught:
        next(run_on_ray([job(Path())], params(engine="ray").compute))
    assert str(caught.value) == (
        "compute.engine is ray, but Ray is not installed. Install it with: "
        "python -m pip install -c constraints.txt -e '.[ray]'"
    )


def test_an_address_that_does_not_answer_is_named():
    with socket.socket() as bound:  # and listening to nobody
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        compute = params(engine="ray", address=f"127.0.0.1:{port}").compute
        with pytest.raises(RuntimeError) as caught:
            next(run_on_ray([job(Path())], compute))
    assert f"compute.address is 127.0.0.1:{port}, but nothing answers" in str(
        caught.value
    )
    assert f"ray start --head --port={port}" in str(caught.value)


def test_a_cluster_that_cannot_be_joined_is_named(ray, monkeypatch):
    def refused(*_, **__):
        raise ConnectionError("no")

    monkeypatch.setattr(ray, "init", refused)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        compute = params(engine="ray", address=address).compute
        with pytest.raises(RuntimeError, match=f"something answers at {address}"):
            next(run_on_ray([job(Path())], compute))


def test_without_an_address_ray_starts_here(ray, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # not asked
    with cluster._connected(params(engine="ray", workers=3).compute) as connected:
        assert connected.cluster_resources()["CPU"] == 3
        assert len(connected.nodes()) == 1
    assert not ray.is_initialized()


def test_nothing_to_do_starts_nothing(corpus, tmp_path, monkeypatch):
    """Where all shards wait already, no cluster is asked for."""
    from sslmepr.extraction.corpus import _run

    shard = tmp_path / "done"
    shard.touch()
    monkeypatch.setitem(sys.modules, "ray", None)
    _run("test", [job(corpus, ["a.mp4"], shard)], params(engine="ray").compute, False)
    assert shard.read_bytes() == b""


def test_a_machine_that_sees_other_media_refuses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mp4").write_bytes(b"12")
    at_home = cluster._media_sizes(job(tmp_path, ["a.mp4", "b.mp4"]))
    assert at_home == [2, None]
    (tmp_path / "a.mp4").write_bytes(b"1")
    with pytest.raises(RuntimeError, match=f"finds other media in {tmp_path}"):
        cluster._shard_bytes(job(tmp_path, ["a.mp4", "b.mp4"]), tmp_path, at_home)


def test_a_machine_without_the_project_refuses(tmp_path):
    with pytest.raises(RuntimeError, match=f"has no folder {tmp_path}/none"):
        cluster._shard_bytes(job(tmp_path), tmp_path / "none", [])
