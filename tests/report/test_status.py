import pandas as pd

from sslmepr.params.study import Roles
from sslmepr.report import status


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
      outs: ["runs/${study}/notebooks/train.ipynb", "results/${study}/train"]
  other:
    deps: ["results/real/train"]
    outs: ["data/${item.corpus}/own"]
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


def test_what_was_lost_is_counted_by_its_reason_as_written(settings, tmp_path):
    roles = Roles(emotion="x", personality="y", held_out="y")
    corpora = settings.model_copy(
        update={"corpora": ["x", "y", "unused"], "roles": roles, "replicates": {}}
    )
    for name, rows in (("x", "1,face,None\n2,face,None\n3,text,NA\n"), ("y", "")):
        for part in ("corpus", "features"):
            (tmp_path / name / part).mkdir(parents=True)
        clips = pd.DataFrame({"clip_id": ["1", "2", "3"]})
        clips.to_parquet(tmp_path / name / "corpus" / "clips.parquet")
        path = tmp_path / name / "features" / "missing.csv"
        path.write_text(f"clip_id,modality,reason\n{rows}")
    counts = status.clip_counts(corpora, tmp_path)
    assert counts.astype(object).where(counts.notna(), None).to_numpy().tolist() == [
        ["x", 3, "face", 2, "None"],
        ["x", 3, "text", 1, "NA"],
        ["y", 3, None, 0, None],
    ]
