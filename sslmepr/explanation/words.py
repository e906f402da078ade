"""What words contribute to an output: the transcript is read again without them.

In simulated corpora it is known which clause says what, so that pointing at it can be
scored (the pointing game of Zhang et al. 2018, Top-down neural attention by excitation
backprop).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sslmepr.encoders.text import TextEncoder
from sslmepr.explanation.chain import Chain
from sslmepr.labels import TARGETS
from sslmepr.simulation.phrases import PHRASES

MEANT = {
    phrase.lower(): (latent, level)
    for latent, levels in PHRASES.items()
    for level, phrases in levels.items()
    for phrase in phrases
}
"""Clause of a simulated transcript to its latent and its direction and strength."""


class Clause(NamedTuple):
    """A piece of a transcript.

    Attributes
    ----------
    text : str
    latent : str or None
        What it was written for; None for openers, topics and clauses of real speech.
    level : int
        -2 to 2; 0 without a latent.
    """

    text: str
    latent: str | None
    level: int


def clauses(transcript: str) -> list[Clause]:
    """A transcript, cut at its commas, with what each piece was planted to say.

    A linking word may stand before a planted clause.
    """
    found = []
    for text in re.split(r",\s*", transcript.strip().rstrip(".")):
        plain = text.lower()
        bare = re.sub(r"^(and|then) ", "", plain)
        latent, level = MEANT.get(plain) or MEANT.get(bare) or (None, 0)
        found.append(Clause(text, latent, level))
    return found


def left_out(pieces: Sequence[str], between: str) -> list[str]:
    """The text of all pieces, and then the texts without each of them."""
    texts = [
        between.join(piece for place, piece in enumerate(pieces) if place != gone)
        for gone in (None, *range(len(pieces)))
    ]
    return [f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in texts]


def leave_one_out(
    chain: Chain,
    rows: np.ndarray,
    pieces: Sequence[Sequence[str]],
    between: str,
    encoder: TextEncoder,
) -> pd.DataFrame:
    """What leaving out a piece of the transcript takes from every output.

    Parameters
    ----------
    chain : Chain
    rows : (clip,) int array
    pieces : (clip,) sequence of sequence of str
        Words or clauses; a clip with a single piece is left out.
    between : str
        What joins pieces.
    encoder : TextEncoder
        The one that made the features.

    Returns
    -------
    DataFrame
        clip_id, place (of the piece), piece, target, attribution (output of the whole
        transcript less that without the piece).
    """
    kept = [
        (row, each) for row, each in zip(rows, pieces, strict=True) if len(each) > 1
    ]
    columns = ["clip_id", "place", "piece", "target", "attribution"]
    if not kept:
        return pd.DataFrame(columns=columns)
    texts = [left_out(each, between) for _, each in kept]
    owners = np.repeat([row for row, _ in kept], [len(each) for each in texts])
    outputs = chain.replaced(
        owners, "text", encoder.encode([text for each in texts for text in each])
    )
    ids, tables, begin = chain.data.clips.table["clip_id"].to_numpy(), [], 0
    for row, each in kept:
        here = outputs[begin : begin + len(each) + 1]
        begin += len(each) + 1
        count = len(chain.targets)
        table = {
            "clip_id": ids[row],
            "place": np.repeat(np.arange(len(each)), count),
            "piece": np.repeat(np.asarray(each, dtype=object), count),
            "target": np.tile(chain.targets, len(each)),
            "attribution": (here[0] - here[1:]).ravel(),
        }
        tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True)


def pointing_game(effects: pd.DataFrame, controls: pd.DataFrame) -> pd.DataFrame:
    """Whether the clause of a clip's strongest control counts most for its output.

    Parameters
    ----------
    effects : DataFrame
        Of :func:`leave_one_out`, with clauses as pieces.
    controls : DataFrame
        Index clip_id; a column per latent, the clip's control in standard deviations.

    Returns
    -------
    DataFrame
        clip_id, target, kind (such as "emotion, present" or "trait, low"), hit (1 or
        0), chance (that of a random clause). Clips without a planted clause, or without
        its latent in `effects`, are left out.
    """
    rows = []
    for clip_id, mine in effects.groupby("clip_id", sort=False):
        said = [clauses(piece)[0] for piece in mine.drop_duplicates("place")["piece"]]
        planted = [
            (abs(controls.at[clip_id, each.latent]), place)
            for place, each in enumerate(said)
            if each.latent in controls and each.latent in set(mine["target"])
        ]
        if not planted:
            continue
        place = max(planted)[1]
        each = said[place]
        own = mine[mine["target"] == each.latent]["attribution"].to_numpy()
        if each.latent in TARGETS["emotion"]:
            kind = "emotion, present" if each.level > 0 else "emotion, denied"
        else:
            kind = "trait, high" if each.level > 0 else "trait, low"
        hit = float(np.argmax(np.sign(each.level) * own) == place)
        rows.append((clip_id, each.latent, kind, hit, 1 / len(said)))
    return pd.DataFrame(rows, columns=["clip_id", "target", "kind", "hit", "chance"])
