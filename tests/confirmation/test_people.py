"""New people: rendered from their seed, and what is found in them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from sslmepr.association.cross_table import cross_associations
from sslmepr.association.preregistration import read_preregistration
from sslmepr.confirmation import people
from sslmepr.confirmation.people import endpoints, meet, recognition, with_seed
from sslmepr.corpora.schema import read_clips
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS
from sslmepr.training.new_clips import StudyModels


def test_a_seed_changes_people_and_the_analysis_alone(settings):
    other = with_seed(settings, 12)
    assert other.seed == other.simulation.seed == 12
    back = other.changed(
        {"seed": settings.seed, "simulation.seed": settings.simulation.seed}, "test"
    )
    assert back == settings


@pytest.fixture
def tiny_corpora(tiny, monkeypatch):
    """Corpora of two clips, whose extraction is left out but noted."""
    changes = {"compute.workers": 1} | {
        f"corpus.tiny_{name}.{count}": 2
        for name in ("emotion", "personality", "joint")
        for count in ("clips", "persons")
    }
    extracted = []

    def extract(name, params, corpus, media, features):
        assert (corpus / "clips.parquet").is_file() and media == corpus
        extracted.append(name)
        features.mkdir(parents=True)
        (features / "summary.json").write_text("{}")

    monkeypatch.setattr(people, "extract_corpus", extract)
    return tiny.changed(changes, "test"), extracted


def test_people_of_another_seed_are_others_and_are_met_once(tiny_corpora, tmp_path):
    params, extracted = tiny_corpora
    names = ["tiny_emotion", "tiny_personality", "tiny_joint"]
    for seed in (1, 2):
        meet(with_seed(params, seed), tmp_path / str(seed), progress=False)
    assert extracted == 2 * names
    meet(with_seed(params, 1), tmp_path / "1", progress=False)
    assert extracted == 2 * names
    first, other = (
        read_clips(tmp_path / seed / "tiny_joint" / "corpus") for seed in ("1", "2")
    )
    traits = list(TRAIT_COLUMNS)
    assert not np.isclose(first[traits], other[traits]).any()


def test_endpoints_stand_beside_what_was_planted(study, small_params):
    folder, _ = study
    registered = read_preregistration()
    found = endpoints(small_params, registered, folder)
    assert len(found) == len(registered.endpoints)
    # In this fixture the labels are the truth, and the parameters name raters.
    truthful = small_params.model_copy(
        update={
            "simulation": small_params.simulation.model_copy(update={"raters": None})
        }
    )
    plain = endpoints(truthful, registered, folder)
    row = small_params.simulation.worlds["planted"]["happiness"]
    assert plain["planted"][0] == pytest.approx(np.mean([*row.values()]))
    assert plain["planted"][2] == pytest.approx(row["extraversion"])
    inside = (plain["low"] <= plain["planted"]) & (plain["planted"] <= plain["high"])
    assert plain["covered"].tolist() == inside.tolist()
    r = cross_associations(small_params, folder).table
    happy = r[(r["emotion"] == "happiness") & (r["trait"] == "extraversion")]
    assert found["r"][2] == pytest.approx(happy["r"].iloc[0])


def test_recognition_is_the_mean_over_seeds_by_independent_metrics(
    trained, small_params
):
    folder, runs, *_ = trained
    models = StudyModels(runs, runs / "fusion" / "multitask", "cpu")
    corpus = folder / small_params.roles.held_out
    found = recognition(models, small_params, folder).set_index("metric")
    clips = read_clips(corpus / "corpus")
    predicted = models.predict(clips["clip_id"].tolist(), corpus / "features")
    here = ~np.isnan(predicted["emotion"]).any((0, 2))
    true = clips[list(EMOTION_COLUMNS[1:])].to_numpy()[here] > 0
    both = true.any(0) & ~true.all(0)
    accuracies = [
        balanced_accuracy_score(true[:, place], each[here, place + 1] >= limit)
        for each in predicted["emotion"]
        for place, limit in enumerate(models.thresholds)
        if both[place]
    ]
    assert found.loc["mWACC", "estimate"] == pytest.approx(np.mean(accuracies))
    traits = clips[list(TRAIT_COLUMNS)].to_numpy()[here]
    error = np.abs(predicted["personality"][:, here] - traits).mean()
    assert found.loc["mACC", "estimate"] == pytest.approx(1 - error)
    assert set(found.index) == {"mWACC", "mACC", "CCC"}
    assert (found["n"] == here.sum()).all()
    assert (found["low"] <= found["estimate"]).all()


def test_clips_without_any_modality_are_left_out(trained, small_params, monkeypatch):
    folder, runs, *_ = trained
    models = StudyModels(runs, runs / "fusion" / "multitask", "cpu")
    whole = recognition(models, small_params, folder)["n"].iloc[0]
    real = models.predict

    def without_first(ids, features):
        answers = real(ids, features)
        known = np.flatnonzero(~np.isnan(answers["emotion"]).any((0, 2)))
        for each in answers.values():
            each[:, known[0]] = np.nan
        return answers

    monkeypatch.setattr(models, "predict", without_first)
    assert recognition(models, small_params, folder)["n"].tolist() == 3 * [whole - 1]
    assert isinstance(whole, int | np.integer) and pd.notna(whole)
