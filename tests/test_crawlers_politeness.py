"""Crawls that ask one host take turns, whatever process they run in."""

import time
from dataclasses import replace
from urllib.parse import urlsplit

from sqlalchemy import select
from test_crawlers_crawl import Answer, feed, served

from claimwatch.desk import Desk
from claimwatch.ledger import sources
from claimwatch.ledger.tables import host_turns
from claimwatch.records import Source
from claimwatch.settings import Crawl, Settings
from crawlers.crawl import crawl_now
from crawlers.ratelimit import book_key


def feeds_of(desk: Desk, url: str, count: int) -> list[str]:
    names = [f"feed{number}" for number in range(count)]
    with desk.ledger.write() as db:
        for name in names:
            settings = {"url": f"{url}/{name}", "allow_hosts": [urlsplit(url).netloc]}
            sources.put(db, Source(name=name, kind="feed", settings=settings))
    return names


def test_crawls_of_one_host_each_take_a_turn_for_each_request(desk: Desk) -> None:
    delay = 0.2
    slow = replace(desk, settings=Settings(crawl=Crawl(delay=delay)))
    with served(lambda *_: Answer(body=feed(1))) as site:
        begun = time.time()
        done = crawl_now(slow, feeds_of(slow, site.url, 3))
        asked = len(site.asked)
    assert [one.failure for one in done] == ["", "", ""]
    assert asked == 6  # robots.txt is asked for, too
    with slow.ledger.read() as db:
        rows = db.execute(select(host_turns)).all()
    assert [row.key for row in rows] == [book_key(site.url)]
    assert rows[0].next >= begun + asked * delay


def test_without_a_delay_no_turns_are_kept(desk: Desk) -> None:
    with served(lambda *_: Answer(body=feed(1))) as site:
        crawl_now(desk, feeds_of(desk, site.url, 2))
    with desk.ledger.read() as db:
        assert db.execute(select(host_turns)).all() == []


def test_a_host_with_too_long_a_line_is_left_for_later(desk: Desk) -> None:
    slow = replace(desk, settings=Settings(crawl=Crawl(delay=0.1)))
    with served(lambda *_: Answer(body=feed(1))) as site:
        names = feeds_of(slow, site.url, 1)
        with slow.ledger.write() as db:
            db.execute(host_turns.insert().values(key=book_key(site.url), next=time.time() + 3600))
        (done,) = crawl_now(slow, names)
        assert site.asked == []
    assert "too many crawls ask this host at once" in done.failure
    assert not done.permanent
