"""The spider against a server that behaves as servers do, on loopback."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from claimwatch.desk import Desk
from claimwatch.ledger import runs, sources
from claimwatch.posts.base import Search
from claimwatch.records import Source
from crawlers.crawl import Crawled, crawl_now

FEED = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Tin y te</title>
<link>https://tin.example/</link>{items}</channel></rss>"""
ITEM = """<item><title>Bai so {n}</title><link>https://tin.example/bai-{n}</link><guid>g{n}</guid>
<pubDate>Sun, 15 Nov 2026 0{n}:00:00 +0700</pubDate>
<description>Noi dung bai viet so {n} ve suc khoe.</description></item>"""


@dataclass
class Answer:
    """What the server says once."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    raw: bytes = b""  #: in place of `body`


@dataclass
class Site:
    """A scripted server: `answer` decides; every request is noted."""

    url: str = ""
    robots: Answer | None = None
    posted: list[tuple[str, bytes]] = field(default_factory=list)
    asked: list[tuple[str, Message]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked if not path.startswith("/robots")]


@contextmanager
def served(answer: Callable[[str, int], Answer], robots: str = "", certificate: Path | None = None) -> Iterator[Site]:
    """Serve on a free loopback port; `answer` gets the path and how often that path was asked before."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            before = sum(path == self.path for path, _ in site.asked)
            site.asked.append((self.path, self.headers))
            is_rules = self.path == "/robots.txt"
            said = (site.robots or Answer(body=robots)) if is_rules else answer(self.path, before)
            time.sleep(said.wait)
            body = said.raw or said.body.encode()
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            site.posted.append((self.path, body))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


def feed(*numbers: int) -> str:
    return FEED.format(items="".join(ITEM.format(n=number) for number in numbers))


def crawl(desk: Desk, source: Source) -> Crawled:
    with desk.ledger.write() as db:
        sources.put(db, source)
    (done,) = crawl_now(desk, [source.name])
    return done


def feed_source(site: Site, *allowed: str) -> Source:
    return Source(name="tin", kind="feed", settings={"url": f"{site.url}/rss", "allow_hosts": [site.host, *allowed]})


def hashtag_source(site: Site) -> Source:
    settings = {"base_url": site.url, "hashtag": "covid", "allow_hosts": [site.host]}
    return Source(name="tag", kind="mastodon", settings=settings)


def status(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "uri": f"https://mang.example/users/an/statuses/{number}",
        "url": f"https://mang.example/@an/{number}",
        "created_at": "2026-11-15T01:00:00.000Z",
        "visibility": "public",
        "content": f"<p>Bài số {number} về sức khỏe cộng đồng</p>",
        "account": {"username": "an", "acct": "an@mang.example", "uri": "https://mang.example/users/an"},
        "favourites_count": number,
    }


def timeline(site: Site, ids: list[int]) -> Callable[[str, int], Answer]:
    """A Mastodon hashtag timeline of two statuses a page."""

    def answer(path: str, _: int) -> Answer:
        if "/instance" in path:
            return Answer(404, '{"error": "Record not found"}')
        asked = {key: int(value[0]) for key, value in parse_qs(urlsplit(path).query).items()}
        if "min_id" in asked:
            page = sorted(sorted(i for i in ids if i > asked["min_id"])[:2], reverse=True)
        else:
            page = sorted((i for i in ids if i < asked.get("max_id", 10**9)), reverse=True)[:2]
        older = f'<{site.url}/api/v1/timelines/tag/covid?limit=40&max_id={page[-1]}>; rel="next"' if page else ""
        return Answer(body=json.dumps([status(i) for i in page]), headers={"Link": older} if older else {})

    return answer


def test_a_feed_is_kept_once_and_then_asked_only_for_changes(desk: Desk) -> None:
    def answer(_: str, before: int) -> Answer:
        return Answer(304) if before else Answer(body=feed(1, 2), headers={"ETag": '"v1"'})

    with served(answer) as site:
        first, second = crawl(desk, feed_source(site)), crawl(desk, feed_source(site))
        assert site.asked[-1][1]["If-None-Match"] == '"v1"'
    assert (first.outcomes, first.failure) == ({"stored": 2}, "")
    assert (second.outcomes, second.failure) == ({}, "")
    assert len(desk.posts.search(Search()).posts) == 2
    with desk.ledger.read() as db:
        assert sources.get(db, "tin").last_success == desk.now()


def test_a_feed_without_validators_gives_unchanged_posts_the_second_time(desk: Desk) -> None:
    with served(lambda *_: Answer(body=feed(1, 2))) as site:
        crawl(desk, feed_source(site))
        assert crawl(desk, feed_source(site)).outcomes == {"unchanged": 2}


def test_the_crawler_says_who_it_is_and_asks_robots_first(desk: Desk) -> None:
    with served(lambda *_: Answer(body=feed(1))) as site:
        crawl(desk, feed_source(site))
        assert site.asked[0][0] == "/robots.txt"
        assert all("claimwatch/" in headers["User-Agent"] for _, headers in site.asked)


def test_what_robots_txt_forbids_is_not_asked(desk: Desk) -> None:
    with served(lambda *_: Answer(body=feed(1)), robots="User-agent: *\nDisallow: /rss") as site:
        done = crawl(desk, feed_source(site))
        assert site.paths == []
    assert (done.permanent, "robots.txt" in done.failure) == (True, True)


def test_a_hashtag_is_walked_back_once_and_then_onward(desk: Desk) -> None:
    ids = [11, 12, 13, 14, 15]
    with served(lambda *asked: timeline(site, ids)(*asked)) as site:  # noqa: PLW0108  site is bound by the with
        first = crawl(desk, hashtag_source(site))
        assert first.outcomes == {"stored": 5}
        ids += [16, 17, 18]
        second = crawl(desk, hashtag_source(site))
    assert second.outcomes == {"stored": 3}
    assert second.failure == ""


def test_a_refused_question_is_asked_again_when_the_server_said(desk: Desk) -> None:
    def answer(_: str, before: int) -> Answer:
        return Answer(body=feed(1)) if before else Answer(429, headers={"Retry-After": "1"})

    begun = time.monotonic()
    with served(answer) as site:
        done = crawl(desk, feed_source(site))
        assert site.paths == ["/rss", "/rss"]
    assert done.outcomes == {"stored": 1}
    assert time.monotonic() - begun >= 1.0


def test_a_long_closure_ends_the_crawl_and_is_kept_over_restarts(desk: Desk) -> None:
    with served(lambda *_: Answer(429, headers={"Retry-After": "3600"})) as site:
        done = crawl(desk, feed_source(site))
        again = crawl(desk, feed_source(site))
        assert len(site.paths) == 1
    for one in (done, again):
        assert ("429" in one.failure, one.permanent) == (True, False)


def test_a_closed_door_needs_attention_with_its_reason(desk: Desk) -> None:
    with served(lambda *_: Answer(403, "Forbidden")) as site:
        assert crawl(desk, feed_source(site)).permanent
    with desk.ledger.read() as db:
        assert sources.get(db, "tin").attention.startswith("403")
        assert runs.recent(db)[0].status == "failed"


def test_a_server_fault_is_tried_again_later_without_troubling_anyone(desk: Desk) -> None:
    with served(lambda *_: Answer(500, "oops")) as site:
        done = crawl(desk, feed_source(site))
        assert len(site.paths) == 3
    assert (done.permanent, done.failure != "") == (False, True)
    with desk.ledger.read() as db:
        assert sources.get(db, "tin").attention == ""


def test_a_page_in_place_of_a_feed_is_a_failure_that_says_so(desk: Desk) -> None:
    with served(lambda *_: Answer(body="<html><body>Welcome to our site</body></html>")) as site:
        done = crawl(desk, feed_source(site))
    assert "not_a_feed" in done.failure


@pytest.mark.parametrize(
    "broken",
    ["<html><title>Just a moment...</title></html>", '{"error": "Too many requests"}', '[{"id": "12", "cont'],
)
def test_what_breaks_a_walk_under_status_200_does_not_end_it(desk: Desk, broken: str) -> None:
    ids = list(range(11, 19))

    def answer(path: str, before: int) -> Answer:
        breaks = "max_id=15" in path and before == 0
        return Answer(body=broken) if breaks else timeline(site, ids)(path, before)

    with served(answer) as site:
        first, second = crawl(desk, hashtag_source(site)), crawl(desk, hashtag_source(site))
    assert (first.outcomes, first.failure != "", first.permanent) == ({"stored": 4}, True, False)
    assert (second.outcomes["stored"], second.failure) == (4, "")


def test_one_bad_source_never_costs_the_others(desk: Desk) -> None:
    with served(lambda path, _: Answer(404) if path == "/gone" else Answer(body=feed(1))) as site:
        with desk.ledger.write() as db:
            sources.put(db, feed_source(site))
            gone = {"url": f"{site.url}/gone", "allow_hosts": [site.host]}
            sources.put(db, Source(name="gone", kind="feed", settings=gone))
            sources.put(db, Source(name="wrong", kind="feed", settings={}))
        done = {one.source: one for one in crawl_now(desk, ["gone", "tin", "wrong"])}
    assert done["tin"].outcomes == {"stored": 1}
    assert done["gone"].failure.startswith("404")
    assert "`url`" in done["wrong"].failure


def test_an_answer_may_not_lead_to_another_host_unless_allowed(desk: Desk) -> None:
    elsewhere = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "t",
        "items": [{"id": "1", "content_text": "Một bài viết"}],
    }
    with served(lambda *_: Answer(body=json.dumps(elsewhere))) as other:
        leading = json.dumps(elsewhere | {"next_url": f"{other.url}/more"})
        with served(lambda *_: Answer(body=leading)) as site:
            refused = crawl(desk, feed_source(site))
            assert other.paths == []
            crawl(desk, feed_source(site, other.host))
        assert other.paths == ["/more"]
    assert any("allow_hosts" in problem for problem in refused.problems)


def test_a_post_deleted_at_its_source_is_deleted_here_and_stays_away(desk: Desk) -> None:
    listing = {
        "kind": "Listing",
        "data": {"after": None, "children": [{"kind": "t3", "data": reddit_post("Tỏi chữa covid")}]},
    }
    gone = json.loads(json.dumps(listing))
    gone["data"]["children"][0]["data"] |= {"removed_by_category": "deleted", "selftext": "[deleted]"}
    shown = [listing]
    source = Source(name="sub", kind="reddit", settings={"subreddit": "suckhoe"})
    known = replace(desk, credentials={"CLAIMWATCH_REDDIT_TOKEN": "a token of nobody"})
    with served(lambda *_: Answer(body=json.dumps(shown[0]))) as site:
        asked = replace(source, settings={**source.settings, "base_url": site.url, "allow_hosts": [site.host]})
        outcomes = []
        for shown[0] in (listing, gone, listing):
            outcomes.append(set(crawl(known, asked).outcomes))
        assert site.asked[-1][1]["Authorization"] == "Bearer a token of nobody"
    assert "stored" in outcomes[0]
    assert "deleted" in outcomes[1]
    assert outcomes[2] == {"dropped(seen)"}
    assert desk.posts.search(Search()).posts == ()


def test_a_source_without_its_credential_says_which_to_set(desk: Desk) -> None:
    done = crawl(desk, Source(name="sub", kind="reddit", settings={"subreddit": "suckhoe"}))
    assert done.permanent
    assert "set CLAIMWATCH_REDDIT_TOKEN first" in done.failure


def test_a_secret_written_into_a_source_is_refused(desk: Desk) -> None:
    done = crawl(desk, Source(name="sub", kind="reddit", settings={"subreddit": "suckhoe", "credential": "secret"}))
    assert "environment only" in done.failure


def reddit_post(text: str) -> dict[str, Any]:
    return {
        "name": "t3_abc12",
        "id": "abc12",
        "title": text,
        "selftext": "",
        "author": "an_invented_name",
        "author_fullname": "t2_zz9",
        "subreddit": "suckhoe",
        "permalink": "/r/suckhoe/comments/abc12/toi/",
        "created_utc": 1794700800.0,
        "is_self": True,
    }


def test_old_posts_are_left_out_and_end_the_walk(desk: Desk) -> None:
    old = FEED.format(items=ITEM.format(n=1).replace("2026", "2025"))
    with served(lambda *_: Answer(body=old)) as site:
        assert crawl(desk, feed_source(site)).outcomes == {"dropped(old)": 1}


def test_a_source_that_another_process_crawls_is_left_to_it(desk: Desk) -> None:
    with served(lambda *_: Answer(body=feed(1))) as site:
        with desk.ledger.write() as db:
            sources.put(db, feed_source(site))
            assert sources.acquire(db, "crawl:tin", "another process")
        (done,) = crawl_now(desk, ["tin"])
        assert site.asked == []
    assert done.failure.startswith("busy")
