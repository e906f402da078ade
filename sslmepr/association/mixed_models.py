r"""Between people or within a person? Mixed models of a trait on an emotion.

Clips of a speaker are not independent, and two questions hide in one slope: do people
who show more of an emotion have more of the trait (*between*), and is a trait seen
higher in those clips of a person that show more (*within*)? A linear mixed model with
a random intercept per speaker answers both,

.. math:: t_{ij} = \beta_0 + \beta_b \bar e_j + \beta_w (e_{ij} - \bar e_j) + u_j
          + \varepsilon_{ij},

for clip i of speaker j. It is fitted by restricted maximum likelihood; $R^2$ is
*marginal* (of the fixed effects) and *conditional* (of speakers too). Where
$\beta_b$ and $\beta_w$ have different signs, pooling misleads (Simpson's paradox).

References
----------
Enders, C. K., & Tofighi, D. (2007). Centering predictor variables in cross-sectional
multilevel models. Psychological Methods, 12, 121-138.

Nakagawa, S., & Schielzeth, H. (2013). A general and simple method for obtaining R2 from
generalized linear mixed-effects models. Methods in Ecology and Evolution, 4, 133-142.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from sslmepr.association.correlation import wide_table
from sslmepr.association.person_means import corrected_slope
from sslmepr.association.sources import (
    BOTH_TRUE,
    ONE_PREDICTED,
    available_sources,
)
from sslmepr.association.study_associations import variant_predictions
from sslmepr.labels import TRAITS, select
from sslmepr.statistics.cluster_bootstrap import cluster_index, cluster_sums

FEWEST_REPEATED = 5
"""Fewer speakers with several clips, and no model is fitted. By convention."""

CONVERGED, NOT_CONVERGED, NO_FIT = "converged", "not converged", "none"
SINGULAR_FIT = "singular"
"""The variance between speakers is estimated as zero, at the edge of what it can be."""

ESTIMATES = ["between", "between_low", "between_high", "within", "within_low"]
ESTIMATES += ["within_high", "person_reliability", "corrected", "corrected_low"]
ESTIMATES += [
    "corrected_high",
    "icc",
    "r2_marginal",
    "r2_conditional",
    "fit",
    "simpson",
]
COLUMNS = ["emotion", "trait", *ESTIMATES, "n", "n_speakers", "n_repeated", "reason"]


class Fit(NamedTuple):
    """A mixed model with a random intercept.

    Attributes
    ----------
    slopes, error : (predictor,) ndarray
        Fixed effects without the intercept, and their standard errors.
    fixed, speaker, residual : float
        Variances: of what fixed effects predict, between speakers beyond it, and within
        speakers.
    state : str
        `CONVERGED`, `NOT_CONVERGED` or `SINGULAR_FIT`.
    """

    slopes: np.ndarray
    error: np.ndarray
    fixed: float
    speaker: float
    residual: float
    state: str

    @property
    def icc(self) -> float:
        """Share of the variance beyond fixed effects that is between speakers."""
        return self.speaker / (self.speaker + self.residual)

    @property
    def r2(self) -> tuple[float, float]:
        """Marginal and conditional (Nakagawa and Schielzeth 2013)."""
        every = self.fixed + self.speaker + self.residual
        return self.fixed / every, (self.fixed + self.speaker) / every


def fit_mixed(outcome, predictors, speakers) -> Fit:
    """Fit a linear mixed model with a random intercept per speaker.

    Where the restricted likelihood falls from a variance of zero between speakers, its
    maximum is ordinary least squares; an optimiser that walks along that edge can fail.

    Parameters
    ----------
    outcome : (clip,) array
    predictors : (clip, predictor) array
        May have no column.
    speakers : (clip,) array

    Returns
    -------
    Fit
        Problems of the optimiser are told by its state; where it breaks off, all
        numbers are NaN.
    """
    outcome = np.asarray(outcome, float)
    design = np.column_stack([np.ones(len(outcome)), predictors])
    plain = OLS(outcome, design).fit()
    start = _variance_by_moments(plain.resid, design, speakers)
    if start <= 0:
        return _fit(design, plain.params, plain.bse, 0.0, plain.scale, SINGULAR_FIT)
    model = MixedLM(outcome, design, groups=np.asarray(speakers))
    near = MixedLMParams.from_components(plain.params, np.full((1, 1), start))
    with warnings.catch_warnings():
        # The state says it, of every model by itself.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            found = model.fit(start_params=near, reml=True)
        except np.linalg.LinAlgError:
            nothing = np.full(design.shape[1], np.nan)
            return _fit(design, nothing, nothing, np.nan, np.nan, NOT_CONVERGED)
    state = CONVERGED if found.converged else NOT_CONVERGED
    speaker = float(np.asarray(found.cov_re)[0, 0])
    return _fit(design, found.fe_params, found.bse_fe, speaker, found.scale, state)


def _variance_by_moments(residuals, design, speakers) -> float:
    """Variance between speakers, relative to that within, by the method of moments.

    What residuals of least squares have in common within speakers, less what they would
    by chance. It has the sign of the slope of the restricted likelihood at zero.
    """
    index, count = cluster_index(speakers)
    shared = cluster_sums(residuals, index, count)
    designs = cluster_sums(design, index, count)  # (speaker, predictor)
    sizes = np.bincount(index)
    taken = np.trace(np.linalg.solve(design.T @ design, designs.T @ designs))
    variance = (residuals**2).sum() / (len(residuals) - design.shape[1])
    excess = (shared**2).sum() / variance - (len(residuals) - taken)
    return excess / (sizes**2).sum()


def _fit(design, slopes, error, speaker, residual, state: str) -> Fit:
    slopes, error = np.asarray(slopes), np.asarray(error)
    fixed = float(np.var(design @ slopes, ddof=1))
    return Fit(slopes[1:], error[1:], fixed, speaker, float(residual), state)


def between_and_within(values, speakers) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each clip's speaker, and the clip's deviation from it.

    Parameters
    ----------
    values, speakers : (clip,) array

    Returns
    -------
    between, within : (clip,) ndarray
    """
    series = pd.Series(np.asarray(values, float))
    means = series.groupby(np.asarray(speakers)).transform("mean").to_numpy()
    return means, series.to_numpy() - means


def mixed_table(
    table: pd.DataFrame, emotions: Sequence[str], confidence: float
) -> pd.DataFrame:
    """Fit the models of some emotions with all traits.

    Parameters
    ----------
    table : DataFrame
        speaker_id, ``emotion_*`` and ``trait_*``, one row per clip.
    emotions : sequence of str
    confidence : float

    Returns
    -------
    DataFrame
        emotion, trait, between and within (slopes in standard deviations of the trait
        per one of the emotion over clips) with the ends of their intervals,
        person_reliability (of a person's mean of the emotion) and corrected (the slope
        between people without its errors, from `sslmepr.association.person_means`; NaN
        if the reliability may be 0), icc (share
        of the trait's variance that is between speakers, in a model without
        predictors), r2_marginal, r2_conditional, fit (its state), simpson (the slopes
        differ in sign and both intervals leave out zero), n, n_speakers, n_repeated
        (speakers with several clips), reason (why there is no model; else empty).
    """
    empty = {trait: {} for trait in TRAITS}  # models without predictors
    rows = [
        _row(table, emotion, trait, confidence, empty[trait])
        for emotion in emotions
        for trait in TRAITS
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(table, emotion: str, trait: str, confidence: float, empty: dict) -> dict:
    names = [f"emotion_{emotion}", f"trait_{trait}"]
    clips = table[["speaker_id", *names]].dropna()
    speakers = clips["speaker_id"].to_numpy()
    counts = clips["speaker_id"].value_counts()
    repeated = int((counts > 1).sum())
    row = {"emotion": emotion, "trait": trait, "fit": NO_FIT, "simpson": False}
    row |= {"n": len(clips), "n_speakers": len(counts), "n_repeated": repeated}
    spread = clips[names].std()
    refused = ""
    if repeated < FEWEST_REPEATED:
        refused = (
            f"{repeated} speakers have several clips, and {FEWEST_REPEATED} are needed"
        )
    elif not (spread > 1e-9).all():
        refused = f"{emotion if spread.iloc[0] <= 1e-9 else trait} does not vary"
    if refused:
        return row | {"reason": refused}
    x, y = (((clips[n] - clips[n].mean()) / spread[n]).to_numpy() for n in names)
    parts = between_and_within(x, speakers)
    if min(each.std() for each in parts) <= 1e-9:
        return row | {"reason": f"{emotion} does not vary between and within speakers"}
    fit = fit_mixed(y, np.column_stack(parts), speakers)
    if len(clips) not in empty:
        empty[len(clips)] = fit_mixed(y, np.empty((len(y), 0)), speakers).icc
    # Between-within degrees of freedom: speakers for the one, clips for the other.
    freedom = np.array([len(counts) - 2, len(clips) - len(counts) - 1])
    half = stats.t.ppf((1 + confidence) / 2, freedom) * fit.error
    low, high = fit.slopes - half, fit.slopes + half
    apart = (low > 0) | (high < 0)
    marginal, conditional = fit.r2
    persons = corrected_slope(x, y, speakers, confidence)
    return row | {
        "between": fit.slopes[0],
        "between_low": low[0],
        "between_high": high[0],
        "within": fit.slopes[1],
        "within_low": low[1],
        "within_high": high[1],
        "person_reliability": persons.reliability,
        "corrected": persons.slope,
        "corrected_low": persons.low,
        "corrected_high": persons.high,
        "icc": empty[len(clips)],
        "r2_marginal": marginal,
        "r2_conditional": conditional,
        "fit": fit.state,
        "simpson": bool(apart.all() and fit.slopes[0] * fit.slopes[1] < 0),
        "reason": "",
    }


def study_mixed(
    predictions: pd.DataFrame,
    clips: pd.DataFrame,
    variant: str,
    emotions: Sequence[str],
    confidence: float,
) -> pd.DataFrame:
    """Fit the models in every corpus of a study.

    Parameters
    ----------
    predictions : DataFrame
        Of the stage ``evaluate``.
    clips : DataFrame
        Of `sslmepr.training.clips.StudyClips`.
    variant : str
        The fusion model that predicts the side without labels.
    emotions : sequence of str
    confidence : float

    Returns
    -------
    DataFrame
        corpus, source, and the columns of `mixed_table`: with both sides annotated
        where clips have both labels, and otherwise with one predicted. A corpus without
        labels has no rows.
    """
    parts = [pd.DataFrame(columns=["corpus", "source", *COLUMNS])]
    for corpus, source, table in _tables(predictions, clips, variant):
        found = mixed_table(table, emotions, confidence)
        parts.append(found.assign(corpus=corpus, source=source))
    return pd.concat(parts[1:] or parts, ignore_index=True)[parts[0].columns]


def _tables(predictions, clips, variant) -> Iterator[tuple[str, str, pd.DataFrame]]:
    predicted = set(select(predictions, stage="fusion", variant=variant)["corpus"])
    for corpus, rows in clips.groupby("part", sort=False):
        if corpus not in predicted:
            continue
        mine = variant_predictions(predictions, variant, corpus)
        sources = available_sources(mine)
        speakers = rows.set_index("clip_id")["speaker_id"]
        for source in [BOTH_TRUE] if BOTH_TRUE in sources else ONE_PREDICTED:
            if source in sources:
                yield corpus, source, wide_table(mine, speakers, source)
