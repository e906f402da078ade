import itertools
import shutil
from pathlib import Path

import pytest
import yaml

from sslmepr import params
from sslmepr.params import ParamsError
from sslmepr.pipeline.studies import apply_study, set_parameters, set_value

ROOT = Path(__file__).parents[2]
STUDIES = list(yaml.safe_load((ROOT / "studies.yaml").read_text()))
DEFAULT = (ROOT / "params.yaml").read_bytes()


@pytest.fixture
def path(tmp_path):
    for name in ("params.yaml", "studies.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path / "params.yaml"


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("pair", list(itertools.permutations(STUDIES, 2)), ids="-".join)
def test_a_study_is_the_same_whatever_was_run_before(path, pair):
    first, second = pair
    apply_study(second, path)
    alone = path.read_bytes()
    path.write_bytes(DEFAULT)
    assert apply_study(first, path) == []
    assert apply_study(second, path) == []
    assert path.read_bytes() == alone
    assert params.load(path) == params.load(ROOT / "params.yaml").for_study(second)


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_leads_back_to_the_very_file_it_started_from(path, name):
    apply_study(name, path)
    changed = path.read_text().splitlines()
    comments = [line for line in DEFAULT.decode().splitlines() if "#" in line]
    assert [line.partition("#")[2] for line in changed if "#" in line] == [
        line.partition("#")[2] for line in comments
    ]
    apply_study(STUDIES[0], path)
    assert path.read_bytes() == DEFAULT


def test_tiny_then_real_keeps_nothing_of_tiny(path):
    apply_study("tiny", path)
    apply_study("real", path)
    real = params.load(path)
    assert real.study == "real"
    assert real.fusion.seeds == [0, 1, 2]
    assert real.evaluate.resamples == real.association.resamples == 2000


def test_an_edit_is_kept_where_the_study_says_nothing_of_it(path):
    edit(path, "seed: 20261125", "seed: 7   # mine")
    edit(path, "  resamples: 2000           # boot", "  resamples: 99  # boot")
    (kept,) = apply_study("real", path)
    assert kept.endswith("evaluate.resamples: 99 is an edit of yours and stays")
    assert "seed: 7   # mine\n" in path.read_text()
    assert params.load(path).evaluate.resamples == 99
    apply_study("simulated", path, reset=True)
    assert path.read_text() == DEFAULT.decode().replace(
        "seed: 20261125", "seed: 7   # mine"
    ).replace("  resamples: 2000           # boot", "  resamples: 2000  # boot")


def test_an_edit_that_the_study_would_overwrite_is_refused(path):
    edit(path, "  resamples: 2000           # boot", "  resamples: 99  # boot")
    before = path.read_bytes()
    with pytest.raises(
        ParamsError,
        match=r"evaluate.resamples is 99, an edit of yours \(default: 2000\); study "
        r"tiny sets it to 50.*--reset",
    ):
        apply_study("tiny", path)
    assert path.read_bytes() == before
    assert apply_study("tiny", path, reset=True) == []
    assert params.load(path).evaluate.resamples == 50


def test_the_same_study_again_changes_nothing(path):
    apply_study("tiny", path)
    before = path.stat()
    apply_study("tiny", path)
    assert path.stat() == before


def test_what_dvc_wrote_in_its_own_style_leads_back_to_the_defaults(path):
    apply_study("real", path)
    tree = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(tree, default_flow_style=False))
    apply_study("tiny", path)
    assert params.load(path) == params.load(ROOT / "params.yaml").for_study("tiny")
    apply_study("simulated", path)
    assert params.load(path) == params.load(ROOT / "params.yaml")


def test_a_study_may_set_only_what_another_can_take_back(path):
    with path.with_name("studies.yaml").open("a") as studies:
        studies.write("mine: {study: mine, fusion.dropout: 0.5}\n")
    with pytest.raises(
        ParamsError,
        match=r"study mine sets fusion.dropout, and study simulated does not list its "
        r"default.*now 0.3\): fusion.dropout: <default>",
    ):
        apply_study("mine", path)
    studies = path.with_name("studies.yaml")
    edit(
        studies,
        "  fusion.hidden: 128\n",
        "  fusion.hidden: 128\n  fusion.dropout: 0.3\n",
    )
    apply_study("mine", path)
    assert params.load(path).fusion.dropout == 0.5
    apply_study("tiny", path)
    assert params.load(path).fusion.dropout == 0.3


def test_an_unknown_study_changes_nothing(path):
    with pytest.raises(ParamsError, match="no study 'huge'; known: simulated"):
        apply_study("huge", path)
    assert path.read_bytes() == DEFAULT


@pytest.mark.parametrize(
    "text, key, value, expected",
    [
        ("a: 1      # one\nb: 2\n", "a", 20, "a: 20      # one\nb: 2\n"),
        (
            "a:\n  b: [1,\n    2]  # two\nc: 3\n",
            "a.b",
            [],
            "a:\n  b: []  # two\nc: 3\n",
        ),
        ("a:\n  b: 1\n  c: 2\n\n# d\nd: 3\n", "a", {}, "a: {}\n\n# d\nd: 3\n"),
        ("a:\n- 1\n- x: 2\nd: 3\n", "a", {"e": 0.001}, "a: {e: 0.001}\nd: 3\n"),
        ("s: {b: 'it''s: #', c: 1}\n", "s.b", "no", "s: {b: 'no', c: 1}\n"),
        ('"a" : x\r\nb: y\r\n', "a", None, '"a" : null\r\nb: y\r\n'),
        ("a: |\n  long\n  text\nb: 1\n", "a", True, "a: true\nb: 1\n"),
        ("a:\nb: 1\n", "a", 1, "a: 1\nb: 1\n"),
        ("b: 1\na: é", "a", "ü", "b: 1\na: ü"),
    ],
)
def test_one_value_is_replaced_and_nothing_else(text, key, value, expected):
    assert set_value(text, key, value, "here") == expected


def test_what_is_not_written_cannot_be_replaced(path):
    with pytest.raises(ParamsError, match="here: 'a.c' is not written there"):
        set_value("a: {b: 1}\n", "a.c", 1, "here")
    with pytest.raises(ParamsError, match="there is no parameter 'seeds'"):
        set_parameters({"seeds": 1}, path)
    with pytest.raises(ParamsError, match="seed: Input should be a valid integer"):
        set_parameters({"seed": "x"}, path)
    assert path.read_bytes() == DEFAULT
