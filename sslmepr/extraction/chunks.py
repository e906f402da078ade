"""What one process does with one chunk of clips: media in, a shard out.

Clips are looked at and listened to one by one, and only their crops are kept until the
end of the chunk, when all of them go through the encoder together.
"""

from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch

from sslmepr.device import choose_device
from sslmepr.encoders.load import load_encoders
from sslmepr.extraction.jobs import Job
from sslmepr.extraction.shards import Chunk, write_shard
from sslmepr.labels import VISUAL_MODALITIES
from sslmepr.media.audio import SAMPLE_RATE_HZ, is_silent, read_waveform
from sslmepr.media.errors import MediaError
from sslmepr.media.faces import FaceDetector
from sslmepr.media.regions import crop_regions, find_regions, lacking_regions
from sslmepr.media.transcript import Transcriber
from sslmepr.media.video import sample_frames
from sslmepr.params import Extract

HELD_SAMPLES = 240 * SAMPLE_RATE_HZ
"""Waveforms wait for each other up to this length, so that many are encoded at once and
few are held."""


class _Tools:
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
def _tools(extract: Extract, device: str) -> _Tools:
    return _Tools(extract, device)


def forget_tools() -> None:
    """Free the models that this process has loaded."""
    _tools.cache_clear()


@contextmanager
def one_thread():
    """Keep torch and OpenCV to one core.

    The processes share the cores between them; and sums come out the same however many
    of them there are.
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

    What a clip lacks is noted with the reason, and the rest goes on.
    """
    with one_thread():
        work = _ChunkWork(job)
        for clip in job.clips:
            work.see(clip)
            work.hear(clip)
        work.encode_waveforms()
        work.encode_crops()
        work.encode_texts()
    write_shard(work.chunk, job.shard)
    return job.shard


class _ChunkWork:
    """The state of a chunk while it is made."""

    def __init__(self, job: Job):
        self.job, self.extract = job, job.extract
        self.tools = _tools(job.extract, job.device)
        self.chunk = Chunk()
        self.crops: list[tuple[str, str, list[np.ndarray]]] = []
        self.waveforms: list[tuple[str, np.ndarray]] = []
        self.texts: list[tuple[str, str]] = []

    def _segment(self, clip: dict):
        path = self.job.media_root / clip["media"]
        return path, clip["start_seconds"], clip["end_seconds"]

    def _miss(self, clip: dict, modality: str, reason: str) -> None:
        self.chunk.missing.append([clip["clip_id"], modality, reason])

    def _keep(self, clip_id, modality, values, rate=None) -> None:
        self.chunk.sequences.setdefault(modality, []).append((clip_id, values))
        if rate is not None:
            self.chunk.rates.setdefault(modality, {})[clip_id] = rate

    def see(self, clip: dict) -> None:
        """Frames, faces, regions and crops of one clip."""
        wanted = [each for each in VISUAL_MODALITIES if each in clip["modalities"]]
        if clip["media"] is None or not wanted:
            return
        path, start, end = self._segment(clip)
        try:
            frames = sample_frames(path, self.extract.frames, start, end)
        except MediaError as error:
            for modality in wanted:
                self._miss(clip, modality, error.reason)
            return
        faces = self.tools.detector.detect(frames.images)
        regions = find_regions(frames.images, faces)
        lacking = lacking_regions(regions, self.extract.mask_person)
        for modality in wanted:
            if modality in lacking:
                self._miss(clip, modality, lacking[modality])
        wanted = [modality for modality in wanted if modality not in lacking]
        crops = crop_regions(frames.images, regions, self.extract.mask_person)
        rate = self.extract.frames / frames.duration_seconds
        prepare = self.tools.encoders.image.prepare
        for modality in wanted:
            # copies: a view would keep the whole frame in memory
            small = [prepare(crop).copy() for crop in crops[modality]]
            self.crops.append((clip["clip_id"], modality, small))
            self.chunk.rates.setdefault(modality, {})[clip["clip_id"]] = rate
        regions = regions[regions["modality"].isin(wanted)].reset_index(drop=True)
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
        waveform, reason = None, "there is no media"
        if clip["media"] is not None and ("audio" in wanted or to_transcribe):
            waveform, reason = self._waveform(clip)
        if clip["media"] is not None and "audio" in wanted:
            if waveform is None:
                self._miss(clip, "audio", reason)
            else:
                self.waveforms.append((clip["clip_id"], waveform))
                if sum(len(each) for _, each in self.waveforms) >= HELD_SAMPLES:
                    self.encode_waveforms()
        if "text" in wanted:
            self._read(clip, transcript, waveform, reason)

    def _waveform(self, clip: dict) -> tuple[np.ndarray | None, str]:
        try:
            waveform = read_waveform(*self._segment(clip))
        except MediaError as error:
            return None, error.reason
        if is_silent(waveform):
            return None, "the audio is silent"
        return waveform, ""

    def _read(self, clip, text: str, waveform: np.ndarray | None, reason: str) -> None:
        source = "given"
        if not text and waveform is not None:
            text, source = self.tools.transcriber.transcribe(waveform), "whisper"
            reason = "no speech was recognised"
        if text:
            self.chunk.transcripts.append([clip["clip_id"], text, source])
            self.texts.append((clip["clip_id"], text))
        else:
            self._miss(clip, "text", f"no transcript, and {reason}")

    def encode_waveforms(self) -> None:
        """The waveforms that wait, together."""
        if not self.waveforms:
            return
        speech = self.tools.encoders.speech
        clip_ids, waveforms = zip(*self.waveforms, strict=True)
        self.waveforms = []
        for clip_id, values in zip(clip_ids, speech.encode(waveforms), strict=True):
            self._keep(clip_id, "audio", values, speech.steps_per_second)
        self.chunk.encoders["audio"] = [speech.name, speech.revision]

    def encode_crops(self) -> None:
        """All crops of the chunk, in batches that mix clips and modalities."""
        if not self.crops:
            return
        image = self.tools.encoders.image
        every = [crop for _, _, crops in self.crops for crop in crops]
        features = image.encode(every, self.extract.batch)
        ends = np.cumsum([len(crops) for _, _, crops in self.crops])
        parts = np.split(features, ends[:-1])
        for (clip_id, modality, _), values in zip(self.crops, parts, strict=True):
            self._keep(clip_id, modality, values)
            self.chunk.encoders[modality] = [image.name, image.revision]

    def encode_texts(self) -> None:
        """All transcripts of the chunk, those of like length together."""
        if not self.texts:
            return
        encoder = self.tools.encoders.text
        clip_ids, texts = zip(*self.texts, strict=True)
        encoded = encoder.encode(list(texts), self.extract.batch)
        for clip_id, values in zip(clip_ids, encoded, strict=True):
            self._keep(clip_id, "text", values)
        self.chunk.encoders["text"] = [encoder.name, encoder.revision]
