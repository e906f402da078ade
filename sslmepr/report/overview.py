"""Main findings of a study in a few sentences, with numbers from result tables."""

import numpy as np
import pandas as pd

from sslmepr.association import sources
from sslmepr.evaluation.scores import first_split, headline
from sslmepr.labels import select
from sslmepr.report.tables import interval, number
from sslmepr.report.words import plain, pretty

SPLITS = ("test", "dev")


class Findings:
    """Sentences that a notebook shows as a list."""

    def __init__(self, sentences: list[str]):
        self.sentences = sentences

    def _repr_markdown_(self) -> str:
        return "\n".join(f"- {sentence}" for sentence in self.sentences)

    def __repr__(self) -> str:
        return "\n".join(self.sentences)


def findings(metrics: pd.DataFrame, agreement: pd.DataFrame) -> Findings:
    """Summarise a simulated study.

    Parameters
    ----------
    metrics : DataFrame
        Result of the evaluation.
    agreement : DataFrame
        Result of the validity chapter: study, metric, estimate, low, high, n_cells.
    """
    return Findings(
        [
            *_recognition(metrics),
            *(
                sentence
                for study in dict.fromkeys(agreement["study"])
                for sentence in _association(agreement, study)
            ),
        ]
    )


def study_findings(metrics: pd.DataFrame, outcomes: pd.DataFrame) -> Findings:
    """Summarise a study without known true associations.

    Parameters
    ----------
    metrics : DataFrame
        Result of the evaluation, for whole corpora.
    outcomes : DataFrame
        From :func:`sslmepr.association.halo.outcomes`.
    """
    annotated = outcomes[outcomes["source"].isin(sources.ONE_PREDICTED)]
    sentences = [
        f"**{pretty(row.source)}** (*{plain(row.corpus, 'corpus')}*): of the "
        f"emotion-trait pairs, {row.significant} are significant after correction, "
        f"{row.survives} of them without halo too"
        f"{f' ({row.pairs})' if row.pairs else ''}."
        for row in select(annotated, level="clip").itertuples()
    ]
    return Findings([*_recognition(metrics), *sentences])


def _recognition(metrics: pd.DataFrame) -> list[str]:
    sentences = []
    words = {"mWACC": "emotions", "CCC": "traits"}
    for metric, what in words.items():
        mine = metrics[metrics["metric"] == metric]
        if not mine["split"].isin(SPLITS).any():
            continue
        split = first_split(mine, SPLITS)
        table = headline(mine, (metric,), split)
        fused = select(table, stage="fusion", variant="multitask").iloc[0]
        guessed = select(table, stage="baseline").iloc[0]
        alone = select(table, stage="unimodal")
        best = alone.loc[alone["estimate"].idxmax()]
        sentences.append(
            f"**Recognising {what}** on the {split} split, the fused model reaches a "
            f"{metric} of {_written(fused)} ({int(fused['n'])} clips); the best single "
            f"modality, {best['modality']}, reaches {_written(best)}, "
            f"and guessing {number(guessed['estimate'])}."
        )
    return sentences


def _association(agreement: pd.DataFrame, study: str) -> list[str]:
    table = agreement[agreement["study"] == study].set_index("metric")
    correlation, shares = table.loc["correlation"], table.loc["significant"]
    if np.isnan(correlation["estimate"]):
        return [
            f"**Nothing to find** (*{study}*): where emotions and traits are "
            f"unrelated, {100 * shares['estimate']:.0f} % of {int(shares['n_cells'])} "
            "emotion-trait pairs are called significant after correction."
        ]
    return [
        f"**Something to find** (*{study}*): recovered and planted emotion-trait "
        f"correlations agree with r = {_written(correlation)} over "
        f"{int(correlation['n_cells'])} pairs, on clips of people that no stage was "
        "trained on."
    ]


def _written(row: pd.Series) -> str:
    return interval(row["estimate"], row["low"], row["high"])
