"""Definitions of terms on rendered pages, and repairs for screen readers."""

import html
import re
from collections.abc import Callable
from pathlib import Path

_ENTRY = re.compile(r'((?:<dt id="term-.*?</dt>\s*)+)<dd>(.*?)</dd>', re.DOTALL)
_TERM = re.compile(r'<dt id="([^"]+)">([^<]+)')
_PARAGRAPH = re.compile(r"<p>.*?</p>", re.DOTALL)
_NO_TEXT = re.compile(
    r'(<a\b.*?</a>|<code.*?</code>|<span class="math.*?</span>|<[^>]+>)'
)

_MEASURE = re.compile(
    r"(?<=\d) (?=(?:%|s|ms|minutes?|hours?|days?|[kMG]i?B|px|clips?|people|speakers?"
    r"|worlds?|seeds?|pairs?|degrees?|frames?|words?)(?![\w-]))"
)
"""Between a number and what is counted, where no line may end."""

_NO_PROSE = ("glossary.html", "references.html")

_REPAIRS = (
    # A deprecated role, which no item of a list may have (sphinxcontrib-bibtex).
    (re.compile(r'role="doc-biblioentry"'), lambda found: 'role="listitem"'),
    # A button without a name (sphinx-book-theme).
    (
        re.compile(r"<summary>(?=<span class=\"toctree-toggle\")"),
        lambda found: '<summary aria-label="Pages of this chapter">',
    ),
    # A name that hides what the bar says (MyST-NB).
    (
        re.compile(r'<summary aria-label="Toggle hidden content">'),
        lambda found: "<summary>",
    ),
    # Signatures over several lines are lists of definitions without terms (Sphinx).
    (
        re.compile(r'<dt class="sig .*?</dt>', re.DOTALL),
        lambda found: re.sub(r"(</?)d[ld]\b", r"\1div", found[0]),
    ),
)


def add_reading_aids(folder: Path) -> None:
    """Define terms where a page mentions them first, and keep numbers with their units.

    Roles and names for screen readers are repaired, too.

    Parameters
    ----------
    folder : path
        The built book. Prose and chapters get links to the glossary that carry the
        definition, which the style sheet shows under the pointer or the focus.
    """
    glossary = folder / "glossary.html"
    terms = _terms(glossary.read_text(encoding="utf-8")) if glossary.exists() else {}
    for page in folder.rglob("*.html"):
        text = before = page.read_text(encoding="utf-8")
        for mark, repair in _REPAIRS:
            text = mark.sub(repair, text)
        if page.parent in (folder, folder / "chapters") and page.name not in _NO_PROSE:
            up = "" if page.parent == folder else "../"
            text = define_terms(keep_measures(text), terms, f"{up}glossary.html")
        if text != before:
            page.write_text(text, encoding="utf-8")


def keep_measures(page: str) -> str:
    """Keep numbers in paragraphs on a line with what they count.

    Parameters
    ----------
    page : str
        HTML. Links, code and formulas are left alone.
    """
    start = page.find("<article")
    return page[:start] + _PARAGRAPH.sub(
        lambda found: _outside(found[0], lambda text: _MEASURE.sub("\u00a0", text)),
        page[start:],
    )


def _outside(paragraph: str, change: Callable[[str], str]) -> str:
    """A paragraph in which text that is no link, code or formula is changed."""
    parts = _NO_TEXT.split(paragraph)
    parts[::2] = [change(text) for text in parts[::2]]
    return "".join(parts)


def _terms(page: str) -> dict[str, tuple[str, str]]:
    """Term to its anchor and its definition."""
    return {
        html.unescape(name).strip(): (anchor, " ".join(_plain(meaning).split()))
        for heads, meaning in _ENTRY.findall(page)
        for anchor, name in _TERM.findall(heads)
    }


def _plain(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def define_terms(page: str, terms: dict[str, tuple[str, str]], address: str) -> str:
    """Link the first mention of each term in the paragraphs of a page.

    Parameters
    ----------
    page : str
        HTML. Links, code and formulas are left alone.
    terms : dict
        Term to its anchor and definition, which terms may share. Plurals in *s* count
        as mentions; a term in lower case may be capitalised.
    address : str
        Of the glossary, seen from the page.
    """
    if not terms:
        return page
    longest_first = sorted(terms, key=len, reverse=True)
    names = "|".join(re.escape(html.escape(name)) for name in longest_first)
    mention = re.compile(rf"(?<![\w-])({names})(?:e?s)?(?![\w-])", re.IGNORECASE)
    defined = set()

    def link(found: re.Match) -> str:
        written = html.unescape(found[1])
        name = written if written in terms else written.lower()
        anchor, meaning = terms.get(name, ("", None))
        if meaning is None or meaning in defined:
            return found[0]
        defined.add(meaning)
        meaning = html.escape(meaning)
        return (
            f'<a class="term" href="{address}#{anchor}" data-definition="{meaning}">'
            f"{found[0]}</a>"
        )

    start = page.find("<article")
    return page[:start] + _PARAGRAPH.sub(
        lambda found: _outside(found[0], lambda text: mention.sub(link, text)),
        page[start:],
    )
