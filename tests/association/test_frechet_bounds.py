import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sslmepr.association.frechet_bounds import association_bounds, explained
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report.figures.bounds import bounds_panels

CORPORA = {"emotion": ["a", "a2"], "personality": ["b"]}


def rows(corpus, split, target, predicted, true, seed=0):
    return pd.DataFrame(
        {
            "clip_id": [f"{corpus}{place}" for place in range(len(true))],
            "corpus": corpus,
            "split": split,
            "stage": "fusion",
            "variant": "m",
            "seed": seed,
            "target": target,
            "predicted": predicted,
            "true": true,
        }
    )


def found(cells):
    table = pd.DataFrame(cells, columns=["corpus", "emotion", "trait", "r"])
    return table.assign(source="predicted_x_predicted", level="clip")


def test_shares_by_hand():
    said, true = np.array([0.1, 0.2, 0.6, 0.9]), np.array([0.0, 0.4, 0.0, 0.9])
    table = pd.concat(
        [
            rows("a", "test", "anger", said + 0.05, true, seed=0),
            rows("a", "test", "anger", said - 0.05, true, seed=1),
            rows("a2", "test", "sadness", said, true),
            rows("a", "dev", "anger", 1 - said, true),  # there is test: not looked at
            rows("b", "dev", "openness", said, true),  # there is none: dev
            rows("b", "dev", "extraversion", -said, true),
            rows("b", "dev", "agreeableness", np.full(4, 0.3), true),
            rows("a", "test", "fear", said, np.full(4, np.nan)),
        ]
    )
    shares = explained(table, "m", CORPORA)
    assert shares["anger"] == pytest.approx(np.corrcoef(said, true > 0)[0, 1] ** 2)
    assert shares["openness"] == pytest.approx(np.corrcoef(said, true)[0, 1] ** 2)
    assert shares["sadness"] == shares["anger"]
    assert shares["extraversion"] == 0 and shares["agreeableness"] == 0
    assert np.isnan(shares["fear"]) and np.isnan(shares["conscientiousness"])


def test_bounds_by_hand():
    shares = pd.Series({"anger": 0.36, "openness": 0.25, "extraversion": 1.0})
    table = association_bounds(
        found([("c", "anger", "openness", 0.5), ("c", "anger", "extraversion", 0.5)]),
        shares,
    )
    first, second = table.to_dict("records")
    assert first["unrelated"] == pytest.approx(0.5 * 0.6 * 0.5)
    reach = np.sqrt(0.64 * 0.75)
    assert first["low"] == pytest.approx(0.15 - reach)
    assert first["high"] == pytest.approx(0.15 + reach)
    # What is predicted without error leaves nothing open.
    assert second["low"] == second["high"] == pytest.approx(0.3)


def test_other_sources_and_levels_take_no_part():
    table = found([("c", "anger", "openness", 0.5)] * 3)
    table.loc[1, "source"], table.loc[2, "level"] = "true_x_true", "between"
    shares = pd.Series({"anger": 0.5, "openness": 0.5})
    assert len(association_bounds(table, shares)) == 1


@pytest.mark.parametrize("shared", [-0.9, 0.0, 0.7])
def test_whatever_the_rest_has_in_common_the_labels_lie_within(shared):
    """Labels are seen through features; what these do not tell correlates freely."""
    rng = np.random.default_rng(3)
    count = 200_000
    seen = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], count)
    rest = rng.multivariate_normal([0, 0], [[1, shared], [shared, 1]], count)
    emotion = 0.7 * seen[:, 0] + np.sqrt(0.51) * rest[:, 0]
    trait = 0.6 * seen[:, 1] + 0.8 * rest[:, 1]
    shares = pd.Series({"anger": 0.49, "openness": 0.36})
    table = association_bounds(found([("c", "anger", "openness", 0.4)]), shares)
    true, cell = np.corrcoef(emotion, trait)[0, 1], table.loc[0]
    assert cell["low"] < true < cell["high"]
    if shared == 0:
        assert cell["unrelated"] == pytest.approx(true, abs=0.01)


def test_every_emotion_has_a_panel_with_a_bar_for_every_trait():
    cells = [("c", e, t, 0.1) for e in SCORED_EMOTIONS for t in TRAITS]
    shares = pd.Series(0.5, index=[*SCORED_EMOTIONS, *TRAITS])
    true = found(cells[:5])
    figure = bounds_panels.draw(association_bounds(found(cells), shares), true)
    assert [axes.get_title() for axes in figure.axes] == [
        each.capitalize() for each in SCORED_EMOTIONS
    ]
    bars = figure.axes[0].collections[0].get_segments()
    assert [segment[0, 0] for segment in bars] == pytest.approx([0.05 - 0.5] * 5)
    assert len(figure.axes[0].collections) == 3  # the diamonds of the labels
    plt.close(figure)
