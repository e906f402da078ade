from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorTrc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslmepr.media.errors import MediaError
from sslmepr.media.video import _Converter, sample_frames, upright


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
        (bad_cut, "breaks off"),
        (bad_broken_off, "breaks off"),
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


def encode(codec, images, rate=10, **settings):
    """Packets of a codec without a container."""
    context = av.CodecContext.create(codec, "w")
    context.height, context.width = images[0].shape[:2]
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, rate)
    context.framerate = rate
    for name, value in settings.items():
        setattr(context, name, value)
    packets = []
    for number, image in enumerate(images):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts = number
        packets += context.encode(frame)
    return packets + context.encode()


def bright_column(height, width, at=0.5):
    """Black, but for a bright column a tenth as wide as the picture."""
    image = np.zeros((height, width, 3), np.uint8)
    begin = round(at * width - width / 20)
    image[:, begin : begin + width // 10] = 240
    return image


def centre_of_light(image):
    """As shares of the width and the height."""
    light = image.astype(float).sum(axis=2)
    rows, columns = (np.arange(n) + 0.5 for n in light.shape)
    down, across = light.sum(1) @ rows, light.sum(0) @ columns
    return across / light.sum() / len(columns), down / light.sum() / len(rows)


@pytest.mark.parametrize("second", [(256, 320), (64, 80), (128, 320)])
def test_a_size_that_changes_on_the_way(tmp_path, second):
    path = tmp_path / "change.webm"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libvpx", rate=10)
        stream.height, stream.width, stream.pix_fmt = 128, 160, "yuv420p"
        for part, size in enumerate(((128, 160), second)):
            for packet in encode("libvpx", [bright_column(*size)] * 10):
                packet.stream = stream
                packet.pts = packet.dts = packet.pts + 10 * part
                packet.time_base = Fraction(1, 10)
                out.mux(packet)
    frames = sample_frames(path, 4)
    assert frames.images.shape[1:3] == max((128, 160), second)
    for image in frames.images:
        assert centre_of_light(image)[0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("ratio", "size"),
    [((2, 1), (32, 128)), ((1, 2), (64, 64)), ((1, 1), (32, 64)), ((12, 11), (32, 70))],
)
def test_pixels_become_square(tmp_path, ratio, size):
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 32, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(*ratio)
        for _ in range(3):
            image = bright_column(32, 64, 0.25)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())
    frames = sample_frames(path, 2)
    assert frames.images.shape == (2, *size, 3)
    assert centre_of_light(frames.images[0])[0] == pytest.approx(0.25, abs=0.02)


def coded(level, transfer):
    """A flat grey frame of ten bits, `level` of 0..1."""
    frame = av.VideoFrame(64, 32, "yuv420p10le")
    for plane, value in zip(
        frame.planes, (round(64 + 876 * level), 512, 512), strict=True
    ):
        plane.update(np.full(plane.buffer_size // 2, value, np.uint16).tobytes())
    frame.colorspace, frame.color_range = 9, 1
    frame.color_trc, frame.color_primaries = transfer, ColorPrimaries.BT2020
    return frame


@pytest.mark.parametrize(
    ("transfer", "white"), [(ColorTrc.SMPTE2084, 0.58), (ColorTrc.ARIB_STD_B67, 0.75)]
)
def test_high_dynamic_range_is_mapped(write_clip, transfer, white):
    """Reference white is 58 % of PQ and 75 % of HLG (ITU-R BT.2408, table 1)."""
    with av.open(str(write_clip(levels=[10]))) as container:
        convert = _Converter(container.streams.video[0])
    assert convert(coded(white, transfer)).mean() == pytest.approx(254, abs=2)
    assert convert(coded(1.0, transfer)).min() == 255
    assert convert(coded(0.0, transfer)).max() == 0
    plain = convert(coded(white, ColorTrc.BT709)).mean()
    assert plain == pytest.approx(255 * white, abs=3)
    # a tenth of reference white: the root with exponent 2.4 (ITU-R BT.1886)
    tenth = {ColorTrc.SMPTE2084: 0.365, ColorTrc.ARIB_STD_B67: 0.334}[transfer]
    grey = convert(coded(tenth, transfer)).mean()
    assert grey == pytest.approx(255 * 0.1 ** (1 / 2.4), abs=6)


def test_a_raw_stream_without_times(tmp_path):
    images = [np.full((32, 64, 3), 10 * level, np.uint8) for level in range(20)]
    path = tmp_path / "raw.mp4"
    packets = encode("libx264", images, options={"qp": "4", "preset": "ultrafast"})
    path.write_bytes(b"".join(bytes(packet) for packet in packets))
    frames = sample_frames(path, 4)
    assert greys(frames) == [2, 7, 12, 17]
    spacing = np.diff(frames.seconds) / frames.duration_seconds
    np.testing.assert_allclose(spacing, 0.25, atol=0.03)


def test_a_programme_stream_that_cannot_be_searched(tmp_path):
    path = tmp_path / "whole.vob"
    with av.open(str(path), "w", format="vob") as out:
        stream = out.add_stream("mpeg2video", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.codec_context.gop_size = 10
        for level in range(50):
            image = np.full((48, 64, 3), 4 * level, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())
    frames = sample_frames(path, 4)
    with av.open(str(path)) as container:
        every = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    numbers = np.round(frames.seconds * 25).astype(int)
    # its length is known from the last packet that carries a time
    np.testing.assert_allclose(np.diff(numbers), 11.5, atol=1.5)
    for image, number in zip(frames.images, numbers, strict=True):
        np.testing.assert_array_equal(image, every[number])


def test_a_damaged_packet_does_not_end_a_film(write_clip):
    rng = np.random.default_rng(0)
    images = list(rng.integers(0, 255, (40, 32, 64, 3), dtype=np.uint8))
    path = write_clip(images=images, keyframe_every=1)
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    content = bytearray(path.read_bytes())
    begin, size = packets[20]
    content[begin : begin + size] = b"\xff" * size
    path.write_bytes(content)
    assert len(sample_frames(path, 4).images) == 4


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("fragmented.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
        ("live.webm", "libvpx", {"live": "1"}),
        ("live.mkv", "libx264", {"live": "1"}),
        ("clip.gif", "gif", {}),
    ],
)
def test_live_recordings(tmp_path, name, codec, options):
    path = tmp_path / name
    with av.open(str(path), "w", options=options) as out:
        stream = out.add_stream(codec, rate=10)
        stream.height, stream.width = 32, 64
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for level in range(20):
            image = np.full((32, 64, 3), 10 * level, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())
    frames = sample_frames(path, 4)
    assert frames.duration_seconds == pytest.approx(2.0, abs=0.1)
    np.testing.assert_allclose(greys(frames), [2, 7, 12, 17], atol=2)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "size"),
    [
        ("libx264", "yuv444p", (31, 33)),
        ("libx264", "yuv422p10le", (32, 66)),
        ("prores_ks", "yuv422p10le", (48, 64)),
        ("ffv1", "gray", (17, 19)),
        ("ffv1", "yuva420p", (18, 22)),
    ],
)
def test_odd_sizes_and_pixel_formats(tmp_path, codec, pix_fmt, size):
    path = tmp_path / "odd.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=10)
        (stream.height, stream.width), stream.pix_fmt = size, pix_fmt
        image = np.full((*size, 3), 120, np.uint8)
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            out.mux(stream.encode(frame.reformat(format=pix_fmt)))
        out.mux(stream.encode())
    frames = sample_frames(path, 2)
    assert frames.images.shape == (2, *size, 3)
    np.testing.assert_allclose(frames.images.mean(), 120, atol=3)
