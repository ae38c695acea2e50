"""How kinds of source are asked whether posts still stand: by the ids that their links hold, many at once."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

_MASTODON = re.compile(r"/(?:@[^/]+|users/[^/]+/statuses)/(\d{1,20})")
_BLUESKY = re.compile(r"/profile/(did:[a-z]+:[A-Za-z0-9._:%-]+)/post/([A-Za-z0-9._~:-]+)")
_REDDIT = re.compile(r"/(?:r/\w+/)?comments/(\w+)(?:/[^/]*/(\w+))?/?")
_YOUTUBE = re.compile(r"(?:^|&)lc=([\w.-]+)(?:&|$)")
_BLUESKY_OPEN = "https://public.api.bsky.app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """How one platform is asked. `base` is the source's own server, "" where that cannot be asked."""

    at_once: int  #: posts of one question, as many as the platform takes
    native: Callable[[str], str]  #: the id that a link holds, "" where it holds none
    server: Callable[[str, str], str]  #: whom to ask, by the post's link and `base`
    many: Callable[[str, Sequence[str]], str]  #: the question after some posts, by server and ids
    one: Callable[[str, str], str] | None = None  #: after one, which is refused where that post is gone


def base_of(plan: Any) -> str:
    """The server that a source's plan asks, without the path that leads to its posts."""
    settings = getattr(plan, "settings", None)
    return str(getattr(settings, "base_url", "") or getattr(plan, "base", "") or "").rstrip("/")


def _in_path(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def native(link: str) -> str:
        found = pattern.fullmatch(urlsplit(link).path)
        return found[1] if found else ""

    return native


def _at_uri(link: str) -> str:
    found = _BLUESKY.fullmatch(urlsplit(link).path)
    return f"at://{found[1]}/app.bsky.feed.post/{found[2]}" if found else ""


def _fullname(link: str) -> str:
    found = _REDDIT.fullmatch(urlsplit(link).path)
    if not found:
        return ""
    return f"t1_{found[2]}" if found[2] else f"t3_{found[1]}"


def _comment(link: str) -> str:
    found = _YOUTUBE.search(urlsplit(link).query)
    return found[1] if found else ""


def _home(link: str, base: str) -> str:  # noqa: ARG001  a post lives on its author's server, whoever showed it
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}"


#: By platform. Feeds, channels and forums are read whole or not at all: their posts cannot be asked for.
LOOKUPS: dict[str, Lookup] = {
    "mastodon": Lookup(
        at_once=20,
        native=_in_path(_MASTODON),
        server=_home,
        many=lambda server, ids: f"{server}/api/v1/statuses?{urlencode([('id[]', one) for one in ids])}",
        one=lambda server, one: f"{server}/api/v1/statuses/{quote(one)}",
    ),
    "bluesky": Lookup(
        at_once=25,
        native=_at_uri,
        server=lambda _, base: base or _BLUESKY_OPEN,
        many=lambda server, ids: f"{server}/xrpc/app.bsky.feed.getPosts?{urlencode([('uris', one) for one in ids])}",
    ),
    "reddit": Lookup(
        at_once=100,
        native=_fullname,
        server=lambda _, base: base,
        many=lambda server, ids: f"{server}/api/info?{urlencode({'id': ','.join(ids), 'raw_json': 1})}",
    ),
    "youtube": Lookup(
        at_once=50,
        native=_comment,
        server=lambda _, base: base,
        many=lambda server, ids: (
            f"{server}/comments?{urlencode({'part': 'snippet', 'id': ','.join(ids), 'textFormat': 'plainText'})}"
        ),
    ),
}
