"""Times as platforms and news sites write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.dates import EARLIEST, is_plausible, read_date

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HANOI = timezone(timedelta(hours=7))


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2022-07-28T16:35:05.123Z", "2022-07-28T16:35:05.123+00:00"),
        ("2022-07-28T16:35:05+07:00", "2022-07-28T09:35:05+00:00"),
        ("2022-07-28T16:35:05+0000", "2022-07-28T16:35:05+00:00"),
        ("2022-07-28 16:35:05 +0700", "2022-07-28T09:35:05+00:00"),
        ("2010-06-09T13:52Z", "2010-06-09T13:52:00+00:00"),
        ("2022-07-28", "2022-07-28T00:00:00+00:00"),
        ("Fri, 31 May 2019 12:17:58 -0700", "2019-05-31T19:17:58+00:00"),
        ("Fri, 20 Aug 21 15:00 +0700", "2021-08-20T08:00:00+00:00"),
        ("Mon, 05 Sep 2022 19:00:00 EST", "2022-09-06T00:00:00+00:00"),
        ("Thu,28 Jul 2022 4:35:5 GMT+9", "2022-07-27T19:35:05+00:00"),
        ("Fri, 20 Aug 2021 15:00:00 GMT+7", "2021-08-20T08:00:00+00:00"),
        ("Sat Aug 20 15:00:00 2022", "2022-08-20T15:00:00+00:00"),
        ("mer, 16 nov 2022", "2022-11-16T00:00:00+00:00"),
        ("lundi 3 août 2020 à 10:00", "2020-08-03T10:00:00+00:00"),
        ("August 3, 2022", "2022-08-03T00:00:00+00:00"),
        ("Thứ năm, 30/5/2019, 19:31 (GMT+7)", "2019-05-30T12:31:00+00:00"),
        ("28 tháng 7, 2022 9h30", "2022-07-28T09:30:00+00:00"),
        ("ngày 28 tháng 7 năm 2022", "2022-07-28T00:00:00+00:00"),
        ("9:05 CH, 3/4/2022", "2022-04-03T21:05:00+00:00"),
        ("8/2/2021 3:00:00 PM", "2021-08-02T15:00:00+00:00"),
        ("1660000000", "2022-08-08T23:06:40+00:00"),
        (1660000000, "2022-08-08T23:06:40+00:00"),
        (1660000000123, "2022-08-08T23:06:40.123+00:00"),
    ],
)
def test_a_date_is_read_as_its_instant(written: object, instant: str) -> None:
    assert read_date(written, now=NOW) == datetime.fromisoformat(instant)


def test_a_time_without_zone_is_utc_unless_told_otherwise() -> None:
    assert read_date("30/5/2019 19:31", now=NOW) == datetime(2019, 5, 30, 19, 31, tzinfo=UTC)
    assert read_date("30/5/2019 19:31", now=NOW, zone=HANOI) == datetime(2019, 5, 30, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "ago"),
    [
        ("7h trước", timedelta(hours=7)),
        ("2 giờ trước", timedelta(hours=2)),
        ("3 ngày trước", timedelta(days=3)),
        ("5 minutes ago", timedelta(minutes=5)),
        ("an hour ago", timedelta(hours=1)),
        ("vừa xong", timedelta()),
        ("hôm qua", timedelta(days=1)),
    ],
)
def test_a_relative_time_is_told_from_now(said: str, ago: timedelta) -> None:
    assert read_date(said, now=NOW) == NOW - ago


def test_a_day_without_year_is_the_latest_that_has_been() -> None:
    assert read_date("09:20 11/1", now=NOW) == datetime(2026, 1, 11, 9, 20, tzinfo=UTC)
    assert read_date("09:20 25/12", now=NOW) == datetime(2025, 12, 25, 9, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    ["", "soon", "0123-01-01T00:00:00Z", "3001-01-01", "2022-00-10", "30/2/2022", "1970-01-01T00:00:00Z", None, True,
     float("nan"), 10**400, [], {}, "9" * 150],
)  # fmt: skip
def test_an_absurd_date_is_none(written: object) -> None:
    assert read_date(written, now=NOW) is None


def test_a_clock_may_run_a_day_ahead_and_no_more() -> None:
    assert is_plausible(NOW + timedelta(hours=23), NOW)
    assert not is_plausible(NOW + timedelta(hours=25), NOW)
    assert not is_plausible(EARLIEST - timedelta(seconds=1), NOW)


@given(st.datetimes(min_value=datetime(1996, 1, 1), max_value=datetime(2026, 11, 1)))
def test_what_the_mail_standard_writes_comes_back(at: datetime) -> None:
    whole = at.replace(microsecond=0, tzinfo=HANOI)
    assert read_date(whole.strftime("%a, %d %b %Y %H:%M:%S %z"), now=NOW) == whole


@given(st.text() | st.integers() | st.floats() | st.text(alphabet="0123456789:/-+TZ h trướcago", max_size=30))
def test_any_input_gives_a_plausible_time_or_none(value: object) -> None:
    at = read_date(value, now=NOW)
    assert at is None or (is_plausible(at, NOW) and at.utcoffset() == timedelta())
