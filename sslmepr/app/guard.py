"""What reaches the server, and what a browser may do with its answers.

Any page that is open in the same browser can send requests to this machine, and a name
that resolves to it (DNS rebinding) makes the browser take them for that page's own. So
the server answers only to its own address, its own page and the routes which that page
needs.
"""

import json
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus

from sslmepr.app.intake import MOST_BYTES, NO_ROOM, TOO_LARGE

HOSTS = ("127.0.0.1", "localhost")

ROUTES = {
    "GET": re.compile(
        r"/(|theme\.css|config|favicon\.ico|(assets|static)/.*"
        r"|gradio_api/(file=.*|upload_progress|queue/data|startup-events"
        r"|heartbeat/[a-z0-9]+))"
    ),
    "POST": re.compile(r"/gradio_api/(upload|queue/join|cancel|reset)"),
}
"""Method to the paths that the page needs."""

MOST_MESSAGE_BYTES = 2**20
"""Largest request that is no upload."""

UPLOAD = "/gradio_api/upload"

TRIMMER = "/static/ffmpeg/"
"""Gradio loads a program of 30 MB that cuts videos with every video. The policy would
not let it run, and the page has fields in its place, so that what is loaded is empty.
"""

_FORM_BYTES = 2**16

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
}

POLICY = (
    "default-src 'self'",
    # the recorder of the microphone makes its worklet from a blob
    "script-src 'self' blob: 'nonce-{nonce}'",
    "style-src 'self' 'unsafe-inline'",  # figures and Gradio set styles of elements
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "font-src 'self' data:",
    "worker-src 'self' blob:",
    "connect-src 'self' blob:",  # what the microphone recorded is drawn from one
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-src 'none'",
    "frame-ancestors 'none'",
)

LIVE = (
    "new MutationObserver((_, me) => {"
    "const at = document.getElementById('status');"
    "if (at) {at.setAttribute('role', 'status'); me.disconnect();}"
    "}).observe(document, {childList: true, subtree: true});"
    "addEventListener('unhandledrejection', event => {"
    "if (/ffmpeg-core/.test(event.reason)) return event.preventDefault();"
    "const said = document.querySelector('#status p');"
    "const refused = /^Not(Allowed|Found|Readable)Error$/;"
    "if (!said || !refused.test(event.reason?.name)) return;"
    "event.preventDefault();"
    "said.textContent = 'The camera or the microphone was refused or is not there: '"
    "+ 'allow it in the browser, or choose a file.';"
    "});"
    "const most = event => {"
    "const files = [...(event.target.files ?? event.dataTransfer?.files ?? [])];"
    f"if (files.reduce((sum, each) => sum + each.size, 0) <= {MOST_BYTES}) return;"
    "event.preventDefault();"
    "event.stopImmediatePropagation();"
    "if (event.type === 'change') event.target.value = '';"
    f"document.querySelector('#status p').textContent = {json.dumps(TOO_LARGE)};"
    "};"
    "for (const each of ['change', 'drop']) addEventListener(each, most, true);"
)
"""Makes the line of status one that screen readers read aloud when it changes, and says
there what Gradio drops or says in words of its own: that a camera was refused, and that
a file is too large. That the trimmer is empty is no error."""

_SCRIPT = re.compile(rb"<script\b")


class Guard:
    """ASGI middleware before everything else.

    Parameters
    ----------
    app : ASGI application
    port : int
        That the server listens on.
    has_room : callable
        Whether so many bytes may be uploaded.
    """

    def __init__(self, app, port: int, has_room: Callable[[int], bool]):
        self.app, self.port, self.has_room = app, port, has_room
        self.hosts = {f"{name}:{port}" for name in HOSTS}

    async def __call__(self, scope, receive, send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = self._refusal(scope)
            if refusal is None and scope["path"].startswith(TRIMMER):
                await _answer(send, HTTPStatus.OK, "")
            elif refusal is None:
                await self.app(scope, receive, _Answer(scope, send))
            else:
                full = refusal == HTTPStatus.INSUFFICIENT_STORAGE
                # the page shows it
                await _answer(send, refusal, NO_ROOM if full else refusal.phrase)
        # no other kind of connection is answered

    def _refusal(self, scope) -> HTTPStatus | None:
        named: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            named.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        if named.get("host", [""])[0] not in self.hosts or len(named["host"]) > 1:
            return HTTPStatus.MISDIRECTED_REQUEST
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if method not in ROUTES:
            return HTTPStatus.METHOD_NOT_ALLOWED
        if not self._from_own_page(scope, method, named):
            return HTTPStatus.FORBIDDEN
        if not is_allowed(method, scope["path"]):
            return HTTPStatus.NOT_FOUND
        return self._too_large(scope["path"], named) if method == "POST" else None

    def _from_own_page(self, scope, method: str, named) -> bool:
        origins = named.get("origin", [])
        if any(
            each not in {f"http://{host}" for host in self.hosts} for each in origins
        ):
            return False
        site = named.get("sec-fetch-site", ["none"])[0]
        if site in ("same-origin", "none"):
            return True
        # a link to the page from elsewhere opens it; nothing else may be fetched
        opened = named.get("sec-fetch-mode", [""])[0] == "navigate"
        return method == "GET" and opened and scope["path"] == "/"

    def _too_large(self, path: str, named) -> HTTPStatus | None:
        try:
            length = int(named["content-length"][0])
        except (KeyError, ValueError):
            return HTTPStatus.LENGTH_REQUIRED
        most = MOST_BYTES + _FORM_BYTES if path == UPLOAD else MOST_MESSAGE_BYTES
        if not 0 <= length <= most:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        full = path == UPLOAD and not self.has_room(length)
        return HTTPStatus.INSUFFICIENT_STORAGE if full else None


def is_allowed(method: str, path: str) -> bool:
    """Whether the page needs a route, which no parent folder is part of."""
    whole = ROUTES[method].fullmatch(path)
    return whole is not None and ".." not in path.split("/")


async def _answer(send, status: HTTPStatus, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    headers += [(n.lower().encode(), v.encode()) for n, v in HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


class _Answer:
    """Sends an answer with the headers of safety; a page gets nonces, too."""

    def __init__(self, scope, send):
        self.page = scope["path"] == "/" and scope["method"] == "GET"
        self.send, self.start, self.body = send, None, b""
        self.nonce = secrets.token_urlsafe(16)

    async def __call__(self, message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = self._headers(message["headers"])
            self.start = message
            if not self.page:
                await self.send(message)
        elif not self.page:
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page()

    def _headers(self, given) -> list[tuple[bytes, bytes]]:
        ours = HEADERS | {
            "Content-Security-Policy": "; ".join(POLICY).format(nonce=self.nonce)
        }
        names = {name.lower().encode() for name in ours}
        kept = [
            (name, value)
            for name, value in given
            if name.lower() not in names
            and not name.lower().startswith(b"access-control-")
        ]
        return kept + [(n.lower().encode(), v.encode()) for n, v in ours.items()]

    async def _send_page(self) -> None:
        nonce = f'<script nonce="{self.nonce}"'.encode()
        body = _SCRIPT.sub(nonce, self.body)
        added = nonce + b">" + LIVE.encode() + b"</script></head>"
        body = body.replace(b"</head>", added, 1)
        headers = [h for h in self.start["headers"] if h[0] != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self.send({**self.start, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
