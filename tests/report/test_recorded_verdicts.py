import json

import pandas as pd
import pytest

from sslmepr.association.preregistration import PRIMARY, PRIMARY_FILE
from sslmepr.association.verdicts import PRESENT, UNDECIDED
from sslmepr.report.recorded_verdicts import (
    FINDINGS_FILE,
    recorded_people,
    recorded_verdicts,
)


def real_people(folder):
    return recorded_people(folder, "**Real people** (published corpora)")


def test_findings_of_the_run_are_told_as_they_are(tmp_path):
    told = ["**No verdict.** One modality.", "é"]
    (tmp_path / FINDINGS_FILE).write_text(json.dumps(told), encoding="utf-8")
    assert recorded_verdicts(tmp_path).sentences == told


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("true_x_predicted", "No clip of the recorded run was seen in two modalities"),
        ("disjoint_modalities", "is older than the estimator from three sources"),
    ],
)
def test_an_older_record_says_why_it_has_no_verdict(tmp_path, source, reason):
    pd.DataFrame({"source": [source]}).to_csv(tmp_path / "associations.csv")
    (only,) = recorded_verdicts(tmp_path).sentences
    assert only.startswith("**The paper's finding**") and "**no verdict**" in only
    assert reason in only


def test_a_folder_without_associations_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"associations\.csv"):
        recorded_verdicts(tmp_path)


def test_the_front_page_has_the_sentences_on_the_claim(tmp_path):
    assert real_people(tmp_path) == []
    pd.DataFrame({"source": ["true_x_predicted"]}).to_csv(tmp_path / "associations.csv")
    (told,) = real_people(tmp_path)
    assert told.startswith("**Real people** (published corpora): The paper's finding")
    assert told.count("**") == 2 and "no verdict" in told
    claim = "**The paper's finding** that happiness is {}."
    for written, expected in (
        ([claim.format("so"), "**Other.** x", claim.format("not")], (0, 2)),
        (["**No verdict.** y", "**Other.** x"], (0,)),
    ):
        (tmp_path / FINDINGS_FILE).write_text(json.dumps(written), encoding="utf-8")
        (told,) = real_people(tmp_path)
        kept = " ".join(written[place] for place in expected).replace("**", "")
        assert told == f"**Real people** (published corpora): {kept}"


def test_claims_that_were_tested_are_told_in_short(tmp_path):
    pd.DataFrame({"source": []}).to_csv(tmp_path / "associations.csv")
    claim = "**The paper's finding** that happiness is so and so."
    (tmp_path / FINDINGS_FILE).write_text(json.dumps([claim]), encoding="utf-8")
    row = dict.fromkeys(PRIMARY, 0.0) | {"traits": "all", "low": 0.1, "high": 0.3}
    rows = [
        row | {"emotion": "happiness", "direction": "positive", "r": 0.2},
        row | {"emotion": "sadness", "direction": "negative", "r": -0.2},
        row | {"emotion": "surprise", "direction": "none"},
        row | {"emotion": "happiness", "direction": "positive", "traits": "openness"},
    ]
    table = pd.DataFrame(rows).assign(verdict=[PRESENT] + [UNDECIDED] * 3)
    table.to_csv(tmp_path / PRIMARY_FILE, index=False)
    (told,) = real_people(tmp_path)
    assert told == (
        "**Real people** (published corpora): The paper's finding that happiness goes "
        "with higher trait scores is confirmed (.20 [.10, .30]); that sadness goes "
        "with lower trait scores is not confirmed (−.20 [.10, .30])."
    )


CHECKED = """assumption,p,verdict,reason
joint,,{},labels determine each other
corpora,,,one sensor
conditions,{},{},
covariances,0.04,{},
"""


def test_contradicted_assumptions_are_told_first(tmp_path):
    claim = "**The paper's finding** that happiness is so."
    (tmp_path / FINDINGS_FILE).write_text(json.dumps([claim, "**Present**, 1."]))
    pd.DataFrame({"source": []}).to_csv(tmp_path / "associations.csv")
    checks = tmp_path / "assumptions.csv"
    checks.write_text(CHECKED.format("holds", 0.4, "holds", "holds"))
    assert len(recorded_verdicts(tmp_path).sentences) == 2
    checks.write_text(CHECKED.format("fails", 0.0001, "fails", "holds"))
    first, *told = recorded_verdicts(tmp_path).sentences
    assert first.startswith("**No verdict can be relied on**")
    assert "(p < .001); labels determine each other. Verdicts" in first
    assert told == [claim, "**Present**, 1."]
    (told,) = real_people(tmp_path)
    assert told.index("relied on") < told.index("happiness is so")
    assert "Present" not in told
    checks.write_text(CHECKED.format("holds", 0.02, "fails", "fails"))
    first = recorded_verdicts(tmp_path).sentences[0]
    assert "(p = .020); scores go together differently" in first
    assert "rated for traits (p = .040). Verdicts are shown" in first
