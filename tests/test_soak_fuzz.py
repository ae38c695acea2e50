"""Every parser against what strangers may send: its own sample page, damaged in all the ways answers are."""

import json
import os
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import KEYS
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crawlers.kinds import PARSERS
from crawlers.page import Page
from crawlers.shown import shown_page
from jobs.cli.options import plain

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ROOT = Path(__file__).parent.parent
#: The folder of a kind's recorded answers, where it has another name.
_FOLDERS = {"feed": "feeds"}

_ODD_TEXTS = (
    "", " ", "\0", "\ud800", "\udfff\ud800", "a\u0300" * 300, "http://[::1", "https://x:99999/", "//", "javascript:0",
    "http://a b/%zz?token=1#", "data:text/html,x", "at://", "\u202eabc", "９" * 40, "1" * 400, "-1", "NaN", "1e999",
    "9999-12-31T23:59:59+23:59", "0000-00-00T00:00:00Z", "2026-13-45", "null", "<b><i><!--", "&#xD800;&#0;", "]]>",
    "t3_" + "z" * 40, "did:plc:", "https://user:pw@h.example/u/x", "0912 345 678", "@", "💉" * 50, "é" * 5000,
)  # fmt: skip
_ODD_VALUES: tuple[Any, ...] = (
    *_ODD_TEXTS, None, True, False, 0, -1, 2**63, 10**400, 1e308, float("nan"), float("inf"), -0.0, [], {}, [[]],
    [None], {"": None}, [1, "a", {}], {"id": 1, "text": []},
)  # fmt: skip
_CHARSETS = ("utf-8", "utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "big5", "koi8-r", "iso-2022-jp", "utf-7")
_TYPES = (
    "", "application/json", "application/json; charset=utf-16", "text/html; charset=big5", "text/xml; charset=nope",
    "application/rss+xml", "; charset=", "image/png", "text/html; charset=\"utf-8'", "application/json;charset=idna",
)  # fmt: skip
_URLS = (
    "", "https://x.example/posts.json?page=2", "http://[", "https://x.example/t/a/7.json?page=99999999", "ftp://x",
    "https://u:p@x.example:99999/?access_token=secret", "not a url", "//x", "?cursor=", "https://x/?p=%ED%A0%80",
)  # fmt: skip
_PIECES = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"<", b">", b"&#", b'"', b"\\ud800", b"[" * 3000, b'{"a":' * 3000, b"]]>",
    b"<div>" * 600, b"<item>", b"</channel>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"<![CDATA[", b"-->",
    b"1" * 5000, b"NaN", b"\x1b$B", b"&#x110000;", b"<base href='x:'>", b"<media:group>", b"<point>1 2</point>",
)  # fmt: skip


@cache
def sample(kind: str) -> bytes:
    """The kind's written sample page."""
    (file,) = (ROOT / "crawlers" / kind).glob("sample.*")
    return file.read_bytes()


def spoiled(kind: str, seed: int) -> tuple[bytes, dict[str, str], str]:
    """A damaged page with headers and an address, all told by the seed."""
    lot = random.Random(seed)
    body = sample(kind)
    if body.lstrip()[:1] in b"[{" and lot.random() < 0.7:
        body = _spoiled_json(body, lot)
    for _ in range(lot.choice((0, 0, 1, 1, 2, 5)) if lot.random() < 0.7 else 0):
        body = lot.choice(_DAMAGES)(body, lot)
    if lot.random() < 0.1:
        body = body.decode("utf-8", "replace").encode(lot.choice(_CHARSETS), "replace")
    headers = {"content-type": lot.choice(_TYPES)} if lot.random() < 0.5 else {}
    if lot.random() < 0.1:
        headers[":status"] = lot.choice(("200", "403", "429", "503", "abc", ""))
    if lot.random() < 0.1:
        headers["link"] = lot.choice(("<", '<http://[>; rel="next"', '<//x>; rel=next, <y>; rel="a next b"', ";;;"))
    return body, headers, lot.choice(_URLS)


def _spoiled_json(body: bytes, lot: random.Random) -> bytes:
    lines = body.splitlines() if body.count(b"\n{") > 3 else [body]  # a capture holds one object a line
    at = lot.randrange(len(lines))
    try:
        value = json.loads(lines[at])
    except ValueError:
        return body
    for _ in range(lot.choice((1, 1, 2, 4, 12))):
        value = _changed(value, lot)
    lines[at] = json.dumps(value, ensure_ascii=lot.random() < 0.5).encode("utf-8", "surrogatepass")
    return b"\n".join(lines)


def _changed(value: Any, lot: random.Random) -> Any:
    """The value with one thing inside it, wherever, dropped, doubled, renamed, wrapped or made something else."""
    if lot.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return _other(value, lot)
    if isinstance(value, list):
        at = lot.randrange(len(value))
        return [*value[:at], *_replacement(value[at], lot), *value[at + 1 :]]
    key = lot.choice(list(value))
    renamed = key if lot.random() < 0.9 else lot.choice(_ODD_TEXTS)
    changed = _replacement(value[key], lot)
    rest = {name: part for name, part in value.items() if name != key}
    return rest | ({renamed: changed[0]} if changed else {})


def _replacement(value: Any, lot: random.Random) -> list[Any]:
    turn = lot.random()
    if turn < 0.1:
        return []
    return [value, value] if turn < 0.15 else [_changed(value, lot)]


def _other(value: Any, lot: random.Random) -> Any:
    if lot.random() < 0.05:
        for _ in range(400):
            value = [value] if lot.random() < 0.5 else {"replies": value}
        return value
    if isinstance(value, str) and lot.random() < 0.4:
        at = lot.randrange(len(value) + 1)
        return value[:at] + lot.choice(_ODD_TEXTS) + value[at:]
    return lot.choice(_ODD_VALUES)


def _flipped(body: bytes, lot: random.Random) -> bytes:
    damaged = bytearray(body)
    for _ in range(lot.choice((1, 3, 30))):
        if damaged:
            damaged[lot.randrange(len(damaged))] = lot.randrange(256)
    return bytes(damaged)


def _cut(body: bytes, lot: random.Random) -> bytes:
    return body[: lot.randrange(len(body) + 1)]


def _without_a_stretch(body: bytes, lot: random.Random) -> bytes:
    start = lot.randrange(len(body) + 1)
    return body[:start] + body[start + lot.choice((1, 7, 60, 700)) :]


def _with_a_piece(body: bytes, lot: random.Random) -> bytes:
    at = lot.randrange(len(body) + 1)
    return body[:at] + lot.choice(_PIECES) + body[at:]


def _doubled_stretch(body: bytes, lot: random.Random) -> bytes:
    start = lot.randrange(len(body) + 1)
    stretch = body[start : start + lot.choice((20, 200, 2000))]
    at = lot.randrange(len(body) + 1)
    return body[:at] + stretch + body[at:]


_DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flipped,
    _cut,
    _without_a_stretch,
    _with_a_piece,
    _doubled_stretch,
)


def check(kind: str, body: bytes, *, url: str = "", headers: Mapping[str, str] | None = None) -> Page:
    """Parse as `claimwatch parse` does, and see that the result keeps every promise of a page."""
    for policy in ("none", "respectful"):
        page = PARSERS[kind](body, url=url, headers=headers or {}, now=NOW, policy=policy)
        assert all(found.uri and found.text and found.platform for found in page.posts)
        assert len({found.uri for found in page.posts}) == len(page.posts)
        for reason in (one.reason for one in (*page.dropped, *page.rejected)):
            assert reason.replace("_", "").isalpha()
        assert all(line and "\n" not in line and len(line) < 300 for line in page.problems)
        assert page.problems or page.posts or page.watermark, "nothing is said of an answer without posts"
        assert page.understood or page.problems
        shown = json.dumps(plain(shown_page(page, KEYS, kind)), ensure_ascii=False, allow_nan=False)
        shown.encode("utf-8")
        assert "secret" not in (page.next or "")
    return page


def _fuzz(examples: int) -> Callable[[Callable[[str, int], None]], Callable[[str], None]]:
    def wrap(test: Callable[[str, int], None]) -> Callable[[str], None]:
        bounds = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        return bounds(given(seed=st.integers(0, 2**63))(test))

    return wrap


@pytest.mark.parametrize("kind", PARSERS)
@_fuzz(50)
def test_a_damaged_page_is_read_as_far_as_it_goes(kind: str, seed: int) -> None:
    body, headers, url = spoiled(kind, seed)
    check(kind, body, url=url, headers=headers)


@pytest.mark.soak
@pytest.mark.parametrize("kind", PARSERS)
@_fuzz(10_000)
def test_ten_thousand_damaged_pages_of_a_kind_are_read(kind: str, seed: int) -> None:
    body, headers, url = spoiled(kind, seed)
    check(kind, body, url=url, headers=headers)


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize("other", PARSERS)
def test_a_page_of_another_kind_is_no_trouble(kind: str, other: str) -> None:
    check(kind, sample(other))


@pytest.mark.parametrize("kind", PARSERS)
def test_every_recorded_answer_is_read(kind: str) -> None:
    folder = Path(os.environ.get("CLAIMWATCH_FIXTURES", ROOT.parent / "shared/fixtures"))
    if not folder.is_dir():
        pytest.skip("no recorded answers: CLAIMWATCH_FIXTURES names their folder")
    own = [file for file in (folder / _FOLDERS.get(kind, kind)).glob("*") if not file.name.endswith(".meta.json")]
    posts = 0
    for file in sorted([*own, *(folder / "errors").glob("*")]):
        about = file.with_name(f"{file.name}.meta.json")
        said = json.loads(about.read_bytes()) if about.exists() else {}
        headers = {str(name): str(value) for name, value in (said.get("headers") or {}).items()}
        page = check(kind, file.read_bytes(), url=str(said.get("url") or ""), headers=headers)
        posts += len(page.posts)
    assert posts or not own
