"""Connections of the stream: to allowed addresses only, without redirects and proxies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from crawlers.guard import fault_of, is_named, is_public, refusal

#: Bytes that a dictionary, or what a server says with a refusal, may have.
_LARGEST = 1024 * 1024
#: Bytes of one message as it travels.
MESSAGE = 4 * 1024 * 1024


class ClosedDoorError(Exception):
    """The server cannot be asked. The message says what to do; `permanent` that only an operator can."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


@asynccontextmanager
async def session(
    url: str, allow_hosts: Collection[str], *, agent: str, patience: float
) -> AsyncIterator[aiohttp.ClientSession]:
    """A session for this URL's host alone; every address connected to is judged by `guard`. `patience` in seconds."""
    if fault := fault_of(url, allow_hosts):
        raise ClosedDoorError(fault, permanent=True)
    door = _Door(url, is_free=is_named(url, allow_hosts))
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    limits = aiohttp.ClientTimeout(total=None, sock_connect=patience, sock_read=patience)
    connector = aiohttp.TCPConnector(socket_factory=door.socket, limit=1)
    async with aiohttp.ClientSession(
        connector=connector, trace_configs=[trace], timeout=limits, headers={"User-Agent": agent}
    ) as opened:
        try:
            yield opened
        except aiohttp.ClientConnectorError as error:
            if door.refused:
                raise ClosedDoorError(refusal(door.host), permanent=True) from error
            raise


async def body_of(opened: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, bytes]:
    """Status and body of an answer, cut off where it is too large. TimeoutError where it never ends."""
    body = b""
    async with asyncio.timeout(opened.timeout.sock_read), opened.get(url, headers=headers) as response:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > _LARGEST:
                break
        return response.status, body[:_LARGEST]


class _Door:
    def __init__(self, url: str, *, is_free: bool) -> None:
        self.host = urlsplit(url).hostname or ""
        self.is_free = is_free
        self.refused = False

    def socket(self, address: Any) -> socket.socket:
        """A socket for the address that is about to be connected to."""
        family, kind, protocol, _, where = address
        if not self.is_free and not is_public(str(where[0])):
            self.refused = True
            raise OSError("not an address of the public Internet")
        return socket.socket(family, kind, protocol)


async def _refuse_redirect(session: aiohttp.ClientSession, context: SimpleNamespace, asked: object) -> None:
    del session, context, asked
    raise ClosedDoorError("the server redirects: give the address that it should lead to as base_url", permanent=True)
