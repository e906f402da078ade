"""Intervals and sets for one person: what they promise, and what they keep.

The intervals are those of `sslmepr.training.calibration`, their coverage that of
`sslmepr.evaluation.coverage`.
"""

import pandas as pd

from sslmepr.evaluation.coverage import ALL_TARGETS
from sslmepr.evaluation.person_intervals import people_with
from sslmepr.labels import SCORED_EMOTIONS, select
from sslmepr.report.chapter_tables import Message
from sslmepr.report.tables import metric_table
from sslmepr.report.tabs import Tabs
from sslmepr.report.words import plain
from sslmepr.statistics.conformal import fewest_speakers
from sslmepr.training.calibration import Calibration

CHOSEN = (
    "The people of dev also chose settings of the models, so a little less may be kept "
    "than is promised; how much is counted in the chapter on recognition."
)


def people_of(calibration: Calibration) -> str:
    """Whom intervals and sets are for, in a few words."""
    groups = {
        (clips.corpus, clips.split): clips.people
        for clips in calibration.tasks.values()
    }
    return "; ".join(
        f"{people} people of {corpus} ({split})"
        for (corpus, split), people in groups.items()
    )


def promises(calibration: Calibration, confidence: float) -> list[str]:
    """Sentences on what intervals and sets promise, and for whom.

    Parameters
    ----------
    calibration : Calibration
    confidence : float

    Returns
    -------
    list of str
        For each task of the calibration, and a last one on what the people of the
        calibration had a part in.
    """
    level, fewest = f"{100 * confidence:g} %", fewest_speakers(confidence)
    sentences = []
    for task, clips in calibration.tasks.items():
        whom = f"the {clips.people} people of {clips.corpus} ({clips.split})"
        if task == "emotion":
            sentences += _sets(calibration, whom, level, fewest)
        elif clips.people < fewest:
            sentences.append(
                f"No interval of a trait holds at {level}: {fewest} people are needed, "
                f"and there are {whom}."
            )
        else:
            sentences.append(
                f"Intervals of traits (from _low to _high): of new people like {whom}, "
                f"with a clip each, at least {level} get a score from raters that lies "
                "there; nothing is promised for other people, nor for any one of these."
            )
    return [*sentences, CHOSEN] if sentences else []


def _sets(calibration: Calibration, whom: str, level: str, fewest: int) -> list[str]:
    """Sentences on the sets of emotions."""
    sentences = [
        f"Sets of emotions (columns ending in _set): of new people like {whom}, with a "
        "clip each, a set holds what raters say, present or absent, for at least "
        f"{level} of those with an emotion and {level} of those without; nothing is "
        "promised for other people, nor for any one of these."
    ]
    for label, other in ((True, "absent"), (False, "present")):
        few = [
            f"{plain(name)} ({people})"
            for name in SCORED_EMOTIONS
            if (people := people_with(calibration, name, label)) < fewest
        ]
        if few:
            sentences.append(
                f"Where fewer than {fewest} people {'show' if label else 'lack'} an "
                f"emotion, a set never says {other!r} alone; so with "
                f"{', '.join(few)}, in brackets how many do."
            )
    return sentences


def kept(coverage: pd.DataFrame, confidence: float) -> list[str]:
    """A sentence on the measured coverage of traits, for the beginning of a chapter.

    Parameters
    ----------
    coverage : DataFrame
        From `sslmepr.evaluation.coverage.person_coverage`.
    confidence : float

    Returns
    -------
    list of str
        One, which names each corpus and split that was measured, or says why none was;
        empty if traits are not predicted.
    """
    traits = select(coverage, task="personality", nominal=confidence)
    if traits.empty:
        return []
    start, level = "**Interval for one person**", f"{100 * confidence:g} %"
    widths = {
        metric: select(traits, metric=metric)["estimate"].mean()
        for metric in ("half_width", "guess_half_width")
    }
    if widths["half_width"] == float("inf"):
        people = select(traits, metric="half_width")["n_speakers"].iloc[0]
        return [
            f"{start}: none at {level}, for which {fewest_speakers(confidence)} people "
            f"of dev are needed, and there are {people}."
        ]
    wide = (
        f"a trait's score lies within ±{widths['half_width']:.2f} of the prediction "
        "(mean over traits; around a guess it would take "
        f"±{widths['guess_half_width']:.2f})"
    )
    measured = select(traits, metric="coverage", target=ALL_TARGETS)
    if measured.empty:
        return [
            f"{start} ({level}): {wide}. Whether it does is not measured: no clip "
            "outside dev has labels."
        ]
    held = " and ".join(
        f"for {100 * row.estimate:.0f} % [{100 * row.low:.0f}, {100 * row.high:.0f}] "
        f"of {row.n_speakers} people (*{plain(row.corpus, 'corpus')}*, {row.split})"
        for row in measured.itertuples()
    )
    return [f"{start}: {wide}, {held}; {level} are promised."]


def table(coverage: pd.DataFrame, task: str) -> Tabs | Message:
    """Coverage and width by target, a tab for each nominal coverage and split.

    Parameters
    ----------
    coverage : DataFrame
        From `sslmepr.evaluation.coverage.person_coverage`.
    task : {"emotion", "personality"}

    Returns
    -------
    Tabs or Message
    """
    mine = select(coverage, task=task)
    if mine.empty:
        return Message("Not measured: no clip outside dev has labels.")
    return Tabs(
        "Nominal coverage and people",
        {
            f"{100 * nominal:g} %: {plain(corpus, 'corpus')}"
            f"{'' if split == 'all' else f', {split}'}": metric_table(part, "target")
            for (nominal, corpus, split), part in mine.groupby(
                ["nominal", "corpus", "split"], sort=False
            )
        },
    )
