import base64
import itertools
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from sslmepr.confirmation.attempts import FOLDER as ATTEMPTS
from sslmepr.confirmation.attempts import TABLES
from sslmepr.files import MARK
from sslmepr.params.study import Roles
from sslmepr.pipeline import book

ROOT = Path(__file__).parents[2]
REFERENCE = [{"file": "api", "sections": "api"}, {"file": "references"}]
EMPTY = {
    "endpoints": "emotion,traits,direction,r,p_family,verdict,covered\n"
    "anger,all,negative,-0.2,0.01,present,True\n",
    "worlds": "condition,metric,estimate,low,high,worlds,verdict\n"
    "planted,rmse,0.1,0.1,0.1,3,\n",
    "recognition": "metric,estimate\n",
}
"""Tables of a confirmation, as small as its answer needs."""
BROKEN = "# A page\n\nSee {doc}`nowhere`.\n"


def notebook(title: str, more: str = "") -> str:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "id": "a", "source": f"# {title}\n"},
        {"cell_type": "markdown", "metadata": {}, "id": "b", "source": more},
    ]
    return json.dumps(
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def small(tmp_path, settings, monkeypatch):
    """A book of a front page, one chapter that depends on replicates, and one run."""
    monkeypatch.chdir(tmp_path)
    settings = settings.model_copy(
        update={
            "modalities": ["face"],
            "tasks": ["emotion"],
            "variants": ["multitask"],
            "corpora": ["joint"],
            "roles": Roles(emotion="joint", personality="joint", held_out="joint"),
            "replicates": {},
            "findings": "association",
        }
    )
    toc = {
        "format": "jb-book",
        "root": "chapters/overview",
        "parts": [
            {
                "caption": "All",
                "chapters": [
                    {"file": "prose"},
                    {
                        "file": "chapters/validity",
                        "if": "truth_known",
                        "else": "*Truth* (not here)",
                    },
                    {"file": "runs", "sections": "training"},
                ],
            }
        ],
    }
    write(tmp_path / "book" / "_toc.yml", yaml.safe_dump(toc))
    write(tmp_path / "book" / "prose.md", "# Prose\n\nText.\n")
    write(tmp_path / "book" / "runs.md", "# Runs\n\nText.\n")
    for name in ("overview", *book.executed_notebooks(settings)["training"]):
        path = tmp_path / "runs" / "tiny" / "notebooks" / f"{name}.ipynb"
        write(path, notebook(f"Notebook {name}"))
    return settings


def test_appendix_follows_the_parameters(settings):
    pages = book.executed_notebooks(settings)
    assert pages["training"][:2] == [
        "unimodal-face-emotion",
        "unimodal-face-personality",
    ]
    assert "fusion-multitask" in pages["training"]
    assert (
        pages["training"][-1] == f"evaluate_replicate-{list(settings.replicates)[-1]}"
    )
    assert pages["data"][:2] == ["corpus-emotion", "extract-emotion"]
    for names in pages.values():
        assert len(names) == len(set(names))


def test_assembled_book_holds_what_is_listed_and_nothing_else(small):
    write(Path("runs/tiny/notebooks/fusion-old.ipynb"), notebook("Left over"))
    target = book.assemble("tiny", small)
    toc = yaml.safe_load((target / "_toc.yml").read_text())
    chapters = toc["parts"][0]["chapters"]
    assert [entry["file"] for entry in chapters] == ["prose", "runs"]
    runs = [entry["file"] for entry in chapters[1]["sections"]]
    assert runs == [
        "training/unimodal-face-emotion",
        "training/crosstask-face",
        "training/stacking-emotion",
        "training/fusion-multitask",
    ]
    found = {path.relative_to(target).as_posix() for path in target.rglob("*.ipynb")}
    assert found == {"chapters/overview.ipynb", *(f"{run}.ipynb" for run in runs)}
    fonts = {path.name for path in (target / "_static" / "fonts").iterdir()}
    assert {"SourceSansPro-Regular.ttf", "LICENSE.txt"} <= fonts
    copied = (target / "chapters" / "overview.ipynb").read_bytes()
    assert copied == Path("runs/tiny/notebooks/overview.ipynb").read_bytes()


def test_a_chapter_appears_with_the_parameter_it_depends_on(small):
    small = small.model_copy(update={"findings": "validity"})
    missing = r"runs/tiny/validity/validity\.ipynb: made by `dvc repro validity`"
    with pytest.raises(book.BookError, match=missing):
        book.assemble("tiny", small)
    write(Path("runs/tiny/validity/validity.ipynb"), notebook("Truth"))
    target = book.assemble("tiny", small)
    assert (target / "chapters" / "validity.ipynb").is_file()


def test_words_stand_for_links_to_a_chapter_that_is_not_there(small):
    links = "[](validity), [it](validity), {doc}`ablation`"
    write(Path("runs/tiny/notebooks/overview.ipynb"), notebook("Front", links))
    prose = "# Prose\n\nSee {doc}`chapters/validity` and [](../chapters/validity).\n"
    write(Path("book/prose.md"), prose)
    target = book.assemble("tiny", small)
    front = json.loads((target / "chapters" / "overview.ipynb").read_text())
    assert "".join(front["cells"][1]["source"]) == (
        "*Truth* (not here), it, {doc}`ablation`"
    )
    assert (target / "prose.md").read_text() == (
        "# Prose\n\nSee *Truth* (not here) and *Truth* (not here).\n"
    )
    small = small.model_copy(update={"findings": "validity"})
    write(Path("runs/tiny/validity/validity.ipynb"), notebook("Truth"))
    target = book.assemble("tiny", small)
    assert (target / "prose.md").read_text() == prose
    assert links in (target / "chapters" / "overview.ipynb").read_text()


def test_folded_code_stands_at_the_end_and_not_if_it_showed_nothing(small):
    path = Path("runs/tiny/notebooks/overview.ipynb")
    content = json.loads(notebook("Front"))
    stream = {"output_type": "stream", "name": "stdout", "text": "shown"}
    for name, tags, outputs in (
        ("idle", ["hide-input"], []),
        ("busy", ["hide-input"], [stream]),
        ("plain", [], []),
    ):
        content["cells"].append(
            {
                **{"cell_type": "code", "id": name, "source": name},
                **{"metadata": {"tags": tags}, "outputs": outputs},
                "execution_count": None,
            }
        )
    write(path, json.dumps(content))
    target = book.assemble("tiny", small)
    cells = json.loads((target / "chapters/overview.ipynb").read_text())["cells"]
    assert [cell["id"] for cell in cells] == ["a", "b", "busy", "plain", "code-4"]


def test_corpora_without_a_role_have_no_page(settings):
    settings = settings.model_copy(update={"replicates": {}})
    assert book.executed_notebooks(settings)["data"] == [
        f"{stage}-{name}"
        for name in ("emotion", "personality", "joint")
        for stage in ("corpus", "extract")
    ]


def test_what_an_earlier_assembly_left_is_gone(small):
    book.assemble("tiny", small)
    write(Path("build/book/chapters/old.ipynb"), notebook("Old"))
    target = book.assemble("tiny", small)
    assert not (target / "chapters" / "old.ipynb").exists()


def test_a_folder_that_no_assembly_made_is_kept(small):
    write(Path("build/book/notes.txt"), "mine")
    with pytest.raises(book.BookError, match="build/book: is in the way.*move it away"):
        book.assemble("tiny", small)
    assert Path("build/book/notes.txt").read_text() == "mine"


@pytest.fixture
def rendered(tmp_path, monkeypatch):
    """Builds a site of pages, given as name to text, without rendering anything."""

    def build(pages):
        html = tmp_path / "build" / "_build" / "html"
        shutil.rmtree(html, ignore_errors=True)
        for name, text in pages.items():
            write(html / name, text)
        book.build(tmp_path / "build", tmp_path / "site")
        found = (tmp_path / "site").rglob("*")
        texts = {
            path.relative_to(tmp_path / "site").as_posix(): path.read_text()
            for path in found
            if path.is_file()
        }
        del texts[MARK]
        return texts

    done = SimpleNamespace(returncode=0, stdout="")
    monkeypatch.setattr(book.subprocess, "run", lambda *_, **__: done)
    monkeypatch.setattr(book, "add_offline_search", lambda *_: None)
    return build


def test_a_site_has_the_pages_and_no_trace_of_the_build(rendered):
    pages = {"index.html": "1", "a/b.html": "2"}
    more = {".buildinfo": "x", "reports/a.log": "x", "a/.buildinfo": "x"}
    assert rendered(pages | more) == pages


def test_a_new_build_takes_away_its_own_pages_alone(rendered, tmp_path):
    rendered({"index.html": "1", "old.html": "1", "a/b.html": "1"})
    write(tmp_path / "site" / "CNAME", "mine")
    write(tmp_path / "site" / "a" / "mine.html", "mine")
    pages = {"index.html": "2", "c.html": "2"}
    own = {"CNAME": "mine", "a/mine.html": "mine"}
    assert rendered(pages) == pages | own
    assert rendered({"index.html": "3"}) == {"index.html": "3"} | own


def test_files_of_ones_own_are_not_written_over(rendered, tmp_path):
    write(tmp_path / "site" / "a" / "b.html", "mine")
    message = "a/b.html is in the way, and was not made by sslmepr .*; move .* away"
    with pytest.raises(book.BookError, match=message):
        rendered({"index.html": "1", "a/b.html": "1"})
    assert (tmp_path / "site" / "a" / "b.html").read_text() == "mine"
    assert not (tmp_path / "site" / "index.html").exists()


def test_a_link_that_leads_nowhere_stops_the_build(rendered):
    with pytest.raises(book.BookError, match=r"nowhere:\na.html: b.html#c"):
        rendered({"a.html": '<a href="b.html#c">c</a>', "b.html": "<p>b</p>"})


def test_a_published_page_has_its_pictures_beside_it(rendered):
    picture = base64.b64encode(bytes(1200)).decode()
    pages = rendered({"a.html": f'<img src="data:image/png;base64,{picture}">'})
    (name,) = pages.keys() - {"a.html"}
    assert pages["a.html"] == f'<img src="{name}">' and name.startswith("_media/")


def test_an_interrupted_copy_is_taken_up(rendered, tmp_path, monkeypatch):
    rendered({"index.html": "1", "old.html": "1"})
    copy = shutil.copyfile

    def killed(source, target):
        if target.name == "new.html":
            raise KeyboardInterrupt
        copy(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(book.shutil, "copyfile", killed)
        with pytest.raises(KeyboardInterrupt):
            rendered({"a.html": "2", "index.html": "2", "new.html": "2"})
    assert rendered({"index.html": "3"}) == {"index.html": "3"}


def test_a_list_of_pages_leads_nowhere_else(rendered, tmp_path):
    rendered({"index.html": "1"})
    write(tmp_path / "victim", "mine")
    write(tmp_path / "site" / MARK, f"index.html\n../victim\n{tmp_path / 'victim'}\n")
    assert rendered({"index.html": "2"}) == {"index.html": "2"}
    assert (tmp_path / "victim").read_text() == "mine"


def test_missing_notebooks_are_named_with_their_stages(small):
    Path("runs/tiny/notebooks/overview.ipynb").unlink()
    Path("runs/tiny/notebooks/fusion-multitask.ipynb").unlink()
    with pytest.raises(book.BookError) as error:
        book.assemble("tiny", small)
    assert "overview.ipynb: made by `dvc repro overview`" in str(error.value)
    assert "made by `dvc repro fusion@multitask`" in str(error.value)


def test_data_notebooks_are_looked_for_with_their_corpus(small):
    toc = yaml.safe_load(Path("book/_toc.yml").read_text())
    toc["parts"][0]["chapters"][2]["sections"] = "data"
    write(Path("book/_toc.yml"), yaml.safe_dump(toc))
    with pytest.raises(book.BookError) as error:
        book.assemble("tiny", small)
    assert "data/joint/extract.ipynb: made by `dvc repro extract@joint`" in str(
        error.value
    )


@pytest.mark.parametrize(
    ("page", "text", "message"),
    [
        ("prose", "# Notebook overview\n", "same title: Notebook overview"),
        ("prose", "Text without title.\n", "prose: the page has no title"),
        ("prose", "```\n# comment\n```\n", "prose: the page has no title"),
        ("prose", "# Prose\n\n(here)=\n## Part\n", "same label: here"),
    ],
)
def test_twins_and_untitled_pages_are_refused(small, page, text, message):
    write(Path("book/runs.md"), "# Runs\n\n(here)=\n## Part\n")
    write(Path(f"book/{page}.md"), text)
    with pytest.raises(book.BookError, match=message):
        book.assemble("tiny", small)


def test_a_listed_page_that_nobody_wrote_is_named(small):
    Path("book/prose.md").unlink()
    with pytest.raises(book.BookError, match="lists prose"):
        book.assemble("tiny", small)


def test_unknown_sections_are_named(small):
    toc = Path("book/_toc.yml")
    toc.write_text(toc.read_text().replace("sections: training", "sections: nothing"))
    with pytest.raises(book.BookError, match="runs has no sections 'nothing'"):
        book.assemble("tiny", small)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ('<script async src="https://cdn.example/a.js">', "https://cdn.example/a.js"),
        ("<script src='//cdn.example/a.js'>", "//cdn.example/a.js"),
        ('<img alt="x" src="http://x.example/i.png">', "http://x.example/i.png"),
        ('<link rel="stylesheet" href="https://x.example/s.css">', "https://x.example"),
        ("<style>@import 'https://x.example/s.css'", "https://x.example/s.css"),
        ("<style>a {b: url(https://x.example/f.woff)}", "https://x.example/f.woff"),
    ],
)
def test_resources_from_elsewhere_are_found(tmp_path, text, address):
    write(tmp_path / "page.html", text)
    (found,) = book.external_resources(tmp_path)
    assert found.startswith(f"page.html: {address}")


def test_links_and_local_resources_are_no_resources_from_elsewhere(tmp_path):
    write(
        tmp_path / "page.html",
        '<a href="https://x.example">x</a><script src="_static/a.js"></script>'
        '<img src="data:image/png;base64,//8="><a href="b.html">b</a>'
        '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    )
    assert book.external_resources(tmp_path) == []


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The real prose, configuration and API pages, without executed notebooks."""
    folder = tmp_path_factory.mktemp("sources") / "book"
    shutil.copytree(ROOT / "book", folder)
    return folder


def built(folder: Path, settings, pages: dict[str, str], more: list[dict]) -> Path:
    """Build the front page, `pages` and `more` of the real book; returns the site."""
    chapters = [{"file": page} for page in pages] + more
    toc = {
        "format": "jb-book",
        "root": "chapters/overview",
        "parts": [{"caption": "All", "chapters": chapters}],
    }
    write(folder / "_toc.yml", yaml.safe_dump(toc))
    for page, text in pages.items():
        write(folder / f"{page}.md", text)
    front = "Of {cite:t}`lin1989`: $a^2$\n"
    notebooks = folder.parent / "runs" / "tiny" / "notebooks"
    write(notebooks / "overview.ipynb", notebook("Front", front))
    target = book.assemble(
        "tiny", settings, folder, folder.parent / "runs", folder.parent / "build"
    )
    return book.build(target, folder.parent / "site").parent


def test_book_with_every_api_page_builds_without_a_warning(sources, settings):
    page = "# A page\n\nSee {doc}`chapters/overview` and {doc}`api/sslmepr.models`.\n"
    site = built(sources, settings, {"page": page}, REFERENCE)
    front = (site / "chapters" / "overview.html").read_text()
    assert "../mathjax/tex-svg.js" in front
    assert (site / "mathjax" / "tex-svg.js").is_file()
    assert "tex-svg.js" not in (site / "page.html").read_text()
    assert '<script src="search.js">' in (site / "search.html").read_text()
    assert book.external_resources(site) == []
    assert not list(site.rglob("*.doctree"))
    assert "sslmepr.models.mamba" in (site / "api" / "sslmepr.models.html").read_text()


def test_a_warning_stops_the_build_and_is_shown(sources, settings):
    with pytest.raises(book.BookError, match="unknown document: 'nowhere'"):
        built(sources, settings, {"page": BROKEN}, [])


def test_prose_pages_of_the_real_book_are_all_listed():
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
    entries = itertools.chain(*(part["chapters"] for part in toc["parts"]))
    listed = {entry["file"] for entry in entries}
    written = {path.stem for path in (ROOT / "book").glob("*.md")}
    assert {name for name in listed if "/" not in name} == written


def test_a_stage_is_not_told_from_a_name_with_hyphens(small):
    settings = small.model_copy(
        update={
            "variants": ["my-variant"],
            "corpora": ["my-corpus-2"],
            "roles": Roles(**dict.fromkeys(Roles.model_fields, "my-corpus-2")),
        }
    )
    cells = book._cells(settings)
    assert cells["training/fusion-my-variant"] == ("fusion", "my-variant")
    assert cells["data/extract-my-corpus-2"] == ("extract", "my-corpus-2")
    path = book._record("data/corpus-my-corpus-2", cells, Path("n"), Path("d"))
    assert path == Path("d", "my-corpus-2", "corpus.ipynb")
    assert book._stage("training/fusion-my-variant", cells) == "fusion@my-variant"
    assert book._stage("chapters/your-chapter", cells) == "your-chapter"


def test_the_chapter_on_the_confirmation_is_of_todays_code(tmp_path, monkeypatch):
    """It is filled in when the book is assembled, whatever the stages have computed."""
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    marks = {"known": True, "other": False}
    for mark in marks:
        page.write_text("# A page\n\n% confirmation: answer\n")
        monkeypatch.setattr(book, "fingerprint", lambda _, mark=mark: mark)
        book._fill(page, None)
        assert "**Nothing is confirmed.**" in page.read_text()
    for name in TABLES:
        write(tmp_path / ATTEMPTS / "known" / f"{name}.csv", EMPTY[name])
    write(
        tmp_path / ATTEMPTS / "attempts.csv",
        "attempt,hash,seed,revision,begun\n1,known,5,abc,2026-11-29\n",
    )
    for mark, current in marks.items():
        page.write_text("# A page\n\n% confirmation: answer\n")
        monkeypatch.setattr(book, "fingerprint", lambda _, mark=mark: mark)
        book._fill(page, None)
        assert ("**Confirmatory.**" in page.read_text()) == current
        assert ("**Exploratory.**" in page.read_text()) != current
