"""Rows of other people's collections, JSONL or CSV, as posts. Columns that are not mapped are never kept."""

import hashlib
import re
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
from crawlers.import_formats import FORMATS, READERS, Format, flat, format_of, is_naming, is_table
from crawlers.intake import open_intake
from crawlers.keep import Step, keep_page
from crawlers.links import clean_link, names_in, names_person
from crawlers.page import Dropped, Found, Page

_EMPTY = {"", "null", "none", "nan", "n/a", "[]", "{}"}
#: Rows written at once.
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file to bring in."""

    file: Path
    source: str  #: as the operator names it; kept as "import:NAME"
    format: str = "auto"  #: one of import_formats.FORMATS, or auto: told by the columns of the first row
    columns: Mapping[str, str] | None = None  #: field to column, for columns that go by other names


def import_file(desk: Desk, wanted: Import, progress: Callable[[int], None] = lambda _: None) -> dict[str, int]:
    """Bring a file in; outcome counts. Killed and repeated, it goes on after the last page that was kept."""
    query, shape = f"file:{_digest(wanted.file)}", shape_of(wanted)
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
        page = read_rows(part, wanted, shape, now=intake.now, first=done + 1)
        before, done = {"run": run, "rows": done}, done + len(part)
        keep_page(
            intake, page, Step(query=query, run=run, before=before, after=before | {"rows": done}, drop_old=False)
        )
        progress(len(part))
    with desk.ledger.write() as db:
        sources.move_cursor(db, source, query, state={"run": run, "rows": done, "done": True}, now=desk.now())
        runs.finish(db, run, desk.now())
        return dict(runs.outcomes(db, run))


def read_rows(rows: list[Any], wanted: Import, shape: Format, *, now: datetime, first: int = 1) -> Page:
    """Rows as a page: one bad row is rejected with its reason, the others go on."""
    posts: list[Found] = []
    dropped: list[Dropped] = []
    rejected: list[Dropped] = []
    for number, row in enumerate(rows, first):
        where = f"{wanted.source}:row:{number}"
        if not isinstance(row, Mapping):
            rejected.append(Dropped(uri=where, reason="unreadable"))
            continue
        found = _read(flat(row), wanted, shape, now=now)
        if found.text:
            posts.append(found)
        else:
            dropped.append(Dropped(uri=where, reason="empty"))
    return Page(posts=tuple(posts), dropped=tuple(dropped), rejected=tuple(rejected))


def count_rows(wanted: Import) -> int:
    """How many rows the file holds, for a progress bar. ConfigError where it cannot be read."""
    return sum(1 for _ in _rows(wanted))


def shape_of(wanted: Import) -> Format:
    """The format of the file. ConfigError where there is none of that name, or the file is plainly not of it."""
    if wanted.format not in (*FORMATS, "auto"):
        raise ConfigError(f"{wanted.format!r} is no format: use {', '.join(FORMATS)} or auto")
    first = next((flat(row) for row in _rows(wanted) if isinstance(row, Mapping)), {})
    otherwise = "csv" if _is_table(wanted) else "jsonl"
    shape = format_of(first, otherwise=otherwise) if wanted.format == "auto" else FORMATS[wanted.format]
    chosen = wanted.columns or {}
    texts = (chosen["text"].lower(),) if "text" in chosen else (*shape.columns["text"], *shape.columns["title"])
    if first and (shape.telling or _is_table(wanted)) and not first.keys() & set(texts):
        seen = ", ".join(list(first)[:12])
        raise ConfigError(f"{wanted.file}: no column holds the text ({seen}): name it with --map text=COLUMN")
    return shape


def _read(row: Mapping[str, Any], wanted: Import, shape: Format, *, now: datetime) -> Found:
    value = _Columns(row, shape.columns, wanted.columns or {})
    named = (_plain(cell) for name, cell in row.items() if is_naming(name))
    known = [text for text in named if text and not text.isdecimal()]
    known += names_in(value("url")) | names_in(value("id"))
    title, body = (_clean(value(name), known) for name in ("title", "text"))
    text = body if title in ("", body) or body.startswith(title) else f"{title}\n{body}"
    url = value("url") if value("url").startswith(("http://", "https://")) else ""
    url = clean_link(url) or url if shape.is_news else url
    native = value("id") or hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    platform, uri = _known_as(row, shape, native=native, url=url)
    return Found(
        platform=platform or value("platform").lower()[:20] or "import",
        uri=uri or f"{wanted.source}:{native}",
        native_id=native,
        author=value("author"),
        created_at=_date(value("created_at"), now),
        edited_at=_date(value("edited_at"), now),
        language=language_of(text, hint=value("language")),
        title=title if title != body else "",
        text=text,
        url=url,
        url_is_public=shape.is_news and bool(url) and not names_person(url),
        likes=_number(value("likes")),
        shares=_number(value("shares")),
        replies=_number(value("replies")),
        views=_number(value("views")),
    )


def _known_as(row: Mapping[str, Any], shape: Format, *, native: str, url: str) -> tuple[str, str]:
    """Platform and address as a crawl would name them, so that a post met both ways is one; "" where untold."""
    if native.startswith("at://"):
        return "bluesky", native
    if shape.name != "4cat":
        return "feed" if shape.is_news else "", url
    # The link of such a row may lead elsewhere: to the page that the post is about.
    chat, number = _plain(row.get("chat")), native.rpartition("-")[2]
    if re.fullmatch(r"\w{3,32}", chat) and number.isdecimal():
        return "telegram", f"https://t.me/{chat}/{number}"
    return "", ""


@dataclass(frozen=True, slots=True)
class _Columns:
    """One row's values by field, whatever its columns are called."""

    row: Mapping[str, Any]
    known: Mapping[str, tuple[str, ...]]
    chosen: Mapping[str, str]

    def __call__(self, field: str) -> str:
        names = (self.chosen[field].lower(),) if field in self.chosen else self.known[field]
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
    reader = READERS[_is_table(wanted)]
    try:
        with wanted.file.open("rb") as file:
            yield from reader(file)
    except OSError as error:
        raise _unreadable(wanted.file, error) from error


def _is_table(wanted: Import) -> bool:
    if wanted.format in ("csv", "jsonl"):
        return wanted.format == "csv"
    try:
        with wanted.file.open("rb") as file:
            return is_table(file.read(64), wanted.file.suffix.lower())
    except OSError as error:
        raise _unreadable(wanted.file, error) from error


def _unreadable(file: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{file}: cannot be read ({error.strerror}): give the path of a readable file")


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as body:
            return hashlib.file_digest(body, "sha256").hexdigest()[:16]
    except OSError as error:
        raise _unreadable(file, error) from error
