"""A text encoder whose own weights learn the classes of texts (fine-tuning).

Stage 1 reads the states of a frozen encoder. Here the encoder is trained as well, which
is the usual way of classifying texts (Devlin et al. 2019, section 4).
"""

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from sslmepr.device import seed_everything
from sslmepr.encoders.precision import fast_cpu_dtype
from sslmepr.weights import MINILM_L6

EPOCHS = 2
ENCODER_RATE, HEAD_RATE = 1e-4, 1e-3
"""Learning rates after a linear rise over `RISE` of the steps; they then fall to 0. As
the number of epochs, they are within what Devlin et al. advise for the encoder (2 to 4
epochs, 2e-5 to 5e-5), but for a rate that is larger, as the encoder is small."""

RISE = 0.1
BATCH = 32
BUCKET = 20
"""Batches whose texts are sorted by length together, which saves padding."""

MOST_TOKENS = 128
DROPOUT, DECAY, LARGEST_GRADIENT = 0.1, 0.01, 1.0


class AdaptedText(nn.Module):
    """MiniLM and a linear layer on the mean of its last states, trained on texts.

    Parameters
    ----------
    texts : list of str
    label : (text,) int array
        Class of each text.
    classes : int
    device : torch.device
        On CUDA, and on CPUs that multiply in bfloat16, products are of that precision.
    seed : int
        Of the order of texts and of dropout, for which torch's own generators are
        seeded; weights of the linear layer are 0 at the start.
    progress : bool
        Show a progress bar over batches.

    Raises
    ------
    WeightsError
        If MiniLM is not installed.
    """

    def __init__(self, texts, label, classes, device, seed, progress=True):
        super().__init__()
        seed_everything(seed)
        folder = MINILM_L6.verify().parent
        logging.disable_progress_bar()  # ours is about batches
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._encoder = AutoModel.from_pretrained(folder)
        self._head = nn.Linear(self._encoder.config.hidden_size, classes)
        count = np.bincount(label, minlength=classes)
        with torch.no_grad():
            self._head.weight.zero_()
            self._head.bias.copy_(torch.from_numpy(np.log((count + 0.5) / len(label))))
        self._device = device
        self.to(device)
        self._adapt(self._tokens(texts), label, np.random.default_rng(seed), progress)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """Probability of each class: (text, class)."""
        tokens = self._tokens(texts)
        found = torch.zeros(len(texts), self._head.out_features)
        self.eval()
        order = np.argsort([len(each) for each in tokens], kind="stable")
        with torch.inference_mode():
            for begin in range(0, len(order), BATCH):
                chosen = order[begin : begin + BATCH]
                logits = self([tokens[place] for place in chosen])
                found[torch.from_numpy(chosen)] = logits.softmax(-1).cpu()
        return found.double().numpy()

    def forward(self, tokens: list[list[int]]) -> Tensor:
        """Logits (text, class) of texts of tokens."""
        padded = self._tokenizer.pad({"input_ids": tokens}, return_tensors="pt")
        mask = padded["attention_mask"].to(self._device)
        cuda = self._device.type == "cuda"
        dtype = torch.bfloat16 if cuda else fast_cpu_dtype()
        fast = dtype != torch.float32
        with torch.autocast(self._device.type, dtype, enabled=fast):
            ids = padded["input_ids"].to(self._device)
            states = self._encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        there = mask[..., None].float()
        mean = (states.float() * there).sum(1) / there.sum(1)
        return self._head(nn.functional.dropout(mean, DROPOUT, self.training))

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        cut = self._tokenizer(texts, truncation=True, max_length=MOST_TOKENS)
        return cut["input_ids"]

    def _adapt(self, tokens, label, rng, progress: bool) -> None:
        lengths = np.array([len(each) for each in tokens])
        batches = [each for _ in range(EPOCHS) for each in _batches(lengths, rng)]
        optimiser = torch.optim.AdamW(
            [
                {"params": self._encoder.parameters(), "lr": ENCODER_RATE},
                {"params": self._head.parameters(), "lr": HEAD_RATE},
            ],
            weight_decay=DECAY,
        )
        steps = max(len(batches), 1)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser,
            lambda step: min((step + 1) / (RISE * steps), 1) * (1 - step / steps),
        )
        self.train()
        for rows in tqdm(batches, "adapted text", disable=not progress):
            true = torch.from_numpy(label[rows]).to(self._device)
            logits = self([tokens[row] for row in rows])
            optimiser.zero_grad()
            nn.functional.cross_entropy(logits, true).backward()
            nn.utils.clip_grad_norm_(self.parameters(), LARGEST_GRADIENT)
            optimiser.step()
            schedule.step()


def _batches(lengths: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """All texts once, in batches of like length, in random order."""
    order, batches = rng.permutation(len(lengths)), []
    for begin in range(0, len(order), BATCH * BUCKET):
        bucket = order[begin : begin + BATCH * BUCKET]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        batches += np.split(bucket, range(BATCH, len(bucket), BATCH))
    rng.shuffle(batches)
    return batches
