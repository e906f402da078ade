"""Sentences that summarise predictions and attributions for readers."""

from collections.abc import Mapping

import pandas as pd
from scipy.special import expit

from sslmepr.labels import EMOTIONS, TARGETS, TRAITS
from sslmepr.report.apa import MINUS
from sslmepr.report.overview import first_screen
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
) -> str:
    """Name the emotions that are decided present, and the extreme traits.

    Parameters
    ----------
    emotions : mapping of str to float
        Probability per emotion.
    decided : mapping of str to bool
        Presence of each emotion by the decision thresholds of the evaluation.
    traits : mapping of str to float
        Score per trait, 0..1.

    Returns
    -------
    str
    """
    present = [e for e in EMOTIONS[1:] if decided.get(e, False)]
    shown = _and([f"{e} ({emotions[e]:.2f})" for e in present]) or "no emotion"
    if not traits:
        return f"The clip shows {shown}."
    order = [t for t in TRAITS if t in traits]
    highest = max(order, key=lambda name: traits[name])
    lowest = min(order, key=lambda name: traits[name])
    return (
        f"The clip shows {shown}; among the traits the person appears highest in "
        f"{plain(highest)} and lowest in {plain(lowest)}."
    )


def attention_findings(used: pd.DataFrame, sanity: pd.DataFrame) -> list[str]:
    """What moves the model most, how sure that is, and what it does not say.

    Parameters
    ----------
    used : DataFrame
        As of `findings`.
    sanity : DataFrame
        Its means over outputs, of the trained model and of one with shuffled weights:
        model, correlation.

    Returns
    -------
    list of str
        Empty where there is no clip.
    """
    mean = used[used["target"] == "all"].sort_values("used", ascending=False)
    if mean.empty:
        return []
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
    if mean["there"].notna().all():
        answer += (
            " Whoever knew how the clips are made would take "
            f"{_percent(first, 'there')} and {_percent(last, 'there')} from them."
        )
        learned, random = (
            f"{rows['correlation'].mean():.2f}".replace("-", MINUS)
            for _, rows in sanity.groupby("model", sort=False)
        )
        sure += (
            " Over clips, contributions go with the evidence there is by r = "
            f"{learned} on average, and by {random} in a model that learned nothing."
        )
    unsaid = (
        "What a person feels or why somebody judges so: an attribution explains the "
        "output of the model alone."
    )
    return first_screen(answer, sure, unsaid)


def findings(
    used: pd.DataFrame, pointing: pd.DataFrame, weights: pd.DataFrame
) -> list[str]:
    """What the chapter found, in sentences whose numbers are those of its tables.

    Parameters
    ----------
    used : DataFrame
        Of :func:`sslmepr.explanation.evidence.evidence_used`.
    pointing : DataFrame
        kind, hit with ``_low`` and ``_high``, chance, shuffled (hits of a model with
        shuffled weights); empty where no truth is planted.
    weights : DataFrame
        Of :func:`sslmepr.explanation.attention.weights_by_modality`.

    Returns
    -------
    list of str
    """
    mean = used[used["target"] == "all"].sort_values("used", ascending=False)
    if mean.empty:
        return ["Not available: the held-out corpus has no clip."]
    first = mean.iloc[0]
    said = [
        f"**What the model uses.** Most of what moves its outputs from clip to clip is "
        f"{plain(first['modality'])} ({_percent(first, 'used')}), then "
        + _and([f"{plain(r['modality'])} ({_percent(r, 'used')})" for r in _rows(mean)])
        + "."
    ]
    if mean["there"].notna().all():
        gap = (mean["used"] - mean["there"]).sort_values()
        least, most = mean.loc[gap.index[0]], mean.loc[gap.index[-1]]
        said.append(
            f"**Against what there was to use.** Least used for what it holds: "
            f"{plain(least['modality'])}, {100 * least['used']:.0f} % where an ideal "
            f"observer takes {_percent(least, 'there')}; most overused: "
            f"{plain(most['modality'])}, {100 * most['used']:.0f} % where it takes "
            f"{_percent(most, 'there')}."
        )
        ordered = mean.sort_values("correlation", ascending=False)
        said.append(
            "**Clip by clip**, the contribution of a modality correlates with the "
            "evidence that it holds: "
            + _and([_correlation(r) for _, r in ordered.iterrows()])
            + "."
        )
    else:
        said.append(
            "What there was to use is not known: no truth is planted in these clips."
        )
    if len(pointing):
        parts = [
            f"{r['kind']} {_percent(r, 'hit')}, by chance {100 * r['chance']:.0f} %, "
            f"with shuffled weights {100 * r['shuffled']:.0f} %"
            for _, r in pointing.iterrows()
        ]
        said.append(
            f"**Words.** The clause that says most counts most: {'; '.join(parts)}."
        )
    return [*said, *weight_sentences(weights)]


def _correlation(row: pd.Series) -> str:
    """Name a modality with the correlation of its row and the interval."""
    names = ("correlation", "correlation_low", "correlation_high")
    value, low, high = (f"{row[name]:.2f}".replace("-", MINUS) for name in names)
    return f"{plain(row['modality'])} {value} [{low}, {high}]"


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
            parts = [_correlation(r) for _, r in known.iterrows()]
            sentence += (
                "; over clips, its correlation with the weight of an ideal observer is "
                + _and(parts)
            )
        said.append(sentence + ".")
    if said and weights["correlation"].isna().all():
        said.append(
            "No modality is known to be seen better in one clip than in another, so "
            "there is no weight of an ideal observer that these could follow."
        )
    return said


UNIFORM = (0.9, 1.1)
"""Within these multiples of the uniform weight, a weight is called uniform."""


def _rows(table: pd.DataFrame):
    return (row for _, row in table.iloc[1:].iterrows())


def _percent(row: pd.Series, name: str) -> str:
    """A share with its interval, if it has one."""
    share = f"{100 * row[name]:.0f} %"
    if pd.isna(row[f"{name}_low"]):
        return share
    return f"{share} [{100 * row[f'{name}_low']:.0f}, {100 * row[f'{name}_high']:.0f}]"


def _and(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
