"""Stage 2: network for one modality and both tasks, with bidirectional cross-attention.

The two encoders of stage 1 are frozen. Emotion steps attend to personality steps and
vice versa, and both heads read both embeddings. The heads correct the logits of
stage 1; the correction is 0 at the start of training.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sslmepr.labels import EMOTIONS, TRAITS
from sslmepr.models.sequence import masked_mean
from sslmepr.models.unimodal import UnimodalConfig, UnimodalModel, head


@dataclass(frozen=True)
class CrosstaskConfig:
    """Configuration of a `CrosstaskModel`.

    Attributes
    ----------
    emotion, personality : UnimodalConfig
        Configurations of the two stage-1 models; dictionaries from JSON are accepted.
    hidden, layers, heads : int
        Width, number of layers and heads of the cross-attention.
    dropout : float

    Raises
    ------
    ValueError
        If the two models are not for their task or read different features, or if
        `heads` does not divide `hidden`.
    """

    emotion: UnimodalConfig
    personality: UnimodalConfig
    hidden: int
    layers: int
    heads: int
    dropout: float

    def __post_init__(self):
        for task in ("emotion", "personality"):
            config = getattr(self, task)
            if isinstance(config, dict):
                config = UnimodalConfig(**config)
                object.__setattr__(self, task, config)
            if config.task != task:
                raise ValueError(f"{task}: got a model for the task {config.task}")
        widths = self.emotion.features, self.personality.features
        if widths[0] != widths[1]:
            raise ValueError(
                f"features: {widths[0]} for emotion, {widths[1]} for personality"
            )
        if self.hidden % self.heads:
            raise ValueError(f"heads={self.heads} does not divide hidden={self.hidden}")


class CrosstaskOutput(NamedTuple):
    """Output of a `CrosstaskModel` for a batch of clips.

    Attributes
    ----------
    emotion_embedding, personality_embedding : (clip, hidden) torch.Tensor
    emotion_logits : (clip, emotion) torch.Tensor
    trait_scores : (clip, trait) torch.Tensor
        In 0..1.
    features : (clip, feature) torch.Tensor
        Mean of the input over real steps.
    """

    emotion_embedding: Tensor
    personality_embedding: Tensor
    emotion_logits: Tensor
    trait_scores: Tensor
    features: Tensor


class CrossAttention(nn.Module):
    """Pre-norm residual cross-attention from one sequence to another."""

    def __init__(self, hidden: int, heads: int, dropout: float):
        super().__init__()
        self.asking_norm = nn.LayerNorm(hidden)
        self.answering_norm = nn.LayerNorm(hidden)
        self.attention = nn.MultiheadAttention(
            hidden, heads, dropout=dropout, batch_first=True
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, asking: Tensor, answering: Tensor, mask: Tensor) -> Tensor:
        """Attend from `asking` (queries) to `answering` (keys and values).

        Parameters
        ----------
        asking, answering : (clip, step, hidden) torch.Tensor
        mask : (clip, step) torch.Tensor of bool
            True at real steps.

        Returns
        -------
        (clip, step, hidden) torch.Tensor
        """
        answers = self.answering_norm(answering)
        found, _ = self.attention(
            self.asking_norm(asking),
            answers,
            answers,
            key_padding_mask=~mask,
            need_weights=False,
        )
        return asking + self.dropout(found)


class CrosstaskModel(nn.Module):
    """Two encoders of stage 1 joined by cross-attention in both directions."""

    def __init__(self, config: CrosstaskConfig):
        super().__init__()
        self.config = config
        hidden, dropout = config.hidden, config.dropout
        self.emotion_encoder = UnimodalModel(config.emotion)
        self.personality_encoder = UnimodalModel(config.personality)
        self.frozen = False
        self.emotion_project = nn.Linear(config.emotion.hidden, hidden)
        self.personality_project = nn.Linear(config.personality.hidden, hidden)
        shape = hidden, config.heads, dropout
        layers = range(config.layers)
        self.to_emotion = nn.ModuleList(CrossAttention(*shape) for _ in layers)
        self.to_personality = nn.ModuleList(CrossAttention(*shape) for _ in layers)
        self.emotion_norm = nn.LayerNorm(hidden)
        self.personality_norm = nn.LayerNorm(hidden)
        self.emotion_head = head(2 * hidden, hidden, len(EMOTIONS), dropout)
        self.trait_head = head(2 * hidden, hidden, len(TRAITS), dropout)

    def freeze_encoders(self) -> "CrosstaskModel":
        """Freeze stage 1: no gradients, and no dropout in training mode either."""
        self.frozen = True
        for encoder in (self.emotion_encoder, self.personality_encoder):
            encoder.requires_grad_(False)
        return self.train(self.training)

    def train(self, mode: bool = True) -> "CrosstaskModel":
        """Set the training mode; frozen encoders stay in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.emotion_encoder.eval()
            self.personality_encoder.eval()
        return self

    def forward(
        self,
        values: Tensor,
        mask: Tensor,
        offset_logits: dict[str, Tensor] | None = None,
    ) -> CrosstaskOutput:
        """Predict both tasks.

        Parameters
        ----------
        values : (clip, step, feature) torch.Tensor
        mask : (clip, step) torch.Tensor of bool
            True at real steps.
        offset_logits : dict of str to (clip, target) torch.Tensor, optional
            Task to base logits, as in `UnimodalModel.forward`.

        Returns
        -------
        CrosstaskOutput

        Raises
        ------
        ValueError
            If a clip has no real step.
        """
        offset_logits = offset_logits or {}
        first_emotion = self.emotion_encoder(values, mask, offset_logits.get("emotion"))
        first_personality = self.personality_encoder(
            values, mask, offset_logits.get("personality")
        )
        emotion = self.emotion_project(first_emotion.sequence)
        personality = self.personality_project(first_personality.sequence)
        for to_emotion, to_personality in zip(
            self.to_emotion, self.to_personality, strict=True
        ):
            emotion, personality = (
                to_emotion(emotion, personality, mask),
                to_personality(personality, emotion, mask),
            )
        emotion = masked_mean(self.emotion_norm(emotion), mask)
        personality = masked_mean(self.personality_norm(personality), mask)
        both = torch.cat([emotion, personality], dim=-1)
        return CrosstaskOutput(
            emotion,
            personality,
            first_emotion.logits + self.emotion_head(both).float(),
            torch.sigmoid(first_personality.logits + self.trait_head(both).float()),
            masked_mean(values, mask),
        )
