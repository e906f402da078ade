"""Notices, and the report: one HTML file that needs no network."""

import html
from collections.abc import Sequence

from sslmepr.app import style
from sslmepr.params import Params

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
        "img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{TITLE}</title><style>{style.REPORT}</style></head><body><main>"
        f'<h1>{TITLE}</h1><p class="notice">{html.escape(notice(params))}</p>'
        f"{joined(sections, people)}{without}"
        f"<h2>Limits</h2><p>{html.escape(LIMITS.strip())}</p></main></body></html>"
    )
