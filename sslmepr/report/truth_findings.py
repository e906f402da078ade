"""Sentences and tables on who is read worse, and what is taken for what."""

import pandas as pd

from sslmepr.report.tables import interval, number
from sslmepr.report.words import plain, pretty

GROUPS = {
    ("skin", "light"): "lighter skin",
    ("skin", "medium"): "medium skin",
    ("skin", "dark"): "darker skin",
    ("voice", "male"): "voice called male",
    ("voice", "female"): "voice called female",
    ("glasses", "with"): "with glasses",
    ("glasses", "without"): "without glasses",
}
"""Attribute and group to the words of readers."""

DIGITS = 2
"""After the point, of differences of groups."""

MOST = 3
"""Confusions that are named; a choice of layout."""


def named_groups(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of groups in the order of `GROUPS`, with words for each (``people``)."""
    keys = [*zip(scores["attribute"], scores["group"], strict=True)]
    order = {key: place for place, key in enumerate(GROUPS)}
    table = scores.assign(
        people=[GROUPS.get(key, " ".join(key)) for key in keys],
        place=[order.get(key, len(order)) for key in keys],
    )
    table = table.sort_values(["metric", "place"], ascending=[False, True])
    return table.drop(columns="place").reset_index(drop=True)


def differs(scores: pd.DataFrame) -> pd.Series:
    """Whether groups surely score higher (1) or lower (-1) than all others, or not (0).

    An interval that ends at 0 as it is written does not show a difference.

    Parameters
    ----------
    scores : DataFrame
        lowest and highest: ends of the interval of the difference.
    """
    low, high = (scores[end].round(DIGITS) for end in ("lowest", "highest"))
    return (low > 0).astype(int) - (high < 0).astype(int)


def group_findings(scores: pd.DataFrame, confidence: float) -> list[str]:
    """Who is read worse than others, and how often chance alone would say so.

    Parameters
    ----------
    scores : DataFrame
        From `named_groups`.
    confidence : float
        Of the intervals.

    Returns
    -------
    list of str
        The answer, and what it does not say. Empty without groups.
    """
    known = scores.dropna(subset=["lowest", "highest"])
    if known.empty:
        return []
    worse = known[differs(known) < 0]
    # Of two groups, each is all others of the other: one comparison.
    groups = known.groupby(["attribute", "metric"])["group"]
    counted = known[(groups.transform("nunique") != 2) | (groups.cumcount() == 0)]
    sure = counted[differs(counted) != 0]
    told = ", ".join(
        f"{row.people} ({row.metric} {difference(row)})" for row in worse.itertuples()
    )
    rest = f"read worse are: {told}" if told else "nobody is surely read worse"
    names = ", ".join(dict.fromkeys(worse["people"]))
    seen = (
        f"a disadvantage seen here ({names})" if told else "that nobody is read worse"
    )
    return [
        f"**Who is read worse**: of {len(counted)} comparisons of a group with all "
        f"other people, {len(sure)} differ by more than their interval, where chance "
        f"alone gives about {number((1 - confidence) * len(counted), 1)}; {rest}.",
        "**What it does not say**: drawn people differ in fewer ways than people do, "
        f"and their cues are drawn alike; {seen} is no evidence about people.",
    ]


def difference(row) -> str:
    """A difference with its interval and its sign."""
    written = interval(row.difference, row.lowest, row.highest, DIGITS)
    return f"+{written}" if row.difference > 0 else written


def group_table(scores: pd.DataFrame) -> pd.DataFrame:
    """For readers: people, clips, and score and difference for each metric.

    Parameters
    ----------
    scores : DataFrame
        From `named_groups`.
    """
    rows: dict[str, dict] = {}
    for row in scores.itertuples():
        mine = rows.setdefault(row.people, {"people": pretty(row.people)})
        mine["clips"] = row.n
        mine[row.metric] = interval(row.estimate, row.low, row.high, 2)
        mine[f"{row.metric}, difference"] = difference(row)
    return pd.DataFrame(list(rows.values()))


def confusion_findings(table: pd.DataFrame) -> list[str]:
    """How often the strongest emotion is found, and what it is taken for else.

    Parameters
    ----------
    table : DataFrame
        From :func:`sslmepr.evaluation.against_truth.confusion`.
    """
    if table.empty:
        return []
    right = table["true"] == table["predicted"]
    clips = table["clips"].sum()
    wrong = table[~right & (table["clips"] > 0)].sort_values("share", ascending=False)
    told = ", ".join(
        f"{plain(row.true)} for {plain(row.predicted)} ({100 * row.share:.0f} % of "
        f"{round(row.clips / row.share)})"
        for row in wrong[:MOST].itertuples()
    )
    most = f" Most often taken: {told}." if told else ""
    share = 100 * table["clips"][right].sum() / clips
    return [
        f"The emotion with the strongest label gets most probability in {share:.0f} % "
        f"of {clips} clips.{most}"
    ]
