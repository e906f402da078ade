"""What a model and self-reports say of the pairs that observers' notes speak of.

Notes of faces (`sslmepr.association.noted_emotions`) are a criterion from outside: no
model has a part in them. Beside them stand what a model predicts of the very same
clips, and what people said of themselves in published studies. The three need not
agree. Notes and trait scores may share a rater's liking, predictions share errors with
what they are correlated with, and nobody who reported on themselves was filmed.
"""

import pandas as pd

from sslmepr.association.correlation import wide_table
from sslmepr.association.disjoint_modalities import Tables
from sslmepr.association.self_reports import shown_reports
from sslmepr.association.sources import NOTED, PREDICTED, PREDICTED_EMOTION
from sslmepr.association.study_associations import associate, variant_predictions
from sslmepr.params import Params

FISHER_Z = "fisher_z"
"""Kind of the interval of self-reports, of which there are no single persons."""

_COLUMNS = ["emotion", "trait", "source", "r", "low", "high", "interval"]
_COLUMNS += ["n", "n_speakers"]


def outside_criterion(
    params: Params,
    noted: pd.DataFrame,
    speaker_ids: pd.Series,
    predictions: pd.DataFrame,
    reports: pd.DataFrame,
    variant: str = "multitask",
) -> pd.DataFrame:
    """Associations from notes, from a model of the same clips, and from self-reports.

    Parameters
    ----------
    params : Params
        Sections ``roles``, ``association`` and ``seed``.
    noted : DataFrame
        From `sslmepr.association.noted_emotions.noted_associations`.
    speaker_ids : Series
        clip_id to speaker_id of the clips with notes, the only ones that are predicted
        here; intervals are over these speakers.
    predictions : DataFrame
        Those that the stage ``evaluate`` writes.
    reports : DataFrame
        From `sslmepr.association.self_reports.read_self_reports`.
    variant : str
        The fusion model whose emotions are correlated with the trait scores.

    Returns
    -------
    DataFrame
        emotion, trait, source (`NOTED`, `PREDICTED`, or that of self-reports, with
        ``state`` behind it if they are of the moment), r, low, high, interval, n,
        n_speakers. Empty if `noted` is.

    Raises
    ------
    ValueError
        If there are no predictions of the variant.
    """
    if noted.empty:
        return pd.DataFrame(columns=_COLUMNS)
    mine = variant_predictions(predictions, variant, params.roles.personality)
    mine = mine[mine["clip_id"].isin(speaker_ids.index)]
    clips = wide_table(mine, speaker_ids, PREDICTED_EMOTION)
    predicted = associate(Tables(clips, []), PREDICTED_EMOTION, params, ("clip",))
    told = _persons(shown_reports(reports, params.association.confidence))
    parts = [noted.assign(source=NOTED), predicted.assign(source=PREDICTED), told]
    return pd.concat(parts, ignore_index=True)[_COLUMNS]


def _persons(reports: pd.DataFrame) -> pd.DataFrame:
    """Self-reports with the number of persons that their error tells."""
    state = reports["kind"].map({"trait": "", "state": ", state"})
    persons = (reports["error"] ** -2 + 3).round().astype(int)
    return reports.assign(
        source=reports["source"] + state,
        interval=FISHER_Z,
        n=persons,
        n_speakers=persons,
    )
