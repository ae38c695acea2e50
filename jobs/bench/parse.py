"""Each parser against the bare library on the same bytes, in turn: json.loads, feedparser, lxml.html."""

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawlers.kinds import PARSERS
from jobs.bench.timing import in_turns

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
OURS, BARE = "ours", "bare"
#: How many things a page of each kind holds when a crawl asks for as many as it may.
_THINGS = {"mastodon": 40, "bluesky": 100, "reddit": 100, "youtube": 100, "facebook": 25, "discourse": 50, "lemmy": 50,
           "vnexpress": 50, "jetstream": 500, "telegram": 20, "feed": 50}  # fmt: skip
#: Where a kind's things are in its answer.
_LISTS = {"bluesky": ("feed",), "reddit": ("data", "children"), "youtube": ("items",), "facebook": ("data",),
          "discourse": ("post_stream", "posts"), "lemmy": ("posts",), "vnexpress": ("data", "items")}  # fmt: skip
#: Values that tell things apart.
_NAMES = frozenset({"id", "uri", "url", "ap_id", "name", "post_number", "comment_id", "rkey", "cid", "guid"})
_FEED_ITEM = re.compile(r"<item>.*?</item>|<entry>.*?</entry>", re.DOTALL)
_MESSAGE = re.compile(
    r'<div class="tgme_widget_message_wrap.*?(?=<div class="tgme_widget_message_wrap|</section>)', re.DOTALL
)
#: How many times as long as the bare library a parser may take.
_GOALS = {"json.loads": 6.0, "feedparser": 1.5, "lxml.html": 3.0}
#: Recorded answers smaller than this say nothing of a page.
_SMALLEST = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured of one kind: medians of seconds for all its pages together."""

    kind: str
    pages: int
    size: int  #: bytes
    posts: int
    letters: int  #: of the posts' texts
    library: str
    ours: float
    bare: float

    @property
    def ratio(self) -> float:
        """How many times as long as the bare library the parser takes."""
        return self.ours / self.bare

    @property
    def goal(self) -> float:
        """The most that the ratio should be."""
        return _GOALS[self.library]


def measure(kind: str, bodies: Sequence[bytes], *, rounds: int) -> Figure:
    """Parser and library on the same pages, in turns. Scrubbing and telling the language are part of the parser."""
    library, bare = _bare(kind, bodies[0])
    pages = [_parse(kind, body) for body in bodies]
    posts = [post for page in pages for post in page.posts]
    sides: Mapping[str, Callable[[int], object]] = {
        OURS: lambda _: [_parse(kind, body) for body in bodies],
        BARE: lambda _: [bare(body) for body in bodies],
    }
    in_turns(sides, range(2))
    found = in_turns(sides, range(rounds))
    return Figure(
        kind=kind,
        pages=len(bodies),
        size=sum(map(len, bodies)),
        posts=len(posts),
        letters=sum(len(post.text) for post in posts),
        library=library,
        ours=found[OURS].median,
        bare=found[BARE].median,
    )


def table(figures: Sequence[Figure]) -> str:
    """The figures as Markdown."""
    columns = ("kind", "pages, kB, posts, letters a post", "parser", "bare library", "ratio", "goal")
    return "\n".join([f"| {' | '.join(columns)} |", "| --- " * len(columns) + "|", *map(_row, figures)])


def page_of(kind: str) -> bytes:
    """A page of realistic size, made of the kind's written sample: its things over and over, under other names."""
    (file,) = (Path(__file__).parents[2] / "crawlers" / kind).glob("sample.*")
    sample, wanted = file.read_text(encoding="utf-8"), _THINGS[kind]
    if kind in ("feed", "telegram"):
        return _made_markup(sample, _FEED_ITEM if kind == "feed" else _MESSAGE, wanted)
    if kind == "jetstream":
        events = [json.loads(line) for line in sample.split("\n") if line.startswith("{") and line.endswith("}")]
        return "\n".join(_dumped(event) for event in _many(events, wanted)).encode()
    answer = json.loads(sample)
    if kind == "mastodon":
        return _dumped(list(_many(answer, wanted))).encode()
    holder, path = answer, _LISTS[kind]
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = list(_many(holder[path[-1]], wanted))
    return _dumped(answer).encode()


def recorded(folder: Path, kind: str) -> list[bytes]:
    """The recorded answers of a kind that are of some size and hold posts; none where there is no such folder."""
    files = sorted([*(folder / kind).glob("*"), *(folder / f"{kind}s").glob("*")])
    bodies = [file.read_bytes() for file in files if not file.name.endswith(".meta.json")]
    kept = [body for body in bodies if len(body) >= _SMALLEST and _parse(kind, body).posts]
    libraries = [_bare(kind, body)[0] for body in kept]
    return [body for body, library in zip(kept, libraries, strict=True) if library == libraries[0]]


def _parse(kind: str, body: bytes) -> Any:
    return PARSERS[kind](body, url="", headers={}, now=NOW, policy="none")


def _bare(kind: str, body: bytes) -> tuple[str, Callable[[bytes], object]]:
    if kind == "jetstream":
        return "json.loads", lambda page: [json.loads(line) for line in page.split(b"\n")]
    if body.lstrip()[:1] in b"{[":
        return "json.loads", json.loads
    if kind == "feed":
        import feedparser

        return "feedparser", lambda page: feedparser.parse(io.BytesIO(page))
    from lxml import html

    return "lxml.html", html.fromstring


def _many(things: Sequence[Any], wanted: int) -> Iterator[Any]:
    return (_renamed(things[n % len(things)], n // len(things)) for n in range(wanted))


def _renamed(value: Any, turn: int) -> Any:
    """The thing again, under other names."""
    if isinstance(value, list):
        return [_renamed(each, turn) for each in value]
    if not isinstance(value, dict) or not turn:
        return value
    return {
        key: _other(part, turn) if key in _NAMES and isinstance(part, str | int) else _renamed(part, turn)
        for key, part in value.items()
    }


def _other(name: str | int, turn: int) -> str | int:
    if isinstance(name, bool) or not name:
        return name
    return name + 1000 * turn if isinstance(name, int) else f"{name}{turn}"


def _made_markup(sample: str, thing: re.Pattern[str], wanted: int) -> bytes:
    found = list(thing.finditer(sample))
    start, end = found[0].start(), found[-1].end()

    def again(number: int) -> str:
        turn = number // len(found)
        piece = found[number % len(found)][0]
        piece = re.sub(r'(?<=data-post="vuonthuoc/)\d+', lambda post: str(int(post[0]) + 1000 * turn), piece)
        return re.sub(r"(?<=<guid isPermaLink=\"false\">)|(?<=-)(?=\d+\.html)", f"{turn}" if turn else "", piece)

    return (sample[:start] + "".join(map(again, range(wanted))) + sample[end:]).encode()


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _row(one: Figure) -> str:
    shown = f"{one.pages}, {one.size / 1000:.0f}, {one.posts}, {one.letters / max(1, one.posts):.0f}"
    times = f"{one.ours * 1000:.2f} ms | {one.library} {one.bare * 1000:.2f} ms"
    goal = f"{one.goal:g}{'' if one.ratio <= one.goal else ', missed'}"
    return f"| {one.kind} | {shown} | {times} | {one.ratio:.1f} | {goal} |"
