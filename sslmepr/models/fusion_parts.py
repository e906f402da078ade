"""Parts of the fusion model: projectors, attention, stacking, experts, guide bank."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslmepr.labels import TARGETS
from sslmepr.models.unimodal import set_linear

LARGEST_LOGIT = 8.0
"""Unimodal logits are clipped to plus and minus this, a probability of 0.9997. By
convention, not tuned."""

LARGEST_LOG_QUALITY = 4.0
"""Precisions of a modality are within a factor of 55 of the usual one. By convention,
not tuned."""


class Projector(nn.Module):
    """Projection of an embedding to the common width, and a bottleneck adapter.

    Parameters
    ----------
    width, hidden : int
        Of the embedding and of the result.
    dropout : float
    activation : type of Module
    """

    def __init__(self, width: int, hidden: int, dropout: float, activation=nn.GELU):
        super().__init__()
        self.project = nn.Sequential(
            nn.Linear(width, hidden),
            activation(),
            nn.Dropout(dropout),
            nn.LayerNorm(hidden),
        )
        self.adapter = nn.Sequential(
            nn.Linear(hidden, hidden // 2),
            activation(),
            nn.Dropout(dropout),
            nn.Linear(hidden // 2, hidden),
        )
        self.norm = nn.LayerNorm(hidden)

    def forward(self, embedding: Tensor) -> Tensor:
        """Map (clip, width) to (clip, hidden)."""
        projected = self.project(embedding)
        return self.norm(projected + self.adapter(projected))


class GraphAttention(nn.Module):
    """Single-head attention over the complete graph of modalities.

    Attention of node i to node j is the softmax over present j of
    LeakyReLU(a' [W h_i | W h_j]) (Velickovic et al. 2018, equations 1 to 4, and the
    slope for negative inputs, 0.2).
    """

    def __init__(self, hidden: int):
        super().__init__()
        self.weight = nn.Linear(hidden, hidden, bias=False)
        self.receive = nn.Linear(hidden, 1, bias=False)
        self.send = nn.Linear(hidden, 1, bias=False)

    def forward(self, nodes: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Update the nodes of all clips.

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
        scores = F.leaky_relu(scores.float(), 0.2)
        scores = scores.masked_fill(~present[:, None, :], -torch.inf)
        attention = scores.softmax(-1).masked_fill(~present[..., None], 0.0)
        return F.elu(attention @ nodes.float()), attention


class QueryReading(nn.MultiheadAttention):
    """Multi-head attention of a few queries that are the same for every clip.

    The key projection is applied to the queries and the value projection to the
    weighted sums of nodes. By associativity this equals ordinary attention, and it
    needs fewer multiplications than keys and values of all nodes.
    """

    def __init__(self, hidden: int, heads: int):
        super().__init__(hidden, heads, batch_first=True)

    def read(
        self, queries: Tensor, nodes: Tensor, present: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Attend to the nodes; `forward` stays that of ordinary attention.

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
        # The key bias would add a constant to the scores of all nodes of a query.
        wanted = torch.einsum(
            "thw,hwd->htd",
            asked.unflatten(1, (heads, -1)),
            key.unflatten(0, (heads, -1)),
        ).flatten(0, 1)
        scores = (nodes @ wanted.T).mT.float()  # (clip, head x task, modality)
        share = scores.masked_fill(~present[:, None], -torch.inf).softmax(-1)
        read = (share @ nodes).view(clips, heads, tasks, hidden)
        values = torch.einsum("chtd,hwd->cthw", read, value.unflatten(0, (heads, -1)))
        found = self.out_proj(values.flatten(2) + value_bias)
        return found, share.view(clips, heads, tasks, nodes.shape[1]).mean(1)


class PredictProjector(nn.Module):
    """Stacking regression (late fusion) on the centred unimodal logits of a task.

    Parameters
    ----------
    task : {"emotion", "personality"}
    modalities : int
        Number of modalities.
    features : dict of str to int, optional
        Modality to its number of features, for a model with co-trained probes. These
        are linear maps from features to logits, fitted to pseudo-labels of the other
        modalities (`sslmepr.training.co_training`), and added to the logits of stage 2.
        They are 0 until they are set.
    """

    mean: Tensor

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
        """Unimodal logits, centred by the per-target mean of `centre`.

        Logits of co-trained probes are added. Absent modalities contribute 0. The mean
        is shared by all modalities, so a modality whose corpus has a higher base rate
        keeps it. This matters where corpora of different modalities are joined and a
        clip has a single modality.

        Parameters
        ----------
        given : FusionInput

        Returns
        -------
        (clip, modality x target) torch.Tensor
            Target varies fastest.
        """
        absent = ~given.present[..., None]
        logits = unimodal_logits(self.task, given) - self.mean
        if self.probes:
            added = [
                probe(given.features[modality].masked_fill(absent[:, place], 0.0))
                for place, (modality, probe) in enumerate(self.probes.items())
            ]
            logits = logits + torch.stack(added, 1).float()
        return logits.masked_fill(absent, 0.0).flatten(1)

    def forward(self, given) -> Tensor:
        """Map a `FusionInput` to logits (clip, target)."""
        return self.linear(self.centred_logits(given))

    def terms(self, given) -> Tensor:
        """What each modality adds to the logits: (clip, modality, target).

        The sum over modalities and the bias of the regression are the logits. The term
        of an absent modality is 0.
        """
        targets = len(self.mean)
        weight = self.linear.weight.unflatten(1, (-1, targets))
        logits = self.centred_logits(given).unflatten(1, (-1, targets))
        return torch.einsum("cmi,kmi->cmk", logits, weight)

    def centre(self, given) -> None:
        """Set the per-target mean logit, over clips and present modalities.

        Parameters
        ----------
        given : FusionInput
            Labelled training clips.
        """
        present = given.present[..., None]
        logits = unimodal_logits(self.task, given).masked_fill(~present, 0.0)
        self.mean.copy_(logits.sum((0, 1)) / present.sum().clamp(min=1))

    def set_probe(self, modality: str, weights: Tensor, bias: Tensor) -> None:
        """Set the co-trained probe of a modality and freeze it.

        Parameters
        ----------
        modality : str
        weights : (target, feature) torch.Tensor
        bias : (target,) torch.Tensor
        """
        self.probes[modality] = probe = nn.Linear(weights.shape[1], weights.shape[0])
        set_linear(probe, weights, bias)

    def set_linear(self, weights: Tensor, bias: Tensor) -> None:
        """Set the weights of the stacking regression and freeze them.

        Parameters
        ----------
        weights : (target, modality x target) torch.Tensor
        bias : (target,) torch.Tensor
        """
        set_linear(self.linear, weights, bias)


def unimodal_logits(task: str, given) -> Tensor:
    """Predictions of stage 2 as clipped logits.

    Parameters
    ----------
    task : {"emotion", "personality"}
    given : FusionInput

    Returns
    -------
    (clip, modality, target) torch.Tensor
    """
    logits = given.emotion_logits
    if task == "personality":
        logits = torch.logit(given.trait_scores, eps=1e-6)
    return logits.clamp(-LARGEST_LOGIT, LARGEST_LOGIT).float()


class GuideBank(nn.Module):
    """Scaled cosine similarity of the representation to one embedding per target.

    The scale is learned. An unscaled cosine limits probabilities to 0.27..0.73, and
    averaging it with the head's output would limit the logits of both. The scale starts
    at 1, so that an untrained bank changes the predict projector's logits little.
    """

    def __init__(self, targets: int, hidden: int):
        super().__init__()
        self.embeddings = nn.Parameter(torch.randn(targets, hidden) / hidden**0.5)
        self.log_scale = nn.Parameter(torch.tensor(0.0))

    def forward(self, representation: Tensor) -> Tensor:
        """Map (clip, hidden) to logits (clip, target)."""
        bank = F.normalize(self.embeddings, dim=-1)
        cosine = F.normalize(representation, dim=-1) @ bank.T
        return self.log_scale.exp() * cosine.float()


class ProductOfExperts(nn.Module):
    """Fusion of modalities by how well each was seen (Hinton 2002).

    Modality m of a clip gives evidence v_m about all targets of all tasks, the terms of
    the stacking regressions, and a precision q_m B_m B_m', of which q_m is read from
    its node. The targets x have the prior precision L L', which couples them. With

        P(q) = L L' + sum_m q_m B_m B_m',    x = P(q)^-1 P(1) sum_m q_m v_m

    x is the posterior mean, up to the scale of the regressions. At q_m = 1 for all
    modalities, where training starts, it is the sum of their terms, whatever L and B
    are. A modality that is absent or hardly seen (q_m = 0) drops out, the others count
    for more, and the prior draws x towards 0. Emotions are decided by x over its
    posterior deviation, as in probit regression.

    Parameters
    ----------
    targets : int
        Of all tasks together.
    modalities, hidden : int
    """

    def __init__(self, targets: int, modalities: int, hidden: int):
        super().__init__()
        self.quality = nn.Parameter(torch.zeros(modalities, hidden))
        self.usual = nn.Parameter(torch.zeros(modalities))
        self.prior = nn.Parameter(torch.eye(targets))
        self.experts = nn.Parameter(0.5 * torch.eye(targets).repeat(modalities, 1, 1))

    def forward(
        self, nodes: Tensor, terms: Tensor, present: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Weigh the terms of all modalities.

        Parameters
        ----------
        nodes : (clip, modality, hidden) torch.Tensor
        terms : (clip, modality, target) torch.Tensor
        present : (clip, modality) torch.Tensor of bool

        Returns
        -------
        mean : (clip, target) torch.Tensor
            x, without the bias of the regressions.
        sharpness : (clip, target) torch.Tensor
            Posterior deviation at q = 1 for all modalities, over that of the clip.
        quality : (clip, modality) torch.Tensor
            q; 0 where absent.
        """
        quality = (nodes * self.quality).sum(-1) + self.usual
        quality = quality.clamp(-LARGEST_LOG_QUALITY, LARGEST_LOG_QUALITY).exp()
        quality = quality.masked_fill(~present, 0.0)
        each = self.experts @ self.experts.mT  # (modality, target, target)
        prior = self.prior @ self.prior.mT
        precision = prior + torch.einsum("cm,mij->cij", quality, each)
        start = prior + each.sum(0)
        evidence = (quality[..., None] * terms).sum(1) @ start
        covariance = torch.linalg.inv(precision)
        mean = (covariance @ evidence[..., None])[..., 0]
        variance = torch.linalg.inv(start).diagonal() / covariance.diagonal(0, 1, 2)
        return mean, variance.sqrt(), quality
