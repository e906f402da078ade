"""Languages of transcripts, identified from their words.

An encoder trained on English alone reads other languages as noise, and gives no
warning.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

FEWEST_WORDS = 8
"""Fewer are not judged. Of the lines of MELD, which are all English, a quarter of the
single words are taken for English, and of eight words 995 in 1,000."""

LEAST_CONFIDENCE = 0.7
"""Smallest probability at which a language counts as identified."""


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def languages(transcripts: Iterable[str]) -> dict:
    """Transcripts per language, and those whose language cannot be identified.

    Parameters
    ----------
    transcripts : iterable of str

    Returns
    -------
    dict
        ``languages``, ISO 639 code to number of transcripts, the most frequent first;
        ``language_unsure``, long enough but like several languages or none;
        ``language_too_short``, those of fewer than `FEWEST_WORDS` words.
    """
    found, unsure, too_short = Counter(), 0, 0
    for text in transcripts:
        if len(text.split()) < FEWEST_WORDS:
            too_short += 1
            continue
        language, probability = _identifier().classify(text)
        if probability < LEAST_CONFIDENCE:
            unsure += 1
        else:
            found[language] += 1
    return {
        "languages": dict(sorted(found.items(), key=lambda each: (-each[1], each[0]))),
        "language_unsure": unsure,
        "language_too_short": too_short,
    }
