import copy
import re
import shutil
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sslmepr import params
from sslmepr.labels import MODALITIES, OURS, TASKS
from sslmepr.params import ParamsError
from sslmepr.params.corpora import Extract, feature_tables
from sslmepr.params.simulation import Knobs
from sslmepr.params.training import Variant

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


@pytest.mark.parametrize(
    "name, value, complaint",
    [
        ("emotion", -1, "greater than or equal to 0"),
        ("emotion", 1.5, "integer"),
        ("joint", 10, "held out and has no training clips"),
    ],
)
def test_clips_that_are_text_alone_are_counted_and_trained_on(
    tree, name, value, complaint
):
    tree["corpus"][name]["text_only"] = value
    with pytest.raises(ParamsError, match=f"corpus.{name}.*\n?.*{complaint}"):
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


# Ten lines that stand for 10 ** 9 values.
BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    "content, complaint",
    [
        ("a: 1\nb: 2\na: 3\n", r', line 3: .*duplicate key "a" with value "3"'),
        ("a:\n- b: 1\n  c: 2\n  b: 1\n", ', line 4: .*duplicate key "b"'),
        ("a: 1\nb: !!python/object:os.system ls\n", ", line 2: remove the tag .*os.sy"),
        ("a: !!python/name:os.system\n", ", line 1: remove the tag"),
        ("a: !!int b\n", ", line 1: remove the tag"),
        ("a: !!timestamp b\n", ", line 1: remove the tag"),
        ("a: !mine 1\n", ", line 1: remove the tag !mine"),
        ("!!map {a: 1}\n", ", line 1: remove the tag"),
        (BOMB, ", line 1: write the value out in place of the anchor a0"),
        ("a: &b [*b]\n", ", line 1: write the value out in place of the anchor b"),
        ("a: *b\n", ", line 1: write the value out in place of the anchor b"),
        ("a: 1\n<<: {b: 1}\nb: 2\n", "a: Extra inputs are not permitted"),
        ("a: " + "[" * 100_000, ", line 1: more than 20 levels"),
        ("a: " + "[" * 100_000 + "]" * 100_000, ", line 1: more than 20 levels"),
        ("a: " + "{b: " * 100_000, ", line 1: more than 20 levels"),
        ("a: 2024-13-45\n", "not readable as YAML: month must be in 1..12"),
        ("a: " + "9" * 5000, "not readable as YAML: .*4300 digits"),
        ("a: b: c\n", ", line 1: not readable as YAML: mapping values"),
        ("a: 1\n\tb: 2\n", ", line 2: not readable as YAML: found a tab"),
        ("a: 1\n---\nb: 2\n", ", line 2: not readable as YAML: .*another document"),
        ("{a: 1}: 2\n", ", line 1: not readable as YAML: found unhashable key"),
        ("? [a]\n: 2\n", "Keys should be strings"),
        ("1: 2\n", "Keys should be strings"),
        ("a: \0\n", "not readable as YAML: .*control characters"),
        (b"a: \xe9\n", "not readable as YAML: .*can't decode byte 0xe9"),
        (b"\xff\xfea\0:\0", "not readable as YAML: .*can't decode byte 0xff"),
    ],
)
@pytest.mark.parametrize("name", ["params.yaml", "studies.yaml"])
def test_damage_tags_and_anchors_are_told_with_their_place(
    tmp_path, name, content, complaint
):
    for each in ("params.yaml", "studies.yaml"):
        shutil.copy(PATH.with_name(each), tmp_path)
    text = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(text)
    with pytest.raises(ParamsError) as caught:
        params.load(tmp_path / "params.yaml")
    told = str(caught.value)
    if complaint.startswith((",", "not readable")):
        separator = "" if complaint.startswith(",") else ": "
        assert re.match(re.escape(str(tmp_path / name)) + separator + complaint, told)
    else:
        assert str(tmp_path / "params.yaml") in told  # a study is no parameter either
    assert len(told) < 20_000


def with_value(tmp_path, key, text):
    """The parameters with another text in place of the value of a unique key."""
    shutil.copy(PATH.with_name("studies.yaml"), tmp_path)
    before = PATH.read_text(encoding="utf-8")
    after, count = re.subn(rf"(?m)^( *{key}: )[^ #\n]+", rf"\g<1>{text}", before)
    assert count == 1
    (tmp_path / "params.yaml").write_text(after, encoding="utf-8")
    return tmp_path / "params.yaml"


@pytest.mark.parametrize("value", [0, 1, -0.1, 95])
@pytest.mark.parametrize(
    "section, key",
    [
        ("evaluate", "confidence"),
        ("association", "confidence"),
        ("association", "alpha"),
    ],
)
def test_confidence_and_significance_levels_lie_between_0_and_1(
    tree, section, key, value
):
    """At 0 or 1 every interval would be a point or infinite."""
    tree[section][key] = value
    with pytest.raises(ParamsError, match=rf"{section}\.{key}.*(less|greater) than"):
        params.parse(tree, "params.yaml")


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_numbers_that_are_none_are_refused(tmp_path, value):
    path = with_value(tmp_path, "emotion_ceiling", value)
    with pytest.raises(ParamsError, match="simulation.emotion_ceiling: .*finite"):
        params.load(path)


def test_numbers_are_read_as_dvc_reads_them(tmp_path):
    """By YAML 1.2, where this is no word."""
    path = with_value(tmp_path, "emotion_ceiling", "25e-1")
    assert params.load(path).simulation.emotion_ceiling == 2.5


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ParamsError, match=r"none\.yaml: no such file"):
        params.load(tmp_path / "none.yaml")
    shutil.copy(PATH, tmp_path)
    with pytest.raises(ParamsError, match=r"studies\.yaml: no such file"):
        params.load(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    "variant, left_out",
    [
        (
            {},
            "graph_attention task_query guide_bank expressiveness "
            "semi_supervised gradnorm",
        ),
        (
            {"adding": ["gradnorm"], "without": ["co_training"]},
            "graph_attention task_query guide_bank co_training expressiveness "
            "semi_supervised",
        ),
        ({"as_published": True}, " ".join(OURS)),
        (
            {"as_published": True, "without": ["gradnorm"]},
            " ".join([*OURS, "gradnorm"]),
        ),
    ],
)
def test_components_of_a_variant(variant, left_out):
    settings = params.load(PATH)
    found = settings.fusion.left_out(Variant(**variant))
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


BAD_NAMES = ["../../victim", "a;touch X;", "a b", "-a", "", "ä", "a/b", "a.b", "a\n"]
VALUES = ["1", "null", "true", "no", "1_0"]
NAMED = ["corpus", "variant", "replicates", "folds"]
NAMED += ["studies", "simulation.worlds", "simulation.domains"]
NAMED += ["corpus.meld_ravdess.parts"]


@pytest.mark.parametrize("section", NAMED)
def test_names_that_are_no_part_of_a_path_or_a_command_are_refused(tree, section):
    entries = params.get_path(tree, section)
    for name in [*BAD_NAMES, *VALUES]:
        entries[name] = {}
        with pytest.raises(ParamsError) as caught:
            params.parse(tree, "params.yaml")
        why = "no name, since YAML" if name in VALUES else "a name has only letters"
        where = section.replace(".parts", ".union.parts")
        assert f"{where}.{name}" in str(caught.value)
        assert f"{name!r}" in str(caught.value) and why in str(caught.value)
        del entries[name]
    params.parse(tree, "params.yaml")


def test_names_may_have_letters_digits_underscores_and_hyphens(tree):
    for name in ("mine", "_2", "A-b_c", "3d-"):
        tree["corpus"][name] = tree["corpus"]["joint"]
        tree["corpora"] = [*tree["corpora"], name]
    assert params.parse(tree, "params.yaml").corpora[-4:] == [
        "mine",
        "_2",
        "A-b_c",
        "3d-",
    ]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with the parameters of the study `real`."""
    folder = tmp_path / "outer" / "project"
    folder.mkdir(parents=True)
    shutil.copy(PATH.with_name("studies.yaml"), folder)
    real = params.load(PATH).for_study("real").model_dump(exclude={"studies"})
    (folder / "params.yaml").write_text(yaml.safe_dump(real))
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SSLMEPR_DATA", raising=False)
    return folder


@pytest.mark.parametrize(
    "root, complaint",
    [
        ("data", "data_root: recordings lie in .*, which lies in .*data"),
        ("./runs/mine", "data_root: .* lies in .*runs"),
        ("data/../site", "data_root: .* lies in .*site"),
        ("results", "data_root: .* lies in .*results"),
        ("link", "data_root: .* lies in .*data"),
        ("data-of-mine", None),
        ("../elsewhere", None),
        ("..", None),  # what lies beside the project is not emptied
    ],
)
def test_recordings_where_dvc_empties_folders_are_refused(
    project, monkeypatch, root, complaint
):
    (project / "data").mkdir()
    (project / "link").symlink_to(project / "data")
    monkeypatch.setenv("SSLMEPR_DATA", root)
    if complaint is None:
        params.load()
        return
    with pytest.raises(ParamsError, match=complaint):
        params.load()


@pytest.mark.parametrize(
    "path, verb",
    [("data/mine", "lies in"), (".", "holds"), ("..", "holds"), ("/", "holds")],
)
@pytest.mark.parametrize("part", [False, True])
def test_a_corpus_where_dvc_empties_folders_is_refused(project, path, verb, part):
    tree = yaml.safe_load((project / "params.yaml").read_text())
    tree["data_root"] = "."
    corpus = tree["corpus"]["meld_ravdess"]["parts"] if part else tree["corpus"]
    name = "meld" if part else "people_heard"
    corpus[name]["path"] = path
    (project / "params.yaml").write_text(yaml.safe_dump(tree))
    where = "corpus.meld_ravdess.parts.meld" if part else "corpus.people_heard"
    with pytest.raises(ParamsError, match=f"^{where}: .* {verb} "):
        params.load()


def test_an_experiment_in_a_copy_finds_the_recordings(project, monkeypatch):
    settings = params.load()
    copy = project / ".dvc" / "tmp" / "exps" / "standalone" / "tmp1"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    root = settings.data_root
    assert settings.data_path("fiv2") == project / root / "fiv2"
    monkeypatch.setenv("SSLMEPR_DATA", "mine")
    assert settings.data_path("fiv2") == project / "mine" / "fiv2"
    monkeypatch.setenv("SSLMEPR_DATA", "/mine")
    assert settings.data_path("fiv2") == Path("/mine/fiv2")
    extract = settings.extract.model_dump() | {"checkpoint_dir": "weights"}
    found = Extract.model_validate(extract)
    assert found.checkpoint_dir == str(project / "weights")


def test_only_people_may_be_absent():
    chosen = params.load(PATH)
    optional = [n for n, each in chosen.corpus.items() if getattr(each, "optional", 0)]
    assert optional == ["people", "people_heard", "people_read"]


def test_media_lie_with_what_is_rendered_or_where_they_were_given(
    tree, monkeypatch, tmp_path
):
    monkeypatch.setenv("SSLMEPR_DATA", str(tmp_path / "clips"))
    tree["corpus"]["people"]["path"] = "."
    found = params.parse(tree, "here")
    assert found.media_root("joint", tmp_path) == tmp_path
    assert found.media_root("people", tmp_path) == tmp_path / "clips"


def with_tables(tree, corpus, **features):
    tree["corpus"][corpus]["features"] = features
    return params.parse(tree, "here")


def test_a_modality_of_tables_has_their_tool_for_an_encoder(tree):
    table = {"tool": "openface", "path": "faces"}
    found = with_tables(tree, tree["roles"]["personality"], face=table)
    assert found.encoder_of("face") == "openface"
    assert found.encoder_of("body") == found.extract.image_encoder
    assert found.encoder_of("audio") == found.extract.speech_encoder


def test_tables_of_corpora_without_a_role_do_not_count(tree):
    table = {"tool": "openface", "path": "faces"}
    found = with_tables(tree, "fiv2", face=table)
    assert found.encoder_of("face") == found.extract.image_encoder


def test_tables_of_a_union_are_those_of_its_parts(tree):
    part = tree["corpus"]["meld_ravdess"]["parts"]["ravdess"]
    part["features"] = {"audio": {"tool": "librosa", "path": "ravdess/voice.csv"}}
    found = params.parse(tree, "here").corpus["meld_ravdess"]
    (place,) = feature_tables(found)
    assert place == "parts.ravdess.features.audio"
    part["features"] = {"body": {"tool": "openface", "path": "bodies"}}
    with pytest.raises(
        ParamsError, match="ravdess.*features.body: modalities does not"
    ):
        params.parse(tree, "here")


def test_tables_where_dvc_empties_folders_are_refused(project):
    tree = yaml.safe_load((project / "params.yaml").read_text())
    tree["data_root"] = "."
    table = {"tool": "openface", "path": "data/faces"}
    del tree["corpus"]["people_heard"]["modalities"]
    tree["corpus"]["people_heard"]["features"] = {"face": table}
    (project / "params.yaml").write_text(yaml.safe_dump(tree))
    where = "corpus.people_heard.features.face"
    with pytest.raises(ParamsError, match=f"^{where}: .* lies in "):
        params.load()


def test_a_described_modality_has_the_text_encoder(tree):
    given = {"tool": "described", "path": "notes.csv", "channel": "Face"}
    found = with_tables(tree, tree["roles"]["personality"], face=given)
    assert found.encoder_of("face") == found.extract.text_encoder
    assert set(feature_tables(found.corpus[found.roles.personality])) == {
        "features.face"
    }


def test_a_voice_that_is_measured_here_has_no_files(tree):
    given = {"tool": "librosa", "recordings": True}
    found = with_tables(tree, tree["roles"]["personality"], audio=given)
    assert found.encoder_of("audio") == "librosa"
    assert not feature_tables(found.corpus[found.roles.personality])


@pytest.mark.parametrize(
    ("modality", "given", "message"),
    [
        ("face", {"tool": "librosa", "recordings": True}, "only audio is measured"),
        ("audio", {"tool": "opensmile", "recordings": True}, "librosa"),
        ("audio", {"tool": "librosa", "recordings": False}, "recordings"),
        ("audio", {"tool": "librosa"}, "path"),
        ("face", {"tool": "described"}, "path"),
        ("face", {"tool": "described", "path": "/notes.csv"}, "below data_root"),
        ("face", {"tool": "described", "path": "n.csv", "columns": ["a"]}, "columns"),
        ("face", "described", "face"),
    ],
)
def test_features_that_make_no_sense(tree, modality, given, message):
    with pytest.raises(ParamsError, match=message):
        with_tables(tree, "people", **{modality: given})


@pytest.mark.parametrize("rated", ["fiv2", "fiv2_by_video", "fiv2_filmed"])
def test_no_study_has_clips_of_one_video_on_both_sides(settings, rated):
    """MM-OCEAN describes clips of videos that FIv2 trains on."""
    both = {
        "corpora": ["meld", "mm_ocean", rated],
        "roles": {"emotion": "meld", "personality": "mm_ocean", "held_out": rated},
        "replicates": {},
        "folds": {},
    }
    with pytest.raises(ParamsError, match=f"roles: {rated} and mm_ocean"):
        settings.changed(both, "here")
    apart = {"personality": rated, "held_out": "meld"}
    settings.changed(both | {"roles": both["roles"] | apart}, "here")
    other = {"again": both["roles"]}
    roles = both["roles"] | apart
    with pytest.raises(ParamsError, match="again: "):
        settings.changed(both | {"roles": roles, "replicates": other}, "here")


def test_the_studies_of_real_people_keep_videos_apart(settings):
    """No model of either has seen what the other is scored on."""
    sources = {}
    for study in ("real", "described"):
        found = settings.for_study(study)
        sources[study] = {found.corpus[name].source for name in found.used_corpora()}
    assert "mm_ocean" in sources["described"] and "fiv2" in sources["real"]
    assert not any(each.startswith("fiv2") for each in sources["described"])
    assert "mm_ocean" not in sources["real"]


def test_the_control_is_the_default_study_in_a_plain_world(settings):
    control = settings.for_study("plain")
    assert control.simulation.knobs == Knobs() and control.simulation.raters is None
    alike = {"study", "corpora", "roles", "replicates", "simulation"}
    for name in set(type(settings).model_fields) - alike:
        assert getattr(control, name) == getattr(settings, name), name
    default, own = settings.roles.model_dump(), control.roles.model_dump()
    for role, name in own.items():
        ours, theirs = control.corpus[name], settings.corpus[default[role]]
        assert ours.clips <= theirs.clips and ours.text_only <= theirs.text_only
        assert (ours.world, ours.domains) == (theirs.world, theirs.domains)
