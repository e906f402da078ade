"""From the controls of a clip to its appearance, voice, words and media file."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sslmepr.corpora.schema import CorpusError
from sslmepr.params import Params
from sslmepr.params.simulation import Domain, Simulation
from sslmepr.simulation import picture, voice, words
from sslmepr.simulation.draw import Draw
from sslmepr.simulation.render import write_clip
from sslmepr.simulation.signs import Signs, signs_of

INAUDIBLE = "[inaudible]"
"""What a transcript says in place of words, so that extraction takes none."""
SILENCE_SECONDS = 0.3  # around the speech, if the longest clip has room for it


@dataclass(frozen=True)
class ClipPlan:
    """Everything that another process needs to render one clip.

    Attributes
    ----------
    clip_id : str
    look : Look
    voice : Voice
    phrases : list of str
    controls : dict of str to (moment, control) ndarray
        By channel, roughly standard normal; a single moment for what does not change
        over the clip, and moments at equal distances otherwise.
    signs : Signs
    domain : Domain
    seeds : tuple of int
        Of words, voice and picture.
    """

    clip_id: str
    look: picture.Look
    voice: voice.Voice
    phrases: list[str]
    controls: dict[str, np.ndarray]
    signs: Signs
    domain: Domain
    seeds: tuple[int, int, int]

    @property
    def transcript(self) -> str:
        """What is written of the words; that they are inaudible if text is absent.

        Without a transcript speech recognition would fill in what is absent.
        """
        if "text" in self.signs.absent:
            return INAUDIBLE
        loss = self.signs.loss.get("text", 0.0)
        return words.transcript(self.phrases, loss, self.seeds[0])


def plan_clips(name: str, draw: Draw, params: Params) -> list[ClipPlan]:
    """Choose appearance, voice, words and controls of every clip.

    Parameters
    ----------
    name : str
        Name of the corpus, which begins the clip ids.
    draw : Draw
    params : Params

    Returns
    -------
    list of ClipPlan
        In the order of the clips of `draw`.
    """
    key = [params.simulation.seed, zlib.crc32(name.encode())]
    looks, voices = {}, {}
    for person in np.unique(draw.persons):
        rng = np.random.default_rng([*key, 0, person])
        looks[person], voices[person] = picture.draw_look(rng), voice.draw_voice(rng)
    names = {c.name: c.controls for c in draw.channels.values()}
    spreads = {
        c.name: c.spread(draw.world, draw.controls[c.name].shape[1])
        for c in draw.channels.values()
    }
    plans = []
    for index, person in enumerate(draw.persons):
        state = np.random.SeedSequence([*key, 1, index]).generate_state(3)
        domain = str(draw.domains[index])
        controls = {
            channel: values[index] / spreads[channel]
            for channel, values in draw.controls.items()
        }
        plans.append(
            ClipPlan(
                clip_id=f"{name}-{index:04d}",
                look=looks[person],
                voice=voices[person],
                phrases=words.compose(controls["text"][0], domain, int(state[0])),
                controls=controls,
                signs=signs_of(
                    draw.circumstances, params.simulation.knobs, names, index
                ),
                domain=params.simulation.domains[domain],
                seeds=tuple(int(value) for value in state),
            )
        )
    return plans


def render_clip(plan: ClipPlan, simulation: Simulation, path: str | Path) -> None:
    """Synthesise the speech, draw the frames and write the file of one clip.

    Parameters
    ----------
    plan : ClipPlan
    simulation : Simulation
        Section ``simulation`` of the parameters.
    path : path
        Of the MP4 file.

    Raises
    ------
    CorpusError
        Naming the clip.
    """
    shortest, longest = simulation.seconds
    frame = simulation.frame
    rate = frame.frames_per_second
    domain = plan.domain
    _, voice_seed, picture_seed = plan.seeds
    try:
        speech = voice.speak(
            plan.phrases,
            plan.controls["audio"],
            plan.voice,
            longest - SILENCE_SECONDS,
            voice_seed,
            plan.signs.marker,
        )
        seconds = len(speech) / voice.SAMPLE_RATE_HZ + SILENCE_SECONDS
        frame_count = int(np.ceil(np.clip(seconds, shortest, longest) * rate - 1e-6))
        seconds = frame_count / rate
        room = voice.add_room(speech, seconds, domain.audio_noise_db, voice_seed)
        mouth = voice.speech_envelope(room, frame_count, rate)
        waveform = voice.add_street(
            room, speech, plan.signs.loss.get("audio", 0.0), voice_seed
        )
        if "audio" in plan.signs.absent:
            waveform, mouth = None, np.zeros(frame_count)
        frames = picture.render_frames(
            plan.look,
            picture.Controls(*(plan.controls[c] for c in ("face", "body", "scene"))),
            frame_count,
            rate,
            frame.width,
            frame.height,
            picture.DomainLook(domain.framing, domain.clutter),
            picture_seed,
            mouth,
            plan.signs,
        )
        write_clip(path, frames, rate, waveform, voice.SAMPLE_RATE_HZ)
    except (ValueError, voice.VoiceError, OSError) as error:
        raise CorpusError(f"clip {plan.clip_id} cannot be made: {error}") from error
