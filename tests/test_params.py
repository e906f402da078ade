import copy
import shutil
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sslmepr import params
from sslmepr.labels import MODALITIES, TASKS
from sslmepr.params import ParamsError

PATH = Path(__file__).parents[1] / "params.yaml"
TREE = yaml.safe_load(PATH.read_text(encoding="utf-8"))
TREE["studies"] = yaml.safe_load(PATH.with_name("studies.yaml").read_text("utf-8"))


def keys(node, path=()):
    """Every path of keys through the nested dictionaries of a tree."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*path, key)
            yield from keys(value, (*path, key))


def parent(tree, path):
    for key in path[:-1]:
        tree = tree[key]
    return tree


# Keys that a person chooses freely, or that have a default, may also be left out.
FREE = ("corpus", "studies", "replicates", "simulation", "variant")
REQUIRED = [
    path
    for path in keys(TREE)
    if not ".".join(path).startswith(tuple(f"{key}." for key in FREE))
    and path[:2] != ("unimodal", "blocks")
]


@pytest.fixture
def tree():
    return copy.deepcopy(TREE)


def test_the_file_in_the_repository_is_read():
    chosen = params.load(PATH)
    assert chosen.study == TREE["study"]
    assert chosen.extract.frames == TREE["extract"]["frames"]
    assert chosen.corpus["meld"].source == "meld"
    assert chosen.corpus["joint"].clips == TREE["corpus"]["joint"]["clips"]
    assert chosen.variant["multitask"].tasks == list(TASKS)
    assert set(chosen.unimodal.blocks) == set(MODALITIES)


def test_parameters_survive_a_round_trip():
    chosen = params.load(PATH)
    assert params.parse(chosen.model_dump(), "again") == chosen


def test_parameters_cannot_be_changed():
    chosen = params.load(PATH)
    with pytest.raises(ValidationError, match="frozen"):
        chosen.extract.frames = 3


@settings(max_examples=40, deadline=None)
@given(path=st.sampled_from([path for path in keys(TREE) if path[0] != "studies"]))
def test_an_unknown_key_beside_any_key_is_never_read_in_silence(path):
    tree = copy.deepcopy(TREE)
    parent(tree, path)["no_such_key"] = object()
    with pytest.raises(ParamsError, match="no_such_key"):
        params.parse(tree, "params.yaml")


@pytest.mark.parametrize("path", REQUIRED, ids=".".join)
def test_a_missing_key_is_named(tree, path):
    del parent(tree, path)[path[-1]]
    with pytest.raises(ParamsError) as caught:
        params.parse(tree, "params.yaml")
    assert f"  {'.'.join(path)}: Field required" in str(caught.value)


@pytest.mark.parametrize(
    "path, value",
    [
        ("seed", "one"),
        ("seed", 1.5),
        ("unimodal.epochs", "5"),
        ("unimodal.epochs", 0),
        ("unimodal.dropout", 1.0),
        ("unimodal.learning_rate", 0),
        ("unimodal.learning_rate", "1e-3"),
        ("extract.mask_person", "yes"),
        ("extract.detector_threshold", 1.5),
        ("extract.image_encoder", "resnet"),
        ("modalities", ["face", "gait"]),
        ("tasks", "emotion"),
        ("compute.device", "gpu"),
        ("compute.engine", "slurm"),
        ("compute.address", "somewhere"),
        ("compute.address", "ray://head:10001"),
        ("compute.address", 6379),
        ("fusion.semi_supervised.trait_margin", 0.6),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(tree, path, value):
    parts = path.split(".")
    parent(tree, parts)[parts[-1]] = value
    with pytest.raises(ParamsError, match=rf"params\.yaml:\n  {path}"):
        params.parse(tree, "params.yaml")


@pytest.mark.parametrize(
    "path, value, complaint",
    [
        ("corpora", ["moon"], "corpora: there is no corpus 'moon'"),
        ("roles.held_out", "moon", "roles: there is no .*corpus 'moon'"),
        ("variants", ["no_such"], "variants: there is no variant 'no_such'"),
        ("study", "no_such", "study: there is no study 'no_such'"),
        ("corpus.joint.world", "moon", "corpus.joint: there is no world 'moon'"),
        ("corpus.joint.domains", ["tv"], "corpus.joint: there is no domain 'tv'"),
    ],
)
def test_a_name_that_refers_to_nothing_is_named(tree, path, value, complaint):
    parts = path.split(".")
    parent(tree, parts)[parts[-1]] = value
    with pytest.raises(ParamsError, match=complaint):
        params.parse(tree, "params.yaml")


@pytest.mark.parametrize("name", TREE["studies"])
def test_every_study_is_sound(name):
    chosen = params.load(PATH)
    changed = chosen.for_study(name)
    assert changed.study == name
    for key, value in TREE["studies"][name].items():
        node = changed.model_dump()
        for part in key.split("."):
            node = node[part]
        if not isinstance(value, dict):
            assert node == value, key
    assert changed.for_study(name) == changed


def test_a_study_leaves_the_parameters_it_starts_from_alone():
    chosen = params.load(PATH)
    chosen.for_study("tiny")
    assert chosen == params.load(PATH)


def test_an_unknown_study_is_named():
    with pytest.raises(ParamsError, match="no study 'huge'; known: simulated"):
        params.load(PATH).for_study("huge")


@pytest.mark.parametrize(
    "key", ["unimodal.epoch", "unimodal.epochs.more", "nothing.at"]
)
def test_a_study_that_sets_an_unknown_parameter_is_named(tree, key):
    tree["studies"]["tiny"][key] = 1
    with pytest.raises(
        ParamsError, match=f"studies.tiny: there is no parameter '{key}'"
    ):
        params.parse(tree, "params.yaml").for_study("tiny")


def test_data_lie_below_the_root_or_where_the_environment_says(monkeypatch):
    chosen = params.load(PATH)
    monkeypatch.delenv("SSLMEPR_DATA", raising=False)
    assert chosen.data_path("meld") == Path(TREE["data_root"]) / "meld"
    monkeypatch.setenv("SSLMEPR_DATA", "elsewhere")
    assert chosen.data_path("meld") == Path("elsewhere") / "meld"


@pytest.mark.parametrize(
    "content, complaint",
    [
        ("a: [1", "not readable as YAML"),
        ("", "holds no parameters"),
        ("- 1\n", "holds no parameters"),
        ("seed: 1\n", "study: Field required"),
    ],
)
def test_a_file_that_is_no_parameters_file_is_named(tmp_path, content, complaint):
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    shutil.copy(PATH.with_name("studies.yaml"), tmp_path)
    with pytest.raises(ParamsError, match=complaint) as caught:
        params.load(path)
    assert str(path) in str(caught.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ParamsError, match=r"none\.yaml: no such file"):
        params.load(tmp_path / "none.yaml")
    shutil.copy(PATH, tmp_path)
    with pytest.raises(ParamsError, match=r"studies\.yaml: no such file"):
        params.load(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    "variant, left_out",
    [
        ({}, "graph_attention task_query guide_bank semi_supervised gradnorm"),
        (
            {"adding": ["gradnorm"], "without": ["co_training"]},
            "graph_attention task_query guide_bank co_training semi_supervised",
        ),
        ({"as_published": True}, "co_training"),
        ({"as_published": True, "without": ["gradnorm"]}, "co_training gradnorm"),
    ],
)
def test_components_of_a_variant(variant, left_out):
    settings = params.load(PATH)
    found = settings.fusion.left_out(params.Variant(**variant))
    assert found == left_out.split()


def test_possible_variants_need_no_other_modality(tree):
    tree["modalities"] = ["audio", "text"]
    tree["variant"] = {
        name: tree["variant"][name]
        for name in ("multitask", "text", "face", "audio_text", "face_text")
    }
    tree["variants"] = ["multitask"]
    tree["fusion"]["components"] = ["graph_attention", "task_query"]
    tree["attention"]["variant"] = "multitask"
    found = params.parse(tree, "params.yaml").possible_variants()
    assert found == ["multitask", "text", "audio_text"]


@pytest.mark.parametrize("name", TREE["studies"])
def test_every_study_shows_attention_of_a_variant_that_it_trains(name):
    study = params.load(PATH).for_study(name)
    assert study.attention.variant in study.variants
    assert study.attention.variant in study.attentive_variants()


def test_attention_is_shown_of_a_variant_that_has_it(tree):
    assert params.parse(tree, "here").attentive_variants() == ["with_everything"]
    tree["attention"]["variant"] = "with_graph_attention"
    with pytest.raises(
        ParamsError,
        match="attention.variant: there is no variant with graph attention and task "
        "queries 'with_graph_attention'; known: with_everything",
    ):
        params.parse(tree, "here")


def test_a_study_that_does_not_train_the_variant_with_attention_is_named(tree):
    tree["studies"]["mine"] = {"study": "mine", "variants": ["multitask", "text"]}
    found = params.parse(tree, "here")
    with pytest.raises(
        ParamsError,
        match=r"studies.mine: attention.variant is 'with_everything', which is not one "
        r"of its variants \(multitask, text\); add it",
    ):
        found.for_study("mine")


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        ("simulated", "validity"),
        ("tiny", "validity"),
        ("trials", "validity"),
        ("search", "validity"),
        ("real", "association"),
        ("paper", "association"),
    ],
)
def test_findings_follow_from_the_corpora(name, findings):
    study = params.load(PATH).for_study(name)
    assert study.findings == findings
    assert study.truth_known == (findings == "validity")


def test_without_a_replicate_there_is_nothing_to_hold_the_truth_against(tree):
    tree["studies"]["alone"] = {"study": "alone", "replicates": {}}
    assert params.parse(tree, "here").for_study("alone").findings == "association"
    tree["studies"]["alone"]["findings"] = "validity"  # what a study says counts
    assert params.parse(tree, "here").for_study("alone").findings == "validity"


def test_used_corpora_are_those_with_a_role(tree):
    tree["replicates"] = {}
    found = params.parse(tree, "here").used_corpora()
    assert found == ["emotion", "personality", "joint"]


def test_every_set_of_one_to_three_modalities_is_a_variant():
    chosen = params.load(PATH)
    sets = {
        frozenset(each.modalities)
        for each in chosen.variant.values()
        if each.modalities
    }
    every = {frozenset(c) for n in (1, 2, 3) for c in combinations(MODALITIES, n)}
    assert sets == every and len(every) == 25
    assert chosen.possible_variants() == list(chosen.variant)


def test_changed_values_stand_in_their_sections():
    chosen = params.load(PATH)
    other = chosen.changed({"seed": 7, "fusion.gradnorm.floor": 0.5}, "here")
    assert (other.seed, other.fusion.gradnorm.floor) == (7, 0.5)
    assert (
        other.changed(
            {
                "seed": chosen.seed,
                "fusion.gradnorm.floor": chosen.fusion.gradnorm.floor,
            },
            "here",
        )
        == chosen
    )
    with pytest.raises(ParamsError, match="here: there is no parameter 'fusion.x.y'"):
        chosen.changed({"fusion.x.y": 1}, "here")
    with pytest.raises(ParamsError, match="here:\n  fusion.epochs"):
        chosen.changed({"fusion.epochs": 0}, "here")
