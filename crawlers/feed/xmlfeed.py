"""Reads RSS and Atom with feedparser, which is lenient but raises on some input and trusts headers too much."""

import codecs
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from crawlers.answers import header
from crawlers.feed.entry import Entry, Feed, Words, text_of

_START = re.compile(rb"<\?xml\b|<(?:[\w.-]+:)?(?:rss|feed|rdf)(?=[\s/>])", re.IGNORECASE)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf|channel)(?=[\s/>])[^>]*?(/?)>", re.IGNORECASE)
_ROOT_END = re.compile(rb"</(?:[\w.-]+:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
_ENTRY = re.compile(rb"<(/?)(?:[\w.-]+:)?(?:item|entry)\b[^>]*?(/?)>", re.IGNORECASE)
#: Bytes that no XML may hold but many a feed does.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
#: What makes feedparser raise: odd declarations, unordered picture and map elements. No text of an article is in them.
_TROUBLE = re.compile(
    rb"<\?xml\b[^>]*>|<image\b[^>]*>.*?</image>"
    rb"|</?(?:[\w.-]+:)?(?:image|width|height|textinput|where|point|pos|poslist|line|linestring|polygon|box)\b[^>]*>",
    re.IGNORECASE | re.DOTALL,
)
#: References to characters that do not exist do too.
_REFERENCE = re.compile(rb"&#(?:x([0-9a-f]+)|(\d+));?", re.IGNORECASE)
#: The longer first: the mark of UTF-32 begins with that of UTF-16.
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"),
)  # fmt: skip
#: All that feedparser has been seen to raise, or its parts may.
_FAULTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RuntimeError, re.error)


def read_xml_feed(body: bytes, *, url: str, headers: Mapping[str, str]) -> Feed | None:
    """The feed as written, None where the body is no feed."""
    body = _narrowed(body)
    if not _ROOT.search(body):
        return None
    parsed = _parse(_mended(body), url, headers)
    if parsed is None:
        return Feed(problems=("broken: the feed's markup cannot be read",))
    cut_off, cut_entries = _cut(body)
    feed = parsed.get("feed") or {}
    entries = tuple(_entry(each) for each in parsed.get("entries") or ())
    return Feed(
        link=text_of(feed, "link"),
        language=text_of(feed, "language"),
        next=next((_href(link) for link in _objects(feed, "links") if link.get("rel") == "next"), ""),
        entries=entries,
        problems=("cut_off: the feed ends before its end",) if cut_off else (),
        cut_entries=min(cut_entries, len(entries)),
    )


def _parse(body: bytes, url: str, headers: Mapping[str, str]) -> Mapping[str, Any] | None:
    import feedparser

    said = {"content-type": _content_type(body, headers), "content-location": url}
    for attempt in (body, _tamed(body)):
        try:
            # A stream, never the bytes: feedparser would try to open them as the name of a file. Markup becomes
            # plain text later, which needs neither its cleaning nor its link mending, where most of its faults lie.
            parsed: Mapping[str, Any] = feedparser.parse(
                io.BytesIO(attempt), response_headers=said, sanitize_html=False, resolve_relative_uris=False
            )
        except _FAULTS:
            continue
        return parsed
    return None


def _narrowed(body: bytes) -> bytes:
    """UTF-16 and UTF-32, with a mark or told by their zeros, as UTF-8: what follows looks for ASCII tags."""
    wide = next((charset for start, charset in _WIDE if body.startswith(start)), None)
    return body.decode(wide, "replace").encode() if wide else body


def _mended(body: bytes) -> bytes:
    """Without what stands before the feed (warnings of the site's scripts) and without bytes no XML may hold."""
    if not _is_utf8(body):
        return body
    start = _START.search(body)
    bom = codecs.BOM_UTF8 if body.startswith(codecs.BOM_UTF8) else b""
    return bom + _CONTROL.sub(b"", body[start.start() if start else 0 :])


def _is_utf8(body: bytes) -> bool:
    """Whether the bytes are UTF-8, cut in mid-letter perhaps, and not an encoding that only looks like it."""
    if b"\x1b" in body:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return False
    return True


def _content_type(body: bytes, headers: Mapping[str, str]) -> str:
    """UTF-8 shows itself: where the bytes are, whatever the header or the declaration says is a default left on."""
    if _is_utf8(body):
        return "application/xml; charset=utf-8"
    declared = re.search(r"charset=[\"']?([\w.:-]+)", header(headers, "content-type"), re.IGNORECASE)
    if declared is None:
        return "application/xml"
    try:
        body.decode(declared[1], "replace")
    except (LookupError, UnicodeError):  # no charset that there is
        return "application/xml"
    return f"application/xml; charset={declared[1]}"


def _tamed(body: bytes) -> bytes:
    """For the second try."""

    def sound(found: re.Match[bytes]) -> bytes:
        digits, base = (found[1], 16) if found[1] else (found[2], 10)
        number = int(digits[:12], base)
        allowed = number in (9, 10, 13) or 32 <= number < 0xD800 or 0xE000 <= number < 0x110000
        return found[0] if allowed else b""

    return _REFERENCE.sub(sound, _TROUBLE.sub(b"", body))


def _cut(body: bytes) -> tuple[bool, int]:
    """Whether the feed lacks its end, and whether its last entry does (1) or not (0)."""
    root = _ROOT.search(body)
    if _ROOT_END.search(body) or (root and root[1]):
        return False, 0
    tags = list(_ENTRY.finditer(body))
    return True, int(bool(tags) and not tags[-1][1] and not tags[-1][2])


def _entry(each: Mapping[str, Any]) -> Entry:
    title = each.get("title_detail")
    return Entry(
        link=text_of(each, "feedburner_origlink") or text_of(each, "link") or _other_link(each),
        guid=text_of(each, "id"),
        title=_words(title) if isinstance(title, Mapping) else Words(text=text_of(each, "title"), is_html=False),
        bodies=tuple(_bodies(each)),
        published=_times(each, "published", "created"),
        updated=_times(each, "updated"),
        bylines=tuple(_bylines(each)),
        language=next((text_of(content, "language") for content in _objects(each, "content")), ""),
    )


def _bodies(each: Mapping[str, Any]) -> Iterator[Words]:
    summary = each.get("summary_detail")
    if isinstance(summary, Mapping):
        yield _words(summary)
    elif text_of(each, "summary"):
        yield Words(text=text_of(each, "summary"), is_html=True)
    for content in _objects(each, "content"):
        yield _words(content)


def _words(detail: Mapping[str, Any]) -> Words:
    return Words(text=text_of(detail, "value"), is_html="html" in text_of(detail, "type"))


def _times(each: Mapping[str, Any], *names: str) -> tuple[object, ...]:
    """Each time as the feed writes it, then as feedparser understood it. `in` first: `get` would fill in others."""
    return tuple(each[key] for name in names for key in (name, f"{name}_parsed") if key in each)


def _bylines(each: Mapping[str, Any]) -> Iterator[str]:
    yield text_of(each, "author")
    for key, name in (("authors", "name"), ("contributors", "name"), ("media_credit", "content")):
        for person in _objects(each, key):
            yield text_of(person, name)


def _other_link(each: Mapping[str, Any]) -> str:
    links = [link for link in _objects(each, "links") if link.get("rel") not in ("enclosure", "replies", "license")]
    return next((_href(link) for link in links if _href(link)), "")


def _href(link: Mapping[str, Any]) -> str:
    return text_of(link, "href")


def _objects(holder: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    listed = holder.get(key)
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
