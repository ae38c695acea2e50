"""Makes a post of a feed's entry: what it is known by, what it says, when it was published."""

import hashlib
import re
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from claimwatch.text.html import html_to_text
from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.dates import read_date
from crawlers.feed.entry import Entry, Words
from crawlers.links import clean_link, host_of, is_home_page, names_in, names_person
from crawlers.page import Found

_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|<!--|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]\w{1,30});")
_SEPARATORS = re.compile(r"\s*(?:[,;/|&()]|\band\b|\bvà\b|\bund\b|\bet\b)\s*", re.IGNORECASE)
_BY = re.compile(r"^(?:by|theo|bởi|von|par)\s+", re.IGNORECASE)


def read_entry(entry: Entry, *, base: str, language: str, shared_links: frozenset[str], now: datetime) -> Found:
    """The article. `base` is where the feed lives; links in `shared_links` stand for more than one entry."""
    link = clean_link(entry.link, base)
    title, text = _texts(entry)
    created = _first_date(entry.published, now)
    edited = _first_date(entry.updated, now)
    return Found(
        platform="feed",
        uri=_uri(entry.guid, link if link not in shared_links else "", host_of(base), text),
        native_id=entry.guid,
        # The publisher counts as one account; bylines are never used.
        author=host_of(base) or host_of(link),
        created_at=created or edited,
        edited_at=edited if edited and (created is None or edited > created) else None,
        language=language_of(text, hint=entry.language or language),
        title=title,
        text=text,
        url=link,
        url_is_public=bool(link) and not names_person(link),
    )


def shared_links(entries: Iterable[Entry], base: str) -> frozenset[str]:
    """Links that do not tell entries apart: a front page, or one that several entries carry."""
    owners: dict[str, set[tuple[str, str]]] = {}
    for entry in entries:
        owners.setdefault(clean_link(entry.link, base), set()).add((entry.guid, entry.title.text))
    return frozenset(link for link, entries in owners.items() if len(entries) > 1 or is_home_page(link))


def _uri(guid: str, link: str, host: str, text: str) -> str:
    if link:
        return link
    if re.match(r"(?:https?|tag|urn|yt):\S", guid, re.IGNORECASE):
        return clean_link(guid) or guid
    if guid:
        return f"feed:{host}:{guid}"
    return f"feed:sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def _texts(entry: Entry) -> tuple[str, str]:
    """The title alone, and everything said with the title once; both scrubbed."""
    title = _plain(entry.title)
    body = max((_plain(each) for each in entry.bodies), key=len, default="")
    whole = body if _begins_with(body, title) else "\n\n".join(part for part in (title, body) if part)
    known = {*_names(entry.bylines), *names_in(entry.link), *names_in(entry.guid)}
    return tidy(scrub(" ".join(title.split()), known=known)), tidy(scrub(whole, known=known))


def _plain(words: Words) -> str:
    """Feeds often escape markup twice or forget to say that it is markup."""
    is_html = words.is_html or _MARKUP.search(words.text) is not None
    return tidy(html_to_text(words.text) if is_html else words.text)


def _begins_with(body: str, title: str) -> bool:
    start = " ".join(title.casefold().split()).rstrip(".… ")
    return bool(body) and " ".join(body[: 2 * len(title) + 20].casefold().split()).startswith(start)


def _names(bylines: Iterable[str]) -> Iterator[str]:
    """Each byline and each name in it: `By Lan Tran and Minh Le` is two people."""
    for byline in bylines:
        parts = [_BY.sub("", part).strip() for part in _SEPARATORS.split(byline)]
        yield from (part for part in dict.fromkeys([byline.strip(), *parts]) if len(part) > 1)


def _first_date(values: tuple[object, ...], now: datetime) -> datetime | None:
    return next((at for value in values if (at := read_date(_instant(value), now=now))), None)


def _instant(value: object) -> object:
    """The readings of feedparser are UTC time tuples."""
    if not isinstance(value, time.struct_time):
        return value
    try:
        return datetime(*value[:6], tzinfo=UTC)
    except ValueError:
        return None
