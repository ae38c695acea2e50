"""Reads what a server says of its limits, in the three dialects there are."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from crawlers.answers import header

#: Seconds to wait after a refusal that names no time.
UNTOLD = 300.0
#: No server is believed to ask for more than a day of silence.
_LONGEST = 86_400.0
#: A reset above this is an instant in unix seconds (Bluesky), below it seconds left (Reddit).
_INSTANT = 1e9


def book_key(url: str, credential: str = "") -> str:
    """What a limit holds for: scheme, host and port, and the credential's name."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{'#' + credential if credential else ''}".lower()


def closed_until(status: int, headers: Mapping[str, str], now: float) -> float | None:
    """Seconds since the epoch before which the server wants no request; None where it may be asked at once.

    Retry-After (seconds or date) always holds on 429 and 503. Else the reset of an exhausted allowance: ISO 8601
    (Mastodon), unix seconds (Bluesky) or seconds left (Reddit). A 429 that names no time: five minutes. Instants are
    by the server's own clock, which its Date header tells.
    """
    refused = status in (429, 503)
    told = _retry_after(headers, now) if refused else None
    if told is None and (status == 429 or _is_spent(headers)):
        told = _reset(headers, now)
    if told is None:
        return now + UNTOLD if status == 429 else None
    return min(max(told, now + 1), now + _LONGEST)


def _is_spent(headers: Mapping[str, str]) -> bool:
    left = header(headers, "x-ratelimit-remaining") or header(headers, "ratelimit-remaining")
    try:
        return float(left) < 1
    except ValueError:
        return False


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    value = header(headers, "retry-after")
    if not value:
        return None
    try:
        return now + float(value)
    except ValueError:
        return _by_our_clock(_date(value), headers, now)


def _reset(headers: Mapping[str, str], now: float) -> float | None:
    value = header(headers, "x-ratelimit-reset") or header(headers, "ratelimit-reset")
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        return _by_our_clock(_date(value), headers, now)
    return _by_our_clock(number, headers, now) if number > _INSTANT else now + number


def _by_our_clock(told: float | None, headers: Mapping[str, str], now: float) -> float | None:
    """A server whose clock is an hour ahead means an hour less than it says."""
    theirs = _date(header(headers, "date"))
    return told if told is None or theirs is None else told - (theirs - now)


def _date(value: str) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = read(value)
        except (ValueError, TypeError):
            continue
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return None
