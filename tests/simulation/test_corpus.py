import json

import numpy as np
import pandas as pd
import pytest
from plain import plain

from sslmepr.corpora.schema import CorpusError, read_clips
from sslmepr.labels import EMOTION_COLUMNS, MODALITIES, TRAIT_COLUMNS, TRAITS
from sslmepr.params import load, parse
from sslmepr.simulation.corpus import build_simulated
from sslmepr.simulation.plan import render_clip


def small_params(**changes):
    tree = plain(load("params.yaml")).model_dump()
    tree["compute"]["workers"] = 1
    tree["simulation"]["frame"] = {"width": 160, "height": 128, "frames_per_second": 3}
    tree["simulation"] |= changes
    for name in ("tiny_emotion", "tiny_joint"):
        tree["corpus"][name] |= {"clips": 4, "persons": 3}
    return parse(tree, "test")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora") / "tiny_emotion"
    summary = build_simulated("tiny_emotion", small_params(), folder, progress=False)
    return folder, summary


def contents(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_a_corpus_holds_what_it_promises(built):
    folder, summary = built
    table = read_clips(folder)
    assert len(table) == summary["clips"] == summary["rendered"] == 4
    assert all((folder / path).stat().st_size > 1000 for path in table.media)
    assert table[list(EMOTION_COLUMNS)].notna().all().all()
    assert table[list(TRAIT_COLUMNS)].isna().all().all()
    assert set(table.split) == {"train", "dev", "test"}
    assert table.speaker_id.nunique() == 3
    assert table.transcript.str.split().str.len().between(8, 13).all()


def test_the_truth_lies_beside_the_labels(built):
    folder, _ = built
    table, truth = read_clips(folder), pd.read_parquet(folder / "truth.parquet")
    assert truth.clip_id.tolist() == table.clip_id.tolist()
    anger = np.clip((truth.latent_anger - 0.8) / 1.7, 0, 1)
    np.testing.assert_allclose(table.emotion_anger, anger)
    assert truth.filter(like="text_").shape == (4, 11)
    scores = json.loads((folder / "ideal_observer.json").read_text())
    assert list(scores) == ["face", "body", "scene", "audio", "text", "all"]
    assert not any("controls" in each for each in scores.values())
    assert len(pd.read_csv(folder / "ideal_association.csv")) == 6 * 30


def test_the_truth_says_how_well_a_channel_is_seen(tmp_path, monkeypatch):
    """0 where it is absent, otherwise the precision of its controls: 1 on average."""
    monkeypatch.setattr(
        "sslmepr.simulation.corpus.render_clip",
        lambda plan, simulation, path: path.write_bytes(b""),
    )
    seen = []
    for doses in ({}, {"reliability": 1.0, "missing": 1.0}):
        settings = small_params(knobs=doses)
        many = {"clips": 60, "persons": 60}
        corpus = settings.corpus["tiny_joint"].model_copy(update=many)
        settings.corpus["tiny_joint"] = corpus
        folder = tmp_path / str(len(seen))
        build_simulated("tiny_joint", settings, folder, progress=False)
        truth = pd.read_parquet(folder / "truth.parquet")
        seen.append(truth.filter(regex="^quality_"))
        for name in MODALITIES:
            absent = truth.filter(regex=f"^{name}_").eq(0).all(axis=1)
            assert (absent == (truth[f"quality_{name}"] == 0)).all()
    assert [*seen[0]] == [f"quality_{name}" for name in MODALITIES]
    assert (seen[0] == 1).all(axis=None)
    # noise of 1, 3 and 9 in shares of 1/2, 1/4 and 1/4, at a mean precision of 1
    mean = 1 / 2 + (1 / 9 + 1 / 81) / 4
    levels = np.array([0, 1 / 81, 1 / 9, 1])
    found = np.unique(seen[1].to_numpy().round(9))
    np.testing.assert_allclose(found, (levels / mean).round(9))


@pytest.mark.parametrize("missing", [0.0, 1.0])
def test_clips_that_are_text_alone_change_nothing_about_the_others(
    tmp_path, monkeypatch, missing
):
    def empty(plan, simulation, path):
        path.write_bytes(b"")

    monkeypatch.setattr("sslmepr.simulation.corpus.render_clip", empty)
    tables, truths, files = [], [], []
    for place, count in enumerate((0, 40)):
        tuned = small_params(knobs={"missing": missing, "reliability": 0.5})
        corpus = tuned.corpus["tiny_emotion"]
        corpus = corpus.model_copy(update={"text_only": count})
        tuned.corpus["tiny_emotion"] = corpus
        folder = tmp_path / str(place)
        summary = build_simulated("tiny_emotion", tuned, folder, progress=False)
        assert (summary["clips"], summary["text_only"]) == (4 + count, count)
        assert summary["rendered"] == 4
        tables.append(read_clips(folder))
        truths.append(pd.read_parquet(folder / "truth.parquet"))
        files.append(contents(folder))
    for fewer, more in (tables, truths):
        pd.testing.assert_frame_equal(more.head(4), fewer)
    written = [{n: f[n] for n in f if not n.endswith("parquet")} for f in files]
    assert written[0] == written[1]  # media, their recipe, and the ideal observer
    further = tables[1].tail(40)
    assert further["media"].isna().all() and set(further["split"]) == {"train"}
    assert not set(further["speaker_id"]) & set(tables[0]["speaker_id"])
    assert further["speaker_id"].nunique() == 30  # 4 clips of 3 people, as the others
    assert not further["transcript"].str.contains("inaudible").any()
    assert further[list(EMOTION_COLUMNS)].notna().all(axis=None)
    assert further[list(TRAIT_COLUMNS)].isna().all(axis=None)
    told = truths[1].tail(40)
    assert (told["quality_text"] > 0).all()
    others = [f"quality_{name}" for name in MODALITIES if name != "text"]
    assert (told[others] == 0).all(axis=None)


def test_an_interrupted_run_goes_on_where_it_stopped(built):
    folder, _ = built
    before = contents(folder)
    (folder / "media" / "tiny_emotion-0002.mp4").unlink()
    (folder / "clips.parquet").unlink()
    again = build_simulated("tiny_emotion", small_params(), folder, progress=False)
    assert again["rendered"] == 1
    assert contents(folder) == before


def test_what_was_rendered_lies_where_dvc_empties_nothing(built, tmp_path, monkeypatch):
    def killed_at_the_third(plan, simulation, path):
        if len(list(path.parent.glob("*.mp4"))) == 2:
            raise KeyboardInterrupt
        render_clip(plan, simulation, path)

    folder = tmp_path / "tiny_emotion"
    with monkeypatch.context() as patched:
        patched.setattr("sslmepr.simulation.corpus.render_clip", killed_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            build_simulated("tiny_emotion", small_params(), folder, progress=False)
    assert not folder.exists()  # so that there is nothing for DVC to remove
    again = build_simulated("tiny_emotion", small_params(), folder, progress=False)
    assert again["rendered"] == 2
    assert contents(folder) == contents(built[0])
    assert [path.name for path in tmp_path.iterdir()] == ["tiny_emotion"]


def test_media_of_other_settings_are_not_kept(built, tmp_path):
    build_simulated("tiny_joint", small_params(), tmp_path, progress=False)
    before = contents(tmp_path)
    changed = small_params(seconds=[3.0, 4.0])
    again = build_simulated("tiny_joint", changed, tmp_path, progress=False)
    assert again["rendered"] == 4
    assert contents(tmp_path).keys() == before.keys()
    table = read_clips(tmp_path)
    assert set(table.split) == {"test"}
    assert table[[*EMOTION_COLUMNS, *TRAIT_COLUMNS]].notna().all().all()


def test_labels_are_those_of_the_raters_and_the_truth_lies_beside(
    tmp_path, monkeypatch
):
    def empty(plan, simulation, path):
        path.write_bytes(b"")

    monkeypatch.setattr("sslmepr.simulation.corpus.render_clip", empty)
    raters = {"count": 5, "halo": 0.3, "noise_sd": 0.5, "dose": 1.0}
    tables, truths, scores = [], [], []
    for changes in ({}, {"raters": raters}):
        folder = tmp_path / str(len(tables))
        build_simulated("tiny_joint", small_params(**changes), folder, progress=False)
        tables.append(read_clips(folder))
        truths.append(pd.read_parquet(folder / "truth.parquet"))
        scores.append(json.loads((folder / "ideal_observer.json").read_text()))
    pd.testing.assert_frame_equal(*truths)
    traits = [table[list(TRAIT_COLUMNS)].to_numpy() for table in tables]
    assert 0 < np.abs(traits[0] - traits[1]).max() < 0.15
    assert tables[1][list(EMOTION_COLUMNS)].to_numpy().min() >= 0
    assert scores[1]["all"]["truth"]["personality"] == pytest.approx(
        scores[0]["all"]["personality"]
    )
    assert scores[1]["all"]["personality"] != scores[0]["all"]["personality"]
    assert set(scores[1]["all"]["rating_ceiling"]) == set(TRAITS)
    by_words = [name for name in scores[1] if "controls" in scores[1][name]]
    assert by_words == ["text", "all"]  # held out
    assert "truth" not in scores[0]["all"]


def test_only_simulated_corpora_can_be_simulated(tmp_path):
    for name in ("meld", "nowhere"):
        with pytest.raises(CorpusError, match=f"corpus.{name}: not a simulated"):
            build_simulated(name, small_params(), tmp_path, progress=False)
