"""What a reader asks the chapter on associations to show, checked."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params import Params
from sslmepr.report.words import IN_COLUMN

LEVELS = tuple(IN_COLUMN["level"])


class Choice(NamedTuple):
    """Which rows of tables are shown. Files have all of them.

    Attributes
    ----------
    emotions, traits, corpora, levels : tuple of str
        In the order of the labels, of the clips and of `LEVELS`.
    """

    emotions: tuple[str, ...]
    traits: tuple[str, ...]
    corpora: tuple[str, ...]
    levels: tuple[str, ...]

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows that were chosen; of a column that is not there, all.

        Parameters
        ----------
        table : DataFrame
            With some of the columns emotion, trait, corpus and level; rows that are of
            none of these (self-reports are of no corpus) stay.
        """
        names = ("emotion", "trait", "corpus", "level")
        for name, wished in zip(names, self, strict=True):
            if name in table:
                table = table[table[name].isin(wished) | table[name].isna()]
        return table


def choose(
    params: Params,
    clips: pd.DataFrame,
    emotions: Iterable[str] = (),
    traits: Iterable[str] = (),
    corpora: Iterable[str] = (),
    levels: Iterable[str] = (),
) -> Choice:
    """Check what a reader asks for.

    Parameters
    ----------
    params : Params
        Section ``roles``.
    clips : DataFrame
        Of the study: corpus and part, by which tables of associations name corpora.
    emotions, traits, levels : iterable of str
        Names; without any, all.
    corpora : iterable of str
        Names of corpora or of their parts, or roles.

    Raises
    ------
    ValueError
        If a name is not known, or a name is given where a list of them belongs; the
        message says which are known.
    """
    parts = {name: [name] for name in clips["part"].unique()}
    known = tuple(parts)
    for corpus, mine in clips.groupby("corpus", sort=False)["part"]:
        parts[corpus] = list(mine.unique())
    for role, corpus in params.roles.model_dump().items():
        if corpus in parts:
            parts[role] = parts[corpus]
    named = _checked("corpora", corpora, tuple(parts))
    return Choice(
        _checked("emotions", emotions, SCORED_EMOTIONS) or SCORED_EMOTIONS,
        _checked("traits", traits, TRAITS) or TRAITS,
        tuple(part for name in named for part in parts[name]) or known,
        _checked("levels", levels, LEVELS) or LEVELS,
    )


def _checked(what: str, wished: Iterable[str], known: tuple[str, ...]) -> tuple:
    """Those of `known` that are wished, in their order."""
    if isinstance(wished, str):
        raise ValueError(f'{what}: a list is needed, ["{wished}"] and not "{wished}"')
    wished = list(wished)
    for name in wished:
        if name not in known:
            raise ValueError(f"{what}: {name!r} is none of {', '.join(known)}")
    return tuple(name for name in known if name in wished)


def with_effect(params: Params, effect: float | None) -> Params:
    """The parameters with another smallest effect.

    Parameters
    ----------
    params : Params
    effect : float or None
        Smallest correlation that matters; None leaves it as it is.

    Raises
    ------
    ValueError
        If it is no number between 0 and 1.
    """
    if effect is None:
        return params
    if not (isinstance(effect, int | float) and 0 < effect < 1):
        raise ValueError(
            f"smallest_effect: {effect!r} is no number between 0 and 1, nor None"
        )
    stated = params.association.model_copy(update={"smallest_effect": float(effect)})
    return params.model_copy(update={"association": stated})
