"""Stands before the pages: where a store hangs, whoever asked is told so in time; the thread is left to the store."""

import asyncio

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from review_ui.outage import answer_hanging

#: Seconds until a page is given up. Forms are waited for: what became of them must not be guessed.
SECONDS = 15.0
_AT_ONCE = ("/static/", "/health", "/ready", "/metrics")


class Patience:
    """Wraps the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._left: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say that a store hangs."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith(_AT_ONCE):
            await self._app(scope, receive, send)
            return
        begun = given_up = False

        async def send_in_time(message: Message) -> None:
            nonlocal begun
            if not given_up:
                begun = True
                await send(message)

        page = asyncio.ensure_future(self._page(scope, receive, send_in_time))
        done, _ = await asyncio.wait({page}, timeout=SECONDS)
        if done or begun:
            await page
            return
        given_up = True
        self._left.add(page)
        page.add_done_callback(self._forget)
        response = await asyncio.to_thread(answer_hanging, Request(scope))
        await response(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def _forget(self, page: "asyncio.Task[None]") -> None:
        """Take what became of a page that nobody waits for any more."""
        self._left.discard(page)
        if not page.cancelled():
            page.exception()
