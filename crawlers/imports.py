"""Rows of other people's collections, JSONL or CSV, as posts. Columns that are not mapped are never kept."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from claimwatch.desk import Desk
from claimwatch.errors import ConfigError
from claimwatch.ledger import runs, sources
from claimwatch.text.html import html_to_text
from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.dates import read_date
from crawlers.intake import open_intake
from crawlers.keep import Step, keep_page
from crawlers.links import names_in
from crawlers.page import Dropped, Found, Page

#: What a column may be called; the first that a row has and that is not empty is taken.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "post_id", "uri", "guid", "stories_id"),
    "text": ("text", "body", "content", "message", "post_body_text", "description", "title"),
    "title": ("title", "headline", "subject"),
    "created_at": ("created_at", "timestamp", "ts", "date", "published_at", "publish_date", "post_created_date"),
    "url": ("url", "link", "permalink", "post_url"),
    "language": ("language", "lang"),
    "platform": ("platform", "network"),
    "author": ("author_id", "author", "username", "user", "account", "channel_name", "screen_name"),
    "likes": ("likes", "like_count", "favourites_count", "reactions"),
    "shares": ("shares", "share_count", "reblogs_count", "retweets"),
    "replies": ("replies", "reply_count", "comments", "num_comments"),
    "views": ("views", "view_count"),
}
#: Columns whose values name people: scrubbed out of the text wherever they stand in it.
_NAMING = (*COLUMNS["author"], "name", "author_name", "author_fullname", "display_name", "handle", "user_name")
_EMPTY = {"", "null", "none", "nan", "n/a"}
#: Rows written at once.
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file to bring in."""

    file: Path
    source: str  #: as the operator names it; kept as "import:NAME"
    format: str = "auto"  #: jsonl, csv, or auto: by the file's ending
    columns: Mapping[str, str] | None = None  #: field to column, for columns that go by other names


def import_file(desk: Desk, wanted: Import, progress: Callable[[int], None] = lambda _: None) -> dict[str, int]:
    """Bring a file in; outcome counts. Killed and repeated, it goes on after the last page that was kept."""
    query = f"file:{_digest(wanted.file)}"
    source = f"import:{wanted.source}"
    intake = open_intake(desk, source)
    with desk.ledger.write() as db:
        state = sources.cursor(db, source, query)
        begun = state.get("run") if not state.get("done") else None
        run = int(begun or runs.start(db, "import", intake.now, source=source))
    done = int(state.get("rows", 0)) if begun else 0
    progress(done)
    rows = islice(_rows(wanted), done, None)
    while part := list(islice(rows, _PAGE)):
        page = read_rows(part, wanted, now=intake.now, first=done + 1)
        before, done = {"run": run, "rows": done}, done + len(part)
        keep_page(
            intake, page, Step(query=query, run=run, before=before, after=before | {"rows": done}, drop_old=False)
        )
        progress(len(part))
    with desk.ledger.write() as db:
        sources.move_cursor(db, source, query, state={"run": run, "rows": done, "done": True}, now=desk.now())
        runs.finish(db, run, desk.now())
        return dict(runs.outcomes(db, run))


def read_rows(rows: list[Any], wanted: Import, *, now: datetime, first: int = 1) -> Page:
    """Rows as a page: one bad row is rejected with its reason, the others go on."""
    posts: list[Found] = []
    dropped: list[Dropped] = []
    rejected: list[Dropped] = []
    for number, row in enumerate(rows, first):
        where = f"{wanted.source}:row:{number}"
        if not isinstance(row, Mapping):
            rejected.append(Dropped(uri=where, reason="unreadable"))
            continue
        found = _read(row, wanted, now=now)
        if found.text:
            posts.append(found)
        else:
            dropped.append(Dropped(uri=where, reason="empty"))
    return Page(posts=tuple(posts), dropped=tuple(dropped), rejected=tuple(rejected))


def count_rows(wanted: Import) -> int:
    """How many rows the file holds, for a progress bar. ConfigError where it cannot be read."""
    return sum(1 for _ in _rows(wanted))


def _read(row: Mapping[str, Any], wanted: Import, *, now: datetime) -> Found:
    value = _Columns(row, wanted.columns or {})
    known = [text for name in _NAMING if (text := _plain(row.get(name)))]
    known += names_in(value("url")) | names_in(value("id"))
    title, body = (_clean(value(name), known) for name in ("title", "text"))
    text = body if title in ("", body) or body.startswith(title) else f"{title}\n{body}"
    url = value("url") if value("url").startswith(("http://", "https://")) else ""
    native = value("id") or hashlib.sha256(text.encode()).hexdigest()
    return Found(
        platform=value("platform").lower()[:20] or "import",
        uri=url or f"{wanted.source}:{native}",
        native_id=native,
        author=value("author"),
        created_at=_date(value("created_at"), now),
        language=language_of(text, hint=value("language")),
        title=title if title != body else "",
        text=text,
        url=url,
        likes=_number(value("likes")),
        shares=_number(value("shares")),
        replies=_number(value("replies")),
        views=_number(value("views")),
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """One row's values by field, whatever its columns are called."""

    row: Mapping[str, Any]
    chosen: Mapping[str, str]

    def __call__(self, field: str) -> str:
        names = (self.chosen[field],) if field in self.chosen else COLUMNS[field]
        values = (_plain(self.row.get(name)) for name in names)
        return next((text for text in values if text), "")


def _clean(text: str, known: list[str]) -> str:
    return scrub(tidy(html_to_text(text) if "<" in text and ">" in text else text), known=known)


def _plain(value: Any) -> str:
    text = "" if value is None or isinstance(value, dict | list | bool) else str(value).strip()
    return "" if text.lower() in _EMPTY else text


def _date(text: str, now: datetime) -> datetime | None:
    try:
        seconds = float(text)
    except ValueError:
        return read_date(text, now=now) if text else None
    try:
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _number(text: str) -> int | None:
    try:
        return max(0, int(float(text.replace(",", "")))) if text else None
    except (ValueError, OverflowError):
        return None


def _rows(wanted: Import) -> Iterator[Any]:
    reader = _FORMATS.get(_format(wanted))
    if reader is None:
        raise ConfigError(f"{wanted.format!r} is no format: use {', '.join(_FORMATS)} or auto")
    try:
        with wanted.file.open("rb") as file:
            yield from reader(file)
    except OSError as error:
        raise ConfigError(
            f"{wanted.file}: cannot be read ({error.strerror}): give the path of a readable file"
        ) from error


def _format(wanted: Import) -> str:
    if wanted.format != "auto":
        return wanted.format
    return "csv" if wanted.file.suffix.lower() in {".csv", ".tsv"} else "jsonl"


def _jsonl(file: io.BufferedReader) -> Iterator[Any]:
    for line in file:
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                yield None


def _csv(file: io.BufferedReader) -> Iterator[Any]:
    csv.field_size_limit(16 * 1024 * 1024)
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="") as text:
        head = text.readline()
        text.seek(0)
        delimiter = max(",;\t", key=head.count)
        reader = csv.DictReader((line.replace("\0", "") for line in text), delimiter=delimiter)
        while True:
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield None


_FORMATS: Mapping[str, Callable[[io.BufferedReader], Iterator[Any]]] = {"jsonl": _jsonl, "csv": _csv}


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as body:
            return hashlib.file_digest(body, "sha256").hexdigest()[:16]
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}): give the path of a readable file") from error
