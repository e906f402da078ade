"""What is found in real people, in sentences and as tables for forest plots.

Each corpus answers with its own scores and units of people: actors, videos, dialogues.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from sslmepr.association.sources import NOTED
from sslmepr.evaluation.scores import (
    ALL,
    GUESSING,
    KERNELS,
    LATE_FUSION,
    LINEAR,
    LINEAR_FUSION,
    NONE,
    STACKED,
    headline,
)
from sslmepr.labels import FUSED, MODALITIES, select
from sslmepr.report.apa import apa_number
from sslmepr.report.association_trust import checks_shown
from sslmepr.report.chapter_tables import (
    GAINED,
    Message,
    disturbances,
    show_table,
)
from sslmepr.report.component_findings import F1, gained, stage_3_finding
from sslmepr.report.on_record import recorded
from sslmepr.report.overview import OWN, Findings, first_screen, own_score
from sslmepr.report.recorded_verdicts import CLAIM, DOUBT
from sslmepr.report.tables import Table, interval, number, written
from sslmepr.report.words import plain
from sslmepr.statistics.verdicts import BETTER, WORSE

CLIPS_OF = {"test": "held out", "dev": "dev", "folds": "actors left out in turn"}
"""Splits of this chapter, in words."""

MARGIN = 0.003
"""Largest difference at which a network is called equal to a simple method."""


def held_out_told(corpora: Mapping, corpus: str) -> str:
    """Which clips of a corpus are its split ``test``, in words.

    Parameters
    ----------
    corpora : mapping
        Name of a corpus to its summary, from `sslmepr.corpora.build.describe`. One of
        an earlier version does not tell whether the dev split is held out, but has as
        many test clips as were published only if these are there.
    corpus : {"fiv2", "meld"}
    """
    summary = corpora[corpus]
    test = summary["published"]["clips"]["test"]
    if summary.get("dev_as_test", test["found"] != test["expected"]):
        return "published validation clips, on which nothing was chosen"
    return "published test clips"


def held_out_findings(corpora: Mapping) -> list[str]:
    """A sentence on which clips of First Impressions and MELD were held out.

    Parameters
    ----------
    corpora : mapping
        As in `held_out_told`.
    """
    blogs, lines = (held_out_told(corpora, name) for name in ("fiv2", "meld"))
    if blogs == lines:
        return [f"Scores of First Impressions and of MELD are of {blogs}."]
    return [f"Scores of First Impressions are of {blogs}; those of MELD, of {lines}."]


def refused(verdicts: list[str]) -> bool:
    """Whether data contradict the assumptions of verdicts.

    Parameters
    ----------
    verdicts : list of str
        From `sslmepr.report.recorded_verdicts.recorded_verdicts`.
    """
    return any(each.startswith(DOUBT) for each in verdicts)


def verdict_findings(verdicts: list[str]) -> list[str]:
    """The verdicts; where they are refused, why comes first, and none looks like one.

    Parameters
    ----------
    verdicts : list of str
        As of `refused`.
    """
    doubts = [each for each in verdicts if each.startswith(DOUBT)]
    if not doubts:
        return verdicts
    others = [each.replace("**", "") for each in verdicts if each not in doubts]
    return [*doubts, *(f"*Not to be relied on:* {each}" for each in others)]


def chapter_findings(
    verdicts: list[str],
    metrics: Mapping[str, pd.DataFrame],
    by_video: pd.DataFrame,
    folds: pd.DataFrame,
    corpora: Mapping,
) -> Findings:
    """What can be said of real people, how sure that is, and what it does not say.

    Parameters
    ----------
    verdicts : list of str
        As of `refused`.
    metrics : mapping of str to DataFrame
        Corpus to its metrics, from `sslmepr.evaluation.evaluate.evaluate_study`.
    by_video : DataFrame
        Those of First Impressions without a video on both sides.
    folds : DataFrame
        As in `speech_findings`.
    corpora : mapping
        As in `held_out_told`.
    """
    claims = [each for each in verdicts if each.startswith(CLAIM)] or verdicts[:1]
    if refused(verdicts):
        doubt = next(each for each in verdicts if each.startswith(DOUBT))
        claims = [
            "**Which emotions go with which traits in real people cannot be said "
            f"yet.** {doubt.replace('**', '')}"
        ]
    traits, apart = (own_score(table, "CCC") for table in (metrics["fiv2"], by_video))
    lines = own_score(metrics["meld"], "weighted F1")
    guessed = select(
        headline(metrics["meld"], ("weighted F1",), "test"), stage="baseline"
    )
    scores = [
        f"impressions of personality by a concordance of {written(traits)} (CCC; 0 is "
        "guessing)",
        f"emotions of lines of dialogue by a weighted F1 of {written(lines)} "
        f"(guessing gives {number(guessed['estimate'].iloc[0])})",
    ]
    acted = folds[(folds["metric"] == "UAR") & (folds["split"] == "folds")]
    acted = select(acted, method=f"discriminant, {FUSED}, by corpus")
    if len(acted):
        scores.append(
            "emotions of actors who were never met by an average recall of "
            f"{written(acted.iloc[0])} (guessing gives "
            f"{number(1 / _classes(folds))})"
        )
    answer = " ".join([*claims, f"How well labels are read: {'; '.join(scores)}."])
    sure = (
        f"{' '.join(held_out_findings(corpora))} Intervals are over videos, dialogues "
        f"and actors. {_shared(corpora):.0f} % of the clips of First Impressions share "
        "a video with clips that were learned from; without a video on both sides, the "
        f"concordance is {written(apart)}."
    )
    unsaid = (
        "These are labels: what raters said of acted emotions and of first "
        "impressions, in different people. They say nothing of what anybody felt, or "
        "of who anybody is."
    )
    return Findings(first_screen(answer, sure, unsaid))


def _classes(folds: pd.DataFrame) -> int:
    """Number of emotions that are told apart."""
    return folds.loc[folds["metric"] == "recall", "target"].nunique()


def _shared(corpora: Mapping, corpus: str = "fiv2", split: str = "test") -> float:
    """Per cent of clips of a split that share a video with training clips."""
    summary = corpora[corpus]
    shared = summary["clips_sharing_a_speaker"][split]
    return 100 * shared / summary["clips"][split]


def seen_videos_findings(
    corpora: Mapping,
    official: pd.DataFrame,
    by_video: pd.DataFrame,
    gains: pd.DataFrame,
) -> list[str]:
    """Sentences on what is due to videos of which training has other clips.

    Parameters
    ----------
    corpora : mapping
        As in `held_out_told`.
    official, by_video, gains : DataFrame
        As in `trait_findings`.
    """
    told = []
    for modality in MODALITIES:
        each = [
            select(headline(table, ("CCC",), "test"), stage="unimodal")
            for table in (by_video, official)
        ]
        alone = [select(table, modality=modality) for table in each]
        if all(len(one) and (one["low"] < one["high"]).all() for one in alone):
            apart, shared = (written(one.iloc[0]) for one in alone)
            told.append(f"{plain(modality)} alone {apart} instead of {shared}")
    model = [written(own_score(table, "CCC")) for table in (by_video, official)]
    told.insert(0, f"the model {model[0]} instead of {model[1]}")
    sentences = [
        "**Clips of videos that were learned from.** In the official split, "
        f"{_shared(corpora):.0f} % of the clips that are held out come from a video "
        "that was learned from, with its speaker, room and topic. Without a video on "
        f"both sides, the concordance is: {', '.join(told)}. These are other clips, "
        "and others to learn from, so that the intervals are not of a difference."
    ]
    networks = select(gains, corpus="fiv2", against=LINEAR, metric="CCC", target="mean")
    rows = []
    for modality, part in networks.groupby("model", sort=False):
        by_split = part.set_index("split")
        if {"test", "dev"} <= {*by_split.index}:
            met, unmet = by_split.loc["test"], by_split.loc["dev"]
            rows.append(
                f"{plain(modality)} {_difference(met)} there and "
                f"{_difference(unmet)} on dev{_more(met, unmet)}"
            )
    if rows and not _shared(corpora, split="dev"):
        sentences.append(
            "**What else than a linear probe finds.** A model that can compare a clip "
            "with single training clips can know a video again, which is no sign of "
            "how it reads a new person. No dev clip shares a video with training. In "
            "concordance, models of stage 1 are above linear probes of the same "
            f"features: {'; '.join(rows)}. Dev had a part in choosing the models, "
            "which flatters them there."
        )
    return sentences


def _more(met: pd.Series, unmet: pd.Series) -> str:
    """Whether a gain is larger on clips whose videos were met."""
    if met["low"] > unmet["high"]:
        return ", surely more where videos were met"
    if met["high"] < unmet["low"]:
        return ", surely less where videos were met"
    return " (the intervals overlap)"


def part_findings(gains: pd.DataFrame, people: str = "Real people") -> list[str]:
    """Sentences on parts of the model with which people are read worse or better.

    Parameters
    ----------
    gains : DataFrame
        From `sslmepr.evaluation.component_gains.component_gains`; without rows, if none
        are on record.
    people : str
        Who is read, as a subject in the plural.
    """
    if gains.empty:
        return []
    metrics = {"mWACC": "emotions", "CCC": "traits"}
    shown = gains[gains["metric"].isin([*metrics, F1]) & ~gains["added"].astype(bool)]
    parts = shown[~shown["component"].isin((LINEAR_FUSION, LATE_FUSION))]
    told = []
    for verdict in (WORSE, BETTER):
        each = [
            f"{plain(row.component, 'component')} ({plain(row.metric)} {gained(row)})"
            for row in select(parts, verdict=verdict).itertuples()
        ]
        told.append(f"{verdict} with {', '.join(each) or 'none'}")
    return [
        *filter(None, [stage_3_finding(gains, metrics)]),
        f"**Parts of the model.** {people} are read {'; '.join(told)}.",
    ]


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
            f"{written(fused)} {words} ({written(least, signed=True)} above the "
            f"better single modality, {plain(least['target'])})"
        )
    classes = _classes(table)
    return [
        "**Emotions in acted speech** (RAVDESS, unweighted average recall of "
        f"{classes} emotions, where guessing gives {number(1 / classes)}"
        f"; {int(every['n'].iloc[0])} recordings of {int(every['n_speakers'].iloc[0])} "
        f"actors): from voice and face {'; '.join(parts)}. These numbers are of a "
        "discriminant analysis with a shrunken covariance of both, not of the fusion "
        "of the method."
    ]


def trait_findings(
    official: pd.DataFrame,
    by_video: pd.DataFrame,
    gains: pd.DataFrame,
    split: str = "test",
) -> list[str]:
    """Sentences on impressions of personality, from words and voice.

    Parameters
    ----------
    official, by_video : DataFrame
        Metrics of First Impressions in its official split, and without a video on both
        sides, from `sslmepr.evaluation.evaluate.evaluate_study`.
    gains : DataFrame
        From `sslmepr.evaluation.target_gains.target_gains`; without rows, if none are
        on record.
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
            f"{words}CCC {written(ccc)}, pooled {written(pooled)}, 1 − mean absolute "
            f"error {written(macc, digits=4)}"
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
        f"{_gained(gains, 'fiv2', 'CCC', split)}"
    ]


def line_findings(
    metrics: pd.DataFrame, gains: pd.DataFrame, split: str = "test"
) -> list[str]:
    """Sentences on emotions of lines of dialogue, from their words.

    Parameters
    ----------
    metrics : DataFrame
        Of MELD, from `sslmepr.evaluation.evaluate.evaluate_study`.
    gains : DataFrame
        As in `trait_findings`.
    split : {"dev", "test"}
    """
    scores = headline(metrics, ("weighted F1",), split)
    own = select(scores, stage="fusion", variant=OWN).iloc[0]
    linear = select(scores, stage="linear", modality="text").iloc[0]
    guessed = select(scores, stage="baseline").iloc[0]
    return [
        f"**Emotions of lines** (MELD, words alone): weighted F1 {written(own)} over "
        f"{int(own['n'])} lines; a linear model of the same words reaches "
        f"{number(linear['estimate'])}, guessing {number(guessed['estimate'])}."
        f"{_gained(gains, 'meld', 'weighted F1', split)}"
    ]


def _gained(gains: pd.DataFrame, corpus: str, metric: str, split: str) -> str:
    """How far the default model is above the better modality and linear fusion."""
    if gains.empty:
        return ""
    mine = select(
        gains, corpus=corpus, split=split, model=OWN, metric=metric, target="mean"
    )
    alone = mine[mine["against"].isin(MODALITIES)]
    linear = select(mine, against=LINEAR_FUSION)
    if alone.empty or linear.empty:
        return ""
    least = alone.loc[alone["difference"].idxmin()]
    better = ", the better single modality" if len(alone) > 1 else ""
    return (
        f" In {plain(metric)} the model is {_difference(least)} above "
        f"{plain(least['against'])} alone{better}, and "
        f"{_difference(linear.iloc[0])} above linear fusion."
    )


def described_findings(folds: pd.DataFrame) -> list[str]:
    """A sentence on impressions of people who are described in words.

    Parameters
    ----------
    folds : DataFrame
        From `sslmepr.evaluation.trait_folds.cross_validate_traits`; without rows, if
        none are on record.
    """
    if folds.empty:
        return []
    mean = folds[folds["target"] == "mean"]
    scores = select(mean, method=KERNELS).set_index("metric")
    gains = select(mean, metric="r above", method=KERNELS)
    over_all = select(gains, against=ALL).iloc[0]
    closer = select(mean, metric="mACC above", method=KERNELS, against=ALL).iloc[0]
    single = gains[~gains["against"].isin([ALL, STACKED])]
    least = single.loc[single["estimate"].idxmin()]
    r = scores.loc["r"]
    return [
        "**Impressions of people described in words** (MM-OCEAN, "
        f"{int(r['n'])} clips of {int(r['n_speakers'])} videos, left out in turn): "
        f"late fusion of kernel regressions on {len(single)} modalities correlates "
        f"with the scores by {written(r)}, 1 − mean absolute error "
        f"{written(scores.loc['mACC'], digits=4)}; r is {written(over_all, 3, True)} "
        f"above ridge regression on all of them, 1 − mean absolute error "
        f"{written(closer, 4, True)} above it, and r {written(least, 3, True)} above "
        f"the better single modality, {plain(least['against'])}."
    ]


def described_forest(folds: pd.DataFrame) -> pd.DataFrame:
    """Scores by modality and of all, for `sslmepr.report.figures.metric_dots`.

    Parameters
    ----------
    folds : DataFrame
        As in `described_findings`.

    Returns
    -------
    DataFrame
        metric, modality (or what joins them), estimate, low, high, baseline (guessing;
        0 for correlations).
    """
    if folds.empty:
        return folds
    scores = folds["metric"].isin(("r", "CCC", "mACC"))
    mean = folds[scores & (folds["target"] == "mean")]
    floor = select(mean, method=GUESSING).set_index("metric")["estimate"]
    shown = mean[mean["method"] != GUESSING]
    return shown.assign(
        modality=shown["method"],
        baseline=shown["metric"].map(floor.to_dict()).fillna(0.0),
    )


def outside_findings(outside: pd.DataFrame, emotion: str = "happiness") -> list[str]:
    """A sentence on the criterion from outside, and what else is said of its pairs.

    Parameters
    ----------
    outside : DataFrame
        From `sslmepr.association.outside_criterion.outside_criterion`; without rows, if
        none are on record.
    emotion : str
        Whose pairs are told.
    """
    if outside.empty:
        return []
    pairs = select(outside, emotion=emotion).dropna(subset=["r"])
    told = {
        source: ", ".join(
            f"{plain(row.trait)} {apa_number(row.r)} "
            f"[{apa_number(row.low)}, {apa_number(row.high)}]"
            for row in part.itertuples()
        )
        for source, part in pairs.groupby("source", sort=False)
    }
    noted = told.pop(NOTED)
    count = int(select(pairs, source=NOTED)["n"].iloc[0])
    others = "; ".join(f"{plain(source)}: {words}" for source, words in told.items())
    return [
        "**A criterion from outside, without any model** (MM-OCEAN, clips of such "
        f"videos): how often observers noted a word of {plain(emotion)} of a face, "
        f"against impressions of the same {count} clips: {noted}. Beside it, "
        f"{others}. The words are those of `book/emotion_words.yaml`. Observers and "
        "raters saw the same faces, so that liking may be in both; self-reports are of "
        "other people, about themselves. Where notes and model agree, the model finds "
        "what observers saw."
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
    found = mine.dropna(subset=["modality"]).assign(baseline=1 / _classes(folds))
    return found.sort_values("modality", key=lambda each: each == FUSED, kind="stable")


def model_forest(
    metrics: pd.DataFrame, names: tuple[str, ...], split: str = "test"
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


def sources_told(forest: pd.DataFrame) -> str:
    """What the models of a forest plot were given, in words.

    Parameters
    ----------
    forest : DataFrame
        From `model_forest` or `fold_forest`.
    """
    alone = [
        plain(each) for each in dict.fromkeys(forest["modality"]) if each in MODALITIES
    ]
    together = {1: "", 2: ", alone and both"}.get(len(alone), ", alone and all")
    return " and ".join(alone) + together


def gain_forest(gains: pd.DataFrame, corpus: str, split: str = "test") -> pd.DataFrame:
    """Gains of the default model by emotion or trait, for `figures.difference_dots`.

    Parameters
    ----------
    gains : DataFrame
        From `sslmepr.evaluation.target_gains.target_gains`; without rows, if none are
        on record.
    corpus : str
    split : {"dev", "test"}

    Returns
    -------
    DataFrame
        variant (the target), metric (above what), difference, low, high.
    """
    if gains.empty:
        return gains
    mine = select(gains, corpus=corpus, split=split, model=OWN)
    mine = mine[mine["metric"].isin(GAINED)]
    return mine.assign(
        variant=mine["target"].replace("mean", "all of them"),
        metric="above " + mine["against"].map(plain),
    )


def stage_1_table(gains: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """Every model of stage 1 beside simple methods on the same features.

    Parameters
    ----------
    gains : DataFrame
        From `sslmepr.evaluation.target_gains.target_gains`: networks against the linear
        probes that they correct, on the split ``test`` of a corpus, or on dev where it
        has none.
    folds : DataFrame
        From `sslmepr.evaluation.speaker_folds.cross_validate`: network and discriminant
        analysis against support vector machine and logistic regression.

    Returns
    -------
    DataFrame
        corpus, clips_of, modality, model, against, metric, estimate, reference,
        difference (paired, with its interval), verdict on its estimate: above, below,
        or within `MARGIN`.
    """
    rows = []
    if len(gains):
        networks = select(gains, against=LINEAR, target="mean")
        # In the order of the alphabet, test comes behind dev.
        best = networks.groupby("corpus")["split"].transform("max")
        networks = networks[networks["split"] == best]
        rows = [
            {"corpus": row["corpus"], "clips_of": CLIPS_OF[row["split"]]}
            | {"modality": row["model"], "model": "network", "against": plain(LINEAR)}
            | {"metric": row["metric"]}
            | _judged(row["estimate"], row["reference"], _difference(row))
            for row in networks.to_dict("records")
        ]
    uar = select(folds, metric="UAR").set_index(["split", "method"])["estimate"]
    for row in select(folds, metric="UAR above").to_dict("records"):
        model, modality, scale = row["method"].split(", ")
        if modality != FUSED:
            own, gain = uar[row["split"], row["method"]], row["estimate"]
            simple = {"linear": "logistic"}.get(row["target"], plain(row["target"]))
            rows.append(
                {"corpus": "ravdess", "clips_of": CLIPS_OF[row["split"]]}
                | {"modality": modality, "model": plain(model), "against": simple}
                | {"metric": f"UAR, {scale}"}
                | _judged(own, own - gain, written(row, signed=True))
            )
    return pd.DataFrame(rows)


def _judged(own: float, base: float, difference: str) -> dict:
    above = own - base
    verdict = "above" if above > 0 else "below"
    if abs(above) <= MARGIN:
        verdict = f"within {MARGIN:g}".replace("0.", ".")
    return {"estimate": own, "reference": base} | {
        "difference": difference,
        "verdict": verdict,
    }


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
    found = recorded(Path(folder, "assumptions.csv"))
    nothing = "Associations are not identified; there is nothing to check."
    return show_table(checks_shown(found), nothing)


def robustness_findings(found: pd.DataFrame) -> list[str]:
    """A sentence for each corpus on whether the default model beats linear fusion.

    Parameters
    ----------
    found : DataFrame
        As in `robustness_words`; without rows, if none are on record.
    """
    own = select(found, model=OWN) if len(found) else found
    own = own[own["disturbance"] != NONE] if len(own) else own
    if own.empty:
        return []
    named = own.assign(what=disturbances(own))
    above, below = named["above_low"] > 0, named["above_high"] < 0
    sentences = []
    for corpus, part in named.groupby("corpus", sort=False):
        told = []
        for words, chosen in (("surely better", above), ("surely worse", below)):
            each = [
                f"{row.what} ({row.metric} "
                f"{interval(row.above, row.above_low, row.above_high)})"
                for row in part[chosen[part.index]].itertuples()
            ]
            if each:
                told.append(f"{words}: {', '.join(each)}")
        rest = sum(~(above | below)[part.index])
        told.append(f"not told apart: {rest} of {len(part)}")
        sentences.append(
            f"**Disturbed clips** ({plain(corpus, 'corpus')}). Scores of the default "
            f"model less those of linear fusion on the same clips, {'; '.join(told)}."
        )
    return sentences


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


def _difference(row: Mapping) -> str:
    """A difference with its sign and its interval."""
    told = interval(row["difference"], row["low"], row["high"])
    return f"+{told}" if row["difference"] > 0 else told
