"""Discourse answers: which posts come of them, which are left out and why, and how a forum is asked."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimwatch.errors import SourceError
from crawlers.discourse.parse import parse
from crawlers.discourse.spider import DiscourseSettings, ForumPlan
from crawlers.page import Found, Page

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "crawlers" / "discourse" / "sample.json").read_bytes()
TOPIC: dict[str, Any] = json.loads(SAMPLE)
POSTS: list[dict[str, Any]] = TOPIC["post_stream"]["posts"]
BASE = "https://dien-dan.example"
HERE = f"{BASE}/t/77.json"


def page_of(
    answer: object, *, url: str = HERE, headers: Mapping[str, str] | None = None, policy: str = "respectful"
) -> Page:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return parse(body, url=url, headers=headers or {}, now=NOW, policy=policy)


def topic_of(*posts: object, **changes: Any) -> dict[str, Any]:
    return TOPIC | changes | {"post_stream": {"posts": list(posts), "stream": []}}


def post_of(**changes: Any) -> Found:
    (post,) = page_of(topic_of(POSTS[0] | changes)).posts
    return post


def reasons(page: Page) -> list[str]:
    return [each.reason for each in page.dropped]


def listed(*topics: dict[str, Any], more: str | None = "/latest?no_definitions=true&page=1") -> dict[str, Any]:
    users = [{"id": 15, "username": "thusuong", "name": "Đặng Thu Sương"}]
    return {"users": users, "topic_list": {"more_topics_url": more, "topics": list(topics)}}


TOPIC_ROW = {
    "id": 77, "title": "Nước muối và sởi", "created_at": "2026-11-18T08:00:00.000-05:00", "highest_post_number": 18,
    "posts_count": 9, "views": 268, "like_count": 14, "visible": True, "archetype": "regular",
    "excerpt": "Có người nói <b>ngậm</b> nước muối&hellip;", "posters": [{"user_id": 15, "description": "OP"}],
}  # fmt: skip


def test_every_post_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE)
    assert [post.uri for post in page.posts] == [f"{BASE}/t/77/1", f"{BASE}/t/77/14"]
    assert reasons(page) == ["service", "private", "deleted", "deleted", "empty"]
    assert [each.reason for each in page.rejected] == ["no_id"]
    assert (page.problems, page.understood) == ((), True)


def test_a_post_carries_its_facts() -> None:
    post = page_of(SAMPLE).posts[0]
    assert (post.platform, post.native_id, post.author) == ("discourse", "501", "dien-dan.example:15")
    assert (post.url, post.url_is_public) == (f"{BASE}/t/77/1", True)
    assert (post.likes, post.replies, post.views, post.language) == (5, 2, 34, "vi")


def test_times_ahead_of_utc_are_read() -> None:
    post = page_of(SAMPLE).posts[0]
    assert post.created_at == datetime(2026, 11, 18, 13, 0, 0, 278000, tzinfo=UTC)
    assert post.edited_at == datetime(2026, 11, 18, 14, 30, 0, 278000, tzinfo=UTC)
    assert page_of(SAMPLE).posts[1].edited_at is None


def test_the_topics_title_begins_its_first_post_alone() -> None:
    first, reply = page_of(SAMPLE).posts
    assert first.title == "Nước muối & sởi: hỏi bác sĩ"
    assert first.text.startswith("Nước muối & sởi: hỏi bác sĩ\n\nCó người nói ngậm nước muối là không lây sởi.\nCó")
    assert (reply.title, reply.reply_to) == ("", first.uri)


def test_quotes_are_cut_and_previews_stay() -> None:
    first, reply = page_of(SAMPLE).posts
    assert reply.text.startswith("Không đúng, [user] à: chỉ vắc xin mới ngừa được sởi.")
    assert "Sởi lây qua không khí" in first.text
    assert "IMG_2041" not in first.text


def test_no_name_stays_in_a_text() -> None:
    assert "bacsivuon" not in page_of(SAMPLE).posts[0].text
    assert "Sương" not in post_of(cooked="<p>Đặng Thu Sương bảo thế</p>").text


def test_gaps_in_the_numbers_are_normal() -> None:
    page = page_of(SAMPLE)
    assert [post.uri.rpartition("/")[2] for post in page.posts] == ["1", "14"]
    assert page.watermark == {"newest_id": "521", "oldest_id": "501"}


@pytest.mark.parametrize("mark", ["deleted_at", "user_deleted", "hidden"])
def test_what_the_forum_took_away_is_deleted(mark: str) -> None:
    page = page_of(topic_of(POSTS[0] | {mark: "2026-11-19T00:00:00Z" if mark == "deleted_at" else True}))
    assert [(one.uri, one.reason) for one in page.dropped] == [(f"{BASE}/t/77/1", "deleted")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deleted_at": "2026-11-19T00:00:00Z"}, "deleted"),
        ({"archetype": "private_message"}, "private"),
        ({"category": {"read_restricted": True}}, "private"),
        ({"visible": False}, "unlisted"),
    ],
)
def test_a_closed_topic_gives_nothing(changes: dict[str, Any], reason: str) -> None:
    assert reasons(page_of(topic_of(POSTS[0], **changes))) == [reason]
    assert reasons(page_of(listed(TOPIC_ROW | changes))) == [reason]


def test_policy_none_keeps_an_unlisted_topic() -> None:
    assert len(page_of(topic_of(POSTS[0], visible=False), policy="none").posts) == 1


def test_the_rest_of_a_long_topic_is_on_its_next_page() -> None:
    assert page_of(SAMPLE).next == f"{BASE}/t/77.json?page=2"
    assert page_of(SAMPLE, url=f"{HERE}?page=3").next == f"{BASE}/t/77.json?page=4"
    whole = TOPIC | {"post_stream": {"posts": POSTS, "stream": [501, 521]}}
    assert page_of(whole).next is None


def test_a_topic_of_a_list_is_kept_under_its_own_address() -> None:
    page = page_of(listed(TOPIC_ROW), url=f"{BASE}/latest.json")
    (post,) = page.posts
    assert (post.uri, post.author) == (f"{BASE}/t/77", "dien-dan.example:15")
    assert post.text == "Nước muối và sởi\n\nCó người nói ngậm nước muối…"
    assert post.created_at == datetime(2026, 11, 18, 13, 0, tzinfo=UTC)
    assert (post.views, post.replies, post.likes) == (268, 8, None)
    assert page.watermark == {"topics": "77:18"}


def test_three_topics_with_one_id_are_one() -> None:
    page = page_of(listed(TOPIC_ROW, TOPIC_ROW | {"title": "Khác"}, TOPIC_ROW), url=f"{BASE}/latest.json")
    assert len(page.posts) == 1
    assert reasons(page) == ["repeated", "repeated"]
    assert page.watermark == {"topics": "77:18"}


def test_the_relative_next_list_is_made_whole() -> None:
    latest = f"{BASE}/latest.json"
    assert page_of(listed(TOPIC_ROW), url=latest).next == f"{latest}?no_definitions=true&page=1"
    assert page_of(listed(TOPIC_ROW, more="/latest.json?page=1"), url=latest).next == f"{latest}?page=1"
    assert page_of(listed(TOPIC_ROW, more=None), url=latest).next is None
    assert page_of(listed(TOPIC_ROW), url="").next == "/latest.json?no_definitions=true&page=1"


def test_a_forum_in_a_folder_keeps_it() -> None:
    page = page_of(SAMPLE, url="https://truong.example/forum/t/nuoc-muoi/77.json")
    assert page.posts[0].uri == "https://truong.example/forum/t/77/1"
    assert page.next == "https://truong.example/forum/t/77.json?page=2"


def test_the_newest_posts_of_a_forum_are_read() -> None:
    posts = [POSTS[0] | {"topic_title": "Sởi"}, POSTS[5] | {"topic_title": "Sởi"}]
    page = page_of({"latest_posts": posts}, url=f"{BASE}/posts.json")
    assert [post.title for post in page.posts] == ["Sởi", ""]
    assert page.next == f"{BASE}/posts.json?before=500"
    assert page_of({"latest_posts": []}).next is None


def test_searches_of_both_ages_are_read() -> None:
    found = {"id": 501, "username": "thusuong", "blurb": "nước muối ...", "post_number": 1, "topic_id": 77}
    new = {"posts": [found], "topics": [TOPIC_ROW, TOPIC_ROW | {"id": 78}], "grouped_search_result": {}}
    assert [post.uri for post in page_of(new).posts] == [f"{BASE}/t/77/1", f"{BASE}/t/78"]
    assert page_of(new).posts[0].title == "Nước muối và sởi"
    old = [
        {"type": "topic", "results": [{"id": 1, "title": "Một", "url": "/t/mot/1"}]},
        {"type": "user", "results": [{"id": "mai", "title": "mai"}]},
    ]
    page = page_of(old)
    assert ([post.text for post in page.posts], reasons(page)) == (["Một"], ["account"])
    assert page_of({"posts": None, "topics": None, "grouped_search_result": None}).problems == ("empty: nothing new",)


def test_a_single_post_is_read() -> None:
    assert page_of(POSTS[0] | {"topic_title": "Sởi"}).posts[0].title == "Sởi"


def test_without_an_address_no_link_is_kept() -> None:
    post = page_of(SAMPLE, url="").posts[0]
    assert (post.uri, post.url, post.url_is_public) == ("/t/77/1", "", False)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"errors": ["Xin chờ"], "error_type": "rate_limit", "extras": {"wait_seconds": 39}},
         "rate_limited: too many questions, wait 39 seconds"),
        (b"<html><head><title>429 Too Many Requests</title></head><hr><center>nginx</center></html>", "rate_limited: "),
        ({"errors": ["Bạn cần đăng nhập"], "error_type": "not_logged_in"}, "login_needed: "),
        ({"errors": ["x"], "error_type": "invalid_access"}, "forbidden: "),
        ({"errors": ["The requested URL could not be found."], "error_type": "not_found"}, "not_found: "),
        ({"category_list": {}}, "categories: "),
        ({"user": {}}, "accounts: "),
        (b"", "empty: "),
    ],
)  # fmt: skip
def test_an_answer_without_posts_is_named(answer: object, problem: str) -> None:
    page = page_of(answer)
    assert page.understood
    assert page.posts == ()
    assert page.problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("body", "code"),
    [(SAMPLE[:-900], "cut_off"), (b"<rss/>", "not_json"), (b"[1]", "not_discourse"), (b'{"a": 1}', "not_discourse")],
)
def test_rubbish_is_not_understood(body: bytes, code: str) -> None:
    page = page_of(body)
    assert not page.understood
    assert page.problems[0].startswith(f"{code}: ")


def test_one_bad_post_never_costs_the_page() -> None:
    page = page_of(topic_of(None, 5, POSTS[0] | {"cooked": None}, POSTS[0] | {"post_number": "x"}, POSTS[0]))
    assert len(page.posts) == 1
    assert [each.reason for each in page.rejected] == ["not_a_post", "not_a_post", "no_text", "no_id"]
    assert "Sương" not in page.rejected[3].row


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
        topic = json.loads(SAMPLE)
        for _ in range(data.draw(st.integers(1, 4))):
            holders = [topic, topic["post_stream"], *(topic["post_stream"].get("posts") or [])]
            holder = data.draw(st.sampled_from([each for each in holders if isinstance(each, dict) and each]))
            key = data.draw(st.sampled_from(sorted(holder)))
            if key not in ("post_stream", "posts"):
                holder[key] = data.draw(RUBBISH)
        page = page_of(topic)
    assert page.posts or page.problems
    assert all(post.uri and post.text for post in page.posts)


KEYS = sorted({*TOPIC, *TOPIC_ROW, *POSTS[0], "topic_list", "topics", "posts", "latest_posts", "results", "type"})


@given(st.recursive(RUBBISH, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner)),
       st.text(max_size=9))  # fmt: skip
def test_no_json_raises(answer: object, url: str) -> None:
    page = page_of(answer, url=url)
    assert page.posts or page.problems


PLAN = ForumPlan("d", DiscourseSettings(base_url=f"{BASE}/"))
POST = Found(platform="discourse", uri=f"{BASE}/t/1/1", text="a")


def walked(newest: int, oldest: int) -> Page:
    marks = {"newest_id": str(newest), "oldest_id": str(oldest)}
    return Page(posts=(POST,), watermark=marks, next=f"{BASE}/posts.json?before={oldest - 1}")


def test_a_forum_is_walked_back_to_what_is_known() -> None:
    step = PLAN.after(PLAN.first({}), {}, walked(99, 50))
    assert step.ask is not None
    assert PLAN.first(step.state).url == step.ask.url == f"{BASE}/posts.json?before=49"
    end = PLAN.after(step.ask, step.state, Page(problems=("empty: nothing new",)))
    assert (end.ask, dict(end.state)) == (None, {"newest": 99})
    again = PLAN.after(PLAN.first(end.state), end.state, walked(120, 80))
    assert (again.ask, dict(again.state)) == (None, {"newest": 120})


def test_a_forum_without_a_list_of_posts_is_read_by_topics() -> None:
    refused = Page(problems=("not_found: the server knows no such thing",))
    step = PLAN.after(PLAN.first({}), {}, refused)
    assert step.ask is not None
    assert (step.ask.url, PLAN.first(step.state).turn) == (f"{BASE}/latest.json", "topics")
    listing = Page(posts=(POST,), watermark={"topics": "77:18,5:2"}, next=f"{BASE}/latest.json?page=1")
    step = PLAN.after(step.ask, {**step.state, "seen": {"5": 2}}, listing)
    assert step.ask is not None
    assert step.ask.url == f"{BASE}/t/77.json"
    assert PLAN.first(step.state) == step.ask  # killed here: the topic is still owed
    more = PLAN.after(step.ask, step.state, Page(posts=(POST,), next=f"{BASE}/t/77.json?page=2"))
    assert more.ask is not None
    assert more.ask.url == f"{BASE}/t/77.json?page=2"
    end = PLAN.after(more.ask, more.state, Page(posts=(POST,)))
    assert (end.ask, end.state["seen"]) == (None, {"5": 2, "77": 18})


def test_a_list_of_nothing_but_news_leads_to_the_next() -> None:
    listing = Page(posts=(POST,), watermark={"topics": "77:18"}, next=f"{BASE}/latest.json?page=1")
    ask = PLAN.first({"by": "topics"})
    step = PLAN.after(ask, {"by": "topics"}, listing)
    assert step.ask is not None
    gone = Page(problems=("gone: the server says this was removed",))
    onward = PLAN.after(step.ask, step.state, gone)
    assert onward.ask is not None
    assert onward.ask.url == f"{BASE}/latest.json?page=1"
    assert PLAN.after(onward.ask, onward.state, listing).ask is None


def test_a_topic_read_before_is_asked_where_its_news_begins() -> None:
    state = {"by": "topics", "seen": {"77": 41}, "todo": ["77:60"]}
    assert PLAN.first(state).url == f"{BASE}/t/77.json?page=3"


def test_a_forum_at_fault_is_asked_again_later() -> None:
    fault = Page(problems=("unavailable: the server has a fault of its own, try later",))
    with pytest.raises(SourceError, match="unavailable") as failed:
        PLAN.after(PLAN.first({}), {}, fault)
    assert not failed.value.permanent
