"""The files that the page on one's own data offers are read as it says."""

from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import yaml

from sslmepr.corpora.build import read_corpus
from sslmepr.corpora.schema import read_clips, read_missing
from sslmepr.extraction import extract_corpus
from sslmepr.features import FeatureStore
from sslmepr.labels import TRAIT_COLUMNS
from sslmepr.params.corpora import TableCorpus

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


def test_the_page_offers_all_of_them():
    page = (BOOK / "your-own-data.md").read_text(encoding="utf-8")
    for path in (BOOK / "example").iterdir():
        assert f"{{download}}`{path.name} <example/{path.name}>`" in page
