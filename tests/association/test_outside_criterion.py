"""Notes, predictions of the same clips and self-reports stand in one table."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.association.outside_criterion import outside_criterion
from sslmepr.association.sources import NOTED, PREDICTED
from sslmepr.labels import SCORED_EMOTIONS, TARGETS, TRAITS

CLIPS = [f"c{place:02d}" for place in range(40)]
SPEAKERS = pd.Series([f"v{place // 2}" for place in range(40)], CLIPS)
REPORTS = pd.DataFrame(
    {"emotion": "happiness", "trait": "extraversion", "r": [0.6, 0.1, 0.1]}
    | {"n": [103, 403, 403], "source": ["costa1992", "rafaeli2006", "rafaeli2006"]}
    | {"kind": ["trait", "state", "state"]}
)


def noted():
    cells = [(e, t) for e in SCORED_EMOTIONS for t in TRAITS]
    table = pd.DataFrame(cells, columns=["emotion", "trait"])
    return table.assign(
        r=0.2, low=0.1, high=0.3, interval="expanded_percentile", n=40, n_speakers=20
    )


def predictions(settings):
    """Predicted happiness is extraversion; a clip without notes would spoil it."""
    rng = np.random.default_rng(2)
    ids = [*CLIPS, "other"]
    rows = []
    for task, targets in TARGETS.items():
        values = rng.random((len(ids), len(targets)))
        if task == "emotion":
            happiness = values[:, targets.index("happiness")].copy()
        else:
            values[:, targets.index("extraversion")] = happiness
        values[-1] = 50.0 if task == "emotion" else 0.0
        for clip, row in zip(ids, values, strict=True):
            for target, value in zip(targets, row, strict=True):
                true = np.nan if task == "emotion" else value
                rows.append((clip, target, value, true))
    table = pd.DataFrame(rows, columns=["clip_id", "target", "predicted", "true"])
    corpus = settings.roles.personality
    return table.assign(corpus=corpus, stage="fusion", variant="multitask", seed=0)


@pytest.fixture
def found(settings):
    return outside_criterion(
        settings, noted(), SPEAKERS, predictions(settings), REPORTS
    )


def test_the_model_is_asked_about_the_clips_with_notes(found):
    cell = found[(found["emotion"] == "happiness") & (found["trait"] == "extraversion")]
    cell = cell.set_index("source")
    assert [*cell.index] == [NOTED, PREDICTED, "costa1992", "rafaeli2006, state"]
    assert cell.loc[PREDICTED, "r"] == pytest.approx(1)
    assert cell.loc[PREDICTED, ["n", "n_speakers"]].tolist() == [40, 20]
    assert cell.loc[NOTED, ["r", "low", "high"]].tolist() == [0.2, 0.1, 0.3]
    assert len(found) == 30 + 30 + 2


def test_intervals_of_self_reports_are_of_fishers_z(found):
    row = found[found["source"] == "costa1992"].iloc[0]
    z, half = np.arctanh(0.6), 1.959964 / 10
    ends = np.tanh([z - half, z + half])
    assert row[["low", "high"]].tolist() == pytest.approx(ends.tolist(), abs=1e-6)
    assert row["n"] == 103
    state = found[found["source"] == "rafaeli2006, state"].iloc[0]
    assert (state["r"], state["n"]) == (pytest.approx(0.1), 403)


def test_nothing_where_nothing_was_noted(settings):
    nothing = noted().head(0)
    assert outside_criterion(settings, nothing, SPEAKERS, nothing, REPORTS).empty
