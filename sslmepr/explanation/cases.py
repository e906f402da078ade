"""Case studies: recording, predictions and attributions of single clips."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown, display

from sslmepr.association.study_associations import variant_predictions
from sslmepr.corpora.schema import read_clips, words_of
from sslmepr.explanation.attention import (
    contributions,
    graph_attention_table,
    query_attention_table,
)
from sslmepr.explanation.attribution import ATTRIBUTION_COLUMNS, attribute
from sslmepr.explanation.sentences import contribution_sentence, prediction_sentence
from sslmepr.labels import EMOTIONS, TRAITS, select
from sslmepr.media.audio import SAMPLE_RATE_HZ, read_waveform
from sslmepr.media.errors import MediaError
from sslmepr.params import Params
from sslmepr.report import figures
from sslmepr.report.samples import SHOWABLE, read_pictures
from sslmepr.training.checkpoints import load_seeds, require_trained_on
from sslmepr.training.clips import read_study_clips
from sslmepr.training.fusion_clips import FusionClips

BINS = 32
"""Bars per half of a modality's row in the attribution heatmaps; a choice of layout."""

KEY_FRAMES = 4
"""Frames shown of a clip; a choice of layout."""


@dataclass(frozen=True)
class Cases:
    """Selected clips of a held-out corpus, with predictions and attributions.

    Attributes
    ----------
    chosen : list of str
        Clip ids, in order of increasing error.
    predictions : DataFrame
        clip_id, target, predicted, true and decided of the explained model.
    attributions, contributions : DataFrame
        From `sslmepr.explanation.attribution` and `attention`, of the chosen clips.
    clips : DataFrame
        The clip table, indexed by clip_id.
    folder : Path or None
        Root of the paths in column `media`; None if recordings may not be shown.
    """

    chosen: list[str]
    predictions: pd.DataFrame
    attributions: pd.DataFrame
    contributions: pd.DataFrame
    clips: pd.DataFrame
    folder: Path | None


def choose_clips(predictions: pd.DataFrame, count: int) -> list[str]:
    """Clips at evenly spaced ranks of their mean absolute error, best first.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, predicted, true. Clips without labels are left out; if no clip has
        labels, clips are evenly spaced in the order of the table.
    count : int
        Largest number of clips.

    Returns
    -------
    list of str
        Clip ids.
    """
    errors = (predictions["predicted"] - predictions["true"]).abs()
    ranked = errors.groupby(predictions["clip_id"]).mean().dropna()
    ranked = ranked.sort_values(kind="stable").index
    if ranked.empty:
        ranked = predictions["clip_id"].unique()
    if not len(ranked):
        return []
    places = (np.arange(count) + 0.5) * len(ranked) / count
    return list(dict.fromkeys(ranked[place] for place in places.astype(int)))


def load_cases(
    params: Params, variant: str, study_folder: Path, data_folder: Path
) -> Cases:
    """Explain the first seed of a fusion variant on clips of the held-out corpus.

    Parameters
    ----------
    params : Params
        ``params.attention`` has the number of clips and the steps of the path integral.
    variant : str
    study_folder : Path
        Run folder of the study.
    data_folder : Path
        Folder of the corpora.

    Returns
    -------
    Cases
        Without clips, if the held-out corpus has none.
    """
    corpus, seed = params.roles.held_out, params.fusion.seeds[0]
    table = pd.read_parquet(study_folder / "evaluate" / "predictions.parquet")
    table = select(table, corpus=corpus)
    if len(table):
        table = variant_predictions(table, variant, corpus)
    table = table[table["seed"] == seed]
    chosen = choose_clips(table, params.attention.clips)
    attributions = pd.DataFrame(columns=ATTRIBUTION_COLUMNS)
    if chosen:
        model, data = _fused(params, variant, study_folder, data_folder)
        rows = data.rows(corpus)
        ids = data.clips.table["clip_id"].iloc[rows].tolist()
        places = rows[[ids.index(name) for name in chosen]]
        attributions = attribute(
            model,
            data.batch(places).inputs,
            chosen,
            steps=params.attention.steps,
            baseline=_average_clip(data, params),
            bins=BINS,
        ).values
    folder = data_folder / corpus / "corpus"
    shown = params.corpus[corpus].source in SHOWABLE
    return Cases(
        chosen=chosen,
        predictions=table,
        attributions=attributions,
        contributions=contributions(attributions),
        clips=read_clips(folder).set_index("clip_id"),
        folder=params.media_root(corpus, folder) if shown else None,
    )


@torch.no_grad()
def load_attention(
    params: Params, variant: str, study_folder: Path, data_folder: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Attention weights of a variant's first seed, for the whole held-out corpus.

    Parameters
    ----------
    params : Params
    variant : str
        A variant with graph attention and task queries.
    study_folder, data_folder : Path

    Returns
    -------
    DataFrame
        From :func:`sslmepr.explanation.attention.graph_attention_table`; empty, as the
        other, if the held-out corpus has no clip.
    DataFrame
        From :func:`sslmepr.explanation.attention.query_attention_table`.
    """
    model, data = _fused(params, variant, study_folder, data_folder)
    rows = data.rows(params.roles.held_out)
    ids = data.clips.table["clip_id"].iloc[rows].tolist()
    output, modalities = model(data.batch(rows).inputs), list(model.config.widths)
    return (
        graph_attention_table(output, ids, modalities),
        query_attention_table(output, ids, modalities, list(model.config.tasks)),
    )


def _fused(params: Params, variant: str, study_folder: Path, data_folder: Path):
    """Load the first seed of a variant and its inputs."""
    folder = study_folder / "fusion" / variant
    checkpoint = next(iter(load_seeds(folder).values()))
    clips = read_study_clips(params, data_folder)
    widths = list(checkpoint.model.config.widths)
    data = FusionClips.read(clips, widths, study_folder, torch.device("cpu"))
    require_trained_on(checkpoint, folder, data.trained_on)
    return checkpoint.model, data


def _average_clip(data: FusionClips, params: Params) -> dict[str, torch.Tensor]:
    """Mean embedding of each modality over the training clips that have it."""
    rows = np.concatenate(
        [
            data.rows(corpus, "train")
            for corpus in (params.roles.emotion, params.roles.personality)
        ]
    )
    inputs = data.batch(rows).inputs
    return {
        name: values[inputs.present[:, place]].mean(dim=0)
        for place, (name, values) in enumerate(inputs.embeddings.items())
    }


def describe_case(cases: Cases, clip_id: str) -> None:
    """Show one clip: key frames, waveform, transcript, predictions, attributions."""
    clip = cases.clips.loc[clip_id]
    mine = cases.predictions[cases.predictions["clip_id"] == clip_id]
    mine = mine.set_index("target")
    predicted, true = mine["predicted"], mine["true"]
    display(Markdown(f"### Clip {clip_id}"))
    _show_recording(cases.folder, clip_id, clip)
    figures.prediction_bars(
        predicted,
        true,
        alt=f"Predicted and true emotions and traits of clip {clip_id}",
    )
    emotions = {name: predicted[name] for name in EMOTIONS}
    decided = mine["decided"][list(EMOTIONS)].astype(bool).to_dict()
    traits = {name: predicted[name] for name in TRAITS}
    here = cases.contributions[cases.contributions["clip_id"] == clip_id]
    sentences = [prediction_sentence(emotions, decided, traits)]
    sentences += [contribution_sentence(here, name) for name in here["target"].unique()]
    display(Markdown(" ".join(sentences)))
    values = cases.attributions[cases.attributions["clip_id"] == clip_id]
    figures.attribution_heatmap(
        values,
        alt=f"Attributions of the outputs for clip {clip_id} to modalities and halves",
    )


def _show_recording(folder: Path | None, clip_id: str, clip: pd.Series) -> None:
    """Show frames, sound and transcript of a clip, if available and permitted."""
    frames = None if folder is None else read_pictures(clip, folder, KEY_FRAMES)
    if frames is None:
        words = "recordings of this corpus are not shown"
        if folder is not None:
            words = f"no picture; “{words_of(clip) or 'no words'}”"
        display(Markdown(f"*{words}*"))
        return
    try:
        span = clip[["start_seconds", "end_seconds"]]
        sound = read_waveform(folder / clip["media"], *span)
    except MediaError:
        sound = None
    words = words_of(clip)
    figures.clip_panel(
        frames.images,
        frames.seconds,
        sound,
        SAMPLE_RATE_HZ,
        alt=f"Key frames and waveform of clip {clip_id}",
        caption=f"“{words}”" if words else "",
    )
