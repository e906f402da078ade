"""Associations against directions and self-reports."""

from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sslmepr.association.agreement import TOGETHER, compare_people, study_people
from sslmepr.association.cross_table import CrossAssociations
from sslmepr.association.disjoint_modalities import Tables
from sslmepr.association.grid import CELL, CELLS
from sslmepr.association.self_reports import (
    pooled_reports,
    read_directions,
    read_self_reports,
)
from sslmepr.association.sources import CROSS, PREDICTED_EMOTION, PREDICTED_TRAIT
from sslmepr.association.study_associations import Associations, associate, resample
from sslmepr.labels import SCORED_EMOTIONS, TRAITS

BOOK = Path(__file__).parents[2] / "book"
REPORTS = read_self_reports(BOOK / "self_reports.csv")
DIRECTIONS = read_directions(BOOK / "directions.csv")


def found(values):
    """An association table of an (emotion, trait) array."""
    table = pd.DataFrame(CELLS, columns=CELL)
    return table.assign(r=np.ravel(values), n_speakers=60)


def draws(values, spread, resamples=200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.concat(
        found(values + spread * rng.standard_normal((6, 5))).assign(resample=n)
        for n in range(resamples)
    )


def signs():
    wide = DIRECTIONS.pivot(index="emotion", columns="trait", values="sign")
    return wide.reindex(index=SCORED_EMOTIONS, columns=TRAITS).to_numpy(float)


def compare(values, reports=REPORTS, spread=0.03):
    return compare_people(
        found(values), draws(values, spread), reports, DIRECTIONS, 0.95, 0
    ).set_index(["comparison", "against"])


def test_all_signs_as_expected():
    values = 0.2 * np.nan_to_num(signs())
    row = compare(values).loc[("signs", "directions")]
    assert row["estimate"] == 1 and row["n_cells"] == 13
    expected = signs()
    hits = [
        (np.sign(values[list(order)]) == expected)[np.abs(expected) == 1].mean()
        for order in permutations(range(6))
    ]
    assert row["p_permutation"] == pytest.approx(np.mean(np.isclose(hits, 1)))
    assert row["low"] <= 1 and row["high"] == 1


def test_hits_are_counted_over_defined_cells_alone():
    values = 0.2 * np.nan_to_num(signs())
    happy, sad = SCORED_EMOTIONS.index("happiness"), SCORED_EMOTIONS.index("sadness")
    values[happy, TRAITS.index("extraversion")] = -0.1
    values[sad] = np.nan
    row = compare(values).loc[("signs", "directions")]
    assert row["n_cells"] == 10 and row["estimate"] == pytest.approx(0.9)


def test_halo_alone_hits_every_sign_but_not_by_permutation():
    """Happiness with all traits, every other emotion against all."""
    values = np.full((6, 5), -0.3)
    values[SCORED_EMOTIONS.index("happiness")] = 0.3
    row = compare(values).loc[("signs", "directions")]
    assert row["estimate"] == 1
    assert row["p_permutation"] == pytest.approx(1 / 6)


def test_pattern_is_the_correlation_over_common_cells():
    rng = np.random.default_rng(3)
    values = 0.2 * rng.standard_normal((6, 5))
    result = compare(values)
    for source, cells in (("costa1992", 20), ("rafaeli2006", 12)):
        human = pooled_reports(REPORTS[REPORTS["source"] == source])
        both = found(values).merge(human, on=["emotion", "trait"])
        row = result.loc[("pattern", source)]
        expected = np.corrcoef(both["r_x"], both["r_y"])[0, 1]
        assert row["estimate"] == pytest.approx(expected)
        assert row["n_cells"] == len(both) == cells
        assert row["low"] < row["estimate"] < row["high"]
        known = [
            CELLS.index(cell) for cell in zip(both.emotion, both.trait, strict=True)
        ]
        others = [np.ravel(values[list(o)])[known] for o in permutations(range(6))]
        r = [np.corrcoef(other, both["r_y"])[0, 1] for other in others]
        better = np.sum(np.array(r) >= expected - 1e-12)
        assert row["p_permutation"] == pytest.approx(better / 720)


def test_a_source_of_few_emotions_is_not_tested():
    row = compare(np.zeros((6, 5))).loc[("pattern", "revelle2025")]
    assert np.isnan(row["estimate"]) and row["n_cells"] == 10
    assert row["reason"] == "fewer than 4 emotions in common"


def test_pattern_interval_grows_with_the_sampling_error():
    """Of tables that are halved self-reports with an error of known size."""
    human = pooled_reports(REPORTS[REPORTS["source"] == "costa1992"])
    true = found(np.full((6, 5), np.nan)).merge(
        human, on=["emotion", "trait"], how="left"
    )
    true = 0.5 * true["r_y"].fillna(0).to_numpy().reshape(6, 5)
    rng = np.random.default_rng(0)
    widths = []
    for spread in (0.02, 0.08):
        values = true + spread * rng.standard_normal((6, 5))
        row = compare(values, spread=spread).loc[("pattern", "costa1992")]
        assert row["high"] < 1
        widths.append(row["high"] - row["low"])
    assert widths[0] < widths[1]


def test_control_is_the_mean_size_of_surprise():
    values = np.full((6, 5), 0.3)
    values[SCORED_EMOTIONS.index("surprise")] = [0.05, -0.05, 0.1, -0.1, np.nan]
    row = compare(values).loc[("control", "directions")]
    assert row["estimate"] == pytest.approx(0.075) and row["n_cells"] == 4
    assert row["p_permutation"] == pytest.approx(1 / 6)
    large = compare(-values[::-1]).loc[("control", "directions")]
    assert large["estimate"] == pytest.approx(0.3)
    assert large["p_permutation"] == 1


def test_nothing_defined_has_reasons():
    result = compare(np.full((6, 5), np.nan))
    assert result["estimate"].isna().all() and (result["reason"] != "").all()


def test_a_study_compares_every_table_of_enough_speakers(tiny):
    rng = np.random.default_rng(5)
    columns = [f"emotion_{e}" for e in SCORED_EMOTIONS] + [f"trait_{t}" for t in TRAITS]

    def tables(clips):
        table = pd.DataFrame(rng.standard_normal((clips, 11)), columns=columns)
        names = [f"s{n}" for n in range(clips)]
        return Tables(table.assign(clip_id=names, speaker_id=names), [])

    parts, drawn = [], {}
    for corpus, source, each in (
        ("a", PREDICTED_TRAIT, tables(60)),
        ("b", PREDICTED_EMOTION, tables(14)),
    ):
        mine = associate(each, source, tiny, ("clip", "between"))
        parts.append(mine.assign(corpus=corpus))
        drawn[corpus, source] = resample(each, tiny)
    known = pd.concat(parts)
    both = Associations(known, drawn)
    compared = study_people(both, tiny, REPORTS, DIRECTIONS)
    assert set(compared["corpus"]) == {"a"}
    raw = known[(known["corpus"] == "a") & (known["level"] == "clip")]
    alone = compare(raw["r"].to_numpy().reshape(6, 5))["estimate"]
    np.testing.assert_allclose(compared["estimate"], alone)
    values = 0.1 * rng.standard_normal((6, 5))
    crossed = found(values).assign(level="clip", source=CROSS)
    crossed = CrossAssociations(crossed, draws(values, 0.03), None)
    more = study_people(both, tiny, REPORTS, DIRECTIONS, crossed)
    first = more.iloc[: len(more) // 2]
    assert set(first["corpus"]) == {TOGETHER} and set(first["source"]) == {CROSS}
    np.testing.assert_allclose(first["estimate"], compare(values)["estimate"])
    pd.testing.assert_frame_equal(
        more.iloc[len(first) :].reset_index(drop=True), compared
    )
    few = Associations(known[known["corpus"] == "b"], drawn)
    nobody = study_people(few, tiny, REPORTS, DIRECTIONS)
    assert nobody.empty and list(nobody) == list(compared)
