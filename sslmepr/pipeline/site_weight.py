"""A rendered book without what it carries twice, or for nobody."""

import base64
import hashlib
import json
import os
import re
from pathlib import Path

MEDIA = "_media"
"""Folder of the site with pictures and videos of its pages, named by their content."""

SMALLEST = 1000
"""Bytes of the smallest content that moves to a file; a choice of layout."""

SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/svg+xml": ".svg",
    "image/webp": ".webp",
    "audio/mp4": ".m4a",
    "video/mp4": ".mp4",
}

_EMBEDDED = re.compile(
    r'((?:src|poster|href)=")data:([a-z]+/[a-z0-9.+-]+);base64,([A-Za-z0-9+/=\s]+)"'
)
_POSTED = re.compile(r"<video\b[^>]*\bposter=[^>]*>")
_MAP = re.compile(r"\n?(?://|/\*)# sourceMappingURL=[^\s*]+(?: ?\*/)?\s*$")
_OLD_FONT = re.compile(r"""(\.woff2["']?\)[^,;}]*),\s*url\([^)]*\.ttf["']?\)[^,;}]*""")
"""A font again, behind its form that every browser of the last ten years reads."""

_TEXTS = {".html", ".css", ".js"}


def lighten(html: Path) -> None:
    """Make a rendered book lighter, without any loss to whoever reads it.

    Pictures and videos that lie within pages become files, which equal ones share and
    browsers fetch from the disk when they show them. Notebooks to download lose their
    outputs, which the pages show. Files that no page, style sheet or script names go,
    such as maps of the theme's scripts and its translations, and the second form of a
    font, for browsers that nobody has.

    Parameters
    ----------
    html : path
        The rendered book.
    """
    for page in html.rglob("*.html"):
        _move_media(page, html)
    for path in (html / "_sources").rglob("*.ipynb"):
        _clear(path)
    _drop_unnamed(html)


def _move_media(page: Path, html: Path) -> None:
    up = Path(os.path.relpath(html / MEDIA, page.parent)).as_posix()

    def moved(found: re.Match) -> str:
        start, kind, written = found.groups()
        # The browser may not read captions from a file beside a page on a disk.
        if kind not in SUFFIXES or len(written) < SMALLEST:
            return found[0]
        content = base64.b64decode(written)
        name = hashlib.sha256(content).hexdigest()[:16] + SUFFIXES[kind]
        (html / MEDIA).mkdir(exist_ok=True)
        (html / MEDIA / name).write_bytes(content)
        return f'{start}{up}/{name}"'

    text = page.read_text(encoding="utf-8")
    lighter = _EMBEDDED.sub(moved, text)
    if lighter != text:
        # With a picture to begin with, a video need not be read before it is played.
        lighter = _POSTED.sub(
            lambda found: found[0].replace('preload="metadata"', 'preload="none"'),
            lighter,
        )
        page.write_text(lighter, encoding="utf-8")


def _clear(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def _drop_unnamed(html: Path) -> None:
    """Remove files of ``_static`` whose name stands in no page, sheet or script."""
    static = html / "_static"
    for path in static.rglob("*.map"):
        path.unlink()
    files = [path for path in static.rglob("*") if path.is_file()]
    for path in files:
        if path.suffix in {".css", ".js"}:
            text = path.read_text(encoding="utf-8")
            lighter = _OLD_FONT.sub(r"\1", _MAP.sub("", text))
            if lighter != text:
                path.write_text(lighter, encoding="utf-8")
    texts = [path for path in html.rglob("*") if path.suffix in _TEXTS]
    named = "\n".join(_addresses(path.read_text(encoding="utf-8")) for path in texts)
    for path in files:
        if path.name not in named and "LICENSE" not in path.name:
            path.unlink()
    for folder in sorted(static.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _addresses(text: str) -> str:
    """Whatever may be an address in a text, which is little of a long page."""
    return "\n".join(set(re.findall(r"[\w.@-]+\.[a-z0-9]{2,5}\b", text)))
