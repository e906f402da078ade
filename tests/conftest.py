"""What concerns all tests."""

import pytest

from sslmepr import params

pytest_plugins = ["trained_study"]


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


def pytest_collection_modifyitems(items):
    """The longest test first, so that the others run beside it and not before it."""
    items.sort(key=lambda item: item.get_closest_marker("end_to_end") is None)
