"""Results of the comparison of sequence blocks, in sentences."""

import pandas as pd

from sslmepr.labels import MODALITIES
from sslmepr.report.overview import Findings
from sslmepr.report.tables import interval, number
from sslmepr.report.words import pretty


def findings(table: pd.DataFrame) -> Findings:
    """Summarise the drawn task, and every block in comparison with its references.

    An interval that covers zero counts neither as above nor as below it.

    Parameters
    ----------
    table : DataFrame
        From :func:`sslmepr.trials.blocks.summarise`.

    Returns
    -------
    Findings
    """
    drawn = table[(table["task"] == "order") & (table["metric"] == "dev_score")]
    reached = [
        f"{pretty(row.block)} {interval(row.estimate, row.low, row.high)}"
        for row in drawn.itertuples()
    ]
    cells = table[table["what"].isin(MODALITIES)]
    return Findings(
        [
            "**Where only the order of steps tells**, area under the curve: "
            f"{'; '.join(reached)}.",
            *_compared(cells, "over_linear", "the linear probe that it corrects"),
            *_compared(cells, "over_state_free", "the published block"),
        ]
    )


def _compared(cells: pd.DataFrame, metric: str, reference: str) -> list[str]:
    return [
        f"**{pretty(block)} against {reference}**, on the study's corpora: differences "
        f"from {number(own['estimate'].min())} to {number(own['estimate'].max())}; "
        f"{(own['low'] > 0).sum()} of {len(own)} intervals lie above zero, "
        f"{(own['high'] < 0).sum()} below."
        for block, own in cells[cells["metric"] == metric].groupby("block", sort=False)
    ]
