"""Where the code of a notebook stands on its page."""

import copy

from sslmepr.pipeline.folded_code import gather_code

SHOWN = [{"output_type": "stream", "name": "stdout", "text": "shown"}]


def text(name, source):
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def code(name, tags, outputs=SHOWN):
    cell = {"cell_type": "code", "id": name, "source": f"{name}()\n"}
    return {**cell, "metadata": {"tags": tags}, "outputs": outputs}


NOTEBOOK = {
    "nbformat": 4,
    "cells": [
        text("title", ["# Title\n", "\n", "The question"]),
        code("answer", ["hide-input"]),
        code("plain", []),
        code("idle", ["hide-input"], []),
        code("figure", ["hide-input"]),
        text(
            "note",
            "How to read it.\n\n```\n# no heading\n```\n\n"
            '<div class="fold"></div>\n\n(more)=\n## More\n\nText\n\n## Again\n',
        ),
        code("last", ["parameters", "hide-input"]),
        code("other", ["remove-input"]),
    ],
}


def test_the_code_of_a_section_stands_at_its_end():
    before = copy.deepcopy(NOTEBOOK)
    found = gather_code(NOTEBOOK)
    assert before == NOTEBOOK and found["nbformat"] == 4
    tags = {each["id"]: each["metadata"].get("tags") for each in found["cells"]}
    assert tags == {
        "title": None,
        "answer": ["remove-input"],
        "plain": [],
        "figure": ["remove-input"],
        "note": None,
        "code-5": ["hide-input"],
        "note-5": None,
        "note-12": None,
        "last": ["parameters", "remove-input"],
        "other": ["remove-input"],
        "code-10": ["hide-input"],
    }
    cells = {each["id"]: each for each in found["cells"]}
    assert cells["code-5"]["source"] == "answer()\n\nfigure()"
    assert cells["code-10"]["source"] == "last()"
    assert cells["code-5"]["outputs"] == [] and cells["answer"]["outputs"] == SHOWN


def test_text_is_split_before_what_belongs_to_a_heading():
    cells = {each["id"]: each["source"] for each in gather_code(NOTEBOOK)["cells"]}
    assert cells["note"] == "How to read it.\n\n```\n# no heading\n```\n"
    assert cells["note-12"] == "\n## Again\n"
    whole = cells["note"] + cells["note-5"] + cells["note-12"]
    assert (
        whole.startswith("How to read it.") and whole == NOTEBOOK["cells"][5]["source"]
    )
    assert cells["note-5"].strip().startswith('<div class="fold"></div>\n\n(more)=')


def test_an_empty_text_stays():
    only = {"cells": [text("empty", "")]}
    assert gather_code(only) == only
