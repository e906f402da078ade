import pandas as pd

from sslmepr.report.observer_losses import losses, mixed_world, there_to_gain

COLUMNS = ["knob", "dose", "observer", "metric", "estimate", "low", "high"]
COLUMNS += ["interval", "n", "loss", "loss_low", "loss_high"]
ROWS = [
    ("burst", 1.0, "full observer", "mWACC", 0.9, 0.8, 1.0, "none", 2, 0.0, 0.0, 0.0),
    ("burst", 1.0, "without burst", "mWACC", 0.8, 0.7, 0.9, "none", 2, 0.1, 0.0, 0.2),
    ("burst", 1.0, "late fusion", "mWACC", 0.7, 0.6, 0.8, "none", 2, 0.2, 0.1, 0.3),
    ("burst", 1.0, "late fusion", "CCC", 0.6, 0.5, 0.7, "none", 2, 0.3, 0.2, 0.4),
    ("mild world", 1.0, "late fusion", "CCC", 0.5, 0.4, 0.6, "none", 2, 0.3, 0.2, 0.4),
    (
        "mild world",
        1.0,
        "full observer",
        "CCC",
        0.8,
        0.7,
        0.9,
        "none",
        2,
        0.0,
        0.0,
        0.0,
    ),
]
TABLE = pd.DataFrame(ROWS, columns=COLUMNS)


def test_losses_are_those_of_one_metric_with_one_knob():
    assert losses(TABLE, "mWACC").values.tolist() == [
        ["burst", 1.0, "nested observer", 0.1, 0.0, 0.2],
        ["burst", 1.0, "late fusion", 0.2, 0.1, 0.3],
    ]
    assert losses(TABLE, "CCC")["estimate"].tolist() == [0.3]


def test_the_better_of_those_who_do_without_leaves_the_least_to_gain():
    rows = pd.DataFrame(
        [
            ("reliability", 1.0, "full observer", "mWACC", 0.0, 0.0, 0.0),
            ("reliability", 1.0, "without reliability", "mWACC", 0.11, 0.1, 0.12),
            ("reliability", 1.0, "late fusion", "mWACC", 0.09, 0.08, 0.1),
            ("reliability", 1.0, "late fusion", "CCC", 0.3, 0.2, 0.4),
            ("reliability", 1.0, "without reliability", "CCC", 0.25, 0.2, 0.3),
            ("mild world", 1.0, "without reliability", "mWACC", 0.01, 0.0, 0.02),
        ],
        columns=["knob", "dose", "observer", "metric", "loss", "loss_low", "loss_high"],
    )
    found = there_to_gain(rows).set_index("metric")
    assert len(found) == 2
    assert found.loc["mWACC", ["estimate", "low", "high"]].tolist() == [0.09, 0.08, 0.1]
    assert found.loc["CCC", ["estimate", "low", "high"]].tolist() == [0.25, 0.2, 0.3]


def test_observers_in_the_mild_world_come_best_first():
    found = mixed_world(TABLE)
    assert found["observer"].tolist() == ["full observer", "late fusion"]
    assert found["estimate"].tolist() == [0.8, 0.5]
