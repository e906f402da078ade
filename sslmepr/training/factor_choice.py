"""Factor models of a study, and which of their parts dev chooses."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from sslmepr.labels import TASKS
from sslmepr.models.factor_expert import FactorExpert
from sslmepr.models.factor_model import FACTORS, Evidence, FactorModel, Parts, forms_of
from sslmepr.models.fusion_parts import CONTRADICTS, CONTRARY
from sslmepr.params import Params
from sslmepr.training.factor_fit import evidence_of, fit_factors
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.losses import LOSSES

NOTHING = Parts(classes=1, contrary=False, forms=False, expressive=False)
"""A factor model of clips that are all alike."""

CANDIDATES = (NOTHING, Parts(forms=False), Parts())
"""Parts among which dev chooses, from few to many."""

FEWEST = 100
"""Labelled clips of a task, and clips of a modality, from which a law is learned."""


@torch.no_grad()
def fit_factor_expert(
    params: Params,
    data: FusionClips,
    tasks: Sequence[str] = TASKS,
    candidates: Sequence[Parts] = CANDIDATES,
    unlabelled: bool = True,
) -> FactorExpert:
    """Fit factor models to training clips, and keep those that predict dev best.

    Parameters
    ----------
    params : Params
        Sections ``roles`` and ``seed``.
    data : FusionClips
    tasks : sequence of str
        Whose factors, and whose labels, the models know of.
    candidates : sequence of Parts
        For each task one is kept; of equally good ones the first.
    unlabelled : bool
        Whether clips without labels of these tasks take part.

    Returns
    -------
    FactorExpert
        It is not ready, and says nothing, if a task has fewer than `FEWEST` labelled
        training clips, or fewer than two modalities have as many of them.
    """
    tasks = tuple(task for task in TASKS if task in tasks)
    expert = FactorExpert(data.feature_counts, tasks).to(data.device)
    corpora = list(dict.fromkeys(getattr(params.roles, task) for task in TASKS))
    rows = {
        split: np.unique(np.concatenate([data.rows(name, split) for name in corpora]))
        for split in ("train", "dev")
    }
    labels = {
        task: data.clips.labels[task][rows["train"], -len(FACTORS[task]) :]
        for task in tasks
    }
    known = {task: np.isfinite(values).all(1) for task, values in labels.items()}
    present = data.present[rows["train"]].numpy()
    names = [
        name
        for name, seen in zip(data.features, present.T, strict=True)
        if seen.sum() >= FEWEST
    ]
    if len(names) < 2 or min(each.sum() for each in known.values()) < FEWEST:
        return expert
    inputs = {split: data.batch(each).inputs for split, each in rows.items()}
    expert.standardise(inputs["train"])
    shown = {split: expert.evidence(each) for split, each in inputs.items()}
    given, thresholds = _together(_of(shown["train"], names), labels, tasks)
    if unlabelled:
        given = _joined(given, _of(shown["dev"], names))
    else:
        given = given.at(np.flatnonzero(np.any([*known.values()], axis=0)))
    level = spread = expert.level
    if "personality" in tasks:
        traits = labels["personality"][known["personality"]]
        level, spread = (
            torch.from_numpy(each).to(expert.level)
            for each in (traits.mean(0), traits.std(0))
        )
    fits: dict[Parts, FactorModel] = {}
    for parts in candidates:
        own = _allowed(replace(parts, tasks=tasks), names)
        if own not in fits:
            said = frozenset(expert.said)
            fits[own] = fit_factors(given, thresholds, own, params.seed, said)
    chosen = _best(params, data, expert, [*fits.values()], level, spread)
    expert.set_laws(chosen, level, spread)
    return expert


def _of(given: Evidence, names: Sequence[str]) -> Evidence:
    """The same clips with some modalities."""
    features = {name: given.features[name] for name in names}
    present = {name: given.present[name] for name in names}
    return Evidence(features, present, given.known, given.precision)


def _together(given: Evidence, labels, tasks) -> tuple[Evidence, torch.Tensor]:
    """The same clips with what their labels say, and the thresholds of emotions."""
    known, precision, thresholds = evidence_of(labels, tasks)
    like = given.known
    return (
        Evidence(given.features, given.present, known.to(like), precision.to(like)),
        thresholds.to(like),
    )


def _joined(one: Evidence, other: Evidence) -> Evidence:
    """The clips of both."""
    return Evidence(
        {
            name: torch.cat([each, other.features[name]])
            for name, each in one.features.items()
        },
        {
            name: torch.cat([each, other.present[name]])
            for name, each in one.present.items()
        },
        torch.cat([one.known, other.known]),
        torch.cat([one.precision, other.precision]),
    )


def _allowed(parts: Parts, names: Sequence[str]) -> Parts:
    """Parts for which the tasks and modalities are there."""
    emotional = "emotion" in parts.tasks
    return replace(
        parts,
        contrary=parts.contrary and emotional and {CONTRARY, CONTRADICTS} <= set(names),
        forms=parts.forms
        and emotional
        and any(forms_of(parts, name) > 1 for name in names),
        expressive=parts.expressive and set(parts.tasks) == set(TASKS),
    )


def _best(params, data, expert, laws, level, spread) -> dict[str, FactorModel]:
    """The law of each task with the smallest loss on its labelled dev clips."""
    chosen = dict.fromkeys(expert.tasks, laws[0])
    if len(laws) == 1:
        return chosen
    for task in expert.tasks:
        rows = data.rows(getattr(params.roles, task), "dev")
        rows = rows[data.clips.labelled(task)[rows]]
        if not len(rows):
            continue
        batch, losses = data.batch(rows), []
        for law in laws:
            expert.set_laws({task: law}, level, spread)
            output = expert.of(task, batch.inputs)
            if task == "personality":
                output = output.sigmoid()
            losses.append(float(LOSSES[task](output, batch.labels[task])))
        chosen[task] = laws[int(np.argmin(losses))]
    return chosen
