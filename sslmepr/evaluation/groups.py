"""Who is read worse: scores of a model among people who look or sound alike.

How a simulated person looks and sounds is drawn, and known without error. It says
nothing of emotions or traits there, so that a difference between groups comes from how
well detectors, encoders and models read them.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.corpora.schema import read_clips
from sslmepr.evaluation.metrics import (
    COLUMNS,
    Draws,
    emotion_draws,
    personality_draws,
    range_of,
)
from sslmepr.labels import SCORED_EMOTIONS, TASKS, TRAITS, select
from sslmepr.params import Params
from sslmepr.params.corpora import SimulatedCorpus
from sslmepr.simulation.draw import draw_corpus
from sslmepr.simulation.plan import plan_clips
from sslmepr.statistics.cluster_bootstrap import (
    FEWEST_FOR_BOOTSTRAP,
    Clusters,
    interval,
)

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Of red, green and blue (ITU-R BT.709), not linearised: only the order counts."""

SKINS = ("light", "medium", "dark")
"""Thirds of the people by the luminance of their skin."""

HEADLINES = {"emotion": "mWACC", "personality": "CCC"}
FIELDS = ["attribute", "group", *COLUMNS[:-1], "difference", "lowest", "highest"]


def drawn_groups(name: str, params: Params) -> pd.DataFrame:
    """How the people of a simulated corpus look and sound, for each clip.

    Parameters
    ----------
    name : str
        Name of the corpus.
    params : Params

    Returns
    -------
    DataFrame
        clip_id, and as columns the attributes ``skin`` (one of `SKINS`), ``voice``
        (``male`` or ``female``, as eSpeak NG calls its variants) and ``glasses``
        (``with`` or ``without``). Without rows if the corpus is not simulated.
    """
    columns = ["clip_id", "skin", "voice", "glasses"]
    corpus = params.corpus[name]
    if not isinstance(corpus, SimulatedCorpus):
        return pd.DataFrame(columns=columns)
    draw = draw_corpus(name, corpus, params)
    plans = plan_clips(name, draw, params)
    bright = np.array([LUMINANCE @ plan.look.skin for plan in plans])
    # Of people, not of clips, of whom some have more than others.
    _, first = np.unique(draw.persons, return_index=True)
    ends = np.quantile(bright[first], [1 / 3, 2 / 3])
    place = len(ends) - np.searchsorted(ends, bright)
    rows = [
        (
            plan.clip_id,
            SKINS[place[row]],
            {"m": "male", "f": "female"}[plan.voice.variant.partition("+")[2][0]],
            "with" if plan.look.glasses else "without",
        )
        for row, plan in enumerate(plans)
    ]
    return pd.DataFrame(rows, columns=columns)


def group_scores(
    predictions: pd.DataFrame,
    groups: pd.DataFrame,
    params: Params,
    data_folder: str | Path = "data",
) -> pd.DataFrame:
    """Scores of a model among the people of each group, and all others.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, task, target, seed, predicted, true, decided of one model, in clips of
        the held-out corpus.
    groups : DataFrame
        From `drawn_groups`.
    params : Params
        Section ``evaluate``.
    data_folder : path
        Folder of the corpora.

    Returns
    -------
    DataFrame
        attribute, group, metric (mWACC or CCC), target (``mean``), estimate, low, high,
        interval, n (clips), n_speakers, difference (to all people of other groups),
        lowest and highest (its interval, NaN with few people). Both are means over
        seeds, with intervals over speakers.
    """
    folder = Path(data_folder, params.roles.held_out, "corpus")
    speakers = read_clips(folder).set_index("clip_id")["speaker_id"]
    rows = []
    for attribute in groups.columns.drop("clip_id"):
        for group, members in groups.groupby(attribute)["clip_id"]:
            inside = predictions["clip_id"].isin(members)
            for task in TASKS:
                scores = [
                    _scores(select(predictions[rows_], task=task), speakers, params, at)
                    for at, rows_ in enumerate((inside, ~inside))
                ]
                if None not in scores:
                    row = _row(HEADLINES[task], *scores, params)
                    rows.append((attribute, group, *row))
    return pd.DataFrame(rows, columns=FIELDS).sort_values(
        ["metric", "attribute"], ascending=[False, True], kind="stable"
    )


def _scores(table: pd.DataFrame, speakers, params: Params, offset: int):
    """Score and its replicates, mean over seeds, with the resampled speakers.

    The seeds of two sets of people differ, so that their replicates are independent.
    """
    table = table.dropna(subset=["true"])
    if table.empty:
        return None
    draws: list[Draws] = []
    for _, part in table.groupby("seed"):
        wide = part.pivot(
            index="clip_id", columns="target", values=["predicted", "true", "decided"]
        )
        people = Clusters(
            speakers[wide.index], params.evaluate.resamples, params.seed + offset
        )
        if part["task"].iloc[0] == "emotion":
            names = list(SCORED_EMOTIONS)
            true, score, decided = (
                wide[kind][names].to_numpy()
                for kind in ("true", "predicted", "decided")
            )
            draws.append(emotion_draws(true > 0, score, decided.astype(bool), people))
        else:
            true, score = (
                wide[kind][list(TRAITS)].to_numpy(float)
                for kind in ("true", "predicted")
            )
            draws.append(personality_draws(true, score, true.mean(0), people))
    metric = HEADLINES[table["task"].iloc[0]]
    return np.mean([each[metric, "mean"] for each in draws], axis=0), people


def _row(metric: str, mine, others, params: Params) -> tuple:
    (values, people), (rest, other_people) = mine, others
    level = params.evaluate.confidence
    low, high, kind = interval(values, people.n_clusters, level)
    low, high = np.clip([low, high], *range_of(metric))
    fewest = min(people.n_clusters, other_people.n_clusters)
    difference = values[0] - rest[0]
    ends = np.nan, np.nan
    # Replicates of fewer people are those of a jackknife, which cannot be subtracted.
    if fewest >= FEWEST_FOR_BOOTSTRAP:
        ends = interval(values - rest, fewest, level)[:2]
    count = people.n, people.n_clusters
    numbers = (float(each) for each in (difference, *ends))
    return (metric, "mean", values[0], low, high, str(kind), *count, *numbers)
