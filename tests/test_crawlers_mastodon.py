"""Mastodon answers: which posts come of them, which are left out and why."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.mastodon.parse import parse
from crawlers.page import Found, Page

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "crawlers" / "mastodon" / "sample.json").read_bytes()
STATUSES: list[dict[str, Any]] = json.loads(SAMPLE)
FIRST = STATUSES[0]
USER = "https://vuon.example/users/moclan"


def page_of(answer: object, *, headers: Mapping[str, str] | None = None, policy: str = "respectful") -> Page:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return parse(body, url="", headers=headers or {}, now=NOW, policy=policy)


def post_of(**changes: Any) -> Found:
    (post,) = page_of([FIRST | changes]).posts
    return post


def reasons(page: Page) -> list[str]:
    return [each.reason for each in page.dropped]


def test_every_status_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE)
    assert [post.native_id[-2:] for post in page.posts] == ["90", "80", "70", "03", "50", "30"]
    assert reasons(page) == ["repost", "empty", "opted_out", "opted_out", "private", "unlisted"]
    assert [each.reason for each in page.rejected] == ["no_uri"]
    assert page.problems == ()
    assert page.understood


def test_policy_none_keeps_all_that_is_public() -> None:
    page = page_of(SAMPLE, policy="none")
    assert len(page.posts) == 9
    assert reasons(page) == ["repost", "empty", "private"]


def test_a_post_carries_its_facts() -> None:
    post = page_of(SAMPLE).posts[0]
    assert post.uri == f"{USER}/statuses/116000000000000090"
    assert (post.platform, post.author) == ("mastodon", USER)
    assert post.created_at == datetime(2026, 11, 22, 0, 15, tzinfo=UTC)
    assert post.edited_at == datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    assert (post.likes, post.shares, post.replies, post.views) == (12, 5, 3, None)
    assert post.language == "vi"
    assert post.url.startswith("https://vuon.example/")
    assert not post.url_is_public


def test_the_warning_joins_the_text_and_no_piece_of_a_link_is_left() -> None:
    text = page_of(SAMPLE).posts[0].text
    assert text.startswith("Mẹo chữa bệnh\n")
    assert "#suckhoe" in text
    assert "[link" in text
    assert "uoi-2026" not in text


def test_no_name_stays_in_a_text() -> None:
    reply = page_of(SAMPLE).posts[1]
    assert "salt water does not cure COVID & never did" in reply.text
    assert "moclan" not in reply.text
    assert "Ben Dornfeld" not in post_of(content="<p>Hi</p>", account=STATUSES[1]["account"]).text
    assert "Mộc Lan" not in post_of(content="<p>Trần Mộc Lan kể rằng tỏi chữa bách bệnh</p>").text


def test_a_reply_names_its_parent_only_where_the_page_holds_it() -> None:
    assert page_of(SAMPLE).posts[1].reply_to == FIRST["uri"]
    assert page_of([STATUSES[1]]).posts[0].reply_to == ""


def test_poll_options_and_descriptions_are_text() -> None:
    poll, picture = (page_of(SAMPLE).posts[n].text for n in (2, 4))
    assert poll == "Bạn đã tiêm nhắc chưa?\nTiêm rồi\nSợ vắc xin đổi gen"
    assert picture == "Áp phích ghi: ăn tỏi sống thay vắc xin"


def test_a_long_description_joins_only_a_wordless_post() -> None:
    media = [{"description": "rất dài " * 60}]
    assert "rất dài" not in post_of(media_attachments=media).text
    assert "rất dài" in post_of(media_attachments=media, content="", spoiler_text="").text


def test_a_boost_is_the_post_it_boosts() -> None:
    post = page_of(SAMPLE).posts[3]
    assert post.text == "Measles vaccines do not cause autism."
    assert post.author == "https://garten.example/users/bendorn"


def test_a_post_and_its_boost_count_once() -> None:
    page = page_of([FIRST, STATUSES[1] | {"content": "", "reblog": FIRST}])
    assert len(page.posts) == 1
    assert reasons(page) == ["repost", "repeated"]


def test_the_inline_quote_is_cut() -> None:
    assert page_of(SAMPLE).posts[5].text == "Please do not believe this."


def test_a_wish_in_the_description_is_honoured() -> None:
    wishing = FIRST["account"] | {"note": '<p>Xin chào <a href="#">#<span>nobot</span></a></p>'}
    assert reasons(page_of([FIRST | {"account": wishing}])) == ["opted_out"]


def test_an_account_without_uri_is_the_same_on_every_server() -> None:
    local = FIRST["account"] | {"uri": None}
    assert post_of(account=local).author == "moclan@vuon.example"
    assert post_of(account=local | {"acct": "MocLan@vuon.example"}).author == "moclan@vuon.example"


def test_an_absurd_time_is_none_and_said() -> None:
    page = page_of([FIRST | {"created_at": "3001-01-01T00:00:00Z"}])
    assert page.posts[0].created_at is None
    assert page.problems == ("undated: 1 posts have no usable date",)


def test_ids_are_compared_as_numbers() -> None:
    page = page_of([FIRST | {"id": each} for each in ("9", "10", "0100", None)])
    assert page.watermark == {"newest_id": "0100", "oldest_id": "9"}
    words = page_of([FIRST | {"id": each} for each in ("AzB", "AzA", "B")])
    assert words.watermark == {"newest_id": "AzB", "oldest_id": "B"}


def test_dropped_posts_move_the_watermark_too() -> None:
    page = page_of(SAMPLE)
    assert page.watermark == {"newest_id": "116000000000000090", "oldest_id": "116000000000000021"}


def test_the_next_page_is_the_links_own() -> None:
    address = "https://vuon.example/api/v1/timelines/tag/suckhoe?limit=40&max_id=12"
    headers = {"Link": f'<{address}>; rel="next", <https://vuon.example/x>; rel="prev"'}
    assert page_of(SAMPLE, headers=headers).next == address
    assert page_of(SAMPLE).next is None


def test_an_empty_list_moves_nothing() -> None:
    page = page_of([])
    assert (page.posts, page.watermark, page.next, page.understood) == ((), {}, None, True)
    assert page.problems == ("empty: nothing new",)


def test_other_shapes_with_posts_are_read() -> None:
    assert len(page_of({"accounts": [], "statuses": STATUSES[:2], "hashtags": []}).posts) == 2
    assert len(page_of({"ancestors": [FIRST], "descendants": [STATUSES[1]]}).posts) == 2
    single = page_of(FIRST)
    assert len(single.posts) == 1
    assert single.watermark == {}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ([{"content": "<p>x</p>", "created_at": "2026-01-01T00:00:00Z", "account": {}, "spoiler_text": ""}], "edits"),
        ([FIRST["account"]], "accounts"),
        (FIRST["account"], "accounts"),
        ({"id": "7", "options": [], "votes_count": 1}, "poll"),
        ([{"name": "suckhoe", "history": []}], "tags"),
        ({"error": "Record not found"}, "not_found"),
        ({"error": "This method requires an authenticated user"}, "login_needed"),
        ({"error": "認証されたユーザーが必要です"}, "login_needed"),
        (b"<html><head><title>429 Too Many Requests</title></head></html>", "rate_limited"),
        (b"  ", "empty"),
    ],
)
def test_an_answer_without_posts_is_named(answer: object, code: str) -> None:
    page = page_of(answer)
    assert page.understood
    assert page.posts == ()
    assert [problem.partition(":")[0] for problem in page.problems] == [code]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (SAMPLE[:-900], "cut_off"),
        (b"<rss><channel/></rss>", "not_json"),
        (b"\xff\xfe\x00", "not_json"),
        (b"[1, 2]", "not_mastodon"),
        (b'"text"', "not_mastodon"),
        (b'{"items": []}', "not_mastodon"),
    ],
)
def test_rubbish_is_not_understood(body: bytes, code: str) -> None:
    page = page_of(body)
    assert not page.understood
    assert [problem.partition(":")[0] for problem in page.problems] == [code]


@pytest.mark.parametrize(
    ("live", "hashtags", "code"),
    [
        ("disabled", "public", "disabled"),
        ("authenticated", "public", "login_needed"),
        ("public", "disabled", "disabled"),
        ("public", "public", "instance"),
    ],
)
def test_a_server_says_which_timelines_are_open(live: str, hashtags: str, code: str) -> None:
    access = {
        "live_feeds": {"local": "public", "remote": live},
        "hashtag_feeds": {"local": hashtags, "remote": hashtags},
    }
    page = page_of({"domain": "vuon.example", "version": "4.6.0", "configuration": {"timelines_access": access}})
    assert page.watermark == {"live_feeds": live, "hashtag_feeds": hashtags}
    assert page.problems[0].startswith(f"{code}: ")


def test_an_older_server_says_nothing_of_its_timelines() -> None:
    page = page_of({"uri": "vuon.example", "version": "3.5.0", "stats": {}})
    assert page.watermark == {}
    assert page.problems == ("instance: the server's description, no posts",)


def test_one_bad_status_never_costs_the_page() -> None:
    page = page_of([None, 5, FIRST | {"account": None}, FIRST | {"visibility": None}, FIRST])
    assert len(page.posts) == 1
    assert [each.reason for each in page.rejected] == ["not_a_post", "not_a_post", "no_account", "no_visibility"]


def test_a_row_set_aside_is_scrubbed() -> None:
    (row,) = page_of([FIRST | {"visibility": None, "content": "<p>Trần Mộc Lan nói tỏi chữa bệnh</p>"}, FIRST]).rejected
    assert "tỏi chữa bệnh" in row.row
    assert "Mộc Lan" not in row.row


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The sample cut, with bytes flipped, or with any of its values replaced."""
    if draw(st.booleans()):
        body = bytearray(SAMPLE[: draw(st.integers(0, len(SAMPLE)))])
        for place in draw(st.lists(st.integers(0, max(len(body) - 1, 0)), max_size=5)) if body else ():
            body[place] = draw(st.integers(0, 255))
        return bytes(body)
    rubbish: st.SearchStrategy[object] = (
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({}) | st.just([None])
    )
    statuses: list[dict[str, Any]] = json.loads(SAMPLE)
    for _ in range(draw(st.integers(1, 4))):
        status = draw(st.sampled_from(statuses))
        inner = [status, *(status.get(key) for key in ("account", "poll", "reblog"))]
        holder = draw(st.sampled_from([each for each in inner if isinstance(each, dict) and each]))
        holder[draw(st.sampled_from(sorted(holder)))] = draw(rubbish)
    return json.dumps(statuses).encode()


@given(damaged())
def test_no_damage_raises_or_goes_unsaid(body: bytes) -> None:
    page = page_of(body)
    assert page.posts or page.problems
    assert all(post.uri and post.text for post in page.posts)
    assert all("\n" not in problem for problem in page.problems)


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text()


def lists_and_objects(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(FIRST)), inner)


@given(st.recursive(LEAVES, lists_and_objects))
def test_no_json_raises(answer: object) -> None:
    page = page_of(answer)
    assert page.posts or page.problems
