"""Reads one answer of a Mastodon server, told from its shape alone: a timeline, a post, a search, an error."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crawlers.answers import error_of, read_json
from crawlers.links import related, without_secrets
from crawlers.mastodon.instance import access_of, is_instance
from crawlers.mastodon.status import fault_of, is_status, left_out, read_status, text_of, uri_of, words_of
from crawlers.outcomes import Outcomes, unreadable
from crawlers.page import Page

#: What an answer without posts is, told by the keys its (first) object has. The first match wins.
_OTHER_SHAPES = (
    ({"content", "created_at", "account"}, "edits: the edit history of a post, not a post"),
    ({"username", "acct"}, "accounts: accounts, which are never collected"),
    ({"options", "votes_count"}, "poll: a poll without its post"),
    ({"type", "account"}, "notifications: notifications, which are never collected"),
    ({"name", "history"}, "tags: a list of hashtags, no posts"),
    ({"title", "provider_name"}, "cards: a list of links, no posts"),
    ({"id", "text", "spoiler_text"}, "source: the source of a post, not a post"),
    ({"last_status", "accounts"}, "conversations: private conversations, which are never collected"),
)


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. By default drops what is unlisted and whoever asked not to be indexed.

    `respectful` drops posts of accounts with `noindex: true` or `indexable: false`, or with #nobot, #noindex or
    #noarchive in their description. Mastodon sets `indexable` to false until the account's owner turns it on, so this
    is more than half of all posts on most servers, those on hashtag timelines too. `none` keeps all that is public or
    unlisted. Private and direct posts are dropped under either.
    """
    del url  # the shape says it all
    try:
        answer = read_json(body, headers)
    except ValueError:
        return unreadable(body, headers)
    problem = error_of(answer, headers)
    if problem:
        return Page(problems=(problem,))
    return _read_answer(answer, headers, _Reading(now=now, policy=policy))


@dataclass(slots=True, kw_only=True)
class _Reading(Outcomes):
    """The posts of one page, as they are sorted out."""

    now: datetime
    policy: str


def _read_answer(answer: Any, headers: Mapping[str, str], reading: _Reading) -> Page:
    if isinstance(answer, list) and (not answer or any(is_status(each) for each in answer)):
        return _read_list(answer, headers, reading)
    first = answer[0] if isinstance(answer, list) else answer
    if not isinstance(first, dict):
        return Page(problems=("not_mastodon: JSON without posts",), understood=False)
    if isinstance(answer, dict):
        page = _read_object(answer, headers, reading)
        if page is not None:
            return page
    shape = next((problem for keys, problem in _OTHER_SHAPES if keys <= first.keys()), None)
    return Page(problems=(shape or "not_mastodon: JSON of another kind",), understood=shape is not None)


def _read_object(answer: dict[str, Any], headers: Mapping[str, str], reading: _Reading) -> Page | None:
    if is_status(answer):
        _take([answer], reading)
        return reading.page()
    if isinstance(answer.get("statuses"), list):
        return _read_list(answer["statuses"], headers, reading)
    if isinstance(answer.get("ancestors"), list) and isinstance(answer.get("descendants"), list):
        _take([*answer["ancestors"], *answer["descendants"]], reading)
        return reading.page()
    if is_instance(answer):
        access, problem = access_of(answer)
        return Page(watermark=access, problems=(problem,))
    return None


def _read_list(statuses: list[Any], headers: Mapping[str, str], reading: _Reading) -> Page:
    """A timeline: the only shape with a next page and ids to go on from."""
    _take(statuses, reading)
    return reading.page(next_=without_secrets(related(headers, "next")) or None, watermark=_watermark(statuses))


def _take(statuses: list[Any], reading: _Reading) -> None:
    """Sort each status into posts, dropped or rejected; a boost counts as what it boosts."""
    uris = {text_of(each, "id"): uri_of(each) for each in statuses if isinstance(each, dict)}
    for status in statuses:
        inner = status.get("reblog") if isinstance(status, dict) else None
        if isinstance(inner, dict):
            reading.drop(uri_of(status), "repost")
        _take_one(inner if isinstance(inner, dict) else status, uris, reading)


def _take_one(status: Any, uris: Mapping[str, str], reading: _Reading) -> None:
    if not isinstance(status, dict):
        reading.reject("", "not_a_post")
        return
    uri, fault = uri_of(status), fault_of(status)
    if fault:
        reading.reject(uri, fault, words_of(status))
        return
    reason = left_out(status, reading.policy) or ("repeated" if uri in reading.posts else None)
    if reason:
        reading.drop(uri, reason)
        return
    reading.keep(read_status(status, now=reading.now, reply_to=uris.get(text_of(status, "in_reply_to_id"), "")))


def _watermark(statuses: list[Any]) -> dict[str, str]:
    """The ids to go on from, dropped posts' too: ids are in order, times are not."""
    ids = [text_of(each, "id") for each in statuses]
    known = sorted((each for each in ids if each), key=_id_order)
    return {"newest_id": known[-1], "oldest_id": known[0]} if known else {}


def _id_order(native_id: str) -> tuple[int, str]:
    """Snowflakes compare as numbers. Other servers' ids grow in length, then in letters."""
    digits = native_id.lstrip("0") if native_id.isdecimal() else native_id
    return len(digits), digits
