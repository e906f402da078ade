"""What an ideal observer learns from words, which keep less than their controls.

A transcript shows which three controls of text deviate most, in which direction and how
strongly (`sslmepr.simulation.words.said`), and not their values. Given the latents the
controls z are independent and normal, so that what is said has the probability

    P = int F(m) (-dG(m)),  G(m) = prod_said P(z in its range, |z| >= m),
                            F(m) = prod_unsaid P(|z| <= m),

where m is the smallest deviation that is said; with fewer than three clauses, all
others deviate less than `LEAST`. The posterior has no closed form. It is computed by
self-normalised importance sampling: latents and circumstances are drawn from the exact
posterior of a clip whose controls of text were seen roughly, and weighed by P over the
density of what was seen.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from scipy.special import ndtr

from sslmepr.simulation.knobs import Circumstances, look_loadings
from sslmepr.simulation.mixture import (
    EMOTIONS,
    Draws,
    Known,
    Mixture,
    draw_posterior,
)
from sslmepr.simulation.words import CLAUSES, LEAST, STRONG

DRAWS = 1500
"""Of each clip. Their effective number is above 500 in most clips (Kish); scores are
means over clips."""

TRIAL_DRAWS, TRIALS = 500, 3
"""Draws that bring what is seen roughly nearer to what words tell, and how often."""

_TYPICAL, _ROUGH = np.array([0.0, 0.9, 2.1]), np.array([1.0, 0.5, 0.8])
"""Deviation of a control of which nothing, something, something strong is said, and the
standard deviation around it: what is seen roughly at first."""

_WEAK = np.linspace(LEAST, STRONG, 17)
_MUCH = np.append(np.linspace(STRONG, STRONG + 4, 32), np.inf)
"""Values of m between which it lies, if something is said weakly, and if nothing is."""


def infer_heard(
    said: np.ndarray,
    spread: np.ndarray,
    known: Known,
    controls: Mapping[str, np.ndarray],
    given: Circumstances,
) -> Iterator[tuple[slice, Mixture]]:
    """Posterior of the latents of clips of one domain, given words and the rest.

    Parameters
    ----------
    said : (clip, control) int ndarray
        From `sslmepr.simulation.words.said`; of clips without text it is not used.
    spread : (control,) ndarray
        By which controls of text are divided before words are chosen.
    known, controls, given
        See `sslmepr.simulation.mixture.infer`. Of the known loadings one is that of
        text; controls of text are not used.

    Yields
    ------
    rows : slice
        Of the clips.
    mixture : Mixture
        Of weighted draws, without deviation.
    """
    own = given.noise["text"][:, None]
    seen = spread * np.sign(said) * _TYPICAL[np.abs(said)]
    wide = np.sqrt(own**2 + (_ROUGH[np.abs(said)] * spread) ** 2)
    rng = np.random.default_rng(len(said))
    for draws in (*[TRIAL_DRAWS] * TRIALS, DRAWS):
        rough = {**controls, "text": seen[:, None]}, given.with_noise("text", wide)
        parts = draw_posterior(known, *rough, draws, rng)
        seen, wide = seen.copy(), wide.copy()
        for rows, drawn in parts:
            expected = _expected(drawn, known)
            surplus = ((seen[rows][:, None] - expected) / wide[rows][:, None]) ** 2
            log_weight = 0.5 * surplus.sum(-1) + np.log(drawn.weight)
            scaled, deviation = expected / spread, own[rows] / spread
            for clip, levels in enumerate(said[rows]):
                chance = likelihood(levels, scaled[clip], deviation[clip])
                log_weight[clip] += np.log(np.maximum(chance, 1e-300))
            silent = given.absent["text"][rows]
            log_weight[silent] = np.log(drawn.weight[silent])
            if draws == DRAWS:
                weight = _normalised(log_weight)
                yield rows, Mixture(weight, drawn.targets, np.zeros_like(drawn.targets))
            else:
                weight = _gentle(log_weight / 2)
                seen[rows], wide[rows] = _nearer(
                    seen[rows], wide[rows], expected, weight, own[rows], spread
                )


def _expected(drawn: Draws, known: Known) -> np.ndarray:
    """Controls of text without their noise, (clip, draw, control)."""
    text, looks = known.loadings["text"], known.knobs.shared_looks
    emotions, rest = np.split(drawn.latents, [EMOTIONS], axis=-1)
    still = [text.traits]
    if looks:
        still.append(look_loadings(looks, "text", len(text.offset)))
    shown = (emotions @ text.first.T) * drawn.emotion_factor[..., None]
    return shown + rest @ np.hstack(still).T + text.offset


def _normalised(log_weight: np.ndarray) -> np.ndarray:
    weight = np.exp(log_weight - log_weight.max(1, keepdims=True))
    return weight / weight.sum(1, keepdims=True)


def _gentle(log_weight: np.ndarray) -> np.ndarray:
    """Weights that sum to 1, flattened where a tenth of the draws would have them."""
    for _ in range(10):
        weight = _normalised(log_weight)
        few = (weight**2).sum(1, keepdims=True) > 10 / weight.shape[1]
        log_weight = np.where(few, log_weight / 2, log_weight)
    return weight


def _nearer(seen, wide, expected, weight, least, spread):
    """What is seen roughly, and how roughly, so that draws need less weighing.

    Expectation propagation (Minka 2001) for each control by itself: what is seen takes
    up by how much weighing changes mean and variance.
    """
    before = expected.mean(1), expected.var(1)
    weight = weight[..., None]
    mean = (weight * expected).sum(1)
    after = mean, (weight * (expected - mean[:, None]) ** 2).sum(1)
    precision = 1 / wide**2 + 1 / after[1] - 1 / before[1]
    linear = seen / wide**2 + after[0] / after[1] - before[0] / before[1]
    wider = least**2 + (1.5 * spread) ** 2
    precision = np.clip(precision, 1 / wider, 1 / least**2)
    return np.clip(linear / precision, -3 * spread, 3 * spread), precision**-0.5


def likelihood(
    levels: np.ndarray, mean: np.ndarray, deviation: np.ndarray
) -> np.ndarray:
    """Probability that just this is said.

    Parameters
    ----------
    levels : (control,) int ndarray
        What is said, from `sslmepr.simulation.words.said`.
    mean : (draw, control) ndarray
        Expected controls, in the units in which words are chosen.
    deviation : (control,) ndarray
        Of the controls around it.

    Returns
    -------
    (draw,) ndarray
    """
    spoken = levels != 0
    sign = np.sign(levels[spoken])
    centre, scale = mean[:, spoken] * sign, deviation[spoken]
    strong = np.abs(levels[spoken]) == 2
    above = np.where(strong, 0.0, ndtr((centre - STRONG) / scale))
    few = spoken.sum() < CLAUSES
    bounds = np.array([LEAST]) if few else _MUCH if strong.all() else _WEAK
    least = np.maximum(bounds[:, None], np.where(strong, STRONG, LEAST))
    over = ndtr((centre - least[:, None]) / scale) - above  # (bound, draw, control)
    over = np.maximum(over, 0).prod(-1)
    ends = bounds[:, None, None]
    others, scale = mean[:, ~spoken], deviation[~spoken]
    under = ndtr((ends - others) / scale) - ndtr((-ends - others) / scale)
    under = under.prod(-1)
    if few:
        return (over * under)[0]
    # Richardson: the error of the trapezoid rule falls as the square of its step.
    fine, coarse = _stieltjes(under, over), _stieltjes(under[::2], over[::2])
    return np.maximum((4 * fine - coarse) / 3, 0)


def _stieltjes(f: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Integral of f with respect to -g along the first axis, by the trapezoid rule."""
    return ((g[:-1] - g[1:]) * (f[:-1] + f[1:]) / 2).sum(0)
