import re

import pandas as pd
import pytest
from recordings import write_video

from sslmepr.app.examples import examples
from sslmepr.corpora.schema import COLUMNS, write_clips
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, TRAIT_COLUMNS, TRAITS


@pytest.fixture
def data_folder(settings, tmp_path):
    """A held-out corpus of six clips, each of another emotion, one without a file."""
    folder = tmp_path / settings.roles.held_out / "corpus"
    (folder / "media").mkdir(parents=True)
    names = [f"clip{number}" for number in range(6)]
    table = pd.DataFrame({"clip_id": names, "speaker_id": names, "split": "test"})
    table = table.reindex(columns=list(COLUMNS))
    table["media"] = [f"media/{name}.mp4" for name in names]
    for place, name in enumerate(names):
        write_video(folder / "media" / f"{name}.mp4")
        labels = [0.25 + 0.5 * (place == number) for number in range(len(EMOTIONS))]
        table.loc[place, list(EMOTION_COLUMNS)] = labels
        table.loc[place, list(TRAIT_COLUMNS)] = [0.1 * place] * len(TRAITS)
    table.loc[5, "media"] = None
    write_clips(table, folder)
    return tmp_path


def test_drawn_people_with_their_truth(settings, data_folder):
    shown = examples(settings, data_folder)
    assert len(shown) == 4 and len({each.name for each in shown}) == 4
    for number, each in enumerate(shown, 1):
        place = int(re.search(r"clip(\d)", str(each.path))[1])
        assert each.path.is_file() and set(each.true) == {*EMOTIONS, *TRAITS}
        assert each.true["openness"] == pytest.approx(0.1 * place)
        emotion = EMOTIONS[place]
        assert each.name == f"Drawn person {number}, who shows {emotion}"
        assert each.true[emotion] == pytest.approx(0.75)
        assert "data:video/mp4;base64," in each.player
        assert f'aria-label="{each.name}: ' in each.player


def test_without_the_corpus_there_is_no_example(settings, tmp_path):
    assert examples(settings, tmp_path) == []


def test_recordings_of_people_are_no_examples(settings, data_folder):
    """Even where they could be played: nobody agreed to that."""
    name = settings.roles.held_out
    section = settings.corpus["fiv2"]
    other = settings.model_copy(update={"corpus": settings.corpus | {name: section}})
    assert examples(other, data_folder) == []
