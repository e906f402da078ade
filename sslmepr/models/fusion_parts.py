"""Parts of the fusion model: projectors, attention, stacking, experts, guide bank."""

from typing import NamedTuple

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

QUICK = 4.0
"""Factor on parameters that start at 0 and are of order 1 in the end, so that they get
there at the learning rate of the network. By convention, not tuned."""

LARGEST_EXTRAVERSION = 2.0
"""Logits of the score from which expressiveness is taken are clipped to plus and minus
this. By convention, not tuned."""

CONTRARY, CONTRADICTS = "text", "audio"
"""Modality whose evidence may be contrary, and the one that shows whether it is."""


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
        # Without initial weights, which would draw random numbers: the rest of a network
        # starts the same with probes and without.
        probe = nn.utils.skip_init(nn.Linear, weights.shape[1], weights.shape[0])
        self.probes[modality] = probe
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
    the stacking regressions, and a precision q_m B_m B_m', with q_m = exp(a_m r_m +
    c_m) of its reading r_m. The targets x have the prior precision L L', which couples
    them. With

        P(q) = L L' + sum_m q_m B_m B_m',    h = P(1) sum_m q_m v_m,

    x = P(q)^-1 h is the posterior mean, up to the scale of the regressions. At q_m = 1
    for all modalities, where training starts, it is the sum of their terms, whatever L
    and B are. A modality that is absent or hardly seen (q_m = 0) drops out, the others
    count for more, and the prior draws x towards 0. Emotions are decided by x over its
    posterior deviation, as in probit regression.

    Words may be *contrary*. A second hypothesis about the clip then multiplies what one
    modality says of emotions, S_m, in its evidence and on both sides of its precision.
    The log odds of the hypotheses are those read from another modality, plus a learned
    share of h' P^-1 h / 2 - log det(P) / 2, the log evidence of a Gaussian.

    People differ in *expressiveness*: emotions are shown kappa = exp(b x_v) times as
    strongly, for the extraversion x_v that the evidence gives at kappa = 1. Evidence of
    emotions is multiplied by kappa, and their precision by its square.

    Parameters
    ----------
    targets : int
        Of all tasks together.
    emotions : int
        How many of them, the first ones, are emotions.
    modalities : int
    contrary : int, optional
        Position of the modality whose evidence may be contrary; there is a single
        hypothesis if not given.
    extraversion : int, optional
        Position of the target; all people are equally expressive if not given.
    """

    def __init__(
        self,
        targets: int,
        emotions: int,
        modalities: int,
        contrary: int | None = None,
        extraversion: int | None = None,
    ):
        super().__init__()
        self.emotions, self.extraversion = emotions, extraversion
        self.trust = nn.Parameter(torch.zeros(modalities))
        self.usual = nn.Parameter(torch.zeros(modalities))
        self.prior = nn.Parameter(torch.eye(targets))
        self.experts = nn.Parameter(0.5 * torch.eye(targets).repeat(modalities, 1, 1))
        self.contrary = contrary
        if contrary is not None:
            self.reversal = nn.Parameter(torch.tensor(0.0))
            self.odds = nn.Parameter(torch.tensor([1.0, 0.0]))
            self.log_share = nn.Parameter(torch.tensor(-1.5))
        if extraversion is not None:
            self.moderation = nn.Parameter(torch.tensor(0.0))

    def forward(
        self,
        readings: Tensor,
        terms: Tensor,
        present: Tensor,
        log_odds: Tensor | None = None,
    ) -> "Product":
        """Weigh the terms of all modalities.

        Parameters
        ----------
        readings : (clip, modality) torch.Tensor
            Log precision of each modality, as far as it is seen; 0 is the usual.
        terms : (clip, modality, target) torch.Tensor
        present : (clip, modality) torch.Tensor of bool
        log_odds : (clip,) torch.Tensor, optional
            That words are contrary, without what they say.

        Returns
        -------
        Product
        """
        quality = QUICK * self.trust * readings + self.usual
        quality = quality.clamp(-LARGEST_LOG_QUALITY, LARGEST_LOG_QUALITY).exp()
        quality = quality.masked_fill(~present, 0.0)
        each = self.experts @ self.experts.mT  # (modality, target, target)
        prior = self.prior @ self.prior.mT
        start = prior + each.sum(0)
        # Hypotheses scale what each modality says: (hypothesis, modality, target).
        signs = self._signs(terms)
        evidence = torch.einsum(
            "hmi,cmi->chi", signs, quality[..., None] * terms @ start
        )
        scaled = signs[..., None] * each * signs[..., None, :]
        precision = torch.einsum("cm,hmij->chij", quality, scaled)
        odds = self._odds(log_odds, terms)
        if self.extraversion is not None:
            first = _gaussian(prior + precision, evidence)
            weights = self._weights(odds, first)
            known = torch.einsum("ch,chi->ci", weights, first[0])[:, self.extraversion]
            known = known.clamp(-LARGEST_EXTRAVERSION, LARGEST_EXTRAVERSION)
            shown = (QUICK * self.moderation * known).exp()
            gain = torch.ones_like(terms[:, :1])  # (clip, 1, target)
            emotional = torch.arange(terms.shape[-1], device=gain.device)
            gain = torch.where(emotional < self.emotions, shown[:, None, None], gain)
            evidence = evidence * gain
            precision = precision * gain[..., None] * gain[..., None, :]
        found = _gaussian(prior + precision, evidence)
        variance = torch.linalg.inv(start).diagonal() / found[1]
        return Product(found[0], variance.sqrt(), self._weights(odds, found), quality)

    def _signs(self, terms: Tensor) -> Tensor:
        _, modalities, targets = terms.shape
        as_said = torch.ones(1, modalities, targets, device=terms.device)
        if self.contrary is None:
            return as_said
        place = torch.zeros_like(as_said)
        place[:, self.contrary, : self.emotions] = 1.0
        return torch.cat([as_said, as_said - QUICK * self.reversal * place])

    def _odds(self, log_odds: Tensor | None, terms: Tensor) -> Tensor:
        """Log prior of the hypotheses: (clip, hypothesis)."""
        if self.contrary is None:
            return torch.zeros_like(terms[:, 0, :1])
        if log_odds is None:
            raise ValueError("contrary words: the log odds of clips are missing")
        read = self.odds[0] * log_odds + self.odds[1]
        return F.logsigmoid(torch.stack([-read, read], 1))

    def _weights(self, odds: Tensor, found: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Posterior of the hypotheses: (clip, hypothesis)."""
        if self.contrary is None:
            return odds.softmax(1)
        return (odds + self.log_share.exp() * found[2]).softmax(1)


class Product(NamedTuple):
    """What a `ProductOfExperts` finds for a batch of clips.

    Attributes
    ----------
    mean : (clip, hypothesis, target) torch.Tensor
        x, without the bias of the regressions.
    sharpness : (clip, hypothesis, target) torch.Tensor
        Posterior deviation at q = 1 for all modalities, over that of the clip.
    weights : (clip, hypothesis) torch.Tensor
        Posterior probability of each hypothesis: words as said, and contrary.
    quality : (clip, modality) torch.Tensor
        q; 0 where absent.
    """

    mean: Tensor
    sharpness: Tensor
    weights: Tensor
    quality: Tensor


def _gaussian(precision: Tensor, evidence: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance (..., target) of a Gaussian, and log evidence (...)."""
    factor = torch.linalg.cholesky(precision)
    covariance = torch.cholesky_inverse(factor)
    mean = (covariance @ evidence[..., None])[..., 0]
    log_root = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    support = (evidence * mean).sum(-1) / 2 - log_root
    return mean, covariance.diagonal(dim1=-2, dim2=-1), support


class Readings(nn.Module):
    """What is special about a clip, read from its features by frozen linear maps.

    They are fitted without labels (`sslmepr.training.readings`), and say nothing until
    they are set.

    Parameters
    ----------
    features : dict of str to int
        Modality to its number of features.
    """

    usual_odds: Tensor

    def __init__(self, features: dict[str, int]):
        super().__init__()
        self.register_buffer("usual_odds", torch.tensor(0.0))
        self.probes = nn.ModuleDict()
        for modality, width in features.items():
            self.set_quality(modality, torch.zeros(1, width), torch.zeros(1))
        if CONTRADICTS in features:
            width = features[CONTRADICTS]
            self.set_contrary(torch.zeros(1, width), torch.zeros(1), 0.0)

    def set_quality(self, modality: str, weights: Tensor, bias: Tensor) -> None:
        """Set how the log precision of a modality is read.

        Parameters
        ----------
        modality : str
        weights : (1, feature) torch.Tensor
        bias : (1,) torch.Tensor
        """
        self.probes[modality] = probe = nn.Linear(weights.shape[1], 1)
        set_linear(probe, weights, bias)

    def set_contrary(self, weights: Tensor, bias: Tensor, usual: float) -> None:
        """Set how the log odds of contrary words are read from `CONTRADICTS`.

        Parameters
        ----------
        weights : (1, feature) torch.Tensor
        bias : (1,) torch.Tensor
        usual : float
            Log odds where that modality is absent.
        """
        self.probes["contrary"] = probe = nn.Linear(weights.shape[1], 1)
        set_linear(probe, weights, bias)
        self.usual_odds.fill_(usual)

    def forward(self, given) -> tuple[Tensor, Tensor | None]:
        """Read a `FusionInput`.

        Returns
        -------
        quality : (clip, modality) torch.Tensor
            Log precision; 0 where absent.
        log_odds : (clip,) torch.Tensor or None
            Of contrary words; None where no modality could show them.
        """
        there = dict(zip(given.features, given.present.T, strict=True))
        seen = {
            name: values.masked_fill(~there[name][:, None], 0.0)
            for name, values in given.features.items()
        }
        read = [self.probes[name](values)[:, 0] for name, values in seen.items()]
        quality = torch.stack(read, 1).float().masked_fill(~given.present, 0.0)
        if CONTRADICTS not in seen:
            return quality, None
        odds = self.probes["contrary"](seen[CONTRADICTS])[:, 0].float()
        return quality, torch.where(there[CONTRADICTS], odds, self.usual_odds)


def mixed(logits: Tensor, weights: Tensor) -> Tensor:
    """Logits of the mean probability over hypotheses.

    Parameters
    ----------
    logits : (clip, hypothesis, target) torch.Tensor
    weights : (clip, hypothesis) torch.Tensor
        Sum to 1.

    Returns
    -------
    (clip, target) torch.Tensor
    """
    if logits.shape[1] == 1:
        return logits[:, 0]
    share = weights.clamp(min=1e-12).log()[..., None]
    yes, no = (
        (share + F.logsigmoid(sign * logits)).logsumexp(1) for sign in (1.0, -1.0)
    )
    return yes - no
