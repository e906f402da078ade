"""What intervals and sets for one person promise, in words, and how they do, in tables.

The intervals are those of `sslmepr.training.calibration`.
"""

from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.report.words import plain
from sslmepr.statistics.conformal import fewest_speakers
from sslmepr.training.calibration import Calibration


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
        One or two for each task of the calibration.
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
                f"From _low to _high: of new people like {whom}, with a clip each, "
                f"at least {level} get a trait's score from raters that lies inside; "
                "nothing is promised for other people, nor for any one of these."
            )
    return sentences


def _sets(calibration: Calibration, whom: str, level: str, fewest: int) -> list[str]:
    """Sentences on the sets of emotions."""
    sentences = [
        f"_set: of new people like {whom}, with a clip each, it holds what raters say, "
        f"present or absent, for at least {level} of those with an emotion and {level} "
        "of those without; nothing is promised for other people, nor for any one of "
        "these."
    ]
    for label, other in ((True, "absent"), (False, "present")):
        few = [
            f"{plain(name)} ({people})"
            for name in SCORED_EMOTIONS
            if (people := calibration.people_with(name, label)) < fewest
        ]
        if few:
            sentences.append(
                f"{other!r} alone is never said of {', '.join(few)}: in brackets, how "
                f"many people {'show' if label else 'lack'} it, where {fewest} are "
                "needed."
            )
    return sentences
