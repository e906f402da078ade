"""FIv2's published pickles, read without letting them run anything.

A pickle is a program: unpickling a downloaded one runs what its author put in. The
published files need numbers, text, containers and, for the interview score, numpy
scalars; this unpickler resolves no other name and refuses everything else before it is
called. Nor may a small file take much memory: instructions that reserve
more than the file holds are refused before any is executed.
"""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core.multiarray import scalar

from sslmepr.corpora.schema import CorpusError

MOST_BYTES = 200_000_000
"""A hundred times the largest published file."""


def _number(dtype: np.dtype, content: bytes | str) -> np.generic:
    """A numpy scalar, if it is a number: others can be of any size."""
    if not isinstance(dtype, np.dtype) or dtype.kind not in "biufc":
        raise Forbidden("it holds a numpy scalar that is no number")
    return scalar(dtype, content)


ALLOWED = {
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "scalar"): _number,  # as numpy 1 wrote it
    ("numpy._core.multiarray", "scalar"): _number,  # as numpy 2 writes it
}
"""The only globals that a file may name; containers, text and numbers need none."""


class Forbidden(pickle.UnpicklingError):
    """A pickle names, or asks for, what plain data do not need."""


def _require_small(content: bytes) -> None:
    """Refuse instructions that ask for more memory than the file has bytes.

    That of a text or number of which the file holds less is told by `genops` itself;
    a place in the memo is made together with all places before it.
    """
    for instruction, argument, position in pickletools.genops(content):
        is_place = instruction.name in ("PUT", "BINPUT", "LONG_BINPUT")
        if is_place and argument > len(content):
            raise Forbidden(
                f"at byte {position} it asks for {argument:,} places in memory, but "
                f"has {len(content):,} bytes"
            )


class RestrictedUnpickler(pickle.Unpickler):
    """An unpickler for builtin containers, text, numbers and numpy scalars alone."""

    def find_class(self, module: str, name: str) -> Any:
        """The allowed object of a global name; raises `Forbidden` for any other."""
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise Forbidden(
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
        If the file is absent, is damaged, names any global beyond `ALLOWED`, or is
        large or asks for much more memory than it has bytes.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Forbidden(f"it has more than {MOST_BYTES:,} bytes")
        content = path.read_bytes()
        _require_small(content)
        return RestrictedUnpickler(io.BytesIO(content), encoding="latin1").load()
    except OSError as error:
        raise CorpusError(f"{path}: cannot be opened: {error.strerror}") from None
    except Forbidden as error:
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
