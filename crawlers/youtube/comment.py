"""One YouTube comment: whether it may be kept, and what it says."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from claimwatch.text.html import html_to_text
from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.dates import read_date
from crawlers.links import names_in
from crawlers.outcomes import count_of, text_of
from crawlers.page import Found

_ID = re.compile(r"[\w.-]{8,120}")
_VIDEO = re.compile(r"[\w-]{6,20}")
#: What a comment is while only the channel's owner sees it.
_HELD = frozenset({"heldForReview", "likelySpam", "rejected"})


def uri_of(comment: object) -> str:
    """The canonical URI, "" where the comment has no id."""
    native_id = text_of(comment, "id")
    return f"youtube:{native_id}" if _ID.fullmatch(native_id) else ""


def fault_of(comment: Mapping[str, Any]) -> str | None:
    """Why a comment cannot be read, as one word, None where it can."""
    if not uri_of(comment):
        return "no_id"
    snippet = comment.get("snippet")
    told = isinstance(snippet, dict) and any(
        isinstance(snippet.get(key), str) for key in ("textOriginal", "textDisplay")
    )
    return None if told else "no_text"


def left_out(comment: Mapping[str, Any]) -> str | None:
    """Why a sound comment is not for us, as one word, None where it is. YouTube has no sign for opting out."""
    return "private" if text_of(comment, "snippet", "moderationStatus") in _HELD else None


def read_comment(
    comment: Mapping[str, Any], *, now: datetime, names: tuple[str, ...], video: str = "", replies: int | None = None
) -> Found:
    """The post of a sound comment. `video` and `replies` are what its thread says of it."""
    snippet, native_id = comment["snippet"], text_of(comment, "id")
    text = words_of(comment, names)
    created, updated = (read_date(snippet.get(key), now=now) for key in ("publishedAt", "updatedAt"))
    link = _link(text_of(snippet, "videoId") or video, native_id)
    return Found(
        platform="youtube",
        uri=uri_of(comment),
        native_id=native_id,
        author=text_of(snippet, "authorChannelId", "value") or text_of(snippet, "authorChannelId"),
        created_at=created,
        edited_at=updated if updated != created else None,
        language=language_of(text),
        text=text,
        url=link,
        url_is_public=bool(link),
        reply_to=uri_of({"id": parent_of(comment)}),
        likes=count_of(snippet, "likeCount"),
        replies=replies,
    )


def words_of(comment: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """What the comment says, scrubbed. The original is plain text and often missing; what is shown is HTML."""
    original = text_of(comment, "snippet", "textOriginal")
    text = original if original.strip() else html_to_text(text_of(comment, "snippet", "textDisplay"))
    return tidy(scrub(text, known=names))


def names_of(*comments: object) -> tuple[str, ...]:
    """Names of the comments' authors, for scrubbing; longest first. Those who answer write them out."""
    names: set[str] = set()
    for comment in comments:
        names.add(text_of(comment, "snippet", "authorDisplayName").strip().lstrip("@"))
        names |= names_in(text_of(comment, "snippet", "authorChannelUrl"))
    return tuple(sorted((name for name in names if len(name) > 1), key=lambda name: (-len(name), name)))


def parent_of(comment: object) -> str:
    """The id of the comment that this one answers, "" where it answers the video. An answer's id begins with it."""
    before, dot, _ = text_of(comment, "id").partition(".")
    return text_of(comment, "snippet", "parentId") or (before if dot else "")


def _link(video: str, native_id: str) -> str:
    return f"https://www.youtube.com/watch?v={video}&lc={native_id}" if _VIDEO.fullmatch(video) else ""
