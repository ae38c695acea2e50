"""Reads and checks what the people of the sample network write over four weeks, and names the demo's sources."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml

from claimwatch.clock import local_day, week_of
from claimwatch.records import Source, Stance
from jobs.demo.copying import edited
from jobs.demo.post import FEED_HOSTS, Account, DemoPost

__all__ = ["INSTANT", "KINDS", "START", "DemoPost", "demo_sources", "load_script"]

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
#: The demo's present: Monday, nine in the morning where its desk is.
INSTANT = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
START = datetime(2026, 10, 19, tzinfo=ZONE)
WEEKS = ("2026-W43", "2026-W44", "2026-W45", "2026-W46", "2026-W47")
#: The stance that each kind of post takes; what says nothing of health takes none of note.
KINDS: Mapping[str, Stance] = {
    "repeats": Stance.REPEATS,
    "refutes": Stance.REFUTES,
    "asks": Stance.ASKS,
    "reports": Stance.REPORTS,
    "health_news": Stance.REPORTS,
    **dict.fromkeys(("satire", "experience", "advice", "policy_criticism", "off_topic"), Stance.OTHER),
    **dict.fromkeys(("junk", "short", "emoji", "boost"), Stance.OTHER),
}
#: Two accounts that asked not to be collected, and one that is deleted: nobody else's posts are given to them.
APART = ("khep_cua_som", "shy_heron", "gio_thoang_qua")

_HERE = Path(__file__).parent
_HASHTAGS = ("suckhoe", "health")
_TIMES = ("edited", "gone", "arrives")
_TRAPS = {"visibility", "warning", "poll", "media", "becomes", "also", "boosts", "declared", "link", "dated", *_TIMES}
_FIELDS = {"post", "text", "title", "claim", "by", "copies", "twists"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file of posts on one theme."""

    theme: str
    claim: str | None
    likes: tuple[int, ...]  #: what its posts get in each of WEEKS, give or take half


def load_script() -> list[DemoPost]:
    """Every post of the sample network, oldest first. Raises ValueError naming the post that breaks a rule."""
    return list(_script())


@cache
def _script() -> tuple[DemoPost, ...]:
    found: list[DemoPost] = []
    for path in sorted((_HERE / "posts").glob("*.yml")):
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        file = _File(theme=path.stem, claim=written["claim"], likes=tuple(written["likes"]))
        for number, entry in enumerate(written["posts"], start=1):
            found += _posts(file, f"{path.stem}-{number:02d}", entry)
    _check_together(found)
    return tuple(sorted(found, key=lambda post: (post.at, post.key)))


def demo_sources(base_url: str) -> list[Source]:
    """The demo's sources: five that answer, of which one fell silent in week 45, and one that is gone."""
    allowed = [urlsplit(base_url).netloc]  # the sample network is on loopback, which sources may not reach else

    def feed(name: str, file: str, language: str, expected: int) -> Source:
        settings = {"url": f"{base_url}/feeds/{file}", "allow_hosts": allowed}
        return Source(name=name, kind="feed", settings=settings, language=language, expected_per_week=expected)

    def hashtag(tag: str, language: str, expected: int) -> Source:
        settings = {"base_url": base_url, "hashtag": tag, "allow_hosts": allowed}
        return Source(
            name=f"mastodon-{tag}", kind="mastodon", settings=settings, language=language, expected_per_week=expected
        )

    return [
        hashtag("suckhoe", "vi", 40),
        hashtag("health", "en", 25),
        feed("tin-y-te", "tinyte.xml", "vi", 8),
        feed("health-desk", "healthdesk.atom", "en", 4),
        feed("blog-silent-since-w45", "blog.json", "vi", 3),
        feed("ward-bulletin-gone", "bulletin.xml", "vi", 2),
    ]


def _posts(file: _File, key: str, entry: Mapping[str, Any]) -> Iterator[DemoPost]:
    """A written post, then its copies, then its twisted copies."""
    unknown = entry.keys() - _FIELDS - _TRAPS
    if unknown:
        raise ValueError(f"{key}: unknown field {', '.join(sorted(unknown))}")
    original = _original(file, key, entry)
    yield original
    for number, line in enumerate(entry.get("copies", ()), start=1):
        yield _copy(file, original, f"{key}-c{number}", line)
    for number, line in enumerate(entry.get("twists", ()), start=1):
        yield _copy(file, original, f"{key}-t{number}", line)


def _original(file: _File, key: str, entry: Mapping[str, Any]) -> DemoPost:
    place, kind, language, day, time = entry["post"].split()
    platform = "mastodon" if place in _HASHTAGS else "feed"
    likes = _likes(file, key, _moment(f"{day} {time}"), platform)
    traps = {name: value for name, value in entry.items() if name in _TRAPS}
    traps |= {name: _moment(traps[name]) for name in _TIMES if name in traps}
    return DemoPost(
        key=key,
        network=f"{platform}:{place}",
        at=_moment(f"{day} {time}"),
        account=_publisher(place) if platform == "feed" else _account(entry.get("by"), key, language, 0),
        title=entry.get("title", ""),
        text=entry.get("text", ""),
        language=language,
        kind=kind,
        claim=entry.get("claim", file.claim),
        likes=likes,
        shares=_shares(likes),
        replies=_replies(likes),
        traps=traps,
    )


def _copy(file: _File, original: DemoPost, key: str, line: str) -> DemoPost:
    day, time, edit = line.split(maxsplit=2)
    at, twisted = _moment(f"{day} {time}"), "-t" in key
    likes = _likes(file, key, at, original.platform)
    return DemoPost(
        key=key,
        network=original.network,
        at=at,
        account=_account(None, original.key, original.language, int(key[-1]) + 10 * twisted),
        title=original.title,
        text=edited(original.text, edit),
        language=original.language,
        kind="refutes" if twisted else original.kind,
        claim=original.claim,
        likes=likes,
        shares=_shares(likes),
        replies=_replies(likes),
        copy_of="" if twisted else original.key,
        twist_of=original.key if twisted else "",
    )


def _moment(written: str) -> datetime:
    """`11-09 08:15`, in the desk's zone, as an instant."""
    return datetime.strptime(f"2026-{written}", "%Y-%m-%d %H:%M").replace(tzinfo=ZONE).astimezone(UTC)


def _likes(file: _File, key: str, at: datetime, platform: str) -> int:
    """Grows with the file's weeks; differs from post to post, the same on every machine. Feeds show none."""
    if platform == "feed":
        return 0
    usual = dict(zip(WEEKS, file.likes, strict=True)).get(week_of(local_day(at, ZONE)), 0)
    return usual * (50 + _number(key) % 101) // 100


def _shares(likes: int) -> int:
    return likes * 2 // 5


def _replies(likes: int) -> int:
    return likes // 6


def _number(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[2:6])


@cache
def _accounts() -> tuple[Account, ...]:
    written = yaml.safe_load((_HERE / "accounts.yml").read_text(encoding="utf-8"))
    return tuple(
        Account(name=name, shown=shown, host=host, language=language)
        for host, languages in written.items()
        for language, people in languages.items()
        for name, shown in people.items()
    )


def _account(name: str | None, key: str, language: str, rank: int) -> Account:
    """The named account, else one of the language: of the original (rank 0) and each copy another."""
    if name:
        return next(account for account in _accounts() if account.name == name)
    spoken = language if language in ("vi", "en") else "en"
    able = [each for each in _accounts() if each.language == spoken and each.name not in APART]
    return able[(_number(key) + rank) % len(able)]


def _publisher(place: str) -> Account:
    return Account(name=place, shown=place, host=FEED_HOSTS[place], language="")


def _check_together(posts: list[DemoPost]) -> None:
    """What no post shows alone: times in order, names that exist, nothing twice."""
    by_key = {post.key: post for post in posts}
    for post in posts:
        fault = _fault(post, by_key)
        if fault:
            raise ValueError(f"{post.key}: {fault}")
    if not len(by_key) == len({post.uri for post in posts}) == len(posts):
        raise ValueError("two posts share a key or an address")


def _fault(post: DemoPost, by_key: Mapping[str, DemoPost]) -> str:
    first = by_key.get(post.copy_of or post.twist_of or post.traps.get("boosts", ""))
    known = post.kind in KINDS and (post.place in _HASHTAGS or post.place in FEED_HOSTS)
    checks = (
        (known, f"unknown kind or place: {post.kind}, {post.place}"),
        (START <= post.at < INSTANT, "made outside the four weeks"),
        (first is None or first.at < post.at, "older than the post it is made of"),
        (first is not None or post.kind != "boost", "boosts nothing"),
        (bool(post.title) == (post.platform == "feed"), "articles have titles, posts have none"),
    )
    return next((fault for sound, fault in checks if not sound), "")
