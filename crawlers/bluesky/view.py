"""One post as a Bluesky server shows it: whether it may be kept, and what it says."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from crawlers.bluesky.record import created_of, handle_names, read_record, self_labels, shown_names
from crawlers.bluesky.record import uri_of as address_of
from crawlers.bluesky.shape import kind_of, number_of, object_of, objects_of, text_of
from crawlers.dates import read_date
from crawlers.page import Found

#: Labels of the network's moderators: nobody is shown such a post, signed in or not.
_REMOVED = frozenset({"!takedown", "!suspend"})
_HIDDEN = "!hide"
#: The account's own wish to be shown to signed-in users alone.
_OPT_OUT = "!no-unauthenticated"


def is_view(each: object) -> bool:
    """Whether this has the shape of a post, sound or not."""
    return isinstance(each, Mapping) and "record" in each and bool({"uri", "author"} & each.keys())


def uri_of(view: Mapping[str, Any]) -> str:
    """The same wherever the post is shown; "" where the view has none."""
    return address_of(view, text_of(object_of(view, "author"), "did"))


def fault_of(view: Mapping[str, Any]) -> str | None:
    """Why a view cannot be read, as one word, None where it can."""
    if not uri_of(view):
        return "no_uri"
    if not object_of(view, "author"):
        return "no_author"
    record = object_of(view, "record")
    if not record:
        return "no_record"
    return None if kind_of(record) in ("", "post") else "not_a_post"


def left_out(view: Mapping[str, Any], policy: str) -> str | None:
    """Why a sound view is not for us, as one word, None where it is."""
    labels = _labels(view) | _labels(object_of(view, "author")) | self_labels(object_of(view, "record"))
    if labels & _REMOVED:
        return "deleted"
    if _HIDDEN in labels:
        return "hidden"
    return "opted_out" if policy != "none" and _OPT_OUT in labels else None


def read_view(view: Mapping[str, Any], *, context: Mapping[str, Any], now: datetime) -> Found:
    """The post of a sound view. `context` is the feed's item round it, which names whom it answers."""
    author, record = object_of(view, "author"), object_of(view, "record")
    if not object_of(record, "embed"):
        record = {**record, "embed": object_of(view, "embed")}
    uri = uri_of(view)
    found = read_record(record, uri=uri, seen=_seen(view, now), names=names_near(view, context), now=now)
    return replace(
        found,
        author=text_of(author, "did") or found.author,
        likes=number_of(view, "likeCount"),
        shares=number_of(view, "repostCount"),
        replies=number_of(view, "replyCount"),
    )


def sorted_at(view: Mapping[str, Any], now: datetime) -> datetime | None:
    """The time by which feeds and searches put posts in order."""
    return created_of(object_of(view, "record"), seen=_seen(view, now), now=now)


def _seen(view: Mapping[str, Any], now: datetime) -> datetime | None:
    return read_date(view.get("indexedAt"), now=now)


def _labels(holder: Mapping[str, Any]) -> set[str]:
    """The labels that hold: a labeller takes one back with a negated one."""
    labels = [(text_of(each, "src"), text_of(each, "val"), each.get("neg") is True)
              for each in objects_of(holder, "labels")]  # fmt: skip
    taken_back = {(src, val) for src, val, neg in labels if neg}
    return {val for src, val, neg in labels if not neg and (src, val) not in taken_back}


def names_near(view: Mapping[str, Any], context: Mapping[str, Any]) -> set[str]:
    """Names of the author, of whom the post answers, and of whom it quotes."""
    reply, embed = object_of(context, "reply"), object_of(view, "embed")
    quoted = object_of(embed, "record")
    near = (
        object_of(view, "author"),
        object_of(object_of(reply, "parent"), "author"),
        object_of(object_of(reply, "root"), "author"),
        object_of(reply, "grandparentAuthor"),
        object_of(quoted, "author"),
        object_of(object_of(quoted, "record"), "author"),
    )
    return {name for account in near for name in _names_of(account)}


def _names_of(account: Mapping[str, Any]) -> Iterator[str]:
    yield from handle_names(text_of(account, "handle"))
    yield from shown_names(text_of(account, "displayName"))
