"""Bar charts as plain numbers: the templates draw them as SVG without any style attribute."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One rectangle of a bar, in the chart's own units."""

    kind: str  #: a CSS class
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day."""

    day: date
    x: float
    values: tuple[int, ...]  #: in the order of the chart's kinds
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Days side by side, the kinds of each stacked."""

    kinds: tuple[str, ...]
    bars: tuple[Bar, ...]
    width: float
    height: float
    bar_width: float
    top: int  #: the largest day
    total: int


def stacked(kinds: Sequence[str], days: Sequence[tuple[date, Sequence[int]]], *, width: float, height: float) -> Chart:
    """A chart of these days, scaled so that the largest fills the height."""
    top = max((sum(values) for _, values in days), default=0)
    step = width / max(1, len(days))
    scale = height / max(1, top)
    bars = tuple(
        Bar(day=day, x=round(n * step, 2), values=tuple(values), parts=_parts(kinds, values, scale, height))
        for n, (day, values) in enumerate(days)
    )
    total = sum(sum(values) for _, values in days)
    return Chart(
        kinds=tuple(kinds),
        bars=bars,
        width=width,
        height=height,
        bar_width=round(step * 0.8, 2),
        top=top,
        total=total,
    )


def _parts(kinds: Sequence[str], values: Sequence[int], scale: float, height: float) -> tuple[Part, ...]:
    parts, floor = [], height
    for kind, value in zip(kinds, values, strict=True):
        tall = round(value * scale, 2)
        floor = round(floor - tall, 2)
        if value:
            parts.append(Part(kind=kind, y=floor, height=tall))
    return tuple(parts)
