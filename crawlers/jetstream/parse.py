"""Reads a saved capture of Jetstream: one event per line, in the first form (time_us) or the second (seq)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from crawlers.answers import error_page_of, is_cut_off
from crawlers.bluesky.parse import refusal_of
from crawlers.bluesky.record import POST, read_record, self_labels
from crawlers.bluesky.shape import kind_of
from crawlers.jetstream.capture import CaptureError, events_in, opened
from crawlers.jetstream.event import Event, event_of
from crawlers.outcomes import Outcomes
from crawlers.page import Page

_OPT_OUT = "!no-unauthenticated"
#: Words of the stream about itself -> the problem they are. All others are passed over.
_ADVICE = {
    "OutdatedCursor": "gap: the cursor was older than what the server keeps; the events between are lost",
    "ConsumerTooSlow": "closed: the server cut the stream, as it was not read fast enough",
    "CursorTooOld": "gap: the cursor is older than what the server keeps; begin at a later one",
    "FutureCursor": "bad_request: the cursor lies ahead of the stream",
}


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. A deleted post is dropped as `deleted`, also where the capture holds its creation.

    The stream carries no account's wishes: `respectful` drops only posts that bear `!no-unauthenticated` themselves.
    """
    del url  # a capture has none
    if not body.strip():
        return Page(problems=("empty: the capture holds nothing",))
    try:
        plain = opened(body)
    except CaptureError as error:
        return Page(problems=(str(error),), understood=False)
    reading = _Reading(now, policy)
    for said in events_in(plain):
        reading.take(said)
    return reading.page() if reading.events else _without_events(plain, headers)


def _without_events(body: bytes, headers: Mapping[str, str]) -> Page:
    """A handshake that was refused, or nothing that we know."""
    problem = next((found for said in events_in(body) if (found := _refusal(said, headers))), None)
    problem = problem or error_page_of(body, headers)
    if problem:
        return Page(problems=(problem,))
    if is_cut_off(body):
        return Page(problems=("cut_off: the JSON ends before its end",), understood=False)
    return Page(problems=("not_jetstream: no line of this is an event",), understood=False)


def _refusal(said: Any, headers: Mapping[str, str]) -> str | None:
    name = said.get("error") if isinstance(said, dict) else None
    return _ADVICE.get(name) if isinstance(name, str) and name in _ADVICE else refusal_of(said, headers)


class _Reading:
    """One capture while it is read, event after event; the last word on a post holds."""

    def __init__(self, now: datetime, policy: str) -> None:
        self.now = now
        self.policy = policy
        self.sorted = Outcomes()
        self.advice: list[str] = []
        self.events = 0
        self.places: dict[str, int] = {}
        self.met: set[tuple[str, int]] = set()
        self.deleted: set[str] = set()

    def take(self, said: Any) -> None:
        """Sort one parsed line."""
        event = event_of(said, now=self.now)
        if event is None:
            self.sorted.reject("", "not_json" if said is None else "not_an_event")
            return
        self.events += 1
        if event.kind in ("info", "error"):
            self._heed(event)
        elif self._is_repeated(event):
            self.sorted.drop(event.uri, "repeated")
        elif event.kind != "commit":
            self.sorted.drop("", event.kind)
        elif event.collection != POST:
            self.sorted.drop(event.uri, "not_a_post")
        else:
            self._take_post(event)

    def page(self) -> Page:
        """All that was read, and where to go on from."""
        page = self.sorted.page(watermark={name: str(place) for name, place in self.places.items()})
        return replace(page, problems=(*self.advice, *page.problems))

    def _heed(self, event: Event) -> None:
        problem = _ADVICE.get(event.name, "closed: the server ended the stream" if event.kind == "error" else "")
        if problem and problem not in self.advice:
            self.advice.append(problem)

    def _is_repeated(self, event: Event) -> bool:
        """Whether the event was met before: a stream taken up again repeats from its cursor on."""
        place = event.seq if event.seq is not None else event.time_us
        name = "seq" if event.seq is not None else "time_us"
        if place is None:
            return False
        self.places[name] = max(place, self.places.get(name, 0))
        # Two events of the first form may share a microsecond: the record tells them apart.
        key = (f"{name} {event.uri} {event.operation} {event.kind} {event.did}", place)
        if key in self.met:
            return True
        self.met.add(key)
        return False

    def _take_post(self, event: Event) -> None:
        if not event.uri:
            self.sorted.reject("", "no_uri")
        elif event.operation == "delete":
            self._delete(event.uri)
        elif event.operation not in ("create", "update"):
            self.sorted.reject(event.uri, "unknown_operation")
        elif not event.record or kind_of(event.record) not in ("", "post"):
            self.sorted.reject(event.uri, "no_record")
        elif self.policy != "none" and _OPT_OUT in self_labels(event.record):
            self.sorted.posts.pop(event.uri, None)
            self.sorted.drop(event.uri, "opted_out")
        else:
            self._keep(event)

    def _delete(self, uri: str) -> None:
        self.sorted.posts.pop(uri, None)
        self.deleted.add(uri)
        self.sorted.drop(uri, "deleted")

    def _keep(self, event: Event) -> None:
        """A post made or edited. One that its author made anew is not deleted any more."""
        if event.uri in self.deleted:
            self.deleted.discard(event.uri)
            gone = {(event.uri, "deleted")}
            self.sorted.dropped = [one for one in self.sorted.dropped if (one.uri, one.reason) not in gone]
        self.sorted.posts.pop(event.uri, None)
        found = read_record(event.record, uri=event.uri, seen=event.at, now=self.now)
        edited = event.at if event.operation == "update" else None
        self.sorted.keep(replace(found, edited_at=edited))
