import pandas as pd
import pytest

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report.choice import LEVELS, choose, with_effect

TABLE = pd.DataFrame(
    {
        "emotion": ["anger", "happiness", "happiness"],
        "trait": ["openness", "openness", "extraversion"],
        "corpus": ["filmed", "joint", None],
        "level": ["clip", "within", "clip"],
    }
)
CLIPS = pd.DataFrame(
    [
        ("emotion", "filmed"),
        ("emotion", "heard"),
        ("personality", "personality"),
        ("joint", "joint"),
    ],
    columns=["corpus", "part"],
)
"""The first corpus has two parts."""


def test_without_a_wish_all_is_shown(settings):
    choice = choose(settings, CLIPS)
    assert choice.emotions == SCORED_EMOTIONS and choice.traits == TRAITS
    assert choice.corpora == ("filmed", "heard", "personality", "joint")
    assert choice.levels == LEVELS == ("clip", "between", "within")
    pd.testing.assert_frame_equal(choice.of(TABLE), TABLE)


@pytest.mark.parametrize(
    ("wish", "rows"),
    [
        ({"emotions": ["happiness", "anger"]}, [0, 1, 2]),
        ({"emotions": ["happiness"]}, [1, 2]),
        ({"traits": ["extraversion"]}, [2]),
        ({"corpora": ["held_out"]}, [1, 2]),  # the last is of no corpus
        ({"corpora": ["emotion"]}, [0, 2]),  # a role, a corpus and a part
        ({"corpora": ["filmed"]}, [0, 2]),
        ({"corpora": ["heard"]}, [2]),
        ({"levels": ["within"], "emotions": ["anger"]}, []),
    ],
)
def test_rows_are_those_that_are_asked_for(settings, wish, rows):
    choice = choose(settings, CLIPS, **wish)
    assert choice.of(TABLE).index.tolist() == rows
    assert len(choice.of(TABLE[[]])) == len(TABLE)  # has none of the columns


def test_names_stand_in_the_order_of_the_labels(settings):
    asked = ["surprise", "anger"]
    assert choose(settings, CLIPS, emotions=asked).emotions == ("anger", "surprise")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"emotions": ["joy"]}, "emotions: 'joy' is none of anger, "),
        ({"emotions": "anger"}, r'emotions: a list is needed, \["anger"\]'),
        ({"traits": ["neuroticism"]}, "traits: 'neuroticism' is none of openness, "),
        ({"corpora": ["meld"]}, "corpora: 'meld' is none of filmed, heard, personali"),
        ({"corpora": "joint"}, "corpora: a list is needed"),
        ({"levels": ["day"]}, "levels: 'day' is none of clip, between, within"),
    ],
)
def test_what_is_not_known_is_refused(settings, wish, message):
    with pytest.raises(ValueError, match=message):
        choose(settings, CLIPS, **wish)


def test_the_smallest_effect_can_be_another(settings):
    assert with_effect(settings, None) is settings
    changed = with_effect(settings, 0.2)
    assert changed.association.smallest_effect == 0.2
    assert settings.association.smallest_effect == 0.1
    for effect in (0, 1, -0.1, "0.2"):
        with pytest.raises(ValueError, match="smallest_effect: .* is no number betwe"):
            with_effect(settings, effect)
