"""What is seen or heard to be special about one simulated clip.

The circumstances of a clip (`sslmepr.simulation.knobs`) that an ideal observer is told
are drawn into its media: a channel of poor quality looks or sounds poor, hidden
controls have a thing in front of them, contrary words come with a drawl, an absent
modality is not there. All signs fade out with the doses of their knobs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sslmepr.params.simulation import Knobs
from sslmepr.simulation.knobs import HIDING, Circumstances, noise_levels

MARKER_DOSE = 0.5
"""Dose of ``incongruence`` from which the marker of contrary words is fully heard."""


@dataclass(frozen=True)
class Signs:
    """Signs of one clip; those of a plain clip by default.

    Attributes
    ----------
    loss : mapping of str to float
        Channel to how badly it is seen or heard: 0 clear, 1 nearly gone at dose 1 of
        ``reliability``. A channel that is not named is clear.
    thing : str, optional
        What hides controls, of `HIDING`.
    marker : float
        Of contrary words, in standard deviations of its noise; 0 without
        ``incongruence``.
    absent : frozenset of str
        Modalities that the clip lacks.
    """

    loss: Mapping[str, float] = field(default_factory=dict)
    thing: str | None = None
    marker: float = 0.0
    absent: frozenset[str] = frozenset()


def signs_of(given: Circumstances, knobs: Knobs, names, clip: int) -> Signs:
    """Signs of a clip.

    Parameters
    ----------
    given : Circumstances
    knobs : Knobs
    names : mapping of str to tuple of str
        Channel to its controls.
    clip : int
        Its place in `given`.

    Returns
    -------
    Signs
    """
    loss = {}
    if knobs.reliability:
        levels = noise_levels(knobs.reliability)
        worst = knobs.reliability / (len(levels) - 1)
        for name, noise in given.noise.items():
            loss[name] = worst * int(np.abs(levels - noise[clip]).argmin())
    seen = [
        thing
        for thing, (name, lost) in HIDING.items()
        if name in names
        and np.array_equal(given.hidden[name][clip], np.isin(names[name], lost))
    ]
    return Signs(
        loss,
        seen[0] if seen else None,
        min(1.0, knobs.incongruence / MARKER_DOSE) * float(given.marker[clip]),
        frozenset(name for name, absent in given.absent.items() if absent[clip]),
    )
