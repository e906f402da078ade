"""Scores of a recording: in sentences, as a figure and a table."""

from collections.abc import Mapping

import pandas as pd

from sslmepr.app.elements import Section, drawn, listed, paragraph, scrolling, section
from sslmepr.app.explain import MeanOverSeeds
from sslmepr.app.figures import described, score_bars
from sslmepr.labels import EMOTIONS, TARGET_COLUMNS, TARGETS, TRAITS
from sslmepr.models.fusion import FusionInput
from sslmepr.report.tables import MISSING, Table, interval, number
from sslmepr.report.words import plain
from sslmepr.statistics.conformal import ABSENT, EITHER, PRESENT

COLUMNS = ["score", "low", "high", "reference", "usual", "true", "open"]


def score_table(
    row: pd.Series,
    models,
    average: FusionInput | None,
    errors: pd.DataFrame | None,
    true: Mapping[str, float],
) -> pd.DataFrame:
    """Scores of a recording and what they are seen against.

    Parameters
    ----------
    row : Series
        Of the table of `sslmepr.predict.predict`.
    models : models of `sslmepr.predict.Predictor`
    average : FusionInput or None
        The average training clip.
    errors : DataFrame or None
        Of `sslmepr.app.certainty.usual_errors`.
    true : mapping of str to float
        Target to its value, where it is known.

    Returns
    -------
    DataFrame
        Index: target; score, low, high, reference (an emotion's threshold, an average
        clip's trait), usual (error on held-out clips), true, open (1 where an emotion
        may be absent or present); NaN where there is none.
    """
    reference = dict(zip(EMOTIONS[1:], models.thresholds.tolist(), strict=True))
    if average is not None and "personality" in models.tasks:
        said = MeanOverSeeds(models.fused).eval()(average).of("personality")
        reference |= dict(zip(TRAITS, said[0].tolist(), strict=True))
    usual = {} if errors is None else errors["error"].to_dict()
    rows = {}
    for task in models.tasks:
        for name, column in zip(TARGETS[task], TARGET_COLUMNS[task], strict=True):
            values = [row[column], row.get(f"{column}_low"), row.get(f"{column}_high")]
            known = [each.get(name) for each in (reference, usual, true)]
            either = 1.0 if row.get(f"{column}_set") == EITHER else None
            rows[name] = [*values, *known, either]
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).astype(float)


def sentences(row: pd.Series, scores: pd.DataFrame) -> list[str]:
    """What the scores say, as impressions and not as facts.

    Parameters
    ----------
    row : Series
        Of the table of `sslmepr.predict.predict`.
    scores : DataFrame
        Of :func:`score_table`.
    """
    said = []
    if "emotions" in row:
        said += _emotions(row, scores)
    traits = scores.loc[[name for name in TRAITS if name in scores.index]]
    sides = {
        "above": traits.index[traits["low"] > traits["reference"]],
        "below": traits.index[traits["high"] < traits["reference"]],
    }
    for side, names in sides.items():
        if len(names):
            told = listed([plain(each) for each in names])
            said.append(
                f"The person is rated {side} the average training clip in {told}."
            )
    if traits["reference"].notna().any() and not any(map(len, sides.values())):
        said.append(
            "In no trait does the interval exclude the average training clip, so "
            "nothing is said of the traits."
        )
    if row["missing"]:
        said.append(f"Missing: {row['missing']}. The scores rest on what is left.")
    else:
        said.append("Everything that the models use was found.")
    return said


def _emotions(row: pd.Series, scores: pd.DataFrame) -> list[str]:
    """What reaches its threshold, and whether the models can tell that it is there."""
    sets = {name: row.get(f"emotion_{name}_set") for name in EMOTIONS[1:]}
    present = [name for name in sets if name in row["emotions"].split(", ")]
    if not present:
        may = [plain(name) for name, each in sets.items() if each in (EITHER, PRESENT)]
        rest = (
            f", but the models cannot exclude {listed(may)}."
            if may
            else ": the person appears neutral."
        )
        return [f"None of the six emotions reaches its threshold{rest}"]
    said = []
    for begin, doubted in (
        ("The person appears to show", False),
        ("At or above the threshold, though absence cannot be excluded:", True),
    ):
        names = [n for n in present if (sets[n] in (EITHER, ABSENT)) == doubted]
        if names:
            shown = [f"{plain(n)} ({number(scores.at[n, 'score'], 2)})" for n in names]
            said.append(f"{begin} {listed(shown)}.")
    return said


def score_sections(row: pd.Series, scores: pd.DataFrame) -> list[Section]:
    """Scores in sentences, a figure and a table.

    Parameters
    ----------
    row : Series
        Of the table of `sslmepr.predict.predict`.
    scores : DataFrame
        Of :func:`score_table`.
    """
    alt = (
        f"Scores of the recording: {described(scores['score'])}. Traits have an "
        "interval; an emotion that may be absent or present is hatched"
    )
    return [
        section("summary", "In short", *map(paragraph, sentences(row, scores))),
        section(
            "scores",
            "Emotions and apparent traits",
            drawn(score_bars, scores, alt=alt),
            scrolling(_written(row, scores)),
        ),
    ]


def _written(row: pd.Series, scores: pd.DataFrame) -> Table:
    """The scores as a table, without columns of which nothing is known."""
    bounds = scores[["score", "low", "high"]].to_numpy()
    table = pd.DataFrame(
        {"target": scores.index, "score": [interval(*each) for each in bounds]}
    )
    notes = []
    for column, note in _NOTES.items():
        if scores[column].notna().any():
            table[_HEADS[column]] = [number(value) for value in scores[column]]
            notes.append(f"{_HEADS[column]}: {note}")
    if scores.loc[scores.index.isin(TRAITS), "reference"].notna().any():
        notes.append("the reference of a trait is the score of the average clip")
    sets = {name: row.get(f"emotion_{name}_set") for name in EMOTIONS[1:]}
    if any(sets.values()):
        may = [sets.get(name) or MISSING for name in scores.index]
        # Broken into three lines on a telephone, it would leave its row mostly empty.
        table["may be"] = [each.replace(" ", "\N{NO-BREAK SPACE}") for each in may]
        notes.append(
            "may be: the set of an emotion, which of absent and present it may be; "
            "emotions have sets in place of intervals"
        )
    bounded = ", those of traits with intervals" if scores["low"].notna().any() else ""
    return Table(table, f"Scores from 0 to 1{bounded}", "; ".join(notes))


_HEADS = {"reference": "reference", "usual": "usual error", "true": "true"}
_NOTES = {
    "reference": "the score from which an emotion counts as present",
    "usual": "how far scores of clips that the models never saw are from the truth",
    "true": "what was drawn",
}
