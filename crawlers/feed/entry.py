"""What the readers of the three formats hand on: a feed and its entries as written, nothing judged yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A piece of text and whether it is markup."""

    text: str
    is_html: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. Times are whatever the feed says, best first."""

    link: str = ""
    guid: str = ""
    title: Words = Words(text="", is_html=False)
    bodies: tuple[Words, ...] = ()  #: summary and content: the same article at different lengths
    published: tuple[object, ...] = ()
    updated: tuple[object, ...] = ()
    bylines: tuple[str, ...] = ()  #: only ever used to scrub the names from the text
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A whole feed as it was written."""

    link: str = ""
    language: str = ""
    next: str = ""
    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()
    cut_entries: int = 0  #: how many of the last entries broke off


def text_of(holder: Mapping[str, Any], key: str) -> str:
    """The text under a key, whole numbers as text; "" where there is none."""
    value = holder.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**30 else ""
    return value.strip() if isinstance(value, str) else ""
