"""``dvc.yaml`` against the notebooks, the parameters and the library."""

import ast
import shutil
import typing
from pathlib import Path

import nbformat
import networkx
import pytest
import yaml
from dvc.repo import Repo

from sslmepr import params

ROOT = Path(__file__).parents[1]
PIPELINES = {"": ROOT / "dvc.yaml", "trials/": ROOT / "notebooks/trials/dvc.yaml"}
STAGES = {
    f"{prefix}{name}": stage.get("do", stage)
    for prefix, path in PIPELINES.items()
    for name, stage in yaml.safe_load(path.read_text())["stages"].items()
    if name != "book"
}
"""Stages by their notebooks."""


def modules(annotation):
    """Modules of the library that the classes in a type annotation come from."""
    if isinstance(annotation, type) and issubclass(annotation, params.Params.__base__):
        yield annotation.__module__
    for part in typing.get_args(annotation):
        yield from modules(part)


SECTIONS = {
    name: {f"{module.replace('.', '/')}.py" for module in modules(field.annotation)}
    for name, field in params.Params.model_fields.items()
}
"""Sections of the parameters, and the modules that say what is in them."""


def library_imports(code):
    """Names of the ``sslmepr`` modules that a piece of Python imports."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "sslmepr"
        ):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("sslmepr"))


def source_of(module):
    path = ROOT / module.replace(".", "/")
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return None


def transitive_modules(notebook, without=()):
    """Source files of the library that a notebook reaches by importing.

    Packages in `without` are not followed.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    waiting = [
        name
        for cell in cells
        if cell.cell_type == "code"
        for name in library_imports(cell.source)
    ]
    found = set()
    while waiting:
        source = source_of(waiting.pop())
        left_out = source and source.relative_to(ROOT).parts[1] in without
        if source and source not in found and not left_out:
            found.add(source)
            waiting.extend(library_imports(source.read_text()))
    return {path.relative_to(ROOT) for path in found if path.name != "__init__.py"}


TRAINING = ("unimodal", "crosstask", "stacking", "fusion", "replicate", "folds")


@pytest.mark.parametrize("name", STAGES)
def test_stage_runs_the_notebook_of_its_name(name):
    assert f"sslmepr run {name} " in STAGES[name]["cmd"]
    assert f"notebooks/{name}.ipynb" in STAGES[name]["deps"]


def test_every_notebook_is_a_stage():
    notebooks = ROOT / "notebooks"
    paths = (path.relative_to(notebooks) for path in notebooks.rglob("*.ipynb"))
    assert {str(path.with_suffix("")) for path in paths} == set(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_stage_depends_on_the_library_its_notebook_imports(name):
    declared = [Path(dep) for dep in STAGES[name]["deps"] if dep.startswith("sslmepr/")]
    # How a stage's page looks is no reason to train again: the figure and table
    # helpers are dependencies of the chapters alone.
    without = {"params"}  # of which a stage needs what its sections are made of
    without |= set() if "sslmepr/report" in STAGES[name]["deps"] else {"report"}
    reached = transitive_modules(ROOT / "notebooks" / f"{name}.ipynb", without)
    reached |= {Path("sslmepr/params", each) for each in ("base.py", "study.py")}
    for section in listed(STAGES[name]) & set(SECTIONS):
        reached |= {Path(module) for module in SECTIONS[section]}
    undeclared = {
        module
        for module in reached
        if not any(module.is_relative_to(dep) for dep in declared)
    }
    assert not undeclared


def listed(stage):
    """Sections of the parameters, or other files, that a stage depends on."""
    return {
        str(key).split(".")[0]
        for entry in stage.get("params", [])
        for key in ([entry] if isinstance(entry, str) else entry)
    }


@pytest.mark.parametrize("name", STAGES)
def test_stage_lists_its_own_section_of_the_parameters(name):
    files = {"studies", "notebooks/trials/params"}
    assert listed(STAGES[name]) <= set(SECTIONS) | files
    if name in SECTIONS and name != "corpora":  # that one is a list of names
        assert name in listed(STAGES[name])
    kind = name.removeprefix("trials/")
    if kind != name:
        own = [each for each in STAGES[name]["params"] if isinstance(each, dict)]
        assert own == [{"notebooks/trials/params.yaml": [f"{kind}.${{key}}"]}]


@pytest.mark.parametrize("name", STAGES)
def test_a_section_that_a_stage_does_not_list_is_no_reason_to_run_it(name):
    """Of the stages that take long; the others depend on all parameters."""
    own = {each for each in STAGES[name]["deps"] if "sslmepr/params/" in each}
    needed = {"sslmepr/params/base.py", "sslmepr/params/study.py"}
    for section in listed(STAGES[name]) & set(SECTIONS):
        needed |= SECTIONS[section]
    long = name in ("corpus", "extract", *TRAINING)
    assert own == (needed if long else set())


def named_in(code):
    """Every name and attribute that a piece of Python uses."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name | ast.Attribute | ast.alias):
            name = getattr(node, "id", None) or getattr(node, "attr", None)
            yield name or node.name.rpartition(".")[2]


def test_only_what_measures_reads_test_labels():
    """In the library by an import contract, among the notebooks by what they call."""
    truth = "sslmepr.evaluation.true_labels"
    readers = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "sslmepr").rglob("*.py")
        if truth in library_imports(path.read_text())
    }
    assert readers == {
        "sslmepr.evaluation.evaluate",
        "sslmepr.evaluation.speaker_folds",
    }
    calling = {"evaluate_study", "cross_validate", "read_true_clips"}
    notebooks = {
        path.stem
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and calling & set(named_in(cell.source))
    }
    assert notebooks == {"evaluate", "evaluate_replicate", "folds"}


def test_how_something_is_computed_is_no_reason_to_compute_it_again():
    for name, stage in STAGES.items():
        named = [str(entry).split(".")[0] for entry in stage.get("params", [])]
        assert "compute" not in named, name


def test_the_defaults_are_the_first_study():
    settings = params.load(ROOT / "params.yaml")
    assert settings.for_study(next(iter(settings.studies))) == settings


def test_recorded_results_are_of_models_that_their_study_has():
    """What an earlier form of a study left would be read as if it were its own."""
    settings = params.load(ROOT / "params.yaml")
    for name in settings.studies:
        study, results = settings.for_study(name), ROOT / "results" / name
        known = {
            "unimodal": {f"{m}-{t}" for m in study.modalities for t in study.tasks},
            "crosstask": set(study.modalities),
            "stacking": set(study.tasks),
            "fusion": set(study.variants),
            "evaluate_replicate": set(study.replicates),
            "folds": set(study.folds),
        }
        for stage, cells in known.items():
            found = {path.stem for path in (results / stage).glob("*.*")}
            assert found in (set(), cells), f"{results / stage}"


def test_the_lock_file_knows_only_stages_that_some_study_has():
    settings = params.load(ROOT / "params.yaml")
    studies = [settings.for_study(name) for name in settings.studies]
    locked = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    variants = {name for study in studies for name in study.variants}
    cells = [each.partition("@") for each in locked]
    assert {stage for stage, _, _ in cells} <= {*STAGES, "book"}
    assert {cell for stage, _, cell in cells if stage == "fusion"} <= variants


@pytest.mark.parametrize("name", yaml.safe_load((ROOT / "studies.yaml").read_text()))
def test_whatever_a_studys_book_reads_is_made_by_a_stage(name, settings, tmp_path):
    study = settings.for_study(name)
    tree = study.model_dump(mode="json", exclude={"studies"})
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    (tmp_path / "notebooks/trials").mkdir(parents=True)
    trials = ("notebooks/trials/dvc.yaml", "notebooks/trials/params.yaml")
    for file in ("dvc.yaml", "studies.yaml", *trials):
        shutil.copy(ROOT / file, tmp_path / file)
    Repo.init(str(tmp_path), no_scm=True).close()
    with Repo(str(tmp_path)) as repo:
        stages = {stage.name: stage for stage in repo.index.stages}
        graph = repo.index.graph
        needed = networkx.descendants(graph, stages["book"]) | {stages["book"]}
    made = {out.def_path for stage in stages.values() for out in stage.outs}
    own = ("data/", "runs/", f"results/{name}/")
    read = {
        dep.def_path
        for stage in needed
        for dep in stage.deps
        if dep.def_path.startswith(own)
    }
    assert read
    for path in map(Path, read):
        assert any(path.is_relative_to(o) or Path(o).is_relative_to(path) for o in made)
    names = {stage.name for stage in needed}
    assert {"attention", "association", "overview", "record"} <= names
    others = set() if study.truth_known else {"validity"}
    tried = {stage.name for stage in stages.values() if "trials" in stage.path_in_repo}
    # The chapter shows trials of the study `trials`; no other book waits for any.
    assert set(stages) - names == others | (set() if name == "trials" else tried)
    chosen = yaml.safe_load((ROOT / "notebooks/trials/params.yaml").read_text())
    assert tried == {f"{kind}@{key}" for kind in chosen for key in chosen[kind]}
