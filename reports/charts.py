"""Where the bars of the report's charts stand. Pure geometry, in SVG units; the template draws it."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 640
_VALUE_ROOM = 170  # for the figures to the right of the longest bar
_ROW = 50
_SHORT_ROW = 38
_LABEL_LETTERS = 92
_COLUMNS_HEIGHT = 150
_Pair = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar with its figure: at its end, or right of all bars where a line would cross it."""

    kind: str  #: class of its colour: now, before, low
    x: float
    y: float
    width: float
    height: float
    text: str
    text_x: float
    text_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled group of bars."""

    label: str
    x: float
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart, ready to draw."""

    height: float
    rows: tuple[Row, ...]
    mark: float | None = None  #: where a vertical line stands
    width: float = WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one row or column shows: its label, and per bar (kind, value, figure)."""

    label: str
    values: tuple[tuple[str, float, str], ...]


def bars(entries: Sequence[Entry], *, mark: float | None = None) -> Chart:
    """Lying bars under their labels, all to one scale; a line at the value `mark`."""
    room = WIDTH - _VALUE_ROOM
    largest = max([value for entry in entries for _, value, _ in entry.values] + [mark or 0]) or 1
    rows, y = [], 0.0
    for entry in entries:
        drawn = []
        for n, (kind, value, text) in enumerate(entry.values):
            width = _length(value, largest, room)
            place = (0.0, y + 19 + 13 * n)
            drawn.append(_bar(kind, text, place, (width, 11), (room + 8 if mark else width + 5, place[1] + 9.5)))
        rows.append(Row(label=shortened(entry.label), x=0, y=y + 13, bars=tuple(drawn)))
        y += _ROW if len(entry.values) > 1 else _SHORT_ROW
    return Chart(height=y + 2, rows=tuple(rows), mark=round(mark / largest * room, 1) if mark else None)


def columns(entries: Sequence[Entry]) -> Chart:
    """Standing columns above their labels, one value each, all to one scale."""
    largest = max([entry.values[0][1] for entry in entries], default=0) or 1
    step = WIDTH / max(1, len(entries))
    rows = []
    for n, entry in enumerate(entries):
        kind, value, text = entry.values[0]
        height, middle = _length(value, largest, _COLUMNS_HEIGHT), (n + 0.5) * step
        top = 20 + _COLUMNS_HEIGHT - height
        bar = _bar(kind, text, (middle - step * 0.35, top), (step * 0.7, height), (middle, top - 5))
        rows.append(Row(label=entry.label, x=round(middle, 1), y=_COLUMNS_HEIGHT + 38, bars=(bar,)))
    return Chart(height=_COLUMNS_HEIGHT + 46, rows=tuple(rows))


def shortened(text: str) -> str:
    """A label that fits one line, cut between words."""
    if len(text) <= _LABEL_LETTERS:
        return text
    return text[:_LABEL_LETTERS].rsplit(" ", 1)[0] + " …"


def _length(value: float, largest: float, room: float) -> float:
    """At least one unit for anything above zero: a small number is still seen."""
    return round(max(1, value / largest * room), 1) if value else 0


def _bar(kind: str, text: str, place: _Pair, size: _Pair, text_place: _Pair) -> Bar:
    x, y, width, height, text_x, text_y = (round(one, 1) for one in (*place, *size, *text_place))
    return Bar(kind=kind, x=x, y=y, width=width, height=height, text=text, text_x=text_x, text_y=text_y)
