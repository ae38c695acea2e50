"""A network on loopback that misbehaves as real ones do, and keeps exact books of what it showed. All is made up."""

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

_SENTENCES = (
    "Người ta nói uống nước chanh ấm mỗi sáng là khỏi cúm ngay trong ngày.",
    "Bà con chia sẻ rằng ngậm tỏi sống thì không bao giờ mắc sởi nữa.",
    "Somebody at the market told me that salt water keeps every virus away.",
    "Hôm nay trạm y tế nhắc mọi người đi tiêm nhắc lại cho trẻ nhỏ.",
    "They say that the vaccine changes your blood, which is plainly wrong.",
)
_LETTERS = "bcdfghklmnprstvz"
#: Bytes that a gzip bomb swells to: more than the tests let an answer have.
BOMB = 4 * 1024 * 1024


def word(number: int) -> str:
    """A number as a made-up word, which no scrubbing takes for a telephone."""
    digits = []
    while number:
        number, digit = divmod(number, len(_LETTERS))
        digits.append(_LETTERS[digit])
    return "".join(reversed(digits)) or _LETTERS[0]


@dataclass(slots=True, kw_only=True, eq=False)
class Thing:
    """One post of a site, kept or not."""

    number: int  #: the site's own, in the order of arrival
    mark: str  #: a word of its text that no other post has
    at: datetime  #: when it was made
    told: str = ""  #: the time the site says it was made, where that is wrong
    fate: str = ""  #: "" where it is to be kept, else the one outcome it has
    version: int = 1
    edited: datetime | None = None
    gone: bool = False  #: taken away at the site
    below: "list[Thing]" = field(default_factory=list)  #: replies

    @property
    def text(self) -> str:
        """What it says in its present version."""
        return f"{_SENTENCES[self.number % len(_SENTENCES)]} Ký hiệu {self.mark} bản {word(self.version)}."


#: What an answer showed: a thing and the outcome it must have ("" where it is to be kept), or an outcome alone.
Shown = tuple[Thing | None, str]


class Books:
    """What a correct desk must hold and count, from what was really delivered. Sites that share posts share books."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.present: dict[str, int] = {}  #: the mark of each post that is to be kept, and its version
        self._lock = threading.Lock()

    def note(self, shown: Sequence[Shown]) -> None:
        """Enter one answer that was delivered whole."""
        with self._lock:
            met: set[str] = set()
            for thing, fate in shown:
                repeated = thing is not None and not fate and thing.mark in met
                self.outcomes["dropped(repeated)" if repeated else self._outcome(thing, fate)] += 1
                met |= {thing.mark} if thing and not fate else set()

    def _outcome(self, thing: Thing | None, fate: str) -> str:
        if thing is None:
            return fate
        if fate == "dropped(deleted)" and self.present.pop(thing.mark, 0):
            return "deleted"
        if fate:
            return fate
        before = self.present.get(thing.mark)
        self.present[thing.mark] = thing.version
        return "stored" if before is None else "updated" if before < thing.version else "unchanged"


@dataclass(slots=True, kw_only=True)
class Answer:
    """What a site says once."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    shown: Sequence[Shown] = ()
    sent: float = 1.0  #: the share of the body that leaves before the connection breaks
    told_length: bool = True
    pieces: int = 1  #: a slow answer comes in several


def as_json(value: Any, shown: Sequence[Shown] = (), **headers: str) -> Answer:
    """A JSON answer."""
    return Answer(body=json.dumps(value).encode(), headers={"Content-Type": "application/json", **headers}, shown=shown)


class Site:
    """One server of the network. Subclasses say what its things look like and how its pages are asked."""

    kind = ""
    media = "application/json"  #: what its posts come as
    credential = ""  #: the variable of the token that it wants
    shows_gone = False  #: whether deleted posts stay listed, marked so
    edits = True
    fates: tuple[str, ...] = ()  #: outcomes of things that are not to be kept
    late_hours = 0.0  #: how late a post may arrive

    def __init__(self, name: str, random: Random, books: Books | None = None) -> None:
        self.name = name
        self.random = random
        self.books = books or Books()
        self.things: list[Thing] = []
        self.now = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
        self.base = ""
        self.lock = threading.Lock()

    def settings(self) -> dict[str, Any]:
        """The settings of the source that reads this site."""
        raise NotImplementedError

    def page(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """The answer to a question."""
        raise NotImplementedError

    def grow(self, posts: int) -> None:
        """New posts, of which some are not to be kept or tell a wrong time."""
        for _ in range(posts):
            late = (
                timedelta(hours=self.random.random() * self.late_hours) if self.random.random() < 0.2 else timedelta()
            )
            self.add(at=self.now - late)

    def begin(self, posts: int) -> None:
        """What was there before anybody crawled."""
        for hours in range(posts, 0, -1):
            self.add(at=self.now - timedelta(hours=hours))

    def add(self, *, at: datetime) -> Thing:
        """One new post."""
        number = len(self.things) + 1
        fate = self.random.choice(self.fates) if self.fates and self.random.random() < 0.2 else ""
        told = self.random.choice(self.wrong_times()) if self.random.random() < 0.1 else ""
        thing = Thing(number=number, mark=f"{self.name}q{word(number)}", at=at, told=told, fate=fate)
        self.things.append(thing)
        return thing

    def wrong_times(self) -> tuple[str, ...]:
        """What clocks that are wrong say."""
        ahead = (self.now + timedelta(hours=20)).isoformat()
        return (ahead, "0001-01-01T00:00:00Z", "3001-05-05T00:00:00Z", "yesterday-ish")

    def change(self) -> None:
        """Edit a recent post, take another one away."""
        recent = [thing for thing in self.things[-12:] if not thing.gone and not thing.fate]
        if self.edits and recent and self.random.random() < 0.3:
            thing = self.random.choice(recent)
            thing.version, thing.edited = thing.version + 1, self.now
        if recent and self.random.random() < 0.2:
            self.random.choice(recent).gone = True

    def listed(self) -> list[Thing]:
        """The things that the site lists, newest last."""
        return [thing for thing in self.things if not thing.gone or self.shows_gone]

    def shown(self, things: Sequence[Thing]) -> list[Shown]:
        """What a page of these things must lead to."""
        return [(thing, "dropped(deleted)" if thing.gone else thing.fate) for thing in things]

    def alive(self) -> list[Thing]:
        """All that is public now."""
        return [thing for thing in self.things if not thing.gone and not thing.fate]


@dataclass(slots=True)
class Weather:
    """What goes wrong at one site, drawn by lot; `calm` ends it."""

    random: Random
    clock_off: float  #: seconds that the site's own clock is ahead
    calm: bool = False
    burst: int = 0  #: server errors still to come
    seen: Counter[str] = field(default_factory=Counter)

    def over(self, site: Site, answer: Answer) -> Answer:
        """The answer as it leaves the site."""
        if self.burst and not self.calm:
            self.burst -= 1
            return Answer(status=self.random.choice((500, 502, 503, 504)), body=b"upstream fault")
        if self.calm or self.random.random() > 0.12:
            return answer
        fault = self.random.choice(_FAULTS)
        self.seen[fault.__name__.strip("_")] += 1
        return fault(self, site, answer)

    def time(self) -> datetime:
        """The site's own time of day."""
        return datetime.now(UTC) + timedelta(seconds=self.clock_off)


def _limit_in_seconds(_: Weather, __: Site, ___: Answer) -> Answer:
    return Answer(status=429, body=b'{"errors": ["slow down"]}', headers={"Retry-After": "1"})


def _limit_by_date(weather: Weather, _: Site, __: Answer) -> Answer:
    reset = (weather.time() + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
    told = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    return Answer(status=429, body=b'{"error": "Too many requests"}', headers=told)


def _limit_by_unix_time(weather: Weather, _: Site, __: Answer) -> Answer:
    told = {"ratelimit-remaining": "0", "ratelimit-reset": str(int(weather.time().timestamp()) + 1)}
    return Answer(status=429, body=b'{"error": "RateLimitExceeded"}', headers=told)


def _limit_in_seconds_left(_: Weather, __: Site, answer: Answer) -> Answer:
    """The answer is given, and no other for a second."""
    answer.headers |= {"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "1", "x-ratelimit-used": "600"}
    return answer


def _limit_as_html(weather: Weather, _: Site, __: Answer) -> Answer:
    page = b"<html><head><title>429 Too Many Requests</title></head><body><hr><center>nginx</center></body></html>"
    when = format_datetime(weather.time() + timedelta(seconds=1), usegmt=True)
    return Answer(status=429, body=page, headers={"Content-Type": "text/html", "Retry-After": when})


def _burst_of_errors(weather: Weather, site: Site, answer: Answer) -> Answer:
    weather.burst = weather.random.randint(1, 6)
    return weather.over(site, answer)


def _slow_body(_: Weather, __: Site, answer: Answer) -> Answer:
    answer.pieces = 5
    return answer


def _cut_connection(weather: Weather, site: Site, answer: Answer) -> Answer:
    """Half an answer; JSON at times without its length, so that only its end tells."""
    told = site.media != "application/json" or weather.random.random() < 0.5
    return Answer(body=answer.body, headers=answer.headers, sent=weather.random.uniform(0.05, 0.9), told_length=told)


def _page_for_people(_: Weather, __: Site, ___: Answer) -> Answer:
    page = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
    return Answer(body=page, headers={"Content-Type": "text/html; charset=utf-8"})


def _error_called_success(_: Weather, site: Site, answer: Answer) -> Answer:
    """A refusal under status 200."""
    if site.media != "application/json":
        return _page_for_people(_, site, answer)
    return as_json({"error": "Too many requests"})


def _gzip_bomb(_: Weather, __: Site, answer: Answer) -> Answer:
    headers = {**answer.headers, "Content-Encoding": "gzip"}
    return Answer(body=gzip.compress(b"[" + b" " * BOMB), headers=headers)


_FAULTS: tuple[Callable[[Weather, Site, Answer], Answer], ...] = (
    _limit_in_seconds,
    _limit_by_date,
    _limit_by_unix_time,
    _limit_in_seconds_left,
    _limit_as_html,
    _burst_of_errors,
    _slow_body,
    _cut_connection,
    _page_for_people,
    _error_called_success,
    _gzip_bomb,
)
FAULTS = frozenset(fault.__name__.strip("_") for fault in _FAULTS)


class MockNetwork:
    """Serves each site on a port of its own while its `with` block lasts."""

    def __init__(self, sites: Sequence[Site], seed: int) -> None:
        self.sites = sites
        self.random = Random(seed)
        hours = (0, 3, -2, 26)
        self.weather = {site.name: Weather(Random(seed + n), 3600.0 * hours[n % 4]) for n, site in enumerate(sites)}
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self, site)) for site in sites]
        for site, server in zip(sites, self._servers, strict=True):
            server.daemon_threads = True
            site.base = f"http://127.0.0.1:{server.server_port}"
            site.begin(30)

    def __enter__(self) -> "MockNetwork":
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def go_on(self, now: datetime) -> None:
        """Another round: time passes, posts come, change and go."""
        for site in self.sites:
            with site.lock:
                site.now = now
                # Now and then more than one page at once: what a broken walk leaves behind must not be forgotten.
                site.grow(self.random.randint(20, 40) if self.random.random() < 0.06 else self.random.randint(0, 4))
                site.change()

    def calm_down(self) -> None:
        """Nothing goes wrong from here on, and nothing new comes."""
        for weather in self.weather.values():
            weather.calm = True

    @property
    def faults(self) -> Counter[str]:
        """How often each fault struck."""
        return sum((weather.seen for weather in self.weather.values()), Counter())


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, network: MockNetwork, site: Site, *given: object) -> None:
        self.network, self.site = network, site
        super().__init__(*given)  # type: ignore[arg-type]  # what the server hands over

    def do_GET(self) -> None:
        weather = self.network.weather[self.site.name]
        parts = urlsplit(self.path)
        with self.site.lock:
            if not weather.calm and weather.random.random() < 0.05:
                self.site.grow(1)  # a post arrives between two pages
            if parts.path == "/robots.txt":
                answer = Answer(body=b"User-agent: *\nDisallow: /admin\n", headers={"Content-Type": "text/plain"})
            else:
                query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
                answer = weather.over(self.site, self.site.page(parts.path, query, dict(self.headers)))
            if answer.status == 200 and answer.sent == 1.0:
                self.site.books.note(answer.shown)
        self._send(answer, weather.time())

    def _send(self, answer: Answer, now: datetime) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", format_datetime(now, usegmt=True))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.told_length:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        body = answer.body[: int(len(answer.body) * answer.sent)]
        step = len(body) // answer.pieces + 1
        for start in range(0, len(body), step):
            if start:
                time.sleep(0.05)
            self.wfile.write(body[start : start + step])
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Quiet."""
