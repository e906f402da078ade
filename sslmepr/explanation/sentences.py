"""Sentences that summarise predictions and attributions for readers."""

from collections.abc import Mapping

import pandas as pd

from sslmepr.labels import EMOTIONS, TRAITS
from sslmepr.report.words import plain, pretty


def contribution_sentence(contributions: pd.DataFrame, target: str) -> str:
    """Name the modalities that contribute most to an output for one clip.

    Parameters
    ----------
    contributions : DataFrame
        Of one clip, from :func:`sslmepr.explanation.attention.contributions`.
    target : str
        An emotion or a trait.

    Returns
    -------
    str
        For example "Happiness rests mostly on face (52 %) and audio (21 %), more on
        their emotional half; body speaks against it."

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
    sums = table.groupby("modality", sort=False)[["attribution", "share"]].sum()
    sums = sums.sort_values("share", ascending=False, kind="stable")
    parts = [f"{name} ({100 * row.share:.0f} %)" for name, row in sums[:2].iterrows()]
    halves = table.groupby("half")["share"].sum()
    stronger = "emotional" if halves.get("emotion", 0) >= 0.5 else "personality"
    sentence = (
        f"{pretty(target)} rests mostly on {_and(parts)}, more on the {stronger} half"
    )
    against = [name for name, row in sums.iterrows() if row.attribution < 0]
    if against:
        verb = "speaks" if len(against) == 1 else "speak"
        sentence += f"; {_and(against)} {verb} against it"
    return sentence + "."


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


def _and(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
