import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from sslmepr.features import FeatureError, FeatureStore, write_store


def sequences_of(lengths, width, seed=0):
    rng = np.random.default_rng(seed)
    return [
        (f"clip {i}", rng.normal(size=(length, width)).astype(np.float32))
        for i, length in enumerate(lengths)
    ]


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), max_size=8),
    width=st.integers(1, 7),
    seed=st.integers(0, 100),
)
def test_round_trip(tmp_path_factory, lengths, width, seed):
    folder = tmp_path_factory.mktemp("store")
    sequences = sequences_of(lengths, width, seed)
    write_store(folder, "audio", iter(sequences), "name", "abc", feature_count=width)
    store = FeatureStore.open(folder, "audio")
    assert store.clip_ids == [clip_id for clip_id, _ in sequences]
    assert len(store) == len(lengths) and store.feature_count == width
    assert (store.encoder, store.revision) == ("name", "abc")
    assert np.diff(store.offsets).tolist() == lengths
    for clip_id, values in sequences:
        assert clip_id in store
        assert store[clip_id].dtype == np.float32
        np.testing.assert_array_equal(store[clip_id], values.astype(np.float16))
    # the library that owns the format reads the same
    tensors = load_file(folder / "audio.safetensors")
    np.testing.assert_array_equal(tensors["values"], store.values)
    np.testing.assert_array_equal(tensors["offsets"], store.offsets)


def test_opening_maps_the_values(tmp_path):
    write_store(tmp_path, "text", sequences_of([3, 4], 5), "name", "abc")
    store = FeatureStore.open(tmp_path, "text")
    assert isinstance(store.values, np.memmap)
    assert store.values.shape == (7, 5) and store.values.dtype == np.float16
    assert not store.values.flags.writeable


def test_table_carries_what_else_is_known(tmp_path):
    extra = pd.DataFrame({"clip_id": ["clip 1", "clip 0"], "detected": [2, 3]})
    write_store(tmp_path, "face", sequences_of([3, 2], 4), "name", "abc", extra)
    table = FeatureStore.open(tmp_path, "face").table
    assert table["detected"].tolist() == [3, 2]
    assert table["steps"].tolist() == [3, 2]
    assert table["encoder"].unique().tolist() == ["name"]


def test_same_input_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_store(tmp_path / name, "text", sequences_of([3, 4], 5), "name", "abc")
    for file in ("text.safetensors", "text.parquet"):
        first, second = (tmp_path / name / file for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "text.parquet",
        "text.safetensors",
    ]


def test_unknown_clip(tmp_path):
    write_store(tmp_path, "text", sequences_of([3], 5), "name", "abc")
    store = FeatureStore.open(tmp_path, "text")
    assert "other" not in store
    with pytest.raises(FeatureError, match="text.safetensors: has no clip 'other'"):
        store["other"]


def test_damaged_files(tmp_path):
    with pytest.raises(FeatureError, match="no such features"):
        FeatureStore.open(tmp_path, "text")
    write_store(tmp_path, "text", sequences_of([3, 4], 5), "name", "abc")
    path = tmp_path / "text.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(FeatureError, match="is cut short"):
        FeatureStore.open(tmp_path, "text")
    for damaged in (b"", content[:20], b"x" * 100, content[:8] + b"[]" + content[10:]):
        path.write_bytes(damaged)
        with pytest.raises(FeatureError, match="is not a safetensors file"):
            FeatureStore.open(tmp_path, "text")


def test_table_of_other_clips(tmp_path):
    write_store(tmp_path, "text", sequences_of([3, 4], 5), "name", "abc")
    write_store(tmp_path, "audio", sequences_of([3, 5], 5), "name", "abc")
    (tmp_path / "audio.parquet").replace(tmp_path / "text.parquet")
    with pytest.raises(FeatureError, match="does not list the 2 clips"):
        FeatureStore.open(tmp_path, "text")


def test_features_of_another_encoder_are_not_taken(tmp_path):
    write_store(tmp_path, "text", sequences_of([3, 4], 5), "name", "abc")
    assert len(FeatureStore.open(tmp_path, "text", ("name", "abc"))) == 2
    for other in (("other", "abc"), ("name", "def")):
        expected = f"made by name abc, where features of {' '.join(other)} are expected"
        with pytest.raises(FeatureError, match=f"text.safetensors: was {expected}"):
            FeatureStore.open(tmp_path, "text", other)
    # the same clips and lengths by another encoder, of which only one file was copied
    write_store(tmp_path / "b", "text", sequences_of([3, 4], 5), "other", "abc")
    (tmp_path / "b" / "text.parquet").replace(tmp_path / "text.parquet")
    with pytest.raises(FeatureError, match="made by name abc, where .* of other abc"):
        FeatureStore.open(tmp_path, "text")


def test_no_features_are_nobodys(tmp_path):
    write_store(tmp_path, "text", [], "name", "", feature_count=5)
    assert len(FeatureStore.open(tmp_path, "text", ("name", "abc"))) == 0


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([("a", np.ones((2, 3))), ("a", np.ones((2, 3)))], "clip 'a' comes twice"),
        ([("a", np.ones((0, 3)))], r"shape \(0, 3\)"),
        ([("a", np.ones(3))], r"shape \(3,\)"),
        ([("a", np.ones((2, 3))), ("b", np.ones((2, 4)))], "has 4 features, not 3"),
        ([("a", np.full((2, 3), 1e6))], "beyond float16"),
        ([("a", np.full((2, 3), np.nan))], "beyond float16"),
    ],
)
def test_what_is_not_written(tmp_path, sequences, message):
    with pytest.raises(FeatureError, match=message):
        write_store(tmp_path, "text", sequences, "name", "abc")
