"""A Jetstream on loopback: it serves what a test puts into it, in either form, packed or plain, and cuts when told."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from crawlers.jetstream.packing import zstd

DICTIONARY = zstd.train_dict(
    [json.dumps({"$type": "message", "payload": {"seq": n, "text": f"invented {n * n}"}}).encode() for n in range(900)],
    4096,
)


@dataclass
class StreamServer:
    """`events` in order; a cursor replays from it, inclusive. Every handshake's query is noted."""

    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    protocols: list[str] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)
    cut_after: list[int] = field(default_factory=list)  #: per connection: events until it is cut off, without goodbye
    refuse: list[web.Response] = field(default_factory=list)  #: per connection: refused before the upgrade
    silent: bool = False
    dictionary: bytes = DICTIONARY.dict_content
    url: str = ""
    caught_up: bool = False  #: the listener has taken everything there is, it answered a ping sent after it

    @property
    def host(self) -> str:
        return self.url.removeprefix("ws://")

    async def subscribe(self, request: web.Request) -> web.StreamResponse:
        if self.refuse:
            if "compress" not in request.query and request.headers.get("Sec-WebSocket-Key", "").startswith("Y2xhaW13"):
                return self.refuse.pop(0)  # the question after the reason
            said = self.refuse[0] if self.refuse[0].status == 400 else self.refuse.pop(0)
            self.asked.append(_query(request))
            return web.Response(status=said.status, body=said.body, headers=said.headers)
        self.asked.append(_query(request))
        self.caught_up = False
        self.protocols.append(request.headers.get("Sec-WebSocket-Protocol", ""))
        self.extensions.append(request.headers.get("Sec-WebSocket-Extensions", ""))
        compress = "subscribe" in request.path
        socket = web.WebSocketResponse(protocols=("xrpc.v1.json",), compress=compress, autoping=False)
        await socket.prepare(request)
        left = self.cut_after.pop(0) if self.cut_after else -1
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._hear(socket))
            await self._send_all(request, socket, left, listening)
            listening.cancel()
        return socket

    async def _send_all(
        self, request: web.Request, socket: web.WebSocketResponse, left: int, listening: asyncio.Task[None]
    ) -> None:
        cursor, at, asked = int(request.query.get("cursor", 0)), 0, -1
        while not listening.done():
            while at < len(self.events) and not self.silent:
                if left == 0:
                    assert request.transport is not None
                    request.transport.abort()
                    return
                event, at = self.events[at], at + 1
                if place_of(event) is None or place_of(event) >= cursor:  # type: ignore[operator]
                    left -= 1
                    with suppress(ConnectionError):
                        await self._send(request, socket, event)
            if at == len(self.events) > asked and not self.silent:
                asked = at
                with suppress(ConnectionError):
                    await socket.ping(str(at).encode())
            await asyncio.sleep(0.01)

    async def _hear(self, socket: web.WebSocketResponse) -> None:
        """Until the listener goes away."""
        async for message in socket:
            if message.type == WSMsgType.PONG:
                self.caught_up = message.data == str(len(self.events)).encode()
        await socket.close(code=WSCloseCode.OK)

    async def _send(self, request: web.Request, socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
        plain = json.dumps(event, ensure_ascii=False)
        if "zstdDictionary" in request.query or "compress" in request.query:
            await socket.send_bytes(zstd.compress(plain.encode(), zstd_dict=DICTIONARY))
        else:
            await socket.send_str(plain)


def place_of(event: dict[str, Any]) -> int | None:
    """Where an event stands in its stream."""
    place = event.get("time_us") or event.get("payload", {}).get("seq")
    return int(place) if place is not None else None


@contextmanager
def streaming(**given: Any) -> Iterator[StreamServer]:
    """The server while the block lasts, in a loop of a thread of its own."""
    server, loop = StreamServer(**given), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/subscribe", server.subscribe)
        app.router.add_get("/xrpc/network.bsky.jetstream.subscribeEvents", server.subscribe)
        app.router.add_get("/xrpc/network.bsky.jetstream.getZstdDictionary", dictionary)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def dictionary(_: web.Request) -> web.Response:
        return web.Response(body=server.dictionary) if server.dictionary else web.Response(status=404)

    runner = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    yield server
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(timeout=10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def _query(request: web.Request) -> dict[str, list[str]]:
    return {key: request.query.getall(key) for key in request.query}
