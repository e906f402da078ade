"""Designs tried of published components that the default model does not have.

A published component may have been tried in its published form, as an option of the
model, and in forms that take its place. What came of each is read from recorded
results, so that a component is left out for reasons that can be seen.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from sslmepr.report.overview import Findings
from sslmepr.report.tables import Table, interval
from sslmepr.report.words import plain, pretty
from sslmepr.statistics.verdicts import verdicts

ENOUGH = 3
"""Designs that must have been tried before a component may be called useless."""

WHOLE = "everything"
"""All of them in their published forms, which were also tried together."""

STUDY, DOSE, COLLAPSE, CURVES = "study", "doses", "collapse", "curves"

WITHOUT = "without"


class Design(NamedTuple):
    """A form of a published component.

    Attributes
    ----------
    component : str
        The published component.
    form : str
        In words.
    name : str
        Of the component of the model in this form, or of the arm of a trial.
    sources : tuple of str
        Where its results are: `STUDY` (the model of this study with and without it),
        `DOSE` (drawn studies, by its knob), `COLLAPSE` (drawn studies, on the corpus
        without the label) or `CURVES` (drawn studies, in the mild world).
    """

    component: str
    form: str
    name: str
    sources: tuple[str, ...]


OPTION = (STUDY, DOSE)

DESIGNS = (
    Design(
        "graph_attention",
        "nodes exchange by attention, added to the model",
        "graph_attention",
        OPTION,
    ),
    Design(
        "graph_attention",
        "in its place: a product of experts, which weighs predictions",
        "product_of_experts",
        OPTION,
    ),
    Design("task_query", "a query per task, added to the model", "task_query", OPTION),
    Design("guide_bank", "scaled cosine, added to the head", "guide_bank", OPTION),
    Design(
        "guide_bank",
        "in its place: two forms of showing emotions, by their likelihood",
        "second_forms",
        OPTION,
    ),
    Design(
        "semi_supervised",
        "as published: hard ones of the model itself",
        "as published",
        (COLLAPSE,),
    ),
    Design(
        "semi_supervised",
        "soft ones of a mean teacher, added to the model",
        "semi_supervised",
        OPTION,
    ),
    Design(
        "semi_supervised",
        "in its place: co-training between modalities",
        "co_training",
        OPTION,
    ),
    Design(
        "gradnorm",
        "running losses, last shared layer, added to the model",
        "gradnorm",
        OPTION,
    ),
    Design(
        WHOLE,
        "the whole published method, in its own schedule",
        "as published, recalibrated",
        (CURVES,),
    ),
)
"""In the order of display."""

METRICS = {
    STUDY: ("mWACC", "CCC"),
    DOSE: ("mWACC", "CCC"),
    COLLAPSE: ("other UAR", "other CCC"),
    CURVES: ("mWACC", "CCC"),
}
"""Source to the metrics of emotions and of traits."""


def designs_tried(
    gains: pd.DataFrame,
    dosed: pd.DataFrame,
    collapsed: pd.DataFrame,
    curved: pd.DataFrame,
    margin: float,
) -> pd.DataFrame:
    """What came of each of `DESIGNS`.

    Parameters
    ----------
    gains : DataFrame
        From `sslmepr.evaluation.component_gains.component_gains`, of this study.
    dosed : DataFrame
        From `sslmepr.report.dose_responses.read_gains`.
    collapsed : DataFrame
        From `sslmepr.trials.seeds.differences`: the default model less each arm.
    curved : DataFrame
        From `sslmepr.trials.curves.ahead`: the default model less each arm.
    margin : float
        Largest difference that does not matter.

    Returns
    -------
    DataFrame
        component, design, tried (on what), task (emotions or traits), estimate, low,
        high, verdict. The estimate is the gain by the design over the same model
        without it, or, of published forms, over the default model. A design without
        results on record has no row.
    """
    read = {
        STUDY: lambda name: _of_study(gains, name),
        DOSE: lambda name: _of_doses(dosed, name),
        COLLAPSE: lambda name: _less(collapsed, "arm", "offset", name),
        CURVES: lambda name: _less(curved, "against", "clips", name),
    }
    tables = [
        table.assign(component=each.component, design=each.form, source=source)
        for each in DESIGNS
        for source in each.sources
        for table in read[source](each.name)
    ]
    found = pd.concat(tables, ignore_index=True)
    for source, names in METRICS.items():
        tasks = dict(zip(names, ("emotions", "traits"), strict=True))
        rows = found["source"] == source
        found.loc[rows, "task"] = found.loc[rows, "metric"].map(tasks)
    found = found.dropna(subset="task")
    found["verdict"] = verdicts(found["low"], found["high"], margin)
    names = ["component", "design", "tried", "task", "estimate", "low", "high"]
    return found[[*names, "verdict"]].reset_index(drop=True)


def _of_study(gains: pd.DataFrame, name: str) -> Iterator[pd.DataFrame]:
    own = gains[gains["component"] == name].rename(columns={"gain": "estimate"})
    if len(own):
        yield own.assign(tried="held-out corpus")


def _of_doses(dosed: pd.DataFrame, name: str) -> Iterator[pd.DataFrame]:
    """At the largest dose of each of its knobs."""
    own = dosed[(dosed["component"] == name) & (dosed["against"] == WITHOUT)]
    for knob, each in own.groupby("knob", sort=False):
        dose = each["dose"].max()
        tried = f"drawn studies, {knob} {dose:g}"
        yield each[each["dose"] == dose].assign(tried=tried)


def _less(
    table: pd.DataFrame, column: str, size: str, name: str
) -> Iterator[pd.DataFrame]:
    """An arm less the default model, where `size` is largest."""
    own = table[table[column] == name]
    if len(own):
        largest = own[size].max()
        own = own[own[size] == largest]
        turned = own.assign(
            estimate=-own["estimate"], low=-own["high"], high=-own["low"]
        )
        tried = f"drawn studies, {size} {largest:g}"
        yield turned.assign(tried=f"{tried}, less the default model")


def designs_findings(found: pd.DataFrame) -> Findings:
    """Say how many designs of each component are on record, and how they did.

    Parameters
    ----------
    found : DataFrame
        From `designs_tried`.
    """
    sentences = []
    apart = found[found["component"] != WHOLE]
    for component, own in apart.groupby("component", sort=False):
        counts = own["verdict"].value_counts()
        told = ", ".join(f"{verdict} {count}" for verdict, count in counts.items())
        designs = own["design"].nunique()
        few = f", fewer than {ENOUGH}" if designs < ENOUGH else ""
        number = f"{designs} design{'s' if designs > 1 else ''} on record{few}"
        title = f"**{pretty(component, 'component')}**"
        sentences.append(f"{title}: {number}; comparisons by verdict: {told}.")
    return Findings(sentences)


def designs_table(found: pd.DataFrame, margin: float) -> Table:
    """One row for each design and what it was tried on.

    Parameters
    ----------
    found : DataFrame
        From `designs_tried`.
    margin : float
    """
    cells = [
        f"{interval(row.estimate, row.low, row.high, 3)} {row.verdict}"
        for row in found.itertuples()
    ]
    keys = ["component", "design", "tried"]
    wide = found.assign(cell=cells).set_index([*keys, "task"])["cell"].unstack()
    order = found[keys].drop_duplicates()
    table = order.merge(wide.reset_index(), on=keys)
    table["component"] = table["component"].map(plain)
    caption = (
        "Gain by each design over the same model without it (published forms: over the "
        "default model), for emotions and for traits; equivalent: the interval lies "
        f"within ±{margin:g}."
    )
    return Table(table, caption)
