"""The primary family: what is registered, and its tests by hand."""

import numpy as np
import pytest
import yaml
from scipy import stats

from sslmepr import params as parameters
from sslmepr.association.cross_source import CrossSource
from sslmepr.association.preregistration import (
    FILE,
    Endpoint,
    primary_table,
    read_preregistration,
)
from sslmepr.params.base import ParamsError

SETTINGS = parameters.load().association
SPEAKERS = 500
ERROR = 0.02


@pytest.fixture
def found():
    rng = np.random.default_rng(0)
    influence = rng.standard_normal((SPEAKERS, 6, 5))
    influence *= ERROR / np.sqrt((influence**2).sum(0))
    r = np.zeros((6, 5))
    r[3] = [0.1, 0.2, 0.3, 0.2, 0.2]  # happiness
    r[4] = 0.1  # sadness
    return CrossSource(r, [influence], 1500, SPEAKERS)


def registered(**changes):
    return yaml.safe_load(FILE.read_text()) | changes


def written(folder, content):
    path = folder / "family.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_family_begins_with_the_finding_of_the_paper():
    first, second, *others = read_preregistration().endpoints
    assert (first.emotion, first.traits, first.direction) == (
        *("happiness", "all", "positive"),
    )
    assert (second.emotion, second.traits, second.direction) == (
        *("sadness", "all", "negative"),
    )
    assert len(others) <= 4
    assert read_preregistration().claims() == {"happiness": 1, "sadness": -1}


def test_the_hash_is_of_what_is_registered_and_not_of_deviations(tmp_path):
    digest = read_preregistration().digest()
    later = registered(deviations=["2027-01-01: none of this"])
    assert read_preregistration(written(tmp_path, later)).digest() == digest
    fewer = registered(endpoints=registered()["endpoints"][:2])
    assert read_preregistration(written(tmp_path, fewer)).digest() != digest


def test_endpoints_average_cells(found):
    endpoints = [
        Endpoint(emotion="happiness", traits="all", direction="positive"),
        Endpoint(
            emotion="happiness",
            traits=["openness", "extraversion"],
            direction="positive",
        ),
        Endpoint(emotion="sadness", traits="all", direction="negative"),
        Endpoint(emotion="surprise", traits="all", direction="none"),
    ]
    table = primary_table(found, endpoints, SETTINGS, 0)
    np.testing.assert_allclose(table["r"], [0.2, 0.2, 0.1, 0.0])
    (influence,) = found.influence
    error = np.sqrt((influence[:, 3].mean(1) ** 2).sum())
    assert table["error"][0] == pytest.approx(error)
    t = 0.2 / error
    assert table["p"][0] == pytest.approx(stats.t.sf(t, SPEAKERS - 1))
    half = stats.t.ppf(0.5 + SETTINGS.confidence / 2, SPEAKERS - 1) * error
    assert table["high"][0] - 0.2 == pytest.approx(half)
    # Expected to be negative, and surely positive.
    assert table["p"][2] > 0.999 and table["p"][3] == pytest.approx(1)
    assert table["verdict"].tolist() == ["present", "present", "opposite", "absent"]
    assert (table["p_family"] >= table["p"] - 0.05).all()


def test_many_endpoints_ask_for_more_than_one(found):
    one = Endpoint(emotion="fear", traits=["openness"], direction="positive")
    weak = found.associations.copy()
    weak[2, 0] = 2 * ERROR
    weak = found._replace(associations=weak)
    rest = [
        Endpoint(emotion=emotion, traits="all", direction="none")
        for emotion in ("anger", "disgust", "fear", "surprise")
    ]
    alone = primary_table(weak, [one], SETTINGS, 0)["p_family"][0]
    together = primary_table(weak, [one, *rest], SETTINGS, 0)["p_family"][0]
    assert alone == pytest.approx(stats.norm.sf(2), abs=0.012)
    assert together > 2 * alone


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"endpoints": []}, "endpoints"),
        (
            {"endpoints": [dict(each) for each in 7 * registered()["endpoints"][:1]]},
            "endpoints",
        ),
        (
            {"endpoints": [{"emotion": "joy", "traits": "all", "direction": "none"}]},
            "endpoints.0.emotion",
        ),
        (
            {"endpoints": [{"emotion": "fear", "traits": [], "direction": "none"}]},
            "endpoints.0.traits",
        ),
        ({"registered": 3}, "registered"),
        ({"extra": 1}, "extra"),
    ],
)
def test_what_is_no_family_is_an_error_that_names_the_file(tmp_path, changes, message):
    path = written(tmp_path, registered(**changes))
    with pytest.raises(ParamsError, match=rf"{path}:\n  {message}"):
        read_preregistration(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ParamsError, match="no such file"):
        read_preregistration(tmp_path / "none.yaml")
