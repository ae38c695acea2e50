"""Reads one answer of the YouTube Data API, told from its shape alone: comment threads, replies, an error."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers.answers import error_of, read_json
from crawlers.dates import read_date
from crawlers.links import without_secrets
from crawlers.outcomes import Outcomes, count_of, inside, objects_of, text_of, unreadable
from crawlers.page import Page
from crawlers.youtube.comment import fault_of, left_out, names_of, read_comment, uri_of, words_of

#: Google's own word for an error -> problem. The server's sentences are not for the operator: they can name accounts.
_BY_REASON = {
    "quotaExceeded": "rate_limited: the day's quota is spent; it begins anew at midnight in California",
    "dailyLimitExceeded": "rate_limited: the day's quota is spent; it begins anew at midnight in California",
    "rateLimitExceeded": "rate_limited: too many questions, wait before the next",
    "userRateLimitExceeded": "rate_limited: too many questions, wait before the next",
    "commentsDisabled": "disabled: comments are turned off for this video",
    "accessNotConfigured": "login_needed: the YouTube Data API is not turned on for this key's project",
    "SERVICE_DISABLED": "login_needed: the YouTube Data API is not turned on for this key's project",
    "keyInvalid": "login_needed: the key is wrong",
    "API_KEY_INVALID": "login_needed: the key is wrong",
    "keyExpired": "login_needed: the key has expired",
    "ipRefererBlocked": "forbidden: the key may not be used from this address",
    "API_KEY_SERVICE_BLOCKED": "forbidden: the key may not be used for the YouTube Data API",
    "forbidden": "forbidden: the video or channel is private, or the key may not read it",
    "videoNotFound": "not_found: there is no such video",
    "channelNotFound": "not_found: there is no such channel",
    "commentNotFound": "not_found: there is no such comment",
    "commentThreadNotFound": "not_found: there is no such comment",
    "processingFailure": "unavailable: the server could not work the question out, try later",
    "backendError": "unavailable: the server has a fault of its own, try later",
}


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. Under either policy what is held back for review is dropped; YouTube knows no other opting out.

    Without `url` the next page is told as its query alone. The watermark's `threads` are the threads with replies
    that this page does not hold, as `ID:HOW_MANY_THERE_ARE`.
    """
    del policy
    try:
        answer = read_json(body, headers)
    except ValueError:
        return unreadable(body, headers)
    problem = _refusal(answer, headers)
    if problem:
        return Page(problems=(problem,))
    kind = text_of(answer, "kind")
    if not kind.startswith("youtube#") and not _holds_comments(answer):
        return Page(problems=("not_youtube: JSON of another kind",), understood=False)
    items = inside(answer, "items")
    if not isinstance(items, list):
        items = [answer] if kind in ("youtube#comment", "youtube#commentThread") else []
    reading = _Reading(now=now)
    for item in items:
        reading.take(item)
    return reading.page(next_=_next(text_of(answer, "nextPageToken"), url), items=items)


@dataclass(slots=True)
class _Reading:
    """The comments of one answer, as they are sorted out."""

    now: datetime
    outcomes: Outcomes = field(default_factory=Outcomes)
    unread: dict[str, int] = field(default_factory=dict)  #: threads whose replies are not all here: how many there are
    missing: int = 0

    def take(self, item: object) -> None:
        """Sort a thread with the replies that it holds, or a single comment."""
        if not isinstance(item, dict):
            self.outcomes.reject("", "not_a_post")
        elif isinstance(inside(item, "snippet", "topLevelComment"), dict):
            self._take_thread(item)
        elif text_of(item, "kind") not in ("youtube#comment", "youtube#commentThread", ""):
            self.outcomes.drop("", "other")
        else:
            self._take_one(item, names_of(item))

    def page(self, *, next_: str | None, items: list[Any]) -> Page:
        """All that was read."""
        if self.missing:
            self.outcomes.remarks.append(f"more: {self.missing} replies are not on this page")
        return self.outcomes.page(next_=next_, watermark=_watermark(items, self.now) | self._threads())

    def _take_thread(self, thread: dict[str, Any]) -> None:
        top, replies = thread["snippet"]["topLevelComment"], objects_of(thread, "replies", "comments")
        if thread["snippet"].get("isPublic") is False:
            for comment in (top, *replies):
                self.outcomes.drop(uri_of(comment), "private")
            return
        names, video = names_of(top, *replies), text_of(thread, "snippet", "videoId")
        total = count_of(thread, "snippet", "totalReplyCount")
        self._take_one(top, names, video=video, replies=total)
        for reply in replies:
            self._take_one(reply, names, video=video)
        if total is not None and total > len(replies) and uri_of(top):
            self.unread[text_of(top, "id")] = total
            self.missing += total - len(replies)

    def _take_one(
        self, comment: Mapping[str, Any], names: tuple[str, ...], *, video: str = "", replies: int | None = None
    ) -> None:
        uri, fault = uri_of(comment), fault_of(comment)
        if fault:
            self.outcomes.reject(uri, fault, words_of(comment, names))
        elif reason := left_out(comment):
            self.outcomes.drop(uri, reason)
        else:
            self.outcomes.keep(read_comment(comment, now=self.now, names=names, video=video, replies=replies))

    def _threads(self) -> dict[str, str]:
        told = " ".join(f"{thread}:{total}" for thread, total in self.unread.items())
        return {"threads": told} if told else {}


def _refusal(answer: object, headers: Mapping[str, str]) -> str | None:
    """The problem an error stands for: an object with Google's own words for it, or a plain string."""
    if not isinstance(answer, dict):
        return None
    said = next((_BY_REASON[reason] for reason in _reasons(answer.get("error")) if reason in _BY_REASON), None)
    return said or error_of(answer, headers)


def _reasons(error: object) -> Iterator[str]:
    for part in (*objects_of(error, "details"), *objects_of(error, "errors")):
        yield text_of(part, "reason")
    yield error if isinstance(error, str) else ""


def _holds_comments(answer: object) -> bool:
    """Whether these are comments though the kind is not told: a client may ask for some fields alone."""
    first = next(iter(objects_of(answer, "items")), {})
    snippet = inside(first, "snippet")
    return isinstance(snippet, dict) and bool({"topLevelComment", "textDisplay", "textOriginal"} & snippet.keys())


def _next(token: str, url: str) -> str | None:
    if not token:
        return None
    try:
        parts = urlsplit(without_secrets(url))
    except ValueError:
        return None
    asked = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "pageToken"]
    return urlunsplit(parts._replace(query=urlencode([*asked, ("pageToken", token)]), fragment=""))


def _watermark(items: list[Any], now: datetime) -> dict[str, str]:
    """The newest comment, and the last one: a pinned comment stands first and is old."""
    known = []
    for item in items:
        comment = inside(item, "snippet", "topLevelComment") or item
        at = read_date(inside(comment, "snippet", "publishedAt"), now=now)
        if at is not None and uri_of(comment):
            known.append((at.astimezone(UTC).isoformat(), text_of(comment, "id")))
    if not known:
        return {}
    newest, last = max(known), known[-1]
    return {"newest_id": newest[1], "oldest_id": last[1], "newest_at": newest[0], "oldest_at": last[0]}
