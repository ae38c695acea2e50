"""Lemmy answers: which posts and comments come of them, which are left out and why, and how a community is asked."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.lemmy.markdown import markdown_to_text
from crawlers.lemmy.parse import parse
from crawlers.lemmy.spider import CommunityPlan, LemmySettings
from crawlers.page import Found, Page

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "crawlers" / "lemmy" / "sample.json").read_bytes()
VIEWS: list[dict[str, Any]] = json.loads(SAMPLE)["posts"]
FIRST = VIEWS[0]
LIST = "https://vuon.example/api/v3/post/list?sort=New&page=1"


def page_of(
    answer: object, *, url: str = "", headers: Mapping[str, str] | None = None, policy: str = "respectful"
) -> Page:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return parse(body, url=url, headers=headers or {}, now=NOW, policy=policy)


def post_of(**changes: Any) -> Found:
    (post,) = page_of({"post_view": FIRST | {"post": FIRST["post"] | changes}}).posts
    return post


def comment(number: int, path: str, content: str = "Không đúng", **changes: Any) -> dict[str, Any]:
    thing = {
        "id": number, "post_id": 901, "content": content, "path": path, "published": "2026-11-21T10:00:00Z",
        "ap_id": f"https://vuon.example/comment/{number}", "removed": False, "deleted": False,
    }  # fmt: skip
    counts = {"upvotes": 3, "downvotes": 1, "child_count": 2}
    return {"comment": thing | changes, "creator": FIRST["creator"], "counts": counts}


def reasons(page: Page) -> list[str]:
    return [each.reason for each in page.dropped]


def test_every_post_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE)
    assert [post.native_id for post in page.posts] == ["901", "899"]
    assert reasons(page) == ["deleted", "private", "opted_out"]
    assert [each.reason for each in page.rejected] == ["no_uri"]
    assert "Khánh Vy" not in page.rejected[0].row
    assert (page.problems, page.understood) == ((), True)
    assert page.watermark == {"newest_id": "901", "oldest_id": "895"}


def test_policy_none_keeps_who_asked_out() -> None:
    assert reasons(page_of(SAMPLE, policy="none")) == ["deleted", "private"]


def test_a_post_carries_its_facts() -> None:
    post = page_of(SAMPLE).posts[0]
    assert (post.uri, post.author) == ("https://vuon.example/post/31", "https://vuon.example/u/khanhvy")
    assert (post.platform, post.language, post.url_is_public) == ("lemmy", "vi", True)
    assert (post.likes, post.replies, post.shares, post.views) == (25, 12, None, None)


def test_a_time_without_a_zone_is_utc() -> None:
    old, new = page_of(SAMPLE).posts
    assert old.created_at == datetime(2026, 11, 20, 8, 0, 0, 254290, tzinfo=UTC)
    assert old.edited_at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert new.created_at == datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


def test_the_text_is_title_and_body_without_their_marks() -> None:
    text = page_of(SAMPLE).posts[0].text
    assert text.startswith(
        "Lá đu đủ chữa **sốt xuất huyết**?\n\nHỏi cả nhà\n\nDì Tư bảo uống nước lá đu đủ là khỏi hết"
    )
    assert "> trích: uống ba ngày" in text
    assert "& áp phích" in text
    assert "bichdao" not in text
    assert "](" not in text


def test_a_picture_is_its_description_and_a_bot_is_kept() -> None:
    assert page_of(SAMPLE).posts[1].text == "Health news\n\nPoster: measles vaccine day"


def test_the_authors_names_are_scrubbed() -> None:
    assert "\n\n[user] ([user]) kể\n\n" in post_of(body="Phan Khánh Vy (khanhvy) kể").text


def test_a_post_of_another_network_keeps_its_link_sealed() -> None:
    assert not post_of(ap_id="https://vuon.example/users/mai/statuses/1").url_is_public


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"post": FIRST["post"] | {"deleted": True}}, "deleted"),
        ({"post": FIRST["post"] | {"removed": True}}, "deleted"),
        ({"post": FIRST["post"] | {"type": "Tombstone"}}, "deleted"),
        ({"post": FIRST["post"] | {"local_only": True}}, "private"),
        ({"community": {"local_only": True}}, "private"),
        ({"community": {"visibility": "Private"}}, "private"),
        ({"community": {"visibility": "local_only_public"}}, "private"),
        ({"community": {"removed": True}}, "deleted"),
    ],
)
def test_what_is_gone_or_closed_is_dropped_under_any_policy(changes: dict[str, Any], reason: str) -> None:
    assert reasons(page_of({"posts": [FIRST | changes]}, policy="none")) == [reason]


def test_a_tombstone_is_a_deleted_post() -> None:
    page = page_of({"type": "Tombstone", "id": "https://vuon.example/post/31"})
    assert [(one.uri, one.reason) for one in page.dropped] == [("https://vuon.example/post/31", "deleted")]


def test_children_find_their_parents_wherever_these_stand() -> None:
    child, root = comment(200, "0.100.200"), comment(100, "0.100") | {"post": FIRST["post"]}
    found = page_of({"comments": [child, root, comment(300, "0.99.300")]}).posts
    assert [post.reply_to for post in found] == [root["comment"]["ap_id"], FIRST["post"]["ap_id"], ""]
    assert (found[0].title, found[0].likes, found[0].replies) == ("", 3, 2)


def test_a_comment_below_a_deleted_post_is_gone_too() -> None:
    below = comment(100, "0.100") | {"post": FIRST["post"] | {"deleted": True}}
    assert reasons(page_of({"comments": [below, comment(101, "0.101", removed=True)]})) == ["deleted", "deleted"]


def test_a_view_of_the_next_version_is_read() -> None:
    thing = {key: value for key, value in FIRST["post"].items() if key not in ("published", "updated")}
    view = {"post": thing | {"published_at": "2026-11-20T08:00:00Z", "upvotes": 4, "comments": 1}}
    view["creator"] = {"ap_id": "https://vuon.example/u/khanhvy"}
    (post,) = page_of({"items": [view]}).posts
    assert (post.author, post.likes, post.replies) == ("https://vuon.example/u/khanhvy", 4, 1)
    assert post.created_at == datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def test_an_opaque_token_leads_to_the_next_page() -> None:
    assert page_of(SAMPLE, url=LIST).next == "https://vuon.example/api/v3/post/list?sort=New&page_cursor=P37f"
    assert page_of(SAMPLE).next == "?page_cursor=P37f"
    signed_in = page_of(SAMPLE, url=f"{LIST}&auth=secret").next
    assert signed_in is not None
    assert "secret" not in signed_in


def test_an_older_server_counts_its_pages() -> None:
    listed = {"posts": VIEWS}
    assert page_of(listed, url=LIST).next == "https://vuon.example/api/v3/post/list?sort=New&page=2"
    assert page_of({"posts": []}, url=LIST).next is None
    assert page_of(listed).next is None


def test_an_empty_list_moves_nothing() -> None:
    page = page_of({"posts": []})
    assert (page.posts, page.watermark, page.problems) == ((), {}, ("empty: nothing new",))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": "couldnt_find_post"}, "not_found"),
        ({"error": "not_logged_in"}, "login_needed"),
        ({"error": "rate_limit_error"}, "rate_limited"),
        ({"error": "unknown", "message": "x"}, "unavailable"),
        ({"site_view": {}}, "instance"),
        ({"person_view": {}, "moderates": []}, "accounts"),
        (b"<html><head><title>502 Bad Gateway</title></head></html>", "unavailable"),
        (b"", "empty"),
    ],
)
def test_an_answer_without_posts_is_named(answer: object, code: str) -> None:
    page = page_of(answer)
    assert page.understood
    assert page.posts == ()
    assert [problem.partition(":")[0] for problem in page.problems] == [code]


@pytest.mark.parametrize(
    ("body", "code"),
    [(SAMPLE[:-900], "cut_off"), (b"<rss/>", "not_json"), (b"[1]", "not_lemmy"), (b'{"a": 1}', "not_lemmy")],
)
def test_rubbish_is_not_understood(body: bytes, code: str) -> None:
    page = page_of(body)
    assert not page.understood
    assert page.problems[0].startswith(f"{code}: ")


def test_one_bad_view_never_costs_the_page() -> None:
    nameless = FIRST | {"post": FIRST["post"] | {"name": None}}
    page = page_of({"posts": [None, {"post": 5}, nameless, FIRST]})
    assert len(page.posts) == 1
    assert [each.reason for each in page.rejected] == ["not_a_post", "not_a_post", "no_text"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**tỏi** và __gừng__ ***chữa***", "tỏi và gừng chữa"),
        ("2 * 3 * 4 và ten_tep_nay", "2 * 3 * 4 và ten_tep_nay"),
        ("`mã` và \\*không\\*", "mã và *không*"),
        ("```\nkhối\n```\nhết", "khối\nhết"),
        ("::: spoiler bí mật\nlá ổi\n:::", "bí mật\nlá ổi\n"),
        ("[xem](https://a.example 'tựa') <https://b.example>", "xem https://b.example"),
        ("trên\n\n---\ndưới", "trên\n\n\ndưới"),
        ("[ ] chưa, [x] rồi", "[ ] chưa, [x] rồi"),
    ],
)
def test_markdown_becomes_what_is_read(written: str, shown: str) -> None:
    assert markdown_to_text(written) == shown


def test_hostile_markdown_takes_no_time() -> None:
    started = time.monotonic()
    for piece in ("**a ", "[", "![](", "*_", "`", "\\", "> ", ":::", "- - "):
        markdown_to_text(piece * (50_000 // len(piece)))
    assert time.monotonic() - started < 60


RUBBISH: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.builds(list) | st.builds(dict)
)


@given(st.data())
def test_no_damage_raises_or_goes_unsaid(data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        body = bytearray(SAMPLE[: data.draw(st.integers(0, len(SAMPLE)))])
        for place in data.draw(st.lists(st.integers(0, max(len(body) - 1, 0)), max_size=5)) if body else ():
            body[place] = data.draw(st.integers(0, 255))
        page = page_of(bytes(body))
    else:
        views = json.loads(SAMPLE)["posts"]
        for _ in range(data.draw(st.integers(1, 4))):
            view = data.draw(st.sampled_from(views))
            holders = [view, *(each for each in view.values() if isinstance(each, dict) and each)]
            holder = data.draw(st.sampled_from(holders))
            holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(RUBBISH)
        page = page_of({"posts": views})
    assert page.posts or page.problems
    assert all(post.uri and post.text for post in page.posts)


KEYS = [
    "posts",
    "comments",
    "post",
    "comment",
    "post_view",
    "creator",
    "counts",
    "ap_id",
    "id",
    "path",
    "type",
    "error",
]


@given(st.recursive(RUBBISH, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner)),
       st.text(max_size=9))  # fmt: skip
def test_no_json_raises(answer: object, url: str) -> None:
    page = page_of(answer, url=url)
    assert page.posts or page.problems


PLAN = CommunityPlan("l", LemmySettings(base_url="https://vuon.example/", community="suckhoe@vuon.example"))
POST = Found(platform="lemmy", uri="https://vuon.example/post/1", text="a")


def walked(newest: int, oldest: int, following: str | None) -> Page:
    return Page(posts=(POST,), watermark={"newest_id": str(newest), "oldest_id": str(oldest)}, next=following)


def test_posts_are_walked_then_comments() -> None:
    ask = PLAN.first({})
    assert ask.url.startswith("https://vuon.example/api/v3/post/list?sort=New")
    assert "community_name=suckhoe%40vuon.example" in ask.url
    step = PLAN.after(ask, {}, walked(90, 41, "https://vuon.example/2"))
    assert step.ask is not None
    assert PLAN.first(step.state) == step.ask  # killed here: the older page is still owed
    comments = PLAN.after(step.ask, step.state, Page(next="https://vuon.example/3"))
    assert comments.ask is not None
    assert "/comment/list?" in comments.ask.url
    end = PLAN.after(comments.ask, comments.state, walked(7, 1, None))
    assert (end.ask, dict(end.state)) == (None, {"post": {"newest": 90}, "comment": {"newest": 7}})


def test_a_later_crawl_ends_at_a_page_without_news() -> None:
    state = {"post": {"newest": 90}}
    late = PLAN.after(PLAN.first(state), state, walked(99, 12, "https://vuon.example/2"))
    assert late.ask is not None
    assert late.ask.turn == "post:older"  # a post that came late stands among older ones
    known = PLAN.after(late.ask, late.state, walked(88, 10, "https://vuon.example/3"))
    assert known.state["post"] == {"newest": 99}


def test_comments_can_be_left_out() -> None:
    plan = CommunityPlan("l", LemmySettings(comments=False))
    assert plan.after(plan.first({}), {}, walked(9, 1, None)).ask is None
