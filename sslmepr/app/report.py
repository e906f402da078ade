"""Notices, and the report: one HTML file that needs no network."""

import html
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from sslmepr.app import style
from sslmepr.app.elements import listed
from sslmepr.params import Params
from sslmepr.report.words import plain

TITLE = "Emotions and apparent personality of one recording"

LIMITS = """
The scores are impressions: how strangers would rate the person after a few seconds, as
far as a model can tell. They are not what the person feels or is, and they must not be
used to judge, select, rank, diagnose or watch anybody. Analyse only recordings of
people who agreed to it. The book's chapter on limits and ethics says more.
"""


def notice(params: Params) -> str:
    """The notice that always stands above a result, as text."""
    if params.corpus[params.roles.emotion].source == "simulated":
        return (
            f"The models of study “{params.study}” were trained on drawn faces and a "
            "synthetic voice. What they say of real people means nothing."
        )
    return (
        f"The models of study “{params.study}” estimate impressions, not facts: "
        "nothing here may be used to judge a person."
    )


def models(params: Params, variants: Sequence[str]) -> str:
    """What the models of a study know, in a sentence or two.

    Parameters
    ----------
    params : Params
    variants : sequence of str
        Fusion models that are there, the chosen one first.
    """
    modalities = listed([plain(name) for name in params.modalities])
    corpora = dict.fromkeys([params.roles.emotion, params.roles.personality])
    count = len(set(variants))
    more = f", one of {count} that can be chosen under Options" if count > 1 else ""
    return (
        f"Fusion model: {plain(variants[0])}{more}. It was trained on the corpora "
        f"{listed([f'“{name}”' for name in corpora])} and reads {modalities}."
    )


def citation(project: Path) -> str:
    """How to cite the method, and the licence, as Markdown; empty if not known.

    Parameters
    ----------
    project : Path
        The repository's folder.
    """
    path = project / "CITATION.cff"
    if not path.is_file():
        return ""
    known = yaml.safe_load(path.read_text(encoding="utf-8"))
    method = known["preferred-citation"]
    names = listed(
        [
            f"{each['given-names'][0]}. {each['family-names']}"
            for each in method["authors"]
        ]
    )
    return (
        f"Cite the method as {names}: *{method['title']}* ({method['url']}), and this "
        f"software as *{known['title']}*, version {known['version']}. Its licence is "
        f"{known['license']}."
    )


def ethics(project: Path) -> str:
    """The book's chapter on limits and ethics as Markdown; empty if it is not there.

    References stay in the book: they would lead nowhere from here.

    Parameters
    ----------
    project : Path
        The repository's folder.
    """
    path = project / "book" / "ethics.md"
    if not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8")
    for pattern, change in _FROM_BOOK:
        text = pattern.sub(change, text)
    return text.strip()


_FROM_BOOK = (
    (re.compile(r"^# .*\n", re.M), ""),
    (re.compile(r"^```.*?^```\n", re.M | re.S), ""),
    (re.compile(r"\s*\{cite:\w\}`[^`]*`"), ""),
    (re.compile(r"\{doc\}`(?:\w+/)?([\w-]+)`"), r"the book's chapter *\1*"),
    (re.compile(r"^(\w.*)\n: ", re.M), r"**\1.** "),
)
"""What the book's Markdown has and the page's has not: pattern to its replacement."""


def joined(sections: Sequence, people: bool = True) -> str:
    """Sections as HTML, with or without those that show people."""
    return "".join(
        content for _, content, shows_people in sections if people or not shows_people
    )


def report(params: Params, sections: Sequence, people: bool) -> str:
    """A result as a page of its own.

    Parameters
    ----------
    params : Params
    sections : sequence of (id, HTML, whether it shows people)
    people : bool
        Whether pictures of people are in it.
    """
    without = "" if people else "<p>Pictures of people were left out.</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # It opens nothing and sends nothing, whatever might be in it.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; font-src data:; style-src 'unsafe-inline'\">"
        f"<title>{TITLE}</title><style>{style.report()}</style></head><body><main>"
        f'<h1>{TITLE}</h1><p class="notice">{html.escape(notice(params))}</p>'
        f"{joined(sections, people)}{without}"
        f"<h2>Limits</h2><p>{html.escape(LIMITS.strip())}</p></main></body></html>"
    )
