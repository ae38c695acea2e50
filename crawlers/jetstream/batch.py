"""Events of the stream gathered into a page: unwanted ones are counted and let go before they cost anything."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crawlers.bluesky.record import POST, words_of
from crawlers.bluesky.shape import kind_of, object_of
from crawlers.jetstream.event import Event, event_of
from crawlers.jetstream.parse import parse
from crawlers.jetstream.wanted import Wanted
from crawlers.page import Dropped, Page

#: What one page may hold: wanted events, events looked at, bytes.
_WANTED = 300
_LOOKED_AT = 5_000
_BYTES = 8 * 1024 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Batch:
    """One page in the making. Bounded: `is_full` says when to keep it."""

    def __init__(self, wanted: Wanted, *, known: Mapping[str, int]) -> None:
        self._wanted = wanted
        self._messages: list[bytes] = []
        self._bytes = 0
        self._looked_at = 0
        self._off_topic = 0
        self._places = dict(known)
        self.gone: list[str] = []  #: accounts that show nothing in public any more
        self.problem = ""  #: why the stream ends, in the server's words

    @property
    def is_full(self) -> bool:
        """Whether to keep the page before the next message."""
        return len(self._messages) >= _WANTED or self._looked_at >= _LOOKED_AT or self._bytes >= _BYTES

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep, not even a cursor."""
        return not self._looked_at

    def take(self, message: bytes, now: datetime) -> None:
        """Look at one message and hold on to what the page needs of it."""
        self._looked_at += 1
        event = _event(message, now)
        if event is None:
            self._hold(message)  # the parser sets it aside with its reason
        elif event.kind in ("info", "error"):
            self._heed(event, message)
        elif self._is_new(event):
            self._sort(event, message)

    def page(self, *, now: datetime, policy: str, languages: tuple[str, ...]) -> Page:
        """The page, with the place of the last event looked at."""
        body = b"\n".join(self._messages)
        read = parse(body, url="", headers={}, now=now, policy=policy) if body else Page()
        kept = tuple(one for one in read.posts if not languages or one.language in (*languages, "und"))
        foreign = [Dropped(uri=one.uri, reason="language") for one in read.posts if one not in kept]
        unwanted = [Dropped(uri="", reason="off_topic")] * self._off_topic
        said = tuple(one for one in read.problems if one.startswith(("gap", "closed", "undated")))
        return replace(
            read,
            posts=kept,
            dropped=(*read.dropped, *foreign, *unwanted),
            watermark={name: str(place) for name, place in self._places.items()},
            problems=said,
        )

    def _heed(self, event: Event, message: bytes) -> None:
        self._hold(message)
        if event.kind == "error":
            self.problem = event.name or "the server ended the stream"
        elif event.name == "FutureCursor":
            self._places.pop("seq", None)  # another archive counts here, from lower numbers

    def _is_new(self, event: Event) -> bool:
        """Whether the event comes after all that is kept; a stream begins again with the event it ended at."""
        if event.seq is not None:
            if event.seq <= self._places.get("seq", -1):
                return False
            self._places["seq"] = event.seq
        time_us = event.time_us or _microseconds(event.at)
        self._places["time_us"] = max(time_us, self._places.get("time_us", 0))
        return True

    def _sort(self, event: Event, message: bytes) -> None:
        if event.kind == "account":
            if event.is_gone and event.did:
                self.gone.append(event.did)
        elif event.kind == "commit" and event.collection == POST:
            if event.operation == "delete" or self._keeps(event):
                self._hold(message)
            else:
                self._off_topic += 1

    def _keeps(self, event: Event) -> bool:
        # What is no sound post is the parser's to refuse.
        return kind_of(event.record) != "post" or self._wanted.keeps(_words(event.record))

    def _hold(self, message: bytes) -> None:
        self._messages.append(message)
        self._bytes += len(message)


def _event(message: bytes, now: datetime) -> Event | None:
    try:
        return event_of(json.loads(message), now=now)
    except (ValueError, RecursionError):
        return None


def _words(record: Mapping[str, Any]) -> str:
    """The text first: what else a post says costs more to find."""
    text = record.get("text")
    return f"{text if isinstance(text, str) else ''} {words_of(record) if object_of(record, 'embed') else ''}"


def _microseconds(at: datetime | None) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) if at else 0
