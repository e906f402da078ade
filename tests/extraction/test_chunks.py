import pytest

from sslmepr.extraction.chunks import NO_WORDS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[inaudible]", False),
        ("(laughs)", False),
        ("[music] (applause).", False),
        ("Well [laughs], I am glad.", True),
        ("[laughs] Well", True),
        ("Well.", True),
        ("...", True),
        ("", True),
    ],
)
def test_remarks_alone_are_no_words(text, said):
    assert (NO_WORDS.fullmatch(text) is None) == said
