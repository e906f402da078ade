"""Guides for two forms in which people show an emotion, as hot and cold anger are."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sslmepr.labels import EMOTIONS

TWO_FORMS = ("face", "body", "audio")
"""Modalities that may show a second form."""

SMALLEST = 1e-4
"""Probabilities are kept this far from 0 and 1."""


class SecondForms(nn.Module):
    """What it changes to know that emotions are shown in one of two forms.

    Features of a modality are a linear function of emotions and a Gaussian error. In
    `TWO_FORMS` the function is one of two, the same in all modalities of a clip. Given
    the form, emotions have a Gaussian posterior; that of the form is proportional to
    its share times the evidence for it. The result is added to the logits of late
    fusion, which is linear and knows of one form only. It is 0 until the parameters are
    set (`sslmepr.training.second_forms`); they are frozen.

    Parameters
    ----------
    features : dict of str to int
        Modality to its number of features.

    Attributes
    ----------
    probes : ModuleDict
        By modality, a map from features to (hypothesis x emotion): one form for all,
        first form, second form.
    precision : (modality, hypothesis, emotion, emotion) torch.Tensor
    prior : (emotion, emotion) torch.Tensor
        Prior precision.
    threshold : (emotion,) torch.Tensor
        From which an emotion is present.
    log_share : (form,) torch.Tensor
    """

    precision: Tensor
    prior: Tensor
    threshold: Tensor
    log_share: Tensor

    def __init__(self, features: Mapping[str, int]):
        super().__init__()
        count = len(EMOTIONS) - 1
        self.probes = nn.ModuleDict()
        for name, width in features.items():
            # Without initial weights, which would draw random numbers: a network whose
            # forms change nothing is trained as one without them.
            self.probes[name] = probe = nn.utils.skip_init(nn.Linear, width, 3 * count)
            for each in probe.parameters():
                nn.init.zeros_(each.requires_grad_(False))
        shape = len(features), 3, count, count
        self.register_buffer("precision", torch.zeros(shape))
        self.register_buffer("prior", torch.eye(count))
        self.register_buffer("threshold", torch.zeros(count))
        self.register_buffer("log_share", torch.full((2,), 0.5).log())

    def forward(self, features: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """Logits with two forms less those with one: (clip, emotion), neutral first.

        Parameters
        ----------
        features : mapping of str to (clip, feature) torch.Tensor
        present : (clip, modality) torch.Tensor of bool
        """
        count = len(self.threshold)
        found = self.prior.new_zeros(len(present), 3 * count)
        for place, (name, probe) in enumerate(self.probes.items()):
            absent = ~present[:, place, None]
            said = probe(features[name].masked_fill(absent, 0.0)).float()
            found = found + said.masked_fill(absent, 0.0)
        evidence = found.unflatten(1, (3, count))
        precision = self.prior + torch.einsum(
            "cm,mhij->chij", present.float(), self.precision
        )
        factor = torch.linalg.cholesky(precision)
        covariance = torch.cholesky_inverse(factor)
        mean = (covariance @ evidence[..., None])[..., 0]
        deviation = covariance.diagonal(dim1=-2, dim2=-1).sqrt()
        chance = torch.special.ndtr((mean - self.threshold) / deviation)
        log_root = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        support = (evidence * mean).sum(-1) / 2 - log_root
        weight = (support[:, 1:] + self.log_share).softmax(1)
        two = (weight[..., None] * chance[:, 1:]).sum(1)
        change = torch.logit(two, SMALLEST) - torch.logit(chance[:, 0], SMALLEST)
        return torch.cat([torch.zeros_like(change[:, :1]), change], 1)
