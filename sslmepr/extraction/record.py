"""How the modalities of each clip were obtained, from the files of the extraction."""

from pathlib import Path

import pandas as pd

from sslmepr.corpora.schema import read_missing
from sslmepr.labels import MODALITIES, SENTENCES, TABLE_TOOLS


def extraction_record(clips: pd.DataFrame, features: Path) -> pd.DataFrame:
    """Describe, for every clip, how each modality was extracted.

    Parameters
    ----------
    clips : DataFrame
        A clip table.
    features : Path
        Output folder of the stage ``extract``.

    Returns
    -------
    DataFrame
        clip_id, frames, people (largest number of faces in a frame), face, body, scene
        (provenance of the region, with the number of frames), transcript, missing
        (modalities and reason). Of a modality that was read from tables, also the tool
        and how many of its rows were taken; of one that was described, how many
        sentences.
    """
    measured = _measured(features)
    regions = pd.read_parquet(features / "regions.parquet")
    transcripts = pd.read_parquet(features / "transcripts.parquet")
    missing = read_missing(features)
    words = transcripts.set_index("clip_id")["transcript"]
    rows = []
    for clip_id in clips["clip_id"]:
        mine = regions[regions["clip_id"] == clip_id]
        lost = missing[missing["clip_id"] == clip_id]
        row = {"clip_id": clip_id, "frames": mine["frame"].nunique()}
        row["people"] = mine["faces"].max() if len(mine) else 0
        for modality, part in mine.groupby("modality", sort=True, observed=True):
            counts = part["provenance"].value_counts(sort=False)
            row[modality] = ", ".join(f"{kind} {n}" for kind, n in counts.items())
        row |= {
            name: each[clip_id] for name, each in measured.items() if clip_id in each
        }
        row["transcript"] = words.get(clip_id)
        reasons = lost.groupby("reason", sort=False)["modality"].agg(", ".join)
        row["missing"] = "; ".join(f"{lack}: {why}" for why, lack in reasons.items())
        rows.append(row)
    if not rows:  # an optional corpus that was not given; the file keeps its header
        return pd.DataFrame(columns=["clip_id", "frames", "transcript", "missing"])
    return pd.DataFrame(rows)


def _measured(features: Path) -> dict[str, dict[str, str]]:
    """Modality that was measured or described to what is known of it, by clip."""
    found = {}
    for modality in MODALITIES:
        path = features / f"{modality}.parquet"
        table = pd.read_parquet(path) if path.is_file() else pd.DataFrame()
        tabulated = len(table) and table["encoder"].isin(TABLE_TOOLS).all()
        if tabulated and "rows" in table:  # not measured here, from recordings
            found[modality] = {
                row.clip_id: f"{row.encoder} {row.kept} of {row.rows} rows"
                for row in table.itertuples()
            }
        if len(table) and table["revision"].str.endswith(SENTENCES).all():
            found[modality] = {
                row.clip_id: f"described in {row.steps} sentences"
                for row in table.itertuples()
            }
    return found
