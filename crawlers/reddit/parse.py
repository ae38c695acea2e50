"""Reads one answer of Reddit, told from its shape alone: a listing, the comments of a post, an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers.answers import error_of, error_page_of, read_json
from crawlers.links import without_secrets
from crawlers.outcomes import Outcomes, count_of, inside, objects_of, text_of, unreadable
from crawlers.page import Page
from crawlers.reddit.thing import fault_of, left_out, name_of, order_of, read_thing, uri_of, words_of

#: What is not a post, by Reddit's own code for its kind.
_OTHER_KINDS = {
    "t2": "account",
    "t4": "private",
    "t5": "subreddit",
    "t6": "award",
    "modaction": "moderation",
    "wikipage": "wiki",
    "LabeledMulti": "subreddit",
    "UserList": "account",
    "TrophyList": "account",
}
#: Why Reddit keeps a door shut, in its own word.
_BY_REASON = {
    "private": "forbidden: the subreddit is open to its members only",
    "quarantined": "forbidden: the subreddit is quarantined, and the credential's account did not opt in",
    "gated": "forbidden: the subreddit is gated, and the credential's account did not opt in",
    "gold_only": "forbidden: the subreddit is open to paying members only",
    "banned": "gone: Reddit closed the subreddit",
    "USER_REQUIRED": "login_needed: the server asks for a sign-in",
}
#: Words of Reddit's own error pages that carry no code.
_BY_PAGE = (
    (b"whoa there, pardner", "forbidden: the server refuses this question"),
    (b"blocked by network security", "forbidden: the server refuses this question"),
    (b"you broke reddit", "unavailable: the server has a fault of its own, try later"),
    (b"log in", "login_needed: the server asks for a sign-in"),
)


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. By default drops what Reddit tells robots to leave alone (`is_robot_indexable: false`).

    Without `url` the next page is told as its query alone.
    """
    try:
        answer = read_json(body, headers)
    except ValueError:
        return _no_json(body, headers)
    problem = _refusal(answer, headers)
    if problem:
        return Page(problems=(problem,))
    reading = _Reading(now=now, policy=policy)
    listings = [each for each in (answer if isinstance(answer, list) else [answer]) if _children(each) is not None]
    for listing in listings:
        reading.take(listing)
    if not listings:
        return _read_other(answer, reading)
    single = listings[0] if len(listings) == 1 else None
    return reading.page(next_=_next(single, url), watermark=_watermark(single))


@dataclass(slots=True)
class _Reading:
    """The things of one answer, as they are sorted out."""

    now: datetime
    policy: str
    outcomes: Outcomes = field(default_factory=Outcomes)
    unseen: int = 0  #: replies that are told of and not shown

    def take(self, thing: object) -> None:
        """Sort a thing and all the replies below it, in the page's order."""
        waiting = [thing]
        while waiting:
            each = waiting.pop()
            below = _children(each)
            if below is None:
                self._take_one(each)
                replies = inside(each, "data", "replies")
                waiting.extend([] if _children(replies) is None else [replies])
            else:
                waiting.extend(reversed(below))

    def page(self, *, next_: str | None = None, watermark: Mapping[str, str] | None = None) -> Page:
        """All that was read."""
        if self.unseen:
            self.outcomes.remarks.append(f"more: at least {self.unseen} replies are not on this page")
        return self.outcomes.page(next_=next_, watermark=watermark)

    def _take_one(self, thing: object) -> None:
        kind, data = text_of(thing, "kind"), inside(thing, "data")
        if not kind or not isinstance(data, dict):
            self.outcomes.reject("", "not_a_post")
        elif kind == "more":
            # A thread that goes on elsewhere has count 0 and the id "_".
            self.unseen += count_of(data, "count") or 1
        elif kind in ("t1", "t3"):
            self._take_post(kind, data)
        else:
            self.outcomes.drop("", _OTHER_KINDS.get(kind, "other"))

    def _take_post(self, kind: str, data: Mapping[str, Any]) -> None:
        uri, fault = uri_of(name_of(kind, data)), fault_of(kind, data)
        if fault:
            self.outcomes.reject(uri, fault, words_of(kind, data))
            return
        reason = left_out(kind, data, self.policy)
        if reason:
            self.outcomes.drop(uri, reason)
        else:
            self.outcomes.keep(read_thing(kind, data, now=self.now))


def _no_json(body: bytes, headers: Mapping[str, str]) -> Page:
    page = body[:60_000].lower()
    if b"reddit" in page and b"<html" in page and not error_page_of(body, headers):
        problem = next((said for words, said in _BY_PAGE if words in page), None)
        return Page(problems=(problem or "refused: a page for people in place of the answer",))
    return unreadable(body, headers)


def _refusal(answer: object, headers: Mapping[str, str]) -> str | None:
    """The problem an error stands for: {reason, message, error}, {message, error}, {reason, explanation} or words."""
    if not isinstance(answer, dict):
        return None
    if answer.keys() & {"error", "errors", "message", "explanation"} and "data" not in answer:
        said = _BY_REASON.get(text_of(answer, "reason"))
        words = answer.get("error") or answer.get("message") or answer.get("explanation") or "refused"
        return said or error_of({**answer, "error": words}, headers)
    form = answer.get("json")
    errors = form.get("errors") if isinstance(form, dict) else None
    return error_of({"errors": errors}, headers) if errors else None


def _read_other(answer: object, reading: _Reading) -> Page:
    """A single thing, or the comments behind a "load more"."""
    things = objects_of(answer, "json", "data", "things")
    single = text_of(answer, "kind") and isinstance(inside(answer, "data"), dict)
    for thing in [answer] if single else things:
        reading.take(thing)
    if things or single or answer == []:
        return reading.page()
    return Page(problems=("not_reddit: JSON of another kind",), understood=False)


def _children(each: object) -> list[Any] | None:
    """The things of a listing, None where this is none."""
    below = inside(each, "data", "children")
    return below if isinstance(below, list) and text_of(each, "kind") == "Listing" else None


def _next(listing: object, url: str) -> str | None:
    """The older page: the same question, after the listing's last thing."""
    after = text_of(inside(listing, "data"), "after")
    if not after:
        return None
    try:
        parts = urlsplit(without_secrets(url))
    except ValueError:
        return None
    asked = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in ("after", "before")]
    return urlunsplit(parts._replace(query=urlencode([*asked, ("after", after)]), fragment=""))


def _watermark(listing: object) -> dict[str, str]:
    """The ids to go on from. What moderators pin is old, and stands first."""
    names = []
    for thing in _children(listing) or ():
        kind, data = text_of(thing, "kind"), inside(thing, "data")
        if kind in ("t1", "t3") and isinstance(data, dict) and data.get("stickied") is not True:
            names.append(name_of(kind, data))
    alike = sorted((name for name in names if name and name[:3] == names[0][:3]), key=order_of)
    return {"newest_id": alike[-1], "oldest_id": alike[0]} if alike else {}
