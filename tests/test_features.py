import json

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


LENGTHS, WIDTH = [3, 4, 3], 5


@pytest.fixture
def stored(tmp_path):
    """A store of three clips, the first and last of one length."""
    write_store(tmp_path, "text", sequences_of(LENGTHS, WIDTH), "name", "abc")
    return tmp_path


def refused(folder, modality="text"):
    """The error with which a damaged store is refused."""
    with pytest.raises(FeatureError) as caught:
        FeatureStore.open(folder, modality)
    message = str(caught.value)
    assert message.startswith(str(folder / modality))
    assert message.endswith("extract the features again")
    return message


def test_absent_files(tmp_path):
    assert "text.safetensors: there are no such features" in refused(tmp_path)
    write_store(tmp_path, "text", sequences_of([3, 4], 5), "name", "abc")
    (tmp_path / "text.parquet").unlink()
    assert "text.parquet: there are no such features" in refused(tmp_path)


def with_header(change):
    """Damage to the header of a safetensors file, which stays valid JSON."""

    def damage(content):
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        change(header)
        text = json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + content[8 + size :]

    return damage


def with_offsets(*offsets):
    """Damage to the numbers that say where clips begin."""

    def damage(content):
        begin = 8 + int.from_bytes(content[:8], "little")
        values = np.array(offsets, "<i8").tobytes()
        return content[:begin] + values + content[begin + len(values) :]

    return damage


def swapped(header):
    for entry in ("values", "offsets"):
        header[f"other {entry}"] = header.pop(entry)


DAMAGE = {
    "empty": lambda content: b"",
    "length alone": lambda content: content[:8],
    "half a header": lambda content: content[:20],
    "half the values": lambda content: content[:-35],
    "a byte short": lambda content: content[:-1],
    "bytes too many": lambda content: content + b"more",
    "text": lambda content: b"x" * 100,
    "zeros": lambda content: bytes(len(content)),
    "length beyond the file": lambda content: b"\xff" * 8 + content[8:],
    "a list for a header": lambda content: content[:8] + b"[]" + content[10:],
    "no UTF-8": lambda content: content[:9] + b"\xff\xfe" + content[11:],
    "other names": with_header(swapped),
    "one tensor only": with_header(lambda header: header.pop("offsets")),
    "unknown type": with_header(lambda header: header["values"].update(dtype="F99")),
    "type of other size": with_header(lambda h: h["values"].update(dtype="F32")),
    "type of like size": with_header(lambda h: h["values"].update(dtype="BF16")),
    "shape too large": with_header(lambda h: h["values"].update(shape=[99, WIDTH])),
    "negative shape": with_header(lambda h: h["values"].update(shape=[-10, WIDTH])),
    "shape turned": with_header(lambda h: h["values"].update(shape=[WIDTH, 10])),
    "shape flat": with_header(lambda h: h["values"].update(shape=[50])),
    "place beyond the file": with_header(
        lambda header: header["values"].update(data_offsets=[32, 10**9])
    ),
    "places swapped": with_header(
        lambda header: header["values"].update(data_offsets=[132, 32])
    ),
    "no metadata": with_header(lambda header: header.pop("__metadata__")),
    "no encoder": with_header(lambda header: header["__metadata__"].pop("encoder")),
    "another modality": with_header(
        lambda header: header["__metadata__"].update(modality="audio")
    ),
    "other clips": with_header(
        lambda header: header["__metadata__"].update(clips="0" * 16)
    ),
    "offsets not from zero": with_offsets(1, 3, 7, 10),
    "offsets beyond the values": with_offsets(0, 3, 7, 11),
    "offsets falling": with_offsets(0, 7, 3, 10),
    "an empty clip": with_offsets(0, 3, 3, 10),
    "negative offsets": with_offsets(0, -3, 7, 10),
    "boundaries moved": with_offsets(0, 4, 7, 10),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_refused(stored, name):
    path = stored / "text.safetensors"
    path.write_bytes(DAMAGE[name](path.read_bytes()))
    refused(stored)


TABLE_DAMAGE = {
    "no rows": lambda table: table[:0],
    "a row less": lambda table: table[1:],
    "a row twice": lambda table: table.iloc[[0, 1, 2, 2]],
    "clips of one length swapped": lambda table: table.assign(
        clip_id=table["clip_id"].to_numpy()[::-1]
    ),
    "a clip renamed": lambda table: table.replace({"clip_id": {"clip 1": "other"}}),
    "numbers for ids": lambda table: table.assign(clip_id=range(3)),
    "no ids": lambda table: table.assign(clip_id=None),
    "other steps": lambda table: table.assign(steps=[4, 3, 3]),
    "words for steps": lambda table: table.assign(steps="three"),
    "no steps": lambda table: table.assign(steps=np.nan),
    "another encoder": lambda table: table.assign(encoder="other"),
    "no encoder": lambda table: table.assign(encoder=None),
    **{
        f"no column {name}": lambda table, name=name: table.drop(columns=name)
        for name in ("clip_id", "encoder", "revision", "steps")
    },
}


@pytest.mark.parametrize("name", TABLE_DAMAGE)
def test_a_table_that_does_not_match_is_refused(stored, name):
    path = stored / "text.parquet"
    TABLE_DAMAGE[name](pd.read_parquet(path)).to_parquet(path, index=False)
    with pytest.raises(FeatureError, match="extract the features again"):
        FeatureStore.open(stored, "text")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"x" * 500])
def test_what_is_no_table_is_refused(stored, content):
    (stored / "text.parquet").write_bytes(content)
    assert "text.parquet: is damaged" in refused(stored)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_damage_opens_wrongly(tmp_path_factory, data):
    """Bytes overwritten or cut off: refused, or whole in all but the values."""
    folder = tmp_path_factory.mktemp("store")
    write_store(folder, "text", sequences_of(LENGTHS, WIDTH), "name", "abc")
    whole = FeatureStore.open(folder, "text")
    path = folder / data.draw(st.sampled_from(["text.safetensors", "text.parquet"]))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place] = data.draw(st.integers(0, 255))
    path.unlink()  # `whole` maps the old one
    path.write_bytes(content)
    try:
        store = FeatureStore.open(folder, "text", ("name", "abc"))
    except FeatureError as error:
        assert str(folder) in str(error)
        return
    assert store.clip_ids == whole.clip_ids
    assert store.offsets.tolist() == whole.offsets.tolist()
    assert store.values.shape == whole.values.shape


def test_numbers_that_were_never_written(stored):
    path = stored / "text.safetensors"
    content = bytearray(path.read_bytes())
    content[-2:] = np.float16(np.nan).tobytes()
    path.write_bytes(content)
    store = FeatureStore.open(stored, "text")
    assert np.isfinite(store["clip 0"]).all()
    with pytest.raises(FeatureError, match="clip 'clip 2' is damaged; extract"):
        store["clip 2"]


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


def test_features_with_names_keep_their_digits(tmp_path):
    """They are in units of their own: loud or faint ones leave float16."""
    columns = ["F0", "AU12_r"]
    values = np.array([[1.2345678e6, 1e-9], [-3.5, 7.0]], np.float32)
    write_store(tmp_path, "face", [("a", values)], "openface", "1", columns=columns)
    store = FeatureStore.open(tmp_path, "face")
    assert store.columns == ("F0", "AU12_r") and store.feature_count == 2
    assert store.values.dtype == np.float32
    np.testing.assert_array_equal(store["a"], values)
    tensors = load_file(tmp_path / "face.safetensors")
    np.testing.assert_array_equal(tensors["values"], values)
    write_store(tmp_path, "face", [("a", values[:, 1:])], "encoder", "1")
    assert FeatureStore.open(tmp_path, "face").columns is None


def test_names_without_features(tmp_path):
    write_store(tmp_path, "face", [], "openface", "1", columns=["a", "b", "c"])
    store = FeatureStore.open(tmp_path, "face")
    assert len(store) == 0 and store.feature_count == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((2, 3)), "clip 'a' has 3 features, not 2"),
        (np.full((1, 2), 1e39), "no numbers or beyond float32"),
        (np.full((1, 2), np.nan), "no numbers or beyond float32"),
    ],
)
def test_sequences_that_do_not_fit_their_names(tmp_path, values, message):
    with pytest.raises(FeatureError, match=message):
        write_store(tmp_path, "face", [("a", values)], "t", "1", columns=["a", "b"])
