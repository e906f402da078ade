"""A study of one's own, of recordings that nobody rendered, gets its book."""

import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from drawn_people import render
from test_end_to_end import call, copy

from sslmepr.labels import EMOTIONS, TRAITS

pytestmark = pytest.mark.end_to_end
CHAPTERS = {
    "overview",
    "promises",
    "corpora",
    "features",
    "evaluate",
    "ablation",
    "attention",
    "association",
    "measurement",
    "explorer",
    "trials",
    "real",
    "record",
    "reproducibility",
}
SIZES = {
    "unimodal.epochs": 1,
    "unimodal.refits": 0,
    "crosstask.epochs": 1,
    "fusion.epochs": 1,
    "fusion.seeds": [0],
    "evaluate.resamples": 20,
    "association.resamples": 20,
    "attention.clips": 2,
}


def rated(kind, count):
    """Lines of text, each a speaker's own, with labels for emotions or for traits."""
    rows = []
    for place in range(count):
        emotion = EMOTIONS[1 + place % 6]
        row = {"clip_id": f"{kind}{place:02d}", "speaker_id": f"{kind}{place:02d}"}
        row["split"] = "train" if place < count * 2 // 3 else "dev"
        row["transcript"] = f"I am full of {emotion} today, and of sense {place}."
        if kind == "emotion":
            row |= {f"emotion_{each}": float(each == emotion) for each in EMOTIONS[1:]}
        else:
            row |= {f"trait_{t}": (place + i) % 7 / 6 for i, t in enumerate(TRAITS)}
        rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def clone(tmp_path_factory, settings):
    """A repository in which somebody has put the study and run it as the book says."""
    folder = tmp_path_factory.mktemp("own")
    copy(folder)
    recordings = folder / "recordings"
    for kind in ("emotion", "personality"):
        (recordings / kind).mkdir(parents=True)
        rated(kind, 18).to_csv(recordings / kind / "ratings.csv", index=False)
    films = render(recordings / "interviews", settings, 4)
    (recordings / "interviews" / "clips.parquet").unlink()
    films["split"] = "test"
    films.to_csv(recordings / "interviews" / "ratings.csv", index=False)
    tree = yaml.safe_load((folder / "params.yaml").read_text())
    tree["data_root"] = str(recordings)
    for name, path in {"lines": "emotion", "vlogs": "personality"}.items():
        tree["corpus"][name] = {"source": "table", "path": path, "table": "ratings.csv"}
    tree["corpus"]["interviews"] = {
        "source": "table",
        "path": "interviews",
        "table": "ratings.csv",
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    studies = yaml.safe_load((folder / "studies.yaml").read_text())
    studies["mine"] = {
        "study": "mine",
        "modalities": ["text"],
        "corpora": ["lines", "vlogs", "interviews"],
        "roles": {
            "emotion": "lines",
            "personality": "vlogs",
            "held_out": "interviews",
        },
        "variants": [
            "multitask",
            "emotion_only",
            "personality_only",
            "with_everything",
        ],
        "replicates": {},
        **SIZES,
    }
    (folder / "studies.yaml").write_text(yaml.safe_dump(studies, sort_keys=False))
    call(folder, "sslmepr", "repro", "mine")
    return folder


def test_the_book_has_every_chapter_that_needs_no_planted_truth(clone):
    pages = {path.stem for path in (clone / "site" / "chapters").glob("*.html")}
    assert pages == CHAPTERS


def test_its_first_page_says_what_was_found(clone):
    page = (clone / "site" / "chapters" / "overview.html").read_text()
    words = " ".join(BeautifulSoup(page, "html.parser").text.split())
    assert "Annotated emotion × predicted trait" in words
    assert "No verdict. " in words  # of text alone
    assert "Can the associations be trusted?" in page and "validity.html" not in page


def test_what_is_not_identified_has_no_pairs_to_explore(clone):
    """Both tasks are learned from words alone."""
    page = (clone / "site" / "chapters" / "explorer.html").read_text()
    words = " ".join(BeautifulSoup(page, "html.parser").text.split())
    assert "No verdict. Associations are not identified" in words
    assert "There is no pair to explore." in words
    assert 'class="explorer"' not in page and "download=" not in page


def test_recordings_are_shown(clone):
    page = (clone / "site" / "chapters" / "corpora.html").read_text()
    assert 'aria-label="Frames of clips of the held-out corpus' in page
    assert 'aria-label="Heatmap of the planted correlations' not in page


def test_nothing_is_left_to_do(clone):
    assert "Running stage" not in call(clone, "dvc", "repro", "book")
    results = {path.name for path in (clone / "results" / "mine").iterdir()}
    assert results >= {"evaluate", "association", "ablation", "attention", "record"}
    assert "validity" not in results
