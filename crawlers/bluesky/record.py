"""A post's record as its author wrote it: the same in the app's views, in a repository and on the stream."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.bluesky.richtext import mentioned, plain_text
from crawlers.bluesky.shape import object_of, objects_of, text_of
from crawlers.dates import read_date
from crawlers.page import Found

POST = "app.bsky.feed.post"
#: Letters up to which a picture's description joins the text of a post that has other words.
_SHORT = 300
_URI = re.compile(r"at://([^/]+)/([^/]+)/([^/?#]+)")
_NAME = re.compile(r"[^\W\d_][\w.'’ -]*[^\W_]")
#: Hosts that give out handles: what stands before them is the account's own name.
_HANDLE_HOSTS = (".bsky.social", ".brid.gy")


def uri_of(holder: Mapping[str, Any], did: str = "") -> str:
    """The post's address, by the account's DID where it is known; "" where there is none."""
    uri = text_of(holder, "uri").strip()
    found = _URI.fullmatch(uri)
    if found and did and not found[1].startswith("did:"):
        return f"at://{did}/{found[2]}/{found[3]}"
    return uri


def key_of(uri: str) -> str:
    """The record key, which is the last part of the address and mostly a time."""
    return uri.rpartition("/")[2]


def did_of(uri: str) -> str:
    """The account an address belongs to; "" where the address names none by DID."""
    found = _URI.fullmatch(uri)
    return found[1] if found and found[1].startswith("did:") else ""


def read_record(
    record: Mapping[str, Any],
    *,
    uri: str,
    seen: datetime | None,
    names: Collection[str] = (),
    now: datetime,
) -> Found:
    """The post a record makes. `seen` is when a server first met it; `names` are people near it, for scrubbing."""
    text = words_of(record, names=names)
    found = _URI.fullmatch(uri)
    return Found(
        platform="bluesky",
        uri=uri,
        native_id=key_of(uri),
        author=did_of(uri),
        created_at=created_of(record, seen=seen, now=now),
        language=language_of(text, hint=_declared_language(record)),
        text=text,
        url=f"https://bsky.app/profile/{found[1]}/post/{found[3]}" if found else "",
        reply_to=uri_of(object_of(object_of(record, "reply"), "parent")),
    )


def created_of(record: Mapping[str, Any], *, seen: datetime | None, now: datetime) -> datetime | None:
    """When the post was made: what its author's program claims, but never later than it was seen."""
    claimed = read_date(record.get("createdAt"), now=now)
    return min(claimed, seen) if claimed and seen else claimed or seen


def words_of(record: Mapping[str, Any], *, names: Collection[str] = ()) -> str:
    """Everything the post says, scrubbed: text, link card, descriptions of its pictures. A quote's text is not its."""
    parts = [plain_text(record), *_card(object_of(record, "embed"))]
    said = any(part.strip() for part in parts)
    parts += [each for each in _descriptions(object_of(record, "embed")) if not said or len(each) <= _SHORT]
    address = text_of(_external(object_of(record, "embed")), "uri")
    if address.lower().startswith(("http://", "https://")) and address not in parts[0]:
        parts.append(address)
    known = {*names, *(name for handle in mentioned(record) for name in handle_names(handle))}
    spoken = _without_handles("\n".join(part.strip() for part in parts if part.strip()), known)
    return tidy(scrub(spoken, known=tuple(sorted(known, key=lambda name: (-len(name), name)))))


def handle_names(handle: str) -> Iterator[str]:
    """A handle, and the name alone where its host is one that many share or the handle's own."""
    if handle and handle != "handle.invalid":
        yield handle
        if handle.endswith(_HANDLE_HOSTS) or handle.count(".") == 1:
            yield handle.partition(".")[0]


def shown_names(name: str) -> Iterator[str]:
    """A display name, and of "Lan Nguyen (she/her)" the name alone, which is what texts hold."""
    yield name.strip()
    yield from (part for part in _NAME.findall(name[:200]) if " " in part)


def self_labels(record: Mapping[str, Any]) -> set[str]:
    """The labels an author put on the post."""
    return {text_of(each, "val") for each in objects_of(object_of(record, "labels"), "values")}


def _without_handles(text: str, known: Collection[str]) -> str:
    """A handle is a domain name too, and bare it would be taken for a link."""
    handles = sorted((name for name in known if "." in name and " " not in name), key=len, reverse=True)
    if not handles:
        return text
    either = "|".join(map(re.escape, handles))
    return re.sub(rf"(?<![\w@./-])@?(?:{either})(?![\w/-]|\.\w)", "[user]", text, flags=re.IGNORECASE)


def _declared_language(record: Mapping[str, Any]) -> str:
    langs = record.get("langs")
    first = next((each for each in langs if isinstance(each, str)), "") if isinstance(langs, list) else ""
    return first.partition("-")[0].lower()


def _media(embed: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is shown beside a quote; the embed itself where it is no quote with media."""
    return object_of(embed, "media") or embed


def _external(embed: Mapping[str, Any]) -> Mapping[str, Any]:
    return object_of(_media(embed), "external")


def _card(embed: Mapping[str, Any]) -> Iterator[str]:
    return (text_of(_external(embed), key) for key in ("title", "description"))


def _descriptions(embed: Mapping[str, Any]) -> Iterator[str]:
    """Told by their keys, so that a kind of embed made tomorrow is read as far as it is like the known ones."""
    media = _media(embed)
    yield text_of(media, "alt")
    for key in ("images", "items"):
        yield from (text_of(each, "alt") for each in objects_of(media, key))
