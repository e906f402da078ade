"""What results were computed from and with, so that they travel without the data."""

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from sslmepr.learning.checkpoints import code_revision
from sslmepr.params import Params

PACKAGES = ("torch", "transformers", "onnxruntime", "pandas", "statsmodels")


def file_hashes(folder: Path) -> dict[str, str]:
    """Every file directly in a folder, to the first 16 digits of its sha256.

    A folder in it, which may hold gigabytes of media, counts by the names and sizes of
    all files below it.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    hashes = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            hashes[path.name] = digest[:16]
        else:
            below = sorted(each for each in path.rglob("*") if each.is_file())
            listed = [
                f"{each.relative_to(path).as_posix()} {each.stat().st_size}\n"
                for each in below
            ]
            digest = hashlib.sha256("".join(listed).encode()).hexdigest()
            hashes[f"{path.name}/"] = digest[:16]
    return hashes


def provenance(params: Params, data_folder: Path) -> dict:
    """Hashes of a study's data, the code's revision and the versions in use.

    A published corpus is described by its published files, a union by those of its
    parts, a simulated corpus by the tables of its truth.
    """
    data = {}
    for name in params.roles.model_dump().values():
        corpus, root = params.corpus[name], params.data_path(name)
        if corpus.source == "union":
            data |= {
                part: file_hashes(root / section.path)
                for part, section in corpus.parts.items()
            }
        elif corpus.source == "simulated":
            data[name] = file_hashes(data_folder / name / "corpus")
        else:
            data[name] = file_hashes(root)
    return {
        "study": params.study,
        "code revision": code_revision(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
        "data (sha256)": data,
    }


def extraction_record(clips: pd.DataFrame, features: Path) -> pd.DataFrame:
    """How every modality of every clip was obtained.

    Parameters
    ----------
    clips : DataFrame
        A clip table.
    features : Path
        What extraction wrote.

    Returns
    -------
    DataFrame
        clip_id, frames, face, body, scene (how each region was found and in how many
        frames), transcript, missing (modalities and reason).
    """
    regions = pd.read_parquet(features / "regions.parquet")
    transcripts = pd.read_parquet(features / "transcripts.parquet")
    missing = pd.read_csv(features / "missing.csv")
    words = transcripts.set_index("clip_id")["transcript"]
    rows = []
    for clip_id in clips["clip_id"]:
        mine = regions[regions["clip_id"] == clip_id]
        lost = missing[missing["clip_id"] == clip_id]
        row = {"clip_id": clip_id, "frames": mine["frame"].nunique()}
        for modality, part in mine.groupby("modality", sort=True, observed=True):
            counts = part["provenance"].value_counts(sort=False)
            row[modality] = ", ".join(f"{kind} {n}" for kind, n in counts.items())
        row["transcript"] = words.get(clip_id)
        reasons = lost.groupby("reason", sort=False)["modality"].agg(", ".join)
        row["missing"] = "; ".join(f"{lack}: {why}" for why, lack in reasons.items())
        rows.append(row)
    if not rows:  # an optional corpus that was not given; the file keeps its header
        return pd.DataFrame(columns=["clip_id", "frames", "transcript", "missing"])
    return pd.DataFrame(rows)
