"""One post or comment as a Lemmy server views it: whether it may be kept, and what it says."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.dates import read_date
from crawlers.lemmy.markdown import markdown_to_text
from crawlers.outcomes import count_of, inside, text_of
from crawlers.page import Found

#: Who may see a community: `Public` and `Unlisted` are everybody.
_CLOSED = re.compile(r"local_?only.*|.*private.*", re.IGNORECASE)
#: A profile's wish not to be indexed, as other networks spell it.
_OPT_OUT = re.compile(r"#(?:nobots?|noindex|noarchive)\b", re.IGNORECASE)
_OWN_FILES = "/pictrs/"


def kind_of(view: object) -> str:
    """`comment` or `post`, "" of what is neither. A comment's view holds its post too."""
    return next((kind for kind in ("comment", "post") if isinstance(inside(view, kind), Mapping)), "")


def thing_of(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """The post or comment itself."""
    thing: Mapping[str, Any] = view[kind_of(view)]
    return thing


def uri_of(view: Mapping[str, Any]) -> str:
    """The same on every server that shows it; "" where the view does not say."""
    uri = text_of(thing_of(view), "ap_id")
    return uri if uri.startswith(("https://", "http://")) else ""


def fault_of(view: Mapping[str, Any]) -> str | None:
    """Why a view cannot be read, as one word, None where it can."""
    if not uri_of(view):
        return "no_uri"
    key = "content" if kind_of(view) == "comment" else "name"
    return None if isinstance(thing_of(view).get(key), str) else "no_text"


def left_out(view: Mapping[str, Any], policy: str) -> str | None:
    """Why a sound view is not for us, as one word, None where it is. Bots are kept: they say what they are."""
    thing, community = thing_of(view), inside(view, "community")
    if is_gone(thing) or text_of(thing, "type") == "Tombstone" or is_gone(inside(view, "post")):
        return "deleted"
    if any(inside(holder, key) is True for holder in (thing, community) for key in ("local_only", "private")):
        return "private"
    if _CLOSED.fullmatch(text_of(community, "visibility")):
        return "private"
    if is_gone(community):
        return "deleted"
    return "opted_out" if policy != "none" and _OPT_OUT.search(text_of(view, "creator", "bio")) else None


def is_gone(thing: object) -> bool:
    """Whether its author deleted it or a moderator removed it."""
    return any(inside(thing, key) is True for key in ("deleted", "removed"))


def read_view(view: Mapping[str, Any], *, reply_to: str, now: datetime) -> Found:
    """The post of a sound view, its author and links still plain. Times without a zone are UTC."""
    thing, is_comment = thing_of(view), kind_of(view) == "comment"
    # Version 1.0 counts on the thing itself.
    counts = view.get("counts") if isinstance(view.get("counts"), Mapping) else thing
    title = "" if is_comment else tidy(scrub(text_of(thing, "name"), known=names_in(view)))
    text, uri = words_of(view), uri_of(view)
    return Found(
        platform="lemmy",
        uri=uri,
        native_id=text_of(thing, "id"),
        author=author_of(view),
        created_at=read_date(thing.get("published") or thing.get("published_at"), now=now),
        edited_at=read_date(thing.get("updated") or thing.get("updated_at"), now=now),
        language=language_of(text),
        title=title,
        text=text,
        url=uri,
        url_is_public=re.search(r"/(?:post|comment)/\d+$", uri) is not None,
        reply_to=reply_to,
        likes=count_of(counts, "upvotes"),
        replies=count_of(counts, "child_count" if is_comment else "comments"),
    )


def author_of(view: Mapping[str, Any]) -> str:
    """The account's protocol id; version 1.0 calls it ap_id."""
    return text_of(view, "creator", "actor_id") or text_of(view, "creator", "ap_id")


def words_of(view: Mapping[str, Any]) -> str:
    """Title, text, the page that a post is about and the description of its picture; scrubbed."""
    thing = thing_of(view)
    if kind_of(view) == "comment":
        parts = [markdown_to_text(text_of(thing, "content"))]
    else:
        link = text_of(thing, "url")
        parts = [text_of(thing, "name"), markdown_to_text(text_of(thing, "body"))]
        parts += [text_of(thing, "alt_text"), "" if _OWN_FILES in link else link]
    return tidy(scrub("\n\n".join(part.strip() for part in parts if part.strip()), known=names_in(view)))


def names_in(view: Mapping[str, Any]) -> tuple[str, ...]:
    """The author's names, for scrubbing."""
    names = (text_of(view, "creator", key).strip() for key in ("name", "display_name"))
    return tuple(name for name in names if name)
