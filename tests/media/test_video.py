import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslmepr.media.errors import MediaError
from sslmepr.media.video import sample_frames, upright


def greys(frames):
    """The grey of each image, in steps of ten as they were written."""
    return (frames.images.mean(axis=(1, 2, 3)) / 10).round().astype(int).tolist()


def test_frames_at_the_centres_of_equal_parts(write_clip):
    path = write_clip(levels=range(0, 200, 10))  # 2 s, ten images a second
    frames = sample_frames(path, 4)
    assert frames.images.shape == (4, 32, 64, 3)
    assert frames.duration_seconds == pytest.approx(2.0)
    # centres at 0.25, 0.75, 1.25 and 1.75 s
    assert greys(frames) == [2, 7, 12, 17]
    np.testing.assert_allclose(frames.seconds, [0.2, 0.7, 1.2, 1.7], atol=1e-3)


def test_time_and_not_number_decides_at_a_variable_rate(write_clip):
    path = write_clip(levels=[0, 50, 100, 150, 200], seconds=[0.0, 0.1, 0.2, 1.0, 1.9])
    frames = sample_frames(path, 4, end_seconds=2.0)
    quarter = frames.duration_seconds / 4
    shown = np.array([0.0, 0.1, 0.2, 1.0, 1.9])
    expected = [np.flatnonzero(shown <= (i + 0.5) * quarter)[-1] * 5 for i in range(4)]
    assert greys(frames) == expected
    assert len(set(expected)) < 4  # one image is on show for most of a second


@pytest.mark.parametrize("name", ["clip.mkv", "ünï çødé 日本.mp4", "clip.mov"])
def test_other_containers_and_names(write_clip, name):
    frames = sample_frames(write_clip(name, levels=range(0, 200, 10)), 4)
    assert greys(frames) == [2, 7, 12, 17]


def test_audio_may_come_first(write_clip, tone):
    path = write_clip(levels=range(0, 100, 10), waveform=tone, audio_first=True)
    with av.open(str(path)) as container:
        assert container.streams[0].type == "audio"
    assert greys(sample_frames(path, 2)) == [2, 7]


def test_segment(write_clip):
    path = write_clip(levels=range(0, 200, 10))
    frames = sample_frames(path, 2, start_seconds=0.5, end_seconds=1.5)
    assert greys(frames) == [7, 12]
    assert frames.duration_seconds == pytest.approx(1.0)
    beyond = sample_frames(path, 2, start_seconds=1.0, end_seconds=9.0)
    assert beyond.duration_seconds == pytest.approx(1.0)
    assert greys(beyond) == [12, 17]
    whole = sample_frames(path, 2, start_seconds=np.nan, end_seconds=np.nan)
    assert greys(whole) == [5, 15]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(start=st.floats(0, 7), length=st.floats(0.2, 3), count=st.integers(1, 4))
def test_seeking_finds_what_decoding_everything_finds(write_clip, start, length, count):
    path = write_clip(levels=[(7 * i) % 250 for i in range(100)], keyframe_every=9)
    frames = sample_frames(path, count, start, start + length)
    with av.open(str(path)) as container:
        every = [
            (f.time, f.to_ndarray(format="rgb24")) for f in container.decode(video=0)
        ]
    end = min(start + length, 10.0)
    for i, image in enumerate(frames.images):
        target = start + (i + 0.5) * (end - start) / count
        expected = [image for time, image in every if time <= target][-1]
        np.testing.assert_array_equal(image, expected)


def test_one_frame_is_shown_repeatedly(write_clip):
    frames = sample_frames(write_clip(levels=[120]), 3)
    assert greys(frames) == [12, 12, 12]
    assert frames.duration_seconds > 0


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_undone(write_clip, degrees):
    image = np.zeros((32, 64, 3), np.uint8)
    image[:16, :32] = 240  # one bright quarter
    path = write_clip(images=[image] * 3, rotation=degrees)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        expected = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
    frames = sample_frames(path, 1)
    np.testing.assert_array_equal(frames.images[0], expected)
    assert not np.array_equal(frames.images[0], image)


def test_mirrored_display_matrix():
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    one = 1 << 16
    mirror = np.array([[-one, 0, 0], [0, one, 0], [0, 0, 1 << 30]], np.int32)
    np.testing.assert_array_equal(upright(image, mirror), image[:, ::-1])
    swap = np.array([[0, one, 0], [one, 0, 0], [0, 0, 1 << 30]], np.int32)
    np.testing.assert_array_equal(upright(image, swap), image.swapaxes(0, 1))
    np.testing.assert_array_equal(upright(image, None), image)


def bad_missing(folder, write_clip):
    return folder / "nowhere.mp4"


def bad_empty(folder, write_clip):
    path = folder / "empty.mp4"
    path.touch()
    return path


def bad_corrupt(folder, write_clip):
    path = folder / "noise.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    return path


def bad_cut(folder, write_clip):
    path = write_clip(levels=range(0, 200, 10))
    path.write_bytes(path.read_bytes()[:-400])
    return path


def bad_broken_off(folder, write_clip):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (40, 32, 64, 3), dtype=np.uint8)
    path = write_clip(
        images=list(images), keyframe_every=5, options={"movflags": "faststart"}
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def bad_sound_only(folder, write_clip):
    return write_clip("sound.wav", waveform=np.zeros(1600))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (bad_missing, "there is no such file"),
        (bad_empty, "the file is empty"),
        (bad_corrupt, "cannot be decoded"),
        (bad_cut, "cannot be decoded"),
        (bad_broken_off, "breaks off|cannot be decoded"),
        (bad_sound_only, "no video stream"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path, write_clip, make, reason):
    path = make(tmp_path, write_clip)
    with pytest.raises(MediaError, match=reason) as caught:
        sample_frames(path, 4)
    assert caught.value.path == path
    assert path.name in str(caught.value)


def test_segments_that_hold_nothing(write_clip):
    path = write_clip(levels=range(0, 100, 10))
    with pytest.raises(MediaError, match="has no length"):
        sample_frames(path, 2, start_seconds=0.5, end_seconds=0.5)
    with pytest.raises(MediaError, match="starts at 3.000 s"):
        sample_frames(path, 2, start_seconds=3.0)
