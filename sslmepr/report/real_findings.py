"""What is found in real people, in sentences and as tables for forest plots.

Each corpus answers with its own scores and units of people: actors, videos, dialogues.
"""

from pathlib import Path

import pandas as pd

from sslmepr.evaluation.scores import headline
from sslmepr.labels import FUSED, select
from sslmepr.report.apa import apa_number
from sslmepr.report.chapter_tables import Message, disturbances, show_table
from sslmepr.report.tables import Table, interval, number
from sslmepr.report.words import plain

OWN = "multitask"
"""The default model, whose scores are told."""


def recorded(path: str | Path) -> pd.DataFrame:
    """A recorded table, without rows if no run has left it yet."""
    return pd.read_csv(path) if Path(path).is_file() else pd.DataFrame()


def speech_findings(folds: pd.DataFrame, split: str = "folds") -> list[str]:
    """A sentence on emotions in acted speech, from voice and face.

    Parameters
    ----------
    folds : DataFrame
        From `sslmepr.evaluation.speaker_folds.cross_validate`.
    split : {"folds", "test"}
    """
    table = folds[folds["split"] == split]
    every = table[table["metric"] == "UAR"].set_index("method")
    if "discriminant, fused, by corpus" not in every.index:
        return []
    parts = []
    for scale, words in (
        ("corpus", "of actors never heard or seen"),
        (
            "speaker",
            "when features are standardised by actor, which "
            "needs several recordings of everybody",
        ),
    ):
        fused = every.loc[f"discriminant, fused, by {scale}"]
        gains = table[
            (table["metric"] == "UAR above")
            & (table["method"] == f"discriminant, fused, by {scale}")
        ]
        least = gains.loc[gains["estimate"].idxmin()]
        parts.append(
            f"{_written(fused)} {words} ({_written(least, signed=True)} above the "
            f"better single modality, {plain(least['target'])})"
        )
    classes = (table["metric"] == "recall") & (table["method"] == every.index[0])
    return [
        "**Emotions in acted speech** (RAVDESS, unweighted average recall of "
        f"{classes.sum()} emotions, where guessing gives {number(1 / classes.sum(), 3)}"
        f"; {int(every['n'].iloc[0])} recordings of {int(every['n_speakers'].iloc[0])} "
        f"actors): from voice and face {'; '.join(parts)}."
    ]


def trait_findings(
    official: pd.DataFrame, by_video: pd.DataFrame, split: str = "dev"
) -> list[str]:
    """A sentence on impressions of personality, from words and voice.

    Parameters
    ----------
    official, by_video : DataFrame
        Metrics of First Impressions in its official split, and without a video on both
        sides, from `sslmepr.evaluation.evaluate.evaluate_study`.
    split : {"dev", "test"}
    """
    told = []
    for metrics, words in (
        (official, ""),
        (by_video, "without a video on both sides "),
    ):
        scores = {
            name: select(headline(metrics, (name,), split), stage="fusion", variant=OWN)
            for name in ("CCC", "CCC pooled", "mACC")
        }
        ccc, pooled, macc = (each.iloc[0] for each in scores.values())
        text = (
            f"{words}CCC {_written(ccc)}, pooled {_written(pooled)}, 1 − mean absolute "
            f"error {_written(macc, digits=4)}"
        )
        if not told:
            alone = select(headline(metrics, ("CCC",), split), stage="unimodal")
            # A modality that no clip of the corpus has gives a constant.
            alone = alone[alone["low"] < alone["high"]]
            each = ", ".join(
                f"{plain(row.modality)} alone {number(row.estimate)}"
                for row in alone.itertuples()
            )
            text += (
                f" ({each}; {int(ccc['n'])} clips of {int(ccc['n_speakers'])} videos)"
            )
        told.append(text)
    return [
        "**Impressions of personality** (First Impressions, video blogs, from "
        f"{' and '.join(map(plain, alone['modality']))}): {'; '.join(told)}."
    ]


def line_findings(metrics: pd.DataFrame, split: str = "dev") -> list[str]:
    """A sentence on emotions of lines of dialogue, from their words.

    Parameters
    ----------
    metrics : DataFrame
        Of MELD, from `sslmepr.evaluation.evaluate.evaluate_study`.
    split : {"dev", "test"}
    """
    scores = headline(metrics, ("weighted F1",), split)
    own = select(scores, stage="fusion", variant=OWN).iloc[0]
    linear = select(scores, stage="linear", modality="text").iloc[0]
    guessed = select(scores, stage="baseline").iloc[0]
    return [
        f"**Emotions of lines** (MELD, words alone): weighted F1 {_written(own)} over "
        f"{int(own['n'])} lines; a linear model of the same words reaches "
        f"{number(linear['estimate'])}, guessing {number(guessed['estimate'])}."
    ]


def noted_findings(noted: pd.DataFrame, emotion: str = "happiness") -> list[str]:
    """A sentence on the criterion from outside: what observers noted of faces.

    Parameters
    ----------
    noted : DataFrame
        From `sslmepr.association.noted_emotions.noted_associations`.
    emotion : str
        Whose pairs are told.
    """
    if noted.empty:
        return []
    pairs = select(noted, emotion=emotion)
    told = ", ".join(
        f"{plain(row.trait)} {apa_number(row.r)} "
        f"[{apa_number(row.low)}, {apa_number(row.high)}]"
        for row in pairs.itertuples()
    )
    return [
        "**A criterion from outside, without any model** (MM-OCEAN, clips of such "
        f"videos): how often observers noted a word of {plain(emotion)} of a face, "
        f"against impressions of the same {int(pairs['n'].iloc[0])} clips: {told}. "
        "Observers and raters saw the same faces, so that liking may be in both."
    ]


def fold_forest(folds: pd.DataFrame, split: str = "folds") -> pd.DataFrame:
    """Recall of each modality and of all, for `sslmepr.report.figures.metric_dots`.

    Parameters
    ----------
    folds : DataFrame
        As in `speech_findings`.
    split : {"folds", "test"}
    """
    mine = folds[(folds["metric"] == "UAR") & (folds["split"] == split)]
    parts = mine["method"].str.extract(r"^discriminant, (\w+), by (\w+)$")
    mine = mine.assign(modality=parts[0], metric="UAR, by " + parts[1])
    classes = folds.loc[folds["metric"] == "recall", "target"].nunique()
    found = mine.dropna(subset=["modality"]).assign(baseline=1 / classes)
    return found.sort_values("modality", key=lambda each: each == FUSED, kind="stable")


def model_forest(
    metrics: pd.DataFrame, names: tuple[str, ...], split: str = "dev"
) -> pd.DataFrame:
    """Scores of single modalities and of all that join them, for a forest plot.

    Parameters
    ----------
    metrics : DataFrame
        Of one corpus, from `sslmepr.evaluation.evaluate.evaluate_study`.
    names : tuple of str
    split : {"dev", "test"}

    Returns
    -------
    DataFrame
        metric, modality (what is scored), estimate, low, high, baseline (guessing).
        Single modalities are those of stage 1; a modality that cannot tell the task
        (it predicts the base rate) is left out.
    """
    chosen = headline(metrics, names, split)
    chosen["metric"] = chosen["metric"].astype(str)
    floor = select(chosen, stage="baseline").set_index("metric")["estimate"].to_dict()
    alone = select(chosen, stage="unimodal")
    told = alone["low"] != alone["high"]
    joined = chosen[chosen["modality"] == FUSED]
    several = told.sum() > len(names)
    parts = [alone[told].assign(modality=alone["modality"])]
    if several:
        linear = select(joined, stage="linear").assign(modality="linear_fusion")
        late = select(joined, stage="stacking").assign(modality="late_fusion")
        parts += [linear, late]
    fused = select(joined, stage="fusion")
    parts.append(fused.assign(modality=fused["variant"]))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(baseline=found["metric"].map(floor))


def stage_1_table(metrics: pd.DataFrame, split: str = "dev") -> pd.DataFrame:
    """Every model of stage 1 beside the linear probe that it corrects.

    Parameters
    ----------
    metrics : DataFrame
        Of all corpora.
    split : {"dev", "test"}

    Returns
    -------
    DataFrame
        corpus, modality, metric, network, linear, difference.
    """
    rows = []
    for corpus, part in metrics.groupby("corpus", sort=False):
        known = part[part["split"] == split]
        for name in ("weighted F1", "UAR", "CCC", "mACC"):
            if not (known["metric"] == name).any():
                continue
            scores = headline(part, (name,), split)
            network = select(scores, stage="unimodal").set_index("modality")
            linear = select(scores, stage="linear").set_index("modality")
            for modality in network.index.intersection(linear.index):
                own, base = (t.loc[modality, "estimate"] for t in (network, linear))
                rows.append(
                    {"corpus": corpus, "modality": modality, "metric": name}
                    | {"network": own, "linear": base, "difference": own - base}
                )
    return pd.DataFrame(rows)


COMPARED = ["corpus", "comparison", "estimate", "low", "high", "p_permutation"]
"""Columns of a comparison with self-reports that a reader is shown."""


def bounds_told(bounds: pd.DataFrame) -> pd.DataFrame:
    """Means over the cells of what no assumption is needed for.

    Parameters
    ----------
    bounds : DataFrame
        From `sslmepr.association.crossed_bounds.crossed_bounds`.

    Returns
    -------
    DataFrame
        One row: explained_emotion, explained_trait, low, high, and sign_known, the
        number of cells whose interval has one sign.
    """
    shown = ["explained_emotion", "explained_trait", "low", "high"]
    found = bounds[shown].mean().to_frame().T
    if "interval_low" not in bounds:  # recorded before intervals were
        return found
    known = (bounds["interval_low"] > 0) | (bounds["interval_high"] < 0)
    return found.assign(sign_known=int(known.sum()))


def checks(folder: str | Path) -> Table | Message:
    """Checks of the assumptions, or that there was nothing to check.

    Parameters
    ----------
    folder : path
        ``results/<study>/association``.
    """
    path = Path(folder, "assumptions.csv")
    if not path.is_file():
        return Message("Associations are not identified; there is nothing to check.")
    return show_table(pd.read_csv(path))


def robustness_words(found: pd.DataFrame) -> str:
    """Where the default model is farthest from linear fusion, in words.

    Parameters
    ----------
    found : DataFrame
        From `sslmepr.evaluation.robustness.robustness`.
    """
    own = select(found, model=OWN)
    named = own.assign(what=disturbances(own))
    ends = (named["above"].idxmax(), named["above"].idxmin())
    most, least = (
        f"{number(row['above'])} ({plain(row['corpus'], 'corpus')}, "
        f"{row['metric']}, {row['what']})"
        for row in (named.loc[end] for end in ends)
    )
    return (
        "Scores of the default model less those of linear fusion, by disturbance; from "
        f"{least} to {most}."
    )


def _written(row: pd.Series, digits: int = 3, signed: bool = False) -> str:
    told = interval(row["estimate"], row["low"], row["high"], digits)
    return f"+{told}" if signed and row["estimate"] > 0 else told
