"""A server on loopback that shows the sample network as its platforms would: one Mastodon server, three feeds."""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from jobs.demo.feeds import atom, json_feed, rss
from jobs.demo.post import HOME, DemoPost
from jobs.demo.script import INSTANT, load_script
from jobs.demo.statuses import status_of

_TIMELINE = "/api/v1/timelines/tag/"
_FEEDS: Mapping[str, tuple[str, str, Callable[[list[DemoPost]], bytes]]] = {
    "/feeds/tinyte.xml": ("tinyte", "application/rss+xml; charset=utf-8", rss),
    "/feeds/healthdesk.atom": ("healthdesk", "application/atom+xml; charset=utf-8", atom),
    "/feeds/blog.json": ("blog", "application/feed+json; charset=utf-8", json_feed),
}
_JSON = "application/json; charset=utf-8"
#: Mastodon's own numbers: posts of a page where nothing or too much is asked for, requests in five minutes.
_USUAL, _MOST, _ALLOWANCE = 20, 40, 300
#: Which timeline request a limited network refuses.
_REFUSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server answers to one request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class SampleNetwork:
    """Serves the sample network while its `with` block lasts, as it was just before `until`.

    The same question has the same answer at every start, but for the port. `limited` refuses the third timeline
    request with a 429 that asks for one second.
    """

    def __init__(self, port: int = 0, *, until: datetime = INSTANT, limited: bool = False) -> None:
        self.until = until.astimezone(UTC)
        posts = load_script()
        self._by_key = {post.key: post for post in posts}
        shown = [post for post in posts if post.is_shown(until)]
        self._shown = sorted(shown, key=lambda post: int(post.native_id), reverse=True)
        self._limited = limited
        self._asked = count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, self))
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "SampleNetwork":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        """The answer to a GET of `target` (path and query)."""
        parts = urlsplit(target)
        if parts.path == "/robots.txt":
            return Answer(headers={"Content-Type": "text/plain"}, body=b"User-agent: *\nAllow: /\n")
        if parts.path == "/api/v2/instance":
            return _json(_instance())
        if parts.path.startswith(_TIMELINE):
            return self._timeline(parts.path, dict(parse_qsl(parts.query)))
        if parts.path in _FEEDS:
            return self._feed(parts.path, headers)
        return _json({"error": "Not Found"}, status=404)

    def _timeline(self, path: str, asked: Mapping[str, str]) -> Answer:
        number = next(self._asked)
        limits = self._limits(number)
        if self._limited and number == _REFUSED:
            return _json({"error": "Too many requests"}, status=429, headers={**limits, "Retry-After": "1"})
        tag = unquote(path.removeprefix(_TIMELINE)).lower()
        page = _page([post for post in self._shown if post.platform == "mastodon" and tag in post.places], asked)
        statuses = [status_of(post, self.until, self._by_key.get(post.traps.get("boosts", ""))) for post in page]
        links = {"Link": self._links(path, asked, page)} if page else {}
        return _json(statuses, headers={**limits, **links})

    def _limits(self, number: int) -> dict[str, str]:
        """Mastodon's allowance; its reset is ISO 8601 with microseconds."""
        reset = self.until + timedelta(minutes=5)
        return {
            "X-RateLimit-Limit": str(_ALLOWANCE),
            "X-RateLimit-Remaining": str(max(1, _ALLOWANCE - number)),
            "X-RateLimit-Reset": f"{reset:%Y-%m-%dT%H:%M:%S.%fZ}",
        }

    def _links(self, path: str, asked: Mapping[str, str], page: list[DemoPost]) -> str:
        """Verbatim as Mastodon writes them: a next page is named even where it will be empty."""
        kept = {key: value for key, value in asked.items() if key == "limit"}
        older = urlencode({**kept, "max_id": page[-1].native_id})
        newer = urlencode({**kept, "min_id": page[0].native_id})
        return f'<{self.base_url}{path}?{older}>; rel="next", <{self.base_url}{path}?{newer}>; rel="prev"'

    def _feed(self, path: str, headers: Mapping[str, str]) -> Answer:
        place, content_type, render = _FEEDS[path]
        posts = [post for post in self._shown if post.platform == "feed" and post.place == place]
        body = render(posts)
        validators = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'}
        if posts:
            validators["Last-Modified"] = format_datetime(posts[0].at, usegmt=True)
        if _is_known(validators, headers):
            return Answer(status=304, headers=validators)
        return Answer(headers={"Content-Type": content_type, **validators}, body=body)


def _is_known(validators: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Whether the asker has this already; an ETag counts before a date (RFC 9110, 13.2.2)."""
    tag = headers.get("If-None-Match")
    if tag is not None:
        return validators["ETag"] in tag
    return headers.get("If-Modified-Since", "") == validators.get("Last-Modified")


def _page(newest_first: list[DemoPost], asked: Mapping[str, str]) -> list[DemoPost]:
    """`max_id` and `since_id` give the newest posts in their bounds, `min_id` those right after it."""
    older, since, after = (_id(asked, name) for name in ("max_id", "since_id", "min_id"))
    bounded = [
        post
        for post in newest_first
        if max(since, after) < int(post.native_id) and (not older or int(post.native_id) < older)
    ]
    size = min(_id(asked, "limit") or _USUAL, _MOST)
    return bounded[-size:] if after else bounded[:size]


def _id(asked: Mapping[str, str], name: str) -> int:
    value = asked.get(name, "")
    return int(value) if value.isdecimal() else 0


def _json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status=status, headers={"Content-Type": _JSON, **(headers or {})}, body=body)


def _instance() -> dict[str, Any]:
    """As Mastodon 4.6 describes itself, live timelines closed as on its largest server."""
    return {
        "domain": HOME,
        "title": "Mạng mẫu",
        "version": "4.6.0",
        "description": "Synthetic posts of invented people.",
        "languages": ["vi", "en"],
        "configuration": {
            "timelines_access": {
                "live_feeds": {"local": "disabled", "remote": "disabled"},
                "hashtag_feeds": {"local": "public", "remote": "public"},
                "trending_link_feeds": {"local": "public", "remote": "public"},
            }
        },
        "registrations": {"enabled": False},
        "rules": [],
    }


class _Handler(BaseHTTPRequestHandler):
    """Carries answers; its clock is the network's."""

    protocol_version = "HTTP/1.1"
    server_version = "SampleNetwork"
    sys_version = ""

    def __init__(self, network: SampleNetwork, *args: Any) -> None:
        self.network = network
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer and keep the line open."""
        answer = self.network.answer(self.path, {name.title(): value for name, value in self.headers.items()})
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header: the network's present, so that every start answers alike."""
        return (
            format_datetime(self.network.until, usegmt=True)
            if timestamp is None
            else super().date_time_string(timestamp)
        )

    def log_message(self, *args: object) -> None:
        """Nothing: the console belongs to the demo."""
