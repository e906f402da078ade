"""Pairs as the chapter reads them, of a study with one of each verdict."""

import numpy as np
from drawn_scores import CORPORA, SETTINGS

from sslmepr.association.cross_source import CrossSource
from sslmepr.association.cross_table import cell_table
from sslmepr.association.planning import precision
from sslmepr.association.scores import Scores
from sslmepr.report.pair_export import tidy_export

SIZES = (400, 500, 300)


def study(settings=SETTINGS):
    """Table, precision and pairs.

    Standard errors are .03, but .2 for surprise. Anger goes with less openness (-.3),
    disgust with more conscientiousness (.2); the others are 0.
    """
    rng = np.random.default_rng(0)
    influence = [rng.standard_normal((count // 2, 6, 5)) for count in SIZES]
    total = np.sqrt(sum((each**2).sum(0) for each in influence))
    influence = [0.03 * each / total for each in influence]
    for each in influence:
        each[:, 5] *= 0.2 / 0.03
    r = np.zeros((6, 5))
    r[0, 0], r[1, 1] = -0.3, 0.2
    speakers = sum(len(each) for each in influence)
    found = CrossSource(r, influence, sum(SIZES), speakers, sum(SIZES))
    scores = [
        Scores(None, None, np.ones((count, 2), bool), np.arange(count).astype(str))
        for count in SIZES
    ]
    table = cell_table(found, settings, 0)
    known = precision(found, scores, CORPORA)
    return table, known, tidy_export(table, known, settings)
