"""A source is tried: asked as a crawl would ask it, shown, and nothing of it kept. And the forms of every kind."""

import json
import re
from typing import Any

import pytest
from test_crawlers_crawl import FEED, ITEM, Answer, served

from claimwatch.desk import Desk
from claimwatch.errors import SourceError
from claimwatch.ledger import runs, sources
from claimwatch.posts.base import Search
from claimwatch.records import Source
from claimwatch.sourceforms import filled, settings_of
from crawlers import answers
from crawlers.crawl import crawl_now
from crawlers.dryrun import try_source
from crawlers.forms import faults_of, form_of, forms, host_of
from crawlers.kinds import KINDS
from crawlers.wording import in_words, say

OLD = """<item><title>Bai cu</title><link>https://tin.example/cu</link><guid>cu</guid>
<pubDate>Sun, 15 Mar 2020 01:00:00 +0700</pubDate><description>Tin tu rat lau roi.</description></item>"""


def feed(url: str) -> Source:
    return Source(name="moi", kind="feed", settings={"url": f"{url}/rss", "allow_hosts": ["127.0.0.1"]})


def test_a_trial_shows_the_first_posts_and_what_would_be_left_out(desk: Desk) -> None:
    items = OLD + "".join(ITEM.format(n=n) for n in range(1, 10)) + ITEM.format(n=1) + ITEM.format(n=0)
    with served(lambda *_: Answer(body=FEED.format(items=items))) as site:
        tried = try_source(desk, feed(site.url))
        assert site.paths == ["/rss"]
    assert tried.failure == ""
    assert len(tried.posts) == 10
    assert (tried.posts[0].left_out, tried.posts[1].left_out) == ("old", "")
    assert tried.posts[1].text == "Bai so 1\n\nNoi dung bai viet so 1 ve suc khoe."
    assert tried.posts[1].created_at is not None
    assert dict(tried.left_out) == {"repeated": 1, "old": 1}
    assert tried.found == 12


def test_a_trial_keeps_nothing_and_changes_nothing_of_a_source_that_is_crawled(desk: Desk) -> None:
    with served(lambda *_: Answer(body=FEED.format(items=ITEM.format(n=1)), headers={"ETag": '"1"'})) as site:
        with desk.ledger.write() as db:
            sources.put(db, feed(site.url))
        crawl_now(desk, ["moi"])
        with desk.ledger.read() as db:
            before = (sources.every(db), sources.cursor(db, "moi", "feed"), runs.recent(db))
        assert len(try_source(desk, feed(site.url)).posts) == 1  # from the beginning: the ETag is not sent
        with desk.ledger.read() as db:
            assert (sources.every(db), sources.cursor(db, "moi", "feed"), runs.recent(db)) == before
        assert site.asked[-1][1]["If-None-Match"] is None
    other = Source(name="other", kind="feed", settings=feed(site.url).settings)
    assert "no answer" in try_source(desk, other).failure
    assert [post.source for post in desk.posts.search(Search()).posts] == ["moi"]


def test_a_server_is_asked_for_its_rules_before_its_posts(desk: Desk) -> None:
    status = {
        "id": "9", "uri": "https://mang.example/9", "url": "https://mang.example/@mai/9", "visibility": "public",
        "created_at": "2026-11-15T01:00:00Z", "content": "<p>Ăn tỏi sống mỗi ngày là đủ, bà con ạ.</p>",
        "account": {"username": "mai", "acct": "mai", "indexable": True},
    }  # fmt: skip
    hidden = {**status, "id": "8", "uri": "https://mang.example/8", "account": {"acct": "lan", "indexable": False}}

    def answer(path: str, _: int) -> Answer:
        rules: Any = {"domain": "x", "configuration": {"timelines_access": {"hashtag_feeds": {"local": "public"}}}}
        return Answer(body=json.dumps([status, hidden] if "timelines" in path else rules))

    with served(answer) as site:
        source = Source(
            name="m", kind="mastodon", settings={"base_url": site.url, "hashtag": "covid", "allow_hosts": ["127.0.0.1"]}
        )
        tried = try_source(desk, source)
    assert site.paths == ["/api/v2/instance", "/api/v1/timelines/tag/covid?limit=40"]
    assert ([post.language for post in tried.posts], dict(tried.left_out)) == (["vi"], {"opted_out": 1})


def test_a_trial_follows_robots_txt_the_guard_and_what_a_server_asks_for(desk: Desk) -> None:
    with served(lambda *_: Answer(body=""), robots="User-agent: *\nDisallow: /") as site:
        assert "robots.txt" in try_source(desk, feed(site.url)).failure
        assert site.paths == []
        bare = Source(name="moi", kind="feed", settings={"url": f"{site.url}/rss"})
        assert "allow_hosts" in try_source(desk, bare).failure
        by_name = Source(name="moi", kind="feed", settings={"url": f"http://localhost:{site.url.split(':')[-1]}/rss"})
        assert "not on the public Internet" in try_source(desk, by_name).failure
    with served(lambda *_: Answer(status=429, headers={"Retry-After": "600"})) as site:
        for _ in range(2):
            assert "closed for 10 more minutes" in try_source(desk, feed(site.url)).failure
        assert site.paths == ["/rss"]


def test_a_trial_ends_in_time_and_others_go_on(desk: Desk) -> None:
    with served(lambda *_: Answer(body=FEED.format(items=""), wait=3)) as site:
        tried = try_source(desk, feed(site.url), longest=0.5)
    assert tried.failure == "A trial took longer than 0.5 seconds and was ended."
    with served(lambda *_: Answer(body=FEED.format(items=ITEM.format(n=1)))) as site:
        assert len(try_source(desk, feed(site.url)).posts) == 1


def test_what_is_refused_is_told_and_wrong_settings_ask_nobody(desk: Desk) -> None:
    with served(lambda *_: Answer(status=404, body="gone")) as site:
        tried = try_source(desk, feed(site.url))
    assert tried.failure == "404: not_found: the server knows no such thing"
    assert "`url`" in try_source(desk, Source(name="x", kind="feed", settings={})).failure
    reddit = Source(name="r", kind="reddit", settings={"subreddit": "suckhoe"})
    assert "set CLAIMWATCH_REDDIT_TOKEN first" in try_source(desk, reddit).failure


def test_a_stream_is_not_tried(desk: Desk) -> None:
    tried = try_source(desk, Source(name="s", kind="jetstream", settings={"words": ["sởi"]}))
    assert (tried.failure, tried.posts) == ("", ())
    assert "stream" in tried.problems[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_form_in_both_languages_without_its_secret(kind: str) -> None:
    vi, en = form_of(kind, "vi"), form_of(kind, "en")
    assert "credential" not in [one.name for one in en.fields]
    assert [one.name for one in vi.fields] == [one.name for one in en.fields]
    pairs = [(vi.help, en.help), *((one.help, two.help) for one, two in zip(vi.fields, en.fields, strict=True))]
    assert [english for vietnamese, english in pairs if vietnamese == english] == []


def test_whom_to_ask_with_whose_secret_is_for_administrators() -> None:
    guarded = {form.name: {one.name for one in form.fields if one.guarded} for form in forms("en")}
    assert guarded["feed"] == {"allow_hosts"}
    assert guarded["youtube"] == {"allow_hosts", "base_url", "token_env"}
    other = Source(name="y", kind="youtube", settings={"video": "abcdefghijk", "token_env": "CLAIMWATCH_REDDIT_TOKEN"})
    assert list(faults_of(other, "en")) == ["token_env"]


def test_a_filled_form_means_settings_and_settings_fill_the_form() -> None:
    form = form_of("bluesky", "en")
    given = {"actors": "a.example, b.example\n", "search": " ", "base_url": "", "allow_hosts": ""}
    settings = settings_of(form, given)
    assert settings == {"actors": ["a.example", "b.example"], "with_replies": False}
    shown = filled(form, settings)
    assert (shown["actors"], shown["with_replies"], shown["token_env"]) == (
        "a.example, b.example",
        "",
        "CLAIMWATCH_BLUESKY_TOKEN",
    )
    assert settings_of(form, shown) == settings
    numbers = form_of("jetstream", "en")
    assert settings_of(numbers, {"minutes": "5", "claims": "yes", "compress": "yes"}) == {"minutes": 5}
    assert settings_of(numbers, {"minutes": "x", "claims": "yes", "compress": "yes"}) == {"minutes": "x"}


@pytest.mark.parametrize(
    ("kind", "settings", "key", "english", "vietnamese"),
    [
        ("feed", {}, "url", "This is needed.", "Cần điền mục này."),
        ("feed", {"url": "ftp://x"}, "url", "right form", "đúng dạng"),
        ("feed", {"url": "http://10.0.0.1/"}, "url", "not on the public Internet", "không nằm trên Internet"),
        ("mastodon", {"hashtag": ""}, "hashtag", "needed", "Cần điền"),
        ("vnexpress", {"articles": []}, "articles", "needed", "Cần điền"),
        ("jetstream", {"minutes": 0}, "minutes", "too small", "quá nhỏ"),
        ("jetstream", {"minutes": "x"}, "minutes", "number", "số"),
        ("youtube", {}, "", "either video or channel", "chỉ một trong hai"),
    ],
)
def test_a_fault_stands_beside_its_field_in_the_visitors_language(
    kind: str, settings: dict[str, Any], key: str, english: str, vietnamese: str
) -> None:
    source = Source(name="x", kind=kind, settings=settings)
    assert english in faults_of(source, "en")[key]
    assert vietnamese in faults_of(source, "vi")[key]


def test_there_is_no_form_of_a_kind_that_does_not_exist() -> None:
    with pytest.raises(SourceError, match="telepathy"):
        form_of("telepathy", "vi")


def test_the_host_of_a_source_is_its_key_in_the_rate_limit_book() -> None:
    assert (
        host_of(Source(name="x", kind="feed", settings={"url": "https://Tin.example/rss?a"})) == "https://tin.example"
    )
    assert host_of(Source(name="x", kind="reddit", settings={"subreddit": "vn"})) == "https://oauth.reddit.com"
    assert host_of(Source(name="x", kind="feed", settings={})) == ""


@pytest.mark.parametrize(
    ("line", "english", "vietnamese"),
    [
        ("404: not_found: the server knows no such thing", "knows no such thing (404)", "không biết nơi này (404)"),
        ("429: the server asks to wait: closed for 7 more minutes", "7 more minutes (429)", "còn đóng 7 phút"),
        ("no answer within 30 seconds", "no answer within 30 seconds", "trong 30 giây"),
        ("no answer: ConnectionRefusedError", "no answer: ConnectionRefusedError", "không có câu trả lời: Conn"),
        ("set CLAIMWATCH_REDDIT_TOKEN first", "set CLAIMWATCH_REDDIT_TOKEN first", "đặt biến CLAIMWATCH_REDDIT_TOKEN"),
        ("something nobody wrote down", "something nobody wrote down", "something nobody wrote down"),
        ("", "", ""),
    ],
)
def test_what_a_crawl_noted_is_told_in_words(line: str, english: str, vietnamese: str) -> None:
    assert english in in_words(line, "en")
    assert vietnamese in in_words(line, "vi")


def test_every_refusal_that_a_status_stands_for_is_told_in_vietnamese() -> None:
    said = [line.partition(": ")[2] for line in answers._BY_STATUS.values()]
    assert [one for one in said if say(one, "vi") == one] == []
    assert not re.search(r"[a-z]_", " ".join(in_words(line, "vi") for line in answers._BY_STATUS.values()))
