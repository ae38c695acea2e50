"""Reads JSON Feed 1 and 1.1. feedparser does not."""

from typing import Any

from crawlers.feed.entry import Entry, Feed, Words, text_of


def is_json_feed(answer: object) -> bool:
    """Whether the JSON says it is a feed, or looks like one that forgot to."""
    if not isinstance(answer, dict):
        return False
    version = answer.get("version")
    named = isinstance(version, str) and "jsonfeed.org" in version
    return named or (isinstance(answer.get("items"), list) and bool({"home_page_url", "feed_url"} & answer.keys()))


def read_json_feed(answer: dict[str, Any]) -> Feed:
    """The feed as written. An item that is no object becomes an entry that holds nothing."""
    items = answer.get("items")
    authors = _authors(answer)
    return Feed(
        link=text_of(answer, "home_page_url") or text_of(answer, "feed_url"),
        language=text_of(answer, "language"),
        next=text_of(answer, "next_url"),
        entries=tuple(_entry(item, authors) for item in items) if isinstance(items, list) else (),
    )


def _entry(item: object, authors: tuple[str, ...]) -> Entry:
    if not isinstance(item, dict):
        return Entry()
    bodies = (
        Words(text=text_of(item, "summary"), is_html=False),
        Words(text=text_of(item, "content_text"), is_html=False),
        Words(text=text_of(item, "content_html"), is_html=True),
    )
    return Entry(
        link=text_of(item, "url") or text_of(item, "external_url"),
        guid=text_of(item, "id"),
        title=Words(text=text_of(item, "title"), is_html=False),
        bodies=bodies,
        published=(item.get("date_published"),),
        updated=(item.get("date_modified"),),
        bylines=_authors(item) or authors,
        language=text_of(item, "language"),
    )


def _authors(holder: dict[str, Any]) -> tuple[str, ...]:
    """Version 1 has one author, 1.1 a list; some feeds have both."""
    listed = holder.get("authors")
    people = [*(listed if isinstance(listed, list) else ()), holder.get("author")]
    names = [text_of(person, "name") if isinstance(person, dict) else person for person in people]
    return tuple(name for name in names if isinstance(name, str) and name)
