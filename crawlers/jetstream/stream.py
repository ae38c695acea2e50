"""Listens to the stream for a while, keeps it page by page, and goes on where it ended however it ended."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import aiohttp

from claimwatch.errors import SourceError
from claimwatch.keys import author_key
from claimwatch.ledger import claims, runs, sources
from claimwatch.posts.base import Search
from crawlers.answers import error_page_of, read_json
from crawlers.intake import open_intake
from crawlers.jetstream.batch import Batch
from crawlers.jetstream.connection import MESSAGE, ClosedDoorError, body_of, session
from crawlers.jetstream.packing import PackingError, Unpacker
from crawlers.jetstream.parse import parse
from crawlers.jetstream.spider import StreamPlan
from crawlers.jetstream.wanted import Wanted
from crawlers.page import Page
from crawlers.ratelimit import book_key, closed_until
from crawlers.spider import Crawl

_log = logging.getLogger(__name__)
#: Seconds after which a page is kept though it is not full: so much is heard twice after a kill.
KEEP_EVERY = 10.0
#: Seconds to wait after a cut, doubled with each further cut that brings nothing.
PAUSE = 1.0
_LONGEST_PAUSE = 60.0
#: Cuts in a row, without one message between, after which the crawl is given up.
CUTS = 6
#: Pseudonyms of closed accounts remembered before their posts are looked for.
_GONE = 1_000
#: Posts looked through for those of closed accounts, the newest.
_SEARCHED = 10_000
_LOOKED_FOR = 500


class Stream:
    """One crawl of a stream while it runs."""

    def __init__(self, crawl: Crawl, *, agent: str) -> None:
        assert isinstance(crawl.plan, StreamPlan)
        self.crawl = crawl
        self.plan = crawl.plan
        self.chosen = crawl.plan.settings
        self.agent = agent
        self._until = 0.0
        self._ends = asyncio.Event()
        self._ended = asyncio.Event()
        self._unpacker: Unpacker | None = None
        self._refused_dictionary = 0
        self._socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        self._cuts = 0

    async def run(self) -> None:
        """Listen for as long as the source says. How it ended is noted in the crawl."""
        self._until = time.monotonic() + self.chosen.minutes * 60
        try:
            wanted = self._wanted()
            while self._goes_on():
                await self._once(wanted)
            self._forget_closed_accounts()
        except ClosedDoorError as error:
            self._fail(error.reason, permanent=error.permanent)
        except SourceError as error:
            self.crawl.failure = error
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """End at the page under way; it is kept."""
        self._ends.set()
        if self._socket is not None:
            await self._socket.close()

    async def join(self) -> None:
        """Until the crawl has ended."""
        await self._ended.wait()

    def _goes_on(self) -> bool:
        return not self._ends.is_set() and time.monotonic() < self._until

    async def _once(self, wanted: Wanted) -> None:
        """One connection, from the cursor to its cut; a pause after a cut."""
        try:
            await self._find_dictionary()
            await self._connect(wanted)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._cuts += 1
            _log.info("stream of %s cut: %s", self.crawl.source.name, type(error).__name__)
        if self._cuts >= CUTS:
            raise ClosedDoorError(f"the stream was cut {CUTS} times and gave nothing", permanent=False)
        if self._cuts and self._goes_on():
            await self._pause(min(PAUSE * 2 ** (self._cuts - 1), _LONGEST_PAUSE))

    async def _pause(self, seconds: float) -> None:
        self.crawl.renew_lease()
        try:
            await asyncio.wait_for(self._ends.wait(), seconds)
        except TimeoutError:
            return

    async def _find_dictionary(self) -> None:
        """The dictionary that messages will be packed with; without one they travel plain."""
        url = self.plan.dictionary_url
        if not url or self._unpacker is not None or self._refused_dictionary < 0:
            return
        async with session(url, self.crawl.allow_hosts, agent=self.agent, patience=self._patience) as opened:
            status, body = await body_of(opened, url)
        try:
            self._unpacker = Unpacker(body) if status == 200 else None
        except PackingError as error:
            self.crawl.problems.append(f"unpacked: {error}; messages travel plain")
        if self._unpacker is None or self._unpacker.id in (0, self._refused_dictionary):
            self._unpacker, self._refused_dictionary = None, -1

    async def _connect(self, wanted: Wanted) -> None:
        dictionary = self._unpacker.id if self._unpacker else 0
        url = self.plan.subscription(self.crawl.state, dictionary).url
        deflates = self.plan.is_v1 and self.chosen.compress and not dictionary
        async with session(url, self.crawl.allow_hosts, agent=self.agent, patience=self._patience) as opened:
            try:
                connected = await opened.ws_connect(
                    url,
                    protocols=() if self.plan.is_v1 else ("xrpc.v1.json",),
                    timeout=aiohttp.ClientWSTimeout(ws_close=5),
                    max_msg_size=MESSAGE,
                    compress=15 if deflates else 0,
                )
            except aiohttp.WSServerHandshakeError as error:
                await self._refused(opened, url, error)
                return
            async with connected as self._socket:
                await self._listen(connected, wanted)

    async def _listen(self, connected: aiohttp.ClientWebSocketResponse[bool], wanted: Wanted) -> None:
        """Page after page until the connection ends."""
        is_open = True
        while is_open and self._goes_on():
            places = {key: int(self.crawl.state.get(key, 0)) for key in ("seq", "time_us")}
            if self.crawl.state.get("server") != self.plan.base:
                places = {}
            batch = Batch(wanted, known={key: place for key, place in places.items() if place})
            try:
                is_open = await self._fill(batch, connected)
            finally:
                if not batch.is_empty:  # also of what came before a silence
                    self._keep(batch)
        if not is_open and self._goes_on():
            raise TimeoutError("the connection ended")

    async def _fill(self, batch: Batch, connected: aiohttp.ClientWebSocketResponse[bool]) -> bool:
        """Take messages until the page is due; whether the connection still stands. TimeoutError on silence."""
        due = min(time.monotonic() + KEEP_EVERY, self._until)
        heard = time.monotonic()
        while not batch.is_full and time.monotonic() < due:
            silent_until = heard + self.chosen.silence
            try:
                message = await connected.receive(max(0.001, min(due, silent_until) - time.monotonic()))
            except TimeoutError:
                if time.monotonic() >= silent_until:
                    raise
                continue
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return False
            heard = time.monotonic()
            self._cuts = 0
            batch.take(self._plain(message.data), self.crawl.intake.now)
            if batch.problem:
                return False
        return True

    def _plain(self, data: str | bytes) -> bytes:
        if isinstance(data, str):
            return data.encode("utf-8", "replace")
        if self._unpacker is None:
            return data
        try:
            return self._unpacker.unpack(data)
        except PackingError as error:
            raise aiohttp.ClientPayloadError(str(error)) from error

    def _keep(self, batch: Batch) -> None:
        """Posts, then cursor. Each page is judged by the time it is kept at."""
        crawl = self.crawl
        crawl.renew_lease()
        crawl.intake = open_intake(crawl.intake.desk, crawl.source.name)
        policy = crawl.intake.desk.settings.crawl.policy
        page = batch.page(now=crawl.intake.now, policy=policy, languages=self.chosen.languages)
        crawl.problems += [one for one in page.problems if one not in crawl.problems]
        step = self.plan.after(self.plan.first(crawl.state), crawl.state, page)
        crawl.pages += 1
        crawl.keep(page, {**step.state, **self._gone(batch)})
        if len(crawl.state.get("gone", ())) >= _GONE:
            self._forget_closed_accounts()

    def _gone(self, batch: Batch) -> dict[str, Any]:
        """Closed accounts, under their pseudonyms of this quarter: the only ones that their posts can be found by."""
        key = self.crawl.intake.quarter_key
        gone = [author_key(key, self.crawl.kind.platform, did) for did in batch.gone]
        known = list(self.crawl.state.get("gone", ()))
        return {"gone": list(dict.fromkeys(known + gone))} if known or gone else {}

    def _forget_closed_accounts(self) -> None:
        """Delete what this source brought of accounts that were closed meanwhile."""
        crawl, gone = self.crawl, set(self.crawl.state.get("gone", ()))
        if not gone:
            return
        desk = crawl.intake.desk
        desk.posts.refresh()
        theirs: list[str] = []
        for offset in range(0, _SEARCHED, _LOOKED_FOR):
            found = desk.posts.search(Search(source=crawl.source.name, offset=offset, limit=_LOOKED_FOR))
            theirs += [post.id for post in found.posts if post.author_key in gone]
            if not found.more:
                break
        desk.posts.forget(theirs, crawl.intake.now)
        with desk.ledger.write() as db:
            runs.count(db, crawl.run, {"deleted": len(theirs)} if theirs else {})
        crawl.keep(Page(), {key: value for key, value in crawl.state.items() if key != "gone"})

    async def _refused(self, opened: aiohttp.ClientSession, url: str, refusal: aiohttp.WSServerHandshakeError) -> None:
        """What follows from a refused handshake; the reason is in its body, which is asked for once more."""
        status, state = refusal.status, self.crawl.state
        http = url.replace("ws", "http", 1)
        asked = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        asked["Sec-WebSocket-Key"] = "Y2xhaW13YXRjaCBhc2tzIQ=="
        body = (await body_of(opened, http, **asked))[1] if status == 400 else b""
        code = _code_of(body)
        if code == "UnknownZstdDictionary" and self._unpacker is not None:
            self._refused_dictionary, self._unpacker = self._unpacker.id, None
        elif code == "CursorTooOld" and (place := next((one for one in ("seq", "time_us") if one in state), "")):
            self.crawl.problems.append("gap: the server no longer has what came after the cursor; it goes on later")
            self.crawl.state = {key: value for key, value in state.items() if key != place}
        else:
            self._close(status, body, dict(refusal.headers or {}))
        self._cuts += 1

    def _close(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """End the crawl at a refusal that another question would not mend; others count as cuts."""
        until = closed_until(status, headers, time.time())
        if until is not None:
            with self.crawl.intake.desk.ledger.write() as db:
                sources.limit(db, book_key(self.plan.base), until=until, reason=f"{status}: the server asks to wait")
            raise ClosedDoorError(f"{status}: the server asks to wait", permanent=False)
        if 400 <= status < 500:
            told = {":status": str(status)}
            page = parse(body, url="", headers=told, now=self.crawl.intake.now)
            said = page.problems[0] if body and page.problems else error_page_of(b"", told)
            raise ClosedDoorError(f"{status}: {said}", permanent=status != 408)

    def _wanted(self) -> Wanted:
        phrasings: list[str] = []
        if self.chosen.claims:
            with self.crawl.intake.desk.ledger.read() as db:
                active = claims.every(db, "active")
            phrasings = [one for claim in active for said in claim.phrasings.values() for one in said]
        wanted = Wanted(self.chosen.words, phrasings)
        if not wanted:
            reason = "nothing to look for: give the source `words`, or the desk claims with phrasings"
            raise SourceError(self.crawl.source.name, reason, permanent=True)
        return wanted

    @property
    def _patience(self) -> float:
        return self.crawl.intake.desk.settings.crawl.timeout

    def _fail(self, reason: str, *, permanent: bool) -> None:
        self.crawl.failure = SourceError(self.crawl.source.name, reason, permanent=permanent)


def _code_of(body: bytes) -> str:
    try:
        said = read_json(body, {})
    except ValueError:
        return ""
    code = said.get("error") if isinstance(said, dict) else None
    return code if isinstance(code, str) else ""
