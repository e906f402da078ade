"""How sure a score is: measured errors, and how far a recording is from the training.

Nothing here is computed from the recording's truth: errors are those that the stage
`evaluate` found on clips that the models never saw.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.app.elements import Section, listed, paragraph, scrolling, section
from sslmepr.corpora.schema import CorpusError
from sslmepr.evaluation.scores import MEAN_OVER_SEEDS
from sslmepr.features import FeatureError, FeatureStore
from sslmepr.labels import EMOTIONS, TRAITS, select
from sslmepr.params import Params
from sslmepr.report.tables import Table, metric_table, number
from sslmepr.report.words import plain
from sslmepr.training.batches import Standardisation
from sslmepr.training.clips import read_study_clips

MEASURES = ("WACC", "ACC", "CCC")
"""Metrics of single emotions and traits that are shown beside their scores."""

FAR = 0.99
"""A recording is unlike the training if more than this share of new clips is nearer."""

BLOCK_STEPS = 8_192


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


def ceilings(results_folder: Path) -> pd.DataFrame | None:
    """How well an ideal observer of a drawn world does; None where there is none.

    Parameters
    ----------
    results_folder : Path
        ``results/<study>``.

    Returns
    -------
    DataFrame
        metric, estimate, low and high of the models with all modalities, and ceiling.
    """
    path = results_folder / "evaluate" / "covered.csv"
    if not path.is_file():
        return None
    return select(pd.read_csv(path), modality="fused")


def usual_errors(study_folder: Path, variant: str, corpus: str) -> pd.DataFrame | None:
    """Errors of the mean over seeds on held-out clips; None if there are none.

    Parameters
    ----------
    study_folder : Path
        Holds ``evaluate/predictions.parquet``, which has the labels.
    variant : str
        Of stage 3.
    corpus : str
        The held-out one.

    Returns
    -------
    DataFrame
        Index: emotions and traits that are labelled there; error, the root mean square
        of predicted minus true; difference, that of the difference between two clips
        whose errors are independent, in which what all errors share cancels; clips.
    """
    path = study_folder / "evaluate" / "predictions.parquet"
    if not path.is_file():
        return None
    table = select(pd.read_parquet(path), stage="fusion", variant=variant)
    table = select(table, corpus=corpus).dropna(subset=["true", "predicted"])
    means = table.groupby(["target", "clip_id"])[["predicted", "true"]].mean()
    if means.empty:
        return None
    errors = (means["predicted"] - means["true"]).groupby("target")
    found = pd.DataFrame(
        {
            "error": errors.apply(lambda each: np.sqrt((each**2).mean())),
            "difference": np.sqrt(2) * errors.std(ddof=0),
            "clips": errors.size(),
        }
    )
    return found.loc[[name for name in (*EMOTIONS, *TRAITS) if name in found.index]]


def distances(store: FeatureStore, statistics: Standardisation) -> np.ndarray:
    """Distance of each clip of a store from the training data: (clip,).

    It is the root mean square of the standardised features over steps and features, so
    that an average step of the training data has a distance of about 1.

    Parameters
    ----------
    store : FeatureStore
    statistics : Standardisation
        Of the training; its last feature is the logarithm of the number of steps.
    """
    steps = np.diff(store.offsets)
    if not len(steps):
        return np.zeros(0)
    mean, deviation = statistics.mean[:-1], statistics.deviation[:-1]
    squares = np.empty(len(store.values))
    for begin in range(0, len(squares), BLOCK_STEPS):  # bounds memory
        block = np.asarray(store.values[begin : begin + BLOCK_STEPS], np.float32)
        block = (block - mean) / deviation
        squares[begin : begin + BLOCK_STEPS] = np.einsum("ij,ij->i", block, block)
    of_clips = np.add.reduceat(squares, store.offsets[:-1]) / steps
    length = (np.log(steps) - statistics.mean[-1]) / statistics.deviation[-1]
    return np.sqrt((of_clips + length**2) / len(statistics.mean))


class Nearness:
    """How far recordings are from the clips that a study's models were trained on.

    Training clips lie nearer to themselves than others do, so that recordings are
    compared with new clips: those of the same corpora that nothing was trained on.

    Parameters
    ----------
    models : models of `sslmepr.predict.Predictor`
    of_new : mapping of str to (clip,) ndarray
        Modality to the distances of new clips; empty where those are not at hand.
    """

    def __init__(self, models, of_new: Mapping[str, np.ndarray]):
        self._statistics = _pooled(models)
        self._new = {name: np.sort(each) for name, each in of_new.items()}

    @classmethod
    def read(cls, params: Params, models, data_folder: Path) -> "Nearness":
        """Measure the new clips of both training corpora, modality by modality.

        Parameters
        ----------
        params : Params
        models : models of `sslmepr.predict.Predictor`
        data_folder : Path
            Without it, nothing is known of the training data.
        """
        try:
            return cls(models, dict(_of_new(params, models, data_folder)))
        except (CorpusError, FeatureError, OSError):
            return cls(models, {})

    def table(self, features: Path) -> pd.DataFrame:
        """How far a recording is, for each of its modalities.

        Parameters
        ----------
        features : Path
            Folder of the stores of this one recording.

        Returns
        -------
        DataFrame
            modality, distance, median and far (the share `FAR` lies nearer) of new
            clips, nearer (share of them), clips.
        """
        rows = []
        for modality, new in self._new.items():
            if not (features / f"{modality}.safetensors").is_file():
                continue
            store = FeatureStore.open(features, modality)
            for each in distances(store, self._statistics[modality])[:1]:
                median, far = np.quantile(new, [0.5, FAR])
                nearer = np.searchsorted(new, each) / len(new)
                rows.append((modality, each, median, far, nearer, len(new)))
        columns = ["modality", "distance", "median", "far", "nearer", "clips"]
        return pd.DataFrame(rows, columns=columns)


def _pooled(models) -> dict[str, Standardisation]:
    """By modality, as `StudyModels` standardises clips of no corpus."""
    return {
        modality: Standardisation.pooled(
            [each for _, each in sorted(checkpoint.statistics.items())]
        )
        for modality, checkpoint in models.unimodal.items()
    }


def _of_new(
    params: Params, models, data_folder: Path
) -> Iterator[tuple[str, np.ndarray]]:
    clips = read_study_clips(params, data_folder)
    for modality, statistics in _pooled(models).items():
        found = []
        for corpus in dict.fromkeys([params.roles.emotion, params.roles.personality]):
            store = FeatureStore.open(data_folder / corpus / "features", modality)
            rows = np.setdiff1d(clips.rows(corpus), clips.rows(corpus, "train"))
            mine = set(clips.table["clip_id"].iloc[rows])
            chosen = [each in mine for each in store.clip_ids]
            found.append(distances(store, statistics)[np.array(chosen, bool)])
        together = np.concatenate(found)
        if len(together):
            yield modality, together


@dataclass(frozen=True)
class Certainty:
    """What is known of how sure the scores of a recording are.

    Attributes
    ----------
    promises : sequence of str
        What intervals and sets are valid for.
    metrics : DataFrame or None
        Of :func:`measured`, of one variant.
    errors : DataFrame or None
        Of :func:`usual_errors`.
    nearness : DataFrame
        Of `Nearness.table`.
    ceiling : DataFrame or None
        Of :func:`ceilings`.
    """

    promises: Sequence[str]
    metrics: pd.DataFrame | None
    errors: pd.DataFrame | None
    nearness: pd.DataFrame
    ceiling: pd.DataFrame | None = None

    def section(self) -> Section:
        """As a part of the result."""
        parts = [
            *(paragraph(_as_shown(each)) for each in self.promises),
            *self._measured(),
            *_near(self.nearness),
        ]
        return section("certainty", "How sure this is", *parts)

    def _measured(self) -> list[str]:
        metrics = self.metrics
        if metrics is None or metrics.empty:
            return [paragraph("How well these models do was not measured here.")]
        people = f"{metrics['n'].max():.0f} clips of {metrics['n_speakers'].max():.0f}"
        caption = f"Measured on {people} people that the models never saw"
        parts = [scrolling(metric_table(metrics, "target", caption=caption))]
        if self.ceiling is not None and len(self.ceiling):
            parts.append(paragraph(_ceiling_sentence(self.ceiling)))
        if self.errors is not None:
            parts.append(
                paragraph(
                    "The usual error beside a score is the root mean square over "
                    f"{self.errors['clips'].max()} of these clips. It is that of an "
                    "average clip: this recording's may be larger."
                )
            )
        return parts


def _ceiling_sentence(table: pd.DataFrame) -> str:
    parts = [
        f"{number(row.estimate, 2)} of {number(row.ceiling, 2)} in "
        f"{plain(row.metric, 'metric')}"
        for row in table.itertuples()
    ]
    return (
        "What could be reached at most is known, since the corpus was drawn: with all "
        f"modalities the default model has {', '.join(parts)}, where the second number "
        "is that of an observer who knows how people were drawn."
    )


def _as_shown(promise: str) -> str:
    """A promise with the names of the page in place of columns of the table."""
    for column, name in (
        ("Sets of emotions (columns ending in _set):", "May be:"),
        ("Intervals of traits (from _low to _high):", "Interval:"),
    ):
        promise = promise.replace(column, name)
    return promise


def _near(table: pd.DataFrame) -> list[str]:
    """How far the recording is from the training, and whether models know its like."""
    if table.empty:
        return [paragraph("How far this is from the training data is not known here.")]
    far = [plain(name) for name in table.loc[table["nearer"] > FAR, "modality"]]
    others = f"{100 * FAR:g} % of new clips"
    sentence = (
        f"Unlike what the models were trained on in {listed(far)}: farther from it "
        f"than {others}. Scores may be far from right."
        if far
        else "In no modality is this recording farther from the training data than "
        f"{others}."
    )
    shown = table.drop(columns=["far", "nearer"]).rename(
        columns={"median": "median of new clips", "clips": "new clips"}
    )
    shown.insert(2, "nearer", [f"{100 * each:.0f} %" for each in table["nearer"]])
    note = (
        "distance: root mean square of the standardised features, about 1 for a usual "
        "clip; new clips: those of the training corpora that no model was trained on; "
        "nearer: share of them with a smaller distance"
    )
    caption = "Distance from the training data"
    return [paragraph(sentence), scrolling(Table(shown, caption, note))]
