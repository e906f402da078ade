import numpy as np

from sslmepr.simulation.look import HAIR_STYLES, draw_look


def test_same_seed_same_look():
    first, second = (draw_look(np.random.default_rng(3)) for _ in range(2))
    assert first == second


def test_looks_are_diverse_and_moderate():
    rng = np.random.default_rng(0)
    looks = [draw_look(rng) for _ in range(300)]
    assert {look.hair_style for look in looks} == set(HAIR_STYLES)
    assert 0.1 < np.mean([look.glasses for look in looks]) < 0.3
    widths = [look.face_width for look in looks]
    assert 0.9 < min(widths) < max(widths) < 1.1
    brightness = [np.mean(look.skin) for look in looks]
    assert min(brightness) < 100 and max(brightness) > 210
    assert not any(look.beard and look.hair_style == "headscarf" for look in looks)
