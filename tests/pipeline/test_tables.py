"""Digests of tables of features in a parameters file."""

import shutil

import pytest
import yaml

from sslmepr import params
from sslmepr.pipeline.tables import note_tables

ENTRY = """\
corpus:
  # a comment that stays
  mine:
    {source: folder, path: mine, features: {face: {tool: openface, path: mine/of}}}
"""
UNION = """\
  both:
    source: union
    parts:
      mine:
        source: folder
        path: mine
        features:
          audio:
            tool: opensmile  # functionals
            path: mine/voice.csv
            sha256: null
"""


@pytest.fixture
def project(tmp_path, monkeypatch, pytestconfig):
    """A folder with parameters of corpora of which two have tables."""
    text = (pytestconfig.rootpath / "params.yaml").read_text()
    text = text.replace("\ncorpus:\n", f"\n{ENTRY}{UNION}", 1)
    text = text.replace("\ncorpora: [", "\ncorpora: [mine, both, ", 1)
    (tmp_path / "params.yaml").write_text(text)
    shutil.copy(pytestconfig.rootpath / "studies.yaml", tmp_path)
    tables = tmp_path / "published" / "mine" / "of"
    tables.mkdir(parents=True)
    (tables / "a.csv").write_text("AU01_r\n1\n")
    (tables.parent / "voice.csv").write_text("name;F0\na;1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSLMEPR_DATA", str(tmp_path / "published"))
    return tmp_path


def noted():
    tree = yaml.safe_load(open("params.yaml"))["corpus"]
    face = tree["mine"]["features"]["face"]
    return face, tree["both"]["parts"]["mine"]["features"]["audio"]


def test_digests_are_written_once(project):
    before = (project / "params.yaml").read_text()
    said = note_tables(params.load())
    assert said == [
        "corpus.mine.features.face: the tables in mine/of are new; noted in "
        "params.yaml",
        "corpus.both.parts.mine.features.audio: the tables in mine/voice.csv are new; "
        "noted in params.yaml",
    ]
    face, audio = noted()
    assert face["tool"] == "openface" and len(face["sha256"]) == 64
    assert audio["tool"] == "opensmile" and audio["sha256"] != face["sha256"]
    after = (project / "params.yaml").read_text()
    assert len(after.splitlines()) == len(before.splitlines())
    assert "# a comment that stays" in after and "# functionals" in after
    assert note_tables(params.load()) == []
    assert (project / "params.yaml").read_text() == after


def test_a_table_that_changed_is_told(project):
    note_tables(params.load())
    first = noted()
    (project / "published" / "mine" / "of" / "a.csv").write_text("AU01_r\n2\n")
    (said,) = note_tables(params.load())
    assert "mine/of have changed" in said
    assert noted()[0]["sha256"] != first[0]["sha256"] and noted()[1] == first[1]


def test_tables_that_are_not_there_are_left_to_what_reads_them(project):
    shutil.rmtree(project / "published")
    before = (project / "params.yaml").read_text()
    assert note_tables(params.load()) == []
    assert (project / "params.yaml").read_text() == before


def test_a_corpus_that_no_list_names_is_not_looked_at(project):
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("[mine, both, ", "["))
    assert note_tables(params.load()) == []
