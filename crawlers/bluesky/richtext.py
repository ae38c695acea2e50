"""The text of a post with its facets: what a byte range of it links to or whom it names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crawlers.bluesky.shape import kind_of, number_of, object_of, objects_of, text_of
from crawlers.links import host_of

#: Letters up to which a mention's words are taken for a name. No handle is longer than 253.
_LONGEST_NAME = 80
_NO_SPACE_AFTER = ".,;:!?)]}…\"'’”"


@dataclass(frozen=True, slots=True)
class _Facet:
    """One byte range of a text, and what it stands for."""

    start: int
    end: int
    features: tuple[Mapping[str, Any], ...]


def plain_text(record: Mapping[str, Any]) -> str:
    """The post's text: links whole where only a part is shown, `[user]` for those mentioned."""
    raw = text_of(record, "text").encode("utf-8", "replace")
    parts: list[str] = []
    at = 0
    for facet in _facets(record, raw):
        if facet.start < at:
            continue  # the protocol leaves overlaps to the reader: the first one holds
        parts.append(raw[at : facet.start].decode("utf-8", "replace"))
        parts.append(_replaced(raw[facet.start : facet.end].decode("utf-8", "replace"), facet))
        if "://" in parts[-1] and _would_join(raw[facet.end : facet.end + 4].decode("utf-8", "ignore")):
            parts.append(" ")
        at = facet.end
    return "".join((*parts, raw[at:].decode("utf-8", "replace")))


def mentioned(record: Mapping[str, Any]) -> Iterator[str]:
    """The handles that the text's mentions show, without @."""
    raw = text_of(record, "text").encode("utf-8", "replace")
    for facet in _facets(record, raw):
        shown = raw[facet.start : facet.end].decode("utf-8", "replace")
        if _is_mention(shown, facet):
            yield shown.strip().lstrip("@")


def _facets(record: Mapping[str, Any], raw: bytes) -> list[_Facet]:
    """The sound facets in the order of the text. Offsets count UTF-8 bytes, and some clients get them wrong."""
    found = []
    for each in objects_of(record, "facets"):
        index = object_of(each, "index")
        start, end = number_of(index, "byteStart"), number_of(index, "byteEnd")
        if start is None or end is None or not start < end <= len(raw):
            continue
        if _starts_letter(raw, start) and _starts_letter(raw, end):
            found.append(_Facet(start, end, tuple(objects_of(each, "features"))))
    return sorted(found, key=lambda facet: (facet.start, facet.end))


def _starts_letter(raw: bytes, at: int) -> bool:
    return at == len(raw) or raw[at] & 0xC0 != 0x80


def _replaced(shown: str, facet: _Facet) -> str:
    if _is_mention(shown, facet):
        return "[user]"
    links = (text_of(each, "uri") for each in facet.features if kind_of(each) == "link")
    return next((link for link in links if _shows_address(shown, link)), shown)


def _is_mention(shown: str, facet: _Facet) -> bool:
    """Whether this is a name. A mention laid over a whole sentence would hide the sentence."""
    is_name = len(shown) <= _LONGEST_NAME or not any(map(str.isspace, shown.strip()))
    return is_name and any(kind_of(each) == "mention" for each in facet.features)


def _shows_address(shown: str, link: str) -> bool:
    """Whether the words shown are the address, cut or not; words of a sentence stay as they are."""
    host, word = host_of(link), shown.strip().lower()
    if not host or any(map(str.isspace, word)):
        return False
    return word.startswith(("http://", "https://", "www.")) or word.endswith(("…", "...")) or host in word


def _would_join(following: str) -> bool:
    """Whether letters right behind an address would be taken for a part of it."""
    return bool(following) and not following[0].isspace() and following[0] not in _NO_SPACE_AFTER
