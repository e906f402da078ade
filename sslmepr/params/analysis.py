"""Sections on evaluation, association and explanation."""

from typing import Annotated, Literal

from pydantic import Field

from sslmepr.params.base import Modality, Positive, ProperShare, Section

HELD_OUT, DEV = "held_out", "dev"


class Folds(Section):
    """Cross-validation over the speakers of a corpus.

    ``part`` is one of ``corpora``, which needs no role: models of the study learn from
    the features that its corpora share, and these from the best that this one has.
    ``modalities`` are evaluated each, and fused if they are several; ``folds`` is the
    number of groups of speakers that are held out in turn, or nothing, if the corpus's
    own test split is what is held out.
    """

    part: str
    modalities: Annotated[list[Modality], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2)] | None


class Evaluate(Section):
    """Intervals of metrics: cluster bootstrap over speakers.

    ``resamples`` is the number of bootstrap samples, ``confidence`` the confidence
    level. Models whose scores differ by no more than ``margin`` are equivalent.
    ``shown`` are the labels that evaluation reads: those of test splits and of the
    held-out corpus as well, or of dev alone, so that chapters show nothing else while a
    method is developed.
    """

    resamples: Positive
    confidence: ProperShare
    margin: Annotated[float, Field(gt=0)]
    shown: Literal[HELD_OUT, DEV]


class Association(Section):
    """Intervals and tests of emotion-trait correlations.

    Attributes
    ----------
    resamples : int
        Bootstrap samples of speakers.
    confidence : float
        Confidence level of intervals.
    correction : str
        Correction for multiple testing, a method of statsmodels' ``multipletests``.
    alpha : float
        Significance level after correction.
    smallest_effect : float
        Smallest correlation that matters; a cell that is surely smaller is absent.
    """

    resamples: Positive
    confidence: ProperShare
    correction: str
    alpha: ProperShare
    smallest_effect: ProperShare


class Attention(Section):
    """What the chapter on attention shows.

    Attributes
    ----------
    clips : int
        Example clips, spread over the clips ranked by error.
    steps : int
        Steps of integrated gradients.
    variant : str
        Fusion model whose attention is shown; it has graph attention and task queries.
    """

    clips: Positive
    steps: Positive
    variant: str
