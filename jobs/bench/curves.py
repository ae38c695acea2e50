"""Figures over growing sizes as a picture: an SVG with both axes by powers of ten."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDE, _HIGH = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 34, 40
#: Told apart by those who do not see all colours (Okabe and Ito 2008), and by their dashes.
_LOOKS = (("#0072b2", ""), ("#d55e00", "6 3"), ("#009e73", "2 3"), ("#000000", "8 3 2 3"))

Points = Sequence[tuple[float, float]]


def curves(title: str, unit: str, series: Mapping[str, Points]) -> str:
    """The SVG of some series of (size, value), all above 0; the picture says its unit and every last value."""
    values = [value for points in series.values() for _, value in points]
    sizes = [size for points in series.values() for size, _ in points]
    left, right = math.log10(min(sizes)), math.log10(max(sizes))
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def x(size: float) -> float:
        return _LEFT + (math.log10(size) - left) / max(right - left, 1e-9) * (_WIDE - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HIGH - _BOTTOM - (math.log10(value) - low) / (high - low) * (_HIGH - _TOP - _BOTTOM)

    parts = [_grid_y(10.0**power, y(10.0**power)) for power in range(low, high + 1)]
    parts += [_grid_x(size, x(size)) for size in sorted(set(sizes))]
    ends = _spread([y(points[-1][1]) for points in series.values()])
    for (name, points), (colour, dash), end in zip(series.items(), _LOOKS, ends, strict=False):
        line = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in points)
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        parts += [f'<circle cx="{x(s):.1f}" cy="{y(v):.1f}" r="3" fill="{colour}"/>' for s, v in points]
        label = f"{escape(name)}: {number(points[-1][1])}"
        parts.append(f'<text x="{x(points[-1][0]) + 8:.1f}" y="{end + 4:.1f}" fill="{colour}">{label}</text>')
    head = f'<text x="8" y="18" font-weight="bold">{escape(title)} ({escape(unit)})</text>'
    foot = f'<text x="{_LEFT}" y="{_HIGH - 8}">posts kept</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{escape(title)}</title>'
        '<rect width="100%" height="100%" fill="#fff"/>'
        f"{head}{''.join(parts)}{foot}</svg>\n"
    )


def number(value: float) -> str:
    """Three significant digits, in full."""
    return f"{float(f'{value:.3g}'):,.10g}"


def _grid_y(value: float, at: float) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{number(value)}</text>'
    )


def _grid_x(size: float, at: float) -> str:
    return f'<text x="{at:.1f}" y="{_HIGH - _BOTTOM + 16}" text-anchor="middle">{number(size)}</text>'


def _spread(ends: list[float], room: float = 15) -> list[float]:
    """The heights of the labels, moved apart where they would lie on each other."""
    moved = list(ends)
    below = -math.inf
    for index in sorted(range(len(ends)), key=lambda n: ends[n]):
        moved[index] = max(ends[index], below + room)
        below = moved[index]
    return moved
