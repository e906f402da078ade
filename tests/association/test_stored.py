import numpy as np
import pandas as pd
import pytest
from drawn_scores import CORPORA, MODALITIES, crossed

from sslmepr.association.cross_table import CROSS_FILE, read_table
from sslmepr.association.planning import precision, read_precision
from sslmepr.association.probe_scores import SCORES_FILE
from sslmepr.association.stored import corpora_of, store
from sslmepr.params.study import Roles


@pytest.fixture
def study(settings):
    roles = dict(zip(("emotion", "personality", "held_out"), CORPORA, strict=True))
    changed = {"roles": Roles(**roles), "modalities": MODALITIES}
    return settings.model_copy(update=changed)


def test_what_is_stored_is_read_again(study, tmp_path):
    found = crossed(clips=(200, 200, 100))
    store(found, "", study, tmp_path / "results", tmp_path / "runs")
    table = read_table(tmp_path / "results")
    pd.testing.assert_series_equal(table["r"], found.table["r"].round(6))
    assert table["verdict"].tolist() == found.table["verdict"].tolist()
    known = read_precision(tmp_path / "results")
    expected = precision(found.estimate, found.scores, CORPORA)
    np.testing.assert_allclose(known["error"], expected["error"], atol=1e-6)
    scores = pd.read_parquet(tmp_path / "runs" / SCORES_FILE)
    assert scores["corpus"].value_counts(sort=False).tolist() == [200, 200, 100]


def test_what_is_not_identified_is_stored_with_its_reason(study, tmp_path):
    store(None, "no two modalities", study, tmp_path, tmp_path / "runs")
    table = read_table(tmp_path)
    assert table["r"].isna().all() and set(table["reason"]) == {"no two modalities"}
    assert read_precision(tmp_path).empty
    assert not any((tmp_path / "runs").iterdir())


def test_a_held_out_corpus_that_is_labelled_counts_once(study):
    roles = Roles(emotion="a", personality="b", held_out="b")
    assert corpora_of(study.model_copy(update={"roles": roles})) == ["a", "b"]
    assert corpora_of(study) == CORPORA


def test_a_damaged_table_is_refused(study, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"dvc repro association"):
        read_table(tmp_path)
    store(None, "one", study, tmp_path, tmp_path / "runs")
    path = tmp_path / CROSS_FILE
    table = pd.read_csv(path)
    table.drop(columns="verdict").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"cross_source\.csv: no column verdict"):
        read_table(tmp_path)
    table.tail(29).to_csv(path, index=False)
    with pytest.raises(ValueError, match="does not hold each pair once"):
        read_table(tmp_path)
    path.write_text("")
    with pytest.raises(ValueError, match="is empty"):
        read_table(tmp_path)
