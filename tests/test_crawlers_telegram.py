"""Telegram's preview pages: which posts come of them, what is not text, and how a channel is walked."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimwatch.errors import SourceError
from crawlers.page import Found, Page
from crawlers.plan import Ask
from crawlers.telegram.parse import parse
from crawlers.telegram.spider import ChannelPlan, TelegramSettings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "crawlers" / "telegram" / "sample.html").read_bytes()
HERE = "https://t.me/vuonthuoc"
NONE_FOUND = b'<div class="tgme_widget_message_wrap"><div class="tme_no_messages_found">No posts found</div></div>'
CARD = b'<body><div class="tgme_page"><div class="tgme_page_title">Vuon</div><a class="tgme_action_button_new">View</a>'


def page_of(body: bytes, *, url: str = "", headers: Mapping[str, str] | None = None) -> Page:
    return parse(body, url=url, headers=headers or {}, now=NOW)


def message(inner: str, post: str = "vuonthuoc/7") -> bytes:
    date = '<a class="tgme_widget_message_date"><time datetime="2026-11-20T01:30:00+00:00"></time></a>'
    return (
        f'<div class="tgme_widget_message_wrap"><div class="tgme_widget_message" data-post="{post}">{inner}{date}'
        "</div></div>"
    ).encode()


def post_of(inner: str) -> Found:
    (post,) = page_of(message(inner)).posts
    return post


def text_of(markup: str, beside: str = "") -> str:
    return post_of(f'{beside}<div class="tgme_widget_message_text js-message_text">{markup}</div>').text


def test_every_message_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE)
    assert [post.native_id for post in page.posts] == ["101", "105", "106", "119"]
    assert [(one.uri.rpartition("/")[2], one.reason) for one in page.dropped] == [
        ("102", "service"),
        ("107", "empty"),
        ("108", "empty"),
    ]
    assert [one.reason for one in page.rejected] == ["no_id"]
    assert (page.problems, page.understood) == ((), True)


def test_a_post_carries_its_facts() -> None:
    post = page_of(SAMPLE).posts[0]
    assert (post.uri, post.url, post.url_is_public) == (f"{HERE}/101", f"{HERE}/101", True)
    assert (post.platform, post.author, post.language) == ("telegram", "vuonthuoc", "vi")
    assert post.created_at == datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    assert (post.views, post.likes, post.shares) == (436_600, None, None)


def test_emoji_line_breaks_and_links_are_text_and_the_edited_mark_is_not() -> None:
    text = page_of(SAMPLE).posts[0].text
    assert text.startswith("❗ Uống nước tỏi mỗi sáng\nlà khỏi Covid")
    assert "🧄 [link" in text
    assert "toi..." not in text
    assert "#suckhoe" in text
    assert "edited" not in text


def test_a_signature_and_linked_accounts_are_scrubbed() -> None:
    text = page_of(SAMPLE).posts[0].text
    assert "Kim Thoa" not in text
    assert "haidang_1985" not in text
    assert "Bảo Ngọc" not in text_of('Hỏi <a href="tg://user?id=5">Lê Bảo Ngọc</a> nhé, Lê Bảo Ngọc biết')


def test_reply_quote_forward_head_and_link_preview_are_not_the_text() -> None:
    post = page_of(SAMPLE).posts[1]
    assert post.text == "[user] dặn: chanh muối không thay được thuốc"
    assert (post.reply_to, post.repost_of) == (f"{HERE}/101", "https://t.me/bacsilang/44")


def test_a_person_forwarded_from_is_scrubbed_and_no_post() -> None:
    beside = '<span class="tgme_widget_message_forwarded_from_name">Đỗ Minh Châu</span>'
    post = post_of(f'{beside}<div class="tgme_widget_message_text">Đỗ Minh Châu khỏi bệnh nhờ xông lá</div>')
    assert (post.text, post.repost_of) == ("[user] khỏi bệnh nhờ xông lá", "")


def test_a_polls_question_and_options_are_text() -> None:
    assert page_of(SAMPLE).posts[2].text == "Vắc xin sởi có cần tiêm nhắc?\nCó\nKhông"


def test_a_caption_is_text_and_a_films_length_is_no_time() -> None:
    post = page_of(SAMPLE).posts[3]
    assert post.text == "Bảng liều thuốc hạ sốt cho trẻ em, bản của trạm y tế xã"
    assert (post.uri, post.created_at) == (f"{HERE}/119", datetime(2026, 11, 21, 3, 20, tzinfo=UTC))


@pytest.mark.parametrize("kind", ["sticker_wrap", "location_wrap", "voice_player", "roundvideo_player"])
def test_a_wordless_post_is_dropped(kind: str) -> None:
    page = page_of(message(f'<div class="tgme_widget_message_{kind}"></div>'))
    assert [one.reason for one in page.dropped] == ["empty"]
    assert page.watermark == {"newest_id": "7", "oldest_id": "7"}


def test_a_service_message_is_told_by_its_label_too() -> None:
    page = page_of(message('<div class="message_media_not_supported_label">Service message</div>'))
    assert [one.reason for one in page.dropped] == ["service"]


@pytest.mark.parametrize(
    ("shown", "count"), [("2", 2), ("1.2K", 1_200), ("436.6K", 436_600), ("3.1M", 3_100_000), ("many", None)]
)
def test_views_are_numbers(shown: str, count: int | None) -> None:
    views = f'<span class="tgme_widget_message_views">{shown}</span>'
    assert post_of(f'{views}<div class="tgme_widget_message_text">Tỏi</div>').views == count


def test_gaps_in_the_ids_are_normal() -> None:
    page = page_of(SAMPLE)
    assert page.watermark == {"newest_id": "119", "oldest_id": "101"}
    assert page.problems == ()


def test_the_older_page_is_the_heads_own_link() -> None:
    assert page_of(SAMPLE).next == "https://t.me/s/vuonthuoc?before=101"
    assert page_of(SAMPLE, url="http://127.0.0.1:8/s/vuonthuoc").next == "http://127.0.0.1:8/s/vuonthuoc?before=101"
    more = b'<a class="tme_messages_more" data-before="7" href="/s/vuonthuoc?before=7"></a>'
    text = '<div class="tgme_widget_message_text">Tỏi</div>'
    assert page_of(more + message(text)).next == "https://t.me/s/vuonthuoc?before=7"
    assert page_of(message(text)).next is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (NONE_FOUND, "empty_or_throttled"),
        (b'<div class="tgme_channel_info"></div>', "empty_or_throttled"),
        (CARD, "disabled"),
        (b'<div class="tgme_channel_info"></div>This channel can&#39;t be displayed', "disabled"),
        (b'<div class="tgme_widget_message_error">Post not found</div>', "not_found"),
        (b"<html><head><title>429 Too Many Requests</title></head></html>", "rate_limited"),
        (b" \n", "empty"),
    ],
)
def test_a_page_without_posts_is_named(body: bytes, code: str) -> None:
    page = page_of(body)
    assert (page.understood, page.posts, page.next) == (True, (), None)
    assert [problem.partition(":")[0] for problem in page.problems] == [code]


def test_a_bare_redirect_means_no_preview() -> None:
    assert page_of(b"", headers={"Location": HERE}).problems[0].startswith("disabled: ")


def test_a_status_goes_before_the_words() -> None:
    assert page_of(CARD, headers={":status": "429"}).problems[0].startswith("rate_limited: ")


@pytest.mark.parametrize("body", [b"<html><p>garden</p></html>", b"\xff\xfe\x00", b"[1]", b"<!-- -->"])
def test_rubbish_is_not_understood(body: bytes) -> None:
    page = page_of(body)
    assert not page.understood
    assert page.problems[0].startswith("not_telegram: ")


def test_a_place_without_its_post_never_costs_the_page() -> None:
    bad = b'<div class="tgme_widget_message_wrap"><p></p></div>'
    page = page_of(bad + message('<div class="tgme_widget_message_text">Tỏi</div>'))
    assert len(page.posts) == 1
    assert [one.reason for one in page.rejected] == ["not_a_post"]


@given(st.data())
def test_no_damage_raises_or_goes_unsaid(data: st.DataObject) -> None:
    body = bytearray(SAMPLE[: data.draw(st.integers(0, len(SAMPLE)))])
    for place in data.draw(st.lists(st.integers(0, max(len(body) - 1, 0)), max_size=8)) if body else ():
        body[place] = data.draw(st.integers(0, 255))
    page = page_of(bytes(body))
    assert page.posts or page.problems
    assert all(post.uri and post.text for post in page.posts)


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda text: message(text, text)))
def test_no_bytes_raise(body: bytes) -> None:
    page = page_of(body)
    assert page.posts or page.problems


PLAN = ChannelPlan("t", TelegramSettings(channel="vuonthuoc"))
POST = Found(platform="telegram", uri=f"{HERE}/1", text="a")


def walked(newest: int, oldest: int, following: str | None = None) -> Page:
    marks = {"newest_id": str(newest), "oldest_id": str(oldest)}
    return Page(posts=(POST,), watermark=marks, next=following)


def older(before: int) -> str:
    return f"https://t.me/s/vuonthuoc?before={before}"


def test_the_first_crawl_walks_back_and_survives_a_kill() -> None:
    ask = PLAN.first({})
    assert ask.url == "https://t.me/s/vuonthuoc"
    step = PLAN.after(ask, {}, walked(60, 41, older(41)))
    assert step.ask is not None
    assert PLAN.first(step.state).url == step.ask.url == older(41)
    end = PLAN.after(step.ask, step.state, walked(40, 1))
    assert (end.ask, dict(end.state)) == (None, {"newest": 60})


def test_a_later_crawl_stops_where_it_meets_what_is_known() -> None:
    step = PLAN.after(PLAN.first({"newest": 60}), {"newest": 60}, walked(99, 80, older(80)))
    assert step.ask is not None
    assert step.state["newest"] == 60  # not before the walk is whole
    end = PLAN.after(step.ask, step.state, walked(79, 58, older(58)))
    assert (end.ask, dict(end.state)) == (None, {"newest": 99})


def test_no_posts_found_keeps_the_cursor_and_backs_off() -> None:
    state = {"newest": 60, "reached": 99, "older": older(80)}
    step = PLAN.after(PLAN.first(state), state, page_of(NONE_FOUND))
    assert (step.ask, dict(step.state)) == (None, state | {"empty": 1})
    assert PLAN.first(step.state).url == older(80)


def test_an_older_page_that_stays_empty_is_the_channels_beginning() -> None:
    state = {"reached": 99, "older": older(2), "empty": 2}
    assert dict(PLAN.after(PLAN.first(state), state, page_of(NONE_FOUND)).state) == {"newest": 99}


def test_an_empty_newest_page_never_forgets_what_is_known() -> None:
    state: Mapping[str, object] = {"newest": 60}
    for _ in range(5):
        state = PLAN.after(Ask(url=HERE), state, page_of(NONE_FOUND)).state
    assert state["newest"] == 60


def test_a_channel_without_preview_needs_attention() -> None:
    with pytest.raises(SourceError, match="no public preview") as closed:
        PLAN.after(PLAN.first({}), {}, page_of(CARD))
    assert closed.value.permanent


def test_a_page_that_leads_to_itself_is_not_asked_again() -> None:
    ask = Ask(url=older(41), turn="older")
    assert PLAN.after(ask, {}, walked(40, 21, older(41))).ask is None
