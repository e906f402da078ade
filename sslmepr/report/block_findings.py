"""Results of the comparisons of sequence blocks, in sentences."""

import pandas as pd

from sslmepr.labels import MODALITIES
from sslmepr.report.overview import Findings
from sslmepr.report.tables import interval, number
from sslmepr.report.words import plain, pretty
from sslmepr.statistics.verdicts import verdicts

POOLING, SLOPE, STACKED = "pooling", "pooling and slope", "stacked"


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


def timed_findings(gains: pd.DataFrame, margin: float) -> Findings:
    """What each block is worth over pooling, in late fusion and in each modality.

    Parameters
    ----------
    gains : DataFrame
        From `sslmepr.trials.timing.timing_gains`.
    margin : float
        Largest difference that does not matter.

    Returns
    -------
    Findings
        A sentence for each knob and block, at the largest dose, in balanced accuracy.
    """
    over = (gains["against"] == POOLING) & (gains["arm"] != SLOPE)
    mine = gains[over & (gains["metric"] == "mWACC")]
    mine = mine.assign(verdict=verdicts(mine["low"], mine["high"], margin))
    sentences = []
    for (knob, block), own in mine.groupby(["knob", "arm"], sort=False):
        dose = own["dose"].max()
        own = own[own["dose"] == dose]
        alone = own[own["modality"] != STACKED]
        (whole,) = map(_gained, own[own["modality"] == STACKED].itertuples())
        each = "; ".join(
            f"{plain(row.modality)} {_gained(row)}" for row in alone.itertuples()
        )
        sentences.append(
            f"**{pretty(block)}, {knob} {dose:g}**, over pooling, in balanced accuracy "
            f"(mWACC): {whole} in late fusion; in one modality alone, {each}."
        )
    return Findings(sentences)


def _gained(row) -> str:
    """A gain and its verdict."""
    return f"{interval(row.estimate, row.low, row.high)} ({row.verdict})"
