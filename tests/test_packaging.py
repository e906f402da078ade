import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import sslmepr
from sslmepr.app import serve
from sslmepr.extraction import cluster
from sslmepr.pipeline import book_pdf

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
LINES = (ROOT / "constraints.txt").read_text().splitlines()

# torch itself pins these, and only on the platforms that have them.
PINNED_BY_TORCH = re.compile(r"nvidia-|cuda-|triton$")


def pins():
    return {
        canonicalize_name(name): version
        for name, _, version in (line.partition("==") for line in LINES)
    }


def direct():
    """What pyproject.toml asks for, tests included."""
    named = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    return [Requirement(line) for line in named]


def needed(requirement):
    """What an installed distribution needs here, for the extras asked of it."""
    extras = {"", *requirement.extras}
    for line in metadata.requires(requirement.name) or []:
        found = Requirement(line)
        marker = found.marker
        if marker is None or any(marker.evaluate({"extra": each}) for each in extras):
            yield found


@pytest.fixture(scope="module")
def everything():
    """The names of all distributions that the project needs, however far away."""
    waiting, seen = direct(), set()
    while waiting:
        requirement = waiting.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key not in seen:
            seen.add(key)
            waiting.extend(needed(requirement))
    return {name for name, _ in seen}


def test_constraints_are_exact_sorted_and_said_once():
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!]+", line) for line in LINES)
    names = [canonicalize_name(line.split("==")[0]) for line in LINES]
    assert names == sorted(set(names))


@pytest.mark.parametrize("requirement", direct(), ids=str)
def test_every_dependency_is_pinned_to_what_it_allows(requirement):
    version = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version, prereleases=True)


def test_every_indirect_dependency_is_pinned_and_nothing_else(everything):
    required = {name for name in everything if not PINNED_BY_TORCH.match(name)}
    assert required - set(pins()) == set()
    if sys.platform == "linux" and sys.version_info[:2] == (3, 11):
        assert set(pins()) - required == set()


def test_what_is_installed_is_what_is_pinned(everything):
    different = {
        name: (pinned, found)
        for name, pinned in pins().items()
        if name in everything and (found := metadata.version(name)) != pinned
    }
    assert different == {}


def test_cuda_kernels_are_optional():
    assert PROJECT["optional-dependencies"]["cuda"] == ["mamba-ssm"]
    assert "mamba-ssm" not in pins()


def test_jupyterlab_is_optional_and_what_opens_it_is_said():
    assert PROJECT["optional-dependencies"]["lab"] == ["jupyterlab"]
    assert "pip install -c constraints.txt -e '.[lab]'" in MAKEFILE
    for page in ("README.md", "book/how-to-run.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert "make lab" in text and "-c constraints.txt -e '.[lab]'" in text


def test_what_spreads_extraction_is_optional_and_tested():
    extras = PROJECT["optional-dependencies"]
    assert extras["ray"] == ["ray"] and "ray" in extras["test"]
    assert cluster.INSTALL.endswith("install -c constraints.txt -e '.[ray]'")


def test_the_app_is_optional_and_tested():
    extras = PROJECT["optional-dependencies"]
    assert set(extras["app"]) <= {*extras["test"]}
    assert serve.INSTALL == "pip install -c constraints.txt -e '.[app]'"
    assert serve.INSTALL in (ROOT / "book" / "app.md").read_text(encoding="utf-8")


def test_what_prints_the_book_is_optional_and_tested():
    extras = PROJECT["optional-dependencies"]
    assert set(extras["pdf"]) <= {*extras["test"]}
    assert book_pdf.INSTALL == "pip install -c constraints.txt -e '.[pdf]'"


def test_conda_and_make_install_the_same():
    conda = [line for line in ENVIRONMENT["dependencies"] if isinstance(line, str)]
    (pip,) = (
        line["pip"] for line in ENVIRONMENT["dependencies"] if isinstance(line, dict)
    )
    assert "pip" in conda
    assert pip == ["-c constraints.txt", "-e .[test]"]
    assert "pip install -c constraints.txt -e '.[test]'" in MAKEFILE


def test_one_range_of_python_versions():
    (python,) = (
        line.split("=")[1]
        for line in ENVIRONMENT["dependencies"]
        if isinstance(line, str) and line.startswith("python=")
    )
    assert python in SpecifierSet(PROJECT["requires-python"])
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert f"sys.version_info < ({lowest.replace('.', ', ')})" in MAKEFILE
    assert f"Python {lowest} or later" in MAKEFILE


def test_name_version_and_licence_agree():
    assert ENVIRONMENT["name"] == PROJECT["name"] == sslmepr.__name__
    assert CITATION["version"] == sslmepr.__version__ == metadata.version("sslmepr")
    assert CITATION["license"] == PROJECT["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert f"## {sslmepr.__version__}" in (ROOT / "CHANGELOG.md").read_text()


TARGETS = re.search(r"^\.PHONY: (.*)", MAKEFILE, re.MULTILINE)[1].split()


@pytest.mark.parametrize("failing", ["lint", "test", "test-noise", None])
def test_ci_stops_at_the_first_check_that_fails(tmp_path, failing):
    """With a `make` in place of the real one that only notes what it was called for."""
    make = tmp_path / "make"
    make.write_text(
        f'#!/bin/sh\necho "$1" >> {tmp_path}/calls\n[ "$1" != "{failing}" ]\n'
    )
    make.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([ROOT / ".ci" / "run"], env=environment, cwd=tmp_path)
    checks = ["lint", "test", "test-noise"]
    expected = checks[: checks.index(failing) + 1] if failing else checks
    assert (tmp_path / "calls").read_text().split() == expected
    assert (done.returncode == 0) == (failing is None)


def test_make_alone_lists_every_target():
    environment = {**os.environ, "MAKEFLAGS": ""}
    shown = subprocess.run(
        ["make"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    listed = re.findall(r"^make (\S+) +\w", shown, re.MULTILINE)
    assert {*TARGETS} - {"help"} <= {*listed}


def test_modules_import_only_what_stands_to_their_left():
    command = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run([command], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
