"""Posterior of emotions with two forms against one."""

import numpy as np
import torch
from scipy import stats

from sslmepr.models.second_forms import SecondForms

FEATURES = {"face": 4, "text": 3}


def module():
    random = torch.Generator().manual_seed(0)
    found = SecondForms(FEATURES)
    root = torch.randn(2, 3, 6, 6, generator=random)
    found.precision.copy_(root @ root.mT / 6)
    found.threshold.copy_(torch.randn(6, generator=random))
    found.log_share.copy_(torch.tensor([0.2, 0.8]).log())
    for probe in found.probes.values():
        probe.weight.copy_(torch.randn(probe.weight.shape, generator=random))
        probe.bias.copy_(torch.randn(probe.bias.shape, generator=random))
    return found


def clips():
    random = torch.Generator().manual_seed(1)
    given = {n: torch.randn(3, w, generator=random) for n, w in FEATURES.items()}
    return given, torch.tensor([[True, True], [True, False], [False, True]])


def test_forms_change_nothing_until_they_are_set():
    assert not SecondForms(FEATURES)(*clips()).any()


def test_the_change_is_that_of_the_mixture_by_hand():
    forms, (features, present) = module(), clips()
    found = forms(features, present).numpy()
    assert (found[:, 0] == 0).all()
    for clip in range(3):
        chance, support = [], []
        for form in range(3):
            precision, evidence = np.eye(6), np.zeros(6)
            for place, name in enumerate(FEATURES):
                if present[clip, place]:
                    said = forms.probes[name](features[name][clip]).double().numpy()
                    evidence = evidence + said.reshape(3, 6)[form]
                    precision = (
                        precision + forms.precision[place, form].double().numpy()
                    )
            cov = np.linalg.inv(precision)
            mean = cov @ evidence
            gap = (mean - forms.threshold.double().numpy()) / np.sqrt(cov.diagonal())
            chance.append(stats.norm.cdf(gap))
            support.append(evidence @ mean / 2 - np.linalg.slogdet(precision)[1] / 2)
        weight = np.array([0.2, 0.8]) * np.exp(np.array(support[1:]) - max(support[1:]))
        two = weight @ np.array(chance[1:]) / weight.sum()
        one, two = (np.clip(each, 1e-4, 1 - 1e-4) for each in (chance[0], two))
        expected = np.log(two / (1 - two)) - np.log(one / (1 - one))
        np.testing.assert_allclose(found[clip, 1:], expected, atol=2e-3)


def test_what_is_absent_changes_nothing():
    forms, (features, present) = module(), clips()
    other = {
        name: values.masked_fill(~present[:, place, None], torch.nan)
        for place, (name, values) in enumerate(features.items())
    }
    torch.testing.assert_close(forms(other, present), forms(features, present))
