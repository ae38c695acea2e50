"""How many posts were collected: by day, by where they stand, by language and by stance."""

from collections.abc import Mapping
from typing import Any

from reports import charts
from reports.charts import Entry
from reports.layout import Cell, Section, Table, numbers
from reports.sentences import Body, total
from reports.words import Words


def posts_section(body: Body, words: Words) -> Section:
    """The section of the posts."""
    counts = body["counts"]
    entries = [
        Entry(label=words.day(one["day"]), values=(("now", total(one["posts"]), words.number(total(one["posts"]))),))
        for one in counts["days"]
    ]
    tables = (_days_table, _languages_table, _stances_table) if total(counts["posts"]) else (_days_table,)
    return Section(
        id="posts",
        title=words.say("Posts collected"),
        intro=words.say("A post counts for the day it was written, in the desk's timezone."),
        chart=charts.columns(entries) if total(counts["posts"]) else None,
        chart_title=words.say("Posts per day"),
        standing=True,
        tables=tuple(table(counts, words) for table in tables),
    )


def _days_table(counts: Mapping[str, Any], words: Words) -> Table:
    head = (
        words.say("Day"),
        words.say("Posts"),
        words.say("Decided by a person"),
        words.say("Flagged, awaiting a person"),
        words.say("Not flagged"),
        words.say("Not assessed yet"),
    )
    listed = [(words.day(one["day"]), one["posts"]) for one in counts["days"]]
    listed += [(words.say("The week"), counts["posts"]), (words.say("The week before"), counts["before"])]
    rows = tuple(
        (
            Cell(text=name),
            *numbers(words, [total(posts), *(posts[status] for status in ("decided", "flagged", "passed", "new"))]),
        )
        for name, posts in listed
    )
    return Table(caption=words.say("Posts by day and by where they stand"), head=head, rows=rows)


def _languages_table(counts: Mapping[str, Any], words: Words) -> Table:
    everything = total(counts["posts"])
    rows = tuple(
        (
            Cell(text=words.language_name(one["language"])),
            Cell(text=words.of(one["posts"], everything)),
            Cell(text=words.of(one["repeating"], one["posts"])),
        )
        for one in counts["languages"]
    )
    head = (words.say("Language"), words.say("Posts"), words.say("Repeating a claim"))
    return Table(caption=words.say("Posts by language"), head=head, rows=rows)


def _stances_table(counts: Mapping[str, Any], words: Words) -> Table:
    everything, stances = total(counts["posts"]), counts["stances"]
    names = {
        "refutes": words.say("refute a claim"),
        "asks": words.say("ask whether it is true"),
        "reports": words.say("report that it goes round"),
    }
    rows = tuple((Cell(text=name), Cell(text=words.of(stances[key], everything))) for key, name in names.items())
    caption = words.say("Posts that speak of a claim without repeating it (never counted as spread)")
    return Table(caption=caption, head=(words.say("Posts that"), words.say("Posts")), rows=rows)
