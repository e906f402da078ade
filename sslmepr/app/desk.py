"""What the server knows: the worker, and of each open page its files and result."""

import base64
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from threading import RLock

from sslmepr.app.elements import listed, paragraph, section
from sslmepr.app.intake import (
    NO_ROOM,
    RECORDING,
    AppError,
    Cancelled,
    check_file,
    check_segment,
)
from sslmepr.app.worker import Event, Unexpected, Worker
from sslmepr.params import Params

MOST_AGE_SECONDS = 30 * 60
"""A page that was not used for so long is forgotten."""

MOST_FOLDER_BYTES = 2**30
"""Of all files of all pages together."""

MOST_WAITING = 4
"""Analyses that may wait while one runs."""

LOOSE_SECONDS = 60
"""After which an upload that nothing is added to has broken off."""

TICK_SECONDS = 0.2
"""How often one that waits looks whether it is its turn."""


@dataclass
class Session:
    """One open page.

    Attributes
    ----------
    token : str
        Stands in the names of its downloads, so that they can be found.
    uploads : dict of str to set of Path
        Field of the page to the files that it shows.
    result : dict or None
        Last answer of the worker.
    filled : str
        What speech recognition heard and the page then showed as what is said. It is
        given back with the next question, and is not what somebody typed.
    kept : dict or None
        What is compared with the next recording.
    used : float
        When it was last used (monotonic clock, seconds).
    asked : object or None
        Stands for the question that is being answered. Whoever answers another one,
        because the page cancelled it or was cleared meanwhile, answers nobody.
    """

    token: str = field(default_factory=lambda: secrets.token_hex(4))
    uploads: dict[str, set[Path]] = field(default_factory=dict)
    result: dict | None = None
    filled: str = ""
    kept: dict | None = None
    used: float = field(default_factory=time.monotonic)
    asked: object | None = None


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
        # One analysis after another; the first one runs, or is about to.
        self._line: list[_Turn] = []

    def __enter__(self) -> "Desk":
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

        Once there are scores, they are the page's result, whatever ends the analysis
        but the page itself.

        Parameters
        ----------
        name : str
            Of the page.
        path : Path
            The recording.
        question : dict
            As of ``sslmepr.app.reading.Reader``, without path, folder and kept;
            tables lie in the folder of uploads.

        Raises
        ------
        AppError
            As one sentence for the page, whatever went wrong.
        """
        session, found, left = self.session(name), None, []
        asked, seconds = session.asked, 0.0
        try:
            for event in self._events(name, path, question | {"kept": session.kept}):
                seconds = event.seconds
                if event.kind == "step":
                    number, names, answer = event.content
                    found, left = answer or found, names[number - 1 :]
                if event.kind == "done":
                    self._settle(session, asked, event.content)
                yield event
        except Cancelled:
            raise
        except AppError as error:
            if found is None:
                raise
            answer = cut_short(found, str(error), left)
            self._settle(session, asked, answer)
            yield Event("done", answer, seconds)

    def _settle(self, session: Session, asked: object, answer: dict) -> None:
        """Make an answer the result of the page that still waits for it."""
        with self._lock:
            if session.asked is not asked:
                raise Cancelled("Cancelled.")
            session.result = answer

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

    def ask_joined(
        self, name: str, rows: list[dict], variant: str, asked: object
    ) -> dict:
        """Have the rows of several recordings put together, as a page's result.

        Parameters
        ----------
        name : str
            Of the page.
        rows : list of dict
            name and what :meth:`ask_row` said of each.
        variant : str
        asked : object or None
            Of the session when the first row was asked for.

        Raises
        ------
        AppError
        """
        question = {"task": "joined", "rows": rows, "start": None, "end": None}
        events = list(self._events(name, None, question | {"variant": variant}))
        answer = events[-1].content
        self._settle(self.session(name), asked, answer)
        return answer

    def _events(self, name: str, path: Path | None, question: dict) -> Iterator[Event]:
        """What the worker says of a question, in a folder that lasts as long."""
        check_segment(question["start"], question["end"])
        if question["variant"] not in self.variants:
            raise AppError("There is no such variant: choose one of the list.")
        if path is not None:
            check_file(path)
        if not self.has_room():
            raise AppError(NO_ROOM)
        turn = self._line_up(name)
        work = self.folder / "tmp" / f"work-{secrets.token_hex(8)}"
        try:
            work.mkdir(mode=0o700)
            (work / "made").mkdir()
            places = {"folder": str(work / "made")}
            places |= {"most_seconds": self.worker.most_seconds}
            if path is not None:
                places |= _copied(path, question.get("tables") or {}, work)
            yield from self._waiting(turn)
            yield from self.worker.ask(question | places)
        except Unexpected as error:
            raise unforeseen(str(error)) from None
        except OSError:
            raise AppError("The disk is full or not writable: make room.") from None
        finally:
            self._leave_line(turn)
            shutil.rmtree(work, ignore_errors=True)

    def _line_up(self, name: str) -> "_Turn":
        with self._lock:
            if len(self._line) > MOST_WAITING:
                raise AppError(
                    f"{MOST_WAITING} analyses are waiting already: try again in a "
                    "minute."
                )
            turn = _Turn(name)
            self._line.append(turn)
        return turn

    def _waiting(self, turn: "_Turn") -> Iterator[Event]:
        """Say how many come first, until none does."""
        begin = time.monotonic()
        while True:
            with self._lock:
                if turn not in self._line:
                    raise Cancelled("Cancelled.")
                before = self._line.index(turn)
            if not before:
                return
            yield Event("waiting", before, time.monotonic() - begin)
            time.sleep(TICK_SECONDS)

    def _leave_line(self, turn: "_Turn") -> None:
        with self._lock:
            if turn in self._line:
                self._line.remove(turn)

    def _running(self) -> str | None:
        """The page whose analysis runs."""
        with self._lock:
            return self._line[0].page if self._line else None

    def cancel(self, name: str) -> bool:
        """End the analysis of a page, whether it runs or waits.

        Returns
        -------
        bool
            False if there is none.
        """
        with self._lock:
            mine = [each for each in self._line if each.page == name]
            if mine and mine[0] is self._line[0]:
                self.worker.stop()
            for each in mine:
                self._line.remove(each)
            session = self.sessions.get(name)
            asked = session is not None and session.asked is not None
            if asked:
                session.asked = None
        return asked or bool(mine)

    def take(self, name: str, field: str, values: Sequence[str | None]) -> list[Path]:
        """The files that a field of a page shows; those that it showed before go.

        Parameters
        ----------
        name, field : str
            Of the page, and of its field.
        values : sequence of str or None
            Paths, as the page has them.

        Raises
        ------
        AppError
            If one is anything but an upload.
        """
        paths = [self._upload(each) for each in values if each]
        uploads = self.session(name).uploads
        with self._lock:
            before, uploads[field] = uploads.get(field, set()), set(paths)
        self._remove(before)
        return paths

    def _upload(self, value: str) -> Path:
        path = Path(value).resolve()
        # Its folder is removed with it, so that it must have one of its own.
        alone = path.parent.parent == self.uploads.resolve()
        if not (alone and path.is_file()):
            raise AppError("The recording is no longer there: choose it again.")
        return path

    def _remove(self, paths: set[Path]) -> None:
        """Remove uploads, but for those that a page still shows."""
        with self._lock:
            fields = [each.uploads.values() for each in self.sessions.values()]
            gone = paths.difference(*chain.from_iterable(fields))
        for path in gone:
            shutil.rmtree(path.parent, ignore_errors=True)

    def downloads(self, session: Session, report: str) -> list[Path]:
        """Write the files that a page can download; first the report.

        Parameters
        ----------
        session : Session
        report : str
            As HTML.

        Returns
        -------
        list of Path
            Empty if the page was forgotten meanwhile.
        """
        contents = {"report.html": report.encode()}
        for file, content in (session.result or {}).get("files", {}).items():
            contents[file] = base64.b64decode(content)
        folder = self.folder / "tmp" / f"files-{session.token}"
        paths = []
        with self._lock:  # or they would lie there after the page was forgotten
            if not any(each is session for each in self.sessions.values()):
                return []
            folder.mkdir(mode=0o700, exist_ok=True)
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
        self._remove(set().union(*session.uploads.values()))
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
                if now - each.used > MOST_AGE_SECONDS and name != self._running()
            ]
        for name in old:
            self.forget(name)
        for path in self.uploads.glob("tmp*"):  # Gradio leaves them where they are
            try:
                if time.time() - path.stat().st_mtime > LOOSE_SECONDS:
                    path.unlink()
            except OSError:
                continue  # it has just become a whole file, or is a folder

    def has_room(self, size: int = 0) -> bool:
        """Whether the folder may grow by so many bytes."""
        held = size
        for path in self.folder.rglob("*"):
            try:
                held += path.stat().st_size if path.is_file() else 0
            except OSError:
                continue  # another page has just removed it
        return held <= MOST_FOLDER_BYTES


def cut_short(found: dict, why: str, left: list[str]) -> dict:
    """What was found before an analysis ended, as an answer that says so.

    Parameters
    ----------
    found : dict
        Answer of `sslmepr.app.reading.Reader` so far.
    why : str
        A sentence.
    left : list of str
        Names of the steps that were not finished.
    """
    said = (
        f"{why} The scores are whole and can be saved; what is not there is "
        f"{listed(left)}."
    )
    sections = [section("ended", "Ended early", paragraph(said)), *found["sections"]]
    return found | {"sections": sections, "ended": said}


@dataclass(eq=False)
class _Turn:
    """A place in the line; equal to no other, as a page may ask twice."""

    page: str


def unforeseen(place: str) -> AppError:
    """An error that nobody foresaw: its number on the page and in the terminal.

    Parameters
    ----------
    place : str
        In the code, from `sslmepr.app.worker.place_of`.
    """
    number = secrets.randbelow(900_000) + 100_000
    # The error stream is shut, because libraries name files in it.
    print(f"sslmepr: error {number}: {place}", flush=True)
    return AppError(
        f"Something went wrong that was not foreseen (error {number}, which also "
        "stands in the terminal): try again, or another recording."
    )


def _reader(project: Path, variant: str):
    """Made in the worker's process alone: the server needs no models."""
    from sslmepr.app.reading import Reader

    return Reader(project, variant)


def _copied(path: Path, tables: Mapping[str, str], work: Path) -> dict:
    """Where a recording and its tables lie for the worker.

    A name may be anything, and reasons quote it. Only where a table may call the
    recording by its name, it keeps it; a table without such a column is called as the
    recording is.
    """
    copy = work / f"{path.stem if tables else RECORDING}{_suffix(path)}"
    shutil.copyfile(path, copy)
    places = {}
    for modality, table in tables.items():
        place = work / modality / f"{copy.stem}{_suffix(Path(table))}"
        place.parent.mkdir()
        shutil.copyfile(table, place)
        places[modality] = str(place)
    return {"path": str(copy), "tables": places}


def _suffix(path: Path) -> str:
    """The suffix of a name, if it is a plain one."""
    suffix = path.suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() else ""
