"""Supervised losses of the two tasks, masked where labels are missing.

NaN labels are masked, and the loss of a task is zero for a batch without any of its
labels, so that clips of both corpora can share a batch.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

CONCORDANCE_SHARE = 0.2
"""Weight of the concordance term in the trait loss. Absolute error alone shrinks
predictions towards the median, which lowers concordance and hardly raises accuracy. By
convention, not tuned: no trial compares other values."""


def masked_mean_loss(losses: Tensor, known: Tensor) -> Tensor:
    """Mean of `losses` where `known`; zero, with a gradient path, if nowhere.

    Parameters
    ----------
    losses : (...) Tensor
    known : (...) bool Tensor

    Returns
    -------
    () Tensor
    """
    kept = torch.where(known, losses, torch.zeros_like(losses))
    return kept.sum() / known.sum().clamp(min=1)


def emotion_loss(logits: Tensor, intensity: Tensor) -> Tensor:
    """Binary cross-entropy of the presence of each emotion (multi-label).

    ``neutral`` is labelled present where no other emotion is. In a corpus with one
    emotion per clip, the largest logit is still the best single-label prediction.

    Parameters
    ----------
    logits : (clip, emotion) Tensor
    intensity : (clip, emotion) Tensor
        0 absent to 1 strongest, NaN where not annotated.

    Returns
    -------
    () Tensor
    """
    known = ~intensity.isnan()
    present = (intensity > 0).to(logits.dtype)
    losses = functional.binary_cross_entropy_with_logits(
        logits, present, reduction="none"
    )
    return masked_mean_loss(losses, known)


def trait_loss(scores: Tensor, true: Tensor, share: float | None = None) -> Tensor:
    """Mean absolute error of trait scores plus a weighted 1 - concordance.

    Parameters
    ----------
    scores : (clip, trait) Tensor
        In 0..1.
    true : (clip, trait) Tensor
        In 0..1, NaN where not annotated.
    share : float, optional
        Weight of the concordance term; `CONCORDANCE_SHARE` if not given. The term is
        multiplied by the labels' standard deviation, so both are in units of scores.

    Returns
    -------
    () Tensor
    """
    share = CONCORDANCE_SHARE if share is None else share
    known = ~true.isnan()
    target = torch.where(known, true, torch.zeros_like(true))
    error = masked_mean_loss((scores - target).abs(), known)
    labelled = known.all(1)
    if share == 0 or labelled.sum() < 2:
        return error
    scores, target = scores[labelled], target[labelled]
    spread = target.std(0, correction=0).mean()
    return error + share * spread * (1 - concordance(scores, target)).mean()


LOSSES: dict[str, Callable] = {"emotion": emotion_loss, "personality": trait_loss}
"""Task to its loss, of logits of emotions and of scores of traits."""


def concordance(predicted: Tensor, true: Tensor) -> Tensor:
    """Lin's concordance correlation coefficient over a batch: (trait,).

    Parameters
    ----------
    predicted, true : (clip, trait) Tensor
    """
    mean_gap = predicted.mean(0) - true.mean(0)
    p, y = predicted - predicted.mean(0), true - true.mean(0)
    spread = p.square().mean(0) + y.square().mean(0) + mean_gap.square()
    return 2 * (p * y).mean(0) / spread.clamp(min=1e-8)
