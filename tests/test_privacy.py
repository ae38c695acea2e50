"""What names or reaches a person is planted in every kind of input and found nowhere: at rest, in logs, in output."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from test_crawlers_crawl import Answer, served

from claimwatch.desk import Desk
from claimwatch.ledger import sources
from claimwatch.posts.base import Search
from claimwatch.records import Source
from crawlers.crawl import crawl_now
from crawlers.imports import Import, import_file
from crawlers.kinds import KINDS
from crawlers.shown import shown_page

#: Everything below belongs to nobody: a handle, a name, a phone, an e-mail, an id number and a card number.
HANDLE = "zxqplanted_handle"
NAME = "Nguyễn Văn Trồngcây"
PHONE = "0912 345 678"
EMAIL = "zxqmail@hop-thu.example"
CARD = "4111 1111 1111 1111"
CITIZEN = "CCCD 001099012345"
PLANTED = (
    HANDLE,
    "Trồngcây",
    "trongcay",
    "912 345 678",
    "912345678",
    "zxqmail",
    "4111 1111",
    "41111111",
    "001099012345",
)

TEXT = (
    f"Chia sẻ gấp cho mọi người! @{HANDLE} và {HANDLE} nói tỏi chữa được covid. @{NAME} xác nhận, gọi {PHONE} hoặc "
    f"{EMAIL}, xem https://mang.example/@{HANDLE}/posts/1 và {HANDLE}.blog.example, {CITIZEN}, thẻ {CARD}."
)


def mastodon_status() -> dict[str, Any]:
    person = {"username": HANDLE, "acct": f"{HANDLE}@mang.example", "display_name": NAME}
    return {
        "id": "115000000000000001",
        "uri": f"https://mang.example/users/{HANDLE}/statuses/115000000000000001",
        "url": f"https://mang.example/@{HANDLE}/115000000000000001",
        "created_at": "2026-11-15T01:00:00.000Z",
        "edited_at": None,
        "visibility": "public",
        "spoiler_text": f"Lời {NAME} kể",
        "content": f"<p>{TEXT}</p>",
        "account": {**person, "uri": f"https://mang.example/users/{HANDLE}", "url": f"https://mang.example/@{HANDLE}"},
        "mentions": [{**person, "url": f"https://mang.example/@{HANDLE}"}],
        "tags": [],
        "media_attachments": [{"type": "image", "description": f"Ảnh của {NAME} {PHONE}"}],
        "favourites_count": 3,
    }


FEED = f"""<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>Tin</title><link>https://tin.example/</link><item><title>Theo {NAME} thì tỏi chữa covid</title>
<link>https://mang.example/@{HANDLE}/bai-1</link><guid>{HANDLE}-1</guid><dc:creator>{NAME}</dc:creator>
<author>{EMAIL} ({NAME})</author><pubDate>Sun, 15 Nov 2026 08:00:00 +0700</pubDate>
<description><![CDATA[<p>{TEXT}</p>]]></description></item></channel></rss>"""

ROW = {
    "id": f"{HANDLE}/1",
    "text": TEXT,
    "author": HANDLE,
    "author_name": NAME,
    "url": f"https://mang.example/@{HANDLE}/1",
    "bio": f"{NAME} {EMAIL}",
    "created_at": "2026-11-15T01:00:00Z",
}


def everything_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file below a folder as text, and every value of every table of every database."""
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.name, file.read_bytes().decode("utf-8", "replace")
        if file.suffix == ".db":
            with closing(sqlite3.connect(file)) as db:
                names = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
                for name in names:
                    if not name.startswith("sqlite_"):
                        yield f"{file.name}:{name}", repr(db.execute(f"select * from '{name}'").fetchall())


def found_in(text: str) -> list[str]:
    lowered = text.casefold()
    return [planted for planted in PLANTED if planted.casefold() in lowered]


def import_rows(desk: Desk, file: Path) -> None:
    outcomes = import_file(desk, Import(file=file, source="mine"))
    assert outcomes["stored"] == 1


def jsonl(desk: Desk, folder: Path) -> None:
    file = folder / "rows.jsonl"
    file.write_text(json.dumps(ROW) + "\n[1, 2]\n", encoding="utf-8")
    import_rows(desk, file)


def csv(desk: Desk, folder: Path) -> None:
    file = folder / "rows.csv"
    values = ['"' + str(value).replace('"', '""') + '"' for value in ROW.values()]
    file.write_text(",".join(ROW) + "\n" + ",".join(values) + "\n", encoding="utf-8")
    import_rows(desk, file)


def crawled(desk: Desk, kind: str, body: str, settings: dict[str, str]) -> None:
    with served(lambda path, _: Answer(404, "{}") if "instance" in path else Answer(body=body)) as site:
        chosen = {key: value.format(url=site.url) for key, value in settings.items()} | {"allow_hosts": site.host}
        with desk.ledger.write() as db:
            sources.put(db, Source(name="planted", kind=kind, settings=chosen))
        (done,) = crawl_now(desk, ["planted"])
    assert done.outcomes["stored"] == 1, done


def mastodon(desk: Desk, _: Path) -> None:
    crawled(desk, "mastodon", json.dumps([mastodon_status()]), {"base_url": "{url}", "hashtag": "covid"})


def feed(desk: Desk, _: Path) -> None:
    crawled(desk, "feed", FEED, {"url": "{url}/rss"})


@pytest.mark.parametrize("bring_in", [jsonl, csv, mastodon, feed])
def test_a_planted_person_is_found_nowhere(
    desk: Desk, tmp_path: Path, bring_in: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    given = tmp_path / "given"
    given.mkdir()
    bring_in(desk, given)
    (post,) = desk.posts.search(Search()).posts
    assert "chữa" in post.text
    assert post.url is None
    assert post.sealed_url is not None
    assert HANDLE in desk.keys.open_link(post.sealed_url)
    assert found_in(repr(post)) == []
    assert found_in(caplog.text.replace(str(tmp_path), "")) == []
    looked = 0
    for name, text in everything_in(tmp_path / "desk"):
        assert found_in(text) == [], name
        looked += len(text)
    assert looked > 10_000


@pytest.mark.parametrize(("kind", "body"), [("mastodon", json.dumps([mastodon_status()])), ("feed", FEED)])
def test_parse_prints_nobody(desk: Desk, kind: str, body: str) -> None:
    page = KINDS[kind].parse(body.encode(), url="https://mang.example/x", headers={}, now=desk.now())
    shown = json.dumps(shown_page(page, desk.keys, kind), default=str, ensure_ascii=False)
    assert len(page.posts) == 1
    assert found_in(shown) == []


def test_the_same_account_has_one_pseudonym_in_a_quarter_and_no_name(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "two.jsonl"
    rows = [ROW, ROW | {"id": "2", "url": "https://mang.example/2", "text": "Một bài khác hẳn về vắc xin"}]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert import_file(desk, Import(file=file, source="mine")) == {"stored": 2}
    assert len({post.author_key for post in desk.posts.search(Search()).posts}) == 1
