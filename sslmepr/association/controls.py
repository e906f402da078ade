"""Controls against artefacts: which of the 30 associations survive each.

A network that predicts both sides of a correlation can produce a spurious one in
several ways: both sides share training, and both share prediction errors. Each control
removes one of these. An association that is significant in the full model, and again
with the same sign under every control, is not explained by either alone.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sslmepr.association.correlation import wide_table
from sslmepr.association.disjoint_modalities import Tables
from sslmepr.association.grid import CELL
from sslmepr.association.sources import BOTH_PREDICTED, DISJOINT
from sslmepr.association.study_associations import (
    Evaluated,
    associate,
    variant_predictions,
)
from sslmepr.labels import (
    TARGETS,
    select,
)
from sslmepr.params import Params

SINGLE_TASK = {"emotion": "emotion_only", "personality": "personality_only"}

FULL = "full model"
SEPARATE = "separate models"
APART = "disjoint modalities"


def control_table(
    params: Params,
    evaluated: Evaluated,
    speaker_ids: pd.Series,
    found: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Associations of the held-out corpus in the full model and under each control.

    Parameters
    ----------
    params : Params
        Of the study.
    evaluated : Evaluated
    speaker_ids : Series
        clip_id to speaker_id of the held-out corpus.
    found : mapping of str to DataFrame
        By source, the associations that :func:`sslmepr.association.validity.assess`
        gives for the full model: `BOTH_PREDICTED` and, with two modalities, `DISJOINT`.

    Returns
    -------
    DataFrame
        control, emotion, trait, r, low, high, interval (which kind), p_corrected,
        significant, survives. Controls without models in the study are left out:
        `SEPARATE` needs the single-task variants, `APART` two modalities.
    """
    kind = BOTH_PREDICTED
    separate = _separate(evaluated, speaker_ids, params.roles.held_out)
    controls = {
        FULL: found[kind],
        SEPARATE: separate and associate(separate, kind, params, levels=("clip",)),
        APART: found.get(DISJOINT),
    }
    table = pd.concat(
        [each.assign(control=n) for n, each in controls.items() if each is not None],
        ignore_index=True,
    )
    columns = ["control", *CELL, "r", "low", "high", "interval", "p_corrected"]
    return with_survival(table[[*columns, "significant"]])


def _separate(evaluated: Evaluated, speaker_ids, corpus: str) -> Tables | None:
    """Emotions and traits predicted by two single-task networks."""
    predictions = evaluated.predictions
    known = select(predictions, stage="fusion")["variant"]
    if not set(SINGLE_TASK.values()) <= set(known):
        return None
    parts = []
    for task, variant in SINGLE_TASK.items():
        part = variant_predictions(predictions, variant, corpus)
        parts.append(part[part["target"].isin(TARGETS[task])])
    both = pd.concat(parts, ignore_index=True).drop(columns="variant")
    return Tables(wide_table(both, speaker_ids, BOTH_PREDICTED), [])


def with_survival(table: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``survives``: significant here and in `FULL`, with the same sign.

    Parameters
    ----------
    table : DataFrame
        control, emotion, trait, r, significant; `FULL` is one of the controls.

    Returns
    -------
    DataFrame
        `table` with the new column.

    Raises
    ------
    ValueError
        If there is no row of `FULL`, or a control has duplicate cells.
    """
    if table.duplicated(["control", *CELL]).any():
        raise ValueError("control: a cell is duplicated within a control")
    full = table[table["control"] == FULL].set_index(CELL)
    if full.empty:
        raise ValueError(f"control: no rows of {FULL!r}, the reference of the others")
    cells = pd.MultiIndex.from_frame(table[CELL])
    first = full.loc[cells]
    same = np.sign(table["r"].to_numpy()) == np.sign(first["r"].to_numpy())
    both = table["significant"].to_numpy(bool) & first["significant"].to_numpy(bool)
    return table.assign(survives=both & same)


def survivors(table: pd.DataFrame, planted: pd.DataFrame) -> pd.DataFrame:
    """Count surviving cells by control, with and without a planted association.

    Parameters
    ----------
    table : DataFrame
        From `control_table`.
    planted : DataFrame
        emotion, trait, planted.

    Returns
    -------
    DataFrame
        control, survives_planted (true positives), of_planted, wrong_sign (survivors
        whose sign differs from the planted one), survives_not_planted (false
        positives), of_not_planted. The last row, ``all of them``, counts the cells that
        survive every control.
    """
    every = table.groupby(CELL, sort=False)["survives"].all().reset_index()
    full = table.loc[table["control"] == FULL, [*CELL, "r"]]
    every = every.merge(full, on=CELL).assign(control="all of them")
    merged = pd.concat([table, every]).merge(planted, on=CELL, validate="m:1")
    real = merged["planted"] != 0
    wrong = np.sign(merged["r"]) != np.sign(merged["planted"])
    counts = {
        "survives_planted": merged["survives"] & real,
        "of_planted": real,
        "wrong_sign": merged["survives"] & real & wrong,
        "survives_not_planted": merged["survives"] & ~real,
        "of_not_planted": ~real,
    }
    flags = pd.DataFrame(counts).groupby(merged["control"], sort=False).sum()
    return flags.reset_index()
