"""``params.yaml`` and ``studies.yaml`` as typed, frozen objects.

papermill only warns of a parameter that a notebook does not know, and DVC accepts a
word where a number belongs. Every notebook therefore reads its settings here, where an
unknown key, a missing key or a value of the wrong type is an error that names it. A
module has the sections of one group of stages, so that a stage depends on those that
it reads; the classes of sections are imported from there.
"""

from sslmepr.params.base import ParamsError, get_path
from sslmepr.params.study import Params, load, parse

__all__ = ["Params", "ParamsError", "get_path", "load", "parse"]
