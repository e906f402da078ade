import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.corpora.schema import COLUMNS, validate, write_clips
from sslmepr.features import FeatureStore, write_store
from sslmepr.labels import EMOTION_COLUMNS
from sslmepr.params.corpora import PublishedCorpus
from sslmepr.params.study import Roles
from sslmepr.training import batches
from sslmepr.training.batches import ModalityClips, Standardisation, balanced, bucketed
from sslmepr.training.clips import read_study_clips


@pytest.fixture
def data(study, small_params):
    folder, _ = study
    return ModalityClips(read_study_clips(small_params, folder), "text", folder)


def with_logs(sequence):
    """The sequence, and in a last column the logarithm of its length."""
    return np.hstack([sequence, np.full((len(sequence), 1), np.log(len(sequence)))])


def test_slopes_are_means_with_rising_weights(data):
    rows = data.present(np.arange(len(data.clips.table)))[::5]
    found = data.slopes(rows)
    for place in range(len(rows)):
        (values,), _ = data.padded(rows[place : place + 1])
        time = np.arange(len(values)) - (len(values) - 1) / 2
        time = time / (time.std() or 1.0)
        assert found[place] == pytest.approx(time @ values / len(values), abs=1e-5)


def test_padded_values_are_the_stored_sequences(study, data):
    folder, _ = study
    rows = data.present(np.arange(len(data.clips.table)))[::7]
    batch = data.batch(rows)
    assert batch.values.shape[:2] == batch.mask.shape
    assert len(set(batch.corpus.tolist())) == 3
    for place, row in enumerate(rows):
        clip = data.clips.table.iloc[row]
        store = FeatureStore.open(folder / clip["corpus"] / "features", "text")
        sequence = with_logs(store[clip["clip_id"]])
        statistics = data.statistics[clip["corpus"]]
        expected = (sequence - statistics.mean) / statistics.deviation
        length = int(batch.mask[place].sum())
        assert length == len(sequence) == data.lengths[row]
        found = batch.values[place, :length].numpy()
        assert found == pytest.approx(expected, abs=1e-5)
        assert not batch.values[place, length:].any()


def test_statistics_come_from_the_training_split_of_each_corpus(study, data):
    folder, _ = study
    for corpus in ("emotion", "personality"):
        store = FeatureStore.open(folder / corpus / "features", "text")
        rows = data.present(data.clips.rows(corpus, "train"))
        ids = data.clips.table["clip_id"].iloc[rows]
        steps = np.concatenate([with_logs(store[name]) for name in ids])
        assert data.statistics[corpus].mean == pytest.approx(steps.mean(0), abs=1e-4)
    # The held-out corpus has no training split: all of its clips.
    store = FeatureStore.open(folder / "joint" / "features", "text")
    everything = np.concatenate([with_logs(store[name]) for name in store.clip_ids])
    assert data.statistics["joint"].mean == pytest.approx(everything.mean(0), abs=1e-4)


def test_pieces_keep_the_order_and_fit_into_memory(data, monkeypatch):
    monkeypatch.setattr(batches, "MOST_STEPS", 40)
    rows = data.present(np.arange(len(data.clips.table)))
    pieces = data.pieces(rows, 5)
    assert np.concatenate(pieces).tolist() == rows.tolist()
    assert len({len(piece) for piece in pieces}) > 1
    for piece in pieces:
        padded = len(piece) * data.lengths[piece].max()
        assert len(piece) == 1 or (len(piece) <= 5 and padded <= 40)
    assert data.pieces(rows[:0]) == []


def test_a_corpus_may_be_standardised_by_speaker(tmp_path, small_params):
    """Two speakers, one in training, one in dev, each with clips of its own level."""
    table = pd.DataFrame(
        {
            "clip_id": ["a", "b", "c", "d"],
            "speaker_id": ["x", "x", "y", "y"],
            "split": ["train", "train", "dev", "dev"],
            "transcript": "words",
            **dict.fromkeys(EMOTION_COLUMNS, 0.0),
        }
    ).reindex(columns=list(COLUMNS))
    write_clips(validate(table, "four clips"), tmp_path / "lines" / "corpus")
    sequences = [
        (name, np.array([[level], [level + 2]], np.float32))
        for name, level in (("a", 1), ("b", 5), ("c", 101), ("d", 109))
    ]
    write_store(tmp_path / "lines" / "features", "text", sequences, "drawn", "1")
    lines = PublishedCorpus(source="meld", path="lines", standardise="speaker")
    params = small_params.model_copy(
        update={
            "corpus": {"lines": lines},
            "roles": Roles(emotion="lines", personality="lines", held_out="lines"),
        }
    )
    data = ModalityClips(read_study_clips(params, tmp_path), "text", tmp_path)
    assert list(data.statistics) == ["lines/x", "lines/y"]
    values, mask = data.padded(np.arange(4))
    # x: 1 3 5 7, y: 101 103 109 111; both clips have two steps.
    expected = [[-3, -1], [1, 3]] / np.sqrt(5), [[-5, -3], [3, 5]] / np.sqrt(17)
    assert values[..., 0] == pytest.approx(np.concatenate(expected), abs=1e-5)
    assert mask.all() and not values[..., 1].any()


def test_clips_without_the_modality_are_left_out(study, data):
    folder, _ = study
    for row in np.flatnonzero(data.lengths == 0):
        clip = data.clips.table.iloc[row]
        store = FeatureStore.open(folder / clip["corpus"] / "features", "text")
        assert clip["clip_id"] not in store
    present = data.present(np.arange(len(data.lengths)))
    assert 0 < len(present) < len(data.lengths)


def test_labels_are_missing_where_another_task_or_the_test_split_is(data):
    table = data.clips.table
    for task in ("emotion", "personality"):
        known = data.clips.labelled(task)
        assert set(table["corpus"][known]) == {task}
        assert set(table["split"][known]) == {"train", "dev"}
    batch = data.batch(data.present(data.clips.rows("emotion", "train"))[:4])
    assert batch.labels["personality"].isnan().all()
    assert not batch.labels["emotion"].isnan().any()


def test_offset_logits_travel_with_their_clips(data):
    everyone = data.present(np.arange(len(data.lengths)))
    rows = everyone[::3][np.random.default_rng(0).permutation(20)]
    logits = np.outer(rows, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert data.batch(rows).offset_logits == {}
    data.set_offset_logits("personality", rows, logits)
    batch = data.batch(rows[[4, 0, 7]])
    assert list(batch.offset_logits) == ["personality"]
    assert batch.offset_logits["personality"].dtype == torch.float32
    assert batch.offset_logits["personality"].tolist() == logits[[4, 0, 7]].tolist()
    assert data.batch(everyone[1::3]).offset_logits["personality"].isnan().all()
    data.set_offset_logits("personality", rows[:1], torch.ones(1, 5))
    batch = data.batch(rows[:2])
    assert batch.offset_logits["personality"].isnan().tolist() == [
        [False] * 5,
        [True] * 5,
    ]


def test_pooled_is_the_mean_over_real_steps(data, monkeypatch):
    monkeypatch.setattr(batches, "MOST_STEPS", 40)
    rows = data.present(np.arange(20))
    values, mask = data.padded(rows)
    expected = [v[m].mean(0) for v, m in zip(values, mask, strict=True)]
    assert data.pooled(rows) == pytest.approx(np.array(expected), abs=1e-5)


def test_what_a_probe_reads_may_include_the_largest_values(data, monkeypatch):
    monkeypatch.setattr(batches, "MOST_STEPS", 40)
    rows = data.present(np.arange(20))
    values, mask = data.padded(rows)
    mean = np.array([v[m].mean(0) for v, m in zip(values, mask, strict=True)])
    largest = np.array([v[m].max(0) for v, m in zip(values, mask, strict=True)])
    assert data.summary(rows, False) == pytest.approx(mean, abs=1e-5)
    expected = np.hstack([mean, largest])
    assert data.summary(rows, True) == pytest.approx(expected, abs=1e-5)


def test_standardisation_by_hand_and_of_a_constant_feature():
    values = np.array([[1.0, 5.0], [3.0, 5.0]], np.float16)
    found = Standardisation.fit([values])
    assert found.mean.tolist() == [2, 5] and found.deviation.tolist() == [1, 1]
    assert found.apply(values).tolist() == [[-1, 0], [1, 0]]
    other = Standardisation(np.array([4.0, 5.0]), np.array([3.0, 1.0]))
    pooled = Standardisation.pooled([found, other])
    assert pooled.mean.tolist() == [3, 5] and pooled.deviation.tolist() == [2, 1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.integers(0, 99))
def test_statistics_of_pieces_are_those_of_the_whole(sizes, seed):
    rng = np.random.default_rng(seed)
    pieces = [rng.normal(1000, [1, 5, 0], (size, 3)) for size in [*sizes, 2]]
    found, values = Standardisation.fit(iter(pieces)), np.concatenate(pieces)
    assert found.mean == pytest.approx(values.mean(0), rel=1e-6)
    assert found.deviation[:2] == pytest.approx(values.std(0)[:2], rel=1e-5)
    assert found.deviation[2] == 1


def test_no_values_are_an_error():
    with pytest.raises(ValueError, match="no values"):
        Standardisation.fit([np.zeros((0, 3))])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 200), st.integers(1, 33), st.integers(0, 99))
def test_every_clip_once_per_epoch_and_the_same_for_a_seed(count, size, seed):
    rows = np.arange(count) + 5
    lengths = np.random.default_rng(seed).integers(1, 30, count + 5)
    first, second = (
        bucketed(rows, lengths, size, np.random.default_rng(seed)) for _ in range(2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert sorted(np.concatenate(first)) == rows.tolist()
    assert max(map(len, first)) <= size


def test_buckets_save_padding():
    lengths = np.random.default_rng(0).integers(1, 100, 640)
    rows = np.arange(640)

    def steps(batches):
        return sum(len(batch) * lengths[batch].max() for batch in batches)

    random = np.split(np.random.default_rng(1).permutation(rows), 20)
    batches = bucketed(rows, lengths, 32, np.random.default_rng(1))
    assert steps(batches) < 0.7 * steps(random)


def test_balanced_batches_hold_both_corpora_equally():
    groups = [np.arange(10), np.arange(100, 140)]
    batches = balanced(groups, np.ones(140), 8, np.random.default_rng(0))
    assert len(batches) == 10
    for batch in batches:
        assert (batch < 100).sum() == (batch >= 100).sum() == 4
    found, counts = np.unique(np.concatenate(batches), return_counts=True)
    assert found.tolist() == [*range(10), *range(100, 140)]
    assert counts.tolist() == [4] * 10 + [1] * 40


def test_features_of_two_encoders_are_an_error(study, small_params, tmp_path):
    import shutil

    folder, _ = study
    for corpus in ("emotion", "personality", "joint"):
        shutil.copytree(folder / corpus, tmp_path / corpus)
    clips = read_study_clips(small_params, tmp_path)
    name = clips.table["clip_id"].iloc[clips.rows("personality")[0]]
    write_store(
        tmp_path / "personality" / "features",
        "text",
        [(name, np.ones((2, 12)))],
        "another",
        "1",
    )
    with pytest.raises(ValueError, match="text: one encoder must have made"):
        ModalityClips(clips, "text", tmp_path)


def test_a_corpus_may_lack_the_modality(study, small_params, tmp_path):
    import shutil

    folder, _ = study
    for corpus in ("emotion", "personality", "joint"):
        shutil.copytree(folder / corpus, tmp_path / corpus)
    (tmp_path / "joint" / "features" / "text.safetensors").unlink()
    data = ModalityClips(read_study_clips(small_params, tmp_path), "text", tmp_path)
    assert not data.lengths[data.clips.rows("joint")].any()
    assert set(data.statistics) == {"emotion", "personality"}
    assert isinstance(data.batch(np.array([0])).values, torch.Tensor)
