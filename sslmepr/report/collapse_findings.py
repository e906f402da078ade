"""What a shift between the corpora does to ways of learning, in a sentence."""

import pandas as pd

from sslmepr.labels import select
from sslmepr.report.apa import apa_number
from sslmepr.report.words import plain

TOLD = ("as published", "as published, supervised only", "ours", "oracle")
"""Ways of learning that the sentence names, of those that were tried."""


def collapse_finding(summary: pd.DataFrame, metric: str = "other CCC") -> str:
    """Scores on the corpus without the label, without an offset and at the largest.

    Parameters
    ----------
    summary : DataFrame
        arm, offset, metric, estimate (``results/trials/collapse``).
    metric : str
    """
    mine = select(summary, metric=metric)
    ends = {offset: select(mine, offset=offset) for offset in _ends(mine["offset"])}
    scores = [rows.set_index("arm")["estimate"].reindex(TOLD) for rows in ends.values()]
    told = "; ".join(
        f"{plain(arm)}, {apa_number(scores[0][arm])} and {apa_number(scores[1][arm])}"
        for arm in scores[0].dropna().index
    )
    first, last = (f"{offset:g}" for offset in ends)
    return (
        "**On the corpus without the label**, agreement of trait scores with the truth "
        f"(CCC) where the two corpora are alike (offset {first}) and where they differ "
        f"most ({last}): {told}."
    )


def _ends(offsets: pd.Series) -> tuple[float, float]:
    return float(offsets.min()), float(offsets.max())
