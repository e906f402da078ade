"""The book: sources and executed notebooks put together, then rendered.

What belongs in the book follows from ``book/_toc.yml`` and from the parameters, never
from what happens to lie in a folder: a notebook that is listed and missing is an error,
one that lies there unlisted is left out.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules

import yaml

from sslmepr.params import Params

PACKAGE = Path(__file__).parent
# Jupyter Book's package has no __main__, and its script may not be on the path.
LAUNCH = "from jupyter_book.cli.main import main; main()"
COMPLAINT = re.compile(r"WARNING|ERROR|Error:|Exception|critical", re.IGNORECASE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TITLE = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)
LABEL = re.compile(r"^\(([^()\s]+)\)=\s*$", re.MULTILINE)
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)
FETCHED = (
    re.compile(r"""<(?:script|img|iframe|source|audio|video)\b[^>]*?\bsrc=["']?"""),
    re.compile(r"""<link\b(?![^>]*rel=["']?canonical)[^>]*?\bhref=["']?"""),
    re.compile(r"""(?:@import\s+|url\(\s*)["']?"""),
)
REMOTE = re.compile(r"(?:https?:)?//[^\s\"'()<>]+", re.IGNORECASE)


class BookError(RuntimeError):
    """The book cannot be assembled or does not build without a warning."""


def training_pages(params: Params) -> list[str]:
    """Names of the executed notebooks of the training stages, in reading order.

    One per cell of the stages ``unimodal``, ``crosstask`` and ``fusion``, such as
    ``unimodal-face-emotion``.
    """
    return [
        *(
            f"unimodal-{name}-{task}"
            for name in params.modalities
            for task in params.tasks
        ),
        *(f"crosstask-{name}" for name in params.modalities),
        *(f"fusion-{name}" for name in params.variants),
    ]


def assemble(
    study: str,
    params: Params,
    source_folder: str | Path = "book",
    runs_folder: str | Path = "runs",
    target_folder: str | Path = "build/book",
) -> Path:
    """Bring together everything that the book of a study is made from.

    Parameters
    ----------
    study : str
        Name of the study; its notebooks lie in ``<runs_folder>/<study>/notebooks``.
    params : Params
        The parameters of that study.
    source_folder : path
        Configuration, table of contents, prose, bibliography and static files.
    target_folder : path
        Replaced. Holds the prose as it is, the executed notebooks under ``chapters``
        and ``training``, the API pages under ``api`` and the full ``_toc.yml``.

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
    notebooks = Path(runs_folder, study, "notebooks")
    toc = _table_of_contents(source / "_toc.yml", params)
    pages = list(_files(toc))
    executed = [page for page in pages if page.startswith(("chapters/", "training/"))]
    _require(executed, notebooks)
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target)
    for page in executed:
        copy = target / f"{page}.ipynb"
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(notebooks / f"{Path(page).name}.ipynb", copy)
    _write_api_pages(target)
    (target / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))
    _require_distinct(target, pages)
    return target


def _table_of_contents(path: Path, params: Params) -> dict:
    """The source table with conditions resolved and generated pages filled in."""
    generated = {
        "training": [f"training/{name}" for name in training_pages(params)],
        "api": [f"api/{name}" for name in api_pages()],
    }

    def resolve(entries: str | list) -> list:
        if isinstance(entries, str):
            if entries not in generated:
                raise BookError(
                    f"{path}: no generated pages {entries!r}; "
                    f"known: {', '.join(generated)}"
                )
            return [{"file": file} for file in generated[entries]]
        kept = []
        for entry in map(dict, entries):
            condition = entry.pop("if", None)
            if condition is not None and not getattr(params, condition):
                continue
            if "sections" in entry:
                entry["sections"] = resolve(entry["sections"])
            kept.append(entry)
        return kept

    toc = yaml.safe_load(path.read_text(encoding="utf-8"))
    for part in toc["parts"]:
        part["chapters"] = resolve(part["chapters"])
    return toc


def _files(toc: dict) -> Iterator[str]:
    """Every page of a table of contents, in reading order."""

    def walk(entries: list) -> Iterator[str]:
        for entry in entries:
            yield entry["file"]
            yield from walk(entry.get("sections", []))

    yield toc["root"]
    for part in toc["parts"]:
        yield from walk(part["chapters"])


def _require(executed: list[str], notebooks: Path) -> None:
    paths = [notebooks / f"{Path(page).name}.ipynb" for page in executed]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        lines = [
            f"  {path}: made by `dvc repro {_stage(path.stem)}`" for path in missing
        ]
        raise BookError(
            "\n".join([f"{len(missing)} executed notebooks are missing:", *lines])
        )


def _stage(notebook: str) -> str:
    """DVC's name of the stage that executes a notebook."""
    stage, _, cell = notebook.partition("-")
    return f"{stage}@{cell}" if cell else stage


def api_pages() -> dict[str, list[str]]:
    """Page name to the modules it documents: one page for each package.

    The modules that stand directly in ``sslmepr`` share the page ``sslmepr``.
    """
    pages = {}
    packages = [(PACKAGE, "sslmepr")]
    for folder, name in packages:
        found = sorted(iter_modules([str(folder)]), key=lambda module: module.name)
        modules = [item.name for item in found if not item.ispkg]
        pages[name] = [f"{name}.{item}" for item in modules if item[0] != "_"]
        packages += [
            (folder / item.name, f"{name}.{item.name}") for item in found if item.ispkg
        ]
    return {name: modules for name, modules in pages.items() if modules}


def _write_api_pages(target: Path) -> None:
    folder = target / "api"
    folder.mkdir(exist_ok=True)
    for name, modules in api_pages().items():
        lines = [f"# {name}", "", *_directive("automodule", name), ""]
        for module in modules:
            lines += [f"## {module.rpartition('.')[2]}", ""]
            lines += [
                *_directive("automodule", module, "members", "show-inheritance"),
                "",
            ]
        (folder / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")


def _directive(name: str, argument: str, *options: str) -> list[str]:
    body = [f".. {name}:: {argument}", *(f"   :{option}:" for option in options)]
    return ["```{eval-rst}", *body, "```"]


def _require_distinct(target: Path, pages: list[str]) -> None:
    """Sphinx's own complaint about twins does not say which notebook to change."""
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
    path = target / f"{page}.md"
    if path.is_file():
        text = path.read_text(encoding="utf-8")
    else:
        path = target / f"{page}.ipynb"
        if not path.is_file():
            raise BookError(
                f"{target / '_toc.yml'} lists {page}, but there is no such page"
            )
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
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
        Replaced by the rendered pages. The same book gives the same bytes.

    Returns
    -------
    Path
        The front page.

    Raises
    ------
    BookError
        With Sphinx's complaints, or with the addresses that a page would fetch.
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
    if site.exists():
        shutil.rmtree(site)
    shutil.copytree(html, site, ignore=shutil.ignore_patterns(".buildinfo", "reports"))
    return site / "index.html"


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
