"""Modalities from tables of other tools, through extraction and all of training."""

import json
import math
import shutil

import numpy as np
import pandas as pd
import pytest
from recordings import write_video

from sslmepr.corpora.build import read_corpus
from sslmepr.corpora.schema import COLUMNS, CorpusError, read_missing, write_clips
from sslmepr.explanation.chain import Chain, attribute_steps
from sslmepr.extraction import extract_corpus
from sslmepr.extraction.record import extraction_record
from sslmepr.features import FeatureError, FeatureStore, write_store
from sslmepr.labels import EMOTION_COLUMNS, FEATURE_COUNTS, MODALITIES, TRAIT_COLUMNS
from sslmepr.params.corpora import FeatureTable, PublishedCorpus, UnionCorpus
from sslmepr.predict import PredictError, predict
from sslmepr.training.all_stages import train_study
from sslmepr.training.batches import ModalityClips
from sslmepr.training.checkpoints import load_checkpoint
from sslmepr.training.clips import read_study_clips
from sslmepr.training.fusion_clips import FusionClips

AUS = ("AU01_r", "AU04_r", "AU12_r")


def openface(folder, name, values, confidence=0.95, fps=25.0):
    """What OpenFace writes for one film: a row for each frame."""
    frame = pd.DataFrame(np.asarray(values).round(3), columns=list(AUS))
    frame.insert(0, "frame", np.arange(1, len(frame) + 1))
    frame.insert(1, "timestamp", np.arange(len(frame)) / fps)
    frame.insert(2, "confidence", confidence)
    frame.insert(3, "success", 1)
    folder.mkdir(parents=True, exist_ok=True)
    frame.columns = [frame.columns[0], *(f" {each}" for each in frame.columns[1:])]
    frame.to_csv(folder / f"{name}.csv", index=False)


def clip_table(rows):
    table = pd.DataFrame(rows)
    table["speaker_id"], table["split"] = table["clip_id"], "train"
    return table.reindex(columns=list(COLUMNS))


def with_corpus(params, root, corpus, name="mine"):
    return params.model_copy(update={"data_root": str(root), "corpus": {name: corpus}})


def given(**features):
    return PublishedCorpus(source="folder", path=".", features=features)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("SSLMEPR_DATA", raising=False)
    return tmp_path


def test_a_face_from_tables_and_the_rest_from_the_film(folder, params):
    """The film of one clip shows a face, that of the other cannot be read."""
    write_video(folder / "a.mp4")
    (folder / "b.mp4").write_bytes(b"no film")
    openface(folder / "of", "a", [[0.5, 0, 1], [0.75, 0, 1]])
    openface(folder / "of", "b", [[0, 1.5, 0]], confidence=0.2)
    openface(folder / "of", "of another film", [[0, 0, 0]])
    rows = [{"clip_id": f"{n}.mp4", "media": f"{n}.mp4"} for n in "ab"]
    write_clips(clip_table(rows).assign(transcript="said"), folder / "corpus")
    face = FeatureTable(tool="openface", path="of", version="2.2.0")
    chosen = with_corpus(params, folder, given(face=face))
    features = folder / "features"
    told = extract_corpus("mine", chosen, folder / "corpus", folder, features)
    store = FeatureStore.open(features, "face")
    assert store.columns == (*AUS, "certainty") and store.encoder == "openface"
    assert store.values.dtype == np.float32 and store.clip_ids == ["a.mp4"]
    expected = [[0.5, 0, 1, 0.95], [0.75, 0, 1, 0.95]]
    np.testing.assert_allclose(store["a.mp4"], expected, rtol=1e-6)
    row = store.table.iloc[0]
    assert (row["rows"], row["kept"], row["steps"]) == (2, 2, 2)
    assert row["steps_per_second"] == pytest.approx(25)
    # the others are extracted from media, as ever
    for modality in ("body", "scene", "audio", "text"):
        other = FeatureStore.open(features, modality)
        assert other.columns is None and "a.mp4" in other
        assert other.feature_count == FEATURE_COUNTS[other.encoder]
    missing = read_missing(features).to_numpy().tolist()
    unsure = "openface is nowhere as sure as 0.5 in b.csv, line 2"
    assert ["b.mp4", "face", unsure] in missing
    stray = "no clip has this id; it is in of another film.csv, line 2"
    assert missing[-1] == ["of another film", "face", stray]
    assert told["modalities"]["face"] == {
        "present": 1,
        "missing": 1,
        "without_media": 0,
        "steps": 2,
        "encoder": "openface",
        "revision": store.revision,
        "median_steps_per_second": 25.0,
        "columns": [*AUS, "certainty"],
        "unknown_ids": 1,
        "kept": 1.0,
        "certainty": 0.95,
    }
    assert told == json.loads((features / "summary.json").read_text())
    regions = pd.read_parquet(features / "regions.parquet")
    assert set(regions["modality"]) == {"body", "scene"}
    record = extraction_record(clip_table(rows), features).set_index("clip_id")
    assert record.loc["a.mp4", "face"] == "openface 2 of 2 rows"
    assert f"face: {unsure}" in record.loc["b.mp4", "missing"]


FEX = """\
,FaceRectX,FaceScore,Pitch,AU01,AU12,anger,input,frame,Identity
0,314.0,0.75,0.5,0.25,0.75,0.1,/films/a.mp4,0,
1,314.0,0.75,0.5,0.50,0.25,0.1,/films/a.mp4,5,
2,,,,,,,/films/a.mp4,10,
3,310.0,0.50,0.0,0.00,1.00,0.1,/films/b.mp4,0,
4,310.0,0.25,0.0,0.75,0.00,0.1,/films/b.mp4,5,
"""
"""What py-feat's `Fex.to_csv` writes of every fifth frame of two films."""


@pytest.mark.parametrize("layout", ["one table", "a table each", "a pattern"])
def test_faces_that_pyfeat_has_measured(folder, params, layout):
    """No face in one frame, one below 0.5 in another; emotions are no features."""
    head, *rows = FEX.splitlines(keepends=True)
    (folder / "fex").mkdir()
    if layout == "one table":
        path, files = "fex/all.csv", {"all": rows}
    else:
        path = "fex" if layout == "a table each" else "fex/*.csv"
        files = {"a": rows[:3], "b": rows[3:]}
    for name, each in files.items():
        (folder / "fex" / f"{name}.csv").write_text(head + "".join(each))
    face = FeatureTable(tool="pyfeat", path=path, frames_per_second=25.0)
    corpus = PublishedCorpus(
        source="folder", path=".", modalities=["face"], features={"face": face}
    )
    rows = [{"clip_id": f"{name}.mp4"} for name in "ab"]
    write_clips(clip_table(rows), folder / "corpus")
    chosen = with_corpus(params, folder, corpus)
    extract_corpus("mine", chosen, folder / "corpus", folder, folder / "f")
    store = FeatureStore.open(folder / "f", "face")
    assert store.columns == ("Pitch", "AU01", "AU12", "certainty")
    assert store.encoder == "pyfeat"
    first = [[0.5, 0.25, 0.75, 0.5], [0.5, 0.5, 0.25, 0.5]]
    np.testing.assert_allclose(store["a.mp4"], first)
    np.testing.assert_allclose(store["b.mp4"], [[0, 0, 1, 0.25]])
    table = store.table.set_index("clip_id")
    assert table["rows"].to_dict() == {"a.mp4": 3, "b.mp4": 2}
    assert table.loc["a.mp4", "steps_per_second"] == pytest.approx(5)


def test_the_step_rate_is_left_out_where_no_table_has_one(folder, params):
    (folder / "t.csv").write_text("clip_id,pitch\na,180.5\n")
    write_clips(clip_table([{"clip_id": "a"}]), folder / "corpus")
    chosen = with_corpus(
        params, folder, given(audio=FeatureTable(tool="librosa", path="t.csv"))
    )
    told = extract_corpus("mine", chosen, folder / "corpus", folder, folder / "f")
    assert "median_steps_per_second" not in told["modalities"]["audio"]
    table = FeatureStore.open(folder / "f", "audio").table
    assert math.isnan(table.loc[0, "steps_per_second"])


def test_a_corpus_that_is_not_there_needs_no_tables(folder, params):
    empty = clip_table({"clip_id": []})
    empty.attrs["left_out"] = {"mine": "not given"}
    write_clips(empty, folder / "corpus")
    corpus = given(face=FeatureTable(tool="openface", path="gone"))
    chosen = with_corpus(params, folder, corpus)
    extract_corpus("mine", chosen, folder / "corpus", folder, folder / "f")
    assert all(len(FeatureStore.open(folder / "f", name)) == 0 for name in MODALITIES)


def union(**parts):
    return UnionCorpus(source="union", parts=parts)


def part(path, modalities, **features):
    return PublishedCorpus(
        source="folder", path=path, modalities=modalities, features=features
    )


@pytest.fixture
def two_parts(folder):
    (folder / "x.csv").write_text("clip_id,f\na,1\n")
    (folder / "y.csv").write_text("clip_id,f\na,2\nb,3\n")
    (folder / "other.csv").write_text("clip_id,g\na,2\nb,3\n")
    names = ["x:a", "y:a", "y:b"]
    write_clips(clip_table([{"clip_id": name} for name in names]), folder / "corpus")
    return folder


def test_the_parts_of_a_union_have_tables_of_their_own(two_parts, params):
    x, y = (FeatureTable(tool="table", path=f"{name}.csv") for name in "xy")
    corpus = union(x=part("x", ["face"], face=x), y=part("y", ["face"], face=y))
    chosen = with_corpus(params, two_parts, corpus)
    extract_corpus("mine", chosen, two_parts / "corpus", two_parts, two_parts / "f")
    store = FeatureStore.open(two_parts / "f", "face")
    assert store.clip_ids == ["x:a", "y:a", "y:b"]
    assert store.values[:, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("of_y", "modalities", "message"),
    [
        ("other.csv", ["face"], "one part has features of table unknown.*another of"),
        (None, ["face"], "features.face: some parts have tables and others media"),
        (None, ["text"], None),
    ],
)
def test_parts_that_do_not_fit_together(two_parts, params, of_y, modalities, message):
    x = FeatureTable(tool="table", path="x.csv")
    own = {"face": FeatureTable(tool="table", path=of_y)} if of_y else {}
    corpus = union(x=part("x", ["face"], face=x), y=part("y", modalities, **own))
    chosen = with_corpus(params, two_parts, corpus)
    call = "mine", chosen, two_parts / "corpus", two_parts, two_parts / "f"
    if message is None:
        extract_corpus(*call)
        assert FeatureStore.open(two_parts / "f", "face").clip_ids == ["x:a"]
        return
    with pytest.raises(CorpusError, match=message):
        extract_corpus(*call)


def test_tables_that_changed_are_refused(two_parts, params):
    x = FeatureTable(tool="table", path="x.csv", sha256="0" * 64)
    chosen = with_corpus(params, two_parts, given(face=x))
    with pytest.raises(
        CorpusError, match="x.csv: has changed since .* `sslmepr repro`"
    ):
        extract_corpus("mine", chosen, two_parts / "corpus", two_parts, two_parts / "f")


# -- a study whose face and voice come from tables -------------------------------------

CLIPS = {"emotions": 40, "traits": 40, "both": 12}


def rated(name, count, rng):
    """Ratings of a corpus, and what shows them: (clip, AU) and (clip, pitch)."""
    ids = [f"{name}_{place:02d}" for place in range(count)]
    ends = count * 0.6, count * 0.8
    split = [
        "train" if place < ends[0] else "dev" if place < ends[1] else "test"
        for place in range(count)
    ]
    table = pd.DataFrame({"clip_id": ids, "split": split, "media": None})
    happy = rng.integers(0, 2, count)
    open_ = rng.random(count)
    if name != "traits":
        table[list(EMOTION_COLUMNS[1:])] = 0
        table["emotion_happiness"] = happy
    if name != "emotions":
        table[list(TRAIT_COLUMNS)] = rng.random((count, 5))
        table["trait_openness"] = open_
    return table.drop(columns="media"), happy, open_


def write_study(root):
    """Three folders as somebody has them who has run OpenFace and openSMILE."""
    rng = np.random.default_rng(0)
    for name, count in CLIPS.items():
        table, happy, open_ = rated(name, count, rng)
        (root / name).mkdir(parents=True)
        table.to_csv(root / name / "ratings.csv", index=False)
        lines = ["name;frameTime;loudness;F0"]
        for place, clip_id in enumerate(table["clip_id"]):
            level = [open_[place], 0.5, 2.0 * happy[place]]
            steps = level + rng.normal(0, 0.2, (4 + place % 3, 3))
            sure = 0.1 if place % 10 == 9 else 0.9
            openface(root / name / "openface", clip_id, steps.clip(0, 5), sure)
            lines.append(f"'{clip_id}.wav';0.0;{open_[place]:.3f};{100 + place}")
        (root / name / "voice.csv").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def measured_study(tmp_path_factory, small_params, one_thread):
    """(params, data folder, study folder) after corpora, extraction and training."""
    root = tmp_path_factory.mktemp("published")
    data = tmp_path_factory.mktemp("data")
    write_study(root)
    tree = small_params.model_dump()
    tree["data_root"] = str(root)
    for name in CLIPS:
        tree["corpus"][name] = {
            "source": "table",
            "path": name,
            "table": "ratings.csv",
            "features": {
                "face": {"tool": "openface", "path": f"{name}/openface"},
                "audio": {"tool": "opensmile", "path": f"{name}/voice.csv"},
            },
        }
    changes = {
        "corpora": list(CLIPS),
        "replicates": {},
        "roles": {"emotion": "emotions", "personality": "traits", "held_out": "both"},
        "modalities": ["face", "audio"],
        "variants": ["multitask", "with_everything"],
    }
    settings = type(small_params).model_validate(tree | changes)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSLMEPR_DATA", raising=False)
        for name in CLIPS:
            corpus, features = data / name / "corpus", data / name / "features"
            read_corpus(name, settings, corpus)
            extract_corpus(name, settings, corpus, settings.data_path(name), features)
    train_study(settings, data / "runs", data, progress=False)
    return settings, data, data / "runs"


def test_every_clip_has_an_answer_from_what_it_has(measured_study):
    settings, data, runs = measured_study
    table = pd.read_parquet(runs / "fusion" / "multitask" / "predictions.parquet")
    fused = table[table["stage"] == "fusion"]
    assert fused["clip_id"].nunique() == sum(CLIPS.values())
    assert np.isfinite(fused["predicted"]).all()
    clips = read_study_clips(settings, data)
    present = FusionClips.of_study(settings, settings.modalities, runs, data).present
    seen = [not name.endswith("9") for name in clips.table["clip_id"]]
    assert present[:, 0].tolist() == seen and present[:, 1].all()


def test_models_say_whose_features_they_know(measured_study):
    settings, _, runs = measured_study
    face, audio = (
        load_checkpoint(runs / "crosstask" / name / "model")
        for name in settings.modalities
    )
    assert face.made_by[0] == "openface" == settings.encoder_of("face")
    assert audio.made_by[0] == "opensmile" == settings.encoder_of("audio")
    assert settings.encoder_of("text") == settings.extract.text_encoder


def test_quality_is_read_from_certainty_and_length(measured_study):
    settings, data, runs = measured_study
    clips = FusionClips.of_study(settings, settings.modalities, runs, data)
    assert clips.measures == {"face": 2, "audio": 2}
    assert clips.feature_counts == {"face": len(AUS) + 2, "audio": 2 + 2}


def test_attributions_name_the_columns_of_tables(measured_study):
    """They are those to the steps, added up in the other direction."""
    settings, data, runs = measured_study
    clips = FusionClips.of_study(settings, settings.modalities, runs, data)
    model = load_checkpoint(runs / "fusion" / "multitask" / "seed-0").model
    chain = Chain.of_study(model, clips, runs, data)
    rows = clips.rows("both")
    found = attribute_steps(chain, rows, ["happiness"] * len(rows), steps=4)
    keys = ["clip_id", "modality"]
    by_column = found.columns.groupby(keys)["attribution"].sum()
    by_step = found.values.groupby(keys)["attribution"].sum()
    pd.testing.assert_series_equal(
        by_column.astype(np.float32), by_step, rtol=1e-3, atol=1e-5
    )
    face = found.columns[found.columns["modality"] == "face"]
    expected = [*AUS, "certainty", "log length"]
    assert face["column"].unique().tolist() == expected
    assert face["clip_id"].nunique() == len(rows) - 1


@pytest.fixture
def films(tmp_path):
    """Films that nobody can open, what was measured in them, and its tables."""
    (tmp_path / "films").mkdir()
    for name in ("x", "y"):
        (tmp_path / "films" / f"{name}.mp4").touch()
    openface(tmp_path / "of", "x", [[0.5, 0, 1], [0.75, 0, 1]])
    openface(tmp_path / "of", "y", [[0.5, 0, 1]], confidence=0.1)
    voice = "name;frameTime;loudness;F0\n'x.mp4';0;0.5;110\n'y.mp4';0;0.5;120\n"
    (tmp_path / "voice.csv").write_text(voice)
    return tmp_path, {"face": tmp_path / "of", "audio": tmp_path / "voice.csv"}


def test_films_are_predicted_from_their_tables(measured_study, films):
    settings, _, runs = measured_study
    folder, tables = films
    call = settings, [str(folder / "films")], folder / "out.parquet", runs
    found = predict(*call, tables=tables).set_index("clip")
    x, y = (found.loc[str(folder / "films" / f"{name}.mp4")] for name in "xy")
    scores = [*EMOTION_COLUMNS, *TRAIT_COLUMNS]
    assert found[scores].notna().all(axis=None) and (found["failed"] == "").all()
    assert x["face"] == "openface 2 of 2 rows" and pd.isna(y["face"])
    assert x["audio"] == y["audio"] == "opensmile 1 of 1 rows"
    reason = "face: openface is nowhere as sure as 0.5 in y.csv, line 2"
    assert (x["missing"], y["missing"]) == ("", reason)


def test_tables_that_do_not_fit_the_models_are_told(measured_study, films):
    settings, _, runs = measured_study
    folder, tables = films
    call = settings, [str(folder / "films")], folder / "out.parquet", runs
    (folder / "voice.csv").write_text("name;loudness\n'x.mp4';1\n'y.mp4';1\n")
    with pytest.raises(PredictError, match="audio.safetensors: was made by opensmile"):
        predict(*call, tables=tables)
    with pytest.raises(PredictError, match="gone: there is no such file; tables of"):
        predict(*call, tables=tables | {"face": folder / "gone"})
    assert not (folder / "out.parquet").exists()


def test_features_of_another_tool_are_not_mixed_in(measured_study, tmp_path):
    """One corpus of OpenFace and one of another tool are no one modality."""
    settings, data, _ = measured_study
    copy = tmp_path / "data"
    shutil.copytree(data, copy)
    columns = [*AUS, "certainty"]
    sequences = [("traits_00", np.ones((2, 4)))]
    write_store(
        copy / "traits" / "features", "face", sequences, "pyfeat", "1", columns=columns
    )
    clips = read_study_clips(settings, copy)
    with pytest.raises(ValueError, match="face: one encoder must have made"):
        ModalityClips(clips, "face", copy)
    with pytest.raises(FeatureError, match="has no clip 'traits_01'"):
        FeatureStore.open(copy / "traits" / "features", "face")["traits_01"]
