"""Reads one answer of VnExpress's comment interface: the comments of an article, or the replies to one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers.answers import error_of, read_json
from crawlers.links import without_secrets
from crawlers.outcomes import Outcomes, count_of, inside, unreadable
from crawlers.page import Page
from crawlers.vnexpress.comment import fault_of, is_comment, read_comment, replies_of, uri_of, words_of


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. Readers have no way to ask not to be collected, so `policy` is idle.

    Without `url` the next page is told as its query alone. The mark `replies` names the comments whose replies are not
    all on the page.
    """
    del policy
    try:
        answer = read_json(body, headers)
    except ValueError:
        return unreadable(body, headers)
    problem = error_of(answer, headers)
    if problem:
        return Page(problems=(problem,))
    comments = _comments_of(answer)
    if comments is None:
        return Page(problems=("not_vnexpress: JSON of another kind",), understood=False)
    reading = _Reading(now)
    for comment in comments:
        reading.take(comment)
    next_ = _next(url, len(comments), count_of(answer, "data", "total"))
    return reading.outcomes.page(next_=next_, watermark=reading.watermark())


class _Reading:
    """The comments of one answer, as they are sorted out."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.outcomes = Outcomes()
        self.numbers: list[int] = []
        self.unshown: list[str] = []

    def take(self, comment: Any) -> None:
        """Sort a comment and all the replies below it, in the page's order."""
        waiting = [(comment, "")]
        while waiting:
            each, parent = waiting.pop()
            self._take_one(each, parent)
            shown, told = replies_of(each)
            uri = uri_of(each)
            if uri and told > len(shown):
                self.unshown.append(uri.partition(":")[2])
            waiting.extend((reply, uri) for reply in reversed(shown))

    def watermark(self) -> dict[str, str]:
        """The newest and oldest number, and whose replies are owed."""
        marks = {"newest_id": str(max(self.numbers)), "oldest_id": str(min(self.numbers))} if self.numbers else {}
        return marks | ({"replies": ",".join(dict.fromkeys(self.unshown))} if self.unshown else {})

    def _take_one(self, comment: Any, parent: str) -> None:
        if not is_comment(comment):
            self.outcomes.reject("", "not_a_post")
            return
        uri, fault = uri_of(comment), fault_of(comment)
        if uri:
            self.numbers.append(int(uri.partition(":")[2]))
        if fault:
            self.outcomes.reject(uri, fault, words_of(comment))
        else:
            self.outcomes.keep(read_comment(comment, parent=parent, now=self.now))


def _comments_of(answer: Any) -> list[Any] | None:
    """The comments at the top of an answer, None where it is none of ours. Without any, `data` is an empty list."""
    listed = inside(answer, "data", "items")
    if isinstance(listed, list) and (not listed or any(is_comment(each) for each in listed) or "error" in answer):
        return listed
    if not isinstance(answer, dict) or not {"error", "errorDescription"} & answer.keys():
        return None
    data = answer.get("data")
    if isinstance(data, list):
        return data
    return [] if data is None or (isinstance(data, dict) and count_of(data, "total") == 0) else None


def _next(url: str, shown: int, total: int | None) -> str | None:
    """The same question further on. `total` counts the comments at the top, `totalitem` their replies too."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    offset = query.get("offset", "0")
    reached = (int(offset) if offset.isdecimal() and len(offset) < 9 else 0) + shown
    if not shown or total is None or reached >= total:
        return None
    address = urlunsplit(parts._replace(query=urlencode({**query, "offset": reached}), fragment=""))
    return (without_secrets(address) if parts.scheme else address) or None
