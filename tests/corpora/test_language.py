import pytest

from sslmepr.corpora.language import FEWEST_WORDS, languages

TEXTS = {
    "en": "I never thought that we would be talking about this again after so long.",
    "de": "Ich hätte nie gedacht, dass wir nach so langer Zeit wieder davon reden.",
    "fr": "Je n'aurais jamais pensé que nous en reparlerions après tout ce temps.",
    "es": "Nunca pensé que volveríamos a hablar de esto después de tanto tiempo.",
    "ru": "Я никогда не думал, что мы снова будем говорить об этом после стольких лет.",
    "zh": "我 从来 没有 想到 过了 这么 久 我们 还会 再 谈起 这件 事情",
}


@pytest.mark.parametrize("code", TEXTS)
def test_languages_are_told_apart(code):
    assert languages([TEXTS[code]])["languages"] == {code: 1}


def test_the_most_frequent_come_first_and_short_ones_are_counted_apart():
    texts = [TEXTS["de"], *3 * [TEXTS["en"]], TEXTS["fr"], "Oui.", "Non, merci bien!"]
    found = languages(texts)
    assert list(found["languages"].items()) == [("en", 3), ("de", 1), ("fr", 1)]
    assert found["language_too_short"] == 2 and found["language_unsure"] == 0


def test_length_decides_what_is_too_short():
    words = TEXTS["en"].split()
    short, enough = words[: FEWEST_WORDS - 1], words[:FEWEST_WORDS]
    assert languages([" ".join(short)])["language_too_short"] == 1
    assert languages([" ".join(enough)])["languages"] == {"en": 1}


def test_what_is_no_language_is_unsure():
    numbers = " ".join(str(n) for n in range(20))
    assert languages([numbers])["language_unsure"] == 1


def test_nothing_is_nothing():
    expected = {"languages": {}, "language_unsure": 0, "language_too_short": 0}
    assert languages([]) == expected
