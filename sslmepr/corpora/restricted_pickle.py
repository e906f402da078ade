"""FIv2's published pickles, read without letting them run anything.

A pickle is a program: unpickling a downloaded one runs what its author put in. The
published files need numbers, text, containers and, for the interview score, numpy
scalars; an unpickler that knows no other name reads them and refuses everything else
before it is called.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core.multiarray import scalar

from sslmepr.corpora.schema import CorpusError

ALLOWED = {
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "scalar"): scalar,  # as numpy 1 wrote it
    ("numpy._core.multiarray", "scalar"): scalar,  # as numpy 2 writes it
}
"""The only globals that a file may name; containers, text and numbers need none."""


class ForbiddenGlobal(pickle.UnpicklingError):
    """A pickle names something that is neither a builtin container nor a number."""


class RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that knows builtin containers, text, numbers and numpy scalars."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise ForbiddenGlobal(
                f"it names {module}.{name}, and only builtin containers and numpy "
                "scalars are allowed; nothing of it was run"
            ) from None


def load(path: str | Path) -> Any:
    """What a pickle holds, if it holds nothing but data.

    Parameters
    ----------
    path : path
        A pickle of Python 2 or 3. Its 8-bit strings are read as Latin-1.

    Raises
    ------
    CorpusError
        If the file is absent, is damaged, or names any global beyond `ALLOWED`.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return RestrictedUnpickler(file, encoding="latin1").load()
    except OSError as error:
        raise CorpusError(f"{path}: cannot be opened: {error.strerror}") from None
    except ForbiddenGlobal as error:
        raise CorpusError(f"{path}: refused: {error}") from None
    except (
        pickle.UnpicklingError,
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        MemoryError,
        TypeError,
        ValueError,
    ) as error:
        # A damaged pickle can trip any instruction, hence so many kinds of error.
        raise CorpusError(
            f"{path}: not a readable pickle: {type(error).__name__}: {error}"
        ) from None
