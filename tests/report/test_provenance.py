import hashlib

import pandas as pd
import pytest

from sslmepr.params.corpora import PublishedCorpus
from sslmepr.report import provenance as module
from sslmepr.report.provenance import (
    file_hashes,
    machine,
    provenance,
    record_findings,
)


def test_hashes_of_the_files_in_a_folder(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"a,b\n")
    (tmp_path / "media" / "b").mkdir(parents=True)
    (tmp_path / "media" / "a.mp4").write_bytes(b"123")
    (tmp_path / "media" / "b" / "c.mp4").write_bytes(b"")
    found = file_hashes(tmp_path)
    expected = hashlib.sha256(b"a,b\n").hexdigest()[:16]
    listed = hashlib.sha256(b"a.mp4 3\nb/c.mp4 0\n").hexdigest()[:16]
    assert found == {"x.csv": expected, "media/": listed}


def test_a_union_is_described_by_the_files_of_its_parts(tmp_path, settings):
    settings = settings.for_study("real")
    for folder in ("meld", "ravdess/Actor_01", "fiv2", "people"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "meld" / "train_sent_emo.csv").write_bytes(b"x")
    people = PublishedCorpus(source="folder", path="people")
    settings = settings.model_copy(
        update={
            "data_root": str(tmp_path),
            "corpus": settings.corpus | {"people_heard": people},
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSLMEPR_DATA", raising=False)
        data = provenance(settings, tmp_path)["data (sha256)"]
    digest = hashlib.sha256(b"x").hexdigest()[:16]
    empty = hashlib.sha256(b"").hexdigest()[:16]
    assert data == {
        "meld": {"train_sent_emo.csv": digest},
        "ravdess": {"Actor_01/": empty},
        "fiv2": {},
        "people_heard": {},
    }


def test_an_optional_corpus_that_is_not_there_is_none(tmp_path, settings, monkeypatch):
    monkeypatch.setenv("SSLMEPR_DATA", str(tmp_path))
    people = PublishedCorpus(source="folder", path="people", optional=True)
    roles = dict.fromkeys(("emotion", "personality", "held_out"), "people")
    settings = settings.model_copy(
        update={
            "roles": settings.roles.model_copy(update=roles),
            "corpus": {"people": people},
        }
    )
    assert provenance(settings, tmp_path)["data (sha256)"] == {"people": None}


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        file_hashes(tmp_path / "absent")


def test_the_machine_is_that_of_numpy_whatever_else_was_imported(monkeypatch):
    def library(path, **more):
        return {"user_api": "blas", "internal_api": "openblas", "filepath": path} | more

    own = library("site-packages/numpy.libs/blas.so", architecture="Zen")
    other = library("site-packages/scipy.libs/blas.so", architecture="Haswell")
    threads = {"user_api": "openmp", "internal_api": "openmp", "filepath": "numpy"}
    for loaded, expected in (
        ([own, other, threads], "openblas Zen"),
        ([own], "openblas Zen"),
        ([library("lib/libmkl_rt.so", internal_api="mkl")], "mkl"),
        ([threads], "unknown"),
    ):
        monkeypatch.setattr(module, "threadpool_info", lambda found=loaded: found)
        found = machine()
        assert found["blas"] == expected and found["processor"] and found["torch"]
    assert list(found) == ["processor", "blas", "torch"]


def test_the_record_says_what_it_was_computed_from():
    made = {"study": "s", "code revision": "1.0+af23", "machine": {"processor": "P"}}
    made["data (sha256)"] = {"meld": {"a": "0", "b": "1"}, "mosei": None}
    corpora = {"meld": {"clips": {"all": 1200}}, "emotion": {"clips": {"all": 3}}}
    clips = pd.DataFrame({"missing": ["", "face: no face", None]})
    answer, sure, unsaid = record_findings(made, corpora, clips).sentences
    assert answer == (
        "**Study s** was computed with version 1.0 of the code, on P, from clips of "
        "these corpora: MELD, 1,200; rated for emotions, 3. 2 hashes of files and "
        "folders say whether data are the same."
    )
    assert "Of 3 held-out clips, 1 lack a modality" in sure
    assert unsaid.startswith("**What it does not say.**")
