"""What concerns all tests."""

import hypothesis
import pytest

from sslmepr import params

pytest_plugins = ["trained_study"]

# Nothing depends on the clock: a busy machine takes what time it takes.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser):
    parser.addoption(
        "--noise",
        type=int,
        metavar="SEED",
        help="imitate another machine: noise of 1e-6 wherever something is trained",
    )
    parser.addoption(
        "--kills", type=int, default=0, help="how often the tiny study is killed"
    )


@pytest.fixture(scope="session", autouse=True)
def other_machine(pytestconfig):
    """Whatever is trained starts from slightly other numbers, if that is asked for."""
    seed = pytestconfig.getoption("noise")
    if seed is None:
        yield
        return
    import noise

    with noise.other_machine(seed):
        yield


@pytest.fixture(scope="session")
def settings(pytestconfig):
    """The parameters of the repository."""
    return params.load(pytestconfig.rootpath / "params.yaml")


@pytest.fixture(scope="session")
def tiny(settings):
    """Those of the study that is small enough to be run in a test."""
    return settings.for_study("tiny")


@pytest.fixture(scope="session", name="params")
def light_params(settings):
    """Those of the repository, with two frames a clip, in this process on the CPU."""
    extract = settings.extract.model_copy(update={"frames": 2})
    compute = settings.compute.model_copy(update={"workers": 1, "device": "cpu"})
    return settings.model_copy(update={"extract": extract, "compute": compute})


def pytest_collection_modifyitems(items):
    """Start those that take longest first, so that the others run beside them."""
    items.sort(
        key=lambda item: (
            item.get_closest_marker("end_to_end") is None,
            "trained" not in item.fixturenames,
        )
    )
