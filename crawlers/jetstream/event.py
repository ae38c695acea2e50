"""One event of the stream, in either of its two forms, made one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from crawlers.bluesky.shape import kind_of, number_of, object_of, text_of
from crawlers.dates import read_date

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = frozenset({"commit", "identity", "account", "sync", "info"})
_GONE = frozenset({"deleted", "deactivated", "takendown", "suspended"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened: to a record, to an account, or to the stream itself."""

    kind: str  #: commit, identity, account, sync, info, error
    operation: str = ""  #: of a commit: create, update, delete
    did: str = ""
    collection: str = ""
    key: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None  #: when the stream met it
    name: str = ""  #: of an info or error, such as OutdatedCursor
    time_us: int | None = None  #: place on the first form's wire
    seq: int | None = None  #: place on the second form's wire
    is_gone: bool = False  #: of an account: it shows nothing in public any more

    @property
    def uri(self) -> str:
        """The record's address; "" where the event is none of a record."""
        sound = self.did.startswith("did:") and self.collection and self.key
        return f"at://{self.did}/{self.collection}/{self.key}" if sound else ""


def event_of(said: Any, *, now: datetime) -> Event | None:
    """The event that an object stands for; None where it is none."""
    if not isinstance(said, Mapping):
        return None
    if said.get("$type") == "error":
        return Event(kind="error", name=text_of(said, "error"))
    payload = object_of(said, "payload") if said.get("$type") == "message" else said
    kind = kind_of(payload)
    if kind in _KINDS:
        return _newer(payload, kind, now)
    return _older(payload) if text_of(payload, "kind") in _KINDS else None


def _newer(payload: Mapping[str, Any], kind: str, now: datetime) -> Event:
    """A frame of network.bsky.jetstream.subscribeEvents: flat, placed by `seq`."""
    return Event(
        kind=kind,
        operation=text_of(payload, "operation"),
        did=text_of(payload, "did"),
        collection=text_of(payload, "collection"),
        key=text_of(payload, "rkey"),
        record=object_of(payload, "record"),
        at=read_date(payload.get("time"), now=now),
        name=text_of(payload, "name"),
        seq=number_of(payload, "seq"),
        is_gone=_is_gone(object_of(payload, "account")),
    )


def _older(said: Mapping[str, Any]) -> Event:
    """An event of /subscribe: the commit is nested, placed by `time_us`."""
    commit, time_us = object_of(said, "commit"), number_of(said, "time_us")
    return Event(
        kind=text_of(said, "kind"),
        operation=text_of(commit, "operation"),
        did=text_of(said, "did"),
        collection=text_of(commit, "collection"),
        key=text_of(commit, "rkey"),
        record=object_of(commit, "record"),
        at=_instant(time_us),
        time_us=time_us,
        is_gone=_is_gone(object_of(said, "account")),
    )


def _is_gone(account: Mapping[str, Any]) -> bool:
    # Other states, such as `throttled`, are the servers' own and pass.
    return account.get("active") is False and text_of(account, "status") in _GONE


def _instant(time_us: int | None) -> datetime | None:
    # A capture may be of any age, but microseconds past the year 3000 are none.
    return _EPOCH + timedelta(microseconds=time_us) if time_us and time_us < 32_503_680_000_000_000 else None
