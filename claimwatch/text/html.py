"""What a reader sees of a post that comes as HTML."""

import re
import threading
from collections.abc import Mapping
from functools import cache
from html import unescape

from lxml import etree

from claimwatch.text.normalise import tidy, visible

_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_URL_LIKE = re.compile(r"(?:https?://|www\.)\S+|\S+\.\S+/\S*|\S+(?:…|\.\.\.)", re.IGNORECASE)
_DROPPED = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title", "select", "button"}
_PARAGRAPHS = {"p", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "hr"}
_LINES = {"br", "li", "div", "tr", "dt", "dd", "section", "article", "header", "footer", "figcaption"}
_NAMES = {"mention", "hashtag", "u-url"}  # links that stand for a name or a tag
_SHORTENED = {"invisible", "ellipsis"}  # Mastodon's spans round the parts of a URL


def html_to_text(html: str) -> str:
    """The visible text, with line breaks where the page has them. Text without tags passes through. Never raises."""
    html = visible(html)
    if "<" not in html or not _TAG.search(html):
        return _ENTITY.sub(lambda found: unescape(found[0]), html) if "&" in html else html
    own = _own_parser()
    own.reader.begin()
    own.parser.feed(html.encode())
    own.parser.close()
    return tidy("".join(own.reader.parts))


class _OwnParser(threading.local):
    """A parser of this thread's own: making one takes longer than reading a post with it."""

    def __init__(self) -> None:
        self.reader = _Reader()
        self.parser = etree.HTMLParser(target=self.reader, encoding="utf-8", huge_tree=True)


@cache
def _own_parser() -> _OwnParser:
    return _OwnParser()


class _Reader:
    """Hears the parser's events. A tree would stop at 256 levels, and what lies deeper would be lost."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.parts: list[str] = []
        self._hidden = 0  # depth inside what is dropped
        self._pre = 0
        self._break = 0  # line breaks owed before the next word
        self._link = 0  # index of the open link's first part
        self._href = ""
        self._shortened = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        classes = set(attributes.get("class", "").split())
        if self._hidden or tag in _DROPPED or "quote-inline" in classes:
            self._hidden += 1
            return
        self._break_for(tag)
        self._pre += tag == "pre"
        self._shortened |= bool(classes & _SHORTENED)
        if tag == "a":
            self._open_link(attributes.get("href", ""), classes)
        elif tag == "img" and (classes & {"emoji", "custom-emoji", "emojione"}):
            self._write(attributes.get("alt", ""))

    def end(self, tag: str) -> None:
        if self._hidden:
            self._hidden -= 1
            return
        if tag != "br":
            self._break_for(tag)
        self._pre -= tag == "pre"
        if tag == "a":
            self._close_link()

    def data(self, data: str) -> None:
        if self._hidden:
            return
        text = data if self._pre else _SPACE.sub(" ", data)
        if text != " " or not self._break:
            self._write(text)

    def close(self) -> None:
        """The parser asks for it; the parts are the result."""

    def _break_for(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._break = 2
        elif tag in _LINES:
            self._break = min(2, self._break + 1) if tag == "br" else max(1, self._break)

    def _write(self, text: str) -> None:
        if text:
            self.parts.append("\n" * self._break + text)
            self._break = 0

    def _open_link(self, href: str, classes: set[str]) -> None:
        self.parts.append("\n" * self._break)
        self._break = 0
        self._link = len(self.parts)
        on_the_web = href.strip().lower().startswith(("http://", "https://"))
        self._href = href.strip() if on_the_web and not classes & _NAMES else ""
        self._shortened = False

    def _close_link(self) -> None:
        shown = "".join(self.parts[self._link :]).strip()[:300]  # no shortened URL is longer
        if self._href and (self._shortened or _URL_LIKE.fullmatch(shown)):
            self.parts[self._link :] = [self._href]
        self._href = ""
