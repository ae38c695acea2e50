"""Compares a challenger with the champion on the same rows, and says whether it may take its place.

The rule. On each set (the frozen one; the team's newest decisions where there are enough) AUC and AP of both models
are compared by a paired bootstrap: clusters of rows are drawn anew 1,000 times, both models are scored on each draw,
and the difference gets a 95% interval. The challenger is worse where that whole interval is below zero, or where the
difference itself is below -0.05, which sets as small as these could not tell from noise. On rows out of scope
(criticism of policy, anything else) the share it flags may by the same rule not be larger. Worse anywhere is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.evaluate import ap, auc, draws, ece, f1
from classifier.model import Opinion
from classifier.rows import Row

_DRAWS = 1000
#: A loss this large is refused whatever the interval says.
LARGE = 0.05
#: Decisions count from so many, with so many of each label.
ENOUGH, EACH = 30, 5
Array = NDArray[Any]
Interval = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of both models on one set."""

    figure: str
    champion: float
    challenger: float
    difference: Interval  #: challenger less champion: value, low, high
    decides: bool  #: part of the rule, or only told
    worse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Both models on one set of rows."""

    name: str  #: frozen or decisions
    rows: int
    positives: int
    differences: tuple[Difference, ...]
    note: str = ""

    @property
    def lost(self) -> bool:
        """Whether the challenger is worse in any figure of the rule."""
        return any(one.decides and one.worse for one in self.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A challenger beside the champion: what was compared, and what follows."""

    champion: str
    challenger: str
    contests: tuple[Contest, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the challenger may be promoted: something was decided, and nothing was lost."""
        decided = any(one.decides for found in self.contests for one in found.differences)
        return decided and not any(one.lost for one in self.contests)

    def as_dict(self) -> dict[str, Any]:
        """For comparison.json; holds figures only, no text."""
        return {**asdict(self), "passed": self.passed}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Both:
    """What two models said of the same rows."""

    truth: Array
    scores: tuple[Array, Array]  #: champion, challenger
    flags: tuple[Array, Array]
    drawn: Sequence[Array]


def contest(
    name: str, rows: Sequence[Row], champion: Sequence[Opinion], challenger: Sequence[Opinion], *, note: str = ""
) -> Contest:
    """Both models' opinions of the same labelled rows, figure by figure."""
    both = _Both(
        truth=np.array([bool(row.positive) for row in rows]),
        scores=(_scores(champion), _scores(challenger)),
        flags=(_flags(champion), _flags(challenger)),
        drawn=draws(rows, seed=0, times=_DRAWS),
    )
    outside = np.array([row.in_scope is False for row in rows])
    found = [
        _difference("auc", lambda side, at: auc(both.truth[at], both.scores[side][at]), both, decides=True),
        _difference("ap", lambda side, at: ap(both.truth[at], both.scores[side][at]), both, decides=True),
        _difference("f1", lambda side, at: f1(both.truth[at], both.flags[side][at]), both),
        _difference("ece", lambda side, at: ece(both.truth[at], both.scores[side][at]), both, lower=True),
        _difference(
            "flagged_out_of_scope",
            lambda side, at: _share(both.flags[side][at], outside[at]),
            both,
            decides=True,
            lower=True,
        ),
    ]
    differences = tuple(one for one in found if one)
    return Contest(name=name, rows=len(rows), positives=int(both.truth.sum()), differences=differences, note=note)


def enough(rows: Sequence[Row]) -> bool:
    """Whether these rows can tell two models apart at all."""
    positives = sum(bool(row.positive) for row in rows)
    return len(rows) >= ENOUGH and min(positives, len(rows) - positives) >= EACH


def as_markdown(found: Comparison) -> str:
    """The comparison for people to read."""
    verdict = "not worse beyond noise: it may be promoted" if found.passed else "worse: it is refused"
    parts = [f"# {found.challenger} against {found.champion}\n\nThe challenger is {verdict}.\n"]
    for one in found.contests:
        parts.append(f"\n## {one.name}: {one.rows} rows, {one.positives} positive\n")
        parts += [f"\n{one.note}\n"] if one.note else []
        parts.append("\n| figure | champion | challenger | difference (95%) | |\n| --- | ---: | ---: | ---: | --- |\n")
        parts += [_line(figure) for figure in one.differences]
    parts += ["\n"] + [f"- {note}\n" for note in found.notes]
    return "".join(parts) + f"\n## The rule\n\n{(__doc__ or '').partition('The rule. ')[2].strip()}\n"


def _line(one: Difference) -> str:
    value, low, high = one.difference
    said = ("worse" if one.worse else "not worse") if one.decides else "told only"
    change = f"{value:+.3f} ({low:+.3f} to {high:+.3f})"
    return f"| {one.figure} | {one.champion:.3f} | {one.challenger:.3f} | {change} | {said} |\n"


def _difference(
    figure: str, of: Callable[[int, Any], float | None], both: _Both, *, decides: bool = False, lower: bool = False
) -> Difference | None:
    """One figure of both sides with the bootstrap of their difference; `lower`: less of it is better."""
    everything = slice(None)
    champion, challenger = of(0, everything), of(1, everything)
    if champion is None or challenger is None:
        return None
    pairs = ((of(0, at), of(1, at)) for at in both.drawn)
    drawn = [there - here for here, there in pairs if here is not None and there is not None]
    value = challenger - champion
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn else (value, value)
    gain = (-value, -high, -low) if lower else (value, low, high)
    interval = (round(value, 4), round(float(low), 4), round(float(high), 4))
    worse = bool(gain[2] < 0 or gain[0] < -LARGE)
    return Difference(
        figure=figure,
        champion=round(champion, 4),
        challenger=round(challenger, 4),
        difference=interval,
        decides=decides,
        worse=worse,
    )


def _scores(opinions: Sequence[Opinion]) -> Array:
    return np.array([one.p_false for one in opinions], dtype=np.float64)


def _flags(opinions: Sequence[Opinion]) -> Array:
    return np.array([one.flag for one in opinions])


def _share(flagged: Array, outside: Array) -> float | None:
    return float(flagged[outside].mean()) if outside.any() else None
