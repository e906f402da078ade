"""Controls of the drawn channels: named real numbers, and what moves them.

Each of the channels face, body and scene is drawn from a vector of controls. A control
is roughly standard normal: 0 is the average, and values beyond +-4 hardly change the
picture any more. Two matrices per channel hold the effects of emotions and traits on
them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Controls:
    """What one clip shows.

    Parameters
    ----------
    face, body : (control,) or (moment, control) ndarray
        Named, in order, by `FACE_CONTROLS` and `BODY_CONTROLS`; moments lie at equal
        distances over the clip.
    scene : (control,) or (1, control) ndarray
        As named by `SCENE_CONTROLS`.
    """

    face: np.ndarray
    body: np.ndarray
    scene: np.ndarray


def squash(values: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """Controls by name, squeezed smoothly into -1..1.

    Parameters
    ----------
    values : (control,) ndarray
        Roughly standard normal.
    names : sequence of str
        The controls, in the order of `values`.

    Raises
    ------
    ValueError
        If the number of values is wrong or one of them is not finite.
    """
    values = np.asarray(values, dtype=float)
    if values.shape != (len(names),):
        raise ValueError(
            f"controls {', '.join(names)}: {len(names)} values are needed, "
            f"got an array of shape {values.shape}"
        )
    for name, value in zip(names, values, strict=True):
        if not np.isfinite(value):
            raise ValueError(f"control {name} is not finite: {value}")
    return dict(zip(names, np.tanh(values / 1.6).tolist(), strict=True))


def amount(squashed: float) -> float:
    """A control in -1..1 as a quantity in 0..1 that is never negative."""
    return 0.5 * (1.0 + squashed)


def between(
    first: Mapping[str, float], second: Mapping[str, float], share: float
) -> dict[str, float]:
    """Controls on the way from one moment to another, by name.

    Parameters
    ----------
    first, second : mapping of str to float
        Of the same names.
    share : float
        0..1 of the way.
    """
    return {
        name: value + share * (second[name] - value) for name, value in first.items()
    }


def course(moments: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the frames of a clip lie among its moments.

    A moment is held for half of its time around its middle, where samples at equal
    distances fall, and passes smoothly into the next one in the other half.

    Parameters
    ----------
    moments, frames : int
        Both cover the clip at equal distances.

    Returns
    -------
    before : (frame,) int ndarray
        The moment that a frame comes from.
    share : (frame,) ndarray
        How far it is on its way to the next one, 0..1.
    """
    place = (np.arange(frames) + 0.5) / frames * moments - 0.5
    place = np.clip(place, 0, moments - 1)
    before = np.minimum(place.astype(int), max(0, moments - 2))
    share = np.clip(2 * (place - before) - 0.5, 0, 1)
    return before, share**2 * (3 - 2 * share)


def axis_matrix(
    controls: Sequence[str],
    targets: Sequence[str],
    weights: Mapping[str, Mapping[str, float]],
) -> np.ndarray:
    """Directions in control space, one unit-length column for each target.

    Parameters
    ----------
    controls, targets : sequence of str
        Names of the rows and of the columns.
    weights : mapping
        For each target the controls that it moves; the others stay.

    Returns
    -------
    (control, target) ndarray

    Raises
    ------
    KeyError
        If `weights` lacks a target or names an unknown control.
    """
    matrix = np.zeros((len(controls), len(targets)))
    row = {name: index for index, name in enumerate(controls)}
    for column, target in enumerate(targets):
        for control, weight in weights[target].items():
            matrix[row[control], column] = weight
    matrix /= np.linalg.norm(matrix, axis=0)
    matrix.setflags(write=False)
    return matrix
