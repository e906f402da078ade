import numpy as np
import pytest

from sslmepr.analysis import resampling


def test_speakers_are_numbered_by_name_and_summed():
    index, count = resampling.speaker_index(["b", "a", "b", "c"])
    assert index.tolist() == [1, 0, 1, 2] and count == 3
    values = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]])
    sums = resampling.sum_by_speaker(values, index, count)
    assert sums.tolist() == [[2, 20], [4, 40], [4, 40]]


def test_a_clip_without_speaker_is_named():
    with pytest.raises(ValueError, match="clip number 1 has no speaker"):
        resampling.speaker_index(["a", None])


def test_every_resample_draws_as_many_speakers_and_chunks_change_nothing(monkeypatch):
    whole = np.concatenate(list(resampling.speaker_counts(7, 50, seed=3)))
    assert whole.shape == (50, 7) and (whole.sum(axis=1) == 7).all()
    assert whole.mean() == 1 and whole.var() == pytest.approx(6 / 7, rel=0.2)
    monkeypatch.setattr(resampling, "LARGEST_CHUNK", 20)
    chunks = list(resampling.speaker_counts(7, 50, seed=3))
    assert len(chunks) == 25
    np.testing.assert_array_equal(np.concatenate(chunks), whole)


def test_interval_is_wider_than_percentiles_for_few_speakers():
    draws = np.random.default_rng(0).standard_normal((20000, 1))
    few = np.ravel(resampling.bootstrap_interval(draws, 0.95, 10))
    many = np.ravel(resampling.bootstrap_interval(draws, 0.95, 100000))
    np.testing.assert_allclose(few, [-2.385, 2.385], atol=0.1)  # t(9) * sqrt(10 / 9)
    np.testing.assert_allclose(many, [-1.96, 1.96], atol=0.06)


def test_interval_needs_nine_tenths_of_the_draws_and_two_speakers():
    draws = np.tile(np.arange(100.0)[:, None], 2)
    draws[:11, 1] = np.nan
    low, high = resampling.bootstrap_interval(draws, 0.5, 50)
    assert np.isfinite(low[0]) and np.isnan(low[1]) and np.isnan(high[1])
    assert np.isnan(resampling.bootstrap_interval(draws, 0.5, 1)).all()
