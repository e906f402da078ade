"""The stages, as the notebooks call them.

Each reads corpora and features from `data_folder` and what earlier stages wrote from
`study_folder`, writes its own `run_folder`, and returns a small JSON-able result.
"""

from pathlib import Path

from sslmepr.evaluation.evaluate import evaluate_study
from sslmepr.labels import TASKS
from sslmepr.params import Params
from sslmepr.training.crosstask import train_crosstask
from sslmepr.training.fusion import train_fusion
from sslmepr.training.unimodal import train_unimodal

__all__ = [
    "evaluate_study",
    "train_crosstask",
    "train_fusion",
    "train_study",
    "train_unimodal",
]


def train_study(
    params: Params,
    study_folder: str | Path,
    data_folder: str | Path = "data",
    progress: bool = True,
) -> dict:
    """All training stages of a study, in one process.

    Returns
    -------
    dict
        Stage to cell to what the stage's function returns.
    """
    folder = Path(study_folder)
    results = {"unimodal": {}, "crosstask": {}, "fusion": {}}
    for modality in params.modalities:
        for task in TASKS:
            cell = f"{modality}-{task}"
            results["unimodal"][cell] = train_unimodal(
                params,
                modality,
                task,
                folder / "unimodal" / cell,
                data_folder,
                progress,
            )
        results["crosstask"][modality] = train_crosstask(
            params,
            modality,
            folder,
            folder / "crosstask" / modality,
            data_folder,
            progress,
        )
    for variant in params.variants:
        results["fusion"][variant] = train_fusion(
            params, variant, folder, folder / "fusion" / variant, data_folder, progress
        )
    return results
