"""The page: what is chosen, what is shown, and what a button does."""

import html
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from sslmepr.app import report, style
from sslmepr.app.desk import Desk
from sslmepr.app.examples import examples
from sslmepr.app.guard import Guard
from sslmepr.app.intake import MOST_BYTES, AppError
from sslmepr.labels import EMOTIONS, TRAITS
from sslmepr.report.words import pretty

EXAMPLE, VIDEO, SOUND = "drawn example", "video file or camera", "sound or microphone"
AUTOMATIC = "those farthest from the average clip"
MOST_WAITING = 4
"""Analyses that may wait while one runs."""

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
LIGHT = PRIVATE | {"concurrency_limit": None}
"""Of events that need no worker. All go through the queue: the server has no other way
in."""


def launch_options(port: int) -> dict:
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
        "theme": gr.themes.Default(
            font=["system-ui", "sans-serif"], font_mono=["monospace"]
        ),
        "css": style.PAGE,
        "app_kwargs": {
            "middleware": [Middleware(Guard, port=port)],
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
    }


def _line(content: str) -> str:
    """HTML as one line: Markdown takes it as it is up to a line that is empty."""
    return " ".join(content.split("\n"))


def _content(value: str, **options) -> gr.Markdown:
    """A place for HTML of ours, in which everything from a recording is escaped.

    Gradio's own component for HTML evaluates templates, which the content security
    policy forbids.
    """
    return gr.Markdown(value, sanitize_html=False, latex_delimiters=[], **options)


def _status(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def build(desk: Desk) -> gr.Blocks:
    """The page of a server.

    Parameters
    ----------
    desk : Desk
    """
    shown = {each.name: each for each in examples(desk.params, desk.project / "data")}
    sources = [*([EXAMPLE] if shown else []), VIDEO, SOUND]
    with gr.Blocks(
        title=report.TITLE, analytics_enabled=False, delete_cache=(60, 1800)
    ) as page:
        _head(desk)
        source = gr.Radio(sources, value=sources[0], label="What to analyse")
        example = gr.Radio(
            list(shown),
            value=next(iter(shown), None),
            label="Drawn example",
            visible=bool(shown),
        )
        first = _line(shown[next(iter(shown))].player) if shown else ""
        player = _content(first, visible=bool(shown))
        video = gr.Video(
            sources=["upload", "webcam"],
            include_audio=True,
            label="Video (at most 60 seconds are analysed)",
            visible=not shown,
            height=320,
            buttons=[],
        )
        sound = gr.Audio(
            sources=["upload", "microphone"],
            type="filepath",
            label="Sound (at most 60 seconds are analysed)",
            visible=False,
            buttons=[],
        )
        with gr.Row():
            start = gr.Textbox(label="Start, in seconds (empty: the beginning)")
            end = gr.Textbox(label="End, in seconds (empty: the end)")
        words = gr.Textbox(
            label="What is said (empty: speech recognition finds out)", lines=2
        )
        consent = gr.Checkbox(
            label="The people in this recording agreed to this analysis",
            visible=not shown,
        )
        with gr.Accordion("Options", open=False):
            variant = gr.Dropdown(
                [(pretty(name), name) for name in desk.variants],
                value=desk.variants[0],
                label="Fusion model",
            )
            wanted = gr.Dropdown(
                [(pretty(name), name) for name in (*EMOTIONS[1:], *TRAITS)],
                multiselect=True,
                max_choices=3,
                label=f"Scores to explain in full (empty: {AUTOMATIC})",
            )
        with gr.Row():
            run = gr.Button("Run", variant="primary", interactive=bool(shown))
            cancel = gr.Button("Cancel")
            clear = gr.Button("Clear")
        status = _content(
            _status("Choose a recording and press Run."), elem_id="status"
        )
        result = _content("", elem_id="result")
        with gr.Group(visible=False) as saving:
            people = gr.Checkbox(label="Put pictures of people into the report")
            with gr.Row():
                files = [gr.DownloadButton(name) for name in _DOWNLOADS]
        with gr.Accordion("Limits and ethics, and what is kept", open=False):
            gr.Markdown(f"{report.LIMITS}\n\n{_KEPT}")

        given = [source, example, video, sound]

        def choose(source, consent):
            own = source != EXAMPLE
            return (
                gr.update(visible=not own),
                gr.update(visible=not own),
                gr.update(visible=source == VIDEO),
                gr.update(visible=source == SOUND),
                gr.update(visible=own, value=False),
                gr.update(interactive=not own),
            )

        def agree(source, consent):
            return gr.update(interactive=source == EXAMPLE or bool(consent))

        def show(name):
            return _line(shown[name].player) if name in shown else ""

        def renew():
            """Another recording: its people have not agreed, its words are others."""
            return False, ""

        def ask(
            source,
            example,
            video,
            sound,
            start,
            end,
            words,
            consent,
            variant,
            wanted,
            request: gr.Request,
        ):
            yield from _ask(
                desk,
                shown,
                request.session_hash,
                source,
                {EXAMPLE: example, VIDEO: video, SOUND: sound}.get(source),
                consent,
                {
                    "start": start,
                    "end": end,
                    "words": words or "",
                    "variant": variant,
                    "wanted": list(wanted or []),
                },
            )

        def save(people, request: gr.Request):
            return _files(desk, request.session_hash, people)

        def stop(request: gr.Request):
            desk.cancel(request.session_hash)
            return _status("Cancelled.")

        def empty(request: gr.Request):
            desk.forget(request.session_hash)
            return (
                None,
                None,
                "",
                "",
                "",
                False,
                _status("Cleared: nothing is kept."),
                "",
                gr.update(visible=False),
            )

        def leave(request: gr.Request):
            desk.forget(request.session_hash)

        source.input(
            choose,
            [source, consent],
            [example, player, video, sound, consent, run],
            **LIGHT,
        )
        example.input(show, example, player, **LIGHT)
        consent.change(agree, [source, consent], run, **LIGHT)
        for each in (video, sound):
            each.input(renew, None, [consent, words], **LIGHT)
        running = run.click(
            ask,
            [*given, start, end, words, consent, variant, wanted],
            [status, result, words, saving],
            concurrency_limit=1,
            concurrency_id="worker",
            **PRIVATE,
        )
        running.then(save, people, files, **LIGHT)
        people.input(save, people, files, **LIGHT)
        cancel.click(stop, None, status, cancels=[running], **LIGHT)
        clear.click(
            empty,
            None,
            [video, sound, start, end, words, consent, status, result, saving],
            cancels=[running],
            **LIGHT,
        )
        page.unload(leave)
    page.queue(max_size=MOST_WAITING, default_concurrency_limit=1, api_open=False)
    return page


_DOWNLOADS = (
    "Report (HTML)",
    "Scores (CSV)",
    "Scores (JSON)",
    "Scores (Parquet)",
    "Attributions (CSV)",
)

_KEPT = """
Everything happens on this machine; nothing is sent anywhere. A recording lies in a
folder that only you can read, until you press Clear, close the page or stop the app,
and for 30 minutes at most. Nothing of it is written to a log.
"""


def _head(desk: Desk) -> None:
    gr.Markdown(f"# {report.TITLE}")
    notice = html.escape(report.notice(desk.params))
    _content(f'<p class="notice" role="note">{notice}</p>')


def _ask(desk: Desk, shown, name: str, source: str, value, consent, question):
    """Updates of status, result, words and downloads while a recording is analysed."""
    nothing = gr.skip()
    yield _status("Waiting for the analysis to begin."), nothing, nothing, nothing
    try:
        if source == EXAMPLE:
            if value not in shown:
                raise AppError("There is no such example: choose one of the list.")
            path, question["true"] = shown[value].path, shown[value].true
        else:
            path = desk.upload(name, value)
            if path is None:
                raise AppError("There is no recording yet: choose or record one.")
            if not consent:
                raise AppError(
                    "Tick that the people in the recording agreed to this analysis."
                )
        said = ""
        for event in desk.ask(name, path, question):
            if event.kind == "done":
                done = event
                break
            text = _progress(event) or said
            if text == said:
                continue
            said = text
            sections = event.content[2] if event.kind == "step" else None
            result = nothing if sections is None else _result(sections)
            yield _status(text), result, nothing, nothing
    except AppError as error:
        old = desk.session(name).result is not None
        text = (
            f"{error} What stands below is of the recording before." if old else error
        )
        yield _status(str(text)), nothing, nothing, nothing
        return
    answer = done.content
    partly = " Something was missing, see below." if answer["incomplete"] else ""
    yield (
        _status(f"Done in {done.seconds:.1f} seconds.{partly}"),
        _result(answer["sections"]),
        answer["transcript"],
        gr.update(visible=True),
    )


def _progress(event) -> str | None:
    """What the line of status says; None if nothing new."""
    if event.kind == "starting":
        return "The models are being loaded."
    if event.kind == "step":
        number, name, _ = event.content
        return f"Step {number} of 4: {name}."
    return None


def _result(sections) -> str:
    return _line(f'<div class="result">{report.joined(sections)}</div>')


def _files(desk: Desk, name: str, people: bool) -> list:
    """The downloads of a page, as the buttons take them."""
    result = desk.session(name).result
    if result is None:
        return [gr.skip()] * len(_DOWNLOADS)
    page = report.report(desk.params, result["sections"], bool(people))
    paths: list[Path] = desk.downloads(name, page)
    return [str(path) for path in paths]
