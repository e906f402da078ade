"""What it costs to extract corpora that are not at hand, by calculation.

A rate measured on clips like theirs, times how many they have. That many processors
are as many times as fast as one is an assumption: they may have to wait for each other
at a disk, or for the last chunk.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

TOGETHER = "together"
UNIT = "processor seconds"


def extraction_costs(
    sizes: pd.DataFrame,
    measured: pd.DataFrame,
    studies: Sequence[str],
    processors: Sequence[int],
) -> pd.DataFrame:
    """Time to extract each corpus, and all together, with the encoders of each study.

    Parameters
    ----------
    sizes : DataFrame
        corpus, clips, hours (of video).
    measured : DataFrame
        name, value, low, high, unit, as in ``results/benchmarks.csv``; the processor
        seconds of one clip stand under ``rate_<corpus>_<study>``.
    studies : sequence of str
    processors : sequence of int
        Numbers of processors that share the work.

    Returns
    -------
    DataFrame
        corpus, study, clips, hours (of video), seconds, low, high (of a processor, for
        one clip), processor_hours, and ``hours_on_<n>`` for each number of processors.
        What was not measured is missing, and so is then the sum.

    Raises
    ------
    ValueError
        If a rate was measured twice, or a number of processors is not positive.
    """
    if not all(count > 0 for count in processors):
        raise ValueError(f"not a number of processors: {min(processors)}")
    rates = measured[
        (measured["unit"] == UNIT) & measured["name"].str.startswith("rate_")
    ].set_index("name")
    if rates.index.has_duplicates:
        twice = rates.index[rates.index.duplicated()][0]
        raise ValueError(f"{twice} was measured twice")
    parts = [
        costs
        for study in studies
        for costs in _of_study(sizes, rates[["value", "low", "high"]], study)
    ]
    table = pd.concat(parts, ignore_index=True)
    for count in processors:
        table[f"hours_on_{count}"] = table["processor_hours"] / count
    return table


def _of_study(
    sizes: pd.DataFrame, rates: pd.DataFrame, study: str
) -> Iterator[pd.DataFrame]:
    """One row for each corpus, and one for all together."""
    rates = rates.reindex("rate_" + sizes["corpus"] + f"_{study}")
    rates = rates.rename(columns={"value": "seconds"}).reset_index(drop=True)
    costs = sizes[["corpus", "clips", "hours"]].reset_index(drop=True).join(rates)
    costs.insert(1, "study", study)
    costs["processor_hours"] = costs["clips"] * costs["seconds"] / 3600
    sums = costs[["clips", "hours", "processor_hours"]].sum(skipna=False)
    together = {
        "corpus": TOGETHER,
        "study": study,
        **sums,
        "clips": sizes["clips"].sum(),
    }
    yield costs
    yield pd.DataFrame([together], columns=costs.columns)
