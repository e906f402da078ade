"""Scores of emotions and traits, drawn from a world with known associations."""

import numpy as np

from sslmepr import params
from sslmepr.association.cross_source import cross_source
from sslmepr.association.cross_table import CrossAssociations, cell_table
from sslmepr.association.scores import Scores

CORPORA = ["emotion", "personality", "joint"]
MODALITIES = ["face", "body", "audio"]
SETTINGS = params.load().association


def world(rng, clips=(600, 600, 300), noise=1.0, strength=0.5):
    """Scores of three corpora, two clips a speaker, and the associations behind them.

    Emotion scores read some cues of traits, and the reverse. Happiness goes with
    extraversion, with that strength, and sadness with less emotional stability.
    """
    associations = np.zeros((6, 5))
    associations[3, 2], associations[4, 4] = strength, -0.4
    joint = np.eye(11)
    joint[:6, 6:], joint[6:, :6] = associations, associations.T
    leaks = 0.2 * rng.standard_normal((2, len(MODALITIES), 11, 11))
    of_emotions = leaks[0, :, :6] + np.eye(11)[:6]
    of_traits = leaks[1, :, 6:] + np.eye(11)[6:]
    corpora = []
    for place, count in enumerate(clips):
        latents = rng.multivariate_normal(np.zeros(11), joint, count)
        scores = [
            np.einsum("nl,msl->nms", latents, loadings)
            + noise * rng.standard_normal((count, *loadings.shape[:2]))
            for loadings in (of_emotions, of_traits)
        ]
        present = rng.random((count, len(MODALITIES))) < 0.9
        speakers = np.array([f"{place}-{n // 2}" for n in range(count)])
        labels = [latents[:, :6] > 0.7, latents[:, 6:], None][place]
        corpora.append(Scores(*scores, present, speakers, labels))
    return corpora, associations


def crossed(seed=0, **options):
    """Associations as the stage ``association`` finds them, in a drawn world."""
    scores, _ = world(np.random.default_rng(seed), **options)
    estimate = cross_source(scores[0], scores[1], scores[2:])
    table = cell_table(estimate, SETTINGS, seed)
    return CrossAssociations(table, table, estimate, scores)
