"""One reader's comment: whether it can be read, and what it says."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from claimwatch.text.html import html_to_text
from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.dates import read_date
from crawlers.outcomes import count_of, inside, text_of
from crawlers.page import Found

#: Whom a comment answers. A name of few letters is a plain word elsewhere, so it goes by its place.
_ANSWERED = re.compile(r"<span\b[^<>]*\breply_?name\b[^<>]*>.{0,200}?</span>", re.IGNORECASE | re.DOTALL)
_VIETNAM = timezone(timedelta(hours=7))
_BELOW = "replys"  # codespell:ignore replys
_ID = re.compile(r"[1-9]\d{0,14}")


def is_comment(each: object) -> bool:
    """Whether this has the shape of a comment, sound or not."""
    return isinstance(each, dict) and bool({"comment_id", "content"} & each.keys())


def uri_of(comment: object, key: str = "comment_id") -> str:
    """The canonical URI of the comment that a key names, "" where it names none. Ids are text here, numbers there."""
    number = text_of(comment, key).strip()
    return f"vnexpress:{number}" if _ID.fullmatch(number) else ""


def fault_of(comment: Mapping[str, Any]) -> str | None:
    """Why a comment cannot be read, as one word, None where it can."""
    if not uri_of(comment):
        return "no_id"
    return None if isinstance(comment.get("content"), str) else "no_text"


def read_comment(comment: Mapping[str, Any], *, parent: str, now: datetime) -> Found:
    """The post of a sound comment. `parent` is the comment it stands below, where it does not name one itself."""
    text, uri = words_of(comment), uri_of(comment)
    answered = uri_of(comment, "parent_id") or parent
    return Found(
        platform="vnexpress",
        uri=uri,
        native_id=uri.partition(":")[2],
        author=_author_of(comment),
        created_at=_time_of(comment, now),
        language=language_of(text, hint="vi"),
        text=text,
        reply_to="" if answered == uri else answered,  # the head of a thread names itself
        likes=count_of(comment, "userlike"),
        replies=count_of(comment, _BELOW, "total"),
    )


def words_of(comment: Mapping[str, Any]) -> str:
    """What the comment says, scrubbed of its writer's name and of the name it answers."""
    html = _ANSWERED.sub(" [user] ", text_of(comment, "content"))
    name = text_of(comment, "full_name").strip()
    return tidy(scrub(html_to_text(html), known=(name,) if name else ()))


def replies_of(comment: object) -> tuple[Sequence[Any], int]:
    """The replies shown below a comment, and how many it has. Where it has none there is {} or []."""
    below = inside(comment, _BELOW, "items")
    shown: Sequence[Any] = below if isinstance(below, list) else ()
    return shown, max(count_of(comment, _BELOW, "total") or 0, len(shown))


def _author_of(comment: Mapping[str, Any]) -> str:
    """The account's number; "" of a guest, who has none."""
    number = text_of(comment, "userid").strip()
    return number if _ID.fullmatch(number) else ""


def _time_of(comment: Mapping[str, Any], now: datetime) -> datetime | None:
    """The exact time, else the one shown (`7h trước`, `09:20 11/1`), which is of the day of the answer."""
    exact = read_date(comment.get("creation_time"), now=now, zone=_VIETNAM)
    return exact or read_date(comment.get("time"), now=now, zone=_VIETNAM)
