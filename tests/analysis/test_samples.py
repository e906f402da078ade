import numpy as np
import pandas as pd

from sslmepr.analysis.samples import caption, sample_clips
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS


def clips():
    """Ten neutral clips and one of each other emotion."""
    emotions = np.vstack([np.eye(7)[[0] * 9], np.eye(7)])
    table = pd.DataFrame(emotions, columns=list(EMOTION_COLUMNS))
    table[list(TRAIT_COLUMNS)] = 0.5
    return table


def test_samples_cover_the_emotions_before_repeating_one():
    chosen = sample_clips(clips(), 7, seed=0)
    strongest = chosen[list(EMOTION_COLUMNS)].to_numpy().argmax(axis=1)
    assert sorted(strongest) == list(range(7))


def test_samples_are_the_same_for_the_same_seed():
    first, second = (sample_clips(clips(), 5, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_caption_names_emotions_and_the_two_traits_furthest_from_average():
    clip = clips().iloc[-1].copy()
    clip["trait_openness"], clip["trait_extraversion"] = 0.1, 0.7
    assert caption(clip) == "surprise 1.00\nopenness 0.10; extraversion 0.70"
