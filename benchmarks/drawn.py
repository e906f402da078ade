"""How fast the mild world is read by its ideal observer, learned, and analysed.

``python benchmarks/drawn.py`` draws clips of the world of the default study and has the
ideal observer read them; and it draws studies as features, as the trials do, trains the
whole method on one, and estimates associations from three sources, from cross-fitted
probes to the table. It updates ``results/benchmarks.csv``. Counted is the time that
one processor spends, so that other programs matter little.
"""

import time
from collections.abc import Callable

import table
import torch
from threadpoolctl import threadpool_limits

from sslmepr import params
from sslmepr.labels import TASKS
from sslmepr.params import Params
from sslmepr.params.corpora import SimulatedCorpus
from sslmepr.params.training import Variant
from sslmepr.simulation.draw import draw_corpus
from sslmepr.simulation.ideal_observer import Seen, observe_clips
from sslmepr.simulation.world import make_world
from sslmepr.trials.collapse import ROLES, Arm, fusion_clips, train_on
from sslmepr.trials.drawn import DrawnStudy, draw_study, with_doses
from sslmepr.trials.params import Condition, Power
from sslmepr.trials.power import draw_condition, from_three_sources

WORLD = "planted"
CLIPS = 100  # that are observed in one run
STUDY = 2000  # labelled training clips of each task
FEATURES = 64  # of each modality, as in the trials of components
ROUNDS = 3  # of the observer; a study is learned once
ANALYSED = 480  # clips of each corpus, as in the trial of the analysis
ANALYSES = 5  # of a study each


def spent(run: Callable[[], object]) -> float:
    """Processor seconds of a call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def observer(settings: Params) -> Callable[[], object]:
    """The ideal observer of clips of the default study's world."""
    simulation = settings.simulation
    corpus = SimulatedCorpus(
        source="simulated",
        world=WORLD,
        domains=list(simulation.domains),
        labels=list(TASKS),
        clips=CLIPS,
        persons=CLIPS,
    )
    found = draw_corpus("benchmark", corpus, settings)
    scales = {name: each.emotion_scale for name, each in simulation.domains.items()}
    return lambda: observe_clips(
        found.world,
        found.channels,
        Seen(found.controls, found.circumstances, found.domains),
        scales,
        simulation.emotion_threshold,
        simulation.knobs,
        simulation.cue_frames,
        raters=simulation.raters,
    )


def draw(settings: Params, clips: int, seed: int) -> tuple[Params, DrawnStudy]:
    """A study of the mild world with `clips` training clips a task, standardised."""
    doses = settings.simulation.knobs.model_dump(exclude_defaults=True)
    simulation = with_doses(settings.simulation, **doses)
    own = settings.model_copy(update={"roles": ROLES, "simulation": simulation})
    drawn = draw_study(
        simulation,
        make_world(WORLD, simulation.worlds),
        clips=round(clips / simulation.split["train"]),
        clips_per_speaker=1,
        features=FEATURES,
        offset=0.0,
        seed=seed,
        moving=False,
    )
    return own, drawn.standardised()


def learn(settings: Params, seed: int) -> None:
    """Draw a study, and train the whole method once."""
    own, drawn = draw(settings, STUDY, seed)
    arm = Arm(Variant())
    train_on(own, fusion_clips(own, drawn, arm), arm, seed)


def analysed(settings: Params, seed: int) -> float:
    """Processor seconds of the associations of a study, from three sources."""
    kind = Condition(clips=ANALYSED)
    section = Power(
        world=WORLD, features=24, null_worlds=1, worlds=1, conditions={"": kind}
    )
    drawn = draw_condition(settings, section, kind, 0.3, seed)
    return spent(lambda: from_three_sources(settings, drawn))


def main() -> None:
    """Measure and merge into the table."""
    torch.set_num_threads(1)
    settings = params.load()
    truth = settings.simulation.model_copy(update={"raters": None})
    kinds = {
        "emotions and traits": settings.model_copy(update={"simulation": truth}),
        "emotions and traits, and what raters say of them": settings,
    }
    rows = []
    with threadpool_limits(1):
        for what, own in kinds.items():
            observe = observer(own)
            each = [1000 * spent(observe) / CLIPS for _ in range(ROUNDS)]
            what = f"ideal observer of a clip of the mild world: {what}"
            rows.append(table.row("observer", what, each, "processor ms", "≤ 20"))
        learned = spent(lambda: learn(settings, 0))
        each = [analysed(settings, seed) for seed in range(ANALYSES)]
    what = f"whole method, one seed, on {STUDY} drawn training clips a task"
    unit = "processor seconds"
    rows.append(table.row("drawn_study", what, [learned], unit, "≤ 60", 1))
    what = f"associations from three sources, of 3 × {ANALYSED} drawn clips"
    rows.append(table.row("associations", what, each, unit, "≤ 0.5"))
    table.merge(rows)


if __name__ == "__main__":
    main()
