"""Halo effect: the common factor of the five traits, and associations without it.

A person who is liked is rated higher on every trait (halo effect). The scores of the
five traits then share a common factor, and an emotion that correlates with the factor
correlates with all five traits. Partialling out the mean of the other four traits
leaves the part of a correlation that is specific to one trait.
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
    """Mean correlation between traits: annotated, predicted and self-reported.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, corpus, stage, variant, target, predicted and true (and seed).
    corpora : iterable of str
        In the order of the result; corpora without predictions of `variant` are left
        out.
    variant : str
        The fusion model.

    Returns
    -------
    DataFrame
        corpus, traits (``annotated`` or ``read by the model``), mean_correlation,
        clips. The last row, without corpus, is of self-reports (norms of the NEO PI-R,
        `sslmepr.statistics.norms`).
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
    """Compare every cell without and with halo control.

    Parameters
    ----------
    found : DataFrame
        Table of :func:`sslmepr.association.study_associations.study_associations`.

    Returns
    -------
    DataFrame
        corpus, source, level, emotion, trait; r and significant with the suffixes
        ``_raw`` (without halo control) and ``_left`` (with it); outcome. The outcome of
        a cell that is significant without halo control is ``survives`` (significant
        with the same sign), ``turns round`` (with the opposite sign) or ``vanishes``
        (not significant). The outcome of another cell is ``appears`` if it is
        significant with halo control, else empty.
    """
    cell = ["corpus", "source", "level", *CELL]
    columns = [*cell, "r", "significant"]
    raw, left = (found.loc[found["halo"] == halo, columns] for halo in (False, True))
    table = raw.merge(left, on=cell, suffixes=("_raw", "_left"), validate="1:1")
    same = np.sign(table["r_raw"]) == np.sign(table["r_left"])
    both = table["significant_raw"] & table["significant_left"]
    table["outcome"] = np.select(
        [both & same, both, table["significant_raw"], table["significant_left"]],
        ["survives", "turns round", "vanishes", "appears"],
        "",
    )
    return table


def outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """Count the cells of every outcome by corpus, source and level.

    Parameters
    ----------
    table : DataFrame
        From `without_halo`.

    Returns
    -------
    DataFrame
        corpus, source, level, significant (without halo control), survives, vanishes,
        turns round, appears, pairs (the names of the cells that survive).
    """
    group = ["corpus", "source", "level"]
    names = table["emotion"] + " × " + table["trait"].str.replace("_", " ")
    kept = names.where(table["outcome"] == "survives")
    groups = [table[name] for name in group]
    counts = pd.DataFrame(
        {
            "significant": table.groupby(group, sort=False)["significant_raw"].sum(),
            **{
                name: (table["outcome"] == name).groupby(groups, sort=False).sum()
                for name in ("survives", "vanishes", "turns round", "appears")
            },
            "pairs": kept.groupby(groups, sort=False).agg(
                lambda k: ", ".join(k.dropna())
            ),
        }
    )
    return counts.reset_index()
