"""All training stages of a study in one process, for studies of a few hundred clips."""

from pathlib import Path

from sslmepr.labels import TASKS
from sslmepr.params import Params
from sslmepr.training.crosstask import train_crosstask
from sslmepr.training.fusion import train_fusion
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
    study_folder : path
        Receives ``unimodal``, ``crosstask`` and ``fusion``, as the three stages would
        write them.
    data_folder : path
        Holds ``<corpus>/corpus`` and ``<corpus>/features``.
    progress : bool
        Show progress bars.

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
