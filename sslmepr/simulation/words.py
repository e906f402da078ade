"""The text channel: sentences composed from emotion- and trait-bearing clauses.

There is one control for every latent. A sentence has room for three clauses, so the
three controls that deviate most choose them, in one of two strengths and two
directions (`said`); where fewer deviate, the domain's everyday topics fill the
sentence.

A text of poor quality is a poor transcript: what is said stays whole, and so do the
clauses that mean something, since the noise of their controls has spoilt them already;
the words around them are garbled, and scraps of what was not caught stand between.
"""

import numpy as np

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.simulation.phrases import LINKS, MEANT, OPENERS, PHRASES, TOPICS

TEXT_CONTROLS = (*SCORED_EMOTIONS, *TRAITS)
EMOTION_AXES = np.eye(len(TEXT_CONTROLS))[:, : len(SCORED_EMOTIONS)]
TRAIT_AXES = np.eye(len(TEXT_CONTROLS))[:, len(SCORED_EMOTIONS) :]

CLAUSES = 3
LEAST, STRONG = (
    0.4,
    1.4,
)  # deviation from which a control adds a clause, and a strong one
SCRAPS = sorted(
    {word for each in TOPICS.values() for line in each for word in line.split()}
)
"""Words of which scraps stand in a poor transcript."""
SHORTEST_WORDS, LONGEST_WORDS = 8, 13  # of 4 seconds at average speaking rate


def said(controls: np.ndarray) -> np.ndarray:
    """Which controls are put into words.

    Parameters
    ----------
    controls : (..., control) ndarray
        Values of `TEXT_CONTROLS`, roughly standard normal.

    Returns
    -------
    (..., control) int ndarray
        Direction (sign) and strength (1 or 2) of each; 0 where nothing is said.
    """
    deviations = np.abs(controls)
    order = np.argsort(-deviations, axis=-1, kind="stable")
    most = np.zeros(deviations.shape, bool)
    np.put_along_axis(most, order[..., :CLAUSES], True, axis=-1)
    strengths = np.where(deviations >= STRONG, 2, 1) * (deviations >= LEAST) * most
    return strengths * np.sign(controls).astype(int)


def compose(controls: np.ndarray, domain: str, seed: int) -> list[str]:
    """A sentence, as the phrases between which a speaker pauses.

    Parameters
    ----------
    controls : (control,) array
        Values of `TEXT_CONTROLS`, roughly standard normal.
    domain : str
        A domain with topics of its own; others talk like ``monologue``.
    seed : int
        Chooses among clauses that mean the same.

    Returns
    -------
    list of str
        An opener and clauses, 8 to 13 words together.

    Raises
    ------
    ValueError
        If the number of values is wrong or one of them is not finite.
    """
    controls = np.asarray(controls, dtype=float)
    if controls.shape != (len(TEXT_CONTROLS),) or not np.isfinite(controls).all():
        raise ValueError(
            f"text: {len(TEXT_CONTROLS)} finite controls are needed, got {controls}"
        )
    rng = np.random.default_rng(seed)
    domain = domain if domain in TOPICS else "monologue"
    clauses = _meaningful_clauses(said(controls), rng)
    topics = list(rng.permutation(TOPICS[domain]))
    while len(clauses) < CLAUSES - 1 or _words(clauses) < SHORTEST_WORDS - 1:
        clauses.append(str(topics.pop()))
    clauses = [clauses[index] for index in rng.permutation(len(clauses))]
    return _link(clauses, str(rng.choice(OPENERS[domain])), rng)


def transcript(phrases: list[str], loss: float = 0.0, seed: int = 0) -> str:
    """A sentence as it is written.

    Parameters
    ----------
    phrases : list of str
        Of `compose`.
    loss : float
        Share of the words without meaning that are garbled, and of places between
        phrases where a scrap of a word stands.
    seed : int
        Of the garbling.

    Returns
    -------
    str
    """
    if loss:
        phrases = _garbled(phrases, loss, np.random.default_rng([seed, 1]))
    sentence = ", ".join(phrases)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _garbled(phrases: list[str], loss: float, rng: np.random.Generator) -> list[str]:
    words = [phrase.split() for phrase in phrases]
    idle = [
        (row, column)
        for row, phrase in enumerate(words)
        for column in range(_idle_words(phrase))
    ]
    for place in rng.permutation(len(idle))[: round(loss * len(idle))]:
        row, column = idle[place]
        words[row][column] = _garble(words[row][column], rng)
    lines = [" ".join(phrase) for phrase in words]
    places = rng.permutation(len(lines) + 1)[: int(np.ceil(loss * (len(lines) + 1)))]
    for place in sorted(places, reverse=True):
        lines.insert(place, _garble(str(rng.choice(SCRAPS)), rng))
    return lines


def _idle_words(phrase: list[str]) -> int:
    """How many words of a phrase, from its first, mean nothing."""
    starts = (n for n in range(2) if " ".join(phrase[n:]) in MEANT)
    return next(starts, len(phrase))


def _garble(word: str, rng: np.random.Generator) -> str:
    """A word as a recogniser hears it in noise: cut, or with letters replaced."""
    if rng.random() < 0.5:
        return f"{word[: max(1, len(word) // 2)]}-"
    letters = list(word)
    for place in rng.permutation(len(letters))[: max(1, len(letters) // 2)]:
        letters[place] = str(rng.choice(list("bdgkmptvxz")))
    return "".join(letters)


def _meaningful_clauses(levels: np.ndarray, rng: np.random.Generator) -> list[str]:
    """One clause for each control that is put into words, short enough for all."""
    told = [
        PHRASES[name][level]
        for name, level in zip(TEXT_CONTROLS, levels.tolist(), strict=True)
        if level
    ]
    clauses: list[str] = []
    for place, options in enumerate(told):
        shortest = sum(min(map(_words, zip(each))) for each in told[place + 1 :])
        room = LONGEST_WORDS - _words(clauses) - shortest
        fitting = [option for option in options if _words([option]) <= room]
        clauses.append(str(rng.choice(fitting)))
    return clauses


def _link(clauses: list[str], opener: str, rng: np.random.Generator) -> list[str]:
    """Put an opener in front and links between, as far as there is room."""
    room = LONGEST_WORDS - _words(clauses)
    phrases = [opener] if _words([opener]) <= room else []
    for index, clause in enumerate(clauses):
        link = str(rng.choice(LINKS)) if index else ""
        fits = _words([*phrases, link, *clauses[index:]]) <= LONGEST_WORDS
        phrases.append(f"{link} {clause}" if link and fits else clause)
    return phrases


def _words(phrases: list[str]) -> int:
    return sum(len(phrase.split()) for phrase in phrases)
