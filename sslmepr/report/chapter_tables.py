"""Tables of the chapters: data of a study, missing data, and scores."""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from sslmepr.evaluation.scores import (
    MEAN_OVER_SEEDS,
    NOISE,
    NONE,
    REMOVED,
    headline,
)
from sslmepr.labels import (
    EMOTION_COLUMNS,
    EMOTIONS,
    MODALITIES,
    SPLITS,
    TRAIT_COLUMNS,
    Model,
    select,
)
from sslmepr.report.tables import Table, interval, metric_table, number
from sslmepr.report.tabs import Folded, Tabs
from sslmepr.report.words import MODELS, cell, plain, pretty


class Message:
    """A sentence that replaces an empty table."""

    def __init__(self, text: str):
        self.text = text

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>"

    def __repr__(self) -> str:
        return self.text


def show_table(frame: pd.DataFrame, empty: str = "Nothing to show.") -> Table | Message:
    """Show a table, or say why there is none.

    Parameters
    ----------
    frame : DataFrame
    empty : str
        Sentence for a table without rows.

    Returns
    -------
    Table or Message
    """
    return Table(frame) if len(frame) else Message(empty)


class Stack:
    """Tables and folds that a notebook shows below each other."""

    def __init__(self, parts: list):
        self.parts = parts

    def _repr_html_(self) -> str:
        return "".join(part._repr_html_() for part in self.parts)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.parts))


def show_tree(content: Mapping) -> Stack:
    """Show a nested dictionary as small tables, one for each parent of values.

    Parameters
    ----------
    content : mapping
        Values are mappings, lists or scalars.

    Returns
    -------
    Stack
        A table (what, value) of what stands at the top, and below it one fold for each
        further key, so that hashes of files are folded away.
    """
    groups: dict[tuple[str, ...], list] = {}
    for *path, name, value in _leaves(content, ()):
        groups.setdefault((*path,), []).append((name, value))
    parts: list = []
    below: dict[str, list] = {}
    for path, rows in groups.items():
        frame = pd.DataFrame(rows, columns=["what", "value"])
        table = Table(frame, caption=", ".join(path[1:]) or None)
        if path:
            below.setdefault(path[0], []).append(table)
        else:
            parts.append(table)
    folds = [Folded(key[:1].upper() + key[1:], Stack(v)) for key, v in below.items()]
    return Stack(parts + folds)


def _leaves(value, path: tuple[str, ...]) -> Iterator[tuple]:
    """Path to each leaf, and at its end the value."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            # Names of files stay as they are.
            word = plain(key) if str(key).isidentifier() else str(key)
            yield from _leaves(item, (*path, word))
    elif isinstance(value, list):
        yield (*path, ", ".join(map(str, value)) or None)
    else:
        yield (*path, value)


def extraction(summaries: Mapping[str, dict]) -> Table:
    """Extracted and missing clips of every corpus and modality.

    Parameters
    ----------
    summaries : mapping of str to dict
        Corpus to the summary of :func:`sslmepr.extraction.extract_corpus`.
    """
    rows = []
    for corpus, summary in summaries.items():
        for modality, entry in summary["modalities"].items():
            shares = entry.get("provenance", {}).values()
            found = " / ".join(f"{100 * share:.1f}" for share in shares)
            rows.append(
                {
                    "corpus": corpus,
                    "modality": modality,
                    "clips": entry["present"],
                    "missing": entry["missing"],
                    "without_media": entry["without_media"],
                    "steps": entry["steps"],
                    "steps_per_second": entry.get("median_steps_per_second"),
                    "encoder": entry.get("encoder"),
                    "detected / person / full frame, %": found or None,
                }
            )
    return Table(pd.DataFrame(rows))


def corpora(clips: Mapping[str, pd.DataFrame]) -> Table:
    """Numbers of clips, speakers, labels and clips without media of clip tables."""
    rows = []
    for name, table in clips.items():
        splits = table["split"].value_counts()
        emotions = table[list(EMOTION_COLUMNS)].notna().all(axis=1)
        traits = table[list(TRAIT_COLUMNS)].notna().all(axis=1)
        rows.append(
            {"corpus": name, "clips": len(table)}
            | {"speakers": table["speaker_id"].nunique()}
            | {split: int(splits.get(split, 0)) for split in SPLITS}
            | {"with_emotions": int(emotions.sum()), "with_traits": int(traits.sum())}
            | {"without_media": int(table["media"].isna().sum())}
        )
    return Table(pd.DataFrame(rows))


def ceilings(table: pd.DataFrame) -> Tabs:
    """Scores of the ideal observer, by corpus: channels by metrics.

    Parameters
    ----------
    table : DataFrame
        corpus, modality, metric, ceiling, of_controls.
    """
    better = table[table["of_controls"] != table["ceiling"]]
    better = better.assign(
        modality=better["modality"] + ", words' settings seen",
        ceiling=better["of_controls"],
    )
    table = pd.concat([table, better])
    channels = list(dict.fromkeys(table["modality"]))
    panels = {}
    for corpus, part in table.groupby("corpus", sort=False):
        wide = part.pivot(index="modality", columns="metric", values="ceiling")
        shown = [name for name in channels if name in wide.index]
        frame = wide.loc[shown, list(part["metric"].unique())]
        panels[pretty(corpus, "corpus")] = Table(
            frame.rename_axis("channel").reset_index()
        )
    return Tabs("Corpus", panels)


def trials(table: pd.DataFrame) -> Table:
    """Means over seeds with intervals: arms and offsets by metrics.

    Parameters
    ----------
    table : DataFrame
        From :mod:`sslmepr.trials.seeds`: arm, offset, metric, estimate, low, high.
    """
    names = table["arm"] + ", offset " + table["offset"].map("{:g}".format)
    return metric_table(table.assign(way_of_training=names), "way_of_training", 2)


def gains(table: pd.DataFrame) -> Table:
    """Gains with intervals: what gains, by dose and peer, by metrics.

    Parameters
    ----------
    table : DataFrame
        From :func:`sslmepr.trials.timing.gains`.
    """
    dose = table["knob"] + " " + table["dose"].map("{:g}".format)
    peer = table["against"].replace("without", "the same model without it")
    gain = table["component"].map(plain) + " over " + peer + ", " + dose
    return metric_table(table.assign(gain=gain), "gain")


def blocks(table: pd.DataFrame) -> Table:
    """Means over seeds with intervals: modalities and tasks by sequence blocks.

    Parameters
    ----------
    table : DataFrame
        From :func:`sslmepr.trials.blocks.summarise`, of one metric.
    """
    learned = table["what"] + ", " + table["task"]
    return metric_table(table.assign(metric=table["block"], learned=learned), "learned")


def worlds(table: pd.DataFrame, metrics: tuple[str, ...]) -> Table:
    """Estimates over many worlds with intervals: kinds of worlds by metrics.

    Parameters
    ----------
    table : DataFrame
        From :func:`sslmepr.trials.worlds.summarise`.
    metrics : tuple of str
        Metrics in the order of the columns; undefined ones are shown as a dash.
    """
    named = table["condition"] + ", |r| = " + table["strength"].map("{:g}".format)
    many = table["source"].nunique() > 1
    named = named + (", " + table["source"].map(plain) if many else "")
    rows = pd.MultiIndex.from_product(
        [dict.fromkeys(named), metrics], names=["worlds", "metric"]
    )
    found = table.assign(worlds=named).set_index(rows.names).reindex(rows)
    return metric_table(found.reset_index(), "worlds", digits=3)


def covered(table: pd.DataFrame) -> Table | Message:
    """Shares with intervals, from `sslmepr.evaluation.scores.distance_covered`."""
    if table.empty:
        return Message("Not available: the truth of this corpus is not known.")
    ends = {"covered": "estimate", "covered_low": "low", "covered_high": "high"}
    shares = table.drop(columns=[*ends.values()]).rename(columns=ends)
    return metric_table(shares, "modality", digits=2)


def variants(
    metrics: pd.DataFrame, names: list[str], wanted: tuple[str, ...], split: str
) -> Table:
    """Fusion variants by metrics; a dash for a task that a variant does not predict.

    Parameters
    ----------
    metrics : DataFrame
        The table ``metrics.csv`` of an evaluation.
    names : list of str
        Variants, in the order of the rows.
    wanted : tuple of str
        Metrics, in the order of the columns.
    split : str
    """
    chosen = select(headline(metrics, wanted, split), stage="fusion")
    chosen = chosen[chosen["variant"].isin(names)].copy()
    chosen["metric"] = chosen["metric"].astype(str)
    order = chosen["variant"].map(names.index)
    return metric_table(chosen.iloc[order.argsort(kind="stable")], "variant")


def not_run(possible: Iterable[str], run: Iterable[str]) -> Message:
    """Name the possible variants of the fusion model that were not run.

    Sets of modalities are counted.
    """
    done = set(run)
    missing = [name for name in possible if name not in done]
    if not missing:
        return Message("Every variant was run.")
    sets = [name for name in missing if set(name.split("_")) <= set(MODALITIES)]
    told = [plain(name) for name in missing if name not in sets]
    if sets:
        told.append(f"{len(sets)} {'sets' if len(sets) > 1 else 'set'} of modalities")
    return Message(f"Not run in this study: {', '.join(told)}.")


def models(
    metrics: pd.DataFrame, names: tuple[str, ...], split: str
) -> Table | Message:
    """Scores of all models, from guessing (constant baseline) to fusion.

    Parameters
    ----------
    metrics : DataFrame
        From :func:`sslmepr.evaluation.evaluate.evaluate_study`.
    names : tuple of str
        Metrics.
    split : {"dev", "test", "all"}

    Returns
    -------
    Table or Message
        A message if no clip of the split has labels for these metrics.
    """
    if not (metrics["metric"].isin(names) & (metrics["split"] == split)).any():
        return Message(f"Not available: no clip of split {split} has the labels.")
    chosen = headline(metrics, names, split)
    chosen["metric"] = chosen["metric"].astype(str)
    chosen["model"] = [
        _model(Model(*row)) for row in chosen[[*Model._fields]].itertuples(index=False)
    ]
    order = chosen["stage"].map([*MODELS].index).argsort(kind="stable")
    return metric_table(chosen.iloc[order], "model")


def _model(model: Model) -> str:
    if model == Model("linear"):
        return pretty("linear_fusion")
    return pretty(MODELS[model.stage].format(plain(model.name)))


def targets(metrics: pd.DataFrame, variant: str, split: str) -> Tabs:
    """Scores of one fusion model for every emotion and trait, averaged over seeds.

    Parameters
    ----------
    metrics : DataFrame
        The table ``metrics.csv`` of an evaluation.
    variant, split : str
    """
    mine = select(metrics, stage="fusion", variant=variant, split=split)
    chosen = mine[
        (mine["seed"] == MEAN_OVER_SEEDS)
        & ~mine["target"].isin(["mean", "pooled"])
        & mine["metric"].isin(["WACC", "F1", "ACC", "CCC"])
    ]
    emotions = chosen["target"].isin(EMOTIONS)
    parts = {"Emotions": chosen[emotions], "Traits": chosen[~emotions]}
    tables = {n: metric_table(part, "target") for n, part in parts.items() if len(part)}
    return Tabs("Targets", tables)


GAINED = ("CCC", "WACC", "mWACC", "class F1", "weighted F1")
"""Scores whose gains are shown: by target, and the one over all targets."""


def target_gains(found: pd.DataFrame, model: str, split: str) -> dict[str, Table]:
    """How far a model is above others for every emotion and trait, by corpus.

    Parameters
    ----------
    found : DataFrame
        From :func:`sslmepr.evaluation.target_gains.target_gains`.
    model, split : str

    Returns
    -------
    dict
        Corpus and task, in words, to a table; without those that have nothing to
        compare.
    """
    mine = select(found, model=model, split=split)
    mine = mine[mine["metric"].isin(GAINED)]
    named = mine.assign(
        estimate=mine["difference"],
        metric="above " + mine["against"].map(plain),
        target=mine["target"].replace("mean", "all of them"),
    )
    return {
        f"{pretty(corpus, 'corpus')}, {plain(task, 'task')}": metric_table(
            part, "target"
        )
        for (corpus, task), part in named.groupby(["corpus", "task"], sort=False)
    }


def folds(found: pd.DataFrame) -> Table:
    """Scores of each method over all emotions or traits, of clips left out.

    Parameters
    ----------
    found : DataFrame
        From :func:`sslmepr.evaluation.speaker_folds.cross_validate`.
    """
    if "against" in found:
        names = ("r", "CCC", "CCC pooled", "mACC", "weighted F1", "macro F1", "UAR")
        total = found["target"].isin(("mean", "pooled"))
        shown = found[found["metric"].isin(names) & total]
        if shown["split"].nunique() > 1:
            split = shown["split"].replace("test", "held out")
            shown = shown.assign(metric=shown["metric"] + ", " + split)
        return metric_table(shown, "method")
    chosen = found[found["metric"] == "UAR"]
    names = {"folds": "UAR in folds", "test": "UAR on test speakers"}
    return metric_table(chosen.assign(metric=chosen["split"].map(names)), "method")


def fold_gains(found: pd.DataFrame, split: str = "folds") -> Table | Message:
    """How far the fused modalities are above each alone, in folds or on test speakers.

    Parameters
    ----------
    found : DataFrame
        As for `folds`.
    split : {"folds", "test"}
        Of emotions.
    """
    if "against" in found:
        gains = found[found["metric"].str.endswith(" above")]
        gains = gains[(gains["target"] == "mean") & (gains["split"] != "dev")]
        pair = gains["method"].map(plain) + " above " + gains["against"].map(plain)
        named = gains.assign(
            gain=pair, metric=gains["metric"].str.removesuffix(" above")
        )
        return metric_table(named, "gain")
    fused = found["method"].str.contains("fused") & (found["split"] == split)
    chosen = found[fused & (found["metric"] == "UAR above")]
    if chosen.empty:
        return Message("Not available: only one modality is evaluated.")
    above = "UAR above " + chosen["target"]
    return metric_table(chosen.assign(metric=above), "method")


def robustness(
    found: pd.DataFrame,
    empty: str = "Not available: no labelled dev clip has two modalities.",
) -> Tabs | Message:
    """Scores of models by disturbance, a panel for each corpus, metric and kind of it.

    Parameters
    ----------
    found : DataFrame
        From :func:`sslmepr.evaluation.robustness.robustness`.
    empty : str
        What to say where it has no rows.
    """
    if found.empty:
        return Message(empty)
    kinds = found["dose"].map("noise in one, {:g} SD".format)
    named = found.assign(
        score=found["metric"],
        variant=found["model"],
        kind=kinds.where(found["disturbance"] == NOISE, "without one"),
        metric=[
            {NONE: "as they are", REMOVED: f"no_{modality}"}.get(disturbance, modality)
            for disturbance, modality in zip(
                found["disturbance"], found["modality"], strict=True
            )
        ],
    )
    return Tabs(
        "Corpus, score and disturbance",
        {
            f"{pretty(corpus, 'corpus')}, {plain(score)}, {kind}": metric_table(
                part, "variant"
            )
            for (corpus, score, kind), part in named.groupby(
                ["corpus", "score", "kind"], sort=False
            )
        },
    )


def disturbances(found: pd.DataFrame) -> list[str]:
    """What happened to clips, in words, for each row of `robustness`."""
    words = {
        NONE: "as they are",
        REMOVED: "without {modality}",
        NOISE: "{modality} with noise, {dose:g} SD",
    }
    return [
        words[row.disturbance].format(modality=plain(row.modality), dose=row.dose)
        for row in found.fillna({"modality": ""}).itertuples()
    ]


def recalls(found: pd.DataFrame) -> Table | Tabs | Message:
    """Recall of each class by what was read, or r of each trait, in folds.

    Parameters
    ----------
    found : DataFrame
        As for `folds`.
    """
    if "against" in found:
        chosen = found[(found["metric"] == "r") & (found["target"] != "mean")]
        if chosen.empty:
            return Message("Not available: lines are scored over all emotions alone.")
        return metric_table(chosen.assign(metric=chosen["method"]), "target")
    chosen = found[(found["metric"] == "recall") & (found["split"] == "folds")]
    parts = chosen["method"].str.partition(", ")
    named = chosen.assign(metric=parts[0], read=parts[2])
    return Tabs(
        "Modality and standardisation",
        {
            pretty(read): metric_table(part, "target")
            for read, part in named.groupby("read", sort=False)
        },
    )


def audit(summaries: Mapping[str, dict]) -> Table:
    """Sizes of published corpora, and leakage of speakers between splits.

    Parameters
    ----------
    summaries : mapping of str to dict
        Corpus or part to its summary from :func:`sslmepr.corpora.build.describe`.
    """
    rows = []
    for name, summary in summaries.items():
        clips, shared = summary["clips"], summary["clips_sharing_a_speaker"]
        leaked = [
            f"{100 * n / clips[split]:.0f} %"
            for split, n in shared.items()
            if "train" in clips
        ]
        words = summary["transcripts"]
        known = words["present"] > 0
        rows.append(
            {
                "corpus": name,
                "speakers": summary["speakers"]["all"],
                **{split: clips.get(split, 0) for split in SPLITS},
                "seen": " / ".join(leaked) or "–",
                "words": f"{words['words_median']:.0f}" if known else "–",
                "longest": f"{words['words_longest']:.0f}" if known else "–",
                "no_words": words["missing"],
            }
        )
    return Table(pd.DataFrame(rows))


def languages(summaries: Mapping[str, dict]) -> Table:
    """Languages of the transcripts of each corpus, where they can be detected.

    Parameters
    ----------
    summaries : mapping of str to dict
        As for `audit`.
    """
    rows = []
    for name, summary in summaries.items():
        found = summary["transcripts"]
        codes = found["languages"].items()
        rows.append(
            {
                "corpus": name,
                "transcripts": found["present"],
                "language": ", ".join(f"{code} {n}" for code, n in codes) or "–",
                "unsure": found["language_unsure"],
                "too_short": found["language_too_short"],
            }
        )
    return Table(pd.DataFrame(rows))


def costs(table: pd.DataFrame) -> Table:
    """Extraction time of each corpus; a dash where it was not measured.

    Parameters
    ----------
    table : DataFrame
        From :func:`sslmepr.report.costs.extraction_costs`.
    """
    hours = [name for name in table if name.startswith("hours_on_")]
    rates = table[["seconds", "low", "high"]].itertuples(index=False)
    seconds = [interval(*rate, digits=1) for rate in rates]
    shown = {
        "corpus": table["corpus"],
        "encoders_of_study": table["study"],
        "clips": table["clips"].map("{:,}".format),
        "hours_of_video": table["hours"].map("{:.1f}".format),
        "processor seconds per clip [least, most]": seconds,
        "processor_hours": [number(each, 0) for each in table["processor_hours"]],
    }
    for name in hours:
        shown[name] = [number(each, 1) for each in table[name]]
    return Table(pd.DataFrame(shown))


def shown_emotions(summaries: Mapping[str, dict]) -> Table:
    """Number of clips with each emotion, by corpus."""
    rows = {
        name: {emotion: found["present"] for emotion, found in each["emotions"].items()}
        for name, each in summaries.items()
        if each["emotions"]
    }
    table = pd.DataFrame(rows).rename(columns=lambda name: cell(name, "corpus"))
    return Table(table.rename_axis("emotion").reset_index())


def halo(summary: Mapping) -> Table:
    """Correlations between the traits of a corpus, over clips."""
    table = pd.DataFrame(summary["trait_correlations"]).map("{:.2f}".format)
    return Table(table.rename_axis("trait").reset_index())
