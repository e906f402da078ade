r"""How many clips a study needs, from the standard errors of one that is there.

The variance of an association is a sum over corpora of squared influences of speakers,
$V = \sum_c V_c$, and each $V_c$ falls as one over the clips of its corpus. A study
with $f$ times the clips and speakers of every corpus has the variance $V / f$, so a
wished standard error $\sigma$ takes $f = V / \sigma^2$. Assumed are scores that are as
good as those of the study at hand (with more clips to learn from, they become
somewhat better), as many clips of each speaker, and corpora that grow alike.

Which standard error a question needs follows from the normal distribution, which the
estimates of some hundred speakers have nearly.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower

from sslmepr.association.cross_source import CrossSource
from sslmepr.association.grid import CELL, CELLS
from sslmepr.association.scores import Scores
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params.analysis import Association

USUAL_POWER = 0.8
"""Conventional power of a planned study."""

PRECISION_FILE = "precision.csv"

MEAN_OF_TRAITS = "mean of traits"
"""Stands for a trait where an emotion's mean correlation with all traits is meant."""

FIND, FIND_MEAN = "find a pair", "find a mean over traits"
CALL_ABSENT, MEASURE = "call a pair absent", "measure a pair"

COLUMNS = ["corpus", "emotion", "trait", "error", "clips", "speakers"]
"""Of the table of precision."""


def precision(
    estimate: CrossSource, scores: Sequence[Scores], corpora: Sequence[str]
) -> pd.DataFrame:
    """What each corpus adds to the standard error of each association.

    Parameters
    ----------
    estimate : CrossSource
    scores : sequence of Scores
        From which it was estimated.
    corpora : sequence of str
        Names, one for each of `scores`.

    Returns
    -------
    DataFrame
        corpus, emotion, trait (or `MEAN_OF_TRAITS`), error (whose squares sum over
        corpora to the variance), clips, speakers.
    """
    parts = []
    for name, each, influence in zip(corpora, scores, estimate.influence, strict=True):
        cells = pd.DataFrame(CELLS, columns=CELL)
        cells["error"] = np.sqrt((influence**2).sum(0)).ravel()
        means = pd.DataFrame({"emotion": SCORED_EMOTIONS, "trait": MEAN_OF_TRAITS})
        means["error"] = np.sqrt((influence.mean(2) ** 2).sum(0))
        sizes = {"clips": len(each.present), "speakers": len(influence)}
        parts.append(pd.concat([cells, means]).assign(corpus=name, **sizes))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def read_precision(folder: str | Path) -> pd.DataFrame:
    """The table that the stage ``association`` has written.

    Parameters
    ----------
    folder : path
        ``results/<study>/association``.

    Returns
    -------
    DataFrame
        As of `precision`; no rows if associations are not identified.

    Raises
    ------
    FileNotFoundError
        If the stage has not run.
    ValueError
        If the table lacks a column, or an error or a count is missing or negative.
    """
    path = Path(folder, PRECISION_FILE)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: missing; run `dvc repro association` first")
    try:
        table = pd.read_csv(path)
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path}: is empty") from None
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise ValueError(f"{path}: no column {', '.join(missing)}")
    kinds = {"error": float, "clips": int, "speakers": int}
    numbers = table[[*kinds]].apply(pd.to_numeric, errors="coerce")
    if not (numbers >= 0).all(axis=None):
        raise ValueError(f"{path}: an error or a count is missing or negative")
    return table.assign(**numbers).astype(kinds)


def chosen(
    table: pd.DataFrame, emotion: str | None = None, trait: str | None = None
) -> pd.DataFrame:
    """The rows of an emotion, of a trait, or of both.

    Parameters
    ----------
    table : DataFrame
        From `precision`.
    emotion, trait : str, optional
        Of `sslmepr.labels`; absent: all.

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        If there is no such emotion or trait.
    """
    wished = {"emotion": (emotion, SCORED_EMOTIONS), "trait": (trait, TRAITS)}
    for name, (value, known) in wished.items():
        if value is None:
            continue
        if value not in known:
            raise ValueError(f"{name}: {value!r} is none of {', '.join(known)}")
        table = table[table[name] == value]
    return table


def error_to_find(
    r: float, power: float, alpha: float, tests: int = 1, one_sided: bool = False
) -> float:
    """Largest standard error with which a correlation is found.

    Parameters
    ----------
    r : float
        True correlation; its sign does not matter.
    power : float
        Wished probability that it is significant.
    alpha : float
        Level of significance of the family of tests.
    tests : int
        Size of the family. Each is made at ``alpha / tests`` (Bonferroni), as the
        correction for the false discovery rate does where one pair alone is present.
    one_sided : bool

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `r` is 0 or not within -1..1, or `power` does not exceed the level.
    """
    if not 0 < abs(r) < 1:
        raise ValueError(f"r: {r:g} is not a correlation between 0 and 1 or -1 and 0")
    _check_share("alpha", alpha)
    level = alpha / tests
    _check_power(power, level)
    kind = "larger" if one_sided else "two-sided"
    # Of one sample (ratio 0) of one observation: the distance in standard errors.
    distance = NormalIndPower(ddof=0).solve_power(
        nobs1=1, alpha=level, power=power, ratio=0, alternative=kind
    )
    return abs(r) / float(distance)


def error_to_call_absent(effect: float, power: float, alpha: float) -> float:
    r"""Largest standard error with which a correlation of 0 is called absent.

    Two one-sided tests at level `alpha` (Schuirmann 1987, Journal of Pharmacokinetics
    and Biopharmaceutics 15) are both significant with probability
    $2\Phi(e/\sigma - z_{1-\alpha}) - 1$ for an effect e.

    Parameters
    ----------
    effect : float
        Smallest correlation that matters.
    power, alpha : float

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If one of them is not between 0 and 1.
    """
    _check_share("effect", effect)
    _check_share("alpha", alpha)
    _check_share("power", power)
    return effect / float(norm.isf(alpha) + norm.ppf((1 + power) / 2))


def error_to_measure(half_width: float, confidence: float) -> float:
    """Standard error of an interval of a half width.

    Parameters
    ----------
    half_width : float
    confidence : float

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If one of them is not between 0 and 1.
    """
    _check_share("half width", half_width)
    _check_share("confidence", confidence)
    return half_width / float(norm.isf((1 - confidence) / 2))


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name}: {value:g} is not between 0 and 1")


def _check_power(power: float, level: float) -> None:
    _check_share("power", power)
    if power <= level:
        raise ValueError(
            f"power: {power:g} does not exceed the level of significance, {level:g}"
        )


def clips_needed(table: pd.DataFrame, error: float) -> pd.DataFrame:
    """Clips and speakers of every corpus for a standard error.

    Parameters
    ----------
    table : DataFrame
        From `precision`.
    error : float

    Returns
    -------
    DataFrame
        As `table`, but with the clips and speakers that are needed, rounded up, and
        with times (what the study at hand is to be multiplied with), in place of error.
    """
    squares = (table["error"] ** 2).groupby([table["emotion"], table["trait"]])
    times = squares.transform("sum") / error**2
    grown = table.assign(times=times).drop(columns="error")
    for name in ("clips", "speakers"):
        # A hair less, so that once what there is stays what there is.
        grown[name] = np.ceil(table[name] * times - 1e-9).astype(int)
    return grown


def deciding(table: pd.DataFrame, settings: Association, power: float) -> pd.DataFrame:
    """Clips and speakers that decide on each pair, present or absent.

    With these, the smallest effect is found, and an association of 0 is called absent,
    each with the wished power.

    Parameters
    ----------
    table : DataFrame
        From `precision`.
    settings : Association
    power : float

    Returns
    -------
    DataFrame
        As of `clips_needed`, of the pairs.
    """
    effect, alpha = settings.smallest_effect, settings.alpha
    error = min(
        error_to_find(effect, power, alpha, len(CELLS)),
        error_to_call_absent(effect, power, alpha),
    )
    return clips_needed(_pairs(table), error)


def _pairs(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["trait"] != MEAN_OF_TRAITS]


def goals(
    settings: Association, r: float, power: float, half_width: float | None = None
) -> dict[str, tuple[float, float]]:
    """Questions of a plan: their correlation and the standard error that they need.

    Parameters
    ----------
    settings : Association
    r : float
        Correlation that is to be found.
    power : float
    half_width : float, optional
        Of an interval.

    Returns
    -------
    dict of str to (float, float)
        `FIND`, `FIND_MEAN` (one-sided, as the claim has a sign), `CALL_ABSENT` and,
        with `half_width`, `MEASURE`.

    Raises
    ------
    ValueError
        If a wish cannot be met, such as finding an `r` of 0.
    """
    alpha, effect = settings.alpha, settings.smallest_effect
    found = {
        FIND: (r, error_to_find(r, power, alpha, len(CELLS))),
        FIND_MEAN: (r, error_to_find(r, power, alpha, one_sided=True)),
        CALL_ABSENT: (effect, error_to_call_absent(effect, power, alpha)),
    }
    if half_width is not None:
        error = error_to_measure(half_width, settings.confidence)
        found[MEASURE] = half_width, error
    return found


def plan(
    table: pd.DataFrame,
    settings: Association,
    r: float,
    power: float,
    half_width: float | None = None,
) -> pd.DataFrame:
    """Clips and speakers for each question, for the typical and the hardest case.

    Parameters
    ----------
    table : DataFrame
        From `precision`, of all pairs or of some.
    settings, r, power, half_width
        As of `goals`.

    Returns
    -------
    DataFrame
        question, size (of the correlation, or of the half width), case (``typical``:
        that with the median standard error; ``hardest``: that with the largest;
        ``chosen``: the only one) and the columns of `clips_needed`. Questions without
        a case are left out.
    """
    parts = []
    for question, (size, error) in goals(settings, r, power, half_width).items():
        mean = (table["trait"] == MEAN_OF_TRAITS) == (question == FIND_MEAN)
        for case, rows in _cases(table[mean]):
            needed = clips_needed(rows, error)
            parts.append(needed.assign(question=question, size=abs(size), case=case))
    columns = ["question", "size", "case", "emotion", "trait"]
    columns += ["times", "corpus", "clips", "speakers"]
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.concat(parts, ignore_index=True)[columns]


def _cases(table: pd.DataFrame):
    """Typical and hardest case, or the only one, with the rows of its corpora."""
    if table.empty:
        return
    squares = (table["error"] ** 2).groupby([table["emotion"], table["trait"]])
    order = squares.sum().sort_values(kind="stable").index
    cases = {"typical": order[(len(order) - 1) // 2], "hardest": order[-1]}
    if len(order) == 1:
        cases = {"chosen": order[0]}
    for case, (emotion, trait) in cases.items():
        mine = (table["emotion"] == emotion) & (table["trait"] == trait)
        yield case, table[mine]


def reach(
    table: pd.DataFrame, settings: Association, power: float, times: Sequence[float]
) -> pd.DataFrame:
    """Smallest correlation that studies of other sizes find or call absent.

    Parameters
    ----------
    table : DataFrame
        From `precision`.
    settings : Association
    power : float
    times : sequence of float
        Sizes, as multiples of the study at hand.

    Returns
    -------
    DataFrame
        question, times, clips (of all corpora together), r; for the typical case.
    """
    clips = table.groupby("corpus")["clips"].first().sum()
    wished = goals(settings, 0.5, power)
    # The effect to be called absent is as proportional to the error as that to find.
    distance = {question: size / error for question, (size, error) in wished.items()}
    parts = []
    for question, ratio in distance.items():
        mean = (table["trait"] == MEAN_OF_TRAITS) == (question == FIND_MEAN)
        _, rows = next(_cases(table[mean]))
        error = np.sqrt((rows["error"] ** 2).sum() / np.asarray(times))
        part = {"question": question, "times": times, "r": ratio * error}
        parts.append(pd.DataFrame(part).assign(clips=clips * np.asarray(times)))
    return pd.concat(parts, ignore_index=True)
