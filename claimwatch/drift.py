"""Whether scores and decisions of a week are spread as in the four weeks before.

The size of a change is the population stability index (Siddiqi 2006; over .25 is there called a major shift), its
certainty Pearson's chi-squared test of homogeneity (1900). A change is beyond the bound where the index is at least .25
and the test's p is below .01: the index alone cries wolf on few texts, the test alone on many.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import log
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from claimwatch.clock import week_before, week_days
from claimwatch.ledger import decisions, scores
from claimwatch.ledger.decisions import SETTLING
from claimwatch.ledger.scores import WeekScores

#: From this index, with a test this sure, a change is told.
BOUND, SURE = 0.25, 0.01
_WEEKS = 4
_TENTHS = 10
#: Fewer than this on either side are not compared.
_TEXTS, _DECISIONS = 100, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One distribution of the week beside the four weeks before."""

    what: str  #: scores, decisions
    language: str  #: "" for all
    psi: float  #: population stability index
    p: float  #: of the chi-squared test
    now: int
    before: int
    beyond: bool


def drift_of(db: Connection, week: str, zone: ZoneInfo) -> tuple[Drift, ...]:
    """What can be compared: scores per language, by the week's main model alone, and decisions by action."""
    earlier = [week]
    for _ in range(_WEEKS):
        earlier.append(week_before(earlier[-1]))
    found = [_compared("decisions", "", *_made(db, earlier, zone), least=_DECISIONS)]
    now = scores.of_week(db, week)[:1]
    before = [one for name in earlier[1:] for one in scores.of_week(db, name) if now and one.model == now[0].model]
    for language in sorted(now[0].texts) if now else ():
        new, old = _summed(now, language), _summed(before, language)
        found.append(_compared("scores", language, *_tenths(new, old), least=_TEXTS))
    return tuple(one for one in found if one)


def psi(now: Sequence[int], before: Sequence[int]) -> float:
    """The population stability index of two rows of counts; half a count is added to each, so that none is empty."""
    here, there = ([(count + 0.5) / (sum(row) + len(row) / 2) for count in row] for row in (now, before))
    return sum((one - other) * log(one / other) for one, other in zip(here, there, strict=True))


def chi_squared(now: Sequence[int], before: Sequence[int]) -> float:
    """The p of Pearson's test that two rows of counts come of one distribution."""
    from scipy.special import chdtrc

    columns = [(one, other) for one, other in zip(now, before, strict=True) if one + other]
    whole = sum(map(sum, columns))
    rows = [sum(column) for column in zip(*columns, strict=True)]
    statistic = sum(
        (count - row * sum(column) / whole) ** 2 / (row * sum(column) / whole)
        for column in columns
        for row, count in zip(rows, column, strict=True)
    )
    return float(chdtrc(len(columns) - 1, statistic)) if len(columns) > 1 else 1.0


def _compared(what: str, language: str, now: Sequence[int], before: Sequence[int], *, least: int) -> Drift | None:
    if min(sum(now), sum(before)) < least:
        return None
    index, sure = psi(now, before), chi_squared(now, before)
    return Drift(
        what=what,
        language=language,
        psi=round(index, 3),
        p=round(sure, 4),
        now=sum(now),
        before=sum(before),
        beyond=index >= BOUND and sure < SURE,
    )


def _summed(weeks: Iterable[WeekScores], language: str) -> list[int]:
    rows = [one.texts[language] for one in weeks if language in one.texts]
    return [sum(column) for column in zip(*rows, strict=True)]


def _tenths(now: Sequence[int], before: Sequence[int]) -> tuple[list[int], list[int]]:
    """Both rows in groups of neighbouring steps that hold a tenth each, or more, of the two taken as equally large.

    Tenths of what was before alone would hide where the week went to: a region that was empty joins its neighbour.
    """
    pairs = list(zip(now, before, strict=True)) if before else [(one, 0) for one in now]
    share = 1 / (2 * max(1, sum(now))), 1 / (2 * max(1, sum(before)))
    grouped, held = [(0, 0)], 0.0
    for one, other in pairs:
        if held >= 1 / _TENTHS:
            grouped.append((0, 0))
            held = 0.0
        here, there = grouped[-1]
        grouped[-1] = here + one, there + other
        held += one * share[0] + other * share[1]
    if len(grouped) > 1 and held < 1 / _TENTHS:
        (one, other), (here, there) = grouped.pop(), grouped[-1]
        grouped[-1] = here + one, there + other
    return [one for one, _ in grouped], [other for _, other in grouped]


def _made(db: Connection, weeks: Sequence[str], zone: ZoneInfo) -> tuple[list[int], list[int]]:
    """Decisions by action, of the first of these weeks and of the others together."""
    counted = [_actions(db, week, zone) for week in weeks]
    before = sum(counted[1:], Counter[str]())
    actions = sorted(action.value for action in SETTLING)
    return [counted[0][action] for action in actions], [before[action] for action in actions]


def _actions(db: Connection, week: str, zone: ZoneInfo) -> Counter[str]:
    start = datetime.combine(week_days(week)[0], time(), tzinfo=zone)
    made = decisions.between(db, start, start + timedelta(days=7))
    return Counter(one.action.value for one in made)
