"""Gains of components: differences between variants, turned so that more is better."""

from collections.abc import Mapping

import pandas as pd

from sslmepr.evaluation.comparison import BASELINES
from sslmepr.params.training import Variant

BOTH, ALL = "both_tasks", "all of them"


def component_gains(
    differences: pd.DataFrame, variants: Mapping[str, Variant]
) -> pd.DataFrame:
    """What having a component is worth.

    Parameters
    ----------
    differences : DataFrame
        From `sslmepr.evaluation.comparison.compare_variants`.
    variants : mapping of str to Variant

    Returns
    -------
    DataFrame
        component (the first that the variant leaves out, whose parts go with it, or the
        one that it adds, `ALL` for several, `BOTH` for one task less, or the baseline
        over which the whole model is the gain), added (the model does not have it),
        metric, gain, low, high, interval, verdict,
        n, n_speakers, n_seeds. Variants that differ in anything else have no rows.
    """
    rows = []
    for row in differences.to_dict("records"):
        name, sign = row["variant"], -1
        variant = variants.get(name, Variant())
        if variant.as_published or variant.modalities:
            continue
        if name in BASELINES.values():
            component = name
        elif variant.without:
            component = variant.without[0]
        elif variant.adding:
            one = len(variant.adding) == 1
            component, sign = variant.adding[0] if one else ALL, 1
        elif len(variant.tasks) == 1:
            component = BOTH
        else:
            continue
        ends = sorted(sign * row[end] for end in ("low", "high"))
        gain = {"gain": sign * row["difference"], "low": ends[0], "high": ends[1]}
        turned = {"better": "worse", "worse": "better"} if sign < 0 else {}
        verdict = turned.get(row["verdict"], row["verdict"])
        rows.append(
            row | gain | {"component": component, "added": sign > 0, "verdict": verdict}
        )
    columns = ["component", "added", "metric", "gain", "low", "high", "interval"]
    columns += ["verdict", "n", "n_speakers", "n_seeds"]
    return pd.DataFrame(rows, columns=columns)
