"""Files that a page carries within itself, for readers to save."""

import base64
import html
from collections.abc import Mapping
from typing import NamedTuple

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""In front of a table, it tells spreadsheets that the text is UTF-8."""

KINDS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".rtf": "application/rtf",
    ".tex": "text/x-tex",
    ".txt": "text/plain",
}


class Download(NamedTuple):
    """A file: what it is, in words, and its text."""

    words: str
    text: str


class Downloads:
    """A list of links to files, which need neither a script nor a network.

    Parameters
    ----------
    files : mapping of str to Download
        By name, with a suffix of `KINDS`.

    Raises
    ------
    ValueError
        If a suffix is none of these.
    """

    def __init__(self, files: Mapping[str, Download]):
        for name in files:
            if _suffix(name) not in KINDS:
                raise ValueError(f"{name}: its suffix is none of {', '.join(KINDS)}")
        self.files = dict(files)

    def _repr_html_(self) -> str:
        items = "".join(_item(name, each) for name, each in self.files.items())
        return f'<ul class="downloads">{items}</ul>'

    def __repr__(self) -> str:
        return f"Downloads: {', '.join(self.files)}"


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2]}"


def _item(name: str, file: Download) -> str:
    suffix = _suffix(name)
    text = MARK + file.text if suffix == ".csv" else file.text
    content = base64.b64encode(text.encode()).decode()
    address = f"data:{KINDS[suffix]};charset=utf-8;base64,{content}"
    name, words = html.escape(name), html.escape(file.words)
    return f'<li><a download="{name}" href="{address}">{name}</a>: {words}</li>'


class Copyable:
    """A paragraph with a button that copies it.

    Parameters
    ----------
    text : str
    """

    def __init__(self, text: str):
        self.text = text

    def _repr_html_(self) -> str:
        # The newer clipboard is refused to local files.
        copy = (
            "const chosen=getSelection();"
            "chosen.selectAllChildren(this.previousElementSibling);"
            "this.textContent=document.execCommand('copy')?'Copied':"
            "'Not allowed by the browser';chosen.removeAllRanges()"
        )
        return (
            f'<div class="copyable"><p>{html.escape(self.text)}</p>'
            f'<button type="button" onclick="{copy}">Copy this paragraph</button></div>'
        )

    def __repr__(self) -> str:
        return self.text
