"""Reads one answer of a Lemmy server, told from its shape alone: posts, comments, a post, a search, an error."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers.answers import error_of, read_json
from crawlers.lemmy.view import fault_of, kind_of, left_out, read_view, thing_of, uri_of, words_of
from crawlers.links import without_secrets
from crawlers.outcomes import Outcomes, inside, text_of, unreadable
from crawlers.page import Page

#: The lists of an answer that hold views, and the keys of an answer that is one view.
_LISTS = ("posts", "comments", "cross_posts", "results", "items", "content")
_SINGLE = ("post_view", "comment_view")
#: The server's own word for why it refuses, by how it begins -> the status it stands for.
_ERRORS = (
    ("couldnt_find", 404), ("couldnt_get", 404), ("not_found", 404), ("not_logged_in", 401), ("incorrect_login", 401),
    ("instance_is_private", 401), ("registration_", 401), ("rate_limit", 429), ("deleted", 410), ("site_ban", 403),
    ("community_ban", 403), ("not_a", 403), ("unknown", 500), ("couldnt_parse", 400), ("invalid", 400),
    ("query_string", 400), ("pictrs_response", 503), ("federation_", 403),
)  # fmt: skip
#: What an answer without posts is, told by the keys it has. The first match wins.
_OTHER_SHAPES = (
    ({"site_view"}, "instance: the server's description, no posts"),
    ({"person_view"}, "accounts: an account, which is never collected"),
    ({"users"}, "accounts: accounts, which are never collected"),
    ({"community_view"}, "communities: a community without its posts"),
    ({"communities"}, "communities: a list of communities, no posts"),
    ({"federated_instances"}, "instance: the server's neighbours, no posts"),
    ({"private_messages"}, "conversations: private messages, which are never collected"),
)


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. By default drops whose profile says #nobot, #noindex or #noarchive; `none` keeps them.

    Without `url` the next page is told as its query alone.
    """
    try:
        answer = read_json(body, headers)
    except ValueError:
        return unreadable(body, headers)
    problem = _refusal(answer, headers)
    if problem:
        return Page(problems=(problem,))
    views = _views_of(answer)
    if views is None:
        keys = answer.keys() if isinstance(answer, dict) else set()
        shape = next((problem for wanted, problem in _OTHER_SHAPES if wanted <= keys), None)
        return Page(problems=(shape or "not_lemmy: JSON of another kind",), understood=shape is not None)
    outcomes, parents = Outcomes(), _parents_in(views)
    for view in views:
        _take(view, outcomes, parents, now=now, policy=policy)
    return outcomes.page(next_=_next(answer, url, bool(views)), watermark=_watermark(views))


def _refusal(answer: object, headers: Mapping[str, str]) -> str | None:
    """The problem an error stands for; the server names it by one word in place of a status."""
    word = text_of(answer, "error").lower()
    status = next((status for start, status in _ERRORS if word.startswith(start)), None)
    return error_of(answer, {**headers, ":status": str(status)} if status else headers)


def _views_of(answer: object) -> list[Any] | None:
    """The views of an answer in its order, None where it is none of ours."""
    if isinstance(answer, dict) and text_of(answer, "type") == "Tombstone":
        return [{"post": {"ap_id": text_of(answer, "id"), "type": "Tombstone"}}]
    if kind_of(answer):
        return [answer]
    views = [inside(answer, key) for key in _SINGLE if isinstance(inside(answer, key), dict)]
    lists = [inside(answer, key) for key in _LISTS if isinstance(inside(answer, key), list)]
    if not isinstance(answer, dict) or not (views or lists):
        return None
    return [*views, *(view for listed in lists for view in listed)]


def _parents_in(views: list[Any]) -> dict[str, str]:
    """The URI of each comment and post on the page by kind and number, wherever on the page it stands."""
    things = ((kind, inside(view, kind)) for view in views for kind in ("comment", "post"))
    return {f"{kind}:{text_of(thing, 'id')}": text_of(thing, "ap_id") for kind, thing in things if thing}


def _take(view: Any, outcomes: Outcomes, parents: Mapping[str, str], *, now: datetime, policy: str) -> None:
    if not kind_of(view):
        outcomes.reject("", "not_a_post")
        return
    uri, fault, reason = uri_of(view), fault_of(view), left_out(view, policy)
    if fault and not (uri and reason):
        outcomes.reject(uri, fault, words_of(view))
    elif reason:
        outcomes.drop(uri, reason)
    else:
        outcomes.keep(read_view(view, reply_to=_parent_of(view, parents), now=now))


def _parent_of(view: Mapping[str, Any], parents: Mapping[str, str]) -> str:
    """The URI of what a comment answers, where the page holds it: its path is 0.GRANDPARENT.PARENT.OWN."""
    if kind_of(view) == "post":
        return ""
    above = text_of(thing_of(view), "path").split(".")[1:-1]
    key = f"comment:{above[-1]}" if above else f"post:{text_of(thing_of(view), 'post_id')}"
    return parents.get(key, "")


def _next(answer: Any, url: str, any_views: bool) -> str | None:
    """The same question with the page's own token; of an older server, which gives none, the next number."""
    token = text_of(answer, "next_page")
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if token:
        following = {**query, "page_cursor": token}
        following.pop("page", None)
    elif "page" in query and query["page"].isdecimal() and len(query["page"]) < 7 and any_views:
        following = {**query, "page": str(int(query["page"]) + 1)}
    else:
        return None
    address = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(following), ""))
    return (without_secrets(address) if parts.scheme else address) or None


def _watermark(views: list[Any]) -> dict[str, str]:
    """The largest and smallest number of this server's, of dropped posts too; times are not in their order."""
    numbers = [int(number) for number in _numbers(views) if number.isdecimal()]
    return {"newest_id": str(max(numbers)), "oldest_id": str(min(numbers))} if numbers else {}


def _numbers(views: list[Any]) -> Iterator[str]:
    return (text_of(thing_of(view), "id") for view in views if kind_of(view))
