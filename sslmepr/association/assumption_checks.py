"""Do the assumptions of three sources hold?

Most are checked by estimating the same twice, in two ways that agree but for sampling
if an assumption holds, and not if it fails (Hausman 1978, Specification tests in
econometrics, Econometrica, 46, 1251-1271). Both estimates come from the same clips: the
standard error of their difference is that of the difference of their influence
functions.

``conditions``
    All assumptions together: what the associations leave of the covariances of scores
    (`sslmepr.association.overidentification`).
``covariances``
    One joint law holds in all corpora: covariances of scores in the corpus with emotion
    labels, against those in the corpus with trait labels.
``corpora``
    The same of the associations that follow from either, which differ less: most of
    what enters them is the same.
``sensors``
    Whether all pairs of modalities, those of one sensor too, would give the same
    associations as the pairs of different sensors that are used. Where they would not,
    the estimate stands, and that from all pairs would mislead.
``emotion scores``, ``trait scores``, ``joint``
    Whether scores and labels determine the associations at all: smallest eigenvalues,
    which are near 0 where estimates are unstable.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sslmepr.association.cross_source import CrossSource, cross_source
from sslmepr.association.influence_tests import largest_t
from sslmepr.association.overidentification import (
    covariance_difference,
    overidentification,
)
from sslmepr.association.scores import IdentificationError, Scores
from sslmepr.params.analysis import Association

NEAR_ZERO = 0.05
"""Of a smallest eigenvalue, below which estimates are called unstable. By convention,
not tuned."""

UNSTABLE = {
    "emotions": "scores carry hardly anything of some combination of the emotions, so "
    "that estimates are unstable",
    "traits": "scores carry hardly anything of some combination of the traits, so that "
    "estimates are unstable",
    "joint": "some labels nearly determine the others, so that estimates are unstable",
}
"""What a smallest eigenvalue near 0 means."""

SMALLEST = {"emotion scores": "emotions", "trait scores": "traits", "joint": "joint"}
"""Rows to the smallest eigenvalues of `Overidentification.smallest`."""

MISLEADING, HARMLESS = "all pairs would mislead", "all pairs would do"
"""Verdicts of ``sensors``: of pairs that are not used."""

CHECKS = ("conditions", "covariances", "corpora", "sensors", *SMALLEST)
COLUMNS = ["assumption", "estimate", "expected", "p", "verdict", "reason"]


def assumption_checks(
    scores: Sequence[Scores],
    settings: Association,
    seed: int,
) -> pd.DataFrame:
    """Check what can be checked of the assumptions.

    Parameters
    ----------
    scores : sequence of Scores
        As `sslmepr.association.probe_scores.study_scores` gives them.
    settings : Association
        ``resamples`` and ``alpha`` are used.
    seed : int

    Returns
    -------
    DataFrame
        assumption (one of `CHECKS`), estimate (root mean square of the differences over
        all cells or covariances; or a smallest eigenvalue), expected (that of their
        standard errors, which is what sampling alone would give), p (of Hansen's J; or
        of the largest \\|t\\| of a difference, by random signs of speakers), verdict
        (``holds`` or ``fails``, at ``settings.alpha``; of sensors `MISLEADING` or
        `HARMLESS`), reason (why a check cannot be made, and then the numbers are
        missing; or what an eigenvalue near 0 means).
    """
    only = [[n == place for n in range(len(scores))] for place in (0, 1)]

    def estimates(*ways):
        found = [
            cross_source(*part[:2], part[2:], counted=counted) for part, counted in ways
        ]
        return difference(*found, settings, seed)

    def sensors():
        own = scores[0].sensors
        if own is None or len({*own}) == len(own):
            raise IdentificationError("every modality has a sensor of its own")
        every = [each._replace(sensors=None) for each in scores]
        *numbers, verdict = estimates((every, None), (scores, None))
        return *numbers, MISLEADING if verdict == "fails" else HARMLESS

    ways = {
        "covariances": lambda: tested(
            *covariance_difference(*scores[:2]), settings, seed
        ),
        "corpora": lambda: estimates(*((scores, each) for each in only)),
        "sensors": sensors,
    }
    rows, ends = _of_the_fit(scores, settings)
    for name, compared in ways.items():
        try:
            rows.append((name, *compared(), ""))
        except IdentificationError as error:
            rows.append((name, *UNKNOWN, str(error)))
    return pd.DataFrame(rows + ends, columns=COLUMNS)


UNKNOWN = (np.nan, np.nan, np.nan, "")


def _of_the_fit(scores, settings: Association) -> tuple[list[tuple], list[tuple]]:
    """The row of all conditions, and those of the smallest eigenvalues."""
    try:
        found = overidentification(*scores[:2], scores[2:])
    except IdentificationError as error:
        refused = [(name, *UNKNOWN, str(error)) for name in ("conditions", *SMALLEST)]
        return refused[:1], refused[1:]
    sizes = [float(np.sqrt((x**2).mean())) for x in (found.residual, found.error)]
    row = ("conditions", *sizes, found.p, _verdict(found.p, settings), "")
    if np.isnan(found.p):
        row = ("conditions", *UNKNOWN, "there are more conditions than people")
    ends = [
        (name, value, np.nan, np.nan, "holds", "")
        if (value := found.smallest[key]) > NEAR_ZERO
        else (name, value, np.nan, np.nan, "fails", UNSTABLE[key])
        for name, key in SMALLEST.items()
    ]
    return [row], ends


def _verdict(p: float, settings: Association) -> str:
    return "fails" if p <= settings.alpha else "holds"


def difference(
    first: CrossSource, second: CrossSource, settings: Association, seed: int
) -> tuple[float, float, float, str]:
    """Compare two estimates from the same clips.

    Returns
    -------
    estimate, expected, p : float
    verdict : {"holds", "fails"}
        As of `assumption_checks`.
    """
    change = first.associations - second.associations
    influence = [
        one - other
        for one, other in zip(first.influence, second.influence, strict=True)
    ]
    return tested(change, influence, settings, seed)


def tested(
    change: np.ndarray,
    influence: Sequence[np.ndarray],
    settings: Association,
    seed: int,
) -> tuple[float, float, float, str]:
    """Test differences, all together, by the largest of them.

    Parameters
    ----------
    change : (...) ndarray
    influence : sequence of (speaker, ...) ndarray
        By corpus, divided by the clips.
    settings, seed
        As of `assumption_checks`.

    Returns
    -------
    estimate, expected, p : float
    verdict : {"holds", "fails"}
        As of `assumption_checks`.
    """
    error = np.sqrt(sum((each**2).sum(0) for each in influence))
    drawn = largest_t(influence, error, settings.resamples, seed)
    reached = (drawn >= np.abs(change / error).max()).sum()
    p = (reached + 1) / (settings.resamples + 1)
    return (
        float(np.sqrt((change**2).mean())),
        float(np.sqrt((error**2).mean())),
        float(p),
        _verdict(p, settings),
    )
