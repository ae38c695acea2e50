"""The sample network answers as its platforms would, and the real parsers read it whole."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from crawlers.feed import parse as feed
from crawlers.links import related
from crawlers.mastodon import parse as mastodon
from crawlers.page import Page
from jobs.demo.network import SampleNetwork
from jobs.demo.post import DemoPost
from jobs.demo.script import INSTANT, load_script

SUNDAY = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
FEEDS = ("tinyte.xml", "healthdesk.atom", "blog.json")
#: Marks of a post that the default policy leaves out.
LEFT_OUT = {"private", "direct", "unlisted"}


@pytest.fixture(scope="module")
def network() -> Iterator[SampleNetwork]:
    with SampleNetwork() as served:
        yield served


def get(network: SampleNetwork, target: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = Request(
        network.base_url + target, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers.items()), answer.read()
    except HTTPError as error:
        with error:
            return error.code, dict(error.headers.items()), error.read()


def timeline(network: SampleNetwork, query: str, tag: str = "suckhoe") -> Page:
    status, headers, body = get(network, f"/api/v1/timelines/tag/{tag}?{query}")
    assert status == 200
    return mastodon.parse(body, url="", headers=headers, now=INSTANT)


def walk(network: SampleNetwork, tag: str, limit: int = 40) -> list[list[dict[str, Any]]]:
    """Every page of a timeline, newest first, by Link alone."""
    pages, target = [], f"/api/v1/timelines/tag/{tag}?limit={limit}"
    while target:
        _, headers, body = get(network, target)
        pages.append(json.loads(body))
        following = urlsplit(related(headers, "next"))
        target = f"{following.path}?{following.query}" if following.path else ""
    return pages


def on(tag: str, until: datetime = INSTANT) -> list[DemoPost]:
    return [p for p in load_script() if p.platform == "mastodon" and tag in p.places and p.is_shown(until)]


def is_kept(post: DemoPost) -> bool:
    says = post.text or any(post.traps.get("media", ()))
    return (
        bool(says)
        and post.traps.get("visibility") not in LEFT_OUT
        and post.account.name not in ("khep_cua_som", "shy_heron")
    )


class TestTimelines:
    @pytest.mark.parametrize("tag", ["suckhoe", "health"])
    def test_following_links_reaches_every_post_exactly_once(self, network: SampleNetwork, tag: str) -> None:
        pages = walk(network, tag)
        ids = [status["id"] for page in pages for status in page]
        assert sorted(ids) == sorted(post.native_id for post in on(tag))
        assert ids == sorted(ids, key=int, reverse=True)
        assert len(pages) >= 4
        assert pages[-1] == []

    @pytest.mark.parametrize("tag", ["suckhoe", "health"])
    def test_the_parser_keeps_what_may_be_kept_and_says_why_not(self, network: SampleNetwork, tag: str) -> None:
        kept, dropped = set(), Counter[str]()
        for page in walk(network, tag):
            read = mastodon.parse(json.dumps(page).encode(), url="", headers={}, now=INSTANT)
            assert not read.rejected
            kept |= {found.uri for found in read.posts}
            dropped.update(each.reason for each in read.dropped)
        assert kept == {post.uri for post in on(tag) if is_kept(post)}
        assert dropped["repost"] == 1
        assert dropped["private"] == 1
        assert dropped["unlisted"] == 1
        assert dropped["opted_out"] == (2 if tag == "suckhoe" else 1)
        assert dropped["empty"] == (0 if tag == "suckhoe" else 1)

    def test_what_is_read_is_what_was_written(self, network: SampleNetwork) -> None:
        written = {post.uri: post for post in on("suckhoe")}
        plain = 0
        for page in walk(network, "suckhoe"):
            for found in mastodon.parse(json.dumps(page).encode(), url="", headers={}, now=INSTANT).posts:
                post = written[found.uri]
                if set(post.traps) <= {"gone", "arrives"} and not {"@", ":"} & set(post.text.replace(": ", "")):
                    plain += 1
                    assert found.text == f"{post.text}\n\n#suckhoe"
                assert (found.created_at, found.likes, found.shares, found.replies) == (
                    post.at,
                    post.likes,
                    post.shares,
                    post.replies,
                )
        assert plain > 200

    def test_no_name_number_or_address_that_was_planted_is_read(self, network: SampleNetwork) -> None:
        texts = [
            found.text
            for tag in ("suckhoe", "health")
            for page in walk(network, tag)
            for found in mastodon.parse(json.dumps(page).encode(), url="", headers={}, now=INSTANT).posts
        ]
        whole = "\n".join(texts)
        assert [word for word in ("muop_huong", "rain_barrel", "0900", "laxong", "checks@") if word in whole] == []
        assert [mark for mark in ("[user]", "[phone]", "[email]", "[link]") if mark not in whole] == []
        assert ":hoa_sen:" not in whole
        assert "Beds < patients" in whole

    def test_a_post_on_both_hashtags_has_one_address(self, network: SampleNetwork) -> None:
        shared = [post for post in on("suckhoe") if post in on("health")]
        assert len(shared) == 1
        for tag in ("suckhoe", "health"):
            uris = {status["uri"] for page in walk(network, tag) for status in page}
            assert {post.uri for post in shared} <= uris

    def test_min_id_gives_the_posts_right_after_it_then_nothing(self, network: SampleNetwork) -> None:
        ids = sorted((post.native_id for post in on("suckhoe")), key=int)
        start = ids[-50]
        page = json.loads(get(network, f"/api/v1/timelines/tag/suckhoe?limit=40&min_id={start}")[2])
        assert [status["id"] for status in page] == ids[-49:-9][::-1]
        status, headers, body = get(network, f"/api/v1/timelines/tag/suckhoe?limit=40&min_id={ids[-1]}")
        assert (status, body, "Link" in headers) == (200, b"[]", False)

    def test_since_id_gives_the_newest_posts_after_it(self, network: SampleNetwork) -> None:
        ids = sorted((post.native_id for post in on("suckhoe")), key=int)
        page = json.loads(get(network, f"/api/v1/timelines/tag/suckhoe?since_id={ids[-50]}")[2])
        assert [status["id"] for status in page] == ids[-20:][::-1]

    def test_a_page_holds_forty_posts_at_most(self, network: SampleNetwork) -> None:
        assert len(json.loads(get(network, "/api/v1/timelines/tag/suckhoe?limit=500")[2])) == 40

    def test_the_allowance_is_told_as_mastodon_does(self, network: SampleNetwork) -> None:
        headers = get(network, "/api/v1/timelines/tag/health?limit=1")[1]
        assert headers["X-RateLimit-Limit"] == "300"
        assert int(headers["X-RateLimit-Remaining"]) >= 1
        assert datetime.fromisoformat(headers["X-RateLimit-Reset"]) > INSTANT

    def test_an_unknown_hashtag_has_no_posts(self, network: SampleNetwork) -> None:
        assert get(network, "/api/v1/timelines/tag/gardening")[2] == b"[]"


class TestTimePassing:
    def test_nothing_is_served_before_it_is_made(self) -> None:
        with SampleNetwork(until=SUNDAY) as early:
            served = {status["id"] for page in walk(early, "suckhoe") for status in page}
        assert served == {post.native_id for post in on("suckhoe", SUNDAY)}
        assert len(served) < len(on("suckhoe"))

    def test_late_posts_come_within_the_hours_that_a_crawl_looks_back(self) -> None:
        newest = max(int(post.native_id) for post in on("suckhoe", SUNDAY))
        start = newest - ((6 * 3_600_000) << 16)
        with SampleNetwork() as later:
            found = {found.uri: found for found in timeline(later, f"limit=40&min_id={start}").posts}
        late = [post for post in on("suckhoe") if "arrives" in post.traps]
        changed = next(post for post in on("suckhoe") if "edited" in post.traps)
        assert late
        assert {post.uri for post in late} <= found.keys()
        assert found[changed.uri].edited_at == changed.traps["edited"]
        assert changed.traps["becomes"] in found[changed.uri].text

    def test_a_deleted_accounts_post_is_there_on_sunday_only(self) -> None:
        gone = next(post for post in load_script() if "gone" in post.traps)
        shown = []
        for until in (SUNDAY, INSTANT):
            with SampleNetwork(until=until) as served:
                shown.append(gone.uri in {found.uri for found in timeline(served, "limit=40").posts})
        assert shown[0]
        assert not shown[1]


class TestFeeds:
    @pytest.mark.parametrize("name", FEEDS)
    def test_the_parser_reads_every_article_under_its_own_address(self, network: SampleNetwork, name: str) -> None:
        _, headers, body = get(network, f"/feeds/{name}")
        page = feed.parse(body, url=f"{network.base_url}/feeds/{name}", headers=headers, now=INSTANT)
        written = {post.uri: post for post in load_script() if post.place == name.partition(".")[0]}
        assert {found.uri for found in page.posts} == written.keys()
        assert {found.title for found in page.posts} == {post.title for post in written.values()}
        for found in page.posts:
            assert found.text == f"{written[found.uri].title}\n\n{written[found.uri].text}"
            assert found.language == written[found.uri].language
        undated = [found for found in page.posts if found.created_at is None]
        assert all(found.created_at in (None, written[found.uri].at) for found in page.posts)
        assert len(undated) == (2 if name == "tinyte.xml" else 0)
        assert [each.reason for each in page.rejected] == (["ghost"] if name == "tinyte.xml" else [])

    @pytest.mark.parametrize("name", FEEDS)
    def test_an_unchanged_feed_is_not_sent_again(self, network: SampleNetwork, name: str) -> None:
        headers = get(network, f"/feeds/{name}")[1]
        status, _, body = get(network, f"/feeds/{name}", If_None_Match=headers["ETag"])
        assert (status, body) == (304, b"")
        assert get(network, f"/feeds/{name}", If_Modified_Since=headers["Last-Modified"])[0] == 304
        assert get(network, f"/feeds/{name}", If_None_Match='"other"')[0] == 200

    def test_a_feed_changes_with_time_unless_it_fell_silent(self) -> None:
        tags = []
        for until in (SUNDAY, INSTANT):
            with SampleNetwork(until=until) as served:
                tags.append([get(served, f"/feeds/{name}")[1]["ETag"] for name in FEEDS])
        assert [earlier == later for earlier, later in zip(*tags, strict=True)] == [False, False, True]

    def test_a_feed_without_articles_yet_is_still_a_feed(self) -> None:
        with SampleNetwork(until=datetime(2026, 10, 1, tzinfo=UTC)) as served:
            for name in FEEDS:
                status, headers, body = get(served, f"/feeds/{name}")
                page = feed.parse(body, url=f"{served.base_url}/feeds/{name}", headers=headers, now=INSTANT)
                assert (status, page.understood, page.posts) == (200, True, ())


class TestServer:
    def test_crawlers_are_welcome(self, network: SampleNetwork) -> None:
        assert b"Allow: /" in get(network, "/robots.txt")[2]

    def test_the_server_says_that_hashtags_are_open(self, network: SampleNetwork) -> None:
        page = mastodon.parse(get(network, "/api/v2/instance")[2], url="", headers={}, now=INSTANT)
        assert page.watermark["hashtag_feeds"] == "public"

    @pytest.mark.parametrize("target", ["/", "/feeds/bulletin.xml", "/api/v1/timelines/public", "/nothing?x=1"])
    def test_all_else_is_not_found_in_mastodons_words(self, network: SampleNetwork, target: str) -> None:
        status, headers, body = get(network, target)
        assert (status, json.loads(body)) == (404, {"error": "Not Found"})
        assert headers["Content-Type"].startswith("application/json")

    def test_a_limited_network_refuses_the_third_timeline_request_once(self) -> None:
        with SampleNetwork(limited=True) as served:
            answers = [get(served, "/api/v1/timelines/tag/health?limit=1") for _ in range(5)]
            assert [status for status, *_ in answers] == [200, 200, 429, 200, 200]
            assert answers[2][1]["Retry-After"] == "1"

    def test_two_starts_answer_alike_but_for_the_port(self) -> None:
        targets = ["/robots.txt", "/api/v2/instance", *(f"/feeds/{name}" for name in FEEDS)]
        targets += [f"/api/v1/timelines/tag/{tag}?limit=40" for tag in ("suckhoe", "health")]
        given = []
        for _ in range(2):
            with SampleNetwork() as served:
                port = str(urlsplit(served.base_url).port)
                answers = [get(served, target) for target in targets]
            assert all(port.encode() not in body for _, _, body in answers)
            given.append(
                [
                    (status, {name: value.replace(port, "PORT") for name, value in headers.items()}, body)
                    for status, headers, body in answers
                ]
            )
        assert given[0] == given[1]

    def test_the_console_stays_quiet(self, capfd: pytest.CaptureFixture[str]) -> None:
        with SampleNetwork() as served:
            get(served, "/robots.txt")
            get(served, "/nothing")
        assert capfd.readouterr() == ("", "")

    def test_the_port_can_be_chosen(self) -> None:
        with SampleNetwork() as first:
            port = urlsplit(first.base_url).port
        assert port
        with SampleNetwork(port) as second:
            assert second.base_url.endswith(f":{port}")
