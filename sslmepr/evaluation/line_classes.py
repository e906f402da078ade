"""Emotions of lines of dialogue: ways of deciding for one class, on the own split.

Stage 1 asks for each emotion whether it is there. Where a line has exactly one, the
classes can be weighed against each other, and against how common each is; the line
before can be read, too; and the encoder can learn (`sslmepr.evaluation.adapted_text`).
Every setting is chosen on dev.
"""

import warnings

import numpy as np
import pandas as pd
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from sslmepr.evaluation.adapted_text import AdaptedText
from sslmepr.evaluation.metrics import single_label_draws, tabulate
from sslmepr.evaluation.scores import (
    ADAPTED,
    ADAPTED_AND_WORDS,
    LINE_BEFORE,
    WEIGHTED_WORDS,
    WORDS,
)
from sslmepr.labels import EMOTIONS
from sslmepr.params import Params
from sslmepr.statistics.cluster_bootstrap import Clusters
from sslmepr.training.batches import ModalityClips
from sslmepr.training.probes import mean_and_scale

PENALTIES = (0.0003, 0.001, 0.003, 0.01, 0.03)
"""Grid of ``C`` of multinomial logistic regression. The range is a convention; the
value is chosen on dev."""

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Grid of the power of a class's frequency that its probability is divided by (logit
adjustment, Menon et al. 2021, Long-tail learning via logit adjustment); 1 treats all
classes as equally common. The value is chosen on dev."""

STEPS = 500
"""Largest number of iterations of a regression."""


def classify_lines(
    params: Params,
    data: ModalityClips,
    rows: np.ndarray,
    texts: list[str],
    progress: bool = True,
) -> pd.DataFrame:
    """Scores on dev and on the test split of several classifiers, and their gains.

    Parameters
    ----------
    params : Params
        Sections ``evaluate`` and ``seed``.
    data : ModalityClips
        Of the text, with the labels of all splits.
    rows : (clip,) int array
        Clips with one emotion each, those of a dialogue in their order.
    texts : list of str
        What is said in each.
    progress : bool

    Returns
    -------
    DataFrame
        split (``dev`` or ``test``), method, against, metric (``weighted F1``, ``macro
        F1``, ``UAR``), target, estimate, low, high, interval, n, n_speakers. Methods:
        `WORDS`, multinomial logistic regression of the mean features; `WEIGHTED_WORDS`,
        the same with class weights; `LINE_BEFORE`, which also reads the line before;
        `ADAPTED`; `ADAPTED_AND_WORDS`, the mean of log probabilities of this and of
        `WORDS`; all but the first with class weights. Rows with ``against`` (`WORDS`)
        are differences to it; their metric ends with ``above``.
    """
    table = data.clips.table.iloc[rows]
    label = data.clips.labels["emotion"][rows].argmax(1)
    split, dialogue = table["split"].to_numpy(), table["speaker_id"].to_numpy()
    train, dev = split == "train", split == "dev"
    own = data.pooled(rows)
    mean, scale = mean_and_scale(own[train])
    own = (own - mean) / scale
    before = np.zeros_like(own)
    follows = np.flatnonzero(dialogue[1:] == dialogue[:-1]) + 1
    before[follows] = own[follows - 1]
    words = _regression(own, label, train, dev)
    context = _regression(np.hstack([own, before]), label, train, dev)
    known = [text for text, mine in zip(texts, train, strict=True) if mine]
    adapted = AdaptedText(
        known, label[train], len(EMOTIONS), data.device, params.seed, progress
    )
    learned = np.log(adapted.probabilities(texts))
    decided = {WORDS: words.argmax(1)}
    for name, logits in {
        WEIGHTED_WORDS: words,
        LINE_BEFORE: context,
        ADAPTED: learned,
        ADAPTED_AND_WORDS: (learned + words) / 2,
    }.items():
        decided[name] = _weighted(logits, label, train, dev)
    tables = []
    for name in ("dev", "test"):
        places = np.flatnonzero(split == name)
        if len(places):
            tables += _measured(params, name, decided, label, dialogue, places)
    columns = ["split", "method", "against", "metric", "target", "estimate", "low"]
    columns += ["high", "interval", "n", "n_speakers"]
    return pd.concat(tables, ignore_index=True)[columns]


def _regression(features, label, train, dev) -> np.ndarray:
    """Log probabilities (clip, class); the penalty is chosen by F1 on dev."""
    best, found = -np.inf, np.empty(0)
    for penalty in PENALTIES:
        model = LogisticRegression(C=penalty, max_iter=STEPS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # chosen on dev anyway
            model.fit(features[train], label[train])
        logits = np.full((len(label), len(EMOTIONS)), -np.inf)
        logits[:, model.classes_] = model.predict_log_proba(features)
        score = _f1(label[dev], logits[dev].argmax(1))
        if score > best:
            best, found = score, logits
    return found


def _weighted(logits, label, train, dev) -> np.ndarray:
    """Class of each clip, with the power of class weights that is best on dev."""
    count = np.bincount(label[train], minlength=logits.shape[1])
    rare = np.log(np.maximum(count, 0.5))  # a class without a line is hardly rarer
    each = [(log_softmax(logits, 1) - power * rare).argmax(1) for power in WEIGHTS]
    scores = [_f1(label[dev], decided[dev]) for decided in each]
    return each[int(np.argmax(scores))]


def _f1(true, decided) -> float:
    return float(f1_score(true, decided, average="weighted", zero_division=0))


def _measured(params, split, decided, label, dialogue, places) -> list[pd.DataFrame]:
    evaluate = params.evaluate
    drawn = Clusters(dialogue[places], evaluate.resamples, params.seed)
    first, tables = {}, []
    for name, classes in decided.items():
        draws = single_label_draws(label[places], classes[places], drawn)
        draws = {key: each for key, each in draws.items() if key[1] == "mean"}
        first = first or draws
        gains = {
            (f"{metric} above", target): values - first[metric, target]
            for (metric, target), values in draws.items()
            if name != WORDS
        }
        for against, each in (("", draws), (WORDS, gains)):
            if each:
                found = tabulate(each, drawn, evaluate.confidence)
                tables.append(found.assign(method=name, against=against, split=split))
    return tables
