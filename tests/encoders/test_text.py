import hashlib
import re

import checkpoints
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from sslmepr.encoders.text import TextEncoder, clauses
from sslmepr.weights import MINILM_L6, WeightsError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder("minilm_l6", CPU)


def test_one_feature_per_token(encoder):
    values = encoder.encode(["Hello there, friend."])
    # [CLS] hello there [SEP] [CLS] friend [SEP]
    assert [v.shape for v in values] == [(7, 384)]
    assert encoder.feature_count == 384
    assert encoder.revision == f"{MINILM_L6.revision}+last4+clauses"
    assert encoder.encode([]) == []


def test_a_step_is_the_mean_of_its_states_in_the_last_four_layers(encoder):
    folder = MINILM_L6.path.parent
    ids = AutoTokenizer.from_pretrained(folder)("Hello there friend")["input_ids"]
    model, states = AutoModel.from_pretrained(folder).eval(), []
    for layer in model.encoder.layer[2:]:
        layer.register_forward_hook(
            lambda _, __, output: states.append(
                (output if torch.is_tensor(output) else output[0]).reshape(-1, 384)
            )
        )
    with torch.no_grad():
        last = model(torch.tensor([ids])).last_hidden_state[0]
    assert len(states) == 4 and torch.equal(states[-1], last)
    expected = sum(states).numpy() / 4
    values = encoder.encode(["Hello there friend"])[0]
    np.testing.assert_allclose(values, expected, atol=1e-5)


def test_a_clause_is_read_alone(encoder):
    alone, beside = encoder.encode(
        ["I did not mind", "Well, I did not mind, and left."]
    )
    assert len(alone) == 6 and len(beside) == 3 + 6 + 4
    np.testing.assert_allclose(beside[3:9], alone, atol=1e-5)


def test_a_text_is_read_as_a_whole(encoder):
    whole = TextEncoder("minilm_l6_whole", CPU)
    assert whole.revision == f"{MINILM_L6.revision}+last4"
    text = "Well, I did not mind, and left."
    ids = AutoTokenizer.from_pretrained(MINILM_L6.path.parent)(text)["input_ids"]
    model = AutoModel.from_pretrained(MINILM_L6.path.parent).eval()
    with torch.no_grad():
        states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
    values, single = whole.encode([text, "I did not mind"])
    np.testing.assert_allclose(values, sum(states[-4:])[0].numpy() / 4, atol=1e-5)
    np.testing.assert_allclose(single, encoder.encode(["I did not mind"])[0], atol=1e-5)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Well, it is 3.5, and so on.", ["Well", "it is 3.5", "and so on"]),
        ("Really? No! Yes; or: no.", ["Really?", "No!", "Yes", "or", "no"]),
        ("at 10:30 we paid 1,000", ["at 10:30 we paid 1,000"]),
        ("no marks", ["no marks"]),
        (" ... ", [" ... "]),
        ("", [""]),
    ],
)
def test_clauses_end_at_punctuation_marks(text, expected):
    assert clauses(text) == expected


@given(st.text(alphabet="ab ,.;:!?\n"))
def test_clauses_lose_no_word(text):
    words = re.findall("[ab]+", text)
    assert re.findall("[ab]+", " ".join(clauses(text))) == words


def test_order_and_batches_change_nothing(encoder):
    texts = ["one", "a much longer sentence than the others here", "two words", ""]
    together = encoder.encode(texts)
    for text, values in zip(texts, together, strict=True):
        np.testing.assert_allclose(encoder.encode([text])[0], values, atol=1e-5)
    assert [len(v) for v in together] == [3, 10, 4, 2]


def test_meaning_is_near(encoder):
    texts = ["I am so happy today.", "What a joyful day!", "The invoice is overdue."]
    means = np.stack([values.mean(axis=0) for values in encoder.encode(texts)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    near, far = means[0] @ means[1], means[0] @ means[2]
    assert near > 0.5 > far


def test_long_texts_lose_nothing(encoder):
    """1,100 words: two windows of 510 between their marks, and 80 that are left."""
    words = [f"{name} speaks" for name in ("Anna", "Otto") for _ in range(275)]
    long, short = " ".join(words), "two words"
    values, beside = encoder.encode([long, short])
    assert values.shape == (512 + 512 + 82, 384) and beside.shape == (4, 384)
    pieces = long.split()
    parts = [pieces[:510], pieces[510:1020], pieces[1020:]]
    expected = [encoder.encode([" ".join(part)])[0] for part in parts]
    np.testing.assert_allclose(values, np.concatenate(expected), atol=1e-4)
    exact = encoder.encode([" ".join(pieces[:510])])[0]
    assert exact.shape == (512, 384)  # as much as fits into one


@pytest.fixture
def tiny_bge(tmp_path):
    return tmp_path, checkpoints.write_bge(tmp_path)


def test_bge_is_pooled_as_its_authors_say(tiny_bge):
    """The state at the first token, scaled to length 1."""
    folder, model = tiny_bge
    encoder = TextEncoder("bge_small_en", CPU, folder)
    with torch.no_grad():
        ids = torch.tensor([[2, 4, 5, 3]])
        first = model(input_ids=ids).last_hidden_state[0, 0].numpy()
    values = encoder.encode(["hello world", "hello"])
    np.testing.assert_allclose(values[0], [first / np.sqrt(first @ first)], atol=1e-5)
    assert values[1].shape == (1, 8) and encoder.feature_count == 8
    assert np.linalg.norm(values[1]) == pytest.approx(1)


def test_bge_pools_the_windows_of_a_long_text_by_their_tokens(tiny_bge):
    """16 positions, so windows of 14 words between their marks."""
    encoder = TextEncoder("bge_small_en", CPU, tiny_bge[0])
    words = ["hello"] * 14 + ["world"] * 5
    first, last = encoder.encode([" ".join(words[:14]), " ".join(words[14:])])
    mean = (16 * first + 7 * last) / 23
    (values,) = encoder.encode([" ".join(words)])
    np.testing.assert_allclose(values, mean / np.linalg.norm(mean), atol=1e-5)
    assert values.dtype == np.float32


def test_revision_is_that_of_the_weights(tiny_bge):
    folder, _ = tiny_bge
    path = folder / "bge_small_en" / "model.safetensors"
    first = TextEncoder("bge_small_en", CPU, folder).revision
    assert first == hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    state = load_file(path)
    state["encoder.layer.0.output.dense.bias"] += 1
    save_file(state, path, {"format": "pt"})
    assert TextEncoder("bge_small_en", CPU, folder).revision != first


def test_bge_without_its_weights(tmp_path):
    with pytest.raises(WeightsError, match="hf download BAAI/bge-small-en"):
        TextEncoder("bge_small_en", CPU, tmp_path)
    (tmp_path / "bge_small_en").mkdir()
    with pytest.raises(WeightsError, match=r"(?s)extract.text_encoder.*hf download"):
        TextEncoder("bge_small_en", CPU, tmp_path)
