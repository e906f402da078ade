"""A small rendered book before and after."""

import base64
import json
import re

import pytest

from sslmepr.pipeline.site_weight import MEDIA, lighten

PICTURE = bytes(range(256)) * 4


def embedded(content=PICTURE, kind="image/png"):
    written = base64.b64encode(content).decode()
    return f"data:{kind};base64,{written}"


def cell(kind, **more):
    return {"cell_type": kind, "metadata": {}, "source": kind, "id": kind} | more


@pytest.fixture
def site(tmp_path):
    html = tmp_path / "html"
    for folder in ("chapters", "_static/locales/de", "_sources/chapters"):
        (html / folder).mkdir(parents=True)
    (html / "index.html").write_text(
        '<link href="_static/a.css?v=1"><script src="_static/a.js"></script>'
        f'<img src="{embedded()}">'
    )
    (html / "chapters" / "b.html").write_text("<p>nothing</p>")
    return html


def test_equal_pictures_of_all_pages_become_one_file(site):
    page = site / "chapters" / "b.html"
    page.write_text(
        f'<img src="{embedded()}"><svg><image xlink:href="{embedded()}"/></svg>'
        # Matplotlib breaks the line behind the comma.
        f'<svg><image xlink:href="{embedded().replace(",", ",{}")}"/></svg>'.format(
            "\n"
        )
    )
    lighten(site)
    (file,) = (site / MEDIA).iterdir()
    assert file.suffix == ".png" and file.read_bytes() == PICTURE
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page.read_text())
    assert addresses == 3 * [f"../{MEDIA}/{file.name}"]
    assert f'<img src="{MEDIA}/{file.name}">' in (site / "index.html").read_text()


@pytest.mark.parametrize(
    "address", [embedded(PICTURE, "text/vtt"), embedded(PICTURE[:300])]
)
def test_captions_and_what_is_small_stay_in_the_page(site, address):
    page = site / "chapters" / "b.html"
    before = f'<video preload="metadata"><track src="{address}"></video>'
    page.write_text(before)
    lighten(site)
    assert page.read_text() == before


def test_a_video_with_a_poster_is_read_when_it_is_played(site):
    page = site / "chapters" / "b.html"
    video = embedded(PICTURE, "video/mp4")
    start = f'<video controls preload="metadata" src="{video}"'
    page.write_text(f'{start} poster="{embedded()}"></video>{start}></video>')
    lighten(site)
    first, second = re.findall("<video.*?>", page.read_text())
    assert 'preload="none"' in first and 'preload="metadata"' in second
    assert {path.suffix for path in (site / MEDIA).iterdir()} == {".mp4", ".png"}


def test_notebooks_to_download_are_without_outputs(site):
    path = site / "_sources" / "chapters" / "b.ipynb"
    stream = {"output_type": "stream", "name": "stdout", "text": "long"}
    code = cell("code", outputs=[stream], execution_count=3)
    path.write_text(
        json.dumps(
            {
                "cells": [cell("markdown"), code],
                "metadata": {"a": 1},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )
    )
    lighten(site)
    content = json.loads(path.read_text())
    assert ["".join(each["source"]) for each in content["cells"]] == [
        "markdown",
        "code",
    ]
    assert content["cells"][1]["outputs"] == [] and content["metadata"] == {"a": 1}
    assert content["cells"][1]["execution_count"] is None


def test_files_that_nothing_names_go_and_what_is_named_stays(site):
    static = site / "_static"
    (static / "a.css").write_text(
        "b {background: url(b.svg)}\n/*# sourceMappingURL=a.css.map*/\n"
    )
    (static / "a.js").write_text("load('c.json');\n//# sourceMappingURL=a.js.map\n")
    kept = {"a.css", "a.js", "b.svg", "c.json", "a.js.LICENSE.txt"}
    for name in ("b.svg", "c.json", "a.js.LICENSE.txt", "a.css.map", "d.ttf"):
        (static / name).write_text("x")
    (static / "locales" / "de" / "e.mo").write_bytes(b"\xff")
    lighten(site)
    assert {path.name for path in static.rglob("*")} == kept
    assert (static / "a.css").read_text() == "b {background: url(b.svg)}"
    assert (static / "a.js").read_text() == "load('c.json');"


def test_fonts_that_are_there_twice_go_and_single_ones_stay(site):
    static = site / "_static"
    twice = 'src:url(../f/a.woff2) format("woff2")'
    single = '@font-face{src:url("b.ttf")}'
    old = ',url(../f/a.ttf) format("truetype")'
    (static / "a.css").write_text(f"@font-face{{{twice}{old}}}{single}")
    for name in ("a.woff2", "a.ttf", "b.ttf"):
        (static / name).write_text("x")
    lighten(site)
    assert {path.name for path in static.rglob("*")} == {"a.css", "a.woff2", "b.ttf"}
    assert (static / "a.css").read_text() == f"@font-face{{{twice}}}{single}"


@pytest.mark.parametrize(
    ("kind", "suffix"), [("image/webp", ".webp"), ("audio/mp4", ".m4a")]
)
def test_pictures_and_sounds_of_strips_move_to_files(site, kind, suffix):
    page = site / "chapters" / "b.html"
    page.write_text(f'<audio src="{embedded(PICTURE, kind)}"></audio>')
    lighten(site)
    path = next((site / MEDIA).glob(f"*{suffix}"))
    assert path.read_bytes() == PICTURE
    assert f'src="../{MEDIA}/{path.name}"' in page.read_text()
