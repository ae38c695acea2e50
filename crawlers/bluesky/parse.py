"""Reads one answer of a Bluesky server, told from its shape alone: a feed, a search, posts, a thread, an error."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers.answers import error_of, read_json
from crawlers.bluesky.record import key_of, words_of
from crawlers.bluesky.shape import kind_of, object_of, text_of
from crawlers.bluesky.thread import is_node, missing_reason, nodes_of
from crawlers.bluesky.view import fault_of, is_view, left_out, names_near, read_view, sorted_at, uri_of
from crawlers.dates import read_date
from crawlers.links import without_secrets
from crawlers.outcomes import Outcomes, unreadable
from crawlers.page import Page

#: Names of the protocol's errors -> the status they stand for. Most come with a bare 400.
_ERRORS = {
    "AuthMissing": 401, "AuthenticationRequired": 401, "AuthRequired": 401, "ExpiredToken": 401, "InvalidToken": 401,
    "Forbidden": 403, "BlockedActor": 403, "BlockedByActor": 403, "AccountTakedown": 403,
    "NotFound": 404, "RepoNotFound": 404, "RecordNotFound": 404, "UnknownList": 404, "UnknownFeed": 404,
    "RepoTakendown": 410, "RepoSuspended": 410, "RepoDeactivated": 410,
    "RateLimitExceeded": 429, "InternalServerError": 500, "UpstreamFailure": 502, "UpstreamTimeout": 504,
    "NotEnoughResources": 503, "InvalidRequest": 400, "BadQueryString": 400,
}  # fmt: skip
#: What an answer without posts is, told by the keys it has. The first match wins.
_OTHER_SHAPES = (
    ({"accessJwt"}, "session: a sign-in, no posts"),
    ({"did", "handle"}, "accounts: an account, which is never collected"),
    ({"actors"}, "accounts: accounts, which are never collected"),
    ({"profiles"}, "accounts: accounts, which are never collected"),
    ({"followers"}, "accounts: accounts, which are never collected"),
    ({"follows"}, "accounts: accounts, which are never collected"),
    ({"repostedBy"}, "accounts: accounts, which are never collected"),
    ({"likes", "uri"}, "accounts: who liked a post, which is never collected"),
    ({"notifications"}, "notifications: notifications, which are never collected"),
    ({"feeds"}, "feeds: a list of feeds, no posts"),
    ({"lists"}, "lists: lists of accounts, which are never collected"),
)


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. By default drops whoever asked, by the label `!no-unauthenticated`, not to be shown to everybody.

    `none` keeps those posts too. Posts that moderators took down or hid are dropped under either. `next` is the same
    question with the answer's cursor; of a page whose address is unknown, the cursor alone (`?cursor=`).
    """
    try:
        answer = read_json(body, headers)
    except ValueError:
        return unreadable(body, headers)
    problem = refusal_of(answer, headers)
    if problem:
        return Page(problems=(problem,))
    return _Reading(url, now, policy).page_of(answer)


def refusal_of(answer: Any, headers: Mapping[str, str]) -> str | None:
    """The problem an error of the protocol stands for, by its name before its status; None where it is none."""
    name = text_of(answer, "error")
    known = {**headers, ":status": str(_ERRORS[name])} if name in _ERRORS else headers
    return error_of(answer, known)


class _Reading:
    """One answer while it is read."""

    def __init__(self, url: str, now: datetime, policy: str) -> None:
        self.url = url
        self.now = now
        self.policy = policy
        self.sorted = Outcomes()
        self.times: list[tuple[datetime, str]] = []

    def page_of(self, answer: Any) -> Page:
        """The page of an answer that is no error."""
        listed = _listed(answer)
        if listed is not None:
            for each in listed:
                self._take_item(each)
            return self.sorted.page(next_=self._next(answer), watermark=self._watermark())
        if not isinstance(answer, dict):
            return Page(problems=("not_bluesky: JSON without posts",), understood=False)
        thread = answer.get("thread")
        if isinstance(thread, list | dict):
            return self._thread(thread)
        if is_node(answer):
            return self._thread(answer)
        if is_view(answer):
            self._take(answer, {})
            return self.sorted.page()
        shape = next((problem for keys, problem in _OTHER_SHAPES if keys <= answer.keys()), None)
        return Page(problems=(shape or "not_bluesky: JSON of another kind",), understood=shape is not None)

    def _thread(self, thread: object) -> Page:
        for node in nodes_of(thread):
            reason = missing_reason(node)
            if reason:
                self.sorted.drop(text_of(node, "uri"), reason)
            else:
                self._take_item(object_of(node, "value") or node)
        return self.sorted.page()

    def _take_item(self, item: Any) -> None:
        """One row of a list: a post, or a post with the reason why it stands there."""
        post = item.get("post") if isinstance(item, dict) else None
        if post is None:
            self._take(item, {})
            return
        reason = object_of(item, "reason")
        if kind_of(reason) == "reasonRepost":
            self.sorted.drop(text_of(reason, "uri"), "repost")
        self._take(post, item)

    def _take(self, view: Any, item: Mapping[str, Any]) -> None:
        if not is_view(view):
            self.sorted.reject(text_of(view, "uri"), "not_a_post")
            return
        self._note_time(view, object_of(item, "reason"))
        uri, fault = uri_of(view), fault_of(view)
        if fault:
            words = words_of(object_of(view, "record"), names=names_near(view, item))
            self.sorted.reject(uri, fault, words)
            return
        reason = left_out(view, self.policy) or ("repeated" if uri in self.sorted.posts else None)
        if reason:
            self.sorted.drop(uri, reason)
        else:
            self.sorted.keep(read_view(view, context=item, now=self.now))

    def _note_time(self, view: Mapping[str, Any], reason: Mapping[str, Any]) -> None:
        """The time that puts a row in its place; a pinned post stands outside the order."""
        if kind_of(reason) == "reasonPin":
            return
        reposted = read_date(reason.get("indexedAt"), now=self.now)
        at = reposted or sorted_at(view, self.now)
        if at is not None:
            self.times.append((at, key_of(uri_of(view))))

    def _watermark(self) -> dict[str, str]:
        """Newest and oldest row by the order of the list, those left out too: times in UTC, and record keys."""
        if not self.times:
            return {}
        (oldest, oldest_id), (newest, newest_id) = min(self.times), max(self.times)
        return {
            "newest_id": newest_id,
            "oldest_id": oldest_id,
            "newest_at": newest.astimezone(UTC).isoformat(timespec="microseconds"),
            "oldest_at": oldest.astimezone(UTC).isoformat(timespec="microseconds"),
        }

    def _next(self, answer: Any) -> str | None:
        """The question once more, from the answer's cursor on. A cursor that repeats itself ends the list."""
        cursor = text_of(answer, "cursor")
        if not cursor:
            return None
        if not self.url:
            return "?" + urlencode({"cursor": cursor})
        parts = urlsplit(without_secrets(self.url))
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if not parts.netloc or ("cursor", cursor) in pairs:
            return None
        asked = [(key, value) for key, value in pairs if key != "cursor"]
        return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode([*asked, ("cursor", cursor)]), ""))


def _listed(answer: Any) -> Iterable[Any] | None:
    """The rows of a list of posts, bare or named; None where the answer is none."""
    if isinstance(answer, dict):
        return next((answer[key] for key in ("feed", "posts") if isinstance(answer.get(key), list)), None)
    if isinstance(answer, list) and (not answer or any(_is_row(each) for each in answer)):
        return answer
    return None


def _is_row(each: object) -> bool:
    return is_view(each) or (isinstance(each, dict) and is_view(each.get("post")))
