"""Learning curves in words, and the lines of their figure."""

import pandas as pd

from sslmepr.report import learning_curves
from sslmepr.trials import curves

SUMMARY = pd.DataFrame(
    [
        (70, "late fusion", "mWACC", 0.70),
        (70, "whole method", "mWACC", 0.75),
        (70, "face alone", "mWACC", 0.60),
        (70, "text alone", "mWACC", 0.65),
        (70, "as published", "mWACC", 0.55),
        (70, curves.LIMIT, "mWACC", 0.72),
        (70, curves.FULL, "mWACC", 0.92),
        (140, "text alone", "mWACC", 0.66),
        (140, "face alone", "mWACC", 0.67),
        (140, curves.LIMIT, "mWACC", 0.72),
        (140, curves.FULL, "mWACC", 0.92),
    ],
    columns=["clips", "arm", "metric", "estimate"],
)
COVERED = pd.DataFrame(
    [
        (70, "whole method", curves.OF_FEATURES, "mWACC", 0.3, 0.2, 0.4, 3),
        (70, "whole method", curves.FULL, "mWACC", 0.15, 0.1, 0.2, 3),
        (70, "whole method", curves.OF_FEATURES, "CCC", 0.6, 0.5, 0.7, 3),
        (70, "whole method", curves.FULL, "CCC", 0.4, 0.3, 0.5, 3),
        (70, "late fusion", curves.FULL, "CCC", -0.1, -0.2, 0.0, 3),
    ],
    columns=["clips", "arm", "observer", "metric", "estimate", "low", "high", "n"],
)
GAINS = pd.DataFrame(
    [
        (70, "late fusion", "mWACC", 0.05, 0.03, 0.07, 3),
        (70, "face alone", "mWACC", 0.15, 0.1, 0.2, 3),
        (70, "text alone", "mWACC", 0.1, -0.01, 0.21, 3),
    ],
    columns=["clips", "against", "metric", "estimate", "low", "high", "n"],
).assign(arm="whole method")


def test_names_are_those_of_the_trial():
    names = ("LIMIT", "FULL", "OF_FEATURES", "BOUNDS", "WHOLE", "FACTOR")
    for name in names:
        assert getattr(learning_curves, name) == getattr(curves, name)


def test_lines_leave_out_bounds_and_show_the_best_modality_of_each_size():
    lines, marks = learning_curves.curve_lines(SUMMARY)
    assert set(lines["arm"]) == {"late fusion", "whole method", "best modality"}
    best = lines[lines["arm"] == "best modality"].set_index("clips")["estimate"]
    assert best.to_dict() == {70: 0.65, 140: 0.67}
    assert marks == {"mWACC": [0.72, 0.92]}


def test_sentences_say_what_it_is_ahead_of_and_how_far_it_goes():
    more = GAINS.iloc[:1].assign(clips=140, estimate=0.06, low=-0.01, high=0.13)
    gains = pd.concat([more, GAINS])
    found = learning_curves.findings(COVERED, gains, 0.005).sentences
    assert len(found) == 2
    first, second = found
    assert "less late fusion, 0.060" in first and "140 clips (better with 70)" in first
    assert "less best modality, 0.100" in first and "better with none" in first
    assert "face" not in first
    assert second.startswith("**With 70 labelled clips")
    features, controls = second.split("; to an observer")
    assert "goes 0.30" in features and "and 0.60" in features and "(CCC)" in features
    assert "0.15" in controls
    larger = COVERED.assign(clips=140, estimate=COVERED["estimate"] + 0.1)
    found = learning_curves.findings(pd.concat([COVERED, larger]), gains, 0.005)
    _, fewer, most = found.sentences
    assert "0.30 [0.20, 0.40] (mWACC) and 0.60 [0.50, 0.70] (CCC) with 70." in fewer
    assert most.startswith("**With 140 labelled clips") and "goes 0.40" in most


def test_an_arm_that_is_not_on_record_is_said_to_be_so():
    found = learning_curves.findings(COVERED, GAINS, 0.005, "factor model").sentences
    assert found == ["Learning curves of the factor model are not on record."]


def test_the_factor_model_is_told_by_itself():
    other = {"arm": {"whole method": "factor model"}}
    gains = GAINS.replace(other).assign(estimate=0.09)
    gains = pd.concat([GAINS, gains], ignore_index=True)
    covered = pd.concat([COVERED, COVERED.replace(other).assign(estimate=0.7)])
    found = learning_curves.findings(covered, gains, 0.005, "factor model").sentences
    assert found[0].startswith("**Factor model, mWACC**: less late fusion, 0.090")
    assert "the factor model goes 0.70" in found[1]
    whole = learning_curves.findings(covered, gains, 0.005).sentences
    assert whole == learning_curves.findings(COVERED, GAINS, 0.005).sentences
    table = learning_curves.gain_table(gains, 0.005).frame
    counts = {"whole method": 2, "factor model": 2}
    assert table["arm"].value_counts().to_dict() == counts


def test_tables_have_a_row_for_each_comparison():
    frame = learning_curves.gain_table(GAINS, 0.005).frame
    assert frame["against"].tolist() == ["late fusion", "best modality"]
    assert frame["verdict"].tolist() == ["better", "undecided"]
    more = COVERED.iloc[:1].assign(arm="face alone")
    shares = learning_curves.covered_table(pd.concat([COVERED, more])).frame
    assert len(shares) == 5 and shares["covered"].iloc[0].startswith("0.30")


def test_tables_of_several_trials_are_joined_once(tmp_path):
    for name, arms in {"mild": ["a", "b"], "published": ["b", "c"]}.items():
        rows = [(70, arm, "CCC", 0.5) for arm in arms]
        table = pd.DataFrame(rows, columns=["clips", "arm", "metric", "estimate"])
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    found = learning_curves.read(tmp_path, ["mild", "published", "unknown"])
    assert found["arm"].tolist() == ["a", "b", "c"]


def test_gains_that_name_no_arm_are_those_of_the_whole_method(tmp_path):
    gains = GAINS.drop(columns="arm")
    gains.to_csv(tmp_path / "mild-gains.csv", index=False)
    other = gains.assign(arm="factor model")
    other.to_csv(tmp_path / "factors-gains.csv", index=False)
    GAINS.head(0).to_csv(tmp_path / "alone-gains.csv", index=False)
    found = learning_curves.read(tmp_path, ["mild", "factors", "alone"], "-gains")
    assert found["clips"].dtype == int
    assert found["arm"].tolist() == 3 * ["whole method"] + 3 * ["factor model"]
