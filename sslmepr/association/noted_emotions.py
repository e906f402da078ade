"""Emotions that observers noted of a face, as a criterion from outside of all models.

Where people described what they saw of a face in words, the words themselves say how
often somebody smiled or frowned. Correlated with the trait scores that others gave the
same clips, they show which emotions go with which traits without any model. Both are
impressions: who sees a smile and who likes a person may share the liking, and a word in
a note is not a feeling. Negations ("without a smile") count as what they name.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import yaml

from sslmepr.association.correlation import association
from sslmepr.association.sources import BOTH_TRUE
from sslmepr.corpora.schema import read_clips
from sslmepr.labels import SCORED_EMOTIONS, TRAIT_COLUMNS
from sslmepr.params import Params

DESCRIPTIONS = "descriptions.parquet"
"""What extraction leaves of described modalities, in the folder of the features."""

_COLUMNS = ["corpus", "emotion", "trait", "r", "low", "high", "interval", "p"]
_COLUMNS += ["p_corrected", "noted", "n", "n_speakers"]


class LexiconError(ValueError):
    """A list of words that stand for emotions is not what it must be."""


def noted_associations(
    params: Params, data_folder: str | Path, lexicon: str | Path
) -> pd.DataFrame:
    """Correlation of what observers noted of faces with the traits of the same clips.

    All rated clips enter, of every split: nothing is trained on them here, and the
    words were fixed before.

    Parameters
    ----------
    params : Params
        Sections ``roles``, ``association`` and ``seed``.
    data_folder : path
        Holds ``<corpus>/corpus`` and ``<corpus>/features``.
    lexicon : path
        The words (`read_lexicon`).

    Returns
    -------
    DataFrame
        corpus, emotion, trait, r, low, high, interval, p, p_corrected, noted (share of
        clips with such a word), n, n_speakers. Empty if the corpus with traits has no
        described faces.

    Raises
    ------
    LexiconError
        As `read_lexicon` does.
    """
    table = noted_clips(params, data_folder, lexicon)
    if table.empty:
        return pd.DataFrame(columns=_COLUMNS)
    settings = params.association
    found = association(
        table,
        BOTH_TRUE,
        settings.resamples,
        settings.confidence,
        settings.correction,
        settings.alpha,
        params.seed,
        levels=("clip",),
    )
    shares = {each: (table[f"emotion_{each}"] > 0).mean() for each in SCORED_EMOTIONS}
    found["noted"] = found["emotion"].map(shares)
    return found.assign(corpus=params.roles.personality)[_COLUMNS]


def noted_clips(
    params: Params, data_folder: str | Path, lexicon: str | Path
) -> pd.DataFrame:
    """The clips whose faces are described, with traits and what was noted.

    Parameters
    ----------
    params, data_folder, lexicon
        As for `noted_associations`.

    Returns
    -------
    DataFrame
        clip_id, speaker_id, ``trait_*``, and ``emotion_*`` (`noted_rates`). Empty if
        the corpus with traits has no described faces.

    Raises
    ------
    LexiconError
        As `read_lexicon` does.
    """
    modality, words = read_lexicon(lexicon)
    name = params.roles.personality
    path = Path(data_folder, name, "features", DESCRIPTIONS)
    columns = ["clip_id", "speaker_id", *TRAIT_COLUMNS]
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    rates = noted_rates(pd.read_parquet(path), words, modality)
    clips = read_clips(Path(data_folder, name, "corpus"))[columns]
    return clips.merge(rates, on="clip_id", validate="one_to_one")


def read_lexicon(path: str | Path) -> tuple[str, dict[str, list[str]]]:
    """The described modality, and the words of each emotion.

    Raises
    ------
    LexiconError
        If the file cannot be read, lacks one of the six emotions, or has a word twice.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        modality, words = content["modality"], content["words"]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise LexiconError(
            f"{path}: not readable as a list of words: {error}"
        ) from None
    if not isinstance(words, dict) or sorted(words) != sorted(SCORED_EMOTIONS):
        raise LexiconError(f"{path}: words must be given for {SCORED_EMOTIONS}")
    every = [word for each in words.values() for word in each]
    wrong = [w for w in every if not isinstance(w, str) or every.count(w) > 1]
    if wrong:
        raise LexiconError(f"{path}: {wrong[0]!r} comes twice, or is no word")
    return modality, words


def noted_rates(
    descriptions: pd.DataFrame, words: Mapping[str, Sequence[str]], modality: str
) -> pd.DataFrame:
    """How often each emotion is noted of each clip.

    Parameters
    ----------
    descriptions : DataFrame
        clip_id, modality, start_seconds, end_seconds and sentence, one row for each
        sentence. Those of one time are one observation.
    words : mapping of str to sequence of str
        Emotion to its words, in lower case; ``*`` stands for any letters.
    modality : str
        Which descriptions count.

    Returns
    -------
    DataFrame
        clip_id, and ``emotion_*``: the share of the clip's observations in which one of
        the words stands.
    """
    mine = descriptions[descriptions["modality"] == modality]
    text = mine["sentence"].str.lower()
    found = mine[["clip_id", "start_seconds", "end_seconds"]].copy()
    columns = []
    for emotion, each in words.items():
        found[f"emotion_{emotion}"] = text.str.contains(_pattern(each))
        columns.append(f"emotion_{emotion}")
    observation = ["clip_id", "start_seconds", "end_seconds"]
    noted = found.groupby(observation, sort=False)[columns].any().astype(float)
    return noted.groupby("clip_id", sort=False).mean().reset_index()


def _pattern(words: Sequence[str]) -> re.Pattern:
    """Any of some words, whole."""
    each = "|".join(re.escape(word).replace(r"\*", "[a-z]*") for word in words)
    return re.compile(rf"\b(?:{each})\b")
