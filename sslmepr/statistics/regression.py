"""Ridge and logistic regression for many targets and many samples of the same clips.

A training fold or a bootstrap sample is a vector of counts over the same clips. All
logistic fits of one call are solved jointly, with a few products of large matrices.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

LOGISTIC_STEPS = 300
"""Largest number of iterations of L-BFGS."""

LOGISTIC_TOLERANCE = 1e-6
"""Largest entry of the gradient of the mean loss per clip at which L-BFGS stops."""

NEWTON_STEPS, NEWTON_TOLERANCE = 30, 1e-8
"""Largest number of Newton's steps, and that entry at which they stop."""


def ridge(features, true, alpha, counts) -> tuple[np.ndarray, np.ndarray]:
    """L2-penalised least squares with an unpenalised intercept.

    Parameters
    ----------
    features : (clip, feature) array
    true : (clip, target) array
    alpha : float
        Weight of the L2 penalty, as in scikit-learn's ``Ridge``.
    counts : (sample, clip) array
        How often each sample contains each clip.

    Returns
    -------
    weights : (sample, target, feature) array
    bias : (sample, target) array
    """
    weights, bias = [], []
    for count in counts:
        total = count.sum()
        mean, centre = count @ features / total, count @ true / total
        scaled = np.sqrt(count)[:, None] * (features - mean)
        product = scaled.T @ scaled
        product[np.diag_indices_from(product)] += alpha
        moment = scaled.T @ (np.sqrt(count)[:, None] * (true - centre))
        found = np.linalg.solve(product, moment).T
        weights.append(found)
        bias.append(centre - found @ mean)
    return np.array(weights), np.array(bias)


def logistic(features, present, C, counts, start=None):
    """L2-penalised logistic regression with an unpenalised intercept.

    A target that is present in all or none of a sample's clips gets zero weights, and
    as intercept the log-odds of its base rate moved half a clip away from 1 or 0.

    Parameters
    ----------
    features : (clip, feature) array
    present : (clip, target) bool array
    C : float
        Inverse weight of the L2 penalty, as in scikit-learn's ``LogisticRegression``.
    counts : (sample, clip) array
        How often each sample contains each clip.
    start : tuple of array, optional
        Weights (target, feature) and bias (target,) at which the optimiser starts.

    Returns
    -------
    weights : (sample, target, feature) array
    bias : (sample, target) array
    """
    totals = counts.sum(1, keepdims=True)
    rate = np.clip(counts @ present / totals, 0.5 / totals, 1 - 0.5 / totals)
    bias = np.log(rate / (1 - rate))
    weights = np.zeros((*rate.shape, features.shape[1]))
    seen = counts @ present
    sample, target = np.nonzero((seen > 0) & (seen < totals))
    first = np.zeros((len(sample), features.shape[1] + 1))
    first[:, -1] = bias[sample, target]
    if start is not None:
        first[:, :-1], first[:, -1] = start[0][target], start[1][target]
    loss = _LogisticLoss(
        features, present[:, target], C, counts[sample].T, totals[sample, 0]
    )
    if len(sample):
        found = minimize(
            loss,
            first.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={
                "maxiter": LOGISTIC_STEPS,
                "maxfun": 2 * LOGISTIC_STEPS,
                "gtol": LOGISTIC_TOLERANCE,
                "ftol": 0,
            },
        ).x.reshape(first.shape)
        weights[sample, target], bias[sample, target] = found[:, :-1], found[:, -1]
    return weights, bias


def offset_logistic(features, present, penalty, count, offset):
    """Logistic regression around an offset, by Newton's method.

    Parameters
    ----------
    features : (clip, feature) array
    present : (clip,) array
        1 or 0.
    penalty : (feature,) array
        Of squared weights; that of the intercept is 0.
    count : (clip,) array
        How often each clip is in the sample.
    offset : (clip,) array or float
        Added to the logits.

    Returns
    -------
    (weights, intercept) or None
        None if the target is present in all or none of the clips.
    """
    seen = count @ present
    if seen in (0, count.sum()):
        return None
    design = np.column_stack([features, np.ones(len(features))])
    holding, values = np.append(penalty, 0.0), np.zeros(design.shape[1])

    def loss(values):
        logits = design @ values + offset
        each = np.logaddexp(0, logits) - present * logits
        return count @ each + holding @ values**2 / 2

    now = loss(values)
    for _ in range(NEWTON_STEPS):
        chance = expit(design @ values + offset)
        slope = design.T @ (count * (chance - present)) + holding * values
        if np.abs(slope).max() <= NEWTON_TOLERANCE * count.sum():
            break
        weight = count * chance * (1 - chance)
        curve = (design.T * weight) @ design + np.diag(holding + 1e-9)
        step = np.linalg.solve(curve, slope)
        while (then := loss(values - step)) > now and np.abs(step).max() > 1e-12:
            step = step / 2
        values, now = values - step, then
    return values[:-1], values[-1]


class _LogisticLoss:
    """Penalised mean loss per clip, summed over independent fits, and its gradient.

    The axis ``problem`` runs over all pairs of a sample and a target.
    """

    def __init__(self, features, present, C, counts, totals):
        self.features = features
        self.present = present.astype(features.dtype)  # (clip, problem)
        self.share = counts / totals  # (clip, problem)
        self.penalty = 1 / (C * totals)  # (problem,)

    def __call__(self, flat):
        values = flat.reshape(len(self.penalty), -1)
        weights, bias = values[:, :-1], values[:, -1]
        logits = self.features @ weights.T + bias
        loss = (self.share * (np.logaddexp(0, logits) - self.present * logits)).sum()
        loss += (self.penalty * (weights**2).sum(1)).sum() / 2
        residual = self.share * (expit(logits) - self.present)
        gradient = np.empty_like(values)
        gradient[:, :-1] = residual.T @ self.features + self.penalty[:, None] * weights
        gradient[:, -1] = residual.sum(0)
        return loss, gradient.ravel()
