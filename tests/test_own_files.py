"""The files that the page on one's own data offers are read as it says."""

import subprocess
import sys
from pathlib import Path
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
import yaml

from sslmepr.association.cross_table import identified
from sslmepr.corpora.build import read_corpus
from sslmepr.corpora.schema import read_clips, read_missing
from sslmepr.evaluation.evaluate import evaluate_study
from sslmepr.extraction import extract_corpus
from sslmepr.features import FeatureStore
from sslmepr.labels import TRAIT_COLUMNS
from sslmepr.params.corpora import TableCorpus
from sslmepr.predict import predict
from sslmepr.training.all_stages import train_study

BOOK = Path(__file__).parents[1] / "book"
TABLES = ("anna_1", "anna_2", "bela_1")


@pytest.fixture
def offered(tmp_path, params, monkeypatch):
    """The files where `lines.yaml` says that they are, and the parameters with it."""
    monkeypatch.delenv("SSLMEPR_DATA", raising=False)
    copytree(BOOK / "example", tmp_path / "example")
    (tmp_path / "example" / "openface").mkdir()
    for name in TABLES:
        name = f"{name}.csv"
        (tmp_path / "example" / name).rename(tmp_path / "example" / "openface" / name)
    lines = yaml.safe_load((tmp_path / "example" / "lines.yaml").read_text())
    corpus = {name: TableCorpus(**each) for name, each in lines["corpus"].items()}
    return params.model_copy(update={"data_root": str(tmp_path), "corpus": corpus})


def test_ratings_and_tables_are_read(offered, tmp_path):
    """Traits from 1 to 7; rows of which OpenFace was not sure are left out."""
    corpus, features = tmp_path / "corpus", tmp_path / "features"
    read_corpus("example", offered, corpus)
    clips = read_clips(corpus)
    assert clips["clip_id"].tolist() == [f"{name}.mp4" for name in TABLES]
    assert clips["speaker_id"].tolist() == ["anna", "anna", "bela"]
    rated = np.array([[5, 4, 6, 6, 3], [4, 4, 6, 5, 4], [2, 6, 3, 4, 6]])
    np.testing.assert_allclose(clips[list(TRAIT_COLUMNS)], (rated - 1) / 6)
    extract_corpus("example", offered, corpus, tmp_path / "example", features)
    faces = FeatureStore.open(features, "face")
    assert faces.columns == ("AU06_r", "AU12_r", "AU12_c", "certainty")
    sure = 3 * 0.95 / 4  # an unsure row counts as 0
    expected = [[0, 0, 0, sure], [0.5, 1, 1, sure], [1, 2, 1, sure]]
    np.testing.assert_allclose(faces["anna_1.mp4"], expected, rtol=1e-6)
    np.testing.assert_allclose(
        faces["anna_2.mp4"], [[1, 1, 1, 0.9], [2, 2, 1, 0.9]], rtol=1e-6
    )
    sure = (0.8 + 0.0 + 0.8) / 3
    np.testing.assert_allclose(
        faces["bela_1.mp4"], [[0, 0, 0, sure], [0, 0.25, 0, sure]], rtol=1e-6
    )
    assert "face" not in set(read_missing(features)["modality"])


def test_pyfeats_table_is_read(offered, tmp_path):
    """One table for all clips: no face, somebody else in the picture, an unsure row."""
    corpus, features = tmp_path / "corpus", tmp_path / "features"
    read_corpus("example_of_pyfeat", offered, corpus)
    root = tmp_path / "example"
    extract_corpus("example_of_pyfeat", offered, corpus, root, features)
    faces = FeatureStore.open(features, "face")
    assert faces.encoder == "pyfeat"
    assert faces.columns == ("AU06", "AU12", "AU43", "certainty")
    sure = (0.99 + 0.97 + 0) / 3
    expected = {
        "anna_1.mp4": [[0, 0.25, 0, sure], [0.5, 0.75, 0, sure]],
        "anna_2.mp4": [[1, 1, 0.25, 0.9], [0.5, 0.75, 0.25, 0.9]],
        "bela_1.mp4": [[0, 0.25, 0, 0.4]],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(faces[name], values, rtol=1e-6)
    table = faces.table.set_index("clip_id")
    assert table.loc["anna_1.mp4", "steps_per_second"] == pytest.approx(5)
    assert "face" not in set(read_missing(features)["modality"])


# -- the clips that a reader draws, to rehearse a whole study --------------------------


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The folder that the downloaded program writes."""
    folder = tmp_path_factory.mktemp("drawn")
    program = BOOK / "example" / "draw.py"
    subprocess.run([sys.executable, program, folder], check=True)
    return folder


@pytest.fixture(scope="module", params=["pyfeat", "openface"])
def rehearsed(request, drawn, tmp_path_factory, small_params, one_thread):
    """Parameters, data and study folder of what the page says, in a few epochs."""
    text = (BOOK / "example" / "rehearsal.yaml").read_text()
    lines = yaml.safe_load(text.replace("pyfeat", request.param))
    data = tmp_path_factory.mktemp("data")
    tree = small_params.model_dump()
    tree["studies"] |= lines["studies.yaml"]
    tree |= lines["studies.yaml"]["rehearsal"]
    tree["corpus"] |= lines["params.yaml"]["corpus"]
    tree |= {"data_root": str(drawn), "variants": ["multitask"]}
    tree["fusion"]["seeds"], tree["unimodal"]["refits"] = [0], 0
    settings = type(small_params).model_validate(tree)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSLMEPR_DATA", raising=False)
        for name in settings.corpora:
            corpus, features = data / name / "corpus", data / name / "features"
            read_corpus(name, settings, corpus)
            extract_corpus(name, settings, corpus, drawn / name, features)
    train_study(settings, data / "runs", data, progress=False)
    return request.param, settings, data


def test_a_rehearsal_learns_what_was_drawn(rehearsed):
    """From few epochs already, far from guessing (0.5 and 0)."""
    _, settings, data = rehearsed
    metrics = evaluate_study(settings, data / "runs", data)["metrics"]
    fused = metrics[(metrics["stage"] == "fusion") & (metrics["split"] == "test")]
    means = fused[fused["target"] == "mean"].groupby("metric")["estimate"].mean()
    assert means["mWACC"] > 0.65 and means["CCC"] > 0.3


def test_a_rehearsal_answers_for_every_guest(rehearsed):
    tool, settings, data = rehearsed
    path = data / "runs" / "fusion" / "multitask" / "predictions.parquet"
    table = pd.read_parquet(path)
    guests = table[table["clip_id"].str.startswith("guests")]
    assert guests["clip_id"].nunique() == 60
    store = FeatureStore.open(data / "guests" / "features", "face")
    assert store.encoder == tool and len(store.columns) == 16


def test_a_rehearsal_finds_what_the_page_says(rehearsed):
    """Both intervals hold what was drawn, and one pair is called present."""
    _, settings, data = rehearsed
    crossed, refused = identified(settings, data)
    assert refused == ""
    found = crossed.table.set_index(["emotion", "trait"])
    drawn_r = 0.6 / np.sqrt(1 + 0.6**2)
    sad, happy = ("sadness", "emotional_stability"), ("happiness", "extraversion")
    for pair, r in ((sad, -drawn_r), (happy, drawn_r)):
        assert found.loc[pair, "low"] < r < found.loc[pair, "high"]
    assert found.index[found["verdict"] == "present"].tolist() == [sad]
    assert found.loc[happy, "verdict"] == "undecided"


def test_tables_alone_are_predicted(rehearsed, drawn, tmp_path):
    """As the page says for further clips; there is no recording of any."""
    tool, settings, data = rehearsed
    some = sorted((drawn / "guests" / tool).glob("*_00?.csv"))
    tables = {"face": drawn / "guests" / tool, "audio": drawn / "guests" / "voices.csv"}
    call = settings, [*map(str, some)], tmp_path / "t.parquet", data / "runs"
    found = predict(*call, tables=tables)
    assert found["clip"].tolist() == [str(path.with_suffix("")) for path in some]
    assert (found["failed"] == "").all() and (found["missing"] == "").all()
    assert found["face"].str.fullmatch(rf"{tool} [4-8] of 8 rows").all()
    assert found["people"].isna().all()  # nobody looked for them
    folder = str(drawn / "guests" / tool)
    whole = predict(call[0], [folder], tmp_path / "all.parquet", call[3], tables=tables)
    assert len(whole) == 60
    columns = ["clip", *TRAIT_COLUMNS]
    pd.testing.assert_frame_equal(whole.loc[: len(found) - 1, columns], found[columns])
    assert found[list(TRAIT_COLUMNS)].notna().all(axis=None)


def test_the_page_offers_all_of_them():
    page = (BOOK / "your-own-data.md").read_text(encoding="utf-8")
    for path in (BOOK / "example").iterdir():
        assert f"{{download}}`{path.name} <example/{path.name}>`" in page
