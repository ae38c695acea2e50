"""One Mastodon status: whether it may be kept, and what it says."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from claimwatch.text.html import html_to_text
from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.dates import read_date
from crawlers.links import host_of
from crawlers.page import Found

#: Letters up to which a picture's description joins the text of a post that has other words.
_SHORT = 300
_OPT_OUT_TAG = re.compile(r"#(?:<span>)?(nobots?|noindex|noarchive)\b", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_][\w.'’ -]*[^\W_]")


def is_status(each: object) -> bool:
    """Whether this has the shape of a post, sound or not."""
    return isinstance(each, dict) and {"id", "content"} <= each.keys() and bool({"visibility", "account"} & each.keys())


def uri_of(status: Mapping[str, Any]) -> str:
    """The same on every server that shows the post; "" where the status has none."""
    return next((uri for uri in (text_of(status, "uri"), text_of(status, "url")) if ":" in uri), "")


def fault_of(status: Mapping[str, Any]) -> str | None:
    """Why a status cannot be read, as one word, None where it can."""
    if not uri_of(status):
        return "no_uri"
    if not isinstance(status.get("account"), dict):
        return "no_account"
    return None if text_of(status, "visibility") else "no_visibility"


def left_out(status: Mapping[str, Any], policy: str) -> str | None:
    """Why a sound status is not for us, as one word, None where it is."""
    visibility, account = text_of(status, "visibility"), status["account"]
    if visibility not in ("public", "unlisted"):
        return "private"
    if policy == "none":
        return None
    if visibility == "unlisted":
        return "unlisted"
    asked_out = account.get("noindex") is True or account.get("indexable") is False
    return "opted_out" if asked_out or _OPT_OUT_TAG.search(text_of(account, "note")) else None


def read_status(status: Mapping[str, Any], *, now: datetime, reply_to: str) -> Found:
    """The post of a sound status, its author and links still plain."""
    text = words_of(status)
    uri = uri_of(status)
    return Found(
        platform="mastodon",
        uri=uri,
        native_id=text_of(status, "id"),
        author=_author_of(status["account"], uri),
        created_at=read_date(status.get("created_at"), now=now),
        edited_at=read_date(status.get("edited_at"), now=now),
        language=language_of(text, hint=text_of(status, "language")),
        text=text,
        url=text_of(status, "url") or uri,
        reply_to=reply_to,
        likes=_count(status.get("favourites_count")),
        shares=_count(status.get("reblogs_count")),
        replies=_count(status.get("replies_count")),
    )


def words_of(status: Mapping[str, Any]) -> str:
    """Everything the post says, scrubbed: warning, text, poll options, descriptions of its pictures."""
    parts = [text_of(status, "spoiler_text"), html_to_text(text_of(status, "content"))]
    poll = status.get("poll")
    parts += [text_of(option, "title") for option in _objects(poll, "options")]
    said = any(_without_emojis(part, status).strip() for part in parts)
    descriptions = [text_of(media, "description") for media in _objects(status, "media_attachments")]
    parts += [each for each in descriptions if not said or len(each) <= _SHORT]
    bare = (_without_emojis(part, status).strip() for part in parts)
    return tidy(scrub("\n".join(part for part in bare if part), known=tuple(known_names(status))))


def known_names(status: Mapping[str, Any]) -> list[str]:
    """Names of the author and of the people mentioned, for scrubbing; longest first."""
    names: set[str] = set()
    for account in (status.get("account"), *_objects(status, "mentions")):
        if not isinstance(account, Mapping):
            continue
        shown = _without_emojis(text_of(account, "display_name"), account)
        names.update((text_of(account, "username"), text_of(account, "acct"), shown.strip()))
        # Of "Lan Nguyen (she/her)" the name alone appears in texts.
        names.update(part for part in _NAME.findall(shown) if " " in part)
    return sorted((name for name in names if len(name) > 1), key=lambda name: (-len(name), name))


def text_of(holder: object, key: str) -> str:
    """The text under a key, numbers as text; "" where there is none."""
    value = holder.get(key) if isinstance(holder, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**30 else ""
    return value if isinstance(value, str) else ""


def _objects(holder: object, key: str) -> Iterator[Mapping[str, Any]]:
    listed = holder.get(key) if isinstance(holder, dict) else None
    return (each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict))


def _without_emojis(text: str, *holders: object) -> str:
    """A server's own pictures are written `:name:` and say nothing elsewhere."""
    codes = {text_of(emoji, "shortcode") for holder in holders for emoji in _objects(holder, "emojis")}
    return re.sub(r":(\w+):", lambda found: "" if found[1] in codes else found[0], text)


def _author_of(account: Mapping[str, Any], uri: str) -> str:
    """The account's protocol id; else user@host, so that it is the same on every server."""
    if text_of(account, "uri"):
        return text_of(account, "uri")
    name = (text_of(account, "acct") or text_of(account, "username")).lower()
    return name if "@" in name or not name else f"{name}@{host_of(uri)}"


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
