"""Words of emotions in what observers noted, counted by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sslmepr.association.noted_emotions import (
    LexiconError,
    noted_associations,
    noted_rates,
    read_lexicon,
)
from sslmepr.corpora.schema import COLUMNS, write_clips
from sslmepr.labels import SCORED_EMOTIONS, TRAIT_COLUMNS

LEXICON = Path(__file__).parents[2] / "book" / "emotion_words.yaml"


def notes(*rows):
    columns = ["clip_id", "modality", "start_seconds", "end_seconds", "sentence"]
    return pd.DataFrame(rows, columns=columns)


def test_shares_of_observations():
    """Two sentences of one time are one observation; other channels do not count."""
    rates = noted_rates(
        notes(
            ("a", "face", 0, 1, "He looks up."),
            ("a", "face", 0, 1, "Smiling, he grins and SMILES."),
            ("a", "face", 1, 2, "A frown."),
            ("a", "face", 2, 3, "Nothing."),
            ("a", "audio", 2, 3, "He laughs, smiling."),
            ("b", "face", 0, 1, "A mile of frowning similes."),
        ),
        {"happiness": ["smil*", "grin"], "anger": ["frown*"]},
        "face",
    ).set_index("clip_id")
    assert rates.loc["a"].to_dict() == {
        "emotion_happiness": pytest.approx(1 / 3),
        "emotion_anger": pytest.approx(1 / 3),
    }
    assert rates.loc["b"].to_dict() == {"emotion_happiness": 0, "emotion_anger": 1}


def test_a_word_is_whole_unless_a_star_follows():
    found = noted_rates(
        notes(("a", "face", 0, 1, "He is not sadly-looking; a saddle.")),
        {"sadness": ["sad"]},
        "face",
    )
    assert found["emotion_sadness"].tolist() == [0]


def test_the_committed_lexicon():
    """All six emotions; what smiles is in one of them alone."""
    modality, words = read_lexicon(LEXICON)
    assert modality == "face" and set(words) == set(SCORED_EMOTIONS)
    sentence = "Smiles and smiling, then laughter, a laugh, a smile."
    rates = noted_rates(notes(("a", "face", 0, 1, sentence)), words, modality)
    shown = {name for name in words if rates[f"emotion_{name}"].item()}
    assert shown == {"happiness"}
    plain = "With a neutral expression he raises his furrowed brow; crinkled, tense."
    rates = noted_rates(notes(("a", "face", 0, 1, plain)), words, modality)
    assert not rates.drop(columns="clip_id").to_numpy().any()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "modality: face",
        "modality: face\nwords: {anger: [a]}",
        "modality: face\nwords: {anger: [a], disgust: [a], fear: [], happiness: [], "
        "sadness: [], surprise: []}",
    ],
)
def test_a_lexicon_that_is_none(tmp_path, text):
    (tmp_path / "words.yaml").write_text(text)
    with pytest.raises(LexiconError, match="words.yaml: "):
        read_lexicon(tmp_path / "words.yaml")


@pytest.fixture
def described(tmp_path, settings):
    """Forty clips of twenty videos; who smiles in more observations is rated higher on
    one trait by exactly so much."""
    rng = np.random.default_rng(4)
    name = settings.roles.personality
    smiles = rng.integers(0, 5, 40)
    table = pd.DataFrame({"clip_id": [f"c{i:02d}" for i in range(40)]})
    table["speaker_id"] = [f"v{i // 2:02d}" for i in range(40)]
    table["split"] = np.where(np.arange(40) < 20, "train", "test")
    for place, column in enumerate(TRAIT_COLUMNS):
        table[column] = 0.1 + 0.2 * smiles / 4 if place == 2 else rng.random(40)
    write_clips(table.reindex(columns=list(COLUMNS)), tmp_path / name / "corpus")
    rows = [
        (clip, "face", at, at + 1, "A smile." if at < count else "A look.")
        for clip, count in zip(table["clip_id"], smiles, strict=True)
        for at in range(4)
    ]
    (tmp_path / name / "features").mkdir(parents=True)
    notes(*rows).to_parquet(tmp_path / name / "features" / "descriptions.parquet")
    return tmp_path, smiles


def test_against_traits(described, settings):
    folder, smiles = described
    found = noted_associations(settings, folder, LEXICON)
    assert len(found) == 30 and (found["n"] == 40).all()
    assert set(found["corpus"]) == {settings.roles.personality}
    happy = found[found["emotion"] == "happiness"].set_index("trait")
    assert happy.loc["extraversion", "r"] == pytest.approx(1)
    assert happy["noted"].unique() == pytest.approx((smiles > 0).mean())
    assert (happy["n_speakers"] == 20).all()
    other = happy.drop(index="extraversion")
    assert (other["low"] < other["r"]).all() and (other["r"] < other["high"]).all()
    # nobody frowned: undefined, and no zero
    assert found.loc[found["emotion"] == "anger", "r"].isna().all()


def test_nothing_where_nothing_was_described(tmp_path, settings):
    assert noted_associations(settings, tmp_path, LEXICON).empty
