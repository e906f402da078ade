"""Code behind one bar at the end of each section, and none between a reader's lines.

A notebook hides the input of many cells (tag ``hide-input``). As pages, they would have
a bar above every figure and every answer.
"""

import re
from collections.abc import Iterator, Mapping

from sslmepr.pipeline.folded_sections import MARK

HIDDEN, REMOVED = "hide-input", "remove-input"

_HEADING = re.compile(r"#{1,6} ")
_FENCE = re.compile(r"\s*(`{3,}|~{3,}|:{3,})")
_BEFORE = re.compile(rf"\s*|{re.escape(MARK)}|\([^()\s]+\)=\s*")
"""Lines above a heading that belong to it: blank ones, marks and labels."""


def gather_code(content: Mapping) -> dict:
    """Move the hidden code of each section into one cell at its end.

    Parameters
    ----------
    content : mapping
        A notebook. Cells with the tag `HIDDEN` that have shown nothing are left out.

    Returns
    -------
    dict
        The same notebook, whose text is split where sections begin.
    """
    cells, code = [], []

    def close():
        if code:
            cells.append(_hidden(f"code-{len(cells)}", "\n\n".join(code)))
            code.clear()

    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            for part in _sections(cell):
                if part["begins"]:
                    close()
                cells.append(part["cell"])
        elif HIDDEN not in cell["metadata"].get("tags", []):
            cells.append(cell)
        elif cell["outputs"]:
            code.append("".join(cell["source"]).strip())
            tags = [
                REMOVED if each == HIDDEN else each for each in cell["metadata"]["tags"]
            ]
            cells.append({**cell, "metadata": {**cell["metadata"], "tags": tags}})
    close()
    return {**content, "cells": cells}


def _hidden(name: str, source: str) -> dict:
    metadata = {"tags": [HIDDEN]}
    cell = {"cell_type": "code", "id": name, "metadata": metadata, "source": source}
    return {**cell, "outputs": [], "execution_count": None}


def _sections(cell: Mapping) -> Iterator[dict]:
    """Parts of a cell of text, and whether a section begins with each."""
    lines = "".join(cell["source"]).splitlines(keepends=True)
    starts, fence = [], ""
    for place, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        elif not fence and _HEADING.match(line):
            while place and _BEFORE.fullmatch(lines[place - 1].rstrip("\n")):
                place -= 1
            starts.append(place)
    edges = [*dict.fromkeys([0, *starts]), len(lines)]
    if len(edges) == 2:
        yield {"begins": 0 in starts, "cell": cell}
        return
    for start, end in zip(edges, edges[1:], strict=False):
        name = f"{cell['id']}-{start}" if start else cell["id"]
        part = {**cell, "id": name, "source": "".join(lines[start:end])}
        yield {"begins": start in starts, "cell": part}
