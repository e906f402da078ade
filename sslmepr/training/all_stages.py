"""All three training stages of a study in one process, for a few hundred clips."""

from pathlib import Path

from sslmepr.labels import TASKS
from sslmepr.params import Params
from sslmepr.training.crosstask import train_crosstask
from sslmepr.training.fusion import train_fusion
from sslmepr.training.stacking import train_stacking
from sslmepr.training.unimodal import train_unimodal


def train_study(
    params: Params,
    study_folder: str | Path,
    data_folder: str | Path = "data",
    progress: bool = True,
) -> dict:
    """Train the models of all modalities, tasks and variants of a study.

    Parameters
    ----------
    params : Params
        ``modalities`` and ``variants`` list what is trained.
    study_folder : path
        Receives ``unimodal/<modality>-<task>``, ``crosstask/<modality>``,
        ``stacking/<task>`` and ``fusion/<variant>``, the same files as the separate
        stages write.
    data_folder : path
        Holds ``<corpus>/corpus/clips.parquet`` and ``<corpus>/features``.
    progress : bool
        Show progress bars over epochs.

    Returns
    -------
    dict of str to dict
        Stage name to a dict from folder name to the result of `train_unimodal`,
        `train_crosstask`, `train_stacking` or `train_fusion`, whose exceptions are
        passed on.
    """
    folder = Path(study_folder)
    results: dict[str, dict[str, dict]] = {
        stage: {} for stage in ("unimodal", "crosstask", "stacking", "fusion")
    }
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
    for task in TASKS:
        results["stacking"][task] = train_stacking(
            params, task, folder, folder / "stacking" / task, data_folder
        )
    for variant in params.variants:
        results["fusion"][variant] = train_fusion(
            params, variant, folder, folder / "fusion" / variant, data_folder, progress
        )
    return results
