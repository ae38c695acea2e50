"""One post of a forum: whether it may be kept, and what it says."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from claimwatch.text.html import html_to_text
from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.dates import read_date
from crawlers.discourse.forum import Forum
from crawlers.outcomes import count_of, inside, objects_of, text_of
from crawlers.page import Found

#: What somebody else wrote, and what the forum writes below a picture. `html_to_text` leaves out this class.
_NOT_OURS = re.compile(
    r"(<aside\b[^<>]*?\bclass\s*=\s*[\"'])(?=[^\"'<>]*(?<![\w-])quote(?![\w-]))"
    r"|(<div\b[^<>]*?\bclass\s*=\s*[\"'])(?=meta[\"'])"
)
_CUT = "quote-inline "
_LIKE = "2"  #: what a like is among the actions of a post
_SMALL_ACTION, _WHISPER = "3", "4"
_MOMENT = timedelta(seconds=2)  # what the forum takes to store a post
_NAMES = ("name", "username", "display_username")


def topic_of(post: Mapping[str, Any]) -> str:
    """The topic's number."""
    return text_of(post, "topic_id")


def uri_of(forum: Forum, post: Mapping[str, Any]) -> str:
    """The post's address, "" where the answer does not say it."""
    return forum.uri(topic_of(post), text_of(post, "post_number"))


def fault_of(forum: Forum, post: Mapping[str, Any]) -> str | None:
    """Why a post cannot be read, as one word, None where it can."""
    if not uri_of(forum, post):
        return "no_id"
    return None if any(isinstance(post.get(key), str) for key in ("cooked", "raw", "blurb")) else "no_text"


def left_out(post: Mapping[str, Any]) -> str | None:
    """Why a sound post is not for us, as one word, None where it is. What the forum hid counts as deleted."""
    if any(post.get(key) not in (None, False, "") for key in ("deleted_at", "user_deleted", "hidden")):
        return "deleted"
    kind = text_of(post, "post_type")
    if kind == _SMALL_ACTION:
        return "service"
    return "private" if kind == _WHISPER else None


def read_post(forum: Forum, post: Mapping[str, Any], *, title: str, now: datetime) -> Found:
    """The post of a sound answer; the first of a topic carries the topic's title, which also begins its text."""
    first = text_of(post, "post_number") == "1"
    names = tuple(names_in(post))
    title = tidy(scrub(title, known=names)) if first else ""
    text = _joined(title, words_of(post))
    uri = uri_of(forum, post)
    return Found(
        platform="discourse",
        uri=uri,
        native_id=text_of(post, "id"),
        author=forum.account(text_of(post, "user_id") or text_of(post, "username").lower()),
        created_at=read_date(post.get("created_at"), now=now),
        edited_at=_edited_at(post, now),
        language=language_of(text),
        title=title,
        text=text,
        url=uri if forum.base else "",
        url_is_public=bool(forum.base),
        reply_to=forum.uri(topic_of(post), text_of(post, "reply_to_post_number")),
        likes=_likes_of(post),
        replies=count_of(post, "reply_count"),
        views=count_of(post, "reads"),
    )


def read_topic(forum: Forum, topic: Mapping[str, Any], *, names: Iterable[str], now: datetime) -> Found:
    """What a list tells of a topic: the title and, at times, how its first post begins.

    It is kept apart from that post, under the topic's address: else the list's few words would take the place of the
    whole text at every crawl.
    """
    known = (*names, text_of(topic, "last_poster_username"))
    title = tidy(scrub(text_of(topic, "title"), known=known))
    text = _joined(title, tidy(scrub(html_to_text(text_of(topic, "excerpt")), known=known)))
    uri, posters = forum.topic_uri(text_of(topic, "id")), objects_of(topic, "posters")
    posts = count_of(topic, "posts_count")
    return Found(
        platform="discourse",
        uri=uri,
        native_id=text_of(topic, "id"),
        author=forum.account(text_of(posters[0], "user_id") if posters else ""),
        created_at=read_date(topic.get("created_at"), now=now),
        language=language_of(text),
        title=title,
        text=text,
        url=uri if forum.base else "",
        url_is_public=bool(forum.base),
        likes=count_of(topic, "op_like_count"),
        replies=posts - 1 if posts else None,
        views=count_of(topic, "views"),
    )


def words_of(post: Mapping[str, Any]) -> str:
    """What the post itself says, scrubbed: quotes are cut, previews of linked pages stay."""
    cooked = _NOT_OURS.sub(lambda found: found[0] + _CUT, text_of(post, "cooked"))
    said = html_to_text(cooked) or ("" if cooked else text_of(post, "raw") or text_of(post, "blurb"))
    return tidy(scrub(said, known=tuple(names_in(post))))


def names_in(post: Mapping[str, Any]) -> Iterator[str]:
    """The names of the author and of whom the post answers, for scrubbing."""
    for holder in (post, inside(post, "reply_to_user")):
        yield from filter(None, (text_of(holder, key).strip() for key in _NAMES))


def _joined(title: str, body: str) -> str:
    return "\n\n".join(part for part in (title, body) if part)


def _edited_at(post: Mapping[str, Any], now: datetime) -> datetime | None:
    """None where the post is as first written. In its first minutes a change does not count as a version."""
    created, updated = (read_date(post.get(key), now=now) for key in ("created_at", "updated_at"))
    is_later = created is not None and updated is not None and updated - created > _MOMENT
    return updated if is_later or (count_of(post, "version") or 1) > 1 else None


def _likes_of(post: Mapping[str, Any]) -> int | None:
    actions = objects_of(post, "actions_summary")
    told = [count_of(each, "count") for each in actions if text_of(each, "id") == _LIKE]
    return next((count for count in (*told, count_of(post, "like_count")) if count is not None), None)
