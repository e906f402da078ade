"""What the server knows: the worker, and of each open page its files and result."""

import base64
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

from sslmepr.app.intake import AppError, check_file, check_segment
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
    used : float
        When it was last used (monotonic clock, seconds).
    """

    token: str = field(default_factory=lambda: secrets.token_hex(4))
    uploads: set[Path] = field(default_factory=set)
    result: dict | None = None
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
            As of ``sslmepr.app.reading.Reader``, without path and folder.

        Raises
        ------
        AppError
            As one sentence for the page, whatever went wrong.
        """
        session = self.session(name)
        check_segment(question["start"], question["end"])
        if question["variant"] not in self.variants:
            raise AppError("There is no such variant: choose one of the list.")
        check_file(path)
        if self._held_bytes() > MOST_FOLDER_BYTES:
            raise AppError("There is no room left for recordings: press Clear first.")
        work = self.folder / "tmp" / f"work-{secrets.token_hex(8)}"
        work.mkdir(mode=0o700)
        try:
            # A name may be anything, and reasons quote it.
            copy = work / f"recording{_suffix(path)}"
            shutil.copyfile(path, copy)
            (work / "made").mkdir()
            places = {"path": str(copy), "folder": str(work / "made")}
            self._asking = name
            for event in self.worker.ask(question | places):
                if event.kind == "done":
                    session.result = event.content
                yield event
        except Unexpected as error:
            number = secrets.randbelow(900_000) + 100_000
            print(f"sslmepr: error {number}: {error}", file=sys.stderr)
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
