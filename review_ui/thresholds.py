"""The picture of the thresholds page as plain numbers: two curves with their bands, and bars for the queue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claimwatch.tuning import Point, Share

_LEFT, _WIDTH, _RIGHT = 40.0, 560.0, 12.0
_CURVES, _GAP, _BARS, _FOOT = 150.0, 22.0, 60.0, 18.0
_BAR = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveLine:
    """One curve and the band of its intervals, as lists of points of an SVG."""

    kind: str  #: a CSS class
    line: str
    band: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueBar:
    """The texts of a week at one threshold."""

    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChart:
    """Thresholds from left to right; shares above, the queue below."""

    curves: tuple[CurveLine, ...]
    bars: tuple[QueueBar, ...]
    bar_width: float
    ticks: tuple[tuple[float, float], ...]  #: place and threshold
    shares: tuple[tuple[float, float], ...]  #: height and share
    present: float | None  #: place of the present threshold
    left: float
    right: float
    width: float
    height: float
    middle: float  #: the foot of the curves
    foot: float  #: the foot of the bars
    most: float  #: texts of the highest bar


def chart_of(points: Sequence[Point], present: float | None) -> ThresholdChart:
    """The picture of these points."""
    foot = _CURVES + _GAP + _BARS
    most = max((one.queue or 0.0 for one in points), default=0.0)
    scale = _BARS / max(1.0, most)
    return ThresholdChart(
        curves=tuple(
            curve
            for kind, shares in (
                ("precision", [(one.threshold, one.precision) for one in points]),
                ("recall", [(one.threshold, one.recall) for one in points]),
            )
            if (curve := _curve(kind, [(at, share) for at, share in shares if share]))
        ),
        bars=tuple(
            QueueBar(
                x=round(_x(one.threshold) - _BAR / 2, 1),
                y=round(foot - one.queue * scale, 1),
                height=round(one.queue * scale, 1),
            )
            for one in points
            if one.queue is not None and one.threshold != present
        ),
        bar_width=_BAR,
        ticks=tuple((round(_x(tenth / 10), 1), tenth / 10) for tenth in range(1, 10)),
        shares=tuple((round(_y(share), 1), share) for share in (0.0, 0.5, 1.0)),
        present=round(_x(present), 1) if present is not None else None,
        left=_LEFT,
        right=_LEFT + _WIDTH,
        width=_LEFT + _WIDTH + _RIGHT,
        height=foot + _FOOT,
        middle=_CURVES,
        foot=foot,
        most=most,
    )


def _curve(kind: str, known: Sequence[tuple[float, Share]]) -> CurveLine | None:
    if not known:
        return None
    upper = [(at, share.high) for at, share in known]
    lower = [(at, share.low) for at, share in reversed(known)]
    return CurveLine(kind=kind, line=_points((at, share.value) for at, share in known), band=_points([*upper, *lower]))


def _points(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_x(at):.1f},{_y(share):.1f}" for at, share in places)


def _x(threshold: float) -> float:
    return _LEFT + _WIDTH * threshold


def _y(share: float) -> float:
    return _CURVES - (_CURVES - 10.0) * share
