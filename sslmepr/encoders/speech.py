"""A waveform to a sequence of feature vectors at a stated rate."""

import warnings
from pathlib import Path

import ctranslate2
import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor

from sslmepr.encoders.precision import inference_precision
from sslmepr.media.audio import SAMPLE_RATE_HZ
from sslmepr.weights import HUB, WHISPER_TINY_EN, WeightsError, file_digest

WINDOW_SECONDS = 30
"""Longest window that is encoded at once: Whisper has no more positions, and attention
over more would need much memory."""

HELD_SAMPLES = 240 * SAMPLE_RATE_HZ
"""Windows are encoded together up to this length in all, and their many states pooled
to the few steps that are kept before the next are encoded."""

CUDA_WINDOWS = 8
"""Windows that wav2vec 2.0 encodes at once on CUDA; on the CPU one by one is faster."""

SHORTEST_SECONDS = 0.1
"""Shorter waveforms are padded with silence: descriptors need some periods."""


def pool_steps(
    values: np.ndarray, from_hz: float, to_hz: float, first: int = 0
) -> np.ndarray:
    """Mean of the steps that begin within each interval of 1 / `to_hz` seconds.

    Parameters
    ----------
    values : (step, feature) np.ndarray
        At `from_hz` steps per second.
    first : int
        Place of the first of them in the whole sequence, where an interval begins.

    Returns
    -------
    (step, feature) float32 np.ndarray
        At `to_hz`; the last interval may be covered only in part.

    Raises
    ------
    ValueError
        If `to_hz` exceeds `from_hz`: pooling makes no new steps.
    """
    if to_hz > from_hz:
        raise ValueError(
            f"extract.speech_steps_per_second: {to_hz:g} is more than the encoder's "
            f"own {from_hz:g}"
        )
    interval = _interval(first + np.arange(len(values)), from_hz, to_hz)
    starts = np.flatnonzero(np.diff(interval, prepend=-1))
    counts = np.diff(starts, append=len(values))
    sums = np.add.reduceat(values.astype(np.float64), starts, axis=0)
    return (sums / counts[:, None]).astype(np.float32)


def _interval(places: np.ndarray, from_hz: float, to_hz: float) -> np.ndarray:
    # a hair more, because 0.02 * 50 may come out below 1
    return np.floor(places * (to_hz / from_hz) + 1e-9)


class _Pool:
    """`pool_steps` of an encoder's states that come window by window.

    An interval that may go on in the next window waits for it.
    """

    def __init__(self, from_hz: float, to_hz: float):
        self.rates = from_hz, to_hz
        self.pooled: list[np.ndarray] = []
        self.waiting: np.ndarray | None = None
        self.first = 0

    def add(self, values: np.ndarray) -> None:
        """The (step, feature) states of the next window."""
        if self.waiting is not None:
            values = np.concatenate([self.waiting, values])
        interval = _interval(self.first + np.arange(len(values)), *self.rates)
        whole = int(np.searchsorted(interval, interval[-1]))
        if whole:
            self.pooled.append(pool_steps(values[:whole], *self.rates, self.first))
        self.waiting, self.first = values[whole:], self.first + whole

    def finish(self) -> np.ndarray:
        """All steps, (step, feature)."""
        rest = pool_steps(self.waiting, *self.rates, self.first)
        return np.concatenate([*self.pooled, rest])


class SpeechEncoder:
    """What speech encoders share: windows, padding, pooling.

    Subclasses set ``name``, ``revision``, ``feature_count`` and ``native_hz``, and give
    ``_forward``: windows to a (step, feature) array each, at ``native_hz``.
    """

    def __init__(self, steps_per_second: float):
        self.steps_per_second = steps_per_second

    def encode(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        """Encode (sample,) waveforms at 16 kHz.

        Returns
        -------
        list of (step, feature) float32 np.ndarray
            At ``steps_per_second``.
        """
        pools = [_Pool(self.native_hz, self.steps_per_second) for _ in waveforms]
        held, samples = [], 0
        for pool, waveform in zip(pools, waveforms, strict=True):
            for window in _windows(np.asarray(waveform, np.float32)):
                held.append((pool, window))
                samples += len(window)
                if samples >= HELD_SAMPLES:
                    self._encode(held)
                    held, samples = [], 0
        if held:
            self._encode(held)
        return [pool.finish() for pool in pools]

    def _encode(self, held: list[tuple["_Pool", np.ndarray]]) -> None:
        """States of windows, each to the pool of its waveform."""
        states = self._forward([window for _, window in held])
        for (pool, _), values in zip(held, states, strict=True):
            pool.add(values)


def _windows(waveform: np.ndarray) -> list[np.ndarray]:
    """A waveform in stretches that are neither too long nor too short to encode."""
    shortest = int(SHORTEST_SECONDS * SAMPLE_RATE_HZ)
    if len(waveform) < shortest:
        waveform = np.pad(waveform, (0, shortest - len(waveform)))
    length = WINDOW_SECONDS * SAMPLE_RATE_HZ
    windows = [waveform[i : i + length] for i in range(0, len(waveform), length)]
    if len(windows) > 1 and len(windows[-1]) < shortest:
        windows.pop()
    return windows


class WhisperTinyEn(SpeechEncoder):
    """The embedded encoder: that of Whisper tiny.en on windows as long as the clip.

    Whisper pads to 30 s; its encoder does not need it, and over the padding of a short
    clip nine tenths of the work would be spent.
    """

    name = "whisper_tiny_en"
    revision = WHISPER_TINY_EN.revision
    feature_count = 384
    native_hz = 50.0

    def __init__(self, steps_per_second: float):
        super().__init__(steps_per_second)
        self._spectrogram = FeatureExtractor()
        self._model = ctranslate2.models.Whisper(
            str(WHISPER_TINY_EN.verify().parent),
            device="cpu",
            compute_type="float32",
            intra_threads=1,
        )

    def _forward(self, windows: list[np.ndarray]) -> list[np.ndarray]:
        return [self._one(window) for window in windows]

    def _one(self, window: np.ndarray) -> np.ndarray:
        step_samples = int(SAMPLE_RATE_HZ / self.native_hz)
        window = np.pad(window, (0, -len(window) % step_samples))
        mel = self._spectrogram(window, padding=0)[None]
        # (window, mel, half step)
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel, np.float32))
        return np.array(self._model.encode(view, to_cpu=True))[0]


class Egemaps(SpeechEncoder):
    """The interpretable encoder: the 25 low-level descriptors of eGeMAPSv02.

    Eyben et al. 2016, doi:10.1109/TAFFC.2015.2457417, in the units of openSMILE (its
    licence allows research). One step per 10 ms.
    """

    name = "egemaps"
    revision = "eGeMAPSv02"
    native_hz = 100.0

    def __init__(self, steps_per_second: float):
        super().__init__(steps_per_second)
        # slow to import, and needed by this encoder alone
        import opensmile

        self._smile = opensmile.Smile(
            feature_set=opensmile.FeatureSet.eGeMAPSv02,
            feature_level=opensmile.FeatureLevel.LowLevelDescriptors,
        )
        self.feature_names = list(self._smile.feature_names)
        self.feature_count = len(self.feature_names)

    def _forward(self, windows: list[np.ndarray]) -> list[np.ndarray]:
        return [
            self._smile.process_signal(window, SAMPLE_RATE_HZ).to_numpy(np.float32)
            for window in windows
        ]


class Wav2Vec2Emotion(SpeechEncoder):
    """The paper's encoder: wav2vec 2.0 tuned to arousal, dominance and valence.

    Wagner et al. 2023, doi:10.1109/TPAMI.2023.3263585. The checkpoint is that of the
    whole regression model; of it the transformer is kept, whose last states, 50 per
    second, are the features, and the head is left out.
    """

    name = "wav2vec2_emotion"

    def __init__(
        self,
        steps_per_second: float,
        device: torch.device,
        checkpoint_dir: str | Path | None,
    ):
        super().__init__(steps_per_second)
        # slow to import, and needed by this encoder alone
        from transformers import AutoFeatureExtractor, Wav2Vec2Model

        hub = HUB[self.name]
        folder = hub.folder(self.name, checkpoint_dir)
        try:
            self._extractor = AutoFeatureExtractor.from_pretrained(folder)
            model, loaded = Wav2Vec2Model.from_pretrained(
                folder, output_loading_info=True
            )
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"extract.speech_encoder: cannot load {self.name} ({error}); "
                f"{hub.advice(self.name, checkpoint_dir)}"
            ) from error
        if loaded["missing_keys"]:
            # transformers would draw them at random and only warn
            raise WeightsError(
                f"{folder / hub.weights}: lacks {sorted(loaded['missing_keys'])[0]}"
            )
        self._model, self._device = model.eval().to(device), device
        self._batch = CUDA_WINDOWS if device.type == "cuda" else 1
        self.feature_count = model.config.hidden_size
        self.native_hz = SAMPLE_RATE_HZ / int(np.prod(model.config.conv_stride))
        self.revision = file_digest(folder / hub.weights)[:12]

    def _forward(self, windows: list[np.ndarray]) -> list[np.ndarray]:
        order = np.argsort([-len(window) for window in windows], kind="stable")
        steps: list[np.ndarray] = [np.empty(0)] * len(windows)
        for begin in range(0, len(order), self._batch):
            chosen = order[begin : begin + self._batch]
            states = self._together([windows[i] for i in chosen])
            for i, state in zip(chosen, states, strict=True):
                steps[i] = state
        return steps

    @torch.inference_mode()
    def _together(self, windows: list[np.ndarray]) -> list[np.ndarray]:
        """Windows of like length, padded; the padding is masked and cut off."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            inputs = self._extractor(
                windows,
                sampling_rate=SAMPLE_RATE_HZ,
                padding=True,
                return_attention_mask=True,
                return_tensors="pt",
            )
        mask = inputs.attention_mask.to(self._device)
        values = inputs.input_values.to(self._device)
        with inference_precision(self._device):
            states = self._model(values, attention_mask=mask).last_hidden_state
        states = states.float().cpu().numpy()  # (window, step, feature)
        counts = self._model._get_feat_extract_output_lengths(mask.sum(1)).tolist()
        return [state[:count] for state, count in zip(states, counts, strict=True)]


SPEECH_ENCODERS = {
    "whisper_tiny_en": lambda extract, device: WhisperTinyEn(
        extract.speech_steps_per_second
    ),
    "egemaps": lambda extract, device: Egemaps(extract.speech_steps_per_second),
    "wav2vec2_emotion": lambda extract, device: Wav2Vec2Emotion(
        extract.speech_steps_per_second, device, extract.checkpoint_dir
    ),
}
"""Encoder name to what loads it, given section ``extract`` and a device."""
