"""Bluesky answers: which posts come of them, which are left out and why, and what is asked next."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from claimwatch.errors import SourceError
from crawlers.bluesky.parse import parse
from crawlers.bluesky.spider import BlueskyPlan, BlueskySettings
from crawlers.page import Found, Page
from crawlers.plan import Ask

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "crawlers" / "bluesky" / "sample.json").read_bytes()
FEED: list[dict[str, Any]] = json.loads(SAMPLE)["feed"]
VIEW: dict[str, Any] = FEED[1]["post"]
ANSWER: dict[str, Any] = FEED[2]
LAN = VIEW["author"]["did"]
ADDRESS = "https://public.api.bsky.app/xrpc/app.bsky.feed.getAuthorFeed?actor=moclan.bsky.social&limit=100"


def page_of(answer: object, *, url: str = "", status: int = 0, policy: str = "respectful") -> Page:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    headers = {":status": str(status)} if status else {}
    return parse(body, url=url, headers=headers, now=NOW, policy=policy)


def view(record: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    plain = {"$type": "app.bsky.feed.post", "createdAt": "2026-11-22T09:00:00.000Z", "text": "Tỏi chữa bách bệnh"}
    return VIEW | {"record": plain | dict(record or {})} | changes


def post_of(record: Mapping[str, Any] | None = None, **changes: Any) -> Found:
    (post,) = page_of({"posts": [view(record, **changes)]}).posts
    return post


def facet(text: str, part: str, **feature: str) -> dict[str, Any]:
    start = text.encode().index(part.encode())
    kind = {"uri": "link", "did": "mention", "tag": "tag"}[next(iter(feature))]
    index = {"byteStart": start, "byteEnd": start + len(part.encode())}
    return {"index": index, "features": [{"$type": f"app.bsky.richtext.facet#{kind}", **feature}]}


def reasons(page: Page) -> list[str]:
    return [each.reason for each in page.dropped]


def test_every_row_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE, url=ADDRESS)
    keys = ["3m5pinn00001a", "3m6root00001a", "3m6answ00001a", "3m6card00001a", "3m6pict00001a"]
    assert [post.native_id for post in page.posts] == keys
    assert reasons(page) == ["repost", "empty", "repost", "opted_out", "repeated"]
    assert [each.reason for each in page.rejected] == ["no_author"]
    assert page.problems == ()
    assert page.understood


def test_a_post_carries_its_facts() -> None:
    post = page_of(SAMPLE).posts[1]
    assert (post.platform, post.author) == ("bluesky", LAN)
    assert post.uri == f"at://{LAN}/app.bsky.feed.post/3m6root00001a"
    assert post.url == f"https://bsky.app/profile/{LAN}/post/3m6root00001a"
    assert not post.url_is_public
    assert (post.likes, post.shares, post.replies, post.views) == (12, 5, 3, None)
    assert post.language == "vi"
    assert post.edited_at is None


def test_a_handle_in_the_address_gives_way_to_the_did() -> None:
    assert post_of(uri="at://moclan.bsky.social/app.bsky.feed.post/3m6root00001a").uri == VIEW["uri"]


def test_facets_count_bytes_and_give_the_whole_link() -> None:
    text = "Đọc bài này: example.com/tin-y-te... để biết"
    cut = facet(text, "example.com/tin-y-te...", uri="https://example.com/tin-y-te-2026")
    assert post_of({"text": text, "facets": [cut]}).text == "Đọc bài này: [link example.com] để biết"


def test_letters_right_behind_a_link_do_not_vanish_in_it() -> None:
    text = "Xem example.com/a…đừng tin nhé"
    cut = facet(text, "example.com/a…", uri="https://example.com/abc")
    assert post_of({"text": text, "facets": [cut]}).text == "Xem [link example.com] đừng tin nhé"


def test_words_that_are_linked_stay_words() -> None:
    text = "Bài báo này nói tỏi chữa ung thư"
    linked = facet(text, "Bài báo này", uri="https://example.com/a")
    assert post_of({"text": text, "facets": [linked]}).text.startswith("Bài báo này nói")


def test_a_mention_goes_by_its_facet_and_wherever_its_handle_stands() -> None:
    text = "Cảm ơn @ngoctram.example.org nhé, ngoctram.example.org nói đúng"
    named = facet(text, "@ngoctram.example.org", did="did:plc:x")
    assert post_of({"text": text, "facets": [named]}).text == "Cảm ơn [user] nhé, [user] nói đúng"


def test_a_mention_over_a_whole_sentence_hides_nothing() -> None:
    text = "Ăn tỏi sống mỗi sáng thì không cần tiêm vắc xin nữa, bác sĩ ở quê tôi nói như vậy đấy các bạn ạ"
    assert post_of({"text": text, "facets": [facet(text, text, did="did:plc:x")]}).text == text


@pytest.mark.parametrize(
    "index",
    [{"byteStart": 1, "byteEnd": 3}, {"byteStart": -1, "byteEnd": 9}, {"byteStart": 5, "byteEnd": 5000}, {},
     {"byteStart": "0", "byteEnd": True}, {"byteStart": 8, "byteEnd": 2}, None],
)  # fmt: skip
def test_a_facet_with_impossible_offsets_is_passed_over(index: object) -> None:
    wrong = {"index": index, "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:x"}]}
    assert post_of({"text": "Đừng tin tin đồn này", "facets": [wrong, None]}).text == "Đừng tin tin đồn này"


def test_of_facets_that_overlap_the_first_holds() -> None:
    text = "Xem example.com/bai nhé"
    both = [
        facet(text, "com/bai", uri="https://evil.com/"),
        facet(text, "example.com/bai", uri="https://example.com/b"),
    ]
    assert post_of({"text": text, "facets": both}).text == "Xem [link example.com] nhé"


def test_no_name_near_a_post_stays_in_its_text() -> None:
    assert page_of(SAMPLE).posts[2].text.startswith("[user], salt water")
    told = post_of({"text": "Trần Mộc Lan kể, moclan.bsky.social cũng kể: tỏi chữa bách bệnh"}).text
    assert told == "[user] kể, [user] cũng kể: tỏi chữa bách bệnh"
    quoted = {
        "$type": "app.bsky.embed.record#view",
        "record": {"author": {"handle": "x.example", "displayName": "Vũ Hải"}},
    }
    assert post_of({"text": "Vũ Hải nói bừa về vắc xin"}, embed=quoted).text == "[user] nói bừa về vắc xin"


def test_a_link_card_is_text() -> None:
    text = page_of(SAMPLE).posts[3].text
    assert text == "Lá đu đủ chữa khỏi ung thư?\nBác sĩ trả lời về tin đồn lá đu đủ.\n[link]"


def test_a_picture_beside_a_quote_is_described() -> None:
    assert page_of(SAMPLE).posts[4].text == "Áp phích ghi: ăn tỏi sống khỏi vắc xin"


@pytest.mark.parametrize(
    "embed",
    [
        {"$type": "app.bsky.embed.gallery", "items": [{"alt": "Bảng ghi giá thuốc"}, {"alt": ""}, 7]},
        {"$type": "app.bsky.embed.video", "alt": "Bảng ghi giá thuốc"},
        {"$type": "app.bsky.embed.images", "images": [{"alt": "Bảng ghi giá thuốc"}]},
        {"$type": "org.example.embed.made.tomorrow", "items": [{"alt": "Bảng ghi giá thuốc"}]},
    ],
)
def test_pictures_of_every_kind_are_described(embed: dict[str, Any]) -> None:
    assert post_of({"embed": embed}).text == "Tỏi chữa bách bệnh\nBảng ghi giá thuốc"
    assert post_of(embed=embed).text == "Tỏi chữa bách bệnh\nBảng ghi giá thuốc"


@pytest.mark.parametrize("embed", [{"$type": "org.example.unknown"}, "x", 3, {"record": {"uri": "at://x/y/z"}}, []])
def test_an_unknown_embed_costs_nothing(embed: object) -> None:
    assert post_of({"embed": embed}).text == "Tỏi chữa bách bệnh"


def test_a_long_description_joins_only_a_wordless_post() -> None:
    embed = {"images": [{"alt": "rất dài " * 60}]}
    assert "rất dài" not in post_of({"embed": embed}).text
    assert "rất dài" in post_of({"embed": embed, "text": ""}).text


def test_an_account_that_asks_for_signed_in_readers_is_left_out() -> None:
    wish = [{"src": LAN, "val": "!no-unauthenticated"}]
    wishing = VIEW["author"] | {"labels": wish}
    assert reasons(page_of({"posts": [view(author=wishing)]})) == ["opted_out"]
    assert reasons(page_of({"posts": [view(labels=wish)]})) == ["opted_out"]
    assert len(page_of({"posts": [view(author=wishing)]}, policy="none").posts) == 1


def test_a_label_taken_back_does_not_hold() -> None:
    label = {"src": LAN, "val": "!no-unauthenticated"}
    assert post_of(labels=[label, label | {"neg": True}]).text


@pytest.mark.parametrize(("value", "reason"), [("!takedown", "deleted"), ("!suspend", "deleted"), ("!hide", "hidden")])
def test_what_moderators_removed_is_left_out_under_any_policy(value: str, reason: str) -> None:
    answer = {"posts": [view(labels=[{"src": "did:plc:mod", "val": value}])]}
    assert reasons(page_of(answer, policy="none")) == [reason]


def test_other_labels_leave_a_post_in() -> None:
    assert post_of(labels=[{"src": "did:plc:mod", "val": "spam"}, None, {"val": 4}]).text


def test_a_repost_is_the_post_it_shares() -> None:
    page = page_of({"feed": [ANSWER]})
    assert page.posts[0].author == ANSWER["post"]["author"]["did"]
    assert page.dropped[0].uri.startswith(f"at://{LAN}/app.bsky.feed.repost/")
    twice = page_of({"feed": [ANSWER, ANSWER | {"reason": None}]})
    assert reasons(twice) == ["repost", "repeated"]


def test_a_pinned_post_counts_once_and_moves_no_watermark() -> None:
    page = page_of({"feed": FEED[:2]})
    assert page.watermark["oldest_id"] == "3m6root00001a"
    assert [post.native_id for post in page_of({"feed": [FEED[0], FEED[-1]]}).posts] == ["3m5pinn00001a"]


def test_a_reply_names_its_parent_even_where_it_is_gone() -> None:
    gone = {"uri": VIEW["uri"], "notFound": True, "$type": "app.bsky.feed.defs#notFoundPost"}
    page = page_of({"feed": [{"post": ANSWER["post"], "reply": {"parent": gone, "root": gone}}]})
    assert page.posts[0].reply_to == VIEW["uri"]


@pytest.mark.parametrize(
    ("claimed", "seen", "expected"),
    [
        ("2026-11-22T08:00:00.123456+00:00", "2026-11-22T09:00:00Z", datetime(2026, 11, 22, 8, 0, 0, 123456, UTC)),
        ("2026-11-23T09:00:00Z", "2026-11-22T09:00:00Z", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("0123-01-01T00:00:00Z", "2026-11-22T09:00:00Z", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("3001-12-31T00:00:00Z", "2026-11-22T09:00:00Z", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("1985-00-12T23:20:50Z", "2026-11-22T09:00:00Z", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("2026-11-22T16:00:00.1235678912345+07:00", None, datetime(2026, 11, 22, 9, 0, 0, 123567, UTC)),
        (None, "rubbish", None),
    ],
)
def test_the_time_is_the_claimed_one_where_it_can_be(claimed: object, seen: object, expected: datetime | None) -> None:
    assert post_of({"createdAt": claimed}, indexedAt=seen).created_at == expected


def test_a_post_without_any_date_is_kept_and_said() -> None:
    page = page_of({"posts": [view({"createdAt": "1970-01-01T00:00:00Z"}, indexedAt="1970-01-01T00:00:00Z")]})
    assert page.problems == ("undated: 1 posts have no usable date",)
    assert page.watermark == {}


def test_the_language_is_told_from_the_text_where_none_is_declared() -> None:
    assert post_of({"text": "Salt water does not cure COVID and it never did."}).language == "en"
    assert post_of({"text": "Uống nước muối là khỏi bệnh ngay", "langs": ["en-US", 3]}).language == "vi"


@pytest.mark.parametrize("cursor", ["25", "2026-11-17T07:00:00Z", "3m6root00001a"])
def test_a_cursor_is_passed_on_as_it_is(cursor: str) -> None:
    page = page_of({"posts": [VIEW], "cursor": cursor}, url=f"{ADDRESS}&cursor=old")
    assert page.next is not None
    assert page.next.startswith(f"{ADDRESS}&cursor=")
    assert "old" not in page.next
    assert page_of({"posts": [VIEW], "cursor": cursor}).next is not None


def test_the_list_ends_where_the_platform_ends_it() -> None:
    assert page_of({"posts": [VIEW]}, url=ADDRESS).next is None
    assert page_of({"posts": [VIEW], "cursor": "25"}, url=f"{ADDRESS}&cursor=25").next is None


def test_the_next_page_holds_no_token() -> None:
    page = page_of({"posts": [], "cursor": "25"}, url=f"{ADDRESS}&access_token=geheim")
    assert page.next == f"{ADDRESS}&cursor=25"


def test_search_quotes_posts_and_bare_lists_are_told_by_shape() -> None:
    answers: tuple[Any, ...] = (
        {"posts": [VIEW], "hitsTotal": 9},
        {"uri": "at://x", "posts": [VIEW]},
        [VIEW],
        FEED[1:2],
        VIEW,
    )
    for answer in answers:
        assert [post.uri for post in page_of(answer).posts] == [VIEW["uri"]]


def node(post: object, **more: Any) -> dict[str, Any]:
    return {"$type": "app.bsky.feed.defs#threadViewPost", "post": post, **more}


def gap(kind: str, uri: str) -> dict[str, Any]:
    return {"$type": f"app.bsky.feed.defs#{kind}", "uri": uri}


def test_a_thread_is_read_from_its_top_and_its_gaps_are_named() -> None:
    above = node(view(uri=f"at://{LAN}/app.bsky.feed.post/top"), parent=gap("notFoundPost", "at://gone"))
    below = [node(ANSWER["post"], replies=[gap("blockedPost", "at://blocked")]), {"$type": "org.example#new"}]
    page = page_of({"thread": node(VIEW, parent=above, replies=below)})
    assert [post.native_id for post in page.posts] == ["top", "3m6root00001a", "3m6answ00001a"]
    assert [(one.uri, one.reason) for one in page.dropped] == [("at://gone", "deleted"), ("at://blocked", "blocked")]
    assert [one.reason for one in page.rejected] == ["not_a_post"]
    assert page.next is None


def test_a_thread_in_rows_is_read_too() -> None:
    kinds = ("threadItemNotFound", "threadItemBlocked", "threadItemNoUnauthenticated")
    rows = [{"uri": f"at://{kind}", "value": {"$type": f"app.bsky.unspecced.defs#{kind}"}} for kind in kinds]
    page = page_of({"thread": [{"uri": VIEW["uri"], "depth": 0, "value": {"post": VIEW}}, *rows]})
    assert len(page.posts) == 1
    assert reasons(page) == ["deleted", "blocked", "opted_out"]


def test_a_very_deep_thread_is_read_or_named() -> None:
    thread = node(VIEW)
    for number in range(150):
        thread = node(view(uri=f"at://{LAN}/app.bsky.feed.post/{number}"), replies=[thread])
    assert len(page_of({"thread": thread}).posts) == 151
    assert page_of(b'{"thread":' * 100_000).problems


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"uri": None}, "no_uri"), ({"author": None}, "no_author"), ({"record": "x"}, "no_record"),
     ({"record": {"$type": "app.bsky.feed.like"}}, "not_a_post")],
)  # fmt: skip
def test_one_bad_post_does_not_cost_the_page(change: dict[str, Any], reason: str) -> None:
    page = page_of({"posts": [VIEW | change, ANSWER["post"], None, 5]})
    assert len(page.posts) == 1
    assert [one.reason for one in page.rejected] == [reason, "not_a_post", "not_a_post"]


def test_a_rejected_row_is_scrubbed() -> None:
    page = page_of({"posts": [VIEW | {"uri": "", "record": {"text": "Mộc Lan: gọi 0901234567"}}]})
    assert "0901234567" not in page.rejected[0].row


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ({"error": "InvalidRequest", "message": "Profile not found"}, 400, "bad_request"),
        ({"error": "InvalidRequest", "message": "Error: Params must have the property q"}, 0, "bad_request"),
        ({"error": "NotFound", "message": "Post not found"}, 400, "not_found"),
        ({"error": "AuthMissing", "message": "Authentication Required"}, 401, "login_needed"),
        ({"error": "ExpiredToken", "message": "Token has expired"}, 400, "login_needed"),
        ({"error": "Forbidden"}, 403, "forbidden"),
        ({"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, 429, "rate_limited"),
        ({"error": "UpstreamFailure"}, 502, "unavailable"),
        ({"error": "SomethingNew"}, 0, "refused"),
    ],
)
def test_errors_of_the_protocol_are_named(error: dict[str, str], status: int, code: str) -> None:
    page = page_of(error, status=status)
    assert page.understood
    assert page.problems[0].partition(":")[0] == code


def test_the_wall_before_further_search_pages_is_named() -> None:
    wall = b"<html><body><h1>403 Forbidden</h1>\nNot this way.\n</body></html>"
    assert page_of(wall).problems[0].startswith("forbidden:")
    assert page_of(b"<html>Nope</html>", status=403).problems[0].startswith("forbidden:")


def test_other_answers_of_the_protocol_are_named() -> None:
    account = {"did": LAN, "handle": "a.example"}
    answers: tuple[dict[str, Any], ...] = (account, {"actors": []}, {"accessJwt": "x"}, {"feeds": []})
    for answer in answers:
        page = page_of(answer)
        assert (page.understood, page.posts, len(page.problems)) == (True, (), 1)


@pytest.mark.parametrize("rubbish", [b"hello", b"[1, 2]", b"{}", b"7", b'{"feed": 3}', b'{"posts": [', b"\xff\xfe\x00"])
def test_rubbish_is_not_understood(rubbish: bytes) -> None:
    page = page_of(rubbish)
    assert not page.understood
    assert page.problems


def test_nothing_new_is_no_failure() -> None:
    answers: tuple[object, ...] = ({"feed": []}, {"posts": []}, b"")
    for answer in answers:
        page = page_of(answer)
        assert page.understood
        assert page.problems[0].startswith("empty:")


@given(st.data())
def test_no_mutation_raises(data: st.DataObject) -> None:
    body = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 8))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    page_of(bytes(body[: data.draw(st.integers(0, len(body)))]))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(VIEW)), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(VIEW)), st.sampled_from(["text", "facets", "embed", "reply", "langs", "labels"]), _VALUES)
def test_no_value_of_any_field_raises(field: str, part: str, value: Any) -> None:
    for post in (VIEW | {field: value}, view({part: value}), {"post": VIEW, "reply": value, "reason": value}):
        page = page_of(json.dumps({"feed": [post]}).encode("utf-8", "replace"))
        assert len(page.posts) + len(page.dropped) + len(page.rejected) == 1


# What is asked next


def plan_of(**settings: Any) -> BlueskyPlan:
    return BlueskyPlan("bsky", BlueskySettings.model_validate(settings))


def page_with(oldest: str = "", newest: str = "", cursor: str = "", **more: Any) -> Page:
    mark = {"oldest_at": oldest, "newest_at": newest} if oldest else {}
    posts = (Found(platform="bluesky", uri="at://x"),) if oldest else ()
    return Page(posts=posts, watermark=mark, next=f"{ADDRESS}&cursor={cursor}" if cursor else None, **more)


TIMES = [f"2026-11-{day}T00:00:00.000000+00:00" for day in (20, 21, 22, 23)]


def test_an_account_is_walked_to_its_end_and_then_the_next() -> None:
    plan = plan_of(actors=["moclan.bsky.social", LAN])
    ask = plan.first({})
    assert ask.url.startswith("https://public.api.bsky.app/xrpc/app.bsky.feed.getAuthorFeed?actor=moclan.bsky.social&")
    step = plan.after(ask, {}, page_with(TIMES[2], TIMES[3], "c 1"))
    assert step.ask is not None
    assert step.ask.url == f"{ask.url}&cursor=c+1"
    step = plan.after(step.ask, step.state, page_with(TIMES[0], TIMES[1]))
    assert step.ask is not None
    assert "did%3Aplc%3A" in step.ask.url
    step = plan.after(step.ask, step.state, page_with())
    assert step.ask is None
    assert list(step.state["done"].values()) == [TIMES[3]]
    assert "now" not in step.state


def test_a_killed_crawl_goes_on_where_it_stopped() -> None:
    plan = plan_of(actors="moclan.bsky.social, bendorn.example")
    state = plan.after(plan.first({}), {}, page_with(TIMES[2], TIMES[3], "7")).state
    assert json.loads(json.dumps(state)) == state
    assert plan.first(state).url.endswith("cursor=7")
    state = plan.after(plan.first(state), state, page_with(TIMES[0], TIMES[1])).state
    assert "bendorn" in plan.first(state).url


def test_a_poll_stops_at_known_ground() -> None:
    plan = plan_of(actors=["moclan.bsky.social"])
    first = plan.first({})
    state = {**plan.after(first, {}, page_with(TIMES[0], TIMES[2])).state, "page": 4}
    on = plan.after(first, state, page_with(TIMES[2], TIMES[3], "7"))
    assert on.ask is not None
    assert on.state["page"] == 4
    assert plan.after(on.ask, on.state, page_with(TIMES[1], TIMES[2], "8")).ask is None


def test_one_empty_page_is_not_the_end_but_two_are() -> None:
    plan = plan_of(actors=["moclan.bsky.social"])
    step = plan.after(plan.first({}), {}, page_with(cursor="1"))
    assert step.ask is not None
    assert plan.after(step.ask, step.state, page_with(cursor="2")).ask is None


def test_an_account_that_is_gone_does_not_stop_the_others() -> None:
    plan = plan_of(actors=["moclan.bsky.social", "bendorn.example"])
    step = plan.after(plan.first({}), {}, Page(problems=("bad_request: the server did not accept the question",)))
    assert step.ask is not None
    assert "bendorn" in step.ask.url


@pytest.mark.parametrize(("code", "permanent"), [("forbidden", True), ("login_needed", True), ("rate_limited", False)])
def test_a_closed_door_ends_the_crawl(code: str, permanent: bool) -> None:
    plan = plan_of(actors=["moclan.bsky.social"])
    with pytest.raises(SourceError) as caught:
        plan.after(plan.first({}), {}, Page(problems=(f"{code}: no",)))
    assert caught.value.permanent is permanent


def test_a_search_needs_a_token_and_keeps_it_to_itself() -> None:
    with pytest.raises(SourceError, match="set CLAIMWATCH_BLUESKY_TOKEN first") as caught:
        plan_of(search="vắc xin").first({})
    assert caught.value.permanent
    settings = BlueskySettings.model_validate({"search": "vắc xin", "credential": "geheim"})
    assert "geheim" not in repr(settings) + settings.model_dump_json()
    plan = BlueskyPlan("bsky", settings)
    ask = plan.first({})
    assert ask.url.startswith("https://bsky.social/xrpc/app.bsky.feed.searchPosts?q=v%E1%BA%AFc+xin&sort=latest")
    assert ask.headers["Authorization"] == "Bearer geheim"
    assert "geheim" not in json.dumps(dict(plan.after(ask, {}, page_with(TIMES[0], TIMES[1], "1")).state)) + ask.url


def test_accounts_need_no_token_and_the_cursor_names_none() -> None:
    plan = plan_of(actors=["moclan.bsky.social"], with_replies=False)
    ask = plan.first({})
    assert "Authorization" not in ask.headers
    assert "filter=posts_no_replies" in ask.url
    assert "moclan" not in json.dumps(dict(plan.after(ask, {}, page_with(TIMES[0], TIMES[1], "1")).state))


def test_a_cursor_of_other_settings_begins_anew() -> None:
    plan = plan_of(actors=["moclan.bsky.social"])
    assert plan.first({"now": {"key": "of another account", "cursor": "9"}}) == plan.first({})
    stray = plan.after(Ask(url="https://x.example", mark="unknown"), {}, page_with())
    assert stray.ask is None


@pytest.mark.parametrize("settings", [{}, {"actors": []}, {"actors": ["@mai"]}, {"actors": ["x y.z"]}, {"querry": "x"}])
def test_settings_that_ask_nothing_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BlueskySettings.model_validate(settings)
