import pandas as pd

from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS
from sslmepr.report.corpora_findings import corpora_findings


def corpus(people, emotions=None, traits=None, media="a.mp4"):
    columns = dict.fromkeys(EMOTION_COLUMNS, emotions)
    columns |= dict.fromkeys(TRAIT_COLUMNS, traits)
    return pd.DataFrame({"speaker_id": people}).assign(media=media, **columns)


CLIPS = {
    "a": corpus([*"xxyz"], emotions=1.0),
    "b": pd.concat([corpus([*"uv"], traits=0.5), corpus(["u"], 0.0, 0.5)]),
    "c": corpus([*"rst"], 1.0, 0.5),
}


def test_clips_are_counted_by_what_they_are_labelled_for():
    rows = [
        ("face", "mWACC", 0.7),
        ("fused", "mWACC", 0.854),
        ("fused", "mACC", 0.9),
        ("fused", "CCC", 0.921),
    ]
    ceiling = pd.DataFrame(rows, columns=["modality", "metric", "ceiling"])
    answer, sure, unsaid = corpora_findings(CLIPS, "c", ceiling).sentences
    assert answer == (
        "**10 clips of 8 people**, in 3 corpora: to learn from, 5 clips are labelled "
        "for emotions and 3 for personality traits, 1 of them for both; 3 clips are "
        "held out, and nothing is learned from them."
    )
    written = CLIPS | {"a": CLIPS["a"].assign(media=None)}
    told = corpora_findings(written, "c", ceiling).sentences[0]
    assert told.startswith("**10 clips of 8 people, 4 of them transcripts alone**, in")
    assert "(mWACC; .5 is guessing) of .85, and" in sure and "by .92 (" in sure
    assert unsaid.startswith("**What it does not say.** Drawn people")


def test_where_nothing_is_rendered_only_labels_are_known():
    _, sure, unsaid = corpora_findings(CLIPS, "c", None).sentences
    assert sure.startswith("**How sure.** Of published corpora")
    assert "what raters say" in unsaid
