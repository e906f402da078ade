"""What ideal observers lose without the knowledge of a knob, for figures and tables."""

import numpy as np
import pandas as pd

FULL, LINEAR = "full observer", "late fusion"
NESTED = "without {}"
MIXED = "mild world"
ENOUGH = 0.02
"""Loss from which a knob gives a part of a model something to do."""


def losses(summary: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Losses by knob and dose, in the form of `sslmepr.report.figures.trial_lines`.

    Parameters
    ----------
    summary : DataFrame
        From `sslmepr.trials.observers.summarise_observers`.
    metric : {"mWACC", "CCC"}

    Returns
    -------
    DataFrame
        metric (the knob), dose, observer (``nested observer`` or `LINEAR`), estimate,
        low, high.
    """
    chosen = _alone(summary)
    chosen = chosen[chosen["metric"] == metric]
    nested = chosen["observer"] != LINEAR
    return pd.DataFrame(
        {
            "metric": chosen["knob"],
            "dose": chosen["dose"],
            "observer": np.where(nested, "nested observer", LINEAR),
            "estimate": chosen["loss"],
            "low": chosen["loss_low"],
            "high": chosen["loss_high"],
        }
    )


def there_to_gain(observed: pd.DataFrame) -> pd.DataFrame:
    """What knowledge of a knob can win over the better of those who do without it.

    Parameters
    ----------
    observed : DataFrame
        From `sslmepr.trials.observers.summarise_observers`.

    Returns
    -------
    DataFrame
        knob, dose, metric, estimate, low, high: the smaller loss, of the nested
        observer or of late fusion, against the full observer.
    """
    keys = ["knob", "dose", "metric"]
    least = _alone(observed).sort_values("loss", kind="stable").drop_duplicates(keys)
    losses = {"loss": "estimate", "loss_low": "low", "loss_high": "high"}
    chosen = least.sort_index()[[*keys, *losses]]
    return chosen.rename(columns=losses).reset_index(drop=True)


def _alone(summary: pd.DataFrame) -> pd.DataFrame:
    """Observers in worlds with one knob, but for the full one, who loses nothing."""
    chosen = (summary["knob"] != MIXED) & (summary["observer"] != FULL)
    return summary[chosen]


def mixed_world(summary: pd.DataFrame) -> pd.DataFrame:
    """Scores in the mild world, one row per observer, the best first.

    Parameters
    ----------
    summary : DataFrame
        From `sslmepr.trials.observers.summarise_observers`.

    Returns
    -------
    DataFrame
        observer, metric, estimate, low, high, as `sslmepr.report.tables.metric_table`
        takes them.
    """
    mixed = summary[summary["knob"] == MIXED]
    return mixed.sort_values("estimate", ascending=False, kind="stable")[
        ["observer", "metric", "estimate", "low", "high", "interval", "n"]
    ]
