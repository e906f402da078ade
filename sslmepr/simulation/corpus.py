"""A simulated corpus: drawn from its world, rendered, and labelled.

Written to the corpus's folder: ``clips.parquet`` and ``media/*.mp4`` as for any corpus;
``truth.parquet`` with every latent, the mean of every control over the clip, and the
precision with which each channel is seen (``quality_<channel>``: 1 is usual, 0 is
absent); ``ideal_observer.json`` and ``ideal_association.csv`` with the scores of the
ideal observer. In a held-out corpus it sees words and not the controls of text.

Clips that are text alone (``text_only``) stand behind the others, without media: every
modality but text is absent in them. The ideal observer is scored on the others.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from sslmepr.corpora.schema import CorpusError, write_clips
from sslmepr.labels import EMOTION_COLUMNS, TASKS, TRAIT_COLUMNS
from sslmepr.params import Params
from sslmepr.params.corpora import SimulatedCorpus
from sslmepr.params.simulation import Simulation
from sslmepr.processes import each_result
from sslmepr.simulation.draw import Draw, draw_corpus, draw_text_only
from sslmepr.simulation.ideal_observer import Seen, observe
from sslmepr.simulation.plan import ClipPlan, plan_clips, render_clip
from sslmepr.simulation.raters import raters_in
from sslmepr.simulation.words import said
from sslmepr.simulation.world import LATENTS
from sslmepr.statistics import norms

TEXT_ONLY = "{}+text"
"""What clips without media are called, by the name of their corpus: no name of a corpus
has a plus sign."""


def build_simulated(
    name: str, params: Params, folder: str | Path, progress: bool = True
) -> dict:
    """Make the simulated corpus `name`; finished media of the same recipe are kept.

    Parameters
    ----------
    name : str
        A corpus of ``params.corpus`` whose source is ``simulated``.
    params : Params
    folder : path
        Where the corpus is written; clips wait beside it, in ``<folder>.partial``,
        until all are rendered, since DVC empties the folder before it runs the stage.
    progress : bool
        Show a progress bar.

    Returns
    -------
    dict
        Numbers of clips and persons per split, of clips that are text alone, of media
        rendered now, and the scores of the ideal observer.

    Raises
    ------
    CorpusError
        If the corpus is not a simulated one, or naming the clip that cannot be made.
    """
    corpus = params.corpus.get(name)
    if not isinstance(corpus, SimulatedCorpus):
        raise CorpusError(f"corpus.{name}: not a simulated corpus")
    folder = Path(folder)
    draw = draw_corpus(name, corpus, params)
    plans = plan_clips(name, draw, params)
    rendered = _render_all(name, plans, params, folder, progress)
    tables = [_clip_table(name, corpus, draw, plans)]
    truths = [_truth_table(draw, tables[0])]
    if corpus.text_only:
        told = TEXT_ONLY.format(name)
        further = draw_text_only(told, corpus, params)
        plans = plan_clips(told, further, params)
        tables.append(_clip_table(told, corpus, further, plans).assign(media=None))
        truths.append(_truth_table(further, tables[1]))
    table = pd.concat(tables, ignore_index=True)
    write_clips(table, folder)
    truth = pd.concat(truths, ignore_index=True)
    truth.to_parquet(folder / "truth.parquet", index=False)
    ideal = _write_ideal_observer(draw, params.simulation, folder, corpus.held_out)
    counts = table.groupby("split").agg(
        clips=("clip_id", "size"), persons=("speaker_id", "nunique")
    )
    return {
        "corpus": name,
        "world": corpus.world,
        "clips": len(table),
        "text_only": corpus.text_only,
        "rendered": rendered,
        "splits": counts.to_dict(orient="index"),
        "ideal_observer": ideal["all"],
    }


def _render_all(
    name: str, plans: list[ClipPlan], params: Params, folder: Path, progress: bool
) -> int:
    """Render the clips that are missing; return how many were."""
    partial = folder.with_name(f"{folder.name}.partial")
    media = partial / "media"
    if media.exists():  # of an interrupted run; what the folder holds is older
        shutil.rmtree(folder / "media", ignore_errors=True)
    _move(folder, partial)
    media.mkdir(exist_ok=True)
    _discard_other_recipes(_recipe(name, params), partial)
    jobs = [
        (plan, params.simulation, path)
        for plan in plans
        if not (path := media / f"{plan.clip_id}.mp4").exists()
    ]
    renderer = render_clip.__module__
    rendered = each_result(render_clip, jobs, params.compute.workers, [renderer])
    bar = tqdm(
        total=len(jobs), desc=f"render {name}", unit="clip", disable=not progress
    )
    with bar:
        for _ in rendered:
            bar.update()
    _move(partial, folder)
    partial.rmdir()
    return len(jobs)


def _move(source: Path, target: Path) -> None:
    """Move media and the note of their recipe, as far as they are there."""
    target.mkdir(parents=True, exist_ok=True)
    for name in ("media", "recipe.json"):
        if (source / name).exists():
            os.replace(source / name, target / name)


def _recipe(name: str, params: Params) -> str:
    """Digest of all that the media of a corpus depend on: parameters and this code."""
    settings = [
        params.corpus[name].model_dump(exclude={"text_only"}),  # without media
        params.simulation.model_dump(),
    ]
    digest = hashlib.sha256(json.dumps([name, *settings]).encode())
    for module in [*sorted(Path(__file__).parent.glob("*.py")), Path(norms.__file__)]:
        digest.update(module.read_bytes())
    return digest.hexdigest()


def _discard_other_recipes(recipe: str, folder: Path) -> None:
    """Delete media that an interrupted run with other settings has left."""
    note = folder / "recipe.json"
    if note.exists() and json.loads(note.read_text()) == {"recipe": recipe}:
        return
    for path in (folder / "media").glob("*.mp4"):
        path.unlink()
    note.write_text(json.dumps({"recipe": recipe}) + "\n")


def _clip_table(
    name: str,
    corpus: SimulatedCorpus,
    draw: Draw,
    plans: list[ClipPlan],
) -> pd.DataFrame:
    labels = {task: getattr(draw.labels, task) for task in TASKS}
    for task in TASKS:
        if task not in corpus.labels:
            labels[task] = np.full_like(labels[task], np.nan)
    table = pd.DataFrame(
        {
            "clip_id": [plan.clip_id for plan in plans],
            "speaker_id": [f"{name}-person-{person:04d}" for person in draw.persons],
            "split": draw.splits,
            "media": [f"media/{plan.clip_id}.mp4" for plan in plans],
            "start_seconds": np.nan,
            "end_seconds": np.nan,
            "transcript": [plan.transcript for plan in plans],
        }
    )
    table[list(EMOTION_COLUMNS)] = labels["emotion"]
    table[list(TRAIT_COLUMNS)] = labels["personality"]
    return table


def _truth_table(draw: Draw, table: pd.DataFrame) -> pd.DataFrame:
    columns = {"clip_id": table["clip_id"], "domain": draw.domains}
    for name, values in zip(LATENTS, draw.latents.T, strict=True):
        columns[f"latent_{name}"] = values
    for channel in draw.channels.values():
        values = draw.controls[channel.name].mean(1).T
        for control, value in zip(channel.controls, values, strict=True):
            columns[f"{channel.name}_{control}"] = value
        here = ~draw.circumstances.absent[channel.name]
        quality = here / draw.circumstances.noise[channel.name] ** 2
        columns[f"quality_{channel.name}"] = quality
    return pd.DataFrame(columns)


def _write_ideal_observer(
    draw: Draw, simulation: Simulation, folder: Path, by_words: bool
) -> dict:
    words = None
    if by_words:  # takes long, and models are held against held-out corpora alone
        spread = draw.channels["text"].spread(draw.world)
        words = said(draw.controls["text"][:, 0] / spread)
    scores, associations = observe(
        draw.world,
        draw.channels,
        Seen(draw.controls, draw.circumstances, draw.domains, words),
        draw.latents,
        {name: domain.emotion_scale for name, domain in simulation.domains.items()},
        simulation.emotion_threshold,
        simulation.trait_scale,
        simulation.knobs,
        simulation.cue_frames,
        raters_in(draw.world, simulation.raters),
        draw.labels.rated,
    )
    text = json.dumps(scores, indent=1) + "\n"
    (folder / "ideal_observer.json").write_text(text)
    associations.to_csv(
        folder / "ideal_association.csv", index=False, float_format="%.6f"
    )
    return scores
