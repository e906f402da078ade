"""Single clips: which are chosen, what is attributed, and what is said of them."""

import numpy as np
import pandas as pd
import pytest
import torch
from recordings import write_video

from sslmepr.corpora.schema import COLUMNS, read_clips, validate, write_clips
from sslmepr.explanation import cases
from sslmepr.explanation.cases import (
    choose_clips,
    describe_case,
    load_attention,
    load_cases,
)
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, TARGETS, TRAIT_COLUMNS, TRAITS
from sslmepr.models.fusion import FusionConfig, FusionModel
from sslmepr.report import theme
from sslmepr.training.checkpoints import save_checkpoint
from sslmepr.training.clips import read_study_clips
from sslmepr.training.outputs import write_outputs


def test_clips_are_spread_over_the_ranks_of_error():
    predicted = np.arange(8) / 10
    table = pd.DataFrame(
        {"clip_id": [f"c{place}" for place in range(8)], "predicted": predicted}
    ).assign(true=0.0)
    assert choose_clips(table, 4) == ["c1", "c3", "c5", "c7"]


def test_clips_without_truth_are_left_out():
    table = pd.DataFrame(
        {"clip_id": ["a", "b"], "predicted": [0.1, 0.2], "true": [np.nan, 0.0]}
    )
    assert choose_clips(table, 3) == ["b"]


WIDTH = 4
KEYS = ("clip_id", "target", "modality", "half")
TOLD = {"anger": 0.3, "fear": 0.4, "sadness": 0.6}
"""Probabilities of clip joint-0; anger and fear are decided present, sadness not."""


@pytest.fixture
def study(tmp_path, tiny):
    """Folders of a study whose two-modality model has random weights."""
    return make_study(tmp_path, tiny, held_out_clips=6)


def make_study(tmp_path, tiny, held_out_clips):
    for role, name in tiny.roles.model_dump().items():
        count = held_out_clips if role == "held_out" else 6
        ids = [f"{name}-{n}" for n in range(count)]
        splits = ["train", "train", "dev", "dev", "test", "test"][:count]
        table = pd.DataFrame({"clip_id": ids, "speaker_id": ids, "split": splits})
        table = table.assign(media="a.mp4").reindex(columns=list(COLUMNS))
        table["transcript"] = "so it goes"
        table[list(EMOTION_COLUMNS)], table[list(TRAIT_COLUMNS)] = 0.5, 0.5
        table = validate(table, name, left_out=None if count else {"all": "absent"})
        write_clips(table, tmp_path / "data" / name / "corpus")
    held_out = tiny.roles.held_out
    write_video(tmp_path / "data" / held_out / "corpus" / "a.mp4")
    clips, runs = read_study_clips(tiny, tmp_path / "data"), tmp_path / "runs"
    rng = np.random.default_rng(0)
    rows = np.arange(len(clips.table))
    for modality in ("face", "text"):
        folder = runs / "crosstask" / modality
        folder.mkdir(parents=True)
        values = {
            "emotion_embedding": WIDTH,
            "personality_embedding": WIDTH,
            "emotion_logits": 7,
            "trait_scores": 5,
            "features": WIDTH,
        }
        outputs = {
            name: rng.random((len(rows), width)).astype(np.float32)
            for name, width in values.items()
        }
        write_outputs(folder, clips, rows, outputs, modality)
    torch.manual_seed(0)
    sizes = dict.fromkeys(("face", "text"), 2 * WIDTH)
    config = FusionConfig(sizes, 8, 2, 0.0, features=dict.fromkeys(sizes, WIDTH))
    digests = {f"crosstask/{name}": name for name in sizes}
    for seed in tiny.fusion.seeds:
        stem = runs / "fusion" / "my-variant" / f"seed-{seed}"
        save_checkpoint(
            FusionModel(config), stem, trained_on=digests, seeds=tiny.fusion.seeds
        )
    # Without held-out clips, predictions are those of another corpus.
    predicted = held_out if held_out_clips else tiny.roles.emotion
    table = _predictions(predicted, tiny.fusion.seeds[0])
    (runs / "evaluate").mkdir()
    # Neither another seed nor what stage 3 starts from may be taken instead.
    others = [table.assign(seed=99), table.assign(stage="stacking")]
    others = [each.assign(predicted=0.0, decided=False) for each in others]
    pd.concat([*others, table]).to_parquet(runs / "evaluate" / "predictions.parquet")
    return runs, tmp_path / "data"


def _predictions(corpus, seed):
    targets = [name for names in TARGETS.values() for name in names]
    rows = pd.MultiIndex.from_product(
        [[f"{corpus}-{n}" for n in range(6)], targets], names=["clip_id", "target"]
    )
    table = pd.DataFrame(index=rows).reset_index()
    table["predicted"] = table["target"].map(TOLD).fillna(0.1)
    error = table["clip_id"].str[-1].astype(float) / 10  # joint-0 is told best
    table["true"] = table["predicted"] + error
    decided = table["target"].isin(["anger", "fear"]).astype("boolean")
    table["decided"] = decided.mask(table["target"].isin(TRAITS))
    names = {"stage": "fusion", "modality": "fused", "variant": "my-variant"}
    return table.assign(**names, corpus=corpus, split="test", seed=seed)


def test_cases_are_of_one_model_and_seed_from_well_to_badly_recognised(study, tiny):
    found = load_cases(tiny, "my-variant", *study)
    count = tiny.attention.clips
    assert len(found.chosen) == count and found.chosen == sorted(found.chosen)
    assert set(found.predictions["stage"]) == {"fusion"}
    assert len(found.predictions) == 6 * 12
    assert set(found.attributions["clip_id"]) == set(found.chosen)
    shares = found.contributions.groupby(["clip_id", "target"])["share"].sum()
    assert shares.to_numpy() == pytest.approx(1)
    assert set(found.contributions["target"]) <= {*EMOTIONS, *TRAITS}
    held_out = read_clips(study[1] / tiny.roles.held_out / "corpus")
    assert found.clips.index.tolist() == held_out["clip_id"].tolist()


def test_a_study_without_held_out_clips_has_no_cases(tmp_path, tiny):
    folders = make_study(tmp_path, tiny, held_out_clips=0)
    found = load_cases(tiny, "my-variant", *folders)
    assert found.chosen == [] and found.predictions.empty
    assert list(found.contributions) == list(KEYS) + ["attribution", "share"]
    assert found.contributions.empty
    assert [table.empty for table in load_attention(tiny, "my-variant", *folders)] == [
        True,
        True,
    ]


def test_attention_is_of_every_clip_of_the_held_out_corpus(study, tiny):
    graph, queries = load_attention(tiny, "my-variant", *study)
    assert len(graph) == 6 * 2 * 2 and graph["clip_id"].nunique() == 6
    for table, keys in ((graph, ["modality"]), (queries, ["task"])):
        sums = table.groupby(["clip_id", *keys])["attention"].sum()
        assert sums.to_numpy() == pytest.approx(1, abs=1e-5)


def test_a_clip_shows_the_emotions_that_the_evaluation_decided(
    study, tiny, monkeypatch
):
    """Anger at .3 is present and sadness at .6 is not, as the column says."""
    shown = []
    monkeypatch.setattr(cases, "display", shown.append)
    monkeypatch.setattr(theme, "display", lambda figure, raw: shown.append(figure))
    # This clip is not among those whose outputs are attributed.
    monkeypatch.setattr(cases.figures, "attribution_heatmap", lambda *_, **__: None)
    found = load_cases(tiny, "my-variant", *study)
    describe_case(found, f"{tiny.roles.held_out}-0")
    texts = [each.data for each in shown if not isinstance(each, dict)]
    assert texts[0] == f"### Clip {tiny.roles.held_out}-0"
    assert "The clip shows anger (0.30) and fear (0.40);" in " ".join(texts)
    assert "sadness (0.60)" not in " ".join(texts)


@pytest.mark.parametrize("corpus_shown", [True, False])
def test_a_clip_without_a_transcript_shows_the_rest(
    study, tiny, monkeypatch, corpus_shown
):
    """Drawn in full: pictures and sound stay, and no words are made up."""
    shown = []
    monkeypatch.setattr(cases, "display", shown.append)
    monkeypatch.setattr(theme, "display", lambda figure, raw: shown.append(figure))
    found = load_cases(tiny, "my-variant", *study)
    name = found.chosen[0]
    found.clips["transcript"] = found.clips["transcript"].mask(
        found.clips.index == name
    )
    if not corpus_shown:
        found.clips["media"] = None
    describe_case(found, name)
    if corpus_shown:
        assert f"Key frames and waveform of clip {name}" in shown[1]["text/html"]
        assert "<figcaption>" not in shown[1]["text/html"]
    else:
        assert shown[1].data == "*no picture; “no words”*"


def test_where_no_clip_has_truth_they_are_spread_over_the_table():
    names = [f"c{place}" for place in (3, 1, 2, 0)]
    table = pd.DataFrame({"clip_id": names, "predicted": 0.5, "true": np.nan})
    assert choose_clips(table, 2) == ["c1", "c0"]
    assert choose_clips(table, 9) == names
