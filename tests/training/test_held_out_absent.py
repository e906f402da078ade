"""A study whose held-out corpus is optional and was not given."""

import drawn
import pytest

from sslmepr.association.study_associations import read_evaluated, study_associations
from sslmepr.evaluation.evaluate import evaluate_study
from sslmepr.training.all_stages import train_study
from sslmepr.training.clips import read_study_clips


@pytest.fixture(scope="module")
def without(tmp_path_factory, small_params, one_thread):
    """Data, results, parameters and scores of a study without a held-out clip."""
    settings = small_params.model_copy(update={"variants": ["multitask"]})
    folder = tmp_path_factory.mktemp("without")
    drawn.draw_study(settings, folder, (80, 80, 0), {"face": 24, "text": 12})
    runs = folder / "runs" / "study"
    train_study(settings, runs, folder, progress=False)
    evaluation = evaluate_study(settings, runs, folder)
    return folder, runs, settings, evaluation


def test_every_other_corpus_is_evaluated(without):
    folder, runs, settings, evaluation = without
    evaluated = read_evaluated(runs / "evaluate")
    training = {settings.roles.emotion, settings.roles.personality}
    assert set(evaluated.predictions["corpus"]) == training


def test_associations_are_those_of_the_other_corpora(without):
    folder, runs, settings, _ = without
    clips = read_study_clips(settings, folder).table
    speakers = {
        corpus: rows.set_index("clip_id")["speaker_id"]
        for corpus, rows in clips.groupby("part", sort=False)
    }
    found = study_associations(
        read_evaluated(runs / "evaluate"), speakers, "multitask", settings
    ).table
    assert set(found["corpus"]) == {settings.roles.emotion, settings.roles.personality}
