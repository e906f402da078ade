"""Labels of drawn studies: scarce beside clips without labels, or unequal."""

from dataclasses import dataclass, field

import numpy as np

from sslmepr.params.simulation import Raters

LABELLED = ("emotion", "personality")

SCARCE_LABELS = {0.0: 2000, 0.5: 340, 1.0: 100}
"""Dose of ``scarcity`` to the labelled training clips of each task."""

UNLABELLED = 10
"""Clips without labels for each labelled training clip, at all doses of ``scarcity``.
"""

POOR_TASK = "personality"
"""The task whose labels are fewer and worse under ``imbalance``."""

FEWER, NOISIER = 10, 5
"""Factors of ``imbalance`` at dose 1."""

PANEL = Raters(count=5, halo=0, noise_sd=0.5)
"""Raters whose noise ``imbalance`` multiplies where the labels have none."""


@dataclass(frozen=True)
class Labelling:
    """Labels of the training corpora of a study.

    Attributes
    ----------
    clips : dict of str to int
        Task to its labelled clips in training, dev and test.
    unlabelled : dict of str to int
        Task to the clips without labels beside them, all in training.
    worse : dict of str to float
        Task to the factor on the noise of its raters.
    """

    clips: dict[str, int]
    unlabelled: dict[str, int] = field(default_factory=dict)
    worse: dict[str, float] = field(default_factory=dict)


def scarce(dose: float, train_share: float) -> Labelling:
    """Few labelled clips and ten times as many without labels.

    Parameters
    ----------
    dose : float
        0: 2,000 labelled training clips for each task, 0.5: 340, 1: 100; between them
        by equal ratios.
    train_share : float
        Of labelled clips, those in training.
    """
    known = np.log([*SCARCE_LABELS.values()])
    labelled = np.exp(np.interp(dose, [*SCARCE_LABELS], known))
    clips = dict.fromkeys(LABELLED, round(labelled / train_share))
    return Labelling(clips, dict.fromkeys(LABELLED, UNLABELLED * round(labelled)))


def imbalanced(dose: float, clips: int) -> Labelling:
    """One task with fewer labels than the other, which are also noisier.

    Parameters
    ----------
    dose : float
        At 1 it has a tenth of the labels, with five times the noise.
    clips : int
        Of the other task.
    """
    counts = dict.fromkeys(LABELLED, clips)
    counts[POOR_TASK] = round(clips * FEWER**-dose)
    return Labelling(counts, worse={POOR_TASK: NOISIER**dose})


def worse_raters(raters: Raters | None, factor: float) -> Raters | None:
    """Raters with `factor` times the noise; where there are none, those of `PANEL`.

    The variance of a rating grows by that of the panel's times factor^2 - 1, so that a
    factor of 1 changes nothing whether there are raters or not.
    """
    if factor == 1:
        return raters
    base = raters or PANEL.model_copy(update={"noise_sd": 0.0})
    added = PANEL.noise_sd**2 * (factor**2 - 1)
    return base.model_copy(
        update={"noise_sd": float(np.hypot(base.noise_sd, added**0.5))}
    )
