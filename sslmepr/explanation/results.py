"""Result tables of the chapter on attention."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslmepr.explanation.attention import (
    weights_by_modality,
    weights_by_noise,
    weights_following,
    with_noise,
)
from sslmepr.explanation.cases import Cases
from sslmepr.explanation.evidence import ALL, CORRELATION, evidence_used, mean_by
from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.params import Params
from sslmepr.report.tables import interval

COLUMNS = {
    "used": ["target", "modality", "used", "there", "correlation", "clips"],
    "sanity": ["model", "modality", "used", "there", "correlation", "clips"],
    "pointing": ["kind", "clips", "hit", "shuffled", "gain", "chance"],
    "weights": ["kind", "modality", "clips", "mean", "lowest", "highest"],
    "noise": ["kind", "modality", "noise", "clips", "weight"],
    "follows": ["kind", "modality", "follows", "clips", "correlation"],
    "places": ["what", "clips", "hit", "there", "gain", "chance"],
    "contrary": ["words", "clips", "correlation"],
}
"""Columns where there is nothing to show."""


class Results(NamedTuple):
    """What the chapter's sentences and figures are made from.

    Attributes
    ----------
    used : DataFrame
        Of :func:`sslmepr.explanation.evidence.evidence_used`.
    sanity : DataFrame
        Its means over targets, of the trained model and of one with shuffled weights.
    pointing : DataFrame
        kind, clips, and with their ends hit, shuffled (hits of the latter model), gain
        (hit less shuffled, clip by clip) and chance.
    deletion : DataFrame
        order, share, clips, output with its ends.
    weights : DataFrame
        Of :func:`sslmepr.explanation.attention.weights_by_modality`.
    noise, follows : DataFrame
        Of `weights_by_noise` and `weights_following` there.
    places : DataFrame
        what (a modality, or a part of the face), clips, and with their ends hit, there,
        gain (hit less chance) and chance, of `sslmepr.explanation.places`.
    contrary : DataFrame
        words (as meant, or the opposite), clips, correlation, with its ends, of what
        words contribute to emotions with what they say at face value.
    """

    used: pd.DataFrame
    sanity: pd.DataFrame
    pointing: pd.DataFrame
    deletion: pd.DataFrame
    weights: pd.DataFrame
    noise: pd.DataFrame
    follows: pd.DataFrame
    places: pd.DataFrame
    contrary: pd.DataFrame


def results(cases: Cases, attention: pd.DataFrame, params: Params) -> Results:
    """Summarise attributions over clips, with intervals over resampled speakers.

    Parameters
    ----------
    cases : Cases
    attention : DataFrame
        Of :func:`sslmepr.explanation.cases.load_attention`.
    params : Params
        Section ``evaluate``, and ``seed``.

    Returns
    -------
    Results
        Empty tables, if there is no clip.
    """
    if not cases.chosen:
        empty = {name: pd.DataFrame(columns=each) for name, each in COLUMNS.items()}
        return Results(**empty, deletion=cases.deletion)
    evaluate, speakers = params.evaluate, cases.clips["speaker_id"]
    sampling = speakers, evaluate.resamples, evaluate.confidence, params.seed
    evidence = precision = None
    if cases.truth is not None:
        evidence, precision = cases.truth.evidence, cases.truth.precision
    used, shuffled = (
        evidence_used(each, evidence, *sampling)
        for each in (cases.contributions, cases.shuffled)
    )
    sanity = pd.concat(
        [used.assign(model="trained"), shuffled.assign(model="shuffled weights")]
    )
    pointing = pd.DataFrame(columns=COLUMNS["pointing"])
    if len(cases.pointing):
        same = ["clip_id", "target", "kind"]
        other = cases.shuffled_pointing[[*same, "hit"]]
        both = cases.pointing.merge(other.rename(columns={"hit": "shuffled"}), on=same)
        both["gain"] = both["hit"] - both["shuffled"]
        values = ["hit", "shuffled", "gain", "chance"]
        pointing = mean_by(both, "kind", values, *sampling, ["hit", "shuffled"])
    seen = pd.DataFrame(columns=["kind", "modality"])
    if cases.planted is not None and len(attention):
        seen = with_noise(attention, precision, cases.planted.clips["contrary"])
    deletion = pd.concat(
        mean_by(mine, "share", ["output"], *sampling).assign(order=order)
        for order, mine in cases.deletion.groupby("order", sort=False)
    )
    return Results(
        used,
        sanity[sanity["target"] == ALL],
        pointing,
        deletion,
        weights_by_modality(attention, precision, *sampling),
        weights_by_noise(seen, *sampling),
        weights_following(seen, *sampling),
        _places(cases.places, sampling),
        _contrary(cases, evidence, sampling),
    )


def _places(places: pd.DataFrame, sampling: tuple) -> pd.DataFrame:
    """Hits by modality or part of the face, and what they are above chance."""
    if places.empty:
        return pd.DataFrame(columns=COLUMNS["places"])
    # Of the face, what controls show is known part by part alone.
    face = places[places["there"].isna()].assign(what="parts of the face")
    table = pd.concat([places, face])
    table["gain"] = table["hit"] - table["chance"]
    values = ["hit", "there", "gain", "chance"]
    return mean_by(table, "what", values, *sampling, ["hit", "there"])


def _contrary(cases: Cases, evidence, sampling: tuple) -> pd.DataFrame:
    """How words are taken in clips in which they are meant, and in the others."""
    rows = []
    if cases.planted is not None:
        words = cases.contributions[cases.contributions["modality"] == "text"]
        words = words[words["target"].isin(SCORED_EMOTIONS)]
        opposite = words["clip_id"].map(cases.planted.clips["contrary"])
        for name, chosen in (("meant", ~opposite), ("contrary", opposite)):
            if chosen.any():
                found = evidence_used(words[chosen], evidence, *sampling)
                found = found[found["target"] == ALL].assign(words=name)
                rows.append(found)
    columns = ["words", "clips", *CORRELATION]
    return pd.concat(rows)[columns] if rows else pd.DataFrame(columns=columns)


def write_results(found: Results, cases: Cases, folder: Path) -> None:
    """Write every table as CSV.

    Words are written where recordings may be shown only: transcripts of others are not
    ours to print.

    Parameters
    ----------
    found : Results
    cases : Cases
    folder : Path
        Made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = found._asdict()
    for name in ("contributions", "outputs", "steps", "regions"):
        tables[name] = getattr(cases, name)
    if len(cases.columns):
        tables["columns"] = cases.columns
    if cases.folder is not None:
        tables |= {"words": cases.words, "clauses": cases.clauses}
    for name, table in tables.items():
        table.round(6).to_csv(folder / f"{name}.csv", index=False)


def with_intervals(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Estimates and their ends as readers see them, in one column each.

    Parameters
    ----------
    table : DataFrame
    *columns : str
        Estimates, each with columns ``_low`` and ``_high``; those of an empty table
        need none.
    """
    if table.empty:
        return table
    ends = [f"{name}{side}" for name in columns for side in ("_low", "_high")]
    told = {
        name: [
            interval(*row)
            for row in table[[name, f"{name}_low", f"{name}_high"]].to_numpy()
        ]
        for name in columns
    }
    told = table.assign(**told).drop(columns=ends)
    return told.rename(columns={"correlation": "correlation over clips"})
