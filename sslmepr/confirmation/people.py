"""New people: corpora rendered from another seed, and what is found in them.

The corpora have the study's sizes, world and generator, and go through the whole
analysis of the chapter on associations: probes are fitted anew, cross-fitted by
speaker, so that no score comes from a probe that has seen its person. Reading new
corpora by the probes of the study's own would be cheaper, but would keep the luck of
people who are known.

The fused model, in contrast, is the one that was developed: it reads the new held-out
corpus, and the one that development has seen, both as clips that are new to it.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.association.cross_table import cross_associations
from sslmepr.association.preregistration import Preregistration, primary_table
from sslmepr.corpora.schema import read_clips
from sslmepr.evaluation.metrics import (
    emotion_draws,
    personality_draws,
    tabulate,
)
from sslmepr.extraction import extract_corpus
from sslmepr.labels import TARGET_COLUMNS
from sslmepr.params import Params
from sslmepr.simulation.corpus import build_simulated
from sslmepr.simulation.raters import rated_association, raters_in
from sslmepr.simulation.world import make_world
from sslmepr.statistics.cluster_bootstrap import Clusters
from sslmepr.training.clips import study_corpora
from sslmepr.training.new_clips import StudyModels

SHOWN = ("mWACC", "mACC", "CCC")
"""Metrics of recognition; the same as in the chapter on it."""


def with_seed(params: Params, seed: int) -> Params:
    """The study with other people, and other random numbers of the analysis."""
    simulation = params.simulation.model_copy(update={"seed": seed})
    return params.model_copy(update={"simulation": simulation, "seed": seed})


def meet(params: Params, data_folder: str | Path, progress: bool = True) -> None:
    """Render and extract the corpora of a study; what is finished is kept.

    Parameters
    ----------
    params : Params
        As of `with_seed`.
    data_folder : path
        Receives ``<corpus>/corpus`` and ``<corpus>/features``.
    progress : bool
        Show progress bars of rendering.

    Raises
    ------
    CorpusError, WeightsError, ExtractionError
        If a corpus is not simulated, cannot be rendered or cannot be extracted.
    """
    for name in study_corpora(params):
        corpus = Path(data_folder, name, "corpus")
        features = Path(data_folder, name, "features")
        if not (features / "summary.json").is_file():
            build_simulated(name, params, corpus, progress)
            extract_corpus(name, params, corpus, corpus, features)


def endpoints(
    params: Params, registered: Preregistration, data_folder: str | Path
) -> pd.DataFrame:
    """Test what is registered on a study's corpora.

    Parameters
    ----------
    params : Params
    registered : Preregistration
    data_folder : path

    Returns
    -------
    DataFrame
        As `sslmepr.association.preregistration.primary_table`, with planted (the mean
        correlation of the labels in the population) and covered (whether the interval
        contains it).

    Raises
    ------
    IdentificationError, CorpusError, FeatureError
        As of `sslmepr.association.cross_table.cross_associations`.
    """
    found = cross_associations(params, data_folder)
    table = primary_table(
        found.estimate, registered.endpoints, params.association, params.seed
    )
    simulation = params.simulation
    world = make_world(params.corpus[params.roles.emotion].world, simulation.worlds)
    truth = rated_association(world, raters_in(world, simulation.raters))
    planted = [(each.weights() * truth).sum() for each in registered.endpoints]
    covered = table["low"].le(planted) & table["high"].ge(planted)
    return table.assign(planted=planted, covered=covered)


def recognition(
    models: StudyModels, params: Params, data_folder: str | Path
) -> pd.DataFrame:
    """Scores of a fused model on the held-out corpus.

    Parameters
    ----------
    models : StudyModels
    params : Params
        Sections ``roles`` and ``evaluate``, and the seed of the bootstrap.
    data_folder : path
        Holds the held-out corpus, all of whose clips have both labels.

    Returns
    -------
    DataFrame
        metric (`SHOWN`), estimate (mean over the model's seeds), low, high, interval,
        n (clips), n_speakers.

    Raises
    ------
    CorpusError, FeatureError
        If the clip table or the features are missing or damaged.
    """
    folder = Path(data_folder, params.roles.held_out)
    clips = read_clips(folder / "corpus")
    predicted = models.predict(clips["clip_id"].tolist(), folder / "features")
    known = ~np.isnan(np.concatenate([*predicted.values()], -1)).any((0, 2))
    clips = clips[known]
    settings = params.evaluate
    speakers = Clusters(clips["speaker_id"], settings.resamples, params.seed)
    draws = [
        _draws(
            models, clips, {task: each[seed, known] for task, each in predicted.items()}
        )(speakers)
        for seed in range(len(models.fused))
    ]
    mean = {name: np.mean([each[name] for each in draws], 0) for name in draws[0]}
    table = tabulate(mean, speakers, settings.confidence)
    chosen = table["metric"].isin(SHOWN) & (table["target"] == "mean")
    columns = ["metric", "estimate", "low", "high", "interval", "n", "n_speakers"]
    return table.loc[chosen, columns].reset_index(drop=True)


def _draws(models: StudyModels, clips: pd.DataFrame, predicted: dict):
    """Metrics of one seed's predictions, of the speakers that are given."""
    true = {
        task: clips[list(columns)].to_numpy(float)
        for task, columns in TARGET_COLUMNS.items()
    }

    def of(speakers: Clusters) -> dict:
        feelings = predicted["emotion"][:, 1:]
        decided = feelings >= models.thresholds
        draws = emotion_draws(true["emotion"][:, 1:] > 0, feelings, decided, speakers)
        # Of the means of training, skill alone depends, which is not shown.
        middle = true["personality"].mean(0)
        return draws | personality_draws(
            true["personality"], predicted["personality"], middle, speakers
        )

    return of
