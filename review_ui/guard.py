"""Stands before every request: refuses bodies without end, and sets the headers that keep a page to itself."""

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Bytes of a form: the longest text fields, escaped, several times over.
_LARGEST = 256 * 1024
#: Set on every answer.
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Wraps the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                static = scope["path"].startswith("/static/")
                headers.setdefault("cache-control", "max-age=86400" if static else "no-store")
            await send(message)

        if scope["method"] == "POST" and not _bounded(scope):
            await PlainTextResponse("The form is too large.", status_code=413)(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)


def _bounded(scope: Scope) -> bool:
    """Whether the request says how long it is, and is short enough. The server holds it to what it said."""
    length = dict(scope["headers"]).get(b"content-length", b"")
    return length.isdigit() and int(length) <= _LARGEST
