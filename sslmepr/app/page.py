"""The result as HTML: sections that the page and the report both consist of.

Figures and tables are those of the book. Whatever comes from a recording (words,
reasons) is escaped.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sslmepr.app.explain import Explanation, MeanOverSeeds
from sslmepr.app.figures import described, outlined, score_bars
from sslmepr.evaluation.scores import MEAN_OVER_SEEDS
from sslmepr.explanation.cases import coloured_words
from sslmepr.explanation.sentences import contribution_sentence
from sslmepr.labels import EMOTIONS, MODALITIES, TARGET_COLUMNS, TARGETS, TRAITS
from sslmepr.media.audio import SAMPLE_RATE_HZ, read_waveform
from sslmepr.media.errors import MediaError
from sslmepr.media.video import sample_frames
from sslmepr.models.fusion import FusionInput
from sslmepr.params import Params
from sslmepr.report import figures, theme
from sslmepr.report.tables import MISSING, Table, interval, metric_table, number
from sslmepr.report.tabs import Tabs
from sslmepr.report.words import plain, pretty
from sslmepr.training.checkpoints import code_revision

MEASURES = ("WACC", "ACC", "CCC")
"""Metrics of single emotions and traits that are shown beside their scores."""

Section = tuple[str, str, bool]
"""Id, HTML, and whether it holds pictures of people."""


def _section(name: str, title: str, *parts: str, people: bool = False) -> Section:
    head = f'<h2 id="{name}-title">{html.escape(title)}</h2>'
    content = (
        f'<section aria-labelledby="{name}-title">{head}{"".join(parts)}</section>'
    )
    return name, content, people


def _text(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _table(table: Table) -> str:
    """A table that scrolls by itself where the page is narrow."""
    label = html.escape(table.caption or "Table")
    return (
        f'<div class="scrolls" tabindex="0" role="region" aria-label="{label}">'
        f"{table._repr_html_()}</div>"
    )


def _drawn(show, *arguments, alt: str, caption: str = "") -> str:
    """A figure of the book as HTML, in every style and layout.

    Notebooks display figures; here is no notebook. Style sheets of the page and of the
    report (`sslmepr.app.style`) choose the drawing that fits.
    """
    parts = []
    for mode in theme.MODES:
        drawings = []
        for layout in theme.WIDTHS:
            with theme.use(mode, layout):
                figure = show.draw(*arguments)
                drawings.append(theme.svg(figure, alt, layout))
                plt.close(figure)
        parts.append(f'<div class="only-{mode}">{"".join(drawings)}</div>')
    if caption:
        parts.append(f"<figcaption>{html.escape(caption)}</figcaption>")
    return f'<figure class="both-modes">{"".join(parts)}</figure>'


def score_table(
    row: pd.Series, models, average: FusionInput | None, true: Mapping[str, float]
) -> pd.DataFrame:
    """Scores of a recording and what they are seen against.

    Parameters
    ----------
    row : Series
        Of the table of `sslmepr.predict.predict`.
    models : models of `sslmepr.predict.Predictor`
    average : FusionInput or None
        The average training clip.
    true : mapping of str to float
        Target to its value, where it is known.

    Returns
    -------
    DataFrame
        Index: target; score, low, high, reference (an emotion's threshold, an average
        clip's trait), true; NaN where there is none.
    """
    reference = dict(zip(EMOTIONS[1:], models.thresholds.tolist(), strict=True))
    if average is not None and "personality" in models.tasks:
        said = MeanOverSeeds(models.fused).eval()(average).of("personality")
        reference |= dict(zip(TRAITS, said[0].tolist(), strict=True))
    rows = {}
    for task in models.tasks:
        for name, column in zip(TARGETS[task], TARGET_COLUMNS[task], strict=True):
            values = [row[column], row.get(f"{column}_low"), row.get(f"{column}_high")]
            rows[name] = [*values, reference.get(name), true.get(name)]
    columns = ["score", "low", "high", "reference", "true"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype(float)


def measured(results_folder: Path, corpus: str) -> pd.DataFrame | None:
    """How well the models did on held-out clips; None if that was not evaluated.

    Parameters
    ----------
    results_folder : Path
        ``results/<study>``.
    corpus : str
        The held-out one.
    """
    path = results_folder / "evaluate" / "metrics.csv"
    if not path.is_file():
        return None
    table = pd.read_csv(path)
    mine = (table["corpus"] == corpus) & (table["stage"] == "fusion")
    mine &= (table["seed"] == MEAN_OVER_SEEDS) & table["metric"].isin(MEASURES)
    return table[mine & (table["targets"] == 1)]


def first_sections(
    row: pd.Series,
    scores: pd.DataFrame,
    metrics: pd.DataFrame | None,
    variant: str,
    promises: Sequence[str],
) -> list[Section]:
    """Scores in sentences, a figure and a table, and how sure they are.

    Parameters
    ----------
    row : Series
        Of the table of `sslmepr.predict.predict`.
    scores : DataFrame
        Of :func:`score_table`.
    metrics : DataFrame or None
        Of :func:`measured`.
    variant : str
    promises : sequence of str
        What intervals and sets are valid for.
    """
    alt = f"Scores of the recording: {described(scores['score'])}"
    table = pd.DataFrame(
        {
            "target": scores.index,
            "score": [
                interval(*each) for each in scores[["score", "low", "high"]].to_numpy()
            ],
            "reference": [number(value) for value in scores["reference"]],
        }
    )
    sets = {name: row.get(f"emotion_{name}_set") for name in EMOTIONS[1:]}
    if any(sets.values()):
        table["may be"] = [sets.get(name) or MISSING for name in scores.index]
    if scores["true"].notna().any():
        table["true"] = [number(value) for value in scores["true"]]
    caption = "Scores from 0 to 1 with their intervals"
    note = (
        "reference: of an emotion, the score from which it counts as present; of a "
        "trait, the score of the average training clip; may be: whether the emotion is "
        "there, as far as the models can tell"
    )
    summary = [_text(sentence) for sentence in sentences(row, scores)]
    return [
        _section("summary", "In short", *summary),
        _section(
            "scores",
            "Emotions and apparent traits",
            _drawn(score_bars, scores, alt=alt),
            _table(Table(table, caption, note)),
        ),
        _section(
            "certainty", "How sure this is", *_certainty(promises, metrics, variant)
        ),
    ]


def sentences(row: pd.Series, scores: pd.DataFrame) -> list[str]:
    """What the scores say, as impressions and not as facts.

    Parameters
    ----------
    row : Series
        Of the table of `sslmepr.predict.predict`.
    scores : DataFrame
        Of :func:`score_table`.
    """
    said = []
    if "emotions" in row:
        present = [name for name in EMOTIONS[1:] if name in row["emotions"].split(", ")]
        shown = _and(
            [f"{plain(n)} ({number(scores.at[n, 'score'], 2)})" for n in present]
        )
        said.append(
            f"The person appears to show {shown}."
            if present
            else "None of the six emotions reaches its threshold: the person appears "
            "neutral."
        )
    traits = scores.loc[[name for name in TRAITS if name in scores.index]]
    for side, name in (("above", "high"), ("below", "low")):
        sure = traits["low"] > traits["reference"]
        if name == "low":
            sure = traits["high"] < traits["reference"]
        if sure.any():
            names = _and([plain(each) for each in traits.index[sure]])
            said.append(
                f"The person is rated {side} the average training clip in {names}."
            )
    if len(traits) and len(said) < 2 and traits["reference"].notna().any():
        said.append(
            "In no trait does the interval exclude the average training clip, so "
            "nothing is said of the traits."
        )
    if row["missing"]:
        said.append(f"Missing: {row['missing']}. The scores rest on what is left.")
    else:
        said.append("Everything that the models use was found.")
    return said


def _certainty(promises, metrics, variant: str) -> list[str]:
    parts = [_text(sentence) for sentence in promises]
    mine = None if metrics is None else metrics[metrics["variant"] == variant]
    if mine is None or mine.empty:
        return [*parts, _text("How well these models do was not measured here.")]
    counts = f"{mine['n'].max():.0f} clips of {mine['n_speakers'].max():.0f} people"
    caption = f"Measured on {counts} that the models never saw"
    return [*parts, _table(metric_table(mine, "target", caption=caption))]


@dataclass(frozen=True)
class Seen:
    """What the models were given to see and hear.

    Attributes
    ----------
    images : (frame, height, width, channel) uint8 ndarray or None
        Frames with boxes around face and body.
    seconds : (frame,) ndarray
    waveform : (sample,) ndarray or None
    provenance : DataFrame
        frame, seconds, and how each region was found.
    """

    images: np.ndarray | None
    seconds: np.ndarray
    waveform: np.ndarray | None
    provenance: pd.DataFrame

    @classmethod
    def read(cls, path: Path, work: Path, frames: int, start, end) -> "Seen":
        """Read the frames that extraction sampled, and the sound.

        Parameters
        ----------
        path : Path
            Of the recording.
        work : Path
            Holds ``features/regions.parquet``.
        frames : int
            As many as extraction samples.
        start, end : float or None
            Of the segment.
        """
        regions = pd.read_parquet(work / "features" / "regions.parquet")
        images, seconds, waveform = None, np.zeros(0), None
        try:
            sampled = sample_frames(path, frames, start, end)
            images = outlined(sampled.images, regions)
            seconds = sampled.seconds
        except MediaError:
            pass  # it has no pictures, which the row says
        try:
            waveform = read_waveform(path, start, end)
        except MediaError:
            pass
        wide = regions.pivot(index="frame", columns="modality", values="provenance")
        wide.insert(0, "seconds", regions.groupby("frame")["seconds"].first())
        return cls(images, seconds, waveform, wide.rename_axis(columns=None))


def seen_sections(row: pd.Series, seen: Seen) -> list[Section]:
    """Frames, sound and words as the models had them.

    Parameters
    ----------
    row : Series
        Of the table of `sslmepr.predict.predict`.
    seen : Seen
    """
    parts, found = [], []
    if seen.images is not None:
        sound = "no sound" if seen.waveform is None else "the waveform"
        parts = [
            _drawn(
                figures.clip_panel,
                seen.images,
                seen.seconds,
                seen.waveform,
                SAMPLE_RATE_HZ,
                alt=f"{len(seen.images)} frames that the models saw, and {sound}",
                caption="Boxes: face and body as they were found. Dotted lines: when "
                "the frames were taken.",
            )
        ]
    if len(seen.provenance):
        table = seen.provenance.reset_index(drop=True)
        caption = "How each region was found, frame by frame"
        note = "a person region or the full frame stands in where no face was detected"
        found.append(_table(Table(table, caption, note)))
    words = row["transcript"]
    if pd.notna(words) and words:
        source = "as given" if row["text"] == "given" else "as speech recognition heard"
        found.append(f"<h3>What is said ({source})</h3>{_text(words)}")
    else:
        found.append(_text("No words."))
    first = []
    if parts:
        first = [_section("frames", "Frames and sound", *parts, people=True)]
    elif seen.waveform is not None:
        found.insert(0, _text("There are no pictures: only the sound was analysed."))
    return [*first, _section("found", "What was found", *found)]


def explanation_sections(explanation: Explanation, known: bool) -> list[Section]:
    """What the scores rest on: modalities, and then words, regions and moments.

    Parameters
    ----------
    explanation : Explanation
    known : bool
        Whether the baseline is the average training clip.
    """
    usual = "the average training clip" if known else "an input without content"
    intro = (
        f"Attributions say how far each modality moves an output from {usual} "
        "(integrated gradients). They add up to the output: the last column is what is "
        "left over. Outputs of emotions are logits, those of traits scores."
    )
    parts = [_text(intro), _table(Table(_attributions(explanation), "Attributions"))]
    for table, caption, note in (
        (explanation.without, "Scores without each modality", None),
        (
            explanation.alone,
            "What each modality says by itself",
            "before fusion; where these disagree, fusion has to decide",
        ),
    ):
        if len(table):
            wide = _wide(table, "predicted").reset_index().rename_axis(columns=None)
            parts.append(_table(Table(wide, caption, note)))
    return [
        _section("modalities", "What the scores rest on", *parts),
        _section("weights", "Weights of modalities", *_weights(explanation.weights)),
        *(_told(explanation, target, usual) for target in explanation.told),
        *_regions(explanation),
    ]


def _attributions(explanation: Explanation) -> pd.DataFrame:
    wide = _wide(explanation.contributions, "attribution")
    outputs = explanation.outputs.set_index("target").loc[wide.index]
    wide.insert(0, "baseline", outputs["baseline"])
    wide["output"], wide["gap"] = outputs["output"], outputs["gap"]
    return wide.reset_index().rename_axis(columns=None)


def _wide(table: pd.DataFrame, values: str) -> pd.DataFrame:
    """Targets by modalities, both in the order of `sslmepr.labels`."""
    wide = table.pivot(index="target", columns="modality", values=values)
    rows = [name for name in (*EMOTIONS, *TRAITS) if name in wide.index]
    return wide.loc[rows, [name for name in MODALITIES if name in wide.columns]]


def _weights(weights: pd.DataFrame) -> list[str]:
    if weights.empty:
        return [_text("This variant has no component that weighs modalities.")]
    names = weights["kind"].map(pretty)
    tasks = weights["task"].map(lambda task: f", {plain(task, 'task')}", "ignore")
    table = weights.assign(component=names + tasks.fillna(""))
    wide = table.pivot(index="component", columns="modality", values="weight")
    wide = wide[[name for name in MODALITIES if name in wide.columns]]
    note = (
        "1: as much as every other modality; a weight explains less than an attribution"
    )
    caption = "Weights as multiples of the uniform weight"
    shown = Table(wide.reset_index().rename_axis(columns=None), caption, note)
    return [_table(shown)]


def _told(explanation: Explanation, target: str, usual: str) -> Section:
    """One output in full: modalities, words and moments."""
    told = explanation.outputs.set_index("target").loc[target]
    contributions = explanation.contributions
    mine = contributions[contributions["target"] == target]
    sentence = contribution_sentence(mine, told["output"], told["baseline"], target)
    parts = [_text(sentence)]
    tabs = Tabs("By")
    tabs.panels["modality"] = _drawn(
        figures.waterfall,
        mine.set_index("modality")["attribution"],
        told["baseline"],
        told["output"],
        None,
        "Logit" if target in EMOTIONS else "Score",
        alt=f"From {usual} to this one: {sentence}",
    )
    words = explanation.words
    words = words[words["target"] == target]
    if len(words):
        tabs.panels["word"] = (
            coloured_words(words)
            + _text("Orange raises the output, blue lowers it.")
            + _table(_word_table(words))
        )
    steps = explanation.steps
    steps = steps[steps["target"] == target]
    if (steps["modality"] != "text").any():
        tabs.panels["moment"] = _drawn(
            figures.in_time,
            steps,
            alt=f"What each moment adds to {plain(target)}, by modality",
        )
    name = f"output-{target}"
    return _section(name, f"{pretty(target)} in full", *parts, tabs._repr_html_())


def _word_table(words: pd.DataFrame) -> Table:
    strongest = words["attribution"].abs().sort_values(ascending=False).index[:8]
    shown = words.loc[strongest, ["piece", "attribution"]]
    return Table(shown.rename(columns={"piece": "word"}), "Words that count most")


def _regions(explanation: Explanation) -> list[Section]:
    parts = []
    for target in explanation.told:
        mine = explanation.regions[explanation.regions["target"] == target]
        crops = {
            name: each
            for name, each in explanation.crops.items()
            if name in set(mine["modality"])
        }
        if crops:
            name = plain(target)
            parts.append(f"<h3>{html.escape(pretty(target))}</h3>")
            parts.append(
                _drawn(
                    figures.region_overlay,
                    crops,
                    mine,
                    alt=f"What hiding a region of the face or body takes from {name}",
                    caption="What is lost where a region becomes a plain colour.",
                )
            )
    if not parts:
        return []
    return [_section("regions", "Regions of the picture", *parts, people=True)]


def provenance_sections(params: Params, variant: str, models) -> list[Section]:
    """What the result was computed with.

    Parameters
    ----------
    params : Params
    variant : str
    models : models of `sslmepr.predict.Predictor`
    """
    rows = {
        "study": params.study,
        "variant": plain(variant),
        "seeds": str(len(models.fused)),
        "code revision": code_revision(),
    }
    for modality, checkpoint in models.unimodal.items():
        rows[f"encoder of {plain(modality)}"] = " ".join(checkpoint.made_by or ())
    frame = pd.DataFrame({"what": list(rows), "value": list(rows.values())})
    table = _table(Table(frame, "Models and encoders"))
    return [_section("provenance", "Where this comes from", table)]


def _and(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
