"""What the server knows: the worker, and of each open page its files and result."""

import base64
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

from sslmepr.app.intake import AppError, Cancelled, check_file, check_segment
from sslmepr.app.worker import Event, Unexpected, Worker
from sslmepr.params import Params

MOST_AGE_SECONDS = 30 * 60
"""A page that was not used for so long is forgotten."""

MOST_FOLDER_BYTES = 2**30
"""Of all files of all pages together."""


@dataclass
class Session:
    """One open page.

    Attributes
    ----------
    token : str
        Stands in the names of its downloads, so that they can be found.
    uploads : set of Path
    result : dict or None
        Last answer of the worker.
    kept : dict or None
        What is compared with the next recording.
    used : float
        When it was last used (monotonic clock, seconds).
    """

    token: str = field(default_factory=lambda: secrets.token_hex(4))
    uploads: set[Path] = field(default_factory=set)
    result: dict | None = None
    kept: dict | None = None
    used: float = field(default_factory=time.monotonic)


class Desk:
    """Takes recordings from pages to the worker, and forgets them.

    Parameters
    ----------
    project : Path
        The repository's folder.
    params : Params
    variants : list of str
        Fusion models that are there; the first is chosen at first.
    folder : Path
        Private folder with ``uploads`` and ``tmp``.
    """

    def __init__(self, project: Path, params: Params, variants, folder: Path):
        self.project, self.params, self.variants = project, params, variants
        self.folder, self.uploads = folder, folder / "uploads"
        self.worker = Worker(_reader, (project.resolve(), variants[0]))
        self.sessions: dict[str, Session] = {}
        self._lock = RLock()
        self._asking: str | None = None

    def __enter__(self) -> "Desk":
        self.worker.start()
        return self

    def __exit__(self, *_) -> None:
        self.worker.close()

    def session(self, name: str) -> Session:
        """The page of that name (Gradio's session hash)."""
        with self._lock:
            found = self.sessions.setdefault(name, Session())
            found.used = time.monotonic()
            return found

    def ask(self, name: str, path: Path, question: dict) -> Iterator[Event]:
        """Have a recording analysed for a page; yield what happens.

        Parameters
        ----------
        name : str
            Of the page.
        path : Path
            The recording.
        question : dict
            As of ``sslmepr.app.reading.Reader``, without path, folder and kept.

        Raises
        ------
        AppError
            As one sentence for the page, whatever went wrong.
        """
        session = self.session(name)
        question = question | {"kept": session.kept}
        for event in self._events(name, path, question):
            if event.kind == "done":
                session.result = event.content
            yield event

    def keep(self, name: str) -> bool:
        """Keep the scores of a page's result, to compare the next one with.

        Returns
        -------
        bool
            False if there is no result of a single recording.
        """
        session = self.session(name)
        found = (session.result or {}).get("comparable")
        if found is not None:
            session.kept = found
        return found is not None

    def ask_row(self, name: str, path: Path, variant: str) -> dict:
        """Have one of several recordings read.

        Parameters
        ----------
        name : str
            Of the page.
        path : Path
        variant : str

        Returns
        -------
        dict
            row, or failed, why there is none.

        Raises
        ------
        Cancelled
            All other errors concern this recording alone.
        """
        question = {"task": "row", "start": None, "end": None, "words": ""}
        try:
            events = list(self._events(name, path, question | {"variant": variant}))
        except Cancelled:
            raise
        except AppError as error:
            return {"failed": str(error)}
        return events[-1].content

    def ask_joined(self, name: str, rows: list[dict], variant: str) -> dict:
        """Have the rows of several recordings put together, as a page's result.

        Raises
        ------
        AppError
        """
        session = self.session(name)
        question = {"task": "joined", "rows": rows, "start": None, "end": None}
        events = list(self._events(name, None, question | {"variant": variant}))
        session.result = events[-1].content
        return session.result

    def _events(self, name: str, path: Path | None, question: dict) -> Iterator[Event]:
        """What the worker says of a question, in a folder that lasts as long."""
        check_segment(question["start"], question["end"])
        if question["variant"] not in self.variants:
            raise AppError("There is no such variant: choose one of the list.")
        if path is not None:
            check_file(path)
        if self._held_bytes() > MOST_FOLDER_BYTES:
            raise AppError("There is no room left for recordings: press Clear first.")
        work = self.folder / "tmp" / f"work-{secrets.token_hex(8)}"
        work.mkdir(mode=0o700)
        try:
            (work / "made").mkdir()
            places = {"folder": str(work / "made")}
            if path is not None:
                # A name may be anything, and reasons quote it.
                copy = work / f"recording{_suffix(path)}"
                shutil.copyfile(path, copy)
                places["path"] = str(copy)
            self._asking = name
            yield from self.worker.ask(question | places)
        except Unexpected as error:
            number = secrets.randbelow(900_000) + 100_000
            # The error stream is shut, because libraries name files in it.
            print(f"sslmepr: error {number}: {error}", flush=True)
            raise AppError(
                f"Something went wrong that was not foreseen (error {number}, which "
                "also stands in the terminal): try again, or another recording."
            ) from None
        except OSError:
            raise AppError("The disk is full or not writable: make room.") from None
        finally:
            self._asking = None
            shutil.rmtree(work, ignore_errors=True)

    def cancel(self, name: str) -> bool:
        """End the analysis of a page, if it is that one's that runs."""
        if self._asking != name:
            return False
        self.worker.stop()
        return True

    def upload(self, name: str, value: str | None) -> Path | None:
        """The file that a page says it has uploaded.

        Raises
        ------
        AppError
            If it lies anywhere else.
        """
        if not value:
            return None
        path = Path(value).resolve()
        if not path.is_relative_to(self.uploads.resolve()):
            raise AppError("The recording is no longer there: choose it again.")
        self.session(name).uploads.add(path)
        return path

    def downloads(self, name: str, report: str) -> list[Path]:
        """Write the files that a page can download; first the report.

        Parameters
        ----------
        name : str
        report : str
            As HTML.
        """
        session = self.session(name)
        contents = {"report.html": report.encode()}
        for file, content in (session.result or {}).get("files", {}).items():
            contents[file] = base64.b64decode(content)
        folder = self.folder / "tmp" / f"files-{session.token}"
        folder.mkdir(mode=0o700, exist_ok=True)
        paths = []
        for file, content in contents.items():
            stem, _, suffix = file.partition(".")
            path = folder / f"{stem}-{session.token}.{suffix}"
            path.write_bytes(content)
            paths.append(path)
        return paths

    def forget(self, name: str) -> None:
        """Remove all that is kept of a page."""
        self.cancel(name)
        with self._lock:
            session = self.sessions.pop(name, None)
            if session is None:
                return
            others = {p for each in self.sessions.values() for p in each.uploads}
        for path in session.uploads - others:
            shutil.rmtree(path.parent, ignore_errors=True)
        copies = self.uploads.glob(f"*/*-{session.token}.*")
        for path in [*copies, self.folder / "tmp" / f"files-{session.token}" / "x"]:
            shutil.rmtree(path.parent, ignore_errors=True)

    def forget_old(self, now: float | None = None) -> None:
        """Forget the pages that were not used for long."""
        now = time.monotonic() if now is None else now
        with self._lock:
            old = [
                name
                for name, each in self.sessions.items()
                if now - each.used > MOST_AGE_SECONDS and name != self._asking
            ]
        for name in old:
            self.forget(name)

    def _held_bytes(self) -> int:
        sizes = 0
        for path in self.folder.rglob("*"):
            try:
                sizes += path.stat().st_size if path.is_file() else 0
            except OSError:
                continue  # another page has just removed it
        return sizes


def _reader(project: Path, variant: str):
    """Made in the worker's process alone: the server needs no models."""
    from sslmepr.app.reading import Reader

    return Reader(project, variant)


def _suffix(path: Path) -> str:
    """The suffix of a name, if it is a plain one."""
    suffix = path.suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() else ""
