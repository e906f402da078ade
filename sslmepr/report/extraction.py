"""What was extracted from clips, and how well they were recorded."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from sslmepr.features import FeatureStore
from sslmepr.labels import MEASURES
from sslmepr.report.overview import Findings, first_screen
from sslmepr.report.tables import number
from sslmepr.report.words import plain, pretty

QUANTILES = {"low": 0.1, "median": 0.5, "high": 0.9}


def recording_quality(stores: Mapping[str, FeatureStore]) -> pd.DataFrame:
    """Distribution of each measure of quality over clips.

    Parameters
    ----------
    stores : mapping of str to FeatureStore
        Modality to its features.

    Returns
    -------
    DataFrame
        modality, measure, low, median, high (10th, 50th and 90th percentile over clips,
        of means over steps), n (clips). Stores without clips, or of features that have
        no measures behind them, have no rows.
    """
    rows = []
    for modality, store in stores.items():
        measures = MEASURES.get(store.encoder, ())
        if not (len(store) and measures):
            continue
        values = np.asarray(store.values[:, -len(measures) :], float)
        starts, lengths = store.offsets[:-1], np.diff(store.offsets)
        means = np.add.reduceat(values, starts, axis=0) / lengths[:, None]
        for name, column in zip(measures, means.T, strict=True):
            ends = {key: np.quantile(column, at) for key, at in QUANTILES.items()}
            row = {"modality": modality, "measure": name, **ends, "n": len(column)}
            rows.append(row)
    columns = ["modality", "measure", *QUANTILES, "n"]
    return pd.DataFrame(rows, columns=columns)


def reasons(missing: pd.DataFrame) -> pd.DataFrame:
    """Clips by the reason for which they lack a modality.

    Parameters
    ----------
    missing : DataFrame
        Rows of ``missing.csv``, with the ``corpus``.

    Returns
    -------
    DataFrame
        corpus, modality, reason, clips. Reasons that differ only in the file and the
        lines where they were found are one.
    """
    general = missing["reason"].map(lambda reason: _PLACE.sub("", reason))
    groups = missing.assign(reason=general).groupby(
        ["corpus", "modality", "reason"], sort=False
    )
    return groups.size().rename("clips").reset_index()


_PLACE = re.compile(r"(; it is)? in [^;]+\.(csv|parquet)(, (line|row)s? .*)?$")


def extraction_findings(summaries: Mapping[str, dict]) -> Findings:
    """Say how many clips have each modality, and whether anything failed.

    Parameters
    ----------
    summaries : mapping of str to dict
        Corpus to the summary of its extraction.

    Returns
    -------
    Findings
        The first screen, and one sentence for each corpus.
    """
    sentences = _in_all(summaries)
    for name, told in summaries.items():
        present = {key: each["present"] for key, each in told["modalities"].items()}
        rarest = min(present, key=present.__getitem__)
        alone = max(each["without_media"] for each in told["modalities"].values())
        without = f", {alone} of them without media," if alone else ","
        sentences.append(
            f"**{pretty(name, 'corpus')}**: of {told['clips']} clips{without} "
            f"{present[rarest]} ({plain(rarest, 'modality')}) to "
            f"{max(present.values())} have a modality; {told['unexpected_errors']} "
            "errors were unexpected."
        )
    return Findings(sentences)


def _in_all(summaries: Mapping[str, dict]) -> list[str]:
    rows = pd.DataFrame(
        [
            {"modality": modality, "here": each["present"], "lost": each["missing"]}
            for told in summaries.values()
            for modality, each in told["modalities"].items()
        ]
    )
    lost = rows.groupby("modality", sort=False)["lost"].sum()
    whole, here = rows[["here", "lost"]].to_numpy().sum(), rows["here"].sum()
    rarest = f"; most often lost is {plain(lost.idxmax(), 'modality')} ({lost.max():,})"
    errors = sum(told["unexpected_errors"] for told in summaries.values())
    answer = (
        f"**{number(100 * here / whole, 1)} % of what clips show, sound or say was "
        f"turned into features**: {here:,} of {whole:,} modalities of clips"
        f"{rarest if lost.any() else ''}."
    )
    sure = (
        f"{errors} errors were unexpected. Whatever is missing has its reason below, "
        "and nothing is filled in for it."
    )
    unsaid = (
        "That there are features says nothing of how much of an emotion or of a trait "
        "they carry; the next chapter does."
    )
    return first_screen(answer, sure, unsaid)
