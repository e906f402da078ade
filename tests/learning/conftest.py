"""A small drawn study, trained once for all tests that look at its results."""

import drawn
import pytest
import torch

WIDTHS = {"face": 24, "text": 12}
COUNTS = (80, 80, 30)


def _smaller(section, **changes):
    return section.model_copy(update=changes)


@pytest.fixture(scope="session")
def small_params(settings):
    """The parameters of the repository at a size that trains in seconds."""
    sizes = {"hidden": 16, "heads": 4, "epochs": 3, "patience": 3, "batch": 32}
    return _smaller(
        settings,
        modalities=["face", "text"],
        variants=["multitask", "emotion_only", "no_gradnorm", "as_published"],
        compute=_smaller(settings.compute, device="cpu"),
        unimodal=_smaller(settings.unimodal, state=8, refits=4, **sizes),
        crosstask=_smaller(settings.crosstask, **sizes),
        fusion=_smaller(settings.fusion, seeds=[0, 1], **sizes),
        evaluate=_smaller(settings.evaluate, resamples=50),
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
    from sslmepr.learning.stages import evaluate_study, train_study

    data_folder, _ = study
    study_folder = data_folder / "runs" / "study"
    results = train_study(small_params, study_folder, data_folder, progress=False)
    evaluation = evaluate_study(small_params, study_folder, data_folder)
    return data_folder, study_folder, results, evaluation
