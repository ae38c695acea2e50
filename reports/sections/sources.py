"""What each source gave beside what it should have given."""

from collections.abc import Mapping
from typing import Any

from claimwatch.clock import week_days
from reports import charts
from reports.charts import Entry
from reports.layout import Cell, Section, Table
from reports.sentences import Body, sources_of
from reports.words import Words

#: Posts expected a week from which every day should bring some.
_DAILY = 7
#: Where a bar ends however much a source gave: the others must stay readable.
_LONGEST = 1.5


def sources_section(body: Body, words: Words) -> Section:
    """The section of the sources."""
    listed = sources_of(body)
    entries = [_entry(*one, words) for one in listed if one[2]["expected"]]
    head = (
        words.say("Source"),
        words.say("Posts"),
        words.say("Expected a week"),
        words.say("Days without posts"),
        words.say("Crawls failed"),
    )
    rows = tuple(_row(body, words, one) for one in listed)
    intro = words.say("A fall in posts can be a fall in coverage: read the two together.")
    if not listed:
        intro = words.say("No source is enabled.")
    return Section(
        id="sources",
        title=words.say("What was watched"),
        intro=intro,
        chart=charts.bars(entries, mark=1.0) if entries else None,
        chart_title=words.say(
            "Posts of each source as a share of those expected (the line); bars stop at 1.5 times that"
        ),
        tables=(Table(caption=words.say("Sources in figures"), head=head, rows=rows),) if rows else (),
    )


def gap_days(body: Body, source: str) -> list[str] | None:
    """The days (ISO) that a source gave nothing; None where it need not give a post every day."""
    if body["context"]["sources"][source]["expected"] < _DAILY:
        return None
    given = next((one["days"] for one in body["counts"]["sources"] if one["source"] == source), [0] * 7)
    return [day.isoformat() for day, posts in zip(week_days(body["week"]), given, strict=True) if not posts]


def _entry(name: str, posts: int, known: Mapping[str, Any], words: Words) -> Entry:
    expected = known["expected"]
    kind = "low" if posts * 2 < expected else "now"
    return Entry(label=name, values=((kind, min(_LONGEST, posts / expected), words.of(posts, expected)),))


def _row(body: Body, words: Words, one: tuple[str, int, Mapping[str, Any]]) -> tuple[Cell, ...]:
    name, posts, known = one
    expected = words.number(known["expected"]) if known["expected"] else words.say("not stated")
    share = (words.percent(posts, known["expected"]),) if known["expected"] else ()
    gaps = gap_days(body, name)
    return (
        Cell(text=name, notes=_state(known, words)),
        Cell(text=words.number(posts), notes=share),
        Cell(text=expected),
        Cell(text="–" if gaps is None else words.number(len(gaps)), notes=tuple(words.day(day) for day in gaps or ())),
        Cell(text=words.of(known["failed"], known["runs"])),
    )


def _state(known: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    if known["attention"]:
        return (words.say("needs attention: %(why)s", why=known["attention"]),)
    if not known["enabled"]:
        return (words.say("paused"),)
    if silent := known.get("silent"):  # reports of older versions have none
        seen, hours, expected = (words.number(number) for number in silent)
        line = words.say(
            "silent at the week's end: %(seen)s new posts in %(hours)s hours, about %(expected)s were to be expected",
            seen=seen,
            hours=hours,
            expected=expected,
        )
        return (line,)
    told = {
        "failing": words.say("failing at the week's end"),
        "not_crawled": words.say("not crawled at the week's end"),
    }
    return (told[known["notice"]],) if known.get("notice") in told else ()
