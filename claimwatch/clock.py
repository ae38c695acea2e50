"""The one source of the time that records and reports carry."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the time. Waits, leases and locks do not ask it: they use the machine's own."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still, for the demo and for tests."""

    instant: datetime

    def now(self) -> datetime:
        """The one instant it was given."""
        return self.instant


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The calendar day of an instant in the desk's timezone."""
    return at.astimezone(zone).date()


def week_of(day: date) -> str:
    """The ISO week of a day, such as `2026-W47`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def week_days(week: str) -> list[date]:
    """The seven days of an ISO week, Monday first. Raises ValueError where `week` is none."""
    monday = date.fromisoformat(f"{week}-1")
    return [monday + timedelta(days=n) for n in range(7)]


def week_before(week: str) -> str:
    """The ISO week just before this one."""
    return week_of(week_days(week)[0] - timedelta(days=7))


def quarter_of(at: datetime) -> str:
    """The quarter (UTC) of an instant, such as `2026-Q4`: the life of one author key."""
    return f"{at.year}-Q{(at.month - 1) // 3 + 1}"
