"""The plain world: linear and Gaussian, with the truth as labels."""

from sslmepr.params import Params
from sslmepr.params.simulation import Knobs

PLAIN = {"knobs": Knobs(), "raters": None, "seed": 20261125}


def plain(params: Params) -> Params:
    """The parameters, with the plain world in place of that of the repository."""
    simulation = params.simulation.model_copy(update=PLAIN)
    return params.model_copy(update={"simulation": simulation})
