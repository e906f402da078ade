"""The README's findings, which are read from the results on record."""

from pathlib import Path

from sslmepr.files import atomic
from sslmepr.params import Params
from sslmepr.report.front_page import summary

BEGIN = "<!-- `sslmepr readme` writes what follows from results/ -->\n"
END = "<!-- up to here -->"


class ReadmeError(RuntimeError):
    """The README has no place for the findings."""


def with_findings(text: str, findings: str) -> str:
    """A README with these findings between its marks.

    Parameters
    ----------
    text, findings : str
        Markdown.

    Raises
    ------
    ReadmeError
        If a mark is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ReadmeError(f"README.md: no line {BEGIN if not begin else END!r}")
    return f"{before}{BEGIN}\n{findings}\n{END}{after}"


def findings_on_record(params: Params, folder: str | Path = ".") -> str:
    """What the README says of the results on record of the default study.

    Parameters
    ----------
    params : Params
    folder : path
        Of the repository.
    """
    default = next(iter(params.studies))
    alpha = params.for_study(default).association.alpha
    return summary(default, alpha, folder)


def write_readme(params: Params, path: Path = Path("README.md")) -> None:
    """Bring the README's findings up to date with the results on record.

    Parameters
    ----------
    params : Params
    path : Path
    """
    text = with_findings(path.read_text("utf-8"), findings_on_record(params))
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")
