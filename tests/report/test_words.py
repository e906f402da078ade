"""One dictionary for all tables and figures, which knows what chapters show."""

import re
from pathlib import Path

import nbformat
import pytest

from sslmepr.params import load
from sslmepr.report import figures, tables, theme, words

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("emotional_stability", None, "Emotional stability"),
        ("emotion", None, "Emotion"),
        ("emotion", "corpus", "Rated for emotions"),
        ("no_predict_projector", "variant", "Without predict projector"),
        ("with_everything", None, "With all published components"),
        ("face_body_text", "variant", "Face + body + text"),
        ("fusion.co_training.emotion", None, "Fusion, co-training, emotion"),
        ("svm, by corpus", None, "Support vector machine, by corpus"),
        ("egemaps", "encoder", "eGeMAPS"),
        ("r [interval]", None, "r [interval]"),
        ("my_corpus", "corpus", "My corpus"),
    ],
)
def test_words_of_a_name(name, column, expected):
    assert words.pretty(name, column) == expected
    assert (words.known(name, column) is None) == (name == "my_corpus")


def test_what_can_be_chosen_is_known():
    """What the studies on record use; names of a reader's own are shown as they are."""
    params = load(ROOT / "params.yaml")
    for study in ("simulated", "real", "paper"):
        chosen = params.for_study(study)
        assert [name for name in chosen.variants if not words.known(name)] == []
        assert [n for n in chosen.corpora if not words.known(n, "corpus")] == []


def test_no_words_have_underscores():
    listed = [*words.WORDS.values(), *words.MODELS.values()]
    listed += [each for column in words.IN_COLUMN.values() for each in column.values()]
    assert [each for each in listed if "_" in each] == []


INTERNAL = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")


def unknown(frame):
    """Headings, categories and names of a table that the dictionary does not know."""
    spoken = {words.pretty(each, "corpus") for each in words.IN_COLUMN["corpus"]}
    names = [name for name in map(str, frame) if name not in spoken]
    return [name for name in names if words.known(name) is None] + [
        value
        for name in names
        for value in frame[name].dropna().astype(str).unique()
        if name in words.IN_COLUMN or INTERNAL.fullmatch(value)
        if words.known(value, name) is None
    ]


@pytest.mark.parametrize("chapter", ["real", "trials", "promises"])
def test_chapters_of_recorded_results_show_known_words(chapter, monkeypatch):
    """Chapters that need a finished study are held to this by the end-to-end test."""
    shown = []
    for name in figures.__all__:
        monkeypatch.setattr(figures, name, lambda *a, **k: "")
    monkeypatch.setattr(theme, "display", lambda *a, **k: None)
    made = tables.Table.__init__
    monkeypatch.setattr(
        tables.Table,
        "__init__",
        lambda self, frame, *a, **k: made(self, frame, *a, **k) or shown.append(frame),
    )
    monkeypatch.chdir(ROOT)
    namespace = {}
    for cell in nbformat.read(ROOT / f"notebooks/{chapter}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            exec(cell.source, namespace)
    assert shown
    assert [name for frame in shown for name in unknown(frame)] == []
