"""Reddit answers, and what is asked next."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimwatch.errors import SourceError
from crawlers.page import Found, Page
from crawlers.plan import Ask
from crawlers.reddit.parse import parse
from crawlers.reddit.spider import RedditSettings, SubredditPlan

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "crawlers" / "reddit" / "sample.json").read_bytes()
LINK: dict[str, Any] = json.loads(SAMPLE)["data"]["children"][1]["data"]
COMMENT: dict[str, Any] = {
    "name": "t1_k00001",
    "id": "k00001",
    "link_id": "t3_1zz009",
    "parent_id": "t3_1zz009",
    "subreddit": "SucKhoe",
    "subreddit_type": "public",
    "author": "lan_hoa_tim",
    "author_fullname": "t2_1lan00",
    "body": "Nước muối không chữa được bệnh này đâu các bạn ạ",
    "created_utc": 1795263000.0,
    "edited": False,
    "score": 4,
    "score_hidden": False,
    "replies": "",
}
URL = "https://oauth.reddit.com/r/SucKhoe/new?limit=100&raw_json=1"


def listing(*things: object, **data: Any) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"after": None, "before": None, "children": list(things)} | data}


def link(**changes: Any) -> dict[str, Any]:
    return {"kind": "t3", "data": LINK | changes}


def comment(**changes: Any) -> dict[str, Any]:
    return {"kind": "t1", "data": COMMENT | changes}


def page_of(
    answer: object, *, url: str = "", headers: Mapping[str, str] | None = None, policy: str = "respectful"
) -> Page:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return parse(body, url=url, headers=headers or {}, now=NOW, policy=policy)


def post_of(thing: dict[str, Any]) -> Found:
    (post,) = page_of(listing(thing)).posts
    return post


def reasons(page: Page) -> list[str]:
    return [each.reason for each in page.dropped]


def test_every_thing_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE, url=URL)
    assert " ".join(post.native_id[3:] for post in page.posts) == "1abc00 1zz009 1zz008 1zz007 1zz006 1zz005 1zz001"
    assert reasons(page) == ["deleted", "advert", "opted_out", "subreddit"]
    assert [each.reason for each in page.rejected] == ["no_id"]
    assert page.problems == ()
    assert page.understood


def test_policy_none_keeps_what_robots_shall_leave_alone() -> None:
    assert reasons(page_of(SAMPLE, policy="none")) == ["deleted", "advert", "subreddit"]


def test_a_post_carries_its_facts() -> None:
    post = page_of(SAMPLE).posts[1]
    assert (post.uri, post.author, post.language) == ("reddit:t3_1zz009", "t2_1mai00", "vi")
    assert post.created_at == datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    assert post.edited_at == datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
    assert (post.likes, post.shares, post.replies, post.views) == (12, 2, 3, None)
    assert post.url == "https://www.reddit.com/r/SucKhoe/comments/1zz009"
    assert post.url_is_public


def test_escaped_text_is_read_and_names_are_scrubbed() -> None:
    text = page_of(SAMPLE).posts[1].text
    assert text.startswith("Nước muối ấm có diệt được virus không?\n")
    assert "<b>nước muối</b> & tỏi" in text
    assert not any(name in text.lower() for name in ("mai_vuon_ca", "lan_hoa_tim", "0912", "giphy", "x200b"))


def test_a_pinned_post_is_kept_but_is_no_watermark() -> None:
    page = page_of(SAMPLE)
    assert page.posts[0].native_id == "t3_1abc00"
    assert dict(page.watermark) == {"newest_id": "t3_1zz009", "oldest_id": "t3_1zz001"}


def test_a_page_may_hold_more_than_was_asked_for() -> None:
    things = [link(name=f"t3_2z{number:04}", stickied=number < 2) for number in range(102)]
    assert len(page_of(listing(*things)).posts) == 102


@pytest.mark.parametrize(("edited", "at"), [(False, None), (True, None), (1795266000.0, (13, 0)), (None, None)])
def test_edited_is_a_word_or_a_time(edited: object, at: tuple[int, int] | None) -> None:
    found = post_of(link(edited=edited)).edited_at
    assert (found and (found.hour, found.minute)) == at


def test_a_closed_account_leaves_its_post_without_an_author() -> None:
    post = page_of(SAMPLE).posts[2]
    assert (post.author, post.likes) == ("", 0)
    assert post.text == "Garlic cures the flu, says this page\n[link]"


@pytest.mark.parametrize("words", ["[deleted]", "[removed]", "[ Removed by Reddit ]"])
def test_what_was_taken_away_is_dropped(words: str) -> None:
    page = page_of(listing(link(selftext=words), comment(body=words)))
    assert reasons(page) == ["deleted", "deleted"]


def test_a_gallery_is_its_captions() -> None:
    assert "uống giấm mỗi sáng" in page_of(SAMPLE).posts[3].text


def test_a_poll_is_its_options() -> None:
    assert "Vaccines hold microchips\nMasks lower your oxygen" in page_of(SAMPLE).posts[4].text


def test_a_crosspost_carries_the_words_of_its_parent() -> None:
    post = page_of(SAMPLE).posts[5]
    assert post.text.startswith("Look at this\nSalt water kills every virus in the throat\n")
    assert post.repost_of == "reddit:t3_1yy001"
    assert "ben_dornfeld" not in post.text


def test_a_video_is_its_title() -> None:
    post = post_of(link(is_self=False, selftext="", url="https://v.redd.it/abc", title="Masks lower your oxygen"))
    assert post.text == "Masks lower your oxygen"


def test_the_link_of_a_profile_names_somebody() -> None:
    assert not page_of(SAMPLE).posts[6].url_is_public


def test_a_private_subreddit_is_never_kept() -> None:
    assert reasons(page_of(listing(link(subreddit_type="private")), policy="none")) == ["private"]


def test_a_hidden_score_is_no_score() -> None:
    assert post_of(comment(score_hidden=True)).likes is None
    assert post_of(comment(score=-7)).likes is None


def test_old_comments_lack_name_permalink_and_author() -> None:
    old = {key: value for key, value in COMMENT.items() if key not in ("name", "author_fullname", "subreddit_type")}
    post = post_of({"kind": "t1", "data": old})
    assert (post.uri, post.author) == ("reddit:t1_k00001", "")
    assert post.url == "https://www.reddit.com/r/SucKhoe/comments/1zz009/_/k00001"


def test_comments_are_read_with_all_the_replies_below_them() -> None:
    deepest = comment(id="k00003", name="t1_k00003", parent_id="t1_k00002")
    middle = comment(id="k00002", name="t1_k00002", parent_id="t1_k00001", replies=listing(deepest))
    more = {"kind": "more", "data": {"count": 37, "id": "k00009", "children": ["k00009"]}}
    goes_on = {"kind": "more", "data": {"count": 0, "id": "_", "children": []}}
    page = page_of([listing(link()), listing(comment(replies=listing(middle, goes_on)), more)])
    assert [post.native_id for post in page.posts] == ["t3_1zz009", "t1_k00001", "t1_k00002", "t1_k00003"]
    assert [post.reply_to for post in page.posts[1:]] == ["reddit:t3_1zz009", "reddit:t1_k00001", "reddit:t1_k00002"]
    assert page.problems == ("more: at least 38 replies are not on this page",)
    assert (page.next, dict(page.watermark)) == (None, {})


def test_a_deep_thread_is_read_and_an_absurd_one_refused() -> None:
    deep = b'{"kind":"t1","data":{"id":"a","body":"b","replies":{"kind":"Listing","data":{"children":['
    page = page_of(deep * 150 + b"]}}}}" * 150)
    assert (len(page.posts), reasons(page)) == (1, ["repeated"] * 149)
    assert not page_of(deep * 90_000 + b"]}}}}" * 90_000).understood


def test_comments_behind_load_more_are_read() -> None:
    answer = {"json": {"errors": [], "data": {"things": [comment()]}}}
    assert [post.uri for post in page_of(answer).posts] == ["reddit:t1_k00001"]


def test_the_next_page_keeps_the_question() -> None:
    asked = f"{URL}&before=t3_1zz002"
    assert page_of(SAMPLE, url=asked).next == f"{URL}&after=t3_1zz001"
    assert page_of(SAMPLE).next == "?after=t3_1zz001"
    assert page_of(listing(link()), url=URL).next is None
    assert "hidden" not in str(page_of(SAMPLE, url=f"{URL}&access_token=hidden").next)


def test_an_empty_listing_is_understood() -> None:
    assert page_of(listing()).problems == ("empty: nothing new",)
    assert dict(page_of(listing()).watermark) == {}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"reason": "private", "message": "Forbidden", "error": 403}, "forbidden: the subreddit is open to its mem"),
        (
            {"reason": "quarantined", "quarantine_message": "x", "message": "Forbidden", "error": 403},
            "forbidden: the s",
        ),
        ({"message": "Forbidden", "error": 403}, "forbidden: the server refuses"),
        ({"reason": "banned", "message": "Not Found", "error": 404}, "gone"),
        ({"message": "Not Found", "error": 404}, "not_found"),
        ({"message": "Unauthorized", "error": 401}, "login_needed"),
        ({"message": "Too Many Requests", "error": 429}, "rate_limited"),
        ({"explanation": "Please log in to do that.", "reason": "USER_REQUIRED"}, "login_needed"),
        ({"json": {"errors": [["RATELIMIT", "too many requests", "ratelimit"]]}}, "rate_limited"),
        ({"error": "invalid_grant"}, "refused"),
    ],
)
def test_refusals_are_told_apart(answer: dict[str, Any], problem: str) -> None:
    page = page_of(answer)
    assert page.problems[0].startswith(problem)
    assert page.understood
    assert not page.posts


def test_refusals_come_as_pages_for_people_too() -> None:
    sign_in = b"<!doctype html><html><title>reddit.com: over 18?</title>" + b" " * 37_000 + b"Log in or sign up</html>"
    blocked = b"<html><head><title>Blocked</title></head><body><h1>whoa there, pardner!</h1>reddit</body></html>"
    assert page_of(sign_in).problems[0].startswith("login_needed")
    assert page_of(sign_in, headers={":status": "401"}).problems[0].startswith("login_needed")
    assert page_of(blocked).problems[0].startswith("forbidden")
    assert page_of(blocked, headers={":status": "403"}).problems[0].startswith("forbidden")


def test_an_answer_without_a_body_is_understood() -> None:
    page = page_of(b"", headers={":status": "301"})
    assert (page.problems, page.understood) == (("empty: the answer has no body",), True)


@pytest.mark.parametrize(
    "body", [b"\x89PNG\r\n", b'{"kind": "Listing", "data": {"chil', b"[1, 2]", b'{"a": 1}', b"null"]
)
def test_rubbish_is_not_understood(body: bytes) -> None:
    assert not page_of(body).understood


def test_things_of_other_kinds_do_not_cost_the_page() -> None:
    odd: list[object] = [{"kind": "t9", "data": {}}, {"kind": "t4", "data": {"body": "hi"}}, None, 7, {"kind": "t3"}]
    page = page_of(listing(*odd, comment()))
    assert len(page.posts) == 1
    assert reasons(page) == ["other", "private"]
    assert [each.reason for each in page.rejected] == ["not_a_post"] * 3


@given(st.data())
def test_no_answer_makes_the_reader_fail(data: st.DataObject) -> None:
    odd = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()), st.just({}))
    keys = st.sampled_from(sorted({*LINK, *COMMENT, "crosspost_parent_list", "gallery_data", "poll_data", "replies"}))
    changes = data.draw(st.dictionaries(keys, odd, max_size=6))
    page = page_of(
        listing(link(**changes), comment(**changes), data.draw(odd), after=data.draw(odd)), url=data.draw(st.text())
    )
    assert len(page.posts) + len(page.dropped) + len(page.rejected) == 3


@given(st.binary(max_size=40), st.integers(0, len(SAMPLE)))
def test_no_bytes_make_the_reader_fail(noise: bytes, at: int) -> None:
    assert isinstance(page_of(SAMPLE[:at] + noise + SAMPLE[at + len(noise) :]), Page)


class TestPlan:
    plan = SubredditPlan("r", RedditSettings(subreddit="SucKhoe", credential="hidden"))

    @staticmethod
    def page(newest: str = "", oldest: str = "", following: str | None = None) -> Page:
        return Page(watermark={"newest_id": newest, "oldest_id": oldest or newest} if newest else {}, next=following)

    def follow(self, ask: Ask, state: Mapping[str, Any], page: Page) -> tuple[Mapping[str, Any], Ask]:
        step = self.plan.after(ask, state, page)
        assert step.ask is not None
        return step.state, step.ask

    def test_nothing_is_asked_without_a_credential(self) -> None:
        plan = SubredditPlan("r", RedditSettings(subreddit="SucKhoe"))
        with pytest.raises(SourceError, match="set CLAIMWATCH_REDDIT_TOKEN first") as closed:
            plan.first({})
        assert closed.value.permanent

    def test_the_credential_is_in_no_address_and_in_no_record_of_the_settings(self) -> None:
        ask = self.plan.first({})
        assert ask.headers["Authorization"] == "Bearer hidden"
        assert ask.url == URL
        assert "hidden" not in repr(self.plan.settings)

    def test_a_backfill_survives_a_kill_and_comments_follow_posts(self) -> None:
        older = f"{URL}&after=t3_1zz001"
        state, ask = self.follow(self.plan.first({}), {}, self.page("t3_1zz009", "t3_1zz001", older))
        assert (ask.url, self.plan.first(state).url) == (older, older)
        state, ask = self.follow(ask, state, self.page("t3_1zz000"))
        assert (state, ask.turn) == ({"new_newest": "t3_1zz009"}, "comments:full")
        assert "/comments?" in ask.url
        assert self.plan.after(ask, state, self.page("t1_k00001")).ask is None

    def test_comments_can_be_left_out(self) -> None:
        plan = SubredditPlan("r", RedditSettings(subreddit="SucKhoe", comments=False, credential="hidden"))
        assert plan.after(plan.first({}), {}, self.page("t3_1zz009")).ask is None

    def test_a_poll_goes_onward_until_nothing_is_newer(self) -> None:
        state: Mapping[str, Any] = {"new_newest": "t3_1zz009"}
        ask = self.plan.first(state)
        assert ask.url.endswith("&before=t3_1zz009")
        state, ask = self.follow(ask, state, self.page("t3_1zz010"))
        assert ask.url.endswith("&before=t3_1zz010")
        state, ask = self.follow(ask, state, self.page())
        assert (ask.turn, state) == ("comments:full", {"new_newest": "t3_1zz010"})

    def test_an_anchor_that_brings_nothing_leads_to_the_full_page(self) -> None:
        state: Mapping[str, Any] = {"new_newest": "t3_1zz009"}
        state, ask = self.follow(self.plan.first(state), state, self.page())
        assert (ask.url, ask.turn) == (URL, "new:full")
        # The anchor was deleted: the newest thing there is becomes the anchor, though it is older.
        state, ask = self.follow(ask, state, self.page("t3_1zz008", "t3_1zz001", f"{URL}&after=t3_1zz001"))
        assert (state, ask.turn) == ({"new_newest": "t3_1zz008"}, "comments:full")

    def test_behind_a_deleted_anchor_all_that_is_newer_is_read(self) -> None:
        state: Mapping[str, Any] = {"new_newest": "t3_1zz001"}
        state, ask = self.follow(self.plan.first(state), state, self.page())
        state, ask = self.follow(ask, state, self.page("t3_1zz900", "t3_1zz500", f"{URL}&after=t3_1zz500"))
        assert ask.turn == "new:older"
        assert self.plan.first(state).url.endswith("after=t3_1zz500")  # killed here: the gap is still owed
        state, ask = self.follow(ask, state, self.page("t3_1zz499", "t3_1zz000", f"{URL}&after=t3_1zz000"))
        assert (state, ask.turn) == ({"new_newest": "t3_1zz900"}, "comments:full")
