"""Does the headline depend on choices? A specification curve with joint inference.

The headline is the mean association of an emotion with the five traits, from three
sources (`sslmepr.association.cross_source`). Each defensible way to estimate it is a
*specification*; all combinations of these choices are tried:

``modalities``
    all of them, or without one;
``corpora``
    in which covariances of scores are taken;
``scores``
    of cross-fitted probes with the best penalty, with a tenth of it or ten times as
    much; or of the method's own networks.

Covariances of scores of one sensor are no such choice: crops of the same picture share
errors, so that associations from them are biased.

Estimates of different specifications come from the same clips and are dependent. Tests
of all of them together therefore draw from one null distribution: influence functions
of a speaker get the same random sign in every specification (Rademacher multipliers).

References
----------
Simonsohn, U., Simmons, J. P., & Nelson, L. D. (2020). Specification curve analysis.
Nature Human Behaviour, 4, 1208-1214.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from sslmepr.association.cross_source import cross_source
from sslmepr.association.influence_tests import intervals, multiplied
from sslmepr.association.network_scores import network_scores
from sslmepr.association.probe_scores import shifted_scores, study_features
from sslmepr.association.scores import SENSORS, IdentificationError, Scores
from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.params import Params
from sslmepr.params.analysis import Association

PROBES = {"probes": 0, "penalty a tenth": -2, "penalty ten times": 2}
"""Name to places of `sslmepr.training.probes.RIDGE_ALPHAS`, two of which are a factor
of ten."""

NETWORKS = "networks"
"""Scores of `sslmepr.association.network_scores`."""

SCORES = (*PROBES, NETWORKS)

EVERY = "all"
"""Stands for all modalities or corpora."""

TRAINING, HELD_OUT = "training corpora", "held-out corpus"

CHOICES = ("modalities", "corpora", "scores")
"""Columns that name a specification."""

ESTIMATES = ("estimate", "low", "high", "p", "significant", "reason")


class Specification(NamedTuple):
    """One way to estimate the headline: a level of each of `CHOICES`."""

    modalities: str
    corpora: str
    scores: str


BY_NETWORKS = Specification(EVERY, EVERY, NETWORKS)
"""The specification of the chapter on associations, with scores of the networks."""


class Curve(NamedTuple):
    """Estimates of all specifications, and what they have in common.

    Attributes
    ----------
    table : DataFrame
        emotion, the columns of `CHOICES`, estimate, low, high, p (two-sided),
        significant (and of the claimed sign), reason (why there is no estimate; else
        empty).
    influence : dict of str to (specification, speaker) ndarray
        By emotion, of the specifications with an estimate; zero for speakers who are
        not used.
    n_speakers : int
    """

    table: pd.DataFrame
    influence: dict[str, np.ndarray]
    n_speakers: int


def specifications(
    modalities: Sequence[str],
    held_out: bool = True,
    scores: Iterable[str] = SCORES,
) -> list[Specification]:
    """List the specifications of a study.

    Parameters
    ----------
    modalities : sequence of str
    held_out : bool
        Whether a further corpus without labels has clips.
    scores : iterable of str
        Kinds that there are.

    Returns
    -------
    list of Specification
        The first is that of the chapter on associations. A modality without which a
        single sensor would be left is not left out.
    """
    corpora = (EVERY, TRAINING, HELD_OUT) if held_out else (EVERY,)
    without = [
        f"without {left_out}"
        for left_out in modalities
        if len({SENSORS[name] for name in modalities if name != left_out}) > 1
    ]
    choices = product((EVERY, *without), corpora, scores)
    return [Specification(*each) for each in choices]


def study_curve(
    params: Params,
    claims: Mapping[str, int],
    predictions: pd.DataFrame,
    data_folder: str = "data",
) -> Curve:
    """Estimate the headline of a study by all specifications.

    Parameters
    ----------
    params : Params
        Sections ``roles``, ``modalities``, ``corpus`` and ``association``.
    claims : mapping of str to {-1, 1}
        Emotion to the sign that its mean association is claimed to have.
    predictions : DataFrame
        Of the stage ``evaluate``: those of the networks of single modalities.
    data_folder : path
        Holds ``<corpus>/corpus`` and ``<corpus>/features``.

    Returns
    -------
    Curve

    Raises
    ------
    CorpusError, FeatureError
        If a file is missing or damaged.
    """
    shifts = tuple(PROBES.values())
    scores = shifted_scores(*study_features(params, data_folder), shifts)
    named = dict(zip(PROBES, scores, strict=True))
    named[NETWORKS] = network_scores(params, predictions, data_folder)
    return curve(named, params.modalities, claims, params.association)


def curve(
    scores: Mapping[str, Sequence[Scores]],
    modalities: Sequence[str],
    claims: Mapping[str, int],
    settings: Association,
    chosen: Sequence[Specification] | None = None,
) -> Curve:
    """Estimate the headline by all specifications.

    Parameters
    ----------
    scores : mapping of str to sequence of Scores
        By `PROBES` or `NETWORKS`, of the same clips: of the emotion corpus, the
        personality corpus and, if there is one, a held-out corpus.
    modalities : sequence of str
        Those of the scores, in their order.
    claims : mapping of str to {-1, 1}
    settings : Association
        ``confidence`` of the intervals and ``alpha`` of the tests.
    chosen : sequence of Specification, optional
        Those to estimate, in place of all.

    Returns
    -------
    Curve
    """
    first = next(iter(scores.values()))
    n_speakers = sum(len(np.unique(each.speakers)) for each in first)
    rows, influence = [], {emotion: [] for emotion in claims}
    for name in chosen or specifications(modalities, len(first) > 2, scores):
        try:
            found = _estimate(scores[name.scores], modalities, name)
            if not np.isfinite(found.error).all():
                # Of emotions that hardly ever occur together, or always do.
                raise IdentificationError("too few clips for a standard error")
        except IdentificationError as error:
            rows += [
                {"emotion": emotion, **name._asdict(), "reason": str(error)}
                for emotion in claims
            ]
            continue
        for emotion, sign in claims.items():
            place = SCORED_EMOTIONS.index(emotion)
            estimate = found.associations[place].mean()
            by_speaker = np.concatenate(
                [each[:, place].mean(1) for each in found.influence]
            )
            error = np.sqrt((by_speaker**2).sum())
            low, high, p = intervals(estimate, error, settings.confidence, n_speakers)
            influence[emotion].append(by_speaker)
            rows.append(
                {
                    "emotion": emotion,
                    **name._asdict(),
                    "estimate": estimate,
                    "low": float(low),
                    "high": float(high),
                    "p": float(p),
                    "significant": bool(p < settings.alpha and sign * estimate > 0),
                    "reason": "",
                }
            )
    table = pd.DataFrame(rows, columns=["emotion", *CHOICES, *ESTIMATES])
    table["significant"] = table["significant"].eq(True)
    return Curve(
        table,
        {name: np.reshape(each, (-1, n_speakers)) for name, each in influence.items()},
        n_speakers,
    )


def _estimate(scores: Sequence[Scores], modalities, name: Specification):
    kept = [
        place
        for place, each in enumerate(modalities)
        if name.modalities != f"without {each}"
    ]
    sensors = [SENSORS[modalities[place]] for place in kept]
    parts = [
        each._replace(
            emotions=each.emotions[:, kept],
            traits=each.traits[:, kept],
            present=each.present[:, kept],
            sensors=sensors,
        )
        for each in scores
    ]
    labelled = {EVERY: True, TRAINING: True, HELD_OUT: False}[name.corpora]
    counted = [labelled] * 2 + [name.corpora != TRAINING] * (len(parts) - 2)
    return cross_source(*parts[:2], parts[2:], counted=counted)


def joint_inference(
    found: Curve, claims: Mapping[str, int], settings: Association, seed: int
) -> pd.DataFrame:
    """Test all specifications of a headline together.

    Parameters
    ----------
    found : Curve
    claims : mapping of str to {-1, 1}
    settings : Association
        ``resamples`` are drawn from the null distribution; ``alpha`` is the level at
        which a single specification is significant.
    seed : int

    Returns
    -------
    DataFrame
        emotion, specifications (with an estimate), refused (without), smallest, median,
        low, high (of the median), largest, of_sign (share of estimates that have
        the claimed sign), significant (share that is so, with that sign), p_median (of
        a median as large if nothing were associated, two-sided), p_significant (of a
        share as large, with that sign). Undefined without a specification.
    """
    freedom = max(found.n_speakers - 1, 1)
    threshold = stats.t.ppf(1 - settings.alpha / 2, freedom)
    tail = (1 - settings.confidence) / 2
    rows = []
    for emotion, sign in claims.items():
        mine = found.table[found.table["emotion"] == emotion]
        values = mine["estimate"].dropna().to_numpy()
        row = {"emotion": emotion, "specifications": len(values)}
        row["refused"] = len(mine) - len(values)
        rows.append(row)
        if not len(values):
            continue
        influence = found.influence[emotion]
        # (draw, specification)
        drawn = multiplied([influence.T], settings.resamples, seed)
        error = np.sqrt((influence**2).sum(1))
        middle = np.median(values)
        share = mine["significant"].sum() / len(values)
        by_chance = (sign * drawn / error > threshold).mean(1)
        low, high = np.quantile(np.median(values + drawn, axis=1), [tail, 1 - tail])
        row |= {
            "smallest": values.min(),
            "median": middle,
            "low": low,
            "high": high,
            "largest": values.max(),
            "of_sign": (sign * values > 0).mean(),
            "significant": share,
            "p_median": _p(np.abs(np.median(drawn, axis=1)), abs(middle)),
            "p_significant": _p(by_chance, share),
        }
    columns = "emotion specifications refused smallest median low high largest of_sign"
    columns += " significant p_median p_significant"
    return pd.DataFrame(rows, columns=columns.split())


def _p(null: np.ndarray, observed: float) -> float:
    """Share of draws that reach what was observed, which counts as one of them."""
    return float((1 + (null >= observed - 1e-12).sum()) / (1 + len(null)))


def by_choice(table: pd.DataFrame) -> pd.DataFrame:
    """Compare the levels of each choice, over all levels of the others.

    Parameters
    ----------
    table : DataFrame
        Of `Curve`.

    Returns
    -------
    DataFrame
        emotion, choice, level, specifications, mean (estimate), significant (share);
        levels without an estimate are left out.
    """
    known = table.dropna(subset=["estimate"])
    return pd.DataFrame(
        [*_levels(known)],
        columns="emotion choice level specifications mean significant".split(),
    )


def _levels(known: pd.DataFrame) -> Iterator[tuple]:
    for emotion, mine in known.groupby("emotion", sort=False):
        for choice in CHOICES:
            for level, part in mine.groupby(choice, sort=False):
                shares = part["significant"].mean(), part["estimate"].mean()
                yield emotion, choice, level, len(part), shares[1], shares[0]
