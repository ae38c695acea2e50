"""Publishing a week: its numbers are frozen in the ledger, then written out as files."""

import os
import re
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from claimwatch.clock import local_day, week_before, week_days, week_of
from claimwatch.desk import Desk
from claimwatch.errors import ConfigError, StoreError
from claimwatch.ledger import reports
from claimwatch.ledger.reports import Published
from claimwatch.projector import project_decisions
from reports.numbers import body_hash, body_of
from reports.render import render_csv, render_html, render_json
from reports.weekly import week_bounds, week_numbers

_WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}")


def last_week(desk: Desk) -> str:
    """The last week that is over, by the desk's timezone."""
    return week_before(week_of(local_day(desk.now(), desk.settings.zone)))


def checked_week(week: str) -> str:
    """The week as it was given. ConfigError where there is no such ISO week."""
    try:
        if _WEEK.fullmatch(week) and date(1970, 1, 5) <= week_days(week)[0] <= date(2999, 1, 1):
            return week
    except (ValueError, OverflowError):
        pass
    raise ConfigError(f"{week!r} is no ISO week: write it as 2026-W47 (a year has 52 or 53 weeks)")


def publish_week(desk: Desk, week: str, *, preview: bool = False) -> Published:
    """Freeze a week that is over; the same numbers again are the version they already are, others the next one.

    A preview is version 0: it is computed and handed back, never kept. ConfigError where the week is not over.
    """
    start, end = week_bounds(checked_week(week), desk.settings.zone)
    if desk.now() < start:
        raise ConfigError(f"week {week} has not begun: choose {last_week(desk)} or an earlier one")
    if not preview and desk.now() < end:
        raise ConfigError(f"week {week} is not over: choose {last_week(desk)} or an earlier one, or ask for a preview")
    project_decisions(desk)
    desk.posts.refresh()
    numbers = week_numbers(desk, week)
    if preview:
        body = body_of(numbers, version=0)
        return Published(week=week, version=0, hash=body_hash(body), body=body, published_at=desk.now())
    with desk.ledger.write() as db:
        last = reports.newest(db, week)
        body = body_of(numbers, version=last.version + 1 if last else 1, replaces=last.hash if last else None)
        return reports.publish(db, week, digest=body_hash(body), body=body, now=desk.now())


def write_report(published: Published, folder: Path, languages: Sequence[str]) -> list[Path]:
    """Write a page per language, JSON and CSV, each file whole or not at all. StoreError on a full disk."""
    name = f"report-{published.week}" + ("" if published.version else "-preview")
    texts = {f"{name}.{language}.html": render_html(published.body, language) for language in languages}
    texts |= {f"{name}.json": render_json(published.body), f"{name}.csv": render_csv(published.body)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(folder / file, text) for file, text in texts.items()]
    except OSError as error:
        raise StoreError(
            f"{folder}: the report cannot be written ({error.strerror}): free space or name another folder with --out"
        ) from error


def _write(file: Path, text: str) -> Path:
    """Beside its place first, then moved there in one step."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        draft.chmod(0o644)
        return draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
