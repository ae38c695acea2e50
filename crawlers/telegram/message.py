"""One message of a channel's preview page: whether it may be kept, and what it says."""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from lxml import etree

from claimwatch.text.html import html_to_text
from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from crawlers.dates import read_date
from crawlers.page import Found

#: What a stranger's post says inside of ours, and what the page says in place of a text.
_NOT_OURS = (
    "tgme_widget_message_reply", "tgme_widget_message_forwarded_from", "tgme_widget_message_link_preview",
    "message_media_not_supported", "message_media_not_supported_wrap", "message_media_view_in_telegram",
)  # fmt: skip
_WORDS = (
    "tgme_widget_message_text",
    "tgme_widget_message_poll_question",
    "tgme_widget_message_poll_option_text",
)
_SIGNATURES = ("tgme_widget_message_from_author", "tgme_widget_message_forwarded_from_author")
_POST = re.compile(r"(?P<channel>[A-Za-z]\w{2,31})/(?P<id>[1-9]\d{0,11})(?:\?.*)?", re.ASCII)
_LINK = re.compile(r"https?://(?:t|telegram)\.me/(?:s/)?(?P<post>[^/?#]+/\d+)(?:[?#].*)?")
_ACCOUNT = re.compile(r"https?://(?:t|telegram)\.me/(?:s/)?(?P<name>\w{3,32})/?(?:[?#].*)?", re.ASCII)
_VIEWS = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,3})?)\s*(?P<unit>[KMB]?)")
_UNITS = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}


def with_class(node: Any, *names: str) -> list[Any]:
    """The elements below (or at) a node that carry one of the class names, in the page's order."""
    either = " or ".join(f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')" for name in names)
    found: list[Any] = node.xpath(f"descendant-or-self::*[{either}]")
    return found


def uri_of(message: Any) -> str:
    """The post's address without the preview's /s/, "" where the message has none."""
    return _uri(message.get("data-post") or "")


def id_of(uri: str) -> int:
    """The post's number within its channel."""
    return int(uri.rpartition("/")[2])


def left_out(message: Any) -> str | None:
    """Why a message is no post, as one word, None where it is one."""
    if "service_message" in (message.get("class") or "").split():
        return "service"
    labels = with_class(message, "message_media_not_supported_label")
    return "service" if any(_plain(label) == "Service message" for label in labels) else None


def read_message(message: Any, *, now: datetime) -> Found:
    """The post of a message that has an address. The channel publishes it, so its link names nobody."""
    uri, text = uri_of(message), words_of(message)
    return Found(
        platform="telegram",
        uri=uri,
        native_id=str(id_of(uri)),
        author=uri.split("/")[-2],
        created_at=_time_of(message, now),
        language=language_of(text),
        text=text,
        url=uri,
        url_is_public=True,
        reply_to=_leads_to(message, "tgme_widget_message_reply"),
        repost_of=_leads_to(message, "tgme_widget_message_forwarded_from_name"),
        views=_views_of(message),
    )


def words_of(message: Any) -> str:
    """The text or caption, a poll's question and options, scrubbed; "" of a sticker, a voice, a place."""
    nodes = [node for node in with_class(message, *_WORDS) if not _is_inside(node, (*_NOT_OURS, *_WORDS), message)]
    parts = [
        html_to_text(etree.tostring(node, encoding="unicode", method="html", with_tail=False)).strip() for node in nodes
    ]
    return tidy(scrub("\n".join(part for part in parts if part), known=tuple(_names_in(message))))


def _uri(post: str) -> str:
    found = _POST.fullmatch(post.strip())
    return f"https://t.me/{found['channel']}/{found['id']}" if found else ""


def _leads_to(message: Any, name: str) -> str:
    """The post that a reply's or forward's head links to; "" where it links to an account or nowhere."""
    links = (_LINK.fullmatch(node.get("href") or "") for node in with_class(message, name))
    return next((_uri(link["post"]) for link in links if link), "")


def _names_in(message: Any) -> Iterator[str]:
    """Who signed or first wrote the post, and whom it links to, for scrubbing. A channel's title is no person's."""
    for node in with_class(message, *_SIGNATURES):
        yield _plain(node)
    for node in with_class(message, "tgme_widget_message_forwarded_from_name"):
        if not _LINK.fullmatch(node.get("href") or ""):
            yield _plain(node)
    for link in message.iter("a"):
        href = link.get("href") or ""
        account = _ACCOUNT.fullmatch(href)
        if account:
            yield account["name"]
        elif href.startswith("tg://user"):
            yield _plain(link)


def _time_of(message: Any, now: datetime) -> datetime | None:
    """The post's own time; the times of what it answers and of its films stand elsewhere."""
    told = [time for link in with_class(message, "tgme_widget_message_date") for time in link.iter("time")]
    told += [time for time in message.iter("time") if not _is_inside(time, _NOT_OURS, message)]
    read = (read_date(time.get("datetime"), now=now) for time in told)
    return next((at for at in read if at), None)


def _views_of(message: Any) -> int | None:
    """`1.2K` as 1200: exact below a thousand, else as exact as the page is."""
    shown = with_class(message, "tgme_widget_message_views")
    found = _VIEWS.fullmatch(_plain(shown[0]).upper()) if shown else None
    return int(Decimal(found["number"]) * _UNITS[found["unit"]]) if found else None


def _is_inside(node: Any, names: tuple[str, ...], top: Any) -> bool:
    """Whether an element between the node and the message carries one of the class names."""
    for above in node.iterancestors():
        if above is top:
            return False
        if set(names) & set((above.get("class") or "").split()):
            return True
    return False


def _plain(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())
