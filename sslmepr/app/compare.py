"""Two recordings side by side: which of their scores differ by more than errors do.

A is the one that was kept, B the one that was analysed after it. Nothing is ordered and
nobody is ranked.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sslmepr.app.elements import Section, drawn, listed, paragraph, scrolling, section
from sslmepr.app.figures import described, pair_dots
from sslmepr.report.tables import Table, number
from sslmepr.report.words import plain, pretty

TITLE = "Compared with the recording kept as A"


def comparable(row: pd.Series, scores: pd.DataFrame, variant: str) -> dict:
    """What is kept of a recording, as JSON values.

    Parameters
    ----------
    row : Series
        Of the table of `sslmepr.predict.predict`.
    scores : DataFrame
        Of `sslmepr.app.scores.score_table`.
    variant : str
        The fusion model.
    """
    return {
        "variant": variant,
        "missing": row["missing"],
        "scores": scores["score"].to_dict(),
    }


def pair_table(
    kept: Mapping[str, float],
    scores: pd.Series,
    errors: pd.DataFrame | None,
) -> pd.DataFrame:
    """The scores of both, and whether they differ by more than errors do.

    Parameters
    ----------
    kept : mapping of str to float
        Scores of A.
    scores : Series
        Those of B.
    errors : DataFrame or None
        Of `sslmepr.app.certainty.usual_errors`; without them nothing is marked.

    Returns
    -------
    DataFrame
        Index: target; A, B, difference (B minus A), usual (error of a difference),
        larger (bool).
    """
    pairs = pd.DataFrame({"A": pd.Series(kept, dtype=float), "B": scores})
    pairs = pairs.reindex(scores.index)
    pairs["difference"] = pairs["B"] - pairs["A"]
    known = np.nan if errors is None else errors["difference"].reindex(pairs.index)
    pairs["usual"] = known
    pairs["larger"] = pairs["difference"].abs() > pairs["usual"]
    return pairs


def comparison(
    kept: dict, now: dict, scores: pd.DataFrame, errors: pd.DataFrame | None
) -> Section:
    """As a part of the result.

    Parameters
    ----------
    kept, now : dict
        Of :func:`comparable`, of A and of B.
    scores : DataFrame
        Of `sslmepr.app.scores.score_table`, of B.
    errors : DataFrame or None
        Of `sslmepr.app.certainty.usual_errors`.
    """
    if kept["variant"] != now["variant"]:
        other = (
            f"A was read by the fusion model {pretty(kept['variant'])} and B by "
            f"{pretty(now['variant'])}: their scores cannot be compared. Analyse one "
            "of them again."
        )
        return section("comparison", TITLE, paragraph(other))
    pairs = pair_table(kept["scores"], scores["score"], errors)
    said = map(paragraph, _sentences(kept, now, pairs, errors))
    alt = (
        f"A: {described(pairs['A'])}. B: {described(pairs['B'])}. "
        f"Larger than the usual error: {listed(list(pairs.index[pairs['larger']]))}"
    )
    figure = drawn(pair_dots, pairs, alt=alt)
    return section("comparison", TITLE, *said, figure, scrolling(_written(pairs)))


def _sentences(kept, now, pairs: pd.DataFrame, errors) -> list[str]:
    said = []
    larger = [plain(name) for name in pairs.index[pairs["larger"]]]
    if errors is None:
        said.append(
            "How far scores usually are from the truth was not measured here, so no "
            "difference is marked."
        )
    elif larger:
        said.append(
            "Larger than the usual error of a difference between clips of two people: "
            f"{listed(larger)}. All other differences may be errors."
        )
    else:
        said.append(
            "No difference is larger than the usual error of one between clips of two "
            "people: A and B cannot be told apart by these scores."
        )
    for name, each in (("A", kept), ("B", now)):
        if each["missing"]:
            said.append(f"Missing in {name}: {each['missing']}.")
    said.append(
        "This compares impressions of two recordings. It says nothing of which person "
        "is better at anything, and ranks nobody."
    )
    return said


def _written(pairs: pd.DataFrame) -> Table:
    table = pd.DataFrame({"target": pairs.index})
    for column in ("A", "B", "difference"):
        table[column] = [number(each) for each in pairs[column]]
    if pairs["usual"].notna().any():
        table["usual error of a difference"] = [number(e) for e in pairs["usual"]]
        table["larger"] = pairs["larger"].tolist()
    note = "difference: B minus A"
    return Table(table, "Scores of both recordings", note)
