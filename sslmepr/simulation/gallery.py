"""What each knob of the simulated world does to a clip, as clips to see and hear.

One person is rendered again and again, and only what a knob changes differs. The
person feels one emotion strongly, and nothing is left to chance.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.labels import MODALITIES, SCORED_EMOTIONS
from sslmepr.params import Params
from sslmepr.params.simulation import Knobs
from sslmepr.simulation import words
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.draw import draw_corpus
from sslmepr.simulation.knobs import (
    FRAMED,
    HIDING,
    MARKER_SHIFT,
    envelopes,
    expressiveness,
)
from sslmepr.simulation.plan import ClipPlan, plan_clips, render_clip
from sslmepr.simulation.signs import Signs
from sslmepr.simulation.world import make_world

SHOWN = "anger"
"""The emotion that is felt in the examples: its forms differ in every channel."""

STRENGTH = 2.5
"""Of that emotion, in standard deviations."""

QUALITIES = {"clear": 0.0, "poor": 0.5, "nearly gone": 1.0}
"""Words for the classes of ``reliability``, and their losses at dose 1."""


def render_examples(name: str, params: Params, folder: str | Path) -> pd.DataFrame:
    """Render an example of every effect of every knob at dose 1.

    Parameters
    ----------
    name : str
        A simulated corpus, whose first person is shown.
    params : Params
    folder : path
        Where the MP4 files are written; it must exist.

    Returns
    -------
    DataFrame
        knob, example, media (name of the file), transcript, start_seconds and
        end_seconds (NaN: the whole file).
    """
    rows = []
    for knob, example, plan in _Person(name, params).examples():
        media = f"{len(rows):02}.mp4"
        render_clip(plan, params.simulation, Path(folder, media))
        rows.append((knob, example, media, plan.transcript))
    table = pd.DataFrame(rows, columns=["knob", "example", "media", "transcript"])
    return table.assign(start_seconds=np.nan, end_seconds=np.nan)


class _Person:
    """The first person of a corpus, in a clip without anything special."""

    def __init__(self, name: str, params: Params):
        simulation = params.simulation.model_copy(update={"knobs": Knobs()})
        plain = params.model_copy(update={"simulation": simulation})
        corpus = params.corpus[name].model_copy(update={"clips": 1, "persons": 1})
        (self.plan,) = plan_clips(name, draw_corpus(name, corpus, plain), plain)
        self.domain = corpus.domains[0]
        self.channels = make_channels(simulation)
        self.world = make_world(corpus.world, simulation.worlds)
        self.moments = simulation.cue_frames

    def clip(self, signs=None, second=False, shape=1.0, factor=1.0, words_sign=1.0):
        """A plan in which the emotion is felt.

        Parameters
        ----------
        signs : Signs, optional
        second : bool
            Whether the second form of the emotion is shown.
        shape : float or (moment,) ndarray
            Strength of the expression over the clip.
        factor : float
            Expressiveness.
        words_sign : float
            -1 where the words say the opposite.
        """
        place = SCORED_EMOTIONS.index(SHOWN)
        controls = {}
        for name, channel in self.channels.items():
            form = channel.second_axes if second else channel.emotion_axes
            axis = factor * STRENGTH * form[:, place] / channel.spread(self.world)
            if name == "text":
                axis = words_sign * axis
            course = np.atleast_1d(shape) if name in FRAMED else np.ones(1)
            controls[name] = course[:, None] * axis
        phrases = words.compose(controls["text"][0], self.domain, self.plan.seeds[0])
        return replace(
            self.plan, controls=controls, signs=signs or Signs(), phrases=phrases
        )

    def examples(self) -> Iterator[tuple[str, str, ClipPlan]]:
        """Knob, what is shown, and the plan of the clip."""
        for word, loss in QUALITIES.items():
            signs = Signs(dict.fromkeys(MODALITIES, loss))
            yield "reliability", word, self.clip(signs)
        for thing in HIDING:
            yield "occlusion", thing, self.clip(Signs(thing=thing))
        yield "incongruence", "words as meant", self.clip()
        drawl = Signs(marker=MARKER_SHIFT)
        yield "incongruence", "contrary words", self.clip(drawl, words_sign=-1)
        for knob, word in {"burst": "in one moment", "order": "rising"}.items():
            shapes = envelopes(Knobs(**{knob: 1}), self.moments)
            yield knob, "all the time", self.clip()
            yield knob, word, self.clip(shape=shapes[len(shapes) // 2])
        for word, extraversion in {"introvert": -1.5, "extravert": 1.5}.items():
            factor = float(expressiveness(1, np.array(extraversion)))
            yield "moderation", word, self.clip(factor=factor)
        for word, second in {"hot": False, "cold": True}.items():
            yield "variants", f"{word} {SHOWN}", self.clip(second=second)
        for name in MODALITIES:
            yield "missing", f"no {name}", self.clip(Signs(absent=frozenset([name])))
