from pathlib import Path

import pytest

from sslmepr.app import report

ROOT = Path(__file__).parents[2]


def test_what_the_models_know(settings):
    said = report.models(settings, ["multitask"])
    assert said == (
        "Fusion model: default model. It was trained on the corpora “emotion” and "
        "“personality” and reads face, body, scene, audio and text."
    )
    assert "one of 2 that can be chosen" in report.models(settings, ["multitask", "b"])


def test_method_software_and_licence_are_cited():
    said = report.citation(ROOT)
    assert "E. Ryumina, A. Axyonov" in said and "Its licence is MIT." in said


def test_the_chapter_on_limits_without_what_only_the_book_can_show():
    said = report.ethics(ROOT)
    assert said.startswith("- **Emotions here are what raters see")
    assert "\n## An impression is not a fact\n" in said
    for word in ("no hiring", "**Halo.** Raters", "the book's chapter *association*"):
        assert word in said
    for mark in ("{cite", "{doc", "```", "admonition", "\n: "):
        assert mark not in said
    levels = {line.split()[0] for line in said.splitlines() if line.startswith("#")}
    assert levels == {"##"}


@pytest.mark.parametrize("made", [report.citation, report.ethics])
def test_what_is_not_there_is_left_out(tmp_path, made):
    assert made(tmp_path) == ""
