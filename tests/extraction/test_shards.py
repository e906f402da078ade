from pathlib import Path

import numpy as np

from sslmepr.extraction.shards import (
    Chunk,
    read_findings,
    read_sequences,
    shard_key,
    write_shard,
)

CLIP = {"clip_id": "a", "media": "a.mp4", "start_seconds": None, "transcript": None}


def test_round_trip(tmp_path):
    rng = np.random.default_rng(0)
    sequences = [("a", rng.normal(size=(2, 3))), ("b", rng.normal(size=(4, 3)))]
    chunk = Chunk(
        sequences={"audio": sequences, "text": []},
        rates={"audio": {"a": 5.0, "b": 5.0}},
        encoders={"audio": ["name", "abc"]},
        missing=[["a", "text", "no speech"]],
        regions={"clip_id": ["a"], "score": [None]},
    )
    path = tmp_path / "new" / "shard.safetensors"
    write_shard(chunk, path)
    assert [p.name for p in path.parent.iterdir()] == ["shard.safetensors"]
    found = read_findings(path)
    assert found.missing == chunk.missing and found.regions == chunk.regions
    assert found.rates == chunk.rates and found.encoders == chunk.encoders
    for (clip_id, values), (expected_id, expected) in zip(
        read_sequences(path, "audio"), sequences, strict=True
    ):
        assert clip_id == expected_id
        np.testing.assert_array_equal(values, expected.astype(np.float32))
    assert list(read_sequences(path, "text")) == []


def test_a_chunk_without_anything(tmp_path):
    write_shard(Chunk(missing=[["a", "text", "x"]]), tmp_path / "shard.safetensors")
    assert read_findings(tmp_path / "shard.safetensors").missing == [["a", "text", "x"]]


def test_key_changes_with_all_that_matters(tmp_path):
    def key(settings=1, clip=CLIP, root=tmp_path):
        return shard_key({"frames": settings}, [clip], Path(root))

    keys = {key(), key(settings=2), key(clip={**CLIP, "transcript": "word"})}
    (tmp_path / "a.mp4").write_bytes(b"1")
    keys.add(key())
    (tmp_path / "a.mp4").write_bytes(b"22")
    keys.add(key())
    assert len(keys) == 5
    assert key() == key()
