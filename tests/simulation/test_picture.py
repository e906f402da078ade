import numpy as np
import pytest

from sslmepr.media.faces import FaceDetector
from sslmepr.media.regions import find_regions, lacking_regions
from sslmepr.simulation import picture
from sslmepr.simulation.knobs import HIDING
from sslmepr.simulation.picture import (
    BODY_CONTROLS,
    FACE_CONTROLS,
    SCENE_CONTROLS,
    Controls,
    DomainLook,
    Signs,
    draw_look,
    render_frames,
)

DOMAINS = (DomainLook(1.0, 0.3), DomainLook(1.15, 0.7))


def _controls(rng) -> Controls:
    sizes = (len(names) for names in (FACE_CONTROLS, BODY_CONTROLS, SCENE_CONTROLS))
    return Controls(*(rng.standard_normal(size) for size in sizes))


def _render(
    seed=0, frames=2, width=320, height=256, change=lambda controls: controls, **options
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    look, controls = draw_look(rng), change(_controls(rng))
    size, domain = (width, height), DOMAINS[seed % 2]
    return render_frames(look, controls, frames, 12, *size, domain, seed, **options)


def _moments(*scales):
    """Face and body at so many moments, as factors on their controls."""
    factors = np.array(scales)[:, None]
    return lambda controls: Controls(
        factors * controls.face, factors * controls.body, controls.scene[None]
    )


@pytest.fixture(scope="module")
def detector():
    return FaceDetector(0.5)


def test_frames_have_the_size_asked_for():
    frames = _render(frames=3, width=160, height=96)
    assert frames.shape == (3, 96, 160, 3) and frames.dtype == np.uint8


def test_same_seed_same_frames():
    np.testing.assert_array_equal(_render(seed=5), _render(seed=5))


def test_person_moves_but_room_stands():
    frames = _render(frames=6).astype(int)
    moving = np.ptp(frames, axis=0).max(axis=2)
    assert (moving > 20).sum() > 200
    assert moving[:, :6].max() == 0


def test_speech_moves_the_picture():
    speaking = _render(speech_envelope=np.array([0.0, 1.0]))
    silent = _render()
    np.testing.assert_array_equal(speaking[0], silent[0])
    assert (speaking[1] != silent[1]).any()


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match="must be positive"):
        _render(frames=0)
    with pytest.raises(ValueError, match="speech_envelope has shape"):
        _render(frames=3, speech_envelope=np.zeros(2))


def test_axes_cover_every_visual_channel():
    assert picture.EMOTION_AXES.keys() == {"face", "body", "scene"}
    assert picture.EMOTION_AXES["scene"].shape == (len(SCENE_CONTROLS), 6)
    assert picture.TRAIT_AXES["body"].shape == (len(BODY_CONTROLS), 5)


def test_moments_that_are_alike_are_one_moment():
    for seed in (3, 4):
        plain = _render(seed, frames=6)
        np.testing.assert_array_equal(_render(seed, 6, change=_moments(1)), plain)
        np.testing.assert_array_equal(_render(seed, 6, change=_moments(1, 1, 1)), plain)


def test_every_moment_is_shown_in_its_place():
    """Blinks, sways and gestures apart, a frame looks like a clip of its moment."""
    changing = _render(1, 12, change=_moments(0, 1)).astype(int)
    still = [_render(1, 12, change=_moments(scale)).astype(int) for scale in (0, 1)]
    np.testing.assert_array_equal(changing[0], still[0][0])
    own, other = (abs(changing[9] - each[9]).mean() for each in (still[1], still[0]))
    assert own < other
    between = [abs(changing[6] - each[6]).mean() for each in still]
    assert min(between) > 0


def test_channels_cannot_have_different_moments():
    def longer(controls):
        return Controls(np.zeros((3, 12)), np.zeros((2, 12)), controls.scene)

    with pytest.raises(ValueError, match="3 moments of a face, of 2 of a body"):
        _render(change=longer)
    with pytest.raises(ValueError, match="a room has one moment"):
        _render(change=lambda c: Controls(c.face, c.body, np.zeros((2, 12))))


@pytest.mark.parametrize("thing", HIDING)
def test_what_is_hidden_makes_no_difference(thing):
    channel, lost = HIDING[thing]
    names = {"face": FACE_CONTROLS, "body": BODY_CONTROLS}[channel]
    hidden = np.isin(names, lost)

    def seen(value, where):
        def change(controls):
            values = np.where(where, value, getattr(controls, channel))
            return Controls(**(vars(controls) | {channel: values}))

        return _render(6, change=change, signs=Signs(thing=thing))

    np.testing.assert_array_equal(seen(-2.0, hidden), seen(2.0, hidden))
    for name in set(names) - set(lost):
        low, high = (seen(value, np.array(names) == name) for value in (-2.0, 2.0))
        assert (abs(low.astype(int) - high).max(axis=3) > 20).sum() > 30, name


@pytest.mark.parametrize("channel", ["face", "body", "scene"])
def test_loss_is_seen_in_its_channel_and_graded(channel):
    frames = [
        _render(2, 1, signs=Signs(loss={channel: loss}))[0].astype(int)
        for loss in (0, 0.25, 0.5, 1)
    ]
    np.testing.assert_array_equal(frames[0], _render(2, 1)[0])
    for worse, better in zip(frames[1:], frames[:-1], strict=True):
        assert worse.mean() < better.mean()
        assert (abs(worse - better).max(axis=2) > 8).sum() > 1000
    corner_changed = bool((frames[3] != frames[0])[:40, :40].any())
    assert corner_changed == (channel == "scene")


def _lacking(detector, seed, *absent) -> set[str]:
    frames = _render(seed, signs=Signs(absent=frozenset(absent)))
    regions = find_regions(frames, detector.detect(frames))
    return set(lacking_regions(regions, mask_person=True))


def test_extraction_finds_what_is_absent(detector):
    for absent, found in (
        (("face",), {"face", "body"}),
        (("face", "body"), {"face", "body"}),
        (("body",), {"body"}),
        (("scene",), {"scene"}),
        (("body", "scene"), {"body", "scene"}),
        ((), set()),
    ):
        right = [_lacking(detector, seed, *absent) == found for seed in range(8)]
        assert np.mean(right) >= 0.8, absent


@pytest.mark.parametrize(
    "signs",
    [Signs(loss={"face": loss}) for loss in (0.25, 0.5, 1.0)]
    + [Signs(thing=thing) for thing in HIDING]
    + [Signs(thing="scarf", loss=dict.fromkeys(("face", "body", "scene"), 1.0))],
)
def test_detector_finds_the_face_whatever_the_signs(detector, signs):
    frames = np.concatenate([_render(s, 1, signs=signs) for s in range(20, 36)])
    assert np.mean([len(faces) > 0 for faces in detector.detect(frames)]) >= 0.85


def test_detector_finds_the_face(detector):
    frames = np.concatenate([_render(seed=seed) for seed in range(16)])
    found = detector.detect(frames)
    assert np.mean([len(faces) > 0 for faces in found]) >= 0.95
    heights = [faces[0][3] - faces[0][1] for faces in found if len(faces)]
    assert 60 < np.median(heights) < 110
