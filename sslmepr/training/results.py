"""Results of a training stage for ``results/``: small text files that git tracks."""

import json
from pathlib import Path

import pandas as pd

from sslmepr.files import atomic


def write_result(result: dict, stem: str | Path) -> None:
    """Write ``<stem>.json`` without the history, and the history as ``<stem>.csv``.

    Parameters
    ----------
    result : dict
        Returned by `train_unimodal`, `train_crosstask` or `train_fusion`.
    stem : path
        Path without suffix; its folder is created if missing.
    """
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    runs = [
        {key: value for key, value in run.items() if key != "history"}
        for run in result.get("seeds", [])
    ]
    summary = {key: value for key, value in result.items() if key != "history"}
    if runs:
        summary["seeds"] = runs
    write_json(summary, stem.with_suffix(".json"))
    with atomic(stem.with_suffix(".csv")) as part:
        learning_history(result).to_csv(part, index=False)


def write_json(content: dict | list, path: str | Path) -> None:
    """Write JSON with floats rounded to six decimals and NaN as null.

    Parameters
    ----------
    content : dict or list
    path : path
        Its folder is created if missing.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rounded(content), indent=2, ensure_ascii=False)
    with atomic(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def rounded(value):
    """`value` with all floats rounded to six decimals, and None for NaN."""
    if isinstance(value, float):
        return None if value != value else round(float(value), 6)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return value


def learning_history(result: dict) -> pd.DataFrame:
    """Learning curve in wide form: seed, epoch, train_loss, dev_score."""
    runs = result.get("seeds", [{"seed": 0, "history": result.get("history", [])}])
    parts = [pd.DataFrame(run["history"]).assign(seed=run["seed"]) for run in runs]
    return pd.concat(parts, ignore_index=True).round(6)


def curves(result: dict) -> pd.DataFrame:
    """Learning curve in long form, for plots.

    Parameters
    ----------
    result : dict
        As in `write_result`.

    Returns
    -------
    DataFrame
        seed, epoch, quantity, value, best (whether the epoch has the highest dev score
        of its seed).
    """
    history = learning_history(result)
    best = history.groupby("seed")["dev_score"].transform("max")
    history = history.assign(best=history["dev_score"] == best)
    return history.rename(
        columns={"train_loss": "training loss", "dev_score": "dev score"}
    ).melt(["seed", "epoch", "best"], var_name="quantity", ignore_index=True)
