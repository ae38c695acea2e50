"""A report's body as a page, as the inside of a page, as JSON and as CSV. Nothing is read but the body."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from claimwatch.clock import week_days
from reports.numbers import body_hash, canonical
from reports.sections import sections
from reports.sentences import bottom_line, cautions
from reports.tables import csv_of
from reports.words import LANGUAGES, Words

_TEMPLATES = Path(__file__).with_name("templates")
_pages = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
#: The style of `render_inner`, to be served as a file; `render_html` carries it itself.
REPORT_CSS = (_TEMPLATES / "report.css").read_text(encoding="utf-8")


def render_html(body: Mapping[str, Any], language: str) -> str:
    """A whole page that needs nothing else: no script, nothing loaded, prints on A4."""
    return _pages.get_template("page.html").render(_shown(body, language), css=REPORT_CSS)


def render_inner(body: Mapping[str, Any], language: str) -> str:
    """The inside of a page's <main>, without any style of its own; it needs `REPORT_CSS`."""
    return _pages.get_template("inner.html").render(_shown(body, language))


def render_json(body: Mapping[str, Any]) -> str:
    """The body with its hash as canonical JSON, one line."""
    return canonical({**body, "hash": body_hash(body)}) + "\n"


def render_csv(body: Mapping[str, Any]) -> str:
    """Every figure as a row of week, table, row, measure, value."""
    return csv_of(body)


def _shown(body: Mapping[str, Any], language: str) -> dict[str, Any]:
    words = Words(language if language in LANGUAGES else "en")
    days = week_days(body["week"])
    return {
        "say": words.say,
        "language": words.language,
        "desk": body["context"]["desk"],
        "timezone": body["context"]["timezone"],
        "week": body["week"],
        "first": words.long_day(days[0].isoformat()),
        "last": words.long_day(days[-1].isoformat()),
        "version": body["version"],
        "replaces": body["replaces"],
        "digest": body_hash(body),
        "bottom_line": bottom_line(body, words),
        "cautions": cautions(body, words),
        "sections": sections(body, words),
    }
