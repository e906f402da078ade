"""A small drawn study, trained once for all tests that look at its results."""

from pathlib import Path

import drawn
import pytest
import torch

from sslmepr import params as parameters

WIDTHS = {"face": 24, "text": 12}
COUNTS = (80, 80, 30)


def _smaller(section, **changes):
    return section.model_copy(update=changes)


@pytest.fixture(scope="session")
def small_params():
    """The parameters of the repository at a size that trains in seconds."""
    full = parameters.load(Path(__file__).parents[1] / "params.yaml")
    sizes = {"hidden": 16, "heads": 4, "epochs": 3, "patience": 3, "batch": 32}
    return _smaller(
        full,
        modalities=["face", "text"],
        variants=["multitask", "emotion_only", "with_everything", "as_published"],
        compute=_smaller(full.compute, device="cpu"),
        unimodal=_smaller(
            full.unimodal, state=8, refits=4, **sizes | {"patience": None}
        ),
        crosstask=_smaller(full.crosstask, **sizes),
        fusion=_smaller(full.fusion, seeds=[0, 1], **sizes),
        evaluate=_smaller(full.evaluate, resamples=50),
    )


@pytest.fixture(scope="session")
def one_thread():
    """Training that does not depend on how many cores a machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def study(tmp_path_factory, small_params, one_thread):
    """(data folder, truth) of a drawn study; text is missing in some clips."""
    folder = tmp_path_factory.mktemp("drawn")
    truth = drawn.draw_study(small_params, folder, COUNTS, WIDTHS, missing_text=0.1)
    return folder, truth


@pytest.fixture(scope="session")
def trained(study, small_params):
    """(data folder, study folder, results of training, of evaluation)."""
    from sslmepr.evaluation.evaluate import evaluate_study
    from sslmepr.training.all_stages import train_study

    data_folder, _ = study
    study_folder = data_folder / "runs" / "study"
    results = train_study(small_params, study_folder, data_folder, progress=False)
    evaluation = evaluate_study(small_params, study_folder, data_folder)
    return data_folder, study_folder, results, evaluation
