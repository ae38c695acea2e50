"""Facebook answers, and what is asked next."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimwatch.errors import SourceError
from crawlers.facebook.parse import parse
from crawlers.facebook.spider import FacebookSettings, PagePlan
from crawlers.page import Found, Page

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "crawlers" / "facebook" / "sample.json").read_bytes()
POSTS: list[dict[str, Any]] = json.loads(SAMPLE)["data"]
POST = POSTS[0]
COMMENT: dict[str, Any] = POST["comments"]["data"][0]
GRAPH = "https://graph.facebook.com/v23.0"


def page_of(
    answer: object, *, url: str = "", headers: Mapping[str, str] | None = None, policy: str = "respectful"
) -> Page:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return parse(body, url=url, headers=headers or {}, now=NOW, policy=policy)


def post_of(each: dict[str, Any], url: str = "") -> Found:
    (post,) = page_of({"data": [each]}, url=url).posts
    return post


def reasons(page: Page) -> list[str]:
    return [each.reason for each in page.dropped]


def test_every_post_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE)
    assert len(page.posts) == 5
    assert reasons(page) == ["empty", "private", "empty", "private", "private", "private"]
    assert [each.reason for each in page.rejected] == ["no_id", "not_a_post"]
    assert page.problems == ("more: 5 comments are not on this page",)
    assert page.understood


def test_the_policy_changes_nothing_here() -> None:
    assert page_of(SAMPLE, policy="none") == page_of(SAMPLE)


def test_a_post_carries_its_facts() -> None:
    post = page_of(SAMPLE).posts[0]
    assert (post.platform, post.uri) == ("facebook", "facebook:700000000000001_8000000000000001")
    assert (post.author, post.language) == ("700000000000001", "vi")
    assert post.created_at == datetime(2026, 11, 21, 8, 15, tzinfo=UTC)
    assert (post.likes, post.shares, post.replies, post.views) == (120, 31, 9, None)
    assert not post.url_is_public


def test_the_text_holds_what_is_attached_and_names_nobody() -> None:
    text = page_of(SAMPLE).posts[0].text
    assert text.startswith("[user] mách mẹ: uống nước muối ấm")
    assert "\nNước muối diệt virus\nBài viết trên" in text
    assert "Lan Hoa" not in text


def test_what_repeats_the_message_is_not_said_twice() -> None:
    attachment = {"type": "share", "title": "A page", "description": POST["message"]}
    assert post_of({**POST, "comments": {}, "attachments": {"data": [attachment]}}).text.count("mách mẹ") == 1


def test_pictures_are_told_by_their_descriptions_alone() -> None:
    text = page_of(SAMPLE).posts[3].text
    assert text == "Tỏi ngâm mật ong chữa dứt tiểu đường"


def test_no_reactions_are_a_count_of_none() -> None:
    assert page_of(SAMPLE).posts[3].likes == 0


def test_comments_without_id_take_it_from_their_link() -> None:
    comment, reply = page_of(SAMPLE).posts[1:3]
    assert (comment.uri, comment.author) == ("facebook:8000000000000001_9001", "")
    assert comment.reply_to == "facebook:700000000000001_8000000000000001"
    assert (reply.uri, reply.reply_to) == ("facebook:8000000000000001_9002", comment.uri)
    assert (comment.likes, comment.replies) == (2, 1)


def test_a_comment_without_id_and_link_has_a_stable_id_of_its_content() -> None:
    bare = {"created_time": "2026-11-22T09:00:03+0000", "message": "Salt water cures nothing"}
    listed = f"{GRAPH}/700000000000001_8000000000000001/comments"
    first, again = post_of(bare), post_of(bare | {"like_count": 5}, url=listed)
    assert first.uri == again.uri
    assert first.uri != post_of(bare | {"message": "Salt water cures all"}).uri
    assert (first.reply_to, again.reply_to) == ("", "facebook:700000000000001_8000000000000001")


def test_a_comment_may_name_what_it_answers() -> None:
    comment = COMMENT | {"id": "8000000000000001_9007", "parent": {"id": "8000000000000001_9001"}}
    assert post_of(comment).reply_to == "facebook:8000000000000001_9001"


def test_the_token_in_the_next_address_is_taken_out() -> None:
    following = page_of(SAMPLE).next
    assert following == f"{GRAPH}/700000000000001/posts?pretty=0&fields=id%2Cmessage&limit=8&after=QVG"


def test_the_last_page_has_only_previous() -> None:
    paging = {"cursors": {"before": "b"}, "previous": f"{GRAPH}/x/posts?access_token=hidden&before=b"}
    page = page_of({"data": [POST], "paging": paging})
    assert page.next is None
    assert "hidden" not in repr(page)


def test_a_single_post_is_read_with_its_comments() -> None:
    assert len(page_of(POST).posts) == 3


def test_an_empty_list_is_understood() -> None:
    page = page_of({"data": []})
    assert (page.problems, page.understood, dict(page.watermark)) == (("empty: nothing new",), True, {})


def test_a_list_of_people_is_not_read() -> None:
    page = page_of({"data": [{"id": "1", "name": "Trần Lan Hoa"}], "paging": {}})
    assert (page.problems[0].partition(":")[0], page.posts, page.understood) == ("other", (), True)
    assert "Lan Hoa" not in repr(page)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (190, "login_needed"),
        (4, "rate_limited"),
        (17, "rate_limited"),
        (32, "rate_limited"),
        (80_001, "rate_limited"),
        (10, "forbidden: the token lacks a permission"),
        (200, "forbidden: the token lacks a permission"),
        (299, "forbidden: the token lacks a permission"),
        (100, "bad_request"),
        (803, "not_found"),
        (2, "unavailable"),
        (987, "refused"),
    ],
)
def test_refusals_are_told_apart_by_their_number(code: int, problem: str) -> None:
    page = page_of({"error": {"message": "m", "type": "OAuthException", "code": code, "fbtrace_id": "x"}})
    assert page.problems[0].startswith(problem)
    assert page.understood


def test_a_missing_object_is_told_from_a_bad_question() -> None:
    page = page_of({"error": {"message": "m", "code": 100, "error_subcode": 33}})
    assert page.problems[0].startswith("not_found")


def test_a_refusal_may_come_as_words_or_as_a_page_for_people() -> None:
    assert page_of({"error": "invalid_token"}).problems[0].startswith("login_needed")
    html = page_of(b"<html><title>Error</title></html>", headers={":status": "400"})
    assert (html.problems[0].partition(":")[0], html.understood) == ("bad_request", True)


@pytest.mark.parametrize("body", [b"GIF89a\xff", b'{"data": [{"id"', b"[]", b'{"data": [1, 2]}', b"{}", b'{"id": "1"}'])
def test_rubbish_is_not_understood(body: bytes) -> None:
    assert not page_of(body).understood


@given(st.data())
def test_no_answer_makes_the_reader_fail(data: st.DataObject) -> None:
    odd = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()), st.just({}))
    odd |= st.just({"data": [None, {"type": 5}], "id": 7, "value": [], "summary": {"total_count": "x"}})
    changes = data.draw(st.dictionaries(st.sampled_from(sorted({*POST, *COMMENT, "parent", "privacy"})), odd))
    answer = {"data": [POST | changes, data.draw(odd), COMMENT | changes], "paging": {"next": data.draw(odd)}}
    page = page_of(answer, url=data.draw(st.text()))
    assert len(page.posts) + len(page.dropped) + len(page.rejected) >= 3


@given(st.binary(max_size=40), st.integers(0, len(SAMPLE)))
def test_no_bytes_make_the_reader_fail(noise: bytes, at: int) -> None:
    assert isinstance(page_of(SAMPLE[:at] + noise + SAMPLE[at + len(noise) :]), Page)


class TestPlan:
    plan = PagePlan("f", FacebookSettings(page="700000000000001", credential="s3cr3t"))
    older = f"{GRAPH}/700000000000001/posts?after=a"

    @staticmethod
    def page(newest: str, oldest: str, following: str | None = None) -> Page:
        return Page(watermark={"newest_at": newest, "oldest_at": oldest}, next=following)

    def test_nothing_is_asked_without_a_token(self) -> None:
        with pytest.raises(SourceError, match="set CLAIMWATCH_FACEBOOK_TOKEN first") as closed:
            PagePlan("f", FacebookSettings(page="goc.bep")).first({})
        assert closed.value.permanent

    def test_the_token_is_in_no_address_and_in_no_record_of_the_settings(self) -> None:
        ask = self.plan.first({})
        assert ask.headers["Authorization"] == "Bearer s3cr3t"
        assert "s3cr3t" not in ask.url + repr(self.plan.settings)
        assert ask.url.startswith(f"{GRAPH}/700000000000001/posts?fields=")
        assert "comments.filter" in ask.url

    def test_comments_can_be_left_out(self) -> None:
        plan = PagePlan("f", FacebookSettings(page="goc.bep", comments=False, credential="s3cr3t"))
        assert "comments.limit%280%29" in plan.first({}).url

    def test_a_backfill_survives_a_kill_and_ends_without_a_next(self) -> None:
        step = self.plan.after(self.plan.first({}), {}, self.page("2026-11-22", "2026-11-20", self.older))
        assert step.ask is not None
        assert (step.ask.url, self.plan.first(step.state).url) == (self.older, self.older)
        empty = self.plan.after(step.ask, step.state, Page(next=f"{self.older}2"))
        assert empty.ask is not None  # a page may be empty between others
        end = self.plan.after(empty.ask, empty.state, self.page("2026-11-19", "2026-11-18"))
        assert (end.ask, end.state) == (None, {"newest_at": "2026-11-22"})

    def test_the_next_crawl_stops_where_the_last_one_began(self) -> None:
        state = {"newest_at": "2026-11-22"}
        step = self.plan.after(self.plan.first(state), state, self.page("2026-11-23", "2026-11-22", self.older))
        assert (step.ask, step.state) == (None, {"newest_at": "2026-11-23"})

    def test_a_page_that_leads_to_itself_is_not_asked_again(self) -> None:
        ask = self.plan.first({})
        assert self.plan.after(ask, {}, Page(next=ask.url)).ask is None

    def test_an_older_page_that_is_refused_is_walked_to_anew(self) -> None:
        state = {"older": self.older, "until": "2026-11-20", "newest_at": "2026-11-22"}
        step = self.plan.after(self.plan.first(state), state, Page(problems=("bad_request: the cursor has expired",)))
        assert (step.ask, step.state) == (None, {"newest_at": "2026-11-20"})
        with pytest.raises(SourceError, match="wrong") as closed:
            self.plan.after(self.plan.first(state), state, Page(problems=("login_needed: the token is wrong",)))
        assert closed.value.permanent
