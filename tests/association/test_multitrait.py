"""The multitrait-multimethod matrix against loops, and HTMT against known worlds."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from sslmepr.association.disjoint_modalities import CORRELATED
from sslmepr.association.multitrait import (
    CUTOFF,
    MeasurementError,
    Multitrait,
    UnimodalScores,
    convergent_table,
    htmt_table,
    multitrait,
    study_multitrait,
    unimodal_scores,
)

NAMES = ["face", "audio", "text"]
COUNT = len(CORRELATED)


def measured(rng, clips=60, per_speaker=2, missing=0.2, noise=0.6, latents=None):
    """Scores of three modalities that read eleven constructs with errors."""
    if latents is None:
        latents = rng.standard_normal((clips, COUNT))
    scores = latents[:, None] + noise * rng.standard_normal((len(latents), 3, COUNT))
    scores[rng.random((len(latents), 3)) < missing] = np.nan
    speakers = np.array([f"s{n // per_speaker}" for n in range(len(latents))])
    return UnimodalScores(scores, NAMES, speakers)


def by_pandas(scores):
    """The matrix as pandas correlates columns, over the clips that have both."""
    flat = pd.DataFrame(scores.reshape(len(scores), -1))
    return flat.corr().to_numpy().reshape(3, COUNT, 3, COUNT)


def test_the_matrix_is_that_of_pandas():
    given = measured(np.random.default_rng(0))
    found = multitrait(given, 3, 1)
    assert found.matrix.shape == (4, 3, COUNT, 3, COUNT)
    np.testing.assert_allclose(found.matrix[0], by_pandas(given.scores))
    assert (found.n, found.n_speakers) == (60, 30)


def test_replicates_leave_out_one_of_few_speakers():
    """Fewer than fifteen speakers: the jackknife, which is easy to do by hand."""
    given = measured(np.random.default_rng(1), clips=40, per_speaker=4)
    found = multitrait(given, 3, 1)
    names = np.unique(given.speakers)
    assert len(found.matrix) == 1 + len(names)
    for place, name in enumerate(names):
        rest = by_pandas(given.scores[given.speakers != name])
        np.testing.assert_allclose(found.matrix[1 + place], rest)


def test_each_kind_of_cells_is_averaged_by_hand():
    given = measured(np.random.default_rng(2))
    found = multitrait(given, 20, 1)
    table = convergent_table(found, 0.95).set_index("construct")
    matrix = found.matrix[0]
    pairs = [(m, k) for m in range(3) for k in range(3) if m != k]
    i = CORRELATED.index("extraversion")
    others = [j for j in range(COUNT) if j != i]
    row = table.loc["extraversion"]
    own = [matrix[m, i, k, i] for m, k in pairs]
    assert row["convergent"] == pytest.approx(np.mean(own))
    apart = [abs(matrix[m, i, k, j]) for m, k in pairs for j in others]
    assert row["heteromethod"] == pytest.approx(np.mean(apart))
    together = [abs(matrix[m, i, m, j]) for m in range(3) for j in others]
    assert row["monomethod"] == pytest.approx(np.mean(together))
    larger = [
        matrix[m, i, k, i] > abs(other)
        for m, k in pairs
        for j in others
        for other in (matrix[m, i, k, j], matrix[m, j, k, i])
    ]
    assert row["exceeds"] == pytest.approx(np.mean(larger))
    assert row["low"] < row["convergent"] < row["high"]


def test_crops_of_one_picture_are_no_different_methods():
    """Face and body share errors that voice does not have."""
    given = measured(np.random.default_rng(8), clips=400, missing=0.0)
    shared = np.random.default_rng(9).standard_normal((400, 1, COUNT))
    scores = given.scores + shared * np.array([1.0, 1.0, 0.0])[:, None]
    found = multitrait(
        UnimodalScores(scores, ["face", "body", "audio"], given.speakers), 3, 1
    )
    matrix = found.matrix[0]
    table = convergent_table(found, 0.95)
    own = [np.diag(matrix[m, :, 2]) for m in (0, 1)]
    np.testing.assert_allclose(table["convergent"], np.mean(own, 0))
    apart = [matrix[m, 0, k, 1] for m, k in ((0, 2), (1, 2), (2, 0), (2, 1))]
    ratio = np.mean(apart) / np.sqrt(np.prod(table["convergent"][:2]))
    assert htmt_table(found, 0.95)["htmt"].iloc[0] == pytest.approx(ratio)
    camera = UnimodalScores(scores, ["face", "body", "scene"], given.speakers)
    with pytest.raises(MeasurementError, match="the same sensor"):
        multitrait(camera, 3, 1)


def by_hand(matrix, i, j):
    """HTMT as Henseler et al. define it, over pairs of different methods."""
    pairs = [(m, k) for m in range(3) for k in range(3) if m < k]
    hetero = [matrix[m, i, k, j] for m, k in pairs + [(k, m) for m, k in pairs]]
    mono = [np.mean([matrix[m, c, k, c] for m, k in pairs]) for c in (i, j)]
    return np.mean(hetero) / np.sqrt(mono[0] * mono[1])


def test_htmt_by_hand():
    found = multitrait(measured(np.random.default_rng(3)), 20, 1)
    table = htmt_table(found, 0.95)
    assert len(table) == 55 and (table["reason"] == "").all()
    for place in (0, 17, 54):
        row = table.iloc[place]
        i, j = (CORRELATED.index(row[name]) for name in ("construct", "other"))
        assert row["htmt"] == pytest.approx(by_hand(found.matrix[0], i, j))


def test_htmt_is_the_correlation_without_error_and_finds_what_is_one():
    """Two constructs that correlate by -.5, two that are the same, and independent."""
    rng = np.random.default_rng(4)
    latents = rng.standard_normal((4000, COUNT))
    latents[:, 1] = -0.5 * latents[:, 0] + np.sqrt(0.75) * latents[:, 1]
    latents[:, 3] = latents[:, 2]
    given = measured(rng, noise=1.0, missing=0.0, latents=latents)
    table = htmt_table(multitrait(given, 100, 1), 0.95)
    table = table.set_index(["construct", "other"])
    related = table.loc[(CORRELATED[0], CORRELATED[1])]
    assert related["htmt"] == pytest.approx(-0.5, abs=0.06)
    assert related["below"] and related["distinct"]
    one = table.loc[(CORRELATED[2], CORRELATED[3])]
    assert one["htmt"] == pytest.approx(1, abs=0.05)
    assert not one["below"] and not one["distinct"]
    unrelated = table.loc[(CORRELATED[4], CORRELATED[5])]
    assert unrelated["low"] < 0 < unrelated["high"]
    assert abs(unrelated["htmt"]) < CUTOFF


def test_errors_of_one_modality_do_not_count():
    """A look that colours all constructs of a modality, and no other modality."""
    rng = np.random.default_rng(5)
    given = measured(rng, clips=3000, missing=0.0)
    coloured = given.scores + 2 * rng.standard_normal((3000, 3, 1))
    found = multitrait(given._replace(scores=coloured), 50, 1)
    table = convergent_table(found, 0.95)
    assert (table["monomethod"] > 0.6).all()
    assert (table["heteromethod"] < 0.05).all()
    assert (htmt_table(found, 0.95)["htmt"].abs() < 0.5).all()


def test_where_modalities_disagree_htmt_is_undefined_and_says_so():
    found = multitrait(measured(np.random.default_rng(6)), 20, 1)
    matrix = found.matrix.copy()
    for m in range(3):
        for k in range(3):
            if m != k:
                matrix[:, m, 0, k, 0] = -0.1
    table = htmt_table(Multitrait(matrix, NAMES, 60, 30), 0.95)
    first = table[table["construct"] == CORRELATED[0]]
    assert first["htmt"].isna().all() and not first["distinct"].any()
    assert (first["reason"] == f"modalities do not agree on {CORRELATED[0]}").all()
    assert table.iloc[20]["reason"] == ""


def test_a_constant_score_is_left_out_of_the_means():
    given = measured(np.random.default_rng(7), missing=0.0)
    scores = given.scores.copy()
    scores[:, 0, 0] = 0.3
    found = multitrait(given._replace(scores=scores), 5, 1)
    assert np.isnan(found.matrix[0, 0, 0]).all()
    row = convergent_table(found, 0.95).iloc[0]
    assert row["convergent"] == pytest.approx(found.matrix[0, 1, 0, 2, 0])


def predictions(rng, modalities=NAMES, clips=12, corpus="joint"):
    rows = [
        (f"c{n:02d}", corpus, stage, name, target, expit(rng.standard_normal()))
        for n in range(clips)
        for stage in ("unimodal", "crosstask")
        for name in modalities
        for target in (*CORRELATED, "neutral")
    ]
    columns = ["clip_id", "corpus", "stage", "modality", "target", "predicted"]
    return pd.DataFrame(rows, columns=columns)


def test_scores_are_logits_of_stage_one():
    table = predictions(np.random.default_rng(8), modalities=["text", "face"])
    lacking = (table["clip_id"] == "c03") & (table["modality"] == "text")
    speakers = pd.Series({f"c{n:02d}": f"s{n // 2}" for n in range(12)})
    found = unimodal_scores(table[~lacking], speakers)
    assert found.modalities == ["face", "text"]
    assert np.isnan(found.scores[3, 1]).all() and np.isfinite(found.scores[3, 0]).all()
    cell = table.query(
        "clip_id == 'c05' & stage == 'unimodal' & modality == 'text' "
        "& target == 'sadness'"
    )["predicted"].item()
    place = CORRELATED.index("sadness")
    assert found.scores[5, 1, place] == pytest.approx(np.log(cell / (1 - cell)))
    assert list(found.speakers) == [f"s{n // 2}" for n in range(12)]


@pytest.mark.parametrize(
    ("names", "each", "told"),
    [
        (["text"], 1, "and 1 predicted clips"),
        ([], 1, "and 0 predicted clips"),
        (NAMES, 6, "2 speakers have clips with two"),
    ],
)
def test_a_study_that_cannot_be_compared_says_why(names, each, told, settings):
    table = predictions(np.random.default_rng(9), modalities=names)
    speakers = pd.Series({f"c{n:02d}": f"s{n // each}" for n in range(12)})
    with pytest.raises(MeasurementError, match=told):
        unimodal_scores(table, speakers)
    clips = speakers.rename("speaker_id").rename_axis("clip_id").reset_index()
    clips = clips.assign(corpus="joint", part="joint")
    found, refused = study_multitrait(settings, table, clips)
    assert found is None and told in refused


def test_only_held_out_clips_are_compared(settings):
    rng = np.random.default_rng(10)
    tables = [predictions(rng), predictions(rng, corpus="emotion")]
    clips = pd.DataFrame({"clip_id": [f"c{n:02d}" for n in range(12)]})
    clips = clips.assign(speaker_id=clips["clip_id"])
    both = pd.concat(
        [clips.assign(corpus=name, part=name) for name in ("joint", "emotion")]
    )
    found, refused = study_multitrait(settings, pd.concat(tables), both)
    alone, _ = study_multitrait(settings, tables[0], both)
    assert refused == "" and found.n == 12
    np.testing.assert_array_equal(found.matrix, alone.matrix)
