"""What a run of the study at hand costs, and extraction of corpora that are not here.

The estimate of extraction is the time per clip, measured on similar clips, times the
number of clips. It assumes linear speed-up over processors, which ignores waiting for
the disk and for the last chunk.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

TOGETHER = "together"
UNIT = "processor seconds"
DISK = "GB on disk"


def run_cost(measured: pd.DataFrame) -> str:
    """What ``make repro`` costs, in a sentence.

    Parameters
    ----------
    measured : DataFrame
        As of `extraction_costs`; rows named ``repro`` have seconds, GiB of memory, and
        GB on disk.
    """
    mine = measured[measured["name"] == "repro"].dropna(subset=["value"])
    costs = mine.set_index("unit")["value"]
    told = []
    if "seconds" in costs:
        told.append(f"takes {costs['seconds'] / 60:.0f} minutes")
    if "GiB" in costs:
        told.append(f"holds at most {costs['GiB']:.1f} GiB of memory")
    if DISK in costs:
        told.append(f"leaves {costs[DISK]:.1f} GB on the disk")
    if not told:
        return "A whole run was not measured on this version; none needs a GPU."
    *first, last = told
    listed = f"{', '.join(first)} and {last}" if first else last
    return (
        f"A whole run of the default study, from rendering to book, {listed} "
        f"({mine['machine'].iloc[0]}, no GPU)."
    )


def extraction_costs(
    sizes: pd.DataFrame,
    measured: pd.DataFrame,
    studies: Sequence[str],
    processors: Sequence[int],
) -> pd.DataFrame:
    """Estimate the extraction time of each corpus, and of all, by study (encoders).

    Parameters
    ----------
    sizes : DataFrame
        corpus, clips, hours (of video).
    measured : DataFrame
        name, value, low, high, unit, as in ``results/benchmarks.csv``; the processor
        seconds per clip are named ``rate_<corpus>_<study>``.
    studies : sequence of str
    processors : sequence of int
        Numbers of processors that work in parallel.

    Returns
    -------
    DataFrame
        corpus, study, clips, hours (of video), seconds, low, high (of a processor, for
        one clip), processor_hours, and ``hours_on_<n>`` for each number of processors.
        Times without a measurement are missing, as are sums over them.

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
    """One row per corpus, then their sum."""
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
