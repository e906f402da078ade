"""Studies that are drawn as features by the trials, in the form that stage 3 reads."""

from sslmepr import params as parameters
from sslmepr.params.training import Variant
from sslmepr.simulation.world import make_world
from sslmepr.trials.collapse import ROLES, Arm, fusion_clips
from sslmepr.trials.drawn import draw_study, with_doses

FEATURES = 12


def short_training(epochs, **doses):
    """The parameters with roles of drawn studies, few epochs, and doses of knobs."""
    found = parameters.load()
    fusion = found.fusion.model_copy(update={"epochs": epochs, "patience": None})
    simulation = with_doses(found.simulation, **doses)
    return found.model_copy(
        update={"roles": ROLES, "simulation": simulation, "fusion": fusion}
    )


def drawn_data(params, clips):
    """A study of so many clips in each corpus, of different people."""
    world = make_world("planted", params.simulation.worlds)
    study = draw_study(
        params.simulation, world, clips, 1, FEATURES, 0.0, 0, moving=False
    )
    return fusion_clips(params, study.standardised(), Arm(Variant()))
