"""What a page shows while a recording is analysed, and what it then hands out."""

import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sslmepr.app import report
from sslmepr.app.desk import Desk
from sslmepr.app.intake import AppError, Cancelled

DOWNLOADS = {
    "report.html": "Report (HTML)",
    "scores.csv": "Scores (CSV)",
    "scores.json": "Scores (JSON)",
    "scores.parquet": "Scores (Parquet)",
    "attributions.csv": "Attributions (CSV)",
    "windows.csv": "Windows (CSV)",
}
"""File to what its button says."""

MOST_FILES = 20


class Shown(NamedTuple):
    """What changes on the page; None stays as it is.

    Attributes
    ----------
    status, result : str or None
        HTML.
    words : str or None
        What is said.
    done : bool or None
        Whether there is a result to save.
    clock : str
        HTML: how long the analysis has been running.
    old : bool
        What stands there is of the recording before.
    """

    status: str | None = None
    result: str | None = None
    words: str | None = None
    done: bool | None = None
    clock: str = ""
    old: bool = False


def status(text: str) -> str:
    """The line of status, whose text may quote names with line breaks in them."""
    return f"<p>{html.escape(' '.join(text.split()))}</p>"


def line(content: str) -> str:
    """HTML as one line: Markdown takes it as it is up to a line that is empty."""
    return " ".join(content.splitlines())


def ask(desk: Desk, page: str, path: Path, question: dict) -> Iterator[Shown]:
    """What a page shows while one recording is analysed.

    Parameters
    ----------
    desk : Desk
    page : str
        Its name.
    path : Path
    question : dict
        As of :meth:`Desk.ask`.
    """
    said = clock = ""
    session = desk.session(page)
    try:
        for event in desk.ask(page, path, question):
            if event.kind == "done":
                break
            text, before = _progress(event) or said, (said, clock)
            clock = status(f"{event.seconds:.0f} s") if event.kind != "waiting" else ""
            if (text, clock) == before:
                continue
            found = event.content[2] if event.kind == "step" else None
            yield Shown(
                None if text == said else status(text),
                None if found is None else result(found["sections"]),
                done=None if found is None else False,
                clock=clock,
            )
            said = text
    except AppError as error:
        yield refused(desk, page, error)
        return
    answer = event.content
    session.filled = "" if question["words"] else answer["transcript"]
    partly = " Something was missing, see below." if answer["incomplete"] else ""
    ended = answer.get("ended") or f"Done in {event.seconds:.1f} seconds."
    yield Shown(
        status(f"{ended}{partly}"),
        result(answer["sections"]),
        answer["transcript"],
        done=True,
    )


def ask_several(
    desk: Desk, page: str, paths: Sequence[Path], variant: str
) -> Iterator[Shown]:
    """What a page shows while several recordings are read, one after another."""
    if len(paths) > MOST_FILES:
        raise AppError(f"At most {MOST_FILES} recordings at once: choose fewer.")
    asked = desk.session(page).asked
    states = ["waiting"] * len(paths)
    names = [path.name for path in paths]
    rows = []
    for place, (name, path) in enumerate(zip(names, paths, strict=True)):
        states[place] = "being read"
        text = status(f"Recording {place + 1} of {len(paths)} is being read.")
        yield Shown(text, _states(names, states), done=False)
        rows.append({"name": name} | desk.ask_row(page, path, variant))
        states[place] = rows[-1].get("failed") or "read"
    try:
        answer = desk.ask_joined(page, rows, variant, asked)
    except AppError as error:
        yield refused(desk, page, error)
        return
    lost = sum("failed" in each for each in rows)
    text = f"Done: {len(rows) - lost} of {len(rows)} recordings were read."
    yield Shown(status(text), result(answer["sections"]), done=True)


def refused(desk: Desk, page: str, error: AppError) -> Shown:
    """What went wrong, and the result before, marked as such."""
    if isinstance(error, Cancelled):
        return cancelled(desk, page)
    before = desk.session(page).result
    if before is None:
        return Shown(status(str(error)))
    after = " What stands below is of the recording before."
    return Shown(status(f"{error}{after}"), result(before["sections"]), old=True)


def cancelled(desk: Desk, page: str) -> Shown:
    """That nothing runs any more, and the result before, marked as such."""
    before = desk.session(page).result
    shown = "" if before is None else result(before["sections"])
    old = before is not None
    return Shown(status("Cancelled."), shown, done=old, old=old)


def _progress(event) -> str | None:
    """What the line of status says; None if nothing new."""
    if event.kind == "waiting":
        first = "One analysis comes" if event.content == 1 else None
        return f"{first or f'{event.content} analyses come'} first."
    if event.kind == "starting":
        return "The models are being loaded."
    if event.kind == "step":
        number, names, _ = event.content
        return f"Step {number} of {len(names)}: {names[number - 1]}."
    return None


def _states(names: Sequence[str], states: Sequence[str]) -> str:
    """One status per file."""
    items = "".join(
        f"<li>{html.escape(name)}: {html.escape(state)}</li>"
        for name, state in zip(names, states, strict=True)
    )
    return line(f'<div class="result"><ol>{items}</ol></div>')


def result(sections) -> str:
    """Sections as they stand on the page."""
    return line(f'<div class="result">{report.joined(sections)}</div>')


def files(desk: Desk, page: str, people: bool) -> dict[str, str] | None:
    """The downloads of a page: name to path; None without a result."""
    session = desk.session(page)
    if session.result is None:
        return None
    whole = report.report(desk.params, session.result["sections"], people)
    return {
        f"{path.name.partition('-')[0]}{path.suffix}": str(path)
        for path in desk.downloads(session, whole)
    }
