"""Factor models as logits: held against their posterior, and kept in checkpoints."""

import numpy as np
import pytest
import torch
from factor_laws import FEATURES, model, tensor

from sslmepr.labels import MODALITIES
from sslmepr.models import factor_expert
from sslmepr.models.factor_expert import COMPONENTS, FactorExpert
from sslmepr.models.factor_model import Parts, infer
from sslmepr.models.fusion import FusionInput

CLIPS = 8
LEVEL, SPREAD = np.linspace(0.4, 0.6, 5), np.linspace(0.1, 0.2, 5)
SOME = Parts(classes=1, contrary=False, expressive=False)


@pytest.fixture
def given():
    rng = np.random.default_rng(0)
    features = {
        name: torch.from_numpy(rng.standard_normal((CLIPS, FEATURES)).astype("float32"))
        for name in MODALITIES
    }
    present = torch.from_numpy(rng.random((CLIPS, len(MODALITIES))) > 0.3)
    present[:, 2] = True
    logits = torch.from_numpy(rng.standard_normal((CLIPS, len(MODALITIES), 7)))
    scores = torch.from_numpy(rng.random((CLIPS, len(MODALITIES), 5)))
    return FusionInput({}, logits.float(), scores.float(), present, features)


def expert(laws):
    found = FactorExpert(dict.fromkeys(MODALITIES, FEATURES), [*laws])
    found.set_laws(laws, tensor(LEVEL), tensor(SPREAD))
    return found


def laws(emotion=SOME, personality=SOME):
    return {"emotion": model(emotion, 1), "personality": model(personality, 2)}


@pytest.mark.parametrize("parts", [SOME, Parts()])
def test_logits_are_those_of_the_posterior(given, parts):
    own = laws(emotion=parts)
    own["emotion"].moderation = 0.2 * parts.expressive
    net = expert(own)
    net.standardise(given)
    found, evidence = net(given), net.evidence(given)
    for place, name in enumerate(MODALITIES):
        seen = given.present[:, place]
        known = given.features[name][seen].double()
        scaled = (known - known.mean(0)) / known.std(0, correction=0)
        np.testing.assert_allclose(evidence.features[name][seen], scaled, atol=1e-9)
        assert not evidence.features[name][~seen].any()
    chance = infer(own["emotion"], evidence).above(own["emotion"].thresholds)
    np.testing.assert_allclose(
        found["emotion"][:, 1:], torch.logit(chance), rtol=1e-5, atol=1e-5
    )
    assert not found["emotion"][:, 0].any()
    traits = infer(own["personality"], evidence).expected()[:, 6:]
    scores = tensor(LEVEL) + tensor(SPREAD) * traits
    np.testing.assert_allclose(
        found["personality"].sigmoid(), scores.clamp(1e-3, 1 - 1e-3), atol=1e-6
    )
    for task in found:
        assert torch.equal(net.of(task, given), found[task])


def test_of_many_features_the_first_principal_components_are_modelled(given):
    rng, wide = np.random.default_rng(3), 40
    clips = 300
    values = rng.standard_normal((clips, wide)) @ rng.standard_normal((wide, wide))
    values[:, 7] = 3.0  # a feature that does not vary
    many = {name: torch.zeros(clips, 2) for name in MODALITIES}
    many |= {"scene": torch.from_numpy(values)}
    present = torch.from_numpy(rng.random((clips, len(MODALITIES))) > 0.3)
    nothing = torch.zeros(clips, len(MODALITIES), 7)
    other = FusionInput({}, nothing, nothing[..., :5], present, many)
    net = FactorExpert(
        {name: each.shape[1] for name, each in many.items()}, ["emotion"]
    )
    net.standardise(other)
    found = net.evidence(other).features["scene"].numpy()
    seen = present[:, MODALITIES.index("scene")].numpy()
    scaled = np.delete(values, 7, 1)
    scaled = (scaled - scaled[seen].mean(0)) / scaled[seen].std(0)
    axes = np.linalg.svd(scaled[seen], full_matrices=False)[2][:COMPONENTS].T
    expected = scaled @ axes
    expected *= np.sign(axes[np.abs(axes).argmax(0), np.arange(COMPONENTS)])
    np.testing.assert_allclose(
        found[seen], (expected / expected[seen].std(0))[seen], atol=1e-8
    )
    assert found.shape == (clips, COMPONENTS) and not found[~seen].any()
    assert net.widths == dict.fromkeys(MODALITIES, 2) | {"scene": COMPONENTS}
    again = FactorExpert(
        {name: each.shape[1] for name, each in many.items()}, ["emotion"]
    )
    again.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(again.evidence(other).features["scene"], found)


def test_components_without_variance_say_nothing():
    clips, rng = 20, np.random.default_rng(4)
    wide = {
        name: torch.from_numpy(rng.standard_normal((clips, 50))) for name in MODALITIES
    }
    present = torch.ones(clips, len(MODALITIES), dtype=torch.bool)
    nothing = torch.zeros(clips, len(MODALITIES), 7)
    few = FusionInput({}, nothing, nothing[..., :5], present, wide)
    net = FactorExpert(dict.fromkeys(MODALITIES, 50), ["emotion"])
    net.standardise(few)
    found = net.evidence(few).features["face"]
    # Of 20 clips around their mean 19 components vary.
    np.testing.assert_allclose(found[:, :19].std(0, correction=0), 1, atol=1e-8)
    assert not found[:, 19:].any()


def test_one_law_of_both_tasks_is_inferred_once(given, monkeypatch):
    calls = []

    def note(*args):
        calls.append(args)
        return infer(*args)

    monkeypatch.setattr(factor_expert, "infer", note)
    law = model(SOME)
    for both, count in (({"emotion": law, "personality": law}, 1), (laws(), 2)):
        calls.clear()
        net = expert(both)
        net.standardise(given)
        net(given)
        assert len(calls) == count


def test_nothing_of_an_earlier_law_stays(given):
    both = {"emotion": model(Parts(forms=False)), "personality": model(SOME)}
    fresh = expert(both)
    changed = expert({"emotion": model(Parts(), 3), "personality": model(Parts(), 4)})
    changed.set_laws(both, tensor(LEVEL), tensor(SPREAD))
    for net in (fresh, changed):
        net.standardise(given)
    for task, values in fresh(given).items():
        assert torch.equal(changed(given)[task], values)
    alike = {"emotion": model(SOME), "personality": model(SOME)}
    changed.set_laws(alike, tensor(LEVEL), tensor(SPREAD))
    assert changed.same


def test_it_is_what_its_state_says(given):
    net, other = (
        expert(laws(emotion=Parts())),
        FactorExpert(dict.fromkeys(MODALITIES, FEATURES), ["emotion", "personality"]),
    )
    net.standardise(given)
    assert not other.awake
    other.load_state_dict(net.state_dict())
    assert other.awake
    for task, values in net(given).items():
        assert torch.equal(other(given)[task], values)
    assert not any(each.requires_grad for each in other.parameters())


def test_values_of_absent_modalities_do_not_count(given):
    net = expert(laws(emotion=Parts()))
    net.standardise(given)
    features = {
        name: values.masked_fill(~given.present[:, [place]], torch.nan)
        for place, (name, values) in enumerate(given.features.items())
    }
    other = given._replace(features=features)
    for task, values in net(given).items():
        assert torch.equal(net(other)[task], values)


def test_gradients_reach_the_features(given):
    net = expert(laws(emotion=Parts()))
    net.standardise(given)
    for values in given.features.values():
        values.requires_grad_()
    sum(each.sum() for each in net(given).values()).backward()
    for place, values in enumerate(given.features.values()):
        reached = values.grad.abs().sum(1) > 0
        assert torch.equal(reached, given.present[:, place])
