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
from sslmepr.simulation.phrases import MEANT

_PLANTED = {clause.lower(): meant for clause, meant in MEANT.items()}


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
        latent, level = _PLANTED.get(plain) or _PLANTED.get(bare) or (None, 0)
        found.append(Clause(text, latent, level))
    return found


def left_out(pieces: Sequence[str], between: str) -> list[str]:
    """The text of all pieces, and then the texts without each of them."""
    texts = [
        between.join(piece for place, piece in enumerate(pieces) if place != gone)
        for gone in (None, *range(len(pieces)))
    ]
    return [f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in texts]


class LeftOut(NamedTuple):
    """Transcripts, whole and without each of their pieces, as an encoder reads them.

    Attributes
    ----------
    rows : list of int
        Clips with more than one piece.
    pieces : list of sequence of str
        Of each.
    features : list of (step, feature) ndarray
        Of each clip's whole transcript, and then without each piece.
    """

    rows: list[int]
    pieces: list[Sequence[str]]
    features: list[np.ndarray]


def read_without(
    rows: Sequence[int],
    pieces: Sequence[Sequence[str]],
    between: str,
    encoder: TextEncoder,
) -> LeftOut:
    """Read transcripts without each of their pieces.

    Parameters
    ----------
    rows : (clip,) sequence of int
    pieces : (clip,) sequence of sequence of str
        Words or clauses; a clip with a single piece is left out.
    between : str
        What joins pieces.
    encoder : TextEncoder
        The one that made the features.
    """
    kept = [place for place, each in enumerate(pieces) if len(each) > 1]
    texts = [text for place in kept for text in left_out(pieces[place], between)]
    features = list(encoder.encode(texts)) if texts else []
    return LeftOut(
        [int(rows[place]) for place in kept],
        [pieces[place] for place in kept],
        features,
    )


def leave_one_out(chain: Chain, read: LeftOut) -> pd.DataFrame:
    """What leaving out a piece of the transcript takes from every output.

    Parameters
    ----------
    chain : Chain
    read : LeftOut

    Returns
    -------
    DataFrame
        clip_id, place (of the piece), piece, target, attribution (output of the whole
        transcript less that without the piece).
    """
    columns = ["clip_id", "place", "piece", "target", "attribution"]
    if not read.rows:
        return pd.DataFrame(columns=columns)
    sizes = [len(each) + 1 for each in read.pieces]
    outputs = chain.replaced(np.repeat(read.rows, sizes), "text", read.features)
    ids, count = chain.data.clips.table["clip_id"].to_numpy(), len(chain.targets)
    tables = []
    for row, pieces, here in zip(
        read.rows, read.pieces, np.split(outputs, np.cumsum(sizes)[:-1]), strict=True
    ):
        table = {
            "clip_id": ids[row],
            "place": np.repeat(np.arange(len(pieces)), count),
            "piece": np.repeat(np.asarray(pieces, dtype=object), count),
            "target": np.tile(chain.targets, len(pieces)),
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
