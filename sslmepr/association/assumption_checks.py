"""Do the assumptions of three sources hold? Estimates that should agree, compared.

Each assumption is checked by estimating the associations twice, in two ways that agree
but for sampling if it holds, and apart if it does not (Hausman 1978, Specification
tests in econometrics, Econometrica, 46, 1251-1271). Both estimates come from the same
clips: the standard error of their difference is that of the difference of their
influence functions.

``sensors``
    Errors of different modalities are independent given emotions and traits. Those of
    different sensors are assumed to be, and pairs of them are used; checked is whether
    all pairs of modalities would give the same.
``corpora``
    One joint law holds in all corpora: covariances of scores from the corpus with
    emotion labels, against those from the corpus with trait labels.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sslmepr.association.cross_source import CrossSource, cross_source
from sslmepr.association.influence_tests import largest_t
from sslmepr.association.scores import IdentificationError, Scores
from sslmepr.params.analysis import Association

CHECKS = ("sensors", "corpora")
COLUMNS = ["assumption", "estimate", "expected", "p", "verdict", "reason"]


def assumption_checks(
    scores: Sequence[Scores],
    settings: Association,
    seed: int,
) -> pd.DataFrame:
    """Compare estimates that agree if an assumption holds.

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
        the thirty cells), expected (that of their standard errors, which is what
        sampling alone would give), p (of the largest \\|t\\| of a difference, by random
        signs of speakers), verdict (``holds`` or ``fails``, at ``settings.alpha``),
        reason (why a check cannot be made; then the numbers are missing).
    """
    every = [each._replace(sensors=None) for each in scores]
    only = [[n == place for n in range(len(scores))] for place in (0, 1)]
    ways = {"sensors": ((every, None), (scores, None))}
    ways["corpora"] = tuple((scores, each) for each in only)
    rows, sensors = [], scores[0].sensors
    for name, each in ways.items():
        if name == "sensors" and (sensors is None or len({*sensors}) == len(sensors)):
            reason = "every modality has a sensor of its own"
            rows.append((name, np.nan, np.nan, np.nan, "", reason))
            continue
        try:
            first, second = (
                cross_source(part[0], part[1], part[2:], counted=counted)
                for part, counted in each
            )
        except IdentificationError as error:
            rows.append((name, np.nan, np.nan, np.nan, "", str(error)))
            continue
        rows.append((name, *difference(first, second, settings, seed), ""))
    return pd.DataFrame(rows, columns=COLUMNS)


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
    error = np.sqrt(sum((each**2).sum(0) for each in influence))
    drawn = largest_t(influence, error, settings.resamples, seed)
    reached = (drawn >= np.abs(change / error).max()).sum()
    p = (reached + 1) / (settings.resamples + 1)
    return (
        float(np.sqrt((change**2).mean())),
        float(np.sqrt((error**2).mean())),
        float(p),
        "fails" if p <= settings.alpha else "holds",
    )
