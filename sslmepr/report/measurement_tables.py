"""Tables of the chapter on measurement."""

import pandas as pd

from sslmepr.association.mixed_models import NO_FIT
from sslmepr.report.apa import apa_p
from sslmepr.report.chapter_tables import Message, show_table
from sslmepr.report.tables import Table, interval, metric_table, number
from sslmepr.report.tabs import Tabs
from sslmepr.report.words import cell, pretty

OVER = {"single": "ICC(2,1)", "mean": "ICC(2,k)"}


def agreement_table(table: pd.DataFrame | None, refused: str) -> Table | Message:
    """Show the kinds of cells of a multitrait-multimethod matrix, by construct.

    Parameters
    ----------
    table : DataFrame or None
        From `sslmepr.association.multitrait.convergent_table`.
    refused : str
        Why there is none.
    """
    if table is None:
        return Message(_sentence(refused))
    shown = table[["construct", "heteromethod", "monomethod", "exceeds"]].copy()
    shown.insert(1, "convergent", _intervals(table, "convergent", "low", "high"))
    return show_table(shown)


def ratio_tabs(table: pd.DataFrame | None, refused: str) -> Tabs | Message:
    """Show the heterotrait-monotrait ratios of all pairs, by the first construct.

    Parameters
    ----------
    table : DataFrame or None
        From `sslmepr.association.multitrait.htmt_table`.
    refused : str
        Why there is none.
    """
    if table is None:
        return Message(_sentence(refused))
    panels = {}
    for construct, part in table.groupby("construct", sort=False):
        shown = part[["other", "below", "distinct", "reason"]].copy()
        below = shown["below"].map({True: "yes", False: "no"})
        shown["below"] = below.where(part["low"].notna(), "no interval")
        shown["reason"] = shown["reason"].where(shown["reason"] != "")
        shown.insert(1, "htmt", _intervals(part, "htmt", "low", "high"))
        panels[pretty(construct)] = show_table(shown.dropna(axis=1, how="all"))
    return Tabs("Construct", panels)


def reliability_tabs(table: pd.DataFrame, ceilings: pd.DataFrame) -> Tabs:
    """Show reliability over modalities and seeds, and the noise ceilings.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.construct_reliability.reliability_table`.
    ceilings : DataFrame
        From `sslmepr.association.construct_reliability.noise_ceilings`.
    """
    panels = {}
    for over, part in table.groupby("over", sort=False):
        known = part[part["reason"] == ""]
        name = f"Over {over}"
        if known.empty:
            panels[name] = Message(_sentence(part["reason"].iloc[0]))
            continue
        name = f"Over {known['count'].iloc[0]} {over}"
        metrics = [
            pd.DataFrame(
                {
                    "construct": part["construct"],
                    "metric": metric,
                    "estimate": part[kind],
                    "low": part[f"{kind}_low"],
                    "high": part[f"{kind}_high"],
                    "interval": part["interval"],
                }
            )
            for kind, metric in OVER.items()
        ]
        panels[name] = metric_table(pd.concat(metrics), "construct")
    panels["Of raters"] = show_table(
        ceilings,
        "How well raters agree is not known: the corpora come with means over raters.",
    )
    return Tabs("Reliability", panels)


def mixed_tabs(table: pd.DataFrame) -> Tabs | Message:
    """Show mixed models by corpus, or why a corpus has none.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.mixed_models.study_mixed`.
    """
    if table.empty:
        return Message("No corpus has labels.")
    panels = {}
    for (corpus, source), part in table.groupby(["corpus", "source"], sort=False):
        name = f"{pretty(corpus, 'corpus')}: {cell(source, 'source').lower()}"
        if (part["fit"] == NO_FIT).all() and part["reason"].nunique() == 1:
            panels[name] = Message(_sentence(part["reason"].iloc[0]))
            continue
        shown = part[["emotion", "trait"]].copy()
        for level, words in (
            ("between", "between people"),
            ("corrected", "corrected for few clips"),
            ("within", "within a person"),
        ):
            ends = (f"{level}_low", f"{level}_high")
            shown[words] = _intervals(part, level, *ends)
        rest = [
            "person_reliability",
            "icc",
            "r2_marginal",
            "r2_conditional",
            "fit",
            "simpson",
        ]
        reasons = part["reason"].where(part["reason"] != "")
        shown = pd.concat([shown, part[rest], reasons], axis=1)
        panels[name] = show_table(shown.dropna(axis=1, how="all"))
    return Tabs("Corpus", panels)


def joint_table(joint: pd.DataFrame) -> Table | Message:
    """Show the joint tests of all specifications.

    Parameters
    ----------
    joint : DataFrame
        From `sslmepr.association.specifications.joint_inference`.
    """
    known = joint[joint["specifications"] > 0]
    shown = known[["emotion", "specifications"]].copy()
    shown["median"] = _intervals(known, "median", "low", "high")
    shown["span"] = [
        f"{number(row.smallest, 2)} to {number(row.largest, 2)}"
        for row in known.itertuples()
    ]
    for name in ("of_sign", "significant"):
        shown[name] = [f"{100 * share:.0f} %" for share in known[name]]
    for name in ("p_median", "p_significant"):
        shown[name] = [apa_p(p).removeprefix("p ").lstrip("= ") for p in known[name]]
    return show_table(shown, "There is no estimate to show.")


def _intervals(table: pd.DataFrame, *columns: str) -> list[str]:
    rows = table[[*columns]].astype(float).itertuples(index=False)
    return [interval(*row, digits=2) for row in rows]


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."
