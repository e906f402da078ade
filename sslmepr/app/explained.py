"""What the scores of a recording rest on, as sections of its result."""

import html

import pandas as pd

from sslmepr.app.elements import Section, drawn, paragraph, scrolling, section
from sslmepr.app.explain import Explanation
from sslmepr.explanation.cases import coloured_words
from sslmepr.explanation.sentences import contribution_sentence
from sslmepr.labels import EMOTIONS, MODALITIES, TRAITS
from sslmepr.params import Params
from sslmepr.report import figures
from sslmepr.report.tables import Table
from sslmepr.report.tabs import Tabs
from sslmepr.report.words import plain, pretty
from sslmepr.training.checkpoints import code_revision

KNOWN, UNKNOWN = "the average training clip", "an input without content"
"""The baseline of attributions, where the training data is at hand and where not."""


def explanation_sections(explanation: Explanation, known: bool) -> list[Section]:
    """What the scores rest on: modalities, and then words, regions and moments.

    Parameters
    ----------
    explanation : Explanation
    known : bool
        Whether the baseline is the average training clip.
    """
    usual = KNOWN if known else UNKNOWN
    intro = (
        f"Attributions say how far each modality moves an output from {usual} "
        "(integrated gradients). They add up to the output: the last column is what is "
        "left over. Outputs of emotions are logits, those of traits scores."
    )
    attributions = Table(_attributions(explanation), "Attributions")
    parts = [paragraph(intro), scrolling(attributions)]
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
            parts.append(scrolling(Table(wide, caption, note)))
    return [
        section("modalities", "What the scores rest on", *parts),
        section("weights", "Weights of modalities", *_weights(explanation.weights)),
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
        return [paragraph("This variant has no component that weighs modalities.")]
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
    return [scrolling(shown)]


def _told(explanation: Explanation, target: str, usual: str) -> Section:
    """One output in full: modalities, words and moments."""
    told = explanation.outputs.set_index("target").loc[target]
    contributions = explanation.contributions
    mine = contributions[contributions["target"] == target]
    sentence = contribution_sentence(
        mine, told["output"], told["baseline"], target, usual
    )
    parts = [paragraph(sentence)]
    tabs = Tabs("By")
    tabs.panels["modality"] = drawn(
        figures.waterfall,
        mine.set_index("modality")["attribution"],
        told["baseline"],
        told["output"],
        None,
        "Logit" if target in EMOTIONS else "Score",
        "Average clip" if usual == KNOWN else "No content",
        alt=f"From {usual} to this one: {sentence}",
    )
    words = explanation.words
    words = words[words["target"] == target]
    if len(words):
        tabs.panels["word"] = (
            coloured_words(words)
            + paragraph("Orange raises the output, blue lowers it.")
            + scrolling(_word_table(words))
        )
    steps = explanation.steps
    steps = steps[steps["target"] == target]
    if (steps["modality"] != "text").any():
        tabs.panels["moment"] = drawn(
            figures.in_time,
            steps,
            alt=f"What each moment adds to {plain(target)}, by modality",
        )
    name = f"output-{target}"
    return section(name, f"{pretty(target)} in full", *parts, tabs._repr_html_())


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
                drawn(
                    figures.region_overlay,
                    crops,
                    mine,
                    alt=f"What hiding a region of the face or body takes from {name}",
                    caption="What is lost where a region becomes a plain colour.",
                )
            )
    if not parts:
        return []
    return [section("regions", "Regions of the picture", *parts, people=True)]


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
    table = scrolling(Table(frame, "Models and encoders"))
    return [section("provenance", "Where this comes from", table)]
