"""Parts of the fusion model: projectors, graph attention, guide bank."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslmepr.labels import TARGETS
from sslmepr.models.unimodal import set_linear

LARGEST_LOGIT = 8.0
"""Unimodal predictions that are surer than this count as this sure."""


class Projector(nn.Module):
    """An embedding to the common width, then a bottleneck adapter."""

    def __init__(self, width: int, hidden: int, dropout: float):
        super().__init__()
        self.project = nn.Sequential(
            nn.Linear(width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.LayerNorm(hidden),
        )
        self.adapter = nn.Sequential(
            nn.Linear(hidden, hidden // 2),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden // 2, hidden),
        )
        self.norm = nn.LayerNorm(hidden)

    def forward(self, embedding: Tensor) -> Tensor:
        """(clip, width) to (clip, hidden)."""
        projected = self.project(embedding)
        return self.norm(projected + self.adapter(projected))


class GraphAttention(nn.Module):
    """One head over a fully connected graph of modalities (Velickovic et al. 2018).

    Attention of node i to node j is the softmax over present j of
    LeakyReLU(a' [W h_i | W h_j]), equations 1 to 4 there.
    """

    def __init__(self, hidden: int, slope: float = 0.2):
        super().__init__()
        self.weight = nn.Linear(hidden, hidden, bias=False)
        self.receive = nn.Linear(hidden, 1, bias=False)
        self.send = nn.Linear(hidden, 1, bias=False)
        self.slope = slope

    def forward(self, nodes: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Exchange between nodes.

        Parameters
        ----------
        nodes : (clip, modality, hidden) torch.Tensor
        present : (clip, modality) torch.Tensor of bool

        Returns
        -------
        (clip, modality, hidden) torch.Tensor
        (clip, modality, modality) torch.Tensor
            Attention of the first to the second modality; zero rows where absent.
        """
        nodes = self.weight(nodes)
        scores = self.receive(nodes) + self.send(nodes).mT  # (clip, modality, modality)
        scores = F.leaky_relu(scores.float(), self.slope)
        scores = scores.masked_fill(~present[:, None, :], -torch.inf)
        attention = scores.softmax(-1).masked_fill(~present[..., None], 0.0)
        return F.elu(attention @ nodes.float()), attention


class QueryReading(nn.MultiheadAttention):
    """Multi-head attention of a few queries that are the same for every clip.

    What each head of a query looks for is taken to the nodes, and what it has read to
    the values: the same result as keys and values of all nodes, for a fraction of the
    products.
    """

    def __init__(self, hidden: int, heads: int):
        super().__init__(hidden, heads, batch_first=True)

    def forward(
        self, queries: Tensor, nodes: Tensor, present: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Read the nodes.

        Parameters
        ----------
        queries : (task, hidden) torch.Tensor
        nodes : (clip, modality, hidden) torch.Tensor
        present : (clip, modality) torch.Tensor of bool

        Returns
        -------
        (clip, task, hidden) torch.Tensor
        (clip, task, modality) torch.Tensor
            Attention, mean over heads.
        """
        clips, (tasks, hidden), heads = len(nodes), queries.shape, self.num_heads
        ask, key, value = self.in_proj_weight.view(3, hidden, hidden)
        ask_bias, _, value_bias = self.in_proj_bias.view(3, hidden)
        asked = F.linear(queries, ask, ask_bias) * (hidden // heads) ** -0.5
        # The bias of the keys would add the same to the scores of all nodes.
        wanted = torch.einsum(
            "thw,hwd->htd", asked.view(tasks, heads, -1), key.view(heads, -1, hidden)
        ).flatten(0, 1)
        scores = (nodes @ wanted.T).mT.float()  # (clip, head x task, modality)
        share = scores.masked_fill(~present[:, None], -torch.inf).softmax(-1)
        read = (share @ nodes).view(clips, heads, tasks, hidden)
        values = torch.einsum("chtd,hwd->cthw", read, value.view(heads, -1, hidden))
        found = self.out_proj(values.flatten(2) + value_bias)
        return found, share.view(clips, heads, tasks, -1).mean(1)


class PredictProjector(nn.Module):
    """A weighted sum of all unimodal predictions of a task.

    Parameters
    ----------
    task : str
    modalities : int
    features : dict of str to int, optional
        Modality to the width of its features, for a model with co-trained probes:
        linear maps from the features of a modality that were taught by the other
        modalities (`sslmepr.training.co_training`) and add to what stage 2 predicts.
        They are 0 until they are set.
    """

    def __init__(
        self, task: str, modalities: int, features: dict[str, int] | None = None
    ):
        super().__init__()
        self.task, targets = task, len(TARGETS[task])
        self.register_buffer("mean", torch.zeros(targets))
        self.linear = nn.Linear(modalities * targets, targets)
        self.probes = nn.ModuleDict()
        for modality, width in (features or {}).items():
            self.set_probe(modality, torch.zeros(targets, width), torch.zeros(targets))

    def centred_logits(self, given) -> Tensor:
        """Unimodal predictions as logits, less what is usual for a target.

        Where there are co-trained probes, they are added. An absent modality says what
        is usual, which is 0. One whose clips show an emotion more often than those of
        the others may say so: where corpora of different modalities are joined, it is
        all that a clip has.

        Parameters
        ----------
        given : FusionInput

        Returns
        -------
        (clip, modality x target) torch.Tensor
        """
        absent = ~given.present[..., None]
        logits = unimodal_logits(self.task, given) - self.mean
        if self.probes:
            said = [
                probe(given.features[modality].masked_fill(absent[:, place], 0.0))
                for place, (modality, probe) in enumerate(self.probes.items())
            ]
            logits = logits + torch.stack(said, 1).float()
        return logits.masked_fill(absent, 0.0).flatten(1)

    def forward(self, given) -> Tensor:
        """`FusionInput` to logits (clip, target)."""
        return self.linear(self.centred_logits(given))

    def centre(self, given) -> None:
        """Take what is usual from these (training) clips, a `FusionInput`."""
        present = given.present[..., None]
        logits = unimodal_logits(self.task, given).masked_fill(~present, 0.0)
        self.mean.copy_(logits.sum((0, 1)) / present.sum().clamp(min=1))

    def set_probe(self, modality: str, weights: Tensor, bias: Tensor) -> None:
        """Take over a co-trained probe of a modality, and keep it.

        Parameters
        ----------
        modality : str
        weights : (target, feature) torch.Tensor
        bias : (target,) torch.Tensor
        """
        self.probes[modality] = nn.Linear(weights.shape[1], weights.shape[0])
        set_linear(self.probes[modality], weights, bias)

    def set_linear(self, weights: Tensor, bias: Tensor) -> None:
        """Take over a linear solution on `centred_logits`, and keep it.

        Parameters
        ----------
        weights : (target, modality x target) torch.Tensor
        bias : (target,) torch.Tensor
        """
        set_linear(self.linear, weights, bias)


def unimodal_logits(task: str, given) -> Tensor:
    """What stage 2 predicts of a task, as logits: (clip, modality, target)."""
    logits = given.emotion_logits
    if task == "personality":
        logits = torch.logit(given.trait_scores, eps=1e-6)
    return logits.clamp(-LARGEST_LOGIT, LARGEST_LOGIT).float()


class GuideBank(nn.Module):
    """One learned embedding per target; how alike the representation is to each.

    The cosine is multiplied by a learned scale: by itself it could move a probability
    no further than from 0.27 to 0.73, and averaged with the head it would only hold
    the head back. The scale starts at 1, where a bank that has learned nothing yet
    hardly disturbs the predict projector.
    """

    def __init__(self, targets: int, hidden: int, scale: float = 1.0):
        super().__init__()
        self.embeddings = nn.Parameter(torch.randn(targets, hidden) / hidden**0.5)
        self.log_scale = nn.Parameter(torch.tensor(scale).log())

    def forward(self, representation: Tensor) -> Tensor:
        """(clip, hidden) to logits (clip, target)."""
        bank = F.normalize(self.embeddings, dim=-1)
        cosine = F.normalize(representation, dim=-1) @ bank.T
        return self.log_scale.exp() * cosine.float()
