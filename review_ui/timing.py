"""Stands outermost: counts and times every answer under its route's template, so that no id becomes a label."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claimwatch.metrics import REQUESTS

_METHODS = frozenset({"GET", "HEAD", "POST"})


class Timing:
    """Wraps the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Time one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # where nothing was sent, a fault of ours is answered further out

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = perf_counter()
        try:
            await self._app(scope, receive, send_noted)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            REQUESTS.labels(method=method, route=_route(scope), status=status).observe(perf_counter() - begun)


def _route(scope: Scope) -> str:
    template = getattr(scope.get("route"), "path", None)
    if template:
        return str(template)
    return "/static" if scope["path"].startswith("/static/") else "(none)"
