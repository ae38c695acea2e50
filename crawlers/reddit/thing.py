"""One Reddit thing, a link (t3) or a comment (t1): whether it may be kept, and what it says."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import unescape
from typing import Any

from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.dates import read_date
from crawlers.links import host_of
from crawlers.outcomes import count_of, objects_of, text_of
from crawlers.page import Found

_FULLNAME = re.compile(r"t[13]_[a-z0-9]{1,13}")
_ID = re.compile(r"[a-z0-9]{1,13}")
_GONE = re.compile(r"\s*\[\s*(deleted|removed|deleted by user|removed by (reddit|moderator).*)\s*\]\s*", re.IGNORECASE)
_PICTURE = re.compile(r"!\[[^\]\n]{0,300}\]\([^)\s]{0,500}[^)\n]{0,300}\)")
_OPEN_TYPES = frozenset({"", "public", "restricted", "user", "archived"})
#: Hosts of a link that only leads back to the post itself.
_OWN_HOSTS = ("reddit.com", "redd.it", "redditmedia.com", "reddit.it")


def name_of(kind: str, data: Mapping[str, Any]) -> str:
    """The fullname, such as t3_1abcde; "" where the thing has none. Old answers lack `name` at times."""
    name = text_of(data, "name").lower()
    if _FULLNAME.fullmatch(name) and name.startswith(kind):
        return name
    bare = text_of(data, "id").lower().removeprefix(f"{kind}_")
    return f"{kind}_{bare}" if _ID.fullmatch(bare) else ""


def order_of(name: str) -> int:
    """Where a fullname stands among those of its kind: ids are numbers to the base 36."""
    return int(name[3:], 36) if _FULLNAME.fullmatch(name) else 0


def uri_of(name: str) -> str:
    """The canonical URI of a fullname, "" of none."""
    return f"reddit:{name}" if _FULLNAME.fullmatch(name) else ""


def fault_of(kind: str, data: Mapping[str, Any]) -> str | None:
    """Why a thing cannot be read, as one word, None where it can."""
    if not name_of(kind, data):
        return "no_id"
    told = ("body", "body_html") if kind == "t1" else ("title", "selftext")
    return None if any(isinstance(data.get(key), str) for key in told) else "no_text"


def left_out(kind: str, data: Mapping[str, Any], policy: str) -> str | None:
    """Why a sound thing is not for us, as one word, None where it is."""
    if data.get("promoted") is True or data.get("is_created_from_ads_ui") is True:
        return "advert"
    if _is_deleted(kind, data):
        return "deleted"
    if text_of(data, "subreddit_type") not in _OPEN_TYPES:
        return "private"
    return "opted_out" if policy != "none" and data.get("is_robot_indexable") is False else None


def read_thing(kind: str, data: Mapping[str, Any], *, now: datetime) -> Found:
    """The post of a sound thing, its author and links still plain. Score is one number: its loss is not told."""
    names = known_names(data)
    title = tidy(scrub(_plain(text_of(data, "title")), known=names)) if kind == "t3" else ""
    text = words_of(kind, data)
    hidden = data.get("score_hidden") is True or data.get("hide_score") is True
    return Found(
        platform="reddit",
        uri=uri_of(name_of(kind, data)),
        native_id=name_of(kind, data),
        author=text_of(data, "author_fullname"),
        created_at=read_date(data.get("created_utc"), now=now),
        edited_at=read_date(data.get("edited"), now=now),
        language=language_of(text),
        title=title,
        text=text,
        url=_link_of(kind, data),
        url_is_public=not _is_profile(data),
        reply_to=uri_of(text_of(data, "parent_id")) if kind == "t1" else "",
        repost_of=uri_of(_parent_of(data)),
        likes=None if hidden else count_of(data, "score"),
        shares=count_of(data, "num_crossposts"),
        replies=count_of(data, "num_comments") if kind == "t3" else None,
        views=count_of(data, "view_count"),
    )


def words_of(kind: str, data: Mapping[str, Any]) -> str:
    """Everything the thing says, scrubbed: title, text, gallery captions, poll options, the text of a crosspost."""
    parts = [_plain(part) for part in _parts_of(kind, data)]
    fresh = [part for at, part in enumerate(parts) if part and part not in parts[:at]]
    return tidy(scrub("\n".join(fresh), known=known_names(data)))


def known_names(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the author, and of whom the thing answers or repeats, for scrubbing; longest first."""
    holders = (data, *objects_of(data, "crosspost_parent_list"))
    names = {text_of(holder, key) for holder in holders for key in ("author", "link_author")}
    names |= {text_of(holder, "subreddit")[2:] for holder in holders if _is_profile(holder)}
    kept = (name for name in names if len(name) > 1 and not _GONE.fullmatch(name))
    return tuple(sorted(kept, key=lambda name: (-len(name), name)))


def _parts_of(kind: str, data: Mapping[str, Any]) -> Iterator[str]:
    if kind == "t1":
        yield text_of(data, "body")
        return
    yield text_of(data, "title")
    yield text_of(data, "selftext")
    yield from (text_of(picture, "caption") for picture in objects_of(data, "gallery_data", "items"))
    yield from (text_of(option, "text") for option in objects_of(data, "poll_data", "options"))
    parents = objects_of(data, "crosspost_parent_list")
    for parent in parents[:1]:
        if not _is_deleted("t3", parent):
            yield from _parts_of("t3", {**parent, "crosspost_parent_list": []})
    if not parents:
        yield _outward_link(data)


def _plain(text: str) -> str:
    """Reddit escapes &, < and > once for the wire, and Markdown reads entities once more; pictures say nothing."""
    return _PICTURE.sub("", unescape(unescape(text))).strip()


def _outward_link(data: Mapping[str, Any]) -> str:
    """The page elsewhere that a link post is about."""
    link = "" if data.get("is_self") is True else text_of(data, "url")
    host = host_of(link)
    return "" if not host or any(host == own or host.endswith(f".{own}") for own in _OWN_HOSTS) else link


def _is_deleted(kind: str, data: Mapping[str, Any]) -> bool:
    """Whether its author or a moderator took it away. An author `[deleted]` alone is a closed account."""
    if text_of(data, "removed_by_category") or data.get("removed") is True:
        return True
    told = ("body",) if kind == "t1" else ("title", "selftext")
    return any(_GONE.fullmatch(text_of(data, key)) for key in told)


def _is_profile(data: Mapping[str, Any]) -> bool:
    return text_of(data, "subreddit_type") == "user" or text_of(data, "subreddit").lower().startswith("u_")


def _parent_of(data: Mapping[str, Any]) -> str:
    named = text_of(data, "crosspost_parent")
    return named or next((name_of("t3", parent) for parent in objects_of(data, "crosspost_parent_list")), "")


def _link_of(kind: str, data: Mapping[str, Any]) -> str:
    """The link without the title's words: they may name somebody."""
    subreddit, bare = text_of(data, "subreddit"), name_of(kind, data)[3:]
    base = f"https://www.reddit.com/r/{subreddit}" if re.fullmatch(r"\w{2,40}", subreddit) else "https://www.reddit.com"
    if kind == "t3":
        return f"{base}/comments/{bare}"
    link = name_of("t3", {"name": text_of(data, "link_id")})[3:]
    return f"{base}/comments/{link}/_/{bare}" if link else ""
