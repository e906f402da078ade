r"""What noise of raters does to associations, and what undoes it.

Say that raters put a trait at :math:`\tilde t = t + \nu`, where the clip shows t and
:math:`\nu` is a rater's own; and likewise an emotion. No score can tell
:math:`\nu`, so that scores covary with :math:`\tilde t` as they do with t, and so do
emotions: :math:`\mathrm{cov}(e, \tilde t) = \mathrm{cov}(e, t)`. Only the variance of
the label has grown. In the equation of three sources,

.. math:: W = [A\ D]\, \Sigma(C)^{-1} [B\ F]^\top,

this is the diagonal of :math:`\Sigma`: with the variances of the labels, too little is
explained and C is too small; with :math:`\Sigma - \mathrm{diag}(1 - \rho)`, where
:math:`\rho` are the reliabilities of standardised labels, it is exact. Without
:math:`\rho` it is not identified: to each reliability belongs a C that fits the same
moments. What is not known is therefore shown as a range.

An association of the labels is C; that of what clips show is
:math:`C_{ij} / \sqrt{\rho_i \rho_j}` (Spearman 1904).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sslmepr.association.cross_source import CrossSource, Reliability, cross_source
from sslmepr.association.preregistration import Endpoint, primary_table
from sslmepr.association.scores import IdentificationError, Scores
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params import Params
from sslmepr.params.analysis import Association
from sslmepr.params.simulation import Raters
from sslmepr.simulation.raters import (
    majority_errors,
    raters_in,
    rating_ceiling,
)
from sslmepr.simulation.world import EMOTION_PART, World, make_world

ASSUMED = (1.0, 0.9, 0.8, 0.7)
"""Reliabilities of all labels that are tried. By convention."""

COLUMNS = ["reliability", "emotion", "traits", "r", "low", "high", "shown", "verdict"]
COLUMNS += ["reason"]


def alike(share: float) -> Reliability:
    """The same known reliability of all labels."""
    sizes = len(SCORED_EMOTIONS), len(TRAITS)
    return Reliability(
        *(np.full(size, share) for size in sizes), *(np.zeros(size) for size in sizes)
    )


def known_reliability(params: Params) -> Reliability | None:
    """Reliability of the labels of a study whose raters are simulated.

    Noise that raters have in common over traits, of their halo, is counted as if it
    were noise of each trait.

    Parameters
    ----------
    params : Params

    Returns
    -------
    Reliability or None
        None where raters are not known: published corpora do not come with single
        ratings.
    """
    corpus = params.corpus[params.roles.personality]
    if corpus.source != "simulated" or params.simulation.raters is None:
        return None
    world = make_world(corpus.world, params.simulation.worlds)
    return reliability_of(world, raters_in(world, params.simulation.raters))


def reliability_of(world: World, raters: Raters) -> Reliability:
    """Reliability of the labels that some raters give in a world.

    Parameters
    ----------
    world : World
    raters : Raters
    """
    errors, weights = majority_errors(raters)
    spread = weights @ errors**2 - (weights @ errors) ** 2
    emotions = np.diag(world.covariance)[EMOTION_PART]
    traits = rating_ceiling(world, raters) ** 2
    return Reliability(
        emotions / (emotions + spread),
        traits,
        np.zeros(len(emotions)),
        np.zeros(len(traits)),
    )


def disattenuated(found: CrossSource, reliability: Reliability) -> CrossSource:
    """Associations of what clips show, without noise of raters.

    Parameters
    ----------
    found : CrossSource
        Estimated with this reliability.
    reliability : Reliability

    Returns
    -------
    CrossSource
        Its standard errors include those of the reliability.
    """
    shares = reliability.emotions[:, None], reliability.traits[None]
    factor = 1 / np.sqrt(shares[0] * shares[1])
    r = factor * found.associations
    influence = [factor * each for each in found.influence]
    size = len(reliability.emotions)
    errors = np.concatenate([reliability.emotion_errors, reliability.trait_errors])
    shift = np.zeros((len(errors), *r.shape))
    for place in range(len(errors)):
        if place < size:
            cells = (place, slice(None))
        else:
            cells = (slice(None), place - size)
        share = np.concatenate([reliability.emotions, reliability.traits])[place]
        shift[(place, *cells)] = -r[cells] * errors[place] / (2 * share)
    influence[-1] = influence[-1] + shift
    return found._replace(associations=r, influence=influence)


def reliability_range(
    scores: Sequence[Scores],
    endpoints: Sequence[Endpoint],
    settings: Association,
    seed: int,
    known: Reliability | None = None,
) -> pd.DataFrame:
    """The registered endpoints under several reliabilities of the labels.

    Parameters
    ----------
    scores : sequence of Scores
        As of `sslmepr.association.cross_source.cross_source`.
    endpoints : sequence of Endpoint
    settings : Association
    seed : int
    known : Reliability, optional
        Of the raters of this study, tried first.

    Returns
    -------
    DataFrame
        reliability (``raters`` or one of `ASSUMED`), emotion, traits, r (association of
        the labels) with its interval, shown (of what clips show), verdict, reason (why
        there is no estimate; else empty).
    """
    tried = {} if known is None else {"raters": known}
    tried |= {f"{share:g}": alike(share) for share in ASSUMED}
    parts = []
    for name, reliability in tried.items():
        try:
            found = cross_source(
                scores[0], scores[1], scores[2:], reliability=reliability
            )
        except IdentificationError as error:
            parts.append(pd.DataFrame({"reliability": [name], "reason": [str(error)]}))
            continue
        table = primary_table(found, endpoints, settings, seed)
        shown = disattenuated(found, reliability)
        table["shown"] = primary_table(shown, endpoints, settings, seed)["r"]
        parts.append(table.assign(reliability=name, reason=""))
    return pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS)
