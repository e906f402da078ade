"""A study of one's own, of recordings that nobody rendered, gets its book.

Its words are read by the encoder, its faces were measured by OpenFace.
"""

import numpy as np
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
    "tour",
    "promises",
    "corpora",
    "features",
    "evaluate",
    "ablation",
    "attention",
    "association",
    "measurement",
    "explorer",
    "exercises",
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


def measure(folder, clip_ids):
    """What OpenFace writes for some clips; it lost the face in the last."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(len(clip_ids))
    for clip_id in clip_ids:
        frames = pd.DataFrame({"frame": [1, 2, 3], "timestamp": [0.0, 0.04, 0.08]})
        frames["confidence"] = 0.1 if clip_id == clip_ids[-1] else 0.95
        frames["success"] = 1
        for unit in ("AU01_r", "AU04_r", "AU12_r"):
            frames[unit] = rng.random(3).round(3)
        frames.to_csv(folder / f"{clip_id}.csv", index=False)


@pytest.fixture(scope="module")
def clone(tmp_path_factory, settings):
    """A repository in which somebody has put the study and run it as the book says."""
    folder = tmp_path_factory.mktemp("own")
    copy(folder)
    recordings = folder / "recordings"
    for kind in ("emotion", "personality"):
        (recordings / kind).mkdir(parents=True)
        lines = rated(kind, 18)
        lines.to_csv(recordings / kind / "ratings.csv", index=False)
        measure(recordings / "openface" / kind, lines["clip_id"].tolist())
    films = render(recordings / "interviews", settings, 4)
    (recordings / "interviews" / "clips.parquet").unlink()
    films["split"] = "test"
    films.to_csv(recordings / "interviews" / "ratings.csv", index=False)
    measure(recordings / "openface" / "interviews", films["clip_id"].tolist())
    tree = yaml.safe_load((folder / "params.yaml").read_text())
    tree["data_root"] = str(recordings)
    paths = {"lines": "emotion", "vlogs": "personality", "interviews": "interviews"}
    for name, path in paths.items():
        tree["corpus"][name] = {
            "source": "table",
            "path": path,
            "table": "ratings.csv",
            "features": {"face": {"tool": "openface", "path": f"openface/{path}"}},
        }
    (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    studies = yaml.safe_load((folder / "studies.yaml").read_text())
    studies["mine"] = {
        "study": "mine",
        "modalities": ["face", "text"],
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
    assert "validity.html" not in page


def test_what_is_not_identified_has_no_pairs_to_explore(clone):
    """Both tasks are learned from words alone."""
    page = (clone / "site" / "chapters" / "explorer.html").read_text()
    words = " ".join(BeautifulSoup(page, "html.parser").text.split())
    assert "No verdict. Associations are not identified" in words
    assert "There is no pair to explore." in words
    assert 'class="explorer"' not in page and "<a download=" not in page


def test_recordings_are_shown(clone):
    page = (clone / "site" / "chapters" / "corpora.html").read_text()
    assert 'aria-label="Frames of clips of the held-out corpus' in page
    assert 'aria-label="Heatmap of the planted correlations' not in page


def test_nothing_is_left_to_do(clone):
    assert "Running stage" not in call(clone, "dvc", "repro", "book")
    results = {path.name for path in (clone / "results" / "mine").iterdir()}
    assert results >= {"evaluate", "association", "ablation", "attention", "record"}
    assert "validity" not in results


def page_of(clone, chapter):
    page = (clone / "site" / "chapters" / f"{chapter}.html").read_text()
    return " ".join(BeautifulSoup(page, "html.parser").text.split())


def test_what_openface_measured_is_shown(clone):
    features = page_of(clone, "features")
    assert "OpenFace" in features and "openface is nowhere as sure as 0.5" in features
    assert "Of the face," in page_of(clone, "attention")


def test_a_table_that_changes_is_read_again(clone):
    """The last test of this study, which then is of another table."""
    changed = clone / "recordings" / "openface" / "emotion" / "emotion00.csv"
    changed.write_text(changed.read_text().replace("0.95", "0.9"))
    said = call(clone, "sslmepr", "repro", "--only", "extract@lines")
    assert "corpus.lines.features.face: the tables in openface/emotion have" in said
    assert "Running stage 'extract@lines'" in said
