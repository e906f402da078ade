"""Main findings of a study in a few sentences, with numbers from result tables."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sslmepr.evaluation.scores import first_split, headline
from sslmepr.labels import FUSED, select
from sslmepr.report.tables import number, written
from sslmepr.report.words import plain

SPLITS = {
    "all": "in people whom no stage was trained on",
    "test": "on the test split",
    "dev": "on the dev split",
}
"""Splits by preference (``all``: the held-out corpus), and how they are told."""

STAGES = {"unimodal": "stage 1", "crosstask": "stage 2"}
"""Stages that read one modality, in words."""

OWN = "multitask"
"""The default model, whose scores are told."""

ENDS = ("estimate", "low", "high")


class Findings:
    """Sentences that a notebook shows as a list."""

    def __init__(self, sentences: list[str]):
        self.sentences = sentences

    def _repr_markdown_(self) -> str:
        return "\n".join(f"- {sentence}" for sentence in self.sentences)

    def __repr__(self) -> str:
        return "\n".join(self.sentences)


def first_screen(answer: str, sure: str, unsaid: str) -> list[str]:
    """The first lines of a chapter, in the one order in which all chapters have them.

    Parameters
    ----------
    answer, sure, unsaid : str
        What was found, with numbers; how sure that is; what it does not say.
    """
    return [answer, f"**How sure.** {sure}", f"**What it does not say.** {unsaid}"]


def own_score(
    metrics: pd.DataFrame, name: str, split: str = "test", variant: str = OWN
) -> pd.Series:
    """Score of a fusion model over all targets.

    Parameters
    ----------
    metrics : DataFrame
        Of one corpus, from `sslmepr.evaluation.evaluate.evaluate_study`.
    name, split, variant : str
        Metric, split and model.
    """
    scores = headline(metrics, (name,), split)
    return select(scores, stage="fusion", variant=variant).iloc[0]


def study_findings(metrics: pd.DataFrame, told: list[str]) -> Findings:
    """Summarise a study without known true associations.

    Parameters
    ----------
    metrics : DataFrame
        Result of the evaluation, for whole corpora.
    told : list of str
        Sentences of the chapter on associations
        (:func:`sslmepr.report.association_findings.association_findings`).
    """
    return Findings([*recognition(metrics), *told])


def recognition(
    metrics: pd.DataFrame, ceiling: pd.DataFrame | None = None
) -> list[str]:
    """Sentences on how well emotions and traits are recognised.

    Parameters
    ----------
    metrics : DataFrame
        Result of the evaluation.
    ceiling : DataFrame, optional
        From `sslmepr.evaluation.scores.read_ceiling`.

    Returns
    -------
    list of str
        One sentence for each task with scores, on the first of `SPLITS` that has them.
    """
    sentences = []
    for metric, what in {"mWACC": "emotions", "CCC": "traits"}.items():
        mine = metrics[metrics["metric"] == metric]
        if not mine["split"].isin(SPLITS).any():
            continue
        split = first_split(mine, tuple(SPLITS))
        table = headline(mine, (metric,), split)
        fused = select(table, stage="fusion", variant=OWN).iloc[0]
        guessed = select(table, stage="baseline").iloc[0]
        late = select(table, stage="stacking").iloc[0]
        linear = select(table, stage="linear", modality=FUSED)
        alone = pd.concat(
            [select(table, stage=stage) for stage in ("crosstask", "unimodal")]
        )
        best = alone.loc[alone["estimate"].idxmax()]
        sentence = (
            f"**Recognising {what}** {SPLITS[split]}, the fused model reaches a "
            f"{plain(metric)} of {written(fused)} ({int(fused['n'])} clips); late "
            f"fusion reaches {number(late['estimate'])}, "
            + "".join(f"linear fusion {number(each)}, " for each in linear["estimate"])
            + f"the best single modality, "
            f"{plain(best['modality'])} after {STAGES[best['stage']]}, "
            f"{number(best['estimate'])}, and guessing "
            f"{number(guessed['estimate'])}"
        )
        if ceiling is not None:
            top = select(ceiling, modality=FUSED, metric=metric)["ceiling"].iloc[0]
            way = top - guessed["estimate"]
            ends = [(fused[e] - guessed["estimate"]) / way for e in ENDS]
            share, low, high = (number(100 * end, 0) for end in ends)
            sentence += (
                f". The ideal observer of what was drawn reaches {number(top)}: from "
                f"guessing, {share} % [{low}, {high}] of the way are covered"
            )
        sentences.append(f"{sentence}.")
    return sentences


def recognition_findings(
    metrics: pd.DataFrame,
    ceiling: pd.DataFrame | None,
    stage_3: str,
    kept: list[str],
    more: Sequence[str] = (),
) -> Findings:
    """How well emotions and traits are recognised, how sure that is, what is unsaid.

    Parameters
    ----------
    metrics, ceiling
        As of `recognition`.
    stage_3 : str
        From `sslmepr.report.component_findings.stage_3_finding`; may be empty.
    kept : list of str
        From `sslmepr.report.person_intervals.kept`.
    more : sequence of str
        Other findings, such as who is read worse, which stand at the end.
    """
    answer = " ".join(filter(None, [*recognition(metrics, ceiling), stage_3]))
    sure = " ".join(["Intervals of scores are over people, not clips.", *kept])
    unsaid = "A label is what raters say of a clip, not what a person felt or is."
    if ceiling is not None:
        unsaid += " These people are drawn, and scores of real people may be worse."
    return Findings([*first_screen(answer, sure, unsaid), *more])


def agreement_findings(agreement: pd.DataFrame) -> list[str]:
    """Sentences on what is found in worlds whose associations are known.

    Parameters
    ----------
    agreement : DataFrame
        Result of the validity chapter: study, metric, estimate, low, high, n_cells.
    """
    studies = dict.fromkeys(agreement["study"])
    return [each for study in studies for each in _association(agreement, study)]


def _association(agreement: pd.DataFrame, study: str) -> list[str]:
    table = agreement[agreement["study"] == study].set_index("metric")
    correlation, shares = table.loc["correlation"], table.loc["significant"]
    if not shares["n_cells"]:
        return [f"**Nothing to say** (*{study}*): no association is identified."]
    if np.isnan(correlation["estimate"]):
        return [
            f"**Nothing to find** (*{study}*): where emotions and traits are "
            f"unrelated, {100 * shares['estimate']:.0f} % of {int(shares['n_cells'])} "
            "emotion-trait pairs are called significant after correction."
        ]
    slope = table.loc["slope"]
    weak = ", too weak" if slope["high"] < 1 else ""
    return [
        f"**Something to find** (*{study}*): recovered emotion-trait correlations and "
        f"those of the labels agree with r = {written(correlation)} over "
        f"{int(correlation['n_cells'])} pairs, on clips of people that no stage was "
        f"trained on. They are {written(slope)} times as large as those on average"
        f"{weak}."
    ]
