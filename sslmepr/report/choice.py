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
        In the order of the labels, of the roles and of `LEVELS`.
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
    emotions, traits, levels : iterable of str
        Names; without any, all.
    corpora : iterable of str
        Names of corpora, or their roles.

    Raises
    ------
    ValueError
        If a name is not known, or a name is given where a list of them belongs; the
        message says which are known.
    """
    roles = params.roles.model_dump()
    if not isinstance(corpora, str):
        corpora = [roles.get(each, each) for each in corpora]
    return Choice(
        _known("emotions", emotions, SCORED_EMOTIONS),
        _known("traits", traits, TRAITS),
        _known("corpora", corpora, tuple(dict.fromkeys(roles.values()))),
        _known("levels", levels, LEVELS),
    )


def _known(what: str, wished: Iterable[str], known: tuple[str, ...]) -> tuple:
    if isinstance(wished, str):
        raise ValueError(f'{what}: a list is needed, ["{wished}"] and not "{wished}"')
    wished = list(wished)
    for name in wished:
        if name not in known:
            raise ValueError(f"{what}: {name!r} is none of {', '.join(known)}")
    return tuple(name for name in known if name in wished) or known


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
