"""What a parser makes of one answer. Only ever in memory: a `Found` still names its author and its link."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One post as a source shows it, text already scrubbed; ids, author and links still plain."""

    platform: str  #: "mastodon", "feed" …
    uri: str  #: canonical, the same wherever the post is met; the post's id is made of it
    native_id: str = ""  #: the source's own id, for watermarks and problems
    author: str = ""  #: stable id of the account, "" where unknown; never a display name
    created_at: datetime | None = None
    edited_at: datetime | None = None
    language: str = "und"
    title: str = ""
    text: str = ""
    url: str = ""  #: the link for people
    url_is_public: bool = False  #: True where the link names nobody (article, channel, forum topic)
    reply_to: str = ""  #: uri
    repost_of: str = ""  #: uri
    likes: int | None = None
    shares: int | None = None
    replies: int | None = None
    views: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A post that is deliberately not kept, with the reason as one word: private, opted_out, empty."""

    uri: str
    reason: str
    row: str = ""  #: of a rejected post: what may be kept of it for the operator, scrubbed


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything one answer holds. `problems` are one line each and name no person."""

    posts: tuple[Found, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    rejected: tuple[Dropped, ...] = ()  #: posts that could not be read, with the reason; the page went on
    next: str | None = None  #: the URL of the following (older or newer) page, without any token
    watermark: Mapping[str, str] = field(default_factory=dict)  #: such as newest_id, oldest_id
    problems: tuple[str, ...] = ()
    understood: bool = True  #: False where the body is not of this kind at all


class Parser(Protocol):
    """Reads one saved answer. Pure: no network, no store, no clock; never raises on bad input."""

    def __call__(
        self, body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful"
    ) -> Page:
        """`policy` "none" keeps what the opt-out policy would drop. `url` may be empty."""
        ...
