"""The formats that rows come in: what each calls its columns, how one is told, how its file is read."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: What a column may be called; the first that a row has and that is not empty is taken. Case does not matter.
COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "post_id", "uri", "guid", "stories_id"),
    "text": ("text", "body", "content", "message", "post_body_text", "description", "title"),
    "title": ("title", "headline", "subject"),
    "created_at": ("created_at", "timestamp", "ts", "date", "published_at", "publish_date", "post_created_date"),
    "edited_at": ("edited_at",),
    "url": ("url", "link", "permalink", "post_url"),
    "language": ("language", "lang"),
    "platform": ("platform", "network"),
    "author": ("author_id", "author", "username", "user", "account", "channel_name", "screen_name"),
    "likes": ("likes", "like_count", "favourites_count", "reactions"),
    "shares": ("shares", "share_count", "reblogs_count", "retweets"),
    "replies": ("replies", "reply_count", "comments", "num_comments"),
    "views": ("views", "view_count"),
}
#: As 4CAT's data sources map their items. `timestamp` is in its server's own time, the others say theirs.
_4CAT = COLUMNS | {
    "id": ("id",),
    "text": ("body",),
    "title": ("subject", "title"),
    "created_at": ("unix_timestamp", "created_at", "timestamp"),
    "edited_at": ("unix_timestamp_edited", "timestamp_edited"),
    "url": ("link", "post_url", "url"),
    "language": ("language", "languages", "lang"),
    "author": ("author_id", "author"),
    "likes": ("like_count", "likes", "score", "favourite_count"),
    "shares": ("repost_count", "share_count", "retweet_count", "shares", "reblogs"),
    "replies": ("reply_count", "num_comments", "comments", "comment_count", "replies"),
    "views": ("views", "view_count", "plays", "play_count"),
}
#: The table that one downloads, and the interface's own objects, whose inner names are joined by dots.
_JUNKIPEDIA = COLUMNS | {
    "id": ("postid", "post_uid", "id"),
    "text": ("post_body_text", "search_data_fields.description"),
    "title": ("post_title", "search_data_fields.post_title", "title"),
    "created_at": ("published_at", "publishedat", "post_created_date", "created_at"),
    "url": ("posturl", "url", "post_url"),
    "language": ("language", "language_code", "search_data_fields.language_code"),
    "platform": ("platform", "search_data_fields.platform_name"),
    "author": ("channeluid", "channelid", "channel_id", "channelname", "search_data_fields.channel_name"),
}
#: Stories. `indexed_date` is when Media Cloud met the story, which says nothing of its age.
_MEDIA_CLOUD = COLUMNS | {
    "id": ("stories_id", "id", "guid"),
    "text": ("text", "title"),
    "title": ("title",),
    "created_at": ("publish_date",),
    "url": ("url",),
    "author": ("media_id", "media_url", "media_name"),
    "likes": (),
    "shares": (),
    "replies": (),
    "views": (),
}
#: Besides all that begins with `author` or `channel`: columns whose values name people.
_NAMING = frozenset(
    {"username", "user", "account", "screen_name", "name", "display_name", "handle", "user_name", "chat",
     "replied_to_user", "quoted_user"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way rows are written."""

    name: str
    columns: Mapping[str, tuple[str, ...]]
    telling: tuple[frozenset[str], ...] = ()  #: sets of columns; a row that has all of one is of this format
    is_news: bool = False  #: rows are articles: their links name nobody, and a feed may bring the same ones


FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format(
            name="4cat",
            columns=_4CAT,
            telling=(frozenset({"id", "thread_id", "body"}), frozenset({"body", "unix_timestamp", "author"})),
        ),
        Format(
            name="junkipedia",
            columns=_JUNKIPEDIA,
            telling=(
                frozenset({"postid", "post_body_text"}),
                frozenset({"posturl", "channelid"}),
                frozenset({"search_data_fields.platform_name"}),
                frozenset({"search_data_fields.channel_name"}),
            ),
        ),
        Format(
            name="mediacloud",
            columns=_MEDIA_CLOUD,
            telling=(
                frozenset({"stories_id", "publish_date"}),
                frozenset({"indexed_date", "publish_date", "media_name"}),
            ),
            is_news=True,
        ),
        Format(name="csv", columns=COLUMNS),
        Format(name="jsonl", columns=COLUMNS),
    )
}


def format_of(row: Mapping[str, Any], *, otherwise: str) -> Format:
    """The format that a row's columns tell; `otherwise` where they tell none, or more than one."""
    told = [one for one in FORMATS.values() if any(columns <= row.keys() for columns in one.telling)]
    return told[0] if len(told) == 1 else FORMATS[otherwise]


def flat(row: Mapping[str, Any], *, depth: int = 4) -> dict[str, Any]:
    """A row with its column names in small letters and inner objects' names joined by dots, without `attributes.`."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        key = str(name).strip().lower()
        inner = flat(value, depth=depth - 1) if depth and isinstance(value, Mapping) else {}
        joined = {part if key == "attributes" else f"{key}.{part}": each for part, each in inner.items()}
        for one, each in (joined or {key.removeprefix("attributes."): value}).items():
            found.setdefault(one, each)
    return found


def is_naming(column: str) -> bool:
    """Whether a column's values name people: scrubbed out of the text wherever they stand in it."""
    last = column.rpartition(".")[2]
    return last in _NAMING or last.startswith(("author", "channelname", "channel_name"))


def is_table(start: bytes, suffix: str) -> bool:
    """Whether a file is CSV, told by its name, else by how it begins."""
    if suffix in {".csv", ".tsv", ".jsonl", ".ndjson"}:
        return suffix in {".csv", ".tsv"}
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"{", b"[")


def jsonl_rows(file: io.BufferedReader) -> Iterator[Any]:
    """Each line's value, None for one that is no JSON."""
    for line in file:
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                yield None


def csv_rows(file: io.BufferedReader) -> Iterator[Any]:
    """Each row by its column names, None for one that cannot be read."""
    csv.field_size_limit(16 * 1024 * 1024)
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="") as text:
        head = text.readline()
        text.seek(0)
        delimiter = max(",;\t", key=head.count)
        reader = csv.DictReader((line.replace("\0", "") for line in text), delimiter=delimiter)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield None
            else:
                yield {name: value for name, value in row.items() if name is not None}  # cells beyond the header's


READERS: Mapping[bool, Callable[[io.BufferedReader], Iterator[Any]]] = {True: csv_rows, False: jsonl_rows}
