import numpy as np
import pytest

from sslmepr.simulation.espeak import VoiceError, synthesise

SETTINGS = {"rate": 200, "volume": 60, "pitch": 50, "range": 50}


@pytest.mark.parametrize("variant", ["en-us+m3", "en-us+f2"])
def test_what_was_said_before_changes_nothing(variant):
    first, rate_hz = synthesise("<speak>All is well.</speak>", variant, SETTINGS, 1)
    synthesise("<speak>Something else.</speak>", "en-us+f4", SETTINGS, 2)
    second, _ = synthesise("<speak>All is well.</speak>", variant, SETTINGS, 1)
    np.testing.assert_array_equal(first, second)
    assert rate_hz == 22050
    assert 0.3 < len(first) / rate_hz < 2


def test_an_unknown_voice_is_named():
    with pytest.raises(VoiceError, match="'xx-nobody'"):
        synthesise("<speak>Hello.</speak>", "xx-nobody", SETTINGS, 1)
