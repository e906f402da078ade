"""Single clips: which are chosen, what is attributed, and what is said of them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from recordings import write_video

from sslmepr.corpora.schema import COLUMNS, read_clips, validate, write_clips
from sslmepr.explanation import cases
from sslmepr.explanation.cases import (
    choose_clips,
    coloured_words,
    describe_case,
    load_attention,
    load_cases,
)
from sslmepr.explanation.chain import Chain, attribute_steps, deletion_curve
from sslmepr.explanation.results import results, write_results
from sslmepr.explanation.sentences import (
    attention_findings,
    pointing_sentences,
    weight_sentences,
)
from sslmepr.features import write_store
from sslmepr.labels import (
    EMOTION_COLUMNS,
    EMOTIONS,
    SCORED_EMOTIONS,
    TARGETS,
    TRAIT_COLUMNS,
    TRAITS,
)
from sslmepr.models.crosstask import CrosstaskConfig, CrosstaskModel
from sslmepr.models.fusion import FusionConfig, FusionModel
from sslmepr.models.unimodal import UnimodalConfig
from sslmepr.report import theme
from sslmepr.simulation.channels import make_channels
from sslmepr.training.batches import ModalityClips
from sslmepr.training.checkpoints import load_seeds, save_checkpoint
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
KEYS = ("clip_id", "target", "modality")
SAID = "So, I feel a little down, I was not bothered."
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
        table["transcript"] = SAID
        table[list(EMOTION_COLUMNS)], table[list(TRAIT_COLUMNS)] = 0.5, 0.5
        table = validate(table, name, left_out=None if count else {"all": "absent"})
        write_clips(table, tmp_path / "data" / name / "corpus")
    held_out = tiny.roles.held_out
    write_video(tmp_path / "data" / held_out / "corpus" / "a.mp4")
    _plant(tiny, tmp_path / "data" / held_out, held_out_clips)
    clips, runs = read_study_clips(tiny, tmp_path / "data"), tmp_path / "runs"
    for corpus in clips.corpora:
        _write_features(tmp_path / "data" / corpus, clips, corpus)
    rows = np.arange(len(clips.table))
    for modality in ("face", "text"):
        folder = runs / "crosstask" / modality
        model = _stage_2()
        save_checkpoint(model, folder / "model")
        read = ModalityClips(clips, modality, tmp_path / "data")
        values, mask = map(torch.from_numpy, read.padded(rows))
        with torch.no_grad():
            said = model(values, mask)._asdict()
        outputs = {name: each.numpy() for name, each in said.items()}
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


def _plant(tiny, folder, count):
    """The truth of simulated clips, and where the face is in the picture."""
    rng = np.random.default_rng(1)
    truth = {"clip_id": [f"{folder.name}-{n}" for n in range(count)]}
    truth |= {"domain": ["monologue"] * count}
    for name, channel in make_channels(tiny.simulation).items():
        truth[f"quality_{name}"] = 1.0
        for control in channel.controls:
            truth[f"{name}_{control}"] = rng.standard_normal(count)
    pd.DataFrame(truth).to_parquet(folder / "corpus" / "truth.parquet")
    rows = [
        (clip, frame, name, "detected", 8.0, 8.0, 40.0, 40.0)
        for clip in truth["clip_id"]
        for frame in range(tiny.extract.frames)
        for name in ("face", "body")
    ]
    columns = ["clip_id", "frame", "modality", "provenance", "left", "top"]
    (folder / "features").mkdir()
    table = pd.DataFrame(rows, columns=[*columns, "right", "bottom"])
    table.to_parquet(folder / "features" / "regions.parquet")


def _write_features(folder, clips, corpus):
    rng = np.random.default_rng(len(corpus))
    ids = clips.table["clip_id"].to_numpy()[clips.rows(corpus)]
    for modality in ("face", "text"):
        steps = ((each, rng.standard_normal((5, WIDTH - 1))) for each in ids)
        steps = ((name, each.astype(np.float32)) for name, each in steps)
        write_store(folder / "features", modality, steps, "e", "1", None, WIDTH - 1)


def _stage_2():
    torch.manual_seed(3)
    shape = {"hidden": WIDTH, "block": "transformer", "layers": 1, "state": 4}
    stage_1 = [
        UnimodalConfig(task, WIDTH, **shape, heads=2, dropout=0.0) for task in TARGETS
    ]
    model = CrosstaskModel(CrosstaskConfig(*stage_1, WIDTH, 1, 2, 0.0)).eval()
    for part in (model.emotion_head, model.trait_head):
        torch.nn.init.normal_(part[-1].weight)
    return model


class Encoder:
    """Features that depend on what is read, in place of those of trained encoders."""

    def prepare(self, crop):
        return np.resize(crop, (9, 9, 3)).astype(np.uint8)

    def encode(self, given):
        if isinstance(given[0], str):
            return [
                np.array([[len(w), ord(w[0]) % 7, 1] for w in t.split()], np.float32)
                for t in given
            ]
        return np.stack([each.mean((0, 1)) / 255 for each in given]).astype(np.float32)


@pytest.fixture(autouse=True)
def encoders(monkeypatch):
    both = SimpleNamespace(image=Encoder(), text=Encoder())
    monkeypatch.setattr(cases, "load_encoders", lambda *_: both)


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


@pytest.fixture
def found(study, tiny):
    return load_cases(tiny, "my-variant", *study)


def test_cases_are_of_one_model_and_seed_from_well_to_badly_recognised(
    study, tiny, found
):
    count = tiny.attention.clips
    assert len(found.chosen) == count and found.chosen == sorted(found.chosen)
    assert set(found.predictions["stage"]) == {"fusion"}
    assert len(found.predictions) == 6 * 12
    shares = found.contributions.groupby(["clip_id", "target"])["share"].sum()
    assert len(shares) == 6 * 11 and shares.to_numpy() == pytest.approx(1)
    held_out = read_clips(study[1] / tiny.roles.held_out / "corpus")
    assert found.clips.index.tolist() == held_out["clip_id"].tolist()
    keys = ["clip_id", "target"]
    total = found.contributions.groupby(keys)["attribution"].sum()
    attributed = found.outputs.set_index(keys)["attributed"]
    np.testing.assert_allclose(total[attributed.index], attributed, atol=1e-5)
    assert set(found.truth.evidence["target"]) == {*SCORED_EMOTIONS, *TRAITS}


def test_words_and_regions_and_steps_are_of_the_clips_that_are_shown(found):
    for table in (found.words, found.regions, found.steps):
        assert set(table["clip_id"]) == set(found.chosen)
    words = found.words.drop_duplicates(["clip_id", "place"])
    assert words["piece"].tolist() == SAID.split() * len(found.chosen)
    assert set(found.regions["modality"]) == {"face"}  # no body is read by the model
    assert len(found.regions) == len(found.chosen) * 9 * 12
    assert set(found.pointing["target"]) <= {"sadness", "anger"}
    assert found.pointing["chance"].tolist() == pytest.approx([1 / 3] * 6)
    for name in found.chosen:
        emotion, trait = found.told(name)
        assert emotion in SCORED_EMOTIONS and trait in TRAITS
        mine = found.steps[found.steps["clip_id"] == name]
        assert set(mine["target"]) == {emotion, trait}


@pytest.fixture
def chain(study, tiny):
    (model, *_), data = cases._fused(tiny, "my-variant", *study)
    return Chain.of_study(model, data, *study)


def test_the_chain_is_the_model_and_its_steps_add_up(chain, tiny):
    rows = chain.data.rows(tiny.roles.held_out)
    with torch.no_grad():
        stored = chain.outputs(chain.data.batch(rows).inputs)
        again = chain.outputs(chain.inputs(chain.read(rows), len(rows)))
    torch.testing.assert_close(again, stored, rtol=1e-3, atol=1e-3)
    found = attribute_steps(chain, rows, ["fear"] * 6, steps=200)
    assert found.outputs["gap"].abs().max() < 0.02
    np.testing.assert_allclose(
        found.outputs["output"], stored[:, EMOTIONS.index("fear")], atol=2e-3
    )
    total = found.values.groupby("clip_id")["attribution"].sum()
    told = found.outputs.set_index("clip_id")["attributed"]
    np.testing.assert_allclose(total[told.index], told, atol=1e-5)
    assert len(found.values) == 6 * 2 * 5
    with pytest.raises(ValueError, match="predicts no 'joy'"):
        attribute_steps(chain, rows, ["joy"] * 6, steps=2)


def test_deletion_begins_at_the_clip_and_ends_at_its_baseline(chain, tiny):
    rows = chain.data.rows(tiny.roles.held_out)
    found = attribute_steps(chain, rows, ["openness"] * 6, steps=4)
    curve = deletion_curve(
        chain, rows, ["openness"] * 6, found.values, (0.0, 0.3, 1.0), seed=0
    )
    assert len(curve) == 2 * 3 * 6
    for _, mine in curve.groupby("order"):
        ends = mine.set_index("clip_id")
        for share, column in ((0.0, "output"), (1.0, "baseline")):
            values = ends.loc[ends["share"] == share, "output"]
            expected = found.outputs.set_index("clip_id")[column]
            np.testing.assert_allclose(values, expected[values.index], atol=1e-6)


def test_what_is_read_again_as_it_was_gives_the_same_output(chain, tiny):
    rows = chain.data.rows(tiny.roles.held_out)
    read = chain.sequences["face"]
    index = chain.data.clips.corpora.index(tiny.roles.held_out)
    own = [read._read(index, rows[[place]])[:, :-1] for place in range(len(rows))]
    with torch.no_grad():
        stored = chain.outputs(chain.data.batch(rows).inputs).numpy()
    np.testing.assert_allclose(chain.replaced(rows, "face", own), stored, atol=2e-3)
    other = chain.replaced(rows, "face", [each + 1 for each in own])
    assert np.abs(other - stored).max() > 0.01


def test_results_are_written_as_tables(study, tiny, found, tmp_path):
    attention = load_attention(tiny, "my-variant", *study)
    summary = results(found, attention, tiny)
    means = summary.used.groupby("target")["used"].sum()
    assert means.to_numpy() == pytest.approx(1)
    assert summary.pointing["clips"].sum() == 6
    assert set(summary.sanity["model"]) == {"trained", "shuffled weights"}
    write_results(summary, found, tmp_path / "out")
    written = {path.stem for path in (tmp_path / "out").iterdir()}
    others = {"contributions", "outputs", "steps", "regions", "words", "clauses"}
    assert written == {*summary._fields, *others}
    assert len(attention_findings(summary.used, summary.sanity)) == 4
    assert pointing_sentences(summary.pointing)
    # graph, two queries, product of experts, and that there is nothing to follow
    assert len(weight_sentences(summary.weights)) == 4 + 1


def test_a_study_without_held_out_clips_has_no_cases(tmp_path, tiny):
    folders = make_study(tmp_path, tiny, held_out_clips=0)
    found = load_cases(tiny, "my-variant", *folders)
    assert found.chosen == [] and found.predictions.empty
    assert list(found.contributions) == list(KEYS) + ["attribution", "share"]
    assert found.contributions.empty and found.truth is None
    attention = load_attention(tiny, "my-variant", *folders)
    assert attention.empty
    summary = results(found, attention, tiny)
    assert all(each.empty for each in summary)
    write_results(summary, found, tmp_path / "out")
    said = attention_findings(summary.used, summary.sanity)
    assert said == ["Not available: the held-out corpus has no clip."]


def test_held_out_clips_that_no_model_reads_are_no_cases(tmp_path, tiny):
    """They have the predictions of guessing alone."""
    folders = make_study(tmp_path, tiny, held_out_clips=0)
    path = folders[0] / "evaluate" / "predictions.parquet"
    table = pd.read_parquet(path)
    guessed = pd.DataFrame({name: [values] for name, values in GUESSED.items()})
    guessed["corpus"] = tiny.roles.held_out
    pd.concat([table, guessed], ignore_index=True).to_parquet(path)
    assert load_cases(tiny, "my-variant", *folders).chosen == []


GUESSED = {
    "clip_id": "a",
    "stage": "baseline",
    "modality": "any",
    "variant": "any",
    "seed": 0,
    "target": "anger",
    "predicted": 0.2,
}


def test_attention_is_of_every_clip_of_the_held_out_corpus(study, tiny):
    table = load_attention(tiny, "my-variant", *study)
    assert table["clip_id"].nunique() == 6
    assert len(table) == 6 * 2 * 4  # graph, two queries, product of experts
    means = table.groupby(["kind", "task", "clip_id"], dropna=False)["weight"].mean()
    assert means.to_numpy() == pytest.approx(1, abs=1e-5)


def test_attention_is_the_mean_over_the_seeds_of_training(study, tiny, monkeypatch):
    both = load_seeds(study[0] / "fusion" / "my-variant")
    assert len(both) > 1
    whole = load_attention(tiny, "my-variant", *study)
    single = []
    for seed, checkpoint in both.items():
        alone = {seed: checkpoint}
        monkeypatch.setattr(cases, "load_seeds", lambda folder, alone=alone: alone)
        single.append(load_attention(tiny, "my-variant", *study))
    weights = np.array([each.pop("weight") for each in single])
    assert weights.std(0).max() > 0.01
    np.testing.assert_allclose(whole.pop("weight"), weights.mean(0), atol=1e-6)
    pd.testing.assert_frame_equal(whole, single[0])


@pytest.fixture
def shown(monkeypatch):
    """What notebooks would show; figures and tabs by their HTML."""
    seen = []
    monkeypatch.setattr(cases, "display", seen.append)
    monkeypatch.setattr(theme, "display", lambda figure, raw: seen.append(figure))
    return seen


def test_a_clip_shows_the_emotions_that_the_evaluation_decided(found, tiny, shown):
    """Anger at .3 is present and sadness at .6 is not, as the column says."""
    name = f"{tiny.roles.held_out}-0"
    describe_case(found, name)
    texts = [each.data for each in shown if hasattr(each, "data")]
    assert texts[0] == f"### Clip {name}"
    told = "The model reads anger (0.30; raters 0.30) and fear (0.40; raters 0.40) in"
    assert told in " ".join(texts)
    assert "sadness (0.60)" not in " ".join(texts)
    assert any("in the average clip" in text for text in texts)


@pytest.mark.parametrize("corpus_shown", [True, False])
def test_a_clip_without_a_transcript_shows_the_rest(found, shown, corpus_shown):
    name = found.chosen[0]
    column = found.clips["transcript"]
    found.clips["transcript"] = column.mask(found.clips.index == name)
    if not corpus_shown:
        found.clips["media"] = None
    describe_case(found, name)
    if corpus_shown:
        assert "<video" in shown[1]._repr_html_()
    else:
        assert shown[1].data == "*no picture; “no words”*"


def test_words_are_coloured_by_sign_and_size():
    words = pd.DataFrame({"place": [1, 0], "piece": ["<b>", "So"]})
    page = coloured_words(words.assign(attribution=[-2.0, 1.0]))
    assert page.index("So") < page.index("&lt;b&gt;")
    assert 'title="+1.00" style="background:rgba(245,140,60,0.23)' in page
    assert 'title="−2.00" style="background:rgba(80,150,220,0.45)' in page


def test_where_no_clip_has_truth_they_are_spread_over_the_table():
    names = [f"c{place}" for place in (3, 1, 2, 0)]
    table = pd.DataFrame({"clip_id": names, "predicted": 0.5, "true": np.nan})
    assert choose_clips(table, 2) == ["c1", "c0"]
    assert choose_clips(table, 9) == names
