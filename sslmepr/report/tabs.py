"""Tabs without a script, for tables and figures that would stand under each other.

Radio buttons choose a panel, so that arrow keys work. Where a page is printed, or
shown without style sheets, all panels appear, each below its label.
"""

import hashlib
import html
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from IPython.utils.capture import capture_output

_STYLE = """<style>
.tabs{display:flex;flex-wrap:wrap;border:0;margin:0;padding:0;min-width:0}
.tabs>legend{font-size:.85em;float:left;width:100%;margin:0}
.tabs>input{position:absolute;opacity:0;width:1px}
.tabs>label{cursor:pointer;margin:0;padding:.25em .8em;border-bottom:3px solid #8886}
.tabs>input:checked+label{font-weight:600;border-color:currentColor}
.tabs>input:focus-visible+label{outline:2px solid currentColor;outline-offset:-2px}
.tabs>div{order:1;width:100%;display:none;margin-top:.8em;overflow-x:auto}
.tabs>input:checked+label+div{display:block}
@media print{.tabs>div{order:0;display:block}.tabs>label{width:100%}
.tabs>input:checked+label{font-weight:inherit;border-color:#8886}}
</style>"""


class Tabs:
    """Panels of which a notebook shows one at a time; the first at the beginning.

    Parameters
    ----------
    legend : str
        What the labels are, such as "Corpus".
    panels : mapping of str to object, optional
        Label to a table or another object that shows itself as HTML.
    """

    def __init__(self, legend: str, panels: Mapping[str, object] | None = None):
        self.legend = legend
        self.panels = {
            name: panel._repr_html_() for name, panel in (panels or {}).items()
        }

    @contextmanager
    def panel(self, label: str) -> Iterator[None]:
        """Make a panel of what is displayed meanwhile, such as figures."""
        with capture_output() as shown:
            yield
        self.panels[label] = "".join(each.data["text/html"] for each in shown.outputs)

    def _repr_html_(self) -> str:
        # Equal bytes for equal tabs; other tabs of a page are another group of buttons.
        group = hashlib.sha256(f"{self.legend}{self.panels}".encode()).hexdigest()[:12]
        parts = "".join(
            f'<input type="radio" name="{group}" id="{group}-{place}"'
            f"{'' if place else ' checked'}>"
            f'<label for="{group}-{place}">{html.escape(name)}</label>'
            f"<div>{panel}</div>"
            for place, (name, panel) in enumerate(self.panels.items())
        )
        legend = f"<legend>{html.escape(self.legend)}</legend>"
        return f'{_STYLE}<fieldset class="tabs">{legend}{parts}</fieldset>'

    def __repr__(self) -> str:
        return f"Tabs: {', '.join(self.panels)}"


class Folded:
    """A table or tabs behind a line that opens them.

    Parameters
    ----------
    summary : str
        What is in it.
    content : object
        Shows itself as HTML.
    """

    def __init__(self, summary: str, content):
        self.summary, self.content = summary, content

    def _repr_html_(self) -> str:
        return (
            f"<details><summary>{html.escape(self.summary)}</summary>"
            f"<div>{self.content._repr_html_()}</div></details>"
        )

    def __repr__(self) -> str:
        return f"{self.summary}: {self.content!r}"
