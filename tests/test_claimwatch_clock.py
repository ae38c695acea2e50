"""Days, weeks and quarters."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from claimwatch.clock import FixedClock, SystemClock, local_day, quarter_of, week_before, week_days, week_of

HUE = ZoneInfo("Asia/Ho_Chi_Minh")


def test_a_day_is_the_desks_own() -> None:
    assert local_day(datetime(2026, 11, 15, 16, 59, tzinfo=UTC), HUE) == date(2026, 11, 15)
    assert local_day(datetime(2026, 11, 15, 17, 0, tzinfo=UTC), HUE) == date(2026, 11, 16)


def test_the_first_days_of_january_may_belong_to_the_old_year() -> None:
    assert week_of(date(2027, 1, 1)) == "2026-W53"
    assert week_before("2027-W01") == "2026-W53"


def test_a_week_has_seven_days_from_monday() -> None:
    days = week_days("2026-W47")
    assert (days[0], days[-1], len(days)) == (date(2026, 11, 16), date(2026, 11, 22), 7)
    assert {week_of(day) for day in days} == {"2026-W47"}


@pytest.mark.parametrize("week", ["2026-W54", "2026-47", "next", ""])
def test_a_week_that_does_not_exist_is_refused(week: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        week_days(week)


def test_quarters_sort_in_time() -> None:
    assert [quarter_of(datetime(2026, month, 1, tzinfo=UTC)) for month in (1, 4, 9, 12)] == [
        "2026-Q1",
        "2026-Q2",
        "2026-Q3",
        "2026-Q4",
    ]


def test_a_fixed_clock_stands_still_and_the_systems_does_not_lie() -> None:
    instant = datetime(2026, 11, 16, tzinfo=UTC)
    assert FixedClock(instant).now() == instant
    assert SystemClock().now().tzinfo is UTC
