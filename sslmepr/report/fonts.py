"""Source Sans Pro (SIL Open Font License 1.1), the font of figures and pages."""

from pathlib import Path

import font_source_sans_pro

FONT = "Source Sans Pro"
FONT_FILES = [
    Path(font_source_sans_pro.font_files_ttf[f"SourceSansPro{face}"])
    for face in ("", "It", "Semibold", "Bold")
]
"""Faces of `FONT`; ``book/_static/book.css`` names the copies that the book has."""
FONT_LICENCE = Path(font_source_sans_pro.font_directory, "LICENSE.txt")
