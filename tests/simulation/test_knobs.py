import numpy as np
import pytest
from plain import plain
from pydantic import ValidationError
from scipy.optimize import minimize_scalar

from sslmepr.params.simulation import Knobs
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.knobs import (
    HIDING,
    Loadings,
    domain_shift,
    draw_circumstances,
    draw_controls,
    envelopes,
    expressiveness,
    look_loadings,
    noise_levels,
    overlapping,
)
from sslmepr.simulation.world import draw_traits

CONTROLS = {"face": tuple("abcd"), "text": tuple("ab")}
FULL = Knobs(
    reliability=1, incongruence=1, burst=1, moderation=1, variants=1, missing=0.6
)


@pytest.fixture(autouse=True)
def few_hidden(monkeypatch):
    hiding = {"scarf": ("face", ("a", "b")), "glasses": ("face", ("c",))}
    monkeypatch.setattr("sslmepr.simulation.knobs.HIDING", hiding)


def some_latents(clips, seed=0):
    rng = np.random.default_rng(seed)
    return np.hstack([rng.standard_normal((clips, 6)), draw_traits(clips, rng)])


def circumstances(knobs, clips=4000, seed=1):
    latents = some_latents(clips)
    persons = np.arange(clips) // 2
    rng = np.random.default_rng(seed)
    return latents, draw_circumstances(knobs, CONTROLS, latents, persons, 4, rng)


def test_hidden_controls_exist(settings, monkeypatch):
    monkeypatch.undo()
    channels = make_channels(settings.simulation)
    for channel, controls in HIDING.values():
        assert set(controls) < set(channels[channel].controls)


@pytest.mark.parametrize("dose", [0, 0.3, 1])
def test_mean_precision_of_the_noise_is_one(dose):
    levels = noise_levels(dose)
    assert np.dot([0.5, 0.25, 0.25], levels**-2.0) == pytest.approx(1)
    np.testing.assert_allclose(levels / levels[0], [1, 3**dose, 9**dose])


def test_envelope_of_a_burst_stands_out_at_its_onset():
    found = envelopes(Knobs(burst=1), 4)
    np.testing.assert_allclose(found, 2 * np.eye(4), atol=1e-12)


def test_envelope_of_order_rises_from_its_opposite():
    (found,) = envelopes(Knobs(order=1), 5)
    np.testing.assert_allclose(found, np.array([-2, -1, 0, 1, 2]) / np.sqrt(2))


@pytest.mark.parametrize(("burst", "order"), [(0, 0), (0.4, 0), (0.7, 0.5), (1, 0.2)])
def test_envelopes_have_a_mean_square_of_one(burst, order):
    found = envelopes(Knobs(burst=burst, order=order), 8)
    np.testing.assert_allclose((found**2).mean(1), 1)
    assert len(found) == (8 if burst else 1)


def test_expressiveness_has_a_mean_square_of_one():
    drawn = np.random.default_rng(0).standard_normal(400_000)
    assert (expressiveness(0.4, drawn) ** 2).mean() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(expressiveness(0, drawn[:9]), np.ones(9))


def test_overlap_turns_an_axis_by_the_angle(settings):
    channel = make_channels(plain(settings).simulation)["face"]
    traits, emotions = channel.trait_axes, channel.emotion_axes
    np.testing.assert_array_equal(overlapping(traits, emotions, 0), traits)
    turned = overlapping(traits, emotions, 30)
    happiness = emotions[:, 3] / np.linalg.norm(emotions[:, 3])
    # Trait axes are orthogonal to those of emotions, so lengths are kept.
    np.testing.assert_allclose(
        np.linalg.norm(turned, axis=0), np.linalg.norm(traits, axis=0)
    )
    assert turned[:, 2] @ happiness == pytest.approx(0.5 * np.linalg.norm(traits[:, 2]))
    sadness = emotions[:, 4] / np.linalg.norm(emotions[:, 4])
    assert turned[:, 4] @ sadness == pytest.approx(-0.5 * np.linalg.norm(traits[:, 4]))


def test_looks_are_the_same_in_every_corpus():
    loadings = look_loadings(0.5, "face", 12)
    np.testing.assert_array_equal(loadings, look_loadings(0.5, "face", 12))
    assert (loadings**2).sum(1).mean() == pytest.approx(0.25)
    assert not np.allclose(loadings, look_loadings(0.5, "body", 12))


def test_circumstances_have_the_shares_of_their_doses():
    _, found = circumstances(FULL.model_copy(update={"occlusion": 0.5}))
    levels = noise_levels(1)
    for level, share in zip(levels, (0.5, 0.25, 0.25), strict=True):
        assert np.mean(found.noise["face"] == level) == pytest.approx(share, abs=0.03)
    assert found.contrary.mean() == pytest.approx(0.3, abs=0.03)
    assert found.second.mean() == pytest.approx(0.5, abs=0.03)
    assert found.hidden["face"].any(1).mean() == pytest.approx(0.5, abs=0.03)
    assert not found.hidden["text"].any()
    assert found.marker[found.contrary].mean() == pytest.approx(2.5, abs=0.1)
    assert found.marker[~found.contrary].mean() == pytest.approx(0, abs=0.1)
    # 0.3 each; of the 0.09 that would lose both, one is kept.
    absent = np.stack(list(found.absent.values()), 1)
    assert not absent.all(1).any()
    assert absent.mean() == pytest.approx(0.3 - 0.09 / 2, abs=0.02)
    np.testing.assert_array_equal(found.look[::2], found.look[1::2])


def test_modalities_are_absent_the_likelier_the_sadder():
    latents, found = circumstances(Knobs(missing=0.8, missing_when_sad=True))
    sad = latents[:, 4] > 0
    assert found.absent["face"][sad].mean() > 2 * found.absent["face"][~sad].mean()


def test_no_dose_has_no_effect():
    latents, found = circumstances(Knobs(), clips=50)
    rng = np.random.default_rng(0)
    axes = [rng.standard_normal((4, count)) for count in (6, 6, 5)]
    offset, noise = rng.standard_normal(4), rng.standard_normal((50, 4))
    loadings = Loadings(*axes, offset)
    values = draw_controls("face", loadings, latents, found, Knobs(), 8, noise, rng)
    expected = latents[:, :6] @ axes[0].T + latents[:, 6:] @ axes[2].T + offset + noise
    np.testing.assert_allclose(values[:, 0], expected, atol=1e-12)
    assert values.shape == (50, 1, 4)


def test_controls_follow_their_law():
    latents, found = circumstances(FULL, clips=50)
    rng = np.random.default_rng(0)
    first, second, traits = (rng.standard_normal((4, count)) for count in (6, 6, 5))
    offset, noise = rng.standard_normal(4), np.zeros((50, 4))
    loadings = Loadings(first, second, traits, offset)
    values = draw_controls("face", loadings, latents, found, FULL, 4, noise, rng)
    assert values.shape == (50, 4, 4)
    kappa = np.exp(latents[:, 8] - 1)
    for clip in range(50):
        if found.absent["face"][clip]:
            np.testing.assert_array_equal(values[clip], 0)
            continue
        axes = second if found.second[clip] else first
        # The noise of frames has mean 0, and a burst of 4 frames weighs 2 at its onset.
        shown = kappa[clip] * (axes @ latents[clip, :6]) * 2 / 4
        expected = shown + traits @ latents[clip, 6:] + offset
        np.testing.assert_allclose(values[clip].mean(0), expected, atol=1e-9)


def test_contrary_words_have_the_opposite_sign():
    latents, found = circumstances(Knobs(incongruence=1), clips=50)
    rng = np.random.default_rng(0)
    first, traits = rng.standard_normal((2, 6)), np.zeros((2, 5))
    loadings = Loadings(first, first, traits, np.zeros(2))
    knobs, noise = Knobs(incongruence=1), np.zeros((50, 2))
    values = draw_controls("text", loadings, latents, found, knobs, 4, noise, rng)
    sign = np.where(found.contrary, -1, 1)[:, None]
    np.testing.assert_allclose(values[:, 0], sign * (latents[:, :6] @ first.T))


def some_loadings():
    rng = np.random.default_rng(0)
    axes = [rng.standard_normal((40, count)) for count in (6, 6, 5)]
    axes[0][:, 2] = 0
    return Loadings(*axes, rng.standard_normal(40))


def test_domains_are_alike_without_offset():
    alike = some_loadings()
    same = alike.in_other_domain(0.0, "face", "vlog")
    for name, axes in vars(alike).items():
        np.testing.assert_array_equal(getattr(same, name), axes)
    np.testing.assert_array_equal(domain_shift(0.0, "vlog"), np.zeros(11))


def test_a_domain_has_a_gain_and_turned_axes():
    alike = some_loadings()
    half, full = (alike.in_other_domain(dose, "face", "vlog") for dose in (0.5, 1.0))
    np.testing.assert_array_equal(full.offset, alike.offset)
    assert not full.first[:, 2].any()  # what shows nothing shows nothing anywhere

    # full = gain (H + Delta) and half = root(gain) (H + Delta / 2).
    def misfit(root):
        turn = full.traits / root**2 - alike.traits
        return np.abs(half.traits / root - alike.traits - turn / 2).max()

    found = minimize_scalar(misfit, bounds=(0.3, 3), options={"xatol": 1e-12})
    assert found.fun < 1e-6
    turn = full.first / found.x**2 - alike.first
    shown = [0, 1, 3, 4, 5]
    lengths = np.linalg.norm(turn, axis=0) / np.linalg.norm(alike.first, axis=0).clip(1)
    np.testing.assert_allclose(lengths[shown], 0.5, atol=1e-6)
    other = alike.in_other_domain(1.0, "face", "monologue")
    voice = alike.in_other_domain(1.0, "audio", "vlog")
    assert not np.allclose(other.first, full.first)
    assert not np.allclose(voice.first, full.first)


def test_gains_and_shifts_spread_over_domains_as_they_should():
    alike = Loadings(np.eye(6), np.eye(6), np.eye(6)[:, :5], np.zeros(6))
    logs = [
        np.log(np.abs(alike.in_other_domain(1.0, "face", f"d{n}").first).max(0).mean())
        for n in range(400)
    ]
    assert np.std(logs) == pytest.approx(0.5, abs=0.06)
    shifts = np.array([domain_shift(1.0, f"d{n}") for n in range(400)])
    assert not shifts[:, 6:].any()
    assert shifts[:, :6].std() == pytest.approx(0.5, abs=0.03)
    np.testing.assert_allclose(2 * domain_shift(0.5, "d0"), shifts[0])


@pytest.mark.parametrize("wrong", [{"burst": 1.5}, {"order": -0.1}, {"bursts": 0.5}])
def test_doses_outside_their_range_or_of_unknown_knobs_are_errors(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Knobs(**wrong)
