"""Reads values out of objects whose every field may be missing or of another type."""

from collections.abc import Iterator, Mapping
from typing import Any


def text_of(holder: object, key: str) -> str:
    """The text under a key, whole numbers as text; "" where there is none."""
    value = holder.get(key) if isinstance(holder, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**30 else ""
    return value if isinstance(value, str) else ""


def object_of(holder: object, key: str) -> Mapping[str, Any]:
    """The object under a key; an empty one where there is none."""
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, dict) else {}


def objects_of(holder: object, key: str) -> Iterator[Mapping[str, Any]]:
    """The objects of the list under a key; what is no object is passed over."""
    listed = holder.get(key) if isinstance(holder, dict) else None
    return (each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict))


def number_of(holder: object, key: str) -> int | None:
    """The whole number of 0 or more under a key; None where there is none."""
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def kind_of(holder: object) -> str:
    """The last word of the object's `$type`: `postView` of `app.bsky.feed.defs#postView`."""
    return text_of(holder, "$type").rpartition("#")[2].rpartition(".")[2]
