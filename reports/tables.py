"""The report's figures as one long CSV: one figure a row, so that any spreadsheet can sum and plot them."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from reports.sentences import Body, sources_of, total

_HEAD = ("week", "table", "row", "measure", "value")
#: A cell that begins so is run as a formula by spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(body: Body) -> str:
    """Every figure of the report: week, table, row, measure, value."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEAD)
    writer.writerows(
        (body["week"], table, _inert(row), measure, value) for table, row, measure, value in _figures(body)
    )
    return out.getvalue()


Figure = tuple[str, str, str, Any]


def _figures(body: Body) -> Iterator[Figure]:
    counts = body["counts"]
    yield from _statuses("posts", "this week", counts["posts"])
    yield from _statuses("posts", "week before", counts["before"])
    for one in counts["days"]:
        yield from _statuses("days", one["day"], one["posts"])
    yield from _each("stances", "all", counts["stances"])
    yield from _each("unnamed", "all", counts["unnamed"])
    for one in counts["languages"]:
        yield from _each("languages", one["language"], {key: one[key] for key in ("posts", "repeating")})
    for one in counts["claims"]:
        yield from _claim(body, one)
    yield from _work(counts)
    for name, posts, known in sources_of(body):
        measures = {"posts": posts, "expected": known["expected"], "runs": known["runs"], "failed": known["failed"]}
        yield from _each("sources", name, measures)


def _statuses(table: str, row: str, statuses: dict[str, int]) -> Iterator[Figure]:
    yield from _each(table, row, {"posts": total(statuses), **statuses})


def _claim(body: Body, one: dict[str, Any]) -> Iterator[Figure]:
    low, high = body["context"]["claims"][one["claim"]]["accounts"]
    measures = {
        "confirmed": one["spread"]["decided"],
        "awaiting": one["spread"]["flagged"],
        "confirmed_before": one["before"]["decided"],
        "awaiting_before": one["before"]["flagged"],
        "accounts_at_least": low,
        "accounts_at_most": high,
        **one["stances"],
        "verdict": one["verdict"] or "",
        "harm": one["harm"],
        **{f"responses_{key}": value for key, value in one["answers"].items()},
    }
    yield from _each("claims", one["claim"], measures)


def _work(counts: dict[str, Any]) -> Iterator[Figure]:
    made, responses = counts["decisions"], counts["responses"]
    for measure in ("made", "undone"):
        yield from (("decisions", action, measure, n) for action, n in made[measure].items())
    yield from _each("decisions", "all", {key: made[key] for key in ("settled", "flagged", "overturned", "missed")})
    for measure in ("begun", "done"):
        yield from (("responses", kind, measure, n) for kind, n in responses[measure].items())
    yield from _each("responses", "all", {key: responses[key] for key in ("open", "overdue")})


def _each(table: str, row: str, measures: dict[str, Any]) -> Iterator[Figure]:
    yield from ((table, row, measure, value) for measure, value in measures.items())


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
