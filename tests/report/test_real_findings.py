"""Sentences and tables on real people say what the result tables hold."""

import pandas as pd
import pytest

from sslmepr.association.sources import NOTED, PREDICTED
from sslmepr.report import real_findings as module
from sslmepr.report.recorded_verdicts import CLAIM, DOUBT


def score(stage, modality, variant, metric, estimate, **other):
    row = {"corpus": "fiv2", "split": "test", "stage": stage, "modality": modality}
    row |= {"variant": variant, "seed": -1, "metric": metric, "target": "mean"}
    row |= {"estimate": estimate, "low": estimate - 0.01, "high": estimate + 0.01}
    return row | {"interval": "expanded_percentile", "n": 20, "n_speakers": 9} | other


@pytest.fixture
def traits():
    rows = []
    for metric, target in (("CCC", "mean"), ("CCC pooled", "pooled"), ("mACC", "mean")):
        for place, (stage, modality, variant) in enumerate(
            [
                ("baseline", "-", "-"),
                ("linear", "text", "-"),
                ("linear", "fused", "-"),
                ("unimodal", "text", "-"),
                ("unimodal", "audio", "-"),
                ("unimodal", "face", "-"),
                ("stacking", "fused", "-"),
                ("fusion", "fused", "multitask"),
            ]
        ):
            rows.append(
                score(stage, modality, variant, metric, place / 10, target=target)
            )
    table = pd.DataFrame(rows)
    constant = table["modality"] == "face"
    table.loc[constant, ["estimate", "low", "high"]] = 0.0
    return table


@pytest.fixture
def folds():
    rows = []
    values = {"fused": 0.8, "audio": 0.6, "face": 0.5}
    for scale in ("corpus", "speaker"):
        for modality, value in values.items():
            row = {"split": "folds", "method": f"discriminant, {modality}, by {scale}"}
            row |= {"interval": "expanded_percentile", "n": 32, "n_speakers": 16}
            ends = {"low": value - 0.05, "high": value + 0.05}
            rows.append(
                row | {"metric": "UAR", "target": "mean", "estimate": value} | ends
            )
            for name in ("calm", "sad"):
                rows.append(
                    row | {"metric": "recall", "target": name, "estimate": value} | ends
                )
        fused = {**row, "method": f"discriminant, fused, by {scale}"}
        for modality, gain in (("audio", 0.2), ("face", 0.3)):
            above = {"metric": "UAR above", "target": modality, "estimate": gain}
            rows.append(fused | above | {"low": gain - 0.1, "high": gain + 0.1})
    return pd.DataFrame(rows)


def test_speech_is_told_with_its_gain_over_the_better_modality(folds):
    (sentence,) = module.speech_findings(folds)
    assert "recall of 2 emotions, where guessing gives 0.500" in sentence
    assert "32 recordings of 16 actors" in sentence
    assert sentence.count("0.800 [0.750, 0.850]") == 2
    assert sentence.count("(+0.200 [0.100, 0.300] above the better") == 2
    assert "better single modality, audio)" in sentence
    assert sentence.endswith("of both, not of the fusion of the method.")


def test_nothing_is_told_of_voices_alone(folds):
    alone = folds[~folds["method"].str.contains("fused")]
    assert module.speech_findings(alone) == []


@pytest.fixture
def gains():
    """The default model above two modalities and linear fusion, and networks above
    probes."""
    rows = []
    for corpus, split, task, metric, target, scale in (
        ("fiv2", "test", "personality", "CCC", "mean", 1.0),
        ("fiv2", "dev", "personality", "CCC", "mean", 2.0),
        ("fiv2", "test", "personality", "CCC", "openness", 0.5),
        ("ravdess", "dev", "emotion", "UAR", "mean", 0.1),
    ):
        for model, against, difference in (
            ("multitask", "audio", 0.02),
            ("multitask", "text", 0.05),
            ("multitask", "linear_fusion", -0.01),
            ("text", "linear", 0.02),
            ("audio", "linear", -0.02),
        ):
            row = {"corpus": corpus, "split": split, "task": task, "model": model}
            row |= {"against": against, "metric": metric, "target": target}
            difference *= scale
            row |= {"estimate": 0.5 + difference, "reference": 0.5}
            ends = {"low": difference - 0.01, "high": difference + 0.01}
            rows.append(row | {"difference": difference} | ends | {"n": 20})
    return pd.DataFrame(rows)


NO_GAINS = pd.DataFrame()


def summary_of(found, **told):
    """Of a corpus of whose five test clips as many were found."""
    return {"published": {"clips": {"test": {"expected": 5, "found": found}}}} | told


def test_held_out_clips_are_those_that_the_summary_names():
    dev, test = summary_of(0, dev_as_test=True), summary_of(4, dev_as_test=False)
    blogs = module.held_out_told({"fiv2": dev}, "fiv2")
    assert blogs == "published validation clips, on which nothing was chosen"
    assert module.held_out_told({"fiv2": test}, "fiv2") == "published test clips"
    (same,) = module.held_out_findings({"fiv2": dev, "meld": dev})
    assert same.startswith("Scores of First Impressions and of MELD are of published")
    (differ,) = module.held_out_findings({"fiv2": test, "meld": dev})
    assert "First Impressions are of published test clips; those of MELD, of" in differ
    # Records of earlier versions do not say it.
    assert module.held_out_told({"meld": summary_of(2)}, "meld") == blogs
    assert (
        module.held_out_told({"meld": summary_of(5)}, "meld") == "published test clips"
    )


def test_gains_are_over_the_better_modality_and_over_linear_fusion(traits, gains):
    (sentence,) = module.trait_findings(traits, traits, gains)
    assert sentence.endswith(
        "In concordance (CCC) the model is +0.020 [0.010, 0.030] above audio alone, "
        "the better single modality, and −0.010 [−0.020, 0.000] above linear fusion."
    )


def test_gains_of_each_trait_have_a_row(gains):
    found = module.gain_forest(gains, "fiv2")
    assert set(found["variant"]) == {"all of them", "openness"}
    mine = found[found["variant"] == "openness"].set_index("metric")["difference"]
    assert mine.to_dict() == pytest.approx(
        {"above audio": 0.01, "above text": 0.025, "above linear fusion": -0.005}
    )
    assert module.gain_forest(NO_GAINS, "fiv2").empty


def test_traits_are_told_in_both_splits(traits):
    other = traits.assign(estimate=traits["estimate"] / 2)
    (sentence,) = module.trait_findings(traits, other, NO_GAINS)
    assert "CCC 0.700 [0.690, 0.710], pooled 0.700" in sentence
    assert "video blogs, from text and audio)" in sentence
    assert "text alone 0.300, audio alone 0.400" in sentence
    assert "20 clips of 9 videos" in sentence
    assert "both sides CCC 0.350" in sentence


def test_lines_are_told_beside_a_linear_model(traits):
    lines = traits[traits["metric"] == "CCC"].assign(metric="weighted F1")
    (sentence,) = module.line_findings(lines, NO_GAINS)
    assert "weighted F1 0.700 [0.690, 0.710] over 20 lines" in sentence
    assert "reaches 0.100, guessing 0.000" in sentence


def test_a_forest_has_what_can_tell_the_task(traits):
    found = module.model_forest(traits, ("CCC", "mACC"))
    ccc = found[found["metric"] == "CCC"].set_index("modality")
    assert [*ccc.index] == [
        "text",
        "audio",
        "linear_fusion",
        "late_fusion",
        "multitask",
    ]
    assert (ccc["baseline"] == 0).all() and ccc.loc["late_fusion", "estimate"] == 0.6


def test_one_modality_alone_has_no_linear_fusion(traits):
    found = module.model_forest(traits[traits["modality"] != "audio"], ("CCC",))
    assert [*found["modality"]] == ["text", "multitask"]


def test_the_forest_of_folds_ends_with_all_fused(folds):
    found = module.fold_forest(folds)
    part = found[found["metric"] == "UAR, by speaker"]
    assert [*part["modality"]] == ["audio", "face", "fused"]
    assert (found["baseline"] == 0.5).all()


def test_networks_of_stage_1_stand_beside_their_linear_models(gains, folds):
    """On test where there is a test split; of folds, for single modalities."""
    found = module.stage_1_table(gains, folds)
    assert found[["corpus", "clips_of", "modality", "verdict"]].to_numpy().tolist() == [
        ["fiv2", "held out", "text", "above"],
        ["fiv2", "held out", "audio", "below"],
        ["ravdess", "dev", "text", "within .003"],
        ["ravdess", "dev", "audio", "within .003"],
    ]
    assert found["difference"].tolist()[:2] == [
        "+0.020 [0.010, 0.030]",
        "−0.020 [−0.030, −0.010]",
    ]
    # a discriminant analysis at .6, and .05 above a support vector machine
    audio = folds[folds["method"] == "discriminant, audio, by corpus"]
    gain = {"metric": "UAR above", "target": "svm", "estimate": 0.05, "low": 0.01}
    above = audio[audio["metric"] == "UAR"].assign(**gain, high=0.09)
    (row,) = module.stage_1_table(NO_GAINS, pd.concat([folds, above])).to_dict(
        "records"
    )
    assert row == {
        "corpus": "ravdess",
        "clips_of": "actors left out in turn",
        "modality": "audio",
        "model": "discriminant analysis",
        "against": "support vector machine",
        "metric": "UAR, by corpus",
        "estimate": 0.6,
        "reference": pytest.approx(0.55),
        "difference": "+0.050 [0.010, 0.090]",
        "verdict": "above",
    }


def test_sources_are_the_single_modalities_of_a_forest(traits, folds):
    both = module.model_forest(traits, ("CCC",))
    assert module.sources_told(both) == "text and audio, alone and both"
    words = module.model_forest(traits[traits["modality"] != "audio"], ("CCC",))
    assert module.sources_told(words) == "text"
    assert module.sources_told(module.fold_forest(folds)).startswith("audio and face")


@pytest.fixture
def described():
    rows = []

    def row(method, metric, estimate, against="", target="mean"):
        ends = {"low": estimate - 0.01, "high": estimate + 0.01}
        names = {"method": method, "metric": metric, "against": against}
        rows.append(names | {"target": target, "estimate": estimate} | ends)

    kernels = "late fusion of kernel regressions"
    for place, method in enumerate(("face", "text", "ridge on all", kernels)):
        row(method, "r", 0.3 + place / 10)
        row(method, "mACC", 0.9)
        row(method, "r", 0.9, target="openness")
    row("guessing", "mACC", 0.88)
    gains = {"face": 0.3, "text": 0.2, "ridge on all": 0.1, "late fusion": 0.05}
    for against, gain in gains.items():
        row(kernels, "r above", gain, against)
    row(kernels, "mACC above", 0.002, "ridge on all")
    return pd.DataFrame(rows).assign(split="folds", n=30, n_speakers=20)


def test_described_people_are_told_with_what_fusion_gains(described):
    (sentence,) = module.described_findings(described)
    assert "30 clips of 20 videos" in sentence and "on 2 modalities" in sentence
    assert "by 0.600 [0.590, 0.610]" in sentence
    assert "+0.100 [0.090, 0.110] above ridge regression on all" in sentence
    assert "absolute error +0.0020 [−0.0080, 0.0120] above it" in sentence
    assert "+0.200 [0.190, 0.210] above the better single modality, text" in sentence
    assert module.described_findings(NO_GAINS) == []


def test_the_forest_of_described_people_has_guessing_beside_it(described):
    found = module.described_forest(described)
    assert "guessing" not in set(found["modality"])
    floors = found.groupby("metric")["baseline"].unique().map(list).to_dict()
    assert floors == {"mACC": [0.88], "r": [0.0]}
    assert module.described_forest(NO_GAINS).empty


def test_checks_that_could_not_be_made_are_said_to_be_none(tmp_path):
    assert "nothing to check" in repr(module.checks(tmp_path))
    row = {"assumption": ["sensors"], "p": [0.0], "verdict": ["fails"]}
    pd.DataFrame(row).to_csv(tmp_path / "assumptions.csv", index=False)
    shown = module.checks(tmp_path).frame.iloc[0].tolist()
    assert shown == ["errors of one sensor", "< .001", "fails"]


def test_bounds_are_averaged_and_known_signs_counted():
    bounds = pd.DataFrame(
        {"explained_emotion": [0.1, 0.3], "explained_trait": [0.2, 0.2]}
        | {"low": [-0.5, 0.1], "high": [0.5, 0.7]}
        | {"interval_low": [-0.6, 0.05], "interval_high": [0.6, 0.8]}
    )
    (row,) = module.bounds_told(bounds).to_dict("records")
    assert row["sign_known"] == 1 and row["explained_emotion"] == pytest.approx(0.2)
    assert row["low"] == pytest.approx(-0.2)


def test_what_observers_noted_is_told_for_one_emotion():
    """Beside what the model and self-reports say, where they say anything."""
    rows = [
        {"emotion": emotion, "trait": trait, "source": source, "r": r}
        for source, shift in ((NOTED, 0.0), (PREDICTED, 0.1), ("costa1992", 0.2))
        for emotion, r in (("happiness", 0.3 + shift), ("sadness", -0.2))
        for trait in ("openness", "extraversion")
    ]
    rows.append({"emotion": "happiness", "trait": "agreeableness", "source": PREDICTED})
    table = pd.DataFrame(rows)
    table = table.assign(low=table["r"] - 0.1, high=table["r"] + 0.1, n=680.0)
    (sentence,) = module.outside_findings(table)
    assert "a word of happiness of a face" in sentence and "same 680 clips" in sentence
    assert "clips: openness .30 [.20, .40], extraversion .30 [.20, .40]." in sentence
    assert "predicted by the model: openness .40 [.30, .50]" in sentence
    assert "norms of the NEO PI-R: openness .50" in sentence
    assert "sadness" not in sentence and "agreeableness" not in sentence
    assert module.outside_findings(NO_GAINS) == []


DOUBTED = [f"{DOUBT}: x.", f"{CLAIM} y.", "**Present**, 1 of 30: z."]


def test_refused_verdicts_do_not_look_like_verdicts():
    assert module.refused(DOUBTED) and not module.refused(DOUBTED[1:])
    assert module.verdict_findings(DOUBTED[1:]) == DOUBTED[1:]
    doubt, *others = module.verdict_findings(DOUBTED[1:] + DOUBTED[:1])
    assert doubt == DOUBTED[0]
    assert others[1] == "*Not to be relied on:* Present, 1 of 30: z."


SHARED = {
    "clips": {"test": 200, "dev": 50},
    "clips_sharing_a_speaker": {"test": 140, "dev": 0},
}


def test_the_first_screen_has_the_doubt_before_the_scores(traits, folds):
    lines = traits[traits["metric"] == "CCC"].assign(metric="weighted F1")
    summary = {"meld": summary_of(2), "fiv2": summary_of(2) | SHARED}
    tables = {"fiv2": traits, "meld": lines}
    apart = traits.assign(estimate=traits["estimate"] / 2)

    def told(verdicts, folds=folds):
        return module.chapter_findings(
            verdicts, tables, apart, folds, summary
        ).sentences

    answer, sure, unsaid = told(DOUBTED)
    assert answer.startswith("**Which emotions go with which traits in real people ca")
    assert "a concordance of 0.700 [0.690, 0.710] (CCC" in answer
    assert "recall of 0.800 [0.750, 0.850] (guessing gives 0.500)." in answer
    assert "70 % of the clips" in sure and sure.endswith("0.350 [0.690, 0.710].")
    assert unsaid.startswith("**What it does not say.** These are labels")
    assert told(DOUBTED[1:])[0].startswith(f"{CLAIM} y. How well labels are read: ")
    assert told(["**No verdict.** x"])[0].startswith("**No verdict.** x How well")
    alone = folds[~folds["method"].str.contains("fused")]
    assert "actors who" not in told(DOUBTED, alone)[0]


def test_scores_without_shared_videos_stand_beside_those_with_them(traits, gains):
    apart = traits.assign(estimate=traits["estimate"] / 2)
    seen, more = module.seen_videos_findings({"fiv2": SHARED}, traits, apart, gains)
    assert "70 % of the clips that are held out" in seen
    assert "the model 0.350 [0.690, 0.710] instead of 0.700 [0.690" in seen
    assert "text alone 0.150" in seen and "audio alone 0.200" in seen
    assert "face" not in seen
    assert "audio −0.020 [−0.030, −0.010] there and −0.040 [−0.050, −0.030]" in more
    assert "(the intervals overlap)" in more
    wide = gains.assign(low=gains["difference"] - 0.005)
    wide = wide.assign(high=gains["difference"] + 0.005)
    (_, more) = module.seen_videos_findings({"fiv2": SHARED}, traits, apart, wide)
    assert "on dev, surely less where videos were met" in more
    assert "on dev, surely more where videos were met" in more
    shared = SHARED | {"clips_sharing_a_speaker": {"test": 140, "dev": 5}}
    assert len(module.seen_videos_findings({"fiv2": shared}, traits, apart, wide)) == 1


def test_parts_are_told_where_real_people_are_read_worse_or_better():
    rows = [
        ("predict_projector", False, "CCC", -0.02, -0.03, -0.01, "worse"),
        ("contrary_words", False, "CCC", 0.0, -0.01, 0.01, "equivalent"),
        ("late_fusion", False, "CCC", 0.02, 0.01, 0.03, "better"),
        ("guide_bank", True, "CCC", 0.02, 0.01, 0.03, "better"),
    ]
    names = ["component", "added", "metric", "gain", "low", "high", "verdict"]
    whole, parts = module.part_findings(pd.DataFrame(rows, columns=names))
    assert whole.startswith("**Stage 3 adds to late fusion for traits**")
    assert parts == (
        "**Parts of the model.** Real people are read worse with predict projector "
        "(concordance (CCC) −0.020 [−0.030, −0.010]); better with none."
    )
    *_, others = module.part_findings(pd.DataFrame(rows, columns=names), "Actors")
    assert others == parts.replace("Real people", "Actors")
    assert module.part_findings(NO_GAINS) == []


def test_a_disturbed_model_is_told_beside_linear_fusion():
    rows = [
        ("none", "", 0.0, 0.00, -0.01, 0.01),
        ("removed", "audio", 0.0, 0.10, 0.08, 0.12),
        ("noise", "audio", 1.0, -0.085, -0.13, -0.03),
        ("noise", "text", 2.0, 0.01, -0.02, 0.04),
    ]
    columns = ["disturbance", "modality", "dose", "above", "above_low", "above_high"]
    own = pd.DataFrame(rows, columns=columns)
    own = own.assign(corpus="fiv2", metric="CCC", model="multitask")
    found = pd.concat([own, own.assign(model="linear_fusion", above=0.5)])
    (told,) = module.robustness_findings(found.reset_index(drop=True))
    better, worse, alike = told.split("; ")
    assert "surely better: without audio (CCC 0.100 [0.080, 0.120])" in better
    assert worse.startswith("surely worse: audio with noise, 1 SD (CCC −0.085")
    assert alike == "not told apart: 1 of 3."
    for few in (0, 1):
        assert module.robustness_findings(own.iloc[:few]) == []
