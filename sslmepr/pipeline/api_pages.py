"""The book's API pages, written from the source text of the package.

Sphinx's autodoc imports what it documents, torch and all, which takes longer than the
rest of the book. Signatures and docstrings can be read without running anything.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules

from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import NumpyDocstring

STYLE = Config(
    napoleon_google_docstring=False,
    napoleon_custom_sections=[("Attributes", "params_style")],
    napoleon_use_param=False,
    napoleon_use_rtype=False,
)
REFERENCE = re.compile(r"\[(\d+)\]")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def api_pages(package: Path) -> dict[str, list[str]]:
    """Page name to the modules that it documents: one page for each package.

    Modules whose name begins with an underscore are private.
    """
    pages = {}
    packages = [(package, package.name)]
    for folder, name in packages:  # grows as packages are met
        found = sorted(iter_modules([str(folder)]), key=lambda module: module.name)
        packages += [
            (folder / each.name, f"{name}.{each.name}") for each in found if each.ispkg
        ]
        modules = [
            each.name for each in found if not each.ispkg and each.name[0] != "_"
        ]
        if modules:
            pages[name] = [f"{name}.{module}" for module in modules]
    return dict(sorted(pages.items()))


def write_api_pages(package: Path, folder: Path) -> None:
    """Write one reStructuredText page for each package.

    Parameters
    ----------
    package : Path
        Folder of the package's source.
    folder : Path
        Receives the pages; created if need be.

    Raises
    ------
    SyntaxError
        If a module is not valid Python.
    """
    folder.mkdir(exist_ok=True)
    for page, modules in api_pages(package).items():
        lines = [page, "=" * len(page), ""]
        for module in modules:
            path = package.parent / Path(*module.split(".")).with_suffix(".py")
            lines += module_lines(path.read_text(encoding="utf-8"), module)
        (folder / f"{page}.rst").write_text("\n".join(lines), encoding="utf-8")


def module_lines(source: str, module: str) -> list[str]:
    """The section about one module.

    Parameters
    ----------
    source : str
        Its source text.
    module : str
        Its full name.
    """
    tree = ast.parse(source, filename=module)
    title = module.rpartition(".")[2]
    lines = [title, "-" * len(title), "", f".. py:module:: {module}", ""]
    lines += [*_docstring(tree, "module"), ""]
    for member in _members(tree):
        lines += [*member, ""]
    # Footnotes are numbered in each docstring, but share one page.
    mark = module.replace(".", "-")
    return [_plain_bars(REFERENCE.sub(rf"[#{mark}-\1]", line)) for line in lines]


def _plain_bars(line: str) -> str:
    """Outside literals, |x| is an absolute value and no substitution."""
    parts = line.split("``")
    parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
    return "``".join(parts)


def _members(tree: ast.Module) -> Iterator[list[str]]:
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, Function) and _is_public(node):
            yield _entry("function", _signature(node), _docstring(node, "function"))
        elif isinstance(node, ast.ClassDef) and _is_public(node):
            yield _class(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and _is_text(following):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            text = inspect.cleandoc(following.value.value).splitlines()
            yield _entry("data", ast.unparse(target), text)


def _class(node: ast.ClassDef) -> list[str]:
    body = _docstring(node, "class")
    for item in node.body:
        if isinstance(item, Function) and _is_public(item):
            decorators = {ast.unparse(each) for each in item.decorator_list}
            kind = "method"
            if decorators & {"property", "cached_property"}:
                kind = "property"
            elif decorators & {"classmethod", "staticmethod"}:
                kind = (decorators & {"classmethod", "staticmethod"}).pop()
            head = item.name if kind == "property" else _signature(item, bound=True)
            body += ["", *_entry(kind, head, _docstring(item, "method"))]
    return _entry("class", f"{node.name}{_construction(node)}", body)


def _construction(node: ast.ClassDef) -> str:
    """What a class is called with; a class of fields has no __init__ in the source."""
    for item in node.body:
        if isinstance(item, Function) and item.name == "__init__":
            return _arguments(item, bound=True)
    decorators = [ast.unparse(each) for each in node.decorator_list]
    bases = [ast.unparse(each) for each in node.bases]
    if (
        any(each.startswith("dataclass") for each in decorators)
        or "NamedTuple" in bases
    ):
        fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
        return f"({', '.join(map(ast.unparse, fields))})"
    return ""


def _signature(node: Function, bound: bool = False) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}{_arguments(node, bound)}{returns}"


def _arguments(node: Function, bound: bool) -> str:
    first = [*node.args.posonlyargs, *node.args.args][:1]
    if bound and first and first[0].arg in {"self", "cls"}:
        (node.args.posonlyargs or node.args.args).pop(0)
    return f"({ast.unparse(node.args)})"


def _docstring(node: ast.AST, what: str) -> list[str]:
    text = ast.get_docstring(node) or ""
    # What an error is raised for comes as one line with breaks in it.
    return "\n".join(NumpyDocstring(text, STYLE, what=what).lines()).split("\n")


def _entry(kind: str, head: str, body: list[str]) -> list[str]:
    indented = [f"   {line}".rstrip() for line in body]
    return [f".. py:{kind}:: {head}", "", *indented]


def _is_public(node: Function | ast.ClassDef) -> bool:
    return not node.name.startswith("_") and ast.get_docstring(node) is not None


def _is_text(node: ast.stmt | None) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
