import av
import numpy as np
import pytest

from sslmepr.simulation.render import write_clip

RATE_HZ = 16000


def some_media(count=12, height=64, width=80):
    rng = np.random.default_rng(0)
    start = np.kron(
        rng.integers(0, 256, (height // 8, width // 8, 3)), np.ones((8, 8, 1))
    )
    frames = np.stack([np.roll(start, index, axis=1) for index in range(count)])
    seconds = np.arange(count * RATE_HZ // 12) / RATE_HZ
    waveform = 0.3 * np.sin(2 * np.pi * 220 * seconds)
    return frames.astype(np.uint8), waveform.astype(np.float32)


def test_what_is_written_can_be_decoded(tmp_path):
    frames, waveform = some_media()
    write_clip(tmp_path / "clip.mp4", frames, 12, waveform, RATE_HZ)
    with av.open(tmp_path / "clip.mp4") as container:
        video, audio = container.streams
        assert (video.codec.canonical_name, audio.codec.canonical_name) == (
            "h264",
            "aac",
        )
        assert float(video.duration * video.time_base) == 1.0
        decoded = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    with av.open(tmp_path / "clip.mp4") as container:
        heard = np.hstack([f.to_ndarray()[0] for f in container.decode(audio=0)])
    assert np.shape(decoded) == frames.shape
    assert np.abs(np.array(decoded, float) - frames).mean() < 20
    assert len(heard) == pytest.approx(len(waveform), abs=1024)
    assert np.corrcoef(heard[2000:15000], waveform[2000:15000])[0, 1] > 0.99


def test_the_same_input_gives_the_same_bytes(tmp_path):
    frames, waveform = some_media()
    for name in ("one.mp4", "another.mp4", "third.mp4"):
        write_clip(tmp_path / name, frames, 12, waveform, RATE_HZ)
    first = (tmp_path / "one.mp4").read_bytes()
    assert first == (tmp_path / "another.mp4").read_bytes()
    assert first == (tmp_path / "third.mp4").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "another.mp4",
        "one.mp4",
        "third.mp4",
    ]


@pytest.mark.parametrize(
    ("frames", "samples", "words"),
    [
        (np.zeros((0, 64, 80, 3), np.uint8), 100, "0 frames"),
        (np.zeros((2, 64, 80, 3), np.uint8), 0, "0 samples"),
        (np.zeros((2, 64, 80, 3)), 100, "uint8"),
        (np.zeros((2, 63, 80, 3), np.uint8), 100, "even"),
        (np.zeros((64, 80, 3), np.uint8), 100, r"\(frame, height, width, 3\)"),
    ],
)
def test_impossible_clips_are_refused(tmp_path, frames, samples, words):
    with pytest.raises(ValueError, match=f"clip.mp4: .*{words}"):
        write_clip(tmp_path / "clip.mp4", frames, 12, np.zeros(samples), RATE_HZ)
    assert not list(tmp_path.iterdir())


def test_a_clip_without_sound_has_no_sound_track(tmp_path):
    frames, _ = some_media()
    write_clip(tmp_path / "clip.mp4", frames, 12, None, RATE_HZ)
    with av.open(tmp_path / "clip.mp4") as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert len(list(container.decode(video=0))) == len(frames)
