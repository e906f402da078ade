"""Extraction of one chunk of clips in one process, from media to a shard.

Clips are decoded one by one, and only their crops are kept until the end of the chunk,
when all crops are encoded together. An error in a clip is recorded as the reason for
what it lacks, and extraction goes on; only weights that cannot be loaded end it.
"""

import re
import traceback
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch

from sslmepr.device import choose_device
from sslmepr.encoders.load import load_encoders
from sslmepr.encoders.speech import HELD_SAMPLES
from sslmepr.encoders.voice import VoiceDescriptors
from sslmepr.extraction.shards import Chunk, Job, write_shard
from sslmepr.features import unfit
from sslmepr.labels import SENTENCES, VISUAL_MODALITIES
from sslmepr.media.audio import is_silent, read_waveform
from sslmepr.media.errors import MediaError
from sslmepr.media.faces import FaceDetector
from sslmepr.media.regions import crop_regions, find_regions, lacking_regions
from sslmepr.media.transcript import Transcriber
from sslmepr.media.video import sample_frames
from sslmepr.params.corpora import Extract

REASON_CHARACTERS = 200
"""Longest message of an unforeseen error in a clip's reason, in characters."""

ENCODED_LANGUAGE = "en"
"""Language that both text encoders were trained on; others they encode as noise."""


NO_WORDS = re.compile(r"\W*([\[(][^\])]*[\])]\W*)+")
"""A given transcript of remarks alone, such as ``[inaudible]`` or ``(laughs)``."""


class Tools:
    """Detector, transcriber and encoders of this process, each made when needed."""

    def __init__(self, extract: Extract, device: str):
        self.extract = extract
        self.encoders = load_encoders(extract, choose_device(device))

    @cached_property
    def detector(self) -> FaceDetector:
        return FaceDetector(self.extract.detector_threshold)

    @cached_property
    def transcriber(self) -> Transcriber:
        return Transcriber(self.extract.transcriber)


@lru_cache(maxsize=1)
def tools(extract: Extract, device: str) -> Tools:
    """The tools of this process, until :func:`forget_tools`."""
    return Tools(extract, device)


def forget_tools() -> None:
    """Free the models that this process has loaded."""
    tools.cache_clear()


@contextmanager
def one_thread():
    """Keep torch and OpenCV to one core.

    The processes share the cores, and floating-point sums do not depend on their
    number.
    """
    torch_threads, cv2_threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(torch_threads)
        cv2.setNumThreads(cv2_threads)


def extract_chunk(job: Job) -> Path:
    """Extract every modality of the clips of a chunk and write its shard.

    Modalities that a clip lacks are recorded with the reason.
    """
    with one_thread():
        work = _ChunkWork(job)
        for clip in job.clips:
            work.see(clip)
            work.hear(clip)
        work.encode_waveforms()
        work.encode_crops()
        work.encode_texts()
        work.encode_descriptions()
    write_shard(work.chunk, job.shard)
    return job.shard


class _ChunkWork:
    """State of a chunk during extraction."""

    def __init__(self, job: Job):
        self.job, self.extract = job, job.extract
        self.tools = tools(job.extract, job.device)
        self.chunk = Chunk()
        self.crops: list[tuple[str, str, list[np.ndarray]]] = []
        self.waveforms: list[tuple[str, np.ndarray]] = []
        self.texts: list[tuple[str, str]] = []

    @cached_property
    def speech(self):
        """What encodes waveforms: the speech encoder, or what measures as librosa."""
        heard = [clip["heard"] for clip in self.job.clips if "heard" in clip]
        if heard:
            return VoiceDescriptors(heard[0]["version"])
        return self.tools.encoders.speech

    def _segment(self, clip: dict):
        path = self.job.media_root / clip["media"]
        return path, clip["start_seconds"], clip["end_seconds"]

    def _miss(self, clip_id: str, modality: str, why: str | Exception) -> None:
        """Record a missing modality; for an unforeseen error, where it was raised."""
        if isinstance(why, MediaError):
            why = why.reason
        elif isinstance(why, Exception):
            self.chunk.unexpected.append([clip_id, modality, *_place_and_trace(why)])
            message = " ".join(str(why).split())[:REASON_CHARACTERS]
            why = f"unexpected {type(why).__name__}: {message}"
        self.chunk.missing.append([clip_id, modality, why])

    def _keep(self, clip_id, modality, values, encoder, pooled="") -> None:
        """Record the features of a clip, or the error that its encoder ended with."""
        if isinstance(values, Exception):
            self._miss(clip_id, modality, values)
        elif problem := unfit(values):
            self._miss(clip_id, modality, f"{encoder.name} gave {problem}")
        else:
            self.chunk.sequences.setdefault(modality, []).append((clip_id, values))
            self.chunk.encoders[modality] = [encoder.name, encoder.revision + pooled]

    def see(self, clip: dict) -> None:
        """Frames, faces, regions and crops of one clip."""
        wanted = [each for each in VISUAL_MODALITIES if each in clip["modalities"]]
        if clip["media"] is None or not wanted:
            return
        detector, prepare = self.tools.detector, self.tools.encoders.image.prepare
        try:
            path, *bounds = self._segment(clip)
            frames = sample_frames(path, self.extract.frames, *bounds)
            faces = detector.detect(frames.images)
            regions = find_regions(frames.images, faces)
            lacking = lacking_regions(regions, self.extract.mask_person)
            shown = [each for each in wanted if each not in lacking]
            crops = crop_regions(frames.images, regions, self.extract.mask_person)
            # copies: a view would keep the whole frame in memory
            small = {
                modality: [prepare(crop).copy() for crop in crops[modality]]
                for modality in shown
            }
            rate = self.extract.frames / frames.duration_seconds
        except Exception as error:
            for modality in wanted:
                self._miss(clip["clip_id"], modality, error)
            return
        for modality in wanted:
            if modality in lacking:
                self._miss(clip["clip_id"], modality, lacking[modality])
        for modality in shown:
            self.crops.append((clip["clip_id"], modality, small[modality]))
            self.chunk.rates.setdefault(modality, {})[clip["clip_id"]] = rate
        regions = regions[regions["modality"].isin(shown)].reset_index(drop=True)
        regions.insert(0, "clip_id", clip["clip_id"])
        regions.insert(2, "seconds", frames.seconds[regions["frame"]])
        regions["score"] = (
            regions["score"].astype(object).where(regions["score"].notna(), None)
        )
        for name, column in regions.items():
            self.chunk.regions.setdefault(name, []).extend(column.tolist())

    def hear(self, clip: dict) -> None:
        """Speech features of one clip, and its transcript."""
        wanted, transcript = clip["modalities"], (clip["transcript"] or "").strip()
        to_transcribe = "text" in wanted and not transcript
        waveform, why = None, "there is no media"
        if clip["media"] is not None and ("audio" in wanted or to_transcribe):
            waveform, why = self._waveform(clip)
        if clip["media"] is not None and "audio" in wanted:
            if waveform is None:
                self._miss(clip["clip_id"], "audio", why)
            else:
                self.waveforms.append((clip["clip_id"], waveform))
                if sum(len(each) for _, each in self.waveforms) >= HELD_SAMPLES:
                    self.encode_waveforms()
        if "text" in wanted:
            self._read(clip, transcript, waveform, why)

    def _waveform(self, clip: dict) -> tuple[np.ndarray | None, str | Exception]:
        try:
            waveform = read_waveform(*self._segment(clip))
        except Exception as error:
            return None, error
        if is_silent(waveform):
            return None, "the audio is silent"
        return waveform, ""

    def _read(self, clip, text: str, waveform: np.ndarray | None, why) -> None:
        """The transcript of a clip: the given one, or that of speech recognition."""
        clip_id, source, language = clip["clip_id"], "given", None
        if NO_WORDS.fullmatch(text):
            self._miss(clip_id, "text", f"the transcript has no words: {text}")
            return
        if not text and waveform is not None:
            transcriber, source = self.tools.transcriber, "whisper"
            try:
                heard = transcriber.transcribe(waveform)
            except Exception as error:
                why = error
            else:
                text, language, why = heard.text, heard.language, heard.reason
        if not text:
            if isinstance(why, MediaError):
                why = why.reason
            known = isinstance(why, str)
            self._miss(clip_id, "text", f"no transcript, and {why}" if known else why)
            return
        self.chunk.transcripts.append([clip_id, text, source, language])
        if language in (None, ENCODED_LANGUAGE):
            self.texts.append((clip_id, text))
        else:
            reason = (
                f"the speech is in {language!r}, which the text encoder cannot read"
            )
            self._miss(clip_id, "text", reason)

    def encode_waveforms(self) -> None:
        """Encode the waveforms that are held, together."""
        if not self.waveforms:
            return
        speech = self.speech
        clip_ids, waveforms = zip(*self.waveforms, strict=True)
        self.waveforms = []
        encoded = _each(speech.encode, waveforms)
        for clip_id, values in zip(clip_ids, encoded, strict=True):
            self._keep(clip_id, "audio", values, speech)
            self.chunk.rates.setdefault("audio", {})[clip_id] = speech.steps_per_second

    def encode_crops(self) -> None:
        """Encode all crops of the chunk, in batches that mix clips and modalities."""
        if not self.crops:
            return
        image = self.tools.encoders.image

        def encode(clips: Sequence[list[np.ndarray]]) -> list[np.ndarray]:
            every = [crop for crops in clips for crop in crops]
            features = image.encode(every, self.extract.batch)
            ends = np.cumsum([len(crops) for crops in clips])
            return np.split(features, ends[:-1])

        encoded = _each(encode, [crops for _, _, crops in self.crops])
        for (clip_id, modality, _), values in zip(self.crops, encoded, strict=True):
            self._keep(clip_id, modality, values, image)

    def encode_texts(self) -> None:
        """Encode all transcripts of the chunk, those of like length together."""
        if not self.texts:
            return
        encoder = self.tools.encoders.text
        clip_ids, texts = zip(*self.texts, strict=True)
        encoded = _each(lambda some: encoder.encode(some, self.extract.batch), texts)
        for clip_id, values in zip(clip_ids, encoded, strict=True):
            self._keep(clip_id, "text", values, encoder)

    def encode_descriptions(self) -> None:
        """Encode what was described, one step for each sentence.

        A step is the mean over the tokens of its sentence. Observers often write the
        same sentence, which is encoded once.
        """
        described = [
            (clip["clip_id"], modality, sentences)
            for clip in self.job.clips
            for modality, sentences in clip.get("described", {}).items()
        ]
        if not described:
            return
        encoder = self.tools.encoders.text
        texts = list(dict.fromkeys(text for each in described for text in each[2]))
        encoded = _each(lambda some: encoder.encode(some, self.extract.batch), texts)
        of_text = dict(zip(texts, encoded, strict=True))
        for clip_id, modality, sentences in described:
            steps = [of_text[text] for text in sentences]
            failed = next((each for each in steps if isinstance(each, Exception)), None)
            values = failed or np.stack([each.mean(0) for each in steps])
            self._keep(clip_id, modality, values, encoder, SENTENCES)


def _each(encode: Callable, items: Sequence) -> list[np.ndarray | Exception]:
    """Encode items; those that fail have an error in place of features.

    If the encoder fails on all items together, they are encoded one by one.
    """
    try:
        return list(encode(list(items)))
    except Exception:
        return [_alone(encode, item) for item in items]


def _alone(encode: Callable, item) -> np.ndarray | Exception:
    try:
        return encode([item])[0]
    except Exception as error:
        return error


def _place_and_trace(error: Exception) -> tuple[str, str]:
    """Type of an error and line that raised it; its traceback as text."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} at {frame.filename}:{frame.lineno}"
    return place, "".join(traceback.format_exception(error))
