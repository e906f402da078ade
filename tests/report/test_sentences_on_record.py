"""Every number of a computed sentence stands in the tables it was made from.

Held for the results on record, and for the same tables scaled down, so that no number
can be typed by hand. What no table holds, such as means and counts over several
columns, is computed again here.
"""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from sslmepr import params as parameters
from sslmepr.association.cross_table import read_table
from sslmepr.association.planning import USUAL_POWER, deciding, read_precision
from sslmepr.association.preregistration import read_primary
from sslmepr.corpora.schema import CorpusError, read_clips
from sslmepr.evaluation.scores import read_ceiling
from sslmepr.explanation import sentences as explained
from sslmepr.explanation import tour
from sslmepr.labels import (
    EMOTION_COLUMNS,
    MODALITIES,
    SCORED_EMOTIONS,
    TRAIT_COLUMNS,
    TRAITS,
)
from sslmepr.report import (
    answers,
    association_trust,
    block_findings,
    collapse_findings,
    confirmation,
    costs,
    designs_tried,
    dose_responses,
    exercise_findings,
    front_page,
    learning_curves,
    other_methods,
    overview,
    pair_export,
    pair_findings,
    power_findings,
    real_findings,
    trial_states,
    truth_findings,
    verification_table,
)
from sslmepr.report.association_findings import claims_in_short
from sslmepr.report.component_findings import (
    ablation_findings,
    component_findings,
    elsewhere_finding,
)
from sslmepr.report.corpora_findings import corpora_findings
from sslmepr.report.extraction import extraction_findings
from sslmepr.report.known_truth import claims_held
from sslmepr.report.measurement_findings import by_networks, measurement_findings
from sslmepr.report.person_intervals import kept
from sslmepr.report.promises_findings import promises_findings
from sslmepr.report.provenance import record_findings
from sslmepr.report.recorded_verdicts import contradictions, recorded_verdicts
from sslmepr.report.reproducibility_findings import reproducibility_findings
from sslmepr.report.validity_findings import simpler_sources, validity_findings

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
STUDY, TRIALS = RESULTS / "simulated", RESULTS / "trials"
REAL = RESULTS / "real"
GIVEN = [0, 0.05, 0.95, 0.02, 0.1, 0.9, 0.8, 0.5, 0.85, 1, *power_findings.BAND]
GIVEN += power_findings.ERROR_BAND
"""Levels, margins, doses, scores of guessing and conventions, which sentences name but
tables need not hold."""

MOST = 40
"""Different values of a column by which rows are counted."""

NUMBER = re.compile(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d*\.?\d+)(?!\w|\.\d)")
NO_NUMBER = re.compile(r"\d{4}-\d\d-\d\d|< \.001|\((19|20)\d\d\)")
"""Dates, p-values that are below what is written, and years of publications."""


def numbers(text):
    """Numbers of a sentence, with how many digits they have after the point."""
    return [
        (float(each.replace(",", "")), len(each.partition(".")[2]))
        for each in NUMBER.findall(NO_NUMBER.sub("", text))
    ]


def values_of(*tables, derived=()):
    """All numbers of tables and of their words, as they are and as per cent."""
    found = [np.array([*GIVEN, *derived], float)]
    for column in (column for table in tables for _, column in table.items()):
        if column.dtype.kind in "if":
            found.append(column.to_numpy(float))
        elif column.dtype.kind != "b":
            told = numbers(" ".join(map(str, column.unique())))
            found.append(np.array([each for each, _ in told], float))
    values = np.abs(np.concatenate(found))
    return np.concatenate([values, 100 * values])


def counts_of(table):
    """Rows, values and signs of a table, and of its parts by every column."""
    parts = [table]
    for name, column in table.items():
        if column.dtype.kind != "f" and column.nunique() <= MOST:
            parts += [part for _, part in table.groupby(name)]
    return {int(count) for part in parts for count in _counts(part)}


def _counts(part):
    yield len(part)
    for _, column in part.items():
        yield column.nunique()
        if column.dtype.kind in "ifb":
            yield from ((column > 0).sum(), (column < 0).sum(), (column != 0).sum())
        if column.dtype.kind in "ib":
            yield column.sum()
        elif column.nunique() <= MOST:
            yield from column.value_counts()


def stray(sentences, *tables, derived=()):
    """Numbers of sentences that neither tables hold nor `derived`."""
    values = values_of(*tables, derived=derived)
    counts = set().union(*map(counts_of, tables))
    return [
        (number, sentence)
        for sentence in sentences
        for number, digits in numbers(sentence)
        # Half a unit of the last place, for either way of rounding halves.
        if np.nanmin(np.abs(values - number)) > 0.5001 * 10.0**-digits
        and (digits or number not in counts)
    ]


class Told(NamedTuple):
    """Sentences of a chapter.

    Attributes
    ----------
    tell : callable
        Tables to the sentences.
    read : callable
        The tables on record.
    derived : callable
        Tables to numbers that sentences have beside theirs.
    """

    tell: Callable[..., list[str]]
    read: Callable[[], list[pd.DataFrame]]
    derived: Callable[..., Iterable[float]] = lambda *_: ()


def recorded(*paths):
    return lambda: [pd.read_csv(path) for path in paths]


def mild(kind):
    return learning_curves.read(TRIALS / "curves", ["mild"], kind)


def doses():
    return dose_responses.read_gains(TRIALS)


def judged():
    observed = pd.read_csv(TRIALS / "observers/drawn.csv")
    return [dose_responses.judged(doses(), observed, 0.02)]


def cells(table, source, metric):
    return table[(table["source"] == source) & (table["metric"] == metric)]


def of_worlds(table):
    """Coverage within the band, its precision, worlds, and the smaller errors."""
    sources = ("cross_source", "disjoint_modalities")
    mine = cells(table, sources[0], "covers_planted")
    alarms = cells(table, sources[0], "familywise_error")
    alarms = alarms[alarms["strength"] == 0]
    errors = [
        cells(table, each, "rmse").set_index(["condition", "strength"])["estimate"]
        for each in sources
    ]
    smaller = (errors[0] < errors[1].reindex(errors[0].index)).sum()
    least, most = power_findings.BAND
    within = (mine["estimate"] >= least) & (mine["estimate"] <= most)
    half = (mine["high"] - mine["low"]).max() / 2
    worlds = [mine["worlds"].sum(), alarms["worlds"].sum(), len(alarms)]
    typical = alarms["estimate"].median()
    counts = [len(mine), within.sum(), len(errors[1]) - smaller, len(errors[1])]
    for name in ("error_ratio", "error_ratio_trimmed", "error_ratio_median"):
        ratios = cells(table, sources[0], name)["estimate"]
        counts.append(((ratios >= 0.9) & (ratios <= 1.1)).sum())
    return [*counts, half, typical, *worlds]


def of_cells(table):
    """Median bias, and what is uncertain of each mean."""
    mine = table[table["source"] == "cross_source"]
    yield (mine["expected"] - mine["planted"]).abs().median()
    yield from mine["deviation"] / np.sqrt(mine["worlds"])


def of_blocks(table):
    for _, rows in table[table["what"].isin(MODALITIES)].groupby(["block", "metric"]):
        yield from (len(rows), (rows["low"] > 0).sum(), (rows["high"] < 0).sum())


METRICS = {"mWACC": "e", "CCC": "f"}


def of_components(table):
    whole = ("linear_fusion", "late_fusion")
    own = table[table["metric"].isin(METRICS) & ~table["component"].isin(whole)]
    for _, rows in own.groupby("added"):
        better = rows[rows["verdict"] == "better"]
        yield from (rows["component"].nunique(), better["component"].nunique())
    yield from (len(own), 0.05 * len(own), (own["verdict"] == "undecided").sum())


def of_groups(table):
    known = table.dropna(subset=["lowest", "highest"])
    differ = total = 0
    for _, rows in known.groupby(["attribute", "metric"]):
        rows = rows.head(1) if len(rows) == 2 else rows
        total += len(rows)
        ends = rows[["lowest", "highest"]].round(2)
        differ += ((ends["highest"] < 0) | (ends["lowest"] > 0)).sum()
    return [total, differ, 0.05 * total]


def of_confusion(table):
    right = table.loc[table["true"] == table["predicted"], "clips"].sum()
    whole = table["clips"].sum()
    return [right / whole, whole, *(table["clips"] / table["share"])]


def of_measurement(agreement, ratios, curve, joint):
    emotions, traits = (
        ratios[name].isin(names)
        for name, names in (("construct", SCORED_EMOTIONS), ("other", TRAITS))
    )
    for rows in (emotions & traits, emotions & ~traits, ~emotions):
        yield from (rows.sum(), ratios.loc[rows, "distinct"].sum())
    known = ratios[emotions & traits].dropna(subset=["low"])
    yield from (known["below"].sum(), len(known))
    for _, rows in curve[curve["scores"] == "networks"].groupby("emotion"):
        yield from (rows["significant"].sum(), rows["estimate"].notna().sum())
    yield from agreement[["convergent", "exceeds"]].mean()
    for _, rows in curve.dropna(subset=["estimate"]).groupby("emotion"):
        for choice in ("modalities", "corpora", "scores"):
            yield np.ptp(rows.groupby(choice)["estimate"].mean())


def tell_exercises(table):
    worlds = dict(list(table.groupby("exercise")))
    pair, strong = ("surprise", "openness"), ("happiness", "extraversion")
    answers = [
        exercise_findings.pair_answer(worlds["one world"], *pair),
        exercise_findings.pair_answer(worlds["few people"], *pair),
        exercise_findings.worlds_answer(worlds["twenty worlds"], *pair),
        exercise_findings.sources_answer(worlds["cues overlap"]),
        exercise_findings.labels_answer(worlds["halo"], "happiness"),
        exercise_findings.worlds_answer(worlds["one rater"], *strong),
    ]
    return [sentence for answer in answers for sentence in answer.sentences]


def of_intervals(table):
    """Widths are means over traits."""
    own = table[(table["nominal"] == 0.95) & (table["task"] == "personality")]
    means = own.groupby("metric")["estimate"].mean()
    return [means["half_width"], means["guess_half_width"]]


def of_exercises(table):
    for _, rows in table.groupby(["exercise", "source"]):
        yield ((rows["r"] - rows["rated"]) ** 2).mean() ** 0.5
        empty = rows["rated"] == 0
        present = rows["verdict"] == "present"
        held = (rows["low"] <= rows["rated"]) & (rows["rated"] <= rows["high"])
        happy = rows["emotion"] == "happiness"
        significant = empty & rows["significant"].astype(bool)
        chosen = (empty, empty & present, empty & held, significant)
        chosen += (happy & present, ~happy, ~happy & present)
        by_halo = ~happy & present & (rows["planted"] == 0) & (rows["rated"] != 0)
        yield from (each.sum() for each in (*chosen, by_halo))
        yield rows.loc[empty & present, "world"].nunique()
        for _, own in rows.groupby(["emotion", "trait"]):
            yield from own[["r", "planted", "rated"]].mean()
            yield (own["verdict"] == "present").sum()
            yield held[own.index].sum()


def of_validity(table, agreement):
    for _, rows in table.groupby("study"):
        rows = rows.dropna(subset=["low", "high"])
        yield ((rows["low"] <= rows["rated"]) & (rows["rated"] <= rows["high"])).sum()
        there = rows["planted"] != 0
        called = rows["significant"].astype(bool)
        yield from (there.sum(), (~there).sum())
        yield from ((there & called).sum(), (~there & called).sum())
        holds = (rows["low"] <= rows["rated"]) & (rows["rated"] <= rows["high"])
        yield from ((there & holds).sum(), (~there & holds).sum())
        yield rows.loc[~there, "rated"].abs().max()


def of_confirmation(endpoints, worlds, people, attempts):
    for _, rows in people.groupby("metric", sort=False):
        (known, low, high), (new, least, most) = rows[
            ["estimate", "low", "high"]
        ].values
        yield from (
            new - known,
            new - known - ((new - least) ** 2 + (high - known) ** 2) ** 0.5,
            new - known + ((most - new) ** 2 + (known - low) ** 2) ** 0.5,
        )
    yield worlds.groupby("condition")["worlds"].max().sum()
    none = endpoints["direction"] == "none"
    expected = none.map({True: "absent", False: "present"})
    yield (endpoints["verdict"] == expected).sum()


def designs():
    return [
        designs_tried.designs_tried(
            pd.read_csv(STUDY / "ablation/gains.csv"),
            doses(),
            pd.read_csv(TRIALS / "collapse/drawn-differences.csv"),
            pd.read_csv(TRIALS / "curves/published-gains.csv"),
            0.02,
        )
    ]


def of_designs(table):
    yield from table.groupby(["component", "verdict"]).size()
    yield from table.groupby("component")["design"].nunique()
    yield designs_tried.ENOUGH


def confirmed():
    """Tables of the last attempt that was finished, and all attempts."""
    attempts = pd.read_csv(RESULTS / "confirm/attempts.csv")
    names = [f"{name}.csv" for name in ("endpoints", "worlds", "recognition")]
    folder = RESULTS / "confirm" / finished(attempts)["hash"][:12]
    return [*recorded(*(folder / name for name in names))(), attempts]


def finished(attempts):
    folders = [RESULTS / "confirm" / each[:12] for each in attempts["hash"]]
    return attempts[[each.exists() for each in folders]].iloc[-1]


def kinds(history):
    columns = (["processor"], ["blas", "torch"])
    return [len(history[names].drop_duplicates()) for names in columns]


def real_corpora():
    return json.loads((REAL / "record/corpora.json").read_text("utf-8"))


def shared_videos():
    clips = real_corpora()["fiv2"]
    return 100 * clips["clips_sharing_a_speaker"]["test"] / clips["clips"]["test"]


HISTORY = RESULTS / "verification.csv"


def own_world(table):
    return table[table["study"] == "simulated"]


def of_answers(cells, agreement, curve):
    yield from of_validity(cells, agreement)
    networks = curve[curve["scores"] == "networks"].dropna(subset=["estimate"])
    yield from (networks["significant"].sum(), len(networks))


def of_confidence(checks, endpoints, worlds, drawn):
    yield from (*of_confirmation(endpoints, worlds, pd.DataFrame({"metric": []}), 0),)
    yield from of_worlds(drawn)


def of_claims(primary, cells):
    known = own_world(cells).set_index(["emotion", "trait"])["rated"]
    held = 0
    for row in primary.itertuples():
        traits = TRAITS if row.traits == "all" else row.traits.split(", ")
        truth = np.mean([known[row.emotion, trait] for trait in traits])
        held += row.low <= truth <= row.high
        yield truth
    yield held


def guesses(*_):
    """Shares of guessing among 7 or 8 emotions, and of videos that are shared."""
    return [1 / 7, 1 / 8, shared_videos()]


def of_real(names):
    return recorded(*(REAL / name for name in names))


def tell_real(metrics, by_video, folds):
    told = real_findings.chapter_findings(
        recorded_verdicts(REAL / "association").sentences,
        dict(list(metrics.groupby("corpus"))),
        by_video[by_video["corpus"] == "fiv2_by_video"],
        folds,
        real_corpora(),
    )
    return told.sentences


def tell_traits(metrics, by_video, gains):
    return real_findings.trait_findings(
        metrics[metrics["corpus"] == "fiv2"],
        by_video[by_video["corpus"] == "fiv2_by_video"],
        gains,
    )


def explored():
    folder = STUDY / "association"
    precision = read_precision(folder)
    pairs = pair_export.tidy_export(
        read_table(folder), precision, parameters.load().association
    )
    return [pairs, precision, read_primary(folder), pd.read_csv(folder / "halo.csv")]


def tell_explored(pairs, precision, primary, halo):
    stated = parameters.load().association
    told = pair_findings.told_pairs(pairs, precision, stated, primary, halo)
    parts = told[["said", "report", "needed", "halo"]].to_numpy().ravel()
    return [re.sub("<[^>]+>", "", each) for each in parts]


def of_explored(pairs, precision, primary, halo):
    needed = deciding(precision, parameters.load().association, USUAL_POWER)
    numbers_needed = needed.select_dtypes("number").to_numpy().ravel()
    return [*(pairs["n"] - pairs["n_crossed"]), *numbers_needed]


def fitted(name):
    return pd.read_csv(REAL / f"folds/{name}.csv")


def of_chosen_variant(metrics):
    dev = metrics[(metrics["split"] == "dev") & (metrics["stage"] == "fusion")]
    mean = dev[(dev["seed"] == -1) & (dev["target"] == "mean")]
    scores = mean.pivot(index="variant", columns="metric", values="estimate")
    return (scores["CCC"] + scores["skill"]) / 2


def corpora_of_people():
    """Clip tables of the study; those that lie in git name no person."""
    folders = {name: ROOT / "data" / name / "corpus" for name in CORPORA}
    return {name: read_clips(folder) for name, folder in folders.items()}, folders


def of_corpora(ceiling):
    clips, _ = corpora_of_people()
    rated = [
        table[list(names)].notna().all(axis=1)
        for name in CORPORA[:2]
        for table in [clips[name]]
        for names in (EMOTION_COLUMNS, TRAIT_COLUMNS)
    ]
    people = sum(table["speaker_id"].nunique() for table in clips.values())
    written = sum(table["media"].isna().sum() for table in clips.values())
    emotions, traits = (sum(map(sum, rated[place::2])) for place in (0, 1))
    both = sum((rated[place] & rated[place + 1]).sum() for place in (0, 2))
    sizes = [*map(len, clips.values())]
    return [sum(sizes), sizes[2], people, written, len(clips), emotions, traits, both]


def extracted():
    paths = [ROOT / "data" / name / "features/summary.json" for name in CORPORA]
    told = [json.loads(path.read_text("utf-8")) for path in paths]
    return dict(zip(CORPORA, told, strict=True))


def of_extracted():
    rows = [
        (name, kind, each["present"], each["missing"], each["without_media"])
        for name, told in extracted().items()
        for kind, each in told["modalities"].items()
    ]
    names = ["corpus", "modality", "present", "missing", "alone"]
    return [pd.DataFrame(rows, columns=names)]


def derived_of_extracted(rows):
    here, lost = rows["present"].sum(), rows["missing"].sum()
    yield from (here, here + lost, 100 * here / (here + lost), 0)
    yield rows.groupby("modality")["missing"].sum().max()
    yield from rows["present"] + rows["missing"]


def made_from():
    folder = STUDY / "record"
    names = ("provenance", "corpora")
    return [json.loads((folder / f"{name}.json").read_text("utf-8")) for name in names]


def tell_record(obtained):
    told, corpora = made_from()
    # A processor, a version and a study are names.
    told["machine"]["processor"] = told["code revision"] = told["study"] = "so"
    return record_findings(told, corpora, obtained).sentences


def of_record(obtained):
    told, corpora = made_from()
    yield from (each["clips"]["all"] for each in corpora.values())
    yield sum(len(each or {}) for each in told["data (sha256)"].values())
    yield from (len(obtained), obtained["missing"].notna().sum())


def states():
    return [
        trial_states.trial_states(
            TRIALS.relative_to(ROOT),
            "notebooks/trials/dvc.lock",
            "sslmepr",
            parameters.load().fusion.components,
        )
    ]


def of_states(table):
    known = table[table["training"] != "not recorded"]
    code = known[["training", "models", "simulation"]].fillna("as it is now")
    same = (code == "as it is now").all(axis=1)
    states = len(code[~same].drop_duplicates())
    return [len(table), len(table) - len(known), same.sum(), (~same).sum(), states]


def predictions():
    """Means over seeds of the default model in the held-out corpus."""
    path = ROOT / "runs/simulated/evaluate/predictions.parquet"
    found = pd.read_parquet(path)
    return [tour.mean_over_seeds(found[found["corpus"] == CORPORA[2]], "multitask")]


def tour_clip(means):
    """The clip whose scores are nearest the middle: any one would do."""
    fused = means[means["stage"] == "fusion"]
    return (
        fused.groupby("clip_id")["predicted"]
        .mean()
        .sort_values()
        .index[len(fused) // 40]
    )


def tell_tour(means):
    clip = tour_clip(means)
    return tour.tour_findings(means, clip, tour.told_pair(means, clip))


def of_tour(means):
    fused = means[means["stage"] == "fusion"]
    own = fused[fused["clip_id"] == tour_clip(means)].set_index("target")
    yield from own[["predicted", "true"]].to_numpy().ravel()
    errors = (fused["predicted"] - fused["true"]).abs()
    wide = fused.assign(error=errors).pivot(
        index="clip_id", columns="target", values="error"
    )
    yield from (wide < wide.loc[tour_clip(means)]).sum()
    yield from wide.count()
    yield from (12, 7, 5)
    kept = [
        fused.pivot(index="clip_id", columns="target", values=name)[
            list(SCORED_EMOTIONS)
        ]
        for name in ("predicted", "true")
    ]
    usual = [(each - each.mean()) / each.std() for each in kept]
    first = usual[0].abs().idxmax(axis=1)
    signs = [
        usual[0].loc[clip, name] * usual[1].loc[clip, name] > 0
        for clip, name in first.items()
    ]
    yield from (sum(signs), len(signs))


def of_specifications(curve):
    networks = curve[curve["scores"] == "networks"].dropna(subset=["estimate"])
    for _, rows in networks.groupby("emotion"):
        yield from (rows["significant"].sum(), len(rows))


def other_sources():
    """Agreement of three sources, and made-up ones that are nearer and farther."""
    table = pd.read_csv(STUDY / "validity/agreement.csv")
    names = {"cross_source": 1, "disjoint_modalities": 0.9, "both_predicted": 0.7}
    return [
        pd.concat(
            [scaled(table, size).assign(source=name) for name, size in names.items()],
            ignore_index=True,
        )
    ]


def of_sources(table):
    alarms = table[table["metric"] == "false_positive_rate"]
    yield from (alarms["estimate"] * alarms["n_cells"]).round()


CORPORA = ("emotion", "personality", "joint")
OF_REAL = ("evaluate/metrics.csv", "evaluate_replicate/by_video.csv")

TOLD = {
    "recognition": Told(overview.recognition, recorded(STUDY / "evaluate/metrics.csv")),
    "recognised": Told(answers.recognised, recorded(STUDY / "evaluate/covered.csv")),
    "answer: associations": Told(
        lambda cells, agreement, curve: answers.associations(
            own_world(cells), own_world(agreement), curve
        ),
        recorded(
            STUDY / "validity/cells.csv",
            STUDY / "validity/agreement.csv",
            STUDY / "measurement/specifications.csv",
        ),
        of_answers,
    ),
    "answer: simpler methods": Told(
        answers.simpler, recorded(STUDY / "ablation/gains.csv")
    ),
    "answer: how sure": Told(
        lambda *tables: answers.how_sure(*tables, 0.05),
        lambda: [
            pd.read_csv(STUDY / "association/assumptions.csv"),
            *confirmed()[:2],
            pd.read_csv(TRIALS / "power/drawn.csv"),
        ],
        of_confidence,
    ),
    "answer: real people": Told(
        answers.real_scores,
        of_real(
            (
                *OF_REAL,
                "evaluate/gains.csv",
                "folds/fiv2_by_video.csv",
                "folds/meld.csv",
            )
        ),
    ),
    "answer: noted by observers": Told(
        answers.noted, recorded(RESULTS / "described/record/outside.csv")
    ),
    "claims beside the truth": Told(
        lambda primary, cells: [
            *claims_in_short(primary),
            *claims_held(primary, own_world(cells)),
        ],
        recorded(STUDY / "association/primary.csv", STUDY / "validity/cells.csv"),
        of_claims,
    ),
    "contradictions": Told(  # those of real people: there are some
        contradictions, recorded(RESULTS / "real/association/assumptions.csv")
    ),
    "real people": Told(tell_real, of_real((*OF_REAL, "folds/ravdess.csv")), guesses),
    "traits of real people": Told(
        tell_traits, of_real((*OF_REAL, "evaluate/gains.csv"))
    ),
    "lines of real people": Told(
        lambda metrics, gains: real_findings.line_findings(
            metrics[metrics["corpus"] == "meld"], gains
        ),
        of_real(("evaluate/metrics.csv", "evaluate/gains.csv")),
    ),
    "acted speech": Told(
        real_findings.speech_findings, of_real(("folds/ravdess.csv",)), guesses
    ),
    "people described in words": Told(
        real_findings.described_findings,
        recorded(RESULTS / "described/folds/mm_ocean.csv"),
    ),
    "criterion from outside": Told(
        real_findings.outside_findings,
        recorded(RESULTS / "described/record/outside.csv"),
    ),
    "unlike corpora": Told(
        association_trust.unlike_corpora,
        # Made too small, so that there is something to tell.
        lambda: [
            scaled(pd.read_csv(STUDY / "association/cue_strength.csv"), 0.1),
            pd.read_csv(TRIALS / "power/drawn.csv"),
        ],
    ),
    "reproducibility": Told(
        lambda history, measured: (
            reproducibility_findings(history, "simulated", measured).sentences
        ),
        lambda: [
            verification_table.read_history(HISTORY),
            pd.read_csv(RESULTS / "benchmarks.csv"),
        ],
        lambda history, measured: [
            *kinds(history[history["study"] == "simulated"]),
            *(measured.loc[measured["name"] == "repro", "value"] / 60),
        ],
    ),
    "explored pairs": Told(tell_explored, explored, of_explored),
    "other methods that read traits": Told(
        lambda *tables: other_methods.trait_method_findings(
            *tables[:2],
            tables[2][tables[2]["corpus"] == "fiv2"],
            tables[3][tables[3]["corpus"] == "fiv2_by_video"],
        ),
        of_real(("folds/fiv2.csv", "folds/fiv2_by_video.csv", *OF_REAL)),
    ),
    "the variant that dev would have chosen": Told(
        other_methods.chosen_variant_findings,
        lambda: [each[each["corpus"] == "fiv2"] for each in of_real(OF_REAL[:1])()],
        of_chosen_variant,
    ),
    "other methods that read lines": Told(
        lambda lines, metrics: other_methods.line_method_findings(
            lines, metrics[metrics["corpus"] == "meld"]
        ),
        of_real(("folds/meld.csv", *OF_REAL[:1])),
    ),
    "disturbed clips of real people": Told(
        lambda table: [
            *real_findings.robustness_findings(table),
            real_findings.robustness_words(table),
        ],
        of_real(("robustness/scores.csv",)),
    ),
    "error rates": Told(
        lambda table: [
            power_findings.error_rates(table, 0.05),
            power_findings.corrections(table),
        ],
        lambda: [power_findings.read_drawn(TRIALS / "power/drawn.csv")],
        of_worlds,
    ),
    "networks in place of probes": Told(
        by_networks,
        recorded(STUDY / "measurement/specifications.csv"),
        of_specifications,
    ),
    "all pairs": Told(
        lambda *tables: (
            pair_findings.explorer_findings(
                *tables[:2], parameters.load().association, "", *tables[4:]
            ).sentences
        ),
        lambda: [
            *explored(),
            pd.read_csv(STUDY / "association/assumptions.csv"),
            power_findings.read_drawn(TRIALS / "power/drawn.csv"),
        ],
        lambda *tables: [*of_explored(*tables[:4]), *of_worlds(tables[-1])],
    ),
    "simpler sources": Told(
        lambda table: simpler_sources(table, "simulated"), other_sources, of_sources
    ),
    "where the evidence is": Told(
        lambda places, contrary, follows: [
            *explained.place_sentences(places),
            *explained.contrary_sentences(contrary),
            *explained.noise_sentences(follows),
        ],
        recorded(
            *(
                STUDY / f"attention/{name}.csv"
                for name in ("places", "contrary", "follows")
            )
        ),
    ),
    "corpora": Told(
        lambda ceiling: (
            corpora_findings(corpora_of_people()[0], CORPORA[2], ceiling).sentences
        ),
        lambda: [read_ceiling(corpora_of_people()[1][CORPORA[2]])],
        of_corpora,
    ),
    "extraction": Told(
        lambda _: extraction_findings(extracted()).sentences,
        of_extracted,
        derived_of_extracted,
    ),
    "record": Told(tell_record, recorded(STUDY / "record/held_out.csv"), of_record),
    "states of trials": Told(
        lambda table: trial_states.state_findings(table).sentences, states, of_states
    ),
    "tour": Told(tell_tour, predictions, of_tour),
    "groups": Told(
        lambda table: truth_findings.group_findings(
            truth_findings.named_groups(table), 0.95
        ),
        recorded(STUDY / "evaluate/groups.csv"),
        of_groups,
    ),
    "confusion": Told(
        truth_findings.confusion_findings,
        recorded(STUDY / "evaluate/confusion.csv"),
        of_confusion,
    ),
    "agreement": Told(
        overview.agreement_findings, recorded(STUDY / "validity/agreement.csv")
    ),
    "validity": Told(
        lambda *tables: validity_findings(*tables, "simulated", 0.05).sentences,
        recorded(STUDY / "validity/cells.csv", STUDY / "validity/agreement.csv"),
        of_validity,
    ),
    "front page": Told(
        lambda cells, drawn: [
            *front_page.nothing_there(cells[cells["planted"] == 0], drawn, 0.05),
            *front_page.intervals_held(cells, drawn),
        ],
        lambda: [
            pd.read_csv(STUDY / "validity/cells.csv"),
            power_findings.read_drawn(TRIALS / "power/drawn.csv"),
        ],
        lambda cells, drawn: [*of_validity(cells, None), *of_worlds(drawn)],
    ),
    "trials": Told(
        lambda table: power_findings.trials_findings(table, 0.05),
        lambda: [power_findings.read_drawn(TRIALS / "power/drawn.csv")],
        of_worlds,
    ),
    "bias of single pairs": Told(
        lambda table: [power_findings.cell_bias(table)],
        lambda: [power_findings.read_drawn(TRIALS / "power/drawn-cells.csv")],
        of_cells,
    ),
    "collapse": Told(
        lambda table: [collapse_findings.collapse_finding(table)],
        recorded(TRIALS / "collapse/drawn.csv"),
    ),
    "blocks": Told(
        lambda table: block_findings.findings(table).sentences,
        recorded(TRIALS / "blocks/sequence.csv"),
        of_blocks,
    ),
    "timing": Told(
        lambda table: block_findings.timed_findings(table, 0.02).sentences,
        recorded(TRIALS / "timing/drawn-gains.csv"),
    ),
    "curves": Told(
        lambda *tables: learning_curves.findings(*tables, 0.02).sentences,
        lambda: [mild("-covered"), mild("-gains")],
    ),
    "doses": Told(
        lambda table: dose_responses.findings(table, 0.02).sentences,
        judged,
    ),
    "components": Told(
        lambda table: [
            *ablation_findings(table, METRICS, 0.95).sentences,
            *component_findings(table, METRICS, 0.02).sentences,
        ],
        recorded(STUDY / "ablation/gains.csv"),
        of_components,
    ),
    "components in real people": Told(
        lambda own, other: [
            elsewhere_finding(own, other, METRICS),
            *real_findings.part_findings(other),
        ],
        recorded(STUDY / "ablation/gains.csv", REAL / "ablation/gains.csv"),
    ),
    "videos that training has seen": Told(
        lambda official, by_video, gains: real_findings.seen_videos_findings(
            real_corpora(),
            official[official["corpus"] == "fiv2"],
            by_video[by_video["corpus"] == "fiv2_by_video"],
            gains,
        ),
        recorded(
            REAL / "evaluate/metrics.csv",
            REAL / "evaluate_replicate/by_video.csv",
            REAL / "evaluate/gains.csv",
        ),
        lambda *_: [shared_videos()],
    ),
    "designs": Told(
        lambda table: designs_tried.designs_findings(table).sentences,
        designs,
        of_designs,
    ),
    "attention": Told(
        lambda used, pointing, weights, sanity: [
            *explained.attention_findings(used, sanity),
            *explained.pointing_sentences(pointing),
            *explained.weight_sentences(weights),
        ],
        recorded(
            *(
                STUDY / f"attention/{name}.csv"
                for name in ("used", "pointing", "weights", "sanity")
            )
        ),
    ),
    "measurement": Told(
        lambda agreement, ratios, curve, joint: (
            measurement_findings(
                agreement, ratios, "", curve, joint, {"happiness": 1, "sadness": -1}
            ).sentences
        ),
        recorded(
            *(
                STUDY / f"measurement/{name}.csv"
                for name in ("convergent", "htmt", "specifications", "joint")
            )
        ),
        of_measurement,
    ),
    "intervals for one person": Told(
        lambda table: kept(table, 0.95),
        recorded(STUDY / "evaluate/coverage.csv"),
        of_intervals,
    ),
    "exercises": Told(
        tell_exercises, recorded(STUDY / "exercises/worlds.csv"), of_exercises
    ),
    "confirmation": Told(
        lambda endpoints, worlds, people, attempts: (
            confirmation.answer(
                attempts,
                True,
                finished(attempts)["attempt"],
                {"endpoints": endpoints, "worlds": worlds, "recognition": people},
            ).sentences
        ),
        confirmed,
        of_confirmation,
    ),
    "verified": Told(
        lambda history: [verification_table.verified(history, "simulated")],
        lambda: [verification_table.read_history(HISTORY)],
        lambda history: kinds(history[history["study"] == "simulated"]),
    ),
    "run cost": Told(
        lambda table: [costs.run_cost(table)],
        recorded(RESULTS / "benchmarks.csv"),
        lambda table: table.loc[table["name"] == "repro", "value"] / 60,
    ),
    "promises": Told(
        lambda *tables: promises_findings(*tables).sentences,
        recorded(ROOT / "book/promises.csv", HISTORY),
        lambda promises, history: [
            *kinds(history),
            len(set(" ".join(promises["tests"]).split())),
        ],
    ),
}
"""Sentences of chapters, and the tables that they are made from."""

KEYS = {"strength", "offset", "dose", "clips", "nominal", "seed", "n", "margin"}
"""Columns by which rows are chosen, which stay as they are."""


def scaled(table, factor):
    """The table with all its estimates smaller, in the same order."""
    floats = [name for name in table.select_dtypes("float").columns if name not in KEYS]
    return table.assign(**{name: factor * table[name] for name in floats})


@pytest.mark.parametrize("factor", [1, 0.83, 0.37])
@pytest.mark.parametrize("name", TOLD)
def test_numbers_of_sentences_are_those_of_the_tables(name, factor):
    told = TOLD[name]
    try:
        tables = [scaled(each, factor) for each in told.read()]
    except (FileNotFoundError, CorpusError) as error:
        pytest.skip(f"not on record: {error}")
    sentences = told.tell(*tables)
    assert sentences
    assert stray(sentences, *tables, derived=told.derived(*tables)) == []


PARTS = {"study_findings", "recognition_findings", "verdict_findings"}
"""Functions that only put together what others tell."""


def test_no_chapter_tells_what_is_not_held_here():
    chapters = (ROOT / "notebooks").glob("*.ipynb")
    text = " ".join(path.read_text("utf-8") for path in chapters)
    told = set(re.findall(r"\w*findings(?=\()", text))
    assert len(told) > 20
    held = set(re.findall(r"\w+", Path(__file__).read_text("utf-8")))
    assert told - PARTS - held == set()


def test_the_front_page_tells_the_last_attempt_that_was_finished():
    endpoints, worlds, _, attempts = confirmed()
    (told,) = front_page.confirmed(RESULTS / "confirm")
    told, _, bounds = told.partition("; of ")
    assert f"{worlds['verdict'].notna().sum()} bounds on error rates" in bounds
    assert re.match(
        rf".*, {(worlds['verdict'] == 'missed').sum()} (is|are) missed", bounds
    )
    expected = [each for each, _ in numbers(told)]
    as_said = endpoints["verdict"].eq("absent") == endpoints["direction"].eq("none")
    as_said &= endpoints["verdict"].isin(["absent", "present"])
    undecided = (endpoints["verdict"] == "undecided").sum()
    counts = as_said.sum(), undecided, len(endpoints) - as_said.sum() - undecided
    clips, people = endpoints[["n", "n_speakers"]].iloc[0]
    assert expected == [
        *(finished(attempts)["attempt"], len(attempts), clips, people),
        *(len(endpoints), *filter(None, counts)),
        *(endpoints["covered"].sum(), len(endpoints)),
    ]


def test_recorded_findings_are_those_of_the_recorded_tables():
    folder = STUDY / "association"
    names = ("primary", "cross_source", "bridged", "precision")
    if not all((folder / f"{name}.csv").exists() for name in names):
        pytest.skip("not on record")
    primary, cross, bridged, known = (
        pd.read_csv(folder / f"{name}.csv") for name in names
    )
    told = json.loads((folder / "findings.json").read_text("utf-8"))
    bridged["width"] = bridged["high"] - bridged["low"]
    widths = bridged.groupby("source")[["width"]].mean()
    alone = cross["n"].max() - cross["n_crossed"].max()
    open_ = cross.loc[cross["verdict"] == "undecided", ["emotion", "trait"]]
    needed = deciding(known, parameters.load().association, USUAL_POWER).merge(open_)
    needed = needed.groupby(["emotion", "trait"])["clips"].sum().median()
    derived = [alone, float(f"{needed:.2g}")]
    found = stray(told, primary, cross, bridged, widths, derived=derived)
    assert found == []
    counts = cross["verdict"].value_counts()
    for verdict in ("present", "absent", "undecided"):
        head = next(each for each in told if each.startswith(f"**{verdict.title()}"))
        assert f", {counts.get(verdict, 0)} of {len(cross)}" in head


def test_a_number_that_no_table_holds_is_seen():
    table = pd.DataFrame({"r": [0.123], "n": [1200], "kind": ["with 7 clips"]})
    assert stray(["r = .12 and 12.3 %, 1,200 and 7, 1 of 1"], table) == []
    for typed, said in (
        (0.13, "r = .13"),
        (13, "13 %"),
        (1201, "1,201"),
        (8, "8 of 1"),
    ):
        assert [number for number, _ in stray([said], table)] == [typed]
    assert stray(["8 of 1"], table, derived=[8]) == []
