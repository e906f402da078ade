"""How much of the traits is one common factor, and what is left without it.

Who likes a person rates every trait higher. Scores of five traits then share a large
common part, and an emotion that goes with that part goes with all five. What remains of
a correlation when the mean of the other four traits is partialled out is about the
trait itself.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from sslmepr.association.grid import CELL
from sslmepr.labels import (
    TRAITS,
    select,
)
from sslmepr.statistics.norms import TRAIT_CORRELATION

SELF_REPORTS = "self-reports, norms of the NEO PI-R"


def common_part(
    predictions: pd.DataFrame, corpora: Iterable[str], variant: str
) -> pd.DataFrame:
    """Mean correlation between two traits over clips: annotated, read, self-reported.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, corpus, stage, variant, target, predicted and true (and seed).
    corpora : iterable of str
        In the order wanted; one without predictions of `variant` is left out.
    variant : str

    Returns
    -------
    DataFrame
        corpus, traits (``annotated`` or ``read by the model``), mean_correlation,
        clips. The last row is of people about themselves, without corpus.
    """
    rows = []
    mine = select(predictions, stage="fusion", variant=variant)
    traits = mine[mine["target"].isin(TRAITS)]
    for corpus in corpora:
        mine = traits[traits["corpus"] == corpus]
        mean = mine.groupby(["clip_id", "target"])[["true", "predicted"]].mean()
        for side, name in (("true", "annotated"), ("predicted", "read by the model")):
            wide = mean[side].unstack("target").dropna()
            if len(wide) > len(TRAITS):
                r = np.corrcoef(wide.to_numpy(), rowvar=False)
                rows.append((corpus, name, _mean_below(r), len(wide)))
    rows.append((None, SELF_REPORTS, _mean_below(TRAIT_CORRELATION), None))
    columns = ["corpus", "traits", "mean_correlation", "clips"]
    return pd.DataFrame(rows, columns=columns).astype({"clips": "Int64"})


def _mean_below(r: np.ndarray) -> float:
    return float(r[np.tril_indices(len(r), -1)].mean())


def without_halo(found: pd.DataFrame) -> pd.DataFrame:
    """Each cell as it is beside what is left of it without halo.

    Parameters
    ----------
    found : DataFrame
        The table of :func:`sslmepr.association.study.study_associations`.

    Returns
    -------
    DataFrame
        corpus, source, level, emotion, trait, r and significant with the endings
        ``_raw`` and ``_left``, and ``fate`` of those that are significant as they are:
        ``survives`` (significant with the same sign), ``vanishes`` or ``turns round``;
        of the others ``appears`` where significant without halo, else empty.
    """
    cell = ["corpus", "source", "level", *CELL]
    columns = [*cell, "r", "significant"]
    raw, left = (found.loc[found["halo"] == halo, columns] for halo in (False, True))
    table = raw.merge(left, on=cell, suffixes=("_raw", "_left"), validate="1:1")
    same = np.sign(table["r_raw"]) == np.sign(table["r_left"])
    both = table["significant_raw"] & table["significant_left"]
    table["fate"] = np.select(
        [both & same, both, table["significant_raw"], table["significant_left"]],
        ["survives", "turns round", "vanishes", "appears"],
        "",
    )
    return table


def fates(table: pd.DataFrame) -> pd.DataFrame:
    """Of how many cells each fate is, by corpus, source and level.

    Parameters
    ----------
    table : DataFrame
        From `without_halo`.

    Returns
    -------
    DataFrame
        corpus, source, level, significant (as they are), survives, vanishes,
        turns round, appears, and pairs: the names of those that survive.
    """
    group = ["corpus", "source", "level"]
    names = table["emotion"] + " × " + table["trait"].str.replace("_", " ")
    kept = names.where(table["fate"] == "survives")
    groups = [table[name] for name in group]
    counts = pd.DataFrame(
        {
            "significant": table.groupby(group, sort=False)["significant_raw"].sum(),
            **{
                name: (table["fate"] == name).groupby(groups, sort=False).sum()
                for name in ("survives", "vanishes", "turns round", "appears")
            },
            "pairs": kept.groupby(groups, sort=False).agg(
                lambda k: ", ".join(k.dropna())
            ),
        }
    )
    return counts.reset_index()
