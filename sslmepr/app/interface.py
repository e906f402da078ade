"""The page: what is chosen, what is shown, and what a button does."""

import html
from collections.abc import Callable, Iterator
from functools import wraps

import gradio as gr
from starlette.middleware import Middleware

from sslmepr.app import answers, report, style
from sslmepr.app.desk import Desk, unforeseen
from sslmepr.app.examples import examples
from sslmepr.app.guard import Guard
from sslmepr.app.intake import MOST_BYTES, AppError, tables_needed
from sslmepr.app.worker import place_of
from sslmepr.labels import EMOTIONS, TRAITS
from sslmepr.report.fonts import FONT
from sslmepr.report.words import pretty

EXAMPLE, VIDEO, SOUND = "drawn example", "video file or camera", "sound or microphone"
SEVERAL = "several recordings"
AUTOMATIC = "the emotion and the trait that moved farthest"
BEGIN = "Choose a recording and press Run."
BEGIN_OWN = "Choose a recording whose people agreed to this analysis."
ONE_BY_ONE = (
    "One recording at a time: these models read tables of other tools, and each "
    "recording needs its own."
)
MOST_EVENTS = 64
"""Of all pages together, waiting for an answer; analyses wait in `Desk`."""

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}

IN_TURN = {"concurrency_id": "page", "concurrency_limit": 1}
IN_TURN |= PRIVATE | {"trigger_mode": "always_last"}
"""Of all but analyses. Events are answered in the order in which they happened: a late
answer to an earlier one would stand over what was chosen since. While one is answered,
what is chosen last waits for its turn; by default, Gradio drops it."""

KEPT = """
Everything happens on this machine; nothing is sent anywhere. A recording lies in a
folder that only you can read for as long as the page shows it, so that *Run* can be
pressed again: until you choose another one or another source, press *Clear all*, close
the page or stop the app, and for 30 minutes at most. Nothing of it is written to a log.
"""


def launch_options(desk: Desk, port: int) -> dict:
    """How the server is launched: for this machine alone, with all extras off."""
    return {
        "server_name": "127.0.0.1",
        "share": False,
        "show_error": False,
        "quiet": True,
        "prevent_thread_lock": True,
        "max_file_size": MOST_BYTES,
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "mcp_server": False,
        "pwa": False,
        "ssr_mode": False,
        "allowed_paths": [],
        "theme": _theme(),
        "css": style.page(),
        "app_kwargs": {
            "middleware": [Middleware(Guard, port=port, has_room=desk.has_room)],
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
    }


def _theme() -> gr.themes.Default:
    """The font and the accent of the book, on which white can be read."""
    accent, darker = "#0072b2", "#005a8e"
    fonts = [FONT, "system-ui", "sans-serif"]
    hue = gr.themes.colors.blue  # of what is chosen by an icon; orange otherwise
    made = gr.themes.Default(primary_hue=hue, font=fonts, font_mono=["monospace"])
    colours = {}
    for suffix in ("", "_dark"):
        colours |= {
            f"button_primary_background_fill{suffix}": accent,
            f"button_primary_background_fill_hover{suffix}": darker,
            f"button_primary_text_color{suffix}": "white",
            f"checkbox_background_color_selected{suffix}": accent,
            f"checkbox_border_color_selected{suffix}": accent,
        }
    return made.set(**colours)


def _content(value: str, **options) -> gr.Markdown:
    """A place for HTML of ours, in which everything from a recording is escaped.

    Gradio's own component for HTML evaluates templates, which the content security
    policy forbids.
    """
    return gr.Markdown(value, sanitize_html=False, latex_delimiters=[], **options)


def build(desk: Desk) -> gr.Blocks:
    """The page of a server.

    Parameters
    ----------
    desk : Desk
    """
    with gr.Blocks(
        title=report.TITLE, analytics_enabled=False, delete_cache=(60, 1800)
    ) as page:
        _Page(desk).connect(page)
    page.queue(max_size=MOST_EVENTS, default_concurrency_limit=None, api_open=False)
    return page


def _changes(field) -> list:
    """Events after which a field shows another file, or none."""
    if isinstance(field, gr.File):
        return [field.upload, field.delete, field.clear]
    return [field.change]  # also of camera and microphone


def _told(handler: Callable) -> Callable:
    """A handler of the page whose errors are told; Gradio would hide them."""

    @wraps(handler)
    def told(*given):
        try:
            return handler(*given)
        except Exception as error:
            text = str(_sentence(error))
            raise gr.Error(text, duration=None, print_exception=False) from None

    return told


def _sentence(error: Exception) -> AppError:
    foreseen = isinstance(error, AppError)
    return error if foreseen else unforeseen(place_of(error))


class _Page:
    """Components of the page, and what they do."""

    def __init__(self, desk: Desk):
        self.desk = desk
        data = desk.project / "data"
        self.shown = {each.name: each for each in examples(desk.params, data)}
        gr.Markdown(f"# {report.TITLE}")
        notice = html.escape(report.notice(desk.params))
        known = html.escape(report.models(desk.params, desk.variants))
        _content(
            f'<p class="notice" role="note">{notice} '
            f'<a href="#limits">Limits and ethics</a></p><p>{known}</p>'
        )
        self._sources()
        self._options()
        self._results()
        title = "Limits and ethics, and what is kept"
        with gr.Accordion(title, open=False, elem_id="limits"):
            gr.Markdown(f"{report.LIMITS}\n\n{KEPT}\n\n{report.citation(desk.project)}")
            gr.Markdown(report.ethics(desk.project))

    def _sources(self) -> None:
        drawn, most = bool(self.shown), answers.MOST_FILES
        sources = [*([EXAMPLE] if drawn else []), VIDEO, SOUND]
        needed = tables_needed(self.desk.params)
        if not needed:
            sources.append(SEVERAL)
        first = next(iter(self.shown), None)
        self.source = gr.Radio(
            sources,
            value=sources[0],
            label="What to analyse",
            info=ONE_BY_ONE if needed else None,
        )
        self.example = gr.Radio(
            list(self.shown), value=first, label="Drawn example", visible=drawn
        )
        self.player = _content(self._player(first), visible=drawn)
        self.video = gr.Video(
            sources=["upload", "webcam"],
            include_audio=True,
            label="Video (at most 60 seconds are analysed)",
            visible=not drawn,
            buttons=[],
        )
        self.sound = gr.Audio(
            sources=["upload", "microphone"],
            type="filepath",
            label="Sound (at most 60 seconds are analysed)",
            visible=False,
            editable=False,
            buttons=[],
        )
        self.several = gr.File(
            file_count="multiple",
            type="filepath",
            label=f"Recordings (at most {most}, of 60 seconds and 200 MB altogether)",
            visible=False,
        )
        self.fields = {VIDEO: self.video, SOUND: self.sound, SEVERAL: self.several}
        self.tables = {
            modality: gr.File(
                file_types=[".csv", ".parquet", ".json"],
                type="filepath",
                label=f"What {pretty(tool)} measured: table of this recording's "
                f"{pretty(modality).lower()}",
                visible=not drawn,
            )
            for modality, tool in needed.items()
        }
        with gr.Row() as self.segment:
            self.start = gr.Textbox(label="Start, in seconds (empty: the beginning)")
            self.end = gr.Textbox(label="End, in seconds (empty: the end)")
        self.words = gr.Textbox(
            label="What is said (empty: speech recognition finds out)", lines=2
        )
        self.consent = gr.Checkbox(
            label="The people in this recording agreed to this analysis",
            visible=not drawn,
        )

    def _options(self) -> None:
        with gr.Accordion("Options", open=False):
            self.variant = gr.Dropdown(
                [(pretty(name), name) for name in self.desk.variants],
                value=self.desk.variants[0],
                label="Fusion model",
            )
            self.wanted = gr.Dropdown(
                [(pretty(name), name) for name in (*EMOTIONS[1:], *TRAITS)],
                multiselect=True,
                max_choices=3,
                label=f"Scores to explain in full (empty: {AUTOMATIC})",
            )
            self.timeline = gr.Checkbox(
                value=True, label="Emotions through the recording, window by window"
            )
        with gr.Row():
            self.run = gr.Button("Run", variant="primary", interactive=bool(self.shown))
            self.cancel = gr.Button("Cancel")
            self.clear = gr.Button("Clear all")

    def _results(self) -> None:
        with gr.Row():
            self.status = _content(answers.status(BEGIN), elem_id="status")
            # Apart, so that screen readers do not read every second aloud.
            self.clock = _content("", elem_id="clock")
        self.result = _content("", elem_id="result")
        # A group would join its buttons to one grey bar.
        with gr.Column(visible=False) as self.saving:
            _content('<div class="result"><h2>Compare and save</h2></div>')
            self.keep = gr.Button("Keep as A, to compare with the next recording")
            self.people = gr.Checkbox(label="Put pictures of people into the report")
            with gr.Row():
                self.files = [
                    gr.DownloadButton(name) for name in answers.DOWNLOADS.values()
                ]

    def _player(self, name: str | None) -> str:
        return answers.line(self.shown[name].player) if name in self.shown else ""

    def connect(self, page: gr.Blocks) -> None:
        """Say what happens when something is chosen or pressed."""
        own, tables = [*self.fields.values()], [*self.tables.values()]
        single = [self.segment, self.wanted, self.timeline]
        begun = [self.status, self.clock, self.result, self.words, self.saving]
        self.source.input(
            _told(self._choose),
            self.source,
            [self.example, self.player, *own, *single, self.consent, self.run]
            + [*tables, self.result, self.words, self.status],
            **IN_TURN,
        )
        self.example.input(
            _told(self._choose_example),
            self.example,
            [self.player, self.result, self.words],
            **IN_TURN,
        )
        for each in (self.start, self.end):
            each.change(  # `input` comes with keys alone, and not with what is pasted
                _told(self._cut), self.words, [self.words, self.status], **IN_TURN
            )
        self.consent.input(
            _told(self._agree), self.consent, [self.run, self.status], **IN_TURN
        )
        for name, each in self.fields.items():
            for event in _changes(each):
                event(
                    _told(self._taker(name)),
                    [each, self.source],
                    [self.consent, self.words, self.run, self.status, self.result],
                    **IN_TURN,
                )
        for name, each in self.tables.items():
            for event in _changes(each):
                event(_told(self._taker_of_table(name)), each, None, **IN_TURN)
        running = self.run.click(
            self._ask,
            [self.source, self.example, *own, self.start, self.end, self.words]
            + [self.consent, self.variant, self.wanted, self.timeline, *tables],
            begun,
            api_name="ask",
            **PRIVATE,
        )
        outputs = [*self.files, self.keep, self.saving]
        save = {"fn": _told(self._save), "inputs": self.people, "outputs": outputs}
        running.then(**save, api_name="save", **IN_TURN)
        self.people.input(**save, **IN_TURN)
        self.keep.click(
            _told(self._keep), None, self.status, api_name="keep", **IN_TURN
        )
        self.cancel.click(
            _told(self._stop),
            None,
            begun,
            cancels=[running],
            api_name="stop",
            **IN_TURN,
        )
        self.clear.click(
            _told(self._empty),
            self.source,
            [*own, *tables, self.start, self.end, self.consent, self.run, *begun],
            cancels=[running],
            api_name="empty",
            **IN_TURN,
        )
        page.load(_told(self._warm), None, None, **IN_TURN)
        page.unload(_told(self._leave))

    def _choose(self, source: str, request: gr.Request) -> tuple:
        for name in (*self.fields, *self.tables):
            self.desk.take(request.session_hash, name, [])
        drawn, single = source == EXAMPLE, source != SEVERAL
        shown = [gr.update(visible=each) for each in (drawn, drawn, *[single] * 3)]
        return (
            *shown[:2],
            *[gr.update(visible=source == name, value=None) for name in self.fields],
            *shown[2:],
            gr.update(visible=not drawn, value=False),
            gr.update(interactive=drawn),
            *[gr.update(visible=not drawn, value=None)] * len(self.tables),
            self._old(request),
            gr.update(visible=single, value=""),
            answers.status(BEGIN if drawn else BEGIN_OWN),
        )

    def _taker(self, name: str) -> Callable:
        """Another recording: its people have not agreed, its words are others."""

        def take(value, source: str, request: gr.Request):
            values = value if isinstance(value, list) else [value]
            before = self.desk.session(request.session_hash).uploads.get(name)
            self.desk.take(request.session_hash, name, values)
            # Another source or *Clear all* has emptied it, and has said so.
            if name != source or not (value or before):
                return [gr.skip()] * 5
            said = "Tick that the people in it agreed to this analysis."
            shown = answers.status(said if value else BEGIN)
            run = gr.update(interactive=False)
            return False, "", run, shown, self._old(request)

        return take

    def _taker_of_table(self, modality: str) -> Callable:
        def take(table: str | None, request: gr.Request) -> None:
            self.desk.take(request.session_hash, modality, [table])

        return take

    def _agree(self, agreed: bool) -> tuple:
        said = "Ready: press Run." if agreed else "Without consent nothing is analysed."
        return gr.update(interactive=agreed), answers.status(said)

    def _choose_example(self, name: str, request: gr.Request) -> tuple:
        return self._player(name), self._old(request), ""

    def _cut(self, words: str) -> tuple:
        """Another segment: what was said in the one before is not said in it."""
        if not words:
            return gr.skip(), gr.skip()
        return "", answers.status("What is said was cleared: the segment is another.")

    def _old(self, request: gr.Request):
        """What stands there is of the recording before, if anything does."""
        old = self.desk.session(request.session_hash).result is not None
        return gr.update(elem_classes=["old"] if old else [])

    def _ask(
        self,
        source: str,
        example: str | None,
        video: str | None,
        sound: str | None,
        several: list[str] | None,
        start: str,
        end: str,
        words: str,
        consent: bool,
        variant: str,
        wanted: list[str],
        timeline: bool,
        request: gr.Request,
        *tables: str | None,
    ):
        page = request.session_hash
        session = self.desk.session(page)
        words = (words or "").strip()
        # What the app has heard is heard again: it may be of another recording.
        words = "" if words == session.filled.strip() else words
        question = {"start": start, "end": end, "words": words}
        question |= {"variant": variant, "wanted": list(wanted or [])}
        question |= {"timeline": bool(timeline)}
        session.asked, old = object(), session.result is not None
        asked = session.asked
        yield _update(answers.Shown(answers.status("The analysis begins."), old=old))
        try:
            if source == EXAMPLE:
                found = self._example(page, example, question)
            else:
                value = {VIDEO: video, SOUND: sound, SEVERAL: several}.get(source)
                found = self._own(page, source, value, consent, tables, question)
            for each in found:
                if session.asked is not asked:
                    return  # the page has said why
                # Until its files are written, buttons hold those of the one before.
                yield _update(each._replace(done=False) if each.done else each)
        except Exception as error:
            if session.asked is asked:
                yield _update(answers.refused(self.desk, page, _sentence(error)))
        if session.asked is asked:
            session.asked = None

    def _example(self, page: str, name, question: dict) -> Iterator[answers.Shown]:
        if name not in self.shown:
            raise AppError("There is no such example: choose one of the list.")
        chosen = self.shown[name]
        return answers.ask(
            self.desk, page, chosen.path, question | {"true": chosen.true}
        )

    def _own(
        self, page: str, source: str, value, consent, tables, question: dict
    ) -> Iterator[answers.Shown]:
        several = isinstance(value, list)
        paths = self.desk.take(page, source, value if several else [value])
        if not paths:
            raise AppError("There is no recording yet: choose or record one.")
        if not consent:
            raise AppError(
                "Tick that the people in the recording agreed to this analysis."
            )
        if several:
            return answers.ask_several(self.desk, page, paths, question["variant"])
        measured = {}
        for modality, table in zip(self.tables, tables, strict=True):
            found = self.desk.take(page, modality, [table])
            if not found:
                raise AppError(
                    f"The table of {pretty(modality).lower()} is missing: these "
                    "models read it from what another tool measured."
                )
            measured[modality] = str(found[0])
        question |= {"tables": measured}
        return answers.ask(self.desk, page, paths[0], question)

    def _save(self, people: bool, request: gr.Request) -> list:
        page = request.session_hash
        found = answers.files(self.desk, page, bool(people))
        if not found:
            return [gr.skip()] * (len(answers.DOWNLOADS) + 2)
        buttons = [
            gr.update(value=found.get(name), visible=name in found)
            for name in answers.DOWNLOADS
        ]
        session = self.desk.session(page)
        single = (session.result or {}).get("comparable") is not None
        # While another recording is analysed, that says whether they are shown.
        shown = gr.skip() if session.asked else gr.update(visible=True)
        return [*buttons, gr.update(visible=single), shown]

    def _keep(self, request: gr.Request) -> str:
        if self.desk.keep(request.session_hash):
            return answers.status(
                "Kept as A. Analyse another recording: its result compares both."
            )
        return answers.status("Only the result of a single recording can be kept.")

    def _stop(self, request: gr.Request) -> tuple:
        page = request.session_hash
        if not self.desk.cancel(page):
            return (answers.status("Nothing is running."), *[gr.skip()] * 4)
        return _update(answers.cancelled(self.desk, page))

    def _empty(self, source: str, request: gr.Request) -> tuple:
        self.desk.forget(request.session_hash)
        cleared = answers.status("Cleared: nothing is kept.")
        empty = [None] * (3 + len(self.tables))
        run = gr.update(interactive=source == EXAMPLE)
        shown = gr.update(value="", elem_classes=[])
        hidden = gr.update(visible=False)
        return (*empty, "", "", False, run, cleared, "", shown, "", hidden)

    def _warm(self) -> None:
        """Load models while its reader looks at the page, which is there by now."""
        self.desk.worker.start()

    def _leave(self, request: gr.Request) -> None:
        self.desk.forget(request.session_hash)


def _update(shown: answers.Shown) -> tuple:
    """Updates of status, clock, result, words and downloads."""
    status, words = (
        gr.skip() if each is None else each for each in (shown.status, shown.words)
    )
    result = gr.skip()
    classes = ["old"] if shown.old else []
    if shown.result is not None:
        result = gr.update(value=shown.result, elem_classes=classes)
    elif shown.old:
        result = gr.update(elem_classes=classes)
    saving = gr.skip() if shown.done is None else gr.update(visible=shown.done)
    return status, shown.clock, result, words, saving
