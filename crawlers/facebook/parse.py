"""Reads one answer of the Graph API, told from its shape alone: posts, comments, an error."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from crawlers.answers import error_of, read_json
from crawlers.dates import read_date
from crawlers.facebook.post import fault_of, id_of, is_post, left_out, read_post, uri_of, words_of
from crawlers.links import without_secrets
from crawlers.outcomes import Outcomes, count_of, inside, text_of, unreadable
from crawlers.page import Page

_BUSY = "unavailable: the server has a fault of its own, try later"
_LIMITED = "rate_limited: the token's allowance is spent, wait before the next"
_DENIED = "forbidden: the token lacks a permission; pages need Page Public Content Access"
_SIGN_IN = "login_needed: the token is wrong or has expired"
#: Facebook's number for an error -> problem. The server's sentences are not for the operator: they can name accounts.
_BY_CODE = {
    1: _BUSY, 2: _BUSY, 3: _DENIED, 4: _LIMITED, 10: _DENIED, 17: _LIMITED, 32: _LIMITED, 102: _SIGN_IN, 104: _SIGN_IN,
    100: "bad_request: the server did not accept the question, or the token is not of the kind it wants",
    190: _SIGN_IN, 341: _LIMITED, 368: "forbidden: Facebook blocked this use for a time", 463: _SIGN_IN, 467: _SIGN_IN,
    613: _LIMITED, 803: "not_found: the server knows no such thing",
}  # fmt: skip
#: Error subcode of 100: the object is gone, or hidden from this token.
_MISSING = 33
_LISTED_UNDER = re.compile(r"/(\d+(?:_\d+)?)/comments/?$")


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. Under either policy what is not for everyone is dropped; Facebook knows no other opting out.

    `url` only tells what a list of comments belongs to. The token in the next page's address is taken out.
    """
    del policy
    try:
        answer = read_json(body, headers)
    except ValueError:
        return unreadable(body, headers)
    problem = _refusal(answer, headers)
    if problem:
        return Page(problems=(problem,))
    reading = _Reading(now=now)
    listed = inside(answer, "data")
    if isinstance(listed, list):
        if listed and not any(is_post(each) for each in listed):
            return Page(problems=("other: a list of something else than posts",), understood="paging" in answer)
        reading.take(listed, above=_listed_under(url))
        return reading.page(next_=_next(answer), watermark=_watermark(listed, now))
    if is_post(answer) and "id" in answer:
        reading.take([answer], above="")
        return reading.page()
    return Page(problems=("not_facebook: JSON of another kind",), understood=False)


@dataclass(slots=True)
class _Reading:
    """The posts and comments of one answer, as they are sorted out."""

    now: datetime
    outcomes: Outcomes = field(default_factory=Outcomes)
    missing: int = 0

    def take(self, listed: list[Any], *, above: str) -> None:
        """Sort a list, and the comments that each post in it holds."""
        waiting = [(each, above, False) for each in reversed(listed)]
        while waiting:
            each, parent, hidden = waiting.pop()
            self._take_one(each, parent, hidden=hidden)
            below = inside(each, "comments", "data")
            if isinstance(below, list) and below:
                hidden = hidden or left_out(each) == "private"
                waiting.extend((comment, id_of(each), hidden) for comment in reversed(below))
                self.missing += max(0, (count_of(each, "comments", "summary", "total_count") or 0) - len(below))

    def page(self, *, next_: str | None = None, watermark: Mapping[str, str] | None = None) -> Page:
        """All that was read."""
        if self.missing:
            self.outcomes.remarks.append(f"more: {self.missing} comments are not on this page")
        return self.outcomes.page(next_=next_, watermark=watermark)

    def _take_one(self, each: Any, above: str, *, hidden: bool) -> None:
        fault = fault_of(each)
        if fault:
            self.outcomes.reject("", fault, words_of(each) if isinstance(each, dict) else "")
        elif reason := "private" if hidden else left_out(each):
            self.outcomes.drop(uri_of(id_of(each)), reason)
        else:
            self.outcomes.keep(read_post(each, now=self.now, above=above))


def _refusal(answer: object, headers: Mapping[str, str]) -> str | None:
    """The problem an error stands for: an object with Facebook's own number for it, or a plain string."""
    code = count_of(answer, "error", "code")
    if code == 100 and count_of(answer, "error", "error_subcode") == _MISSING:
        return "not_found: the server knows no such thing, or the token may not see it"
    if code is not None and 200 <= code < 300:
        return _DENIED
    if code is not None and 80_000 <= code < 80_100:
        return _LIMITED
    return _BY_CODE.get(code or 0) or error_of(answer, headers)


def _listed_under(url: str) -> str:
    try:
        found = _LISTED_UNDER.search(urlsplit(url).path)
    except ValueError:
        return ""
    return found[1] if found else ""


def _next(answer: object) -> str | None:
    """The address that Facebook gives, without the token in it. The last page has only `previous`."""
    return without_secrets(text_of(answer, "paging", "next")) or None


def _watermark(listed: list[Any], now: datetime) -> dict[str, str]:
    """The newest and the last of a list, with their times: ids are in no order."""
    known = []
    for each in listed:
        at = read_date(inside(each, "created_time"), now=now)
        if at is not None and not fault_of(each):
            known.append((at.astimezone(UTC).isoformat(), id_of(each)))
    if not known:
        return {}
    newest, last = max(known), known[-1]
    return {"newest_id": newest[1], "oldest_id": last[1], "newest_at": newest[0], "oldest_at": last[0]}
