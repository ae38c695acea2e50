"""Times as strangers write them, in many languages, made aware UTC instants or given up."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from claimwatch.text.fold import unmarked

#: Nothing public that we read is older; a date before it is a default such as 1970-01-01 or a slip.
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
#: Clocks of servers differ, and some write their own time of day as if it were UTC.
AHEAD = timedelta(days=1)

#: First letters, accents folded: en, vi (Th7), it, es, fr, de, pt, nl, id. Longer ones first where they collide.
_MONTHS = (
    ("janv", 1), ("juin", 6), ("juil", 7), ("jan", 1), ("gen", 1), ("ene", 1), ("feb", 2), ("fev", 2), ("mar", 3),
    ("maa", 3), ("mrt", 3), ("apr", 4), ("avr", 4), ("abr", 4), ("may", 5), ("mai", 5), ("mag", 5), ("mei", 5),
    ("maj", 5), ("giu", 6), ("jun", 6), ("lug", 7), ("jul", 7), ("aug", 8), ("ago", 8), ("aou", 8), ("agu", 8),
    ("set", 9), ("sep", 9), ("ott", 10), ("oct", 10), ("okt", 10), ("out", 10), ("nov", 11), ("dec", 12),
    ("dic", 12), ("dez", 12), ("des", 12),
)  # fmt: skip
#: Hours ahead of UTC. An unknown name counts as UTC.
_ZONES = {
    "ict": 7, "wib": 7, "sgt": 8, "hkt": 8, "kst": 9, "jst": 9, "ist": 5.5, "msk": 3, "aest": 10, "aedt": 11,
    "bst": 1, "cet": 1, "met": 1, "west": 1, "cest": 2, "mest": 2, "eet": 2, "eest": 3, "est": -5, "edt": -4,
    "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "akdt": -8, "hst": -10,
}  # fmt: skip
_SPANS = {
    "giay": 1, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "phut": 60, "p": 60, "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "gio": 3600, "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "tieng": 3600,
    "ngay": 86400, "d": 86400, "day": 86400, "days": 86400,
    "tuan": 604800, "w": 604800, "week": 604800, "weeks": 604800,
    "thang": 2592000, "month": 2592000, "months": 2592000, "nam": 31536000, "year": 31536000, "years": 31536000,
}  # fmt: skip

_YEAR_FIRST = re.compile(r"(?<!\d)(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)")
_VIETNAMESE = re.compile(r"(?<!\d)(?P<day>\d{1,2}) thang (?P<month>\d{1,2}),?(?: nam)? (?P<year>\d{4})(?!\d)")
_NAMED = re.compile(
    r"(?<!\d)(?P<day>\d{1,2})(?:st|nd|rd|th)?\.?[ -]*(?:de |of )?(?P<name>[a-z]{3,10})\.?,?[ -]*(?:de |of )?"
    r"(?P<year>\d{4}|\d{2})(?![\d:])"
)
_NAME_FIRST = re.compile(r"\b(?P<name>[a-z]{3,10})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})(?!\d)")
_DAY_FIRST = re.compile(r"(?<!\d)(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4})(?!\d)")
_DAYS = (_YEAR_FIRST, _VIETNAMESE, _DAY_FIRST, _NAMED, _NAME_FIRST)
_TIME = re.compile(
    r"(?<![\d:])(?P<hour>\d{1,2})[:h](?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,]\d+)?)?(?![\d:])"
    r"\s*(?P<half>am|pm|a\.m\.|p\.m\.|sa\b|ch\b)?"
)
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?(?!\d)")
_AGO = re.compile(r"(?P<count>\d{1,4}|mot|an?|one) ?(?P<unit>[a-z]+) (?:truoc|ago)")
_NO_YEAR = re.compile(r"(?P<hour>\d{1,2})[:h](?P<minute>\d{2}),? (?P<day>\d{1,2})/(?P<month>\d{1,2})")


def read_date(value: object, *, now: datetime, zone: tzinfo = UTC) -> datetime | None:
    """The instant a platform's time stands for, None where it says none or an absurd one.

    Text without a zone is taken to be in `zone`. Absurd is before 1995 or more than a day after `now`.
    Numbers are unix seconds, or milliseconds where seconds would lie in the far future.
    """
    try:
        at = _read(value, now, zone)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at is not None and is_plausible(at, now) else None


def is_plausible(at: datetime, now: datetime) -> bool:
    """Whether a public post can be that old or that new."""
    return EARLIEST <= at <= now + AHEAD


def _read(value: object, now: datetime, zone: tzinfo) -> datetime | None:
    if isinstance(value, datetime):
        return _aware(value, zone)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    if not isinstance(value, str) or not 3 < len(value) < 200:
        return None
    bare = value.strip()
    if re.fullmatch(r"\d{9,13}", bare):
        return _read(int(bare), now, zone)
    try:
        return _aware(datetime.fromisoformat(bare), zone)
    except ValueError:
        text = _plain(bare)
        return _read_words(text, zone) or _read_relative(text, now, zone)


def _aware(at: datetime, zone: tzinfo) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _plain(text: str) -> str:
    """Small letters without accents, single spaces: what the patterns are written for."""
    return " ".join(unmarked(text.lower()).split())


def _read_words(text: str, zone: tzinfo) -> datetime | None:
    """A date with its year, wherever in the text, with the time and zone round it."""
    time = _TIME.search(text)
    untimed = text.replace(time[0], " ", 1) if time else text
    # The time may stand inside the date: Sat Aug 20 15:00:00 2022.
    found = _find_day(text) or _find_day(" ".join(untimed.split()))
    if found is None:
        return None
    rest = untimed.replace(found[0], " ", 1)
    month_first = bool(time and time["half"] in ("am", "pm")) and found.re is _DAY_FIRST
    year, month, day = _day_of(found, month_first=month_first)
    hour, minute, second = _time_of(time) if time else (0, 0, 0)
    return datetime(year, month, day, hour, minute, second, tzinfo=_zone_of(rest, zone)).astimezone(UTC)


def _find_day(text: str) -> re.Match[str] | None:
    return next((match for pattern in _DAYS if (match := pattern.search(text))), None)


def _day_of(found: re.Match[str], *, month_first: bool) -> tuple[int, int, int]:
    parts = found.groupdict()
    year, day = int(parts["year"]), int(parts["day"])
    if len(parts["year"]) == 2:
        year += 1900 if year >= 90 else 2000
    if "name" in parts:
        name = parts["name"]
        month = next((number for start, number in _MONTHS if name.startswith(start)), 0)
    else:
        month = int(parts["month"])
    # AM and PM come from servers that write month/day; a number over 12 tells for certain.
    return (year, day, month) if month > 12 or (month_first and day <= 12) else (year, month, day)


def _time_of(found: re.Match[str]) -> tuple[int, int, int]:
    hour, half = int(found["hour"]), (found["half"] or "").replace(".", "")
    if half in ("pm", "ch") and hour < 12:
        hour += 12
    if half in ("am", "sa") and hour == 12:
        hour = 0
    return hour, int(found["minute"]), int(found["second"] or 0)


def _zone_of(rest: str, zone: tzinfo) -> tzinfo:
    offset = _OFFSET.search(rest)
    if offset:
        span = timedelta(hours=int(offset["hours"]), minutes=int(offset["minutes"] or 0))
        return timezone(-span if offset["sign"] == "-" else span)
    words = re.findall(r"[a-z]+", rest)
    named = next((_ZONES[word] for word in words if word in _ZONES), None)
    if named is not None:
        return timezone(timedelta(hours=named))
    return UTC if {"z", "gmt", "utc", "ut"} & set(words) else zone


def _read_relative(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    """`7h trước`, `hôm qua`, `09:20 11/1`: told from `now`, so only as exact as the word is."""
    if text in ("vua xong", "vua moi", "just now", "now"):
        return now
    ago = _AGO.search(text)
    if ago and ago["unit"] in _SPANS:
        count = int(ago["count"]) if ago["count"].isdigit() else 1
        return now - timedelta(seconds=count * _SPANS[ago["unit"]])
    days_back = next((n for words, n in ((("hom nay", "today"), 0), (("hom qua", "yesterday"), 1))
                      if any(word in text for word in words)), None)  # fmt: skip
    if days_back is None:
        return _read_without_year(text, now, zone)
    day = now.astimezone(zone) - timedelta(days=days_back)
    time = _TIME.search(text)
    if time:
        hour, minute, second = _time_of(time)
        day = day.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return day.astimezone(UTC)


def _read_without_year(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    """The latest such day that is not in the future: the page was written before it was read."""
    found = _NO_YEAR.fullmatch(text)
    if found is None:
        return None
    month, day, hour, minute = (int(found[name]) for name in ("month", "day", "hour", "minute"))
    at = datetime(now.astimezone(zone).year, month, day, hour, minute, tzinfo=zone)
    return (at if at <= now + AHEAD else at.replace(year=at.year - 1)).astimezone(UTC)
