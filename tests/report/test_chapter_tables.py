import numpy as np
import pandas as pd

from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS
from sslmepr.report import chapter_tables
from sslmepr.report.tables import Table


def test_show_tree_has_a_table_for_each_parent_and_folds_what_lies_below_a_key():
    tree = {
        "study": "a",
        "co_training": {"b": 1, 0: [1, 2], "deep": {"c.csv": None, "d": []}},
        "seed": 3,
        "empty": {},
    }
    shown = chapter_tables.show_tree(tree)
    top, fold = shown.parts
    assert top.frame.to_dict("list") == {
        "what": ["study", "seed"],
        "value": ["a", 3],
    }
    assert fold.summary == "Co-training"
    first, second = fold.content.parts
    assert first.frame.to_numpy().tolist() == [["b", 1], ["0", "1, 2"]]
    assert first.caption is None and second.caption == "deep"
    assert second.frame["what"].tolist() == ["c.csv", "d"]
    page = shown._repr_html_()
    assert page.index("</table><details>") < page.index("<caption>deep</caption>")


def test_an_empty_table_becomes_a_sentence():
    assert (
        repr(chapter_tables.show_table(pd.DataFrame({"x": []}), "Nothing."))
        == "Nothing."
    )


def test_corpora_counts_splits_speakers_and_labels():
    clips = pd.DataFrame(
        {"split": ["train", "train", "test"], "speaker_id": ["a", "a", "b"]}
        | {"media": ["a.mp4", None, "b.mp4"]}
        | dict.fromkeys(EMOTION_COLUMNS, 0.0)
        | dict.fromkeys(TRAIT_COLUMNS, float("nan"))
    )
    row = chapter_tables.corpora({"x": clips}).frame.iloc[0].to_dict()
    assert row == {
        "corpus": "x",
        "clips": 3,
        "speakers": 2,
        "train": 2,
        "dev": 0,
        "test": 1,
        "with_emotions": 3,
        "with_traits": 0,
        "without_media": 1,
    }


def test_ceilings_are_channels_by_metrics_for_each_corpus():
    table = pd.DataFrame(
        {
            "corpus": "emotion",
            "modality": ["face", "face", "fused", "fused"],
            "metric": ["mWACC", "CCC"] * 2,
            "ceiling": [0.7, 0.3, 0.9, 0.8],
            "of_controls": [0.7, 0.3, 0.92, 0.85],
        }
    )
    expected = pd.DataFrame(
        {
            "channel": ["face", "fused", "fused, words' settings seen"],
            "mWACC": [0.7, 0.9, 0.92],
            "CCC": [0.3, 0.8, 0.85],
        }
    )
    assert chapter_tables.ceilings(table).panels == {
        "Rated for emotions": Table(expected)._repr_html_()
    }


def test_models_of_a_split_without_labels_are_not_available():
    metrics = pd.DataFrame({"metric": ["CCC"], "split": ["dev"]})
    assert repr(chapter_tables.models(metrics, ("CCC",), "test")).startswith(
        "Not available"
    )
    assert repr(chapter_tables.models(metrics, ("UAR",), "dev")).startswith(
        "Not available"
    )


def test_models_are_named_by_stage_and_come_in_its_order():
    rows = [
        ("fusion", "fused", "face"),
        ("fusion", "fused", "my-variant"),
        ("stacking", "fused", "any"),
        ("crosstask", "face", "any"),
        ("unimodal", "face", "any"),
        ("linear", "face", "any"),
        ("baseline", "any", "any"),
    ]
    metrics = pd.DataFrame(rows, columns=["stage", "modality", "variant"]).assign(
        metric="CCC", target="mean", split="dev", seed=-1, low=0.1, high=0.9
    )
    metrics["estimate"] = np.arange(len(rows)) / 10
    assert chapter_tables.models(metrics, ("CCC",), "dev").frame["model"].tolist() == [
        "Guessing (base rates)",
        "Face (linear)",
        "Face (alone)",
        "Face (both tasks)",
        "Stacking (late fusion)",
        "Face",
        "My-variant",
    ]
    chosen = chapter_tables.variants(
        metrics, ["multitask", "face"], ("CCC",), "dev"
    ).frame
    assert chosen["CCC"].tolist() == ["0.000 [0.100, 0.900]"]


def test_gains_by_target_have_a_column_for_each_other_model():
    rows = [
        ("fiv2", "personality", "multitask", against, "CCC", target, gain)
        for against, gain in (("face", 0.1), ("linear_fusion", -0.05))
        for target in ("openness", "mean")
    ]
    rows.append(("fiv2", "personality", "face", "linear", "CCC", "mean", 0.7))
    rows.append(("meld", "emotion", "multitask", "text", "class F1", "fear", 0.2))
    columns = ["corpus", "task", "model", "against", "metric", "target", "difference"]
    found = pd.DataFrame(rows, columns=columns)
    found = found.assign(split="test", low=-0.1, high=0.3)
    tables = chapter_tables.target_gains(found, "multitask", "test")
    assert [*tables] == ["First Impressions V2, traits", "MELD, emotions"]
    assert tables["First Impressions V2, traits"].frame.to_dict("list") == {
        "target": ["openness", "all of them"],
        "above face": ["0.100 [−0.100, 0.300]"] * 2,
        "above linear fusion": ["−0.050 [−0.100, 0.300]"] * 2,
    }
    assert chapter_tables.target_gains(found, "multitask", "dev") == {}


def test_folds_of_traits_have_scores_gains_and_traits():
    rows = [
        ("face", "", "r", "mean", 0.25),
        ("face", "", "r", "openness", 0.5),
        ("face", "", "skill", "mean", 0.1),
        ("late fusion", "face", "r above", "mean", 0.125),
        ("late fusion", "face", "r above", "openness", 0.75),
    ]
    columns = ["method", "against", "metric", "target", "estimate"]
    found = pd.DataFrame(rows, columns=columns).assign(split="folds", low=0, high=1)
    assert chapter_tables.folds(found).frame.to_dict("list") == {
        "method": ["face"],
        "r": ["0.250 [0.000, 1.000]"],
    }
    assert chapter_tables.fold_gains(found).frame.to_dict("list") == {
        "gain": ["late fusion above face"],
        "r": ["0.125 [0.000, 1.000]"],
    }
    assert chapter_tables.recalls(found).frame.to_dict("list") == {
        "target": ["openness"],
        "face": ["0.500 [0.000, 1.000]"],
    }


def test_gains_of_fused_modalities_name_what_they_are_above():
    found = pd.DataFrame(
        {
            "split": ["folds", "folds", "folds", "test"],
            "method": "discriminant, fused, by speaker",
            "metric": ["UAR", "UAR above", "UAR above", "UAR above"],
            "target": ["mean", "audio", "face", "audio"],
            "estimate": [0.9, 0.125, 0.25, 0.5],
            "low": 0.1,
            "high": 0.9,
        }
    )
    assert chapter_tables.fold_gains(found).frame.to_dict("list") == {
        "method": ["discriminant, fused, by speaker"],
        "UAR above audio": ["0.125 [0.100, 0.900]"],
        "UAR above face": ["0.250 [0.100, 0.900]"],
    }
    alone = chapter_tables.fold_gains(found[found["metric"] == "UAR"])
    assert repr(alone).startswith("Not available")


def test_folds_and_recalls_have_a_row_for_each_method_and_class():
    found = pd.DataFrame(
        {
            "split": ["folds"] * 3 + ["test"] * 3,
            "method": "svm, audio, by corpus",
            "metric": ["UAR", "recall", "recall"] * 2,
            "target": ["mean", "calm", "sad"] * 2,
            "estimate": [0.5, 0.25, 0.75, 0.4, 0.4, 0.4],
            "low": 0.1,
            "high": 0.9,
        }
    )
    assert chapter_tables.folds(found).frame.to_dict("list") == {
        "method": ["svm, audio, by corpus"],
        "UAR in folds": ["0.500 [0.100, 0.900]"],
        "UAR on test speakers": ["0.400 [0.100, 0.900]"],
    }
    (read, table), *others = chapter_tables.recalls(found).panels.items()
    assert read == "Audio, by corpus" and not others
    assert ">0.250 <" in table and ">0.750 <" in table and "0.400" not in table


SUMMARY = {
    "clips": {"all": 10, "train": 6, "dev": 4},
    "speakers": {"all": 7, "train": 5, "dev": 3},
    "clips_sharing_a_speaker": {"dev": 3},
    "transcripts": {
        "present": 9,
        "missing": 1,
        "words_median": 12.0,
        "words_longest": 40,
    },
    "emotions": {"anger": {"present": 2, "mean_intensity": 1.0}},
    "trait_correlations": {
        "openness": {"openness": 1.0, "extraversion": 0.756},
        "extraversion": {"openness": 0.756, "extraversion": 1.0},
    },
}


def test_audit_says_what_of_a_split_training_has_seen():
    row = chapter_tables.audit({"x": SUMMARY}).frame.iloc[0].to_dict()
    assert row == {
        "corpus": "x",
        "speakers": 7,
        "train": 6,
        "dev": 4,
        "test": 0,
        "seen": "75 %",
        "words": "12",
        "longest": "40",
        "no_words": 1,
    }
    nobody = {"words_median": None, "words_longest": None, "present": 0, "missing": 3}
    alone = SUMMARY | {"clips": {"all": 3, "test": 3}, "transcripts": nobody}
    alone["clips_sharing_a_speaker"] = {"test": 0}
    row = chapter_tables.audit({"y": alone}).frame.iloc[0]
    assert row[["seen", "words"]].tolist() == ["–", "–"]


def test_languages_are_counted_with_what_cannot_be_told():
    told = {"present": 9, "languages": {"en": 5, "de": 1}}
    told |= {"language_unsure": 1, "language_too_short": 2}
    none = told | {"present": 0, "languages": {}}
    summaries = {"x": {"transcripts": told}, "y": {"transcripts": none}}
    frame = chapter_tables.languages(summaries).frame
    assert frame.iloc[0].tolist() == ["x", 9, "en 5, de 1", 1, 2]
    assert frame.loc[1, "language"] == "–"


def test_shown_emotions_leave_out_corpora_without_any():
    frame = chapter_tables.shown_emotions(
        {"meld": SUMMARY, "x": SUMMARY, "y": SUMMARY | {"emotions": {}}}
    ).frame
    assert frame.to_dict("list") == {"emotion": ["anger"], "MELD": [2], "x": [2]}


def test_halo_is_the_matrix_of_traits():
    frame = chapter_tables.halo(SUMMARY).frame
    assert frame["trait"].tolist() == ["openness", "extraversion"]
    assert frame["extraversion"].tolist() == ["0.76", "1.00"]


def test_distance_covered_as_a_table():
    rows = [("face", "mWACC", 0.7, 0.6, 0.8, 0.66, 0.33, 1.0)]
    columns = ["modality", "metric", "estimate", "low", "high"]
    columns += ["covered", "covered_low", "covered_high"]
    table = pd.DataFrame(rows, columns=columns)
    frame = chapter_tables.covered(table).frame
    assert frame.iloc[0].tolist() == ["face", "0.66 [0.33, 1.00]"]
    assert "not known" in repr(chapter_tables.covered(table.head(0)))


def test_worlds_are_conditions_by_metrics_with_dashes_for_what_is_undefined():
    table = pd.DataFrame(
        [
            ("480 clips", 0.0, "false_positive_rate", 0.0, 0.0, 0.16),
            ("480 clips", 0.1, "power", 0.5, 0.4, 0.6),
            ("480 clips", 0.1, "slope", 0.3, 0.2, 0.4),
        ],
        columns=["condition", "strength", "metric", "estimate", "low", "high"],
    ).assign(source="cross_source")
    wanted = ("power", "false_positive_rate")
    assert chapter_tables.worlds(table, wanted).frame.to_dict("list") == {
        "worlds": ["480 clips, |r| = 0", "480 clips, |r| = 0.1"],
        "power": ["–", "0.500 [0.400, 0.600]"],
        "false_positive_rate": ["0.000 [0.000, 0.160]", "–"],
    }
    both = pd.concat([table, table.assign(source="disjoint_modalities")])
    named = chapter_tables.worlds(both, wanted).frame["worlds"]
    assert named.iloc[-1] == "480 clips, |r| = 0.1, disjoint modalities"


def test_blocks_stand_beside_each_other():
    rows = [("face", "emotion", "linear", 0.8), ("face", "emotion", "state_free", 0.81)]
    table = pd.DataFrame(rows, columns=["what", "task", "block", "estimate"])
    table = table.assign(metric="dev_score", low=0.7, high=0.9)
    assert chapter_tables.blocks(table).frame.to_dict("list") == {
        "learned": ["face, emotion"],
        "linear": ["0.800 [0.700, 0.900]"],
        "state_free": ["0.810 [0.700, 0.900]"],
    }


def test_costs_are_rounded_and_what_is_unknown_is_a_dash():
    nan = float("nan")
    table = pd.DataFrame(
        {
            "corpus": ["A", "together"],
            "study": "paper",
            "clips": [12345, 20000],
            "hours": [41.67, 50.0],
            "seconds": [6.25, nan],
            "low": [5.0, nan],
            "high": [7.0, nan],
            "processor_hours": [21.4, nan],
            "hours_on_8": [2.68, nan],
        }
    )
    assert chapter_tables.costs(table).frame.to_dict("list") == {
        "corpus": ["A", "together"],
        "encoders_of_study": ["paper", "paper"],
        "clips": ["12,345", "20,000"],
        "hours_of_video": ["41.7", "50.0"],
        "processor seconds per clip [least, most]": ["6.2 [5.0, 7.0]", "–"],
        "processor_hours": ["21", "–"],
        "hours_on_8": ["2.7", "–"],
    }


def test_not_run_names_what_is_missing_in_the_order_of_the_parameters():
    possible = ["multitask", "as_published", "face", "audio", "no_gradnorm", "text"]
    run = pd.Series(["audio", "audio", "multitask", "old"])
    said = chapter_tables.not_run(possible, run).text
    told = "as published, without GradNorm, 2 sets of modalities"
    assert said == f"Not run in this study: {told}."
    one = chapter_tables.not_run(["face_body", "audio"], run).text
    assert one == "Not run in this study: 1 set of modalities."
    assert (
        chapter_tables.not_run(possible, reversed(possible)).text
        == "Every variant was run."
    )


def test_scores_under_disturbances_are_models_by_what_happened():
    rows = [
        {"corpus": "fiv2", "metric": metric, "model": model, "disturbance": kind}
        | {"modality": modality, "dose": dose, "estimate": 0.5, "low": 0.4, "high": 0.6}
        for metric in ("CCC", "mACC")
        for model in ("linear_fusion", "multitask")
        for kind, modality, dose in (("none", np.nan, 0.0), ("noise", "text", 1.5))
    ]
    shown = chapter_tables.robustness(pd.DataFrame(rows))
    scores = ("concordance (CCC)", "1 − mean absolute error (mACC)")
    kinds = ("without one", "noise in one, 1.5 SD")
    assert [*shown.panels] == [
        f"First Impressions V2, {score}, {kind}" for score in scores for kind in kinds
    ]
    page, other = [*shown.panels.values()][:2]
    assert ">As they are<" in page and ">Text<" in other
    assert ">Default model<" in page and page.count("[0.400, 0.600]") == 2
    nothing = pd.DataFrame()
    assert "no labelled dev clip" in repr(chapter_tables.robustness(nothing))
    assert repr(chapter_tables.robustness(nothing, "Not run.")) == "Not run."
