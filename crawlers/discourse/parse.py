"""Reads one answer of a Discourse forum, told from its shape alone: posts, a topic, a list of topics, a search."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from crawlers.answers import error_of, read_json
from crawlers.discourse.forum import Forum, forum_of
from crawlers.discourse.post import fault_of, left_out, names_in, read_post, read_topic, topic_of, uri_of, words_of
from crawlers.links import without_secrets
from crawlers.outcomes import Outcomes, count_of, inside, objects_of, text_of, unreadable
from crawlers.page import Page

#: The forum's own words for why it refuses -> the status they stand for.
_ERRORS = {
    "not_logged_in": 401, "invalid_access": 403, "not_found": 404, "rate_limit": 429, "invalid_parameters": 400,
    "read_only": 503, "deleted_post": 410, "deleted_topic": 410,
}  # fmt: skip
#: What an answer without posts is, told by the keys it has. The first match wins.
_OTHER_SHAPES = (
    ({"category_list"}, "categories: a list of categories, no posts"),
    ({"user"}, "accounts: an account, which is never collected"),
    ({"user_badges"}, "accounts: an account, which is never collected"),
    ({"directory_items"}, "accounts: accounts, which are never collected"),
    ({"about"}, "instance: the forum's description, no posts"),
    ({"post_action_types"}, "instance: the forum's description, no posts"),
)
_TOPIC_URL = re.compile(r"/t/(?:[^/]*/)?(\d{1,12})(?:/\d+)?/?$")


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. By default drops topics that the forum keeps out of its lists; `none` keeps those too.

    Without `url` the forum is unknown: addresses and the next page are told from the root on, and no link is kept.
    """
    try:
        answer = read_json(body, headers)
    except ValueError:
        return unreadable(body, headers)
    problem = _refusal(answer, headers)
    if problem:
        return Page(problems=(problem,))
    return _Reading(url, now, policy).page_of(answer)


def _refusal(answer: object, headers: Mapping[str, str]) -> str | None:
    status = _ERRORS.get(text_of(answer, "error_type"))
    problem = error_of(answer, {**headers, ":status": str(status)} if status else headers)
    wait = count_of(answer, "extras", "wait_seconds")
    if problem and wait is not None and problem.startswith("rate_limited:"):
        return f"rate_limited: too many questions, wait {wait} seconds"
    return problem


class _Reading:
    """One answer while it is read."""

    def __init__(self, url: str, now: datetime, policy: str) -> None:
        self.url = url
        self.forum: Forum = forum_of(url)
        self.now = now
        self.policy = policy
        self.outcomes = Outcomes()

    def page_of(self, answer: Any) -> Page:
        """The page of an answer that is no error."""
        if isinstance(inside(answer, "post_stream", "posts"), list):
            return self._topic(answer)
        if isinstance(inside(answer, "latest_posts"), list):
            return self._posts(answer["latest_posts"])
        if isinstance(inside(answer, "topic_list", "topics"), list):
            return self._topics(answer)
        if _is_search(answer):
            return self._search(answer)
        if isinstance(answer, dict) and {"cooked", "post_number"} <= answer.keys():
            self._take(answer, text_of(answer, "topic_title"))
            return self.outcomes.page()
        keys = answer.keys() if isinstance(answer, dict) else set()
        shape = next((problem for wanted, problem in _OTHER_SHAPES if wanted <= keys), None)
        return Page(problems=(shape or "not_discourse: JSON of another kind",), understood=shape is not None)

    def _topic(self, topic: Mapping[str, Any]) -> Page:
        posts, closed = topic["post_stream"]["posts"], self._closed(topic)
        for post in posts:
            number = text_of(topic, "id")
            whole = {"topic_id": number, **post} if isinstance(post, dict) and number else post
            self._take(whole, text_of(topic, "title"), closed)
        return self.outcomes.page(next_=self._later_posts(topic, posts), watermark=_watermark(posts))

    def _posts(self, posts: list[Any]) -> Page:
        for post in posts:
            self._take(post, text_of(post, "topic_title"))
        watermark = _watermark(posts)
        # The forum answers with posts up to and with the number asked for.
        before = int(watermark.get("oldest_id", "0")) - 1
        query = urlencode({"before": before})
        return self.outcomes.page(next_=f"{self.forum.base}/posts.json?{query}" if before > 0 else None,
                                  watermark=watermark)  # fmt: skip

    def _topics(self, answer: Mapping[str, Any]) -> Page:
        listed = answer["topic_list"]
        names = [name for user in objects_of(answer, "users") for name in names_in(user)]
        for topic in listed["topics"]:
            self._take_topic(topic, names)
        reached = {
            text_of(topic, "id"): count_of(topic, "highest_post_number") or 1
            for topic in reversed(objects_of(listed, "topics"))
            if self.forum.topic_uri(text_of(topic, "id"))
        }
        marks = ",".join(f"{topic}:{number}" for topic, number in reversed(reached.items()))
        next_ = self._list_page(text_of(listed, "more_topics_url"))
        return self.outcomes.page(next_=next_, watermark={"topics": marks} if marks else {})

    def _search(self, answer: Any) -> Page:
        topics, posts = objects_of(answer, "topics"), inside(answer, "posts")
        titles = {text_of(topic, "id"): text_of(topic, "title") for topic in topics}
        for post in posts if isinstance(posts, list) else []:
            self._take(post, titles.pop(topic_of(post), "") if isinstance(post, dict) else "")
        for topic in topics:
            if text_of(topic, "id") in titles:
                self._take_topic(topic, ())
        for group in answer if isinstance(answer, list) else []:
            for found in objects_of(group, "results"):
                if text_of(group, "type") == "topic":
                    self._take_topic(found, ())
                else:
                    self.outcomes.drop("", "account" if text_of(group, "type") == "user" else "other")
        return self.outcomes.page()

    def _take(self, post: Any, title: str, closed: str | None = None) -> None:
        if not isinstance(post, dict):
            self.outcomes.reject("", "not_a_post")
            return
        uri, fault = uri_of(self.forum, post), fault_of(self.forum, post)
        reason = closed or left_out(post)
        if fault and not (uri and reason):
            self.outcomes.reject(uri, fault, words_of(post))
        elif reason:
            self.outcomes.drop(uri, reason)
        else:
            self.outcomes.keep(read_post(self.forum, post, title=title, now=self.now))

    def _take_topic(self, topic: Any, names: Sequence[str]) -> None:
        if not isinstance(topic, dict) or not self.forum.topic_uri(text_of(topic, "id")):
            self.outcomes.reject("", "no_id" if isinstance(topic, dict) else "not_a_post")
            return
        found = read_topic(self.forum, topic, names=names, now=self.now)
        reason = self._closed(topic)
        if reason:
            self.outcomes.drop(found.uri, reason)
        else:
            self.outcomes.keep(found)

    def _closed(self, topic: Mapping[str, Any]) -> str | None:
        """Why nothing of a topic is for us, None where it is open."""
        if topic.get("deleted_at"):
            return "deleted"
        if text_of(topic, "archetype") == "private_message" or inside(topic, "category", "read_restricted") is True:
            return "private"
        return "unlisted" if self.policy != "none" and topic.get("visible") is False else None

    def _later_posts(self, topic: Mapping[str, Any], posts: list[Any]) -> str | None:
        """The topic's next page, where its stream names posts behind the last one shown."""
        stream = inside(topic, "post_stream", "stream")
        shown = [post.get("id") for post in posts if isinstance(post, dict)]
        if not isinstance(stream, list) or not shown or not stream or stream[-1] in shown:
            return None
        path, query = _path_and_query(self.url)
        number = text_of(topic, "id") or next(iter(_TOPIC_URL.findall(path.removesuffix(".json"))), "")
        page = query.get("page", "1")
        later = int(page) + 1 if page.isdecimal() and len(page) < 7 else 2
        return f"{self.forum.base}/t/{number}.json?page={later}" if number.isdecimal() else None

    def _list_page(self, more: str) -> str | None:
        """The list's next page as JSON; the forum gives it from the root on, and without its ending."""
        if not more:
            return None
        try:
            parts = urlsplit(urljoin(self.url, more))
        except ValueError:
            return None
        path = parts.path if parts.path.endswith(".json") else f"{parts.path}.json"
        address = parts._replace(path=path, fragment="").geturl()
        return (without_secrets(address) if parts.scheme else address) or None


def _is_search(answer: object) -> bool:
    if isinstance(answer, list):
        return any(isinstance(inside(group, "results"), list) for group in answer)
    return isinstance(answer, dict) and "grouped_search_result" in answer


def _watermark(posts: list[Any]) -> dict[str, str]:
    """The newest and the oldest number, of dropped posts too. Numbers between may be missing."""
    numbers = [number for post in posts if (number := count_of(post, "id"))]
    return {"newest_id": str(max(numbers)), "oldest_id": str(min(numbers))} if numbers else {}


def _path_and_query(url: str) -> tuple[str, dict[str, str]]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", {}
    return parts.path, dict(parse_qsl(parts.query))
