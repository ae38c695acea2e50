"""Reads one preview page of a Telegram channel (t.me/s/CHANNEL), or the widget of a single post."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from crawlers.answers import error_page_of, header
from crawlers.links import without_secrets
from crawlers.outcomes import Outcomes
from crawlers.page import Page
from crawlers.telegram.message import id_of, left_out, read_message, uri_of, with_class, words_of

_HOME = "https://t.me/"
_NO_POSTS = "empty_or_throttled: the page says that there are no posts; Telegram says so too after many questions"
_NO_PREVIEW = "disabled: the channel has no public preview, or there is no such channel"
_RESTRICTED = re.compile(r"(?:channel|group) can(?:’|'|&#0?39;)t be displayed", re.IGNORECASE)


def parse(body: bytes, *, url: str, headers: Mapping[str, str], now: datetime, policy: str = "respectful") -> Page:
    """Never raises. A channel has no way to ask not to be collected but to close its preview, so `policy` is idle.

    Without `url` the next page is told as one of t.me.
    """
    del policy
    if not body.strip():
        moved = bool(header(headers, "location"))
        return Page(problems=(_NO_PREVIEW if moved else "empty: the answer has no body",))
    page = _tree(body)
    messages = [] if page is None else with_class(page, "tgme_widget_message")
    wraps = [] if page is None else [wrap for wrap in with_class(page, "tgme_widget_message_wrap") if _is_bare(wrap)]
    if page is None or not (messages or wraps):
        return _without_posts(page, body, headers)
    outcomes = Outcomes()
    for message in messages:
        _take(message, outcomes, now)
    for _ in wraps:
        outcomes.reject("", "not_a_post")
    return outcomes.page(next_=_next(page, url), watermark=_watermark(messages))


def _tree(body: bytes) -> Any:
    """The page's root, None where it has no element at all."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(body.decode("utf-8", "replace").replace("\0", "").encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _is_bare(wrap: Any) -> bool:
    """Whether a place for a post holds none and does not say so."""
    return not with_class(wrap, "tgme_widget_message", "tme_no_messages_found", "tgme_widget_message_error")


def _take(message: Any, outcomes: Outcomes, now: datetime) -> None:
    uri = uri_of(message)
    if not uri:
        outcomes.reject("", "no_id", words_of(message))
        return
    reason = left_out(message)
    if reason:
        outcomes.drop(uri, reason)
    else:
        outcomes.keep(read_message(message, now=now))


def _without_posts(page: Any, body: bytes, headers: Mapping[str, str]) -> Page:
    """What a page without any post stands for."""
    told = header(headers, ":status") or header(headers, "status")
    refusal = error_page_of(body, headers)
    if refusal and told[:1] in ("4", "5"):
        return Page(problems=(refusal,))
    if page is not None:
        problem = _problem_of(page, body)
        if problem:
            return Page(problems=(problem,))
    if refusal:
        return Page(problems=(refusal,))
    return Page(problems=("not_telegram: a page without posts, and none of Telegram's",), understood=False)


def _problem_of(page: Any, body: bytes) -> str | None:
    if with_class(page, "tme_no_messages_found"):
        return _NO_POSTS
    if with_class(page, "tgme_widget_message_error"):
        return "not_found: the server knows no such post"
    if _RESTRICTED.search(body.decode("utf-8", "replace")):
        return "disabled: Telegram does not show this channel"
    if with_class(page, "tgme_channel_info", "tgme_channel_history"):
        return _NO_POSTS
    return _NO_PREVIEW if with_class(page, "tgme_page", "tgme_page_title", "tgme_page_description") else None


def _next(page: Any, url: str) -> str | None:
    """The older page: the head's rel=prev, else the link that loads more."""
    links = [*page.xpath("//link[@rel='prev']"), *page.xpath("//a[@data-before]")]
    addresses = (without_secrets(_joined(url, link.get("href") or "")) for link in links)
    return next((each for each in addresses if each), None)


def _joined(url: str, href: str) -> str:
    """The absolute address; "" where there is none to make."""
    try:
        return urljoin(url or _HOME, href) if href else ""
    except ValueError:
        return ""


def _watermark(messages: list[Any]) -> dict[str, str]:
    """The first and last number on the page, of service messages too; numbers between may be missing."""
    ids = [id_of(uri) for message in messages if (uri := uri_of(message))]
    return {"newest_id": str(max(ids)), "oldest_id": str(min(ids))} if ids else {}
