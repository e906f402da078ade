"""Sentences that summarise predictions and attributions for readers."""

from collections.abc import Mapping

import pandas as pd
from scipy.special import expit

from sslmepr.labels import EMOTIONS, TARGETS, TRAITS
from sslmepr.report.apa import MINUS
from sslmepr.report.overview import first_screen
from sslmepr.report.tables import interval
from sslmepr.report.words import plain, pretty

MOST = 2
"""Modalities named on either side; a choice of layout."""


def contribution_sentence(
    contributions: pd.DataFrame,
    output: float,
    baseline: float,
    target: str,
    usual: str = "the average clip",
    scores: tuple[float, float] | None = None,
) -> str:
    """Name what moves an output of one clip from that of the average clip.

    Modalities raise or lower an output compared with the average clip, whatever the
    output is, so that they never all speak against what is shown.

    Parameters
    ----------
    contributions : DataFrame
        Of one clip, from :func:`sslmepr.explanation.attention.contributions`.
    output, baseline : float
        Of this clip and of the average clip: logit of an emotion, score of a trait.
    target : str
        An emotion or a trait.
    usual : str
        What the baseline is, if not the average clip.
    scores : tuple of two float, optional
        What is shown of this clip and of the average clip elsewhere, if not these
        outputs: a mean of probabilities over seeds is not that of their mean logit.

    Returns
    -------
    str
        For example "Disgust: 76 % in this clip, 7 % in the average clip. Audio (+2.3)
        and text (+1.2) raise it most; scene (−0.5) lowers it most."

    Raises
    ------
    ValueError
        If there are no contributions to `target`, or there are several clips.
    """
    table = contributions[contributions["target"] == target]
    if table.empty:
        raise ValueError(f"{target}: no contributions to this target")
    if table["clip_id"].nunique() > 1:
        raise ValueError(f"{target}: contributions of several clips; choose one")
    emotional = target in TARGETS["emotion"]
    if scores is None:
        scores = (expit(output), expit(baseline)) if emotional else (output, baseline)
    here, there = (
        f"{100 * each:.0f} %" if emotional else f"{each:.2f}" for each in scores
    )
    digits = 1 if emotional else 2
    moved = _most(table.set_index("modality")["attribution"], digits)
    moved = moved or "no modality moves it"
    return (
        f"{pretty(target)}: {here} in this clip, {there} in {usual}. "
        f"{moved[0].upper()}{moved[1:]}."
    )


def column_sentences(columns: pd.DataFrame, target: str) -> list[str]:
    """Name the features of other tools that move an output of one clip most.

    Parameters
    ----------
    columns : DataFrame
        Of one clip, from `sslmepr.explanation.chain.attribute_steps`.
    target : str
        An emotion or a trait.

    Returns
    -------
    list of str
        One for each modality whose features have names; for example "Of the face,
        AU12_r (+1.3) raises it most; AU04_r (−0.5) lowers it most."
    """
    digits = 1 if target in TARGETS["emotion"] else 2
    table = columns[columns["target"] == target]
    sentences = []
    for modality, mine in table.groupby("modality", sort=False):
        moved = _most(mine.set_index("column")["attribution"], digits, str)
        moved = moved or "no feature moves it"
        sentences.append(f"Of the {plain(modality)}, {moved}.")
    return sentences


def _most(sums: pd.Series, digits: int, named=plain) -> str:
    """The largest contributions to either side; empty if all are rounded to 0."""
    sums = sums.astype(float).round(digits)
    order = sums.abs().sort_values(ascending=False, kind="stable").index
    sides = []
    for verb, sign, mark in (("raise", 1, "+"), ("lower", -1, MINUS)):
        names = [name for name in order if sign * sums[name] > 0][:MOST]
        if names:
            parts = [
                f"{named(name)} ({mark}{abs(sums[name]):.{digits}f})" for name in names
            ]
            sides.append(f"{_and(parts)} {verb}{'s' * (len(names) == 1)} it most")
    return "; ".join(sides)


def prediction_sentence(
    emotions: Mapping[str, float],
    decided: Mapping[str, bool],
    traits: Mapping[str, float],
    rated: Mapping[str, float],
) -> str:
    """Say what the model reads in a clip, and what raters said of the same.

    Parameters
    ----------
    emotions : mapping of str to float
        Probability per emotion.
    decided : mapping of str to bool
        Presence of each emotion by the decision thresholds of the evaluation.
    traits : mapping of str to float
        Score per trait, 0..1.
    rated : mapping of str to float
        What raters said of each emotion and trait; NaN where nobody was asked.

    Returns
    -------
    str
        For example "The model reads anger (0.30; raters 0.10) in the clip. Among the
        traits, ..."
    """

    def beside(name: str, value: float) -> str:
        said = rated.get(name, float("nan"))
        return f"{value:.2f}" + ("" if pd.isna(said) else f"; raters {said:.2f}")

    read = [e for e in EMOTIONS[1:] if decided.get(e, False)]
    shown = _and([f"{e} ({beside(e, emotions[e])})" for e in read]) or "no emotion"
    told = f"The model reads {shown} in the clip."
    if traits:
        order = [t for t in TRAITS if t in traits]
        highest, lowest = (
            f"{plain(name)} ({beside(name, traits[name])})"
            for name in (max(order, key=traits.get), min(order, key=traits.get))
        )
        told += (
            f" Among the traits, it scores {highest} highest and {lowest} lowest for "
            "the person."
        )
    if pd.Series(rated, dtype=float).isna().all():
        told += " Whether that is right is not known: nobody rated this clip."
    return told


def attention_findings(used: pd.DataFrame, sanity: pd.DataFrame) -> list[str]:
    """What moves the model most, how sure that is, and what it does not say.

    Parameters
    ----------
    used : DataFrame
        Of :func:`sslmepr.explanation.evidence.evidence_used`.
    sanity : DataFrame
        Its means over outputs, of the trained model and of one with shuffled weights:
        model, modality, correlation with its ends.

    Returns
    -------
    list of str
        Last, where truth is planted, what is used too little and too much.
    """
    mean = used[used["target"] == "all"].sort_values("used", ascending=False)
    if mean.empty:
        return ["Not available: the held-out corpus has no clip."]
    first, last = mean.iloc[0], mean.iloc[-1]
    answer = (
        f"**{pretty(first['modality'])} moves the model's answers most**, with "
        f"{_percent(first, 'used')} of what moves them from clip to clip; "
        f"{plain(last['modality'])} moves them least, with {_percent(last, 'used')}."
    )
    sure = (
        f"Shares are of {mean['clips'].max():,} clips; brackets are intervals over "
        "people, drawn again and again."
    )
    unsaid = (
        "What a person feels or why somebody judges so: an attribution explains the "
        "output of the model alone."
    )
    if mean["there"].isna().any():
        unsaid += " What there was to use is not known: no truth is planted here."
        return first_screen(answer, sure, unsaid)
    learned, random = (
        _extremes(rows) for _, rows in sanity.groupby("model", sort=False)
    )
    sure += (
        " Over clips, the contribution of a modality goes with the evidence that it "
        f"holds by r = {learned}; in a model with shuffled weights, by {random}."
    )
    gap = (mean["used"] - mean["there"]).sort_values()
    least, most = mean.loc[gap.index[0]], mean.loc[gap.index[-1]]
    against = (
        "**Against what there was to use.** Least used for what it holds is "
        f"{plain(least['modality'])}, {_percent(least, 'used')} where an observer who "
        f"knows how the clips are made takes {_percent(least, 'there')}; most overused "
        f"is {plain(most['modality'])}, {_percent(most, 'used')} where that observer "
        f"takes {_percent(most, 'there')}."
    )
    return [*first_screen(answer, sure, unsaid), against]


def pointing_sentences(pointing: pd.DataFrame) -> list[str]:
    """Say of which clauses the model counts what they were written to say.

    Parameters
    ----------
    pointing : DataFrame
        kind, and with their ends (``_low`` and ``_high``) hit, shuffled (hits of a
        model with shuffled weights) and gain (their difference); empty where no truth
        is planted.
    """
    if pointing.empty:
        return []
    learned, said = pointing[pointing["gain_low"] > 0], []
    if len(learned):
        parts = [f"{_percent(r, 'hit')} (*{r['kind']}*)" for _, r in learned.iterrows()]
        said.append(
            f"The clause that says most counts most in {_and(parts)} of the clips, "
            "more often than with shuffled weights."
        )
    said += [
        f"Of *{row['kind']}* the model cannot be told from one with shuffled weights: "
        f"{_percent(row, 'hit')} against {_percent(row, 'shuffled')}, a difference of "
        f"{_percent(row, 'gain')}."
        for _, row in pointing.drop(learned.index).iterrows()
    ]
    return said


def _extremes(rows: pd.DataFrame) -> str:
    """The lowest and the highest correlation of some modalities."""
    ordered = rows.sort_values("correlation")
    if len(ordered) == 1:
        return _correlation(ordered.iloc[0])
    return f"{_correlation(ordered.iloc[0])} to {_correlation(ordered.iloc[-1])}"


def _correlation(row: pd.Series) -> str:
    """A correlation with its interval and its modality."""
    return f"{_number(row)} ({plain(row['modality'])})"


def _number(row: pd.Series) -> str:
    """A correlation with its interval."""
    names = ("correlation", "correlation_low", "correlation_high")
    return interval(*(row[name] for name in names), 2)


def weight_sentences(weights: pd.DataFrame) -> list[str]:
    """Say of each kind of attention weight whether it is uniform and follows quality.

    Parameters
    ----------
    weights : DataFrame
        Of :func:`sslmepr.explanation.attention.weights_by_modality`.
    """
    said = []
    for kind, mine in weights.groupby("kind", sort=False):
        low, high = mine["lowest"].min(), mine["highest"].max()
        uniform = UNIFORM[0] <= low and high <= UNIFORM[1]
        spread = f"{low:.2f} to {high:.2f} times the uniform weight in 90 % of clips"
        sentence = f"**{pretty(kind)}** is {'' if uniform else 'not '}uniform: {spread}"
        known = mine.dropna(subset="correlation")
        if len(known):
            sentence += (
                "; over clips, its correlation with the weight of an ideal observer is "
                + _extremes(known)
            )
        said.append(sentence + ".")
    if said and weights["correlation"].isna().all():
        said.append(
            "No modality is known to be seen better in one clip than in another, so "
            "there is no weight of an ideal observer that these could follow."
        )
    return said


def noise_sentences(follows: pd.DataFrame) -> list[str]:
    """Say how weights follow what was seen, and contrary words.

    Parameters
    ----------
    follows : DataFrame
        Of :func:`sslmepr.explanation.attention.weights_following`.

    Returns
    -------
    list of str
        Empty where no modality is known to be seen better in one clip than in another.
    """
    said = []
    known = follows.dropna(subset="correlation")
    for kind, mine in known.groupby("kind", sort=False):
        noisy = mine[mine["follows"] == "noise"]
        if noisy.empty:
            continue
        sentence = (
            f"**{pretty(kind)}**: rank correlation of a modality's weight with its "
            f"noise in the clip, {_extremes(noisy)}"
        )
        words = mine[(mine["follows"] != "noise") & (mine["modality"] == "text")]
        if len(words):
            told = _number(words.iloc[0])
            sentence += f"; of the weight of words with their being contrary, {told}"
        said.append(f"{sentence}.")
    return said


def contrary_sentences(contrary: pd.DataFrame) -> list[str]:
    """Say how words are taken that are meant, and those that are not.

    Parameters
    ----------
    contrary : DataFrame
        words, clips, correlation with its ends, of
        :class:`sslmepr.explanation.results.Results`.

    Returns
    -------
    list of str
        Empty where all words are meant, or it is not known.
    """
    if len(contrary) < 2:
        return []
    meant = ("they are meant", "the opposite is meant")
    parts = [
        f"{_number(row)} in {row['clips']} clips in which {words}"
        for words, (_, row) in zip(meant, contrary.iterrows(), strict=True)
    ]
    return [
        "**Contrary words.** What words contribute to emotions goes with what they say "
        f"at face value by r = {_and(parts)}. Whoever knew of the latter would weigh "
        "these words as much, but turn their sign."
    ]


def place_sentences(places: pd.DataFrame) -> list[str]:
    """Say where the model is more often where the evidence is than chance is.

    Parameters
    ----------
    places : DataFrame
        Of :class:`sslmepr.explanation.results.Results`.
    """
    if places.empty:
        return []
    above, below = places["gain_low"] > 0, places["gain_high"] < 0
    said, groups = [], {"More often than by chance": above}
    groups |= {"Less often": below, "Not told from chance": ~above & ~below}
    for words, chosen in groups.items():
        parts = [
            f"{plain(row['what'])} {_percent(row, 'hit')} (chance "
            f"{100 * row['chance']:.0f} %)"
            for _, row in places[chosen].iterrows()
        ]
        if parts:
            said.append(f"**{words}**: {_and(parts)}.")
    return said


UNIFORM = (0.9, 1.1)
"""Within these multiples of the uniform weight, a weight is called uniform."""


def _percent(row: pd.Series, name: str) -> str:
    """A share with its interval, if it has one."""
    names = (name, f"{name}_low", f"{name}_high")
    share, low, high = (f"{100 * row[each]:.0f}".replace("-", MINUS) for each in names)
    if pd.isna(row[f"{name}_low"]):
        return f"{share} %"
    return f"{share} % [{low}, {high}]"


def _and(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
