"""Scores that follow a linear law with leaks, and their exact moments."""

import numpy as np

from sslmepr.association.scores import Scores

EMOTIONS, TRAITS, MODALITIES = 3, 2, 3
CUT = 0.5


def laws(rng, leak=0.4):
    """Joint correlations, and loadings of emotion and trait scores, with leaks."""
    size = EMOTIONS + TRAITS
    joint = 0.25 * np.ones((size, size)) + 0.75 * np.eye(size)
    joint[:EMOTIONS, EMOTIONS:] = [[0.4, 0.0], [0.0, -0.3], [0.1, 0.0]]
    joint[EMOTIONS:, :EMOTIONS] = joint[:EMOTIONS, EMOTIONS:].T
    of_emotions = leak * rng.standard_normal((MODALITIES, EMOTIONS, size))
    of_traits = leak * rng.standard_normal((MODALITIES, TRAITS, size))
    of_emotions[..., :EMOTIONS] += np.eye(EMOTIONS)
    of_traits[..., EMOTIONS:] += np.eye(TRAITS)
    return joint, of_emotions, of_traits


def drawn(rng, clips, joint, of_emotions, of_traits, noise=0.7, per_speaker=1):
    """Scores of three corpora, of which the first two are labelled."""
    corpora = []
    for place in range(3):
        latents = rng.multivariate_normal(np.zeros(len(joint)), joint, clips)
        labels = [latents[:, :EMOTIONS] > CUT, latents[:, EMOTIONS:], None][place]
        scores = [
            np.einsum("nl,msl->nms", latents, loadings)
            + noise * rng.standard_normal((clips, *loadings.shape[:2]))
            for loadings in (of_emotions, of_traits)
        ]
        present = rng.random((clips, MODALITIES)) < 0.9
        speakers = np.array([f"s{n // per_speaker}" for n in range(clips)])
        corpora.append(Scores(*scores, present, speakers, labels))
    return corpora


def read_less(corpus, tasks, scales):
    """The same corpus, of whose labels scores carry a share: noise is as it was.

    `scales` are those of the modalities.
    """
    rng = np.random.default_rng(7)
    parts = {}
    for name in tasks:
        values = getattr(corpus, name) * scales[:, None]
        noise = 0.7 * np.sqrt(1 - scales[:, None] ** 2)
        parts[name] = values + noise * rng.standard_normal(values.shape)
    return corpus._replace(**parts)


class Exact:
    """Covariances of scores with labels of a corpus of endless size."""

    def __init__(self, emotions, traits, matrix):
        self.emotions, self.traits, self.matrix = emotions, traits, matrix
