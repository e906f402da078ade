"""What the scores of a recording rest on, as sections of its result."""

import html
from collections.abc import Mapping
from importlib.metadata import version
from platform import python_version

import pandas as pd

from sslmepr.app.elements import (
    Section,
    drawn,
    key,
    listed,
    paragraph,
    scrolled,
    scrolling,
    section,
)
from sslmepr.app.explain import Details, Explanation
from sslmepr.explanation.attribution import HALVES
from sslmepr.explanation.cases import coloured_words, tint
from sslmepr.explanation.sentences import contribution_sentence
from sslmepr.labels import EMOTIONS, MODALITIES, SCORED_EMOTIONS, TARGETS, TRAITS
from sslmepr.params import Params
from sslmepr.report import figures
from sslmepr.report.provenance import PACKAGES
from sslmepr.report.tables import MISSING, Table, number
from sslmepr.report.tabs import Tabs
from sslmepr.report.words import plain, pretty
from sslmepr.training.checkpoints import code_revision

KNOWN, UNKNOWN = "the average training clip", "an input without content"
"""The baseline of attributions, where the training data is at hand and where not."""

MOST_ROWS = 8
"""Of tables of what counts most."""

PARTS_OF_TIME = 10
"""Of the table of moments."""


def explanation_sections(explanation: Explanation, known: bool) -> list[Section]:
    """What the scores rest on, by modalities.

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
        "left over. Outputs of emotions are logits, those of traits scores; a score is "
        "the mean of the models' probabilities, which is not that of their mean logit."
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
    parts += filter(None, [_agreement(explanation.alone)])
    return [
        section("modalities", "What the scores rest on", *parts),
        _halves(explanation.values),
        section("weights", "Weights of modalities", *_weights(explanation)),
    ]


def detail_sections(
    explanation: Explanation, details: Details, known: bool
) -> list[Section]:
    """What some scores rest on in full: words, moments, features and regions.

    Parameters
    ----------
    explanation : Explanation
    details : Details
        Of the outputs that it tells.
    known : bool
        Whether the baseline is the average training clip.
    """
    usual = KNOWN if known else UNKNOWN
    return [
        *(_told(explanation, details, target, usual) for target in explanation.told),
        *_regions(explanation.told, details),
    ]


def _agreement(alone: pd.DataFrame) -> str:
    """Whether modalities by themselves say most of the same emotion."""
    emotions = alone[alone["target"].isin(SCORED_EMOTIONS)]
    if emotions["modality"].nunique() < 2:
        return ""
    strongest = emotions.loc[emotions.groupby("modality")["predicted"].idxmax()]
    chosen = strongest.set_index("modality")["target"]
    groups = {
        name: [each for each in MODALITIES if chosen.get(each) == name]
        for name in chosen.unique()
    }
    if len(groups) == 1:
        name = plain(chosen.iloc[0])
        return paragraph(f"Every modality by itself says most of {name}.")
    said = [
        f"{listed([plain(each) for each in names])} of {plain(name)}"
        for name, names in groups.items()
    ]
    return paragraph(
        f"By themselves, modalities do not agree which emotion is strongest: "
        f"{', '.join(said)}. Fusion decides."
    )


def _halves(values: pd.DataFrame) -> Section:
    """Attributions by the half of the model that they go through, as coloured cells."""
    by = ["target", "modality", "half"]
    table = values.groupby(by, as_index=False)["attribution"].sum()
    wide = table.pivot(index="target", columns=["half", "modality"])["attribution"]
    names = [name for name in MODALITIES if name in wide.columns.unique("modality")]
    columns = [(half, name) for half in HALVES for name in names]
    rows, keys = [], []
    for task, targets in TARGETS.items():
        mine = wide.reindex(columns=columns).filter([*targets], axis=0)
        mine = mine.reindex([name for name in targets if name in mine.index])
        peak = max(mine.abs().max(axis=None), 1e-12) if len(mine) else 1.0
        rows += [_heat_row(name, each, peak) for name, each in mine.iterrows()]
        if len(mine):
            keys.append(key(f"Outputs of {plain(task, 'task')}", _scale(peak)))
    halves = [f"through {plain(half, 'task')}" for half in HALVES]
    heads = "".join(
        f'<th colspan="{len(names)}" scope="colgroup">{half}</th>' for half in halves
    )
    below = "".join(f"<th>{pretty(name)}</th>" for _, name in columns)
    content = (
        f"<table><caption>Attributions by half</caption><thead><tr><td></td>{heads}"
        f"</tr><tr><td></td>{below}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
    intro = (
        "The same attributions, apart by what they go through: what the models of "
        "emotions found in a modality, and what those of traits found in it. Orange "
        "raises an output and blue lowers it; the deepest colour is the largest number "
        "of all emotions, and of all traits."
    )
    title = "Through emotions, and through traits"
    shown = scrolled(content, title)
    return section("halves", title, paragraph(intro), *keys, shown)


def _scale(peak: float) -> dict[str, str]:
    """Values from the lowest to the highest that is coloured, and their colours."""
    values = [-peak, -peak / 2, 0.0, peak / 2, peak]
    return {number(each, 2): tint(each, peak) for each in values}


def _heat_row(target: str, values: pd.Series, peak: float) -> str:
    cells = "".join(
        f'<td style="{tint(value, peak)}">{number(value, 2)}</td>'
        if pd.notna(value)
        else f"<td>{MISSING}</td>"
        for value in values
    )
    return f'<tr><th scope="row">{pretty(target)}</th>{cells}</tr>'


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


def _weights(explanation: Explanation) -> list[str]:
    weights, graph = explanation.weights, explanation.graph
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
    parts = [scrolling(shown)]
    if len(graph):
        note = "a row adds up to 1: how much a modality attends to each of them"
        parts.append(scrolling(Table(graph, "Graph attention", note)))
    return parts


def _told(
    explanation: Explanation, details: Details, target: str, usual: str
) -> Section:
    """One output in full: modalities, words and moments."""
    told = explanation.outputs.set_index("target").loc[target]
    contributions = explanation.contributions
    mine = contributions[contributions["target"] == target]
    outputs, scores = told[["output", "baseline"]], told[["score", "usual"]]
    sentence = contribution_sentence(mine, *outputs, target, usual, tuple(scores))
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
    words = details.words
    words = words[words["target"] == target]
    if len(words):
        tabs.panels["word"] = (
            coloured_words(words)
            + paragraph("Orange raises the output, blue lowers it.")
            + scrolling(_word_table(words))
        )
    steps = details.steps
    steps = steps[steps["target"] == target]
    if (steps["modality"] != "text").any():
        tabs.panels["moment"] = drawn(
            figures.in_time,
            steps,
            alt=f"What each moment adds to {plain(target)}, by modality",
        ) + scrolling(_moment_table(steps))
    columns = details.columns
    columns = columns[columns["target"] == target]
    if len(columns):
        tabs.panels["feature"] = scrolling(_feature_table(columns))
    name = f"output-{target}"
    return section(name, f"{pretty(target)} in full", *parts, tabs._repr_html_())


def _word_table(words: pd.DataFrame) -> Table:
    shown = _strongest(words)[["piece", "attribution"]]
    return Table(shown.rename(columns={"piece": "word"}), "Words that count most")


def _feature_table(columns: pd.DataFrame) -> Table:
    shown = _strongest(columns)[["modality", "column", "attribution"]]
    return Table(
        shown.rename(columns={"column": "feature"}), "Features that count most"
    )


def _moment_table(steps: pd.DataFrame) -> Table:
    """What each tenth of the time adds, modality by modality; text has no time."""
    timed = steps[steps["modality"] != "text"]
    count = timed.groupby("modality")["step"].transform("size")
    place = timed.groupby("modality")["step"].rank() - 0.5
    tenth = (PARTS_OF_TIME * place / count).astype(int)
    sums = timed.groupby([tenth, "modality"])["attribution"].sum().unstack()
    sums = sums.reindex(range(PARTS_OF_TIME))
    step = 100 // PARTS_OF_TIME
    spans = [f"{step * place} to {step * (place + 1)} %" for place in sums.index]
    table = pd.DataFrame({"time": spans})
    for name in (each for each in MODALITIES if each in sums):
        table[name] = [number(each) for each in sums[name]]
    note = "sums over the steps of each tenth of the recording"
    return Table(table, "What each moment adds", note)


def _region_table(regions: pd.DataFrame) -> Table:
    """What hiding each region takes, as the squares of the picture lie."""
    wide = regions.pivot(
        index=["modality", "row"], columns="column", values="attribution"
    ).reset_index()
    table = pd.DataFrame({"modality": wide["modality"], "row": wide["row"] + 1})
    for column in sorted(regions["column"].unique()):
        table[f"column {column + 1}"] = [number(each) for each in wide[column]]
    note = "rows from the top, columns from the left"
    return Table(table, "What hiding each region takes", note)


def _strongest(table: pd.DataFrame) -> pd.DataFrame:
    order = table["attribution"].abs().sort_values(ascending=False, kind="stable")
    return table.loc[order.index[:MOST_ROWS]]


def _regions(told: list[str], details: Details) -> list[Section]:
    parts = []
    for target in told:
        mine = details.regions[details.regions["target"] == target]
        crops = {
            name: each
            for name, each in details.crops.items()
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
                    mapped=True,
                )
            )
            shown = mine[mine["modality"].isin(list(crops))]
            parts.append(scrolling(_region_table(shown)))
    if not parts:
        return []
    return [section("regions", "Regions of the picture", *parts, people=True)]


def provenance_section(
    params: Params, variant: str, models, seconds: Mapping[str, float]
) -> Section:
    """What the result was computed with, and how long that took.

    Parameters
    ----------
    params : Params
    variant : str
    models : models of `sslmepr.predict.Predictor`
    seconds : mapping of str to float
        Step to how long it took.
    """
    rows = {
        "study": params.study,
        "variant": plain(variant),
        "seeds": str(len(models.fused)),
        "code revision": code_revision(),
    }
    for modality, checkpoint in models.unimodal.items():
        rows[f"encoder of {plain(modality)}"] = " ".join(checkpoint.made_by or ())
    rows["versions"] = ", ".join(
        [f"Python {python_version()}", *(f"{n} {version(n)}" for n in PACKAGES)]
    )
    rows |= {f"seconds, {name}": number(each, 1) for name, each in seconds.items()}
    frame = pd.DataFrame({"what": list(rows), "value": list(rows.values())})
    table = scrolling(Table(frame, "Models, encoders and programs"))
    return section("provenance", "Where this comes from", table)
