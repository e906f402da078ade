"""Explanation of a fusion model on the held-out corpus, and of single clips of it."""

import html
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import HTML, Markdown, display

from sslmepr.association.study_associations import variant_predictions
from sslmepr.corpora.schema import read_clips, words_of
from sslmepr.encoders.load import Encoders, load_encoders
from sslmepr.explanation.attention import PARTS, contributions, weight_table
from sslmepr.explanation.attribution import attribute, average_clip
from sslmepr.explanation.chain import (
    COLUMN_FIELDS,
    Chain,
    attribute_steps,
    deletion_curve,
)
from sslmepr.explanation.crops import hide_regions, read_crops
from sslmepr.explanation.evidence import shuffled_weights
from sslmepr.explanation.observer_evidence import ObserverEvidence, observer_evidence
from sslmepr.explanation.places import (
    EDGES,
    PARTS_OF_FACE,
    PLACES,
    Planted,
    moment_game,
    part_game,
    planted_places,
)
from sslmepr.explanation.sentences import (
    column_sentences,
    contribution_sentence,
    prediction_sentence,
)
from sslmepr.explanation.words import (
    clauses,
    leave_one_out,
    pointing_game,
    read_without,
)
from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TABLE_TOOLS, TRAITS, select
from sslmepr.params import Params
from sslmepr.report import figures
from sslmepr.report.samples import SHOWABLE, video_players
from sslmepr.report.tabs import Tabs
from sslmepr.report.words import plain, pretty
from sslmepr.training.checkpoints import load_seeds, require_trained_on
from sslmepr.training.clips import read_study_clips
from sslmepr.training.fusion_clips import FusionClips

MOST_CLIPS = 240
"""Clips over which contributions are compared, evenly spread over the corpus; bounds
the time of the chapter."""

DELETED_CLIPS = 60
"""Clips whose steps are deleted; bounds the time of the chapter."""

PLACED_CLIPS = 120
"""Clips in which moments and parts of the face are looked for; bounds the time of the
chapter."""

AVERAGED_CLIPS = 12
"""Clips whose mean crop stands where a region is hidden; a choice of layout."""

DELETED = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
"""Shares of steps that are deleted; a choice of layout."""

CONTRIBUTIONS = ["clip_id", "target", "modality", "attribution", "share"]
STEPS = ["clip_id", "target", "modality", "step", "attribution"]
WORDS = ["clip_id", "place", "piece", "target", "attribution"]
REGIONS = ["clip_id", "modality", "row", "column", "target", "attribution"]
POINTING = ["clip_id", "target", "kind", "hit", "chance"]
DELETION = ["clip_id", "target", "order", "share", "output"]
OUTPUTS = ["clip_id", "target", "output", "baseline", "attributed", "gap"]
WEIGHTS = ["kind", "task", "clip_id", "modality", "weight"]
"""Columns of the tables, where there is no clip."""


@dataclass(frozen=True)
class Cases:
    """A model explained on a held-out corpus: many clips in numbers, a few in full.

    Attributes
    ----------
    chosen : list of str
        Ids of the clips shown in full, in order of increasing error.
    predictions : DataFrame
        clip_id, target, predicted, true and decided of the explained model.
    outputs : DataFrame
        clip_id, target, output, baseline, attributed, gap, of many clips.
    contributions, shuffled : DataFrame
        From `sslmepr.explanation.attention.contributions`, of the model and of one
        whose weights are shuffled.
    truth : ObserverEvidence or None
        Where the truth is planted.
    planted : Planted or None
        What was planted in each clip, and where, if it is known.
    clauses, pointing, shuffled_pointing, places, deletion : DataFrame
        Of many clips, from `sslmepr.explanation.words`, `places` and `chain`.
    steps, columns, words, regions : DataFrame
        Of the clips shown in full, from `sslmepr.explanation.chain`, `words`, `crops`.
    crops : dict of str to (dict of str to (height, width, channel) ndarray)
        Clip and modality to the crop of its middle frame.
    clips : DataFrame
        The clip table, indexed by clip_id.
    folder : Path or None
        That the media are relative to; None if they may not be shown.
    """

    chosen: list[str]
    predictions: pd.DataFrame
    outputs: pd.DataFrame
    contributions: pd.DataFrame
    shuffled: pd.DataFrame
    truth: ObserverEvidence | None
    planted: Planted | None
    clauses: pd.DataFrame
    pointing: pd.DataFrame
    shuffled_pointing: pd.DataFrame
    places: pd.DataFrame
    deletion: pd.DataFrame
    steps: pd.DataFrame
    columns: pd.DataFrame
    words: pd.DataFrame
    regions: pd.DataFrame
    crops: dict[str, dict[str, np.ndarray]]
    clips: pd.DataFrame
    folder: Path | None

    def told(self, clip_id: str) -> list[str]:
        """The emotion and the trait that the clip moves most, by their spread."""
        moved = self.outputs.assign(
            moved=self.outputs["output"] - self.outputs["baseline"]
        ).pivot(index="clip_id", columns="target", values="moved")
        unusual = (moved.loc[clip_id] / moved.std()).abs()
        sides = (
            [n for n in names if n in unusual] for names in (SCORED_EMOTIONS, TRAITS)
        )
        return [unusual[names].idxmax() for names in sides if names]


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
        Without clips, if the held-out corpus has none that a model reads.
    """
    corpus, seed = params.roles.held_out, params.fusion.seeds[0]
    table = pd.read_parquet(study_folder / "evaluate" / "predictions.parquet")
    # Clips without any modality have the rows of guessing alone.
    table = select(table, corpus=corpus, stage="fusion")
    if len(table):
        table = variant_predictions(table, variant, corpus)
    table = table[table["seed"] == seed]
    chosen = choose_clips(table, params.attention.clips)
    folder = data_folder / corpus / "corpus"
    clips = read_clips(folder).set_index("clip_id")
    shown = params.corpus[corpus].source in SHOWABLE
    media = params.media_root(corpus, folder) if shown else None
    found = {"truth": None, "planted": None, "crops": {}} | {
        name: pd.DataFrame(columns=columns)
        for name, columns in {
            "outputs": OUTPUTS,
            **dict.fromkeys(("contributions", "shuffled"), CONTRIBUTIONS),
            **dict.fromkeys(("clauses", "words"), WORDS),
            **dict.fromkeys(("pointing", "shuffled_pointing"), POINTING),
            "places": PLACES,
            **{"deletion": DELETION, "steps": STEPS, "regions": REGIONS},
            "columns": list(COLUMN_FIELDS),
        }.items()
    }
    if chosen:
        models, data = _fused(params, variant, study_folder, data_folder)
        chain = Chain.of_study(models[0], data, study_folder, data_folder)
        explainer = _Explainer(params, chain, clips, chosen)
        found |= explainer.contributions()
        found["truth"] = observer_evidence(params, corpus, folder)
        found["planted"] = planted = planted_places(params, corpus, folder)
        found |= explainer.deletion(found["outputs"])
        found |= explainer.words(found["truth"] is not None, folder)
        features = data_folder / corpus / "features"
        if planted is not None:
            found |= explainer.places(planted, media, features)
        if media is not None:
            found |= explainer.regions(media, features)
        told = Cases(chosen, table, clips=clips, folder=media, **found)
        found |= explainer.steps({name: told.told(name) for name in chosen})
    return Cases(chosen, table, clips=clips, folder=media, **found)


class _Explainer:
    """Attributions of one model, at the sizes that a chapter has time for."""

    def __init__(self, params: Params, chain: Chain, clips, chosen: list[str]):
        self.params, self.chain, self.clips = params, chain, clips
        rows = chain.data.rows(params.roles.held_out)
        self.ids = chain.data.clips.table["clip_id"].to_numpy()
        place = pd.Series(rows, index=self.ids[rows])
        self.shown = place[chosen].to_numpy()
        self.rows = _spread(rows, MOST_CLIPS)
        # Clips that are shown are among those that are explained.
        self.rows = np.union1d(self.rows, self.shown)
        self.encoders: Encoders = load_encoders(params.extract, torch.device("cpu"))

    def contributions(self) -> dict:
        training = [
            self.chain.data.rows(corpus, "train")
            for corpus in (self.params.roles.emotion, self.params.roles.personality)
        ]
        baseline = average_clip(self.chain.data.batch(np.concatenate(training)).inputs)
        targets = [name for name in self.chain.targets if name != EMOTIONS[0]]
        steps = self.params.attention.steps
        other = shuffled_weights(self.chain.fusion, self.params.seed)
        models = (self.chain.fusion, steps), (other, max(1, steps // 4))
        real, shuffled = (
            attribute(
                model,
                self.chain.data.batch(self.rows).inputs,
                list(self.ids[self.rows]),
                baseline,
                targets,
                steps,
            )
            for model, steps in models
        )
        return {
            "outputs": real.outputs,
            "contributions": contributions(real.values),
            "shuffled": contributions(shuffled.values),
        }

    def deletion(self, outputs: pd.DataFrame) -> dict:
        rows = _spread(self.rows, DELETED_CLIPS)
        names = [name for name in self.chain.targets if name != EMOTIONS[0]]
        emotional = [name for name in names if name in EMOTIONS] or names
        wide = outputs.assign(moved=outputs["output"] - outputs["baseline"])
        wide = wide.pivot(index="clip_id", columns="target", values="moved")
        targets = wide.loc[self.ids[rows], emotional].idxmax(axis=1).tolist()
        steps = max(1, self.params.attention.steps // 2)
        found = attribute_steps(self.chain, rows, targets, steps)
        curve = deletion_curve(
            self.chain, rows, targets, found.values, DELETED, self.params.seed
        )
        usual = found.outputs.set_index("clip_id")["baseline"]
        curve["output"] -= usual[curve["clip_id"]].to_numpy()
        return {"deletion": curve}

    def words(self, planted: bool, folder: Path) -> dict:
        if (
            "text" not in self.chain.stage2
            or self.params.encoder_of("text") in TABLE_TOOLS  # which reads no words
        ):
            return {}
        lengths = self.chain.sequences["text"].lengths
        rows = self.rows[lengths[self.rows] > 0]
        said = [str(words_of(self.clips.loc[self.ids[row]])) for row in rows]
        encoder = self.encoders.text
        own = [(row, text.split()) for row, text in zip(rows, said, strict=True)]
        own = [each for each in own if each[0] in self.shown]
        found = {}
        if own:
            found["words"] = leave_one_out(
                self.chain, read_without(*zip(*own, strict=True), " ", encoder)
            )
        if planted:
            pieces = [[each.text for each in clauses(text)] for text in said]
            read = read_without(rows, pieces, ", ", encoder)
            truth = pd.read_parquet(folder / "truth.parquet").set_index("clip_id")
            controls = truth.filter(regex="^text_")
            controls.columns = controls.columns.str.removeprefix("text_")
            controls = controls / controls.std()
            found["clauses"] = leave_one_out(self.chain, read)
            found["pointing"] = pointing_game(found["clauses"], controls)
            other = Chain(
                shuffled_weights(self.chain.fusion, self.params.seed),
                self.chain.stage2,
                self.chain.sequences,
                self.chain.data,
            )
            found["shuffled_pointing"] = pointing_game(
                leave_one_out(other, read), controls
            )
        return found

    def places(self, planted: Planted, media: Path, features: Path) -> dict:
        rows, image = _spread(self.rows, PLACED_CLIPS), self.encoders.image
        targets = planted.clips.loc[self.ids[rows], "target"].tolist()
        games = []
        if planted.clips["onset"].notna().any():
            steps = max(1, self.params.attention.steps // 2)
            found = attribute_steps(self.chain, rows, targets, steps)
            games.append(moment_game(found.values, planted))
        crops, average = self._crops(rows, media, features)
        effects = [
            hide_regions(
                *(self.chain, row, {"face": each["face"]}, average, image),
                *(EDGES, (0, 1)),
            )
            for row, each in crops.items()
            if "face" in each
        ]
        if effects:
            table = pd.concat(effects, ignore_index=True)
            table["part"] = np.array(list(PARTS_OF_FACE), object)[table["row"]]
            games.append(part_game(table, planted))
        return {"places": pd.concat(games, ignore_index=True)} if games else {}

    def _crops(self, rows: np.ndarray, media: Path, features: Path) -> tuple:
        """Crops of clips, and the mean crop of each modality."""
        table = pd.read_parquet(features / "regions.parquet")
        crops = {}
        for row in rows:
            clip = self.clips.loc[self.ids[row]]
            mine = table[table["clip_id"] == self.ids[row]]
            if len(mine):
                crops[row] = read_crops(
                    clip, media, mine, self.encoders.image, self.params.extract.frames
                )
        seen = {name for each in crops.values() for name in each}
        average = {
            name: np.mean(
                [crops[row][name].mean(0) for row in crops if name in crops[row]],
                axis=0,
            ).astype(np.uint8)
            for name in sorted(seen)
        }
        return crops, average

    def regions(self, media: Path, features: Path) -> dict:
        sample = _spread(self.rows, AVERAGED_CLIPS)
        crops, average = self._crops(np.union1d(sample, self.shown), media, features)
        found = [
            hide_regions(self.chain, row, crops[row], average, self.encoders.image)
            for row in self.shown
            if row in crops
        ]
        middle = {
            self.ids[row]: {
                name: each[len(each) // 2] for name, each in crops[row].items()
            }
            for row in self.shown
            if row in crops
        }
        if not found:
            return {}
        return {"regions": pd.concat(found, ignore_index=True), "crops": middle}

    def steps(self, told: dict[str, list[str]]) -> dict:
        pairs = [(row, target) for row in self.shown for target in told[self.ids[row]]]
        rows, targets = zip(*pairs, strict=True)
        steps = self.params.attention.steps
        found = attribute_steps(self.chain, np.array(rows), targets, steps)
        return {"steps": found.values, "columns": found.columns}


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the rows, at even distances."""
    if len(rows) <= count:
        return rows
    return rows[((np.arange(count) + 0.5) * len(rows) / count).astype(int)]


@torch.no_grad()
def load_attention(
    params: Params, variant: str, study_folder: Path, data_folder: Path
) -> pd.DataFrame:
    """Weights that a variant gives to modalities, in all held-out clips.

    Means over the seeds of training, as those of its predictions: what one of them
    attends to is partly chance.

    Parameters
    ----------
    params : Params
    variant : str
    study_folder, data_folder : Path

    Returns
    -------
    DataFrame
        From :func:`sslmepr.explanation.attention.weight_table`, of the components that
        the variant has; empty if the held-out corpus has no clip.
    """
    models, data = _fused(params, variant, study_folder, data_folder)
    rows = np.intersect1d(data.rows(params.roles.held_out), data.predictable())
    if not len(rows):
        return pd.DataFrame(columns=WEIGHTS)
    ids = data.clips.table["clip_id"].iloc[rows].tolist()
    inputs, config = data.batch(rows).inputs, models[0].config
    parts = [name for name in PARTS if name not in config.without]
    names = list(config.widths), list(config.tasks), parts
    of_seeds = [weight_table(model(inputs), ids, *names) for model in models]
    mean = np.mean([each["weight"] for each in of_seeds], axis=0)
    return of_seeds[0].assign(weight=mean)


def _fused(params: Params, variant: str, study_folder: Path, data_folder: Path):
    """Load the models of all seeds of a variant, and their inputs."""
    folder = study_folder / "fusion" / variant
    found = list(load_seeds(folder).values())
    clips = read_study_clips(params, data_folder)
    widths = list(found[0].model.config.widths)
    data = FusionClips.read(clips, widths, study_folder, torch.device("cpu"))
    for checkpoint in found:
        require_trained_on(checkpoint, folder, data.trained_on)
    return [checkpoint.model for checkpoint in found], data


def describe_case(cases: Cases, clip_id: str) -> None:
    """Show one clip: recording, predictions, and what moved its unusual outputs."""
    clip = cases.clips.loc[clip_id]
    mine = cases.predictions[cases.predictions["clip_id"] == clip_id]
    mine = mine.set_index("target")
    predicted, true = mine["predicted"], mine["true"]
    display(Markdown(f"### Clip {clip_id}"))
    words = words_of(clip)
    if cases.folder is None:
        display(Markdown("*recordings of this corpus are not shown*"))
    elif pd.isna(clip["media"]):
        display(Markdown(f"*no picture; “{words or 'no words'}”*"))
    else:
        row = cases.clips.loc[[clip_id]].reset_index()
        display(video_players(row, cases.folder))
    figures.prediction_bars(
        predicted,
        true,
        alt=f"Predicted and true emotions and traits of clip {clip_id}",
    )
    emotions = {name: predicted[name] for name in EMOTIONS}
    decided = mine["decided"][list(EMOTIONS)].astype(bool).to_dict()
    traits = {name: predicted[name] for name in TRAITS}
    display(Markdown(prediction_sentence(emotions, decided, traits, true.to_dict())))
    tabs = Tabs("What moved the output")
    for target in cases.told(clip_id):
        with tabs.panel(pretty(target)):
            _show_output(cases, clip_id, target)
    display(tabs)


def _show_output(cases: Cases, clip_id: str, target: str) -> None:
    """Everything that is known of one output of one clip."""

    def mine(table: pd.DataFrame) -> pd.DataFrame:
        return table[(table["clip_id"] == clip_id) & (table["target"] == target)]

    told = mine(cases.outputs).iloc[0]
    moved = mine(cases.contributions)
    sentence = contribution_sentence(moved, told["output"], told["baseline"], target)
    scored = mine(cases.predictions).iloc[0]
    if pd.notna(scored["true"]):
        sentence += f" Raters say {scored['true']:.2f}."
    display(HTML(f"<p>{html.escape(sentence)}</p>"))
    observer = None
    if cases.truth is not None:
        observer = mine(cases.truth.evidence).set_index("modality")["evidence"]
    name = plain(target)
    figures.waterfall(
        moved.set_index("modality")["attribution"],
        told["baseline"],
        told["output"],
        observer,
        "Logit" if target in EMOTIONS else "Score",
        alt=f"From the average clip to this one: {sentence}",
    )
    for sentence in column_sentences(mine(cases.columns), target):
        display(HTML(f"<p>{html.escape(sentence)}</p>"))
    words = mine(cases.words)
    if len(words) and cases.folder is not None:
        display(HTML(coloured_words(words)))
        planted = [
            f"“{each.text}”: {plain(each.latent)} {each.level:+d}"
            for each in clauses(str(words_of(cases.clips.loc[clip_id])))
            if cases.truth is not None and each.latent
        ]
        if planted:
            told = html.escape("; ".join(planted)).replace("-", "\N{MINUS SIGN}")
            display(HTML(f"<p><small>Planted: {told}.</small></p>"))
    regions, crops = mine(cases.regions), cases.crops.get(clip_id, {})
    crops = {each: crops[each] for each in crops if each in set(regions["modality"])}
    if crops:
        figures.region_overlay(
            crops,
            regions,
            alt=f"What hiding a region of the face or body takes from {name}",
            caption="What is lost where a region becomes that of the average crop.",
        )
    steps = mine(cases.steps)
    if (steps["modality"] != "text").any():
        figures.in_time(steps, alt=f"What each moment of the clip adds to {name}")


def tint(value: float, peak: float) -> str:
    """Style of what is read on orange if a value is above 0, else on blue.

    Parameters
    ----------
    value, peak : float
        The value, and the largest absolute one, which is the deepest colour.
    """
    colour = "245,140,60" if value > 0 else "80,150,220"
    return f"background:rgba({colour},{0.45 * abs(value) / peak:.2f})"


def coloured_words(words: pd.DataFrame) -> str:
    """A transcript as HTML, each word on orange if it raises the output, blue if not.

    Parameters
    ----------
    words : DataFrame
        place, piece and attribution, of one clip and output.
    """
    words = words.sort_values("place")
    peak = max(words["attribution"].abs().max(), 1e-12)
    parts = []
    for _, word in words.iterrows():
        value = word["attribution"]
        written = f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
        style = f"{tint(value, peak)};padding:.1em .15em"
        said = html.escape(word["piece"])
        parts.append(f'<span title="{written}" style="{style}">{said}</span>')
    return f"<p>{' '.join(parts)}</p>"
