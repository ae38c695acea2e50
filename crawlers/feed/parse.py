"""Reads one answer of a news feed: RSS 0.9 to 2.0, Atom, JSON Feed, or what came in place of it."""

from collections.abc import Mapping
from datetime import datetime

from crawlers.answers import error_of, error_page_of, header, is_cut_off, read_json
from crawlers.feed.article import read_entry, shared_links
from crawlers.feed.entry import Entry, Feed
from crawlers.feed.jsonfeed import is_json_feed, read_json_feed
from crawlers.feed.xmlfeed import read_xml_feed
from crawlers.links import clean_link, without_secrets
from crawlers.page import Dropped, Found, Page

#: Letters of a rejected entry that are set aside for the operator.
_ROW = 500


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. A feed is published to be collected, so `policy` changes nothing.

    Times without a zone are taken as UTC. An article's author is its publisher's host, never the byline.
    """
    del policy
    if not body.strip():
        return Page(problems=("empty: the answer has no body",))
    feed = _json_feed(body, headers) if body.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in (b"{", b"[") else None
    feed = feed or read_xml_feed(body, url=url, headers=headers)
    if isinstance(feed, Page):
        return feed
    if feed is None:
        problem = error_page_of(body, headers)
        return Page(problems=(problem or "not_a_feed: the answer is no feed",), understood=problem is not None)
    return _page(feed, url, headers, now)


def _json_feed(body: bytes, headers: Mapping[str, str]) -> Feed | Page | None:
    try:
        answer = read_json(body, headers)
    except ValueError:
        cut_off = is_cut_off(body) and b"jsonfeed.org" in body
        return Page(problems=("cut_off: the JSON ends before its end",), understood=False) if cut_off else None
    if is_json_feed(answer):
        return read_json_feed(answer)
    problem = error_of(answer, headers)
    return Page(problems=(problem or "not_a_feed: JSON of another kind",), understood=problem is not None)


def _page(feed: Feed, url: str, headers: Mapping[str, str], now: datetime) -> Page:
    base = clean_link(url) or clean_link(feed.link)
    shared = shared_links(feed.entries, base)
    posts: dict[str, Found] = {}
    dropped: list[Dropped] = []
    rejected: list[Dropped] = []
    for number, entry in enumerate(feed.entries, start=1):
        found = read_entry(entry, base=base, language=feed.language, shared_links=shared, now=now)
        if number > len(feed.entries) - feed.cut_entries:
            rejected.append(Dropped(uri=found.uri, reason="cut_off", row=found.text[:_ROW]))
        elif not found.text and _is_ghost(entry):
            rejected.append(Dropped(uri="", reason="ghost"))
        elif not found.text or found.uri in posts:
            dropped.append(Dropped(uri=found.uri, reason="repeated" if found.text else "empty"))
        else:
            posts[found.uri] = found
    return Page(
        posts=tuple(posts.values()),
        dropped=tuple(dropped),
        rejected=tuple(rejected),
        next=without_secrets(clean_link(feed.next, base)) or None,
        watermark=_watermark(headers),
        problems=(*feed.problems, *_problems(feed, posts)),
    )


def _is_ghost(entry: Entry) -> bool:
    """An entry that is an accident of broken markup."""
    return not entry.link and not entry.guid


def _watermark(headers: Mapping[str, str]) -> dict[str, str]:
    """What the next request sends along, so that an unchanged feed costs nobody anything."""
    said = {"etag": header(headers, "etag"), "last_modified": header(headers, "last-modified")}
    return {name: value for name, value in said.items() if value}


def _problems(feed: Feed, posts: Mapping[str, Found]) -> list[str]:
    undated = sum(post.created_at is None for post in posts.values())
    problems = [f"undated: {undated} entries have no usable date"] if undated else []
    if not feed.entries:
        problems.append("empty: the feed has no entries")
    elif not posts:
        problems.append(f"empty: none of {len(feed.entries)} entries says anything")
    return problems
