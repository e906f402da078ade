"""What the corpora of a study hold, in sentences."""

from collections.abc import Mapping

import pandas as pd

from sslmepr.labels import EMOTION_COLUMNS, FUSED, TRAIT_COLUMNS
from sslmepr.report.apa import apa_number
from sslmepr.report.overview import Findings, first_screen

RATED = (
    "Of published corpora and of one's own recordings only labels are known: how far "
    "raters agree bounds what can be learned from them."
)


def corpora_findings(
    clips: Mapping[str, pd.DataFrame],
    held_out: str,
    ceiling: pd.DataFrame | None,
) -> Findings:
    """Say how many clips and people there are, and how much could be known of them.

    Parameters
    ----------
    clips : mapping of str to DataFrame
        Corpus to its clip table.
    held_out : str
        The corpus from which nothing is learned.
    ceiling : DataFrame or None
        Its scores from `sslmepr.evaluation.scores.read_ceiling`; None if it is not
        rendered.
    """
    trained = pd.concat([table for name, table in clips.items() if name != held_out])
    emotions = trained[list(EMOTION_COLUMNS)].notna().all(axis=1)
    traits = trained[list(TRAIT_COLUMNS)].notna().all(axis=1)
    people = sum(table["speaker_id"].nunique() for table in clips.values())
    written = sum(table["media"].isna().sum() for table in clips.values())
    kinds = f", {written:,} of them transcripts alone" if written else ""
    answer = (
        f"**{sum(map(len, clips.values())):,} clips of {people:,} people{kinds}**, in "
        f"{len(clips)} corpora: to learn from, {emotions.sum():,} clips are labelled "
        f"for emotions and {traits.sum():,} for personality traits, "
        f"{(emotions & traits).sum():,} of them for both; {len(clips[held_out]):,} "
        "clips are held out, and nothing is learned from them."
    )
    if ceiling is None:
        unsaid = "A label is what raters say of a clip, not what a person felt or is."
        return Findings(first_screen(answer, RATED, unsaid))
    best = ceiling[ceiling["modality"] == FUSED].set_index("metric")["ceiling"]
    sure = (
        "People are drawn, so that the truth is known, and how much of it a clip can "
        "tell: who knew exactly how the held-out clips are made would reach a balanced "
        "accuracy of emotions (mWACC; .5 is guessing) of "
        f"{apa_number(best['mWACC'])}, and agree with the trait scores by "
        f"{apa_number(best['CCC'])} (concordance, CCC; 0 is guessing)."
    )
    unsaid = (
        "Drawn people are no stand-in for real ones: how well a method reads them says "
        "nothing of how well it reads people."
    )
    return Findings(first_screen(answer, sure, unsaid))
