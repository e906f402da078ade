"""Extraction with the real embedded models, on clips of noise written here."""

import json
import os
import wave

import numpy as np
import pandas as pd
import pytest
from recordings import write_video

from sslmepr.corpora.schema import (
    COLUMNS,
    read_clips,
    read_missing,
    validate,
    write_clips,
)
from sslmepr.extraction import chunks
from sslmepr.extraction.chunks import extract_chunk
from sslmepr.extraction.corpus import (
    ExtractionError,
    _clip_rows,
    _jobs,
    _provenance_counts,
    _run_processes,
    extract_corpus,
)
from sslmepr.extraction.record import extraction_record
from sslmepr.extraction.shards import Chunk, write_shard
from sslmepr.features import FeatureError, FeatureStore
from sslmepr.labels import FEATURE_COUNTS, MODALITIES
from sslmepr.media.transcript import Transcript
from sslmepr.weights import WeightsError


def write_sound(path, amplitude):
    rng = np.random.default_rng(0)
    samples = (amplitude * rng.normal(0, 0.1, 8000) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes(samples.tobytes())


def clip_table(rows):
    table = pd.DataFrame(rows)
    table["speaker_id"] = table["clip_id"]
    table["split"] = "train"
    return table.reindex(columns=list(COLUMNS))


@pytest.fixture(scope="module")
def media_corpus(tmp_path_factory):
    """A corpus in which nearly everything is wrong with some clip."""
    folder = tmp_path_factory.mktemp("corpus")
    media = folder / "media"
    media.mkdir()
    write_video(media / "good.mp4")
    write_video(media / "mute é.mp4", with_sound=False)
    write_video(media / "single.mp4", frames=1)
    write_sound(media / "voice.wav", 1.0)
    write_sound(media / "silent.wav", 0.0)
    (media / "empty.mp4").touch()
    (media / "corrupt.mp4").write_bytes(b"not a film at all" * 50)
    names = [path.name for path in sorted(media.iterdir())] + ["nowhere.mp4"]
    rows = [{"clip_id": n, "media": f"media/{n}", "transcript": "said"} for n in names]
    rows.append({"clip_id": "untold", "media": "media/good.mp4", "transcript": None})
    rows.append({"clip_id": "words only", "media": None, "transcript": "said so"})
    write_clips(clip_table(rows), folder)
    return folder


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def small_chunks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sslmepr.extraction.corpus.MEDIA_CHUNK_CLIPS", 4)
        yield


@pytest.fixture(scope="module")
def extracted(media_corpus, params, small_chunks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "features"
    summary = extract_corpus("test", params, media_corpus, media_corpus, folder)
    return folder, summary


def test_every_failure_has_its_reason(extracted):
    missing = pd.read_csv(extracted[0] / "missing.csv")
    reasons = {(r.clip_id, r.modality): r.reason for r in missing.itertuples()}
    for modality in ("face", "body", "scene"):
        assert reasons["voice.wav", modality] == "no video stream"
        assert reasons["nowhere.mp4", modality] == "there is no such file"
        assert reasons["empty.mp4", modality] == "the file is empty"
        assert "cannot be decoded" in reasons["corrupt.mp4", modality]
    assert reasons["mute é.mp4", "audio"] == "no audio stream"
    assert reasons["silent.wav", "audio"] == "the audio is silent"
    assert "no speech was recognised" in reasons["untold", "text"]
    assert not [key for key in reasons if key[0] in ("good.mp4", "words only")]


def test_the_rest_goes_on(extracted):
    folder, summary = extracted
    stores = {name: FeatureStore.open(folder, name) for name in MODALITIES}
    seen = {"good.mp4", "mute é.mp4", "single.mp4", "untold"}
    for modality in ("face", "body", "scene"):
        assert set(stores[modality].clip_ids) == seen
        width = FEATURE_COUNTS["efficientnet_lite0"]
        assert stores[modality]["good.mp4"].shape == (2, width)
        table = stores[modality].table.set_index("clip_id")
        shares = table[["detected", "person", "full_frame"]]
        assert (shares.sum(axis=1) == table["steps"]).all()
        # two frames in 0.6 s
        assert table.loc["good.mp4", "steps_per_second"] == pytest.approx(2 / 0.6)
    assert set(stores["audio"].clip_ids) == {
        *("good.mp4", "single.mp4", "untold", "voice.wav")
    }
    width = FEATURE_COUNTS["egemaps"]
    assert stores["audio"]["voice.wav"].shape == (3, width)  # 0.5 s, 5 steps a second
    assert len(stores["text"]) == 9
    assert summary["modalities"]["text"] == {
        "present": 9,
        "missing": 1,
        "without_media": 0,
        "steps": int(stores["text"].table["steps"].sum()),
        "encoder": "minilm_l6",
        "revision": stores["text"].revision,
    }
    assert summary["modalities"]["face"]["without_media"] == 1
    assert summary == json.loads((folder / "summary.json").read_text())


def test_regions_and_transcripts(extracted):
    folder, _ = extracted
    regions = pd.read_parquet(folder / "regions.parquet")
    assert len(regions) == 4 * 2 * 3  # clips, frames, modalities
    assert set(regions["provenance"]) <= {"detected", "person", "full_frame"}
    assert regions.loc[regions["clip_id"] == "good.mp4", "right"].max() == 64
    transcripts = pd.read_parquet(folder / "transcripts.parquet")
    assert set(transcripts["source"]) == {"given"}
    assert "untold" not in set(transcripts["clip_id"])
    assert not folder.with_name("features.partial").exists()


def test_workers_change_nothing(extracted, media_corpus, params, tmp_path):
    compute = params.compute.model_copy(update={"workers": 2})
    several = params.model_copy(update={"compute": compute})
    folder = tmp_path / "features"
    extract_corpus("test", several, media_corpus, media_corpus, folder)
    assert content(folder) == content(extracted[0])


def test_a_clip_without_anybody_has_neither_face_nor_body(params, tmp_path):
    write_video(tmp_path / "nobody.mp4", with_face=False)
    rows = [{"clip_id": "a", "media": "nobody.mp4", "transcript": "said"}]
    write_clips(clip_table(rows), tmp_path)
    extract_corpus("test", params, tmp_path, tmp_path, tmp_path / "features")
    missing = pd.read_csv(tmp_path / "features" / "missing.csv")
    assert missing.to_numpy().tolist() == [
        ["a", "face", "no person was found"],
        ["a", "body", "no person was found"],
    ]
    assert len(FeatureStore.open(tmp_path / "features", "scene")) == 1


@pytest.mark.parametrize("clips", [["a", "a", "b"], []])
@pytest.mark.parametrize("asked", [["a", "b"], []])
def test_regions_are_counted_by_clip_also_where_there_are_none(clips, asked):
    found = {"modality": ["face"] * len(clips), "provenance": ["detected"] * len(clips)}
    counts = _provenance_counts({"clip_id": clips} | found)
    named = pd.DataFrame({"clip_id": pd.Series(asked, dtype="str")})
    joined = named.merge(counts, on="clip_id", how="left")
    expected = [clips.count(clip) or np.nan for clip in asked]
    np.testing.assert_array_equal(joined["detected"].astype(float), expected)


@pytest.fixture(scope="module")
def four_clips(tmp_path_factory):
    """Four clips of picture and sound, one of them to be transcribed."""
    folder = tmp_path_factory.mktemp("four")
    names = ["a", "b", "c", "d"]
    for name in names:
        write_video(folder / f"{name}.mp4")
    rows = [{"clip_id": n, "media": f"{n}.mp4", "transcript": f"I {n}"} for n in names]
    rows[3]["transcript"] = None
    write_clips(clip_table(rows), folder)
    return folder


@pytest.fixture
def extract(four_clips, params, tmp_path):
    """A function that extracts the four clips; folder, missing, summary."""

    def run(name="features"):
        folder = tmp_path / name
        summary = extract_corpus("test", params, four_clips, four_clips, folder)
        missing = pd.read_csv(folder / "missing.csv")
        reasons = {(r.clip_id, r.modality): r.reason for r in missing.itertuples()}
        return folder, reasons, summary

    return run


NOISE = {("d", "text"): "no transcript, and no speech was recognised"}


def spoilt(monkeypatch, owner, name, wanted, error):
    """Let a function fail where `wanted` says so of its arguments."""
    honest = getattr(owner, name)

    def work(*arguments):
        if wanted(*arguments):
            raise error
        return honest(*arguments)

    monkeypatch.setattr(owner, name, work)


def is_clip(name):
    return lambda path, *_: path.name == f"{name}.mp4"


def assert_others_are_the_same(whole, folder, modality, lost):
    first, second = (FeatureStore.open(each, modality) for each in (whole, folder))
    assert second.clip_ids == [each for each in first.clip_ids if each not in lost]
    for clip_id in second.clip_ids:
        np.testing.assert_array_equal(second[clip_id], first[clip_id])


def test_an_unexpected_error_costs_one_clip(extract, monkeypatch, capfd):
    """Of decoding pictures, decoding sound and finding regions, each in one clip."""
    whole, reasons, _ = extract("whole")
    assert reasons == NOISE
    shape = ValueError("cannot reshape\n  array of size 7")
    spoilt(monkeypatch, chunks, "sample_frames", is_clip("a"), shape)
    spoilt(monkeypatch, chunks, "read_waveform", is_clip("b"), MemoryError(2 * "long "))
    folder, reasons, summary = extract()
    said = "unexpected ValueError: cannot reshape array of size 7"
    seen = {("a", each): said for each in ("face", "body", "scene")}
    heard = {("b", "audio"): "unexpected MemoryError: long long"}
    assert reasons == {**NOISE, **seen, **heard}
    assert summary["unexpected_errors"] == 4
    assert "4 unexpected errors; see" in capfd.readouterr().err
    for modality in ("face", "body", "scene"):
        assert_others_are_the_same(whole, folder, modality, "a")
        assert summary["modalities"][modality]["missing"] == 1
    assert_others_are_the_same(whole, folder, "audio", "b")
    assert_others_are_the_same(whole, folder, "text", "")


class Choosy:
    """An encoder that cannot take an item whose kind it does not like."""

    def __init__(self, honest, dislikes, answer):
        self.honest, self.dislikes, self.answer = honest, dislikes, answer
        self.name, self.revision = honest.name, honest.revision
        self.steps_per_second = honest.steps_per_second

    def encode(self, items, *others):
        values = self.honest.encode(items, *others)
        for place, item in enumerate(items):
            if self.dislikes(item):
                if isinstance(self.answer, Exception):
                    raise self.answer
                values[place] = self.answer
        return values


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (RuntimeError("no kernel"), "unexpected RuntimeError: no kernel"),
        (
            np.full((2, 384), np.nan, np.float32),
            "minilm_l6 gave values that are no numbers or beyond float16",
        ),
        (np.zeros((0, 384)), "minilm_l6 gave shape (0, 384), not (step, feature)"),
    ],
)
def test_what_an_encoder_cannot_take_costs_one_clip(
    extract, params, monkeypatch, answer, reason
):
    whole, _, _ = extract("whole")
    encoders = chunks.tools(params.extract, params.compute.device).encoders
    choosy = Choosy(encoders.text, lambda text: text == "I b", answer)
    monkeypatch.setattr(encoders, "text", choosy)
    folder, reasons, _ = extract()
    assert reasons == {**NOISE, ("b", "text"): reason}
    # alone, where one cannot be taken: padding differs in the last digits
    store, before = FeatureStore.open(folder, "text"), FeatureStore.open(whole, "text")
    assert store.clip_ids == ["a", "c"]
    np.testing.assert_allclose(store["a"], before["a"], atol=1e-2)


def test_a_transcript_that_fails_costs_no_sound(extract, params, monkeypatch):
    def fail(waveform):
        raise IndexError("list index out of range")

    transcriber = chunks.tools(params.extract, params.compute.device).transcriber
    monkeypatch.setattr(transcriber, "transcribe", fail)
    folder, reasons, _ = extract()
    said = "unexpected IndexError: list index out of range"
    assert reasons == {("d", "text"): said}
    assert FeatureStore.open(folder, "audio").clip_ids == ["a", "b", "c", "d"]


def test_speech_in_another_language_is_written_down_and_not_encoded(
    extract, params, monkeypatch
):
    """As a transcriber of many languages hears it; both text encoders know English."""
    transcriber = chunks.tools(params.extract, params.compute.device).transcriber
    heard = Transcript("Guten Tag", "de")
    monkeypatch.setattr(transcriber, "transcribe", lambda waveform: heard)
    folder, reasons, summary = extract()
    said = "the speech is in 'de', which the text encoder cannot read"
    assert reasons == {("d", "text"): said}
    table = pd.read_parquet(folder / "transcripts.parquet").set_index("clip_id")
    assert table.loc["d"].tolist() == ["Guten Tag", "whisper", "de"]
    assert table.loc["a", "source"] == "given" and pd.isna(table.loc["a", "language"])
    assert summary["languages_heard"] == {"de": 1}


def test_an_error_of_all_clips_is_raised(extract, monkeypatch, tmp_path):
    """It is the program's, so its shards are not kept for the mended program."""
    with monkeypatch.context() as patch:
        patch.setattr(chunks, "find_regions", lambda *_: 1 / 0)
        with pytest.raises(ExtractionError) as caught:
            extract()
    message = str(caught.value)
    assert "face of all 4 clips failed with the same unexpected error" in message
    assert "Traceback" in message and "ZeroDivisionError: division by zero" in message
    assert "in see" in message
    assert not list((tmp_path / "features.partial").iterdir())
    assert extract()[1] == NOISE


def test_the_error_of_the_only_clip_is_its_reason(params, tmp_path, monkeypatch):
    write_video(tmp_path / "a.mp4")
    write_clips(clip_table([{"clip_id": "a", "media": "a.mp4"}]), tmp_path)
    monkeypatch.setattr(chunks, "read_waveform", lambda *_: 1 / 0)
    extract_corpus("test", params, tmp_path, tmp_path, tmp_path / "features")
    missing = pd.read_csv(tmp_path / "features" / "missing.csv")
    said = "unexpected ZeroDivisionError: division by zero"
    assert missing.to_numpy().tolist() == [["a", "audio", said], ["a", "text", said]]


def test_weights_that_cannot_be_loaded_end_the_work(extract, monkeypatch):
    def missing(*_):
        raise WeightsError("the weights are missing")

    chunks.forget_tools()
    monkeypatch.setattr(chunks, "FaceDetector", missing)
    with pytest.raises(WeightsError):
        extract()
    chunks.forget_tools()


@pytest.fixture
def text_corpus(tmp_path):
    words = "one two three four five six seven".split()
    rows = [
        {"clip_id": f"t{i}", "media": None, "transcript": " ".join(words[: i % 7 + 1])}
        for i in range(20)
    ]
    rows.append({"clip_id": "blank", "media": None, "transcript": None})
    write_clips(clip_table(rows), tmp_path / "corpus")
    return tmp_path / "corpus"


def test_text_alone(text_corpus, params, tmp_path):
    folder = tmp_path / "features"
    summary = extract_corpus("text", params, text_corpus, tmp_path, folder)
    store = FeatureStore.open(folder, "text")
    # a token for each word, one for the beginning and one for the end
    assert [len(store[f"t{i}"]) for i in range(7)] == [3, 4, 5, 6, 7, 8, 9]
    missing = pd.read_csv(folder / "missing.csv")
    assert missing.to_numpy().tolist() == [
        ["blank", "text", "no transcript, and there is no media"]
    ]
    face = FeatureStore.open(folder, "face")
    assert len(face) == 0 and face.feature_count == FEATURE_COUNTS["efficientnet_lite0"]
    assert summary["modalities"]["face"]["without_media"] == 21
    assert summary["transcripts"] == {"given": 20, "whisper": 0}
    assert summary["languages_heard"] == {} and summary["unexpected_errors"] == 0


def test_what_a_corpus_left_out_is_listed_first(params, tmp_path):
    """Ids of numbers, and words that mean nothing elsewhere, stay as they are."""
    rows = [{"clip_id": "007", "media": "gone.wav"}]
    left_out = {"NA": "passed over", "08": "broken"}
    table = validate(clip_table(rows), "numbers", left_out=left_out)
    write_clips(table, tmp_path)
    extract_corpus("numbers", params, tmp_path, tmp_path, tmp_path / "features")
    missing = read_missing(tmp_path / "features").to_numpy().tolist()
    assert missing[:2] == [
        ["NA", "everything", "passed over"],
        ["08", "everything", "broken"],
    ]
    assert {tuple(row[:2]) for row in missing[2:]} == {
        ("007", modality) for modality in MODALITIES
    }
    record = extraction_record(table, tmp_path / "features")
    assert record["clip_id"].tolist() == ["007"]
    assert record["missing"].tolist() != [""]


def test_a_corpus_that_was_not_given_has_empty_features(params, tmp_path):
    left_out = {"people": "not given: people, put it in data/people"}
    empty = validate(clip_table({"clip_id": []}), "people", left_out=left_out)
    write_clips(empty, tmp_path)
    folder = tmp_path / "features"
    summary = extract_corpus("people", params, tmp_path, tmp_path, folder)
    assert summary["clips"] == 0
    for modality in MODALITIES:
        assert len(FeatureStore.open(folder, modality)) == 0
    missing = read_missing(folder).to_numpy().tolist()
    assert missing == [["people", "everything", left_out["people"]]]
    assert extraction_record(empty, folder).empty


def test_models_stay_loaded_if_asked_and_change_nothing(media_corpus, params, tmp_path):
    chunks.forget_tools()
    loaded = chunks.tools(params.extract, params.compute.device)
    arguments = ("test", params, media_corpus, media_corpus)
    for name in ("first", "second"):
        extract_corpus(*arguments, tmp_path / name, keep=True)
        assert chunks.tools(params.extract, params.compute.device) is loaded
    extract_corpus(*arguments, tmp_path / "third")
    assert chunks.tools(params.extract, params.compute.device) is not loaded
    assert (
        content(tmp_path / "first")
        == content(tmp_path / "second")
        == content(tmp_path / "third")
    )


def test_interrupted_work_is_taken_up(text_corpus, params, tmp_path, monkeypatch):
    """A chunk that cannot be finished leaves the shards of the others."""
    monkeypatch.setattr("sslmepr.extraction.corpus.TEXT_CHUNK_CLIPS", 8)
    whole = tmp_path / "whole" / "features"
    extract_corpus("text", params, text_corpus, tmp_path, whole)

    made = []

    def interrupted(job):
        made.append(job.clips[0]["clip_id"])
        if len(made) == 2:
            raise KeyboardInterrupt
        return extract_chunk(job)

    monkeypatch.setattr("sslmepr.extraction.chunks.extract_chunk", interrupted)
    folder = tmp_path / "broken" / "features"
    with pytest.raises(KeyboardInterrupt):
        extract_corpus("text", params, text_corpus, tmp_path, folder)
    partial = folder.with_name("features.partial")
    assert len(list(partial.iterdir())) == 1 and not folder.exists()
    extract_corpus("text", params, text_corpus, tmp_path, folder)
    assert made == ["t0", "t8", "t8", "t16"]  # the first chunk was not made again
    assert content(folder) == content(whole)
    assert not partial.exists()


class Deadly:
    """A job that ends the process it is sent to."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_killed_process_is_told_of():
    with pytest.raises(RuntimeError, match="was killed.* run again"):
        list(_run_processes([Deadly(), Deadly()], 2))


def test_other_settings_take_up_nothing(text_corpus, params, tmp_path):
    clips = _clip_rows(read_clips(text_corpus), None)
    extract = params.extract.model_copy(update={"batch": 8})
    other = params.model_copy(update={"extract": extract})
    shards = {_jobs(clips, p, tmp_path, tmp_path)[0].shard for p in (params, other)}
    assert len(shards) == 2


def test_other_weights_take_up_nothing(text_corpus, params, tmp_path):
    """A local encoder is replaced under its name between two attempts."""
    clips = _clip_rows(read_clips(text_corpus), None)
    chosen = {"text_encoder": "bge_small_en", "checkpoint_dir": str(tmp_path)}
    extract = params.extract.model_copy(update=chosen)
    local = params.model_copy(update={"extract": extract})
    weights = tmp_path / "bge_small_en" / "model.safetensors"
    weights.parent.mkdir()
    shards = set()
    for content in ("first", "second one"):
        weights.write_text(content)
        shards |= {_jobs(clips, local, tmp_path, tmp_path)[0].shard}
    assert len(shards) == 2


def test_chunks_of_different_weights_are_not_joined(
    text_corpus, params, tmp_path, monkeypatch
):
    """The weights are replaced while the extraction runs."""
    monkeypatch.setattr("sslmepr.extraction.corpus.TEXT_CHUNK_CLIPS", 8)

    def replaced(job):
        chunk = Chunk(encoders={"text": ["minilm_l6", job.clips[0]["clip_id"]]})
        write_shard(chunk, job.shard)

    monkeypatch.setattr("sslmepr.extraction.chunks.extract_chunk", replaced)
    message = "text was made by minilm_l6 t8, the chunks before it by minilm_l6 t0"
    with pytest.raises(FeatureError, match=message):
        extract_corpus("text", params, text_corpus, tmp_path, tmp_path / "features")
