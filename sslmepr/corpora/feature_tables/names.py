"""Which clips of a corpus the id of a row means.

A table may call a clip by its id, or by the recording, as the tool was given it: with
or without folders before it and its suffix behind. The parts of one recording share its
table, and take their rows by time.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from sslmepr.corpora.folder import MEDIA_SUFFIXES


class Found(NamedTuple):
    """Clips that an id means.

    Attributes
    ----------
    places : tuple of int
        In the list of clips; empty if it means none.
    by_media : bool
        They were found by their recording, so that times count from its beginning.
    ambiguous : bool
        They are not parts of one recording.
    """

    places: tuple[int, ...]
    by_media: bool
    ambiguous: bool


class ClipNames:
    """The clips of a corpus by all that they may be called.

    Parameters
    ----------
    clips : sequence of dict
        ``clip_id`` and ``media`` (text or None) of each.
    """

    def __init__(self, clips: Sequence[dict]):
        self._media = [clip["media"] for clip in clips]
        self._by_id = {clip["clip_id"]: place for place, clip in enumerate(clips)}
        self._by_last: dict[str, list[tuple[tuple[str, ...], int, bool]]] = {}
        for place, clip in enumerate(clips):
            for name, is_media in ((clip["clip_id"], False), (clip["media"], True)):
                if name is not None:
                    parts = _parts(name)
                    self._by_last.setdefault(parts[-1], []).append(
                        (parts, place, is_media)
                    )

    def find(self, text: str) -> Found:
        """The clips that an id means."""
        parts = _parts(text)
        same = [
            (place, is_media)
            for each, place, is_media in self._by_last.get(parts[-1], [])
            if _is_end(each, parts) or _is_end(parts, each)
        ]
        if text in self._by_id:
            same = [each for each in same if each[0] == self._by_id[text]]
        places = tuple(dict.fromkeys(place for place, _ in same))
        by_media = {place for place, is_media in same if is_media}
        one_recording = (
            by_media == set(places)
            and len({self._media[place] for place in places}) == 1
        )
        return Found(places, bool(by_media), len(places) > 1 and not one_recording)


def _parts(name: str) -> tuple[str, ...]:
    """A path's parts, without the suffix of a recording."""
    path = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/"))
    last = path.name
    if path.suffix.lower() in MEDIA_SUFFIXES:
        last = path.stem
    return (*path.parts[:-1], last)


def _is_end(parts: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    return whole[-len(parts) :] == parts
