import pandas as pd

from sslmepr.analysis import status


def test_stage_graph_links_a_stage_to_what_it_reads(tmp_path):
    path = tmp_path / "dvc.yaml"
    path.write_text(
        """
stages:
  corpus:
    matrix: {corpus: [a, b]}
    deps: [notebooks/corpus.ipynb]
    outs: ["data/${item.corpus}/corpus"]
  extract:
    deps: ["data/${item.corpus}/corpus"]
    outs: [{"data/${item.corpus}/features": {cache: false}}]
  train:
    foreach: [1]
    do:
      deps: ["data/${roles.emotion}/features", "data/${roles.emotion}/corpus/x"]
      outs: ["runs/${study}/notebooks/train.ipynb"]
  book:
    deps: ["runs/${study}/notebooks"]
    outs: [site]
"""
    )
    edges = status.stage_graph(path)
    assert set(edges.itertuples(index=False, name=None)) == {
        ("corpus", "extract"),
        ("corpus", "train"),
        ("extract", "train"),
        ("train", "book"),
    }


def test_every_weight_has_a_licence_and_a_hash():
    table = status.weight_carriers()
    assert len(table) >= 3
    assert table["licence"].str.len().gt(0).all()
    assert table["sha256"].str.fullmatch("[0-9a-f]{16}").all()


def test_versions_are_those_installed():
    table = status.versions().set_index("package")["version"]
    assert table["pandas"] == pd.__version__
