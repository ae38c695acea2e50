"""VnExpress's comment answers: which posts come of them, and how the comments of an article are asked."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crawlers.page import Found, Page
from crawlers.vnexpress.parse import parse
from crawlers.vnexpress.spider import CommentsPlan, VnexpressSettings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "crawlers" / "vnexpress" / "sample.json").read_bytes()
ITEMS: list[dict[str, Any]] = json.loads(SAMPLE)["data"]["items"]
HERE = "https://binh-luan.example/index/get?objectid=4900001&offset=0&limit=50"


def page_of(answer: object, *, url: str = "", headers: Mapping[str, str] | None = None) -> Page:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return parse(body, url=url, headers=headers or {}, now=NOW)


def answer_of(*items: object, **data: Any) -> dict[str, Any]:
    return {"error": 0, "data": {"total": len(items), "totalitem": len(items), "items": list(items)} | data}


def post_of(**changes: Any) -> Found:
    (post,) = page_of(answer_of(ITEMS[1] | changes)).posts
    return post


def test_every_comment_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE)
    assert [post.uri for post in page.posts] == [f"vnexpress:{n}" for n in (70001, 70005, 70002, 70003)]
    assert [(one.uri, one.reason) for one in page.dropped] == [("vnexpress:70004", "empty")]
    assert [(one.reason, "Lúa" in one.row) for one in page.rejected] == [("no_id", False)]
    assert (page.problems, page.understood) == ((), True)


def test_a_comment_carries_its_facts() -> None:
    post = page_of(SAMPLE).posts[0]
    assert (post.platform, post.native_id, post.author, post.language) == ("vnexpress", "70001", "88001", "vi")
    assert (post.likes, post.replies, post.url, post.url_is_public) == (120, 3, "", False)


def test_line_breaks_and_hard_spaces_are_plain() -> None:
    assert page_of(SAMPLE).posts[0].text == "Ngậm nước muối mỗi sáng\nlà virus chết hết, nhà [user] đều khỏi"


def test_a_reply_names_its_parent_though_that_is_a_number_there() -> None:
    head, reply, *_ = page_of(SAMPLE).posts
    assert (head.reply_to, reply.reply_to) == ("", head.uri)
    orphan = {key: value for key, value in ITEMS[0]["replys"]["items"][0].items() if key != "parent_id"}
    answer = answer_of(ITEMS[0] | {"replys": {"total": 1, "items": [orphan]}})
    assert page_of(answer).posts[1].reply_to == head.uri


def test_the_name_a_reply_answers_is_scrubbed_however_short() -> None:
    assert page_of(SAMPLE).posts[1].text == "[user] Nước muối không diệt được virus trong máu đâu bạn"
    short = '<span class="reply_name">Út</span> nói đúng đó'
    assert post_of(content=short).text == "[user] nói đúng đó"


def test_a_guest_has_no_author() -> None:
    assert [post.author for post in page_of(SAMPLE).posts] == ["88001", "", "88002", ""]


@pytest.mark.parametrize("shown", ["7h trước", "09:20 11/1", None])
def test_the_exact_time_goes_before_the_shown_one(shown: str | None) -> None:
    assert post_of(creation_time=1795312800, time=shown).created_at == datetime.fromtimestamp(1795312800, UTC)
    assert post_of(creation_time="1795312800", time=shown).created_at == datetime.fromtimestamp(1795312800, UTC)


def test_without_it_the_shown_time_is_that_of_vietnam() -> None:
    assert post_of(creation_time=None, time="7h trước").created_at == datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    assert page_of(SAMPLE).posts[3].created_at == datetime(2026, 1, 11, 2, 20, tzinfo=UTC)


@pytest.mark.parametrize("below", [{}, [], None, {"total": 0, "items": []}])
def test_a_comment_without_replies_owes_none(below: object) -> None:
    page = page_of(answer_of(ITEMS[1] | {"replys": below}))
    assert len(page.posts) == 1
    assert "replies" not in page.watermark


def test_the_page_says_whose_replies_it_does_not_show() -> None:
    page = page_of(SAMPLE)
    assert page.watermark == {"newest_id": "70005", "oldest_id": "70001", "replies": "70001,70002"}


def test_paging_counts_the_heads_of_threads_and_not_their_replies() -> None:
    assert page_of(SAMPLE, url=HERE).next == HERE.replace("offset=0", "offset=5")
    assert page_of(SAMPLE, url=HERE.replace("offset=0", "offset=71")).next is None  # 76, though 107 with replies
    assert page_of(SAMPLE).next == "?offset=5"
    assert page_of(answer_of(), url=HERE).next is None
    assert page_of(answer_of(ITEMS[1]), url=HERE).next is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": 0, "errorDescription": "", "data": []}, "empty"),
        ({"error": 0, "data": None}, "empty"),
        ({"error": 0, "data": {"total": 0}}, "empty"),
        (answer_of(), "empty"),
        ({"error": 1, "errorDescription": "objectid"}, "refused"),
        ({"error": 404}, "not_found"),
        (b"<html><head><title>403 Forbidden</title></head></html>", "forbidden"),
        (b"", "empty"),
    ],
)
def test_an_answer_without_comments_is_named(answer: object, code: str) -> None:
    page = page_of(answer)
    assert page.understood
    assert page.posts == ()
    assert [problem.partition(":")[0] for problem in page.problems] == [code]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (SAMPLE[:-90], "cut_off"),
        (b"<rss/>", "not_json"),
        (b"[1]", "not_vnexpress"),
        (b'{"data": []}', "not_vnexpress"),
        (b'{"error": 0, "data": 5}', "not_vnexpress"),
    ],
)
def test_rubbish_is_not_understood(body: bytes, code: str) -> None:
    page = page_of(body)
    assert not page.understood
    assert page.problems[0].startswith(f"{code}: ")


def test_one_bad_comment_never_costs_the_page() -> None:
    page = page_of(answer_of(None, 7, ITEMS[1] | {"content": None}, ITEMS[1], ITEMS[1]))
    assert len(page.posts) == 1
    assert [one.reason for one in page.rejected] == ["not_a_post", "not_a_post", "no_text"]
    assert [one.reason for one in page.dropped] == ["repeated"]


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
        answer = json.loads(SAMPLE)
        items = answer["data"]["items"]
        for _ in range(data.draw(st.integers(1, 4))):
            holder = data.draw(st.sampled_from([answer, answer["data"] or {"total": 1}, *items]))
            key = data.draw(st.sampled_from(sorted(holder)))
            if holder is not answer or key != "data":
                holder[key] = data.draw(RUBBISH)
        page = page_of(answer)
    assert page.posts or page.problems
    assert all(post.uri and post.text for post in page.posts)


KEYS = ["error", "data", "items", "total", "comment_id", "parent_id", "content", "replys", "userid", "time"]


@given(st.recursive(RUBBISH, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner)),
       st.text(max_size=9))  # fmt: skip
def test_no_json_raises(answer: object, url: str) -> None:
    page = page_of(answer, url=url)
    assert page.posts or page.problems


PLAN = CommentsPlan(
    "v",
    VnexpressSettings(
        base_url="https://binh-luan.example/", articles=("4900001", "https://bao.example/tin-2026-4900002.html")
    ),
)
POST = Found(platform="vnexpress", uri="vnexpress:1", text="a")


def question(url: str) -> str:
    return url.removeprefix("https://binh-luan.example/index/").partition("&objecttype")[0]


def test_each_article_is_asked_with_its_further_pages_and_replies() -> None:
    ask = PLAN.first({})
    assert question(ask.url) == "get?objectid=4900001"
    further = ask.url.replace("offset=0", "offset=50")
    step = PLAN.after(ask, {}, Page(posts=(POST,), next=further, watermark={"replies": "70001,70002"}))
    asked = []
    while step.ask is not None:
        assert PLAN.first(step.state) == step.ask  # a kill at any page loses nothing
        asked.append(question(step.ask.url))
        # Replies are told to have further replies, which would lead round in a circle.
        step = PLAN.after(step.ask, step.state, Page(posts=(POST,), watermark={"replies": "70001"}))
        if len(asked) > 9:
            break
    assert asked[:4] == [
        "get?objectid=4900001",
        "getreplay?objectid=4900001&id=70001",
        "getreplay?objectid=4900001&id=70002",
        "get?objectid=4900002",
    ]
    assert "owed" not in step.state


def test_a_page_that_leads_to_itself_is_not_asked_again() -> None:
    ask = PLAN.first({"owed": [HERE]})
    assert PLAN.after(ask, {"owed": [HERE]}, Page(posts=(POST,), next=HERE)).ask is None


@pytest.mark.parametrize("articles", [(), ("tin-moi",)])
def test_an_article_must_have_a_number(articles: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        VnexpressSettings(articles=articles)


def test_articles_may_be_written_in_one_line() -> None:
    settings = VnexpressSettings.model_validate({"articles": "4900001, 4900002"})
    assert settings.articles == ("4900001", "4900002")
