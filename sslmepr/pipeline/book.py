"""The book: sources and executed notebooks put together, then rendered.

``book/_toc.yml`` and the parameters decide which pages the book has, not the content of
a folder: a listed notebook that is missing is an error, one that is not listed is left
out.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from sslmepr.confirmation.attempts import FOLDER as ATTEMPTS
from sslmepr.confirmation.attempts import results_of, standing
from sslmepr.confirmation.frozen import fingerprint
from sslmepr.files import MARK, atomic, own_folder
from sslmepr.params import Params
from sslmepr.pipeline.api_pages import api_pages, write_api_pages
from sslmepr.pipeline.folded_code import gather_code
from sslmepr.pipeline.folded_sections import fold_sections
from sslmepr.pipeline.gallery import fill_gallery
from sslmepr.pipeline.offline_search import SCRIPT, add_offline_search
from sslmepr.pipeline.reading_aids import add_reading_aids
from sslmepr.pipeline.site_links import broken_links
from sslmepr.pipeline.site_weight import lighten
from sslmepr.report import confirmation
from sslmepr.report.fonts import FONT_FILES, FONT_LICENCE
from sslmepr.report.front_page import DRAWN
from sslmepr.report.power_findings import false_alarms, pairs_called, read_drawn

PACKAGE = Path(__file__).parents[1]
FINDINGS = ("association", "validity")
"""Stages with a folder of their own, so that the book can depend on one of them."""
CONFIRMATION = "confirmation"
"""The chapter that says whether the record of confirmations is of today's code."""
# Jupyter Book's package has no __main__, and its script may not be on the path. Without
# the collector of cyclic garbage, of which there is little, it takes a third less time.
# Sphinx reads and writes pages on all processors, for which the command has no word;
# two extensions do not say that they allow it. The site is the same to the byte.
LAUNCH = """
import functools, gc, os
gc.disable()
from jupyter_book import sphinx
from jupyter_book.cli.main import main
sphinx.Sphinx.is_parallel_allowed = lambda self, kind: True
sphinx.build_sphinx = functools.partial(sphinx.build_sphinx, jobs=os.cpu_count())
main()
"""
COMPLAINT = re.compile(r"WARNING|ERROR|CRITICAL|SEVERE|Error:|Exception occurred")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TITLE = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)
LABEL = re.compile(r"^\(([^()\s]+)\)=\s*$", re.MULTILINE)
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)
FETCHED = (
    re.compile(r"""<(?:script|img|iframe|source|audio|video)\b[^>]*?\bsrc=["']?"""),
    re.compile(r"""<link\b(?![^>]*rel=["']?canonical)[^>]*?\bhref=["']?"""),
    re.compile(r"""(?:@import\s+|url\(\s*)["']?"""),
)
NO_PAGE = {".buildinfo", "reports"}
"""Files of Sphinx beside the pages that differ from build to build."""
REMOTE = re.compile(r"(?:https?:)?//[^\s\"'()<>]+", re.IGNORECASE)


class BookError(RuntimeError):
    """The book cannot be assembled or does not build without a warning."""


def executed_notebooks(params: Params) -> dict[str, list[str]]:
    """Pages of the appendix, in reading order, by the folder that holds them.

    Each is one cell of a stage: ``data`` has ``corpus-emotion``, ``extract-emotion``
    and so on, ``training`` has ``unimodal-face-emotion``, ``crosstask-face``,
    ``fusion-multitask``, the replicates and the folds.
    """
    pages = {"data": [], "training": []}
    for page in _cells(params):
        folder, _, name = page.partition("/")
        pages[folder].append(name)
    return pages


def _cells(params: Params) -> dict[str, tuple[str, str]]:
    """Page of the appendix to its stage and the cell of it, in reading order."""
    unimodal = itertools.product(params.modalities, params.tasks)
    training = {
        "unimodal": [f"{modality}-{task}" for modality, task in unimodal],
        "crosstask": params.modalities,
        "stacking": params.tasks,
        "fusion": params.variants,
        "replicate": params.replicates,
        "evaluate_replicate": params.replicates,
        "folds": params.folds,
    }
    cells = [
        *(("data", s, c) for c in params.used_corpora() for s in ("corpus", "extract")),
        *(("training", s, c) for s, names in training.items() for c in names),
    ]
    return {f"{folder}/{s}-{cell}": (s, cell) for folder, s, cell in cells}


def assemble(
    study: str,
    params: Params,
    source_folder: str | Path = "book",
    runs_folder: str | Path = "runs",
    target_folder: str | Path = "build/book",
    data_folder: str | Path = "data",
) -> Path:
    """Bring together everything that the book of a study is made from.

    Parameters
    ----------
    study : str
        Name of the study; its notebooks lie in ``<runs_folder>/<study>/notebooks``,
        those of `FINDINGS` in ``<runs_folder>/<study>/<stage>``.
    params : Params
        The parameters of that study.
    source_folder : path
        Configuration, table of contents, prose, bibliography and static files.
    target_folder : path
        Replaced. Holds the prose, executed notebooks under ``chapters``, ``data`` and
        ``training``, API pages under ``api`` and the full ``_toc.yml``. Links to
        chapters that this study does not have are replaced by their titles.
    data_folder : path
        Holds the notebooks of a corpus in ``<data_folder>/<corpus>``.

    Returns
    -------
    Path
        The target folder.

    Raises
    ------
    BookError
        If a listed page is missing (the message names the stage that makes it), has no
        title, or shares its title or a label with another page.
    """
    source, target = Path(source_folder), Path(target_folder)
    toc, absent = _table_of_contents(source / "_toc.yml", params)
    pages = [page for page in _files(toc) if not page.startswith("api/")]
    cells = _cells(params)
    executed = {
        page: _record(page, cells, Path(runs_folder, study), Path(data_folder))
        for page in pages
        if page.startswith(("chapters/", "data/", "training/"))
    }
    _require(executed, cells)
    _empty(target)
    shutil.copytree(source, target, dirs_exist_ok=True)
    fonts = target / "_static" / "fonts"
    fonts.mkdir(parents=True, exist_ok=True)
    for path in (*FONT_FILES, FONT_LICENCE):
        shutil.copyfile(path, fonts / path.name)
    for page, path in executed.items():
        copy = target / f"{page}.ipynb"
        copy.parent.mkdir(exist_ok=True)
        text = path.read_text("utf-8")
        content = gather_code(before := json.loads(text))
        copy.write_text(text if content == before else _as_notebook(content), "utf-8")
    for path in (target / f"{page}.md" for page in pages):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            path.write_text(_without_links(text, absent), encoding="utf-8")
    for path in (target / f"{page}.ipynb" for page in executed if absent):
        _without_links_in(path, absent)
    if CONFIRMATION in pages:
        _fill(target / f"{CONFIRMATION}.md", params)
    write_api_pages(PACKAGE, target / "api")
    with atomic(target / "_toc.yml") as part:
        part.write_text(yaml.safe_dump(toc, sort_keys=False), encoding="utf-8")
    _require_distinct(target, pages)
    return target


def _fill(page: Path, params: Params) -> None:
    """Write into the chapter on the confirmation what is on record, as of today."""
    found = standing(ATTEMPTS, fingerprint(params))
    results = [results_of(ATTEMPTS, each) for each in found.attempts["hash"]]
    ends = [each and each["endpoints"] for each in results]
    log = confirmation.with_outcomes(found.attempts, ends)
    found = found._replace(attempts=log)
    text = page.read_text(encoding="utf-8")
    elsewhere = ""
    if DRAWN.exists():
        drawn = read_drawn(DRAWN)
        elsewhere = (
            f"In other worlds ({len(false_alarms(drawn))} kinds were drawn) false "
            "alarms can be more frequent: where nothing is associated, "
            f"{pairs_called(drawn, params.association.alpha)}."
        )
    page.write_text(confirmation.filled(text, *found, elsewhere), encoding="utf-8")


def _empty(target: Path) -> None:
    """Remove what an earlier assembly has left, if the folder is of one."""
    try:
        own_folder(target)
    except FileExistsError as error:
        raise BookError(str(error)) from None
    for path in target.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARK:
            path.unlink()


def _record(page: str, cells: dict, runs: Path, data: Path) -> Path:
    """Where the executed notebook of a page lies."""
    folder, _, name = page.partition("/")
    if folder == "data":
        stage, corpus = cells[page]
        return data / corpus / f"{stage}.ipynb"
    return runs / (name if name in FINDINGS else "notebooks") / f"{name}.ipynb"


def _table_of_contents(path: Path, params: Params) -> tuple[dict, dict[str, str]]:
    """The source table with conditions resolved and generated pages filled in.

    With it, the pages whose condition does not hold and the words that stand for them.
    """
    generated = {"api": list(api_pages(PACKAGE)), **executed_notebooks(params)}
    absent = {}

    def resolve(entries: list) -> list:
        kept = []
        for entry in map(dict, entries):
            condition, words = entry.pop("if", None), entry.pop("else", None)
            if condition is not None and not getattr(params, condition):
                absent[entry["file"]] = words
                continue
            name = entry.get("sections")
            if name is not None:
                if name not in generated:
                    raise BookError(f"{path}: {entry['file']} has no sections {name!r}")
                entry["sections"] = [{"file": f"{name}/{p}"} for p in generated[name]]
            kept.append(entry)
        return kept

    toc = yaml.safe_load(path.read_text(encoding="utf-8"))
    for part in toc["parts"]:
        part["chapters"] = resolve(part["chapters"])
    return toc, absent


def _without_links(text: str, absent: dict[str, str]) -> str:
    """Markdown in which words stand for links to pages that the book does not have."""
    for page, words in absent.items():
        name = page.rpartition("/")[2]
        place = rf"(?:\.\./|/)?(?:chapters/)?{re.escape(name)}"
        link = rf"\{{doc\}}`{place}`|\[([^\]]*)\]\({place}\)"
        text = re.sub(link, lambda match, words=words: match[1] or words, text)
    return text


def _without_links_in(path: Path, absent: dict[str, str]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    changed = False
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            before = "".join(cell["source"])
            cell["source"] = _without_links(before, absent)
            changed |= cell["source"] != before
    if changed:
        path.write_text(_as_notebook(content), encoding="utf-8")


def _as_notebook(content: dict) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _files(toc: dict) -> Iterator[str]:
    """Every page of a table of contents, in reading order."""
    yield toc["root"]
    for part in toc["parts"]:
        for entry in part["chapters"]:
            yield entry["file"]
            yield from (section["file"] for section in entry.get("sections", []))


def _require(executed: dict[str, Path], cells: dict) -> None:
    missing = {page: path for page, path in executed.items() if not path.is_file()}
    if missing:
        lines = [
            f"  {path}: made by `dvc repro {_stage(page, cells)}`"
            for page, path in missing.items()
        ]
        raise BookError("\n".join(["executed notebooks are missing:", *lines]))


def _stage(page: str, cells: dict) -> str:
    """DVC's name of the stage that executes the notebook of a page."""
    return "@".join(cells[page]) if page in cells else page.rpartition("/")[2]


def _require_distinct(target: Path, pages: list[str]) -> None:
    """Refuse duplicate titles and labels, naming the notebook, as Sphinx does not."""
    seen: dict[tuple[str, str], str] = {}
    for page in pages:
        text = _prose(target, page)
        title = TITLE.search(text)
        if title is None:
            raise BookError(
                f"{page}: the page has no title (a line starting with '# ')"
            )
        names = [
            ("title", title[1]),
            *(("label", label) for label in LABEL.findall(text)),
        ]
        for kind, name in names:
            other = seen.setdefault((kind, name), page)
            if other != page:
                raise BookError(f"{other} and {page} have the same {kind}: {name}")


def _prose(target: Path, page: str) -> str:
    """Markdown of a page without its fenced code."""
    paths = [target / f"{page}{suffix}" for suffix in (".md", ".ipynb")]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise BookError(f"{target / '_toc.yml'} lists {page}; there is no such page")
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        written = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
        text = "\n\n".join("".join(source) for source in written)
    return FENCE.sub("", text)


def build(target_folder: str | Path, site_folder: str | Path) -> Path:
    """Render an assembled book; every warning is an error.

    Parameters
    ----------
    target_folder : path
        What `assemble` returned.
    site_folder : path
        Holds the rendered pages in the end. Those of an earlier build go, by a list
        that it has left; anything else stays. The same book gives the same bytes.

    Returns
    -------
    Path
        The front page.

    Raises
    ------
    BookError
        With Sphinx's complaints, with the addresses that a page would fetch, with links
        that lead nowhere, or with files in `site_folder` that are in the way and not of
        an earlier build.
    """
    target, site = Path(target_folder), Path(site_folder)
    command = [sys.executable, "-c", LAUNCH, "build", str(target)]
    done = subprocess.run(
        [*command, "-W", "-n", "--keep-going"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "0", "JUPYTER_PLATFORM_DIRS": "1"},
    )
    if done.returncode:
        raise BookError(f"{target} does not build:\n{_complaints(done.stdout)}")
    html = target / "_build" / "html"
    fetched = external_resources(html)
    if fetched:
        raise BookError("\n".join(["the book would need the network:", *fetched]))
    fill_gallery(html)
    lighten(html)
    fold_sections(html)
    add_reading_aids(html)
    add_offline_search(html, target / SCRIPT)
    broken = broken_links(html)
    if broken:
        raise BookError("\n".join(["links of the book lead nowhere:", *broken]))
    _publish(html, site)
    return site / "index.html"


def _publish(html: Path, site: Path) -> None:
    """Copy the pages, and remove what the list of an earlier build has beyond them."""
    pages = {path.relative_to(html) for path in html.rglob("*") if path.is_file()}
    pages = {page for page in pages if not NO_PAGE & set(page.parts)}
    mark = site / MARK
    listed = mark.read_text(encoding="utf-8").splitlines() if mark.is_file() else []
    old = {Path(name) for name in listed if ".." not in Path(name).parts}
    old = {page for page in old if not page.is_absolute()}
    in_the_way = sorted(page for page in pages - old if os.path.lexists(site / page))
    if in_the_way:
        raise BookError(
            f"{site}: {in_the_way[0]} is in the way, and was not made by sslmepr (one "
            f"of {len(in_the_way)} files); move {site} away"
        )
    # Until all is done, the list has old and new pages, so an interrupted build can be
    # cleaned up.
    _list_pages(mark, pages | old)
    for page in sorted(pages):
        (site / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(html / page, site / page)
    for page in old - pages:
        (site / page).unlink(missing_ok=True)
    _list_pages(mark, pages)


def _list_pages(mark: Path, pages: set[Path]) -> None:
    mark.parent.mkdir(parents=True, exist_ok=True)
    with atomic(mark) as part:
        lines = [f"{page.as_posix()}\n" for page in sorted(pages)]
        part.write_text("".join(lines), encoding="utf-8")


def _complaints(output: str) -> str:
    lines = COLOUR.sub("", output).splitlines()
    found = dict.fromkeys(line for line in lines if COMPLAINT.search(line))
    return "\n".join(f"  {line.strip()}" for line in found or lines[-20:])


def external_resources(folder: Path) -> list[str]:
    """Addresses that the pages and style sheets in `folder` would fetch when opened.

    Links that a reader may follow do not count.

    Returns
    -------
    list of str
        ``<file>: <address>``, sorted.
    """
    found = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix not in {".html", ".css"}:
            continue
        text = path.read_text(encoding="utf-8")
        for start in FETCHED:
            for match in start.finditer(text):
                address = REMOTE.match(text, match.end())
                if address:
                    found.add(f"{path.relative_to(folder)}: {address[0]}")
    return sorted(found)
