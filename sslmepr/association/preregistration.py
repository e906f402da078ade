"""The primary family: a few endpoints, fixed in a file before data are looked at.

Thirty cells at a time leave little power to each. A study that states beforehand which
associations it is about tests these alone, together, by the largest statistic under
random signs of speakers; everything else it finds is exploratory.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from sslmepr.association.cross_source import CrossSource
from sslmepr.association.cross_table import verdict_of
from sslmepr.association.influence_tests import intervals, multiplied
from sslmepr.association.verdicts import OPPOSITE, SIGNS
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params.analysis import Association
from sslmepr.params.base import Section, read
from sslmepr.params.study import parse

FILE = Path("book", "preregistration.yaml")

PRIMARY_FILE = "primary.csv"
PRIMARY = ["emotion", "traits", "direction", "r", "error", "low", "high", "p"]
PRIMARY += ["p_family", "verdict", "n", "n_speakers"]

MOST = 6
"""Endpoints of a family. By convention: few enough that each keeps its power."""


class Endpoint(Section):
    """An emotion and one or more traits, over which correlations are averaged.

    Attributes
    ----------
    emotion : str
    traits : list of str or "all"
    direction : {"positive", "negative", "none"}
        The expected sign, tested on one side; ``none`` is tested on both.
    """

    emotion: Literal[SCORED_EMOTIONS]
    traits: Literal["all"] | Annotated[list[Literal[TRAITS]], Field(min_length=1)]
    direction: Literal["positive", "negative", "none"]

    def weights(self) -> np.ndarray:
        """Share of each cell in the mean: (emotion, trait)."""
        traits = TRAITS if self.traits == "all" else self.traits
        chosen = np.isin(TRAITS, traits) / len(set(traits))
        return np.outer(np.array(SCORED_EMOTIONS) == self.emotion, chosen)


class Preregistration(Section):
    """What a study tests.

    Attributes
    ----------
    registered : str
        Date.
    known : str
        What was known of the data by then.
    endpoints : list of Endpoint
        At most `MOST`.
    deviations : list of str
        Later departures, with reasons.
    """

    registered: str
    known: str
    endpoints: Annotated[list[Endpoint], Field(min_length=1, max_length=MOST)]
    deviations: list[str]

    def claims(self) -> dict[str, int]:
        """Emotion to the expected sign of its mean association with all traits."""
        return {
            each.emotion: SIGNS[each.direction]
            for each in self.endpoints
            if each.traits == "all" and SIGNS[each.direction]
        }

    def digest(self) -> str:
        """Hash (SHA-256) of everything but the deviations, in hexadecimal digits."""
        fixed = self.model_dump(exclude={"deviations"})
        return sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


def read_preregistration(path: str | Path = FILE) -> Preregistration:
    """Read the endpoints of a study.

    Parameters
    ----------
    path : path

    Returns
    -------
    Preregistration

    Raises
    ------
    ParamsError
        If the file is absent, is not YAML, or holds something else; the message names
        the file and everything that is wrong.
    """
    return parse(read(Path(path)), str(path), Preregistration)


def primary_table(
    found: CrossSource, endpoints: Sequence[Endpoint], settings: Association, seed: int
) -> pd.DataFrame:
    """Test the endpoints of a study together.

    Parameters
    ----------
    found : CrossSource
    endpoints : sequence of Endpoint
    settings : Association
    seed : int
        Of the random signs.

    Returns
    -------
    DataFrame
        emotion, traits, direction, r (mean correlation), error (its standard error),
        low, high, p (of this endpoint alone), p_family (corrected for all endpoints by
        the largest statistic), verdict (as of `sslmepr.association.cross_table`, or
        `OPPOSITE`), n (clips), n_speakers.
    """
    weights = np.array([each.weights() for each in endpoints])
    signs = np.array([SIGNS[each.direction] for each in endpoints])
    influence = [np.einsum("net,wet->nw", each, weights) for each in found.influence]
    error = np.sqrt(sum((each**2).sum(0) for each in influence))
    r = np.einsum("et,wet->w", found.associations, weights)
    low, high, both = intervals(r, error, settings.confidence, found.n_speakers)
    expected = signs * r > 0
    one = np.where(expected, both / 2, 1 - both / 2)
    reached = _towards(r / error, signs)
    drawn = _towards(multiplied(influence, settings.resamples, seed) / error, signs)
    as_large = (drawn.max(1)[:, None] >= reached).sum(0)
    p_family = (as_large + 1) / (settings.resamples + 1)
    verdict = verdict_of(
        p_family <= settings.alpha, r, error, found.n_speakers, settings
    )
    against = ((signs > 0) & (high < 0)) | ((signs < 0) & (low > 0))
    verdict = np.where(against, OPPOSITE, verdict)
    return pd.DataFrame(
        {
            "emotion": [each.emotion for each in endpoints],
            "traits": [
                each.traits if each.traits == "all" else ", ".join(each.traits)
                for each in endpoints
            ],
            "direction": [each.direction for each in endpoints],
            "r": r,
            "error": error,
            "low": low,
            "high": high,
            "p": np.where(signs == 0, both, one),
            "p_family": p_family,
            "verdict": verdict,
            "n": found.n_clips,
            "n_speakers": found.n_speakers,
        }
    )


def read_primary(folder: str | Path) -> pd.DataFrame:
    """The endpoints that the stage ``association`` has tested.

    Parameters
    ----------
    folder : path
        ``results/<study>/association``.

    Returns
    -------
    DataFrame
        As of `primary_table`; without rows if there are no associations to test.

    Raises
    ------
    ValueError
        If the file lacks a column.
    """
    path = Path(folder, PRIMARY_FILE)
    if not path.is_file():
        return pd.DataFrame(columns=PRIMARY)
    table = pd.read_csv(path)
    missing = [name for name in PRIMARY if name not in table]
    if missing:
        raise ValueError(f"{path}: no column {', '.join(missing)}")
    return table


def _towards(t: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Statistics in the expected direction; without one, their size."""
    return np.where(signs == 0, np.abs(t), signs * t)
