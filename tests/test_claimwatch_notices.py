"""When somebody is told to look at a source, on made-up series, and what the ledger says of crawls by the hour."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isclose

import pytest

from claimwatch.desk import Desk
from claimwatch.ledger import crawls, runs, sources
from claimwatch.ledger.crawls import Hours, hour_of
from claimwatch.notices import Notice, Trouble, chance_of_at_most, notice_on, read_notices
from claimwatch.records import Source

#: A Monday, ten in the morning.
NOW = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
END = hour_of(NOW)
SOURCE = Source(
    name="bao", kind="feed", settings={}, last_success=NOW - timedelta(minutes=20), last_try=NOW - timedelta(minutes=20)
)


def moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)


def series(rate: Callable[[datetime], float], weeks: int = 6, end: int = END) -> Hours:
    """Posts spread evenly, so many an hour; crawled every hour."""
    owed, posts = 0.0, {}
    span = range(end - weeks * 168, end)
    for hour in span:
        owed += rate(moment(hour))
        posts[hour], owed = int(owed), owed - int(owed)
    return Hours(posts={hour: n for hour, n in posts.items() if n}, answered=frozenset(span), first=span.start)


def since(hours: Hours, last: int, factor: float = 0.0) -> Hours:
    """The same series with the last hours thinned."""
    thinned = {hour: n if hour < END - last else int(n * factor) for hour, n in hours.posts.items()}
    return replace(hours, posts={hour: n for hour, n in thinned.items() if n})


def by_day_only(at: datetime) -> float:
    return 6.0 if 6 <= at.hour < 22 else 0.0


def office(at: datetime) -> float:
    return 5.0 if at.weekday() < 5 and 8 <= at.hour < 18 else 0.0


def even(at: datetime) -> float:
    return 4.0 if at else 0.0


@pytest.mark.parametrize("rate", [even, by_day_only, office, lambda _: 0.1])
@pytest.mark.parametrize("later", range(0, 168, 5))
def test_a_source_that_goes_on_as_ever_raises_nothing_at_any_hour_of_the_week(
    rate: Callable[[datetime], float], later: int
) -> None:
    at = NOW + timedelta(hours=later)
    assert notice_on(_tried(at), series(rate, end=hour_of(at)), at) is None


def _tried(at: datetime) -> Source:
    return replace(SOURCE, last_success=at, last_try=at)


def test_silence_in_busy_hours_is_noticed_within_six_hours() -> None:
    told = notice_on(SOURCE, since(series(even), 6), NOW)
    assert told == Notice(source="bao", trouble=Trouble.SILENT, since=moment(END - 7), hours=6, seen=0, expected=24.0)


def test_a_silent_night_is_no_notice_where_nights_are_silent() -> None:
    night = NOW.replace(hour=5)
    hours = series(by_day_only)
    early = {hour: n for hour, n in hours.posts.items() if hour < hour_of(night)}
    assert notice_on(_tried(night), replace(hours, posts=early), night) is None


def test_a_silent_weekend_is_no_notice_and_a_silent_monday_is() -> None:
    hours = series(office)
    assert notice_on(SOURCE, hours, NOW) is None
    evening = NOW.replace(hour=18)
    covered = replace(hours, answered=hours.answered | set(range(END, END + 8)))
    told = notice_on(_tried(evening), since(covered, 2), evening)
    assert told is not None
    assert (told.trouble, told.seen) == (Trouble.SILENT, 0)


def test_a_rare_source_needs_longer_until_silence_says_anything() -> None:
    hours = series(lambda _: 10 / 168)
    assert notice_on(SOURCE, since(hours, 24), NOW) is None
    told = notice_on(SOURCE, since(hours, 168), NOW)
    assert told is not None
    assert (told.hours, told.seen) == (168, 0)


def test_half_of_the_usual_is_no_silence_and_a_tenth_is() -> None:
    assert notice_on(SOURCE, since(series(even), 168, 0.5), NOW) is None
    told = notice_on(SOURCE, since(series(lambda _: 10.0), 168, 0.1), NOW)
    assert told is not None
    assert (told.hours, told.seen, told.expected) == (168, 168, 1680.0)


def test_what_the_operator_states_goes_before_the_sources_own_past() -> None:
    stated = replace(SOURCE, expected_per_week=200)
    few = series(lambda _: 20 / 168)
    assert notice_on(SOURCE, few, NOW) is None
    told = notice_on(stated, few, NOW)
    assert told is not None
    assert (told.hours, told.expected) == (168, 200.0)


def test_a_stated_source_is_judged_after_its_first_week_by_that_alone() -> None:
    stated = replace(SOURCE, expected_per_week=200)
    assert notice_on(stated, series(lambda _: 0.0, weeks=1), NOW) is not None
    six_days = replace(series(lambda _: 0.0, weeks=1), first=END - 6 * 24, answered=frozenset(range(END - 144, END)))
    assert notice_on(stated, six_days, NOW) is None


def test_a_new_source_raises_nothing() -> None:
    for weeks in (1, 2):
        assert notice_on(SOURCE, since(series(even, weeks), 24), NOW) is None


def test_what_had_piled_up_before_the_first_crawl_counts_as_nobodys_habit() -> None:
    hours = series(lambda _: 10 / 168, weeks=3)
    assert hours.first is not None
    flooded = replace(hours, posts={**hours.posts, hours.first: 5_000})
    assert notice_on(SOURCE, flooded, NOW) is None


def test_hours_that_nobody_crawled_are_no_silence() -> None:
    hours = since(series(even), 48)
    paused = replace(hours, answered=frozenset(hour for hour in hours.answered if hour < END - 48 or hour == END - 1))
    assert notice_on(SOURCE, paused, NOW) is None


def test_a_source_that_is_crawled_once_a_day_is_watched_all_day() -> None:
    daily = replace(SOURCE, every=1440)
    hours = series(even)
    rarely = replace(hours, answered=frozenset(hour for hour in hours.answered if hour % 24 == 0))
    assert notice_on(daily, since(rarely, 72), NOW) is not None


def test_refused_failing_and_untried_sources_are_told_apart() -> None:
    old = NOW - timedelta(hours=7)
    refused = replace(SOURCE, attention="403: forbidden")
    failing = replace(SOURCE, last_success=old)
    idle = replace(SOURCE, last_success=old, last_try=old)
    found = [notice_on(one, series(even), NOW) for one in (refused, failing, idle, replace(refused, enabled=False))]
    assert [one and one.trouble for one in found] == [Trouble.REFUSED, Trouble.FAILING, Trouble.NOT_CRAWLED, None]
    assert [one and one.since for one in found[1:3]] == [old, old]


def test_a_source_that_never_went_well_is_noticed_and_a_rare_one_is_waited_for() -> None:
    never = replace(SOURCE, last_success=None)
    assert notice_on(never, Hours(first=END - 3, fails_since=END - 3), NOW) is None
    told = notice_on(never, Hours(first=END - 7, fails_since=END - 7), NOW)
    assert told is not None
    assert told.trouble is Trouble.FAILING
    daily = replace(SOURCE, every=1440, last_success=NOW - timedelta(hours=40), last_try=NOW - timedelta(hours=16))
    assert notice_on(daily, Hours(), NOW) is None


def test_the_chance_is_the_poisson_distributions() -> None:
    assert isclose(chance_of_at_most(0, 4.6), 0.01005, rel_tol=1e-3)
    assert isclose(chance_of_at_most(3, 10), 0.010336, rel_tol=1e-3)
    assert isclose(chance_of_at_most(10, 10), 0.58304, rel_tol=1e-4)
    assert chance_of_at_most(400, 2_000) == 0.0


def test_the_ledger_tells_crawls_by_the_hour_and_why_one_fails(desk: Desk) -> None:
    at = desk.now() - timedelta(hours=9)
    with desk.ledger.write() as db:
        sources.seed(db, [Source(name="bao", kind="feed", settings={})])
        for hours, status, stored in ((0, "done", 5), (1, "failed", 0), (2, "failed", 0)):
            run = runs.start(db, "crawl", at + timedelta(hours=hours), source="bao")
            runs.count(db, run, {"stored": stored, "unchanged": 9})
            runs.finish(db, run, at + timedelta(hours=hours), status=status, message="no answer" * (status == "failed"))
        sources.tried(db, "bao", at, succeeded=True)
        sources.tried(db, "bao", desk.now())
        found = crawls.hours(db, at, desk.now())["bao"]
        notices = read_notices(db, desk.now())
        newest = crawls.of_source(db, "bao", since=at, after=1)
        counted = crawls.counts_of(db, [1])
    first = hour_of(at)
    assert (dict(found.posts)[first], found.answered, found.first) == (5, frozenset({first}), first)
    assert found.fails_since == first + 1
    assert notices == {"bao": Notice(source="bao", trouble=Trouble.FAILING, since=at, reason="no answer")}
    assert [run.id for run in newest] == [3, 2]
    assert counted == {1: {"stored": 5, "unchanged": 9}}


def test_a_wish_for_a_crawl_stays_until_it_is_taken(desk: Desk) -> None:
    with desk.ledger.write() as db:
        sources.seed(db, [Source(name="a_b", kind="feed", settings={}), Source(name="c", kind="feed", settings={})])
        sources.ask(db, "a_b", desk.now())
        sources.ask(db, "c", desk.now())
        assert sources.asked(db) == {"a_b": desk.now(), "c": desk.now()}
        sources.take_asked(db, ["c"])
        assert sources.asked(db) == {"a_b": desk.now()}


def test_a_source_that_asks_something_else_begins_anew(desk: Desk) -> None:
    with desk.ledger.write() as db:
        sources.move_cursor(db, "bao", "feed", state={"etag": "1"}, now=desk.now())
        sources.drop_cursors(db, "bao")
        assert sources.cursor(db, "bao", "feed") == {}
