"""What a report is laid out of: sections with a chart and tables, the same for every language."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts import Chart
from reports.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell: its text, smaller notes under it, web addresses after those."""

    text: str
    notes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; the first cell of each row names it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the report."""

    id: str
    title: str
    intro: str = ""
    chart: Chart | None = None
    chart_title: str = ""
    standing: bool = False  #: the chart's bars stand
    keys: tuple[tuple[str, str], ...] = ()  #: the chart's colours: (kind, meaning)
    tables: tuple[Table, ...] = ()


def numbers(words: Words, values: Sequence[int]) -> tuple[Cell, ...]:
    """One cell per number."""
    return tuple(Cell(text=words.number(value)) for value in values)
