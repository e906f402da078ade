"""Strips of pictures with captions, sound and words, as HTML that works offline.

Every picture is there once, for light and dark pages, wide and narrow ones.
"""

import html
import io
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from PIL import Image

from sslmepr.params import Params
from sslmepr.params.simulation import Simulation
from sslmepr.report.drawn_world import (
    MOMENTS,
    Cast,
    Strip,
    dose_strips,
    strength_strips,
)
from sslmepr.report.samples import data_address
from sslmepr.report.tabs import Tabs
from sslmepr.report.words import plain, pretty
from sslmepr.simulation import picture
from sslmepr.simulation.plan import ClipPlan, render_clip

VIEWS = {
    "face": frozenset(("body", "scene")),
    "body": frozenset(("scene",)),
    "scene": frozenset(("face", "body")),
}
"""Channel to what the camera turns away from, so that this one fills the picture."""

WHOLE = frozenset()

PICTURE = (224, 192)
"""Width and height of a picture on a page, in pixels; the middle of a frame is cut to
it."""

QUALITY = 70
"""Of WebP."""

STILL = 100
"""Frames per second, so many that nobody blinks or moves between the moments of a clip,
and pictures differ by what the strip is about alone."""

_STYLE = """<style>
.strip{margin:0 0 1em;padding:0;display:grid;gap:.2em 3px;
grid-template-columns:repeat(var(--n),minmax(0,1fr))}
.strip>*{grid-column:1/-1;margin:0!important;padding:0!important;
text-align:left!important}
.strip>figcaption{font:inherit;color:inherit!important;font-weight:600}
.strip>div{grid-column:auto;line-height:1.25;overflow-wrap:anywhere}
.strip img{display:block;width:100%;height:auto;border-radius:3px;margin:0 0 .2em;
padding:0!important;filter:none!important;background:none!important}
.strip>audio{width:100%;max-width:20em;height:2.2em}
.strips{display:grid;gap:0 1.5em;
grid-template-columns:repeat(auto-fill,minmax(min(100%,19em),1fr))}
div.cell_output .text_html:has(.strip){background:none!important;
padding:0!important;color:inherit!important}
</style>"""


def strength_tabs(name: str, params: Params) -> Tabs:
    """From absent to strong: every emotion and trait in every channel, by channel.

    Parameters
    ----------
    name : str
        A simulated corpus, whose first person is shown.
    params : Params
    """
    simulation = params.simulation
    strips = list(strength_strips(Cast(name, params)))
    tabs = Tabs("Channel")
    for channel in (*VIEWS, "audio", "text"):
        parts = []
        for kind in ("emotions", "traits"):
            shown = [
                _strip(each, simulation, channel) for of, each in strips if of == kind
            ]
            parts.append(f"<p>{kind.capitalize()}</p>{_side_by_side(shown)}")
        tabs.panels[pretty(channel)] = _STYLE + "".join(parts)
    return tabs


def dose_panels(name: str, params: Params) -> dict[str, str]:
    """What knobs do at three doses: HTML by knob, of those that show in clips.

    Parameters
    ----------
    name : str
        A simulated corpus, whose first persons are shown.
    params : Params
    """
    panels: dict[str, list[str]] = {}
    told: set[str] = set()
    for knob, strip in dose_strips(Cast(name, params)):
        if knob not in panels:
            told.clear()
        shown = _strip(strip, params.simulation, told=told)
        panels.setdefault(knob, []).append(shown)
    return {knob: _STYLE + "".join(parts) for knob, parts in panels.items()}


def _side_by_side(parts: Iterable[str]) -> str:
    return f'<div class="strips">{"".join(parts)}</div>'


def _strip(
    strip: Strip,
    simulation: Simulation,
    channel: str | None = None,
    told: set[str] | None = None,
) -> str:
    """A strip of one channel, or of all that it has but words of `told`."""
    title = html.escape(pretty(strip.title) if channel else strip.title)
    parts = [f"<figcaption>{title}</figcaption>"]
    if strip.seen and channel in (None, *VIEWS):
        images = pictures(strip, simulation, VIEWS.get(channel, WHOLE))
        for image, caption in zip(images, strip.captions, strict=True):
            parts.append(_captioned(image, strip.title, caption))
    spoken = strip.plans[strip.heard] if strip.heard is not None else None
    if spoken is not None and channel in (None, "audio"):
        address = data_address("audio/mp4", sound(spoken, simulation))
        label = html.escape(f"{plain(strip.title)}: {spoken.transcript}")
        parts.append(
            f'<audio controls preload="none" aria-label="{label}" src="{address}">'
            "</audio>"
        )
    if spoken is not None and told is not None and spoken.transcript not in told:
        told.add(spoken.transcript)
        parts.append(f"<p>“{html.escape(spoken.transcript)}”</p>")
    if channel == "text":
        parts += [
            f"<p><small>{html.escape(caption)}</small> “{html.escape(each.transcript)}”"
            "</p>"
            for caption, each in zip(strip.captions, strip.plans, strict=True)
        ]
    columns = len(strip.captions) or 1
    return f'<figure class="strip" style="--n:{columns}">{"".join(parts)}</figure>'


def _captioned(image: np.ndarray, title: str, caption: str) -> str:
    text, alt = html.escape(caption), html.escape(f"{plain(title)}, {caption}")
    address = data_address("image/webp", webp(image))
    height, width = image.shape[:2]
    return (
        f'<div><img src="{address}" alt="{alt}" width="{width}" height="{height}" '
        f'loading="lazy"><small>{text}</small></div>'
    )


def pictures(
    strip: Strip, simulation: Simulation, away: frozenset[str] = WHOLE
) -> list[np.ndarray]:
    """The pictures of a strip: (row, column, 3) uint8 arrays, one for each caption.

    Parameters
    ----------
    strip : Strip
    simulation : Simulation
        Gives the size of frames.
    away : frozenset of str
        Channels that the camera turns away from.
    """
    count = simulation.cue_frames if len(strip.plans) < len(strip.captions) else 1
    frames = [
        frame for p in strip.plans for frame in _frames(p, simulation, count, away)
    ]
    shown = [frames[moment] for moment in MOMENTS] if count > 1 else frames
    return [_cut(frame) for frame in shown]


def _frames(
    plan: ClipPlan, simulation: Simulation, count: int, away: frozenset[str]
) -> np.ndarray:
    signs = replace(plan.signs, absent=plan.signs.absent | away)
    return picture.render_frames(
        plan.look,
        picture.Controls(*(plan.controls[each] for each in VIEWS)),
        count,
        STILL,
        simulation.frame.width,
        simulation.frame.height,
        picture.DomainLook(plan.domain.framing, plan.domain.clutter),
        plan.seeds[2],
        signs=signs,
    )


def _cut(frame: np.ndarray) -> np.ndarray:
    """The middle of a frame, in the size of `PICTURE`."""
    height, width = frame.shape[:2]
    kept = min(width, round(height * PICTURE[0] / PICTURE[1]))
    left = (width - kept) // 2
    image = Image.fromarray(frame[:, left : left + kept])
    return np.asarray(image.resize(PICTURE, Image.Resampling.LANCZOS))


def webp(image: np.ndarray) -> bytes:
    """A picture as the bytes of a WebP file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()


def sound(plan: ClipPlan, simulation: Simulation) -> bytes:
    """What is heard of a clip, as the bytes of an MP4 file without pictures.

    Parameters
    ----------
    plan : ClipPlan
        Its voice is not absent.
    simulation : Simulation
    """
    unseen = replace(plan.signs, absent=plan.signs.absent | {"face", "body", "scene"})
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip.mp4")
        render_clip(replace(plan, signs=unseen), simulation, path)
        with (
            av.open(path) as clip,
            av.open(
                buffer, "w", format="mp4", options={"fflags": "+bitexact"}
            ) as alone,
        ):
            alone.flags |= av.container.Flags.bitexact.value
            (voice,) = clip.streams.audio
            stream = alone.add_stream_from_template(voice)
            for packet in clip.demux(voice):
                if packet.dts is not None:
                    packet.stream = stream
                    alone.mux(packet)
    return buffer.getvalue()
