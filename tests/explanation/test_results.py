from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sslmepr.explanation.results import _contrary, _places, with_intervals


def test_intervals_stand_behind_their_estimates():
    table = pd.DataFrame({"kind": ["a"], "hit": [0.5], "hit_low": [0.4]})
    table = with_intervals(table.assign(hit_high=0.625), "hit")
    assert table.columns.tolist() == ["kind", "hit"]
    assert table["hit"].tolist() == ["0.500 [0.400, 0.625]"]
    empty = pd.DataFrame(columns=["kind", "hit"])
    assert with_intervals(empty, "hit").equals(empty)


PEOPLE = {f"clip-{n}": f"clip-{n}" for n in range(40)}
SAMPLING = PEOPLE, 50, 0.95, 0


def test_places_have_what_they_are_above_chance():
    table = pd.DataFrame({"clip_id": list(PEOPLE), "what": ["mouth", "face"] * 20})
    table = table.assign(
        hit=np.tile([1.0, 0.0], 20), there=np.tile([np.nan, 1.0], 20), chance=0.25
    )
    found = _places(table, SAMPLING).set_index("what")
    assert found.index.tolist() == ["mouth", "face", "parts of the face"]
    assert found["clips"].tolist() == [20, 20, 20]
    assert found["hit"].tolist() == [1, 0, 1]
    assert found["gain"].tolist() == [0.75, -0.25, 0.75]
    assert np.isnan(found.at["mouth", "there"]) and found.at["face", "there"] == 1
    assert 0.8 < found.at["mouth", "hit_low"] < 0.9  # Wilson's, of 20
    assert _places(table[:0], SAMPLING).empty


def test_contrary_words_are_told_apart_from_those_that_are_meant():
    contrary = pd.Series(np.arange(40) < 10, index=list(PEOPLE))
    says = np.linspace(-1, 1, 40)
    keys = {"clip_id": list(PEOPLE), "modality": "text", "target": "anger"}
    evidence = pd.DataFrame(keys).assign(evidence=says)
    words = pd.DataFrame(keys).assign(attribution=np.where(contrary, -says, says))
    given = [words, words.assign(modality="face"), words.assign(target="openness")]
    clips = pd.DataFrame({"contrary": contrary})
    cases = SimpleNamespace(
        planted=SimpleNamespace(clips=clips), contributions=pd.concat(given)
    )
    found = _contrary(cases, evidence, SAMPLING)
    assert found[["words", "clips"]].values.tolist() == [
        ["meant", 30],
        ["contrary", 10],
    ]
    assert found["correlation"].tolist() == pytest.approx([1, -1])
    cases.planted = None
    assert _contrary(cases, evidence, SAMPLING).empty
