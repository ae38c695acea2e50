"""Notices that something is wrong with a source: it is refused, fails, is not crawled, or brings too little."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import exp
from statistics import median

from sqlalchemy import Connection

from claimwatch.ledger import crawls, sources
from claimwatch.ledger.crawls import Hours, hour_of
from claimwatch.records import Source

_WEEK = 168
#: Lengths in hours over which silence is looked for.
_WINDOWS = (6, 24, 72, _WEEK)
#: Weeks of a source's own past that tell what to expect.
_PAST_WEEKS = 4
#: Of those, how many must have been watched before anything is expected.
_LEAST_WEEKS = 2
#: A probability below this is no chance any more.
_CHANCE = 0.01
#: The share of a stretch's hours that crawls must have covered.
_WATCHED = 0.8
#: Hours after a source's first crawl that brought what had piled up before it.
_BACKLOG = 24
#: Hours of failed crawls, or of none, after which somebody should look.
OUTAGE = 6


class Trouble(StrEnum):
    """What is wrong with a source."""

    REFUSED = "refused"  #: only an operator can mend it
    FAILING = "failing"  #: no crawl has gone well for hours
    NOT_CRAWLED = "not_crawled"  #: nobody has even tried for hours
    SILENT = "silent"  #: crawls go well and bring too little


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One source that somebody should look at."""

    source: str
    trouble: Trouble
    since: datetime | None = None  #: when it last was as it should be
    reason: str = ""  #: what the crawl said
    hours: int = 0  #: silent: the stretch that is judged
    seen: int = 0  #: silent: new posts in it
    expected: float = 0.0  #: silent: how many it should have brought


def read_hours(db: Connection, now: datetime) -> dict[str, Hours]:
    """The crawls that notices are judged by, of every source."""
    return crawls.hours(db, now - timedelta(hours=_WEEK * (_PAST_WEEKS + 1)), now + timedelta(microseconds=1))


def read_notices(db: Connection, now: datetime, made: Mapping[str, Hours] | None = None) -> dict[str, Notice]:
    """The notices on all sources, by name, those that only an operator can mend first. `made`: of `read_hours`."""
    made = read_hours(db, now) if made is None else made
    found = [told for one in sources.every(db) if (told := notice_on(one, made.get(one.name, Hours()), now))]
    order = list(Trouble)
    found.sort(key=lambda one: (order.index(one.trouble), one.source))
    return {told.source: _with_reason(db, told, now) for told in found}


def notice_on(source: Source, hours: Hours, now: datetime) -> Notice | None:
    """The notice on one source; None where all is well, it is paused, or it is too new to tell."""
    if not source.enabled:
        return None
    if source.attention:
        return Notice(source=source.name, trouble=Trouble.REFUSED, since=source.last_success, reason=source.attention)
    patience = timedelta(hours=max(OUTAGE, 3 * source.every / 60))
    if source.last_try and now - source.last_try >= patience:
        return Notice(source=source.name, trouble=Trouble.NOT_CRAWLED, since=source.last_try)
    well = source.last_success or _instant(hours.fails_since)
    if well and now - well >= patience:
        return Notice(source=source.name, trouble=Trouble.FAILING, since=source.last_success)
    return silence(source, hours, now)


def silence(source: Source, hours: Hours, now: datetime) -> Notice | None:
    """Whether a source brings too little, over the longest of four stretches (6, 24, 72, 168 hours) that shows it.

    A stretch is silent when it holds less than half of what is expected, and a Poisson count of that mean would be so
    low with a probability below 1%. What is expected: the median of the same hours of the week in the four weeks
    before, so that nights and weekends are compared with nights and weekends; where the operator states
    `expected_per_week`, that, spread over the week as the past weeks were. After Farrington and others, "A statistical
    algorithm for the early detection of outbreaks of infectious disease" (J R Stat Soc A 159, 1996, 547-563), which
    compares a count with the same weeks of former years at the same 1%; here the low side is looked at, and the half
    stands for its correction for counts that scatter more than Poisson's. Only stretches that crawls covered count, so
    a new source, a paused one and a stopped worker raise nothing.
    """
    past = _Past(source, hours, end=hour_of(now))
    for length in reversed(_WINDOWS):
        expected, seen = past.expected(length), past.seen(length)
        if expected is not None and seen * 2 < expected and chance_of_at_most(seen, expected) < _CHANCE:
            since = _instant(max((hour for hour, posts in hours.posts.items() if posts), default=None))
            return Notice(
                source=source.name, trouble=Trouble.SILENT, since=since, hours=length, seen=seen, expected=expected
            )
    return None


def chance_of_at_most(count: int, mean: float) -> float:
    """The probability that a Poisson count of this mean is `count` or lower."""
    term = total = exp(-mean) if mean < 700 else 0.0
    for number in range(1, count + 1):
        term *= mean / number
        total += term
    return min(1.0, total)


@dataclass(frozen=True, slots=True)
class _Past:
    """A source's crawls up to an hour, which is not over and does not count."""

    source: Source
    hours: Hours
    end: int

    def seen(self, length: int, weeks: int = 0) -> int:
        """New posts of a stretch that ended so many weeks ago."""
        end = self.end - weeks * _WEEK
        return sum(self.hours.posts.get(hour, 0) for hour in range(end - length, end))

    def expected(self, length: int) -> float | None:
        """How many posts the stretch should have brought; None where that cannot be told."""
        if not self._is_watched(length, 0):
            return None
        weeks = [week for week in range(1, _PAST_WEEKS + 1) if self._is_watched(length, week)]
        stated = self.source.expected_per_week
        if stated and length == _WEEK:
            return float(stated)
        if len(weeks) < _LEAST_WEEKS:
            return None
        usual = float(median(self.seen(length, week) for week in weeks))
        if not stated:
            return usual
        whole = float(median(self.seen(_WEEK, week) for week in weeks))
        return stated * usual / whole if whole else None

    def _is_watched(self, length: int, week: int) -> bool:
        end = self.end - week * _WEEK
        first = self.hours.first
        if first is None or end - length < first + (_BACKLOG if week else 0):
            return False
        reach = range(1 + self.source.every // 60)
        covered = sum(any(hour + more in self.hours.answered for more in reach) for hour in range(end - length, end))
        return covered >= _WATCHED * length


def _instant(hour: int | None) -> datetime | None:
    return None if hour is None else datetime.fromtimestamp(hour * 3600, UTC)


def _with_reason(db: Connection, told: Notice, now: datetime) -> Notice:
    """A failing source's notice, with what its last crawl said."""
    if told.trouble is not Trouble.FAILING:
        return told
    return replace(told, reason=crawls.last_reason(db, told.source, now))
