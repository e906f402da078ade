import pandas as pd
import pytest
from scipy.special import logit

from sslmepr.explanation.sentences import (
    attention_findings,
    column_sentences,
    contrary_sentences,
    contribution_sentence,
    noise_sentences,
    place_sentences,
    pointing_sentences,
    prediction_sentence,
    weight_sentences,
)

COLUMNS = ["clip_id", "target", "modality", "attribution"]
ROWS = [
    ("a", "disgust", "audio", 2.31),
    ("a", "disgust", "text", 1.2),
    ("a", "disgust", "face", 0.5),
    ("a", "disgust", "scene", -0.52),
    ("a", "disgust", "body", 0.01),
    ("a", "openness", "audio", -0.1),
    ("a", "openness", "text", -0.2),
    ("a", "fear", "text", 0.04),
]


def test_modalities_raise_and_lower_an_output_compared_with_the_average_clip():
    table = pd.DataFrame(ROWS, columns=COLUMNS)
    said = contribution_sentence(table, logit(0.76), logit(0.07), "disgust")
    assert said == (
        "Disgust: 76 % in this clip, 7 % in the average clip. Audio (+2.3) and text "
        "(+1.2) raise it most; scene (−0.5) lowers it most."
    )
    said = contribution_sentence(table, 1, 0, "disgust", "an input without content")
    assert "50 % in an input without content." in said
    # An output below the average is lowered; nothing speaks against what is shown.
    assert contribution_sentence(table, 0.2, 0.5, "openness") == (
        "Openness: 0.20 in this clip, 0.50 in the average clip. Text (−0.20) and audio "
        "(−0.10) lower it most."
    )
    assert contribution_sentence(table, 0.0, 0.0, "fear").endswith(
        "No modality moves it."
    )
    # Seeds whose probabilities have another mean than their logits.
    said = contribution_sentence(table, 1, 0, "disgust", scores=(0.7, 0.4))
    assert said.startswith("Disgust: 70 % in this clip, 40 % in the average clip.")
    with pytest.raises(ValueError, match="anger: no contributions"):
        contribution_sentence(table, 0, 0, "anger")
    with pytest.raises(ValueError, match="several clips"):
        contribution_sentence(
            pd.concat([table, table.assign(clip_id="b")]), 0, 0, "disgust"
        )


def test_what_the_model_reads_is_told_beside_what_raters_said():
    traits = {"openness": 0.4, "emotional_stability": 0.7}
    emotions = {"neutral": 0.9, "anger": 0.3, "fear": 0.2, "sadness": 0.6}
    # What is decided counts, whatever the probability: each emotion has its own limit.
    decided = {"neutral": False, "anger": True, "fear": True, "sadness": False}
    rated = {"anger": 0.0, "openness": 0.5}
    assert prediction_sentence(emotions, decided, traits, rated) == (
        "The model reads anger (0.30; raters 0.00) and fear (0.20) in the clip. Among "
        "the traits, it scores emotional stability (0.70) highest and openness (0.40; "
        "raters 0.50) lowest for the person."
    )
    none = dict.fromkeys(emotions, False) | {"neutral": True}
    assert prediction_sentence(emotions, none, {}, {"fear": float("nan")}) == (
        "The model reads no emotion in the clip. Whether that is right is not known: "
        "nobody rated this clip."
    )


def used():
    table = pd.DataFrame(
        {"target": "all", "modality": ["face", "text"], "used": [0.7, 0.3]}
    )
    table["there"], table["correlation"] = [0.4, 0.6], [0.5, 0.25]
    for name in ("used", "there", "correlation"):
        table[f"{name}_low"] = table[name] - 0.05
        table[f"{name}_high"] = table[name] + 0.05
    return table


def weights(lowest, correlation):
    ends = {"correlation_low": 0.1, "correlation_high": 0.3}
    row = {"kind": "task_query", "modality": "face", "lowest": lowest, "highest": 1.05}
    return pd.DataFrame([row | {"correlation": correlation} | ends])


def test_clauses_that_count_are_told_from_those_that_do_not():
    row = {"kind": "trait, low", "hit": 0.8, "hit_low": 0.7, "hit_high": 0.9}
    row |= {"shuffled": 0.5, "shuffled_low": 0.4, "shuffled_high": 0.6}
    row |= {"gain": 0.3, "gain_low": 0.15, "gain_high": 0.4}
    other = row | {"kind": "emotion, denied", "gain": 0.03, "gain_low": -0.1}
    known, unknown = pointing_sentences(pd.DataFrame([row, other]))
    assert known == (
        "The clause that says most counts most in 80 % [70, 90] (*trait, low*) of the "
        "clips, more often than with shuffled weights."
    )
    assert unknown == (
        "Of *emotion, denied* the model cannot be told from one with shuffled weights: "
        "80 % [70, 90] against 50 % [40, 60], a difference of 3 % [−10, 40]."
    )
    assert pointing_sentences(pd.DataFrame([row])) == [known]
    assert pointing_sentences(pd.DataFrame()) == []


def sanity():
    table = used()[["modality", "correlation", "correlation_low", "correlation_high"]]
    random = table.assign(correlation=[-0.1, 0.02])
    both = [table.assign(model="trained"), random.assign(model="shuffled")]
    return pd.concat(both)


def test_what_moves_the_model_most_comes_first():
    table = used().assign(clips=241)
    answer, sure, unsaid, against = attention_findings(table, sanity())
    assert answer == (
        "**Face moves the model's answers most**, with 70 % [65, 75] of what moves "
        "them from clip to clip; text moves them least, with 30 % [25, 35]."
    )
    assert "241 clips" in sure
    assert "r = 0.25 [0.20, 0.30] (text) to 0.50 [0.45, 0.55] (face); in a" in sure
    assert "shuffled weights, by −0.10" in sure
    assert unsaid.startswith("**What it does not say.**")
    assert "text, 30 % [25, 35] where an observer" in against
    assert "takes 60 % [55, 65]; most overused is face, 70 %" in against
    unknown = table.assign(there=float("nan"))
    answer, sure, unsaid = attention_findings(unknown, sanity())
    assert sure.endswith("drawn again and again.") and "is not known" in unsaid
    (nothing,) = attention_findings(table[:0], sanity())
    assert "no clip" in nothing


def test_weights_are_called_uniform_only_where_they_are():
    (said,) = weight_sentences(weights(0.4, 0.2))
    assert "is not uniform: 0.40 to 1.05 times" in said
    assert said.endswith("is 0.20 [0.10, 0.30] (face).")
    uniform, unknown = weight_sentences(weights(0.95, float("nan")))
    assert "is uniform: 0.95 to 1.05 times" in uniform
    assert "no weight of an ideal observer" in unknown


def test_features_of_other_tools_are_named_as_these_do():
    rows = [("AU12_r", 1.26), ("AU04_r", -0.5), ("AU06_r", 0.3), ("AU45_r", 0.01)]
    table = pd.DataFrame(rows, columns=["column", "attribution"])
    table = table.assign(clip_id="a", target="happiness", modality="face")
    other = pd.DataFrame([("F0", 0.001)], columns=["column", "attribution"])
    other = other.assign(clip_id="a", target="happiness", modality="audio")
    both = pd.concat([table, other])
    assert column_sentences(both, "happiness") == [
        "Of the face, AU12_r (+1.3) and AU06_r (+0.3) raise it most; AU04_r (−0.5) "
        "lowers it most.",
        "Of the audio, no feature moves it.",
    ]
    assert column_sentences(both, "openness") == []


def with_ends(rows, columns, name):
    table = pd.DataFrame(rows, columns=[*columns, name])
    return table.assign(
        **{f"{name}_low": table[name] - 0.1, f"{name}_high": table[name] + 0.1}
    )


def test_weights_follow_noise_and_contrary_words():
    rows = [
        ("ideal_observer", "face", "noise", -0.8),
        ("ideal_observer", "text", "noise", -0.9),
        ("ideal_observer", "text", "contrary words", 0.05),
        ("ideal_observer", "audio", "contrary words", 0.5),
        ("product_of_experts", "face", "noise", float("nan")),
    ]
    follows = with_ends(rows, ["kind", "modality", "follows"], "correlation")
    assert noise_sentences(follows) == [
        "**Ideal observer**: rank correlation of a modality's weight with its noise in "
        "the clip, −0.90 [−1.00, −0.80] (text) to −0.80 [−0.90, −0.70] (face); of the "
        "weight of words with their being contrary, 0.05 [−0.05, 0.15]."
    ]
    assert noise_sentences(follows[:0]) == []


def test_contrary_words_are_told_beside_those_that_are_meant():
    rows = [("meant", 30, 0.5), ("contrary", 5, 0.2)]
    contrary = with_ends(rows, ["words", "clips"], "correlation")
    (told,) = contrary_sentences(contrary)
    assert (
        "r = 0.50 [0.40, 0.60] in 30 clips in which they are meant and "
        "0.20 [0.10, 0.30] in 5 clips in which the opposite is meant." in told
    )
    assert contrary_sentences(contrary[:1]) == []


def test_places_are_told_by_whether_they_are_hit_more_often_than_by_chance():
    rows = [("face", 0.17, 0.04), ("mouth", 0.8, 0.47), ("nose", 0.1, -0.2)]
    places = pd.DataFrame(rows, columns=["what", "hit", "gain"])
    places = places.assign(
        hit_low=places["hit"] - 0.1,
        hit_high=places["hit"] + 0.1,
        gain_low=places["gain"] - 0.1,
        gain_high=places["gain"] + 0.1,
        chance=places["hit"] - places["gain"],
    )
    assert place_sentences(places) == [
        "**More often than by chance**: mouth 80 % [70, 90] (chance 33 %).",
        "**Less often**: nose 10 % [0, 20] (chance 30 %).",
        "**Not told from chance**: face 17 % [7, 27] (chance 13 %).",
    ]
    assert place_sentences(places[:0]) == []
