"""YouTube answers, and what is asked next."""

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
from crawlers.page import Found, Page
from crawlers.plan import Ask
from crawlers.youtube.parse import parse
from crawlers.youtube.spider import CommentsPlan, YoutubeSettings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "crawlers" / "youtube" / "sample.json").read_bytes()
ITEMS: list[dict[str, Any]] = json.loads(SAMPLE)["items"]
COMMENT: dict[str, Any] = ITEMS[1]["snippet"]["topLevelComment"]
THREADS = "https://www.googleapis.com/youtube/v3/commentThreads?part=snippet&videoId=vuonmuoi001"


def page_of(
    answer: object, *, url: str = "", headers: Mapping[str, str] | None = None, policy: str = "respectful"
) -> Page:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return parse(body, url=url, headers=headers or {}, now=NOW, policy=policy)


def listing(*items: object, **more: Any) -> dict[str, Any]:
    return {"kind": "youtube#commentListResponse", "items": list(items)} | more


def comment(**changes: Any) -> dict[str, Any]:
    return COMMENT | {"snippet": COMMENT["snippet"] | changes}


def post_of(item: dict[str, Any]) -> Found:
    (post,) = page_of(listing(item)).posts
    return post


def reasons(page: Page) -> list[str]:
    return [each.reason for each in page.dropped]


def test_every_comment_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE)
    assert len(page.posts) == 6
    assert reasons(page) == ["private", "private", "empty"]
    assert [each.reason for each in page.rejected] == ["no_id"]
    assert page.understood
    assert page.problems == ("more: 2 replies are not on this page",)


def test_the_policy_changes_nothing_here() -> None:
    assert page_of(SAMPLE, policy="none") == page_of(SAMPLE)


def test_a_comment_carries_its_facts() -> None:
    post = page_of(SAMPLE).posts[1]
    assert (post.platform, post.uri) == ("youtube", "youtube:UgxThread0000000002AaABAg")
    assert (post.author, post.language) == ("UCmaivuonca0000000000001", "vi")
    assert post.created_at == datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
    assert post.edited_at == datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
    assert (post.likes, post.shares, post.replies, post.views) == (14, None, 2, None)
    assert post.url == "https://www.youtube.com/watch?v=vuonmuoi001&lc=UgxThread0000000002AaABAg"
    assert post.url_is_public


def test_replies_know_what_they_answer_and_name_nobody() -> None:
    first, second = page_of(SAMPLE).posts[2:4]
    assert {first.reply_to, second.reply_to} == {"youtube:UgxThread0000000002AaABAg"}
    assert "salt water cures nothing" in first.text
    assert "Mai" not in first.text
    assert "bendorn" not in second.text
    assert first.edited_at is None


def test_where_the_original_is_missing_the_shown_html_is_read() -> None:
    text = page_of(SAMPLE).posts[4].text
    assert text.endswith("\nTỏi chữa được ung thư & tiểu đường")
    assert not any(piece in text for piece in ("<", "href", "bai/toi"))


def test_a_comment_may_have_no_author() -> None:
    assert page_of(SAMPLE).posts[5].author == ""


def test_replies_that_are_told_but_not_shown_are_owed() -> None:
    mark = page_of(SAMPLE).watermark
    assert mark["threads"] == "UgxThread0000000003AaABAg:2"


def test_the_watermark_is_told_by_times_for_a_pinned_comment_is_old() -> None:
    mark = page_of(SAMPLE).watermark
    assert (mark["newest_at"], mark["oldest_at"]) == ("2026-11-22T03:04:05+00:00", "2026-11-20T00:00:00+00:00")
    assert mark["oldest_id"] == "UgxThread0000000008AaABAg"


def test_a_list_of_replies_is_read() -> None:
    reply = comment(parentId="UgxThread0000000003AaABAg") | {"id": "UgxThread0000000003AaABAg.9b"}
    del reply["snippet"]["videoId"]
    post = post_of(reply)
    assert (post.reply_to, post.url, post.url_is_public) == ("youtube:UgxThread0000000003AaABAg", "", False)


def test_the_next_page_keeps_the_question_but_not_the_key() -> None:
    asked = f"{THREADS}&key=hidden&pageToken=before"
    assert page_of(SAMPLE, url=asked).next == f"{THREADS}&pageToken=TUFJX1RPS0VO"
    assert page_of(SAMPLE).next == "?pageToken=TUFJX1RPS0VO"
    assert page_of(listing(COMMENT)).next is None


def refusal(reason: str, code: int = 403, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": "m", "errors": [{"domain": "d", "reason": reason}]} | more}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (refusal("quotaExceeded"), "rate_limited: the day's quota"),
        (refusal("commentsDisabled"), "disabled"),
        (refusal("forbidden"), "forbidden: the video or channel is private"),
        (refusal("accessNotConfigured"), "login_needed: the YouTube Data API is not turned on"),
        (refusal("keyInvalid", 400), "login_needed: the key is wrong"),
        (refusal("badRequest", 400, details=[{"reason": "API_KEY_INVALID"}]), "login_needed: the key is wrong"),
        (refusal("videoNotFound", 404), "not_found: there is no such video"),
        (refusal("somethingNew", 403), "forbidden"),
        (refusal("somethingNew", 500), "unavailable"),
        ({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, "login_needed"),
        ({"error": "quotaExceeded"}, "rate_limited"),
        ({"error": "invalid_token"}, "login_needed"),
        ({"error": "oh"}, "refused"),
    ],
)
def test_refusals_are_told_apart_by_their_reason(answer: dict[str, Any], problem: str) -> None:
    page = page_of(answer)
    assert page.problems[0].startswith(problem)
    assert page.understood


def test_a_refusal_may_come_as_a_page_for_people() -> None:
    page = page_of(b"<html><title>Error 403 (Forbidden)!!1</title></html>", headers={":status": "403"})
    assert (page.problems[0].partition(":")[0], page.understood) == ("forbidden", True)


@pytest.mark.parametrize("body", [b"", b"  "])
def test_an_answer_without_a_body_is_understood(body: bytes) -> None:
    assert page_of(body).understood


@pytest.mark.parametrize("body", [b"\xff\xd8\xff", b'{"kind": "youtube#comm', b"[]", b'{"items": [{}]}', b"7"])
def test_rubbish_is_not_understood(body: bytes) -> None:
    assert not page_of(body).understood


def test_what_is_no_comment_is_left_out() -> None:
    page = page_of(listing({"kind": "youtube#video", "id": "vuonmuoi001", "snippet": {"title": "t"}}, None))
    assert (reasons(page), [each.reason for each in page.rejected]) == (["other"], ["not_a_post"])


def test_an_empty_list_is_understood() -> None:
    page = page_of(listing())
    assert (page.problems, page.understood, dict(page.watermark)) == (("empty: nothing new",), True, {})


@given(st.data())
def test_no_answer_makes_the_reader_fail(data: st.DataObject) -> None:
    odd = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()), st.just({}))
    changes = data.draw(st.dictionaries(st.sampled_from(sorted(COMMENT["snippet"])), odd, max_size=5))
    more = data.draw(st.dictionaries(st.sampled_from(["totalReplyCount", "videoId", "isPublic"]), odd))
    replies = data.draw(st.one_of(odd, st.just({"comments": [comment(**changes)]})))
    thread = {"kind": "youtube#commentThread", "snippet": {"topLevelComment": comment(**changes)} | more}
    thread["replies"] = replies
    page = page_of(listing(thread, data.draw(odd), nextPageToken=data.draw(odd)), url=data.draw(st.text()))
    assert len(page.posts) + len(page.dropped) + len(page.rejected) >= 2


@given(st.binary(max_size=40), st.integers(0, len(SAMPLE)))
def test_no_bytes_make_the_reader_fail(noise: bytes, at: int) -> None:
    assert isinstance(page_of(SAMPLE[:at] + noise + SAMPLE[at + len(noise) :]), Page)


class TestPlan:
    plan = CommentsPlan("y", YoutubeSettings(video="vuonmuoi001", credential="hidden"))

    @staticmethod
    def page(*ids: str, at: str = "", threads: str = "", following: str | None = None) -> Page:
        posts = tuple(Found(platform="youtube", uri=f"youtube:{each}", text="a") for each in ids)
        newest, _, oldest = at.partition(" ")
        mark = {"newest_at": newest, "oldest_at": oldest, "threads": threads}
        return Page(posts=posts, next=following, watermark={key: value for key, value in mark.items() if value})

    def follow(self, ask: Ask, state: Mapping[str, Any], page: Page) -> tuple[Mapping[str, Any], Ask]:
        step = self.plan.after(ask, state, page)
        assert step.ask is not None
        json.dumps(step.state)
        return step.state, step.ask

    def test_nothing_is_asked_without_a_key(self) -> None:
        with pytest.raises(SourceError, match="set CLAIMWATCH_YOUTUBE_KEY first") as closed:
            CommentsPlan("y", YoutubeSettings(video="vuonmuoi001")).first({})
        assert closed.value.permanent

    def test_the_key_is_in_no_address_and_in_no_record_of_the_settings(self) -> None:
        ask = self.plan.first({})
        assert ask.headers["X-Goog-Api-Key"] == "hidden"
        assert "hidden" not in ask.url + repr(self.plan.settings)
        assert "videoId=vuonmuoi001" in ask.url

    def test_either_a_video_or_a_channel_is_asked_for(self) -> None:
        channel = CommentsPlan("y", YoutubeSettings(channel="UC" + "a" * 22, credential="hidden"))
        assert f"allThreadsRelatedToChannelId=UC{'a' * 22}" in channel.first({}).url
        with pytest.raises(ValidationError, match="either video or channel"):
            YoutubeSettings()

    def test_a_page_that_repeats_the_one_before_ends_the_walk(self) -> None:
        state, ask = self.follow(self.plan.first({}), {}, self.page("1", "2", following="u?pageToken=2"))
        assert (ask.url, self.plan.first(state).url) == ("u?pageToken=2",) * 2  # a kill here loses nothing
        assert self.plan.after(ask, state, self.page("2", "1", following="u?pageToken=3")).ask is None

    def test_pages_that_bring_something_are_walked(self) -> None:
        state, ask = self.follow(self.plan.first({}), {}, self.page("1", "2", following="u?pageToken=2"))
        state, ask = self.follow(ask, state, self.page("2", "3", following="u?pageToken=3"))
        assert self.plan.after(ask, state, self.page(following="u?pageToken=4")).ask is None

    def test_the_next_crawl_stops_where_the_last_one_began(self) -> None:
        first = self.plan.after(self.plan.first({}), {}, self.page("1", at="2026-11-22 2026-11-20"))
        assert first.state["newest_at"] == "2026-11-22"
        state, ask = self.follow(
            self.plan.first(first.state), first.state, self.page("9", at="2026-11-25 2026-11-23", following="u?2")
        )
        last = self.plan.after(ask, state, self.page("8", "1", at="2026-11-23 2026-11-21", following="u?3"))
        assert (last.ask, last.state["newest_at"], "until" in last.state) == (None, "2026-11-25", False)

    def test_replies_that_a_page_lacks_are_asked_for_before_the_next_page(self) -> None:
        start = self.page("1", "2", threads="1:7 2:3", following="u?pageToken=2")
        state, ask = self.follow(self.plan.first({}), {}, start)
        assert (ask.turn, ask.mark) == ("replies", "1")
        state, ask = self.follow(ask, state, self.page("1.a", following="r?pageToken=2"))
        assert (ask.url, self.plan.first(state).url) == ("r?pageToken=2",) * 2  # killed here
        state, ask = self.follow(ask, state, self.page("1.a", following="r?pageToken=3"))
        assert ask.mark == "2"
        state, ask = self.follow(ask, state, Page(problems=("not_found: there is no such comment",)))
        assert ask.url == "u?pageToken=2"
        assert state["answered"] == {"1": "7", "2": "3"}

    def test_a_thread_is_asked_again_only_for_new_replies(self) -> None:
        state = {"answered": {"1": "7", "2": "3"}}
        step = self.plan.after(self.plan.first(state), state, self.page("1", "2", threads="1:7 2:4"))
        assert step.ask is not None
        assert step.ask.mark == "2"

    def test_replies_can_be_left_out(self) -> None:
        plan = CommentsPlan("y", YoutubeSettings(video="vuonmuoi001", replies=False, credential="hidden"))
        assert plan.after(plan.first({}), {}, self.page("1", threads="1:7")).ask is None

    def test_a_spent_quota_ends_the_crawl_for_now(self) -> None:
        state, ask = self.follow(self.plan.first({}), {}, self.page("1", threads="1:7"))
        with pytest.raises(SourceError, match="quota") as closed:
            self.plan.after(ask, state, Page(problems=("rate_limited: the day's quota is spent",)))
        assert not closed.value.permanent

    def test_an_older_page_that_is_refused_is_walked_to_anew(self) -> None:
        state = {"older": "u?pageToken=2", "until": "2026-11-20", "newest_at": "2026-11-22", "seen": ["youtube:1"]}
        step = self.plan.after(self.plan.first(state), state, Page(problems=("bad_request: the token has expired",)))
        assert (step.ask, step.state) == (None, {"newest_at": "2026-11-20"})
        with pytest.raises(SourceError, match="no JSON"):
            self.plan.after(self.plan.first(state), state, Page(problems=("not_json: no JSON",), understood=False))
