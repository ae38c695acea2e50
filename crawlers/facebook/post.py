"""One post or comment of the Graph API: whether it may be kept, and what it says."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.dates import read_date
from crawlers.links import names_in
from crawlers.outcomes import count_of, inside, objects_of, text_of
from crawlers.page import Found

_ID = re.compile(r"\d{1,40}(?:_\d{1,40}){0,2}")
#: Keys of which a post or comment has at least one.
_TELLING = frozenset({"message", "story", "created_time", "permalink_url", "attachments"})
#: Attachments whose title is made by Facebook: `Photos from Mai's post`.
_PICTURES = re.compile(r"photo|album|video|sticker|animated|cover|profile|unavailable|native_templates")


def is_post(each: object) -> bool:
    """Whether this has the shape of a post or comment, sound or not."""
    return isinstance(each, dict) and bool(_TELLING & each.keys())


def id_of(each: Mapping[str, Any]) -> str:
    """The Graph id, else that in the link; else one made of the content, so that it is the same the next time."""
    told = text_of(each, "id")
    if _ID.fullmatch(told):
        return told
    post, comment, reply = _ids_in(text_of(each, "permalink_url"))
    if comment:
        return "_".join(part for part in (post.rpartition("_")[2], reply or comment) if part)
    if post or not (text_of(each, "message") or text_of(each, "story")):
        return post
    content = [text_of(each, key) for key in ("created_time", "message", "story")]
    return "x" + hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


def uri_of(native_id: str) -> str:
    """The canonical URI of an id, "" of none."""
    return f"facebook:{native_id}" if native_id else ""


def fault_of(each: object) -> str | None:
    """Why something cannot be read, as one word, None where it can."""
    if not isinstance(each, dict) or not is_post(each):
        return "not_a_post"
    return None if id_of(each) else "no_id"


def left_out(each: Mapping[str, Any]) -> str | None:
    """Why a sound post is not for us, as one word, None where it is. Facebook has no sign for opting out."""
    audience = text_of(each, "privacy", "value")
    hidden = each.get("is_hidden") is True or each.get("is_private") is True or each.get("is_published") is False
    return "private" if hidden or audience not in ("", "EVERYONE") else None


def read_post(each: Mapping[str, Any], *, now: datetime, above: str = "") -> Found:
    """The post of a sound object. `above` is the id of what it was listed under, where it was."""
    native_id, text = id_of(each), words_of(each)
    return Found(
        platform="facebook",
        uri=uri_of(native_id),
        native_id=native_id,
        author=text_of(each, "from", "id"),
        created_at=read_date(each.get("created_time"), now=now),
        language=language_of(text),
        text=text,
        url=_link(each),
        reply_to=uri_of(_parent_of(each, above)),
        likes=_first_count(
            each, ("reactions", "summary", "total_count"), ("likes", "summary", "total_count"), ("like_count",)
        ),
        shares=count_of(each, "shares", "count"),
        replies=_first_count(each, ("comments", "summary", "total_count"), ("comment_count",)),
    )


def words_of(each: Mapping[str, Any]) -> str:
    """What the post says, scrubbed: its message, and titles and descriptions of what is attached.

    A story (`Mai updated her cover photo`) is Facebook's sentence, not the author's.
    """
    parts = [text_of(each, "message").strip()]
    for part in _attached(each):
        if part and not any(part in said or (said and said in part and len(said) > 40) for said in parts):
            parts.append(part)
    return tidy(scrub("\n".join(part for part in parts if part), known=known_names(each)))


def known_names(each: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the author and of all who are tagged, for scrubbing; longest first."""
    holders = [each, *_attachments(each)]
    tags = [tag for holder in holders for key in ("message_tags", "description_tags", "story_tags", "with_tags")
            for tag in (*objects_of(holder, key), *objects_of(holder, key, "data"))]  # fmt: skip
    people = (inside(each, "from"), *tags, *objects_of(each, "to", "data"))
    names = {text_of(person, key) for person in people for key in ("name", "username")}
    names |= names_in(text_of(each, "permalink_url"))
    return tuple(sorted((name for name in names if len(name) > 1), key=lambda name: (-len(name), name)))


def _attached(each: Mapping[str, Any]) -> Iterator[str]:
    for attachment in _attachments(each):
        kind = f"{text_of(attachment, 'type')} {text_of(attachment, 'media_type')}"
        if not _PICTURES.search(kind):
            yield text_of(attachment, "title").strip()
        yield text_of(attachment, "description").strip()


def _attachments(each: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    outer = [*objects_of(each, "attachments", "data"), *objects_of({"data": [each.get("attachment")]}, "data")]
    return [one for holder in outer for one in (holder, *objects_of(holder, "subattachments", "data"))]


def _parent_of(each: Mapping[str, Any], above: str) -> str:
    """What a comment answers: the comment it names, else what its link says, else what it was listed under."""
    named = text_of(each, "parent", "id") or text_of(each, "object", "id")
    if _ID.fullmatch(named):
        return named
    post, comment, reply = _ids_in(text_of(each, "permalink_url"))
    if reply:
        return "_".join(part for part in (post.rpartition("_")[2], comment) if part)
    return above or (post if comment else "")


def _ids_in(link: str) -> tuple[str, str, str]:
    """The ids of post, comment and reply that a link spells out, each "" where it does not."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return "", "", ""
    query = dict(parse_qsl(parts.query))
    path = re.search(r"/(?:(\d+)/)?posts/(?:[^/]*/)?(\d+)/?$", parts.path)
    post = "_".join(part for part in path.groups() if part) if path else ""
    comment, reply = (
        found if _ID.fullmatch(found := query.get(key, "")) else "" for key in ("comment_id", "reply_comment_id")
    )
    return post, comment, reply


def _link(each: Mapping[str, Any]) -> str:
    """Never in the open: a page's name or number stands in it."""
    link = text_of(each, "permalink_url")
    if link.startswith("https://"):
        return link
    native_id = text_of(each, "id")
    return f"https://www.facebook.com/{native_id}" if _ID.fullmatch(native_id) else ""


def _first_count(each: Mapping[str, Any], *paths: tuple[str, ...]) -> int | None:
    return next((count for path in paths if (count := count_of(each, *path)) is not None), None)
