"""Posts that matter are looked up at their sources; those that are gone there are deleted here, and no other."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from review_desk import add_card, add_user, fill, keep, make_post
from test_crawlers_crawl import Answer, Site, served

from claimwatch.desk import Desk
from claimwatch.ledger import decisions, runs, sources
from claimwatch.ledger.decisions import Judgement
from claimwatch.projector import project_decisions
from claimwatch.records import Action, Post, Role, Source
from crawlers.lookup import LOOKUPS
from crawlers.lookupplan import LookupPlan, Question, Way
from crawlers.page import Dropped, Found, Page
from crawlers.plan import Ask
from crawlers.recheck import Rechecked, recheck_now

DID = "did:plc:abcdefghijklmnop"


def status(number: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "uri": f"https://mang.example/{number}",
        "url": f"https://mang.example/@mai/{number}",
        "visibility": "public",
        "created_at": "2026-11-15T01:00:00Z",
        "content": "<p>Nhai tỏi sống là khỏi.</p>",
        "account": {"username": "mai", "acct": "mai", "indexable": True},
    } | changes


def toots(kept: dict[str, dict[str, Any]]) -> Callable[[str, int], Answer]:
    """A server that has these posts, each with its changes."""

    def answer(path: str, _: int) -> Answer:
        parts = urlsplit(path)
        single = parts.path.rpartition("/")[2]
        if single != "statuses":
            found = kept.get(single)
            if found is None:
                return Answer(status=404, body='{"error": "Record not found"}')
            return Answer(body=json.dumps(status(single, **found)))
        asked = parse_qs(parts.query)["id[]"]
        return Answer(body=json.dumps([status(one, **kept[one]) for one in asked if one in kept]))

    return answer


def flagged(desk: Desk, site: Site, number: str, **changes: Any) -> Post:
    """A flagged Mastodon post that this server shows under that number."""
    named: dict[str, Any] = {
        "id": desk.keys.post_id("mastodon", f"https://mang.example/{number}"),
        "sealed_url": desk.keys.seal_link(f"{site.url}/@mai/{number}"),
    }
    post = make_post(desk, number, f"Nhai tỏi sống lần thứ {number}.", **(named | changes))
    keep(desk, post, group=post.id)
    return post


def known(desk: Desk, *, kind: str = "mastodon", **settings: Any) -> None:
    given = {"hashtag": "covid"} if kind == "mastodon" else {}
    chosen = given | {"allow_hosts": ["127.0.0.1"]} | settings
    with desk.ledger.write() as db:
        sources.put(db, Source(name="mastodon-vi", kind=kind, settings=chosen))


def left(desk: Desk, *posts: Post) -> list[bool]:
    return [post.id in desk.posts.get([post.id]) for post in posts]


def test_what_is_gone_at_its_server_is_deleted_here_and_counted(desk: Desk) -> None:
    kept: dict[str, dict[str, Any]] = {}
    with served(toots(kept)) as site:
        known(desk)
        posts = [flagged(desk, site, str(number)) for number in range(1, 24)]
        kept |= {str(number): {} for number in range(1, 23)}
        done = recheck_now(desk)
        batches = [path for path in site.paths if "id%5B%5D" in path]
    assert (done.outcomes, done.failures) == ({"deleted": 1, "unchanged": 22}, {})
    assert left(desk, *posts) == [True] * 22 + [False]
    assert [path.count("id%5B%5D") for path in batches] == [20, 3]
    assert len(site.paths) == 3  # the one that was missing is asked for once more
    with desk.ledger.read() as db:
        run = runs.recent(db, limit=1)[0]
        assert (run.stage, run.source, run.status) == ("recheck", "mastodon-vi", "done")
        assert runs.outcomes(db, run.id) == {"deleted": 1, "unchanged": 22}
    assert desk.posts.tombstones()[0][0] == posts[-1].id


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({}, True),
        ({"content": "<p>Viết lại rồi.</p>", "edited_at": "2026-11-15T05:00:00Z"}, True),
        ({"content": ""}, True),
        ({"visibility": "private"}, False),
        ({"account": {"acct": "mai", "indexable": False}}, False),
    ],
)
def test_a_post_that_may_no_longer_be_kept_goes_too(desk: Desk, changes: dict[str, Any], stays: bool) -> None:
    with served(toots({"7": changes})) as site:
        known(desk)
        post = flagged(desk, site, "7")
        recheck_now(desk)
    assert left(desk, post) == [stays]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404, body="<html><title>404</title></html>"),
        Answer(status=401, body='{"error": "This method requires an authenticated user"}'),
        Answer(status=503, body="busy"),
        Answer(body="<html><title>Checking your browser</title></html>"),
        Answer(body='{"error": "Too many requests"}'),
        Answer(status=429, headers={"Retry-After": "600"}),
    ],
)
def test_a_server_that_does_not_answer_loses_nothing(desk: Desk, answer: Answer) -> None:
    with served(lambda *_: answer) as site:
        known(desk)
        post = flagged(desk, site, "7")
        done = recheck_now(desk)
    assert left(desk, post) == [True]
    assert done.outcomes == {"unchecked": 1}
    assert list(done.failures) == [site.url]


def test_robots_txt_and_the_guard_hold_here_too(desk: Desk) -> None:
    with served(lambda *_: Answer(body="[]"), robots="User-agent: *\nDisallow: /api") as site:
        known(desk)
        post = flagged(desk, site, "7")
        assert "robots.txt" in recheck_now(desk).failures[site.url]
        known(desk, allow_hosts=[])
        assert "public Internet" in recheck_now(desk).failures[site.url]
        assert site.paths == []
    assert left(desk, post) == [True]


def test_only_posts_that_matter_and_can_be_asked_for_are_looked_up(desk: Desk) -> None:
    with served(toots({"1": {}, "2": {}})) as site:
        known(desk)
        user = add_user(desk, "mai", Role.MODERATOR)
        fill(desk)
        flagged(desk, site, "1")
        for number, back in (("2", 3), ("3", 40)):
            link = desk.keys.seal_link(f"{site.url}/@mai/{number}")
            name = desk.keys.post_id("mastodon", f"https://mang.example/{number}")
            post = make_post(desk, number, f"Bài số {number}", id=name, sealed_url=link)
            desk.posts.add([post], token=number)
            desk.posts.place({name: name})
            judgement = Judgement(
                card=name, action=Action.NOT_HEALTH, claim=None, user=user.id, reason="", seen=0,
                post=name, text_hash=post.text_hash, text=post.text, language="vi", model="m1",
                p_false=0.1, flag=False,
            )  # fmt: skip
            with desk.ledger.write() as db:
                decisions.add(db, judgement, desk.now() - timedelta(days=back))
        unflagged = make_post(desk, "4", "Chuyện thường ngày", sealed_url=desk.keys.seal_link(f"{site.url}/@mai/4"))
        desk.posts.add([unflagged], token="4")
        flagged(desk, site, "5", sealed_url=desk.keys.seal_link(f"{site.url}/notice/AbC"))
        flagged(desk, site, "6", platform="feed", url="https://tin.example/6", sealed_url=None)
        project_decisions(desk)
        done = recheck_now(desk)
        asked = sorted(one for path in site.paths for one in parse_qs(urlsplit(path).query).get("id[]", []))
    assert asked == ["1", "2"]
    assert done.outcomes == {"unchanged": 2}


def test_open_cards_without_a_flag_are_looked_up(desk: Desk) -> None:
    fill(desk)
    with served(toots({})) as site:
        known(desk)
        post = flagged(desk, site, "9")
        add_card(desk, "10", "Súc miệng nước muối")  # on a server that is nobody's
        done = recheck_now(desk)
    assert left(desk, post) == [False]
    assert done.outcomes["deleted"] == 1
    assert "https://mang.example" in done.failures


def test_bluesky_is_asked_for_25_at_a_time(desk: Desk) -> None:
    def answer(path: str, _: int) -> Answer:
        uris = parse_qs(urlsplit(path).query)["uris"]
        views = [
            {
                "uri": uri, "cid": "x", "author": {"did": DID, "handle": "mai.example"},
                "record": {"$type": "app.bsky.feed.post", "text": "Nhai tỏi sống", "createdAt": "2026-11-15T01:00:00Z"},
                "indexedAt": "2026-11-15T01:00:00Z",
            }
            for uri in uris
            if not uri.endswith("/p3")
        ]  # fmt: skip
        return Answer(body=json.dumps({"posts": views}))

    with served(answer) as site:
        known(desk, kind="bluesky", base_url=site.url, actors=[DID])
        posts = []
        for number in range(30):
            uri = f"at://{DID}/app.bsky.feed.post/p{number}"
            link = desk.keys.seal_link(f"https://bsky.app/profile/{DID}/post/p{number}")
            named = {"id": desk.keys.post_id("bluesky", uri), "platform": "bluesky", "sealed_url": link}
            posts.append(flagged(desk, site, str(number), **named))
        done = recheck_now(desk)
    assert done.outcomes == {"deleted": 1, "unchanged": 29}
    assert [number for number, stays in enumerate(left(desk, *posts)) if not stays] == [3]
    assert [path.partition("?")[0] for path in site.paths] == ["/xrpc/app.bsky.feed.getPosts"] * 2
    assert sorted(path.count("uris=") for path in site.paths) == [5, 25]


def test_two_passes_never_run_at_once(desk: Desk) -> None:
    with served(toots({})) as site:
        known(desk)
        flagged(desk, site, "7")
        with desk.ledger.write() as db:
            assert sources.acquire(db, "recheck", "another")
        assert recheck_now(desk) == Rechecked()
        assert site.paths == []


@pytest.mark.parametrize(
    ("platform", "link", "native"),
    [
        ("mastodon", "https://m.example/@mai/123", "123"),
        ("mastodon", "https://m.example/users/mai/statuses/123", "123"),
        ("mastodon", "https://m.example/notice/AbC", ""),
        ("bluesky", f"https://bsky.app/profile/{DID}/post/3k", f"at://{DID}/app.bsky.feed.post/3k"),
        ("bluesky", "https://bsky.app/profile/mai.example/post/3k", ""),
        ("reddit", "https://www.reddit.com/r/vn/comments/abc", "t3_abc"),
        ("reddit", "https://www.reddit.com/r/vn/comments/abc/_/def", "t1_def"),
        ("youtube", "https://www.youtube.com/watch?v=abcdefghijk&lc=Ugx.y-1", "Ugx.y-1"),
        ("youtube", "https://www.youtube.com/watch?v=abcdefghijk", ""),
        ("mastodon", "", ""),
    ],
)
def test_a_link_tells_the_id_that_its_server_knows(platform: str, link: str, native: str) -> None:
    assert LOOKUPS[platform].native(link) == native


def lookup(platform: str, count: int) -> LookupPlan:
    posts = {f"n{number}": f"uri{number}" for number in range(count)}
    question = Question(
        source="s", platform=platform, server="https://s.example", lookup=LOOKUPS[platform], posts=posts,
        way=Way(base="https://s.example", headers={"Authorization": "Bearer x"}),
    )  # fmt: skip
    return LookupPlan(question, lambda uri: uri)


def found(*numbers: int) -> tuple[Found, ...]:
    return tuple(Found(platform="x", uri=f"uri{number}", text="a") for number in numbers)


@pytest.mark.parametrize(("platform", "at_once"), [("reddit", 100), ("youtube", 50), ("bluesky", 25)])
def test_a_batch_is_as_large_as_the_platform_takes(platform: str, at_once: int) -> None:
    plan = lookup(platform, at_once + 1)
    first = plan.first({})
    assert (len(first.mark.split("\n")), first.headers) == (at_once, {"Authorization": "Bearer x"})
    second = plan.after(first, {}, Page(posts=found(*range(at_once)))).ask
    assert second is not None
    assert second.mark == f"n{at_once}"
    assert plan.after(second, {}, Page()).ask is None
    assert (plan.gone, len(plan.stands)) == ({f"uri{at_once}"}, at_once)


def test_a_server_that_knows_none_of_several_posts_is_not_believed() -> None:
    plan = lookup("bluesky", 2)
    assert plan.after(plan.first({}), {}, Page()).ask is None
    assert (plan.gone, plan.stands) == (set(), set())


def test_a_post_shown_as_deleted_is_gone_and_one_that_cannot_be_read_stays() -> None:
    plan = lookup("reddit", 3)
    page = Page(dropped=(Dropped(uri="uri0", reason="deleted"), Dropped(uri="uri1", reason="empty")),
                rejected=(Dropped(uri="uri2", reason="no_author"),))  # fmt: skip
    plan.after(plan.first({}), {}, page)
    assert (plan.gone, plan.stands) == ({"uri0"}, {"uri1"})


def test_a_missing_post_is_asked_for_by_itself_where_the_server_can_say_why() -> None:
    plan = lookup("mastodon", 2)
    ask = plan.after(plan.first({}), {}, Page(posts=found(0))).ask
    assert ask == Ask(
        url="https://s.example/api/v1/statuses/n1", headers={"Authorization": "Bearer x"}, turn="one", mark="n1"
    )
    assert plan.after(ask, {}, Page(problems=("gone: the server says this was removed",))).ask is None
    assert plan.gone == {"uri1"}
